"""Windows of poses: lengths to divide by, whatever stands behind them."""

import pytest
import torch

from geoop.layers.pose import windows


@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_windows_are_roots_of_weights_and_those_of_nothing_can_be_divided_by(dimension, kind):
    weight = torch.tensor([8.0, 1e-6, 0.0], dtype=kind, requires_grad=True)
    found = windows(weight, dimension)
    assert torch.equal(found[:2], weight[:2] ** (1.0 / dimension)) and found[2].item() == pytest.approx(1e-12, rel=1e-3)
    torch.testing.assert_close(windows(weight, dimension, 2.0), found.square())
    (gradient,) = torch.autograd.grad(((1.0 / found).square() + found.log()).sum(), weight)
    assert torch.isfinite(gradient).all() and gradient[2] == 0
