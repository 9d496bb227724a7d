"""The Newton potential: closed forms in the plane and in space, its order, and the names under which models ask for it."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from scipy import special

from geoop.baselines.ridge import Ridge
from geoop.errors import ConfigurationError, InvalidMeshError, NonFiniteError
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.generate.disk import star
from geoop.mesh.measure import point_weights
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import icosphere
from geoop.mesh.quantity import Field, Quantity
from geoop.scaling.derived import with_derived
from geoop.scaling.functions import known
from geoop.scaling.newton_potential import newton_potential
from geoop.truth.datasets import nonlinear_poisson_disk


def disk(rings, radius=1.0, center=(0.5, 0.5)):
    return star(rings, lambda angle: np.full_like(angle, radius), center=center)


def error_on_disk(rings, radius=1.0):
    """Of a density of 1 against (a^2 - r^2)/4 - a^2/2 log(a/L)."""
    mesh = disk(rings, radius)
    r = np.linalg.norm(mesh.points - 0.5, axis=1)
    length = np.sqrt(point_weights(mesh).sum())
    exact = (radius**2 - r**2) / 4 - radius**2 / 2 * np.log(radius / length)
    found = newton_potential(mesh.points, point_weights(mesh), np.ones((len(r), 1)))[:, 0]
    return np.abs(found - exact).max() / exact.max()


def test_uniform_disk_in_second_order():
    coarse, fine = error_on_disk(6), error_on_disk(24)
    assert fine < 3e-4 and fine < coarse / 10


def test_a_gaussian_in_the_plane():
    mesh = disk(24)
    r, s = np.linalg.norm(mesh.points - 0.5, axis=1), 0.02
    length = np.sqrt(point_weights(mesh).sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        exact = -s * (np.log(r / length) + special.exp1(r**2 / (2 * s)) / 2)
    exact[r == 0] = s * (np.euler_gamma / 2 - np.log(2 * s) / 2 + np.log(length))
    found = newton_potential(mesh.points, point_weights(mesh), np.exp(-(r**2) / (2 * s))[:, None])[:, 0]
    assert np.linalg.norm(found - exact) < 1e-3 * np.linalg.norm(exact)


def test_a_gaussian_in_space():
    axis = np.linspace(-1.0, 1.0, 25)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    r, s = np.linalg.norm(points, axis=1), 0.15
    density = np.exp(-((r / s) ** 2) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        exact = s**3 * np.sqrt(np.pi / 2) / r * special.erf(r / s / np.sqrt(2))
    exact[r == 0] = s**2
    found = newton_potential(points, np.full(len(r), (axis[1] - axis[0]) ** 3), density[:, None])[:, 0]
    assert np.linalg.norm(found - exact) < 1e-3 * np.linalg.norm(exact)


def test_it_scales_and_moves_with_the_points():
    mesh = disk(8)
    density = np.sin(5 * mesh.points)
    at = newton_potential(mesh.points, point_weights(mesh), density)
    there = newton_potential(1e3 * mesh.points + 7.0, 1e6 * point_weights(mesh), density)
    np.testing.assert_allclose(there, 1e6 * at, rtol=1e-7, atol=1e-9 * np.abs(1e6 * at).max())


def test_what_it_refuses():
    with pytest.raises(InvalidMeshError):
        newton_potential(np.zeros((5, 2)), np.ones(5), np.ones((5, 1)))
    with pytest.raises(ConfigurationError, match="1-D"):
        newton_potential(np.zeros((5, 1)), np.ones(5), np.ones((5, 1)))
    points = np.random.default_rng(0).random((5, 2))
    with pytest.raises(ConfigurationError, match=r"densities \(5,\)"):
        newton_potential(points, np.ones(5), np.ones(5))
    for weight in (np.zeros(5), np.array([1.0, 1.0, -3.0, 0.0, 0.0]), np.array([1.0, np.nan, 1.0, 1.0, 1.0])):
        with pytest.raises(InvalidMeshError, match="measure"):
            newton_potential(points, weight, np.ones((5, 1)))


def test_it_turns_with_the_region():
    mesh = star(10, lambda angle: 1.0 + 0.6 * np.cos(2 * angle))
    turn = np.array([[np.cos(0.7), -np.sin(0.7)], [np.sin(0.7), np.cos(0.7)]])
    at, turned = (newton_potential(points, point_weights(mesh), np.ones((len(points), 1))) for points in (mesh.points, mesh.points @ turn.T))
    np.testing.assert_allclose(turned, at, rtol=0, atol=5e-3 * np.ptp(at))  # of the lattice, which does not turn


def test_a_thin_region_takes_bounded_memory():
    points = np.random.default_rng(0).random((20_000, 3)) * [100.0, 1.0, 1.0]
    tracemalloc.start()
    found = newton_potential(points, np.full(len(points), 5e-3), np.ones((len(points), 1)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5e9 and np.isfinite(found).all()


def case_with_source(rings=6):
    mesh = disk(rings)
    return Case(mesh, fields={"source": Field(Quantity("source", "f", "K/m^2"), mesh.points[:, 0])})


def test_a_model_asks_by_name():
    case = case_with_source()
    number, values = known("newton potential of source", case)
    direct = newton_potential(case.mesh.points, point_weights(case.mesh), case.mesh.points[:, :1])
    np.testing.assert_array_equal(number, np.arange(len(direct)))
    np.testing.assert_allclose(values, direct, rtol=1e-12)  # transforms round by where their arrays lie in memory
    whole = with_derived(case, ["source", "newton potential of source"])
    assert whole.fields["newton potential of source"].quantity.unit == "K"
    assert with_derived(whole, ["newton potential of source"]) is whole


def test_names_that_lead_nowhere_are_said():
    with pytest.raises(ConfigurationError, match="sink"):
        known("newton potential of sink", case_with_source())
    case = case_with_source()
    broken = case.with_fields(Field(case.field("source").quantity, np.full(len(case.mesh.points), np.nan)))
    with pytest.raises(NonFiniteError):
        with_derived(broken, ["newton potential of source"])


def test_where_there_is_no_volume_or_a_stream_it_is_refused():
    mesh, name = icosphere(1), "newton potential of source"
    ones = Field(Quantity("source", "f"), np.ones(len(mesh.points)))
    with pytest.raises(ConfigurationError, match="surface"):
        known(name, Case(mesh, fields={"source": ones}))
    cloud = Mesh(mesh.points, Cells.of(vertex=np.arange(len(mesh.points))[:, None]))
    with pytest.raises(ConfigurationError, match="measure"):
        known(name, Case(cloud, fields={"source": ones}))
    with pytest.raises(ConfigurationError, match="flow"):
        known(name, replace(case_with_source(), operating_point=OperatingPoint(1.0)))
    cells = Field(Quantity("source", "f"), np.ones(len(disk(3).cells)), "cell")
    with pytest.raises(ConfigurationError, match="cell field"):
        known(name, Case(disk(3), fields={"source": cells}))


def test_a_potential_has_a_potential():
    assert known("newton potential of newton potential of source", case_with_source())[1].shape == (len(disk(6).points), 1)


def test_a_cloud_without_cells_has_a_potential_too():
    mesh = disk(12)
    weight = Field(Quantity("quadrature_weight", "w", "m^2"), point_weights(mesh))
    source = Field(Quantity("source", "f"), mesh.points[:, 0])
    cloud = Mesh(mesh.points, Cells.of(vertex=np.arange(len(mesh.points))[:, None]))
    found = known("newton potential of source", Case(cloud, fields={"quadrature_weight": weight, "source": source}))[1]
    expected = known("newton potential of source", Case(mesh, fields={"source": source}))[1]
    np.testing.assert_allclose(found, expected)


def test_a_baseline_asks_by_the_same_name():
    cases = [nonlinear_poisson_disk.case(0, f"npdisk_{k:04d}") for k in range(6)]
    plain = Ridge(inputs=("newton potential of source",)).fit(cases[:5], ["solution"])
    derived = [with_derived(case, ["newton potential of source"]) for case in cases]
    given = Ridge(inputs=("newton potential of source",)).fit(derived[:5], ["solution"])
    np.testing.assert_array_equal(plain.predict(cases[5])["solution"].values, given.predict(derived[5])["solution"].values)
    of_source = Ridge(inputs=("source",)).fit(cases[:5], ["solution"])
    assert not np.allclose(of_source.predict(cases[5])["solution"].values, plain.predict(cases[5])["solution"].values, rtol=1e-3)
