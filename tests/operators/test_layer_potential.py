"""Layer potentials against closed forms."""

import math

import pytest
import torch

from geoop.errors import ShapeError
from geoop.graph.pointset import PointSet
from geoop.operators.layer_potential import LayerPotential, apply_kernel, induced_velocity, layer_kernel


def ring(n: int, radius: float = 1.0) -> torch.Tensor:
    angle = 2 * math.pi * torch.arange(n, dtype=torch.float64) / n
    return radius * torch.stack([angle.cos(), angle.sin()], dim=1)


def points(*radii: float) -> torch.Tensor:
    angle = torch.linspace(0.1, 6.2, 17, dtype=torch.float64)
    return torch.cat([r * torch.stack([angle.cos(), angle.sin()], dim=1) for r in radii])


@pytest.mark.parametrize("kind", ["source", "vortex"])
def test_constant_density_on_a_circle_acts_like_a_point_outside_and_vanishes_inside(kind):
    errors = []
    for n in (50, 100, 200):
        density = torch.zeros(n, 2, dtype=torch.float64)
        density[:, 0 if kind == "source" else 1] = 1.0
        where = points(1.5, 4.0)
        velocity = apply_kernel(layer_kernel(where, ring(n)), density)[:, 0]
        radius = where.norm(dim=1, keepdim=True)
        radial = where / radius**2  # strength 2 pi R sigma over 2 pi r
        exact = radial if kind == "source" else torch.stack([radial[:, 1], -radial[:, 0]], dim=1)
        errors.append(float((velocity - exact).abs().max()))
        inside = apply_kernel(layer_kernel(points(0.5), ring(n)), density)[:, 0]
        assert float(inside.abs().max()) < 20 / n**2
    orders = [math.log2(a / b) for a, b in zip(errors[:-1], errors[1:], strict=True)]
    assert min(orders) > 1.9, (errors, orders)


def test_quadrature_of_one_segment():
    """A linear density against fine quadrature, near and far."""
    p, q = torch.tensor([0.2, -0.1], dtype=torch.float64), torch.tensor([0.9, 0.4], dtype=torch.float64)
    triangle = torch.stack([p, q, torch.tensor([0.0, 2.0], dtype=torch.float64)])
    density = torch.tensor([[1.0, 0.3], [-0.5, 2.0], [0.0, 0.0]], dtype=torch.float64)
    where = torch.tensor([[0.6, 0.3], [5.0, -3.0], [0.55, 0.1501]], dtype=torch.float64)
    got = apply_kernel(layer_kernel(where, triangle), density)[:, 0]
    want = torch.zeros_like(got)
    for a, b, fa, fb in zip(triangle, triangle.roll(-1, 0), density, density.roll(-1, 0), strict=True):
        s = (torch.arange(40000, dtype=torch.float64) + 0.5) / 40000
        at, f = a + s[:, None] * (b - a), fa + s[:, None] * (fb - fa)
        d = where[:, None] - at
        k = d / d.square().sum(-1, keepdim=True) / (2 * math.pi) * (b - a).norm() / 40000
        want += (f[:, :1] * k).sum(1) + (f[:, 1:] * torch.stack([k[..., 1], -k[..., 0]], -1)).sum(1)
    torch.testing.assert_close(got, want, atol=2e-5, rtol=1e-4)


def test_divergence_and_curl_free_off_the_boundary():
    density = torch.randn(40, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def velocity(x):
        return apply_kernel(layer_kernel(x[None], ring(40)), density)[0, 0]

    for x in points(1.3)[:5]:
        jacobian = torch.autograd.functional.jacobian(velocity, x)
        assert abs(float(jacobian.trace())) < 1e-10
        assert abs(float(jacobian[0, 1] - jacobian[1, 0])) < 1e-10


def test_bad_input():
    operator = LayerPotential()
    target = PointSet(torch.rand(3, 2))
    for source in (PointSet(torch.rand(5, 2), torch.rand(5, 3)), PointSet(torch.rand(5, 3), torch.rand(5, 2))):
        with pytest.raises(ShapeError, match="2c densities"):
            operator(source, target, operator.connect(source, target))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_velocity_without_the_matrix_is_that_with_it(dtype):
    g = torch.Generator().manual_seed(3)
    curve = (ring(60) * torch.tensor([0.5, 0.06], dtype=torch.float64)).expand(2, 60, 2)
    where = torch.cat([points(0.02, 0.7, 8.0).expand(2, -1, 2), 1.001 * curve], dim=1)
    density = torch.randn(2, 60, 6, generator=g, dtype=torch.float64)
    expected = apply_kernel(layer_kernel(where, curve), density)
    order = torch.randperm(60, generator=g)  # segments have no order
    parts = [x.to(dtype)[:, order] for x in (curve, curve.roll(-1, 1), density, density.roll(-1, 1))]
    found = induced_velocity(where.to(dtype), *parts)
    assert found.shape == (2, len(where[0]), 3, 2) and found.dtype == dtype
    assert float((found - expected).abs().max()) < (1e-11 if dtype == torch.float64 else 1e-4) * float(expected.abs().max())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(induced_velocity(where.to(dtype), *parts), found)


def test_gradients_of_the_velocity():
    curve = ring(7).requires_grad_()
    where = points(0.5, 1.7)[::6].clone().requires_grad_()
    density = torch.randn(7, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert torch.autograd.gradcheck(lambda x, p, f: induced_velocity(x, p, p.roll(-1, 0), f, f.roll(-1, 0)), (where, curve, density))
