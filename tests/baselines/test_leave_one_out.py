"""The closed form of leave-one-out errors is what fitting n times gives; kernels; search."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.baselines.gaussian_process import _likelihood
from geoop.baselines.kernels import Columns, Factor, Kernel, searched
from geoop.baselines.leave_one_out import Spectrum


def ridge(rows: np.ndarray, targets: np.ndarray, penalty: float) -> tuple[np.ndarray, np.ndarray]:
    """Slopes and intercept, the intercept free of penalty."""
    mean, middle = rows.mean(axis=0), targets.mean(axis=0)
    slopes = np.linalg.solve((rows - mean).T @ (rows - mean) + penalty * np.eye(rows.shape[1]), (rows - mean).T @ (targets - middle))
    return slopes, middle - mean @ slopes


@pytest.mark.parametrize("p", [3, 40])
def test_press_is_what_fitting_without_each_case_gives(p: int) -> None:
    rng = np.random.default_rng(p)
    rows, targets = rng.normal(size=(15, p)) + 5.0, rng.normal(size=(15, 2))
    spectrum = Spectrum.of(rows @ rows.T)
    for penalty in (1e-3, 1.0, 30.0):
        total = 0.0
        for k in range(15):
            kept = np.arange(15) != k
            slopes, intercept = ridge(rows[kept], targets[kept], penalty)
            total += float(((targets[k] - rows[k] @ slopes - intercept) ** 2).sum())
        assert spectrum.press(targets, np.array([penalty]))[0] == pytest.approx(total, rel=1e-7)
        slopes, _ = ridge(rows, targets, penalty)
        assert np.allclose(rows.T @ spectrum.weights(targets, penalty), slopes, rtol=1e-6, atol=1e-9)


def test_a_vanishing_penalty_does_not_fake_a_vanishing_error() -> None:
    """Noise that nothing explains: interpolating it must not look like predicting it."""
    rng = np.random.default_rng(0)
    rows, targets = rng.normal(size=(20, 60)), rng.normal(size=(20, 1))
    found = Spectrum.of(rows @ rows.T).press(targets, np.array([1e-12, 1e-9, 1e-6]))
    assert (found > 0.5 * (targets**2).sum()).all()


@pytest.mark.parametrize("form", ["gaussian", "matern", "linear", "quadratic"])
def test_kernels_are_positive_and_symmetric(form: str) -> None:
    rows = np.random.default_rng(1).normal(size=(30, 4))
    matrix = Factor(form, 1.5)(rows, rows)
    assert np.allclose(matrix, matrix.T) and np.linalg.eigvalsh(matrix).min() > -1e-9 * np.linalg.eigvalsh(matrix).max()
    assert np.array_equal(Factor(form, 1.0)(rows[:, :0], rows[:, :0]), np.ones((30, 30)))


def test_the_search_finds_what_the_targets_were_made_with() -> None:
    rng = np.random.default_rng(2)
    columns = Columns(rng.normal(size=(120, 2)), np.array([1.0, 0.3]), np.zeros((120, 0)), rng.normal(size=(120, 5)))
    targets = np.sin(columns.shapes[:, :1]) * (columns.given @ np.arange(1.0, 6.0))[:, None]  # linear in one part, smooth in the other
    targets = targets - targets.mean()

    def error(kernel: Kernel) -> float:
        spectrum = Spectrum.of(kernel(columns, columns))
        return float(spectrum.press(targets, np.logspace(-12, 0, 13) * spectrum.values[-1]).min())

    found = searched(columns, error)
    assert found.given.form == "linear" and found.seen.form in ("gaussian", "matern", "quadratic")
    assert error(found) < 0.02 * float((targets**2).sum())


def test_shared_length_scales_have_the_sum_of_the_gradients() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(20, 4)), rng.normal(size=(20, 2))
    shared = np.array([0, 1, 1, 0])
    value, gradient = _likelihood(np.log([1.0, 2.0, 1e-2]), x, y, shared)
    whole, parts = _likelihood(np.log([1.0, 2.0, 2.0, 1.0, 1e-2]), x, y)
    assert value == pytest.approx(whole) and np.allclose(gradient, [parts[0] + parts[3], parts[1] + parts[2], parts[4]])
