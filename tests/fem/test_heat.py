"""Heat: closed forms on square and disk, orders in time, conditions that change with time, balance of heat."""

import numpy as np
import pytest
from fem_shapes import orders, square

from geoop.errors import ConfigurationError, FieldError
from geoop.fem.heat import Heat, HeatData
from geoop.fem.integrals import integral, l2_error
from geoop.fem.space import Space
from geoop.mesh.generate.disk import star
from geoop.truth.exact.heat import DiskMode, SquareMode

SIDES = ("left", "right", "bottom", "top")


def last(frames):
    *_, u = frames
    return u


@pytest.mark.parametrize(("scheme", "order"), [("implicit_euler", 1), ("crank_nicolson", 2)])
def test_order_in_time(scheme, order):
    mode = SquareMode(diffusivity=0.5)
    space, error = Space.of(square(16, "quad"), 2), []
    for n in (8, 16, 32, 64):
        heat = Heat(space, 0.1 / n, conductivity=0.5, dirichlet=SIDES, scheme=scheme)
        error.append(l2_error(space, last(heat.march(mode, n)), lambda p: mode(p, 0.1)))
    assert np.abs(orders(error)[-2:] - order).max() < 0.15


@pytest.mark.parametrize("m", [0, 2])
def test_bessel_modes_of_the_disk(m):
    mode = DiskMode(m, 1, diffusivity=0.2)
    space = Space.of(star(12, np.ones_like), 2)
    heat = Heat(space, 0.005, conductivity=0.2, dirichlet=("boundary",))
    u = last(heat.march(mode, 40))
    assert l2_error(space, u, lambda p: mode(p, 0.2)) < 2e-3 * l2_error(space, 0 * u, lambda p: mode(p, 0.2))


def test_conditions_that_change_with_time():
    """u = cos(3 t) (x + y^2): of order 2 with Dirichlet, Neumann and Robin conditions and a source that all change."""
    shape = lambda p: p[:, 0] + p[:, 1] ** 2  # noqa: E731

    def data(t):
        source = lambda p: -6.0 * np.sin(3 * t) * shape(p) - 2.0 * np.cos(3 * t)  # noqa: E731
        fixed = lambda p: np.cos(3 * t) * shape(p)  # noqa: E731
        ambient = lambda p: np.cos(3 * t) * (shape(p) + 2.0 * p[:, 1] / 5.0)  # noqa: E731 - du/dy + 5 (u - ambient) = 0 on top
        return HeatData(source, {"left": fixed}, {"right": np.cos(3 * t)}, {"top": ambient})

    space, error = Space.of(square(4, "mixed"), 2), []
    for n in (16, 32, 64):
        heat = Heat(space, 1.0 / n, capacity=2.0, dirichlet=("left",), robin={"top": 5.0})
        error.append(l2_error(space, last(heat.march(shape, n, data)), lambda p: np.cos(3.0) * shape(p)))
    assert orders(error)[-1] > 1.85 and error[-1] < 1e-3


def test_heat_is_kept_in_an_insulated_body():
    space = Space.of(square(6, seed=1), 2)
    frames = list(Heat(space, 0.01, capacity=3.0).march(lambda p: p[:, 0] ** 2, 20))
    assert len(frames) == 21
    assert np.allclose([integral(space, u) for u in frames], 1.0 / 3.0, atol=1e-12)
    heated = last(Heat(space, 0.01, capacity=3.0).march(0.0, 20, HeatData(neumann={"top": 6.0})))
    assert integral(space, heated) == pytest.approx(6.0 * 0.2 / 3.0, rel=1e-12)


def test_the_damped_start_does_not_ring():
    """A body at 1 put into 0: Crank-Nicolson alone would keep u near the boundary changing its sign."""
    space = Space.of(square(16, "quad"), 1)
    frames = list(Heat(space, 0.02, dirichlet=SIDES).march(1.0, 8))
    assert min(u.min() for u in frames[2:]) > -1e-3 and all(b.max() < a.max() for a, b in zip(frames[1:], frames[2:], strict=False))


def test_the_steady_state_is_the_diffusion_problem():
    heat = Heat(square(6), 1.0, dirichlet=("left", "right"), scheme="implicit_euler")
    data = HeatData(1.0, {"left": 2.0})
    u = last(heat.march(0.0, 30, data))
    assert np.allclose(u, heat.steady.solve(1.0, dirichlet={"left": 2.0}), atol=1e-10)


def test_columns():
    space = Space.of(square(4), 1)
    start, side = np.random.default_rng(0).random((25, 2)), np.random.default_rng(1).random((5, 2))
    heat = Heat(space, 0.05, dirichlet=("left",))
    together = last(heat.march(start, 5, HeatData(dirichlet={"left": side})))
    for k in range(2):
        assert np.allclose(together[:, k], last(heat.march(start[:, k], 5, HeatData(dirichlet={"left": side[:, k]}))), atol=1e-13)


def test_data_that_change_with_time_keep_order_two():
    """u = sin(3 t + x) exp(y) + x t^2, boundary values and flux from it, against small steps on the same elements."""
    exact = lambda p, t: np.sin(3 * t + p[:, 0]) * np.exp(p[:, 1]) + p[:, 0] * t**2  # noqa: E731
    held = ("left", "top", "bottom")

    def data(t):
        return HeatData(
            source=lambda p: 3 * np.cos(3 * t + p[:, 0]) * np.exp(p[:, 1]) + 2 * p[:, 0] * t,
            dirichlet=dict.fromkeys(held, lambda p: exact(p, t)),
            neumann={"right": lambda p: np.cos(3 * t + p[:, 0]) * np.exp(p[:, 1]) + t**2},
        )

    at_end = {n: last(Heat(square(4, seed=2), 1.0 / n, dirichlet=held).march(lambda p: exact(p, 0.0), n, data)) for n in (8, 16, 32, 256)}
    error = [np.abs(at_end[n] - at_end[256]).max() for n in (8, 16, 32)]
    assert (orders(error) > 1.9).all() and error[-1] < 1e-3


def test_bad_input():
    for capacity in (0.0, -1.0, lambda p: p[:, 0] - 0.5):
        with pytest.raises(FieldError, match="capacity is"):
            Heat(square(2), 1.0, capacity=capacity)
    with pytest.raises(ConfigurationError, match="step -1"):
        Heat(square(2), -1.0)
    with pytest.raises(ConfigurationError, match="'top' is no Dirichlet patch"):
        last(Heat(square(2), 1.0).march(0.0, 1, HeatData(dirichlet={"top": 1.0})))
