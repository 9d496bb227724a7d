"""The resampling on tensors: the numbers of the other one, and their derivatives."""

import numpy as np
import pytest
import torch
from scipy.interpolate import CubicSpline

from geoop.errors import ShapeError
from geoop.mesh.choices import Choices, choice
from geoop.mesh.primitives import box, circle, naca4
from geoop.mesh.resample import resample
from geoop.mesh.tensor_resample import TensorResampling, TensorSpline

SECTIONS = [naca4("2412", 120), naca4("4415", 81, closed_trailing_edge=False), circle(60), box((0.0, 0.0), (2.0, 1.0), 12)]


@pytest.mark.parametrize("mesh", SECTIONS, ids=lambda mesh: mesh.name)
def test_points_are_those_of_resample(mesh):
    found = TensorResampling.of(mesh, 200).points(torch.from_numpy(np.array(mesh.points)))
    np.testing.assert_allclose(found, resample(mesh, 200).points, atol=1e-12)


@pytest.mark.parametrize("mesh", SECTIONS, ids=lambda mesh: mesh.name)
def test_derivatives_are_central_differences(mesh):
    plan = TensorResampling.of(mesh, 100)
    points = torch.from_numpy(np.array(mesh.points)).requires_grad_()
    weight = torch.randn(100, 2, dtype=torch.float64)
    (slope,) = torch.autograd.grad((plan.points(points) * weight).sum(), points)
    x = points.detach()
    direction = torch.stack([torch.sin(2 * x[:, 0] + 1), torch.cos(3 * x[:, 0] + x[:, 1])], dim=1)
    ends = [float((plan.points(x + sign * 1e-7 * direction) * weight).sum()) for sign in (1, -1)]
    assert float((slope * direction).sum()) == pytest.approx((ends[0] - ends[1]) / 2e-7, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("closed", [False, True])
def test_the_spline_is_that_of_scipy(closed):
    knots = np.cumsum(np.random.default_rng(0).uniform(0.5, 1.5, 9))
    points = np.random.default_rng(1).normal(size=(9, 2))
    points[-1] = points[0]
    exact = CubicSpline(knots, points, bc_type="periodic" if closed else "natural")
    own = TensorSpline.through(torch.from_numpy(knots), torch.from_numpy(points), closed=closed)
    at = np.linspace(knots[0], knots[-1], 50)
    for order in range(3):
        np.testing.assert_allclose(own.at(torch.from_numpy(at), order), exact(at, order), atol=1e-12)


def test_choices_are_made_once_and_held():
    held, asked = Choices(), []

    def pick(x: float) -> bool:
        return choice(lambda: asked.append(x) or choice(lambda: x > 0))

    with held.held():
        assert pick(1.0)
        assert not pick(-1.0)
    with held.held():
        assert pick(-5.0)  # what was chosen at 1
        assert not pick(5.0)
        with pytest.raises(ShapeError, match="more choices"):
            pick(0.0)
    assert asked == [1.0, -1.0]
    assert not pick(-5.0)  # outside of the block everything is chosen anew
