"""A section as a smooth curve that begins and ends at its trailing edge: what panels and repaneling need to know of an outline."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.interpolate import CubicSpline

from ...errors import InvalidMeshError
from ...mesh.body import body
from ...mesh.mesh import Mesh
from ...mesh.outline import chord_line
from ...mesh.resample import closed_ring, turning_angles

#: Trailing-edge angle below which panels are not trusted unless the caller says so: upper and lower side nearly coincide [deg].
SMALLEST_EDGE_ANGLE = 5.0
#: A base narrower than this part of the chord is a sharp edge, written with rounding.
SHARP_GAP = 1e-4
#: Two rear corners closer than this part of the chord are the ends of one blunt base.
WIDEST_BASE = 0.3


@dataclass(frozen=True, eq=False)
class SectionCurve:
    """A cubic spline through the points of a section, broken at corners, counter-clockwise from the upper to the lower trailing edge.

    Attributes:
        ring: (m+1,) complex points x + i y [m]; first and last are the two ends of the base, or both the sharp edge.
        length: (m+1,) chord-length parameter [m] of the points.
        breaks: indices into ``ring`` of the ends of the smooth arcs, 0 and m among them.
        arcs: one spline per smooth arc.
        smooth: whether the rear end is round, as on a cylinder.
        edge_angle: angle between lower and upper surface at the trailing edge [deg]; 180 for a round rear end.
        name: of the outline.
        reversed: whether the curve begins at what the chord line takes for the nose: the tail points to smaller x.
    """

    ring: np.ndarray
    length: np.ndarray
    breaks: np.ndarray
    arcs: tuple[CubicSpline, ...]
    smooth: bool
    edge_angle: float
    name: str
    reversed: bool = False

    @property
    def edge(self) -> complex:
        """The trailing edge, or the middle of the base."""
        return complex(0.5 * (self.ring[0] + self.ring[-1]))

    @property
    def gap(self) -> float:
        """Width of a blunt base [m], 0 for a sharp edge."""
        return float(abs(self.ring[0] - self.ring[-1]))

    @cached_property
    def nose(self) -> float:
        """Parameter of the leading edge: the point farthest from the trailing edge."""
        s = np.unique(np.linspace(self.length[:-1], self.length[1:], 9))
        return float(s[np.argmax(np.abs(self.points(s) - self.edge))])

    @cached_property
    def chord(self) -> float:
        """Distance from the trailing edge to the farthest point [m]."""
        return float(abs(self.points(np.array([self.nose]))[0] - self.edge))

    @property
    def corners(self) -> np.ndarray:
        """Parameters of the corners between the trailing edges."""
        return self.length[self.breaks[1:-1]]

    def points(self, s: np.ndarray) -> np.ndarray:
        """(k,) complex points at parameters s."""
        return self._evaluate(np.asarray(s, dtype=np.float64), 0, side=1)

    def tangents(self, s: np.ndarray, side: int) -> np.ndarray:
        """(k,) complex unit tangents; at a corner those of the arc that begins there (side 1) or ends there (side -1)."""
        value = self.derivatives(s, side)
        return value / np.abs(value)

    def derivatives(self, s: np.ndarray, side: int) -> np.ndarray:
        """Complex dz/ds, its modulus close to 1; sides as in :meth:`tangents`."""
        return self._evaluate(np.asarray(s, dtype=np.float64), 1, side)

    def _evaluate(self, s: np.ndarray, order: int, side: int) -> np.ndarray:
        ends = self.length[self.breaks]
        where = np.searchsorted(ends, s, side="right" if side > 0 else "left") - 1
        where = np.clip(where, 0, len(self.arcs) - 1)
        out = np.empty(s.shape, dtype=np.complex128)
        for k, arc in enumerate(self.arcs):
            out[where == k] = arc(s[where == k], order)
        return out


def section_curve(outline: Mesh) -> SectionCurve:
    """The curve of one closed section.

    Args:
        outline: one closed loop of line cells in 2-D, any start, order and orientation; or a mesh whose wall patches form one.

    Raises:
        InvalidMeshError: 3-D, open, several loops, or crossing itself; all that is wrong with the loop in one error.
    """
    if outline.dimension != 2:
        raise InvalidMeshError("a section lies in the plane", where=outline.name, remedy="cut the 3-D body, or use the 3-D method")
    lines_only = len(outline.cells) > 0 and bool((outline.cells.dimensions == 1).all())
    outline = outline if lines_only else body(outline)
    ring = closed_ring(outline)
    _refuse_crossings(ring, outline.name)
    chord = chord_line(outline)
    upper, lower, smooth = trailing_edge(ring, chord.trailing_edge)
    edge = 0.5 * (ring[upper] + ring[lower])
    turned = bool(np.linalg.norm(edge - chord.trailing_edge) > np.linalg.norm(edge - chord.leading_edge))
    count = (lower - upper) % len(ring) or len(ring)
    z = ring[(upper + np.arange(count + 1)) % len(ring)] @ np.array([1.0, 1j])
    extent = float(np.ptp(ring, axis=0).max())
    if 0.0 < abs(z[0] - z[-1]) < SHARP_GAP * extent:
        z[0] = z[-1] = 0.5 * (z[0] + z[-1])
    length = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(z)))])
    breaks = np.concatenate([[0], _corners(z), [count]])
    if smooth and len(breaks) == 2:
        z[-1] = z[0]
        arcs: tuple[CubicSpline, ...] = (CubicSpline(length, z, bc_type="periodic"),)
    else:
        arcs = tuple(CubicSpline(length[a : b + 1], z[a : b + 1]) for a, b in zip(breaks[:-1], breaks[1:], strict=True))
    angle = 180.0 if smooth else _edge_angle(z, length, extent)
    return SectionCurve(z, length, breaks, arcs, smooth, angle, outline.name, turned)


def refuse_thin_edge(curve: SectionCurve, smallest: float) -> None:
    """Raise unless the trailing-edge angle is at least ``smallest`` [deg].

    Raises:
        InvalidMeshError: the edge is thinner.
    """
    if curve.edge_angle < smallest:
        raise InvalidMeshError(
            f"the trailing-edge angle is {curve.edge_angle:.1f} degrees; below {smallest:g} degrees upper and lower panels nearly"
            " coincide, and rounded coordinates, not the shape, decide on the lift",
            where=curve.name,
            remedy="open the trailing edge, or take the exact flow of geoop.truth.exact.karman_trefftz for a cusped section;"
            f" if the coordinates are accurate to 1e-5 chords, accept it with smallest_edge_angle = {math.floor(curve.edge_angle)}",
        )


def trailing_edge(ring: np.ndarray, tail: np.ndarray) -> tuple[int, int, bool]:
    """Where the surface begins (upper edge) and ends (lower edge), counter-clockwise, and whether the rear end is round.

    The rear half is that of larger x, as x points backward along the body; a sharp nose is no trailing edge. There, a blunt base
    is looked for first: two corners close together with nothing but a straight piece between them. Then the sharpest corner. Else
    the rear is round, and its end is the vertex nearest to ``tail`` if that is in the rear half.

    Args:
        ring: (n, 2) counter-clockwise, without repeated points.
        tail: (2,) rear end of the chord line.
    """
    x = ring[:, 0]
    middle, chord = 0.5 * (x.min() + x.max()), float(np.ptp(ring, axis=0).max())
    turn = np.degrees(turning_angles(ring))
    strong = np.flatnonzero((turn > 30.0) & (x > middle))
    bases = []
    for lower, upper in zip(strong, np.roll(strong, -1), strict=True):
        path = ring[(lower + np.arange((upper - lower) % len(ring) + 1)) % len(ring)]
        width = float(np.linalg.norm(path[-1] - path[0]))
        straight = np.linalg.norm(np.diff(path, axis=0), axis=1).sum() <= 1.05 * width
        outside = max(turn[lower - 1], turn[(upper + 1) % len(ring)])
        alone = min(turn[lower], turn[upper]) > 1.5 * outside and max(turn[lower], turn[upper]) < 140.0
        if upper != lower and width <= WIDEST_BASE * chord and straight and alone and turn[lower] + turn[upper] > 70.0:
            bases.append((float(x[lower] + x[upper]), int(upper), int(lower)))
    if bases:
        _, upper, lower = max(bases)
        return upper, lower, False
    sharp = strong[turn[strong] > 1.5 * np.maximum(turn[strong - 1], turn[(strong + 1) % len(ring)])]
    if len(sharp):
        sharpest = int(sharp[np.argmax(turn[sharp])])
        return sharpest, sharpest, False
    rear = int(np.argmin(np.linalg.norm(ring - tail, axis=1)) if tail[0] > middle else np.argmax(x))
    return rear, rear, True


def _corners(z: np.ndarray) -> np.ndarray:
    """Inner vertices that are corners of the shape: they turn sharply although their neighbours do not.

    A coarsely sampled round nose turns by up to 100 degrees at one vertex, but its neighbours turn too; a polygon given
    by a handful of vertices has nothing but corners.
    """
    turn = np.abs(np.angle((z[2:] - z[1:-1]) / (z[1:-1] - z[:-2])))
    padded = np.concatenate([[0.0], turn, [0.0]])
    neighbours = np.maximum(padded[:-2], padded[2:])
    return 1 + np.flatnonzero((turn > np.radians(20.0)) & ((turn > 8.0 * neighbours) | (len(z) <= 13)))


def _edge_angle(z: np.ndarray, length: np.ndarray, extent: float) -> float:
    """Angle [deg] between the two surfaces at the trailing edge.

    Measured by secants over half a percent of the extent, because coordinates are rounded. Where the points are fine enough the
    secants are extrapolated to the edge, which takes out the curvature; where they are coarse the first segments are what is drawn.
    """

    def secants(factor: float) -> float:
        reach = factor * 0.005 * extent
        upper, lower = max(reach, float(length[1])), max(reach, float(length[-1] - length[-2]))
        at = np.array([upper, length[-1] - lower])
        points = np.interp(at, length, z.real) + 1j * np.interp(at, length, z.imag)
        return float(np.degrees(np.angle((points[1] - z[-1]) / (points[0] - z[0]))))

    fine = max(length[1], length[-1] - length[-2]) <= 0.005 * extent
    return 2.0 * secants(1.0) - secants(2.0) if fine else secants(1.0)


def _refuse_crossings(ring: np.ndarray, name: str) -> None:
    """Raise where two segments of the closed ring cross."""
    start, end = ring, np.roll(ring, -1, axis=0)
    count = len(ring)
    found = []
    for first in range(0, count, 256):
        rows = np.arange(first, min(first + 256, count))
        a, b = start[rows, None], end[rows, None]
        between = _side(a, b, start) * _side(a, b, end) < 0
        across = _side(start, end, a) * _side(start, end, b) < 0
        i, j = np.nonzero(between & across)
        found += [(int(rows[k]), int(m)) for k, m in zip(i, j, strict=True) if rows[k] < m]
    if found:
        places = ", ".join(f"({ring[i, 0]:.4g}, {ring[i, 1]:.4g})" for i, _ in found[:3])
        raise InvalidMeshError(
            f"the outline crosses itself {len(found)} times, first near {places} m",
            where=name,
            remedy="check the order of the points: one closed loop around the section",
        )


def _side(a: np.ndarray, b: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Twice the signed area of the triangle a, b, p."""
    return (b[..., 0] - a[..., 0]) * (p[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (p[..., 0] - a[..., 0])
