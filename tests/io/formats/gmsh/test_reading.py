"""Gmsh: four variants of the format, groups as patches and zones, damage refused."""

from __future__ import annotations

import meshio
import numpy as np
import pytest

from geoop.errors import UnreadableFileError, UnsupportedFormatError
from geoop.io.reading import read, read_case

VARIANTS = [("gmsh22", False), ("gmsh22", True), ("gmsh", False), ("gmsh", True)]

#: A square of two triangles with groups that overlap, as Gmsh 4.1 writes it.
FOUR = """$MeshFormat
4.1 0 8
$EndMeshFormat
$PhysicalNames
4
1 1 "wall"
1 2 "all edges"
2 7 "fluid"
2 8 "left half"
$EndPhysicalNames
$Entities
1 2 2 0
1 0 0 0 0
1 0 0 0 1 0 0 2 1 2 2 1 -1
2 1 0 0 1 1 0 1 2 2 1 -1
5 0 0 0 1 1 0 2 7 8 2 1 2
6 0 0 0 1 1 0 1 7 2 1 2
$EndEntities
$Nodes
2 5 10 50
2 5 0 3
10
30
20
0 0 0
1 1 0
1 0 0
2 6 1 2
40
50
0 1 0 0.1 0.2
9 9 0 0.1 0.2
$EndNodes
$Elements
4 4 1 4
1 1 1 1
1 10 20
1 2 1 1
2 20 30
2 5 2 1
3 10 20 30
2 6 2 1
4 10 30 40
$EndElements
$Unknown
whatever
$EndUnknown
$ElementData
1
"pressure [Pa]"
1
0.0
3
0
1
2
4 44.0
3 33.0
$EndElementData
"""


def tetra_mesh() -> meshio.Mesh:
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], dtype=float)
    cells = [("tetra", [[0, 1, 2, 3], [1, 2, 3, 4]]), ("triangle", [[0, 2, 1], [0, 1, 3]])]
    groups = [np.array([11, 12]), np.array([21, 22])]
    data = {"gmsh:physical": groups, "gmsh:geometrical": groups, "stress [Pa]": [np.array([1.0, 2.0]), np.array([0.0, 0.0])]}
    names = {"porous": np.array([11, 3]), "free": np.array([12, 3]), "inlet": np.array([21, 2]), "my wall": np.array([22, 2])}
    return meshio.Mesh(points, cells, cell_data=data, field_data=names, point_data={"velocity [m/s]": points * 2.0})


@pytest.mark.parametrize(("variant", "binary"), VARIANTS)
def test_groups_and_data_of_another_writer(tmp_path, variant, binary):
    mesh = tetra_mesh()
    if variant == "gmsh":  # 4.1 keeps groups with entities, which meshio writes only when the nodes say which entity they are on
        mesh.point_data["gmsh:dim_tags"] = np.array([[3, 11]] * 4 + [[3, 12]])
    path = tmp_path / "part.msh"
    meshio.write(path, mesh, file_format=variant, binary=binary)
    case = read_case(path)
    assert case.mesh.dimension == 3 and case.mesh.cells.block("tetra").tolist() == [[0, 1, 2, 3], [1, 2, 3, 4]]
    assert np.array_equal(case.mesh.points, mesh.points)
    if variant == "gmsh22":
        assert {name: cells.block("triangle").tolist() for name, cells in case.mesh.patches.items()} == {"inlet": [[0, 2, 1]], "my wall": [[0, 1, 3]]}
        assert {name: index.tolist() for name, index in case.mesh.zones.items()} == {"porous": [0], "free": [1]}
    assert np.array_equal(case.field("velocity").values, mesh.points * 2.0)
    assert (
        case.field("stress").location == "cell" and case.field("stress").values.tolist() == [1.0, 2.0] and case.field("stress").quantity.unit == "Pa"
    )


def test_overlapping_groups_sparse_numbers_and_a_plane(tmp_path):
    (tmp_path / "part.msh").write_text(FOUR)
    case = read_case(tmp_path / "part.msh")
    mesh = case.mesh
    assert mesh.dimension == 2 and np.array_equal(mesh.points, [[0, 0], [1, 1], [1, 0], [0, 1]])  # node 50 is used by nobody
    assert mesh.cells.block("triangle").tolist() == [[0, 2, 1], [0, 1, 3]]
    assert {name: part.block("line").tolist() for name, part in mesh.patches.items()} == {"wall": [[0, 2]], "all edges": [[0, 2], [2, 1]]}
    assert {name: index.tolist() for name, index in mesh.zones.items()} == {"fluid": [0, 1], "left half": [0]}
    assert case.field("pressure").values.tolist() == [33.0, 44.0]
    notes = " ".join(mesh.notes)
    assert "two-dimensional" in notes and "1 nodes" in notes and "Unknown" in notes


def test_surface_in_space_has_its_groups_as_patches(tmp_path):
    (tmp_path / "part.msh").write_text(FOUR.replace("1 1 0\n1 0 0\n", "1 1 3\n1 0 0\n"))
    mesh = read(tmp_path / "part.msh")
    assert mesh.dimension == 3 and {name: len(part) for name, part in mesh.patches.items()} == {"fluid": 2, "left half": 1}
    assert any("wall" in note and "curves" in note for note in mesh.notes)


def test_without_groups_the_geometry_gives_the_names(tmp_path):
    text = (
        FOUR.replace(" 2 1 2 2 1 -1", " 0 2 1 -1")
        .replace(" 1 2 2 1 -1", " 0 2 1 -1")
        .replace(" 2 7 8 2 1 2", " 0 2 1 2")
        .replace(" 1 7 2 1 2", " 0 2 1 2")
    )
    (tmp_path / "part.msh").write_text(text)
    assert {name: len(part) for name, part in read(tmp_path / "part.msh").patches.items()} == {"curve 1": 1, "curve 2": 1}


def test_element_in_two_groups_is_one_cell(tmp_path):
    text = (
        '$MeshFormat\n2.2 0 8\n$EndMeshFormat\n$PhysicalNames\n2\n2 1 "a"\n2 2 "b"\n$EndPhysicalNames\n'
        "$Nodes\n4\n1 0 0 0\n2 1 0 0\n3 1 1 0\n4 0 1 0\n$EndNodes\n"
    )
    text += "$Elements\n4\n1 2 2 1 5 1 2 3\n2 2 3 2 5 0 1 2 3\n3 15 2 0 1 1\n4 2 2 1 6 1 3 4\n$EndElements\n"
    (tmp_path / "part.msh").write_text(text)
    mesh = read(tmp_path / "part.msh")
    assert len(mesh.cells) == 2
    corners = {name: sorted(map(tuple, mesh.cells.take(index).block("triangle").tolist())) for name, index in mesh.zones.items()}
    assert corners == {"a": [(0, 1, 2), (0, 2, 3)], "b": [(0, 1, 2)]}


@pytest.mark.parametrize("name", ["line3", "triangle6", "quad8", "quad9", "tetra10", "hexahedron20", "wedge", "pyramid", "hexahedron", "quad"])
@pytest.mark.parametrize(("variant", "binary"), VARIANTS)
def test_point_order_of_every_type(tmp_path, name, variant, binary):
    count = meshio._mesh.num_nodes_per_cell[name]
    points = np.random.default_rng(0).random((count, 3))
    meshio.write(tmp_path / "part.msh", meshio.Mesh(points, [(name, [list(range(count))])]), file_format=variant, binary=binary)
    mesh = read(tmp_path / "part.msh")
    assert mesh.cells.block(name).shape == (1, count) and np.array_equal(mesh.points[mesh.cells.block(name)[0]], points)


@pytest.mark.parametrize(
    ("old", "new", "kind", "words"),
    [
        (FOUR[200:], "", UnreadableFileError, "truncated"),
        ("$EndElements", "", UnreadableFileError, "truncated"),
        ("4.1 0 8", "4.0 0 8", UnsupportedFormatError, "format 4.0"),
        ("$MeshFormat\n4.1 0 8\n$EndMeshFormat\n", "", UnreadableFileError, "not a Gmsh mesh"),
        ("4 10 30 40", "4 10 30 999", UnreadableFileError, "first node 999"),
        ("4 10 30 40\n", "", UnreadableFileError, "ends too early"),
        ("2 6 2 1\n", "2 6 92 1\n", UnsupportedFormatError, "element type 92"),
        ("4 10 30 40", "4 10 thirty 40", UnreadableFileError, "'thirty' is not a number"),
        ("$Entities", "$PartitionedEntities\n$EndPartitionedEntities\n$Entities", UnreadableFileError, "PartitionedEntities ends too early"),
    ],
)
def test_bad_files(tmp_path, old, new, kind, words):
    assert old in FOUR
    (tmp_path / "part.msh").write_text(FOUR.replace(old, new))
    with pytest.raises(kind, match=words):
        read(tmp_path / "part.msh")


@pytest.mark.parametrize(("variant", "binary"), VARIANTS)
@pytest.mark.parametrize("share", [0.2, 0.6, 0.9])
def test_truncated(tmp_path, variant, binary, share):
    path = tmp_path / "part.msh"
    meshio.write(
        path, meshio.Mesh(np.random.default_rng(0).random((50, 3)), [("tetra", np.arange(48).reshape(12, 4))]), file_format=variant, binary=binary
    )
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(UnreadableFileError):
        read(path)


def test_mixed_types_by_turns_in_two_point_two(tmp_path):
    n = 3000
    rows = [f"{i + 1} 2 2 1 1 1 2 3" if i % 2 else f"{i + 1} 3 2 1 1 1 2 3 4" for i in range(n)]
    nodes = "".join(f"{i + 1} {i} {i * i} {i % 2}\n" for i in range(n + 4))
    rows = [f"{i + 1} 2 2 1 1 {i + 1} {i + 2} {i + 3}" if i % 2 else f"{i + 1} 3 2 1 1 {i + 1} {i + 2} {i + 3} {i + 4}" for i in range(n)]
    text = f"$MeshFormat\n2.2 0 8\n$EndMeshFormat\n$Nodes\n{n + 4}\n{nodes}$EndNodes\n$Elements\n{n}\n" + "\n".join(rows) + "\n$EndElements\n"
    (tmp_path / "part.msh").write_text(text)
    mesh = read(tmp_path / "part.msh")
    assert len(mesh.cells.where("triangle")) == n // 2 and len(mesh.cells.where("quad")) == n // 2


def test_real_surface(shared_data):
    mesh = read(shared_data / "geometry" / "cessna_surface.msh")
    assert mesh.dimension == 3 and len(mesh.points) == 11770 and len(mesh.cells.where("triangle")) == 23536


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("name", ["old.msh", "old.stl"])
def test_format_1_is_recognised(tmp_path, end, name):
    lines = ["$NOD", "3", "1 0 0 0", "2 1 0 0", "3 0 1 0", "$ENDNOD", "$ELM", "1", "1 2 1 1 3 1 2 3", "$ENDELM", ""]
    (tmp_path / name).write_bytes(end.join(lines).encode())
    with pytest.raises(UnreadableFileError, match="format 1") as caught:
        read(tmp_path / name)
    assert ("-save -format msh41" if name == "old.msh" else "'old.msh'") in caught.value.remedy


def test_names_with_quotes_are_whole(tmp_path):
    path = tmp_path / "four.msh"
    path.write_text(FOUR.replace('"left half"', '"the "left" half of 3\\" pipe"'))
    assert 'the "left" half of 3\\" pipe' in read(path).zones
