"""Drag of a section from the boundary layer on a predicted wall velocity, and its derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..errors import ConditionError
from ..mesh.operating_point import OperatingPoint
from ..mesh.resample import closed_ring
from ..truth.boundary_layer.section import AT_EDGE, EDGE_REGION, squire_young
from ..truth.boundary_layer.side import SideLayer, side_layer
from ..truth.panels.section_curve import trailing_edge
from .surface_function import SurfaceFunction, SurfaceValues

#: Steps of the central differences, relative to the free-stream speed and to the length of the section.
_STEP = 1e-5


@dataclass(frozen=True, eq=False)
class WallSpeed:
    """The speed along the wall of one section, from the upper to the lower trailing edge.

    Attributes:
        s: (m,) arc length [m].
        speed: (m,) counter-clockwise over the free-stream speed: negative on the upper side.
        nose: arc length at the leading edge [m].
        length: reference length of CD [m].
        chord: [m].
        sharp: whether the trailing edge is a corner, to which an inviscid flow stagnates.
    """

    s: np.ndarray
    speed: np.ndarray
    nose: float
    length: float
    chord: float
    sharp: bool

    def sides(self, point: OperatingPoint, trips: tuple[float | None, float | None]) -> list[SideLayer]:
        """The boundary layers of both sides; the stations as :func:`geoop.truth.boundary_layer.section.boundary_layer` takes them.

        Raises:
            ConditionError: no viscosity, or no stagnation point between the edges.
        """
        if point.viscosity is None:
            raise ConditionError(
                "no viscosity", where="OperatingPoint", remedy="OperatingPoint(velocity=..., viscosity=1.8e-5, reference_length=...)"
            )
        nu = point.viscosity / point.density
        return [
            side_layer(np.zeros((len(s), 2)), s, ue * point.velocity, nu, None if trip is None else trip * self.chord)
            for (s, ue), trip in zip(self.stations(), trips, strict=True)
        ]

    def stations(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """(arc length from the stagnation point [m], edge velocity over the free stream) of the upper and of the lower side."""
        s, speed = self.s, self.speed
        change = np.flatnonzero((speed[:-1] < 0.0) & (speed[1:] >= 0.0))
        k = int(change[np.argmin(np.abs(0.5 * (s[change] + s[change + 1]) - self.nose))]) if len(change) else 0
        if not 2 <= k < len(speed) - 4:
            raise ConditionError(
                "the predicted flow does not part on the nose: no layer runs from one trailing edge to the other",
                where="boundary layer",
                remedy="take a smaller angle of attack, or turn the section: x points backward along it",
            )
        share = speed[k] / (speed[k] - speed[k + 1])
        stop, least = s[k] + share * (s[k + 1] - s[k]), 0.2 * (s[k + 1] - s[k])
        found = []
        for index, sign in ((np.arange(k, -1, -1), -1.0), (np.arange(k + 1, len(s)), 1.0)):
            index = index[1:] if abs(s[index[0]] - stop) < least else index
            along = np.concatenate([[0.0], np.abs(s[index] - stop)])
            edge = np.concatenate([[0.0], np.maximum(sign * speed[index], 1e-6)])
            found.append((along, _continued(along, edge, EDGE_REGION * self.chord) if self.sharp else edge))
        return found

    def drag(self, point: OperatingPoint, trips: tuple[float | None, float | None]) -> float:
        """CD by Squire and Young from both sides."""
        return sum(squire_young(side, point.velocity, self.length) for side in self.sides(point, trips))


class LayerDrag:
    """CD of a section of an inviscid surrogate as a function of its points: predicted wall speed, integral boundary layer, wake formula.

    Args:
        function: the surface pressure of the section.
        transition: x/c along the wall of trips on both sides, 0 for fully turbulent, None for free transition.
    """

    def __init__(self, function: SurfaceFunction, transition: float | None = None) -> None:
        if function.point.viscosity is None:
            raise ConditionError(
                "CD of an inviscid model is that of the boundary layer, which needs a viscosity",
                where="OperatingPoint",
                remedy="OperatingPoint(velocity=..., viscosity=1.8e-5, reference_length=...)",
            )
        self.function, self.trips = function, (transition, transition)
        points = function.points
        ring = closed_ring(function.outline)
        known = {tuple(row): k for k, row in reversed(list(enumerate(points.tolist())))}
        nose, tail = (end.numpy() for end in function.chord_ends(torch.from_numpy(np.array(points))))
        upper, lower, smooth = trailing_edge(ring, tail)
        count = (lower - upper) % len(ring) or len(ring)
        order = (upper + np.arange(count + 1)) % len(ring)
        self.order = np.array([known[tuple(row)] for row in ring[order].tolist()])
        self.sharp = upper == lower and not smooth
        self.nose = int(np.argmin(np.linalg.norm(points[self.order] - nose, axis=1)))

    def wall(self, values: SurfaceValues, points: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Arc length (m,), counter-clockwise speed (m,) over the free stream, reference length and chord, as tensors."""
        order = torch.from_numpy(self.order)
        along = points[order]
        step = (along[1:] - along[:-1]).norm(dim=1)
        s = torch.cat([step.new_zeros(1), step.cumsum(0)])
        nose, tail = self.function.chord_ends(points)
        chord = (tail - nose).norm()
        length = chord if self.function.reference.length is None else torch.tensor(self.function.reference.length, dtype=torch.float64)
        return s, self._speed(values, along, order), length, chord

    def _speed(self, values: SurfaceValues, along: Tensor, order: Tensor) -> Tensor:
        """Along the wall, with its sign: of the predicted velocity, or else by Bernoulli about the place of largest pressure."""
        if values.velocity is not None:
            behind, ahead = torch.cat([along[:1], along[:-1]]), torch.cat([along[1:], along[-1:]])
            tangent = torch.nn.functional.normalize(ahead - behind, dim=1)
            return (values.velocity[order] * tangent).sum(dim=1)
        pressure = values.pressure[order]
        size = (1.0 - pressure).clamp_min(1e-12).sqrt()
        quarter = len(order) // 4
        k = quarter + int(pressure[quarter : len(order) - quarter].argmax())
        sign = torch.where(torch.arange(len(order)) < k, -1.0, 1.0).to(size.dtype)
        signed = sign * size
        middle = 0.5 * (signed[k - 1] + signed[k + 1])  # Bernoulli's root has no sign at the stagnation point itself
        return torch.cat([signed[:k], middle[None], signed[k + 1 :]])

    def at(self, points: Tensor, alpha: float | None = None) -> WallSpeed:
        """The predicted speed at (n, 2) points [m]."""
        with torch.no_grad():
            return self._at(self.function.at(points, alpha), points)

    def _at(self, values: SurfaceValues, points: Tensor) -> WallSpeed:
        s, speed, length, chord = self.wall(values, points)
        return self._wall_speed(s.numpy(), speed.numpy(), float(length), float(chord))

    def of(self, values: SurfaceValues, points: Tensor) -> float:
        """CD of values that are known at (n, 2) points [m], without derivatives."""
        return self._at(values, points).drag(self.function.point, self.trips)

    def coefficient(self, points: Tensor, alpha: float | None = None) -> float:
        """CD at (n, 2) points [m]."""
        return self.at(points, alpha).drag(self.function.point, self.trips)

    def _wall_speed(self, s: np.ndarray, speed: np.ndarray, length: float, chord: float) -> WallSpeed:
        return WallSpeed(s, speed, float(s[self.nose]), length, chord, self.sharp)

    def differentiable(self, values: SurfaceValues, points: Tensor, alpha: Tensor) -> tuple[Tensor, tuple[str, ...]]:
        """CD as a tensor whose derivatives are right at this section, and what to know of it.

        The layer is a march with switches, no tensor expression: its derivatives by every arc length and speed are central differences (four runs
        of the layer per point of the wall); from there on to the points and the angle everything is automatic.
        """
        del alpha  # the speed carries it
        s, speed, length, chord = self.wall(values, points)
        fixed = [part.detach().numpy() for part in (s, speed)]
        scale = float(length.detach()), float(chord.detach())
        here = self._wall_speed(fixed[0], fixed[1], *scale)
        layers = here.sides(self.function.point, self.trips)
        drag = sum(squire_young(side, self.function.point.velocity, scale[0]) for side in layers)
        slopes = [self._slopes(fixed, k, scale, _STEP * (scale[1] if k == 0 else 1.0)) for k in range(2)]
        step = _STEP * scale[1]
        ends = [self._wall_speed(*fixed, scale[0], scale[1] + sign * step).drag(self.function.point, self.trips) for sign in (1.0, -1.0)]
        scalar = torch.tensor(drag, dtype=torch.float64) * (2.0 - length / length.detach())  # to first order 1/length
        scalar = scalar + (ends[0] - ends[1]) / (2 * step) * (chord - chord.detach())
        for part, base, slope in zip((s, speed), fixed, slopes, strict=True):
            scalar = scalar + (torch.from_numpy(slope) * (part - torch.from_numpy(base))).sum()
        notes = [
            "CD by the boundary layer on the predicted wall velocity (Thwaites, entrainment with lag, Squire-Young); its derivative by central differences"
        ]
        if any(side.separation is not None and side.separation < side.s[-1] - AT_EDGE * scale[1] for side in layers):
            notes.append("a turbulent layer separates: CD is too low and its derivative no guide")
        return scalar, tuple(notes)

    def _slopes(self, fixed: list[np.ndarray], which: int, scale: tuple[float, float], step: float) -> np.ndarray:
        """(m,) derivatives of CD by the arc lengths (0) or the speeds (1) at the stations."""
        found = np.zeros(len(fixed[which]))
        smallest = float(np.diff(fixed[0]).min())
        step = min(step, 0.02 * smallest) if which == 0 else step
        for k in range(len(found)):
            ends = []
            for sign in (1.0, -1.0):
                moved = [part.copy() for part in fixed]
                moved[which][k] += sign * step
                ends.append(self._wall_speed(moved[0], moved[1], *scale).drag(self.function.point, self.trips))
            found[k] = (ends[0] - ends[1]) / (2 * step)
        return found


def _continued(s: np.ndarray, speed: np.ndarray, region: float) -> np.ndarray:
    """The edge velocity with its last stretch replaced by the straight line through both ends of the stretch ahead of it."""
    begin, ahead = np.interp([s[-1] - region, s[-1] - 2.0 * region], s, speed)
    line = begin + (begin - ahead) / region * (s - (s[-1] - region))
    return np.where(s > s[-1] - region, np.maximum(line, speed), speed)
