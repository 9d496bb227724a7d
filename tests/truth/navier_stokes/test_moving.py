"""Flow on meshes that move: uniform flow to rounding, vortices at second order on a mesh that shakes, Galileo's principle, the force."""

from collections import deque

import numpy as np
import pytest
from flow_meshes import cylinder_channel, rectangle, space

from geoop.errors import ConditionError, InvalidMeshError, PatchError
from geoop.mesh.generate.quadratic import quadratic
from geoop.solve.deformers.radial_basis import RadialBasis
from geoop.truth.exact.taylor_green import TaylorGreen
from geoop.truth.navier_stokes.forces import force, force_by_stress
from geoop.truth.navier_stokes.moving import MovingFlow
from geoop.truth.navier_stokes.problem import NO_SLIP, FlowProblem
from geoop.truth.navier_stokes.unsteady import UnsteadyFlow

SIDES = ("left", "right", "bottom", "top")


def shaken(mesh, size, rate=1.0, span=np.pi):
    """The mesh at a time: points inside move to and fro, those of the sides of the square 0..span stay."""
    x, y = (mesh.points * np.pi / span).T
    shape = np.stack([np.sin(x) * np.sin(2 * y), np.sin(2 * x) * np.sin(y)], axis=1)
    return lambda time: mesh.moved(mesh.points + size * np.sin(rate * time) * shape)


def test_a_uniform_flow_stays_uniform_on_any_moving_mesh():
    mesh = quadratic(rectangle(np.linspace(0, 1, 6), np.linspace(0, 1, 6)))
    stream = (1.0, -0.5)
    at = shaken(mesh, 0.06, 7.0, 1.0)
    for conditions in (
        {"velocity": dict.fromkeys(SIDES, stream)},
        {"velocity": {"left": stream, "top": stream, "bottom": stream}, "outlet": ("right",)},
    ):
        problem = FlowProblem(space(mesh), 0.01, **conditions)
        flow = MovingFlow(problem, at, 0.05, start=np.tile(stream, (problem.space.n, 1)))
        for _ in range(12):
            solution = flow.advance()
        assert np.abs(flow.mesh.points - mesh.points).max() > 0.03
        assert np.abs(flow.velocity - stream).max() < 1e-12 and np.abs(solution.pressure).max() < 1e-11


def vortices(n, step, size, *, control=False):
    """Taylor and Green's vortices after a time of 0.48 on a shaking mesh, and what they should be."""
    exact, t = TaylorGreen(0.05), np.linspace(0, np.pi, n + 1)
    mesh = quadratic(rectangle(t, t))
    at, problem = shaken(mesh, size, 8.0), FlowProblem(space(mesh), 0.05, {}, slip=SIDES)
    flow = MovingFlow(problem, at, step, start=exact.velocity(problem.space.places))
    while flow.time < 0.48 - 1e-9:
        if control:  # nodes that claim to have been there before: their motion is not subtracted
            places = space(at(flow.time + step)).places
            flow._past = deque([(u, places) for u, _ in flow._past], maxlen=2)
        flow.advance()
    return flow.velocity, exact.velocity(flow.problem.space.places, flow.time)


def test_vortices_on_a_shaking_mesh_in_time():
    """Second order against an eighth of the smallest step: places and velocities are differenced alike."""
    best, _ = vortices(6, 0.00375, 0.08)
    errors = [np.abs(vortices(6, step, 0.08)[0] - best).max() for step in (0.06, 0.03, 0.015)]
    assert np.log2(errors[0] / errors[2]) / 2 > 1.7, errors


def test_vortices_on_a_shaking_mesh_in_space():
    """Hardly worse than on a mesh at rest, while nodes whose motion is not subtracted drag the flow along."""
    off = [np.abs(np.subtract(*vortices(8, 0.03, size, control=control))).max() for size, control in ((0.0, False), (0.08, False), (0.08, True))]
    assert off[1] < 1.5 * off[0] < 0.02 and off[2] > 4 * off[1], off


def cylinder(velocity, speed, steps=12, moving=()):
    mesh = cylinder_channel(16, 0.1)
    sides = dict.fromkeys(("inlet", "walls"), velocity)
    body = NO_SLIP if not moving else velocity
    problem = FlowProblem(space(mesh), 1e-3, {**sides, "body": body}, outlet=("outlet",), reference_velocity=0.2, reference_length=0.1)
    start = np.tile(velocity, (problem.space.n, 1)).astype(float)
    flow = MovingFlow(problem, lambda time: mesh.moved(mesh.points + time * np.array(speed)), 0.02, moving=moving, start=start)
    for _ in range(steps):
        solution = flow.advance()
    return flow, solution


def test_a_cylinder_that_moves_through_fluid_at_rest_is_one_in_a_stream():
    """The whole mesh moves with the cylinder: Galileo's principle holds to rounding, for velocity, pressure and force."""
    fixed, there = cylinder((0.2, 0.0), (0.0, 0.0))
    moved, here = cylinder((0.0, 0.0), (-0.2, 0.0), moving=("body",))
    assert np.abs(moved.mesh.points - fixed.mesh.points).max() > 0.04
    assert np.abs(moved.velocity + [0.2, 0.0] - fixed.velocity).max() < 1e-10
    assert np.abs(here.pressure - there.pressure).max() < 1e-9
    a, b = force(there, "body"), force(here, "body")
    assert a.drag_coefficient > 1 and abs(a.drag_coefficient - b.drag_coefficient) < 1e-7


def test_without_motion_it_is_the_flow_on_a_fixed_mesh():
    """The other scheme for flows in time, on the same problem: within the error of the step, and so is the force."""
    flow, solution = cylinder((0.2, 0.0), (0.0, 0.0), steps=25)
    still = UnsteadyFlow(flow.problem, np.tile((0.2, 0.0), (flow.problem.space.n, 1)), step=0.02)
    for _ in range(25):
        other = still.advance()
    assert np.abs(flow.velocity - other.velocity).max() < 5e-3
    assert force(solution, "body").drag_coefficient == pytest.approx(force(other, "body").drag_coefficient, rel=5e-3)


def test_the_force_on_a_body_whose_mesh_is_squeezed():
    """A fixed cylinder in a mesh that breathes round it: residual and stress give one force, and the force is that on the mesh at rest."""
    still, reference = cylinder((0.2, 0.0), (0.0, 0.0), steps=20)
    mesh = cylinder_channel(16, 0.1)
    span = np.ptp(mesh.points, axis=0)
    low = mesh.points.min(axis=0)
    away = np.linalg.norm(mesh.points - [0.2, 0.2], axis=1)
    shape = np.prod(np.sin(np.pi * (mesh.points - low) / span), axis=1) * np.clip(away - 0.05, 0, 0.1)
    at = lambda time: mesh.moved(mesh.points + 0.15 * np.sin(9 * time) * np.stack([shape, shape], axis=1))  # noqa: E731
    flow = MovingFlow(still.problem, at, 0.02, start=np.tile((0.2, 0.0), (still.problem.space.n, 1)))
    for _ in range(20):
        solution = flow.advance()
    assert force(solution, "body").drag_coefficient == pytest.approx(force(reference, "body").drag_coefficient, rel=0.01)
    assert force_by_stress(solution, "body").drag_coefficient == pytest.approx(force(solution, "body").drag_coefficient, rel=0.15)


def test_bad_input():
    mesh = quadratic(rectangle(np.linspace(0, 1, 4), np.linspace(0, 1, 4)))
    problem = FlowProblem(space(mesh), 0.01, dict.fromkeys(SIDES, NO_SLIP))
    with pytest.raises(ConditionError, match="step"):
        MovingFlow(problem, lambda _: mesh, 0.0)
    with pytest.raises(ConditionError, match="start of shape"):
        MovingFlow(problem, lambda _: mesh, 0.1, start=np.zeros((3, 2)))
    with pytest.raises(PatchError):
        MovingFlow(problem, lambda _: mesh, 0.1, moving=("roof",))
    other = quadratic(rectangle(np.linspace(0, 1, 5), np.linspace(0, 1, 5)))
    with pytest.raises(InvalidMeshError, match="other cells"):
        MovingFlow(problem, lambda _: other, 0.1).advance()
    with pytest.raises(InvalidMeshError, match=r"at time 0\.1 s"):
        MovingFlow(problem, lambda time: mesh.moved(mesh.points * [1.0, float(time == 0)]), 0.1).advance()
    with pytest.raises(InvalidMeshError, match=r"at time 0\.1 s: \d+ cells are turned inside out"):
        MovingFlow(problem, lambda time: mesh.moved(mesh.points * [1.0, 1.0 if time == 0 else -1.0]), 0.1).advance()
    with pytest.raises(InvalidMeshError, match=r"at time 0 is not that of the problem: its points lie up to 0\.1 m off") as error:
        MovingFlow(problem, lambda time: mesh.moved(mesh.points + 0.1 * np.cos(time)), 0.1)
    assert "build the problem on mesh_at(0.0)" in error.value.remedy
    with pytest.raises(InvalidMeshError, match="not that of the problem: .* has other cells"):
        MovingFlow(problem, lambda _: other, 0.1)


def test_a_cylinder_that_moves_in_a_box_is_a_box_that_moves_round_a_cylinder():
    """Both meshes deform, and each is the other seen by a moving observer: Galileo's principle with a mesh velocity that is not uniform."""
    mesh, speed, walls = cylinder_channel(16, 0.1), np.array([0.4, 0.0]), ("inlet", "walls", "outlet")
    problem = FlowProblem(space(mesh), 1e-2, dict.fromkeys(("body", *walls), NO_SLIP))
    follow = RadialBasis()
    inside = MovingFlow(problem, lambda time: follow.deform(mesh, {"body": time * speed}).mesh, 0.03, moving=("body",))
    outside = MovingFlow(
        problem,
        lambda time: follow.deform(mesh, dict.fromkeys(walls, -time * speed)).mesh,
        0.03,
        moving=walls,
        start=np.tile(-speed, (problem.space.n, 1)),
    )
    for _ in range(8):
        here, there = inside.advance(), outside.advance()
    assert np.abs(inside.mesh.points - inside.time * speed - outside.mesh.points).max() < 1e-10
    assert np.abs(inside.mesh.points - mesh.points - inside.time * speed).max() > 0.05  # and not as a whole
    assert np.abs(inside.velocity - speed - outside.velocity).max() < 1e-8
    drag = [force(item, "body").drag_coefficient for item in (here, there)]
    assert drag[0] < -0.1 and drag[0] == pytest.approx(drag[1], rel=1e-6)
