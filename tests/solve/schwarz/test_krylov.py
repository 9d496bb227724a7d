"""Krylov methods on matrices: exactness, flexibility, what they do with preconditioners of any kind."""

import numpy as np
import pytest
from scipy.sparse import diags
from scipy.sparse.linalg import cg

from geoop.solve.schwarz.krylov import Anderson, conjugate_directions, flexible_gmres

N = 60
A = diags([-np.ones(N - 1), 2.05 * np.ones(N), -np.ones(N - 1)], [-1, 0, 1]).tocsr()
SKEW = A + diags([0.7 * np.ones(N - 1), -0.7 * np.ones(N - 1)], [-1, 1]).tocsr()
B = np.random.default_rng(0).standard_normal(N)


def noisy(size, seed=1):
    random = np.random.default_rng(seed)
    return lambda r: r / 2.05 + size * np.linalg.norm(r) * random.standard_normal(N) / np.sqrt(N)


@pytest.mark.parametrize("matrix", [A, SKEW])
@pytest.mark.parametrize("precondition", [lambda r: r, noisy(0.3), lambda r: np.tanh(r)], ids=["none", "noise", "nonlinear"])
def test_gmres_with_any_preconditioner(matrix, precondition):
    found = flexible_gmres(lambda u: matrix @ u, B, precondition, tolerance=1e-10, steps=400)
    assert found.converged
    np.testing.assert_allclose(found.u, np.linalg.solve(matrix.toarray(), B), atol=1e-8)


def test_an_exact_preconditioner_needs_one_step():
    inverse = np.linalg.inv(A.toarray())
    assert flexible_gmres(lambda u: A @ u, B, lambda r: inverse @ r).steps == 1
    assert conjugate_directions(lambda u: A @ u, B, lambda r: inverse @ r).steps == 1


def test_conjugate_directions_without_preconditioner_are_conjugate_gradients():
    count = []
    cg(A, B, rtol=1e-8, callback=lambda _: count.append(1))
    found = conjugate_directions(lambda u: A @ u, B, lambda r: r, tolerance=1e-8, kept=1)
    assert abs(found.steps - len(count)) <= 1 and found.converged


def test_proposals_that_change_need_more_directions_kept():
    def steps(kept):
        found = conjugate_directions(lambda u: A @ u, B, noisy(0.3), tolerance=1e-8, kept=kept)
        return found.steps

    assert steps(12) < steps(1)


def test_a_start_is_used():
    truth = np.linalg.solve(A.toarray(), B)
    for method in (flexible_gmres, conjugate_directions):
        near = method(lambda u: A @ u, B, lambda r: r, start=truth + 1e-6, tolerance=1e-7)
        assert near.steps < 0.5 * method(lambda u: A @ u, B, lambda r: r, tolerance=1e-7).steps
        assert method(lambda u: A @ u, B, lambda r: r, start=truth, tolerance=1e-7).steps == 0


def test_methods_that_fail_say_so():
    stuck = flexible_gmres(lambda u: A @ u, B, lambda r: np.zeros(N), steps=5)
    assert not stuck.converged and np.isfinite(stuck.u).all()
    indefinite = conjugate_directions(lambda u: -(A @ u), B, lambda r: r)
    assert not indefinite.converged


def test_anderson_solves_a_linear_fixed_point_in_as_many_steps_as_it_has_dimensions():
    matrix = np.diag([0.9, -0.8, 0.5])
    shift, mixing, u = np.array([1.0, 2.0, 3.0]), Anderson(5), np.zeros(3)
    for _ in range(5):
        u = mixing.next(u, matrix @ u + shift)
    np.testing.assert_allclose(u, np.linalg.solve(np.eye(3) - matrix, shift), rtol=1e-8)
