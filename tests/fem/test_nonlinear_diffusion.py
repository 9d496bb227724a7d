"""Nonlinear diffusion against Kirchhoff's transform, Newton's convergence, and what happens when it fails."""

import numpy as np
import pytest
from fem_shapes import orders, square

from geoop.errors import ConvergenceError, FieldError
from geoop.fem.integrals import l2_error
from geoop.fem.nonlinear_diffusion import NonlinearDiffusion
from geoop.mesh.generate.disk import star
from geoop.truth.exact.harmonic import from_kirchhoff

SIDES = ("left", "right", "bottom", "top")
CUBIC = (lambda u: 1.0 + u**2, lambda u: 2.0 * u)


def bump(p, size=6.0):
    return size * np.sin(np.pi * p[:, 0]) * np.sin(np.pi * p[:, 1])


@pytest.mark.parametrize("degree", [1, 2])
def test_order_against_the_closed_form(degree):
    """-div((1 + u^2) grad u) = -laplace(w) with u + u^3/3 = w (METHODS, non-linear Poisson with closed form)."""
    error = []
    for n in (16, 32, 64):
        problem = NonlinearDiffusion(square(n), *CUBIC, degree=degree, dirichlet=SIDES)
        u, residuals = problem.solve(lambda p: 2.0 * np.pi**2 * bump(p))
        error.append(l2_error(problem.space, u, lambda p: from_kirchhoff(bump(p))))
        assert residuals[-1] < 1e-9 * residuals[0] and residuals[-2] < 1e-3 * residuals[0]
    assert orders(error)[-1] > degree + 0.7


def test_newton_is_quadratic_at_the_end():
    problem = NonlinearDiffusion(square(8), *CUBIC, dirichlet=SIDES)
    _, r = problem.solve(lambda p: 2.0 * np.pi**2 * bump(p, 1.0), tolerance=1e-14)
    scaled = np.array(r) / r[0]
    steep = [(a, b) for a, b in zip(scaled, scaled[1:], strict=False) if 1e-6 < a < 1e-1]
    assert steep and all(b < 10.0 * a**2 for a, b in steep)


def test_strong_sources_converge_by_damping():
    problem = NonlinearDiffusion(square(12), *CUBIC, dirichlet=SIDES)
    u, _ = problem.solve(lambda p: 2.0 * np.pi**2 * bump(p, 3000.0))
    assert u.max() == pytest.approx(from_kirchhoff(3000.0), rel=2e-3)


def test_boundary_values_and_flux():
    """A bar: w is linear between w(0) and w(1); its flux w' is given at one end or comes out there."""
    problem = NonlinearDiffusion(square(8, "quad"), *CUBIC, dirichlet=("left",))
    u, _ = problem.solve(dirichlet={"left": 0.5}, neumann={"right": 3.0})
    exact = lambda p: from_kirchhoff(0.5 + 0.125 / 3.0 + 3.0 * p[:, 0])  # noqa: E731
    assert l2_error(problem.space, u, exact) < 3e-4
    again, residuals = problem.solve(dirichlet={"left": 0.5}, neumann={"right": 3.0}, start=u)
    assert len(residuals) == 1 and np.array_equal(again, u)


def test_a_constant_law_is_the_linear_problem():
    disk = star(6, np.ones_like)
    problem = NonlinearDiffusion(disk, np.ones_like, np.zeros_like)
    u, _ = problem.solve(4.0)
    assert np.allclose(u, problem.linear.solve(4.0), atol=1e-12)


def test_failures():
    with pytest.raises(ConvergenceError, match="not unique"):
        NonlinearDiffusion(square(3), *CUBIC, dirichlet=())
    negative = NonlinearDiffusion(square(4), lambda u: 1.0 - u, lambda u: -np.ones_like(u), dirichlet=SIDES)
    with pytest.raises(FieldError, match="a\\(u\\) is"):
        negative.solve(dirichlet=dict.fromkeys(SIDES, 2.0))
    wrong = NonlinearDiffusion(square(4), lambda u: 1.0 + u**2, lambda u: -40.0 * u, dirichlet=SIDES)
    with pytest.raises(ConvergenceError, match="Newton's method stopped"):
        wrong.solve(lambda p: 2.0 * np.pi**2 * bump(p))


@pytest.mark.parametrize("far", [10.0, 1e3, 1e5])
def test_a_far_start_ends_at_the_same_solution(far):
    """The residual of the first guess is 1e16 times that of the load: it is no measure of the last one."""
    problem = NonlinearDiffusion(square(6), *CUBIC, dirichlet=SIDES)
    near, _ = problem.solve(5.0)
    u, _ = problem.solve(5.0, start=np.full(problem.space.n, far))
    assert np.abs(u - near).max() < 1e-11 * near.max()


def test_nothing_to_do_converges():
    """Residuals of constants and of linear functions are rounding noise, which no step makes smaller."""
    problem = NonlinearDiffusion(square(5, seed=1), *CUBIC, dirichlet=SIDES)
    u, _ = problem.solve(dirichlet=dict.fromkeys(SIDES, 3.0))
    assert np.allclose(u, 3.0, atol=1e-13)
    linear = NonlinearDiffusion(square(5, seed=1), np.ones_like, np.zeros_like, dirichlet=SIDES)
    u, _ = linear.solve(dirichlet=dict.fromkeys(SIDES, lambda p: p[:, 0] - 2.0 * p[:, 1]))
    assert np.allclose(u, linear.space.points @ [1.0, -2.0], atol=1e-13)


def test_starts_and_data_of_the_wrong_shape():
    problem = NonlinearDiffusion(square(3), *CUBIC, dirichlet=SIDES)
    for given in ({"start": np.ones(3)}, {"start": np.ones((problem.space.n, 2))}, {"source": np.ones((16, 2))}):
        with pytest.raises(FieldError, match="start of"):
            problem.solve(**given)
