"""One surface of a section from the stagnation point to the trailing edge: laminar, transition, turbulent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .laminar import first_crossing, michel, separation, thwaites
from .turbulent import head, plate_start

#: The least Re_theta of a turbulent layer (J. H. Preston, J. Fluid Mech. 3, 373, 1958): ahead of it a trip has no effect.
LEAST_TURBULENT = 320.0


@dataclass(frozen=True, eq=False)
class SideLayer:
    """The boundary layer on one side.

    Attributes:
        points: (n, 2) stations on the wall, the first at the stagnation point [m].
        s: (n,) arc length from there [m].
        edge_velocity: (n,) ue [m/s].
        momentum_thickness: (n,) theta [m].
        shape_factor: (n,) H = delta*/theta.
        friction: (n,) 2 tau_w/(rho ue^2); at a stagnation point, where it is infinite, 0.
        transition: arc length where the layer becomes turbulent [m]; None if it stays laminar.
        why: what made it turbulent: "tripped", "natural", "laminar separation"; or "laminar" to the end.
        laminar_separation: arc length of a laminar separation ahead of natural transition, None without [m].
        separation: arc length of turbulent separation, None without [m].
    """

    points: np.ndarray
    s: np.ndarray
    edge_velocity: np.ndarray
    momentum_thickness: np.ndarray
    shape_factor: np.ndarray
    friction: np.ndarray
    transition: float | None
    why: str
    laminar_separation: float | None
    separation: float | None

    def place(self, s: float) -> np.ndarray:
        """(2,) point on the wall at an arc length [m]."""
        return np.array([np.interp(s, self.s, self.points[:, k]) for k in range(2)])


def side_layer(points: np.ndarray, s: np.ndarray, edge_velocity: np.ndarray, kinematic_viscosity: float, trip: float | None = None) -> SideLayer:
    """March along one surface.

    The layer becomes turbulent at the trip, at natural transition, or where it separates while laminar (a bubble that is short
    against the chord, whose own losses are not modelled), whichever comes first. Momentum thickness is continuous there.

    Args:
        points: (n, 2) [m].
        s: (n,) increasing, from 0 [m].
        edge_velocity: (n,) [m/s]; 0 at a stagnation point, positive behind it.
        kinematic_viscosity: nu [m^2/s].
        trip: arc length of a trip [m]; 0 for a layer that is turbulent from the first station on; None for free transition.
    """
    laminar = thwaites(s, edge_velocity, kinematic_viscosity)
    if trip is not None and edge_velocity[0] <= 0.0:
        grown = first_crossing(s, edge_velocity * laminar.momentum_thickness / kinematic_viscosity - LEAST_TURBULENT)
        trip = float(s[-1]) if grown is None else max(trip, grown)
    bubble = separation(s, laminar)
    ends = {"tripped": trip, "natural": michel(s, edge_velocity, laminar, kinematic_viscosity), "laminar separation": bubble}
    found = {why: place for why, place in ends.items() if place is not None}
    why = min(found, key=lambda key: found[key]) if found else "laminar"
    friction = np.where(np.isfinite(laminar.friction), laminar.friction, 0.0)
    if why == "laminar" or found[why] >= s[-1]:
        theta, shape = laminar.momentum_thickness, laminar.shape_factor
        return SideLayer(points, s, edge_velocity, theta, shape, friction, None, "laminar", None, None)
    begin = found[why]
    first, behind, start = _start(s, edge_velocity, laminar.momentum_thickness, kinematic_viscosity, begin)
    stations = np.concatenate([[start], s[behind:]])
    layer = head(stations, np.interp(stations, s, edge_velocity), kinematic_viscosity, first)
    theta, shape = laminar.momentum_thickness.copy(), laminar.shape_factor.copy()
    theta[behind:], shape[behind:], friction[behind:] = layer.momentum_thickness[1:], layer.shape_factor[1:], layer.friction[1:]
    if behind > 1 and s[behind - 1] == start:  # the layer begins at a station: its values are the turbulent ones
        theta[behind - 1], shape[behind - 1], friction[behind - 1] = layer.momentum_thickness[0], layer.shape_factor[0], layer.friction[0]
    ahead = bubble if bubble is not None and bubble <= begin else None
    return SideLayer(points, s, edge_velocity, theta, shape, friction, begin, why, ahead, layer.separation)


def _start(s: np.ndarray, edge_velocity: np.ndarray, theta: np.ndarray, nu: float, begin: float) -> tuple[float, int, float]:
    """(theta, first station behind, arc length) where the turbulent layer begins; just behind a sharp leading edge."""
    if begin <= s[0]:  # a sharp leading edge: no laminar layer at all, and the first interval is a plate
        mean = 0.5 * float(edge_velocity[0] + edge_velocity[1])
        return plate_start(float(s[1] - s[0]), mean, nu), 2, float(s[1])
    behind = int(np.searchsorted(s, begin, side="right"))
    return float(np.interp(begin, s, theta)), behind, begin
