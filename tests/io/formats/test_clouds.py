"""Tables of points: names, separators, fields, and what is no table."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.errors import InvalidMeshError, UnitError, UnreadableFileError
from geoop.io.reading import read, read_case


def save(folder, text, name="points.csv"):
    (folder / name).write_text(text)
    return folder / name


@pytest.mark.parametrize(
    "text",
    [
        "x,y,z\n0,0,0\n1,2,3\n",
        "0 0 0\n1 2 3\n",
        "# a comment\n0;0;0\n\n1;2;3;\n",
        "X [mm], Y [mm], Z [mm],\n0.0, 0, 0,\n1, 2, 3,\n",
        '"Points:0","Points:1","Points:2"\n0,0,0\n1,2,3\n',
        "x-coordinate\ty-coordinate\tz-coordinate\n0\t0\t0\n1\t2\t3\n",
        "z,y,x\n0,0,0\n3,2,1\n",
    ],
)
@pytest.mark.parametrize("name", ["points.csv", "points.xyz", "points.txt"])
def test_coordinates(tmp_path, text, name):
    mesh = read(save(tmp_path, text, name), unit="mm")
    assert mesh.is_cloud and np.allclose(mesh.points, [[0, 0, 0], [0.001, 0.002, 0.003]])


def test_two_columns_are_a_plane(tmp_path):
    assert read(save(tmp_path, "0,0\n1,2\n"), unit="m").dimension == 2


def test_named_columns_are_fields(tmp_path):
    text = "Points_0,Points_1,Points_2,pressure [Pa],velocity [m/s]:0,velocity [m/s]:1,velocity [m/s]:2,force_x,force_y,force_z,tag\n"
    case = read_case(save(tmp_path, text + "0,0,0,5,1,2,3,7,8,9,1\n1,1,1,6,4,5,6,7,8,9,2\n"), unit="m")
    assert case.field("pressure").values.tolist() == [5, 6] and case.field("pressure").quantity.unit == "Pa"
    assert case.field("velocity").values.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert case.field("force").values.shape == (2, 3) and case.field("tag").quantity.unit == "?"


@pytest.mark.parametrize("names", ["x,y,z,nx,ny,nz", "x,y,z,Nx,Ny,Nz", "x,y,z,nz,ny,nx"])
def test_normals_of_a_scan_are_one_vector(tmp_path, names):
    case = read_case(save(tmp_path, f"{names}\n0,0,0,1,2,3\n1,0,0,4,5,6\n"), unit="mm")
    rows = [[1, 2, 3], [4, 5, 6]]
    assert list(case.fields) == ["normals"] and case.field("normals").values.tolist() == (
        rows if names.lower().endswith("nz") else [r[::-1] for r in rows]
    )


def test_a_column_nx_alone_is_a_number(tmp_path):
    case = read_case(save(tmp_path, "x,y,z,nx\n0,0,0,1\n1,0,0,4\n"), unit="m")
    assert list(case.fields) == ["nx"]


def test_solution_of_a_solver(shared_data):
    case = read_case(shared_data / "su2" / "naca0012_euler_fixedcl" / "solution_flow.csv", unit="m")
    assert case.mesh.dimension == 2 and len(case.mesh.points) == 5233
    assert case.field("velocity").values.shape == (5233, 2) and case.field("pressure").quantity.unit == "Pa"
    assert any("units that the file does not state" in note for note in case.mesh.notes)


def test_numpy(tmp_path):
    points = np.arange(12.0).reshape(4, 3)
    np.save(tmp_path / "points.npy", points.astype(np.float32))
    assert np.allclose(read(tmp_path / "points.npy", unit="m").points, points)
    np.save(tmp_path / "points.npy", np.zeros((4, 7)))
    with pytest.raises(UnreadableFileError, match="shape \\(4, 7\\)"):
        read(tmp_path / "points.npy", unit="m")
    np.save(tmp_path / "points.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(UnreadableFileError, match="NumPy array"):
        read(tmp_path / "points.npy", unit="m")
    np.save(tmp_path / "points.npy", points)
    (tmp_path / "points.npy").write_bytes((tmp_path / "points.npy").read_bytes()[:-20])
    with pytest.raises(UnreadableFileError):
        read(tmp_path / "points.npy", unit="m")


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("x,y,z\n", UnreadableFileError, "no rows"),
        ("# nothing\n", UnreadableFileError, "no rows"),
        ("a,b,c\n1,2,3\n", UnreadableFileError, "no columns x and y"),
        ("x,y,z\n1,2,3\n4,5\n", UnreadableFileError, "row 3 has 2 numbers"),
        ("x,y,z\n1,2,3\n4,,6\n", UnreadableFileError, "row 3 is not numbers"),
        ("x,y,z\n1,2,3\n4,five,6\n", UnreadableFileError, "row 3 is not numbers"),
        ("x,y,z,w\n1,2,3\n", UnreadableFileError, "4 names for 3 columns"),
        ("1\n2\n3\n", UnreadableFileError, "count|one number"),
        ("3\nwater\nH 0 0 0\nH 0 1 0\nO 1 0 0\n", UnreadableFileError, "molecules"),
        ("0,0,0\n1,nan,0\n", InvalidMeshError, "1 of 2 points"),
    ],
)
def test_bad_tables(tmp_path, text, kind, words):
    with pytest.raises(kind, match=words):
        read(save(tmp_path, text), unit="m")


def test_unit_is_needed(tmp_path):
    with pytest.raises(UnitError, match="extent 4612 x 1890 x 1380: .*mm would give a body 4.612 m long"):
        read(save(tmp_path, "0,0,0\n4612,1890,1380\n"))


def test_many_rows_are_quick_enough_to_be_read_at_all(tmp_path):
    points = np.random.default_rng(0).random((20000, 3))
    np.savetxt(tmp_path / "points.csv", points, delimiter=",", fmt="%.17g")
    assert np.array_equal(read(tmp_path / "points.csv", unit="m").points, points)


@pytest.mark.parametrize(
    "text",
    [
        "0,1;0,2;0,3;7,5\n1;2,5;-3e-1;8,5\n",
        "\ufeffX [mm];Y [mm];Z [mm];Druck [Pa]\n0,1;0,2;0,3;7,5\n1,0;2,5;-0,3;8,5\n",
        "x;y;z;p;\n0,1;0,2;0,3;7,5;\n1;2,5;-,3;8,5E+00;\n",
        "x y z p\n0,1 0,2 0,3 7,5\n1 2,5 -0,3 8,5\n",
        "x\ty\tz\tp\n0,1\t0,2\t0,3\t7,5\n1\t2,5\t-0,3\t8,5\n",
        '"x","y","z","p"\n"0,1","0,2","0,3","7,5"\n"1","2,5","-0,3","8,5"\n',
    ],
)
def test_decimal_commas(tmp_path, text):
    case = read_case(save(tmp_path, text), unit="mm")
    assert np.allclose(case.mesh.points, np.array([[0.1, 0.2, 0.3], [1, 2.5, -0.3]]) / 1000) and any("decimal commas" in n for n in case.mesh.notes)
    (field,) = case.fields.values()
    assert field.values.tolist() == [7.5, 8.5]


def test_semicolons_without_decimal_commas_need_no_note(tmp_path):
    case = read_case(save(tmp_path, "x;y;z;velocity, mean\n0.5;1;2;3\n1;2;3;4\n"), unit="m")
    assert case.mesh.points[0].tolist() == [0.5, 1, 2] and list(case.fields) == ["velocity, mean"]
    assert not any("decimal" in note for note in case.mesh.notes)


@pytest.mark.parametrize("text", ["0.5;1,2;3\n1;2;3\n", "x;y;z\n0,5;1,2;3\n1.5;2;3\n", "0,5,1,2;3\n1;2;3\n", "x;y\n1,234.5;2\n1;2\n"])
def test_commas_that_are_no_decimal_commas_between_semicolons(tmp_path, text):
    with pytest.raises(UnreadableFileError, match="decimal commas, and row \\d a cell"):
        read(save(tmp_path, text), unit="m")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x,y,z,p\n1,2,3,\n1,2,4,5\n", "row 2 has 3 numbers, others have 4 .its last cell is empty"),
        ("1,2,3,\n1,2,4,5\n1,2,4,5\n", "row 1 has 3 numbers, others have 4"),
        ("x,y,z\n,2,3\n,2,4\n", "row 2 is not numbers only"),
    ],
)
def test_the_row_with_the_empty_cell_is_blamed(tmp_path, text, words):
    with pytest.raises(UnreadableFileError, match=words):
        read(save(tmp_path, text), unit="m")


def test_columns_of_star_ccm(tmp_path):
    text = '"Pressure (Pa)","X (m)","Y (m)","Z (m)","Velocity[i] (m/s)","Velocity[j] (m/s)","Velocity[k] (m/s)","Y+ (mean)"\n9,1,2,3,4,5,6,7\n8,2,3,4,5,6,7,8\n'
    case = read_case(save(tmp_path, text))
    assert case.mesh.points.tolist() == [[1, 2, 3], [2, 3, 4]] and case.field("pressure").quantity.unit == "Pa"
    assert case.field("velocity").values.tolist() == [[4, 5, 6], [5, 6, 7]] and case.field("velocity").quantity.unit == "m/s"
    assert "Y+ (mean)" in case.fields and "lengths are read in m, as the file says, and stored in m" in case.mesh.notes
    with pytest.raises(UnitError, match="the file itself says m"):
        read_case(save(tmp_path, text), unit="mm")
    with pytest.raises(UnitError, match="different units: X .m., Y .mm."):
        read(save(tmp_path, "X (m),Y (mm)\n1,2\n2,3\n"), unit="m")


def test_commas_and_blanks_are_no_decimal_commas(tmp_path):
    mesh = read(save(tmp_path, "x, y, z\n0, 0, 0\n0.5, 1, 2\n"), unit="m")
    assert mesh.points.tolist() == [[0, 0, 0], [0.5, 1, 2]] and not any("decimal" in note for note in mesh.notes)


@pytest.mark.parametrize("head", ["# p x y z", "# written today\n%  p,x,y,z", "// p;x;y;z\n"])
def test_names_may_stand_in_the_remark_before_the_rows(tmp_path, head):
    separator = "," if "," in head else ";" if ";" in head else " "
    rows = "\n".join(separator.join(row) for row in (("7", "1", "2", "3"), ("8", "4", "5", "6.5")))
    case = read_case(save(tmp_path, f"{head}\n{rows}\n# p z y x\n"), unit="m")
    assert case.mesh.points.tolist() == [[1, 2, 3], [4, 5, 6.5]] and case.field("p").values.tolist() == [7, 8]


@pytest.mark.parametrize("head", ["# three numbers per row", "# a b c d", "% x y", "#"])
def test_other_remarks_name_nothing(tmp_path, head):
    case = read_case(save(tmp_path, f"{head}\n1 2 3 7\n4 5 6 8\n"), unit="m")
    assert case.mesh.points.tolist() == [[1, 2, 3], [4, 5, 6]] and list(case.fields) == ["column_4"]
