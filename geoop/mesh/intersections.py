"""Triangles of a surface in 3-D that cut through each other."""

from __future__ import annotations

import numpy as np

from .box_tree import BoxTree
from .topology import row_groups, welded

# An orientation determinant is taken as zero below this multiple of the product of the lengths that enter it: a bound on its rounding
# error (Shewchuk 1997, section 4.3, with the permanent bounded by the lengths).
_ROUNDING = 4e-15


def intersecting_triangles(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Pairs of triangles that meet in more than their common boundary: along a line inside at least one of them, or in an area.

    Triangles that pass through each other count, one that stands with an edge on the inside of another, and overlaps in one plane.
    Not counted: triangles that only share or touch in corners and edges (also with hanging nodes), a corner that touches a face,
    triangles without area, and a triangle with the same three corners as another (that is a repeated cell). Points at equal
    coordinates are one point. What is nearer than rounding counts as touching.

    Candidates are overlapping boxes of a tree; the decision is Devillers and Guigue (2002): signs of orientation determinants only.

    Args:
        points: (n, 3).
        triangles: (t, 3) point indices.

    Returns:
        (k, 2) triangle indices, smaller first, sorted.
    """
    corners = welded(points)[triangles] if len(triangles) else np.zeros((0, 3), dtype=np.int64)
    index = _different(corners, points)
    x = points[corners[index]]
    found = [np.zeros((0, 2), dtype=np.int64)]
    if len(index) > 1:
        faces = _Faces(x, corners[index])
        for i, j in BoxTree.of(x.min(axis=1), x.max(axis=1)).overlapping_pairs():
            found.append(index[np.sort(faces.meeting(i, j), axis=1)])
    pairs = np.concatenate(found)
    return pairs[np.lexsort(pairs.T[::-1])]


def _different(corners: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Indices of the triangles that have area and are the first with their corners."""
    first = np.zeros(len(corners), dtype=bool)
    first[np.unique(row_groups(np.sort(corners, axis=1)), return_index=True)[1]] = True
    a, b, c = (points[corners[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    return np.flatnonzero(first & (area > _ROUNDING * np.maximum(((b - a) ** 2).sum(axis=1), ((c - a) ** 2).sum(axis=1))))


class _Faces:
    """Triangles with what the tests need: corners (t, 3, 3), welded numbers (t, 3), normals and the rounding error of a height."""

    def __init__(self, x: np.ndarray, number: np.ndarray) -> None:
        u, v = x[:, 1] - x[:, 0], x[:, 2] - x[:, 0]
        self.x, self.number, self.normal = x, number, np.cross(u, v)
        self.error = _ROUNDING * np.linalg.norm(u, axis=1) * np.linalg.norm(v, axis=1)

    def meeting(self, i: np.ndarray, j: np.ndarray) -> np.ndarray:
        """(k, 2) those of the pairs that intersect."""
        sides_i = self._sides(i, j)
        kept = _reaches(sides_i)
        i, j, sides_i = i[kept], j[kept], sides_i[kept]
        sides_j = self._sides(j, i)
        kept = _reaches(sides_j)
        i, j, sides_i, sides_j = i[kept], j[kept], sides_i[kept], sides_j[kept]
        flat = ~sides_i.any(axis=1) | ~sides_j.any(axis=1)
        inside = _straddles(sides_i) | _straddles(sides_j)
        cut = np.flatnonzero(~flat & inside)
        hit = np.zeros(len(i), dtype=bool)
        hit[cut] = self._chords_overlap(i[cut], j[cut], sides_i[cut], sides_j[cut])
        flat = np.flatnonzero(flat)
        hit[flat] = self._areas_overlap(i[flat], j[flat])
        return np.stack([i[hit], j[hit]], axis=1)

    def _sides(self, i: np.ndarray, j: np.ndarray) -> np.ndarray:
        """(k, 3) side of the plane of triangle j on which each corner of triangle i lies: -1, 0, 1; 0 for a shared corner."""
        offset = self.x[i] - self.x[j, :1]
        height = np.einsum("kcd,kd->kc", offset, self.normal[j])
        sure = height**2 > (self.error[j] ** 2)[:, None] * np.einsum("kcd,kcd->kc", offset, offset)
        shared = (self.number[i][:, :, None] == self.number[j][:, None, :]).any(axis=2)
        return np.where(sure & ~shared, np.sign(height), 0.0).astype(np.int8)

    def _chords_overlap(self, i: np.ndarray, j: np.ndarray, sides_i: np.ndarray, sides_j: np.ndarray) -> np.ndarray:
        """Whether the pieces that two planes cut out of each other's triangle overlap on their common line."""
        turn_i, turn_j = _apex_first(sides_i), _apex_first(sides_j)
        row = np.arange(len(i))[:, None]
        a, b = self.x[i[:, None], turn_i], self.x[j[:, None], turn_j]
        numbers = self.number[i[:, None], turn_i], self.number[j[:, None], turn_j]
        up_a, up_b = (sides[row, turn][:, 0] > 0 for sides, turn in ((sides_i, turn_i), (sides_j, turn_j)))
        # along (normal of a) x (normal of b), a chord of a runs from its edge to corner 2 to its edge to corner 1 if its apex is above b
        low_a, high_a = np.where(up_a, 2, 1), np.where(up_a, 1, 2)
        low_b, high_b = np.where(up_b, 1, 2), np.where(up_b, 2, 1)
        facing = np.where(up_a == up_b, 1, -1)
        forward = facing * _order(a, b, numbers, low_a, high_b)
        backward = facing * _order(a, b, numbers, high_a, low_b)
        return (forward > 0) & (backward < 0)

    def _areas_overlap(self, i: np.ndarray, j: np.ndarray) -> np.ndarray:
        """Whether two triangles in one plane share an area: no edge of either has the other one on its outer side."""
        drop = np.argmax(np.abs(self.normal[i]), axis=1)
        kept = np.array([[1, 2], [2, 0], [0, 1]])[drop]
        a, b = (np.take_along_axis(self.x[k], kept[:, None, :], axis=2) for k in (i, j))
        same = self.number[i][:, :, None] == self.number[j][:, None, :]
        return ~(_parted(a, b, same) | _parted(b, a, same.transpose(0, 2, 1)))


def _reaches(sides: np.ndarray) -> np.ndarray:
    """Whether a triangle has more than a point in common with a plane, from the sides of its corners."""
    return (sides.min(axis=1) < 0) & (sides.max(axis=1) > 0) | ((sides == 0).sum(axis=1) >= 2)


def _straddles(sides: np.ndarray) -> np.ndarray:
    return (sides.min(axis=1) < 0) & (sides.max(axis=1) > 0)


def _apex_first(sides: np.ndarray) -> np.ndarray:
    """(k, 3) cyclic order of corners that begins with the one whose side no other corner is on."""
    alone = (sides != 0) & np.stack([(sides[:, k] != sides[:, (k + 1) % 3]) & (sides[:, k] != sides[:, (k + 2) % 3]) for k in range(3)], axis=1)
    return (np.argmax(alone, axis=1)[:, None] + np.arange(3)) % 3


def _order(a: np.ndarray, b: np.ndarray, numbers: tuple[np.ndarray, np.ndarray], on_a: np.ndarray, on_b: np.ndarray) -> np.ndarray:
    """Sign of the determinant of the edges apex-corner of two triangles: which one meets the common line of the planes first."""
    row = np.arange(len(a))
    u, v, w = a[row, on_a] - a[:, 0], b[:, 0] - a[:, 0], b[row, on_b] - a[:, 0]
    det = (u * np.cross(v, w)).sum(axis=1)
    size = np.prod([np.linalg.norm(part, axis=1) for part in (u, v, w)], axis=0)
    ends = (numbers[0][:, 0], numbers[0][row, on_a]), (numbers[1][:, 0], numbers[1][row, on_b])
    shared = np.logical_or.reduce([p == q for p in ends[0] for q in ends[1]])
    return np.where((np.abs(det) > 2 * _ROUNDING * size) & ~shared, np.sign(det), 0.0)


def _parted(a: np.ndarray, b: np.ndarray, same: np.ndarray) -> np.ndarray:
    """Whether a line through an edge of a has all of b on its outer side or on it; (k, 3, 2) corners, (k, 3, 3) equal corners."""
    out = np.zeros(len(a), dtype=bool)
    for k in range(3):
        start, edge = a[:, k], a[:, (k + 1) % 3] - a[:, k]
        inner = np.sign(_turn(edge, a[:, (k + 2) % 3] - start))
        offset = b - start[:, None]
        turn = _turn(edge[:, None], offset)
        bound = _ROUNDING * np.linalg.norm(edge, axis=1)[:, None] * np.linalg.norm(offset, axis=2)
        side = np.where((np.abs(turn) > bound) & ~same[:, k] & ~same[:, (k + 1) % 3], np.sign(turn), 0.0) * inner[:, None]
        out |= (side <= 0).all(axis=1)
    return out


def _turn(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]
