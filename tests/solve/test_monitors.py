"""Monitors: what strength means, invariance, exact cases, and what is refused."""

import numpy as np
import pytest
from fem_shapes import cube, square

from geoop.errors import ConfigurationError, FieldError
from geoop.interfaces.moving import DifferentiableMonitor, Monitor
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.quantity import Field, Quantity
from geoop.solve.monitors import (
    FunctionMonitor,
    arc_length_monitor,
    error_monitor,
    gradient_monitor,
    hessian_monitor,
    sound_densities,
    wall_monitor,
)

OF_FIELD = [hessian_monitor, gradient_monitor, arc_length_monitor]
OF_VALUES = [*OF_FIELD, error_monitor]


def wave(points):
    """Between 0.2 and 2, curved everywhere."""
    return 1.1 + 0.9 * np.sin(5.0 * points[:, 0]) * np.cos(4.0 * points[:, 1])


@pytest.mark.parametrize("make", OF_FIELD)
def test_unit_level_and_sign_of_a_field_and_the_size_of_the_region_do_not_count(make):
    mesh = square(12, seed=1)
    plain = make(mesh, wave(mesh.points)).values
    for factor, level, size in ((1e-6, 0.0, 1.0), (-4e5, 1e6, 1.0), (1.0, 0.0, 1e-4), (1.0, -3.0, 1e5)):
        moved = mesh.moved(mesh.points * size + 7.0 * size)
        np.testing.assert_allclose(make(moved, factor * wave(mesh.points) + level).values, plain, rtol=1e-6)


@pytest.mark.parametrize("make", OF_VALUES)
@pytest.mark.parametrize("strength", [0.0, 0.5, 5.0, 20.0])
def test_strength_is_the_ratio_of_the_largest_density_to_that_where_nothing_is_wanted(make, strength):
    mesh = square(24)
    bump = np.exp(-(((mesh.points - 0.5) / 0.1) ** 2).sum(axis=1))
    values = make(mesh, bump, strength=strength).values
    assert values.max() == pytest.approx(1.0 + strength)
    assert values.min() == pytest.approx(1.0, abs=1e-2 * max(strength, 1e-9))


@pytest.mark.parametrize("make", OF_VALUES)
@pytest.mark.parametrize("level", [0.0, 3.0, 1e9, 1e-300])
def test_a_constant_field_asks_for_nothing(make, level):
    mesh = square(9, seed=2)
    values = make(mesh, np.full(len(mesh.points), level)).values
    if make is error_monitor and level > 0.0:  # an error that is the same everywhere wants an even density, which need not be 1
        np.testing.assert_allclose(values, values[0], rtol=1e-12)
    else:
        np.testing.assert_array_equal(values, 1.0)


def test_a_linear_field_needs_no_points_for_its_curvature():
    mesh = square(9, seed=2)
    linear = 1e3 + mesh.points @ [3.0, -7.0]
    np.testing.assert_array_equal(hessian_monitor(mesh, linear).values, 1.0)
    np.testing.assert_allclose(gradient_monitor(mesh, linear).values, 6.0)


@pytest.mark.parametrize("mesh", [square(16, seed=3), cube(8)], ids=["square", "cube"])
def test_the_hessian_monitor_is_that_of_the_exact_hessian(mesh):
    """u = x^3: |H| = 6 x."""
    values = hessian_monitor(mesh, mesh.points[:, 0] ** 3, smoothing=0.0).values
    inner = (np.abs(mesh.points - 0.5) < 0.3).all(axis=1)
    slope = (values[inner] - 1.0) / mesh.points[inner, 0]
    assert slope.mean() == pytest.approx(5.0, rel=0.15)  # the largest |H| is found at the boundary, from one side
    assert slope.std() < 0.03 * slope.mean()


def test_components_of_a_vector_count_together():
    mesh = square(12)
    u, v = wave(mesh.points), np.sin(7.0 * mesh.points[:, 1])
    both = hessian_monitor(mesh, np.stack([u, v], axis=1), smoothing=0.0).values
    turned = hessian_monitor(mesh, np.stack([0.6 * u - 0.8 * v, 0.8 * u + 0.6 * v], axis=1), smoothing=0.0).values
    np.testing.assert_allclose(both, turned, rtol=1e-10)
    field = Field(Quantity("velocity", "u", "m/s", 1), np.stack([u, v], axis=1))
    np.testing.assert_array_equal(hessian_monitor(mesh, field, smoothing=0.0).values, both)


def test_smoothing_keeps_the_range_lowers_ratios_of_neighbours_and_the_cap_holds():
    mesh = square(20)
    spike = np.zeros(len(mesh.points))
    spike[210] = 1.0
    rough, soft = (error_monitor(mesh, spike, smoothing=s).values for s in (0.0, 2.0))
    assert (soft >= 1.0).all()
    rows = mesh.cells.block("triangle")
    ratio = lambda v: (v[rows].max(axis=1) / v[rows].min(axis=1)).max()  # noqa: E731
    assert ratio(soft) < 0.6 * ratio(rough)
    assert error_monitor(mesh, spike, strength=1e4, cap=30.0).values.max() == 30.0


def test_densities_are_known_between_points_and_their_slopes_too():
    mesh = square(10, seed=4)
    monitor = gradient_monitor(mesh, wave(mesh.points))
    assert isinstance(monitor, DifferentiableMonitor)
    points = np.random.default_rng(0).uniform(size=(300, 2))
    values, slope = monitor.with_gradient(points)
    np.testing.assert_array_equal(values, monitor.at(points))
    step = 1e-7 * np.array([0.6, 0.8])
    rate = (monitor.at(points + step) - monitor.at(points - step)) / 2e-7
    assert np.isclose(rate, slope @ [0.6, 0.8], atol=1e-5).mean() > 0.98  # but where the step crosses a side
    np.testing.assert_allclose(monitor.at(mesh.points), monitor.values, rtol=1e-12)
    assert np.isfinite(monitor.at(np.array([[-0.5, 0.5], [3.0, 9.0]]))).all()


def test_walls_draw_points_by_their_distance():
    mesh = square(10)
    values = wall_monitor(mesh, ("left",), width=0.2, strength=4.0).values
    np.testing.assert_allclose(values, 1.0 + 4.0 * np.exp(-mesh.points[:, 0] / 0.2), rtol=1e-12)
    scaled = wall_monitor(mesh.moved(mesh.points * 1e3), ("left",)).values
    np.testing.assert_allclose(scaled, wall_monitor(mesh, ("left",)).values, rtol=1e-9)


@pytest.mark.parametrize("make", OF_VALUES)
def test_bad_fields_and_settings_are_named_all_at_once(make):
    mesh = square(3)
    values = np.ones(len(mesh.points))
    values[[2, 5]] = np.nan, np.inf
    with pytest.raises(FieldError, match=rf"(?s){make.__name__}: 2 of 16 values are NaN or infinite.*remedy"):
        make(mesh, values)
    with pytest.raises(FieldError, match=r"shape \(3,\) for 16 points; 1 of 3 values are NaN"):
        make(mesh, np.array([0.0, np.nan, 1.0]))
    with pytest.raises(ConfigurationError, match=r"strength is -1.0; cap is 0.5; smoothing is -2"):
        make(mesh, np.ones(16), strength=-1.0, cap=0.5, smoothing=-2.0)
    with pytest.raises(FieldError, match="lives at cells"):
        make(mesh, Field(Quantity("temperature", "T", "K"), np.ones(18), "cell"))


def test_errors_are_magnitudes():
    mesh = square(3)
    with pytest.raises(FieldError, match="1 of 16 values are negative"):
        error_monitor(mesh, np.concatenate([[-1.0], np.ones(15)]))


def test_answers_of_a_users_function_are_looked_at():
    points = np.zeros((4, 2))
    bad = FunctionMonitor(lambda p: np.array([1.0, np.nan, 0.0, -2.0]), name="mine")
    assert isinstance(bad, Monitor)
    assert not isinstance(bad, DifferentiableMonitor)
    with pytest.raises(FieldError, match=r"(?s)mine: 1 of 4 values are NaN or infinite; 2 of 4 values are zero or negative.*remedy"):
        sound_densities(bad, points)
    np.testing.assert_array_equal(sound_densities(FunctionMonitor(lambda p: 2.0 + p[:, 0]), points), 2.0)


def test_points_without_a_cell_do_no_harm():
    mesh = square(8)
    lone = Mesh(np.concatenate([mesh.points, [[9.0, 9.0]]]), Cells.of(triangle=mesh.cells.block("triangle")))
    values = hessian_monitor(lone, np.append(wave(mesh.points), 1e5)).values
    np.testing.assert_allclose(values[:-1], hessian_monitor(mesh, wave(mesh.points)).values, rtol=1e-9)
