"""Coarse corrections: what a sweep over parts cannot carry across the whole region is solved for in a space of a few functions per part."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

import numpy as np
from scipy.linalg import eigh, pinvh
from scipy.sparse import csr_matrix, diags, hstack
from scipy.sparse.linalg import eigsh, splu

from ...errors import ConfigurationError
from ..discrete import Discrete, LinearDiscrete
from ..equations import Equation
from .decomposition import Decomposition
from .part_case import Cutter

#: ``constants``: a constant (rigid motion) per part; ``spectral``: the functions of least energy of every part.
Kind = Literal["constants", "spectral"]
_HALVINGS = 8
_DENSE = 1500  # up to this many functions or nodes, dense algebra


class CoarseSpace:
    """u <- u + Z E^-1 Z^T (b - A u), E = Z^T A Z, with functions Z = R_i^T D_i v of every part, D the partition of unity.

    ``constants``: v spans what the equation's energy does not see (R. A. Nicolaides, SIAM J. Numer. Anal. 24, 1987). ``spectral``: v are eigenvectors of
    A_i v = lambda D_i diag(A) D_i v with the smallest eigenvalues, A_i made of the part's cells alone (the idea of N. Spillane et al., Numer. Math. 126,
    2014, with the diagonal in place of the overlap's matrix), which holds for coefficients that jump.

    Functions of the partition of unity have kinks, to which the high-frequency error of a learned iterate answers: with ``smoothing`` the correction is
    computed from an iterate that went through so many damped Jacobi steps first, and Z itself is smoothed once (as in smoothed aggregation).

    Args:
        problem: the whole.
        decomposition: of it.
        cutter: of its case.
        kind: of functions.
        modes: per part, of a spectral space.
        smoothing: Jacobi steps; 0 for exact local solves.

    Raises:
        ConfigurationError: no modes.
    """

    def __init__(
        self, problem: Discrete, decomposition: Decomposition, cutter: Cutter, *, kind: Kind = "constants", modes: int = 4, smoothing: int = 0
    ) -> None:
        if modes < 1:
            raise ConfigurationError(f"{modes} modes", where="CoarseSpace", remedy="take at least one per part")
        self.problem, self.decomposition, self.cutter = problem, decomposition, cutter
        self.kind, self.modes, self.smoothing = kind, modes, smoothing
        equation: Equation = cutter.equation
        self._kernel = equation.kernel(problem.mesh.points[problem.nodes]).reshape(problem.n, -1)

    def driven_by(self, problem: Discrete) -> None:
        """Correct solutions of the same equations with other data from now on."""
        if not isinstance(problem, LinearDiscrete):  # functions are smoothed by the tangent at the data
            self.__dict__.pop("functions", None)
        self.problem = problem

    @property
    def size(self) -> int:
        """Number of functions."""
        return int(self.functions.shape[1])  # type: ignore[index]

    def corrected(self, u: np.ndarray) -> np.ndarray:
        """(n c,) u with the correction."""
        smooth = self._smoothed(u) if self.smoothing else u
        step = self.correction(self.problem.residual(smooth), smooth)
        if isinstance(self.problem, LinearDiscrete):
            return u + step
        left, share = self.problem.size(self.problem.residual(smooth)), 1.0
        for _ in range(_HALVINGS):  # far from the solution a linearised correction may overshoot
            if self.problem.size(self.problem.residual(smooth + share * step)) < left:
                return u + share * step
            share *= 0.5
        return u

    def correction(self, residual: np.ndarray, u: np.ndarray | None = None) -> np.ndarray:
        """(n c,) Z E^-1 Z^T r; ``u`` is where a nonlinear equation is linearised."""
        right = self.functions.T @ residual
        if isinstance(self.problem, LinearDiscrete):
            return self.functions @ self._solve(right)
        matrix = self._galerkin(self.problem.tangent(self.problem.start() if u is None else u))
        return self.functions @ (pinvh(0.5 * (matrix + matrix.T)) @ right)

    @cached_property
    def functions(self) -> csr_matrix:
        """(n c, size) Z; zero at fixed unknowns."""
        columns = []
        for k, (dofs, weight) in enumerate(zip(self.decomposition.dofs, self.decomposition.weights("average"), strict=True)):
            local = self._kernel[dofs] if self.kind == "constants" else self._spectral(k, weight)
            block = np.linalg.qr(local * weight[:, None])[0] if len(dofs) > local.shape[1] else local * weight[:, None]
            place = csr_matrix((np.ones(len(dofs)), (dofs, np.arange(len(dofs)))), shape=(self.problem.n, len(dofs)))
            columns.append(place @ csr_matrix(block))
        whole = csr_matrix(hstack(columns))
        if self.smoothing:
            matrix = self.problem.tangent(self.problem.start())
            free = diags(self.problem.free.astype(np.float64))
            whole = csr_matrix(whole - (free @ diags((2.0 / 3.0) / self.problem.scale) @ (matrix @ whole)))
        return whole

    def _spectral(self, k: int, blend: np.ndarray) -> np.ndarray:
        """(q, modes) functions of least energy of a part at its unknowns."""
        part, dofs = self.decomposition.parts[k], self.decomposition.dofs[k]
        case, _ = self.cutter.natural(part.cells)
        kernel = self._kernel.shape[1]
        unknowns = self.decomposition.unknowns(part.nodes)
        matrix = self.cutter.equation.energy(case)
        free = self.problem.free[unknowns]
        weight = np.zeros(self.problem.n)
        weight[dofs] = blend
        weigh = np.maximum(weight[unknowns], 1e-2) ** 2 * self.problem.scale[unknowns]
        rows = csr_matrix(matrix)[free][:, free]
        count, inside = min(max(self.modes, kernel), rows.shape[0]), np.searchsorted(unknowns[free], dofs)
        if rows.shape[0] <= _DENSE:
            _, vectors = eigh(rows.toarray(), np.diag(weigh[free]), subset_by_index=[0, count - 1])
        else:
            lowest = -1e-6 * float((rows.diagonal() / weigh[free]).mean())
            start = np.random.default_rng(0).standard_normal(rows.shape[0])
            _, vectors = eigsh(rows.tocsc(), count, M=diags(weigh[free]).tocsc(), sigma=lowest, v0=start)
        return vectors[inside]

    def _galerkin(self, matrix: csr_matrix) -> np.ndarray:
        return np.asarray((self.functions.T @ (matrix @ self.functions)).todense())

    @cached_property
    def _solve(self):
        matrix = csr_matrix(self.functions.T @ (self.problem.tangent(self.problem.start()) @ self.functions))
        if self.size > _DENSE and not self.problem.floating:
            return splu(matrix.tocsc()).solve
        dense = matrix.toarray()
        inverse = pinvh(0.5 * (dense + dense.T)) if self.problem.symmetric else np.linalg.pinv(dense)  # type: ignore[attr-defined]
        return lambda right: inverse @ right

    def _smoothed(self, u: np.ndarray) -> np.ndarray:
        for _ in range(self.smoothing):
            u = u + (2.0 / 3.0) * self.problem.residual(u) / self.problem.scale
        return u
