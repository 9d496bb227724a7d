"""The data set ``polygons-darcy``: -div(a grad u) = f with a random conductivity on random polygons of up to 16 vertices."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ....fem.diffusion import Diffusion
from ....fem.space import Space
from ....io.dataset_writing import DatasetPlan
from ....mesh.case import Case
from ...diffusion.cases import diffusion_case
from ..draws import random_of
from ..named import NamedDataset
from . import traces
from .family import BOUNDARY, PARAMETERS, Family, geometry_of
from .family import INSIDE as INSIDE_DRAW

DEFAULT_SIZE = 2000
#: The conductivity's range, and the largest source times the square of the extent.
CONDUCTIVITY = (0.05, 1.0)
STRENGTH = 5.0
FAMILY = Family(
    "polygons-darcy",
    "darcy",
    "-div(a grad u) = f, u given on the whole boundary",
    {
        "conductivity_law": f"fills {list(CONDUCTIVITY)} at the points of the mesh (white: uniform there, independent), linear between them",
        "conductivity_mixture": dict(traces.INSIDE),
        "source_law": f"f = s p / extent^2, s uniform in [-{STRENGTH}, {STRENGTH}], p a pattern that fills [0, 1]; same kind as the conductivity",
        "inside_targets": {traces.PROCESS: 1.0},
        "label_error": "0.2 % median, 2.4 % worst of 12 polygons with smooth data: RMS over all points, relative to the range of the solution, "
        "against P2 on triangles a quarter as long; white data have no limit, their label is the discrete solution itself",
    },
    most=16,
)


def plan(n: int, seed: int) -> DatasetPlan:
    """Names, splits and the kinds of data of every case; see :meth:`Family.plan`."""
    return FAMILY.plan(n, seed, parameters)


def parameters(seed: int, name: str) -> dict[str, Any]:
    """Kinds of boundary data and of what is inside, strength of the source."""
    random = random_of(seed, name, PARAMETERS)
    inside = {traces.PROCESS: 1.0} if FAMILY.is_target(name) else traces.INSIDE
    boundary, kind = traces.kind_of(random, FAMILY.mixture(name)), traces.kind_of(random, inside)
    return {"boundary": boundary, "inside": kind, "strength": STRENGTH * (2.0 * random.random() - 1.0)}


def case(seed: int, name: str) -> Case:
    """One case with ``solution``, ``conductivity`` and ``source``.

    Raises:
        ConvergenceError, InvalidMeshError: the mesher gave up on its shape.
    """
    space, drawn = space_of(seed, geometry_of(name)), parameters(seed, name)
    mesh, random = space.mesh, random_of(seed, name, INSIDE_DRAW)
    extent = traces.Extent.of(mesh.points)
    rim = mesh.points[mesh.patch_points("dirichlet")]
    g = traces.boundary_trace(random_of(seed, name, BOUNDARY), drawn["boundary"], rim, extent).values
    a = traces.scaled(traces.unit_trace(random, drawn["inside"], mesh.points, extent), *CONDUCTIVITY).values
    f = drawn["strength"] / extent.size**2 * traces.unit_trace(random, drawn["inside"], mesh.points, extent).values
    problem = Diffusion(space, conductivity=a, dirichlet=("dirichlet",))
    u = space.at_mesh_points(problem.solve(f, dirichlet={"dirichlet": g}))
    return diffusion_case(mesh, u, source=f, conductivity=a, dirichlet={"dirichlet": g}, name=name)


@lru_cache(maxsize=2)
def space_of(seed: int, geometry: str) -> Space:
    """Mesh and elements of a geometry; the matrix is another one for every conductivity."""
    return Space.of(FAMILY.mesh(seed, geometry), 1)


DATASET = NamedDataset("local Darcy problems on random polygons, and target shapes", plan, case, DEFAULT_SIZE, cases_per_worker=200)
