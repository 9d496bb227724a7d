"""The floor of linear decoders on fields whose rank is known."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.errors import ConfigurationError, ShapeError
from geoop.scaling.rank_bound import rank_bound

RNG = np.random.default_rng(0)


def fields_with(singular: np.ndarray, cases: int = 12, points: int = 40) -> np.ndarray:
    left, right = (np.linalg.qr(RNG.normal(size=(n, len(singular))))[0] for n in (cases, points))
    return (left * singular) @ right.T


def test_it_is_the_tail_of_known_singular_values():
    singular = np.array([4.0, 2.0, 1.0, 0.5])
    expected = [np.sqrt((singular[p:] ** 2).sum() / (singular**2).sum()) for p in range(5)]
    np.testing.assert_allclose(rank_bound(fields_with(singular), [0, 1, 2, 3, 4]), expected, atol=1e-14)
    assert rank_bound(fields_with(singular), 4) < 1e-14 and rank_bound(fields_with(singular), 100) < 1e-14
    assert rank_bound(fields_with(singular), 0) == pytest.approx(1.0)


def test_small_tails_are_not_lost_to_cancellation():
    assert rank_bound(fields_with(np.array([1.0, 1e-6, 1e-10])), 2) == pytest.approx(1e-10, rel=1e-3)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_best_decoder_reaches_it_and_no_other_falls_below(weighted):
    fields = RNG.normal(size=(15, 30, 2)) * np.linspace(0.2, 2, 30)[:, None]
    weight = RNG.uniform(0.1, 3, 30) if weighted else np.ones(30)
    root = np.sqrt(weight)[:, None]
    matrix = (fields * root).reshape(15, -1)
    u, s, v = np.linalg.svd(matrix, full_matrices=False)
    for p in (1, 4, 9):
        bound = rank_bound(fields, p, weight if weighted else None)
        best = (u[:, :p] * s[:p]) @ v[:p]
        assert np.linalg.norm(best - matrix) / np.linalg.norm(matrix) == pytest.approx(bound)
        modes = np.linalg.qr(RNG.normal(size=(60, p)))[0]
        others = matrix @ modes @ modes.T  # the best coefficients for other modes
        assert np.linalg.norm(others - matrix) / np.linalg.norm(matrix) > bound


def test_the_mean_is_free_where_it_is_said_to_be():
    deviation = fields_with(np.array([2.0, 1.0]))
    deviation -= deviation.mean(axis=0)
    fields = deviation + RNG.normal(size=40)
    assert rank_bound(fields, 2) > 1e-3 > 1e-13 > rank_bound(fields, 2, centred=True)
    assert rank_bound(fields, 3) < 1e-13
    expected = np.linalg.norm(deviation) / np.linalg.norm(fields)
    assert rank_bound(fields, 0, centred=True) == pytest.approx(expected)


def test_per_case_errors():
    """The root mean square of the cases' own errors reaches the bound; their mean lies between it and its square."""
    fields = RNG.normal(size=(20, 25)) * np.geomspace(1e-3, 1e3, 20)[:, None]
    unit = fields / np.linalg.norm(fields, axis=1, keepdims=True)
    v = np.linalg.svd(unit, full_matrices=False)[2][:6]
    own = np.linalg.norm(fields - fields @ v.T @ v, axis=1) / np.linalg.norm(fields, axis=1)
    bound = rank_bound(fields, 6, per_case=True)
    assert np.sqrt((own**2).mean()) == pytest.approx(bound) and bound**2 <= own.mean() <= bound
    assert rank_bound(np.vstack([fields, np.zeros(25)]), 6, per_case=True) == pytest.approx(bound)
    assert rank_bound(fields, 6) < 0.1 * bound  # all cases together: the large ones decide


def test_what_does_not_fit_is_named():
    with pytest.raises(ShapeError, match="cases, points"):
        rank_bound(np.ones(5), 1)
    with pytest.raises(ShapeError, match="weights"):
        rank_bound(np.ones((5, 4)), 1, np.ones(5))
    with pytest.raises(ConfigurationError, match="modes"):
        rank_bound(np.ones((5, 4)), -1)
    with pytest.raises(ConfigurationError, match="zero"):
        rank_bound(np.zeros((5, 4)), 1)
