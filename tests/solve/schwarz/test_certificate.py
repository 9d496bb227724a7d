"""Certified solves: to the tolerance asked for, from any field, with what the field saved."""

import numpy as np
import pytest
from fem_shapes import square
from schwarz_cases import CASES, Wrapped, darcy, laplace

from geoop.errors import ConfigurationError
from geoop.mesh.case import Case
from geoop.mesh.quantity import Field
from geoop.solve.equations import SOLUTION, Diffusion
from geoop.solve.schwarz.iteration import Schwarz, schwarz
from geoop.solve.schwarz.settings import SchwarzSettings


def off_by(share):
    """Finite elements whose answers are off by a smooth share: what a network would give."""
    return lambda answer, data, part: answer * (1.0 + share * np.sin(np.arange(len(answer))).reshape((-1,) + (1,) * (answer.ndim - 1)))


@pytest.mark.parametrize("name", CASES)
def test_every_equation_is_certified_to_rounding_from_a_poor_field(name):
    equation, case = CASES[name]
    iteration = Schwarz(case(), equation, Wrapped(equation, off_by(0.03)), SchwarzSettings(parts=5, sweeps=4, certify=1e-9))
    result, truth = iteration.solve(), iteration.problem.solve()
    assert result.certificate.met and result.outcome.status == "converged" and "certified" in result.outcome.detail
    assert np.abs(result.u - truth).max() < 1e-6 * np.abs(truth).max()
    assert result.result.verdict.trusted


def test_a_small_variation_on_a_large_constant_is_certified_by_the_variation():
    """1e6 + 1e-3 rand: what is left is measured against the mean, not against zero."""
    case = laplace(square(12))
    boundary = {name: {"solution": Field(SOLUTION, 1e4 + 1e-2 * item["solution"].values)} for name, item in case.boundary.items()}
    iteration = Schwarz(Case(case.mesh, None, {}, boundary), Diffusion(), None, SchwarzSettings(parts=4, sweeps=1, certify=1e-6))
    result, truth = iteration.solve(), iteration.problem.solve()
    assert result.certificate.met and np.abs(result.u - truth).max() < 1e-4 * np.ptp(truth)


def test_a_good_field_saves_steps():
    case = laplace(square(24))
    good = schwarz(case, Diffusion(), None, SchwarzSettings(parts=9, tolerance=1e-4, certify=1e-8)).certificate
    assert good.saved > 0 and good.steps < good.from_zero


@pytest.mark.parametrize("kind", ["learned", "directions"])
def test_learned_sweeps_as_preconditioner(kind):
    """The stand-in network takes sources; its sweeps, off by 3 %, still precondition, and the answer is exact."""
    iteration = Schwarz(
        darcy(square(14)), Diffusion(), Wrapped(Diffusion(), off_by(0.03)), SchwarzSettings(parts=5, certify=1e-8, preconditioner=kind)
    )
    result = iteration.solve()
    assert result.certificate.met and "learned" in result.certificate.method
    assert result.certificate.steps < 60


def test_an_operator_that_takes_no_sources_cannot_precondition():
    def deaf(answer, data, part):
        return np.zeros_like(answer) if not np.any(data.rim) else answer

    with pytest.raises(ConfigurationError, match="ignores sources"):
        schwarz(laplace(square(10)), Diffusion(), Wrapped(Diffusion(), deaf), SchwarzSettings(parts=4, certify=1e-8, preconditioner="learned"))


def test_without_a_learned_operator_there_is_no_learned_preconditioner():
    with pytest.raises(ConfigurationError, match="takes sources"):
        schwarz(laplace(square(8)), Diffusion(), None, SchwarzSettings(parts=3, certify=1e-8, preconditioner="learned"))
