"""Interpolation that keeps planes, whatever its network says."""

import numpy as np
import pytest
import torch

from geoop.graph.pointset import PointSet
from geoop.operators.moment_interpolation import MomentInterpolation


def wild(dimension: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> MomentInterpolation:
    """With weights far from those of the start, so that nothing is exact by accident."""
    torch.manual_seed(seed)
    operator = MomentInterpolation(dimension).to(dtype)
    torch.nn.init.normal_(operator.net.layers[-1].weight, std=1.0)
    return operator


def carried(operator: MomentInterpolation, source: torch.Tensor, target: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    here, there = PointSet(source, values), PointSet(target)
    with torch.no_grad():
        return operator(here, there, operator.connect(here, there)).scalars


@pytest.mark.parametrize("dimension", [2, 3])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 2e-5)])
def test_constants_and_linear_functions_are_exact_also_outside_of_the_hull(dimension, dtype, tolerance):
    g = torch.Generator().manual_seed(1)
    source = torch.rand(400, dimension, generator=g, dtype=dtype)
    target = 1.2 * torch.rand(900, dimension, generator=g, dtype=dtype) - 0.1
    slopes = torch.linspace(-2, 3, dimension, dtype=dtype)

    def linear(x: torch.Tensor) -> torch.Tensor:
        return torch.stack([torch.ones(len(x), dtype=dtype), 4 + x @ slopes], dim=1)

    found = carried(wild(dimension, dtype=dtype), source, target, linear(source))
    assert (found - linear(target)).abs().max() < tolerance


def test_without_the_correction_the_test_above_would_fail():
    """The control: the published weights, made to add up to one, lose a linear function by a good part of a spacing."""
    g = torch.Generator().manual_seed(1)
    source, target = (torch.rand(400, 2, generator=g, dtype=torch.float64) for _ in range(2))
    operator = wild(2)
    graph = operator.connect(PointSet(source), PointSet(target))
    offset = source[graph.source] - target[graph.target]
    weight = torch.exp(operator.net(torch.cat([offset, offset.square().sum(1, keepdim=True)], 1)))[:, 0].detach()
    total = torch.zeros(400, dtype=torch.float64).index_add(0, graph.target, weight)
    mean = torch.zeros(400, 2, dtype=torch.float64).index_add(0, graph.target, weight[:, None] * offset) / total[:, None]
    assert mean.norm(dim=1).mean() > 1e-3


def test_a_source_point_gives_its_own_value_back():
    points = torch.rand(300, 2, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    values = torch.sin(9 * points[:, :1])
    assert (carried(wild(2), points, points, values) - values).abs().max() < 1e-5


def test_smooth_functions_converge_with_order_two():
    errors = []
    for n in (20, 40, 80):
        place = torch.linspace(0, 1, n, dtype=torch.float64)
        source = torch.cartesian_prod(place, place)
        target = torch.rand(500, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64)

        def smooth(x: torch.Tensor) -> torch.Tensor:
            return torch.sin(3 * x[:, :1]) * torch.cos(2 * x[:, 1:])

        errors.append(float((carried(wild(2), source, target, smooth(source)) - smooth(target)).square().mean().sqrt()))
    assert np.log2(errors[0] / errors[1]) > 1.7
    assert np.log2(errors[1] / errors[2]) > 1.7


@pytest.mark.parametrize("n", [1, 2, 30])
def test_points_on_one_line_keep_constants(n):
    line = torch.linspace(0, 1, n, dtype=torch.float64)[:, None] * torch.tensor([[1.0, 2.0]], dtype=torch.float64)
    target = torch.rand(20, 2, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    found = carried(wild(2), line, target, torch.ones(n, 1, dtype=torch.float64))
    assert (found - 1).abs().max() < 1e-6


def test_weights_learn_through_the_correction():
    operator = wild(2)
    here, there = PointSet(torch.rand(50, 2).double(), torch.rand(50, 1).double()), PointSet(torch.rand(30, 2).double())
    operator(here, there, operator.connect(here, there)).scalars.square().sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in operator.parameters())
    assert operator.net.layers[0].weight.grad.abs().max() > 0
