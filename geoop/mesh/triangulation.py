"""Facets of any kind cut into triangles between the points they already have."""

from __future__ import annotations

import numpy as np

from ..errors import InvalidMeshError
from .cells import CELL_TYPES
from .measure import area_vectors
from .mesh import Mesh

#: Facets with mid-side nodes: triangles in local numbers.
_PIECES: dict[str, tuple[tuple[int, int, int], ...]] = {
    "triangle": ((0, 1, 2),),
    "triangle6": ((0, 3, 5), (3, 1, 4), (5, 4, 2), (3, 4, 5)),
    "quad8": ((0, 4, 7), (4, 1, 5), (5, 2, 6), (6, 3, 7), (4, 5, 6), (4, 6, 7)),
    "quad9": ((0, 4, 8), (4, 1, 8), (1, 5, 8), (5, 2, 8), (2, 6, 8), (6, 3, 8), (3, 7, 8), (7, 0, 8)),
}


def triangulated(surface: Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Triangles of the faces of a surface in 3-D, on the points of the mesh, oriented as the faces are.

    A quad is cut along the diagonal that leaves both halves facing its own side (the first one where both do), a polygon by
    ears (Meisters 1975), a quadratic face between its nodes.

    Returns:
        (t, 3) point indices and (t,) index of the cell that each triangle is part of, in order of the cells.

    Raises:
        InvalidMeshError: not a surface in 3-D.
    """
    if surface.dimension != 3 or surface.cell_dimension != 2:
        raise InvalidMeshError(
            "only surfaces in 3-D are cut into triangles", where=surface.name, remedy="pass a boundary: geoop.mesh.body.body(mesh)"
        )
    cells, normals = surface.cells, area_vectors(surface)
    corners, owner = [np.zeros((0, 3), dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for name in cells.names:
        index = cells.where(name)
        if name in _PIECES:
            corners.append(cells.block(name)[:, _PIECES[name]].reshape(-1, 3))
            owner.append(np.repeat(index, len(_PIECES[name])))
        elif name == "quad":
            corners.append(_halves(surface.points, cells.block(name), normals[index]))
            owner.append(np.repeat(index, 2))
        elif CELL_TYPES[name][1] == 2:
            for i in index:
                ears = _ears(surface.points, cells.connectivity[cells.offsets[i] : cells.offsets[i + 1]], normals[i])
                corners.append(ears)
                owner.append(np.full(len(ears), i))
    flat, cell = np.concatenate(corners), np.concatenate(owner)
    order = np.argsort(cell, kind="stable")
    return flat[order], cell[order]


def _halves(points: np.ndarray, quads: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Both triangles of every quad, (2 m, 3)."""
    first, second = quads[:, [[0, 1, 2], [0, 2, 3]]], quads[:, [[0, 1, 3], [1, 2, 3]]]
    worst = [_facing(points, pair, normals).min(axis=1) for pair in (first, second)]
    return np.where(((worst[0] > 0) | (worst[0] >= worst[1]))[:, None, None], first, second).reshape(-1, 3)


def _facing(points: np.ndarray, triangles: np.ndarray, normals: np.ndarray) -> np.ndarray:
    a, b, c = (points[triangles[..., k]] for k in range(3))
    return (np.cross(b - a, c - a) * normals[:, None, :]).sum(axis=-1)


def _ears(points: np.ndarray, ring: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """(k - 2, 3) triangles of one polygon: ears cut off one by one; a fan where none is left (a crossing or flat ring)."""
    axis = int(np.argmax(np.abs(normal)))
    kept = [k for k in range(3) if k != axis]
    sign = np.sign(normal[axis]) * (1 if axis != 1 else -1) or 1.0
    plane = {int(i): points[i][kept] for i in ring}
    left, rows = [int(i) for i in ring], []
    while len(left) > 3:
        ear = next((k for k in range(len(left)) if _is_ear(plane, left, k, sign)), None)
        if ear is None:
            break
        rows.append((left[ear - 1], left[ear], left[(ear + 1) % len(left)]))
        left.pop(ear)
    rows += [(left[0], left[k], left[k + 1]) for k in range(1, len(left) - 1)]
    return np.array(rows)


def _is_ear(plane: dict[int, np.ndarray], left: list[int], k: int, sign: float) -> bool:
    a, b, c = (plane[left[i]] for i in (k - 1, k, (k + 1) % len(left)))
    if sign * _turn(a, b, c) <= 0:
        return False
    others = [plane[i] for i in left if i not in (left[k - 1], left[k], left[(k + 1) % len(left)])]
    return not any(all(sign * _turn(u, v, p) >= 0 for u, v in ((a, b), (b, c), (c, a))) for p in others)


def _turn(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> float:
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))
