"""Soft rims of neighbourhoods: k in total, smooth where neighbours change places, hard where nobody is near the rim."""

import pytest
import torch

from geoop.errors import ConfigurationError
from geoop.graph.pointset import PointSet
from geoop.layers.neighborhood import SoftNearest


def weights(near: SoftNearest, source: torch.Tensor) -> torch.Tensor:
    target = PointSet(torch.zeros(1, 2, dtype=torch.float64))
    points = PointSet(source)
    graph = near.connect(points, target)
    offset = source[graph.source][None]
    ones = torch.ones(1, len(graph.source), dtype=torch.float64)
    full = torch.zeros(len(source), dtype=torch.float64)
    return full.index_add(0, graph.source, near.windowed(ones, offset)[0])


def on_rays(distances):
    angle = torch.arange(len(distances), dtype=torch.float64)
    return torch.tensor(distances, dtype=torch.float64)[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1)


def test_weights_add_up_to_k():
    torch.manual_seed(0)
    found = weights(SoftNearest(5, 0.3), torch.randn(30, 2, dtype=torch.float64))
    assert float(found.sum()) == pytest.approx(5.0, abs=1e-6)
    assert ((found > 1e-6) & (found < 1 - 1e-6)).any()


def test_a_wide_gap_makes_the_rim_hard():
    found = weights(SoftNearest(3, 0.1), on_rays([1.0, 1.1, 1.2, 2.0, 2.1, 2.2, 2.3, 2.4, 2.5]))
    torch.testing.assert_close(found, torch.tensor([1.0] * 3 + [0.0] * 6, dtype=torch.float64))


def test_two_at_one_distance_share():
    found = weights(SoftNearest(3, 0.1), on_rays([1.0, 1.1, 2.0, 2.0, 3.0, 3.1, 3.2, 3.3, 3.4]))
    torch.testing.assert_close(found[2:4], torch.tensor([0.5, 0.5], dtype=torch.float64), atol=1e-6, rtol=0)


def test_the_derivative_is_continuous_where_neighbours_change_places():
    near = SoftNearest(2, 0.2)

    def value(place: float) -> tuple[float, float]:
        x = torch.tensor(place, dtype=torch.float64, requires_grad=True)
        source = on_rays([1.0, 1.5, 1.5, 2.9, 3.0, 3.1, 3.2]) * torch.cat([torch.ones(1), x[None], torch.ones(5)])[:, None]
        total = (weights(near, source) * torch.arange(7, dtype=torch.float64)).sum()
        return float(total.detach()), float(torch.autograd.grad(total, x)[0])

    (left, slope_left), (right, slope_right) = value(1 - 1e-6), value(1 + 1e-6)
    assert left == pytest.approx(right, abs=1e-3)
    assert slope_left == pytest.approx(slope_right, rel=1e-3)
    (low, _), (high, _) = value(1.02 - 1e-6), value(1.02 + 1e-6)
    assert value(1.02)[1] == pytest.approx((high - low) / 2e-6, rel=1e-4)


def test_a_crowded_rim_is_not_cut_off():
    """Far from a cloud all of its points are about equally far: all in the rim share the places, whichever of two at one distance comes first."""
    near, angle = SoftNearest(5, 0.1), torch.linspace(0, 6.2, 40, dtype=torch.float64)
    circle = torch.stack([angle.cos(), angle.sin()], dim=1)
    found = weights(near, circle)
    torch.testing.assert_close(found, torch.full((40,), 5 / 40, dtype=torch.float64), atol=1e-6, rtol=0)
    moved = [weights(near, circle + torch.tensor([step, 0.0], dtype=torch.float64)) for step in (-1e-7, 1e-7)]
    torch.testing.assert_close(moved[0], moved[1], atol=1e-5, rtol=0)


def test_the_hard_rim_is_what_it_was():
    near = SoftNearest(3)
    weight = torch.rand(2, 3)
    assert near.windowed(weight, torch.rand(2, 3, 2)) is weight


def test_bad_input():
    with pytest.raises(ConfigurationError):
        SoftNearest(0)
    with pytest.raises(ConfigurationError):
        SoftNearest(3, 1.0)


@pytest.mark.parametrize("softness", [0.0, 0.2])
def test_shares_add_up_to_one_and_are_equal_where_nothing_has_a_weight(softness):
    generator = torch.Generator().manual_seed(0)
    weight, offset = torch.rand(4, 6, generator=generator, dtype=torch.float64), torch.randn(4, 6, 2, generator=generator, dtype=torch.float64)
    weight[2] = 0.0
    found = SoftNearest(3, softness).shares(weight, offset)
    torch.testing.assert_close(found.sum(dim=1), torch.ones(4, dtype=torch.float64))
    assert torch.equal(found[2], torch.full((6,), 1 / 6, dtype=torch.float64)) and not torch.equal(found[1], found[2])
