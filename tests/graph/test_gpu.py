"""The same answers on a GPU as on the CPU."""

from __future__ import annotations

import pytest
import torch

from geoop.graph.graph import Graph
from geoop.graph.neighbors import knn, radius
from geoop.graph.segment import segment_max, segment_mean, segment_softmax, segment_sum, take_source, weighted_sum

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("d", [2, 3])
def test_neighbours(d):
    g = torch.Generator().manual_seed(0)
    source, target = torch.randn(5000, d, generator=g), torch.randn(3000, d, generator=g)
    source[:100] = source[100:200]  # duplicates
    ptr = torch.tensor([0, 1000, 1001, 3000]), torch.tensor([0, 10, 500, 3000])
    ptr = torch.cat([ptr[0][:-1], torch.tensor([5000])]), ptr[1]
    each = torch.rand(3000, generator=g) + 0.01
    for find in (
        lambda s, t, a, b, r: knn(s, t, 7, a, b),
        lambda s, t, a, b, r: radius(s, t, 0.2, a, b),
        lambda s, t, a, b, r: radius(s, s, 0.2, a, a),
        lambda s, t, a, b, r: radius(s, t, r, a, b),
    ):
        here = find(source, target, *ptr, each)
        there = find(source.cuda(), target.cuda(), ptr[0].cuda(), ptr[1].cuda(), each.cuda())
        assert there.source.is_cuda and torch.equal(here.source, there.source.cpu()) and torch.equal(here.target, there.target.cpu())


@pytest.mark.parametrize("channels", [(), (4,), (64,)])
def test_reductions_and_their_gradients(channels):
    g = torch.Generator().manual_seed(0)
    graph = Graph.sorted(torch.randint(500, (20000,), generator=g), torch.randint(700, (20000,), generator=g), 500, 1000)
    values = torch.randn(20000, *channels, generator=g, dtype=torch.float64)
    x, w = torch.randn(500, *channels, generator=g, dtype=torch.float64), torch.rand(20000, generator=g, dtype=torch.float64)
    for operation, at in (
        *((function, values) for function in (segment_sum, segment_mean, segment_max, segment_softmax)),
        (take_source, x),
        (lambda x, graph: weighted_sum(x, graph, w.to(x.device)), x),
    ):
        results = []
        for device in ("cpu", "cuda", "cuda"):
            point = at.to(device).requires_grad_()
            out = operation(point, graph.to(device))
            (gradient,) = torch.autograd.grad((out * torch.arange(len(out), device=device).reshape(-1, *[1] * len(channels))).sum(), point)
            results.append((out.detach().cpu(), gradient.cpu()))
        for a, b, again in zip(*results, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)
            assert torch.equal(b, again)  # bit by bit: no atomics
