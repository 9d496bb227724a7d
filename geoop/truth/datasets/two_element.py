"""The data set ``two-element``: potential flow around a section with a Fowler flap, by panels with a Kutta condition on each."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from ...errors import InvalidMeshError
from ...io.dataset_writing import DatasetPlan
from ...mesh.case import Case
from ...mesh.cells import Cells
from ...mesh.mesh import Mesh
from ...mesh.operating_point import OperatingPoint
from ...mesh.primitives import naca4
from ...mesh.quantity import Field, Quantity
from .circle_plane import FARTHEST, NEAREST
from .draws import cases_of, random_of, split_geometries, split_of, uniform
from .named import NamedDataset
from .panel_case import PanelGeometry, trimmed

NAME, PREFIX = "two-element", "two"
DEFAULT_SIZE = 300
#: Panels, and with them wall points, of each element; field points; cases of one geometry.
PANELS, FIELD_POINTS, PER_GEOMETRY = 160, 5000, 3
VELOCITY = 60.0
MAIN_LIFT = Quantity("lift_coefficient_main", "CL_main")
FLAP_LIFT = Quantity("lift_coefficient_flap", "CL_flap")

#: Uniform laws of a geometry; digits are drawn from their lists. Deflection in degrees, gap, overlap and flap chord in main chords.
LAWS = {"flap_chord": (0.25, 0.35), "deflection": (25.0, 35.0), "gap": (0.013, 0.04), "overlap": (-0.01, 0.05)}
OUTSIDE_LAWS = {**LAWS, "deflection": (35.0, 42.0)}
DIGITS = {"camber": (1, 2, 3, 4), "position": (3, 4, 5), "thickness": (10, 11, 12, 13, 14, 15, 16), "flap_thickness": (10, 11, 12, 13, 14)}
#: Uniform law of a case [deg].
CASE_LAWS = {"alpha": (-4.0, 10.0)}

_DESCRIPTION = """Incompressible, inviscid flow around a NACA four-digit section of 1 m chord with a slotted (Fowler) flap, by linear-vorticity \
panels with a Kutta condition on each element. Deflection: of the flap's chord against the main one. Overlap: how far the flap's foremost \
point lies ahead of the main trailing edge (negative: behind it). Gap: shortest distance between the elements. Both in main chords. The flap \
is placed to have exactly this gap, so that no case overlaps. Points: 160 on each wall (patches main and flap), then 5000 in the field. CL and \
CM refer to the main chord. Inviscid: no drag, no stall, no wake of the main element over the flap. Split 'ood' has larger deflections."""


def plan(n: int, seed: int) -> DatasetPlan:
    """Names, splits and parameters.

    Args:
        n: cases in train, validation and test together, three angles of attack per geometry; n/5 more are out of distribution.
        seed: of all draws; case k is the same whatever n is.

    Raises:
        ConfigurationError: fewer than 10 cases.
    """
    splits = split_geometries(PREFIX, math.ceil(n / PER_GEOMETRY), where=NAME, per_geometry=PER_GEOMETRY)
    cases, geometry = cases_of(splits, PER_GEOMETRY)
    cases = trimmed(cases, n)
    geometry = {name: geometry[name] for members in cases.values() for name in members}
    parameters = {name: {**drawn(seed, body), **_condition(seed, name)} for name, body in geometry.items()}
    return DatasetPlan(NAME, _DESCRIPTION, cases, _generator(), parameters, geometry, seed=seed, licence="CC0-1.0")


def case(seed: int, name: str) -> Case:
    """One case with velocity, pressure_coefficient and quadrature_weight at its points, CL of all and of each element, CM."""
    condition = OperatingPoint(VELOCITY, alpha=_condition(seed, name)["alpha"], reference_length=1.0)
    geometry = _geometry(seed, name.rsplit("_", 1)[0])
    made = geometry.case(condition, FIELD_POINTS, random_of(seed, name, part=1), name)
    forces = geometry.system.flow(condition).forces()
    lifts = (Field(q, np.array(f.lift_coefficient), "global") for q, f in zip((MAIN_LIFT, FLAP_LIFT), forces, strict=True))
    return made.with_fields(*lifts)


def drawn(seed: int, geometry: str) -> dict[str, Any]:
    """Sections and rigging of one geometry."""
    random = random_of(seed, geometry)
    laws = OUTSIDE_LAWS if split_of(geometry, PREFIX) == "ood" else LAWS
    digits = {key: int(values[int(random.integers(len(values)))]) for key, values in DIGITS.items()}
    main = f"{digits['camber']}{digits['position']}{digits['thickness']:02d}"
    return {"main": main, "flap": f"24{digits['flap_thickness']:02d}", **uniform(random, laws)}


def elements(main: str, flap: str, flap_chord: float, deflection: float, gap: float, overlap: float) -> Mesh:
    """Main section and flap as one outline with the patches ``main`` and ``flap``.

    Args:
        main: NACA four digits, chord 1 m, trailing edge at (1, 0).
        flap: NACA four digits.
        flap_chord: [m].
        deflection: nose-up-negative rotation of the flap [deg]: its trailing edge points down.
        gap: shortest distance between the elements [m].
        overlap: of the foremost point of the flap ahead of the main trailing edge [m].

    Raises:
        InvalidMeshError: the flap cannot have that gap: it lies farther behind the trailing edge than the gap is wide.
    """
    first, second = naca4(main, 400), naca4(flap, 400, chord=flap_chord)
    a = math.radians(deflection)
    turned = second.points @ np.array([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]])
    turned = turned + [1.0 - overlap - turned[:, 0].min(), 0.0]
    placed = turned + [0.0, _height(first.points, turned, gap)]
    lines = [first.cells, second.cells.renumbered(np.arange(400) + 400)]
    return Mesh(
        np.concatenate([first.points, placed]), Cells.concatenate(lines), dict(zip(("main", "flap"), lines, strict=True)), name=f"{main}+{flap}"
    )


def _height(main: np.ndarray, flap: np.ndarray, gap: float) -> float:
    """How far the flap is moved up so that it has this gap from below, by bisection between far below and contact."""
    low, high = -1.0, _contact(main, flap)
    if _clearance(main, flap + [0.0, high]) > gap:
        raise InvalidMeshError(
            f"the flap is more than {gap:g} m behind the trailing edge", where=NAME, remedy="a gap larger than the negative overlap"
        )
    for _ in range(50):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if _clearance(main, flap + [0.0, middle]) > gap else (low, middle)
    return 0.5 * (low + high)


def _contact(main: np.ndarray, flap: np.ndarray) -> float:
    """Height at which the flap, coming from below, touches the lower side of the main section; level with its edge if it lies behind."""
    nose = int(np.argmin(main[:, 0]))
    lower = main[nose:]
    under = flap[flap[:, 0] < main[:, 0].max()]
    if not len(under):
        return float(main[0, 1] - flap[np.argmin(flap[:, 0]), 1])
    return float((np.interp(under[:, 0], lower[:, 0], lower[:, 1]) - under[:, 1]).min())


def _clearance(main: np.ndarray, flap: np.ndarray) -> float:
    """Shortest distance between the rear part of the main section and the front half of the flap, open polygons [m]."""
    order = np.roll(np.arange(len(main)), len(main) // 2)  # begins at the nose, so that the rear part is one piece
    rear = main[order][main[order, 0] > 0.85]
    front = flap[flap[:, 0] < flap[:, 0].min() + 0.5 * np.ptp(flap[:, 0])]
    return min(_to_segments(front, rear), _to_segments(rear, front))


def _to_segments(points: np.ndarray, ring: np.ndarray) -> float:
    start, span = ring[:-1], np.diff(ring, axis=0)
    u = points[:, None] - start
    share = np.clip((u * span).sum(axis=-1) / (span**2).sum(axis=-1), 0.0, 1.0)
    return float(np.linalg.norm(u - share[..., None] * span, axis=-1).min())


def _condition(seed: int, name: str) -> dict[str, float]:
    return uniform(random_of(seed, name), CASE_LAWS)


@functools.lru_cache(maxsize=2)
def _geometry(seed: int, name: str) -> PanelGeometry:
    return PanelGeometry.of(elements(**drawn(seed, name)), PANELS, ("main", "flap"))


def _generator() -> dict[str, Any]:
    """Laws and constants for the manifest."""
    return {
        "source": "linear-vorticity panels, one Kutta condition per element: geoop.truth.panels.system",
        "revision": 1,
        "label_error": "against an exact flow around a Karman-Trefftz section and a second body at 200 panels: circulations 2e-4,"
        " field 7e-5 of the stream; CL at 160 against 480 panels below 2e-3 of itself",
        "parameters": "independent and uniform between the limits below; angles in degrees, lengths in main chords; digits of the sections uniform",
        "limits": {key: list(limits) for key, limits in {**LAWS, **CASE_LAWS}.items()},
        "limits_ood": {key: list(limits) for key, limits in {**OUTSIDE_LAWS, **CASE_LAWS}.items()},
        "digits": {key: list(values) for key, values in DIGITS.items()},
        "sections": "main: camber, position, thickness; flap: NACA 24 and flap_thickness",
        "velocity": VELOCITY,
        "chord": 1.0,
        "moment": "about the quarter chord of the main section, nose up positive",
        "surface_points": 2 * PANELS,
        "surface_law": "panel nodes: cosine of the arc length on both sides of the leading edge of every element",
        "field_points": FIELD_POINTS,
        "field_law": "half around each element, in the inverse Joukowski plane: angle uniform, log of the distance uniform; weights of the mixture",
        "nearest": NEAREST,
        "farthest": FARTHEST,
        "weight_law": "field: 1/(n density) [m^2]; wall: arc length to half-way to both neighbours [m]",
    }


DATASET = NamedDataset("potential flow around a section with a Fowler flap", plan, case, DEFAULT_SIZE, cases_per_worker=20)
