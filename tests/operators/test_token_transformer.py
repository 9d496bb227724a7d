"""The transformer on tokens is a quadrature where it claims to be, and sees relative positions only."""

from __future__ import annotations

import pytest
import torch

from geoop.errors import ConfigurationError
from geoop.graph.pointset import PointSet
from geoop.operators.token_transformer import Rotary, TokenTransformer

from .test_claims import refined, smooth
from .zoo import Cloud

CLOUD = Cloud(scalars=16)


def at_probes(operator: TokenTransformer, n: int, *, weighted: bool = True) -> torch.Tensor:
    """Features at five fixed tokens that weigh nothing, within n^2 graded ones."""
    where = torch.rand(5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    probes = smooth(CLOUD, where, torch.full((5,), 1e-12, dtype=torch.float64))
    tokens = refined(CLOUD, n)
    if not weighted:
        tokens = PointSet(tokens.pos, tokens.scalars, weight=torch.full_like(tokens.weight, 1 / n**2))
    both = PointSet.concatenate([probes, tokens])
    both = PointSet(both.pos, both.scalars, weight=both.weight)
    with torch.no_grad():
        return operator(both, both, operator.connect(both, both)).scalars[:5]


@pytest.mark.parametrize("positions", ["bias", "rotary"])
def test_refined_tokens_converge_with_second_order_and_drift_without_weights(positions):
    torch.manual_seed(0)
    operator = TokenTransformer(16, depth=3, heads=2, positions=positions).double()
    results = [at_probes(operator, n) for n in (6, 12, 36)]
    errors = [float((r - results[-1]).abs().max()) for r in results[:-1]]
    assert errors[0] > 3.2 * errors[1], errors  # (36/6)^2 - 1 : (36/12)^2 - 1 = 35 : 8 = 4.4 for order 2
    assert float((at_probes(operator, 12, weighted=False) - results[-1]).abs().max()) > 10 * errors[1]


def test_without_a_measure_weights_do_not_count():
    torch.manual_seed(0)
    operator = TokenTransformer(16, depth=2, heads=2, measure=False).double()
    assert (at_probes(operator, 8, weighted=False) - at_probes(operator, 8)).abs().max() < 1e-13


def test_turned_products_see_the_difference_of_positions_only():
    rotary = Rotary(2, 9)  # one channel is left over
    g = torch.Generator().manual_seed(0)
    q, k = torch.randn(2, 1, 1, 4, 9, generator=g, dtype=torch.float64)
    pos = torch.rand(1, 4, 2, generator=g, dtype=torch.float64)

    def product(shift: float) -> torch.Tensor:
        turns = rotary.double().turns(pos + shift)
        return rotary.turn(q, turns) @ rotary.turn(k, turns).mT

    assert (product(0.0) - product(1.7)).abs().max() < 1e-12
    assert (product(0.0) - q @ k.mT).abs().max() > 0.1


def test_the_second_half_of_the_blocks_sees_the_first():
    assert [block.join is not None for block in TokenTransformer(8, depth=4).blocks] == [False, False, True, True]
    assert [block.join is not None for block in TokenTransformer(8, depth=3).blocks] == [False, False, True]


def test_sizes_that_make_no_transformer():
    for options in ({"heads": 3}, {"positions": "sine"}, {"heads": 4, "positions": "rotary"}):
        with pytest.raises(ConfigurationError):
            TokenTransformer(8, **options)
