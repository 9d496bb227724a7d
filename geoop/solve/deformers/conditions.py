"""Sparse equilibrium of points whose boundary moves as told: known displacements, and points that slide along a patch."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import cg

from ...fem.solving import LARGE_SOLID, LinearSystem
from .given_motion import GivenMotion

#: Conjugate gradients on large solids, scaled to a unit diagonal: the residual asked for, and the steps after which multigrid has to do
#: it. Stiffness by distance spans ten orders of magnitude in thin layers, whose residual hides that of the soft outside: with 1e-8 the
#: outside is off by half of the motion, with 1e-13 by 1e-5 of it at most.
_TOLERANCE, _STEPS = 1e-13, 2000


def in_equilibrium(matrix: Any, motion: GivenMotion) -> np.ndarray:
    """(n, d) displacement u [m] of all points with K u = 0 at the free ones.

    Args:
        matrix: K, symmetric positive definite where enough points are held: (n, n) for all components alike, or (n d, n d) with
            component i of point a at ``d * a + i``. Points without an entry stay where they are.
        motion: displacement of the boundary. A sliding point has its tangents as unknowns, so that no force is left along them.

    Raises:
        ConvergenceError: a part of the mesh holds on to nothing.
    """
    n, d = motion.mesh.points.shape
    known = np.zeros((n, d))
    known[motion.points] = motion.values
    bare = np.abs(matrix).sum(axis=1).reshape(n, -1).max(axis=1) == 0
    held = np.zeros(n, dtype=bool)
    held[motion.points] = True
    held |= bare
    scalar = matrix.shape[0] == n
    if scalar and not len(motion.sliding):
        free = np.flatnonzero(~held)
        rows = sp.csr_array(matrix)[free]
        known[free] = _solved(rows[:, free], -(rows @ known), motion.mesh.name, d)
        return known
    whole = sp.kron(matrix, sp.identity(d), format="csr") if scalar else sp.csr_array(matrix)
    spread = _directions(motion, held)
    unknowns = _solved(spread.T @ whole @ spread, -(spread.T @ (whole @ known.ravel())), motion.mesh.name, d)
    return known + (spread @ unknowns).reshape(n, d)


def _solved(matrix: Any, right: np.ndarray, where: str, dimension: int) -> np.ndarray:
    """The solution of (n,) or (n, k) right-hand sides."""
    if dimension == 3 and matrix.shape[0] > LARGE_SOLID:
        scale = 1.0 / np.sqrt(np.where(matrix.diagonal() > 0, matrix.diagonal(), 1.0))
        scaled, columns = sp.csr_matrix(sp.diags(scale) @ matrix @ sp.diags(scale)), []
        for column in right.reshape(len(right), -1).T:
            answer, left = cg(scaled, scale * column, rtol=_TOLERANCE, maxiter=_STEPS)
            if left:
                break
            columns.append(scale * answer)
        else:
            return np.stack(columns, axis=1).reshape(right.shape)
    return LinearSystem(matrix, where, dimension=dimension).solve(right)


def _directions(motion: GivenMotion, held: np.ndarray) -> sp.csr_array:
    """(n d, m) what every unknown moves: one component of a free point, or a sliding point along one of its tangents."""
    n, d = motion.mesh.points.shape
    sliding = motion.sliding[~held[motion.sliding]]
    free = ~held
    free[motion.sliding] = False
    plain = (np.flatnonzero(free)[:, None] * d + np.arange(d)).ravel()
    rows, columns, values = [plain], [np.arange(len(plain))], [np.ones(len(plain))]
    kept = np.isin(motion.sliding, sliding)
    lengths, axes = np.linalg.eigh(motion.tangents[kept])
    point, axis = np.nonzero(lengths > 0.5)
    rows.append((sliding[point][:, None] * d + np.arange(d)).ravel())
    columns.append(np.repeat(len(plain) + np.arange(len(point)), d))
    values.append(axes[point, :, axis].ravel())
    shape = (n * d, len(plain) + len(point))
    return sp.csr_array((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=shape)
