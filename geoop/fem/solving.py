"""Sparse systems solved many times: factorised where that is cheap, by multigrid where factors would fill the memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csc_matrix, csr_matrix, spmatrix
from scipy.sparse.linalg import cg, splu

from ..errors import ConvergenceError

#: Above this many unknowns of a solid, multigrid. 59 000 unknowns of quadratic tetrahedra: factors 6.4 s and 0.09 s per right-hand side,
#: multigrid 2.3 s and 0.66 s (one core); time and memory of factors grow as n^2 and n^(4/3) in space.
LARGE_SOLID = 60_000
#: The same for one component on linear tetrahedra: 3e4 unknowns 3.0 s by factors, 0.2 s by multigrid.
LARGE_SCALAR = 4_000
_TOLERANCE = 1e-11  # of the residual, relative to the right-hand side
_SWEEPS = 500


class LinearSystem:
    """A matrix prepared once for many right-hand sides.

    Factors (SuperLU; ordered for symmetric patterns where the matrix is symmetric) unless the matrix is symmetric positive
    definite, from a solid and larger than :data:`LARGE_SOLID`: then conjugate gradients with smoothed aggregation (pyamg) to a
    relative residual of 1e-11, unless told otherwise. Both give the same bits for the same matrix.

    Args:
        matrix: square, sparse.
        where: what it belongs to, for errors.
        symmetric: whether it is symmetric positive definite.
        dimension: of space.
        large: unknowns of a solid from which on multigrid; None: :data:`LARGE_SOLID`, which suits stiff and quadratic elements.
        tolerance: of multigrid's residual, relative to the right-hand side.

    Raises:
        ConvergenceError: the matrix is singular.
    """

    def __init__(
        self, matrix: spmatrix, where: str, *, symmetric: bool = True, dimension: int = 2, large: int | None = None, tolerance: float = _TOLERANCE
    ) -> None:
        self.matrix: Any = csr_matrix(matrix)
        self.where, self.n, self.tolerance = where, int(self.matrix.shape[0]), tolerance
        self.iterative = symmetric and dimension == 3 and self.n > (LARGE_SOLID if large is None else large)
        self._solver = self._multigrid() if self.iterative else self._factors(symmetric)

    def _factors(self, symmetric: bool) -> Any:
        if not self.n:
            return None
        options: dict[str, Any] = {"permc_spec": "MMD_AT_PLUS_A", "diag_pivot_thresh": 0.0, "options": {"SymmetricMode": True}} if symmetric else {}
        try:
            return splu(csc_matrix(self.matrix), **options)
        except RuntimeError as error:
            raise ConvergenceError(
                f"the system of {self.n} equations is singular ({error})", where=self.where, remedy="give every part of the region a condition"
            ) from error

    def _multigrid(self) -> Any:
        from pyamg import smoothed_aggregation_solver

        state = np.random.get_state()  # noqa: NPY002 - pyamg starts its eigenvalue estimates from the global generator
        np.random.seed(0)  # noqa: NPY002
        try:
            return smoothed_aggregation_solver(self.matrix, max_coarse=500).aspreconditioner()
        finally:
            np.random.set_state(state)  # noqa: NPY002

    def solve(self, right: np.ndarray) -> np.ndarray:
        """The solution for (n,) or (n, k) right-hand sides.

        Raises:
            ConvergenceError: multigrid did not reach the tolerance, or the solution is not finite.
        """
        if not self.n or not right.size:
            return np.zeros_like(right)
        answer = self._by_gradients(right) if self.iterative else self._solver.solve(np.ascontiguousarray(right))
        if not np.isfinite(answer).all():
            raise ConvergenceError(
                f"the solution of {self.n} equations is not finite", where=self.where, remedy="check the coefficients and the cells of the mesh"
            )
        return answer

    def _by_gradients(self, right: np.ndarray) -> np.ndarray:
        columns = []
        for column in right.reshape(self.n, -1).T:
            answer, steps = cg(self.matrix, column, rtol=self.tolerance, maxiter=_SWEEPS, M=self._solver)
            if steps:
                left = float(np.linalg.norm(self.matrix @ answer - column) / np.linalg.norm(column))
                raise ConvergenceError(
                    f"conjugate gradients stopped after {_SWEEPS} steps at a relative residual of {left:.1e}",
                    where=self.where,
                    remedy="look for cells that are nearly flat: `geoop inspect FILE`",
                )
            columns.append(answer)
        return np.stack(columns, axis=1).reshape(right.shape)
