"""A straight channel with bodies in it, as graded triangles with named patches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import ConfigurationError, InvalidMeshError
from ..cells import Cells
from ..mesh import Mesh
from .plane_mesher import EdgeSize, triangulate
from .rings import Ring, require_few, rings_of

SIDES = ("walls", "outlet", "walls", "inlet")
_GAP_CELLS = 1.5  # cells that must fit between a body and a wall


@dataclass(frozen=True)
class ChannelSize:
    """How long edges may be in a channel.

    Attributes:
        wall: on the walls, the inlet and the outlet, and the most anywhere [m]; finer where a body is near.
        growth: of the edge length per distance from bodies.
        wake: on the middle line behind each body, None for no refinement there [m].
        wake_length: how far behind the body [m].
    """

    wall: float
    growth: float = 0.15
    wake: float | None = None
    wake_length: float = 0.0


def channel(length: float, height: float, bodies: Mesh | None, size: ChannelSize, *, name: str = "channel") -> Mesh:
    """Triangles in the channel 0 < x < length, 0 < y < height, outside the bodies.

    The points of the bodies are kept, so they say how fine the mesh is there: an edge of a triangle for every segment. For curved
    walls follow with ``quadratic(mesh, onto={"body": projection})``.

    Args:
        length, height: [m].
        bodies: closed loops of line cells in 2-D, one per body; None for an empty channel.
        size: lengths of edges.
        name: of the mesh.

    Returns:
        mesh of counter-clockwise triangles with patches ``inlet`` (x = 0), ``outlet`` (x = length), ``walls``, and ``body`` or the
        bodies' own patches; lines have the fluid on their left.

    Raises:
        InvalidMeshError: a body that is open, crosses itself, lies in another one, or does not lie inside the channel with room to
            its walls for one and a half of its segments. All of it in one error.
        ConfigurationError: lengths that are not positive, or a body's patch that has the name of one of the channel's.
        ConvergenceError: gmsh gave up.
        MissingDependencyError: gmsh is not installed (``pip install geoop[cad]``).
    """
    _require(length, height, bodies, size)
    rings, names = rings_of(bodies, np.array([1.0, 0.0])) if bodies is not None else ([], [])
    if bodies is not None:
        _require_inside(rings, length, height, bodies.name)
    own = np.concatenate([np.zeros((0, 2)), *(ring.points for ring in rings)])
    near = [np.linalg.norm(np.roll(r.points, -1, axis=0) - r.points, axis=1) for r in rings]
    edges = np.concatenate([np.zeros(0), *(0.5 * (item + np.roll(item, 1)) for item in near)])
    wake, wake_edges = _wake(rings, length, size)
    places, lengths = np.concatenate([own, wake]), np.concatenate([edges, wake_edges])
    if not len(places):
        places, lengths = np.zeros((1, 2)), np.array([size.wall])
    wanted = EdgeSize(places / length, lengths / length, size.growth, size.wall / length)
    sides = _sides(length, height, wanted, name)
    rectangle = np.concatenate(sides)
    everywhere = EdgeSize(
        np.concatenate([places, rectangle]) / length,
        np.concatenate([lengths / length, wanted(rectangle / length)]),
        size.growth,
        size.wall / length,
    )
    points, triangles = triangulate([[rectangle / length, *(ring.points / length for ring in rings)]], everywhere, name)
    points = np.concatenate([rectangle, own, points[len(rectangle) + len(own) :] * length])
    return Mesh(points, Cells.of(triangle=triangles), _patches(sides, rings, names), name=name)


def _require(length: float, height: float, bodies: Mesh | None, size: ChannelSize) -> None:
    stated = {"length": length, "height": height, "wall": size.wall, "wake": size.wake}
    problems = [f"{key} is {value}, must be positive" for key, value in stated.items() if value is not None and not 0 < value < np.inf]
    if not 0.01 <= size.growth <= 2.0:
        problems.append(f"growth is {size.growth}, give 0.01 to 2")
    taken = sorted(set(SIDES) & set(bodies.patches if bodies is not None else ()))
    if taken:
        problems.append(f"patches {taken} of the body have names of the channel's own")
    if problems:
        raise ConfigurationError("; ".join(problems), where="channel", remedy="give lengths in metres, and the patches of bodies names of their own")


def _require_inside(rings: list[Ring], length: float, height: float, name: str) -> None:
    problems = []
    for ring in rings:
        if ring.depth:
            problems.append(f"a loop near ({ring.points[0][0]:.6g}, {ring.points[0][1]:.6g}) lies in another one")
            continue
        low, high = ring.points.min(axis=0), ring.points.max(axis=0)
        step = np.linalg.norm(ring.ends[1] - ring.ends[0], axis=1)
        x, y = ring.points.T
        gap = np.minimum.reduce([x, y, length - x, height - y])
        if gap.min() <= 0:
            span = f"x {low[0]:.6g} to {high[0]:.6g} m, y {low[1]:.6g} to {high[1]:.6g} m"
            problems.append(f"a body ({span}) is not inside the channel of {length:.6g} x {height:.6g} m")
        elif (gap < _GAP_CELLS * np.maximum(step, np.roll(step, 1))).any():
            k = int(gap.argmin())
            problems.append(f"a body comes within {gap[k]:.3g} m of the channel's boundary at ({x[k]:.6g}, {y[k]:.6g}): no room for triangles")
    if problems:
        remedy = "move or shrink the body, widen the channel, or give the body shorter segments where it comes near to the walls"
        raise InvalidMeshError("; ".join(problems), where=name, remedy=remedy)


def _wake(rings: list[Ring], length: float, size: ChannelSize) -> tuple[np.ndarray, np.ndarray]:
    """Sources of small triangles on a line behind every body, a quarter of the wanted length apart."""
    if size.wake is None or not size.wake_length:
        return np.zeros((0, 2)), np.zeros(0)
    rows = []
    for ring in rings:
        start, y = ring.points[:, 0].max(), 0.5 * (ring.points[:, 1].min() + ring.points[:, 1].max())
        end = min(start + size.wake_length, length)
        x = np.linspace(start + size.wake, end, max(2, int(np.ceil(4 * (end - start) / size.wake))))
        rows.append(np.stack([x, np.full(len(x), y)], axis=1))
    found = np.concatenate([np.zeros((0, 2)), *rows])
    return found, np.full(len(found), size.wake)


def _sides(length: float, height: float, wanted: EdgeSize, name: str) -> list[np.ndarray]:
    """Points of the four sides, counter-clockwise from the origin, each without its last; spaced as wanted there."""
    corners = np.array([[0.0, 0.0], [length, 0.0], [length, height], [0.0, height]])
    sides = []
    for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        t = np.linspace(0.0, 1.0, 2001)
        density = np.linalg.norm(b - a) / (length * wanted((a + t[:, None] * (b - a)) / length))
        number = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]) * np.diff(t))])
        require_few(number[-1], name)
        count = max(1, int(np.ceil(number[-1] - 1e-9)))
        places = np.interp(np.linspace(0.0, number[-1], count + 1)[:-1], number, t)
        sides.append(a + places[:, None] * (b - a))
    return sides


def _patches(sides: list[np.ndarray], rings: list[Ring], names: list[str]) -> dict[str, Cells]:
    total = sum(map(len, sides))
    index = np.arange(total)
    pairs = np.stack([index, np.roll(index, -1)], axis=1)
    owner = np.repeat(np.arange(4), [len(side) for side in sides])
    patches = {
        name: Cells.of(line=pairs[np.isin(owner, [k for k, side in enumerate(SIDES) if side == name])]) for name in ("inlet", "outlet", "walls")
    }
    rows: dict[str, list[np.ndarray]] = {}
    for ring in rings:
        index = total + np.arange(len(ring.points))
        clockwise = np.stack([np.roll(index, -1), index], axis=1)
        for number in np.unique(ring.label):
            rows.setdefault(names[number] if number >= 0 else "body", []).append(clockwise[ring.label == number])
        total += len(index)
    return patches | {name: Cells.of(line=np.concatenate(parts)) for name, parts in rows.items()}
