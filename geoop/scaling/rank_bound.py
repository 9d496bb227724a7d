"""What no decoder with a given number of modes can do better than, from the singular values of the fields themselves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import ConfigurationError, ShapeError


def rank_bound(
    fields: np.ndarray, modes: int | Sequence[int], weight: np.ndarray | None = None, *, centred: bool = False, per_case: bool = False
) -> np.ndarray:
    """Least relative L2 error of any decoder u(x) = sum_k b_k t_k(x) with that many modes, however its coefficients are found.

    With singular values s_1 >= s_2 >= ... of the weighted matrix of cases x points (Eckart and Young 1936; for DeepONets Lanthaler et al. 2022,
    arXiv 2102.09618),

        bound(p) = sqrt(sum_{k > p} s_k^2 / sum_k s_k^2)

    which the first p right singular vectors reach. It holds for these fields: an error on other cases has no such floor, but falls below it only by luck.

    All cases must be given at common points; how fields on clouds of their own get there is the caller's duty, and part of the answer. For a set
    of shapes that is either a common frame (the same body-fitted coordinates for every shape) or a common grid with a rule for points outside.
    The trunk of a geometry-aware DeepONet moves with the shape, so on such sets the number is a yardstick; it is a bound where the geometry is fixed.

    Args:
        fields: (cases, points) or (cases, points, channels), scaled as the error is measured.
        modes: p, or several of them.
        weight: (points,) quadrature weights of the norm; None for ones.
        centred: the decoder has the mean field for nothing: the tail is that of the deviations, still relative to the fields. A bias that is one constant
            for all points is less than that: count it as a mode.
        per_case: bound the root mean square over cases of their own relative errors instead of the error relative to all fields together. The mean of
            relative errors can lie below that, but not below its square.

    Returns:
        float64 array of the shape of ``modes``: a number, or one per entry.

    Raises:
        ShapeError: ``fields`` or ``weight`` do not fit.
        ConfigurationError: a negative number of modes, or fields that are all zero.
    """
    fields = np.asarray(fields, dtype=np.float64)
    if fields.ndim not in (2, 3) or 0 in fields.shape:
        raise ShapeError(f"fields of shape {fields.shape}", where="rank_bound", remedy="give (cases, points) or (cases, points, channels)")
    wanted = np.asarray(modes)
    if wanted.dtype.kind not in "iu" or (wanted < 0).any():
        raise ConfigurationError(f"{modes} modes", where="rank_bound", remedy="ask for whole numbers of modes, 0 or more")
    if weight is not None:
        weight = np.asarray(weight, dtype=np.float64)
        if weight.shape != fields.shape[1:2] or (weight < 0).any():
            raise ShapeError(
                f"weights of shape {weight.shape} for {fields.shape[1]} points", where="rank_bound", remedy="give one weight >= 0 per point"
            )
        root = np.sqrt(weight)
        fields = fields * (root if fields.ndim == 2 else root[:, None])
    matrix = fields.reshape(len(fields), -1)
    size = np.linalg.norm(matrix, axis=1)
    if not size.any():
        raise ConfigurationError("all fields are zero", where="rank_bound", remedy="give fields with something to predict")
    deviation = matrix - matrix.mean(axis=0) if centred else matrix
    if per_case:
        deviation, size = deviation[size > 0] / size[size > 0, None], np.ones(int((size > 0).sum()))
    squared = np.linalg.svd(deviation, compute_uv=False) ** 2
    tail = np.append(np.cumsum(squared[::-1])[::-1], 0.0)  # summed from the smallest: no cancellation where little is left
    return np.sqrt(tail[np.minimum(wanted, len(squared))] / np.sum(size**2))
