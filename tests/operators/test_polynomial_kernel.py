"""The polynomial kernel reproduces what its degree reaches, wherever the target lies."""

from __future__ import annotations

import pytest
import torch

from geoop.graph.pointset import PointSet
from geoop.layers.neighborhood import Ball
from geoop.operators.polynomial_kernel import PolynomialKernel

RADIUS = 0.6


def quadratic(x: torch.Tensor) -> torch.Tensor:
    """(n, 6) value, both first and all second derivatives of a quadratic function."""
    one = torch.ones_like(x[:, 0])
    value = 1 + 2 * x[:, 0] - x[:, 1] + 3 * x[:, 0] ** 2 + x[:, 0] * x[:, 1] - 2 * x[:, 1] ** 2
    return torch.stack([value, 2 + 6 * x[:, 0] + x[:, 1], -1 + x[:, 0] - 4 * x[:, 1], 6 * one, one, -4 * one], dim=1)


def taylor(degree: int) -> PolynomialKernel:
    """A kernel that sums the Taylor polynomials of its source points: u + u' (x - y) + u'' (x - y)^2 / 2, with y - x = r o / 2."""
    operator = PolynomialKernel(6, 1, Ball(RADIUS), 2, rank=6, degree=degree).double()
    half = RADIUS / 2
    factor = {(): {0: 1.0}, (0,): {1: -half}, (1,): {2: -half}, (0, 0): {3: half**2 / 2}, (0, 1): {4: half**2}, (1, 1): {5: half**2 / 2}}
    with torch.no_grad():
        operator.inner.weight.copy_(torch.eye(6))
        operator.inner.bias.zero_()
        operator.mix.weight.zero_()
        operator.mix.bias.zero_()
        for number, axes in enumerate(operator.monomials):
            for channel, value in factor[axes].items():
                operator.mix.weight[0, 6 * number + channel] = value
    return operator


@pytest.mark.parametrize(("degree", "exact"), [(2, True), (1, False), (0, False)])
def test_a_quadratic_function_is_reproduced_from_any_cloud(degree, exact):
    g = torch.Generator().manual_seed(0)
    source = torch.rand(300, 2, generator=g, dtype=torch.float64) ** 2
    target = torch.rand(60, 2, generator=g, dtype=torch.float64)
    weight = torch.rand(300, generator=g, dtype=torch.float64) + 0.1
    operator, clouds = taylor(degree), (PointSet(source, quadratic(source), weight=weight), PointSet(target))
    with torch.no_grad():
        found = operator(*clouds, operator.connect(*clouds)).scalars[:, 0]
    error = float((found - quadratic(target)[:, 0]).abs().max())
    assert (error < 1e-12) == exact, error


def test_kept_pairs_give_the_same():
    torch.manual_seed(0)
    operator = PolynomialKernel(3, 2, Ball(RADIUS), 2).double()
    source = PointSet(torch.rand(40, 2, dtype=torch.float64), torch.rand(40, 3, dtype=torch.float64))
    target = PointSet(torch.rand(9, 2, dtype=torch.float64))
    graph = operator.connect(source, target)
    with torch.no_grad():
        assert torch.equal(
            operator.over(operator.pairs(source, target, graph), source, target, graph).scalars, operator(source, target, graph).scalars
        )
