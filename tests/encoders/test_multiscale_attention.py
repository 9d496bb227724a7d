"""Several scales over one graph, the measure in the softmax, and statistics with exact values."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from geoop.encoders.geometry_statistics import GeometryStatistics
from geoop.encoders.multiscale_attention import MultiscaleAttention
from geoop.errors import ConfigurationError
from geoop.graph.pointset import PointSet
from geoop.layers.pair_kernel import PairKernel
from geoop.layers.scales import Balls, NearestScales, OwnBalls, Scales

D = torch.float64


def lattice(n: int, half: bool = False) -> PointSet:
    """n^2 points of the square [-1, 1]^2 with midpoint weights, or of its upper half."""
    axis = (torch.arange(n, dtype=D) + 0.5) / n * 2 - 1
    pos = torch.cartesian_prod(axis, axis)
    pos = pos[pos[:, 1] > 0] if half else pos
    return PointSet(pos, torch.stack([(2 * pos[:, 0]).sin(), (pos[:, 0] - pos[:, 1]).cos()], 1), weight=torch.full((len(pos),), 4.0 / n**2, dtype=D))


def operator(scales: Scales, target_channels: int = 0) -> MultiscaleAttention:
    torch.manual_seed(0)
    kernel = PairKernel(2, 10, hidden=8, octaves=1, source_channels=2, target_channels=target_channels)
    return MultiscaleAttention(2, 3, scales, kernel, heads=2, target_channels=target_channels).double()


def apply(made, source: PointSet, target: PointSet) -> torch.Tensor:
    with torch.no_grad():
        return made(source, target, made.connect(source, target)).scalars


ORIGIN = PointSet(torch.tensor([[0.02, 0.01], [0.3, -0.2]], dtype=D))


def test_several_scales_reduce_to_each_single_one():
    several, points = operator(Balls((0.2, 0.5))), lattice(40)
    results = []
    for kept, scales in ((0, Balls((0.2,))), (1, Balls((0.5,)))):
        with torch.no_grad():
            several.choice.copy_(torch.tensor([50.0, -50.0] if kept == 0 else [-50.0, 50.0]))
        results.append(apply(several, points, ORIGIN))
        if kept == 1:  # kernels see offsets in units of the largest ball, so only that one can be compared with an operator of its own
            single = operator(scales)
            single.load_state_dict({k: v for k, v in several.state_dict().items() if k != "choice"})
            assert (apply(single, points, ORIGIN) - results[-1]).abs().max() < 1e-12
    assert (results[0] - results[1]).abs().max() > 1e-3


def test_the_scales_are_chosen_per_point_where_points_have_features():
    made, points = operator(Balls((0.2, 0.5)), target_channels=2), lattice(40)
    one = PointSet(ORIGIN.pos[:1].repeat(2, 1), torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=D))
    result = apply(made, points, one)
    assert (result[0] - result[1]).abs().max() > 1e-4
    assert operator(Balls((0.5,)), target_channels=2).choose is None


@pytest.mark.parametrize("scales", [Balls((0.3, 0.6)), NearestScales((40, 90)), OwnBalls((1.0, 2.0))])
def test_a_point_that_is_split_in_two_counts_as_before(scales):
    made, points = operator(scales), lattice(24)
    target = replace(ORIGIN, scalars=torch.full((2, 1), 0.3, dtype=D))
    count = 1 + (points.pos[:, 0] > 0).long()
    index = torch.arange(len(points)).repeat_interleave(count)
    split = replace(points.take(index), weight=(points.weight / count)[index])
    found = made.scales.pairs(points, target, made.connect(points, target))
    assert found.log_weight.shape[1] == 2
    change = (apply(made, split, target) - apply(made, points, target)).abs().max()
    if isinstance(scales, NearestScales):
        assert change > 1e-6  # the k nearest shrink: no claim is made
        assert made.mesh_order is None
    else:
        assert change < 1e-12 and made.mesh_order == 2.0


def test_nearest_neighbours_converge_to_the_features_of_the_point():
    """What depends on the arrangement of neighbours vanishes with their distance."""
    made = operator(NearestScales((3, 8), unit=0.1))
    exact = torch.stack([(2 * ORIGIN.pos[:, 0]).sin(), (ORIGIN.pos[:, 0] - ORIGIN.pos[:, 1]).cos()], 1)
    with torch.no_grad():
        limit = made.mix(made.inner(exact))
    errors = [float((apply(made, lattice(n), ORIGIN) - limit).abs().max()) for n in (20, 80, 320)]
    assert errors[1] < 0.5 * errors[0] and errors[2] < 0.4 * errors[1], errors


def test_sizes_must_ascend():
    for make in (lambda: Balls((0.5, 0.2)), lambda: NearestScales(()), lambda: OwnBalls((0.0, 1.0))):
        with pytest.raises(ConfigurationError, match="ascending"):
            make()
    with pytest.raises(ConfigurationError, match="do not divide"):
        MultiscaleAttention(2, 3, Balls((1.0,)), PairKernel(2, 9), heads=2)


def test_statistics_of_a_full_ball_and_of_half_a_ball_are_known():
    """With the window (1 - s^2)^3 in a disc: mean of s is 128/315, of s^2 is 1/5, each eigenvalue 1/10, filled pi/4."""
    made = GeometryStatistics(3, Balls((0.5,))).double()

    def describe(points: PointSet, count: GeometryStatistics = made) -> torch.Tensor:
        centre = PointSet(torch.zeros(1, 2, dtype=D))
        return count.describe(points, centre, count.connect(points, centre))[0]

    full, half = describe(lattice(200)), describe(lattice(200, half=True))
    mean = 128 / 315
    expected = [torch.log(torch.tensor(torch.pi / 4)) / 2, torch.log(torch.tensor(0.5)) / 2 + 1, 2 * mean, 8 * (0.2 - mean**2), 0, 0, 0.4, 0.4]
    assert (full - torch.tensor(expected, dtype=D)).abs().max() < 1e-4
    assert (half[0] - full[0] - torch.log(torch.tensor(0.5)) / 2).abs() < 1e-4 and half[2] == pytest.approx(float(full[2]), abs=1e-3)
    assert half[5] == pytest.approx(2 * mean * 2 / torch.pi, abs=1e-3)  # centroid of half a disc
    assert half[6] < 0.2 < half[7]  # thinner across the edge than along it
    line = PointSet(torch.stack([torch.linspace(-0.4, 0.4, 50, dtype=D), torch.zeros(50, dtype=D)], 1), weight=torch.full((50,), 0.02, dtype=D))
    assert describe(line)[6].abs() < 1e-12
    alone = describe(PointSet(torch.full((1, 2), 7.0, dtype=D), weight=torch.ones(1, dtype=D)))
    assert torch.isfinite(alone).all()


def test_the_density_of_the_cloud_speaks_through_the_count_only():
    centre = PointSet(torch.zeros(1, 2, dtype=D))
    for count, changes in ((False, False), (True, True)):
        made = GeometryStatistics(3, Balls((0.5,)), count=count).double()
        coarse, fine = (made.describe(p, centre, made.connect(p, centre))[0] for p in (lattice(100), lattice(200)))
        assert bool((fine - coarse).abs().max() > 0.1) == changes
        assert made.mesh_order == (None if count else 2.0)


def test_standardised_by_the_training_geometries_and_not_by_the_sample():
    made = GeometryStatistics(3, Balls((0.5,))).double()
    targets = PointSet(torch.rand(20, 2, dtype=D, generator=torch.Generator().manual_seed(0)) - 0.5)
    rows = [made.describe(p, targets, made.connect(p, targets)) for p in (lattice(30), lattice(30, half=True))]
    made.fit(rows)
    both = (torch.cat(rows) - made.mean) / made.deviation
    constant = torch.cat(rows).std(dim=0) < 1e-3
    assert both.mean(dim=0).abs().max() < 1e-9 and (both.std(dim=0, correction=0)[~constant] - 1).abs().max() < 1e-9
    assert (rows[0][:, 0].mean() - rows[1][:, 0].mean()).abs() > 0.1 * made.deviation[0]  # samples keep what tells them apart
    with pytest.raises(ConfigurationError, match="no geometries"):
        made.fit([])
