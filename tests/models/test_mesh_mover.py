"""Movers of the square as pure tensors: derivatives, sides, identity, and the equation that they solve."""

import math

import pytest
import torch

from geoop.errors import ConfigurationError, ShapeError
from geoop.graph.pointset import PointSet
from geoop.models.branch_trunk_mover import BranchTrunkMover
from geoop.models.cosine_potential import CosineLattice, gradient_at, hessian_at, sampled
from geoop.models.mesh_mover import UnrolledMover
from geoop.references import bibtex
from geoop.train.mesh_moving import monge_ampere_residual


def random_weights(model: torch.nn.Module, seed: int = 0, size: float = 0.05) -> torch.nn.Module:
    """Every parameter away from where training begins, so that nothing holds only at the start."""
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(size * torch.randn(parameter.shape, generator=g).to(parameter.dtype))
    return model.double().eval()


def cloud(n: int, seed: int = 0) -> PointSet:
    g = torch.Generator().manual_seed(seed)
    pos = torch.rand(n, 2, generator=g, dtype=torch.float64)
    log_m = torch.log(1 + 5 * torch.exp(-((pos - 0.4) ** 2).sum(1, keepdim=True) / 0.02))
    return PointSet(pos, log_m, weight=torch.full((n,), 1 / n, dtype=torch.float64))


MODELS = {
    "unrolled": lambda: UnrolledMover(16, 24, steps=3, width=4),
    "unrolled, no network": lambda: UnrolledMover(16, 24, steps=3, width=0, learned=False),
    "branch and trunk": lambda: BranchTrunkMover(16, 24, moments=4, waves=3),
}
every_model = pytest.mark.parametrize("make", MODELS.values(), ids=MODELS.keys())


def test_derivatives_of_the_series_are_those_of_automatic_differentiation():
    g = torch.Generator().manual_seed(0)
    series = torch.randn(2, 12, 12, generator=g, dtype=torch.float64)
    x = torch.rand(2, 40, 2, generator=g, dtype=torch.float64).requires_grad_()
    wave = math.pi * torch.arange(12, dtype=torch.float64)
    value = torch.einsum("bkl,bqk,bql->bq", series, torch.cos(x[..., :1] * wave), torch.cos(x[..., 1:] * wave))
    (slope,) = torch.autograd.grad(value.sum(), x, create_graph=True)
    bend = torch.stack([torch.autograd.grad(slope[..., k].sum(), x, retain_graph=True)[0] for k in (0, 1)], dim=2)
    assert torch.allclose(gradient_at(series, x), slope, rtol=1e-10, atol=1e-8)
    assert torch.allclose(hessian_at(series, x), bend, rtol=1e-10, atol=1e-7)
    lattice = CosineLattice(12).double()
    gradient, xx, yy, xy = lattice.derivatives(series)
    nodes = lattice.nodes.reshape(1, -1, 2).expand(2, -1, -1)
    assert torch.allclose(gradient.reshape(2, -1, 2), gradient_at(series, nodes), atol=1e-4)  # its tables were made in float32
    assert torch.allclose(torch.stack([xx, yy, xy], -1).reshape(2, -1, 3), hessian_at(series, nodes).flatten(2)[..., [0, 3, 1]], atol=1e-2)


def test_the_poisson_solve_is_exact_on_a_cosine():
    lattice = CosineLattice(16)
    x, y = lattice.nodes.unbind(-1)
    wanted = torch.cos(3 * math.pi * x) * torch.cos(2 * math.pi * y)
    series = lattice.potential_of((-13 * math.pi**2 * wanted + 7.0)[None])  # a mean is taken off: nothing may flow through the sides
    assert torch.allclose(lattice.value.T @ series[0] @ lattice.value, wanted, atol=1e-5)


@every_model
def test_nothing_moves_through_a_side(make):
    model = random_weights(make())
    latent = model.encode(cloud(300))
    t = torch.linspace(0, 1, 50, dtype=torch.float64)
    for axis in (0, 1):
        for side in (0.0, 1.0):
            points = torch.stack([torch.full_like(t, side), t][:: 1 if axis == 0 else -1], dim=1)[None]
            found = model.displacement(latent, points)
            assert found[..., axis].abs().max() < 1e-12
            assert found[..., 1 - axis].abs().max() > 1e-6  # while it does move along it


@every_model
def test_a_constant_monitor_moves_nothing(make):
    model = random_weights(make())
    points = cloud(300)
    constant = points.with_features(scalars=torch.full((300, 1), 1.7, dtype=torch.float64))
    moved = model.displacement(model.encode(constant), points.pos[None])
    assert moved.abs().max() < 1e-10
    assert model.displacement(model.encode(points), points.pos[None]).abs().max() > 1e-4


@every_model
def test_a_factor_on_the_monitor_and_the_order_of_its_points_change_nothing(make):
    model, points = random_weights(make()), cloud(300)
    expected = model.encode(points)
    order = torch.randperm(300, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(model.encode(points.take(order)), expected, rtol=1e-8, atol=1e-12)
    assert torch.allclose(model.encode(points.with_features(scalars=points.scalars + 3.0)), expected, rtol=1e-6, atol=1e-10)


@every_model
def test_a_batch_equals_its_samples(make):
    model, parts = random_weights(make()), [cloud(200, 1), cloud(330, 2)]
    whole = model.encode(PointSet.concatenate(parts))
    assert torch.allclose(whole, torch.cat([model.encode(part) for part in parts]), rtol=1e-8, atol=1e-12)


@every_model
def test_the_hessian_is_the_derivative_of_the_displacement_and_symmetric(make):
    model = random_weights(make())
    latent, x = model.encode(cloud(300)).detach(), torch.rand(1, 30, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    hessian, h = model.hessian(latent, x), 1e-5
    for k in (0, 1):
        step = h * torch.eye(2, dtype=torch.float64)[k]
        difference = (model.displacement(latent, x + step) - model.displacement(latent, x - step)) / (2 * h)
        assert torch.allclose(hessian[:, :, k], difference, atol=1e-6)
    assert torch.allclose(hessian, hessian.mT, atol=1e-9)


def smooth_monitor(n: int) -> torch.Tensor:
    place = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    x, y = torch.meshgrid(place, place, indexing="ij")
    return torch.log(1 + 2 * torch.exp(-((x - 0.4) ** 2 + (y - 0.55) ** 2) / 0.05))[None]


def residual(model: UnrolledMover, log_m: torch.Tensor) -> float:
    x = torch.rand(1, 4000, 2, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    return float(monge_ampere_residual(model, model.solve(log_m), log_m, x)[0].square().mean().sqrt())


def test_the_iteration_converges_to_the_equation_and_with_the_lattice():
    """More steps, then finer lattices: what is left of m det(I + H phi) = const falls with both."""
    log_m = smooth_monitor(256)
    one, two, four, many = (residual(UnrolledMover(32, steps=k, width=0, learned=False).double(), log_m) for k in (1, 2, 4, 30))
    assert one > 3 * two > 9 * four
    assert many < 1.5e-3
    coarse, fine = (residual(UnrolledMover(n, steps=30, width=0, learned=False).double(), log_m) for n in (8, 16))
    assert coarse > 3 * fine


def test_bilinear_values_are_exact_on_linear_ones():
    place = (torch.arange(20, dtype=torch.float64) + 0.5) / 20
    x, y = torch.meshgrid(place, place, indexing="ij")
    points = 0.025 + 0.95 * torch.rand(1, 50, 2, generator=torch.Generator().manual_seed(6), dtype=torch.float64)
    assert torch.allclose(sampled((2 * x - 3 * y)[None], points), 2 * points[..., 0] - 3 * points[..., 1], atol=1e-12)


@every_model
def test_it_is_built_again_from_its_arguments_and_cites_its_sources(make):
    model = make()
    again = type(model)(**model.arguments)
    again.load_state_dict(model.state_dict())
    assert torch.equal(again.float().encode(cloud(50).to(torch.float32)), model.encode(cloud(50).to(torch.float32)))
    assert "Hu, Peiyan" in bibtex(model.reference)


def test_bad_sizes_and_clouds_are_named():
    with pytest.raises(ConfigurationError, match="4 and 96 nodes"):
        UnrolledMover(4)
    with pytest.raises(ConfigurationError, match="width 0"):
        BranchTrunkMover(0)
    with pytest.raises(ShapeError, match="in 3-D with 2 scalars"):
        UnrolledMover(16, 24).encode(PointSet(torch.rand(20, 3), torch.rand(20, 2)))
