"""Split-conformal quantiles: exact coverage on exchangeable scores, and what too few cases mean."""

import math

import numpy as np
import pytest
from scipy.stats import beta, kstest

from geoop.errors import ConfigurationError, NonFiniteError
from geoop.results.confidence.conformal import conformal_quantile, coverage_interval, largest_share, least_count, rank


@pytest.mark.parametrize(("coverage", "least"), [(0.5, 1), (0.8, 4), (0.9, 9), (0.95, 19), (0.99, 99)])
def test_the_least_number_of_cases_is_that_with_a_finite_bound(coverage, least):
    assert least_count(coverage) == least
    assert conformal_quantile(np.arange(least), coverage) == least - 1  # of the fewest cases the largest score
    assert conformal_quantile(np.arange(least - 1), coverage) == math.inf


def test_ranks_are_not_one_too_large_by_rounding():
    assert [rank(n, 0.9) for n in (9, 19, 29, 999)] == [9, 18, 27, 900]
    assert rank(10, 0.9) == 10


def test_the_share_covered_follows_the_beta_law():
    """Of uniform scores the share below a bound is the bound itself: its law over calibrations is Beta(k, n + 1 - k) exactly."""
    random = np.random.default_rng(3)
    for count, coverage in ((19, 0.9), (50, 0.8)):
        covered = [conformal_quantile(random.random(count), coverage) for _ in range(3000)]
        k = rank(count, coverage)
        assert kstest(covered, beta(k, count + 1 - k).cdf).pvalue > 0.01
        assert np.mean(covered) == pytest.approx(k / (count + 1), abs=4e-3)
        # the control: the plain quantile of the calibration cases covers too little
        assert np.mean([np.quantile(random.random(count), coverage) for _ in range(3000)]) < coverage - 5e-3


def test_the_interval_of_coverages_holds_what_it_says():
    random = np.random.default_rng(5)
    low, high = coverage_interval(100, 0.9, tests=200, within=0.9)
    shares = [np.mean(random.random(200) <= conformal_quantile(random.random(100), 0.9)) for _ in range(3000)]
    inside = np.mean([low <= share <= high for share in shares])
    assert 0.89 <= inside <= 0.94  # a discrete law: a little more than asked for
    wide = coverage_interval(1000, 0.9, tests=2000)
    assert 0.87 < wide[0] < 0.9 < wide[1] < 0.93
    assert coverage_interval(1000, 0.9)[0] > wide[0]  # infinitely many tests leave less to chance


def test_order_does_not_matter_and_ties_are_covered():
    scores = np.random.default_rng(0).integers(0, 5, 40).astype(float)
    bound = conformal_quantile(scores, 0.7)
    assert bound == conformal_quantile(scores[::-1], 0.7)
    assert np.mean(scores <= bound) >= 0.7
    assert conformal_quantile([0.0] * 8 + [math.inf], 0.9) == math.inf


def test_what_is_no_coverage_is_refused():
    for coverage in (0.0, 1.0, 90.0):
        with pytest.raises(ConfigurationError):
            conformal_quantile([1.0], coverage)
    with pytest.raises(NonFiniteError):
        conformal_quantile([1.0, math.nan], 0.5)
    with pytest.raises(ConfigurationError, match="8 calibration cases"):
        coverage_interval(8, 0.9)


def test_the_score_of_a_case_bounds_a_share_of_its_weight():
    errors, weight = np.array([3.0, 1.0, 2.0, 9.0]), np.array([1.0, 1.0, 1.0, 1.0])
    assert [largest_share(errors, weight, share) for share in (0.25, 0.5, 0.75, 0.76, 1.0)] == [1.0, 2.0, 3.0, 9.0, 9.0]
    assert largest_share(errors, np.array([1.0, 1.0, 97.0, 1.0]), 0.97) == 2.0  # what is long counts more
    assert largest_share(errors, np.array([1.0, 1.0, 1.0, 0.0]), 1.0) == 3.0  # what has no length does not count
    random = np.random.default_rng(1)
    errors, weight = random.random(50), random.random(50)
    for share in (0.3, 0.9, 0.99):
        bound = largest_share(errors, weight, share)
        assert weight[errors <= bound].sum() >= share * weight.sum() - 1e-12 > weight[errors < bound].sum()
    for bad in (0.0, 1.1):
        with pytest.raises(ConfigurationError):
            largest_share(errors, weight, bad)


def test_scores_per_case_cover_cases_and_pooled_points_do_not():
    """Points of one case go together: a bound from pooled points covers 90 % of the points, and whole cases much less often."""
    random = np.random.default_rng(8)

    def cases(count: int) -> np.ndarray:
        return random.lognormal(0.0, 1.0, (count, 1)) * np.abs(random.standard_normal((count, 40)))

    known, new = cases(400), cases(2000)
    per_case = conformal_quantile(known.max(axis=1), 0.9)
    pooled = conformal_quantile(known.reshape(-1), 0.9)
    low, high = coverage_interval(400, 0.9, tests=2000, within=0.999)
    assert low <= np.mean((new <= per_case).all(axis=1)) <= high
    assert np.mean(new <= pooled) == pytest.approx(0.9, abs=0.03)
    assert np.mean((new <= pooled).all(axis=1)) < 0.7


@pytest.mark.parametrize(
    ("cases", "own", "low", "high"), [(9, 0.1, 0.83, 0.88), (9, 0.3, 0.74, 0.80), (100, 0.1, 0.875, 0.9), (100, 0.3, 0.855, 0.885)]
)
def test_cases_that_chose_the_weights_promise_too_much(cases, own, low, high):
    """What the README says of `geoop fit`: of 40 checkpoints the one with the least mean square error on the cases that calibrate it, nominally 90 %."""
    random = np.random.default_rng(0)
    covered = []
    for _ in range(600):
        shared = 0.5 * random.standard_normal(cases + 200)
        errors = np.exp(shared + own * random.standard_normal((40, cases + 200)))
        best = errors[(errors[:, :cases] ** 2).mean(axis=1).argmin()]
        covered.append((best[cases:] <= conformal_quantile(best[:cases], 0.9)).mean())
    assert low < np.mean(covered) < high
