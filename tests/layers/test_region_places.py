"""Distances from the nearest imposed point, by brute force; samples are kept apart."""

import torch

from geoop.layers.region_places import Located, reach

from .test_boundary_pairs import places


def test_reach_is_the_distance_from_the_nearest_source_of_the_sample():
    a, b = places(7, 2, 1), places(5, 2, 2)
    source = Located(a, torch.zeros(7, 1), torch.tensor([0, 3, 7]))
    target = Located(b, torch.zeros(5, 1), torch.tensor([0, 2, 5]))
    far = torch.cdist(b.pos, a.pos)
    far[:2, 3:], far[2:, :3] = torch.inf, torch.inf
    torch.testing.assert_close(reach(source, target), far.amin(dim=1), rtol=1e-6, atol=1e-9)
    assert target.batch.tolist() == [0, 0, 1, 1, 1]


def test_reach_is_zero_where_nothing_is_imposed():
    source = Located(places(2, 2, 1), torch.zeros(2, 1), torch.tensor([0, 2, 2]))
    target = Located(places(3, 2, 2), torch.zeros(3, 1), torch.tensor([0, 1, 3]))
    assert reach(source, target)[1:].tolist() == [0.0, 0.0]
