"""Coarse spaces: sweeps that do not grow with the number of parts, coefficients that jump, learned iterates with noise."""

import numpy as np
import pytest
from fem_shapes import square
from schwarz_cases import CASES, Wrapped, clamped, given, laplace

from geoop.errors import ConfigurationError
from geoop.mesh.case import Case
from geoop.mesh.quantity import Field
from geoop.solve.equations import SOLUTION, Diffusion, Elasticity
from geoop.solve.schwarz.coarse import CoarseSpace
from geoop.solve.schwarz.iteration import Schwarz
from geoop.solve.schwarz.settings import SchwarzSettings


def sweeps_to(iteration, target=1e-6, most=600):
    truth, u = iteration.problem.solve(), iteration.problem.start()
    for k in range(most):
        u = iteration.sweep(u)
        if np.linalg.norm(u - truth) <= target * np.linalg.norm(truth):
            return k + 1
    return most


def of_equal_parts(per_side, **settings):
    """per_side^2 parts of 10^2 cells each."""
    return Schwarz(laplace(square(10 * per_side)), Diffusion(), None, SchwarzSettings(parts=per_side**2, overlap=1, **settings))


@pytest.mark.parametrize("kind", ["constants", "spectral"])
def test_sweeps_do_not_grow_with_the_number_of_parts(kind):
    few, many = (sweeps_to(of_equal_parts(k, coarse=kind)) for k in (4, 8))
    assert many <= 1.25 * few
    assert sweeps_to(of_equal_parts(4, coarse=None)) > 4 * few


def test_a_correction_is_the_galerkin_projection():
    """What is left is orthogonal to the coarse functions, and a second correction changes nothing."""
    for equation, case in (CASES["darcy"], CASES["elasticity"], CASES["heat"]):
        iteration = Schwarz(case(), equation, None, SchwarzSettings(parts=5))
        u = iteration.coarse.corrected(iteration.problem.start())
        left = iteration.coarse.functions.T @ iteration.problem.residual(u)
        assert np.abs(left).max() <= 1e-9 * np.abs(iteration.problem.residual(iteration.problem.start())).max()
        np.testing.assert_allclose(iteration.coarse.corrected(u), u, atol=1e-9 * np.abs(u).max())


def test_functions_of_the_parts_span_what_the_energy_does_not_see():
    mesh = square(16)
    for equation, case in ((Diffusion(), laplace(mesh)), (Elasticity(), clamped(mesh))):
        iteration = Schwarz(case, equation, None, SchwarzSettings(parts=6))
        kernel = equation.kernel(mesh.points).reshape(iteration.problem.n, -1)
        kernel[iteration.problem.fixed] = 0.0
        z = iteration.coarse.functions.toarray()
        rest = kernel - z @ np.linalg.lstsq(z, kernel, rcond=None)[0]
        assert np.abs(rest).max() < 1e-10


def test_a_spectral_space_holds_where_the_coefficient_jumps():
    """Channels of conductivity 1e4 through all parts: constants per part do not represent what flows along them."""
    mesh = square(36)
    x, y = mesh.points.T
    conductivity = np.where((np.abs(y - 0.3) < 0.03) | (np.abs(y - 0.62) < 0.03), 1e4, 1.0)
    boundary = {name: {"solution": Field(SOLUTION, np.full(len(mesh.patch_points(name)), value))} for name, value in (("left", 0.0), ("right", 1.0))}
    case = Case(mesh, None, {"conductivity": given("conductivity", conductivity), "source": given("source", np.sin(9 * x))}, boundary)
    count = {}
    for kind in ("constants", "spectral"):
        settings = SchwarzSettings(parts=9, overlap=1, coarse=kind, modes=6, acceleration="gmres", tolerance=1e-8)
        count[kind] = Schwarz(case, Diffusion(), None, settings).solve().sweeps
    assert count["spectral"] < 0.8 * count["constants"], count


def test_smoothing_keeps_noise_out_of_the_correction():
    """White noise of a learned iterate: the correction of a smoothed residual moves the solution less than that of the raw one."""
    iteration = Schwarz(laplace(square(30)), Diffusion(), None, SchwarzSettings(parts=9))
    truth, random = iteration.problem.solve(), np.random.default_rng(0)
    noise = np.where(iteration.problem.free, 0.01 * random.standard_normal(iteration.problem.n), 0.0)
    moved = {}
    for steps in (0, 3):
        space = CoarseSpace(iteration.problem, iteration.decomposition, iteration.cutter, smoothing=steps)
        moved[steps] = np.linalg.norm(space.corrected(truth + noise) - truth - noise)
    assert moved[3] < 0.85 * moved[0]


def test_a_learned_iteration_gains_sweeps_and_loses_nothing():
    random = np.random.default_rng(1)
    noise = {}

    def change(answer, data, part):
        """The same small error for the same part: correlated, as a network's is."""
        if part not in noise or noise[part].shape != answer.shape:
            noise[part] = 0.01 * random.standard_normal(answer.shape)
        return answer + noise[part]

    found = {}
    for kind in (None, "constants"):
        noise.clear()
        iteration = Schwarz(laplace(square(36)), Diffusion(), Wrapped(Diffusion(), change), SchwarzSettings(parts=16, overlap=1, coarse=kind))
        result, truth = iteration.solve(), iteration.problem.solve()
        found[kind] = result.sweeps, np.linalg.norm(result.u - truth) / np.linalg.norm(truth)
    assert found["constants"][0] < 0.5 * found[None][0]
    assert found["constants"][1] < 1.3 * found[None][1]


def test_no_modes_are_refused():
    iteration = Schwarz(laplace(square(6)), Diffusion(), None, SchwarzSettings(parts=3))
    with pytest.raises(ConfigurationError):
        CoarseSpace(iteration.problem, iteration.decomposition, iteration.cutter, modes=0)
