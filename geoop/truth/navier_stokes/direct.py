"""Direct solution of the sparse saddle-point systems of a flow."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from ...errors import ConvergenceError

#: Pivots may be this much smaller than the largest of their column: less fill-in; Newton's method and the residual forgive the rounding.
_THRESHOLD = 0.1


class Factorisation:
    """LU factors of a square sparse matrix (SuperLU, columns by approximate minimum degree).

    Args:
        matrix: (n, n).
        where: for messages.

    Raises:
        ConvergenceError: the matrix is singular.
    """

    def __init__(self, matrix: sp.spmatrix, where: str = "") -> None:
        try:
            self._factors = splu(sp.csc_matrix(matrix), permc_spec="COLAMD", diag_pivot_thresh=_THRESHOLD)
        except RuntimeError as error:
            raise ConvergenceError(
                f"the linear system of {matrix.shape[0]} unknowns cannot be solved: {error}",
                where=where,
                remedy="check the mesh with `geoop inspect` for cells without area and parts that hang on one point, and the conditions",
            ) from error

    def solve(self, right: np.ndarray) -> np.ndarray:
        """Solution for a right-hand side (n,)."""
        return self._factors.solve(right)
