"""Means over boxes of a cloud."""

import torch

from geoop.graph.box_means import box_means
from geoop.graph.pointset import PointSet
from geoop.graph.segment import weighted_sum
from geoop.graph.thinning import thin


def graded(n: int) -> PointSet:
    """n^2 points of a lattice that is crowded at one side of a rectangle, with midpoint weights."""
    s = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    pos = torch.cartesian_prod(s**2, 0.7 * s)
    return PointSet(pos, weight=torch.cartesian_prod(2 * s / n, torch.full_like(s, 0.7 / n)).prod(dim=1))


def test_measure_and_centre_of_mass_are_kept():
    points = PointSet.concatenate([graded(9), graded(14)])
    means, graph, share = box_means(points, 10)
    assert means.ptr.tolist() == [0, 10, 20] and graph.n_edges == len(points) == len(share)
    assert torch.allclose(weighted_sum(points.weight, graph), means.weight)
    for whole, boxes in zip(points.split(), means.split(), strict=True):
        assert torch.allclose(whole.weight @ whole.pos, boxes.weight @ boxes.pos)
    assert torch.equal(torch.bincount(graph.source, minlength=len(points)), torch.ones(len(points), dtype=torch.int64))


def test_a_box_without_weight_has_its_plain_mean_and_few_points_are_all_kept():
    points = graded(4)
    nothing = PointSet(points.pos, weight=torch.zeros(16, dtype=torch.float64))
    means, graph, share = box_means(nothing, 4)
    assert torch.allclose(means.pos, torch.stack([points.pos[graph.source[graph.target == k]].mean(dim=0) for k in range(4)]))
    assert torch.isfinite(share.scalars).all()
    means, _, _ = box_means(points, 50)
    assert torch.equal(means.pos, points.pos)


def test_means_settle_under_refinement_faster_than_picked_points():
    """Positions of 12 boxes against those of a cloud of 160^2."""

    def centres(n: int) -> torch.Tensor:
        return box_means(graded(n), 12)[0].pos

    def picked(n: int) -> torch.Tensor:
        points = graded(n)
        return points.pos[torch.from_numpy(thin(points.pos.numpy(), points.weight.numpy(), 12)[0])]

    def off(found: torch.Tensor, exact: torch.Tensor) -> float:
        return float(torch.cdist(found, exact).amin(dim=1).max())

    exact = centres(160)
    errors = [off(centres(n), exact) for n in (10, 20, 40, 80)]
    assert errors[-1] < 0.25 * errors[0] and errors[-1] < off(picked(80), exact)
