"""The chord line of a section: leading edge, trailing edge, incidence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from ..errors import InvalidMeshError
from .loops import loops, signed_area
from .mesh import Mesh

_TIP_TURNING = np.radians(135.0)  # a trailing edge turns the convex hull by at least this within its base


@dataclass(frozen=True, eq=False)
class ChordLine:
    """The chord of a section.

    Attributes:
        leading_edge: (2,) the point of the outline farthest from the trailing edge [m].
        trailing_edge: (2,) the sharpest convex corner, or the middle of a blunt base [m].
        length: [m].
        angle: of the line from leading to trailing edge against the x axis [deg], nose up positive as an angle of attack.
        trailing_edge_angle: between the two sides where they meet the trailing edge or the corners of its base [deg];
            180 for a shape without one, such as an ellipse.
    """

    leading_edge: np.ndarray
    trailing_edge: np.ndarray
    length: float
    angle: float
    trailing_edge_angle: float


def chord_line(outline: Mesh) -> ChordLine:
    """Leading edge, trailing edge, length, incidence and trailing-edge angle of a section, however it is rotated or scaled.

    The trailing edge is where the convex hull turns by 135 degrees over the shortest stretch: a corner, or the middle of a
    blunt base. A shape without one (ellipse, circle) is cut along its longest diameter, the end with larger x behind.
    Of several loops the one with the longest perimeter is used; an open chain is closed by a base.

    Raises:
        InvalidMeshError: not an outline in 2-D, or all points on a line.
    """
    if outline.dimension != 2:
        raise InvalidMeshError("a chord line needs a 2-D section", where=outline.name, remedy="cut the body with a plane first")
    rings = [outline.points[loop.points] for loop in loops(outline)]
    ring = max(rings, key=lambda r: np.linalg.norm(np.diff(r, axis=0), axis=1).sum())
    ring = ring if signed_area(ring) > 0 else ring[::-1]
    try:
        hull = ring[ConvexHull(ring).vertices]
    except (QhullError, ValueError) as problem:
        raise InvalidMeshError(
            "the section has no area", where=outline.name, remedy="give at least three points that are not on one line"
        ) from problem
    corners, base = _sharpest_stretch(hull)
    perimeter = np.linalg.norm(hull - np.roll(hull, 1, axis=0), axis=1).sum()
    if base > 0.15 * perimeter:  # no trailing edge
        return _longest_diameter(ring)
    tail = corners.mean(axis=0)
    nose = ring[np.argmax(np.linalg.norm(ring - tail, axis=1))]
    return _chord(nose, tail, _meeting_angle(ring, corners, float(np.linalg.norm(tail - nose))))


def _chord(nose: np.ndarray, tail: np.ndarray, angle: float) -> ChordLine:
    x, y = tail - nose
    return ChordLine(nose, tail, float(np.hypot(x, y)), float(np.degrees(np.arctan2(-y, x))), angle)


def _sharpest_stretch(hull: np.ndarray) -> tuple[np.ndarray, float]:
    """(2, 2) the ends and the length of the shortest stretch of a convex ring that turns by at least 135 degrees."""
    n = len(hull)
    step = np.roll(hull, -1, axis=0) - hull
    before = np.roll(step, 1, axis=0)
    turn = np.arctan2(before[:, 0] * step[:, 1] - before[:, 1] * step[:, 0], (before * step).sum(axis=1))
    total = np.concatenate([[0.0], np.cumsum(np.tile(turn, 2))])
    place = np.concatenate([[0.0], np.cumsum(np.tile(np.linalg.norm(step, axis=1), 2))])
    last = np.searchsorted(total, total[:n] + _TIP_TURNING) - 1  # stretch i..last turns enough
    last = np.maximum(last, np.arange(n))
    length = place[last] - place[:n]
    sharpness = total[last + 1] - total[:n]
    short = np.flatnonzero(length <= length.min() + 1e-9 * place[n])
    short = short[sharpness[short] >= sharpness[short].max() - 1e-6]
    best = short[np.argmax(hull[short, 0] + hull[last[short] % n, 0])]
    return hull[[best, last[best] % n]], float(length[best])


def _longest_diameter(ring: np.ndarray) -> ChordLine:
    hull = ring[ConvexHull(ring).vertices]
    distance = np.linalg.norm(hull[:, None] - hull[None], axis=2)
    ties = np.argwhere(distance >= distance.max() * (1 - 1e-9))
    tail, nose = ties[np.argmax(hull[ties[:, 0], 0])]
    return _chord(hull[nose], hull[tail], 180.0)


def _meeting_angle(ring: np.ndarray, corners: np.ndarray, chord: float) -> float:
    """Angle between the sides that leave the corners of the base, each measured over 0.5 % of the chord or one segment [deg]."""
    directions = []
    for corner, way in ((corners[0], -1), (corners[1], 1)):  # counter-clockwise: the lower side arrives, the upper side leaves
        walk = np.roll(ring, -int(np.argmin(np.linalg.norm(ring - corner, axis=1))), axis=0)
        walk = np.concatenate([walk[:1], walk[1:][::way]])
        reach = np.linalg.norm(walk - walk[0], axis=1)
        directions.append(walk[int(np.argmax(reach >= 0.005 * chord))] - walk[0])
    a, b = directions
    return float(np.degrees(np.arctan2(abs(a[0] * b[1] - a[1] * b[0]), a @ b)))
