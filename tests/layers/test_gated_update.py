"""What a block of kernel integrals adds is bounded, whatever it is asked about."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from geoop.layers.gated_update import GatedUpdate


def bound(update: GatedUpdate) -> float:
    """|A norm(.) + a| <= |A| (sqrt(width) max |gain| + |shift|) + |a|."""
    norm, outer = update.norm, update.outer
    size = float(norm.weight.abs().max()) * len(norm.weight) ** 0.5 + float(norm.bias.norm())
    return float(torch.linalg.matrix_norm(outer.weight, 2)) * size + float(outer.bias.norm())


@torch.no_grad()
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e3, 1e9])
def test_no_argument_makes_it_large(size):
    torch.manual_seed(0)
    update = GatedUpdate(16).double()
    update.norm.weight.data.normal_()
    update.norm.bias.data.normal_()
    u = size * torch.randn(200, 32, dtype=torch.float64)
    assert float(update(u).norm(dim=1).max()) <= bound(update)
    gate, value = u.chunk(2, dim=1)
    free = float(update.outer(F.silu(gate) * value).norm(dim=1).max())
    assert size < 1e3 or free > 1e3 * bound(update)  # what the norm stands against


@torch.no_grad()
def test_it_is_the_gated_unit_normalised():
    torch.manual_seed(1)
    update, u = GatedUpdate(4).double(), torch.randn(3, 8, dtype=torch.float64)
    product = u[:, :4] / (1 + torch.exp(-u[:, :4])) * u[:, 4:]
    normal = (product - product.mean(1, keepdim=True)) / (product.var(1, unbiased=False, keepdim=True) + 1e-5).sqrt()
    torch.testing.assert_close(update(u), normal @ update.outer.weight.T + update.outer.bias)
