"""Integrals, fluxes and norms of errors against closed forms."""

import numpy as np
import pytest
from fem_shapes import cube, square

from geoop.fem.integrals import h1_error, integral, l2_error, patch_flux, patch_integral
from geoop.fem.space import Space
from geoop.mesh.generate.disk import star


def test_divergence_theorem_on_curved_cells():
    space = Space.of(star(8, lambda t: 1.0 + 0.1 * np.cos(3 * t)), 2, order=8)
    u = space.interpolate(lambda p: p[:, 0])
    area = integral(space, space.interpolate(1.0))
    assert area == pytest.approx(np.pi * (1 + 0.1**2 / 2), rel=1e-5)  # 1/2 integral of r^2
    flux = patch_flux(space, "boundary", u, conductivity=lambda p: 1.0 + p[:, 0])  # div((1 + x) grad x) = 1
    assert flux == pytest.approx(area, rel=1e-12)
    assert patch_integral(space, "boundary", space.interpolate(2.0)) > 4 * np.pi


def test_norms_of_errors():
    """Of u = x^2 against 0: L2 is 1/sqrt(5), the gradient's 2/sqrt(3)."""
    for mesh in (square(3, "mixed"), cube(2, "pyramid")):
        space = Space.of(mesh, 2)
        u = space.interpolate(lambda p: p[:, 0] ** 2)
        assert l2_error(space, u, lambda p: 0 * p[:, 0]) == pytest.approx(1 / np.sqrt(5), rel=1e-12)
        assert h1_error(space, u, lambda p: 0 * p) == pytest.approx(2 / np.sqrt(3), rel=1e-12)
        assert l2_error(space, u, lambda p: p[:, 0] ** 2) < 1e-12


def test_patches_of_a_solid():
    space = Space.of(cube(2, "mixed"), 2)
    u = space.interpolate(lambda p: p[:, 0] * (1.0 + p[:, 1]))
    assert patch_integral(space, "x_max", u) == pytest.approx(1.5, rel=1e-12) and patch_integral(space, "x_min", u) == pytest.approx(0.0, abs=1e-14)
    assert patch_flux(space, "x_max", u, 2.0) == pytest.approx(3.0, rel=1e-12)
    assert patch_flux(space, "x_min", u, 2.0) == pytest.approx(-3.0, rel=1e-12)
    assert integral(space, u) == pytest.approx(0.75, rel=1e-12)
