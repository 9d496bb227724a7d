"""Where the simplices of two meshes overlap: the pieces in which each is cut by the other, exactly, in 2-D and 3-D.

Every triangle (tetrahedron) of one mesh is cut by the sides of every one of the other that it may meet, one side after the other
(Sutherland and Hodgman, Commun. ACM 17 (1974) 32); what remains is kept as simplices. Places are barycentric coordinates
throughout, so that thin cells far from the origin lose no digits. The pieces are a supermesh (Farrell, Piggott, Pain, Gorman and
Wilson, Comput. Methods Appl. Mech. Eng. 198 (2009) 2632).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...mesh.box_tree import BoxTree

_PAIRS = 40_000  # pairs of simplices cut at once
#: A piece below this share of both of its simplices is rounding.
_NOTHING = 1e-15

#: Corners inside -> simplices of what is kept, by corner (0..d: inside ones first) or by edge that is cut.
_KEPT_PLANE = {1: (((0,), (0, 1), (0, 2)),), 2: (((0,), (1,), (1, 2)), ((0,), (1, 2), (0, 2)))}
_KEPT_SPACE = {
    1: (((0,), (0, 1), (0, 2), (0, 3)),),
    2: (((0,), (0, 2), (0, 3), (1, 3)), ((0,), (0, 2), (1, 3), (1, 2)), ((0,), (1, 2), (1, 3), (1,))),
    3: (((0,), (1,), (2,), (2, 3)), ((0,), (1,), (2, 3), (1, 3)), ((0,), (1, 3), (2, 3), (0, 3))),
}


@dataclass(frozen=True, eq=False)
class Pieces:
    """Simplices that lie in one simplex of each of two meshes.

    Attributes:
        first, second: (m,) rows of the simplices.
        in_first, in_second: (m, d + 1, d + 1) barycentric coordinates of the corners there.
        measure: (m,) [m^d].
    """

    first: np.ndarray
    second: np.ndarray
    in_first: np.ndarray
    in_second: np.ndarray
    measure: np.ndarray


def overlaps(first: np.ndarray, second: np.ndarray) -> Iterator[Pieces]:
    """The pieces in which (k, d + 1, d) and (l, d + 1, d) simplices overlap, some at a time; together they cover what both meshes cover."""
    size = [np.abs(np.linalg.det(x[:, 1:] - x[:, :1])) / (2.0 if x.shape[2] == 2 else 6.0) for x in (first, second)]
    for i, j in _candidates(first, second):
        for k in range(0, len(i), _PAIRS):
            yield _cut(first, second, i[k : k + _PAIRS], j[k : k + _PAIRS], size)


def _candidates(first: np.ndarray, second: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows of simplices whose boxes overlap."""
    low = np.concatenate([first.min(axis=1), second.min(axis=1)])
    high = np.concatenate([first.max(axis=1), second.max(axis=1)])
    count = len(first)
    waiting: list[tuple[np.ndarray, np.ndarray]] = []
    held = 0
    for a, b in BoxTree.of(low, high).overlapping_pairs():
        mixed = (a < count) != (b < count)
        one, two = np.minimum(a[mixed], b[mixed]), np.maximum(a[mixed], b[mixed]) - count
        waiting.append((one, two))
        held += len(one)
        if held > 4 * _PAIRS:
            yield _joined(waiting)
            waiting, held = [], 0
    if held:
        yield _joined(waiting)


def _joined(pairs: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([one for one, _ in pairs]), np.concatenate([two for _, two in pairs])


def _cut(first: np.ndarray, second: np.ndarray, i: np.ndarray, j: np.ndarray, size: list[np.ndarray]) -> Pieces:
    x, y = first[i], second[j]
    d = x.shape[2]
    # barycentric coordinates, in the second simplex, of the corners of the first one
    inner = np.linalg.solve((y[:, 1:] - y[:, :1]).transpose(0, 2, 1), (x - y[:, :1]).transpose(0, 2, 1)).transpose(0, 2, 1)
    there = np.concatenate([1.0 - inner.sum(axis=2, keepdims=True), inner], axis=2)
    pair = np.arange(len(i))
    pieces = np.broadcast_to(np.eye(d + 1), (len(i), d + 1, d + 1))
    for side in range(d + 1):
        height = np.einsum("mca,ma->mc", pieces, there[pair, :, side])
        pair, pieces = _halved(pair, pieces, height)
    measure = np.abs(np.linalg.det(pieces)) * size[0][i[pair]]
    kept = measure > _NOTHING * np.minimum(size[0][i[pair]], size[1][j[pair]])
    pair, pieces = pair[kept], pieces[kept]
    return Pieces(i[pair], j[pair], pieces, np.einsum("mca,mab->mcb", pieces, there[pair]), measure[kept])


def _halved(pair: np.ndarray, pieces: np.ndarray, height: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What is left of pieces (m, d + 1, d + 1) above height zero, given at their corners (m, d + 1), as simplices, and their pairs."""
    above = height > 0
    count = above.sum(axis=1)
    corners = pieces.shape[1]
    pairs, parts = [pair[count == corners]], [pieces[count == corners]]
    for inside, shapes in (_KEPT_PLANE if corners == 3 else _KEPT_SPACE).items():
        rows = np.flatnonzero(count == inside)
        order = np.argsort(~above[rows], axis=1, kind="stable")
        h = np.take_along_axis(height[rows], order, axis=1)
        p = np.take_along_axis(pieces[rows], order[:, :, None], axis=1)
        for shape in shapes:
            made = [p[:, c[0]] if len(c) == 1 else _crossing(p, h, *c) for c in shape]
            pairs.append(pair[rows])
            parts.append(np.stack(made, axis=1))
    return np.concatenate(pairs), np.concatenate(parts)


def _crossing(p: np.ndarray, h: np.ndarray, a: int, b: int) -> np.ndarray:
    """(m, d + 1) where height is zero between corner a above and corner b below."""
    share = (h[:, a] / (h[:, a] - h[:, b]))[:, None]
    return (1 - share) * p[:, a] + share * p[:, b]
