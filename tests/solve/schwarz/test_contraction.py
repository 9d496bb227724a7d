"""Contraction factors of maps whose spectrum is known, and the relaxation that follows from them."""

import numpy as np
import pytest

from geoop.solve.schwarz.contraction import measured


def affine(eigenvalues, seed=0):
    """A symmetric affine map with these eigenvalues, and its fixed point."""
    random = np.random.default_rng(seed)
    q, _ = np.linalg.qr(random.standard_normal((len(eigenvalues), len(eigenvalues))))
    matrix, shift = q @ np.diag(eigenvalues) @ q.T, random.standard_normal(len(eigenvalues))
    return lambda u: matrix @ u + shift, np.linalg.solve(np.eye(len(eigenvalues)) - matrix, shift)


@pytest.mark.parametrize(("eigenvalues", "relaxation"), [((0.8, 0.3, -0.2), 1.0), ((-1.6, 0.5, 0.1), 1 / 2.6), ((-4.5, 0.2, 0.1), 1 / 5.5)])
def test_factor_and_relaxation(eigenvalues, relaxation):
    sweep, fixed = affine(eigenvalues)
    found = measured(sweep, np.zeros(3), np.ones(3, dtype=bool), steps=40, size=1.0)
    assert found.factor == pytest.approx(max(np.abs(eigenvalues)), rel=1e-6)
    assert found.relaxation == pytest.approx(relaxation, rel=1e-6) and found.contracts == (found.factor < 1)
    u = np.zeros(3)
    for _ in range(200):
        u = (1 - found.relaxation) * u + found.relaxation * sweep(u)
    np.testing.assert_allclose(u, fixed, atol=1e-8)


def test_a_slope_that_no_pointwise_error_shows():
    """F(u) = 0.4 u + 0.002 sin(900 u): off by 0.002 from a contraction, and its slope at zero is 2.2 (METHODS B.4)."""
    found = measured(lambda u: 0.4 * u - 0.005 * np.sin(980 * u), np.zeros(4), np.ones(4, dtype=bool), size=1e-6)
    assert found.factor == pytest.approx(4.5, rel=1e-3) and found.relaxation == pytest.approx(1 / 5.5, rel=1e-3)


def test_values_that_may_not_differ_do_not():
    held = np.array([True, False, True])

    def sweep(u):
        assert u[1] == 5.0
        return 0.5 * u + 2.5 * np.array([0, 1, 0])

    assert measured(sweep, np.array([1.0, 5.0, 2.0]), held).factor == pytest.approx(0.5)


def test_maps_that_are_not_finite_are_damped_most():
    assert measured(lambda u: u * np.inf, np.ones(3), np.ones(3, dtype=bool)).factor == np.inf
