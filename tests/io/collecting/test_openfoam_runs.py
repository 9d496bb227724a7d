"""OpenFOAM cases as runs: fluid and condition out of their dictionaries, coefficients out of postProcessing, plane cases as planes."""

import numpy as np
import pytest

import geoop
from geoop.io.collecting.choices import Choices
from geoop.io.collecting.coefficients import openfoam_coefficients
from geoop.io.collecting.collect import survey
from geoop.io.collecting.conditions import openfoam_conditions
from geoop.io.collecting.looking import in_plane
from geoop.io.reading import read_case
from tests.io.openfoam.foam_files import Style, field, poly, row_of_hexes, standard

CONTROL = """
functions { forceCoeffs1 { type forceCoeffs; // magUInf 99;
    magUInf 20; rhoInf 1.2; lRef 0.5; dragDir (0.9961946980917455 0.08715574274765817 0); } }
"""


def case_folder(root, mesh, cells, *, nu=1.5e-5, time="100", boundary="", coefficients=True):
    mesh.write(root / "constant" / "polyMesh")
    (root / "system").mkdir(parents=True)
    (root / "system" / "controlDict").write_text(CONTROL)
    (root / "constant" / "transportProperties").write_text(f"transportModel Newtonian;\n/* nu 3; */\nnu nu [0 2 -1 0 0 0 0] {nu};\n")
    for step, factor in (("50", 0.5), (time, 1.0)):
        field(root / step / "p", factor * cells, boundary)
        velocity = np.stack([factor * cells, 2 * factor * cells, 0 * cells], axis=1)
        field(root / step / "U", velocity, boundary, kind="vector", dimensions="[0 1 -1 0 0 0 0]")
    if coefficients:
        folder = root / "postProcessing" / "forceCoeffs1"
        for start, rows in (("0", [(50, 0.02), (60, 9.0)]), ("60", [(60, 0.03), (100, 0.04)])):
            (folder / start).mkdir(parents=True)
            lines = "".join(f"{t} 0.1 {cd} 0.5\n" for t, cd in rows)
            (folder / start / "coefficient.dat").write_text(f"# Force coefficients\n# Time Cm Cd Cl\n{lines}")
    return root


def plane_of_hexes(n, axis=2):
    """n x n unit cubes in one layer, normal to an axis; patches ``body`` (one end) and ``far``, empty sides."""
    others = [a for a in range(3) if a != axis]
    number = np.arange((n + 1) ** 2 * 2).reshape(n + 1, n + 1, 2)
    points = np.zeros((number.size, 3))
    grid = np.stack(np.meshgrid(np.arange(n + 1.0), np.arange(n + 1.0), np.arange(2.0), indexing="ij"), axis=-1).reshape(-1, 3)
    points[:, [*others, axis]] = grid
    corner = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)]
    if axis == 1:  # x, z, y is a left-handed order
        corner = [corner[k] for k in (0, 3, 2, 1, 4, 7, 6, 5)]
    cells = [standard("hexahedron", [number[i + a, j + b, c] for a, b, c in corner]) for i in range(n) for j in range(n)]

    def patch_of(x):
        if x[axis] in (0.0, 1.0):
            return ("frontAndBack", "empty")
        return ("body", "wall") if x[others[0]] == 0 else ("far", "patch")

    return poly(points, cells, patch_of)


BOUNDARY = "body { type fixedValue; value uniform (0 0 0); }\nfar { type zeroGradient; }\nfrontAndBack { type empty; }"


def test_dictionaries_say_the_condition(tmp_path):
    case_folder(tmp_path / "c", row_of_hexes(3), np.arange(3.0))
    found = {key: value for key, (value, _) in openfoam_conditions(tmp_path / "c").items()}
    assert found["kinematic_viscosity"] == 1.5e-5 and found["velocity"] == 20.0 and found["density"] == 1.2 and found["reference_length"] == 0.5
    assert found["alpha"] == pytest.approx(5.0)


def test_coefficients_of_restarts_at_a_time(tmp_path):
    case_folder(tmp_path / "c", row_of_hexes(3), np.arange(3.0))
    for time, drag in ((50.0, 0.02), (60.0, 0.03), (None, 0.04)):
        fields, _ = openfoam_coefficients(tmp_path / "c", time)
        assert float(fields["drag_coefficient"].values) == drag
        assert float(fields["lift_coefficient"].values) == 0.5


def test_cases_are_collected_without_any_table(tmp_path):
    for k in range(4):
        case_folder(tmp_path / "runs" / f"design {k}", row_of_hexes(3, "wall"), np.arange(3.0) + k)
    report = survey(tmp_path / "runs").report
    assert report.questions == ()
    data = geoop.collect(tmp_path / "runs", tmp_path / "data")
    case = data.case("design_2")
    assert case.wall == ("sides",) and case.time == 100.0
    point = case.operating_point
    assert (point.velocity, point.density, point.reference_length) == (20.0, 1.2, 0.5)
    assert point.viscosity == pytest.approx(1.2 * 1.5e-5)
    assert float(case.fields["drag_coefficient"].values) == 0.04
    np.testing.assert_array_equal(case.fields["kinematic_pressure"].values, np.arange(3.0) + 2)
    every = geoop.collect(tmp_path / "runs", tmp_path / "all", times="all")
    assert len(every) == 8
    assert float(every.case("design_2_t0000").fields["drag_coefficient"].values) == 0.02


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_case_one_cell_thick_is_a_plane(tmp_path, axis):
    cells = np.arange(9.0)
    case_folder(tmp_path / "c", plane_of_hexes(3, axis), cells)
    case, note = in_plane(read_case(tmp_path / "c"))
    others = [a for a in range(3) if a != axis]
    assert "taken as plane" in note
    assert case.mesh.dimension == 2 and len(case.mesh.points) == 16 and set(case.mesh.patches) == {"body", "far"}
    from geoop.mesh.measure import cell_centers, signed_measures

    np.testing.assert_allclose(signed_measures(case.mesh), 1.0)  # counter-clockwise, whatever the axis
    np.testing.assert_allclose(cell_centers(case.mesh), np.array([(i + 0.5, j + 0.5) for i in range(3) for j in range(3)]))
    np.testing.assert_array_equal(case.fields["kinematic_pressure"].values, cells)
    expected = np.stack([cells, 2 * cells, 0 * cells], axis=1)[:, others]
    np.testing.assert_array_equal(case.fields["velocity"].values, expected)
    assert (case.mesh.points[case.mesh.patch_points("body")][:, 0] == 0).all()


def test_what_is_not_one_cell_thick_stays(tmp_path):
    case_folder(tmp_path / "c", row_of_hexes(3, "empty"), np.arange(3.0))
    case = read_case(tmp_path / "c")
    same, note = in_plane(case)
    assert same.mesh.dimension == 3 and "stays three-dimensional" in note


def test_wall_points_take_the_values_of_the_wall(tmp_path):
    for k in range(4):
        root = case_folder(tmp_path / "runs" / str(k), plane_of_hexes(3), np.ones(9) * (k + 1))
        velocity = np.full((9, 3), [k + 1.0, 0, 0])
        field(root / "100" / "U", velocity, BOUNDARY, kind="vector", dimensions="[0 1 -1 0 0 0 0]")
    case = geoop.collect(tmp_path / "runs", tmp_path / "data", to_points=True).case("2")
    wall = case.mesh.patch_points("body")
    values = case.fields["velocity"].values
    assert not values[wall].any()
    np.testing.assert_allclose(np.delete(values, wall, axis=0), [[3.0, 0.0]] * 12)


def test_styles_and_choices_do_not_matter(tmp_path):
    root = case_folder(tmp_path / "runs" / "a", row_of_hexes(2, "wall"), np.arange(2.0))
    field(root / "100" / "T", np.array([300.0, 310.0]), "", dimensions="[0 0 0 1 0 0 0]", style=Style(binary=True))
    report = survey(tmp_path / "runs", choices=Choices(constants={"density": 998.0})).report
    rows = report.to_dict()["tables"]["conditions"]
    assert {row["condition"]: row["source"] for row in rows}["density"] == "as said"
    assert {row["array"] for row in report.to_dict()["tables"]["arrays"]} == {"kinematic_pressure", "velocity", "temperature"}
