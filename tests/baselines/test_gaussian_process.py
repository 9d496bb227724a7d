"""Exact regression: its likelihood's gradient, interpolation of smooth functions, relevance, noise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.stats import multivariate_normal

from geoop.baselines.gaussian_process import GaussianProcess, _kernel, _likelihood


def data(n: int, seed: int = 0, noise: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1.7, 1.7, size=(n, 3))
    y = np.stack([np.sin(x[:, 0]) * np.cos(0.5 * x[:, 1]), x[:, 0] ** 2 - x[:, 1]], axis=1)
    return x, y + noise * rng.normal(size=y.shape)


def test_the_likelihood_is_that_of_the_normal_distribution() -> None:
    x, y = data(12)
    parameters = np.log([1.0, 2.0, 3.0, 1e-2])
    value, _ = _likelihood(parameters, x, y)
    covariance = _kernel(x / [1.0, 2.0, 3.0], x / [1.0, 2.0, 3.0]) + 1e-2 * np.eye(12)
    total = 0.0
    for column in y.T:
        variance = column @ np.linalg.solve(covariance, column) / 12  # the most likely one
        total -= multivariate_normal(np.zeros(12), variance * covariance).logpdf(column)
    constant = y.size * (np.log(2 * np.pi) + 1) / 2
    assert value * y.size == pytest.approx(total - constant, rel=1e-10)


def test_its_gradient() -> None:
    x, y = data(20)
    rng = np.random.default_rng(1)
    for _ in range(3):
        at = np.append(rng.normal(size=3), np.log(1e-3))
        assert check_grad(lambda p: _likelihood(p, x, y)[0], lambda p: _likelihood(p, x, y)[1], at) < 1e-5


def test_smooth_functions_are_learned_and_irrelevant_inputs_found() -> None:
    x, y = data(80)
    process = GaussianProcess.fit(x, y - y.mean(axis=0))
    xq, yq = data(200, seed=5)
    error = process.predict(xq) + y.mean(axis=0) - yq
    assert np.sqrt((error**2).mean()) < 2e-3
    assert process.lengths[2] > 10 * process.lengths[:2].max()


def test_noise_is_averaged_and_not_followed() -> None:
    x, y = data(120, noise=0.1)
    process = GaussianProcess.fit(x, y - y.mean(axis=0))
    xq, yq = data(200, seed=5)
    assert np.sqrt(((process.predict(xq) + y.mean(axis=0) - yq) ** 2).mean()) < 0.07
    assert np.std(process.predict(x) + y.mean(axis=0) - y) > 0.08


def test_outputs_that_are_zero_stay_zero_and_arrays_round_trip() -> None:
    x, y = data(20)
    process = GaussianProcess.fit(x, np.stack([y[:, 0], np.zeros(20)], axis=1))
    again = GaussianProcess.from_arrays(process.arrays())
    assert np.array_equal(again.predict(x), process.predict(x))
    assert np.array_equal(process.predict(x)[:, 1], np.zeros(20))
    assert np.array_equal(GaussianProcess.fit(x, np.zeros((20, 2))).predict(x), np.zeros((20, 2)))
