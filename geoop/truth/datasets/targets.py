"""Target shapes: what a local operator trained on polygons has to be assembled for (shapes of arXiv 2504.00510, in our own words)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline

from ...errors import ConfigurationError
from ...mesh.cells import Cells
from ...mesh.mesh import Mesh

#: A leaping dolphin, nose to the right, counter-clockwise from the nose: control points of a periodic cubic spline [m].
_DOLPHIN = np.array(
    [
        [3.30, 0.05], [2.95, 0.32], [2.45, 0.55], [1.95, 0.85], [1.20, 1.12], [0.55, 1.20], [0.30, 1.55], [-0.15, 1.85], [-0.20, 1.45],
        [-0.30, 1.10], [-1.10, 0.80], [-1.80, 0.30], [-2.25, -0.20], [-2.90, -0.15], [-3.20, -0.40], [-2.75, -0.60], [-2.55, -0.75],
        [-2.65, -1.25], [-2.35, -1.35], [-2.05, -0.80], [-1.75, -0.45], [-1.00, -0.10], [-0.10, -0.15], [0.50, -0.25], [0.55, -0.75],
        [0.85, -1.05], [1.15, -0.80], [1.30, -0.30], [2.00, -0.15], [2.75, -0.12],
    ]
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Target:
    """A region by its closed loops.

    Attributes:
        loops: each (k, 2), the outer one first, then the holes [m].
        size: of the mesh [m].
        summary: what it is.
    """

    loops: tuple[np.ndarray, ...]
    size: float
    summary: str

    def outline(self, name: str) -> Mesh:
        """The loops as lines, one patch ``wall``."""
        points = np.concatenate(self.loops)
        lines, at = [], 0
        for loop in self.loops:
            index = at + np.arange(len(loop))
            lines.append(np.stack([index, np.roll(index, -1)], axis=1))
            at += len(loop)
        cells = Cells.of(line=np.concatenate(lines))
        return Mesh(points, cells, {"wall": cells}, name=name)


def target(name: str) -> Target:
    """The target shape ``a``, ``b``, ``c``, ``disk`` or ``dolphin``; meshed, they have about 730, 1040, 550, 790 and 1460 points.

    Raises:
        ConfigurationError: no such shape.
    """
    if name not in TARGETS:
        raise ConfigurationError(f"no target shape '{name}'", where="target", remedy=f"choose one of {', '.join(TARGETS)}")
    return TARGETS[name]()


def _disk_and_rectangle() -> Target:
    open_angle = np.arcsin(0.5)
    arc = _arc(1.12, open_angle, 2.0 * np.pi - open_angle, 0.1)
    rectangle = np.array([[2.7, -0.56], [2.7, 0.56]])
    return Target((np.concatenate([arc, rectangle]),), 0.1, "disk of radius 1.12 m united with a rectangle that reaches to x = 2.7 m, height 1.12 m")


def _square_with_holes() -> Target:
    square = 1.35 * np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    holes = [np.array(center) + _arc(radius, 0.0, 2.0 * np.pi, 0.1)[:-1] for center, radius in (((-0.5, -0.45), 0.4), ((0.55, 0.5), 0.35))]
    return Target((square, *holes), 0.1, "square of side 2.7 m with two round holes of radius 0.4 and 0.35 m")


def _notched_disk() -> Target:
    half = np.radians(20.0)
    arc = _arc(5.0, half, 2.0 * np.pi - half, 0.415)
    return Target((np.concatenate([arc, [[1.5, 0.0]]]),), 0.415, "disk of radius 5 m with a wedge of 40 degrees cut out to 1.5 m from the middle")


def _disk() -> Target:
    return Target((_arc(1.42, 0.0, 2.0 * np.pi, 0.1)[:-1],), 0.1, "disk of radius 1.42 m")


def _dolphin() -> Target:
    closed = np.concatenate([_DOLPHIN, _DOLPHIN[:1]])
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    curve = CubicSpline(length, closed, bc_type="periodic")
    count = int(np.ceil(length[-1] / 0.09))
    return Target((1.02 * curve(length[-1] * np.arange(count) / count),), 0.1, "smooth outline like a dolphin, 6.6 m long, with fins")


def _arc(radius: float, start: float, stop: float, size: float) -> np.ndarray:
    """(k, 2) points of an arc, both ends included, at most ``size`` apart."""
    angle = np.linspace(start, stop, int(np.ceil(radius * (stop - start) / size)) + 1)
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


#: Name -> maker.
TARGETS = {"a": _disk_and_rectangle, "b": _square_with_holes, "c": _notched_disk, "disk": _disk, "dolphin": _dolphin}
