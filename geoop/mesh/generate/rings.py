"""Closed loops of an outline as rings of grid points: which lies in which, where their points go, and which patch they belong to."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import KDTree

from ...errors import InvalidMeshError
from ..crossings import crossing_segments
from ..loops import loops, signed_area
from ..mesh import Mesh
from .wall_spacing import CORNER_TURN, vertex_turning, wall_points

_GAP_CELLS = 1.5  # cells that must fit between two loops
_TURN = np.radians(12.0)  # of the outline per edge at most, where its points allow it
_OWN_SIZE = 1 / 30  # of the extent of a ring: its longest edge where no size is given
_FINEST = 0.05  # of the wanted size: what curvature may ask for


@dataclass(frozen=True, eq=False)
class Ring:
    """A closed loop of points.

    Attributes:
        points: (n, 2) counter-clockwise, the rightmost one (the upper of two) first, no repeated neighbours [m].
        label: (n,) number of the patch of the segment from each point to the next, -1 for none.
        depth: how many other rings it lies in.
    """

    points: np.ndarray
    label: np.ndarray
    depth: int = 0

    @property
    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """(n, 2) starts and (n, 2) ends of its segments."""
        return self.points, np.roll(self.points, -1, axis=0)


def rings_of(outline: Mesh, ahead: np.ndarray) -> tuple[list[Ring], list[str]]:
    """The loops of an outline and the names of its patches. The result does not depend on the order or direction of the file.

    Args:
        outline: closed loops of line cells in 2-D.
        ahead: (2,) the direction in which the first point of each ring lies farthest out.

    Raises:
        InvalidMeshError: not an outline, open, crossing itself or another loop; all in one error.
    """
    if outline.dimension != 2 or outline.cell_dimension != 1:
        raise InvalidMeshError(
            f"an outline of lines in 2-D is needed, not cells of dimension {outline.cell_dimension} in {outline.dimension}-D",
            where=outline.name,
            remedy="pass the body of a plane mesh (geoop.mesh.body.body), or cut a 3-D body with a plane",
        )
    names, label = list(outline.patches), _labels(outline)
    found, problems = [], []
    for loop in loops(outline):
        points = outline.points[loop.points]
        if not loop.closed:
            problems.append(f"open between ({points[0][0]:.6g}, {points[0][1]:.6g}) and ({points[-1][0]:.6g}, {points[-1][1]:.6g})")
            continue
        ring = _canonical(points, label[loop.cells], ahead)
        if len(ring.points) < 3 or abs(signed_area(ring.points)) <= 1e-12 * np.ptp(ring.points, axis=0).max() ** 2:
            problems.append(f"a loop near ({points[0][0]:.6g}, {points[0][1]:.6g}) has no area")
            continue
        found.append(ring)
    start, end = (np.concatenate(part) for part in zip(*(ring.ends for ring in found), strict=True)) if found else (np.zeros((0, 2)),) * 2
    pairs = crossing_segments(start, end) if len(start) else []
    if len(pairs):
        at = start[pairs[0][0]]
        problems.append(f"{len(pairs)} pairs of segments cross or overlap, first near ({at[0]:.6g}, {at[1]:.6g})")
    if problems:
        raise InvalidMeshError(
            "; ".join(problems), where=outline.name, remedy="give closed loops that neither cross nor overlap; a blunt edge needs its base segment"
        )
    found = [replace(ring, depth=sum(holds(other.points, ring.points[0]) for other in found if other is not ring)) for ring in found]
    return sorted(found, key=lambda ring: (ring.depth, -round(float(ring.points[0] @ ahead), 9), -len(ring.points))), names


def _labels(outline: Mesh) -> np.ndarray:
    """(m,) number of the patch of every line cell, the last one that has it, -1 for none."""
    key = {}
    for number, cells in enumerate(outline.patches.values()):
        key |= {tuple(sorted(cell[:2].tolist())): number for cell in cells}
    return np.array([key.get(tuple(sorted(cell[:2].tolist())), -1) for cell in outline.cells])


def _canonical(points: np.ndarray, label: np.ndarray, ahead: np.ndarray) -> Ring:
    if signed_area(points) < 0:
        points, label = points[::-1], np.roll(label[::-1], -1)
    kept = (points != np.roll(points, -1, axis=0)).any(axis=1)
    points, label = points[kept], label[kept]
    size = np.ptp(points, axis=0).max() if len(points) else 1.0
    out, up = points @ ahead, points @ np.array([-ahead[1], ahead[0]])
    first = int(np.lexsort((-np.round(up / size, 9), -np.round(out / size, 9)))[0]) if len(points) else 0
    return Ring(np.roll(points, -first, axis=0), np.roll(label, -first))


def holds(ring: np.ndarray, point: np.ndarray) -> bool:
    """Whether a ring goes round a point (crossings of a ray to the right)."""
    a, b = ring, np.roll(ring, -1, axis=0)
    across = (a[:, 1] > point[1]) != (b[:, 1] > point[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        x = a[:, 0] + (point[1] - a[:, 1]) * (b[:, 0] - a[:, 0]) / (b[:, 1] - a[:, 1])
    return bool(np.count_nonzero(across & (x > point[0])) % 2)


def spaced(rings: list[Ring], size: float | None, growth: float) -> list[Ring]:
    """Rings with points added on their segments where these are longer than wanted; no vertex is lost.

    Wanted are ``size`` (None: the ring's own spacing, a thirtieth of its extent at most), at most 12 degrees of turning per
    edge (at least a twentieth of the size), two thirds of the gap to the next ring, and a change of the spacing by at most the
    growth per distance.
    """
    samples = [_sampled(ring, size) for ring in rings]
    points, wanted = np.concatenate([s[0] for s in samples]), np.concatenate([s[1] for s in samples])
    owner = np.repeat(np.arange(len(rings)), [len(s[0]) for s in samples])
    for i in range(len(rings)):
        if len(rings) > 1:
            gap = KDTree(points[owner != i]).query(points[owner == i])[0]
            wanted[owner == i] = np.minimum(wanted[owner == i], gap / _GAP_CELLS)
    wanted = lipschitz(points, wanted, growth)
    return [_divided(ring, samples[i][2], samples[i][3], wanted[owner == i]) for i, ring in enumerate(rings)]


def _sampled(ring: Ring, size: float | None) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Points along a ring, the spacing wanted there, and for each its segment and the place on it."""
    start, end = ring.ends
    length = np.linalg.norm(end - start, axis=1)
    around = np.maximum(length, np.roll(length, 1))
    turn = np.abs(vertex_turning(ring.points))
    smooth = np.where(turn > CORNER_TURN, 0.0, turn)
    base = np.minimum(around, _OWN_SIZE * np.ptp(ring.points, axis=0).max()) if size is None else np.full(len(length), size)
    bend = _TURN * 0.5 * (length + np.roll(length, 1)) / np.maximum(smooth, 1e-12)
    at_vertex = np.minimum(base, np.maximum(bend, _FINEST * base))
    short = np.minimum(at_vertex, np.minimum(length, np.roll(length, 1)))  # an edge that is there asks its neighbours to follow
    pieces = np.clip(np.ceil(2 * length / np.minimum(short, np.roll(short, -1))), 1, 400).astype(int)
    segment = np.repeat(np.arange(len(length)), pieces)
    t = (np.arange(len(segment)) - np.repeat(np.cumsum(pieces) - pieces, pieces)) / pieces[segment]
    points = start[segment] + t[:, None] * (end - start)[segment]
    wanted = np.where(t == 0, short[segment], (1 - t) * at_vertex[segment] + t * np.roll(at_vertex, -1)[segment])
    return points, wanted, segment, t


def _divided(ring: Ring, segment: np.ndarray, t: np.ndarray, wanted: np.ndarray) -> Ring:
    start, end = ring.ends
    length = np.linalg.norm(end - start, axis=1)
    points, label = [], []
    first = np.searchsorted(segment, np.arange(len(length) + 1))
    closing = np.append(wanted, wanted[0])
    for i in range(len(length)):
        s = np.append(t[first[i] : first[i + 1]], 1.0)
        density = length[i] / closing[first[i] : first[i + 1] + 1]
        number = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]) * np.diff(s))])
        count = max(1, int(np.ceil(number[-1] - 1e-6)))
        places = np.interp(np.linspace(0, number[-1], count + 1)[:-1], number, s)
        points.append(start[i] + places[:, None] * (end[i] - start[i]))
        label.append(np.full(count, ring.label[i]))
    return Ring(np.concatenate(points), np.concatenate(label), ring.depth)


def redistributed(ring: Ring, n: int) -> Ring:
    """The ring on n points that follow its shape and not its own points; corners are kept."""
    points, _ = wall_points(ring.points, n)
    middle = 0.5 * (points + np.roll(points, -1, axis=0))
    start, end = ring.ends
    away = np.stack([_to_segment(middle, a, b) for a, b in zip(start, end, strict=True)])
    return Ring(points, ring.label[away.argmin(axis=0)], ring.depth)


def _to_segment(points: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    t = np.clip(((points - a) @ (b - a)) / ((b - a) @ (b - a)), 0.0, 1.0)
    return np.linalg.norm(points - a - t[:, None] * (b - a), axis=1)


def lipschitz(points: np.ndarray, values: np.ndarray, slope: float) -> np.ndarray:
    """The largest function below the values that changes by at most ``slope`` per distance between the points."""
    out = values.copy()
    for i in np.argsort(values):  # smallest first: reach is long where it matters
        reach = (values.max() - out[i]) / slope
        near = np.abs(points[:, 0] - points[i, 0]) <= reach
        limit = out[i] + slope * np.linalg.norm(points[near] - points[i], axis=1)
        out[near] = np.minimum(out[near], limit)
    return out
