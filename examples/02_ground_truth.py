"""Ground truth in the box: the panel method against the exact Karman-Trefftz flow, and a named data set on disk."""

from __future__ import annotations

from pathlib import Path

import geoop
from geoop.truth.exact.karman_trefftz import KarmanTrefftz
from geoop.truth.panels.system import panel_flow


def main(quick: bool = False, out: Path = Path("out")) -> dict[str, float]:
    section = KarmanTrefftz(mu_x=-0.1, mu_y=0.05, tau=15.0)
    point = geoop.OperatingPoint(velocity=60.0, alpha=5.0)
    exact = section.flow(point).lift_coefficient
    panels = panel_flow(section.outline(400), point, n_panels=200).lift_coefficient
    print(f"CL exact {exact:.5f}, 200 panels {panels:.5f}, relative error {abs(panels / exact - 1):.1e}")

    data = geoop.generate("kt-airfoils", out / ("kt-small" if quick else "kt-airfoils"), n=12 if quick else 500)
    case = data.case(data.splits["test"][0])
    forces = geoop.forces(case)
    print(data.splits.keys(), case.name, f"CL {forces.CL:.4f} from the surface pressure")
    return {"exact": exact, "panels": panels, "cases": float(sum(len(names) for names in data.splits.values()))}


if __name__ == "__main__":
    main()
