"""Linear systems: factors and multigrid give the same answer, singular ones say so."""

import numpy as np
import pytest
from fem_shapes import cube
from scipy.sparse import csr_matrix, diags

from geoop.errors import ConvergenceError
from geoop.fem import solving
from geoop.fem.diffusion import Diffusion
from geoop.fem.solving import LinearSystem


@pytest.mark.parametrize("degree", [1, 2])
def test_multigrid_agrees_with_factors_bit_for_bit_repeatable(monkeypatch, degree):
    right = lambda p: np.exp(p[:, 0] - p[:, 2])  # noqa: E731
    mesh = cube(8, "wedge")
    direct = Diffusion(mesh, degree=degree, dirichlet=("x_min",)).solve(right, dirichlet={"x_min": right})
    monkeypatch.setattr(solving, "LARGE_SOLID", 100)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    found = []
    for _ in range(2):
        problem = Diffusion(mesh, degree=degree, dirichlet=("x_min",))
        found.append(problem.solve(right, dirichlet={"x_min": right}))
        assert problem.system[0].iterative
    assert np.abs(found[0] - direct).max() < 1e-9 * np.abs(direct).max()
    assert np.array_equal(*found) and np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_unsymmetric_systems_and_columns():
    rng = np.random.default_rng(0)
    matrix = csr_matrix(rng.random((20, 20)) + 20 * np.eye(20))
    right = rng.random((20, 3))
    assert np.allclose(matrix @ LinearSystem(matrix, "test", symmetric=False).solve(right), right, atol=1e-12)
    assert LinearSystem(csr_matrix((0, 0)), "test").solve(np.zeros(0)).shape == (0,)


def test_singular_systems():
    with pytest.raises(ConvergenceError, match="singular"):
        LinearSystem(diags([1.0, 0.0, 1.0]).tocsr(), "test")


def test_multigrid_that_stalls_says_so(monkeypatch):
    monkeypatch.setattr(solving, "LARGE_SOLID", 10)
    monkeypatch.setattr(solving, "_SWEEPS", 1)
    problem = Diffusion(cube(4, "wedge"), degree=1, dirichlet=("x_min",))
    with pytest.raises(ConvergenceError, match="stopped after 1 steps"):
        problem.solve(1.0)
