"""Drag of a section from the boundary layer on a predicted wall velocity, and its derivatives."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..errors import ConditionError
from ..mesh.resample import closed_ring
from ..truth.boundary_layer.section import AT_EDGE, drag_on, squire_young
from ..truth.boundary_layer.wall_speed import WallSpeed
from ..truth.panels.section_curve import trailing_edge
from .surface_function import SurfaceFunction, SurfaceValues

#: Steps of the central differences, relative to the free-stream speed and to the length of the section.
_STEP = 1e-5


class LayerDrag:
    """CD of a section of an inviscid surrogate as a function of its points: predicted wall speed, integral boundary layer, wake formula.

    Args:
        function: the surface pressure of the section.
        transition: x/c of trips on both sides, 0 for fully turbulent, None for free transition.
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
        self.stations, self.ends = points[self.order], np.stack([nose, tail])
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
        return drag_on(self._at(values, points), self.function.point, self.trips)

    def coefficient(self, points: Tensor, alpha: float | None = None) -> float:
        """CD at (n, 2) points [m]."""
        return drag_on(self.at(points, alpha), self.function.point, self.trips)

    def _wall_speed(self, s: np.ndarray, speed: np.ndarray, length: float, chord: float) -> WallSpeed:
        return WallSpeed(self.stations, s, speed, float(s[self.nose]), self.ends, length, chord, self.sharp)

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
        layers = here.layers(self.function.point, self.trips)
        drag = sum(squire_young(side, self.function.point.velocity, scale[0]) for side in layers)
        slopes = [self._slopes(fixed, k, scale, _STEP * (scale[1] if k == 0 else 1.0)) for k in range(2)]
        step = _STEP * scale[1]
        ends = [drag_on(self._wall_speed(*fixed, scale[0], scale[1] + sign * step), self.function.point, self.trips) for sign in (1.0, -1.0)]
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
                ends.append(drag_on(self._wall_speed(moved[0], moved[1], *scale), self.function.point, self.trips))
            found[k] = (ends[0] - ends[1]) / (2 * step)
        return found
