"""A mirror image of an exact flow is the exact flow of the mirrored section."""

import numpy as np
import pytest

import geoop
from geoop.errors import ConditionError, FieldError
from geoop.fem.diffusion import Diffusion
from geoop.mesh.cells import Cells
from geoop.mesh.generate.disk import star
from geoop.mesh.measure import cell_measures, enclosed_volume, signed_measures
from geoop.mesh.primitives import icosphere
from geoop.mesh.quantity import QUANTITIES
from geoop.mesh.transform import image, mirrored, symmetries
from geoop.truth.exact.karman_trefftz import KarmanTrefftz


@pytest.fixture
def case():
    section, point = KarmanTrefftz(-0.1, 0.06, 12.0), geoop.OperatingPoint(30.0, 5.0)
    return section.flow(point).solve_case(geoop.Case(section.outline(200), point))


def test_twice_is_the_same(case):
    again = mirrored(mirrored(case))
    np.testing.assert_array_equal(again.mesh.points, case.mesh.points)
    np.testing.assert_array_equal(again.mesh.cells.connectivity, case.mesh.cells.connectivity)
    np.testing.assert_array_equal(again.field("velocity").values, case.field("velocity").values)
    assert again.operating_point == case.operating_point


def test_lift_changes_sign_and_the_speed_stays(case):
    image = mirrored(case)
    assert image.operating_point.alpha == -5.0
    assert geoop.forces(image).CL == pytest.approx(-geoop.forces(case).CL, rel=1e-12)
    np.testing.assert_array_equal(image.field("pressure_coefficient").values, case.field("pressure_coefficient").values)


def test_the_image_satisfies_the_panel_method(case):
    from geoop.truth.panels.system import panel_flow

    image = mirrored(case)
    assert panel_flow(image.mesh, image.operating_point).lift_coefficient == pytest.approx(
        -panel_flow(case.mesh, case.operating_point).lift_coefficient, rel=1e-6
    )


def test_normals_keep_their_side_in_3d():
    sphere = geoop.Case(icosphere(2, 1.0), geoop.OperatingPoint(1.0, 3.0))
    assert enclosed_volume(mirrored(sphere).mesh) == pytest.approx(enclosed_volume(sphere.mesh), rel=1e-12)
    assert enclosed_volume(sphere.mesh) > 0


def test_a_scalar_that_may_change_sign_is_refused(case):
    vorticity = geoop.Field(geoop.Quantity("vorticity", "omega", "1/s"), np.zeros(len(case.mesh.points)))
    with pytest.raises(FieldError, match="sign"):
        mirrored(case.with_fields(vorticity))


def test_curved_facets_keep_their_middle_and_their_side():
    points = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.5, -0.1], [0.5, 0.5], [0.0, 0.5]])
    patch = Cells.of(line3=np.array([[0, 1, 3]]))
    mesh = geoop.Mesh(points, Cells.of(triangle6=np.arange(6)[None]), {"wall": patch})
    image = mirrored(geoop.Case(mesh)).mesh
    assert image.patches["wall"].block("line3").tolist() == [[1, 0, 3]]
    assert cell_measures(image) == pytest.approx(cell_measures(mesh)) and (signed_measures(image) > 0).all()


def test_lift_as_a_number_changes_sign_and_drag_does_not():
    fields = [geoop.Field(geoop.Quantity(f"{name}_coefficient", "C"), np.array(0.7), "global") for name in ("lift", "drag")]
    image = mirrored(geoop.Case(icosphere(0)).with_fields(*fields))
    assert float(image.field("lift_coefficient").values) == -0.7 and float(image.field("drag_coefficient").values) == 0.7


@pytest.mark.parametrize(("dimension", "count"), [(2, 8), (3, 8)])
def test_symmetries_are_a_group_of_orthogonal_maps(dimension, count):
    maps = symmetries(dimension)
    keys = {tuple(item.ravel()) for item in maps}
    assert len(keys) == count and tuple(np.eye(dimension, dtype=int).ravel()) == tuple(maps[0].ravel())
    assert {tuple((a @ b).ravel()) for a in maps for b in maps} == keys
    for item in maps:
        np.testing.assert_array_equal(item @ item.T, np.eye(dimension))
    half = {tuple(item.ravel()) for item in maps[:4]}
    if dimension == 2:  # those that any box allows come first
        assert {tuple((a @ b).ravel()) for a in maps[:4] for b in maps[:4]} == half


def region(middle=(0.3, -0.2)):
    mesh = star(10, lambda angle: 1.0 + 0.2 * np.cos(3 * angle) + 0.1 * np.sin(angle))
    mesh = geoop.Mesh(mesh.points + middle, mesh.cells, {"rim": mesh.patches["boundary"]})
    source = np.exp(mesh.points[:, 0]) * np.sin(3 * mesh.points[:, 1])
    fields = [geoop.Field(geoop.Quantity("source", "f"), source), geoop.Field(geoop.Quantity("force", "b", "N", rank=1), mesh.points * [2.0, -1.0])]
    return geoop.Case(mesh).with_fields(*fields)


@pytest.mark.parametrize("matrix", symmetries(2), ids=str)
def test_the_image_of_a_solution_solves_the_image_of_the_problem(matrix):
    """-laplace(u) = f has no preferred direction; facets keep their side, vectors turn along, scalars stay."""
    case, middle = region(), np.array([0.3, -0.2])
    other = image(case, matrix, middle)
    solutions = []
    for one in (case, other):
        problem = Diffusion(one.mesh, degree=1, dirichlet=("rim",))
        solutions.append(problem.solve(one.field("source").values, dirichlet={"rim": 0.5}))
    np.testing.assert_allclose(solutions[1], solutions[0], atol=1e-12)
    np.testing.assert_allclose(other.mesh.points - middle, (case.mesh.points - middle) @ matrix.T, atol=1e-15)
    np.testing.assert_array_equal(other.field("force").values, case.field("force").values @ matrix.T)
    assert (signed_measures(other.mesh) > 0).all()
    again = image(other, matrix.T, middle)
    np.testing.assert_allclose(again.mesh.points, case.mesh.points, atol=1e-15)
    np.testing.assert_array_equal(again.mesh.cells.connectivity, case.mesh.cells.connectivity)


def test_boundary_values_go_along_and_what_is_no_number_stays_in_its_component():
    case = region()
    flux = geoop.Field(geoop.Quantity("flux", "q", "W/m^2", rank=1), np.tile([1.0, np.nan], (len(case.mesh.patch_points("rim")), 1)))
    case = geoop.Case(case.mesh, boundary={"rim": {"flux": flux}})
    found = image(case, symmetries(2)[-1], np.zeros(2)).boundary["rim"]["flux"].values
    assert np.isnan(found[:, 0]).all() and (found[:, 1] == -1.0).all()


def test_images_of_flows_and_of_scalars_of_unknown_sign_are_refused(case):
    with pytest.raises(ConditionError, match="direction"):
        image(case, symmetries(2)[1], np.zeros(2))
    stream = geoop.Field(geoop.Quantity("psi", "psi", "m^2/s"), np.ones(len(region().mesh.points)))
    odd = region().with_fields(stream)
    with pytest.raises(FieldError, match="sign"):
        image(odd, symmetries(2)[1], np.zeros(2))
    np.testing.assert_array_equal(image(odd, symmetries(2)[3], np.zeros(2)).field("psi").values, 1.0)  # a half turn is no mirror


def test_images_in_space():
    case = geoop.Case(icosphere(1, 1.0))
    volume = enclosed_volume(case.mesh)
    for matrix in symmetries(3):
        assert enclosed_volume(image(case, matrix, np.zeros(3)).mesh) == pytest.approx(volume, rel=1e-12)


@pytest.mark.parametrize("matrix", symmetries(3), ids=str)
def test_a_vorticity_stays_the_curl_of_the_velocity(matrix):
    """Of a linear flow u = A x, whose image is u = M A M^T x."""
    gradient = np.random.default_rng(0).standard_normal((3, 3))

    def curl(a):
        return np.array([a[2, 1] - a[1, 2], a[0, 2] - a[2, 0], a[1, 0] - a[0, 1]])

    sphere = icosphere(0)
    fields = [
        geoop.Field(QUANTITIES["velocity"], sphere.points @ gradient.T),
        geoop.Field(QUANTITIES["vorticity"], np.tile(curl(gradient), (len(sphere.points), 1))),
    ]
    found = image(geoop.Case(sphere).with_fields(*fields), matrix, np.zeros(3))
    turned = matrix @ gradient @ matrix.T
    np.testing.assert_allclose(found.field("velocity").values, found.mesh.points @ turned.T, atol=1e-14)
    np.testing.assert_allclose(found.field("vorticity").values, np.tile(curl(turned), (len(sphere.points), 1)), atol=1e-14)


@pytest.mark.parametrize("matrix", symmetries(2), ids=str)
def test_components_under_names_of_their_own_have_the_signs_of_their_axes(matrix):
    case = region()
    force = case.field("force").values
    stress = force[:, :, None] * force[:, None, :]
    parts = {"force_x": force[:, 0], "force_y": force[:, 1], "stress_xy": stress[:, 0, 1], "stress_yy": stress[:, 1, 1], "heat flux z": force[:, 0]}
    split = geoop.Case(case.mesh).with_fields(*(geoop.Field(geoop.Quantity(name, "c", "N"), values) for name, values in parts.items()))
    if matrix[0, 0] == 0:
        with pytest.raises(FieldError, match="looks like a component"):
            image(split, matrix, np.zeros(2))
        return
    found, turned = image(split, matrix, np.zeros(2)), force @ matrix.T
    expected = (turned[:, 0], turned[:, 1], turned[:, 0] * turned[:, 1], turned[:, 1] ** 2, force[:, 0])
    for name, values in zip(parts, expected, strict=True):
        np.testing.assert_array_equal(found.field(name).values, values, name)


@pytest.mark.parametrize(("name", "unit", "ok"), [
    ("diffusivity", "m^2/s", True), ("shear_rate", "1/s", True), ("temperature", "K", True), ("stream", "m^2/s", False),
    ("vorticity", "1/s", False), ("curl_of_u", "1", False), ("fibre_angle", "rad", False), ("x", "m", False),
])  # fmt: skip
def test_scalars_that_a_mirror_may_change_are_told_by_name_and_unit(name, unit, ok):
    case = region()
    case = geoop.Case(case.mesh).with_fields(geoop.Field(geoop.Quantity(name, "s", unit), case.mesh.points[:, 0]))
    mirror = np.diag([1, -1])
    if ok:
        np.testing.assert_array_equal(image(case, mirror, np.zeros(2)).field(name).values, case.mesh.points[:, 0])
    else:
        with pytest.raises(FieldError, match=name):
            image(case, mirror, np.zeros(2))
