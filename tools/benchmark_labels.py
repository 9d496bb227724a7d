"""How exact the labels of ``bodies-3d`` are at best: pressure on the wall against four times as many panels, family by family.

The difference is a lower bound of what the labels are off by (first order: half of it), and no model can be shown to be closer to the flow
than that. Vertices of the coarse body are vertices of the fine one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import count

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.spatial import cKDTree

from geoop.mesh.case import Case
from geoop.mesh.measure import point_weights
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.results.metrics import relative_l2
from geoop.truth.datasets import bodies_3d
from geoop.truth.panels3d.system import PanelSystem


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmark labels", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bodies", type=int, default=3, help="of every family, one operating point each; about 40 s a body")
    given = parser.parse_args(arguments)
    names = {family: _first(family, given.bodies) for family in bodies_3d.FAMILIES}
    table = Table(title="Cp on the wall against four times as many panels, relative L2 [%]: mean (all) over the bodies")
    for title in ("family", "every vertex alike", "by area"):
        table.add_column(title)
    for family, chosen in names.items():
        found = np.array([errors(name) for name in track(chosen, family, transient=True, console=Console(stderr=True))])
        table.add_row(family, *(f"{column.mean():.2f} ({', '.join(f'{value:.2f}' for value in column)})" for column in found.T))
    Console(width=140).print(table)


def errors(name: str) -> tuple[float, float]:
    """Of the first operating point of a body, over its vertices and over its area."""
    (mesh, coarse), (fine, exact) = (_pressure(name, refine) for refine in (1, 2))
    away, same = cKDTree(fine.points).query(mesh.points)
    if away.max() > 1e-9 * np.ptp(mesh.points):
        raise SystemExit(f"{name}: the fine body lacks vertices of the coarse one")
    return 100 * relative_l2(coarse, exact[same]), 100 * relative_l2(coarse, exact[same], point_weights(mesh))


def _pressure(name: str, refine: int) -> tuple[Mesh, np.ndarray]:
    body, edge = bodies_3d.shape_of(bodies_3d.drawn(0, name), refine)
    angles = bodies_3d.drawn_flow(0, f"{name}_01")
    case = Case(body, OperatingPoint(bodies_3d.VELOCITY, alpha=angles["alpha"], beta=angles["beta"]), wall=("wall",))
    flow = PanelSystem(body, trailing_edge=edge).flow(case.operating_point)
    return body, flow.solve_case(case).field("pressure_coefficient").values


def _first(family: str, number: int) -> list[str]:
    """The first bodies of a family."""
    names = (f"{bodies_3d.PREFIX}_{k:04d}" for k in count(1))
    own = (name for name in names if bodies_3d.drawn(0, name)["family"] == family)
    return [next(own) for _ in range(number)]


if __name__ == "__main__":
    main(sys.argv[1:])
