"""Finite volumes: order two where it is smooth, no overshoot where it is not, conservation."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.truth.exact.advection_diffusion import rotating_hill, spreading_step, travelling_gaussian
from geoop.truth.transport.box_grid import BoxGrid
from geoop.truth.transport.finite_volume import ScalarTransport


def _rotation(points):
    return 2 * np.pi * np.stack([-points[:, 1], points[:, 0]], axis=1)


def _zero(points, time):
    return np.zeros(len(points))


def test_order_two_on_the_line_and_conservation():
    errors = []
    for n in (100, 200, 400):
        grid = BoxGrid((n,), (0,), (1,))
        hill = {"velocity": [1.0], "diffusivity": 1e-4, "width": 0.08, "center": [0.3], "period": 1.0}
        start, end = (travelling_gaussian(grid.centers, t, **hill) for t in (0.0, 1.0))
        found = ScalarTransport(grid, np.ones_like, 1e-4).solve(start, [1.0])[0]
        assert found.sum() == pytest.approx(start.sum(), rel=1e-12)
        errors.append(np.abs(found - end).mean())
    assert (np.log2(np.array(errors[:-1]) / errors[1:]) > 1.8).all() and errors[-1] < 4e-4


def _hill(points, time):
    return rotating_hill(points, time, rate=2 * np.pi, diffusivity=1e-3, width=0.15, start=[0.4, 0.0])


@pytest.mark.slow
def test_rotating_hill_order():
    errors = []
    for n in (48, 96, 192):
        grid = BoxGrid((n, n), (-1, -1), (1, 1))
        start, end = (_hill(grid.centers.reshape(-1, 2), t).reshape(n, n) for t in (0.0, 0.5))
        errors.append(np.abs(ScalarTransport(grid, _rotation, 1e-3, _hill).solve(start, [0.5])[0] - end).mean())
    assert (np.log2(np.array(errors[:-1]) / errors[1:]) > 1.75).all()


def test_pure_diffusion_with_given_ends_tends_to_the_line_between_them():
    grid = BoxGrid((12,), (0,), (1,))
    found = ScalarTransport(grid, np.zeros_like, 1.0, lambda points, time: 2.0 - points[:, 0]).solve(np.zeros(12), [3.0])[0]
    np.testing.assert_allclose(found, 2.0 - grid.centers[:, 0], atol=1e-11)


@pytest.mark.parametrize("diffusivity", [0.0, 1e-4])
def test_a_step_never_overshoots(diffusivity):
    """And converges as schemes of order 2 do at a jump, like h^(2/3) in the mean at least."""
    errors = []
    for n in (50, 100, 200, 400):
        grid = BoxGrid((n,), (0,), (1,))
        solver = ScalarTransport(grid, np.ones_like, diffusivity, lambda points, time: (points[:, 0] < 0.5).astype(float))
        start = spreading_step(grid.centers[:, 0], 0.0, velocity=1.0, diffusivity=0.0, start=0.2)
        found = solver.solve(start, [0.05, 0.5, 0.9])
        assert found.min() >= -1e-13 and found.max() <= 1.0 + 1e-13
        errors.append(np.abs(found[1] - spreading_step(grid.centers[:, 0], 0.5, velocity=1.0, diffusivity=diffusivity, start=0.2)).mean())
    assert np.log2(errors[0] / errors[-1]) / 3 > 0.66


def test_a_notched_cylinder_never_overshoots_and_keeps_its_mass():
    """Zalesak's: values stay between 0 and 1 in a rotation, whose flow through every cell sums to zero."""
    grid = BoxGrid((48, 48), (-1, -1), (1, 1))
    x, y = np.moveaxis(grid.centers, -1, 0)
    start = ((np.hypot(x, y - 0.5) < 0.3) & ~((np.abs(x) < 0.06) & (y < 0.65))).astype(float)
    solver = ScalarTransport(grid, _rotation, 0.0, _zero)
    found = solver.solve(start, [0.1, 0.25])
    assert solver.divergence < 1e-12 and found.min() >= -1e-13 and found.max() <= 1.0 + 1e-13
    assert found[-1].sum() == pytest.approx(start.sum(), rel=1e-6)  # what leaves are the tails in the corners


def test_a_quarter_turn_of_the_grid_turns_the_result():
    grid = BoxGrid((30, 30), (-1, -1), (1, 1))
    start = np.random.default_rng(0).random((30, 30))
    solver = ScalarTransport(grid, _rotation, 1e-3, _zero)
    np.testing.assert_allclose(solver.solve(np.rot90(start).copy(), [0.05])[0], np.rot90(solver.solve(start, [0.05])[0]), atol=1e-13)


def test_bad_input():
    with pytest.raises(ConfigurationError, match="are no grid"):
        BoxGrid((2, 5), (0, 0), (1, 1))
    grid = BoxGrid((5,), (0,), (1,))
    with pytest.raises(ConfigurationError, match="diffusivity -1"):
        ScalarTransport(grid, np.ones_like, -1.0)
    with pytest.raises(ConfigurationError, match=r"start \(4,\)"):
        ScalarTransport(grid, np.ones_like, 0.0).solve(np.zeros(4), [1.0])
    for times in (1.0, [np.nan], [], [2.0, 1.0]):
        with pytest.raises(ConfigurationError, match="times"):
            ScalarTransport(grid, np.ones_like, 0.0).solve(np.zeros(5), times)
