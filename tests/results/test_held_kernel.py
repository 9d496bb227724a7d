"""A nonlinear kernel whose matrices are held for some sweeps: the same fixed point, with fewer of them made."""

import numpy as np
import pytest
import torch

from geoop.interfaces.local import HeldSolve
from geoop.mesh.case import Case
from geoop.mesh.generate.triangles import mesh_inside
from geoop.mesh.primitives import ring
from geoop.mesh.quantity import Field
from geoop.models.boundary_kernel import BoundaryKernel
from geoop.results.local_surrogate import LocalSurrogate
from geoop.solve.equations import SOLUTION, NonlinearDiffusion
from geoop.solve.schwarz.iteration import Schwarz
from geoop.solve.schwarz.settings import SchwarzSettings

from .test_local_surrogate import local, surrogate


@pytest.fixture(scope="module")
def trained():
    """A kernel whose weights really depend on the data."""
    model, cases = surrogate("nonlinear")
    torch.manual_seed(1)
    assert isinstance(model.model, BoundaryKernel) and model.model.exchange is not None
    with torch.no_grad():
        for weight in model.model.exchange.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    return model, cases


def prepared(model, cases):
    problems, data = zip(*(local(case) for case in cases), strict=True)
    solve = LocalSurrogate(model).prepare(problems)
    assert isinstance(solve, HeldSolve)
    return solve, list(data)


def test_held_answers_are_those_of_the_call_and_linear_in_what_comes_after(trained):
    solve, data = prepared(*trained)
    doubled = [type(item)(2.0 * item.rim) for item in data]
    for first, held in zip(solve.held(data), solve(data), strict=True):  # without a call before, held is a call
        np.testing.assert_array_equal(first, held)
    for one, twice, fresh in zip(solve.held(data), solve.held(doubled), solve(doubled), strict=True):
        np.testing.assert_allclose(twice, 2.0 * one, atol=1e-9)
        assert np.abs(fresh - twice).max() > 1e-4  # the operator itself is not linear


def square():
    return mesh_inside(ring(np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 1.0], [0.0, 1.0]]), "plate"), size=0.12)


def drawn(mesh, seed):
    values = np.random.default_rng(seed).random(len(mesh.patch_points("wall")))
    return Case(mesh, None, {}, {"wall": {"solution": Field(SOLUTION, values)}})


class Counting:
    """A local solver that counts the calls that make matrices."""

    exact = False

    def __init__(self, solver):
        self.solver, self.accepts, self.calls = solver, solver.accepts, 0

    def prepare(self, problems):
        solve, outer = self.solver.prepare(problems), self

        class Solve:
            def __call__(self, data):
                outer.calls += 1
                return solve(data)

            held = staticmethod(solve.held)

        return Solve()


class Plain(Counting):
    """The same without holding."""

    def prepare(self, problems):
        solve = self.solver.prepare(problems)

        def counted(data):
            self.calls += 1
            return solve(data)

        return counted


def test_the_fixed_point_is_that_of_plain_sweeps_with_fewer_matrices(trained):
    model, _ = trained
    mesh, settings = square(), SchwarzSettings(4, 2, tolerance=1e-6, sweeps=200, fallback=False)
    held, plain = Counting(LocalSurrogate(model)), Plain(LocalSurrogate(model))
    one, other = (Schwarz(drawn(mesh, 0), NonlinearDiffusion(), solver, settings).solve() for solver in (held, plain))
    assert one.outcome.ok and other.outcome.ok and one.held > 0 == other.held
    assert one.sweeps == len(one.history) + one.held
    np.testing.assert_allclose(one.u, other.u, atol=1e-5)
    assert held.calls < 0.7 * plain.calls


def test_what_was_solved_before_leaves_no_trace(trained):
    model, _ = trained
    mesh, settings = square(), SchwarzSettings(4, 2)
    iteration = Schwarz(drawn(mesh, 0), NonlinearDiffusion(), LocalSurrogate(model), settings)
    fresh = Schwarz(drawn(mesh, 1), NonlinearDiffusion(), LocalSurrogate(model), settings).solve()
    iteration.solve()
    again = iteration.solve(drawn(mesh, 1))
    np.testing.assert_array_equal(again.u, fresh.u)


def test_the_limit_counts_all_sweeps(trained):
    model, _ = trained
    result = Schwarz(drawn(square(), 0), NonlinearDiffusion(), LocalSurrogate(model), SchwarzSettings(4, 2, sweeps=6, tolerance=1e-12)).solve()
    assert result.outcome.status == "max_sweeps_reached" and f"after {result.sweeps} sweeps" in result.outcome.detail
    assert 6 <= result.sweeps < 40
