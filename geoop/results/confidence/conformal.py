"""Split-conformal prediction: how large an error has to be allowed for so that a new case stays below it with a stated probability."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ...errors import ConfigurationError, NonFiniteError


def rank(count: int, coverage: float) -> int:
    """Number k of the calibration score, the smallest being 1, that bounds a new one with probability ``coverage``: ceil((count + 1) coverage).

    More than ``count`` where there are too few scores for that coverage.

    Raises:
        ConfigurationError: a coverage outside (0, 1), or a negative count.
    """
    if not 0 < coverage < 1 or count < 0:
        raise ConfigurationError(
            f"coverage {coverage} with {count} calibration cases", where="conformal", remedy="a coverage between 0 and 1, such as 0.9 for 90 %"
        )
    return math.ceil((count + 1) * coverage - 1e-9)  # 0.9 * 10 is 9.000000000000002 in floating point for some counts


def least_count(coverage: float) -> int:
    """The fewest calibration cases with which a band of that coverage is finite: 9 for 90 %, 19 for 95 %."""
    count = max(0, math.floor(coverage / (1 - coverage)) - 2) if 0 < coverage < 1 else 0
    while rank(count, coverage) > count:
        count += 1
    return count


def conformal_quantile(scores: Sequence[float] | np.ndarray, coverage: float) -> float:
    """The k-th smallest score, k = ceil((n + 1) coverage): a new score exchangeable with these lies at or below it with probability >= coverage.

    The probability is over calibration cases and new case together, whatever the predictor; where scores have no ties it is below
    coverage + 1/(n + 1) (Vovk et al. 2005; Lei et al. 2018, theorem 2). One score per case: points of one case are not exchangeable with those of
    another.

    Args:
        scores: (n,) one per calibration case; infinity is a score that nothing bounds.
        coverage: in (0, 1).

    Returns:
        infinity where n is less than :func:`least_count`: no finite bound has that coverage.

    Raises:
        ConfigurationError: a coverage outside (0, 1). NonFiniteError: a score is NaN.
    """
    values = np.sort(np.asarray(scores, dtype=np.float64).reshape(-1))
    if np.isnan(values).any():
        raise NonFiniteError(f"{int(np.isnan(values).sum())} of {len(values)} scores are NaN", where="conformal_quantile", remedy="leave those out")
    k = rank(len(values), coverage)
    return float(values[k - 1]) if k <= len(values) else math.inf


def coverage_interval(count: int, coverage: float, *, tests: int | None = None, within: float = 0.98) -> tuple[float, float]:
    """Where the share of covered cases lies with probability ``within``, given one calibration on ``count`` cases.

    That share follows a Beta(k, count + 1 - k) law with k of :func:`rank` (Vovk 2012, proposition 2a); of a finite number of tests, the beta-binomial
    law. What is measured outside of it is no bad luck: the cases are not exchangeable, or something is wrong.

    Args:
        count: of calibration cases, at least :func:`least_count`.
        coverage: that was asked for.
        tests: number of new cases; None for infinitely many.
        within: probability of the interval, half of the rest on either side.

    Raises:
        ConfigurationError: too few calibration cases.
    """
    from scipy.stats import beta, betabinom

    k = rank(count, coverage)
    if k > count:
        raise ConfigurationError(
            f"{count} calibration cases for a coverage of {coverage:g}", where="coverage_interval", remedy=f"take {least_count(coverage)} or more"
        )
    tail = 0.5 * (1 - within)
    law = beta(k, count + 1 - k) if tests is None else betabinom(tests, k, count + 1 - k)
    low, high = (float(law.ppf(p)) / (tests or 1) for p in (tail, 1 - tail))
    return low, high


def largest_share(errors: np.ndarray, weight: np.ndarray, share: float) -> float:
    """The least bound under which a share of a case lies: its score where a band shall hold simultaneously on that share of its points.

    Args:
        errors: (n,) non-negative errors over local scales.
        weight: (n,) non-negative, e.g. the length or area that belongs to every point.
        share: 1 bounds the largest error.

    Returns:
        the smallest of the errors such that the points at or below it have ``share`` of the whole weight.

    Raises:
        ConfigurationError: no points, weights that are negative or all zero, or a share outside (0, 1].
    """
    errors, weight = np.asarray(errors, dtype=np.float64), np.asarray(weight, dtype=np.float64)
    if not len(errors) or (weight < 0).any() or not weight.sum() > 0 or not 0 < share <= 1:
        raise ConfigurationError(
            f"{len(errors)} errors, weights of sum {weight.sum():g}, share {share}", where="largest_share", remedy="positive weights, 0 < share <= 1"
        )
    if share == 1:
        return float(errors[weight > 0].max())
    order = np.argsort(errors, kind="stable")
    reached = np.cumsum(weight[order]) / weight.sum()
    return float(errors[order][min(int(np.searchsorted(reached, share - 1e-12)), len(errors) - 1)])
