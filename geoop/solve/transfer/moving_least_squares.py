"""Interpolation between clouds: weighted least squares of a linear function round every target, exact for constants and linears."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.spatial import KDTree

from ...errors import InvalidMeshError

_PAIRS = 1 << 19  # targets times neighbours at once
#: A fit whose weights add up to more than this in magnitude would amplify errors: in thin layers the nearest points stand in one column,
#: and tell nothing about the direction across it. More are taken, up to so many.
_AMPLIFIED, _MOST = 4.0, 320
#: Neighbours whose spread in their narrowest direction is below this share of the widest one lie on a line or plane.
_FLAT = 1e-9


def moving_least_squares(source: np.ndarray, target: np.ndarray, *, neighbours: int | None = None) -> tuple[sp.csr_array, tuple[sp.csr_array, ...]]:
    """Matrices that give values, and the d derivatives [1/m], at target points from values at source points.

    Round every target the linear function that fits its nearest source points best, near ones weighing most (Lancaster and Salkauskas,
    Math. Comput. 37 (1981) 141; weight (1 - r/R)^4 (4 r/R + 1) with R a little beyond the last neighbour). The rows of the first
    matrix add up to one and those of the derivatives to zero: constants and linear functions are exact, wherever the target lies.
    Where the neighbours lie on a line (a plane in 3-D) or nearly so, as in thin layers, more are taken; a cloud that lies on one
    altogether gives constants only.

    Args:
        source: (n, d) [m].
        target: (m, d) [m].
        neighbours: per target; None: 10 in 2-D, 18 in 3-D.

    Raises:
        InvalidMeshError: no source points, or points of another dimension.
    """
    n, d = source.shape
    if not n or target.ndim != 2 or target.shape[1] != d:
        raise InvalidMeshError(
            f"points of shapes {source.shape} and {target.shape} cannot be joined",
            where="moving_least_squares",
            remedy="give (n, d) and (m, d) points",
        )
    tree = KDTree(source)
    wanted = min(neighbours or (10 if d == 2 else 18), n)
    most = min(max(_MOST, wanted), n)
    index, weight, row = [], [], []
    todo, count = np.arange(len(target)), wanted
    while len(todo):
        left = []
        for start in range(0, len(todo), _PAIRS // count):
            part = todo[start : start + _PAIRS // count]
            nearest, weights, sound = _fitted(tree, source, target[part], count)
            done = sound & (np.abs(weights[:, 0]).sum(axis=1) <= _AMPLIFIED)
            if count == most:
                weights[~sound] = _plain(tree, target[part[~sound]], count, d)
                done[:] = True
            row.append(np.repeat(part[done], count))
            index.append(nearest[done].ravel())
            weight.append(weights[done].transpose(0, 2, 1).reshape(-1, d + 1))
            left.append(part[~done])
        todo, count = np.concatenate(left), min(2 * count, most)
    rows, columns, values = np.concatenate(row), np.concatenate(index), np.concatenate(weight)
    made = [sp.csr_array((values[:, k], (rows, columns)), shape=(len(target), n)) for k in range(d + 1)]
    return made[0], tuple(made[1:])


def _fitted(tree: KDTree, source: np.ndarray, x: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nearest points (m, k), weights (m, d + 1, k) of value and derivatives, and (m,) whether the points determine a linear function."""
    distance, nearest = (part.reshape(len(x), -1) for part in tree.query(x, k=count))
    d = x.shape[1]
    r = distance / (1.1 * distance[:, -1:] + 1e-300)
    size = (1 - r) ** 4 * (4 * r + 1)
    root = np.sqrt(size / size.sum(axis=1, keepdims=True))
    offset = source[nearest] - x[:, None]
    mean = np.einsum("mk,mkd->md", root**2, offset)
    # in the axes and spreads of the neighbours themselves, thin layers are as well conditioned as any other cloud
    _, spread, axes = np.linalg.svd(root[..., None] * (offset - mean[:, None]), full_matrices=False)
    sound = spread[:, -1] > _FLAT * spread[:, 0] if spread.shape[1] == d else np.zeros(len(x), dtype=bool)
    scale = np.where(sound[:, None], spread, 1.0) if spread.shape[1] == d else np.ones((len(x), d))
    frame = axes.transpose(0, 2, 1) / scale[:, None] if spread.shape[1] == d else np.broadcast_to(np.eye(d), (len(x), d, d))
    local = np.einsum("mkd,mde->mke", offset - mean[:, None], frame)
    columns = np.concatenate([root[..., None], root[..., None] * local], axis=2)
    basis, factor = np.linalg.qr(columns)
    factor[~sound] = np.eye(factor.shape[1], d + 1) if factor.shape[1] == d + 1 else 0.0
    if factor.shape[1] < d + 1:
        return nearest, np.zeros((len(x), d + 1, count)), sound
    coefficients = np.linalg.solve(factor, basis.transpose(0, 2, 1)) * root[:, None]
    slopes = np.einsum("mde,mek->mdk", frame, coefficients[:, 1:])
    value = coefficients[:, 0] - np.einsum("md,mdk->mk", mean, slopes)
    return nearest, np.concatenate([value[:, None], slopes], axis=1), sound


def _plain(tree: KDTree, x: np.ndarray, count: int, d: int) -> np.ndarray:
    """(m, d + 1, k) weights of a weighted mean, without slope."""
    distance = tree.query(x, k=count)[0].reshape(len(x), -1) if len(x) else np.zeros((0, count))
    near = 1.0 / (distance + 1e-12 * distance.max(initial=1e-300)) ** 2
    out = np.zeros((len(x), d + 1, count))
    out[:, 0] = near / near.sum(axis=1, keepdims=True)
    return out
