"""Stress at the nodes of a finite-element displacement, where its own stress jumps from cell to cell.

Measured on a round hole in an infinite plate (tests/truth/elasticity/test_linear.py), mean stress at the hole 16 to 128 points round:
the L2 projection and the mean of the adjacent cells both have order 2 with displacements of degree 2, and the projection has less
than half of the error with degree 1 (peak of 3: 2.90 against 2.56 on 32 points). So it is the projection.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import splu

from .elasticity import Displacements

#: (..., d, d) displacement gradients -> (..., 3, 3) true stress.
Cauchy = Callable[[np.ndarray], np.ndarray]

#: Components that differ from each other and from zero.
_COMPONENTS = {2: ((0, 0), (1, 1), (2, 2), (0, 1)), 3: ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))}


def projected_stress(displacements: Displacements, cauchy: Cauchy, displacement: np.ndarray) -> np.ndarray:
    """(n, 3, 3) continuous stress [Pa] that is nearest to the stress in the cells in the L2 norm (Oden and Brauchli 1971).

    Args:
        displacements: the finite elements.
        cauchy: true stress of displacement gradients.
        displacement: (n, d) of the nodes [m].
    """
    stress = cauchy(displacements.gradient(displacement))
    components = _COMPONENTS[displacements.dimension]
    right = displacements.volume_load(np.stack([stress[..., i, j] for i, j in components], axis=-1))
    factors = splu(csc_matrix(displacements.mass()), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    values = factors.solve(right)
    out = np.zeros((len(values), 3, 3))
    for k, (i, j) in enumerate(components):
        out[:, i, j] = out[:, j, i] = values[:, k]
    return out
