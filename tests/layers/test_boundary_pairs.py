"""Invariants of pairs: against brute force, and under the transformations they are named after."""

import pytest
import torch

from geoop.layers.boundary_pairs import INVARIANTS, Places, complete, pairs

TURN = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64))[0]


def places(n, d, seed, distance=None):
    g = torch.Generator().manual_seed(seed)
    pos = torch.rand(n, d, generator=g, dtype=torch.float64)
    direction = torch.nn.functional.normalize(torch.randn(n, d, generator=g, dtype=torch.float64), dim=1)
    return Places(pos, direction, torch.rand(n, generator=g, dtype=torch.float64) if distance is None else distance, 0.1 + pos[:, 0] / 10)


def moved(p, matrix, shift, scale):
    return Places(scale * (p.pos @ matrix.T) + shift, p.direction @ matrix.T, scale * p.distance, scale * p.spacing)


def test_complete_is_every_pair_of_a_sample_in_order():
    m, n = torch.tensor([0, 2, 2, 5]), torch.tensor([0, 3, 4, 6])
    expected = [(s, t) for b in range(3) for t in range(n[b], n[b + 1]) for s in range(m[b], m[b + 1])]
    graph = complete(m, n)
    assert list(zip(graph.source.tolist(), graph.target.tolist(), strict=True)) == expected
    assert (graph.n_source, graph.n_target) == (5, 6)


@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("flip", [1.0, -1.0])
def test_invariant_under_rotation_reflection_and_translation(d, flip):
    matrix = TURN[:d, :d] if d == 3 else torch.tensor([[0.6, -0.8], [0.8, 0.6]], dtype=torch.float64)
    matrix = matrix @ torch.diag(torch.tensor([flip] + [1.0] * (d - 1), dtype=torch.float64))
    a, b = places(5, d, 1), places(7, d, 2)
    graph = complete(torch.tensor([0, 5]), torch.tensor([0, 7]))
    one, other = pairs(a, b, graph), pairs(moved(a, matrix, 3.0, 1.0), moved(b, matrix, 3.0, 1.0), graph)
    assert one.invariants.shape == (35, INVARIANTS)
    torch.testing.assert_close(one.invariants, other.invariants, rtol=0, atol=1e-12)
    torch.testing.assert_close(one.offset @ matrix.T, other.offset, rtol=0, atol=1e-12)


def test_only_the_two_logarithms_of_lengths_know_the_scale():
    a, b, graph = places(5, 2, 1), places(7, 2, 2), complete(torch.tensor([0, 5]), torch.tensor([0, 7]))
    eye = torch.eye(2, dtype=torch.float64)
    change = (pairs(moved(a, eye, 0.0, 4.0), moved(b, eye, 0.0, 4.0), graph).invariants - pairs(a, b, graph).invariants).abs().amax(dim=0)
    assert change.gt(1e-12).nonzero()[:, 0].tolist() == [0, 3]
    torch.testing.assert_close(change[[0, 3]], torch.full((2,), 4.0, dtype=torch.float64).log())


def test_coincident_points_and_points_on_the_wall_stay_finite():
    a = places(4, 2, 1, torch.zeros(4, dtype=torch.float64))
    found = pairs(a, a, complete(torch.tensor([0, 4]), torch.tensor([0, 4])))
    assert torch.isfinite(found.invariants).all() and (found.squared > 0).all() and found.invariants.abs().max() < 20
