"""Patches of a surface: exact without noise, beside least squares and robust least squares with noise and outliers."""

import pytest
import torch

from geoop.errors import ConfigurationError
from geoop.graph.pointset import PointSet
from geoop.layers.height_patch import basis, derivatives, fit, robust_fit, shape
from geoop.models.geometry_patches import pretrain, synthetic_patches
from geoop.operators.geometric_patch import GeometricPatch


def errors(found: torch.Tensor, exact: torch.Tensor) -> tuple[float, float]:
    """Median and 90 % quantile of the error of the mean curvature, in units of one over the radius."""
    off = (shape(derivatives(found)).mean - shape(derivatives(exact)).mean).abs()
    return float(off.median()), float(off.quantile(0.9))


def sphere(n: int, radius: float = 2.0) -> PointSet:
    i = torch.arange(n, dtype=torch.float64) + 0.5
    z, turn = 1 - 2 * i / n, i * torch.pi * (1 + 5**0.5)
    r = (1 - z * z).sqrt()
    normal = torch.stack([r * turn.cos(), r * turn.sin(), z], 1)
    return PointSet(radius * normal, vectors=normal[:, None])


def test_coefficients_are_exact_without_noise_for_any_weights():
    local, exact = (x.double() for x in synthetic_patches(50, 40, generator=torch.Generator().manual_seed(0)))
    local[:, :, 2] = (basis(local) * exact[:, None]).sum(2)
    for weight in (None, torch.rand(50, 40, dtype=torch.float64) + 0.01):
        assert (fit(local, weight) - exact).abs().max() < 1e-9
    torch.manual_seed(0)
    assert (GeometricPatch(40).double().coefficients(local) - exact).abs().max() < 1e-6  # outliers of nothing get little weight


def test_metric_and_curvature_of_a_known_patch():
    """z = u + (u^2 + v^2) / 2 at the middle: E = 2, G = 1, b = I / sqrt 2, so K = 1/4 and H = 3 sqrt 2 / 8."""
    found = shape(torch.tensor([[1.0, 0.0, 1.0, 0.0, 1.0]], dtype=torch.float64))
    assert torch.allclose(found.metric[0], torch.tensor([[2.0, 0.0], [0.0, 1.0]], dtype=torch.float64))
    assert abs(float(found.gauss) - 0.25) < 1e-14 and abs(float(found.mean) - 3 * 2**0.5 / 8) < 1e-14


def test_derivatives_of_the_basis():
    c = torch.randn(3, 16, dtype=torch.float64)
    h, at = 1e-4, lambda u, v: (basis(torch.tensor([u, v], dtype=torch.float64)) * c).sum(1)
    exact = [
        (at(h, 0) - at(-h, 0)) / (2 * h),
        (at(0, h) - at(0, -h)) / (2 * h),
        (at(h, 0) - 2 * at(0, 0) + at(-h, 0)) / h**2,
        (at(h, h) - at(h, -h) - at(-h, h) + at(-h, -h)) / (4 * h**2),
        (at(0, h) - 2 * at(0, 0) + at(0, -h)) / h**2,
    ]
    assert torch.allclose(derivatives(c), torch.stack(exact, 1), atol=1e-5)


def test_curvature_of_a_sphere_before_any_training_and_its_order():
    """Weights do not matter much where there is no noise: K = 1/R^2, H = 1/R, and the normals."""
    torch.manual_seed(0)
    operator, worst = GeometricPatch(32).double(), []
    for n in (200, 800):
        points = sphere(n)
        with torch.no_grad():
            found = operator(points, points, operator.connect(points, points))
        assert (found.vectors[:, 0] - points.vectors[:, 0]).norm(dim=1).max() < 0.04
        worst.append([float((4 * found.scalars[:, 16] - 1).abs().max()), float((2 * found.scalars[:, 17] - 1).abs().max())])
    assert max(worst[1]) < 0.1, worst
    assert min(a / b for a, b in zip(*worst, strict=True)) > 3, worst  # of order h^2: 4


def test_training_lowers_the_loss_and_is_repeatable():
    def train(steps: int) -> list[float]:
        torch.manual_seed(0)
        return pretrain(GeometricPatch(20, channels=8, layers=1, head="coefficients"), steps=steps, batch=24, rate=2e-2)

    losses = train(25)
    assert train(3) == train(3)
    assert sum(losses[-8:]) < 0.95 * sum(losses[:8])


def test_too_few_neighbours_are_refused():
    with pytest.raises(ConfigurationError, match="15 neighbours"):
        GeometricPatch(15)


@pytest.mark.slow
def test_what_is_learned_against_least_squares():
    """1 % noise and 15 % outliers: a third of the error of least squares; the tail of robust least squares is cut, its median is not beaten.

    With noise alone plain least squares is the best linear estimate, and learning gains nothing worth having.
    """
    local, exact = synthetic_patches(2000, 48, noise=0.01, outliers=0.15, generator=torch.Generator().manual_seed(99))
    plain, robust = errors(fit(local), exact), errors(robust_fit(local), exact)
    torch.manual_seed(0)
    operator = GeometricPatch(48)
    pretrain(operator, steps=200, batch=64, noise=0.01, outliers=0.15)
    with torch.no_grad():
        learned = errors(operator.coefficients(local), exact)
    assert learned[0] < plain[0] / 3 and learned[1] < plain[1] / 3
    assert learned[1] < 0.7 * robust[1] and learned[0] < 1.3 * robust[0]
