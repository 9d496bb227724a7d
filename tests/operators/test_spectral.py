"""The Fourier layer: exact derivatives, the same answer on every lattice, and what padding is for."""

from __future__ import annotations

import math

import pytest
import torch

from geoop.errors import ConfigurationError, ShapeError
from geoop.graph.pointset import PointSet
from geoop.operators.spectral import Spectral


def lattice(shape) -> torch.Tensor:
    """(*shape, d) nodes i / n of the periodic unit cube."""
    return torch.stack(torch.meshgrid(*[torch.arange(n, dtype=torch.float64) / n for n in shape], indexing="ij"), dim=-1)


def waves(x: torch.Tensor) -> torch.Tensor:
    """Functions with wave numbers up to 3 on every axis."""
    phase = 2 * math.pi * x
    total = torch.sin(phase.sum(-1) + 0.3)
    return torch.stack([total, torch.cos(3 * phase[..., 0]) * torch.sin(2 * phase[..., 1]), torch.cos(phase[..., -1]) + 0.5], dim=-1)


def run(layer: Spectral, values: torch.Tensor) -> torch.Tensor:
    points = PointSet(torch.zeros(values[..., 0].numel(), 2, dtype=torch.float64), values.flatten(0, -2))
    with torch.no_grad():
        return layer(points, points, layer.connect(points, points)).scalars.reshape(*values.shape[:-1], -1)


@pytest.mark.parametrize(("shape", "options"), [((8, 10), {}), ((12, 8), {"rank": 2, "padding": 0.5}), ((8, 8, 8), {"rank": 2}), ((7, 9, 8), {})])
def test_a_band_limited_input_gives_the_same_answer_on_a_finer_lattice(shape, options):
    torch.manual_seed(0)
    coarse = Spectral(3, 4, shape, modes=3, **options).double()
    fine = Spectral(3, 4, [2 * n for n in shape], modes=3, **options).double()
    fine.load_state_dict(coarse.state_dict())
    if options.get("padding"):  # the input on the padded lattice is not band-limited; its convergence is shown instead
        finest = Spectral(3, 4, [4 * n for n in shape], modes=3, **options).double()
        finest.load_state_dict(coarse.state_dict())
        a, b, c = (run(layer, waves(lattice(layer.shape))) for layer in (coarse, fine, finest))
        assert float((b - c[::2, ::2]).abs().max()) < 0.7 * float((a - c[::4, ::4]).abs().max())
        return
    a, b = run(coarse, waves(lattice(shape))), run(fine, waves(lattice(fine.shape)))
    every = tuple(slice(None, None, 2) for _ in shape)
    assert float((a - b[every]).abs().max()) < 1e-12 * float(a.abs().max())
    # a control: a wave that the coarse lattice cannot tell from a longer one
    short = torch.cos(2 * math.pi * (shape[-1] - 1) * lattice(fine.shape)[..., -1:]).expand(*fine.shape, 3)
    assert float((run(coarse, short[every]) - run(fine, short)[every]).abs().max()) > 0.1


@pytest.mark.parametrize(("shape", "modes"), [((9,), 3), ((8, 10), 3), ((7, 9), 3), ((5, 6, 7), 2)])
@pytest.mark.parametrize("padding", [0.0, 0.5])
def test_the_matrices_of_the_transforms_give_what_the_fast_transforms_give(shape, modes, padding):
    torch.manual_seed(0)
    layer = Spectral(3, 4, shape, modes=modes, padding=padding).double()
    field = torch.randn(2, *shape, 3, dtype=torch.float64)
    with torch.no_grad():
        one, other = layer._by_matrices(field), layer._by_transforms(field)
    assert float((one - other).abs().max()) < 1e-13 * float(other.abs().max())


def mode_numbers(layer: Spectral) -> torch.Tensor:
    """(count, d) wave numbers of the rows of ``layer.weight``."""
    k = layer.modes
    both = torch.cat([torch.arange(k + 1), torch.arange(-k, 0)])
    axes = [both] * (len(layer.shape) - 1) + [torch.arange(k + 1)]
    return torch.cartesian_prod(*axes).reshape(-1, len(layer.shape)).double()


@pytest.mark.parametrize("shape", [(9, 8), (8, 9, 10)])
def test_derivatives_are_exact(shape):
    layer = Spectral(1, 1, shape, modes=3).double()
    x = 2 * math.pi * lattice(shape)
    phase = 2 * x[..., 0] + x[..., 1] - 3 * x[..., -1]
    for axis, factor in ((0, 2), (len(shape) - 1, -3 if len(shape) == 3 else -2)):
        with torch.no_grad():
            layer.local.weight.zero_()
            layer.local.bias.zero_()
            layer.weight.zero_()
            layer.weight[:, 0, 0, 1] = 2 * math.pi * mode_numbers(layer)[:, axis]  # i k
        found = run(layer, torch.sin(phase)[..., None])[..., 0]
        assert torch.allclose(found, 2 * math.pi * factor * torch.cos(phase), atol=1e-11), axis


def test_it_commutes_with_shifts_of_the_lattice_unless_padded():
    torch.manual_seed(0)
    values = torch.randn(10, 12, 3, dtype=torch.float64)
    for padding, periodic in ((0.0, True), (0.5, False)):
        layer = Spectral(3, 3, (10, 12), modes=3, padding=padding).double()
        error = float((run(layer, values.roll((3, 2), (0, 1))) - run(layer, values).roll((3, 2), (0, 1))).abs().max())
        assert (error < 1e-12) == periodic, error


def test_half_precision_is_computed_in_single():
    torch.manual_seed(0)
    layer = Spectral(4, 4, (8, 8), modes=3, rank=3)
    x = torch.randn(2, 8, 8, 4)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        assert float((layer.on_lattice(x).float() - layer.double().on_lattice(x.double()).float()).abs().max()) < 0.1


def test_what_it_refuses():
    with pytest.raises(ConfigurationError, match="8 modes"):
        Spectral(1, 1, (16, 32), modes=8)
    layer = Spectral(1, 1, (4, 4), modes=1)
    points = PointSet(torch.zeros(15, 2), torch.zeros(15, 1))
    with pytest.raises(ShapeError, match="15"):
        layer.connect(points, points)
