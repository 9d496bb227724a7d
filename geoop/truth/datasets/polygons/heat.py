"""The data set ``polygons-heat``: u_t = alpha laplace(u) on random polygons, with boundary values that change in time."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ....fem.heat import Heat, HeatData
from ....io.dataset_writing import DatasetPlan
from ....mesh.case import Case
from ....mesh.quantity import Field, Quantity
from ...diffusion.cases import diffusion_case
from ..draws import random_of
from ..named import NamedDataset
from . import traces
from .family import BOUNDARY, PARAMETERS, Family, geometry_of
from .family import INSIDE as INSIDE_DRAW

DEFAULT_SIZE = 2200
STEP, STEPS, STEPS_TARGET = 0.01, 10, 50
TRAJECTORIES = 5
ALPHA, ALPHA_TARGET = (0.1, 1.0), 1.0
DIFFUSIVITY = Quantity("diffusivity", "alpha", "m^2/s")
FAMILY = Family(
    "polygons-heat",
    "heat",
    "u_t = alpha laplace(u), u given at the start and, in time, on the whole boundary",
    {
        "time_steps": f"implicit Euler, {STEP} s; {STEPS} steps, on targets {STEPS_TARGET}; every step is a case, a trajectory is a series",
        "diffusivity": f"uniform in {list(ALPHA)} m^2/s, one per polygon; {ALPHA_TARGET} on targets",
        "boundary_in_time": "p + w(t) (q - p), p and q two draws of the boundary law, w = (1 - cos(omega t))/2, omega uniform in "
        "[0, 60] rad/s; constant in time (q = p) in two of five",
        "start": "fills [0, 1] at the points of the mesh; on the boundary its values",
        "start_mixture": dict(traces.INSIDE),
        "start_targets": {traces.PROCESS: 1.0},
        "label_error": "the label is the implicit Euler step of 0.01 s of the published method itself: of order 1 in time",
    },
)


def plan(n: int, seed: int) -> DatasetPlan:
    """Names, splits, series and parameters.

    Args:
        n: cases (frames) in train, validation and test together, rounded to whole geometries of 5 trajectories of 11 frames.
        seed: of all draws.

    Raises:
        ConfigurationError: fewer than 4 cases.
    """
    geometries, per = FAMILY.splits(n if n < 4 else max(4, round(n / (STEPS + 1))), TRAJECTORIES)
    splits: dict[str, tuple[str, ...]] = {}
    geometry, series, drawn = {}, {}, {}
    for split, names in geometries.items():
        frames = []
        for name in names:
            for k in range(1, per + 1):
                trajectory = f"{name}_{k:02d}"
                found = parameters(seed, trajectory)
                for frame in range(_steps(name) + 1):
                    case_name = f"{trajectory}_t{frame:02d}"
                    geometry[case_name], series[case_name], drawn[case_name] = name, trajectory, found
                    frames.append(case_name)
        splits[split] = tuple(frames)
    return DatasetPlan(FAMILY.name, FAMILY.description, splits, FAMILY.card(per), drawn, geometry, series, seed=seed, licence="CC0-1.0")


def parameters(seed: int, trajectory: str) -> dict[str, Any]:
    """Kinds of boundary data and start, frequency of the boundary data [rad/s] (0: constant), diffusivity [m^2/s] of the geometry."""
    random = random_of(seed, trajectory, PARAMETERS)
    inside = {traces.PROCESS: 1.0} if FAMILY.is_target(trajectory) else traces.INSIDE
    boundary, start = traces.kind_of(random, FAMILY.mixture(trajectory)), traces.kind_of(random, inside)
    moves, frequency = random.random() < 0.6, 60.0 * random.random()
    return {"boundary": boundary, "start": start, "frequency": frequency if moves else 0.0, "diffusivity": diffusivity(seed, geometry_of(trajectory))}


def diffusivity(seed: int, geometry: str) -> float:
    """Of a geometry [m^2/s]."""
    if FAMILY.is_target(geometry):
        return ALPHA_TARGET
    return ALPHA[0] + (ALPHA[1] - ALPHA[0]) * random_of(seed, geometry, PARAMETERS).random()


def case(seed: int, name: str) -> Case:
    """One frame with ``solution`` and the global ``diffusivity``; boundary values are those of its time.

    Raises:
        ConvergenceError, InvalidMeshError: the mesher gave up on its shape.
    """
    trajectory, frame = name.rsplit("_t", 1)
    solutions, boundary = _trajectory(seed, trajectory)
    heat, k = problem_of(seed, geometry_of(trajectory)), int(frame)
    made = diffusion_case(heat.space.mesh, solutions[k], dirichlet={"dirichlet": boundary[k]}, time=k * STEP, name=name)
    return made.with_fields(Field(DIFFUSIVITY, np.array(diffusivity(seed, geometry_of(trajectory))), "global"))


@lru_cache(maxsize=2)
def _trajectory(seed: int, trajectory: str) -> tuple[np.ndarray, np.ndarray]:
    """((steps + 1, n_points) solutions, (steps + 1, k) boundary values)."""
    heat, drawn = problem_of(seed, geometry_of(trajectory)), parameters(seed, trajectory)
    mesh, random = heat.space.mesh, random_of(seed, trajectory, BOUNDARY)
    extent, rim = traces.Extent.of(mesh.points), mesh.patch_points("dirichlet")
    p, q = (traces.boundary_trace(random, drawn["boundary"], mesh.points[rim], extent).values for _ in range(2))

    def boundary(time: float) -> np.ndarray:
        return p + 0.5 * (1.0 - np.cos(drawn["frequency"] * time)) * (q - p)

    start = traces.unit_trace(random_of(seed, trajectory, INSIDE_DRAW), drawn["start"], mesh.points, extent).values
    start[rim] = boundary(0.0)
    states = heat.march(start, _steps(trajectory), lambda time: HeatData(dirichlet={"dirichlet": boundary(time)}))
    times = STEP * np.arange(_steps(trajectory) + 1)
    return np.stack([heat.space.at_mesh_points(u) for u in states]), np.stack([boundary(time) for time in times])


@lru_cache(maxsize=2)
def problem_of(seed: int, geometry: str) -> Heat:
    """Mesh and factors of a geometry."""
    alpha = diffusivity(seed, geometry)
    return Heat(FAMILY.mesh(seed, geometry), STEP, conductivity=alpha, degree=1, dirichlet=("dirichlet",), scheme="implicit_euler")


def _steps(name: str) -> int:
    return STEPS_TARGET if FAMILY.is_target(name) else STEPS


DATASET = NamedDataset(
    "local heat conduction on random polygons as series in time, and target shapes", plan, case, DEFAULT_SIZE, cases_per_worker=400
)
