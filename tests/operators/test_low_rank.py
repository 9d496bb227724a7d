"""Low-rank integrals against kernels that are separable."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from geoop.errors import ConfigurationError
from geoop.graph.pointset import PointSet
from geoop.operators.low_rank import LowRank


class Given(nn.Module):
    """Functions of the position that are known."""

    def __init__(self, *functions):
        super().__init__()
        self.functions = functions

    def forward(self, points: PointSet) -> torch.Tensor:
        return torch.stack([f(points.pos) for f in self.functions], dim=1)


def passing(operator: LowRank) -> LowRank:
    """M = N = identity, no bias, no local term: only the sum of separable terms is left."""
    with torch.no_grad():
        for layer in (operator.inner, operator.mix):
            layer.weight.copy_(torch.eye(*layer.weight.shape))
        operator.mix.bias.zero_()
    return operator.double()


def graded(n: int) -> PointSet:
    """n x n midpoints of cells that grow sevenfold along each axis of the unit square, with the cells' areas and u = sin(3 x) exp(y)."""
    edges = torch.expm1(2 * torch.linspace(0, 1, n + 1, dtype=torch.float64)) / math.expm1(2)
    mid, size = (edges[1:] + edges[:-1]) / 2, edges.diff()
    pos = torch.cartesian_prod(mid, mid)
    return PointSet(pos, torch.sin(3 * pos[:, :1]) * torch.exp(pos[:, 1:]), weight=torch.outer(size, size).flatten())


PHI = Given(lambda x: x[:, 0].cos(), lambda x: x[:, 0] * x[:, 1])
PSI = Given(lambda y: y[:, 1].exp(), lambda y: 1 + y[:, 0] ** 2)


def test_a_separable_kernel_is_reproduced_at_the_order_of_the_quadrature():
    operator = passing(LowRank(1, 1, PHI, PSI, width=1, measure=1.0))
    target = PointSet(torch.rand(6, 2, dtype=torch.float64))
    # int_0^1 sin 3x dx, int x^2 sin 3x dx, int e^y dy, int e^2y dy
    sine, square = (1 - math.cos(3)) / 3, (2 * 3 * math.sin(3) + (2 - 9) * math.cos(3) - 2) / 27
    first, second = sine * math.expm1(2) / 2, (sine + square) * math.expm1(1)
    exact = first * PHI(target)[:, 0] + second * PHI(target)[:, 1]
    errors = []
    for n in (16, 32, 64):
        source = graded(n)
        value = operator(source, target, operator.connect(source, target)).scalars[:, 0]
        errors.append(float((value - exact).detach().abs().max()))
    orders = [math.log2(a / b) for a, b in zip(errors, errors[1:], strict=False)]
    assert errors[-1] < 1e-3 and all(abs(order - 2) < 0.05 for order in orders), (errors, orders)


def test_without_weights_the_limit_is_another():
    operator = passing(LowRank(1, 1, PHI, PSI, width=1))
    target = PointSet(torch.rand(6, 2, dtype=torch.float64))
    fine, finer = graded(32), graded(64)
    equal = PointSet(finer.pos, finer.scalars)
    values = [operator(s, target, operator.connect(s, target)).scalars for s in (fine, finer, equal)]
    assert (values[2] - values[1]).abs().max() > 100 * (values[1] - values[0]).abs().max()


@pytest.mark.parametrize("heads", [1, 2])
def test_a_kernel_of_rank_r_needs_r_terms_and_no_more(heads):
    """sum_j phi_j(x) psi_j(y) written out as a dense matrix, to round-off; a matrix of a higher rank is not reached."""
    generator = torch.Generator().manual_seed(0)
    n, m, r, c = 30, 40, 3, 4
    phi, psi = (torch.randn(k, heads * r, generator=generator, dtype=torch.float64) for k in (n, m))
    source = PointSet(
        torch.rand(m, 2, dtype=torch.float64), torch.randn(m, c, generator=generator, dtype=torch.float64), weight=torch.rand(m).double()
    )
    left, right = (Given(*[lambda _, j=j, table=table: table[:, j] for j in range(heads * r)]) for table in (phi, psi))
    operator = passing(LowRank(c, c, left, right, width=c, heads=heads, measure=1.0))
    target = PointSet(torch.rand(n, 2, dtype=torch.float64))
    value = operator(source, target, operator.connect(source, target)).scalars
    per_head = c // heads
    for h in range(heads):
        mine = slice(h * r, (h + 1) * r)
        kernel = phi[:, mine] @ psi[:, mine].T
        channels = slice(h * per_head, (h + 1) * per_head)
        expected = kernel @ (source.weight[:, None] * source.scalars[:, channels])
        torch.testing.assert_close(value[:, channels], expected, rtol=0, atol=1e-11)
    one_term_less = phi[:, : r - 1] @ psi[:, : r - 1].T @ (source.weight[:, None] * source.scalars[:, :per_head])
    assert (value[:, :per_head] - one_term_less).abs().max() > 0.1


def test_a_mean_keeps_constants():
    ones = Given(lambda x: torch.ones_like(x[:, 0]))
    operator = passing(LowRank(1, 1, ones, ones, width=1))
    source = graded(9).with_features(scalars=torch.full((81, 1), 2.5, dtype=torch.float64))
    target = PointSet(torch.rand(3, 2, dtype=torch.float64))
    torch.testing.assert_close(operator(source, target, operator.connect(source, target)).scalars, torch.full((3, 1), 2.5, dtype=torch.float64))


def test_channels_must_share_out_among_the_heads():
    with pytest.raises(ConfigurationError):
        LowRank(3, 3, PHI, PSI, width=8, heads=3)
