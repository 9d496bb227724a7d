"""The resampling of an outline on tensors: the points of :func:`geoop.mesh.resample.resample`, differentiable by the points they were made from.

What is a choice (where the corners are, how many points every arc gets) is made once and kept; everything else follows the points. Between two
changes of a choice the map is continuous, and smooth but for the kinks of the linear interpolation between 32 samples per segment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .mesh import Mesh
from .resample import ring_from_corner, share

if TYPE_CHECKING:  # torch is heavy: importing the mesh room must not need it
    from torch import Tensor

_SAMPLES = 32  # of the curvature, per segment, as in resample
_TURNING, _GROWTH, _SMOOTHING = 0.08, 0.2, 0.006


@dataclass(frozen=True, eq=False)
class TensorResampling:
    """What was chosen for an outline, and the map from its points to those of :func:`geoop.mesh.resample.resample`.

    Attributes:
        order: (m,) the outline's points in the order of the ring, beginning at its sharpest corner.
        corners: (k,) which of them are corners; without any the ring is one closed arc.
        counts: (k,) new points on every arc.
    """

    order: np.ndarray
    corners: np.ndarray
    counts: tuple[int, ...]

    @classmethod
    def of(cls, outline: Mesh, n_points: int = 200) -> TensorResampling:
        """Choose as :func:`geoop.mesh.resample.resample` does.

        Raises:
            InvalidMeshError: open, several loops, or too few points.
        """
        import torch

        ring, corners = ring_from_corner(outline)
        known = {tuple(row): k for k, row in reversed(list(enumerate(outline.points.tolist())))}
        order = np.array([known[tuple(row)] for row in ring.tolist()])
        draft = cls(order, corners, (1,) * max(1, len(corners)))
        with torch.no_grad():
            demands = [float(arc.number[-1]) for arc in draft._arcs(torch.from_numpy(np.array(outline.points)))]
        return cls(order, corners, tuple(share(demands, n_points)))

    def points(self, outline: Tensor) -> Tensor:
        """(n, 2) new points, counter-clockwise, for (p, 2) points of the outline [m]."""
        import torch

        placed = [arc.place(count) for arc, count in zip(self._arcs(outline), self.counts, strict=True)]
        return torch.cat(placed)

    def _arcs(self, outline: Tensor) -> list[_Arc]:
        import torch

        ring = outline[torch.from_numpy(self.order)]
        if not len(self.corners):
            return [_Arc.through(torch.cat([ring, ring[:1]]), closed=True)]
        ends = np.append(self.corners, len(self.order))
        rows = [torch.from_numpy(np.arange(a, b + 1) % len(self.order)) for a, b in zip(ends[:-1], ends[1:], strict=True)]
        return [_Arc.through(ring[part], closed=False) for part in rows]


@dataclass(frozen=True, eq=False)
class _Arc:
    """A smooth piece of the outline: parameters of a fine sampling, how many segments are wanted up to there, and the curve."""

    parameter: Tensor
    number: Tensor
    curve: Callable[[Tensor], Tensor]

    @classmethod
    def through(cls, points: Tensor, *, closed: bool) -> _Arc:
        import torch

        chords = torch.cat([points.new_zeros(1), (points[1:] - points[:-1]).norm(dim=1).cumsum(0)])
        steps = torch.arange(_SAMPLES, dtype=points.dtype) / _SAMPLES
        parameter = torch.cat([(chords[:-1, None] + (chords[1:] - chords[:-1])[:, None] * steps).reshape(-1), chords[-1:]])
        if len(points) == 2:
            edge = (points[1] - points[0]) / chords[-1]
            return cls(parameter, _numbering(parameter, torch.zeros_like(parameter), corner=True), lambda t: points[0] + t[:, None] * edge)
        spline = TensorSpline.through(chords, points, closed=closed)
        first, second = spline.at(parameter, 1), spline.at(parameter, 2)
        turn = (first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]).abs()
        curvature = turn / first.square().sum(dim=1).clamp_min(1e-300) ** 1.5
        along = spline.at(parameter)
        length = torch.cat([points.new_zeros(1), (along[1:] - along[:-1]).norm(dim=1).cumsum(0)])
        smoothed = _smoothed(length, curvature, _SMOOTHING * length[-1], closed)
        return cls(parameter, _numbering(length, smoothed, corner=not closed), spline.at)

    def place(self, count: int) -> Tensor:
        """(count, 2) points, the end left to the next arc."""
        import torch

        wanted = self.number[-1] * torch.arange(count, dtype=self.number.dtype) / count
        return self.curve(interpolated(wanted, self.number, self.parameter))


@dataclass(frozen=True, eq=False)
class TensorSpline:
    """A cubic spline through points in the plane, natural or periodic, differentiable by knots and points.

    Attributes:
        knots: (n,) increasing.
        points: (n, d).
        bending: (n, d) second derivatives at the knots.
    """

    knots: Tensor
    points: Tensor
    bending: Tensor

    @classmethod
    def through(cls, knots: Tensor, points: Tensor, *, closed: bool) -> TensorSpline:
        """Solve for the second derivatives; ``closed``: the last point is the first, and so are the derivatives there."""
        import torch

        width = knots[1:] - knots[:-1]
        slope = (points[1:] - points[:-1]) / width[:, None]
        if closed:
            before = width.roll(1)
            system = torch.diag(2 * (width + before))
            one = torch.eye(len(width), dtype=points.dtype)
            system = system + one.roll(1, 1) * width[:, None] + one.roll(-1, 1) * before[:, None]
            inner = torch.linalg.solve(system, 6 * (slope - slope.roll(1, 0)))
            return cls(knots, points, torch.cat([inner, inner[:1]]))
        system = torch.diag(2 * (width[:-1] + width[1:])) + torch.diag(width[1:-1], 1) + torch.diag(width[1:-1], -1)
        inner = torch.linalg.solve(system, 6 * (slope[1:] - slope[:-1]))
        end = torch.zeros_like(points[:1])
        return cls(knots, points, torch.cat([end, inner, end]))

    def at(self, parameter: Tensor, order: int = 0) -> Tensor:
        """(k, d) points, or derivatives of the first or second order, at (k,) parameters."""
        k = _interval(parameter, self.knots)
        width = (self.knots[k + 1] - self.knots[k])[:, None]
        b = (parameter - self.knots[k])[:, None] / width
        a = 1 - b
        left, right = self.bending[k], self.bending[k + 1]
        if order == 2:
            return a * left + b * right
        if order == 1:
            return (self.points[k + 1] - self.points[k]) / width + width / 6 * ((3 * b**2 - 1) * right - (3 * a**2 - 1) * left)
        return a * self.points[k] + b * self.points[k + 1] + width**2 / 6 * ((a**3 - a) * left + (b**3 - b) * right)


def interpolated(x: Tensor, places: Tensor, values: Tensor) -> Tensor:
    """(k,) linear interpolation at x between increasing places, as ``numpy.interp``, differentiable by all three."""
    k = _interval(x, places)
    share_ = ((x - places[k]) / (places[k + 1] - places[k])).clamp(0.0, 1.0)
    return values[k] + share_ * (values[k + 1] - values[k])


def _interval(x: Tensor, places: Tensor) -> Tensor:
    import torch

    return (torch.searchsorted(places.detach().contiguous(), x.detach().contiguous(), right=True) - 1).clamp(0, len(places) - 2)


def _numbering(s: Tensor, curvature: Tensor, *, corner: bool) -> Tensor:
    import torch

    density = 40.0 / s[-1] + curvature / _TURNING
    if corner:
        density = density + 1.0 / (0.002 * s[-1] + _GROWTH * torch.minimum(s, s[-1] - s))
    return torch.cat([s.new_zeros(1), (0.5 * (density[1:] + density[:-1]) * (s[1:] - s[:-1])).cumsum(0)])


def _smoothed(s: Tensor, values: Tensor, width: Tensor, closed: bool) -> Tensor:
    """Moving average over +-width of arc length, as in resample."""
    import torch

    primitive = torch.cat([s.new_zeros(1), (0.5 * (values[1:] + values[:-1]) * (s[1:] - s[:-1])).cumsum(0)])
    if closed:
        three = torch.cat([s[:-1] - s[-1], s, s[1:] + s[-1]])
        sums = torch.cat([primitive[:-1] - primitive[-1], primitive, primitive[1:] + primitive[-1]])
        low, high = s - width, s + width
        return (interpolated(high, three, sums) - interpolated(low, three, sums)) / (high - low)
    low, high = (s - width).clamp_min(0.0), torch.minimum(s + width, s[-1])
    return (interpolated(high, s, primitive) - interpolated(low, s, primitive)) / (high - low)
