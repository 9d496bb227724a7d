"""Perceptron and Fourier features."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from geoop.layers.fourier import FourierFeatures
from geoop.layers.mlp import MLP


def test_mlp_is_what_it_says():
    mlp = MLP([3, 8, 2])
    first, _, last = mlp.layers
    x = torch.randn(4, 5, 3)
    assert torch.equal(mlp(x), last(F.gelu(first(x)))) and mlp(x).shape == (4, 5, 2)
    assert MLP([3, 2])(x).shape == (4, 5, 2)
    assert len(MLP([3, 8, 8, 2], norm=True).layers) == 7
    assert MLP([3, 8, 2], zero=True)(x).abs().max() == 0


def test_mlp_has_second_derivatives():
    mlp = MLP([2, 8, 8, 1], norm=True).double()
    assert torch.autograd.gradgradcheck(mlp, torch.randn(3, 2, dtype=torch.float64, requires_grad=True))


def test_fourier_features_repeat_with_the_period_of_their_lowest_wave():
    waves = FourierFeatures.log_spaced(2, 3, lowest=0.5)
    assert waves.width == 14 and waves.frequencies.tolist() == [[f, 0.0] if i == 0 else [0.0, f] for f in (0.5, 1.0, 2.0) for i in (0, 1)]
    x = torch.rand(7, 2)
    shift = torch.tensor([2.0, -4.0])  # periods of 0.5 cycles per unit
    torch.testing.assert_close(waves(x + shift)[:, 2:], waves(x)[:, 2:], rtol=0, atol=1e-5)
    torch.testing.assert_close(waves(x)[:, 2:8] ** 2 + waves(x)[:, 8:] ** 2, torch.ones(7, 6))
    assert FourierFeatures.log_spaced(3, 0)(torch.ones(2, 3)).tolist() == [[1.0] * 3] * 2


def test_random_waves_make_a_gaussian_kernel():
    # the mean product of features is exp(-2 pi^2 deviation^2 r^2) (Rahimi and Recht 2007)
    waves = FourierFeatures.random(2, 20000, deviation=0.3, seed=1)
    one, other = waves(torch.zeros(1, 2))[0, 2:], waves(torch.tensor([[0.6, 0.3]]))[0, 2:]
    exact = torch.exp(torch.tensor(-2 * torch.pi**2 * 0.3**2 * 0.45))
    assert float(one @ other / 20000) == pytest.approx(float(exact), abs=0.02)
    assert torch.equal(waves.frequencies, FourierFeatures.random(2, 20000, deviation=0.3, seed=1).frequencies)
    assert "frequencies" in waves.state_dict()
