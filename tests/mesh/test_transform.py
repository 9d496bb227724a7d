"""A mirror image of an exact flow is the exact flow of the mirrored section."""

import numpy as np
import pytest

import geoop
from geoop.errors import FieldError
from geoop.mesh.cells import Cells
from geoop.mesh.measure import cell_measures, enclosed_volume, signed_measures
from geoop.mesh.primitives import icosphere
from geoop.mesh.transform import mirrored
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
