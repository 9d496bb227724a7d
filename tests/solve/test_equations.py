"""Discrete equations: equal to the solvers they are made of, with the symmetries that they declare."""

from dataclasses import replace

import numpy as np
import pytest
from fem_shapes import square
from schwarz_cases import CASES, clamped, darcy, dirichlet, given, heated, laplace

from geoop.errors import ConditionError, ConfigurationError, FieldError
from geoop.fem.elastic_laws import LinearElastic
from geoop.fem.heat import Heat, HeatData
from geoop.mesh.case import Case
from geoop.mesh.mesh import Mesh
from geoop.mesh.quantity import Field
from geoop.solve.equations import Diffusion, Elasticity, HeatWindow
from geoop.solve.schwarz.settings import SchwarzSettings
from geoop.solve.schwarz.windows import march
from geoop.truth.elasticity.linear import LinearElasticity
from geoop.truth.elasticity.loads import Loads


@pytest.mark.parametrize("name", CASES)
def test_the_residual_of_the_solution_vanishes_and_is_at_least_one_for_zero(name):
    equation, case = CASES[name]
    problem = equation.discrete(case())
    assert problem.relative_residual(problem.solve()) < 1e-8
    assert 1.0 <= problem.relative_residual(problem.start()) < 100.0


def test_a_small_variation_on_a_large_constant_is_measured_by_the_variation():
    mesh = square(8)
    boundary = {name: {"solution": given("solution", 1e4 + item["solution"].values)} for name, item in laplace(mesh).boundary.items()}
    plain, lifted = Diffusion().discrete(laplace(mesh)), Diffusion().discrete(Case(mesh, None, {}, boundary))
    off = 0.01 * np.random.default_rng(0).standard_normal(plain.n) * plain.free
    assert lifted.relative_residual(lifted.solve() + off) == pytest.approx(plain.relative_residual(plain.solve() + off), rel=1e-6)


def test_a_window_of_heat_is_the_marching_solver():
    mesh, steps = square(8, "quad", 1), 5
    case = heated(mesh, steps)
    data = {name: item["solution"].values for name, item in case.boundary.items()}
    heat = Heat(mesh, 0.02, conductivity=0.7, degree=1, dirichlet=tuple(data), scheme="implicit_euler")

    def at(time):
        return HeatData(dirichlet={name: values[:, round(time / 0.02) - 1] for name, values in data.items()})

    states = list(heat.march(case.field("initial").values, steps, at))[1:]
    problem = HeatWindow(0.02, steps, 0.7).discrete(case)
    found = problem.solve().reshape(-1, steps)
    inner = problem.free.reshape(-1, steps)[:, 0]
    np.testing.assert_allclose(found[inner], np.stack(states, axis=1)[problem.nodes][inner], atol=1e-12)


def test_elasticity_is_that_of_the_truth():
    mesh, law = square(7, "triangle", 2), LinearElastic(3.0, 0.25, "plane stress")
    problem = Elasticity(law).discrete(clamped(mesh))
    zero = {"left": (0.0, 0.0)}
    truth = LinearElasticity(mesh, law, degree=1).solve(Loads(zero, {"right": (1.0, 0.3)}))
    np.testing.assert_allclose(problem.solve().reshape(-1, 2), truth.displacement, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_the_kernel_has_no_energy(name):
    equation, case = CASES[name]
    case = case()
    matrix = equation.energy(case)
    modes = equation.kernel(case.mesh.points).reshape(matrix.shape[0], -1)
    if getattr(equation, "reaction", 0.0) or isinstance(equation, HeatWindow):
        return  # those hold every function
    assert np.abs(matrix @ modes).max() < 1e-9 * np.abs(matrix.data).max()


def shrunk(case, equation, length):
    """The case on a region smaller by a length, with its data times the powers that the equation declares."""
    mesh = Mesh(case.mesh.points / length, case.mesh.cells, case.mesh.patches)

    def scaled(item):
        return Field(item.quantity, item.values * length ** equation.powers.get(item.name, 0), item.location)

    fields = {name: item if name in equation.coefficients else scaled(item) for name, item in case.fields.items()}
    return Case(mesh, None, fields, {patch: {name: scaled(item) for name, item in data.items()} for patch, data in case.boundary.items()})


@pytest.mark.parametrize("name", ["laplace, quads and triangles", "darcy", "nonlinear", "elasticity", "laplace in space", "elasticity in space"])
def test_sizes_scale_as_declared(name):
    equation, case = CASES[name]
    case = case()
    large, small = equation.discrete(case).solve(), equation.discrete(shrunk(case, equation, 3.7)).solve()
    np.testing.assert_allclose(small, large, atol=1e-8 * np.abs(large).max())


@pytest.mark.parametrize("name", CASES)
def test_values_scale_and_shift_as_declared(name):
    equation, case = CASES[name]
    case = case()
    plain = equation.discrete(case).solve()

    def changed(times, plus):
        def of(item):
            values = item.quantity.name == equation.quantity.name or (equation.source_is_value and item.name == equation.source)
            return Field(item.quantity, times * item.values + (plus if values else 0.0), item.location)

        fields = {key: item if key in equation.coefficients else of(item) for key, item in case.fields.items()}
        return replace(case, fields=fields, boundary={patch: {key: of(item) for key, item in data.items()} for patch, data in case.boundary.items()})

    twice, moved = equation.discrete(changed(2.5, 0.0)).solve(), equation.discrete(changed(1.0, 0.4)).solve()
    scales, shifts = (np.allclose(a, b, atol=1e-8 * np.abs(plain).max()) for a, b in ((twice, 2.5 * plain), (moved, plain + 0.4)))
    assert scales == equation.scales and shifts == equation.shifts


def test_other_data_on_the_same_geometry():
    case, other = darcy(square(6), 0), darcy(square(6), 0)
    problem = Diffusion().discrete(case)
    driven = replace(other, fields={**other.fields, "source": given("source", np.ones(len(other.mesh.points)))})
    np.testing.assert_allclose(problem.driven_by(driven).solve(), Diffusion().discrete(driven).solve(), atol=1e-12)
    with pytest.raises(ConfigurationError, match="prepared with"):
        problem.driven_by(laplace(square(6)))


def test_data_that_cannot_be_used():
    mesh = square(4)
    with pytest.raises(ConfigurationError, match="nothing holds the body"):
        Elasticity().discrete(Case(mesh))
    with pytest.raises(ConditionError, match="3-D"):
        Elasticity().discrete(clamped(CASES["laplace in space"][1]().mesh, ("x_min", "x_max")))
    with pytest.raises(ConfigurationError, match="initial"):
        HeatWindow().discrete(Case(mesh, None, {}, dirichlet(mesh)))
    with pytest.raises(FieldError, match="finite"):
        Diffusion().discrete(laplace(mesh)).start(np.full(25, np.nan))


def test_windows_follow_one_another():
    """Three windows of four steps are one window of twelve; boundary values may change from window to window."""
    mesh = square(8, "triangle", 1)
    whole = heated(mesh, 12)

    def of(window):
        return {
            name: {"solution": given("solution", item["solution"].values[:, 4 * window : 4 * window + 4], 1)} for name, item in whole.boundary.items()
        }

    settings = SchwarzSettings(parts=4, tolerance=1e-11)
    results = list(march(replace(whole, boundary=of(0)), HeatWindow(0.01, 4), 3, None, settings, boundary=of))
    truth = HeatWindow(0.01, 12).discrete(whole).solve().reshape(-1, 12)
    np.testing.assert_allclose(np.concatenate([item.u.reshape(-1, 4) for item in results], axis=1), truth, atol=1e-7)
    np.testing.assert_allclose(results[-1]["solution"], truth[:, -1], atol=1e-7)
