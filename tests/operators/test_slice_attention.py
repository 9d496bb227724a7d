"""Slice attention against the published layer, written out, and what its quadrature weights are for."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from geoop.errors import ConfigurationError
from geoop.graph.pointset import PointSet
from geoop.operators.slice_attention import SliceAttention


def cloud(n: int, seed: int = 0, channels: int = 8) -> PointSet:
    g = torch.Generator().manual_seed(seed)
    pos, features = torch.rand(n, 2, generator=g, dtype=torch.float64), torch.randn(n, channels, generator=g, dtype=torch.float64)
    return PointSet(pos, features, weight=torch.rand(n, generator=g, dtype=torch.float64) + 0.1)


def layer(**options) -> SliceAttention:
    torch.manual_seed(0)
    return SliceAttention(8, heads=2, slices=5, **options).double()


def apply(operator: SliceAttention, points: PointSet) -> torch.Tensor:
    with torch.no_grad():
        return operator(points, points, operator.connect(points, points)).scalars


def published(operator: SliceAttention, u: torch.Tensor) -> torch.Tensor:
    """Wu et al. 2024, equations 1 to 4, of one sample: values of points are pooled without weights, and every point is projected by itself."""
    heads, channels = operator.heads, u.shape[1]
    values = operator.value(u).view(len(u), heads, -1)
    parts = []
    for h in range(heads):
        rows = slice(h * operator.slices, (h + 1) * operator.slices)
        logits = u @ operator.assign.weight[rows].T + operator.assign.bias[rows]
        share = (logits / operator.temperature[h]).softmax(dim=1)
        tokens = share.T @ values[:, h] / share.sum(dim=0)[:, None]
        q, k, v = operator.qkv(tokens).chunk(3, dim=1)
        parts.append(share @ ((q @ k.T / (channels // heads) ** 0.5).softmax(dim=1) @ v))
    return operator.out(torch.cat(parts, dim=1)).detach()


def test_with_equal_weights_it_is_the_published_layer_and_with_others_it_is_not():
    operator, points = layer(), cloud(60)
    plain = published(operator, points.scalars)
    even = replace(points, weight=torch.full((60,), 0.37, dtype=torch.float64))
    assert (apply(operator, even) - plain).abs().max() < 1e-13
    assert (apply(operator, points) - plain).abs().max() > 1e-3
    assert (apply(layer(density=True), even) - plain).abs().max() < 1e-13  # a density starts as 1


def test_a_point_that_is_split_in_two_counts_as_before():
    operator, points = layer(density=True), cloud(40)
    torch.nn.init.normal_(operator.density.weight)
    twice = torch.arange(40).repeat_interleave(1 + (torch.arange(40) < 25).long())
    half = torch.where(torch.arange(40) < 25, 0.5, 1.0).double()
    split = replace(points.take(twice), weight=(points.weight * half)[twice])
    expected = apply(operator, points)[twice]
    assert (apply(operator, split) - expected).abs().max() < 1e-13
    ones = torch.ones(len(split), dtype=torch.float64)
    before = apply(operator, replace(points, weight=torch.ones(40, dtype=torch.float64)))[twice]
    assert (apply(operator, replace(split, weight=ones)) - before).abs().max() > 1e-3  # control: without weights density leaks in


def test_samples_of_any_sizes_are_tiled_without_a_common_length():
    operator, sizes = layer(), (700, 3, 0, 300, 256)
    samples = [cloud(n, seed) for seed, n in enumerate(sizes)]
    together = PointSet.concatenate(samples)
    assert (apply(operator, together) - torch.cat([apply(operator, s) for s in samples])).abs().max() < 1e-12


def test_what_slices_say_is_enough_for_any_target_and_does_not_grow_with_the_cloud():
    operator, points, others = (
        layer(density=True),
        PointSet.concatenate([cloud(50, 1), cloud(70, 2)]),
        PointSet.concatenate([cloud(3, 3), cloud(9, 4)]),
    )
    with torch.no_grad():
        spoken, share = operator.summarise(points)
        expected = operator(points, others, operator.connect(points, others)).scalars
        assert torch.equal(operator.read(operator.share(others), spoken, others), expected)
        assert torch.equal(operator.read(share, spoken, points), apply(operator, points))
    assert spoken.shape == (2, 2 * 5, 8)
    assert torch.allclose(share.view(-1, 2, 5).sum(dim=2), torch.ones(120, 2, dtype=torch.float64))


def test_heads_must_divide_the_channels():
    with pytest.raises(ConfigurationError, match="does not divide"):
        SliceAttention(8, heads=3)
