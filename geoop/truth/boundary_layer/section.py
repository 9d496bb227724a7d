"""Boundary layer and drag of a section: both surfaces on the edge velocity of the panel flow, the wake by Squire and Young.

Nothing is fed back to the potential flow: lift and moment stay those of the inviscid flow, and drag is trustworthy only while both
surfaces are attached. Base drag of a blunt edge is not in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import ConfigurationError, InvalidMeshError
from ...mesh.operating_point import OperatingPoint
from ..panels.system import PanelFlow
from .side import SideLayer
from .wall_speed import WallSpeed

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
    system = flow.system
    if len(system.bodies) != 1:
        raise InvalidMeshError(
            f"{len(system.bodies)} bodies: wakes of one over another are not modelled", where=system.curve.name, remedy="pass one section"
        )
    return boundary_layer_on(WallSpeed.of_panels(flow), flow.operating_point, transition)


def boundary_layer_on(wall: WallSpeed, point: OperatingPoint, transition: Trip = None) -> BoundaryLayer:
    """The boundary layer on a wall along which the inviscid speed is known, whoever says it; arguments and errors as of :func:`boundary_layer`."""
    sides = wall.layers(point, trips_of(transition))
    drag = sum(squire_young(side, point.velocity, wall.length) for side in sides)
    along = [(_along(wall, side, side.transition), _along(wall, side, side.separation)) for side in sides]
    separated = any(not np.isnan(place) and place < 1.0 - AT_EDGE for _, place in along)
    return BoundaryLayer(sides[0], sides[1], float(drag), along[0][0], along[1][0], along[0][1], along[1][1], separated)


def drag_on(wall: WallSpeed, point: OperatingPoint, trips: tuple[float | None, float | None]) -> float:
    """CD alone, by Squire and Young from both sides."""
    return sum(squire_young(side, point.velocity, wall.length) for side in wall.layers(point, trips))


def squire_young(side: SideLayer, velocity: float, length: float) -> float:
    """CD of one side: 2 theta/c (ue/U)^((H + 5)/2) at the trailing edge (H. B. Squire and A. D. Young, ARC R&M 1838, 1938)."""
    theta, shape, edge = side.momentum_thickness[-1], side.shape_factor[-1], side.edge_velocity[-1] / velocity
    return float(2.0 * theta / length * edge ** (0.5 * (shape + 5.0)))


def trips_of(transition: Trip) -> tuple[float | None, float | None]:
    """(upper, lower) trips.

    Raises:
        ConfigurationError: not on the chord.
    """
    trips = tuple(transition) if isinstance(transition, (tuple, list)) else (transition, transition)
    if len(trips) != 2 or any(trip is not None and not 0.0 <= trip <= 1.0 for trip in trips):
        raise ConfigurationError(
            f"transition is {transition!r}",
            where="boundary_layer",
            remedy="give x/c between 0 and 1, None for free transition, or a pair (upper, lower)",
        )
    return trips


def _along(wall: WallSpeed, side: SideLayer, s: float | None) -> float:
    return float("nan") if s is None else float(wall.along_chord(side.place(s)[None])[0])
