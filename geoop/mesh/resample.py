"""Redistribute the points of a closed outline by the shape alone: fine at the nose and at corners, whatever the file had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline

from ..errors import InvalidMeshError
from .cells import Cells
from .distance.kept import Kept
from .mesh import Mesh
from .outline import loops, oriented

#: Turning angle at a vertex from which it is a corner of the shape and not a sampled smooth curve [deg].
CORNER_ANGLE = 40.0
#: A corner turns this many times as much as its neighbours (as for panels: geoop.truth.panels.section_curve), unless it is an end of a blunt base.
_ALONE = 8.0
#: Where the points are so fine that the turn has a smaller radius than this part of the extent, this many times is enough: no nose is that sharp.
_FINE, _ALONE_FINE = 1e-3, 2.0
#: The ends of a base turn this many times as much as the vertices beside it.
_BESIDE = 5.0


def resample(outline: Mesh, n_points: int = 200, *, corner_angle: float = CORNER_ANGLE, turning: float = 0.08, growth: float = 0.2) -> Mesh:
    """A closed outline on ``n_points`` new points, counter-clockwise, beginning at its sharpest convex corner.

    The curve through the old points is a chord-length cubic spline, broken at corners. With h the target spacing,
    1/h = 1/h_max + curvature/turning + 1/(h_0 + growth * distance to the nearest corner), scaled so that ``n_points`` fit:
    the turning angle per segment and the growth away from corners are bounded, as in panel codes.

    Args:
        outline: one closed loop of line cells in 2-D, any order and orientation.
        n_points: number of new points, >= 16.
        corner_angle: vertices that turn by more than this [deg] are corners; they are kept as points.
        turning: turning angle per segment before scaling [rad].
        growth: growth of the spacing with the distance from a corner.

    Returns:
        outline of ``n_points`` line cells, same units, patches dropped except ``wall``.

    Raises:
        InvalidMeshError: open, several loops, or fewer than 4 distinct points.
    """
    ring, corners = ring_from_corner(outline, corner_angle)
    arcs = [_Arc.through(points, closed=not len(corners)) for points in _arcs(ring, corners)]
    numbers = [arc.numbering(turning, growth, corner=bool(len(corners))) for arc in arcs]
    counts = share([number[-1] for number in numbers], n_points)
    points = np.concatenate([arc.place(number, count) for arc, number, count in zip(arcs, numbers, counts, strict=True)])
    index = np.arange(len(points))
    lines = Cells.of(line=np.stack([index, np.roll(index, -1)], axis=1))
    return Mesh(points, lines, {"wall": lines}, name=outline.name, notes=outline.notes)


def ring_from_corner(outline: Mesh, corner_angle: float = CORNER_ANGLE) -> tuple[np.ndarray, np.ndarray]:
    """(n, 2) points of a closed outline, counter-clockwise from its sharpest convex corner where it has one, and (k,) which of them are corners.

    Raises:
        InvalidMeshError: as :func:`closed_ring`.
    """
    ring = closed_ring(outline)
    corners = _corners(ring, np.radians(corner_angle))
    if len(corners):
        ring = np.roll(ring, -_sharpest(ring, corners), axis=0)
        corners = _corners(ring, np.radians(corner_angle))
    return ring, corners


def closed_ring(outline: Mesh) -> np.ndarray:
    """(n, 2) points of the single closed loop of an outline, counter-clockwise, without repeated neighbours.

    Raises:
        InvalidMeshError: the outline is open, has several loops, or too few points.
    """
    return _known(outline).copy()


def _found(outline: Mesh) -> np.ndarray:
    found = loops(outline)
    if len(found) != 1 or not found[0].closed:
        raise InvalidMeshError(
            f"the outline has {len(found)} loops, {sum(not loop.closed for loop in found)} of them open; one closed loop is needed",
            where=outline.name,
            remedy="close the trailing edge, or split a multi-element section into its elements",
        )
    mesh = oriented(outline)
    ring = mesh.points[loops(mesh)[0].points]
    if _area(ring) < 0:
        ring = ring[::-1]
    extent = np.ptp(ring, axis=0).max()
    ring = ring[np.linalg.norm(ring - np.roll(ring, 1, axis=0), axis=1) > 1e-9 * extent]
    if len(ring) < 4:
        raise InvalidMeshError(f"only {len(ring)} distinct points", where=outline.name, remedy="give at least 4 points around the section")
    return ring


#: A sweep asks for the ring of one section at every condition.
_known = Kept(_found, size=64)


def _area(ring: np.ndarray) -> float:
    x, y = (ring - ring[0]).T
    return 0.5 * float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


def turning_angles(ring: np.ndarray) -> np.ndarray:
    """(n,) exterior angle at every vertex of a closed ring [rad], positive where it turns left; they add up to 2 pi."""
    before, after = ring - np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0) - ring
    cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    return np.arctan2(cross, (before * after).sum(axis=1))


def _corners(ring: np.ndarray, angle: float) -> np.ndarray:
    """Vertices that turn sharply although their neighbours do not: a coarse round nose is not a corner.

    With 33 points in all a nose turns by 92 degrees at one vertex and by 20 at the next (usa22 of the UIUC database), with 58 by 56 and 27 (rg1410).
    """
    turn = np.abs(turning_angles(ring))
    neighbours = np.maximum(np.roll(turn, 1), np.roll(turn, -1))
    # two corners next to each other: a blunt base, or a polygon; not a coarse nose, which goes on turning on either side
    after = np.roll(turn, -1)
    quiet = np.minimum(turn, after) / _BESIDE
    ends = [(outside > angle) | (outside < quiet) for outside in (np.roll(turn, 1), np.roll(turn, -2))]
    pair = (turn > angle) & (after > angle) & ends[0] & ends[1]
    blunt = pair | np.roll(pair, 1)
    after_length = np.linalg.norm(np.roll(ring, -1, axis=0) - ring, axis=1)
    radius = 0.5 * (after_length + np.roll(after_length, 1)) / np.maximum(turn, 1e-12)
    alone = turn > np.where(radius < _FINE * np.ptp(ring, axis=0).max(), _ALONE_FINE, _ALONE) * neighbours
    return np.flatnonzero((turn > angle) & (alone | blunt))


def _sharpest(ring: np.ndarray, corners: np.ndarray) -> int:
    """The corner that turns most; among equals (a blunt base) the first one of the upper side."""
    turn = turning_angles(ring)[corners]
    best = corners[turn >= turn.max() - 1e-9]
    return int(best[np.argmin(np.mod(best - best[0], len(ring)))])


def _arcs(ring: np.ndarray, corners: np.ndarray) -> list[np.ndarray]:
    """Point lists between successive corners, both ends included; the ring begins at a corner if there is one."""
    if not len(corners):
        return [np.concatenate([ring, ring[:1]])]
    ends = np.append(corners, len(ring))
    return [ring[np.arange(a, b + 1) % len(ring)] for a, b in zip(ends[:-1], ends[1:], strict=True)]


@dataclass(frozen=True, eq=False)
class _Arc:
    """A smooth piece of the outline between two corners, or all of it: a curve, and a fine sampling of it.

    Attributes:
        curve: parameter -> (n, 2).
        parameter: (m,) of the fine sampling.
        length: (m,) arc length there.
        curvature: (m,) smoothed absolute curvature there.
    """

    curve: Callable[[np.ndarray], np.ndarray]
    parameter: np.ndarray
    length: np.ndarray
    curvature: np.ndarray

    @classmethod
    def through(cls, points: np.ndarray, *, closed: bool) -> _Arc:
        chords = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
        parameter = np.unique(np.concatenate([np.linspace(a, b, 33) for a, b in zip(chords[:-1], chords[1:], strict=True)]))
        if len(points) == 2:
            edge = (points[1] - points[0]) / chords[-1]
            return cls(lambda t: points[0] + t[:, None] * edge, parameter, parameter, np.zeros(len(parameter)))
        spline = CubicSpline(chords, points, bc_type="periodic" if closed else "natural")
        first, second = spline(parameter, 1), spline(parameter, 2)
        turn = np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0])
        curvature = turn / np.maximum((first**2).sum(axis=1), 1e-300) ** 1.5
        length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(spline(parameter), axis=0), axis=1))])
        return cls(spline, parameter, length, _smooth(length, curvature, 0.006 * length[-1], closed))

    def numbering(self, turning: float, growth: float, *, corner: bool) -> np.ndarray:
        """(m,) integral of the point density along the arc: how many segments are wanted up to here."""
        s = self.length
        density = 40.0 / s[-1] + self.curvature / turning
        if corner:
            density = density + 1.0 / (0.002 * s[-1] + growth * np.minimum(s, s[-1] - s))
        return np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]) * np.diff(s))])

    def place(self, number: np.ndarray, count: int) -> np.ndarray:
        """(count, 2) points, the end left to the next arc."""
        return self.curve(np.interp(np.linspace(0.0, number[-1], count + 1)[:-1], number, self.parameter))


def _smooth(s: np.ndarray, values: np.ndarray, width: float, closed: bool) -> np.ndarray:
    """Moving average over +-width of arc length: measured coordinates make the curvature of a spline noisy."""
    primitive = np.concatenate([[0.0], np.cumsum(0.5 * (values[1:] + values[:-1]) * np.diff(s))])
    if closed:
        s3 = np.concatenate([s[:-1] - s[-1], s, s[1:] + s[-1]])
        p3 = np.concatenate([primitive[:-1] - primitive[-1], primitive, primitive[1:] + primitive[-1]])
        low, high = s - width, s + width
        return (np.interp(high, s3, p3) - np.interp(low, s3, p3)) / (high - low)
    low, high = np.maximum(s - width, 0.0), np.minimum(s + width, s[-1])
    return (np.interp(high, s, primitive) - np.interp(low, s, primitive)) / (high - low)


def share(demands: list[float], n_points: int) -> list[int]:
    """Whole numbers of segments in proportion to the demands, each at least 1, with the given sum.

    Raises:
        InvalidMeshError: fewer than 16 points, or than two per arc.
    """
    if n_points < max(16, 2 * len(demands)):
        raise InvalidMeshError(f"{n_points} points are too few for {len(demands)} arcs", remedy=f"ask for at least {max(16, 2 * len(demands))}")
    exact = np.array(demands) / sum(demands) * n_points
    counts = np.maximum(np.floor(exact).astype(int), 1)
    for i in np.argsort(counts - exact):
        if counts.sum() >= n_points:
            break
        counts[i] += 1
    while counts.sum() > n_points:
        counts[np.argmax(counts)] -= 1
    return counts.tolist()
