"""Neo-Hookean solids: derivatives, homogeneous states, rigid motions, small loads, energy balance, failure."""

import numpy as np
import pytest

from geoop.errors import ConditionError, ConfigurationError, ConvergenceError
from geoop.fem.elastic_laws import LinearElastic, NeoHookean, von_mises
from geoop.fem.elasticity import Displacements
from geoop.mesh.generate.quadratic import quadratic
from geoop.truth.elasticity.hyperelastic import solve_hyperelastic
from geoop.truth.elasticity.linear import LinearElasticity
from geoop.truth.elasticity.loads import Loads

from .test_linear import cuboid, rectangle

PLANE, SOLID = NeoHookean(2.0, 0.3, "plane strain"), NeoHookean(2.0, 0.3, "solid")


def turn(angle, dimension):
    c, s = np.cos(angle), np.sin(angle)
    out = np.eye(dimension)
    out[:2, :2] = [[c, -s], [s, c]]
    if dimension == 3:
        out = out @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    return out


@pytest.mark.parametrize(
    "law",
    [PLANE, SOLID, LinearElastic(2.0, 0.3, "plane stress"), LinearElastic(2.0, 0.3, "solid")],
    ids=lambda law: f"{type(law).__name__}-{law.state}",
)
def test_stress_and_tangent_are_derivatives(law):
    d = law.dimension
    gradient = 0.3 * np.random.default_rng(2).normal(size=(5, d, d))
    step = 1e-6
    for i in range(d):
        for k in range(d):
            shift = np.zeros((d, d))
            shift[i, k] = step
            slope = (law.energy(gradient + shift) - law.energy(gradient - shift)) / (2 * step)
            assert np.abs(slope - law.stress(gradient)[:, i, k]).max() < 1e-8
            change = (law.stress(gradient + shift) - law.stress(gradient - shift)) / (2 * step)
            tangent = np.broadcast_to(law.tangent(gradient), (5, d, d, d, d))
            assert np.abs(change - tangent[:, :, :, i, k]).max() < 1e-7


@pytest.mark.parametrize("law", [PLANE, SOLID], ids=["plane", "solid"])
def test_a_turned_body_has_no_stress_and_turns_its_stress(law):
    d = law.dimension
    rotation = turn(1.1, d)
    assert np.abs(law.stress(rotation - np.eye(d))).max() < 1e-14 and abs(law.energy(rotation - np.eye(d))) < 1e-14
    deformation = np.eye(d) + 0.3 * np.random.default_rng(3).normal(size=(d, d))
    turned = np.eye(3)
    turned[:d, :d] = rotation
    before, after = law.cauchy(deformation - np.eye(d)), law.cauchy(rotation @ deformation - np.eye(d))
    assert np.allclose(after, turned @ before @ turned.T, atol=1e-13)
    assert von_mises(after) == pytest.approx(von_mises(before), rel=1e-12)
    assert law.energy(rotation @ deformation - np.eye(d)) == pytest.approx(law.energy(deformation - np.eye(d)), rel=1e-12)


def test_closed_forms_of_stress():
    """Simple shear: sigma_xy = mu g, sigma_xx - sigma_yy = mu g^2 (Rivlin's universal relation); dilation: sigma = mu (s - 1/s) / J + ..."""
    l, mu = SOLID.lame
    g = 0.7
    shear = np.zeros((3, 3))
    shear[0, 1] = g
    stress = SOLID.cauchy(shear)
    assert stress[0, 1] == pytest.approx(mu * g) and stress[0, 0] - stress[1, 1] == pytest.approx(g * stress[0, 1])
    s = 1.3
    stress = SOLID.cauchy((s - 1) * np.eye(3))
    assert np.allclose(stress, np.eye(3) * (mu * (s**2 - 1) + 3 * l * np.log(s)) / s**3)
    stress = PLANE.cauchy((s - 1) * np.eye(2))
    l, mu = PLANE.lame
    assert np.allclose(np.diag(stress), np.array([mu * (s**2 - 1) + 2 * l * np.log(s)] * 2 + [2 * l * np.log(s)]) / s**2)
    assert np.isinf(PLANE.energy(np.diag([-2.0, 0.0]))) and np.isnan(PLANE.stress(np.diag([-2.0, 0.0]))).all()


@pytest.mark.parametrize(("mesh", "law"), [(rectangle(n=2, m=2, distort=0.2), PLANE), (quadratic(cuboid(1)), SOLID)], ids=["triangles", "tetra10"])
def test_forces_are_the_slope_of_the_energy_and_the_matrix_that_of_the_forces(mesh, law):
    space = Displacements.of(mesh, 2)
    random = np.random.default_rng(4)
    here, way = 0.02 * random.normal(size=(2, space.space.n, law.dimension))

    def energy(u):
        return (law.energy(space.gradient(u)) * space.weights).sum()

    def force(u):
        return space.force(law.stress(space.gradient(u)))

    step = 1e-6
    assert (energy(here + step * way) - energy(here - step * way)) / (2 * step) == pytest.approx((force(here) * way).sum(), rel=1e-7)
    matrix = space.stiffness(law.tangent(space.gradient(here)))
    slope = (force(here + step * way) - force(here - step * way)) / (2 * step)
    assert np.abs(matrix @ way.ravel() - slope.ravel()).max() < 1e-6 * np.abs(slope).max()
    assert abs(matrix - matrix.T).max() < 1e-13 * abs(matrix).max()


def stretched(law, stretch):
    """Lateral stretch of a bar whose sides are free, by Newton on mu (s^2 - 1) + lambda ln J = 0."""
    l, mu = law.lame
    lateral = law.dimension - 1
    s = 1.0
    for _ in range(60):
        value = mu * (s**2 - 1) + l * (np.log(stretch) + lateral * np.log(s))
        s -= value / (2 * mu * s + lateral * l / s)
    return s


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize(("mesh", "law"), [(rectangle(n=3, m=2, distort=0.2), PLANE), (cuboid(2, distort=0.2), SOLID)], ids=["plane", "solid"])
def test_a_bar_pulled_to_twice_its_length(mesh, law, degree):
    d = law.dimension
    fixed = {"left": (0.0, None), "bottom": (None, 0.0), "right": (1.0, None)}
    if d == 3:
        fixed = {"x_min": (0.0, None, None), "y_min": (None, 0.0, None), "z_min": (None, None, 0.0), "x_max": (1.0, None, None)}
    solution, steps = solve_hyperelastic(mesh, law, Loads(fixed), degree=degree)
    s = stretched(law, 2.0)
    exact = solution.displacements.space.points * np.array([1.0] + [s - 1] * (d - 1))
    assert np.abs(solution.displacement - exact).max() < 1e-10
    l, mu = law.lame
    volume = 2.0 * s ** (d - 1)
    pull = (mu * (4 - 1) + l * np.log(volume)) / volume  # true stress along the bar
    assert np.allclose(solution.stress[:, 0, 0], pull, atol=1e-9)
    assert solution.reaction_of(next(reversed(fixed)))[0] == pytest.approx(pull * s ** (d - 1), rel=1e-9)
    assert steps[-1].share == 1.0 and solution.energy == pytest.approx(steps[-1].energy)


@pytest.mark.parametrize(
    ("mesh", "law", "hold", "pull"), [(rectangle(n=4, m=2), PLANE, "left", "right"), (cuboid(1), SOLID, "x_min", "x_max")], ids=["plane", "solid"]
)
def test_small_loads_are_linear(mesh, law, hold, pull):
    """The difference to linear elasticity falls with the square of the load."""
    d = law.dimension
    linear = LinearElasticity(mesh, LinearElastic(law.young, law.poisson, law.state))
    error = []
    for load in (1e-2, 1e-3, 1e-4):
        loads = Loads({hold: (0.0,) * d}, {pull: (load, load / 2, 0.0)[:d]})
        solution, _ = solve_hyperelastic(mesh, law, loads)
        error.append(np.abs(solution.displacement - linear.solve(loads).displacement).max())
    assert np.allclose(np.log10(np.array(error[:-1]) / error[1:]), 2.0, atol=0.1)


def test_energy_balance_over_load_steps():
    """The work of the load over a path is the strain energy: Simpson's rule on the converged states, of order 4 in the step."""
    mesh, loads = rectangle(n=8, m=2, size=(2.0, 0.5)), Loads({"left": (0.0, 0.0)}, {"right": (0.0, -0.03)})
    solution, _ = solve_hyperelastic(mesh, PLANE, loads)
    assert np.abs(solution.displacement).max() > 0.2  # large against a height of 0.5
    shares = np.linspace(0, 1, 9)
    moved = [0.0]
    for share in shares[1:]:
        part, _ = solve_hyperelastic(mesh, PLANE, Loads(loads.fixed, {"right": (0.0, -0.03 * share)}))
        moved.append(float((solution.force * part.displacement).sum()))
    weights = np.array([1, 4, 2, 4, 2, 4, 2, 4, 1]) / 3
    # work = int share d(moved) = moved(1) - int moved d(share)
    work = moved[-1] - (weights @ moved) / 8
    assert work == pytest.approx(solution.energy, rel=2e-4)
    assert np.allclose(solution.reaction_of("left"), [0.0, 0.03 * 0.5], atol=1e-9)


def test_a_large_rotation_of_the_ends_turns_the_body():
    """Both ends prescribed by a rotation of 60 degrees: the body follows without stress, in steps."""
    rotation = turn(np.pi / 3, 2)
    mesh = rectangle(n=3, m=3)
    move = lambda p: p @ (rotation - np.eye(2)).T  # noqa: E731
    solution, steps = solve_hyperelastic(mesh, PLANE, Loads({"left": move, "right": move}), first_step=0.5)
    assert len(steps) >= 2
    assert np.abs(solution.displacement - move(solution.displacements.space.points)).max() < 1e-9
    assert np.abs(solution.stress).max() < 1e-8 and solution.energy < 1e-14


def test_steps_are_halved_where_newton_fails_and_end_at_the_same_state():
    mesh = rectangle(n=4, m=4)
    loads = Loads({"bottom": (0.0, 0.0), "top": (2.0, -0.5)})
    whole, steps = solve_hyperelastic(mesh, PLANE, loads)
    fine, more = solve_hyperelastic(mesh, PLANE, loads, first_step=0.05)
    assert len(steps) > 1 and steps[0].share < 1.0 and len(more) > 2
    assert np.abs(whole.displacement - fine.displacement).max() < 1e-8


def test_bad_input():
    mesh = rectangle(n=2, m=2)
    with pytest.raises(ConvergenceError, match=r"no equilibrium was found beyond \d+\.\d% of the loads"):
        solve_hyperelastic(mesh, PLANE, Loads({"bottom": (0.0, 0.0), "top": (0.0, -1.2)}), smallest_step=1 / 32)
    with pytest.raises(ConditionError, match="rigid ways"):
        solve_hyperelastic(mesh, PLANE, Loads({"left": (0.0, None)}))
    with pytest.raises(ConfigurationError, match="steps 2.0"):
        solve_hyperelastic(mesh, PLANE, Loads({"left": (0.0, 0.0)}), first_step=2.0)
    with pytest.raises(ConfigurationError, match="state is 'plane stress'"):
        NeoHookean(1.0, 0.3, "plane stress")
    with pytest.raises(ConditionError, match="a law for solid"):
        solve_hyperelastic(mesh, SOLID, Loads({"left": (0.0, 0.0)}))
