"""The data set ``polygons-poisson``: -laplace(u) = f on random polygons, u given on the whole boundary."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ....fem.diffusion import Diffusion
from ....io.dataset_writing import DatasetPlan
from ....mesh.case import Case
from ...diffusion.cases import diffusion_case
from ..draws import random_of
from ..named import NamedDataset
from . import traces
from .family import BOUNDARY, PARAMETERS, Family, geometry_of
from .family import INSIDE as INSIDE_DRAW

DEFAULT_SIZE = 2000
#: Largest strength of the source, over the square of the extent [1/m^2 times m^2]: u changes by about as much as its boundary values.
STRENGTH = 20.0
FAMILY = Family(
    "polygons-poisson",
    "poisson",
    "-laplace(u) = f, u given on the whole boundary",
    {
        "source": "P1 finite elements (geoop.fem) on triangles by gmsh, one factorisation per geometry",
        "source_law": f"f = s (2 p - 1) / extent^2, s uniform in [0, {STRENGTH}], p a pattern that fills [0, 1] at the points of the mesh",
        "source_mixture": dict(traces.INSIDE),
        "source_mixture_targets": {traces.PROCESS: 1.0},
        "label_error": "0.3 % median, 1.2 % worst of 12 polygons with smooth data: RMS over all points, relative to the range of the solution, "
        "against P2 on triangles a quarter as long; white data have no limit, their label is the discrete solution itself",
    },
)


def plan(n: int, seed: int) -> DatasetPlan:
    """Names, splits and the kinds of data of every case; see :meth:`Family.plan`."""
    return FAMILY.plan(n, seed, parameters)


def parameters(seed: int, name: str) -> dict[str, Any]:
    """Kinds of boundary data and source, strength of the source."""
    random = random_of(seed, name, PARAMETERS)
    inside = {traces.PROCESS: 1.0} if FAMILY.is_target(name) else traces.INSIDE
    boundary, source = traces.kind_of(random, FAMILY.mixture(name)), traces.kind_of(random, inside)
    return {"boundary": boundary, "source": source, "strength": STRENGTH * random.random()}


def case(seed: int, name: str) -> Case:
    """One case with ``solution`` and ``source``.

    Raises:
        ConvergenceError, InvalidMeshError: the mesher gave up on its shape.
    """
    problem, drawn = problem_of(seed, geometry_of(name)), parameters(seed, name)
    mesh = problem.space.mesh
    extent = traces.Extent.of(mesh.points)
    rim = mesh.points[mesh.patch_points("dirichlet")]
    g = traces.boundary_trace(random_of(seed, name, BOUNDARY), drawn["boundary"], rim, extent).values
    pattern = traces.unit_trace(random_of(seed, name, INSIDE_DRAW), drawn["source"], mesh.points, extent).values
    f = drawn["strength"] / extent.size**2 * (2.0 * pattern - 1.0)
    u = problem.space.at_mesh_points(problem.solve(f, dirichlet={"dirichlet": g}))
    return diffusion_case(mesh, u, source=f, dirichlet={"dirichlet": g}, name=name)


@lru_cache(maxsize=2)
def problem_of(seed: int, geometry: str) -> Diffusion:
    """Mesh and factors of a geometry."""
    return Diffusion(FAMILY.mesh(seed, geometry), degree=1, dirichlet=("dirichlet",))


DATASET = NamedDataset("local Poisson problems on random polygons, and target shapes", plan, case, DEFAULT_SIZE, cases_per_worker=200)
