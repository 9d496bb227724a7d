"""Values on the outline of a section alone, along a coordinate that runs from the trailing edge over the nose and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.interpolate import Akima1DInterpolator, CubicSpline

from ..errors import InvalidMeshError
from ..mesh.body import body, body_cells
from ..mesh.case import Case
from ..mesh.loops import loops, signed_area
from ..mesh.resample import CORNER_ANGLE, resample, turning_angles
from ..scaling.body_frame import BodyFrame
from .abstract_transfer import AbstractTransfer

#: Points of the section that its shape is described by, and on which its frame is found; places in which every segment is measured.
N_SHAPE, N_RING, N_FINE = 120, 400, 16
#: Corners so near the trailing edge [chords] end a blunt one.
_BASE = 0.05


@dataclass(frozen=True, eq=False)
class Along:
    """Where the points of a case lie along its outline.

    Attributes:
        frame: of the section, along its chord.
        coordinate: (n,) 0 at the upper and 1 at the lower end of the trailing edge, 1/2 at the nose; NaN off the outline.
        points: (k, 2) of the section in its frame at fixed values of the coordinate.
    """

    frame: BodyFrame
    coordinate: np.ndarray
    points: np.ndarray

    @property
    def inside(self) -> np.ndarray:
        return np.isnan(self.coordinate)

    def shape(self) -> np.ndarray:
        return self.points.reshape(-1)


@dataclass(frozen=True)
class SurfaceLine(AbstractTransfer):
    """Dimensionless fields on the outlines of sections <-> their values at fixed places of a coordinate (Akima).

    On either side the coordinate is arccos(1 - 2 l), l the share of the length from the trailing edge to the nose: places are dense at both
    ends. A blunt trailing edge is left out: it begins at its upper and ends at its lower corner, however thick it is. The nose is the
    farthest point from the trailing edge on a spline through the points.

    Attributes:
        count: places.
    """

    count: int = 401

    kind: ClassVar[str] = "surface"
    most_shapes: ClassVar[int] = 16

    @property
    def size(self) -> int:
        return self.count

    @property
    def n_field(self) -> int:
        return self.count

    def place(self, case: Case) -> Along:
        if case.mesh.dimension != 2:
            raise InvalidMeshError(
                "the baselines transfer fields between plane sections; this case is 3-D", where=case.name, remedy="cut a section of the body"
            )
        own = body(case.mesh, case.wall)
        frame = BodyFrame.of(resample(own, N_RING))
        used = np.unique(body_cells(case.mesh, case.wall).connectivity)
        ring = loops(own)[0].points
        ring = ring if signed_area(own.points[ring]) > 0 else ring[::-1]
        chain, first, last = _opened(frame.points_in(own.points[ring]))
        ring = np.roll(ring, -first)
        along, curve, nose = _measured(chain)
        frame, curve = _turned(frame, 0.5 * (chain[0] + chain[-1]), nose, curve)
        coordinate = np.full(len(case.mesh.points), np.nan)
        coordinate[used[ring[: last + 1]]] = along[: last + 1]
        coordinate[used[ring[last + 1 :]]] = np.where(np.arange(len(ring) - last - 1) < 0.5 * (len(ring) - last - 1), 1.0, 0.0)
        return Along(frame, coordinate, curve)

    def encode(self, place: Along, values: np.ndarray) -> np.ndarray:
        known = np.flatnonzero(~place.inside)
        where, first = np.unique(place.coordinate[known], return_index=True)
        own = values[known][first]
        if where[-1] < 1.0:  # a sharp trailing edge is one point with one value, at both ends
            where, own = np.append(where, 1.0), np.concatenate([own, own[:1]])
        return Akima1DInterpolator(where, own)(np.linspace(0.0, 1.0, self.count))

    def decode(self, place: Along, vector: np.ndarray) -> np.ndarray:
        return Akima1DInterpolator(np.linspace(0.0, 1.0, self.count), vector)(place.coordinate)

    def there_and_back(self, place: Along, values: np.ndarray) -> np.ndarray:
        return self.decode(place, self.encode(place, values))


def _opened(ring: np.ndarray) -> tuple[np.ndarray, int, int]:
    """A ring cut at its trailing edge.

    Args:
        ring: (k, 2) counter-clockwise in the frame of the section, whose trailing edge lies at (1/2, 0).

    Returns:
        (m, 2) chain from the upper end of the trailing edge to the lower one; number in the ring of its first point; number of its last point
        among the ring's points counted from there (k - 1 where the edge is sharp, and the first point is repeated in the chain).
    """
    distance = np.linalg.norm(ring - [0.5, 0.0], axis=1)
    corner = np.flatnonzero((np.abs(turning_angles(ring)) > np.radians(CORNER_ANGLE)) & (distance < _BASE))
    if len(corner) < 2:
        first = int(corner[0]) if len(corner) else int(np.argmin(distance))
        chain = np.roll(ring, -first, axis=0)
        return np.concatenate([chain, chain[:1]]), first, len(ring) - 1
    # the corners split the ring: the longest stretch is the section, what is left is the base
    gaps = np.mod(np.roll(corner, -1) - corner, len(ring))
    begin = int(np.argmax(gaps))
    first, last = int(corner[begin]), int(gaps[begin])
    return np.roll(ring, -first, axis=0)[: last + 1], first, last


def _turned(frame: BodyFrame, tail: np.ndarray, nose: np.ndarray, curve: np.ndarray) -> tuple[BodyFrame, np.ndarray]:
    """The frame whose chord ends at the nose of the spline instead of the point nearest to it, and a curve in that frame."""
    chord = tail - nose
    length = float(np.linalg.norm(chord))
    along = chord / length
    turn = np.array([along, [-along[1], along[0]]])
    middle = 0.5 * (tail + nose)
    better = BodyFrame(frame.points_out(middle[None])[0], frame.length * length, turn @ frame.axes)
    return better, (curve - middle) @ turn.T / length


def _measured(chain: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A chain of points from one end of the trailing edge to the other.

    Returns:
        (m,) coordinate of its points; (N_SHAPE, 2) points of the spline through them at equal steps of the coordinate; (2,) its nose.
    """
    steps = np.linalg.norm(np.diff(chain, axis=0), axis=1)
    t = np.concatenate([[0.0], np.cumsum(np.maximum(steps, 1e-12))])
    spline = CubicSpline(t, chain)
    fine = np.concatenate([(t[:-1, None] + np.diff(t)[:, None] * np.arange(N_FINE) / N_FINE).reshape(-1), t[-1:]])
    points = spline(fine)
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    away = np.linalg.norm(points - 0.5 * (chain[0] + chain[-1]), axis=1)
    k = int(np.clip(np.argmax(away), 1, len(away) - 2))
    bend = away[k - 1] - 2.0 * away[k] + away[k + 1]
    shift = 0.5 * (away[k - 1] - away[k + 1]) / bend if bend < 0 else 0.0
    nose = float(np.interp(k + np.clip(shift, -1.0, 1.0), np.arange(len(length)), length))
    share = np.where(length <= nose, length / nose, (length[-1] - length) / (length[-1] - nose))
    half = np.arccos(np.clip(1.0 - 2.0 * share, -1.0, 1.0)) / (2.0 * np.pi)
    fine_coordinate = np.where(length <= nose, half, 1.0 - half)
    wanted = np.interp((np.arange(N_SHAPE) + 0.5) / N_SHAPE, fine_coordinate, fine)
    return fine_coordinate[::N_FINE], spline(wanted), spline(np.interp(nose, length, fine))
