"""The data set ``polygons-nonlinear``: -div((1 + u^2) grad u) = 0 on random polygons, u given on the whole boundary."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ....fem.nonlinear_diffusion import NonlinearDiffusion
from ....io.dataset_writing import DatasetPlan
from ....mesh.case import Case
from ...diffusion.cases import diffusion_case
from ..draws import random_of
from ..named import NamedDataset
from . import traces
from .family import BOUNDARY, PARAMETERS, Family, geometry_of

DEFAULT_SIZE = 2000
#: Boundary values fill a range in [-amplitude, amplitude]; at 3 the conductivity varies tenfold.
AMPLITUDE = (0.5, 3.0)
FAMILY = Family(
    "polygons-nonlinear",
    "nonlinear",
    "-div((1 + u^2) grad u) = 0, u given on the whole boundary",
    {
        "boundary_range": f"a random range inside [-A, A], 0.05 to 1 of it wide; A uniform in {list(AMPLITUDE)}: the problem has no scale of its own",
        "closed_form": "u + u^3/3 is harmonic: geoop.truth.exact.harmonic.from_kirchhoff of any harmonic function solves it",
        "newton": "to 1e-10 of the first residual",
        "label_error": "0.09 % median, 0.7 % worst of 12 polygons with smooth data: RMS over all points, relative to the range of the solution, "
        "against the transform of P2 on triangles a quarter as long; white data have no limit, their label is the discrete solution itself",
    },
)


def plan(n: int, seed: int) -> DatasetPlan:
    """Names, splits and the kinds of data of every case; see :meth:`Family.plan`."""
    return FAMILY.plan(n, seed, parameters)


def parameters(seed: int, name: str) -> dict[str, Any]:
    """Kind of boundary data, and their amplitude."""
    random = random_of(seed, name, PARAMETERS)
    kind = traces.kind_of(random, FAMILY.mixture(name))
    return {"boundary": kind, "amplitude": AMPLITUDE[0] + (AMPLITUDE[1] - AMPLITUDE[0]) * random.random()}


def case(seed: int, name: str) -> Case:
    """One case with ``solution``.

    Raises:
        ConvergenceError: Newton's method stopped, or the mesher gave up on the shape.
        InvalidMeshError: the mesher left a part of the shape out.
    """
    problem, drawn = problem_of(seed, geometry_of(name)), parameters(seed, name)
    mesh = problem.space.mesh
    rim = mesh.points[mesh.patch_points("dirichlet")]
    unit = traces.boundary_trace(random_of(seed, name, BOUNDARY), drawn["boundary"], rim, traces.Extent.of(mesh.points))
    g = drawn["amplitude"] * (2.0 * unit.values - 1.0)
    u, _ = problem.solve(dirichlet={"dirichlet": g})
    return diffusion_case(mesh, problem.space.at_mesh_points(u), dirichlet={"dirichlet": g}, name=name)


@lru_cache(maxsize=2)
def problem_of(seed: int, geometry: str) -> NonlinearDiffusion:
    """Mesh and elements of a geometry."""
    return NonlinearDiffusion(FAMILY.mesh(seed, geometry), lambda u: 1.0 + u**2, lambda u: 2.0 * u, degree=1, dirichlet=("dirichlet",))


DATASET = NamedDataset("local nonlinear diffusion problems on random polygons, and target shapes", plan, case, DEFAULT_SIZE, cases_per_worker=100)
