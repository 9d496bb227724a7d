"""What a turbulent boundary layer does to the pressure of a section, to first order: panels once more on the body that its displacement makes thicker.

One pass of the classical weak interaction (M. J. Lighthill, On displacement thickness, J. Fluid Mech. 4, 383, 1958): the layer of the inviscid flow is
computed, the wall is moved out by its displacement thickness, and the potential flow around that body with its open base is solved. More passes do not
converge near separation, and one is enough for its use: a first estimate of lost lift and suction that a correction is learned on. It depends on the
Reynolds number. It is no viscous solution.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.interpolate import CubicSpline

from ...errors import ConditionError, InvalidMeshError
from ...mesh.operating_point import OperatingPoint
from ..panels.bodies import BodyPanels
from ..panels.section_curve import SectionCurve
from ..panels.system import PanelSystem
from .side import side_layer

#: Over this last part of the surface [chords] the edge velocity is continued linearly: an inviscid flow that stagnates at the edge would separate there.
CONTINUED = 0.05
#: The displacement thickness grows with the shape factor no further than to here: a layer on its way to separation is thicker than one pass can bear.
THICKEST = 2.0
#: The edge velocity counts as this part of the free stream at least.
_LEAST_SPEED = 1e-3


def displaced_speed(system: PanelSystem, points: Sequence[OperatingPoint]) -> np.ndarray:
    """(n, k) speed [m/s] at the nodes of one section, counter-clockwise as in :meth:`PanelSystem.speed`, with a fully turbulent layer's displacement.

    Args:
        system: of one body.
        points: k operating points that state a viscosity.

    Raises:
        InvalidMeshError: several bodies, or one without a trailing edge.
        ConditionError: no viscosity, sideslip, a Mach number, or a flow that does not part at the nose.
    """
    if len(system.bodies) != 1 or system.bodies[0].curve.smooth:
        found = "a round trailing edge" if len(system.bodies) == 1 else f"{len(system.bodies)} bodies"
        raise InvalidMeshError(f"{found}: where the layers end is not known", where=system.curve.name, remedy="pass one section with a trailing edge")
    missing = [point.alpha for point in points if point.viscosity is None]
    if missing:
        raise ConditionError("no viscosity", where=system.curve.name, remedy="OperatingPoint(velocity=..., viscosity=1.8e-5, reference_length=...)")
    inviscid = system.speed(points)
    columns = []
    for point, speed in zip(points, inviscid.T, strict=True):
        moved = _moved(system.bodies[0], displacement(system, speed, point))
        columns.append(PanelSystem.of_bodies((moved,)).speed([point])[:, 0])
    return np.stack(columns, axis=1) if columns else inviscid


def displacement(system: PanelSystem, speed: np.ndarray, point: OperatingPoint) -> np.ndarray:
    """(n,) displacement thickness [m] at the nodes of a section of the layers that are turbulent as early as a layer can be.

    Args:
        system: of one body.
        speed: (n,) of the inviscid flow, counter-clockwise [m/s].
        point: velocity, density and viscosity.
    """
    item, region = system.bodies[0], CONTINUED * system.chord
    found, nu = np.zeros(len(speed)), float(point.viscosity or 0.0) / point.density
    for index, s, edge in _sides(item, speed, point):
        edge = _continued(s, edge, region)
        edge[1:] = np.maximum(edge[1:], _LEAST_SPEED * point.velocity)
        layer = side_layer(np.zeros((len(s), 2)), s, edge, nu, 0.0)
        found[index] = (layer.momentum_thickness * np.minimum(layer.shape_factor, THICKEST))[1:]
    return found


def _sides(item: BodyPanels, speed: np.ndarray, point: OperatingPoint) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """(numbers of nodes, arc length from the stagnation point and speed there and at them) of the upper and of the lower side."""
    s = np.concatenate([[0.0], np.cumsum(item.arc_length)])
    nose = np.interp(item.curve.nose, item.parameters, s)
    change = np.flatnonzero((speed[:-1] < 0.0) & (speed[1:] >= 0.0))
    k = int(change[np.argmin(np.abs(s[change] - nose))]) if len(change) else 0
    if not 2 <= k < len(speed) - 4:
        raise ConditionError(
            f"at {point.alpha:g} degrees the flow does not part on the nose but at the trailing edge: no layer runs from one to the other",
            where=item.curve.name,
            remedy="take a smaller angle of attack, or turn the section: x points backward along it",
        )
    stop = s[k] + speed[k] / (speed[k] - speed[k + 1]) * (s[k + 1] - s[k])
    least, found = 0.2 * (s[k + 1] - s[k]), []  # a node that almost is the stagnation point would make the gradient there noise
    for index, sign in ((np.arange(k, -1, -1), -1.0), (np.arange(k + 1, len(s)), 1.0)):
        index = index[1:] if abs(s[index[0]] - stop) < least else index
        along = np.abs(s[index] - stop)
        found.append((index, np.concatenate([[0.0], along]), np.concatenate([[0.0], sign * speed[index]])))
    return found


def _continued(s: np.ndarray, edge: np.ndarray, region: float) -> np.ndarray:
    """The last stretch replaced by the straight line through both ends of the stretch ahead of it."""
    begin = s[-1] - region
    ahead, first = np.interp([begin - region, begin], s, edge)
    return np.where(s > begin, first + (first - ahead) / region * (s - begin), edge)


def _moved(item: BodyPanels, thickness: np.ndarray) -> BodyPanels:
    """The panels of a body whose nodes are moved along their outer normals by (n,) lengths [m]; its trailing edge opens to a base."""
    tangents = np.append(item.tangents[:, 0], item.tangents[-1, 1])
    nodes = item.nodes - 1j * tangents * thickness
    length = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(nodes)))])
    corners = np.searchsorted(item.parameters, item.curve.corners - 1e-9 * item.parameters[-1])
    breaks = np.unique(np.concatenate([[0], corners, [len(nodes) - 1]]))
    arcs = tuple(CubicSpline(length[a : b + 1], nodes[a : b + 1]) for a, b in zip(breaks[:-1], breaks[1:], strict=True))
    return BodyPanels.of(SectionCurve(nodes, length, breaks, arcs, False, item.curve.edge_angle, item.curve.name, item.curve.reversed), None)
