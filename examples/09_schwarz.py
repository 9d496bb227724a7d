"""Regions solved part by part: a link drawn by hand, a network that has seen small polygons only, a bracket in space."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

import geoop
from geoop.models.boundary_kernel import BoundaryKernel
from geoop.models.presets import PRESETS
from geoop.results.region import read_region
from geoop.results.stitching import equation_of, solved_directly
from geoop.solve.from_case import driven_case
from geoop.solve.schwarz.settings import SchwarzSettings
from geoop.studies.plots.schwarz import convergence_plot, partition_picture
from geoop.train.settings import FitSettings

MESHES = Path(__file__).resolve().parent.parent / "meshes"


def main(quick: bool = False, out: Path = Path("out")) -> dict[str, float]:
    out.mkdir(parents=True, exist_ok=True)
    numbers = warm_link(out) | learned_link(out, quick) | loaded_bracket(out, quick)
    for what, value in numbers.items():
        print(f"{what}: {value:.3g}")
    return numbers


def warm_link(out: Path) -> dict[str, float]:
    """A mesh with named patches: a warm hole, a hole whose temperature varies, the rest insulated. Finite elements in every part, ten sweeps, a proof."""
    diffusion = equation_of(None, 2)
    case = driven_case(read_region(MESHES / "link.msh"), diffusion, dirichlet={"left hole": 1.0, "right hole": "0.2*sin(9*x)"})
    stitched = geoop.schwarz(case, settings=SchwarzSettings(parts=12, overlap=2, sweeps=10, certify=1e-10))
    print("link:", stitched.outcome)
    print("written:", stitched.write(out / "link.vtu"))
    proof = stitched.certificate
    assert proof is not None  # asked for by certify
    return {"residual": proof.residual, "steps": proof.steps, "steps from zero": proof.from_zero, "error": _off(stitched, case)}


def learned_link(out: Path, quick: bool) -> dict[str, float]:
    """A local operator trained on polygons of 3 to 12 corners in the unit box; the link is four boxes long and has holes."""
    data = geoop.generate("polygons-laplace", out / ("polygons-small" if quick else "polygons"), n=200 if quick else 2000)
    surrogate = geoop.fit(
        data,
        out / ("run-polygons-small" if quick else "run-polygons"),
        quantities=("solution",),
        inputs=("boundary solution",),
        model=partial(BoundaryKernel, **PRESETS["BoundaryKernel"]["small"]),
        settings=FitSettings(epochs=8) if quick else FitSettings(cpu_minutes=2.0),
    )
    link = read_region(MESHES / "link.msh")
    everywhere = dict.fromkeys(link.mesh.patches, "sin(4*x) + cos(5*y)")  # it was trained on imposed values alone, so they are imposed on every patch
    case = driven_case(link, equation_of(None, 2), dirichlet=everywhere)
    parts = geoop.schwarz(case, surrogate, settings=SchwarzSettings(parts=12))
    whole = geoop.schwarz(case, surrogate, settings=SchwarzSettings(parts=1))  # the control: the same network, asked for the whole at once
    print("link, by the network:", parts.outcome)
    assert parts.contraction is not None  # measured wherever a network answers
    exact = geoop.schwarz(case, settings=SchwarzSettings(parts=12))
    convergence_plot({"network": parts, "finite elements": exact}, out / "link_convergence.png")
    partition_picture(parts, out / "link_parts.png")
    return {
        "network, 12 parts": _off(parts, case),
        "network, whole": _off(whole, case),
        "contraction": parts.contraction.factor,
        "sweeps": parts.sweeps,
        "repaired": len(parts.repaired),
    }


def loaded_bracket(out: Path, quick: bool) -> dict[str, float]:
    """A closed STL surface of named solids, meshed inside: steel, the foot clamped, 1 MPa along x on the top of the upright."""
    region = read_region(MESHES / "bracket.stl", unit="mm", size=0.01 if quick else 0.005)
    steel = equation_of(None, 3, "elasticity", young=210e9, poisson=0.3)
    case = driven_case(region, steel, dirichlet={"foot": (0.0, 0.0, 0.0)}, neumann={"top": (1e6, 0.0, 0.0)})
    stitched = geoop.schwarz(case, None, steel, SchwarzSettings(parts=8, acceleration="gmres"))
    print("bracket:", stitched.outcome)
    print("written:", stitched.write(out / "bracket.vtu"))
    moved = stitched["displacement"][region.mesh.patch_points("top"), 0].mean()
    return {"tip [um]": 1e6 * float(np.mean(moved)), "bracket error": _off(stitched, case, steel)}


def _off(result, case, equation=None) -> float:
    """What a stitched solution differs by from one direct solve of the whole, relative L2."""
    return solved_directly(case, equation or equation_of(None, case.mesh.dimension)).difference(result.u)


if __name__ == "__main__":
    main()
