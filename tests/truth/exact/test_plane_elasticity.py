"""Displacements of two analytic functions are in equilibrium, in plane strain and plane stress."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.truth.exact.plane_elasticity import PlaneEquilibrium


@pytest.mark.parametrize("state", ["plane strain", "plane stress"])
def test_equilibrium(state):
    """mu laplace(u) + (lambda + mu) grad(div u) = 0, with lambda of the plane."""
    random, nu, h = np.random.default_rng(0), 0.3, 1e-3
    phi, psi = (random.standard_normal(5) + 1j * random.standard_normal(5) for _ in range(2))
    exact = PlaneEquilibrium(phi, psi, nu, state, (0.1, 0.2), 0.9)
    ratio = 1 / (1 - 2 * nu) if state == "plane strain" else (1 + nu) / (1 - nu)  # (lambda + mu)/mu
    points = random.random((20, 2)) - 0.5
    at = lambda i, j: exact.displacement(points + h * np.array([i, j]))  # noqa: E731
    xx, yy = (at(1, 0) - 2 * at(0, 0) + at(-1, 0)) / h**2, (at(0, 1) - 2 * at(0, 0) + at(0, -1)) / h**2
    xy = (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / (4 * h**2)
    force = xx + yy + ratio * np.stack([xx[:, 0] + xy[:, 1], xy[:, 0] + yy[:, 1]], axis=1)
    assert np.abs(force).max() < 1e-4 * np.abs(xx).max()


def test_bad_input():
    with pytest.raises(ConfigurationError, match=r"0\.5"):
        PlaneEquilibrium(np.ones(2), np.ones(1), 0.5)
