"""Conjugate gradients for bodies of many cells, with the rigid motions of blocks of points as a coarse space.

The matrix is scaled to unit blocks on its diagonal. What is slow then is what moves large parts alike; these are solved for exactly: with
P the rigid motions of every block, orthonormal, the preconditioner is I + P (P^T A P)^-1 P^T (R. A. Nicolaides, "Deflation of conjugate
gradients with applications to boundary value problems", SIAM J. Numer. Anal. 24, 1987; additive as in B. Smith, P. Bjorstad and W. Gropp,
Domain Decomposition, 1996, chapter 2). 3e5 unknowns in layers of 1e-5: 664 steps without it, 216 with 512 blocks.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from ...fem.solving import LinearSystem

#: Points of a block, at least, and blocks, at most.
_POINTS, _BLOCKS = 100, 1024
#: Steps after which the iteration is given up.
_STEPS = 2000


class RigidBlocks:
    """The preconditioner.

    Args:
        matrix: A, (f k, f k), unit blocks on the diagonal where a point is free.
        points: (f, d) places of its points [m].
        unscaled: (f, k, k) what takes a displacement of a point to its unknowns.
        where: what it belongs to, for errors.
    """

    def __init__(self, matrix: Any, points: np.ndarray, unscaled: np.ndarray, where: str) -> None:
        f, k = unscaled.shape[:2]
        block = bisected(points, min(_BLOCKS, max(1, f // _POINTS)))
        count = int(block.max()) + 1
        modes = np.matmul(unscaled, _rigid(points, block, count, k))
        rows = np.argsort(block, kind="stable")
        ends = np.searchsorted(block[rows], np.arange(count + 1))
        for a, b in zip(ends[:-1], ends[1:], strict=True):
            one, length, _ = np.linalg.svd(modes[rows[a:b]].reshape(-1, modes.shape[2]), full_matrices=False)
            one[:, length <= 1e-8 * length[0]] = 0.0
            modes[rows[a:b], :, : one.shape[1]], modes[rows[a:b], :, one.shape[1] :] = one.reshape(b - a, k, -1), 0.0
        spread = sp.bsr_array((modes, block, np.arange(f + 1)), shape=(f * k, count * modes.shape[2])).tocsr()
        spread.eliminate_zeros()
        coarse = (spread.T @ (matrix @ spread)).tocsr()
        empty = coarse.diagonal() <= 0
        self._spread, self._gather = spread, spread.T.tocsr()
        self._coarse = LinearSystem(coarse + sp.diags_array(empty.astype(np.float64)), where)

    def __call__(self, residual: np.ndarray) -> np.ndarray:
        """(m, c) the residual (m, c) preconditioned."""
        return residual + self._spread @ self._coarse.solve(self._gather @ residual)


def conjugate_gradients(
    matrix: Any, right: np.ndarray, guess: np.ndarray, near: RigidBlocks, tolerance: float, steps: int = _STEPS
) -> np.ndarray | None:
    """The solution of (m, c) right-hand sides side by side, from a first guess (m, c); None where the steps do not suffice.

    Args:
        matrix: symmetric positive definite (m, m).
        right, guess: see above.
        near: the preconditioner.
        tolerance: of the residual, relative to the right-hand side.
        steps: at most.
    """
    answer, residual = guess.copy(), right - matrix @ guess if guess.any() else right.copy()
    goal = tolerance * np.linalg.norm(right, axis=0)
    direction, before = np.zeros_like(right), np.ones(right.shape[1])
    for _ in range(steps):
        if (np.linalg.norm(residual, axis=0) <= goal).all():
            return answer
        preconditioned = near(residual)
        energy = np.einsum("mk,mk->k", residual, preconditioned)
        direction *= energy / before
        direction += preconditioned
        image = matrix @ direction
        curve = np.einsum("mk,mk->k", direction, image)
        if not (curve[energy > 0] > 0).all():
            return None
        step = np.divide(energy, curve, out=np.zeros_like(energy), where=curve > 0)
        answer += step * direction
        residual -= step * image
        before = np.where(energy > 0, energy, 1.0)
    return None


def bisected(points: np.ndarray, parts: int) -> np.ndarray:
    """(f,) block of every point, of about equal numbers of points: halved along the longest axis until there are as many as asked."""
    pieces, block = [np.arange(len(points))], np.zeros(len(points), dtype=np.int64)
    while 2 * len(pieces) <= parts:
        halves = []
        for piece in pieces:
            axis = int(np.argmax(np.ptp(points[piece], axis=0)))
            order = piece[np.argsort(points[piece, axis], kind="stable")]
            halves += [order[: len(order) // 2], order[len(order) // 2 :]]
        pieces = halves
    for number, piece in enumerate(pieces):
        block[piece] = number
    return block


def _rigid(points: np.ndarray, block: np.ndarray, count: int, size: int) -> np.ndarray:
    """(f, k, r) translations and rotations of every block round its middle; a constant where components are solved for one by one."""
    if size == 1:
        return np.ones((len(points), 1, 1))
    members = np.bincount(block, minlength=count)
    mean = np.stack([np.bincount(block, x, count) for x in points.T], axis=1) / members[:, None]
    arm = points - mean[block]
    arm /= np.sqrt(np.bincount(block, (arm**2).sum(axis=1), count) / members).clip(min=1e-300)[block, None]
    turns = [(0, 1)] if size == 2 else [(0, 1), (1, 2), (2, 0)]
    modes = np.zeros((len(points), size, size + len(turns)))
    modes[:, np.arange(size), np.arange(size)] = 1.0
    for number, (i, j) in enumerate(turns, size):
        modes[:, i, number], modes[:, j, number] = -arm[:, j], arm[:, i]
    return modes
