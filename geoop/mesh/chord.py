"""The chord line of a section: leading edge, trailing edge, incidence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from ..errors import InvalidMeshError
from .distance.kept import Kept
from .loops import loops, signed_area
from .mesh import Mesh

_TIP_TURNING = np.radians(110.0)  # a trailing edge turns the convex hull by at least this within its base
_BASE_LIMIT = 0.3  # of the length: what takes longer to turn is round


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

    Of the two ends of the longest diameter the rear one is that whose half has clearly (by a fifth) less area; else the one with a
    corner if the other is round, then the smaller half, the sharper, the one with larger x. There the trailing edge is where the hull turns
    by 110 degrees over the shortest stretch: a corner, the middle of a blunt base, the far point of a rounded one; without such
    a stretch (circle, thick ellipse) it is the end of the diameter. Of several loops the one with the longest perimeter is used;
    an open chain is closed by a base.

    Raises:
        InvalidMeshError: not an outline in 2-D, or all points on a line.
    """
    if outline.dimension != 2:
        raise InvalidMeshError("a chord line needs a 2-D section", where=outline.name, remedy="cut the body with a plane first")
    return _known(outline)


def _found(outline: Mesh) -> ChordLine:
    rings = [outline.points[loop.points] for loop in loops(outline)]
    ring = max(rings, key=lambda r: np.linalg.norm(np.diff(r, axis=0), axis=1).sum())
    ring = ring if signed_area(ring) > 0 else ring[::-1]
    try:
        hull = ring[ConvexHull(ring).vertices]
    except (QhullError, ValueError) as problem:
        raise InvalidMeshError(
            "the section has no area", where=outline.name, remedy="give at least three points that are not on one line"
        ) from problem
    ends = _longest_diameter(hull)
    length = float(np.linalg.norm(ends[1] - ends[0]))
    tips = [_tip(hull, end, length) for end in ends]
    rear = _rear(ring, ends, tips)
    tip, nose = tips[rear], ends[1 - rear]
    if tip.base > _BASE_LIMIT * length:
        return _chord(nose, ends[rear], 180.0)
    tail = tip.corners.mean(axis=0) if tip.n_vertices <= 2 else ring[np.argmax(np.linalg.norm(ring - nose, axis=1))]
    nose = ring[np.argmax(np.linalg.norm(ring - tail, axis=1))]
    return _chord(nose, tail, _meeting_angle(ring, tip.corners, length))


#: Frames, descriptors and coefficients ask for the chord of one section again and again, at every condition.
_known = Kept(_found, size=64)


def _chord(nose: np.ndarray, tail: np.ndarray, angle: float) -> ChordLine:
    x, y = tail - nose
    nose, tail = nose.copy(), tail.copy()
    for end in (nose, tail):
        end.setflags(write=False)  # handed out again for the next outline of this content
    return ChordLine(nose, tail, float(np.hypot(x, y)), float(np.degrees(np.arctan2(-y, x))), angle)


def _longest_diameter(hull: np.ndarray) -> np.ndarray:
    """(2, 2) the farthest pair of points of a convex ring, found by hopping from its extreme points to the farthest ones."""
    best = hull[:2]
    for start in (hull[:, 0].argmax(), hull[:, 0].argmin(), hull[:, 1].argmax(), hull[:, 1].argmin()):
        one, two = hull[start], hull[np.argmax(np.linalg.norm(hull - hull[start], axis=1))]
        for _ in range(len(hull)):
            three = hull[np.argmax(np.linalg.norm(hull - two, axis=1))]
            if np.linalg.norm(three - two) <= np.linalg.norm(two - one):
                break
            one, two = two, three
        if np.linalg.norm(two - one) > np.linalg.norm(best[1] - best[0]) * (1 + 1e-9):
            best = np.stack([one, two])
    return best


@dataclass(frozen=True, eq=False)
class _Tip:
    """The shortest stretch of a convex ring near one end that turns by 110 degrees."""

    corners: np.ndarray
    base: float
    n_vertices: int
    sharpness: float


def _tip(hull: np.ndarray, end: np.ndarray, length: float) -> _Tip:
    n = len(hull)
    step = np.roll(hull, -1, axis=0) - hull
    before = np.roll(step, 1, axis=0)
    turn = np.arctan2(before[:, 0] * step[:, 1] - before[:, 1] * step[:, 0], (before * step).sum(axis=1))
    total = np.concatenate([[0.0], np.cumsum(np.tile(turn, 2))])
    place = np.concatenate([[0.0], np.cumsum(np.tile(np.linalg.norm(step, axis=1), 2))])
    last = np.maximum(np.searchsorted(total, total[:n] + _TIP_TURNING) - 1, np.arange(n))  # stretch i..last turns enough
    stretch = place[last] - place[:n]
    middle = 0.5 * (hull + hull[last % n])
    stretch = np.where(np.linalg.norm(middle - end, axis=1) < 0.25 * length, stretch, np.inf)
    sharpness = total[last + 1] - total[:n]
    short = np.flatnonzero(stretch <= stretch.min() + 1e-9 * length)
    best = short[np.argmax(sharpness[short])]
    return _Tip(hull[[best, last[best] % n]], float(stretch[best]), int(last[best] - best + 1), float(sharpness[best]))


def _rear(ring: np.ndarray, ends: np.ndarray, tips: list[_Tip]) -> int:
    """Which of the two ends is the trailing edge: the first of these rules that tells them apart decides."""
    length = np.linalg.norm(ends[1] - ends[0])
    thin = [-_end_area(ring, ends[k], ends[1 - k]) for k in range(2)]
    cornered = [float(tip.n_vertices <= 2 and tip.base <= _BASE_LIMIT * length) for tip in tips]
    rules = ((thin, 0.2 * -min(thin)), (cornered, 0.5), (thin, 0.02 * -min(thin)), ([tip.sharpness for tip in tips], 1e-3))
    for (first, second), margin in rules:
        if abs(first - second) > margin:
            return int(second > first)
    return int(ends[1, 0] > ends[0, 0])


def _end_area(ring: np.ndarray, end: np.ndarray, other: np.ndarray) -> float:
    """Area of the half of a ring next to one end over half its length, by the thickness at 32 stations."""
    axis = (other - end) / np.linalg.norm(other - end)
    x, y = (ring - end) @ axis, (ring - end) @ np.array([-axis[1], axis[0]])
    x2, y2 = np.roll(x, -1), np.roll(y, -1)
    stations = 0.5 * np.linalg.norm(other - end) * (np.arange(32)[:, None] + 0.5) / 32
    cut = (x <= stations) != (x2 <= stations)
    height = y + (stations - x) * (y2 - y) / np.where(x2 == x, 1.0, x2 - x)
    return float(np.abs((np.where(cut, height, 0.0) * np.sign(x2 - x)).sum(axis=1)).mean())


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
