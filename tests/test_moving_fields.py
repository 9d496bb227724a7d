"""The figures of the classical movers: their reference and their exact maps are right, and the bars of the issue hold."""

import moving_fields as study
import numpy as np
import pytest
from moving_meshes import cube, disk_of, holed_cube, square

from geoop.mesh.measure import area_vectors, cell_centers, signed_measures
from geoop.solve.monitors import FunctionMonitor


def test_the_reference_is_the_map_in_one_dimension_for_a_density_of_one_coordinate():
    errors = []
    for side in (9, 17, 33):
        points, residual, _ = study.reference_map(FunctionMonitor(lambda x: 1.0 + 4.0 * x[:, 0]), side)
        x = square(side).points
        exact = np.stack([(np.sqrt(1.0 + 24.0 * x[:, 0]) - 1.0) / 4.0, x[:, 1]], axis=1)
        errors.append(np.sqrt(np.mean((points - exact) ** 2)))
        assert residual <= 1e-9
    assert np.log2(np.array(errors[:-1]) / errors[1:]).min() > 1.8


def test_radial_densities_are_those_of_the_hessian_and_their_map_shares_them():
    for name, profile in study.RADIAL.items():
        value, first, second = profile
        r = np.linspace(0.02, 0.48, 97)
        np.testing.assert_allclose((value(r + 1e-6) - value(r - 1e-6)) / 2e-6, first(r), rtol=1e-5, atol=1e-5, err_msg=name)
        np.testing.assert_allclose((first(r + 1e-6) - first(r - 1e-6)) / 2e-6, second(r), rtol=1e-4, atol=1e-2, err_msg=name)
        density = study.radial_density(profile)
        place = study.exact_radius(density)
        rate = (place(r + 1e-4) - place(r - 1e-4)) / 2e-4
        share = density(place(r)) * place(r) * rate / r
        assert share.std() < 2e-2 * share.mean()
        assert density(r).max() == pytest.approx(6.0, rel=0.5)


def test_interpolation_error_is_exact_for_quadratics():
    """u = x^2 on right triangles of legs h: the error's square is an integral of a quartic, h^4 / 60 per unit area (one leg along x)."""
    h = 1.0 / 8.0
    found = study.interpolation_error(square(9), lambda x: x[:, 0] ** 2)
    t, w = np.polynomial.legendre.leggauss(8)
    t, w = 0.5 * (t + 1.0), 0.5 * w
    # on the cut quad the interpolant of x^2 is h x in both halves: the error x (h - x) does not depend on y
    exact = np.sqrt((w * (h * t * (h - h * t)) ** 2).sum())
    assert found == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("name", study.FIELDS)
def test_the_finite_element_mover_reaches_the_converged_reference(name):
    row = study.square_row(name)
    assert row["share of the reference"] >= 0.95
    assert row["reference"]["residual"] <= 1e-8
    for key in ("Monge-Ampere", "variational", "reference"):
        assert row[key]["inverted"] == 0
        assert row[key]["gain"] > 1.05


@pytest.mark.parametrize("name", study.RADIAL)
def test_nodes_on_the_disk_tend_to_the_exact_map_and_gain_what_it_gains(name):
    row = study.disk_row(name, rings=(14, 27))
    last = row["levels"][-1]
    assert last["gain"] >= 0.9 * last["gain of the exact map"]
    assert last["inverted"] == 0
    assert last["node error rms"] < row["levels"][0]["node error rms"]


@pytest.mark.parametrize("region", study.REGIONS)
def test_rings_on_regions_that_are_not_convex(region):
    row = study.region_row(region, 0.05)
    assert row["gain"] >= 1.5
    assert row["inverted"] == 0


@pytest.mark.parametrize("layer", study.LAYERS)
def test_solutions_on_moved_meshes_have_less_energy_error(layer):
    row = study.layer_row(layer)
    assert row["Monge-Ampere"]["gain"] >= 1.5
    assert row["Monge-Ampere"]["inverted"] == 0
    x = np.random.default_rng(0).uniform(0.1, 0.9, size=(20, 2))
    _, slope, source = study.LAYERS[layer](x)
    h = 1e-5
    for k in range(2):
        step = h * np.eye(2)[k]
        rate = (study.LAYERS[layer](x + step)[0] - study.LAYERS[layer](x - step)[0]) / (2.0 * h)
        np.testing.assert_allclose(rate, slope[:, k], rtol=1e-4, atol=1e-6)
    second = sum((study.LAYERS[layer](x + h * e)[1] - study.LAYERS[layer](x - h * e)[1])[:, k] for k, e in enumerate(np.eye(2))) / (2.0 * h)
    np.testing.assert_allclose(-second, source, rtol=1e-4, atol=1e-4)


def test_every_row_is_asked_for_once_and_cost_is_counted():
    keys = []
    study.measure(None, lambda key, _: keys.append(key))
    in_space = 2 * len(study.SPACE["cube"]) + len(study.SPACE["holed cube"])
    assert len(keys) == len(set(keys)) == 5 + 2 + 4 + 4 + 2 * len(study.SIDES) + in_space + 2
    row = study.cost_row("variational", 12)
    assert row["points"] == 144
    assert row["seconds"] > 0.0
    assert study.line_row()["1 + 7 x"] < 1e-12
    assert max(v for k, v in study.identity_row().items() if k != "section") <= 1e-10
    assert len(disk_of(27).points) == 2269


@pytest.mark.parametrize(("mesh", "volume"), [(cube(6), 1.0), (holed_cube(17, 0.2), 1.0 - 4.0 / 3.0 * np.pi * 0.2**3)], ids=["cube", "holed cube"])
def test_solids_are_filled_by_upright_tetrahedra_whose_faces_point_outwards(mesh, volume):
    assert (signed_measures(mesh) > 0).all() and signed_measures(mesh).sum() == pytest.approx(volume, rel=1e-3)
    flux = sum((area_vectors(part := mesh.patch(name)) * (cell_centers(part) - 0.5)).sum() for name in mesh.patches)
    assert flux / 3.0 == pytest.approx(signed_measures(mesh).sum(), rel=1e-12)


def test_the_error_in_space_is_that_of_a_quadratic_function():
    """x^2 on Kuhn's tetrahedra, linear between corners: the order is 2, and linear functions have no error."""
    errors = [study.interpolation_error(cube(n), lambda x: x[:, 0] ** 2) for n in (5, 9, 17)]
    assert np.log2(np.array(errors[:-1]) / errors[1:]) == pytest.approx(2.0, abs=1e-10)
    assert study.interpolation_error(cube(4), lambda x: 1.0 + x @ [1.0, 2.0, 3.0]) < 1e-14


def test_a_row_of_space_counts_what_it_should():
    row = study.space_row("cube", "variational", 10)
    assert row["inverted"] == 0 and row["outcome"] == "converged" and row["points"] == 1000
