"""The data set ``polygons-elasticity``: plane strain without body force on random polygons, displacements given on the boundary."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from ....fem.elastic_laws import LinearElastic
from ....io.dataset_writing import DatasetPlan
from ....mesh.case import Case
from ....mesh.quantity import QUANTITIES, Field
from ...elasticity.linear import LinearElasticity
from ...elasticity.loads import Loads
from ...exact.plane_elasticity import PlaneEquilibrium
from ..draws import random_of
from ..named import NamedDataset
from . import traces
from .family import BOUNDARY, PARAMETERS, Family, geometry_of

DEFAULT_SIZE = 2000
YOUNG, POISSON = 1.0, 0.3
#: Largest displacement on the boundary, in extents.
AMPLITUDE = (0.005, 0.1)
_DEGREE = 4
FAMILY = Family(
    "polygons-elasticity",
    "elasticity",
    "div(sigma) = 0, linear plane strain, displacement given on the whole boundary",
    {
        "material": f"E = {YOUNG} Pa (the displacement does not depend on it), nu = {POISSON}",
        "boundary_range": f"largest displacement on the boundary uniform in {list(AMPLITUDE)} extents",
        "harmonic": f"displacements of two random polynomials of degree {_DEGREE} (Kolosov-Muskhelishvili): in equilibrium exactly",
        "label_error": "0.07 % median, 0.14 % worst of 20 polygons with equilibrium data: RMS over all points, relative to the largest displacement, "
        "against the closed form; white data have no limit, their label is the discrete solution itself",
        "small_strains": "the equations are linear whatever the amplitude",
    },
)


def plan(n: int, seed: int) -> DatasetPlan:
    """Names, splits and the kinds of data of every case; see :meth:`Family.plan`."""
    return FAMILY.plan(n, seed, parameters)


def parameters(seed: int, name: str) -> dict[str, Any]:
    """Kind of boundary data, and the largest displacement in extents."""
    random = random_of(seed, name, PARAMETERS)
    kind = traces.kind_of(random, FAMILY.mixture(name))
    return {"boundary": kind, "amplitude": AMPLITUDE[0] + (AMPLITUDE[1] - AMPLITUDE[0]) * random.random()}


def case(seed: int, name: str) -> Case:
    """One case with ``displacement`` [m], at the points and on the patch ``dirichlet``.

    Raises:
        ConvergenceError, InvalidMeshError: the mesher gave up on its shape.
    """
    problem, drawn = problem_of(seed, geometry_of(name)), parameters(seed, name)
    mesh = problem.displacements.space.mesh
    extent, rim = traces.Extent.of(mesh.points), mesh.points[mesh.patch_points("dirichlet")]
    pattern = _pattern(random_of(seed, name, BOUNDARY), drawn["boundary"], rim, extent)
    given = drawn["amplitude"] * extent.size / np.linalg.norm(pattern, axis=1).max() * pattern
    nearest = cKDTree(rim)
    solution = problem.solve(Loads({"dirichlet": lambda x: given[nearest.query(x)[1]]}))
    at = problem.displacements.space.at_mesh_points
    d = QUANTITIES["displacement"]
    moved = np.stack([at(column) for column in solution.displacement.T], axis=1)
    return Case(mesh, None, {d.name: Field(d, moved)}, {"dirichlet": {d.name: Field(d, given)}}, name=name)


def _pattern(random: np.random.Generator, kind: str, points: np.ndarray, extent: traces.Extent) -> np.ndarray:
    """(k, 2) displacements of any size."""
    if kind == traces.WHITE:
        return 2.0 * random.random((len(points), 2)) - 1.0
    if kind == traces.PROCESS:
        return np.stack([traces.process(random, extent)(points) for _ in range(2)], axis=1)
    return equilibrium(random, extent).displacement(points)


def equilibrium(random: np.random.Generator, extent: traces.Extent) -> PlaneEquilibrium:
    """A random displacement in equilibrium: coefficients of the unit circle's size, falling as 1/k."""
    k = np.arange(_DEGREE + 1)
    draws = random.standard_normal((4, _DEGREE + 1)) / np.maximum(k, 1) ** 2 * 2.0**k
    return PlaneEquilibrium(draws[0] + 1j * draws[1], draws[2] + 1j * draws[3], POISSON, "plane strain", extent.center, extent.size)


@lru_cache(maxsize=2)
def problem_of(seed: int, geometry: str) -> LinearElasticity:
    """Mesh and factors of a geometry."""
    return LinearElasticity(FAMILY.mesh(seed, geometry), LinearElastic(YOUNG, POISSON, "plane strain"), degree=1)


DATASET = NamedDataset("local plane-strain problems on random polygons, and target shapes", plan, case, DEFAULT_SIZE, cases_per_worker=200)
