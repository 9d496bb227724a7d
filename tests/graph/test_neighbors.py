"""Both searches against brute force: equal edge sets, ties and duplicate points included."""

from __future__ import annotations

import pytest
import torch

from geoop.errors import ConfigurationError, InvalidMeshError, ShapeError
from geoop.graph.neighbors import knn, radius

SEARCHES = ("tree", "grid")


def brute(source, target, source_ptr, target_ptr):
    """Squared distances of all pairs of one sample: source index, target index, d^2, in order of target and source."""
    source_of = torch.repeat_interleave(torch.arange(len(source_ptr) - 1), source_ptr.diff())
    target_of = torch.repeat_interleave(torch.arange(len(target_ptr) - 1), target_ptr.diff())
    t, s = (target_of[:, None] == source_of[None]).nonzero().unbind(1)
    return s, t, ((source[s] - target[t]) ** 2).sum(1)


def brute_radius(source, target, r, source_ptr, target_ptr):
    s, t, d2 = brute(source, target, source_ptr, target_ptr)
    near = d2 <= (r if isinstance(r, float) else r[t]) ** 2
    return list(zip(t[near].tolist(), s[near].tolist(), strict=True))


def brute_knn(source, target, k, source_ptr, target_ptr):
    s, t, d2 = brute(source, target, source_ptr, target_ptr)
    edges = []
    for i in range(len(target)):
        mine = sorted(zip(d2[t == i].tolist(), s[t == i].tolist(), strict=True))[:k]
        edges += sorted((i, j) for _, j in mine)
    return edges


def edges(graph):
    return list(zip(graph.target.tolist(), graph.source.tolist(), strict=True))


def clouds(kind, d, seed=0):
    """Source, target and their ptr: three samples of different sizes, one of them without targets."""
    g = torch.Generator().manual_seed(seed)
    source_ptr, target_ptr = torch.tensor([0, 30, 37, 60]), torch.tensor([0, 11, 11, 31])
    if kind == "random":
        source, target = (torch.rand(n, d, generator=g, dtype=torch.float64) for n in (60, 31))
    elif kind == "lattice":  # many exact ties and many duplicates
        source, target = (torch.randint(3, (n, d), generator=g).double() for n in (60, 31))
    else:  # graded over six decades, as a boundary-layer mesh is
        source, target = (
            torch.rand(n, d, generator=g, dtype=torch.float64) * 10 ** (-6 * torch.rand(n, 1, generator=g, dtype=torch.float64)) - 5.0
            for n in (60, 31)
        )
    return source, target, source_ptr, target_ptr


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("kind", ["random", "lattice", "graded"])
def test_radius_equals_brute_force(search, d, kind):
    source, target, sp, tp = clouds(kind, d)
    each = torch.rand(len(target), dtype=torch.float64) + 0.05
    for r in (0.3, 1.0, 100.0, each):
        graph = radius(source, target, r, sp, tp, at_least_one=False, search=search)
        assert edges(graph) == brute_radius(source, target, r, sp, tp)
    same = radius(source, source, 1.0, sp, sp, search=search)
    assert edges(same) == brute_radius(source, source, 1.0, sp, sp)
    assert int((same.source == same.target).sum()) == len(source)  # every point is its own neighbour


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("kind", ["random", "lattice", "graded"])
def test_knn_equals_brute_force(search, d, kind):
    source, target, sp, tp = clouds(kind, d)
    for k in (1, 4, 7, 25, 100):  # samples have 30, 7 and 23 source points
        graph = knn(source, target, k, sp, tp, search=search)
        assert edges(graph) == brute_knn(source, target, k, sp, tp)
        assert torch.equal(graph.degree, sp.diff().clamp(max=k)[torch.tensor([0] * 11 + [2] * 20)])


@pytest.mark.parametrize("search", SEARCHES)
def test_identical_points_are_taken_by_lowest_index(search):
    graph = knn(torch.ones(50, 2), torch.ones(3, 2), 4, search=search)
    assert graph.source.tolist() == [0, 1, 2, 3] * 3
    assert radius(torch.ones(50, 2), torch.ones(3, 2), 1e-9, search=search).n_edges == 150


@pytest.mark.parametrize("search", SEARCHES)
def test_an_empty_ball_gets_its_nearest_point_and_only_that(search):
    source, target = torch.tensor([[0.0, 0.0], [1.0, 0.0], [5.0, 0.0]]), torch.tensor([[0.1, 0.0], [100.0, 0.0], [2.0, 0.0]])
    assert edges(radius(source, target, 0.5, search=search)) == [(0, 0), (1, 2), (2, 1)]
    assert edges(radius(source, target, 0.5, at_least_one=False, search=search)) == [(0, 0)]
    # the nearest of all is in the other sample: it must not be taken
    ptr = torch.tensor([0, 2, 3])
    graph = radius(source, target, 0.5, ptr, torch.tensor([0, 2, 3]), search=search)
    assert edges(graph) == [(0, 0), (1, 1), (2, 2)]


@pytest.mark.parametrize("search", SEARCHES)
def test_clouds_without_points(search):
    none, some = torch.empty(0, 3), torch.rand(4, 3)
    for source, target in ((none, some), (some, none), (none, none)):
        assert knn(source, target, 2, search=search).n_edges == 0
        assert radius(source, target, 0.5, search=search).n_edges == 0


@pytest.mark.parametrize("search", SEARCHES)
def test_batch_equals_its_samples_and_repeats_itself(search):
    source, target, sp, tp = clouds("random", 2)
    for find in (lambda *a: knn(*a[:2], 3, *a[2:], search=search), lambda *a: radius(*a[:2], 0.2, *a[2:], search=search)):
        whole = find(source, target, sp, tp)
        parts = [find(source[a:b], target[c:d]) for a, b, c, d in zip(sp, sp[1:], tp, tp[1:], strict=False)]
        assert torch.equal(whole.source, torch.cat([p.source + a for p, a in zip(parts, sp, strict=False)]))
        assert torch.equal(whole.target, torch.cat([p.target + c for p, c in zip(parts, tp, strict=False)]))
        assert torch.equal(whole.source, find(source, target, sp, tp).source)


def test_tree_equals_grid_on_a_cloud_of_thousands():
    g = torch.Generator().manual_seed(1)
    source, target = torch.randn(3000, 3, generator=g), torch.randn(2000, 3, generator=g)
    for find in (lambda how: knn(source, target, 8, search=how), lambda how: radius(source, target, 0.3, search=how)):
        tree, grid = find("tree"), find("grid")
        assert torch.equal(tree.source, grid.source) and torch.equal(tree.target, grid.target)


def test_many_ties_stay_within_the_chunk(monkeypatch):
    from geoop.graph.neighbors import tree

    lattice = torch.cartesian_prod(torch.arange(6.0), torch.arange(6.0))
    whole = knn(lattice, lattice, 4)
    monkeypatch.setattr(tree, "_CHUNK", 7)
    assert torch.equal(knn(lattice, lattice, 4).source, whole.source)


def test_positions_may_require_grad():
    pos = torch.rand(5, 2, requires_grad=True)
    assert knn(pos, pos, 2).n_edges == 10


def test_bad_input_is_named():
    pos, bad = torch.rand(5, 2), torch.tensor([[0.0, float("nan")], [0.0, 1.0]])
    with pytest.raises(InvalidMeshError, match="1 of 2 source positions and 1 of 2 target positions"):
        radius(bad, bad, 1.0)
    with pytest.raises(ConfigurationError, match="k is 0"):
        knn(pos, pos, 0)
    for r in (0.0, -1.0, float("nan"), torch.zeros(5)):
        with pytest.raises(ConfigurationError, match="positive"):
            radius(pos, pos, r)
    with pytest.raises(ConfigurationError, match="unknown search"):
        knn(pos, pos, 1, search="ball")  # type: ignore[arg-type]
    with pytest.raises(ShapeError):
        knn(pos, torch.rand(5, 3), 1)
    with pytest.raises(ShapeError):
        radius(pos, pos, torch.ones(4))
    for ptr in (torch.tensor([0, 4]), torch.tensor([1, 5]), torch.tensor([0, 4, 3, 5])):
        with pytest.raises(ShapeError, match="ptr"):
            knn(pos, pos, 1, ptr, ptr)
    with pytest.raises(ShapeError, match="3 axes"):
        knn(torch.rand(5, 4), torch.rand(5, 4), 1, search="grid")
