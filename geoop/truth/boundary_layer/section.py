"""Boundary layer and drag of a section: both surfaces on the edge velocity of the panel flow, the wake by Squire and Young.

Nothing is fed back to the potential flow: lift and moment stay those of the inviscid flow, and drag is trustworthy only while both
surfaces are attached. Base drag of a blunt edge is not in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import ConditionError, ConfigurationError, InvalidMeshError
from ..panels.system import PanelFlow
from .side import SideLayer, side_layer

#: Towards a sharp edge the inviscid velocity falls to zero, which displacement keeps the real one from: over this last part of the
#: surface [chords] the edge velocity is continued linearly from upstream.
EDGE_REGION = 0.02
#: Turbulent separation this close to the trailing edge [chords] does not count: the region of that continuation and its vicinity.
AT_EDGE = 0.05

#: Trip position as x/c for both sides, or (upper, lower); None is free transition.
Trip = float | None | tuple[float | None, float | None]


@dataclass(frozen=True, eq=False)
class BoundaryLayer:
    """The layers on both sides and what follows from them.

    Attributes:
        upper: from the stagnation point over the upper side to the trailing edge.
        lower: the other one.
        drag_coefficient: CD by Squire and Young from both sides.
        upper_transition: x/c along the chord line, nan if laminar to the end.
        lower_transition: the same on the lower side.
        upper_separation: x/c of turbulent separation, nan if attached.
        lower_separation: the same on the lower side.
        separated: whether a side separates ahead of the last 5 % of the chord: CD is then too low, and no polar should rely on it.
    """

    upper: SideLayer
    lower: SideLayer
    drag_coefficient: float
    upper_transition: float
    lower_transition: float
    upper_separation: float
    lower_separation: float
    separated: bool


def boundary_layer(flow: PanelFlow, transition: Trip = None) -> BoundaryLayer:
    """The boundary layer of a section in a panel flow.

    Args:
        flow: around one body; its operating point states the viscosity.
        transition: x/c of a trip on both sides, or (upper, lower); 0 for fully turbulent, None for free transition.

    Raises:
        InvalidMeshError: several bodies, whose wakes and layers would meet.
        ConditionError: no viscosity, or flow from behind.
        ConfigurationError: a trip that is not on the chord.
    """
    system, point = flow.system, flow.operating_point
    if len(system.bodies) != 1:
        raise InvalidMeshError(
            f"{len(system.bodies)} bodies: wakes of one over another are not modelled", where=system.curve.name, remedy="pass one section"
        )
    if point.viscosity is None:
        raise ConditionError("no viscosity", where="OperatingPoint", remedy="OperatingPoint(velocity=..., viscosity=1.8e-5, reference_length=...)")
    trips = _trips(transition)
    nu = point.viscosity / point.density
    sides = []
    for (z, s, ue), trip in zip(_sides(flow), trips, strict=True):
        sides.append(side_layer(np.stack([z.real, z.imag], axis=1), s, ue, nu, None if trip is None else _trip_length(flow, z, s, trip)))
    length = point.reference_length or system.chord
    drag = sum(squire_young(side, point.velocity, length) for side in sides)
    along = [(_along(flow, side, side.transition), _along(flow, side, side.separation)) for side in sides]
    separated = any(not np.isnan(place) and place < 1.0 - AT_EDGE for _, place in along)
    return BoundaryLayer(sides[0], sides[1], float(drag), along[0][0], along[1][0], along[0][1], along[1][1], separated)


def squire_young(side: SideLayer, velocity: float, length: float) -> float:
    """CD of one side: 2 theta/c (ue/U)^((H + 5)/2) at the trailing edge (H. B. Squire and A. D. Young, ARC R&M 1838, 1938)."""
    theta, shape, edge = side.momentum_thickness[-1], side.shape_factor[-1], side.edge_velocity[-1] / velocity
    return float(2.0 * theta / length * edge ** (0.5 * (shape + 5.0)))


def _trips(transition: Trip) -> tuple[float | None, float | None]:
    trips = tuple(transition) if isinstance(transition, (tuple, list)) else (transition, transition)
    if len(trips) != 2 or any(trip is not None and not 0.0 <= trip <= 1.0 for trip in trips):
        raise ConfigurationError(
            f"transition is {transition!r}",
            where="boundary_layer",
            remedy="give x/c between 0 and 1, None for free transition, or a pair (upper, lower)",
        )
    return trips


def _sides(flow: PanelFlow) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """(points, arc length, edge velocity) from the stagnation point on, of the upper and of the lower side."""
    item = flow.system.bodies[0]
    gamma = flow.system.speed([flow.operating_point])[:, 0]
    s = np.concatenate([[0.0], np.cumsum(item.arc_length)])
    nose = np.interp(item.curve.nose, item.parameters, s)
    change = np.flatnonzero((gamma[:-1] < 0.0) & (gamma[1:] >= 0.0))
    k = int(change[np.argmin(np.abs(0.5 * (s[change] + s[change + 1]) - nose))]) if len(change) else 0
    if not 2 <= k < len(gamma) - 4:
        raise ConditionError(
            f"at {flow.operating_point.alpha:g} degrees the flow does not part on the nose but at the trailing edge: no layer runs from one to the other",
            where=item.curve.name,
            remedy="take a smaller angle of attack, or turn the section: x points backward along it",
        )
    share = gamma[k] / (gamma[k] - gamma[k + 1])
    stop, place = s[k] + share * (s[k + 1] - s[k]), item.nodes[k] + share * (item.nodes[k + 1] - item.nodes[k])
    least = 0.2 * (s[k + 1] - s[k])  # a node that almost is the stagnation point would make the velocity gradient there noise
    found = []
    for index, sign in ((np.arange(k, -1, -1), -1.0), (np.arange(k + 1, len(s)), 1.0)):
        index = index[1:] if abs(s[index[0]] - stop) < least else index
        length = np.concatenate([[0.0], np.abs(s[index] - stop)])
        speed = np.concatenate([[0.0], np.maximum(sign * gamma[index], 1e-6 * flow.operating_point.velocity)])
        speed = speed if item.blunt or item.curve.smooth else _continued(length, speed, EDGE_REGION * flow.system.chord)
        found.append((np.concatenate([[place], item.nodes[index]]), length, speed))
    return found


def _continued(s: np.ndarray, speed: np.ndarray, region: float) -> np.ndarray:
    """The edge velocity with its last stretch replaced by the straight line through both ends of the stretch ahead of it."""
    begin, ahead = np.interp([s[-1] - region, s[-1] - 2.0 * region], s, speed)
    line = begin + (begin - ahead) / region * (s - (s[-1] - region))
    return np.where(s > s[-1] - region, np.maximum(line, speed), speed)


def _chordwise(flow: PanelFlow, z: np.ndarray) -> np.ndarray:
    """x/c along the line from leading to trailing edge."""
    curve = flow.system.curve
    nose = complex(curve.points(np.array([curve.nose]))[0])
    return ((z - nose) / (curve.edge - nose)).real


def _trip_length(flow: PanelFlow, z: np.ndarray, s: np.ndarray, trip: float) -> float:
    """Arc length at which the surface passes x/c = trip, 0 if the stagnation point lies behind it."""
    x = _chordwise(flow, z)
    behind = np.flatnonzero(x >= trip)
    first = int(behind[0]) if len(behind) else len(s) - 1
    if trip <= 0.0 or first == 0:
        return 0.0
    share = (trip - x[first - 1]) / (x[first] - x[first - 1])
    return float(s[first - 1] + share * (s[first] - s[first - 1]))


def _along(flow: PanelFlow, side: SideLayer, s: float | None) -> float:
    return float("nan") if s is None else float(_chordwise(flow, np.array([complex(*side.place(s))]))[0])
