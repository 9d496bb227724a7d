"""Transport on moving meshes: constants and linear functions stay exact on any motion, both orders are two, a moving frame is a moving frame."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError, FieldError, InvalidMeshError, PatchError
from geoop.fem.integrals import l2_error
from geoop.fem.space import Space
from geoop.mesh.generate.disk import disk
from geoop.truth.exact.advection_diffusion import rotating_hill, travelling_gaussian
from geoop.truth.exact.burgers import travelling_front
from geoop.truth.transport.moving import MovingTransport
from geoop.truth.transport.streamline_upwind import StreamlineUpwind

from ...solve.meshes_in_motion import cube
from .test_streamline_upwind import _square


def _swirled(mesh):
    """The mesh, its points inside stirred in time; the boundary of the unit square stays."""

    def at(time):
        x, y = mesh.points.T
        bump = 0.04 * np.sin(np.pi * x) ** 2 * np.sin(np.pi * y) ** 2
        return mesh.moved(mesh.points + np.stack([bump * np.sin(9 * time), bump * (1 - np.cos(7 * time))], axis=1))

    return at


def _still(points, time, values):
    return np.zeros_like(points)


def test_constants_stay_and_linear_functions_are_carried_exactly_on_a_mesh_that_is_stirred():
    at, velocity = _swirled(_square(8)), np.array([0.7, -0.4])
    exact = lambda p, t: 3.0 + 2.0 * (p[:, 0] - 0.7 * t) - (p[:, 1] + 0.4 * t)  # noqa: E731
    solver = MovingTransport(at, lambda p, t, c: np.tile(velocity, (len(p), 1)), 1e-3, lambda p: exact(p, 0), step=0.03, dirichlet={"side": exact})
    for _ in range(20):
        values = solver.advance()
    assert np.abs(solver.mesh.points - at(0.0).points).max() > 0.01
    np.testing.assert_allclose(values, exact(solver.mesh.points, solver.time), atol=1e-12)
    assert solver.time == pytest.approx(0.6)
    level = MovingTransport(at, lambda p, t, c: np.zeros_like(p), 1e-3, lambda p: np.full(len(p), 5.0), step=0.03, dirichlet={})
    for _ in range(20):
        values = level.advance()
    np.testing.assert_allclose(values, 5.0, atol=1e-12)  # no patch says 5: nothing flows through them


def test_linear_functions_are_carried_exactly_in_space():
    box = cube(3, "tetra")
    at = lambda t: box.moved(box.points + 0.1 * np.sin(5 * t) * np.prod(np.sin(np.pi * box.points), axis=1)[:, None])  # noqa: E731
    exact = lambda p, t: 1.0 + p @ np.array([1.0, -2.0, 0.5]) - 0.5 * t  # noqa: E731
    carried = lambda p, t, c: np.tile([0.5, 0.0, 0.0], (len(p), 1))  # noqa: E731
    solver = MovingTransport(at, carried, 0.01, lambda p: exact(p, 0), step=0.1, dirichlet=dict.fromkeys(box.patches, exact))
    for _ in range(5):
        values = solver.advance()
    np.testing.assert_allclose(values, exact(solver.mesh.points, solver.time), atol=1e-12)


def test_on_a_mesh_that_goes_with_the_fluid_there_is_diffusion_alone():
    mesh, velocity = _square(24), np.array([2.0, 1.0])
    at = lambda t: mesh.moved(mesh.points + velocity * t)  # noqa: E731
    hill = lambda p, t, v: travelling_gaussian(p, t, velocity=v, diffusivity=0.01, width=0.1, center=np.array([0.5, 0.5]))  # noqa: E731
    moving = MovingTransport(at, lambda p, t, c: np.tile(velocity, (len(p), 1)), 0.01, lambda p: hill(p, 0, velocity), step=0.02, dirichlet={})
    resting = MovingTransport(mesh, _still, 0.01, lambda p: hill(p, 0, 0 * velocity), step=0.02, dirichlet={})
    for _ in range(10):
        np.testing.assert_allclose(moving.advance(), resting.advance(), atol=1e-12)
    assert moving.mesh.points.min() > 0.1


def test_order_two_in_space_and_time_on_a_stirred_mesh():
    exact = lambda p, t: rotating_hill(p, t, rate=1.0, diffusivity=0.01, width=0.15, start=np.array([0.5, 0.7]), pivot=(0.5, 0.5))  # noqa: E731
    carried = lambda p, t, c: np.stack([0.5 - p[:, 1], p[:, 0] - 0.5], axis=1)  # noqa: E731
    errors = []
    for n in (10, 20, 40):
        solver = MovingTransport(_swirled(_square(n)), carried, 0.01, lambda p: exact(p, 0), step=0.5 / n, dirichlet={"side": exact})
        for _ in range(n):
            solver.advance()
        errors.append(l2_error(Space.of(solver.mesh, 1, order=6), solver.values, lambda p: exact(p, 0.5)))
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert orders[-1] > 1.8, (errors, orders)


def test_a_front_of_burgers_goes_at_its_speed_with_order_two():
    exact = lambda p, t: travelling_front(p, t + 0.6, 0.05)[:, 0]  # noqa: E731
    errors = []
    for n in (12, 24, 48):
        solver = MovingTransport(
            _swirled(_square(n)), lambda p, t, c: np.stack([c, c], axis=1), 0.05, lambda p: exact(p, 0), step=0.6 / n, dirichlet={"side": exact}
        )
        for _ in range(n):
            solver.advance()
        errors.append(l2_error(Space.of(solver.mesh, 1, order=6), solver.values, lambda p: exact(p, 0.6)))
    assert np.log2(errors[-2] / errors[-1]) > 1.8, errors


def test_without_motion_it_agrees_with_the_solver_for_meshes_that_stay():
    mesh, source = _square(20), lambda p: np.sin(3 * p[:, 0])
    flow = lambda p: np.stack([1 + p[:, 1], -p[:, 0]], axis=1)  # noqa: E731
    start = lambda p: np.sin(np.pi * p[:, 0]) * np.sin(np.pi * p[:, 1])  # noqa: E731
    still = StreamlineUpwind(mesh, flow, 0.05, dirichlet=("side",))
    expected = still.march(start, [0.4], lambda p, t: np.zeros(len(p)), step=1e-3, source=source)[-1]
    gaps = []
    for steps in (40, 80):
        solver = MovingTransport(
            mesh,
            lambda p, t, c: flow(p),
            0.05,
            start,
            step=0.4 / steps,
            dirichlet={"side": lambda p, t: np.zeros(len(p))},
            source=lambda p, t: source(p),
        )
        for _ in range(steps):
            solver.advance()
        gaps.append(np.abs(solver.values - expected).max())
    assert gaps[1] < 1e-3 and np.log2(gaps[0] / gaps[1]) > 1.7, gaps


def test_what_cannot_be_carried_is_named():
    mesh = _square(4)
    make = lambda at=mesh, step=0.1, d=1.0, start=lambda p: p[:, 0], on="side": MovingTransport(  # noqa: E731
        at, _still, d, start, step=step, dirichlet={on: lambda p, t: p[:, 0]}
    )
    with pytest.raises(ConfigurationError, match="step is 0"):
        make(step=0.0)
    for diffusivity in (0.0, -1.0, np.nan):
        with pytest.raises(ConfigurationError, match="diffusivity"):
            make(d=diffusivity)
    with pytest.raises(PatchError, match="wall"):
        make(on="wall")
    with pytest.raises(FieldError, match="not finite"):
        make(start=lambda p: np.full(len(p), np.nan))
    with pytest.raises(InvalidMeshError, match="other cells"):
        make(at=lambda t: mesh if t == 0 else disk(3)).advance()
    with pytest.raises(InvalidMeshError, match=r"at time 0\.1 s"):
        make(at=lambda t: mesh if t == 0 else mesh.moved(np.zeros_like(mesh.points))).advance()
    over = mesh.points.copy()
    over[np.argmin(np.abs(over - 0.5).sum(axis=1))] = [0.95, 0.6]  # through its neighbours: every cell keeps an area
    for points in (over, mesh.points * [-1.0, 1.0]):
        with pytest.raises(InvalidMeshError, match=r"at time 0\.1 s: \d+ cells are turned inside out"):
            make(at=lambda t, points=points: mesh if t == 0 else mesh.moved(points)).advance()
    mirrored = mesh.moved(mesh.points * [-1.0, 1.0])
    make(at=lambda t: mirrored.moved(mirrored.points + t)).advance()  # clockwise from the start: sound
    box = cube(2, "hexahedron")
    still = lambda p, t, c: np.zeros_like(p)  # noqa: E731
    with pytest.raises(InvalidMeshError, match="8 cells are turned inside out"):
        MovingTransport(lambda t: box if t == 0 else box.moved(-box.points), still, 1.0, lambda p: p[:, 0], step=0.1, dirichlet={}).advance()
