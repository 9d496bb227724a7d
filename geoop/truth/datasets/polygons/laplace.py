"""The data set ``polygons-laplace``: -laplace(u) = 0 on random polygons, u given on the whole boundary."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ....fem.diffusion import Diffusion
from ....io.dataset_writing import DatasetPlan
from ....mesh.case import Case
from ...diffusion.cases import diffusion_case
from ..draws import random_of
from ..named import NamedDataset
from .family import BOUNDARY, PARAMETERS, Family, geometry_of
from .traces import Extent, Trace, boundary_trace, kind_of

DEFAULT_SIZE = 2000
FAMILY = Family(
    "polygons-laplace",
    "laplace",
    "-laplace(u) = 0, u given on the whole boundary",
    {
        "label_error": "RMS over all points, relative to the boundary's range: 0.06 % (harmonic data, closed form) and 0.10 % (Gaussian process, "
        "P2 on triangles a quarter as long), medians over 20 polygons each; at the worst point of all 1.3 %. White data have no limit: their "
        "label is the discrete solution itself"
    },
)


def plan(n: int, seed: int) -> DatasetPlan:
    """Names, splits and the kind of boundary data of every case; see :meth:`Family.plan`."""
    return FAMILY.plan(n, seed, parameters)


def parameters(seed: int, name: str) -> dict[str, Any]:
    """The kind of boundary data of a case."""
    return {"boundary": kind_of(random_of(seed, name, PARAMETERS), FAMILY.mixture(name))}


def case(seed: int, name: str) -> Case:
    """One case with ``solution``, at the points and on the patch ``dirichlet``.

    Raises:
        ConvergenceError, InvalidMeshError: the mesher gave up on its shape.
    """
    problem = problem_of(seed, geometry_of(name))
    mesh, trace = problem.space.mesh, trace_of(seed, name)
    u = problem.solve(dirichlet={"dirichlet": trace.values})
    return diffusion_case(mesh, problem.space.at_mesh_points(u), dirichlet={"dirichlet": trace.values}, name=name)


def trace_of(seed: int, name: str) -> Trace:
    """The boundary data of a case, at ``mesh.patch_points("dirichlet")``, and where they are smooth as a function."""
    mesh = problem_of(seed, geometry_of(name)).space.mesh
    points = mesh.points[mesh.patch_points("dirichlet")]
    return boundary_trace(random_of(seed, name, BOUNDARY), parameters(seed, name)["boundary"], points, Extent.of(mesh.points))


@lru_cache(maxsize=2)
def problem_of(seed: int, geometry: str) -> Diffusion:
    """Mesh and factors of a geometry."""
    return Diffusion(FAMILY.mesh(seed, geometry), degree=1, dirichlet=("dirichlet",))


DATASET = NamedDataset("local Laplace problems on random polygons, and target shapes", plan, case, DEFAULT_SIZE, cases_per_worker=200)
