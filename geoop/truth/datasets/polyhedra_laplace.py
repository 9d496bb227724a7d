"""The data set ``polyhedra-laplace``: local Laplace problems in random polyhedra, and the larger shapes that Schwarz is tried on."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ...fem.diffusion import Diffusion
from ...io.dataset_writing import DatasetPlan
from ...mesh.case import Case
from ...mesh.generate.tetrahedra import mesh_solid
from ..diffusion.cases import diffusion_case
from .draws import cases_of, random_of, split_geometries, split_of
from .named import NamedDataset
from .polyhedra import TARGETS, random_polyhedron

NAME, PREFIX, PATCH = "polyhedra-laplace", "polyhedron", "wall"
SIZE, PER_GEOMETRY = 0.1, 10
#: Every k-th case of a geometry has white noise on its boundary, the others Gaussian processes.
WHITE_EVERY, WAVES, LENGTHS = 3, 64, (0.2, 1.0)
#: Split -> fewest and most corners, dents; half of the polyhedra of train, val and test are convex.
CONVEX, DENTED, OUTSIDE = ((6, 14), (0.0, 0.0)), ((8, 14), (0.0, 0.5)), ((16, 24), (0.0, 0.65))

_DESCRIPTION = """laplace(u) = 0 in random polyhedra of unit size with u given on the whole boundary: smooth Gaussian processes, and \
white noise at the points of the boundary, which has no continuum limit and depends on the mesh. Half of the polyhedra are convex, half \
star-shaped with dents. Splits are disjoint by polyhedron. Split 'ood' has more corners and deeper dents; split 'target' holds \
larger shapes (bracket, torus, capsule, hollow ball) for Schwarz iterations with the local operator."""


def plan(n: int, seed: int) -> DatasetPlan:
    """Names, splits and parameters.

    Args:
        n: cases in train, val and test together; every polyhedron has 10 of them, so n is rounded up to polyhedra.
        seed: of all draws; case k is the same whatever n is.

    Raises:
        ConfigurationError: fewer than 4 polyhedra.
    """
    solids = split_geometries(PREFIX, -(-n // PER_GEOMETRY), where=NAME, per_geometry=PER_GEOMETRY)
    solids["target"] = tuple(f"{PREFIX}_target_{k:04d}" for k in range(1, len(TARGETS) + 1))
    splits, geometry = cases_of(solids, PER_GEOMETRY)
    parameters = {name: {"shape": _shape(name), **boundary_law(seed, name)} for name in geometry}
    return DatasetPlan(NAME, _DESCRIPTION, splits, _generator(), parameters, geometry, seed=seed, licence="CC0-1.0")


def case(seed: int, name: str) -> Case:
    """One case with ``solution`` at its points, and on the patch ``wall``; the same for the same seed and name."""
    problem = _problem(seed, name.rsplit("_", 1)[0])
    values = boundary_values(seed, name, problem.space.mesh.points[problem.space.patch_points(PATCH)])
    solution = problem.space.at_mesh_points(problem.solve(dirichlet={PATCH: values}))
    return diffusion_case(problem.space.mesh, solution, dirichlet={PATCH: values}, name=name)


def boundary_law(seed: int, name: str) -> dict[str, str | float]:
    """What is drawn on the boundary of a case: ``white``, or ``gaussian`` with its correlation length [m]."""
    if int(name.rsplit("_", 1)[1]) % WHITE_EVERY == 0:
        return {"boundary": "white"}
    return {"boundary": "gaussian", "correlation_length": LENGTHS[0] + (LENGTHS[1] - LENGTHS[0]) * float(random_of(seed, name).random())}


def boundary_values(seed: int, name: str, points: np.ndarray) -> np.ndarray:
    """(m,) values at points (m, 3) of the boundary, in [0, 1].

    White noise is independent and uniform in [0, 1]. A Gaussian process with correlation exp(-d^2/(2 l^2)) is a sum of 64 random cosines
    (A. Rahimi, B. Recht, "Random features for large-scale kernel machines", 2007), moved and scaled to fill [0, 1] on the points.
    """
    law, random = boundary_law(seed, name), random_of(seed, name, part=1)
    if law["boundary"] == "white":
        return random.random(len(points))
    waves = random.standard_normal((3, WAVES)) / float(law["correlation_length"])
    phase, size = 2.0 * np.pi * random.random(WAVES), random.standard_normal(WAVES)
    values = np.cos(points @ waves + phase) @ size
    return (values - values.min()) / np.ptp(values)


def _shape(name: str) -> str:
    number = int(name.split("_")[-2])
    if split_of(name, PREFIX) == "target":
        return list(TARGETS)[number - 1]
    return "convex" if not split_of(name, PREFIX) and number % 2 else "dented"


@lru_cache(maxsize=2)
def _problem(seed: int, geometry: str) -> Diffusion:
    """Polyhedron, mesh and factors, made for the first of its cases."""
    shape = _shape(f"{geometry}_1")
    if shape in TARGETS:
        build, size = TARGETS[shape]
        mesh = mesh_solid(build(), size=size)
    else:
        law = OUTSIDE if split_of(geometry, PREFIX) else CONVEX if shape == "convex" else DENTED
        mesh = mesh_solid(random_polyhedron(random_of(seed, geometry), *law), size=SIZE)
    return Diffusion(mesh, degree=2, dirichlet=(PATCH,))


def _generator() -> dict:
    return {
        "source": "finite elements: geoop.fem.diffusion",
        "revision": 1,
        "equation": "laplace(u) = 0, u given on the boundary (patch wall), piecewise linear between its points",
        "convex_law": f"hull of {CONVEX[0][0]} to {CONVEX[0][1]} points uniform in a cube",
        "dented_law": f"hull of {DENTED[0][0]} to {DENTED[0][1]} points uniform on a sphere, each pulled in by up to {DENTED[1][1]} of the radius",
        "ood_law": f"hull of {OUTSIDE[0][0]} to {OUTSIDE[0][1]} points uniform on a sphere, each pulled in by up to {OUTSIDE[1][1]} of the radius",
        "limits": "scaled to a box of side 1 m; volume >= 0.06 m^3, angles of facets >= 15 degrees, else drawn again",
        "targets": list(TARGETS),
        "boundary_law": f"every third case white noise, uniform in [0, 1] at each point; others Gaussian processes, {WAVES} random cosines, in [0, 1]",
        "correlation_length": list(LENGTHS),
        "cases_per_geometry": PER_GEOMETRY,
        "edge_length": SIZE,
        "elements": "quadratic tetrahedra; values at their corners are stored",
        "label_error": "relative L2 at inner points against cells cut in eight, same boundary values: Gaussian 1e-4 to 1e-3, white noise 2e-2",
    }


DATASET = NamedDataset("local Laplace problems in random polyhedra, for Schwarz in 3-D", plan, case, 1000, 50)
