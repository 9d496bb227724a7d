"""Linear attention against the sum over all pairs that it stands for."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from geoop.errors import ConfigurationError
from geoop.graph.pointset import PointSet
from geoop.operators.linear_attention import LinearAttention

CHANNELS, HEADS = 8, 2


def cloud(sizes: tuple[int, ...], channels: int, seed: int) -> PointSet:
    g = torch.Generator().manual_seed(seed)
    n = sum(sizes)
    ptr = torch.tensor([0, *sizes]).cumsum(0)
    pos, scalars = (torch.randn(n, c, generator=g, dtype=torch.float64) for c in (2, channels))
    return PointSet(pos, scalars, weight=torch.rand(n, generator=g, dtype=torch.float64) + 0.1, ptr=ptr)


def operator(kind: str = "softmax", sources: tuple[int, ...] = (3, 5)) -> LinearAttention:
    torch.manual_seed(0)
    return LinearAttention(CHANNELS, source_channels=sources, heads=HEADS, kind=kind).double()


def all_pairs(layer: LinearAttention, sources: list[PointSet], target: PointSet) -> torch.Tensor:
    """The published formula, sample by sample, head by head, pair by pair."""
    rows = []
    for k, points in enumerate(target.split()):
        query = layer.query(layer.norm_target(points.scalars)).unflatten(1, (HEADS, -1))
        seen = torch.zeros_like(query)
        for j, source in enumerate(sources):
            own = source.split()[k]
            x = layer.norm_sources[j](own.scalars)
            key, value = (part(x).unflatten(1, (HEADS, -1)) for part in (layer.keys[j], layer.values[j]))
            if layer.kind == "softmax":
                strength = (
                    torch.einsum("nhc,mhc->nmh", (layer.sharpness * query).softmax(-1), (layer.sharpness * key).softmax(-1))
                    * own.weight[None, :, None]
                )
                strength = strength / strength.sum(dim=1, keepdim=True)
            else:
                key, value = (torch.nn.functional.layer_norm(y, y.shape[-1:]) for y in (key, value))
                strength = torch.einsum("nhc,mhc->nmh", query, key) * own.weight[None, :, None] / own.weight.sum()
            if len(own):
                seen = seen + torch.einsum("nmh,mhc->nhc", strength, value) / len(sources)
        rows.append(points.scalars + layer.out((query + seen).flatten(1)))
    return torch.cat(rows)


def answer(layer: LinearAttention, sources: list[PointSet], target: PointSet) -> torch.Tensor:
    with torch.no_grad():
        return layer(sources, target, layer.connect(sources[0], target)).scalars


@pytest.mark.parametrize("kind", ["softmax", "galerkin"])
@pytest.mark.parametrize("sizes", [((9, 140, 3), (300, 2, 97), (4, 5, 1)), ((12, 12, 12), (7, 7, 7), (5, 5, 5))], ids=["ragged", "equal"])
def test_it_equals_the_sum_over_all_pairs(kind, sizes):
    layer, sources, target = operator(kind), [cloud(sizes[0], 3, 1), cloud(sizes[1], 5, 2)], cloud(sizes[2], CHANNELS, 3)
    with torch.no_grad():
        assert torch.allclose(answer(layer, sources, target), all_pairs(layer, sources, target), rtol=0, atol=1e-12)


def test_softmax_attention_is_a_mean():
    """Values that are everywhere the same come back unchanged, whatever queries, keys and weights are."""
    layer, target = operator(), cloud((4, 6), CHANNELS, 3)
    value = torch.linspace(-1, 2, CHANNELS, dtype=torch.float64)
    with torch.no_grad():
        for part in layer.values:
            part.weight.zero_()
            part.bias.copy_(value)
        expected = target.scalars + layer.out(layer.query(layer.norm_target(target.scalars)) + value)
    assert torch.allclose(answer(layer, [cloud((30, 2), 3, 1), cloud((1, 50), 5, 2)], target), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", ["softmax", "galerkin"])
def test_splitting_points_and_the_unit_of_weights_change_nothing(kind):
    layer, sources, target = operator(kind), [cloud((9, 14), 3, 1), cloud((6, 2), 5, 2)], cloud((4, 5), CHANNELS, 3)
    expected = answer(layer, sources, target)
    twice = sources[0].take(torch.arange(len(sources[0])).repeat_interleave(1 + (torch.arange(len(sources[0])) % 3 == 0)))
    count = torch.ones(len(sources[0]), dtype=torch.float64) + (torch.arange(len(sources[0])) % 3 == 0)
    shared = replace(twice, weight=twice.weight / count.repeat_interleave(count.long()))
    other = replace(sources[1], weight=1e-6 * sources[1].weight)
    assert torch.allclose(answer(layer, [shared, other], target), expected, rtol=0, atol=1e-12)
    assert (answer(layer, [twice, other], target) - expected).abs().max() > 1e-4, "weights that are not shared out must matter"


@pytest.mark.parametrize("kind", ["softmax", "galerkin"])
def test_a_function_without_points_adds_nothing(kind):
    layer, full, target = operator(kind), cloud((9, 14), 3, 1), cloud((4, 5), CHANNELS, 3)
    for sizes in ((0, 0), (0, 7)):
        sources = [full, cloud(sizes, 5, 2)]
        with torch.no_grad():
            assert torch.allclose(answer(layer, sources, target), all_pairs(layer, sources, target), rtol=0, atol=1e-12)
        layer.zero_grad()
        layer(sources, target, layer.connect(full, target)).scalars.square().sum().backward()
        assert all(torch.isfinite(p.grad).all() for p in layer.parameters())


def test_the_summary_does_not_grow_with_the_clouds():
    layer = operator()
    shapes = {layer.summarise([cloud((n,), 3, 1), cloud((2 * n,), 5, 2)]).shape for n in (1, 10, 1000)}
    assert shapes == {(1, 2, CHANNELS, CHANNELS + 1)}


def test_wrong_arguments_are_named():
    with pytest.raises(ConfigurationError, match="divide"):
        LinearAttention(8, heads=3)
    with pytest.raises(ConfigurationError, match="kind"):
        LinearAttention(8, kind="fourier")  # type: ignore[arg-type]
