"""Kernels of a half-space, against what defines them."""

import numpy as np
import pytest
import torch
from scipy import integrate, special

from geoop.layers.kernel_bases import green, poisson_logarithm, screened_boundary_logarithm, screened_inside_logarithm, softened

f64 = torch.float64


@pytest.mark.parametrize("d", [2, 3])
def test_poisson_kernel_is_the_normal_derivative_of_greens_function_up_to_a_constant(d):
    x = torch.cat([torch.tensor([0.0] * (d - 1)), torch.tensor([0.7])]).to(f64)
    rim = torch.rand(6, d, generator=torch.Generator().manual_seed(1), dtype=f64) * 4
    rim[:, -1] = 0
    height = torch.full((6,), 1e-6, dtype=f64)
    lifted = torch.cat([rim[:, :-1], height[:, None]], dim=1)
    slope = green((lifted - x).square().sum(1), height * x[-1], d) / height
    kernel = poisson_logarithm((rim - x).square().sum(1), torch.ones(6, dtype=f64), d).exp()
    torch.testing.assert_close(slope / slope[0], kernel / kernel[0], rtol=1e-5, atol=0)


def test_the_source_and_its_image_solve_laplaces_equation_and_vanish_on_the_wall():
    z, h = torch.tensor([0.3, 0.5], dtype=f64), 1e-3

    def at(x, y):
        p = torch.tensor([x, y], dtype=f64)
        return float(green((p - z).square().sum()[None], (p[1] * z[1])[None], 2))

    laplace = (at(1 + h, 0.8) + at(1 - h, 0.8) + at(1, 0.8 + h) + at(1, 0.8 - h) - 4 * at(1, 0.8)) / h**2
    assert abs(laplace) < 1e-5 and at(0.9, 0.0) == 0.0
    # a source of strength one: the flux through the wall is all that it gives
    flux = integrate.quad(lambda x: at(x, 1e-6) / 1e-6, -np.inf, np.inf)[0]
    assert flux == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("d", [2, 3])
def test_the_softened_kernel_at_the_middle_of_a_cell_is_its_mean(d):
    measure = 0.01
    spacing = torch.tensor([measure ** (1 / d)], dtype=f64)
    radius = (measure / np.pi) ** 0.5 if d == 2 else (3 * measure / (4 * np.pi)) ** (1 / 3)
    squared = float(softened(torch.zeros(1, dtype=f64), spacing, d))
    if d == 2:
        assert 0.5 * np.log(squared) == pytest.approx(np.log(radius) - 0.5, abs=1e-2)
    else:
        assert squared**-0.5 == pytest.approx(1.5 / radius, rel=5e-3)


@pytest.mark.parametrize("ratio", [0.03, 0.3, 1.0, 3.0, 10.0])
def test_screened_boundary_kernel_against_the_bessel_function(ratio):
    """x/(pi l r) K_1(r/l) in the plane, less log x."""
    l, r = 0.2, 0.2 * ratio
    exact = np.log(special.k1(ratio) / (np.pi * l * r))
    found = float(screened_boundary_logarithm(torch.tensor([r * r], dtype=f64), torch.ones(1, dtype=f64), torch.tensor(l, dtype=f64), 2))
    assert abs(found - exact) < 0.12


@pytest.mark.parametrize("d", [2, 3])
def test_without_screening_the_boundary_kernel_is_poissons(d):
    r, one, wide = torch.tensor([0.01, 0.3], dtype=f64), torch.ones(2, dtype=f64), torch.tensor(1e6, dtype=f64)
    difference = screened_boundary_logarithm(r, one, wide, d) - poisson_logarithm(r, one, d)
    torch.testing.assert_close(difference, difference[:1].expand(2), rtol=0, atol=1e-5)


@pytest.mark.parametrize("d", [2, 3])
def test_screened_kernels_of_a_half_space_sum_to_one(d):
    """Boundary and inside together reproduce constants, near the wall, where the approximation is meant to hold."""
    l, height = 0.3, 0.06
    length = torch.tensor(l, dtype=f64)

    def across(r):
        return 2.0 if d == 2 else 2 * np.pi * r

    def boundary(r):
        return (
            across(r)
            * height
            * float(screened_boundary_logarithm(torch.tensor([r * r + height**2], dtype=f64), torch.ones(1, dtype=f64), length, d).exp())
        )

    rim = integrate.quad(boundary, 0, 5)[0]
    assert rim == pytest.approx(np.exp(-height / l), rel=0.03)
    r, z = np.meshgrid((np.arange(300) + 0.5) / 300 * 2.5, (np.arange(300) + 0.5) / 300 * 2.5)
    squared = torch.from_numpy(r**2 + (z - height) ** 2)
    args = (torch.full_like(squared, height), torch.from_numpy(z), torch.ones_like(squared), length, d)
    cells = screened_inside_logarithm(squared, *args).exp().numpy()
    total = (cells * (2.0 if d == 2 else 2 * np.pi * r)).sum() * (2.5 / 300) ** 2 * height
    assert rim + total == pytest.approx(1.0, abs=0.15)
