"""Integration in time: declared orders against the matrix exponential, the semigroup, steps of every row, and bad input."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
import torch

from geoop.errors import ConfigurationError, MissingDependencyError
from geoop.layers.time_steps import ADAPTIVE, FIXED, check_method, integrate

MATRIX = torch.tensor([[-0.3, 2.0, 0.0], [-2.0, -0.3, 0.5], [0.1, 0.0, -1.0]], dtype=torch.float64)
START = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def linear(state):
    return (state[0] @ MATRIX.T,)


def logistic(state):
    """A nonlinear pair: y' = y (1 - y), q' = y q."""
    y, q = state
    return y * (1 - y), y * q


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("rk4", 4)])
def test_declared_order_against_the_matrix_exponential(method, order):
    exact = START @ torch.linalg.matrix_exp(MATRIX).T
    errors = torch.stack([(integrate(linear, (START,), 1.0 / n, n, method)[0] - exact).norm() for n in (16, 32, 64)])
    assert (torch.log2(errors[:-1] / errors[1:]) - order).abs().max() < 0.15


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("rk4", 4)])
def test_declared_order_of_a_nonlinear_pair(method, order):
    y = torch.tensor([[0.2], [0.5]], dtype=torch.float64)
    exact = y * torch.e / (1 + y * (torch.e - 1)), 1 + y * (torch.e - 1)  # q / q(0) = the integral of y, exponentiated
    errors = []
    for n in (8, 16, 32):
        found = integrate(logistic, (y, torch.ones_like(y)), 1.0 / n, n, method)
        errors.append(sum(float((a - b).norm()) for a, b in zip(found, exact, strict=True)))
    orders = torch.log2(torch.tensor(errors[:-1]) / torch.tensor(errors[1:]))
    assert (orders - order).abs().max() < 0.25


@pytest.mark.parametrize("method", FIXED)
def test_twice_so_many_steps_is_twice_the_time_bit_by_bit(method):
    whole = integrate(linear, (START,), 0.1, 6, method)
    twice = integrate(linear, integrate(linear, (START,), 0.1, 3, method), 0.1, 3, method)
    assert torch.equal(whole[0], twice[0])
    assert integrate(linear, (START,), 0.1, 0, method)[0] is START


@pytest.mark.parametrize("method", FIXED)
def test_every_row_may_have_a_step_of_its_own(method):
    dt = torch.tensor([0.1, 0.2, 0.3, 0.1, 0.05], dtype=torch.float64)[:, None]
    together = integrate(linear, (START,), dt, 3, method)[0]
    alone = torch.cat([integrate(linear, (START[i : i + 1],), float(dt[i]), 3, method)[0] for i in range(5)])
    assert (together - alone).abs().max() < 1e-14


def test_a_state_is_settled_after_every_step():
    found = integrate(lambda s: (torch.ones_like(s[0]),), (torch.zeros(1),), 0.75, 3, "euler", lambda s: (torch.remainder(s[0], 1.0),))
    assert float(found[0]) == 0.25


def test_bad_input():
    with pytest.raises(ConfigurationError, match="no integrator 'heun'") as found:
        integrate(linear, (START,), 0.1, 1, "heun")
    assert "rk4" in found.value.remedy
    with pytest.raises(ConfigurationError, match="-1 steps"):
        integrate(linear, (START,), 0.1, -1)


@pytest.mark.skipif(find_spec("torchdiffeq") is not None, reason="torchdiffeq is installed")
def test_an_adaptive_method_says_what_to_install():
    with pytest.raises(MissingDependencyError, match="torchdiffeq"):
        check_method("dopri5")


@pytest.mark.skipif(find_spec("torchdiffeq") is None, reason="torchdiffeq is not installed: pip install torchdiffeq")
@pytest.mark.parametrize("method", ADAPTIVE)
def test_adaptive_methods_reach_the_matrix_exponential(method):
    exact = START @ torch.linalg.matrix_exp(MATRIX).T
    assert (integrate(linear, (START,), 0.25, 4, method)[0] - exact).norm() < 2e-4  # an error control by step, not of the whole
