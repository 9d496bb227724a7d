"""The inviscid speed along the wall of a section: where its boundary layer begins on either side, and what drives it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import ConditionError
from ...mesh.operating_point import OperatingPoint
from ..panels.system import PanelFlow
from .side import SideLayer, side_layer

#: Towards a sharp edge the inviscid velocity falls to zero, which displacement keeps the real one from: over this last part of the
#: surface [chords] the edge velocity is continued linearly from upstream.
EDGE_REGION = 0.02
#: Least edge velocity over the free stream, where a flow that turns back would have none.
_LEAST = 1e-6


@dataclass(frozen=True, eq=False)
class WallSpeed:
    """The speed along the wall of one section, from the upper to the lower trailing edge; m stations.

    Attributes:
        points: (m, 2) stations [m].
        s: (m,) arc length [m].
        speed: (m,) counter-clockwise over the free-stream speed: negative on the upper side.
        nose: arc length at the leading edge [m].
        ends: (2, 2) leading and trailing edge [m].
        length: reference length of CD [m].
        chord: [m].
        sharp: whether the trailing edge is a corner, to which an inviscid flow stagnates.
    """

    points: np.ndarray
    s: np.ndarray
    speed: np.ndarray
    nose: float
    ends: np.ndarray
    length: float
    chord: float
    sharp: bool

    @classmethod
    def of_panels(cls, flow: PanelFlow) -> WallSpeed:
        """Of a panel flow around one body."""
        system, item = flow.system, flow.system.bodies[0]
        s = np.concatenate([[0.0], np.cumsum(item.arc_length)])
        nose = complex(item.curve.points(np.array([item.curve.nose]))[0])
        ends = np.array([[nose.real, nose.imag], [system.curve.edge.real, system.curve.edge.imag]])
        return cls(
            np.stack([item.nodes.real, item.nodes.imag], axis=1),
            s,
            system.speed([flow.operating_point])[:, 0] / flow.operating_point.velocity,
            float(np.interp(item.curve.nose, item.parameters, s)),
            ends,
            flow.operating_point.reference_length or system.chord,
            system.chord,
            not (item.blunt or item.curve.smooth),
        )

    @property
    def chordwise(self) -> np.ndarray:
        """(m,) x/c of the stations along the line from leading to trailing edge."""
        return self.along_chord(self.points)

    def along_chord(self, points: np.ndarray) -> np.ndarray:
        """(n,) x/c of points (n, 2) [m]."""
        axis = self.ends[1] - self.ends[0]
        return (points - self.ends[0]) @ axis / (axis @ axis)

    def stagnation(self) -> tuple[int, float]:
        """The station ahead of the stagnation point nearest to the nose, and the share of the way to the next one.

        Raises:
            ConditionError: the flow does not part on the nose.
        """
        s, speed = self.s, self.speed
        change = np.flatnonzero((speed[:-1] < 0.0) & (speed[1:] >= 0.0))
        k = int(change[np.argmin(np.abs(0.5 * (s[change] + s[change + 1]) - self.nose))]) if len(change) else 0
        if not 2 <= k < len(speed) - 4:
            raise ConditionError(
                "the flow does not part on the nose but at the trailing edge: no layer runs from one to the other",
                where="boundary layer",
                remedy="take a smaller angle of attack, or turn the section: x points backward along it",
            )
        return k, float(speed[k] / (speed[k] - speed[k + 1]))

    def sides(self) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """(points, arc length from the stagnation point [m], edge velocity over the free stream) of the upper and of the lower side.

        Raises:
            ConditionError: the flow does not part on the nose.
        """
        s, speed = self.s, self.speed
        k, share = self.stagnation()
        stop, place = s[k] + share * (s[k + 1] - s[k]), self.points[k] + share * (self.points[k + 1] - self.points[k])
        least = 0.2 * (s[k + 1] - s[k])  # a station that almost is the stagnation point would make the velocity gradient there noise
        found = []
        for index, sign in ((np.arange(k, -1, -1), -1.0), (np.arange(k + 1, len(s)), 1.0)):
            index = index[1:] if abs(s[index[0]] - stop) < least else index
            along = np.concatenate([[0.0], np.abs(s[index] - stop)])
            edge = np.concatenate([[0.0], np.maximum(sign * speed[index], _LEAST)])
            edge = _continued(along, edge, EDGE_REGION * self.chord) if self.sharp else edge
            found.append((np.concatenate([place[None], self.points[index]]), along, edge))
        return found

    def layers(self, point: OperatingPoint, trips: tuple[float | None, float | None]) -> list[SideLayer]:
        """The boundary layers of the upper and of the lower side.

        Args:
            point: states velocity, density and viscosity.
            trips: x/c on either side; 0 for fully turbulent, None for free transition.

        Raises:
            ConditionError: no viscosity, or the flow does not part on the nose.
        """
        if point.viscosity is None:
            raise ConditionError(
                "no viscosity", where="OperatingPoint", remedy="OperatingPoint(velocity=..., viscosity=1.8e-5, reference_length=...)"
            )
        nu = point.viscosity / point.density
        try:
            sides = self.sides()
        except ConditionError as error:
            raise ConditionError(f"at {point.alpha:g} degrees {error.message}", where=error.where, remedy=error.remedy) from error
        return [
            side_layer(points, s, edge * point.velocity, nu, None if trip is None else self._trip_length(points, s, trip))
            for (points, s, edge), trip in zip(sides, trips, strict=True)
        ]

    def _trip_length(self, points: np.ndarray, s: np.ndarray, trip: float) -> float:
        """Arc length at which the surface passes x/c = trip, 0 if the stagnation point lies behind it."""
        x = self.along_chord(points)
        behind = np.flatnonzero(x >= trip)
        first = int(behind[0]) if len(behind) else len(s) - 1
        if trip <= 0.0 or first == 0:
            return 0.0
        share = (trip - x[first - 1]) / (x[first] - x[first - 1])
        return float(s[first - 1] + share * (s[first] - s[first - 1]))


def _continued(s: np.ndarray, speed: np.ndarray, region: float) -> np.ndarray:
    """The edge velocity with its last stretch replaced by the straight line through both ends of the stretch ahead of it."""
    begin, ahead = np.interp([s[-1] - region, s[-1] - 2.0 * region], s, speed)
    line = begin + (begin - ahead) / region * (s - (s[-1] - region))
    return np.where(s > s[-1] - region, np.maximum(line, speed), speed)
