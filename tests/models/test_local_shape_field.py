"""The field of one body: planes before training, equivariance, size, derivatives."""

import numpy as np
import torch

from geoop.graph.pointset import PointSet
from geoop.models.local_shape_field import LocalShapeField


def latents(n=40, context=8):
    draw = torch.Generator().manual_seed(0)
    p = torch.nn.functional.normalize(torch.randn(n, 3, generator=draw, dtype=torch.float64), dim=1)
    return PointSet(p, torch.randn(n, context, generator=draw).double(), p[:, None], torch.full((n,), 0.3**3).double())


def field(trained=True):
    torch.manual_seed(0)
    out = LocalShapeField(3, 8, width=16, nearest=6).double()
    if trained:
        torch.nn.init.normal_(out.decoder.head.layers[-1].weight)
    return out


def test_before_training_it_is_the_distance_to_one_plane_of_one_latent():
    x = torch.randn(20, 3, dtype=torch.float64)
    one = PointSet(torch.zeros(1, 3).double(), torch.ones(1, 8).double(), torch.eye(3)[None, :1].double(), torch.ones(1).double())
    np.testing.assert_allclose(field(False)(one, PointSet(x)).detach()[:, 0], x[:, 0])


def test_moves_turns_mirrors_and_scales_with_the_body():
    x, z, f = torch.randn(30, 3, dtype=torch.float64), latents(), field()
    turn = torch.from_numpy(np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0])
    for q in (turn, -turn):
        moved = PointSet(3.0 * z.pos @ q.T + 5.0, z.scalars, z.vectors @ q.T, z.weight * 27.0)
        there = f(moved, PointSet(3.0 * x @ q.T + 5.0))
        np.testing.assert_allclose(there.detach(), 3.0 * f(z, PointSet(x)).detach(), rtol=1e-6, atol=1e-6)


def test_has_derivatives():
    x, f = torch.randn(5, 3, dtype=torch.float64, requires_grad=True), field()
    assert torch.autograd.gradcheck(lambda x: f(latents(), PointSet(x)), (x,), atol=1e-4)
