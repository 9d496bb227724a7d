"""Graded triangles in a closed outline or round bodies, with layers of quads on the walls where wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ...errors import ConfigurationError, InvalidMeshError
from ..cells import Cells
from ..chord import chord_line
from ..measure import signed_measures
from ..mesh import Mesh
from .plane_mesher import EdgeSize, triangulate
from .rings import Ring, holds, redistributed, require_few, rings_of, spaced
from .wall_layers import Layers, wall_layers


def mesh_inside(outline: Mesh, *, size: float | None = None, wall_size: float | None = None, growth: float = 0.2, n_wall: int | None = None) -> Mesh:
    """Triangles that fill closed loops: the regions inside an odd number of them, so that loops in loops are holes.

    The loops' points are kept, and points are added on long segments; so the triangles fill the outline exactly. On the loops
    edges are ``wall_size`` long at most, shorter where the outline bends (12 degrees per edge) and where two loops come close,
    and in between they grow with the distance from the loops.

    Args:
        outline: closed loops of line cells in 2-D, any order and direction.
        size: longest edge inside [m]; no limit if None.
        wall_size: longest edge on the loops [m]; None: the loops' own spacing, at most a thirtieth of their extent.
        growth: of the edge length per distance from the loops, 0.01 to 2.
        n_wall: None keeps the points of the outline. A number puts that many on every loop, on its segments, by its shape and
            not by its points (:func:`geoop.mesh.generate.wall_spacing.wall_points`), for outlines with too many points; more
            are added only where ``wall_size`` is given too.

    Returns:
        mesh of counter-clockwise triangles with the outline's patches (``wall`` where it names none); lines have the
        region on their left: normals (t_y, -t_x) out of it.

    Raises:
        InvalidMeshError: no outline, open, crossing itself, loops that touch, or sizes that need 200 000 points on the loops;
            all that is wrong with the outline in one error.
        ConfigurationError: an argument out of range.
        ConvergenceError: gmsh gave up.
        MissingDependencyError: gmsh is not installed (``pip install geoop[cad]``).
    """
    _require("mesh_inside", growth, n_wall, size=size, wall_size=wall_size)
    frame = _Frame.of(outline, turn=True)
    rings, names = _rings(outline, frame, n_wall, wall_size if wall_size is not None or n_wall is not None else size, growth)
    region_of = {id(ring): [ring] for ring in rings if ring.depth % 2 == 0}
    for ring in rings:
        if ring.depth % 2:
            parent = next(other for other in rings if other.depth == ring.depth - 1 and holds(other.points, ring.points[0]))
            region_of[id(parent)].append(ring)
    regions = list(region_of.values())
    largest = np.inf if size is None else size / frame.length
    ordered = [ring for region in regions for ring in region]
    points, triangles = triangulate([[ring.points for ring in region] for region in regions], _sizes(ordered, growth, largest), outline.name)
    runs = _runs(ordered, names, turned=[ring.depth % 2 == 1 for ring in ordered])
    return _assembled(frame.world(points), [], triangles, runs, f"{outline.name}-inside")


def mesh_around(
    outline: Mesh,
    *,
    wall_size: float | None = None,
    growth: float = 0.2,
    far_radius: float = 10.0,
    far_shape: Literal["circle", "box"] = "circle",
    far_size: float | None = None,
    n_wall: int | None = None,
    layers: Layers | None = None,
) -> Mesh:
    """Triangles between one or several bodies and a far field, finer on the walls, with layers of quads on them where wanted.

    Walls are treated as by :func:`mesh_inside`; loops inside a body are left out. The mesh of a rotated, scaled or shifted
    body is the rotated, scaled or shifted mesh (with a box, which stays parallel to the axes: not the rotated one).

    Args:
        outline: one or several closed loops of line cells in 2-D, any order and direction.
        wall_size: longest edge on the walls [m]; None: the loops' own spacing, at most a thirtieth of their extent.
        growth: of the edge length per distance from the walls, 0.01 to 2.
        far_radius: of the circle, or half the side of the box, in lengths of all bodies together, from the middle.
        far_shape: ``circle`` (as a polygon) or ``box``.
        far_size: longest edge at all [m]; no limit if None.
        n_wall: as for :func:`mesh_inside`.
        layers: quads along the walls.

    Returns:
        mesh of counter-clockwise triangles (and quads) with the outline's patches (``wall`` where it names none), lines with
        normals (t_y, -t_x) into the fluid, and ``farfield``, normals out of the fluid.

    Raises:
        InvalidMeshError: no outline, open, crossing itself, loops that touch, layers without room, or sizes that need 200 000 points
            on the boundaries; all that is wrong with the outline in one error.
        ConfigurationError: an argument out of range, or a patch called ``farfield``.
        ConvergenceError: gmsh gave up.
        MissingDependencyError: gmsh is not installed (``pip install geoop[cad]``).
    """
    _require("mesh_around", growth, n_wall, wall_size=wall_size, far_size=far_size)
    if not 1.0 <= far_radius < np.inf or far_shape not in ("circle", "box"):
        raise ConfigurationError(
            f"no far field of shape {far_shape!r} at {far_radius} lengths", where="mesh_around", remedy="give 'circle' or 'box' and 1 or more lengths"
        )
    if "farfield" in outline.patches:
        raise ConfigurationError("a wall is called 'farfield' already", where=outline.name, remedy="give the patch of the body another name")
    frame = _Frame.of(outline, turn=far_shape == "circle")
    rings, names = _rings(outline, frame, n_wall, wall_size, growth)
    bodies = [ring for ring in rings if ring.depth == 0]
    inner, quads, extra = bodies, np.zeros((0, 4), dtype=np.int64), np.zeros((0, 2))
    if layers is not None:
        grown = wall_layers([ring.points for ring in bodies], layers.scaled(1 / frame.length), outline.name, frame.world)
        inner = [Ring(points, ring.label) for points, ring in zip(grown.outer, bodies, strict=True)]
        quads, extra = grown.quads, grown.points
    size = _sizes(inner, growth, np.inf if far_size is None else far_size / frame.length)
    far = _far_ring(far_radius, far_shape, size, outline.name)
    points, triangles = triangulate([[far, *(ring.points for ring in inner)]], size, outline.name)
    return _joined(frame, bodies, names, (points, triangles), (extra, quads), len(far), f"{outline.name}-mesh")


def _joined(frame: _Frame, bodies: list[Ring], names: list[str], free: tuple, layered: tuple, n_far: int, name: str) -> Mesh:
    """Triangles round the layers, and the layers, as one mesh: points of the walls first, then those of the layers, then the rest."""
    points, triangles = free
    extra, quads = layered
    n_wall = sum(len(ring.points) for ring in bodies)
    shift = len(extra) - n_wall if len(extra) else 0  # the last ring of the layers is the first of the triangles
    order = np.concatenate([np.arange(n_far, len(points)), np.arange(n_far)])  # walls first, the far field last
    new = np.empty(len(points), dtype=np.int64)
    new[order] = np.arange(len(points)) + shift
    everything = np.concatenate([extra[:shift], points[order]])
    far = np.arange(len(points) - n_far, len(points)) + shift
    runs = _runs(bodies, names, turned=[False] * len(bodies))
    runs["farfield"] = np.stack([far, np.roll(far, -1)], axis=1)
    return _assembled(frame.world(everything), [("quad", quads)] if len(quads) else [], new[triangles], runs, name)


@dataclass(frozen=True)
class _Frame:
    """Lengths in extents of the outline, its chord line along x where it may turn."""

    center: np.ndarray
    axis: np.ndarray
    length: float

    @classmethod
    def of(cls, outline: Mesh, *, turn: bool) -> _Frame:
        rings_of(outline, np.array([1.0, 0.0]))  # says all that is wrong before anything else is asked of it
        axis = np.array([1.0, 0.0])
        if turn:
            chord = chord_line(outline)
            axis = (chord.trailing_edge - chord.leading_edge) / chord.length
        used = outline.points[np.unique(outline.cells.connectivity)]
        along = used @ np.stack([axis, [-axis[1], axis[0]]], axis=1)
        middle = 0.5 * (along.min(axis=0) + along.max(axis=0))
        return cls(middle @ np.stack([axis, [-axis[1], axis[0]]]), axis, float(np.ptp(along, axis=0).max()))

    def local(self, points: np.ndarray) -> np.ndarray:
        return (points - self.center) @ np.stack([self.axis, [-self.axis[1], self.axis[0]]], axis=1) / self.length

    def world(self, points: np.ndarray) -> np.ndarray:
        return self.center + self.length * (points @ np.stack([self.axis, [-self.axis[1], self.axis[0]]]))


def _rings(outline: Mesh, frame: _Frame, n_wall: int | None, size: float | None, growth: float) -> tuple[list[Ring], list[str]]:
    rings, names = rings_of(outline.moved(frame.local(outline.points)), np.array([1.0, 0.0]))
    if n_wall is not None:
        rings = [redistributed(ring, n_wall) for ring in rings]
        if size is None:
            return rings, names
    return spaced(rings, None if size is None else size / frame.length, growth, outline.name), names


def _sizes(rings: list[Ring], growth: float, largest: float) -> EdgeSize:
    points = np.concatenate([ring.points for ring in rings])
    length = [np.linalg.norm(ring.ends[1] - ring.ends[0], axis=1) for ring in rings]
    sizes = np.concatenate([0.5 * (item + np.roll(item, 1)) for item in length])
    return EdgeSize(points, sizes, growth, largest)


def _far_ring(radius: float, shape: str, size: EdgeSize, name: str) -> np.ndarray:
    """(k, 2) counter-clockwise points of the far field, spaced by the size there."""
    if shape == "circle":
        angle = np.linspace(0, 2 * np.pi, 720, endpoint=False)
        step = float(size(radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)).min())
        require_few(2 * np.pi * radius / step, name)
        count = max(32, int(np.ceil(2 * np.pi * radius / step)))
        angle = 2 * np.pi * np.arange(count) / count
        return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    step = float(size(np.array([[radius, 0.0], [0.0, radius], [-radius, 0.0], [0.0, -radius]])).min())
    require_few(8 * radius / step, name)
    t = np.linspace(-radius, radius, max(4, int(np.ceil(2 * radius / step))) + 1)[:-1]
    side = np.full(len(t), radius)
    return np.concatenate([np.stack(pair, axis=1) for pair in ((t, -side), (side, t), (-t, side), (-side, -t))])


def _runs(rings: list[Ring], names: list[str], turned: list[bool]) -> dict[str, np.ndarray]:
    """Lines of every patch in the point numbers of the rings laid end to end; turned rings run clockwise."""
    lines, label, at = [], [], 0
    for ring, back in zip(rings, turned, strict=True):
        index = at + np.arange(len(ring.points))
        pair = np.stack([index, np.roll(index, -1)], axis=1)
        lines.append(pair[:, ::-1] if back else pair)
        label.append(ring.label)
        at += len(index)
    everything, number = np.concatenate(lines), np.concatenate(label)
    spare = "wall" if "wall" not in names else "unnamed"
    patches = {name: everything[number == k] for k, name in [*enumerate(names), (-1, spare)]}
    if "wall" in names and (number == -1).any():
        patches["wall"] = np.concatenate([patches["wall"], patches.pop("unnamed")])
    return {name: part for name, part in patches.items() if len(part)}


def _assembled(points: np.ndarray, blocks: list, triangles: np.ndarray, lines: dict[str, np.ndarray], name: str) -> Mesh:
    cells = Cells.of({**dict(blocks), "triangle": triangles})
    mesh = Mesh(points, cells, {key: Cells.of(line=part) for key, part in lines.items()}, name=name)
    area = signed_measures(mesh)
    if not (area > 0).all():
        at = points[cells.connectivity[cells.offsets[:-1][int(np.argmin(area))]]]
        raise InvalidMeshError(
            f"{int((area <= 0).sum())} cells have no positive area, first near ({at[0]:.6g}, {at[1]:.6g})",
            where=name,
            remedy="give wall_size a smaller value, or take fewer or thinner layers",
        )
    return mesh


def _require(where: str, growth: float, n_wall: int | None, **sizes: float | None) -> None:
    problems = [f"{key} is {value}, give a positive length in metres" for key, value in sizes.items() if value is not None and not 0 < value < np.inf]
    if not 0.01 <= growth <= 2.0:
        problems.append(f"growth is {growth}, give 0.01 to 2")
    if n_wall is not None and n_wall < 8:
        problems.append(f"n_wall is {n_wall}, give at least 8 points per loop")
    if problems:
        raise ConfigurationError("; ".join(problems), where=where, remedy="leave them out for the defaults")
