"""Target shapes: what a local operator trained on polygons has to be assembled for.

``a`` to ``dolphin`` are shapes of arXiv 2504.00510, in our own words; gear, plate, thin L and annulus are ours: teeth, many holes, a long way between
the ends, a hole as wide as the arms.
"""

from __future__ import annotations

from collections.abc import Callable
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

#: Holes of the plate: centre [m], distance of the corners from it [m], number of corners; 0 is round. They leave 0.13 m at least between each other
#: and to the edge.
_HOLES = (
    ((-1.15, 0.5), 0.42, 0), ((-0.2, 0.6), 0.26, 6), ((0.45, 0.45), 0.28, 4), ((1.2, 0.5), 0.34, 0), ((-1.4, -0.55), 0.2, 4),
    ((-0.7, -0.5), 0.34, 0), ((0.05, -0.4), 0.26, 3), ((0.75, -0.5), 0.22, 6), ((1.35, -0.55), 0.24, 4),
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


def target(name: str, scale: float = 1.0) -> Target:
    """A target shape: ``a``, ``b``, ``c``, ``disk``, ``dolphin``, ``gear``, ``plate``, ``thin-l`` or ``annulus``.

    Meshed, they have about 730, 1040, 550, 790, 1460, 900, 1200, 720 and 800 points.

    Args:
        name: of the shape.
        scale: how many times as large it is. The size of the mesh stays, and arcs have points that close; the number of points grows as its square.

    Raises:
        ConfigurationError: no such shape, or a scale that is not positive and finite.
    """
    if name not in TARGETS:
        raise ConfigurationError(f"no target shape '{name}'", where="target", remedy=f"choose one of {', '.join(TARGETS)}")
    if not (np.isfinite(scale) and scale > 0):
        raise ConfigurationError(f"a target cannot be {scale} times as large", where="target", remedy="take a positive scale, such as 3.0")
    shape = TARGETS[name]
    loops = tuple(scale * loop for loop in shape.loops(shape.size / scale))
    return Target(loops, shape.size, shape.summary if scale == 1 else f"{shape.summary}, {scale:g} times as large")


def _disk_and_rectangle(step: float) -> list[np.ndarray]:
    open_angle = np.arcsin(0.5)
    arc = _arc(1.12, open_angle, 2.0 * np.pi - open_angle, step)
    rectangle = np.array([[2.7, -0.56], [2.7, 0.56]])
    return [np.concatenate([arc, rectangle])]


def _square_with_holes(step: float) -> list[np.ndarray]:
    square = 1.35 * np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    return [square, *(_circle(radius, step, center) for center, radius in (((-0.5, -0.45), 0.4), ((0.55, 0.5), 0.35)))]


def _notched_disk(step: float) -> list[np.ndarray]:
    half = np.radians(20.0)
    arc = _arc(5.0, half, 2.0 * np.pi - half, step)
    return [np.concatenate([arc, [[1.5, 0.0]]])]


def _disk(step: float) -> list[np.ndarray]:
    return [_circle(1.42, step)]


def _dolphin(step: float) -> list[np.ndarray]:
    closed = np.concatenate([_DOLPHIN, _DOLPHIN[:1]])
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    curve = CubicSpline(length, closed, bc_type="periodic")
    count = int(np.ceil(length[-1] / (0.9 * step)))
    return [1.02 * curve(length[-1] * np.arange(count) / count)]


def _gear(step: float) -> list[np.ndarray]:
    """Trapezoidal teeth: of every pitch the root takes 38 %, the tip 24 %, the two flanks, which are straight, the rest."""
    teeth, root, tip, bore = 12, 1.1, 1.5, 0.4
    pitch = 2.0 * np.pi / teeth
    parts = []
    for k in range(teeth):
        parts += [_arc(root, (k - 0.19) * pitch, (k + 0.19) * pitch, step), _arc(tip, (k + 0.38) * pitch, (k + 0.62) * pitch, step)]
    return [np.concatenate(parts), _circle(bore, step)]


def _plate(step: float) -> list[np.ndarray]:
    rectangle = np.array([[-1.8, -1.1], [1.8, -1.1], [1.8, 1.1], [-1.8, 1.1]])
    return [rectangle, *(_circle(radius, step, center, corners) for center, radius, corners in _HOLES)]


def _thin_l(step: float) -> list[np.ndarray]:
    del step  # it has no arcs
    return [np.array([[0.0, 0.0], [6.0, 0.0], [6.0, 0.45], [0.45, 0.45], [0.45, 6.0], [0.0, 6.0]])]


def _annulus(step: float) -> list[np.ndarray]:
    return [_circle(1.7, step), _circle(0.7, step)]


def _circle(radius: float, step: float, center: tuple[float, float] = (0.0, 0.0), corners: int = 0) -> np.ndarray:
    """(k, 2) points of a circle, counter-clockwise, or so many corners evenly on it."""
    ring = _arc(radius, 0.0, 2.0 * np.pi, step)[:-1]
    if corners:
        angle = 2.0 * np.pi * np.arange(corners) / corners
        ring = radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.array(center) + ring


def _arc(radius: float, start: float, stop: float, size: float) -> np.ndarray:
    """(k, 2) points of an arc, both ends included, at most ``size`` apart."""
    angle = np.linspace(start, stop, int(np.ceil(radius * (stop - start) / size)) + 1)
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


@dataclass(frozen=True)
class _Shape:
    """How a target is made: its loops [m] with points on arcs at most a step [m] apart, the size of its mesh [m], what it is."""

    loops: Callable[[float], list[np.ndarray]]
    size: float
    summary: str


#: Name -> maker.
TARGETS = {
    "a": _Shape(_disk_and_rectangle, 0.1, "disk of radius 1.12 m united with a rectangle that reaches to x = 2.7 m, height 1.12 m"),
    "b": _Shape(_square_with_holes, 0.1, "square of side 2.7 m with two round holes of radius 0.4 and 0.35 m"),
    "c": _Shape(_notched_disk, 0.415, "disk of radius 5 m with a wedge of 40 degrees cut out to 1.5 m from the middle"),
    "disk": _Shape(_disk, 0.1, "disk of radius 1.42 m"),
    "dolphin": _Shape(_dolphin, 0.1, "smooth outline like a dolphin, 6.6 m long, with fins"),
    "gear": _Shape(_gear, 0.1, "gear with 12 trapezoidal teeth between the radii 1.1 and 1.5 m and a bore of radius 0.4 m"),
    "plate": _Shape(
        _plate, 0.1, "plate of 3.6 by 2.2 m with nine holes of radius 0.2 to 0.42 m, three of them round, the others with 3, 4 or 6 corners"
    ),
    "thin-l": _Shape(_thin_l, 0.1, "L of two arms, 6 m long and 0.45 m wide"),
    "annulus": _Shape(_annulus, 0.11, "annulus between the radii 0.7 and 1.7 m"),
}
