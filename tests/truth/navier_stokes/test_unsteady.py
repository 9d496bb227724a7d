"""Unsteady Navier-Stokes against decaying vortices, against itself at smaller steps, and against the steady solver."""

import numpy as np
import pytest
from flow_meshes import cylinder_channel, rectangle, space

from geoop.errors import ConditionError, ConvergenceError
from geoop.mesh.generate.quadratic import quadratic
from geoop.truth.exact.poiseuille import Poiseuille
from geoop.truth.exact.taylor_green import TaylorGreen
from geoop.truth.navier_stokes.forces import force
from geoop.truth.navier_stokes.problem import NO_SLIP, FlowProblem
from geoop.truth.navier_stokes.steady import solve_steady
from geoop.truth.navier_stokes.unsteady import UnsteadyFlow

SIDES = ("left", "right", "bottom", "top")


def box(n, viscosity=0.05):
    t = np.linspace(0, np.pi, n + 1)
    return FlowProblem(space(quadratic(rectangle(t, t))), viscosity, {}, slip=SIDES)


def advanced(flow, steps):
    """The flow after that many steps."""
    for _ in range(steps):
        solution = flow.advance()
    return solution


def l2(elements, values):
    """L2 norm of nodal values (n, 2)."""
    return np.sqrt(sum(values[:, k] @ (elements.mass @ values[:, k]) for k in (0, 1)))


def test_taylor_green_orders_in_space():
    """Velocity 3 (here 3.4, the grid is symmetric) and pressure 2 in L2, at a step that adds nothing."""
    exact, errors = TaylorGreen(0.05), []
    for n in (4, 8, 16):
        problem = box(n)
        elements, flow = problem.space, UnsteadyFlow(problem, exact.velocity(problem.space.places), step=0.01)
        while flow.time < 0.4 - 1e-9:
            solution = flow.advance()
        x = np.stack([np.asarray(c) for c in elements.velocity_basis.global_coordinates()], axis=-1)
        gap = elements.at_quadrature(solution.velocity)[0] - exact.velocity(x.reshape(-1, 2), flow.time).reshape(x.shape)
        p = solution.pressure[elements.corners] @ elements.pressure_shape.T - exact.pressure(x.reshape(-1, 2), flow.time).reshape(x.shape[:2])
        p -= (elements.dx * p).sum() / elements.dx.sum()
        errors.append((np.sqrt((elements.dx * (gap**2).sum(axis=-1)).sum()), np.sqrt((elements.dx * p**2).sum())))
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert (orders[:, 0] > 2.9).all() and (orders[:, 1] > 1.9).all()


def test_order_in_time():
    """Vortices of several sizes that carry each other about: order 2 against a sixteenth of the step; drops of the first Euler step too."""
    problem = box(8, 0.02)
    elements = problem.space
    start = TaylorGreen(wave_number=1.0).velocity(elements.places) + TaylorGreen(wave_number=2.0, amplitude=0.7).velocity(elements.places)
    ends = []
    for step in (0.04, 0.02, 0.01, 0.00125):
        flow = UnsteadyFlow(problem, start, step=step)
        for _ in range(round(0.8 / step)):
            solution = flow.advance()
        assert flow.factorisations == 2  # one for the first step, one for all others
        ends.append(solution.velocity)
    errors = [l2(elements, end - ends[-1]) for end in ends[:-1]]
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert (orders > 1.8).all() and (orders < 2.3).all()


def test_change_of_step_keeps_the_order():
    """Two thirds of the step from half-way on: the error is that of the longer step at most, and still falls with order 2."""
    exact = TaylorGreen(0.5)
    problem = box(12, 0.5)
    reference, errors = None, []
    for step in (0.00125, 0.04, 0.02):
        flow = UnsteadyFlow(problem, exact.velocity(problem.space.places), step=step)
        for _ in range(round(0.4 / step)):
            solution = flow.advance()
        if reference is not None:
            flow.set_step(step * 2 / 3)
        for _ in range(round(0.4 / flow.step)):
            solution = flow.advance()
        assert flow.time == pytest.approx(0.8)
        if reference is None:
            reference = solution.velocity
        else:
            errors.append(l2(problem.space, solution.velocity - reference))
    assert np.log2(errors[0] / errors[1]) > 1.7


def test_energy_of_a_closed_box_falls():
    """No inflow, no force: the kinetic energy decays as F^2, without and with a chosen step."""
    exact, problem = TaylorGreen(0.05), box(8)
    flow = UnsteadyFlow(problem, exact.velocity(problem.space.places))
    energy = [l2(problem.space, flow.velocity) ** 2]
    while flow.time < 1.0:
        energy.append(l2(problem.space, flow.advance().velocity) ** 2)
    assert (np.diff(energy) < 0).all()
    assert energy[-1] / energy[0] == pytest.approx(exact.decay(flow.time) ** 2, rel=2e-3)


def test_ends_in_the_steady_solution():
    problem = FlowProblem(
        space(cylinder_channel(24, 0.08)),
        1e-3,
        {"inlet": Poiseuille(0.1, 0.41).velocity, "walls": NO_SLIP, "body": NO_SLIP},
        ("outlet",),
        reference_velocity=0.1,
        reference_length=0.1,
    )
    steady, flow = solve_steady(problem), UnsteadyFlow(problem)
    while flow.time < 40.0:
        solution = flow.advance()
    assert np.abs(solution.velocity - steady.velocity).max() < 1e-4 * 0.15
    assert force(solution, "body").drag_coefficient == pytest.approx(force(steady, "body").drag_coefficient, rel=1e-5)
    stays = UnsteadyFlow(problem, steady)
    for _ in range(20):
        solution = stays.advance()
    assert np.abs(solution.velocity - steady.velocity).max() < 1e-9


def test_oscillating_inflow_follows_the_clock():
    """A plug flow u(t) between frictionless walls: uniform, with the pressure gradient -du/dt."""
    elements = space(rectangle(np.linspace(0, 2, 5), np.linspace(0, 1, 4)))
    problem = FlowProblem(elements, 0.1, {"left": lambda x, t: np.tile([1 + np.sin(t), 0.0], (len(x), 1))}, ("right",), ("top", "bottom"))
    flow = UnsteadyFlow(problem, np.tile([1.0, 0.0], (elements.n, 1)), step=0.01)
    for _ in range(100):
        solution = flow.advance()
    assert np.allclose(solution.velocity, [1 + np.sin(1.0), 0.0], atol=1e-10)
    slope = solution.at(np.array([[0.0, 0.5]]))[1][0] / 2
    assert slope == pytest.approx(np.cos(1.0), abs=1e-4)


def test_pressure_of_an_enclosed_flow_has_zero_mean():
    problem = box(4)
    solution = advanced(UnsteadyFlow(problem, TaylorGreen().velocity(problem.space.places), step=0.05), 3)
    areas = problem.space.pressure_areas
    assert abs(areas @ solution.pressure) < 1e-12 * areas.sum() < areas @ np.abs(solution.pressure)


def test_a_flow_that_speeds_up_is_not_called_unstable():
    """A plug flow from rest to 500 m/s, its scale stated: bounds grow with the velocities that are given."""
    elements = space(rectangle(np.linspace(0, 2, 5), np.linspace(0, 1, 4)))
    for scale in (1.0, 1e-4, 500.0):
        given = {"left": lambda x, t: np.tile([500.0 * t, 0.0], (len(x), 1))}
        problem = FlowProblem(elements, 0.1, given, ("right",), ("top", "bottom"), reference_velocity=scale)
        solution = advanced(UnsteadyFlow(problem, np.zeros((elements.n, 2)), step=0.25), 4)
        assert np.allclose(solution.velocity, [500.0, 0.0], rtol=1e-9, atol=1e-6)


def test_bad_input():
    problem = box(4)
    for step in (0.0, -1.0, np.nan):
        with pytest.raises(ConditionError, match="step is"):
            UnsteadyFlow(problem, TaylorGreen().velocity(problem.space.places)).set_step(step)
    with pytest.raises(ConditionError, match="step is -1"):
        UnsteadyFlow(problem, step=-1.0)
    with pytest.raises(ConditionError, match="start of shape"):
        UnsteadyFlow(problem, np.zeros((3, 2)))
    with pytest.raises(ConditionError, match="at rest"):
        UnsteadyFlow(problem, np.zeros((problem.space.n, 2))).advance()
    exact = TaylorGreen(1e-6)
    problem = box(8, 1e-6)
    start = exact.velocity(problem.space.places) + TaylorGreen(wave_number=2.0).velocity(problem.space.places)
    flow = UnsteadyFlow(problem, start, step=1.0)
    with pytest.raises(ConvergenceError, match="step of 1 s is too long"):
        advanced(flow, 200)
