"""Matrices as weights: their sum, and how they turn."""

import pytest
import torch

from geoop.graph.segment import segment_softmax, segment_sum
from geoop.layers.boundary_pairs import complete, pairs
from geoop.layers.matrix_weights import MatrixWeights

from .test_boundary_pairs import TURN, moved, places

PTR = (torch.tensor([0, 5]), torch.tensor([0, 7]))


def weights(matrix=None):
    torch.manual_seed(0)
    layer = MatrixWeights(8, 16).double()
    torch.nn.init.normal_(layer.score.head.weight)
    d = 2 if matrix is None else len(matrix)
    a, b = places(5, d, 1), places(7, d, 2)
    if matrix is not None:
        a, b = moved(a, matrix, 1.0, 1.0), moved(b, matrix, 1.0, 1.0)
    graph = complete(*PTR)
    share = segment_softmax(torch.randn(35, generator=torch.Generator().manual_seed(3), dtype=torch.float64), graph)
    features = [torch.randn(k, 8, generator=torch.Generator().manual_seed(k), dtype=torch.float64) for k in (5, 7)]
    return layer((a, features[0]), (b, features[1]), pairs(a, b, graph), share), graph


def test_they_add_up_to_the_identity():
    found, graph = weights()
    assert (found - found.mT).abs().max() > 1e-3
    torch.testing.assert_close(segment_sum(found.flatten(1), graph), torch.eye(2, dtype=torch.float64).flatten().expand(7, 4), rtol=0, atol=1e-12)


@pytest.mark.parametrize("mirror", [1.0, -1.0])
def test_they_turn_with_the_places(mirror):
    eye, matrix = torch.eye(3, dtype=torch.float64), TURN @ torch.diag(torch.tensor([mirror, 1.0, 1.0], dtype=torch.float64))
    torch.testing.assert_close(weights(matrix)[0], matrix @ weights(eye)[0] @ matrix.T, rtol=0, atol=1e-12)
