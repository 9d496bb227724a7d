"""Losses: their formulas, and gradients by position that see how distance and closest point move along."""

import numpy as np
import pytest
import torch
from torch import nn

from geoop.errors import ShapeError
from geoop.fem.integrals import h1_error, l2_error
from geoop.fem.space import Space
from geoop.fem.sparse_tensor import gradient, gradient_matrices, value_matrix
from geoop.graph.geometry import Geometry, Queries
from geoop.graph.pointset import Inputs, PointSet
from geoop.mesh.distance import signed_distance
from geoop.mesh.generate.triangles import mesh_inside
from geoop.mesh.primitives import circle, naca4
from geoop.models.body_field import BodyField
from geoop.models.ports import Ports
from geoop.scaling.body_frame import BodyFrame
from geoop.scaling.casting import geometry_tensors
from geoop.train.losses import debiased_mean_square, mean_square, position_gradient, relative_h1, relative_l1, relative_l2

SECTION = naca4("2412", n_points=60)
OUTLINE = SECTION.moved(BodyFrame.of(SECTION).points_in(SECTION.points))
VERTICES = torch.tensor(OUTLINE.points)


def queries(pos):
    found = signed_distance(OUTLINE, pos)
    t = np.asarray(found.parameter)
    points = PointSet(torch.tensor(pos), torch.tensor(found.distance)[:, None], torch.tensor(found.gradient)[:, None])
    return Queries(points, torch.tensor(found.corners), torch.tensor(np.stack([1 - t, t], axis=1)))


def places(n=40, seed=0):
    p = np.random.default_rng(seed).uniform(-0.8, 0.8, (4 * n, 2))
    return p[signed_distance(OUTLINE, p).distance > 0.02][:n]


def points(n=7, parts=(0, 3, 7), seed=0):
    g = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.randn(*shape, generator=g, dtype=torch.float64)  # noqa: E731
    return PointSet(torch.zeros(n, 2, dtype=torch.float64), draw(n, 2), draw(n, 1, 2), None, torch.tensor(parts))


def test_l1_is_the_ratio_of_weighted_means():
    p, t, w = points(seed=1), points(seed=2), torch.arange(1.0, 8.0, dtype=torch.float64)
    found = relative_l1(p, t, w)
    part = slice(3, 7)
    error, size = ((w[part, None] * item[part].abs()).sum(dim=0) for item in (p.scalars - t.scalars, t.scalars))
    assert found.shape == (2, 4)
    assert torch.allclose(found[1, :2], error / size)
    assert torch.allclose(relative_l1(p, t, w, reference=torch.ones(2, 4))[1, :2], error / w[part].sum())


def test_one_wild_point_counts_less_in_l1_than_in_l2():
    t = PointSet(torch.zeros(100, 2), torch.ones(100, 1))
    wild = t.with_features(scalars=torch.ones(100, 1).index_fill(0, torch.tensor([5]), 11.0))
    w = torch.ones(100)
    assert float(relative_l1(wild, t, w)) == pytest.approx(0.1) and float(relative_l2(wild, t, w)) == pytest.approx(1.0)


def test_h1_without_length_is_l2_and_with_it_adds_the_gradients():
    p, t, w = points(seed=1), points(seed=2), torch.rand(7, dtype=torch.float64)
    gp, gt = (torch.randn(7, 4, 2, dtype=torch.float64) for _ in range(2))
    assert torch.allclose(relative_h1((p, gp), (t, gt), w, length=0.0), relative_l2(p, t, w), atol=1e-9)
    square = relative_h1((p, gp), (t, gt), w, length=0.5, reference=torch.ones(2, 4)) ** 2
    plain = relative_h1((p, gp), (t, gt), w, length=0.0, reference=torch.ones(2, 4)) ** 2
    slopes = (w[:3, None] * (gp - gt)[:3].square().sum(dim=2)).sum(dim=0) / w[:3].sum()
    assert torch.allclose(square[0] - plain[0], 0.25 * slopes, atol=1e-9)
    nothing = (t.with_features(0 * t.scalars, 0 * t.vectors), 0 * gt)
    assert torch.allclose(relative_h1(nothing, (t, gt), w), torch.ones(2, 4, dtype=torch.float64), atol=1e-9)
    with pytest.raises(ShapeError):
        relative_h1((p, gp[:, :3]), (t, gt), w)


def test_labels_with_noise_are_measured_without_bias():
    """The mean square against noisy labels is too large by their variance; debiased it is right, for noise that differs from point to point."""
    n = 40_000
    t = PointSet(torch.zeros(n, 2, dtype=torch.float64), torch.randn(n, 1, dtype=torch.float64))
    p = t.with_features(scalars=t.scalars + 0.1 * torch.randn(n, 1, dtype=torch.float64))
    s = torch.rand(n, 1, dtype=torch.float64)
    noisy = t.with_features(scalars=t.scalars + s * torch.randn(n, 1, dtype=torch.float64))
    w = torch.rand(n, dtype=torch.float64)
    found = debiased_mean_square(p, noisy, s, w)
    assert float(found) == pytest.approx(0.01, abs=0.02)
    assert float(debiased_mean_square(p, noisy, 0 * s, w)) > 0.3  # the control


class Decoder(nn.Module):
    """Fields of everything that a query knows: place, distance, its gradient, closest point."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(7, 16), nn.Tanh(), nn.Linear(16, 3)).double()

    def forward(self, q):
        known = [q.points.pos, q.points.scalars[:, :1], q.points.vectors[:, 0], q.closest(VERTICES)]
        out = self.net(torch.cat(known, dim=1))
        return q.points.with_features(out[:, :1], out[:, None, 1:])


def by_differences(field, pos, step=1e-5):
    def channels(at):
        found = field(queries(at))
        return torch.cat([found.scalars, found.vectors.flatten(1)], dim=1)

    with torch.no_grad():
        return torch.stack([(channels(pos + step * e) - channels(pos - step * e)) / (2 * step) for e in np.eye(2)], dim=2)


def close(found, expected, share=0.9):
    """Equal at most points: differences are meaningless where a closest point changes its facet within the step."""
    error = (found - expected).abs().amax(dim=(1, 2)) / expected.abs().max()
    return float((error < 1e-5).double().mean()) >= share


def test_the_gradient_of_a_decoded_field_follows_the_wall():
    """Against differences of new searches; the control keeps what queries know of the wall where it was, and is wrong."""
    decoder, pos = Decoder(), places()
    field, found = position_gradient(decoder, queries(pos), VERTICES)
    expected = by_differences(decoder, pos)
    assert found.shape == (len(pos), 3, 2) and close(found, expected, share=0.95)
    assert torch.allclose(field.scalars, decoder(queries(pos)).scalars)
    at = torch.tensor(pos, requires_grad=True)
    still = queries(pos)
    stale = Queries(PointSet(at, still.points.scalars, still.points.vectors), still.anchor, still.share)
    (partial,) = torch.autograd.grad(decoder(stale).scalars.sum(), at)
    assert not close(partial[:, None], expected[:, :1], share=0.1)


def test_the_gradient_of_a_real_model_is_right():
    """BodyField, in double precision, through all its features."""
    geometry = geometry_tensors(OUTLINE)
    surface = geometry.surface.to(torch.float64)
    torch.manual_seed(0)
    model = BodyField(
        Ports(vectors_out=1, vectors_in=1, scalars_out=1, surface_scalars=10, body=True), width=16, depth=1, densities=2, surface_points=60
    ).double()
    prepared = model.prepare(Geometry(PointSet(VERTICES, surface.scalars, surface.vectors, surface.weight), geometry.facets, geometry.facet_ptr))
    inputs = Inputs(torch.zeros(1, 0, dtype=torch.float64), torch.tensor([[[1.0, 0.1]]], dtype=torch.float64))
    latent = model.encode(prepared, inputs)

    def field(q):
        return model.field(latent, q)

    pos = places(30, seed=3)
    _, found = position_gradient(field, queries(pos), VERTICES)
    assert close(found, by_differences(field, pos, 1e-6), share=0.85)


def test_finite_element_gradients_give_the_h1_error_of_finite_elements():
    """The second way to gradients: nodal values times a sparse matrix, on the quadrature points of the mesh."""
    space = Space.of(mesh_inside(circle(40), size=0.2), 2)
    matrices, values = gradient_matrices(space), value_matrix(space)
    exact, slope = (lambda p: np.sin(2 * p[:, 0]) * p[:, 1]), (lambda p: np.stack([2 * np.cos(2 * p[:, 0]) * p[:, 1], np.sin(2 * p[:, 0])], axis=1))
    u = torch.tensor(exact(space.points) + 0.1 * space.points[:, 0] ** 2, requires_grad=True)
    at, weight = torch.tensor(space.quadrature_points), torch.tensor(space.quadrature_weights)
    target = PointSet(at, torch.tensor(exact(space.quadrature_points))[:, None]), torch.tensor(slope(space.quadrature_points))[:, None]
    prediction = PointSet(at, (values @ u)[:, None]), gradient(matrices, u)[:, None]
    found = relative_h1(prediction, target, weight, length=0.5, reference=torch.ones(1, 1))
    l2, h1 = (measure(space, u.detach().numpy(), of) for measure, of in ((l2_error, exact), (h1_error, slope)))
    expected = np.sqrt((l2**2 + 0.25 * h1**2) / space.quadrature_weights.sum())
    assert float(found.detach()) == pytest.approx(expected, rel=1e-6)
    (step,) = torch.autograd.grad(found.sum(), u)
    assert torch.isfinite(step).all() and float(step.abs().max()) > 0


def test_an_h1_loss_trains_gradients():
    """Its derivative by the weights exists and is that of differences; without gradients on, nothing is recorded."""
    decoder, q = Decoder(), queries(places(10))
    target = q.points.with_features(torch.randn(10, 1, dtype=torch.float64), torch.randn(10, 1, 2, dtype=torch.float64))
    slopes = torch.randn(10, 3, 2, dtype=torch.float64)
    weight = torch.ones(10, dtype=torch.float64)
    parameter = decoder.net[0].bias

    def loss():
        return relative_h1(position_gradient(decoder, q, VERTICES), (target, slopes), weight).sum()

    (found,) = torch.autograd.grad(loss(), parameter)
    with torch.no_grad():
        ends = []
        for sign in (1, -1):
            parameter[3] += sign * 1e-5
            ends.append(float(loss()))
            parameter[3] -= sign * 1e-5
        assert not loss().requires_grad
    assert float(found[3]) == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-5)


def test_mean_square_is_in_the_units_of_the_field():
    p, t, w = points(seed=1), points(seed=2), torch.arange(1.0, 8.0, dtype=torch.float64)
    found = mean_square(p, t, w)
    part = slice(3, 7)
    assert torch.allclose(found[1, :2], (w[part, None] * (p.scalars - t.scalars)[part].square()).sum(dim=0) / w[part].sum())
    assert torch.allclose(found.sqrt(), relative_l2(p, t, w, torch.ones(2, 4)), atol=1e-9)
    larger = [item.with_features(scalars=10 * item.scalars, vectors=10 * item.vectors) for item in (p, t)]
    assert torch.allclose(mean_square(*larger, w), 100 * found)
    assert torch.allclose(relative_l2(*larger, w), relative_l2(p, t, w))


@pytest.mark.parametrize("loss", ["l1", "l2", "h1"])
def test_an_exact_prediction_and_an_empty_part_have_no_error_and_finite_gradients(loss):
    """Of fields that are zero, too, without a reference from elsewhere."""
    target = points(parts=(0, 0, 4, 7)).with_features(scalars=torch.zeros(7, 2, dtype=torch.float64))
    guess = target.scalars.clone().requires_grad_()
    exact, slope, w = target.with_features(scalars=guess), torch.zeros(7, 4, 2, dtype=torch.float64), torch.ones(7, dtype=torch.float64)
    found = relative_h1((exact, slope), (target, slope), w) if loss == "h1" else {"l1": relative_l1, "l2": relative_l2}[loss](exact, target, w)
    assert torch.equal(found, torch.zeros_like(found))
    found.sum().backward()
    assert torch.isfinite(guess.grad).all()
