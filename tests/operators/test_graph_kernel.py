"""The kernel integral against integrals that are known."""

from __future__ import annotations

import math

import pytest
import torch

from geoop.graph.pointset import PointSet
from geoop.layers.neighborhood import Ball, Nearest
from geoop.layers.operator import Symmetry
from geoop.layers.pair_kernel import PairKernel
from geoop.operators.graph_kernel import GraphKernel


def constant_kernel(neighborhood, measure=None):
    """k = 1 on one channel that is passed through: only the quadrature is left."""
    operator = GraphKernel(1, 1, neighborhood, PairKernel(2, 1), measure=measure).double()
    with torch.no_grad():
        for layer in (operator.kernel.gain.layers[-1], operator.inner, operator.mix):
            layer.weight.zero_()
            layer.bias.zero_()
        operator.kernel.gain.layers[-1].bias.fill_(1.0)
        operator.inner.weight.fill_(1.0)
        operator.mix.weight.fill_(1.0)
    return operator


def graded(n):
    """n x n midpoints of cells that grow sevenfold along each axis of the unit square, with the cells' areas."""
    edges = torch.expm1(2 * torch.linspace(0, 1, n + 1, dtype=torch.float64)) / math.expm1(2)
    mid, size = (edges[1:] + edges[:-1]) / 2, edges.diff()
    pos = torch.cartesian_prod(mid, mid)
    return PointSet(pos, torch.sin(3 * pos[:, :1]) * torch.exp(pos[:, 1:]), weight=torch.outer(size, size).flatten())


EXACT = (1 - math.cos(3)) / 3 * (math.e - 1)


def test_a_constant_kernel_returns_the_integral_at_the_order_of_the_quadrature():
    operator = constant_kernel(Ball(5.0, smooth=False), measure=1.0)
    target = PointSet(torch.rand(4, 2, dtype=torch.float64))
    errors = []
    for n in (8, 16, 32):
        source = graded(n)
        value = operator(source, target, operator.connect(source, target)).scalars.detach()
        assert float(value.max() - value.min()) < 1e-13
        errors.append(abs(float(value[0]) - EXACT))
    orders = [math.log2(a / b) for a, b in zip(errors, errors[1:], strict=False)]
    assert errors[-1] < 1e-3 and all(abs(order - 2) < 0.05 for order in orders)


def test_without_weights_the_limit_is_another():
    operator = constant_kernel(Ball(5.0, smooth=False), measure=1.0)
    target = PointSet(torch.rand(1, 2, dtype=torch.float64))
    values = []
    for n in (16, 32):
        source = graded(n)
        equal = PointSet(source.pos, source.scalars, weight=torch.full_like(source.weight, 1 / n**2))
        values.append(operator(equal, target, operator.connect(equal, target)).scalars.item())
    assert abs(values[1] - values[0]) < 0.01 and abs(values[1] - EXACT) > 0.1


def test_a_mean_over_the_ball_keeps_constants_even_in_empty_balls():
    for neighborhood in (Ball(0.2), Ball(0.2, smooth=False), Ball(1e-4), Nearest(3), Nearest(1, smooth=True)):
        operator = constant_kernel(neighborhood)
        source = graded(12).with_features(scalars=torch.full((144, 1), 2.5, dtype=torch.float64))
        target = PointSet(torch.cat([torch.rand(5, 2), torch.tensor([[9.0, 9.0]])]).double())
        value = operator(source, target, operator.connect(source, target)).scalars
        torch.testing.assert_close(value, torch.full((6, 1), 2.5, dtype=torch.float64), rtol=0, atol=1e-12)


def test_it_is_the_full_kernel_in_factored_form():
    # sum_j w_j K_ij u_j with the C x C matrices K_ij = M diag(k_ij) N written out
    torch.manual_seed(0)
    operator = GraphKernel(3, 4, Ball(0.3), PairKernel(2, 8, octaves=1), measure=0.7).double()
    source, target = graded(6), PointSet(torch.rand(5, 2, dtype=torch.float64))
    source = source.with_features(scalars=torch.randn(36, 3, dtype=torch.float64))
    graph = operator.connect(source, target)
    pairs = operator.neighborhood.pairs(source, target, graph)
    k = operator.kernel(pairs, source, target, graph)
    matrices = torch.einsum("oc,ec,ci->eoi", operator.mix.weight, k, operator.inner.weight)
    from_bias = (operator.mix.weight @ (k * operator.inner.bias).T).T
    messages = pairs.weight[:, None] / 0.7 * (torch.einsum("eoi,ei->eo", matrices, source.scalars[graph.source]) + from_bias)
    expected = torch.zeros(5, 4, dtype=torch.float64).index_add(0, graph.target, messages) + operator.mix.bias
    torch.testing.assert_close(operator(source, target, graph).scalars, expected, rtol=0, atol=1e-12)


def test_derivatives_of_a_smooth_field_exist():
    torch.manual_seed(0)
    operator = GraphKernel(1, 1, Ball(0.3), PairKernel(2, 8)).double()
    source = graded(10)
    pos = torch.rand(3, 2, dtype=torch.float64, requires_grad=True)
    graph = operator.connect(source, PointSet(pos))
    assert torch.autograd.gradgradcheck(lambda p: operator(source, PointSet(p), graph).scalars, pos)


def test_claims_follow_the_parts():
    assert GraphKernel(1, 1, Ball(1.0), PairKernel(2, 4)).mesh_order == 2.0
    assert GraphKernel(1, 1, Ball(1.0, smooth=False), PairKernel(2, 4)).mesh_order is None
    assert GraphKernel(1, 1, Nearest(3), PairKernel(2, 4)).mesh_order is None
    assert GraphKernel(1, 1, Ball(1.0), PairKernel(2, 4)).symmetry is Symmetry.TRANSLATION
    assert GraphKernel(1, 1, Ball(1.0), PairKernel(2, 4, radial=True)).symmetry is Symmetry.E


@pytest.mark.parametrize("width", [8, 32])
def test_memory_grows_with_the_gains_not_with_the_square_of_the_channels(width):
    operator = GraphKernel(64, 64, Ball(0.3), PairKernel(2, width, hidden=16)).double()
    source = graded(12).with_features(scalars=torch.randn(144, 64, dtype=torch.float64))
    graph = operator.connect(source, source)
    kept = {}
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.setdefault(t.data_ptr(), t.numel()) and t, lambda t: t):
        operator(source, source, graph)
    assert sum(kept.values()) < graph.n_edges * (8 * width + 16 * 8 + 64)


def test_without_gradients_edges_are_taken_part_by_part_and_the_result_is_the_same(monkeypatch):
    torch.manual_seed(0)
    operator = GraphKernel(3, 5, Ball(0.3), PairKernel(2, 8, hidden=8, source_channels=3, target_channels=2), target_channels=2).double()
    cloud = graded(12)
    source = PointSet.concatenate([cloud, cloud]).with_features(scalars=torch.randn(288, 3, dtype=torch.float64))
    target = source.with_features(scalars=torch.randn(288, 2, dtype=torch.float64))
    graph = operator.connect(source, target)
    whole = operator(source, target, graph).scalars
    sizes = []
    operator.kernel.register_forward_hook(lambda module, arguments, result: sizes.append(len(result)))
    monkeypatch.setattr("geoop.operators.graph_kernel._EDGES", 500)
    with torch.no_grad():
        parts = operator(source, target, graph).scalars
    torch.testing.assert_close(parts, whole, rtol=1e-12, atol=1e-12)
    assert sum(sizes) == graph.n_edges and len(sizes) > 10 and max(sizes) < graph.n_edges / 5
    operator(source, target, graph)
    assert sizes[-1] == graph.n_edges  # with gradients all are kept for the way back anyway
