"""PLY: text and binary of both byte orders, mixed faces, properties as fields."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import trimesh

from geoop.errors import UnreadableFileError, UnsupportedFormatError
from geoop.io.reading import read, read_case

HEAD = (
    "ply\nformat {} 1.0\ncomment made by hand\nelement vertex 5\nproperty double x\nproperty double y\nproperty double z\n"
    "property float pressure\nproperty uchar red\n"
)
FACES = "element face 2\nproperty list uchar int vertex_indices\nproperty int part\nend_header\n"
ROWS = [(0, 0, 0, 1.5, 9), (1, 0, 0, 2.5, 9), (1, 1, 0, 3.5, 9), (0, 1, 0, 4.5, 9), (0.5, 2, 0, 5.5, 9)]


def binary(order: str) -> bytes:
    name = "binary_little_endian" if order == "<" else "binary_big_endian"
    body = b"".join(struct.pack(order + "dddfB", *row) for row in ROWS)
    body += struct.pack(order + "B4ii", 4, 0, 1, 2, 3, 7) + struct.pack(order + "B3ii", 3, 3, 2, 4, 8)
    return (HEAD + FACES).format(name).encode() + body


TEXT = (HEAD + FACES).format("ascii").encode() + "".join(" ".join(map(str, row)) + "\n" for row in ROWS).encode() + b"4 0 1 2 3 7\n3 3 2 4 8\n"


@pytest.mark.parametrize("data", [TEXT, binary("<"), binary(">"), TEXT.replace(b"\n", b"\r\n")], ids=["text", "little", "big", "crlf"])
def test_mixed_faces_and_properties(tmp_path, data):
    (tmp_path / "part.ply").write_bytes(data)
    case = read_case(tmp_path / "part.ply", unit="m")
    assert set(case.mesh.cells.names) == {"triangle", "quad"} and [list(c) for c in case.mesh.cells] == [[0, 1, 2, 3], [3, 2, 4]]
    assert np.array_equal(case.mesh.points, [row[:3] for row in ROWS])
    assert case.field("pressure").quantity.unit == "Pa" and np.allclose(case.field("pressure").values, [1.5, 2.5, 3.5, 4.5, 5.5])
    assert case.field("part").location == "cell" and case.field("part").values.tolist() == [7, 8]
    assert "red" not in case.fields and any("red" in note for note in case.mesh.notes)


@pytest.mark.parametrize("encoding", ["ascii", "binary"])
def test_files_of_another_program(tmp_path, encoding):
    sphere = trimesh.creation.icosphere(2)
    (tmp_path / "sphere.ply").write_bytes(sphere.export(file_type="ply", encoding=encoding))
    mesh = read(tmp_path / "sphere.ply", unit="m")
    assert np.allclose(mesh.points, sphere.vertices, atol=1e-7) and np.array_equal(mesh.cells.block("triangle"), sphere.faces)


def test_points_without_faces_are_a_cloud(tmp_path):
    data = b"ply\nformat ascii 1.0\nelement vertex 2\nproperty float x\nproperty float y\nproperty float z\nend_header\n0 0 0\n1 2 3\n"
    (tmp_path / "cloud.ply").write_bytes(data)
    mesh = read(tmp_path / "cloud.ply", unit="cm")
    assert mesh.is_cloud and np.allclose(mesh.points[1], [0.01, 0.02, 0.03])


@pytest.mark.parametrize("data", [TEXT, binary("<")], ids=["text", "binary"])
@pytest.mark.parametrize("cut", [5, 60, 200, 330, 10, 3])
def test_truncated(tmp_path, data, cut):
    (tmp_path / "part.ply").write_bytes(data[:-cut] if cut > 12 else data[:-cut].rstrip())
    with pytest.raises(UnreadableFileError):
        read(tmp_path / "part.ply", unit="m")


def test_empty_strange_and_stripped(tmp_path):
    path = tmp_path / "part.ply"
    path.write_bytes(TEXT.replace(b"vertex 5", b"vertex 0").replace(b"face 2", b"face 0").split(b"end_header")[0] + b"end_header\n")
    with pytest.raises(UnreadableFileError, match="no points"):
        read(path, unit="m")
    path.write_bytes(TEXT.replace(b"property double x", b"property double a"))
    with pytest.raises(UnreadableFileError, match="no x, y, z"):
        read(path, unit="m")
    path.write_bytes(TEXT.replace(b"property double x", b"property quadruple x"))
    with pytest.raises(UnreadableFileError, match="header cannot be understood"):
        read(path, unit="m")
    path.write_bytes(TEXT.replace(b"3 3 2 4 8", b"2 3 2 8"))
    with pytest.raises(UnreadableFileError, match="2 corners"):
        read(path, unit="m")
    head = (
        b"ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float y\nproperty float z\n"
        b"element tristrips 1\nproperty list int int vertex_indices\n"
    )
    path.write_bytes(head + b"end_header\n0 0 0\n1 0\n")
    with pytest.raises(UnsupportedFormatError, match="strips"):
        read(path, unit="m")


@pytest.mark.parametrize("faces", [False, True])
def test_normals_of_a_scan_are_a_field_and_those_of_a_mesh_are_left_out(tmp_path, faces):
    properties = "".join(f"property float {name}\n" for name in ("x", "y", "z", "nx", "ny", "nz"))
    head = (
        f"ply\nformat ascii 1.0\nelement vertex 3\n{properties}" + "element face 1\nproperty list uchar int vertex_indices\n" * faces + "end_header\n"
    )
    rows = "0 0 0 0 0 1\n1 0 0 0 0 2\n0 1 0 0.5 0 1\n" + "3 0 1 2\n" * faces
    (tmp_path / "scan.ply").write_text(head + rows)
    case = read_case(tmp_path / "scan.ply", unit="mm")
    assert ("normals" in case.fields) != faces
    assert not {"nx", "ny", "nz"} & set(case.fields)
    if not faces:  # directions have no unit of length
        np.testing.assert_array_equal(case.field("normals").values, [[0, 0, 1], [0, 0, 2], [0.5, 0, 1]])


@pytest.mark.parametrize(("first", "kept"), [("nan nan nan", [0, 0, 0]), ("0 0 0", None)])
def test_normals_that_a_scanner_does_not_know(tmp_path, first, kept):
    properties = "".join(f"property float {name}\n" for name in ("x", "y", "z", "nx", "ny", "nz"))
    others = "0 0 1" if kept else "0 0 0"
    text = f"ply\nformat ascii 1.0\nelement vertex 3\n{properties}end_header\n0 0 0 {first}\n1 0 0 {others}\n0 1 0 {others}\n"
    (tmp_path / "scan.ply").write_text(text)
    case = read_case(tmp_path / "scan.ply", unit="m")
    if kept is None:
        assert "normals" not in case.fields
    else:
        np.testing.assert_array_equal(case.field("normals").values, [kept, [0, 0, 1], [0, 0, 1]])
