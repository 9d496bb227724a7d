"""Body-fitted coordinates of a plane section: where along the wall, and how far from it. They see nothing but the outline."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import InvalidMeshError
from ..mesh.body import body
from ..mesh.case import Case
from ..mesh.cells import Cells
from ..mesh.distance import signed_distance
from ..mesh.mesh import Mesh
from ..mesh.resample import CORNER_ANGLE, resample, turning_angles
from ..scaling.body_frame import BodyFrame

#: Distance [chords] of the parallel curve whose arc length is the first coordinate.
PARALLEL = 0.3
#: Weight of the logarithm of the distance from the trailing edge in the first coordinate, and where it levels off [chords].
STRETCH, FINEST = 0.05, 1e-5
#: Points of the ring that a section is resampled on: what its file had must not matter.
N_RING = 400


@dataclass(frozen=True, eq=False)
class BodyFitted:
    """The pair (s, d) of any point around a closed section.

    d is the distance from the wall in chords. s in [0, 1] is the arc-length fraction, counter-clockwise from the trailing edge, of
    the closest wall point, taken on the curve parallel to the wall at the distance 0.3: there the nose and the trailing edge, in front of
    which half of the plane shares a few wall points, take the room that they need. The normal turns linearly along every segment of the
    ring and over a fan at a corner, so that s is smooth. The fan behind the trailing edge is cut at its bisector, where s jumps from 1 to 0.

    Attributes:
        frame: of the section, along its chord.
        ring: (k, 2) points of the section in that frame, counter-clockwise, trailing edge first.
    """

    frame: BodyFrame
    ring: np.ndarray

    @classmethod
    def of(cls, case: Case) -> BodyFitted:
        """Coordinates around the wall of a case.

        Raises:
            InvalidMeshError: not a plane case, or the section is not one closed loop.
        """
        if case.mesh.dimension != 2:
            raise InvalidMeshError(
                "the baselines transfer fields between plane sections; this case is 3-D",
                where=case.name,
                remedy="cut a section, or compare with a model that was trained on other shapes",
            )
        outline = resample(body(case.mesh, case.wall), N_RING)
        frame = BodyFrame.of(outline)
        ring = frame.points_in(outline.points)
        trailing_edge = int(np.argmin(((ring - [0.5, 0.0]) ** 2).sum(axis=1)))  # where the frame of a section puts it
        return cls(frame, np.roll(ring, -trailing_edge, axis=0))

    @cached_property
    def _edges(self) -> tuple[np.ndarray, np.ndarray]:
        """(k, 2) unit tangents of the segments and their lengths."""
        edge = np.roll(self.ring, -1, axis=0) - self.ring
        length = np.linalg.norm(edge, axis=1)
        return edge / length[:, None], length

    @cached_property
    def _turns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Angle of the wall normal against the segment's at the start (k,) and the end (k,) of every segment; fan at every vertex (k,)."""
        turn = turning_angles(self.ring)
        corner = np.abs(turn) > np.radians(CORNER_ANGLE)
        corner[0] = True
        half = np.where(corner, 0.0, 0.5 * turn)
        return -half, np.roll(half, -1), np.where(corner, np.maximum(turn, 0.0), 0.0)

    @cached_property
    def _places(self) -> tuple[np.ndarray, np.ndarray, float]:
        """Where every segment starts on the parallel curve, how far it reaches there, and the whole length; all before stretching."""
        first, last, fan = self._turns
        reach = self._edges[1] + PARALLEL * np.maximum(last - first, 0.0)
        fans = PARALLEL * fan
        starts = 0.5 * fans[0] + np.concatenate([[0.0], np.cumsum(reach[:-1] + fans[1:])])
        return starts, reach, float(starts[-1] + reach[-1] + 0.5 * fans[0])

    def _stretched(self, place: np.ndarray) -> np.ndarray:
        """Place on the parallel curve -> s in [0, 1]: near the trailing edge equal steps of s are equal ratios of the distance from it."""
        half = 0.5 * PARALLEL * self._turns[2][0]
        whole = self._places[2]
        wall = whole - 2.0 * half

        def law(x: np.ndarray) -> np.ndarray:
            r = np.clip(x - half, 0.0, wall)
            return x + STRETCH * (np.log1p(r / FINEST) - np.log1p((wall - r) / FINEST))

        low, high = law(np.array([0.0, whole]))
        return (law(np.asarray(place)) - low) / (high - low)

    def coordinates(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n, 2) points [m] -> s (n,) and d (n,), negative inside the section."""
        x = self.frame.points_in(points)
        index = np.arange(len(self.ring))
        found = signed_distance(Mesh(self.ring, Cells.of(line=np.stack([index, np.roll(index, -1)], axis=1))), x)
        k = np.asarray(found.facet)
        share = self._share(x, k)
        corner = self._turns[2] > 0
        # around a vertex that is no corner the segments meet at the bisector of their normals
        before, after = (share < 0) & ~corner[k], (share > 1) & ~corner[(k + 1) % len(index)]
        k = (k - before + after) % len(index)
        share = np.where(before | after, self._share(x, k), share)
        starts, reach, whole = self._places
        place = starts[k] + np.clip(share, 0.0, 1.0) * reach[k] + PARALLEL * self._fanned(x, k, share)
        return self._stretched(np.mod(place, whole)), np.asarray(found.distance)

    def _share(self, x: np.ndarray, k: np.ndarray) -> np.ndarray:
        """Where on its segment (0..1) the wall normal through a point stands, the normal turning linearly along the segment."""
        tangent, length = self._edges
        offset = x - self.ring[k]
        along = (offset * tangent[k]).sum(axis=1)
        away = offset[:, 0] * tangent[k, 1] - offset[:, 1] * tangent[k, 0]
        first, last = np.tan(self._turns[0])[k], np.tan(self._turns[1])[k]
        return (along - away * first) / np.maximum(length[k] + away * (last - first), 1e-3 * length[k])

    def _fanned(self, x: np.ndarray, k: np.ndarray, share: np.ndarray) -> np.ndarray:
        """Angle by which a point beyond the end of a segment lies in the fan of a corner, signed counter-clockwise [rad]."""
        tangent, fan, count = self._edges[0], self._turns[2], len(self.ring)
        before, after = (share < 0) & (fan[k] > 0), (share > 1) & (fan[(k + 1) % count] > 0)
        offset = x - self.ring[np.where(after, (k + 1) % count, k)]
        normal = np.stack([tangent[k, 1], -tangent[k, 0]], axis=1)
        angle = np.arctan2(normal[:, 0] * offset[:, 1] - normal[:, 1] * offset[:, 0], (normal * offset).sum(axis=1))
        low, high = np.where(before, -fan[k], 0.0), np.where(after, fan[(k + 1) % count], 0.0)
        return np.clip(angle, low, high)

    @cached_property
    def vertices(self) -> np.ndarray:
        """(k + 1,) s of the points of the ring, in the middle of the fan of a corner; the trailing edge is 0 and 1."""
        starts, _, whole = self._places
        return self._stretched(np.append(starts - 0.5 * PARALLEL * self._turns[2], whole))

    def along_wall(self, s: np.ndarray) -> np.ndarray:
        """s of points on the wall -> the same stretched so that the fan behind the trailing edge takes no room: 0..1."""
        cut = self._stretched(np.array(0.5 * PARALLEL * self._turns[2][0]))
        return np.clip((s - cut) / (1.0 - 2.0 * cut), 0.0, 1.0)

    def shape(self, count: int) -> np.ndarray:
        """(count, 2) points of the section at equal steps of the stretched s: what the baselines see of its shape."""
        where, number = self.along_wall(self.vertices), np.append(np.arange(len(self.ring)), 0)
        s = np.arange(count) / count
        return np.stack([np.interp(s, where, self.ring[number, k]) for k in range(2)], axis=1)
