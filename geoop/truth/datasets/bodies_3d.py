"""The data set ``bodies-3d``: potential flow around superellipsoids, car-like bodies and wings with a wake, by 3-D panels."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from ...io.dataset_writing import DatasetPlan
from ...mesh.bodies import CarShape, WingShape, car_body, superellipsoid, wing_body
from ...mesh.case import Case
from ...mesh.cells import Cells
from ...mesh.measure import point_weights
from ...mesh.mesh import Mesh
from ...mesh.operating_point import OperatingPoint
from ...mesh.quantity import QUANTITIES, Field, Quantity
from ..flow_case import flow_case
from ..panels3d.near_wall import near_wall
from ..panels3d.system import PanelSystem
from .draws import Laws, cases_of, random_of, split_geometries, split_of, uniform
from .named import NamedDataset

NAME, PREFIX = "bodies-3d", "body"
DEFAULT_SIZE = 200
PER_GEOMETRY = 2
VELOCITY = 40.0
CUBE_DIVISIONS, AROUND, STRIPS = 16, 64, 24
#: Wings are solved on so many times the strips of their mesh: the flow at the tips asks for it, and finer sections bring nothing without it.
STRIPS_SOLVED = 2
FIELD_POINTS = 3000
#: Share of the field points that are uniform in the box; the others lie around points of the wall.
UNIFORM_SHARE = 0.3
#: Distances from the wall points, between which their logarithm is uniform, and the margin of the box, in body sizes.
NEAREST, FARTHEST, MARGIN = 0.005, 0.5, 0.5
WEIGHT = Quantity("quadrature_weight", "w", "m^3, on the wall m^2")
FAMILIES = ("superellipsoid", "car", "wing")

#: Uniform laws of every family: parameter -> (lower, upper).
SHAPE_LAWS: dict[str, Laws] = {
    "superellipsoid": {"length": (2.0, 5.0), "width": (0.8, 2.0), "height": (0.8, 2.0), "east": (0.6, 1.1), "north": (0.6, 1.1)},
    "car": {
        "length": (3.8, 5.0),
        "width": (1.6, 2.0),
        "height": (0.7, 0.9),
        "cabin": (0.4, 0.7),
        "cabin_center": (-0.05, 0.15),
        "cabin_length": (0.3, 0.42),
        "tumblehome": (0.1, 0.3),
        "edge": (0.5, 0.7),
    },
    "wing": {
        "aspect": (5.0, 10.0),
        "root_chord": (0.8, 1.2),
        "taper": (0.4, 1.0),
        "sweep": (0.0, 25.0),
        "dihedral": (0.0, 6.0),
        "twist": (-3.0, 0.0),
        "camber": (0.0, 4.999),
        "thickness": (10.0, 16.999),
        "roundness": (3.0, 8.0),
    },
}
OUTSIDE_SHAPE_LAWS: dict[str, Laws] = {
    "superellipsoid": {**SHAPE_LAWS["superellipsoid"], "east": (0.45, 0.6), "north": (0.45, 0.6)},
    "car": {**SHAPE_LAWS["car"], "cabin": (0.7, 0.9), "length": (5.0, 6.0)},
    "wing": {**SHAPE_LAWS["wing"], "aspect": (10.0, 13.0), "sweep": (25.0, 35.0)},
}
FLOW_LAWS: dict[str, Laws] = {
    "superellipsoid": {"alpha": (-15.0, 15.0), "beta": (-15.0, 15.0)},
    "car": {"alpha": (-3.0, 3.0), "beta": (-15.0, 15.0)},
    "wing": {"alpha": (-4.0, 10.0), "beta": (-5.0, 5.0)},
}

_DESCRIPTION = """Incompressible, inviscid flow around closed bodies in free air (no ground), x backward, y to starboard, z up: superellipsoids \
and car-like bodies without lift, and wings with a flat wake along x. Every geometry has two operating points (alpha, beta). Points: the vertices of \
the body, about 1500 quads (the cells of patch 'wall'), then 3000 in the field around it. Velocity at a wing's trailing edge is the mean of the \
vertices next to it on both sides. Inviscid: no separation, so that bluff bodies feel no drag; drag_coefficient is the induced drag of the wake, both coefficients are over the \
area of the shadow along z. Split 'ood' holds sharper superellipsoids, longer cars with higher cabins, wings of higher aspect ratio and sweep."""


def plan(n: int, seed: int) -> DatasetPlan:
    """Names, splits and parameters.

    Args:
        n: cases in train, validation and test together, two of every geometry.
        seed: of all draws; a case is the same whatever n is.

    Raises:
        ConfigurationError: fewer than 4 geometries.
    """
    geometries = split_geometries(PREFIX, -(-n // PER_GEOMETRY), where=NAME, per_geometry=PER_GEOMETRY)
    splits, geometry = cases_of(geometries, PER_GEOMETRY)
    parameters = {name: {**_numbers(drawn(seed, shape)), **drawn_flow(seed, name)} for name, shape in geometry.items()}
    return DatasetPlan(NAME, _DESCRIPTION, splits, _generator(), parameters, geometry, seed=seed, licence="CC0-1.0")


def case(seed: int, name: str) -> Case:
    """One case with velocity, pressure_coefficient, quadrature_weight and the coefficients of lift and induced drag."""
    shape = name.rsplit("_", 1)[0]
    system, mesh, weight, velocities = _solved(seed, shape)
    condition = _condition(seed, name)
    flow = system.flow(condition)
    solved = flow_case(Case(mesh, condition, wall=("wall",), name=name), condition, velocities[name])
    return solved.with_fields(
        Field(WEIGHT, weight),
        Field(QUANTITIES["lift_coefficient"], np.asarray(flow.lift_coefficient), "global"),
        Field(QUANTITIES["drag_coefficient"], np.asarray(flow.induced_drag_coefficient), "global"),
    )


def drawn(seed: int, shape: str) -> dict[str, Any]:
    """Family and parameters of one geometry, uniform between the limits of its family and split."""
    random = random_of(seed, shape)
    family = FAMILIES[int(random.integers(len(FAMILIES)))]
    laws = OUTSIDE_SHAPE_LAWS if split_of(shape, PREFIX) == "ood" else SHAPE_LAWS
    return {"family": family, **uniform(random, laws[family])}


def drawn_flow(seed: int, name: str) -> dict[str, float]:
    """Angles of attack and of sideslip of one case [deg]."""
    family = drawn(seed, name.rsplit("_", 1)[0])["family"]
    return uniform(random_of(seed, name, part=1), FLOW_LAWS[family])


def _condition(seed: int, name: str) -> OperatingPoint:
    values = drawn_flow(seed, name)
    return OperatingPoint(VELOCITY, alpha=values["alpha"], beta=values["beta"])


def shape_of(values: dict[str, Any], refine: int = 1, strips: int = 1) -> tuple[Mesh, np.ndarray | None]:
    """The body of these parameters and its trailing edge.

    Args:
        values: of :func:`drawn`.
        refine: how many times finer than in the data set, for checks.
        strips: how many times more strips of a wing, on top of ``refine``; other bodies have none.
    """
    own = {key: value for key, value in values.items() if key != "family"}
    if values["family"] == "superellipsoid":
        axes = (0.5 * own["length"], 0.5 * own["width"], 0.5 * own["height"])
        return superellipsoid(axes, own["east"], own["north"], CUBE_DIVISIONS * refine), None
    if values["family"] == "car":
        return car_body(CarShape(**own), CUBE_DIVISIONS * refine), None
    section = f"{int(own.pop('camber'))}4{int(own.pop('thickness')):02d}"
    aspect = own.pop("aspect")
    wing = WingShape(span=1.0, section=section, **own)
    # the span that gives the aspect ratio b^2/S: the area is proportional to it
    return wing_body(WingShape(span=aspect * wing.area, section=section, **own), AROUND * refine, STRIPS * refine * strips)


@lru_cache(maxsize=2)
def _solved(seed: int, shape: str) -> tuple[PanelSystem, Mesh, np.ndarray, dict[str, np.ndarray]]:
    """The solved equations of a geometry, its mesh with field points behind the body's vertices, the weights of all points, and their velocities.

    All operating points are one evaluation: the flow is linear in the stream. The vertices are some of those that the equations are solved on.
    """
    values = drawn(seed, shape)
    body, own_edge = shape_of(values)
    solved, edge = shape_of(values, strips=STRIPS_SOLVED)
    system = PanelSystem(solved, trailing_edge=edge)
    points, weight = field_points(system, random_of(seed, shape, part=2))
    count = len(body.points)
    vertices = Cells.of(vertex=np.arange(count, count + len(points))[:, None])
    mesh = Mesh(np.concatenate([body.points, points]), Cells.concatenate([body.cells, vertices]), {"wall": body.cells}, name=shape)
    names = [f"{shape}_{k:02d}" for k in range(1, PER_GEOMETRY + 1)]
    streams = [_condition(seed, name) for name in names]
    wall = system.surface_velocity(body.points, streams)
    if own_edge is not None:
        beside_edge(wall, own_edge)
    velocities = np.concatenate([wall, system.velocity(points, streams)], axis=1)
    return system, mesh, np.concatenate([point_weights(body), weight]), dict(zip(names, velocities, strict=True))


def beside_edge(velocity: np.ndarray, edge: np.ndarray) -> None:
    """Give the trailing edge of a wing the mean velocity of the vertices next to it on both sides; its two tips keep their own.

    The velocity has two values there, and an edge of finite angle is a stagnation line narrower than any panel: what a fit of the panels says of it
    depends on their sizes, and may be far off.

    Args:
        velocity: (k, n, 3) at the vertices of :func:`~geoop.mesh.bodies.wing_body`, changed in place.
        edge: (w, 2) its trailing edge.
    """
    inner = np.unique(edge)[:-2]
    velocity[:, inner] = 0.5 * (velocity[:, inner + 1] + velocity[:, inner + AROUND - 1])


def field_points(system: PanelSystem, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) points outside the body, within the box around it, and their quadrature weights [m^3].

    The law is a mixture: uniform in the box, and around the panels' centres (chosen by area) in a random direction at a distance r
    with log r uniform. Its density p is evaluated in full at every point, draws inside the body are dropped, and the weight is 1/(T p)
    for T draws: sums over the weights estimate integrals over the box outside the body.
    """
    body, size = system.surface, system.surface.size
    low, high = body.mesh.bounds + np.array([[-1.0], [1.0]]) * MARGIN * size
    drawn_points = 2 * FIELD_POINTS
    share = body.areas / body.areas.sum()
    near = random.random(drawn_points) >= UNIFORM_SHARE
    center = body.centers[random.choice(len(share), drawn_points, p=share)]
    direction = random.normal(size=(drawn_points, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    span = np.log(FARTHEST / NEAREST)
    distance = NEAREST * size * np.exp(span * random.random(drawn_points))
    points = np.where(near[:, None], center + distance[:, None] * direction, low + (high - low) * random.random((drawn_points, 3)))
    outside = near_wall(body, system.edge, system.recovery.size, points).distance > 0.0
    kept = np.flatnonzero(outside & (points >= low).all(axis=1) & (points <= high).all(axis=1))[:FIELD_POINTS]
    tried = kept[-1] + 1
    r = cdist(points[kept], body.centers)
    within = (r >= NEAREST * size) & (r <= FARTHEST * size)
    density = (1.0 - UNIFORM_SHARE) * (np.where(within, 1.0 / (4.0 * np.pi * span * r**3), 0.0) @ share) + UNIFORM_SHARE / np.prod(high - low)
    return points[kept], 1.0 / (tried * density)


def _numbers(values: dict[str, Any]) -> dict[str, Any]:
    """The parameters with the family as its number in FAMILIES: tables of parameters hold numbers."""
    return {**values, "family": float(FAMILIES.index(values["family"]))}


def _generator() -> dict[str, Any]:
    """Laws and constants for the manifest."""
    return {
        "source": "source and doublet panels in space: geoop.truth.panels3d",
        "revision": 2,
        "families": list(FAMILIES),
        "parameters": "family 0, 1, 2 with equal chance, the others independent and uniform between the limits below; lengths in m, angles in degrees",
        "limits": {family: {key: list(limits) for key, limits in laws.items()} for family, laws in SHAPE_LAWS.items()},
        "limits_ood": {family: {key: list(limits) for key, limits in laws.items()} for family, laws in OUTSIDE_SHAPE_LAWS.items()},
        "limits_flow": {family: {key: list(limits) for key, limits in laws.items()} for family, laws in FLOW_LAWS.items()},
        "wing_sections": "NACA four digits: camber rounded down, at 40 % of the chord, and thickness rounded down, both in % of the chord",
        "operating_points_per_geometry": PER_GEOMETRY,
        "velocity": VELOCITY,
        "panels": f"{6 * CUBE_DIVISIONS**2} quads on superellipsoids and cars; {AROUND} x {STRIPS} on wings, whose labels are "
        f"those of {AROUND} x {STRIPS * STRIPS_SOLVED} at the same vertices",
        "boundary_conditions": "no flow through the wall, free stream far away, Kutta condition at a wing's trailing edge, wake straight along x",
        "self_intersection": "impossible: superellipsoids are star-shaped, cars are one-to-one images of them, wing sections lie in parallel planes",
        "label_error": "against four times as many panels, two bodies of each family, RMS of the velocity over the free stream: field 0.7 % "
        "(superellipsoids), 0.4 % (cars), 2 to 5 % (wings); wall 0.6 %, 1.7 %, 7 to 14 %, medians below 0.6 %: the wings' errors sit at "
        "trailing edges and tips (2 % elsewhere); CL to 0.004; drag is the induced one of the wake, the wall's pressure does not give it",
        "field_points": FIELD_POINTS,
        "field_law": "30 % uniform in the box, the others around panel centres chosen by area, log of the distance uniform; none inside the body",
        "nearest": NEAREST,
        "farthest": FARTHEST,
        "box_margin": MARGIN,
        "lengths_of_the_field_law": "body sizes: the largest extent along an axis",
        "weight_law": "field: 1/(draws x density of the law) [m^3]; wall: the vertex' share of the area [m^2]",
    }


DATASET = NamedDataset("potential flow around superellipsoids, cars and wings in space, by panels", plan, case, DEFAULT_SIZE, cases_per_worker=6)
