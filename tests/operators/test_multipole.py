"""The V-cycle against the matrix that it decomposes, and its cost."""

from __future__ import annotations

import pytest
import torch

from geoop.errors import ConfigurationError
from geoop.graph.pointset import PointSet
from geoop.layers.neighborhood import Nearest
from geoop.operators.multipole import Levels, MultipoleKernel, level_sizes


def cloud(n: int, channels: int = 2, seed: int = 0) -> PointSet:
    g = torch.Generator().manual_seed(seed)
    pos, scalars = (torch.rand(n, k, generator=g, dtype=torch.float64) for k in (2, channels))
    return PointSet(pos * pos, scalars, weight=torch.rand(n, generator=g, dtype=torch.float64) + 0.1)


def make(**changes) -> MultipoleKernel:
    torch.manual_seed(0)
    given = {"levels": levels(30, 8), "near": Nearest(4, smooth=True), "nonlinear": False}
    return MultipoleKernel(2, 2, **{**given, **changes}).double()


def levels(*counts: int, neighbours: int = 4) -> Levels:
    return Levels(counts, channels=3, gains=4, hidden=8, neighbours=neighbours)


def matrix(apply, source: PointSet, channels: int) -> torch.Tensor:
    """(n_out c_out, m channels) of an affine map, column by column."""
    zero = apply(source.with_features(scalars=torch.zeros(len(source), channels, dtype=torch.float64)))
    columns = []
    for k in range(len(source) * channels):
        unit = torch.zeros(len(source) * channels, dtype=torch.float64)
        unit[k] = 1
        columns.append((apply(source.with_features(scalars=unit.view(-1, channels))) - zero).flatten())
    return torch.stack(columns, dim=1)


@torch.no_grad()
def test_it_is_the_sum_of_products_over_the_levels():
    """K = K_11 + K_12 (K_22 + K_23 K_33 K_32) K_21, every factor as a dense matrix."""
    operator, source = make(levels=levels(12, 4, neighbours=3), near=Nearest(3)), cloud(30)
    target = PointSet(torch.rand(5, 2, dtype=torch.float64))
    hierarchy = operator.connect(source, target)
    g = hierarchy.graphs
    one, two = hierarchy.points["level0"], hierarchy.points["level1"]
    assert (len(one), len(two)) == (12, 4)
    k11 = matrix(lambda p: operator.near(p, target, g["near"]).scalars, source, 2)
    k12 = matrix(lambda p: operator.far(p, target, g["far"]).scalars, one, 3)
    k21 = matrix(lambda p: operator.down[0](p, one, g["down0"]).scalars, source, 2)
    k22 = matrix(lambda p: operator.within[0](p, p, g["within0"]).scalars, one, 3)
    k32 = matrix(lambda p: operator.down[1](p, two, g["down1"]).scalars, one, 3)
    k33 = matrix(lambda p: operator.within[1](p, p, g["within1"]).scalars, two, 3)
    k23 = matrix(lambda p: operator.up[0](p, one, g["up0"]).scalars, two, 3)
    whole = matrix(lambda p: operator(p, target, hierarchy).scalars, source, 2)
    torch.testing.assert_close(whole, k11 + k12 @ (k22 + k23 @ k33 @ k32) @ k21, rtol=0, atol=1e-12)
    assert (k11 == 0).double().mean() > 0.8 and (whole.abs() > 0).all()  # the near part is sparse, the sum reaches every point


@torch.no_grad()
def test_every_source_point_counts_with_its_weight_on_every_level():
    operator, source = make(), cloud(500)
    hierarchy = operator.coarsen(source)
    for i in range(2):
        torch.testing.assert_close(hierarchy.points[f"level{i}"].weight.sum(), source.weight.sum())
    assert torch.equal(hierarchy.graphs["down0"].degree.sum(), torch.tensor(500))


@torch.no_grad()
def test_the_far_field_is_found_once_and_serves_any_target():
    operator, source = make(nonlinear=True, target_channels=0), cloud(200)
    hierarchy = operator.coarsen(source)
    coarse = operator.far_field(source, hierarchy, operator.pairs(operator.clouds(source, None, hierarchy), hierarchy))
    for seed in (1, 2):
        target = PointSet(torch.rand(9, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)))
        whole = operator(source, target, operator.connect(source, target)).scalars
        graphs = operator.connect(source, target)
        pairs = operator.pairs({"near": (source, target), "far": (coarse, target)}, graphs)
        torch.testing.assert_close(operator.reach(source, coarse, target, graphs, pairs).scalars, whole, rtol=0, atol=1e-12)


def test_edges_grow_with_the_points():
    per_point = []
    for n in (1000, 4000, 16_000):
        scaled = make(near=Nearest(8), levels=levels(*level_sizes(n, 4, 16), neighbours=6))
        source = cloud(n)
        per_point.append(sum(g.n_edges for g in scaled.connect(source, source).graphs.values()) / n)
    assert max(per_point) / min(per_point) < 1.2 and max(per_point) < 24


def test_sizes_of_levels():
    assert level_sizes(1000) == (250,) and level_sizes(4096, 4, 16) == (1024, 256, 64, 16)
    assert level_sizes(40, 4, 16) == (16,) and level_sizes(5) == (5,)
    for wrong in ((), (4, 4), (2, 8), (4, 0)):
        with pytest.raises(ConfigurationError):
            Levels(wrong)
