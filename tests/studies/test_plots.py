"""Pictures are made without a display and show what is there."""

import numpy as np
import pytest

import geoop
from geoop.errors import FieldError
from geoop.mesh.generate.ogrid import ogrid
from geoop.mesh.generate.quadratic import quadratic
from geoop.mesh.primitives import naca4
from geoop.mesh.quantity import QUANTITIES
from geoop.studies.plots.pictures import field_picture, pressure_plot, triangles_of, wall_values


@pytest.fixture(scope="module")
def case():
    grid = ogrid(naca4("2412", n_points=100), n_wall=80, n_normal=20)
    x = grid.points
    fields = (geoop.Field(QUANTITIES["pressure_coefficient"], x[:, 0]), geoop.Field(QUANTITIES["velocity"], x))
    return geoop.Case(grid, geoop.OperatingPoint(10.0)).with_fields(*fields)


def test_wall_values_follow_the_chord(case):
    position, values = wall_values(case, "pressure_coefficient")
    np.testing.assert_allclose(position, values, atol=5e-3)  # the field is x itself, the chord is nearly the x axis
    assert position[0] == position[-1]


def test_files_are_pictures(case, tmp_path):
    for path in (pressure_plot({"a": case, "- b": case}, tmp_path / "cp.png"), field_picture(case, "velocity", tmp_path / "u.png")):
        assert path.read_bytes()[:4] == b"\x89PNG"
        assert path.stat().st_size > 5000


def test_triangles_cover_the_quads(case):
    assert len(triangles_of(case)) == 2 * len(case.mesh.cells)


def test_quadratic_cells_are_drawn_with_their_mid_sides(case, tmp_path):
    curved = quadratic(case.mesh)
    fields = geoop.Field(QUANTITIES["pressure_coefficient"], curved.points[:, 0])
    other = geoop.Case(curved, case.operating_point).with_fields(fields)
    assert set(triangles_of(other).ravel()) > set(triangles_of(case).ravel())  # points of sides, which follow the corners
    assert field_picture(other, "pressure_coefficient", tmp_path / "cp.png").stat().st_size > 5000


def test_refusals(case, tmp_path):
    with pytest.raises(FieldError, match="scalar"):
        wall_values(case, "velocity")
    bare = geoop.Case(naca4("0012"), geoop.OperatingPoint(10.0)).with_fields(geoop.Field(QUANTITIES["velocity"], naca4("0012").points))
    with pytest.raises(FieldError, match="plane cells"):
        field_picture(bare, "velocity", tmp_path / "u.png")
