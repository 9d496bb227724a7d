"""All back ends against loops, against each other, and against finite differences."""

from __future__ import annotations

import pytest
import torch

from geoop.errors import ConfigurationError, MissingDependencyError, ShapeError
from geoop.graph import segment
from geoop.graph.graph import Graph
from geoop.graph.segment import segment_max, segment_mean, segment_softmax, segment_sum, take_source, take_target, weighted_sum

try:
    import torch_scatter  # noqa: F401

    missing = ""
except (ImportError, OSError):
    missing = "torch-scatter is not importable: install the extra 'scatter' (tools/test --with-scatter)"

BACKENDS = ["torch", "csr", pytest.param("scatter", marks=pytest.mark.skipif(bool(missing), reason=missing)), "auto"]
REDUCTIONS = (segment_sum, segment_mean, segment_max, segment_softmax)


def graph(n_edges=40, n_source=7, n_target=13, seed=0):
    """Target 3 has no edges, and neither have the last three."""
    g = torch.Generator().manual_seed(seed)
    target = torch.randint(n_target - 3, (n_edges,), generator=g)
    return Graph.sorted(torch.randint(n_source, (n_edges,), generator=g), target + (target == 3).long(), n_source, n_target)


def values(graph, *channels, dtype=torch.float64):
    return torch.randn(graph.n_edges, *channels, dtype=dtype, generator=torch.Generator().manual_seed(1))


def by_loop(function, v, g):
    groups = [v[g.target == i] for i in range(g.n_target)]
    if function is segment_softmax:
        return torch.cat([part.softmax(0) for part in groups])
    reduce = {segment_sum: lambda p: p.sum(0), segment_mean: lambda p: p.mean(0), segment_max: lambda p: p.amax(0)}[function]
    return torch.stack([reduce(p) if len(p) else torch.zeros_like(v[0]) for p in groups])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("channels", [(), (1,), (3,), (20,), (2, 3)])
@pytest.mark.parametrize("function", REDUCTIONS)
def test_reductions_equal_a_loop(function, channels, backend):
    g = graph()
    v = values(g, *channels)
    expected = by_loop(function, v, g)
    for segments in (g, g.ptr):
        torch.testing.assert_close(function(v, segments, backend=backend), expected, rtol=0, atol=1e-14)
    again = function(v, g, backend=backend)
    assert torch.equal(again, function(v, g, backend=backend))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("function", REDUCTIONS)
def test_first_and_second_derivatives(function, backend):
    g = graph(12, 4, 6)
    v = values(g, 2).requires_grad_()
    assert torch.autograd.gradcheck(lambda v: function(v, g, backend=backend), v)
    assert torch.autograd.gradgradcheck(lambda v: function(v, g, backend=backend), v)


@pytest.mark.parametrize("backend", BACKENDS)
def test_taking_and_weighted_sums_equal_a_loop_and_their_derivatives(backend):
    g = graph(12, 4, 6)
    x = torch.randn(4, 2, 2, dtype=torch.float64, requires_grad=True)
    y = torch.randn(6, 2, dtype=torch.float64, requires_grad=True)
    w = torch.rand(g.n_edges, dtype=torch.float64)
    assert torch.equal(take_source(x, g, backend=backend), x[g.source])
    assert torch.equal(take_target(y, g, backend=backend), y[g.target])
    for weight in (None, w):
        edges = x[g.source] * (1.0 if weight is None else weight[:, None, None])
        torch.testing.assert_close(weighted_sum(x, g, weight, backend=backend), by_loop(segment_sum, edges, g), rtol=0, atol=1e-14)
    for operation, at in (
        (lambda x: take_source(x, g, backend=backend), x),
        (lambda y: take_target(y, g, backend=backend), y),
        (lambda x: weighted_sum(x, g, w, backend=backend), x),
        (lambda x: weighted_sum(x, g, backend=backend) ** 2, x),
    ):
        assert torch.autograd.gradcheck(operation, at)
        assert torch.autograd.gradgradcheck(operation, at)


def test_weights_that_learn_or_depend_on_the_channel():
    g = graph(12, 4, 6)
    x = torch.randn(4, 2, dtype=torch.float64, requires_grad=True)
    for w in (torch.rand(12, dtype=torch.float64, requires_grad=True), torch.rand(12, 2, dtype=torch.float64, requires_grad=True)):
        assert torch.autograd.gradcheck(lambda x, w: weighted_sum(x, g, w), (x, w))
        assert torch.autograd.gradgradcheck(lambda x, w: weighted_sum(x, g, w), (x, w))
        with pytest.raises(ConfigurationError, match="without gradient"):
            weighted_sum(x, g, w, backend="csr")
        torch.testing.assert_close(weighted_sum(x, g, w), weighted_sum(x, g, w.detach()), rtol=0, atol=1e-14)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_accumulates_in_single(dtype, backend):
    ones = torch.ones(4096, 2, dtype=dtype)
    ptr = torch.tensor([0, 4096, 4096])
    assert segment_sum(ones, ptr, backend=backend).tolist() == [[4096.0, 4096.0], [0.0, 0.0]]  # float16 stops at 2048, bfloat16 at 256
    assert segment_mean(ones, ptr, backend=backend).tolist() == [[1.0, 1.0], [0.0, 0.0]]
    assert segment_max(ones, ptr, backend=backend).dtype == dtype
    torch.testing.assert_close(segment_softmax(ones, ptr, backend=backend), torch.full_like(ones, 2.0**-12))
    g = Graph(torch.zeros(4096, dtype=torch.int64), torch.zeros(4096, dtype=torch.int64), 1, 2)
    assert weighted_sum(ones[:1], g, backend=backend).tolist() == [[4096.0, 4096.0], [0.0, 0.0]]


@pytest.mark.parametrize("backend", BACKENDS)
def test_no_edges_at_all(backend):
    none = torch.zeros(0, 3, dtype=torch.float64)
    for function in (segment_sum, segment_mean, segment_max):
        assert torch.equal(function(none, torch.tensor([0, 0, 0]), backend=backend), torch.zeros(2, 3, dtype=torch.float64))
        assert function(none, torch.tensor([0]), backend=backend).shape == (0, 3)
    assert segment_softmax(none, torch.tensor([0, 0]), backend=backend).shape == (0, 3)
    assert torch.equal(weighted_sum(torch.ones(4, 2), Graph.unconnected(4, 3), backend=backend), torch.zeros(3, 2))


def test_softmax_of_extreme_logits():
    logits = torch.tensor([1e30, -1e30, float("-inf"), float("-inf"), 5.0, float("-inf")])
    assert segment_softmax(logits, torch.tensor([0, 2, 4, 6])).tolist() == [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]


def test_equal_largest_values_share_the_gradient():
    v = torch.tensor([[1.0], [3.0], [3.0]], requires_grad=True)
    segment_max(v, torch.tensor([0, 3]), backend="torch").sum().backward()
    assert v.grad.flatten().tolist() == [0.0, 0.5, 0.5]


def test_a_softmax_over_a_measure_does_not_see_a_split_point():
    # one point of weight 2 equals two points of weight 1
    logits, weight, x = torch.tensor([0.3, -0.2]), torch.tensor([2.0, 1.0]), torch.tensor([5.0, 7.0])
    once = (segment_softmax(logits + weight.log(), torch.tensor([0, 2])) * x).sum()
    twice = (segment_softmax(logits[[0, 0, 1]], torch.tensor([0, 3])) * x[[0, 0, 1]]).sum()
    torch.testing.assert_close(once, twice)


def test_autocast_does_not_lower_the_sums():
    g = graph()
    x, logits = torch.randn(7, 4), torch.randn(40, 4)
    expected = segment_softmax(logits, g)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(weighted_sum(x, g, torch.ones(g.n_edges)), weighted_sum(x, g))
        assert weighted_sum(x, g).dtype == torch.float32
        assert torch.equal(segment_softmax(logits, g), expected)


def test_integers_are_reduced():
    assert segment_sum(torch.tensor([1, 2, 3]), torch.tensor([0, 2, 3])).tolist() == [3, 3]
    assert segment_max(torch.tensor([1, -2, -3]), torch.tensor([0, 2, 3, 3])).tolist() == [1, -3, 0]


@pytest.mark.parametrize("backend", BACKENDS)
def test_no_channels_at_all(backend):
    g = graph()
    for function in (segment_sum, segment_mean, segment_max):
        assert function(torch.zeros(40, 0), g, backend=backend).shape == (13, 0)
    assert segment_softmax(torch.zeros(40, 0), g, backend=backend).shape == (40, 0)
    assert weighted_sum(torch.zeros(7, 0), g, torch.ones(40), backend=backend).shape == (13, 0)
    assert take_source(torch.zeros(7, 0), g, backend=backend).shape == (40, 0)


def test_bad_input_is_named(monkeypatch):
    g = graph()
    with pytest.raises(ShapeError, match="39 values for 40 edges"):
        segment_sum(torch.ones(39), g)
    with pytest.raises(ShapeError):
        weighted_sum(torch.ones(6, 2), g, torch.ones(40))
    with pytest.raises(ShapeError):
        weighted_sum(torch.ones(7, 2), g, torch.ones(39))
    with pytest.raises(ConfigurationError, match="unknown back end"):
        segment_sum(torch.ones(40), g, backend="sparse")  # type: ignore[arg-type]
    monkeypatch.setattr(segment, "_import_torch_scatter", lambda: None)
    with pytest.raises(MissingDependencyError, match="not importable"):
        segment_sum(torch.ones(40), g, backend="scatter")
    assert segment_max(torch.ones(40, 2, requires_grad=True), g).shape == (13, 2)


def test_counting_in_32_bits_changes_no_bit(monkeypatch):
    g, x, weight = graph(4000, 300, 200), torch.randn(300, 5), torch.rand(4000)
    found = []
    for largest in (2**31 - 1, 0):
        monkeypatch.setattr(segment, "_INT32", largest)
        at = x.clone().requires_grad_()
        out = weighted_sum(at, g, weight) + segment_sum(take_source(at, g), g)
        found.append((out, *torch.autograd.grad(out.square().sum(), at)))
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))
