"""The data set ``cylinder-wake``: vortex streets behind cylinders of several shapes, two periods of each as a series in time."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ...errors import ConvergenceError
from ...fem.domain import Domain
from ...fem.taylor_hood import TaylorHood
from ...io.dataset_writing import DatasetPlan
from ...mesh.case import Case
from ...mesh.cells import Cells
from ...mesh.generate.channel import ChannelSize, channel
from ...mesh.generate.quadratic import quadratic
from ...mesh.mesh import Mesh
from ...mesh.operating_point import OperatingPoint
from ...mesh.quantity import QUANTITIES, Field
from ..navier_stokes.forces import Force, ForceGauge
from ..navier_stokes.problem import NO_SLIP, FlowProblem
from ..navier_stokes.shedding import Shedding, disturbed, march_until_periodic
from ..navier_stokes.solution import FlowSolution
from ..navier_stokes.unsteady import UnsteadyFlow
from .draws import cases_of, random_of, split_geometries, split_of, uniform
from .named import NamedDataset
from .star_bodies import Radius, StarBody, fourier_radius, superellipse_radius

NAME, PREFIX = "cylinder-wake", "wake"
DEFAULT_SIZE = 320
#: Frames per series, at equal times over this many periods; step sizes are the period over a multiple of the frames of a period.
FRAMES, PERIODS = 32, 2
LENGTH, HEIGHT, CENTER = 26.0, 16.0, (7.0, 8.0)
#: Height of every body across the stream [m], speed of the stream [m/s], density [kg/m^3].
BODY, SPEED, DENSITY = 1.0, 1.0, 1.0
SEGMENT, FINEST, WALL, WAKE, WAKE_LENGTH = 0.08, 0.5, 1.5, 0.24, 19.0
#: Time [s] by which a wake must be periodic.
LATEST = 300.0
#: Largest difference of velocities a period apart, over the speed of the stream, at any point of the region.
MISMATCH = 0.05

#: Uniform laws: parameter -> (lower, upper).
LAWS = {"reynolds": (60.0, 200.0)}
OUTSIDE_REYNOLDS = {"reynolds": (200.0, 260.0)}
#: Shape -> laws of its parameters: length along its axis over height, exponent of the superellipse, turn of the axis [deg].
SHAPES = {
    "circle": {"aspect": (1.0, 1.0), "power": (2.0, 2.0), "turn": (0.0, 0.0)},
    "ellipse": {"aspect": (0.6, 1.2), "power": (2.0, 2.0), "turn": (-30.0, 30.0)},
    "square": {"aspect": (0.8, 1.2), "power": (3.0, 5.0), "turn": (-45.0, 45.0)},
}
TRIANGLE = {"mode_3": (0.08, 0.11), "turn": (-60.0, 60.0)}

_DESCRIPTION = """Periodic vortex shedding behind one body of height 1 m in a plane stream of 1 m/s: circles, ellipses, and squares with \
round corners. Every series is 32 frames over two periods of the established wake, from the upward passage of the lift through its middle; 'time' counts \
from there. Velocity and pressure at the points of curved quadratic triangles, drag and lift coefficients as globals of every frame. Splits by \
geometry. 'ood': higher Reynolds numbers; 'ood-shape': triangles with round corners."""


def plan(n: int, seed: int) -> DatasetPlan:
    """Names, splits, series and parameters.

    Args:
        n: cases (frames) in train, validation and test together: n/32 series, 4 at least, as 7 : 1 : 2; a tenth more in each split
            out of distribution.
        seed: of all draws.
    """
    outside = {"ood": 0.1, "ood-shape": 0.1}
    splits, geometry = cases_of(split_geometries(PREFIX, max(4, round(n / FRAMES)), where=NAME, outside=outside), FRAMES)
    drawn_once = {name: drawn(seed, name) for name in dict.fromkeys(geometry.values())}
    parameters = {name: {**drawn_once[body], "frame": int(name.rsplit("_", 1)[1])} for name, body in geometry.items()}
    return DatasetPlan(NAME, _DESCRIPTION, splits, _generator(), parameters, geometry, dict(geometry), seed=seed, licence="CC0-1.0")


def drawn(seed: int, body: str) -> dict[str, Any]:
    """The parameters of one body: its shape and the Reynolds number of its height."""
    random, split = random_of(seed, body), split_of(body, PREFIX)
    values: dict[str, Any] = uniform(random, OUTSIDE_REYNOLDS if split == "ood" else LAWS)
    if split == "ood-shape":
        return {**values, "shape": "triangle", **uniform(random, TRIANGLE)}
    shape = list(SHAPES)[int(random.integers(len(SHAPES)))]
    return {**values, "shape": shape, **uniform(random, SHAPES[shape])}


def body_of(values: dict[str, Any]) -> StarBody:
    """The body of these parameters, as high across the stream as all are."""
    turn = np.radians(values["turn"])
    if values["shape"] == "triangle":
        a = values["mode_3"]
        radius = fourier_radius(1.0, {3: (a * np.cos(3 * turn), a * np.sin(3 * turn))})
    else:
        radius = superellipse_radius(values["aspect"], 1.0, values["power"], turn)
    y = StarBody((0.0, 0.0), radius).wall(np.linspace(0, 2 * np.pi, 20001))[:, 1]
    scale = BODY / np.ptp(y)

    def scaled(angle: np.ndarray) -> np.ndarray:
        return scale * radius(angle)

    made: Radius = scaled
    return StarBody(CENTER, made)


def mesh_of(body: StarBody, name: str, *, finer: float = 1.0) -> Mesh:
    """Curved quadratic triangles around a body, with one patch per side of the stream; ``finer`` divides all lengths of edges."""
    size = ChannelSize(WALL / finer, wake=WAKE / finer, wake_length=WAKE_LENGTH)
    flat = channel(LENGTH, HEIGHT, body.outline(SEGMENT / finer, FINEST), size, name=name)
    lines = flat.patches["walls"].block("line")
    low = flat.points[lines[:, 0], 1] < HEIGHT / 2
    sides = {"bottom": Cells.of(line=lines[low]), "top": Cells.of(line=lines[~low])}
    patches = {key: cells for key, cells in flat.patches.items() if key != "walls"} | sides
    return quadratic(Mesh(flat.points, flat.cells, patches, name=name), onto={"body": body.onto})


def problem_of(values: dict[str, Any], name: str, *, finer: float = 1.0) -> FlowProblem:
    """The flow problem of these parameters: a uniform stream, frictionless sides, nothing imposed at the outlet."""
    space = TaylorHood(Domain.of(mesh_of(body_of(values), name, finer=finer)))
    conditions = {"inlet": (SPEED, 0.0), "body": NO_SLIP}
    return FlowProblem(
        space,
        SPEED * BODY / values["reynolds"],
        conditions,
        ("outlet",),
        ("bottom", "top"),
        density=DENSITY,
        reference_velocity=SPEED,
        reference_length=BODY,
    )


def periodic_flow(problem: FlowProblem) -> tuple[UnsteadyFlow, Shedding]:
    """The established wake of a problem, started from Stokes flow with a gust behind the body.

    Three more cycles after the forces have become periodic let the stream carry the start out of the region.

    Raises:
        ConvergenceError: no periodic wake after 300 body heights of the stream.
    """
    start = UnsteadyFlow(problem).velocity
    flow = UnsteadyFlow(problem, disturbed(problem, start, (CENTER[0] + BODY, CENTER[1])))
    march_until_periodic(flow, "body", latest=LATEST)
    return flow, march_until_periodic(flow, "body", latest=LATEST)[1]


@lru_cache(maxsize=2)
def frames(seed: int, body: str) -> tuple[Shedding, tuple[tuple[FlowSolution, Force], ...]]:
    """The periodic state behind one body, and the frames of its series with their forces.

    Raises:
        ConvergenceError: see :func:`periodic_flow`; or the forces are periodic, and the wake far behind the body is not.
    """
    problem = problem_of(drawn(seed, body), body)
    flow, state = periodic_flow(problem)
    gauge = ForceGauge(problem.space, "body")
    while True:
        found = _recorded(flow, state, gauge)
        gap = float(np.abs(found[0][0].velocity - found[FRAMES // PERIODS][0].velocity).max())
        if gap <= MISMATCH * SPEED:
            return state, found
        if flow.time >= LATEST:
            raise ConvergenceError(
                f"the forces are periodic, but frames a period apart differ by {gap:.2g} m/s at {flow.time:.4g} s",
                where=body,
                remedy="the series is left out; the wakes of flat bodies have slow modulations of their own",
            )
        state = march_until_periodic(flow, "body", latest=LATEST)[1]


def _recorded(flow: UnsteadyFlow, state: Shedding, gauge: ForceGauge) -> tuple[tuple[FlowSolution, Force], ...]:
    """Frames at equal times from the upward passage of the lift through its middle."""
    between = state.period * PERIODS / FRAMES
    steps = int(np.ceil(between / flow.step))
    flow.set_step(between / steps)
    middle, last = 0.5 * (state.lift_max + state.lift_min), np.inf
    for _ in range(2 * steps * FRAMES):
        solution = flow.advance()
        lift = gauge(solution).lift_coefficient
        if last < middle <= lift:
            break
        last = lift
    found = []
    for _ in range(FRAMES):
        found.append((solution, gauge(solution)))
        for _ in range(steps):
            solution = flow.advance()
    return tuple(found)


def case(seed: int, name: str) -> Case:
    """One frame with velocity, pressure, drag_coefficient and lift_coefficient; the same for the same seed and name.

    Raises:
        ConvergenceError: the wake of this body did not become periodic; all of its frames are lost.
    """
    body, number = name.rsplit("_", 1)
    state, found = frames(seed, body)
    solution, forces = found[int(number) - 1]
    problem = solution.problem
    condition = OperatingPoint(SPEED, density=DENSITY, viscosity=DENSITY * problem.viscosity, reference_length=BODY)
    fields = dict(solution.fields())
    for key, value in (("drag_coefficient", forces.drag_coefficient), ("lift_coefficient", forces.lift_coefficient)):
        fields[key] = Field(QUANTITIES[key], np.array(value), "global")
    time = (int(number) - 1) * state.period * PERIODS / FRAMES
    return Case(problem.space.domain.mesh, condition, fields, wall=("body",), time=time, name=name)


def _generator() -> dict[str, Any]:
    """Laws, constants and errors for the manifest."""
    return {
        "source": "geoop.truth.navier_stokes.unsteady: Taylor-Hood elements P2-P1 on isoparametric P2 triangles, SBDF of order 2 in time",
        "revision": 1,
        "law": "independent and uniform between the limits below, shapes equally likely; Reynolds number of speed and height of the body",
        "limits": {key: list(limits) for key, limits in LAWS.items()},
        "limits_ood": {key: list(limits) for key, limits in OUTSIDE_REYNOLDS.items()},
        "shapes": {shape: {key: list(limits) for key, limits in laws.items()} for shape, laws in SHAPES.items()},
        "shape_law": "|x/aspect|^power + |y|^power = 1, turned by turn degrees, then scaled to height 1 m across the stream",
        "shape_ood_shape": {"triangle": {key: list(limits) for key, limits in TRIANGLE.items()}, "law": "r = 1 + mode_3 cos 3(t - turn), scaled"},
        "region": [LENGTH, HEIGHT],
        "center": list(CENTER),
        "blockage": BODY / HEIGHT,
        "speed": SPEED,
        "density": DENSITY,
        "boundary_conditions": "inlet: uniform; sides: no flow through, no shear; body: no slip; outlet: nu du/dn = p n (do nothing)",
        "frames": f"{FRAMES} at equal times over {PERIODS} periods, from the upward passage of the lift through its middle",
        "periodic": "three cycles whose periods, lift ranges and mean drags differ by less than 1 %, and velocities a period apart by "
        "less than 5 % of the speed anywhere; a series that is not by 300 s is lost",
        "time_step": "Courant numbers of UnsteadyFlow on the way, then the time between frames over a whole number, not longer",
        "coefficients": "force on the body per metre of depth over rho U^2 D / 2, by the residual of the momentum equation",
        "longest_edges": {"body": SEGMENT, "wake": WAKE, "region": WALL, "unit": "m"},
        "discretisation_error": ERRORS,
    }


#: The labels' discretisation error for a circle at Reynolds number 148, against 19 700 unknowns. Velocity and pressure (RMS, over the speed
#: and over the dynamic pressure, frames at equal phase) were measured with wake edges of 0.32 m and are smaller with those used.
ERRORS = {
    "strouhal_relative": 0.006,
    "drag_mean_relative": 0.003,
    "lift_amplitude_relative": 0.01,
    "velocity_rms_near_body_below": 0.017,
    "velocity_rms_below": 0.038,
    "pressure_rms_below": 0.016,
    "nature": "mostly a shift of phase that grows downstream",
}

DATASET = NamedDataset("vortex shedding behind cylinders of several shapes, as series in time", plan, case, DEFAULT_SIZE, cases_per_worker=FRAMES)
