"""Polyhedra: volumes and weights over tetrahedra between the middle of the cell, the middles of its faces and its edges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .cells import Cells


def polyhedron_weights(points: np.ndarray, cells: Cells) -> np.ndarray:
    """(total,) integral over each polyhedron of the shape function of each of its points, in the order of their connectivity.

    A field is taken as linear on tetrahedra (mean of the cell's points, mean of a face's points, edge of that face), with the
    mean of the values at either middle: exact for linear fields, and the weights of a cell add up to the volume that its faces
    enclose (negative where they face inwards).

    Args:
        points: (n, 3) [m].
        cells: with polyhedra among them; other cells are passed over.
    """
    faces = cells.faces
    if faces is None:
        return np.zeros(0)
    index = cells.where("polyhedron")
    sizes = np.diff(cells.offsets)[index]
    number = np.full(len(cells), -1, dtype=np.int64)
    number[index] = np.arange(len(index))
    own = cells.take(index)
    owner = np.repeat(np.arange(len(index)), sizes)
    middle = _means(points[own.connectivity], owner, sizes)

    face_sizes = np.diff(faces.offsets)
    face = np.repeat(np.arange(len(face_sizes)), face_sizes)
    face_owner = number[faces.owner]
    first = points[faces.connectivity]
    second = points[_following(faces.offsets, faces.connectivity)]
    center = _means(first, face, face_sizes)
    origin = middle[face_owner][face]
    volume = np.einsum("nk,nk->n", np.cross(first - origin, second - origin), center[face] - origin) / 6

    of_cell = np.bincount(face_owner[face], weights=volume, minlength=len(index)) / 4
    of_face = np.bincount(face, weights=volume, minlength=len(face_sizes)) / 4
    before = np.empty_like(volume)  # the tetrahedron of the edge that ends at each corner of a face
    before[_next_slot(faces.offsets)] = volume
    at_corner = (volume + before) / 4 + (of_face / face_sizes)[face]
    slot = _slots(face_owner[face], faces.connectivity, owner, own.connectivity)
    return np.bincount(slot, weights=at_corner, minlength=len(owner)) + (of_cell / sizes)[owner]


def facing_out(points: np.ndarray, cells: Cells) -> tuple[Cells, int]:
    """The same cells with every polyhedral face turned away from the middle of its cell, and how many had to be turned.

    Files rarely promise an orientation. A face of a cell that is not star-shaped round the mean of its points may be judged wrongly.

    Args:
        points: (n, 3).
        cells: any cells.
    """
    faces = cells.faces
    if faces is None:
        return cells, 0
    sizes, face_sizes = np.diff(cells.offsets), np.diff(faces.offsets)
    middle = _means(points[cells.connectivity], np.repeat(np.arange(len(cells)), sizes), sizes)
    face = np.repeat(np.arange(len(face_sizes)), face_sizes)
    first = points[faces.connectivity]
    center = _means(first, face, face_sizes)
    spokes = first - center[face]
    area = np.cross(spokes, points[_following(faces.offsets, faces.connectivity)] - center[face])
    vector = np.stack([np.bincount(face, weights=area[:, k], minlength=len(face_sizes)) for k in range(3)], axis=1)
    inward = np.einsum("nk,nk->n", vector, center - middle[faces.owner]) < 0
    return (replace(cells, faces=faces.reversed(inward)), int(inward.sum())) if inward.any() else (cells, 0)


def _means(values: np.ndarray, owner: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    sums = [np.bincount(owner, weights=values[:, k], minlength=len(sizes)) for k in range(values.shape[1])]
    return np.stack(sums, axis=1) / np.maximum(sizes, 1)[:, None]


def _next_slot(offsets: np.ndarray) -> np.ndarray:
    """For every place in a list of rings the place of the next corner of the same ring."""
    following = np.arange(1, offsets[-1] + 1)
    following[offsets[1:] - 1] = offsets[:-1]
    return following


def _following(offsets: np.ndarray, connectivity: np.ndarray) -> np.ndarray:
    return connectivity[_next_slot(offsets)]


def _slots(cell: np.ndarray, point: np.ndarray, owner: np.ndarray, connectivity: np.ndarray) -> np.ndarray:
    """Place in (owner, connectivity) of every pair (cell, point)."""
    width = int(max(point.max(initial=0), connectivity.max(initial=0))) + 1
    key = owner * width + connectivity
    order = np.argsort(key, kind="stable")
    return order[np.searchsorted(key[order], cell * width + point)]
