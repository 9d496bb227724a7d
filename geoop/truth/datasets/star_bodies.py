"""Plane bodies whose wall is one radius per angle: Fourier bodies, ellipses, superellipses, regular polygons with round corners."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...mesh.cells import Cells
from ...mesh.mesh import Mesh

#: Angles per turn at which curvature is looked at, and the most that the wall may turn per segment.
_FINE, _TURN = 4096, np.radians(15.0)
_GROWTH = 0.25  # of the segments' length per distance along the wall

#: Angle (k,) [rad] -> radius (k,) [m], period 2 pi, positive and smooth.
Radius = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class StarBody:
    """A body that every ray from its middle leaves once.

    Attributes:
        center: of the rays [m].
        radius: of the wall by angle.
    """

    center: tuple[float, float]
    radius: Radius

    def wall(self, angle: np.ndarray) -> np.ndarray:
        """(k, 2) points of the wall [m] at (k,) angles [rad]."""
        return np.asarray(self.center) + self.radius(angle)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    def onto(self, points: np.ndarray) -> np.ndarray:
        """(k, 2) points moved along their rays onto the wall [m]."""
        away = points - np.asarray(self.center)
        return self.wall(np.arctan2(away[:, 1], away[:, 0]))

    def outline(self, segment: float, finest: float = 0.2) -> Mesh:
        """The wall as segments of at most this length [m], patch ``body``: shorter where it bends, 15 degrees per segment, but not below ``finest`` of it."""
        fine = 2 * np.pi * np.arange(_FINE) / _FINE
        points = self.wall(fine)
        step = np.linalg.norm(np.roll(points, -1, axis=0) - points, axis=1)
        side = np.roll(points, -1, axis=0) - points
        before = np.roll(side, 1, axis=0)
        turn = np.abs(np.arctan2(before[:, 0] * side[:, 1] - before[:, 1] * side[:, 0], (before * side).sum(axis=1)))
        wanted = np.clip(_TURN * 0.5 * (step + np.roll(step, 1)) / np.maximum(turn, 1e-12), finest * segment, segment)
        wanted = _graded(wanted, step)
        number = np.concatenate([[0.0], np.cumsum(step / (0.5 * (wanted + np.roll(wanted, -1))))])
        count = max(8, int(np.ceil(number[-1])))
        angle = np.interp(number[-1] * np.arange(count) / count, number, np.append(fine, 2 * np.pi))
        index = np.arange(count)
        cells = Cells.of(line=np.stack([index, np.roll(index, -1)], axis=1))
        return Mesh(self.wall(angle), cells, {"body": cells}, name="body")


def _graded(wanted: np.ndarray, step: np.ndarray) -> np.ndarray:
    """(k,) lengths round a loop lowered until they change by at most the growth per distance, both ways round."""
    s = np.concatenate([[0.0], np.cumsum(np.tile(step, 3))])[:-1]
    three = np.tile(wanted, 3)
    up = np.minimum.accumulate(three - _GROWTH * s) + _GROWTH * s
    down = (np.minimum.accumulate((three + _GROWTH * s)[::-1]))[::-1] - _GROWTH * s
    k = len(wanted)
    return np.minimum(up, down)[k : 2 * k]


def fourier_radius(mean: float, modes: dict[int, tuple[float, float]]) -> Radius:
    """r = mean (1 + sum over modes m: a cos m t + b sin m t) for m -> (a, b)."""

    def radius(angle: np.ndarray) -> np.ndarray:
        waves = [a * np.cos(m * angle) + b * np.sin(m * angle) for m, (a, b) in modes.items()]
        return mean * (1.0 + np.sum(waves, axis=0))

    return radius


def superellipse_radius(half_x: float, half_y: float, power: float, turn: float = 0.0) -> Radius:
    """|x/a|^p + |y/b|^p = 1, turned by an angle [rad] counter-clockwise: p = 2 an ellipse, p = 8 a rectangle with round corners."""

    def radius(angle: np.ndarray) -> np.ndarray:
        c, s = np.abs(np.cos(angle - turn)) / half_x, np.abs(np.sin(angle - turn)) / half_y
        largest = np.maximum(c, s)  # taken out, so that powers do not overflow
        return 1.0 / (largest * ((c / largest) ** power + (s / largest) ** power) ** (1.0 / power))

    return radius
