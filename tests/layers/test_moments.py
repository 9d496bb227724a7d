"""Weights that reproduce linear functions: exactness, positivity, gradients, batches."""

import numpy as np
import pytest
import torch

from geoop.graph.graph import Graph
from geoop.graph.segment import segment_sum, take_target
from geoop.layers.moments import moment_matched, tilted

torch.manual_seed(0)


def cloud(n, m, d, seed=0, dtype=torch.float64):
    """n targets well inside of m sources, all pairs, with random weights of sum 1; offsets."""
    random = torch.Generator().manual_seed(seed)
    source = torch.randn(m, d, generator=random, dtype=dtype)
    source = source / source.norm(dim=1, keepdim=True)
    target = 0.4 * (torch.rand(n, d, generator=random, dtype=dtype) - 0.5)
    graph = Graph(torch.arange(m).repeat(n), torch.arange(n).repeat_interleave(m), m, n)
    share = torch.rand(n, m, generator=random, dtype=dtype)
    share = (share / share.sum(dim=1, keepdim=True)).flatten()
    return graph, share, source[graph.source] - target[graph.target]


@pytest.mark.parametrize("d", [2, 3])
def test_first_moments_vanish_and_weights_stay_positive_with_sum_one(d):
    graph, share, offset = cloud(7, 25, d)
    (found,) = tilted([(graph, share, offset)])
    assert (found > 0).all()
    torch.testing.assert_close(segment_sum(found, graph), torch.ones(7, dtype=torch.float64))
    assert segment_sum(found[:, None] * offset, graph).abs().max() < 1e-12


def test_weights_with_the_right_moments_are_left_alone():
    graph, share, offset = cloud(5, 20, 2)
    (once,) = tilted([(graph, share, offset)])
    (twice,) = tilted([(graph, once, offset)])
    torch.testing.assert_close(twice, once, rtol=1e-10, atol=1e-12)


def test_no_positive_weights_with_these_moments_are_closer_in_relative_entropy():
    graph, share, offset = cloud(1, 12, 2)
    (found,) = tilted([(graph, share, offset)])
    entropy = lambda w: (w * (w / share).log()).sum()  # noqa: E731
    constraints = torch.cat([torch.ones(12, 1, dtype=torch.float64), offset], dim=1)
    free = torch.linalg.svd(constraints.T).Vh[3:].T  # directions that keep sum and moments
    for k in range(free.shape[1]):
        for step in (1e-4, -1e-4):
            assert entropy(found + step * free[:, k]) > entropy(found)


def test_two_groups_of_sources_share_one_tilt():
    graph, share, offset = cloud(4, 20, 2)
    (whole,) = tilted([(graph, share, offset)])
    first = graph.source < 8
    groups = []
    for mask, shift, count in ((first, 0, 8), (~first, 8, 12)):
        groups.append((Graph(graph.source[mask] - shift, graph.target[mask], count, 4), share[mask], offset[mask]))
    parts = tilted(groups)
    torch.testing.assert_close(torch.cat(parts).sort().values, whole.sort().values)


def test_the_gradient_is_that_of_the_solution():
    graph, share, offset = cloud(3, 9, 2)
    logits = share.log().requires_grad_()
    weight = torch.randn(len(share), dtype=torch.float64)

    def objective(x):
        p = x.exp() / take_target(segment_sum(x.exp(), graph), graph)
        return (tilted([(graph, p, offset)])[0] * weight).sum()

    (found,) = torch.autograd.grad(objective(logits), logits)
    numeric = torch.zeros_like(found)
    for k in range(len(logits)):
        ends = []
        for step in (1e-5, -1e-5):
            moved = logits.detach().clone()
            moved[k] += step
            ends.append(objective(moved))
        numeric[k] = (ends[0] - ends[1]) / 2e-5
    torch.testing.assert_close(found, numeric, rtol=1e-4, atol=3e-6)  # up to the ridge


def test_targets_on_and_beyond_the_hull_get_finite_weights():
    graph, share, offset = cloud(4, 10, 2)
    for shift in (1.0, 5.0):
        (found,) = tilted([(graph, share, offset - shift)])
        assert torch.isfinite(found).all()
        torch.testing.assert_close(segment_sum(found, graph), torch.ones(4, dtype=torch.float64))
    line = torch.stack([offset[:, 0], torch.zeros_like(offset[:, 1])], dim=1)  # all sources on a line through the target
    (found,) = tilted([(graph, share, line)])
    assert segment_sum(found[:, None] * line, graph).abs().max() < 1e-8


@pytest.mark.parametrize("d", [2, 3])
def test_matrices_reproduce_affine_vector_fields(d):
    graph, share, offset = cloud(5, 30, d)
    random = torch.randn(len(share), d, d, dtype=torch.float64)
    mean = segment_sum((share[:, None, None] * random).flatten(1), graph)
    matrices = share[:, None, None] * (torch.eye(d, dtype=torch.float64) + random - take_target(mean, graph).view(-1, d, d))
    found = moment_matched(matrices, share, offset, graph)
    total = segment_sum(found.flatten(1), graph).view(-1, d, d)
    np.testing.assert_allclose(total, np.broadcast_to(np.eye(d), total.shape), atol=1e-12)
    field = torch.randn(d, d, dtype=torch.float64)
    answer = segment_sum((found @ (offset @ field.T)[:, :, None])[:, :, 0], graph)  # u(y) - u(x) = A (y - x), whose mean must vanish
    assert answer.abs().max() < 1e-5  # up to the ridge
