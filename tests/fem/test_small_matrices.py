"""Cramer's rule against LAPACK."""

import numpy as np
import pytest

from geoop.fem.small_matrices import determinants, inverses


@pytest.mark.parametrize("d", [2, 3])
def test_determinants_and_inverses_are_those_of_lapack(d):
    matrix = np.random.default_rng(d).normal(size=(50, 4, d, d))
    np.testing.assert_allclose(determinants(matrix), np.linalg.det(matrix), rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(inverses(matrix), np.linalg.inv(matrix), rtol=1e-8)
    np.testing.assert_array_equal(inverses(matrix), inverses(matrix, determinants(matrix)))


def test_singular_matrices_raise_nothing():
    assert not np.isfinite(inverses(np.ones((1, 2, 2)))).any()
