"""Closed loops of an outline as rings of grid points: which lies in which, where their points go, and which patch they belong to."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import KDTree

from ...errors import InvalidMeshError
from ..box_tree import BoxTree
from ..crossings import crossing_segments
from ..loops import loops, signed_area
from ..mesh import Mesh
from .wall_spacing import CORNER_TURN, vertex_turning, wall_points

_GAP_CELLS = 1.5  # cells that must fit between two loops
_TURN = np.radians(12.0)  # of the outline per edge at most, where its points allow it
_OWN_SIZE = 1 / 30  # of the extent of a ring: its longest edge where no size is given
_FINEST = 0.05  # of the wanted size: what curvature may ask for
_APART = 1e-6  # of the extent: loops that come nearer cannot be told from loops that touch
_PAIRS = 2**16  # of points held at once
#: Points of all loops together up to which a mesh is made.
MOST_POINTS = 200_000


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
        InvalidMeshError: not an outline, open, crossing itself or another loop, or nearer to it than a millionth of the extent; all in
            one error.
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
    elif len(found) > 1:
        problems += _touching(found)
    if problems:
        raise InvalidMeshError(
            "; ".join(problems),
            where=outline.name,
            remedy="give closed loops that neither cross nor overlap: move loops that touch apart or make them one; a blunt edge needs its base segment",
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


def _touching(rings: list[Ring]) -> list[str]:
    """What is wrong with loops that do not cross but come nearer to each other than a mesh can resolve: nothing or one sentence."""
    points, end = (np.concatenate(part) for part in zip(*(ring.ends for ring in rings), strict=True))
    owner = np.repeat(np.arange(len(rings)), [len(ring.points) for ring in rings])
    middle = points.mean(axis=0)
    a, b = points - middle, end - middle
    reach = _APART * float(np.ptp(points, axis=0).max())
    nearest, at = np.inf, -1  # of loops that do not cross, the nearest places are a vertex and a segment
    for q, segment in BoxTree.of(np.minimum(a, b), np.maximum(a, b)).near(a, np.full(len(a), reach)):
        other = owner[q] != owner[segment]
        q, segment = q[other], segment[other]
        away = _to_segment(a[q], a[segment], b[segment])
        if len(away) and away.min() < nearest:
            nearest, at = float(away.min()), int(q[np.argmin(away)])
    if nearest > reach:
        return []
    return [f"two loops come within {nearest:.3g} of each other near ({points[at][0]:.6g}, {points[at][1]:.6g})"]


def spaced(rings: list[Ring], size: float | None, growth: float, name: str = "outline") -> list[Ring]:
    """Rings with points added on their segments where these are longer than wanted; no vertex is lost.

    Wanted are ``size`` (None: the ring's own spacing, a thirtieth of its extent at most), at most 12 degrees of turning per
    edge (at least a twentieth of the size), two thirds of the gap to the next ring, and a change of the spacing by at most the
    growth per distance.

    Raises:
        InvalidMeshError: that would take more than :data:`MOST_POINTS` points.
    """
    if size is not None:
        require_few(sum(float(np.linalg.norm(np.subtract(*ring.ends), axis=1).sum()) for ring in rings) / size, name)
    samples = [_sampled(ring, size) for ring in rings]
    points, wanted = np.concatenate([s[0] for s in samples]), np.concatenate([s[1] for s in samples])
    owner = np.repeat(np.arange(len(rings)), [len(s[0]) for s in samples])
    for i in range(len(rings)):
        if len(rings) > 1:
            gap = KDTree(points[owner != i]).query(points[owner == i])[0]
            wanted[owner == i] = np.minimum(wanted[owner == i], gap / _GAP_CELLS)
    wanted = lipschitz(points, wanted, growth)
    closing = [np.append(wanted[owner == i], wanted[owner == i][:1]) for i in range(len(rings))]
    cells = [_cells(ring, *samples[i][2:], closing[i]) for i, ring in enumerate(rings)]
    require_few(float(sum(part.sum() for part in cells)), name)
    return [_divided(ring, *samples[i][2:], closing[i], cells[i]) for i, ring in enumerate(rings)]


def require_few(count: float, name: str) -> None:
    """Refuse more points than anybody can want, before memory is asked for.

    Raises:
        InvalidMeshError: more than :data:`MOST_POINTS`.
    """
    if count > MOST_POINTS:
        raise InvalidMeshError(
            f"the boundaries would need {count:.3g} points, {MOST_POINTS} are the most",
            where=name,
            remedy="ask for a longer wall_size or far_size, move loops that nearly touch apart, or take out points that nearly coincide",
        )


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


def _cells(ring: Ring, segment: np.ndarray, t: np.ndarray, closing: np.ndarray) -> np.ndarray:
    """How many cells of the wanted spacing fit between each sample and the next; the spacing is linear in between."""
    step = np.append(t[1:], 0.0)
    step = np.where(step > t, step, 1.0) - t
    start, end = ring.ends
    length = step * np.linalg.norm(end - start, axis=1)[segment]
    ratio = np.log(closing[1:] / closing[:-1])
    change = np.diff(closing)
    same = np.abs(ratio) < 1e-6
    return length * np.where(same, 2.0 / (closing[1:] + closing[:-1]), ratio / np.where(same, 1.0, change))


def _divided(ring: Ring, segment: np.ndarray, t: np.ndarray, closing: np.ndarray, cells: np.ndarray) -> Ring:
    start, end = ring.ends
    points, label = [], []
    first = np.searchsorted(segment, np.arange(len(start) + 1))
    for i in range(len(start)):
        own = slice(first[i], first[i + 1])
        number = np.concatenate([[0.0], np.cumsum(cells[own])])
        count = max(1, int(np.ceil(number[-1] - 1e-6)))
        wanted = np.linspace(0, number[-1], count + 1)[:-1]
        k = np.minimum(np.searchsorted(number, wanted, side="right") - 1, len(number) - 2)
        share = (wanted - number[k]) / cells[own][k]  # of the cells between two samples; with a linear spacing these grow geometrically
        ratio = np.log(closing[own.start + k + 1] / closing[own.start + k])
        flat = np.abs(ratio) < 1e-6
        along = np.where(flat, share, np.expm1(share * ratio) / np.where(flat, 1.0, np.expm1(ratio)))
        s = np.append(t[own], 1.0)
        places = s[k] + along * (s[k + 1] - s[k])
        points.append(start[i] + places[:, None] * (end[i] - start[i]))
        label.append(np.full(count, ring.label[i]))
    return Ring(np.concatenate(points), np.concatenate(label), ring.depth)


def redistributed(ring: Ring, n: int) -> Ring:
    """The ring on n points that follow its shape and not its own points; corners are kept."""
    points, _ = wall_points(ring.points, n)
    middle = 0.5 * (points + np.roll(points, -1, axis=0))
    start, end = ring.ends
    away = np.stack([_to_segment(middle, a[None], b[None]) for a, b in zip(start, end, strict=True)])
    return Ring(points, ring.label[away.argmin(axis=0)], ring.depth)


def _to_segment(points: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(n,) distance of each point from its segment a-b."""
    along = b - a
    t = np.clip(((points - a) * along).sum(axis=1) / (along**2).sum(axis=1), 0.0, 1.0)
    return np.linalg.norm(points - a - t[:, None] * along, axis=1)


def lipschitz(points: np.ndarray, values: np.ndarray, slope: float) -> np.ndarray:
    """(n,) the largest function below the values (n,) that changes by at most ``slope`` per distance between the points (n, 2).

    That is min_j (values_j + slope |x_i - x_j|), by branch and bound down a tree of boxes: a box is left out where its smallest value
    and its distance cannot lower what the point of its smallest value gives already.
    """
    middle = points.mean(axis=0)
    x = points - middle
    tree, out = BoxTree.of(x, x), np.asarray(values, dtype=np.float64).copy()
    lowest = [tree.order]  # per level, the point of smallest value in every box
    far, amount = np.concatenate([x, np.full((1, 2), np.inf)]), np.append(values, np.inf)
    for _ in range(tree.depth):
        pair = lowest[-1].reshape(-1, 2)
        lowest.append(np.take_along_axis(pair, np.argmin(amount[pair], axis=1)[:, None], axis=1)[:, 0])
    lowest = lowest[::-1]
    waiting = [(0, np.arange(k, min(k + _PAIRS, len(x))), np.zeros(min(_PAIRS, len(x) - k), dtype=np.int64)) for k in range(0, len(x), _PAIRS)]
    while waiting:
        level, q, node = waiting.pop()
        source = lowest[level][node]
        kept = source < tree.n_boxes
        q, node, source = q[kept], node[kept], source[kept]
        np.minimum.at(out, q, amount[source] + slope * np.linalg.norm(x[q] - far[source], axis=1))
        if level == tree.depth:
            continue
        outside = np.maximum(np.maximum(tree.low[level][node] - x[q], x[q] - tree.high[level][node]), 0.0)
        kept = amount[source] + slope * np.linalg.norm(outside, axis=1) < out[q]
        q, node = np.repeat(q[kept], 2), np.stack([2 * node[kept], 2 * node[kept] + 1], axis=1).reshape(-1)
        waiting += [(level + 1, q[k : k + _PAIRS], node[k : k + _PAIRS]) for k in range(0, len(q), _PAIRS)]
    return out
