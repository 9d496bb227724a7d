"""SU2: markers kept, sections in any order, damage refused."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.errors import InvalidMeshError, UnreadableFileError, UnsupportedFormatError
from geoop.io.reading import read
from geoop.mesh.cells import CELL_TYPES
from geoop.mesh.measure import signed_measures

PLANE = """% a square of one quad and two triangles
NDIME= 2
NELEM= 3
9 0 1 4 3 0
5 1 2 5 1  % index behind
5 1 5 4 2
NPOIN= 6
0.0 0.0 0
1.0 0.0 1
2.0 0.0 2
0.0 1.0 3
1.0 1.0 4
2.0 1.0D0 5
NMARK= 2
MARKER_TAG= wall
MARKER_ELEMS= 2
3 0 1
3 1 2
MARKER_TAG= far field
MARKER_ELEMS= 1
3 5 4
"""
SPACE = """NDIME=3
NPOIN=9 9
0 0 0
1 0 0
1 1 0
0 1 0
0 0 1
1 0 1
1 1 1
0 1 1
0.5 0.5 2
NMARK=1
MARKER_TAG=floor
MARKER_ELEMS=1
9 0 1 2 3
NELEM=2
12 0 1 2 3 4 5 6 7
14 4 5 6 7 8 1
"""


def save(folder, text):
    (folder / "part.su2").write_text(text)
    return folder / "part.su2"


def test_plane_mesh(tmp_path):
    mesh = read(save(tmp_path, PLANE))
    assert mesh.dimension == 2 and np.array_equal(mesh.points[5], [2, 1])
    assert [list(c) for c in mesh.cells] == [[0, 1, 4, 3], [1, 2, 5], [1, 5, 4]]
    assert {name: cells.block("line").tolist() for name, cells in mesh.patches.items()} == {"wall": [[0, 1], [1, 2]], "far field": [[5, 4]]}


def test_space_mesh_in_another_order(tmp_path):
    mesh = read(save(tmp_path, SPACE))
    assert mesh.dimension == 3 and mesh.cells.names == ["hexahedron", "pyramid"]
    assert mesh.cells.block("pyramid").tolist() == [[4, 5, 6, 7, 8]] and mesh.patches["floor"].block("quad").tolist() == [[0, 1, 2, 3]]


def test_every_element_type(tmp_path):
    points = "".join(f"{i} {i % 3} {i % 2}\n" for i in range(20))
    rows = {5: 3, 9: 4, 10: 4, 12: 8, 13: 6, 14: 5, 24: 10, 25: 20}
    elements = "".join(f"{code} {' '.join(map(str, range(count)))} {i}\n" for i, (code, count) in enumerate(rows.items()))
    mesh = read(save(tmp_path, f"NDIME= 3\nNELEM= {len(rows)}\n{elements}NPOIN= 20\n{points}NMARK= 0\n"))
    assert mesh.cells.types.tolist() == list(rows) and np.diff(mesh.cells.offsets).tolist() == list(rows.values())
    assert any("triangle" in note and "quad" in note for note in mesh.notes)


def test_what_is_left_out_is_said(tmp_path):
    text = PLANE.replace("NMARK= 2", "NMARK= 3") + "MARKER_TAG= SEND_RECEIVE\nMARKER_ELEMS= 1\nSEND_TO= 1\n1 0 0\n"
    text += "NPERIODIC= 1\nPERIODIC_INDEX= 0\n0 0 0\nFFD_NBOX= 1\nFFD_TAG= BOX\nAOA_OFFSET= 2.0\nMOOD= good\n"
    mesh = read(save(tmp_path, text))
    notes = " ".join(mesh.notes)
    assert sorted(mesh.patches) == ["far field", "wall"]
    assert all(word in notes for word in ("SEND_RECEIVE", "periodic", "deformation", "AOA_OFFSET= 2.0", "MOOD"))
    again = read(save(tmp_path, PLANE.replace("far field", "wall")))
    assert len(again.patches["wall"]) == 3 and any("several times" in note for note in again.notes)


@pytest.mark.parametrize(
    ("old", "new", "kind", "words"),
    [
        (PLANE[-40:], "", UnreadableFileError, "2 rows announced, 3 found"),
        (PLANE[-6:], "", UnreadableFileError, "1 rows announced, 0 found"),
        (PLANE[PLANE.index("NPOIN") :], "", UnreadableFileError, "NPOIN= is missing"),
        (PLANE, "nothing here\n", UnreadableFileError, "not an SU2 mesh"),
        ("NELEM= 3", "NELEM= 4", UnreadableFileError, "4 rows announced, 3 found"),
        ("NELEM= 3", "NELEM= three", UnreadableFileError, "not a count"),
        ("NDIME= 2", "NDIME= 4", UnreadableFileError, "expected 2 or 3"),
        ("NDIME= 2", "NZONE= 2\nIZONE= 1\nNDIME= 2", UnreadableFileError, "NZONE= 2, but 1 zones"),
        ("NDIME= 2", "NDIME= 2\nNDIME= 2", UnreadableFileError, "NDIME= occurs 2 times"),
        ("9 0 1 4 3 0", "115 0 1 4 3 0", UnsupportedFormatError, "element types \\[115\\]"),
        ("9 0 1 4 3 0", "109 0 1 4 3 0", UnreadableFileError, "quad of degree 2 has 9 points"),
        ("0.0 1.0 3", "0.0 1.0 0.5 3", UnreadableFileError, "expected 2 coordinates"),
        ("MARKER_ELEMS= 2\n3 0 1\n3 1 2\n", "", UnreadableFileError, "marker 'wall' has no MARKER_ELEMS"),
        ("9 0 1 4 3 0", "42 0 1 4 3 0", UnsupportedFormatError, "element types \\[42\\]"),
        ("9 0 1 4 3 0", "9 0 1 4", UnreadableFileError, "quad has 4 points"),
        ("9 0 1 4 3 0", "9 0 1 4 17 0", InvalidMeshError, "outside 0..5"),
        ("3 5 4", "3 5 77", InvalidMeshError, "far field"),
        ("0.0 1.0 3", "0.0 nan 3", InvalidMeshError, "NaN"),
        ("0.0 1.0 3", "0.0", UnreadableFileError, "expected 2 coordinates"),
        ("0.0 1.0 3", "0.0 one 3", UnreadableFileError, "'one' is not a number"),
        ("NMARK= 2", "NMARK= 5", UnreadableFileError, "only 2 markers"),
    ],
)
def test_bad_files(tmp_path, old, new, kind, words):
    assert old in PLANE
    with pytest.raises(kind, match=words):
        read(save(tmp_path, PLANE.replace(old, new)))


def zoned(first: str, second: str) -> str:
    return f"NZONE= 2\n\nIZONE= 1\n{first}\nIZONE= 2\n{second}"


def test_zones_of_a_file(tmp_path):
    second = PLANE.replace("1.0 0.0 1", "1.0 -0.5 1").replace("far field", "outlet").replace("NMARK", "AOA_OFFSET= 3\nNMARK")
    mesh = read(save(tmp_path, zoned(PLANE, second)))
    assert len(mesh.points) == 12 and {name: index.tolist() for name, index in mesh.zones.items()} == {"zone 1": [0, 1, 2], "zone 2": [3, 4, 5]}
    assert [list(c) for c in mesh.cells.take(mesh.zones["zone 2"])] == [[6, 7, 10, 9], [7, 8, 11], [7, 11, 10]]
    assert {name: part.block("line").tolist() for name, part in mesh.patches.items()} == {
        "zone 1: wall": [[0, 1], [1, 2]], "far field": [[5, 4]], "zone 2: wall": [[6, 7], [7, 8]], "outlet": [[11, 10]],
    }  # fmt: skip
    said = " ".join(mesh.notes)
    assert "several zones are called by their zone too: wall" in said and "zone 2: AOA_OFFSET= 3 deg" in said
    alone = read(save(tmp_path, f"NZONE= 1\nIZONE= 1\n{PLANE}"))
    assert not alone.zones and sorted(alone.patches) == ["far field", "wall"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (zoned(PLANE, PLANE).replace("NZONE= 2", "NZONE= 3"), "NZONE= 3, but 2 zones"),
        (zoned(PLANE, PLANE).replace("NZONE= 2", "NZONE= 0"), "NZONE= 0"),
        (zoned(PLANE, SPACE), "some zones are 2-D and some 3-D"),
        (zoned(PLANE, PLANE.replace("9 0 1 4 3 0", "9 0 1 4 7 0")), "zone 2: point indices are outside 0..5"),
        (zoned(PLANE, PLANE[:-30]), "zone 2: .*truncated"),
        (zoned(PLANE.replace("9 0 1 4 3 0", "9 0 1 4 7 0"), PLANE), "zone 1: point indices"),
    ],
)
def test_bad_zones(tmp_path, text, words):
    with pytest.raises(UnreadableFileError, match=words):
        read(save(tmp_path, text))


#: Lattice coordinates of the nodes of SU2's elements of a degree, row by row, and the coordinates of their corners.
def lattice(name: str, n: int) -> np.ndarray:
    r = range(n + 1)
    return np.array({
        "line": [(i,) for i in r],
        "triangle": [(i, j) for j in r for i in range(n + 1 - j)],
        "quad": [(i, j) for j in r for i in r],
        "tetra": [(i, j, k) for k in r for j in range(n + 1 - k) for i in range(n + 1 - k - j)],
        "hexahedron": [(i, j, k) for k in r for j in r for i in r],
        "wedge": [(i, j, k) for k in r for j in r for i in range(n + 1 - j)],
        "pyramid": [(i + k / 2, j + k / 2, k) for k in r for j in range(n + 1 - k) for i in range(n + 1 - k)],
    }[name], dtype=float) / n  # fmt: skip


@pytest.mark.parametrize("solution", [0, 10000, 40000])
@pytest.mark.parametrize("degree", [2, 3, 4])
@pytest.mark.parametrize("name", ["triangle", "quad", "tetra", "hexahedron", "wedge", "pyramid"])
def test_elements_of_a_higher_degree_become_their_corners(tmp_path, name, degree, solution):
    """The volume of a straight element is that of its corners."""
    code, dimension, _ = CELL_TYPES[name]
    nodes, ends = lattice(name, degree), lattice(name, 1)
    side = [i for i, x in enumerate(nodes) if not x[1:].any()]  # the edge along x
    rows = f"NDIME= {dimension}\nNELEM= 1\n{code + 100 * (degree - 1) + solution} {' '.join(map(str, range(len(nodes))))}\nNPOIN= {len(nodes)}\n"
    rows += "".join(" ".join(map(repr, row)) + "\n" for row in nodes.tolist())
    marker = f"MARKER_TAG= edge\nMARKER_ELEMS= 1\n{3 + 100 * (degree - 1)} {' '.join(map(str, side))}\n"
    mesh = read(save(tmp_path, f"{rows}NMARK= 1\n{marker}"))
    assert mesh.cells.names == [name] and len(mesh.points) == len(ends)
    assert {tuple(p) for p in mesh.points.tolist()} == {tuple(p) for p in ends.tolist()}
    exact = {"triangle": 1 / 2, "quad": 1, "tetra": 1 / 6, "hexahedron": 1, "wedge": 1 / 2, "pyramid": 1 / 3}[name]
    assert signed_measures(mesh)[0] == pytest.approx(exact)
    assert mesh.points[mesh.patches["edge"].block("line")[0]].tolist() == [[0.0] * dimension, [1.0] + [0.0] * (dimension - 1)]
    assert any("higher degree are reduced" in note and f"{len(nodes) - len(ends)} inner points" in note for note in mesh.notes)


def test_solution_degree_on_a_linear_element_keeps_its_order(tmp_path):
    mesh = read(save(tmp_path, PLANE.replace("9 0 1 4 3 0", "30009 0 1 4 3 0")))
    assert next(iter(mesh.cells)).tolist() == [0, 1, 4, 3] and not any("degree" in note for note in mesh.notes)


def test_numbers_of_partitions_and_periodic_transformations(tmp_path):
    text = PLANE.replace("0.0 0.0 0\n", "0.0 0.0 0 17\n").replace("NPOIN= 6", "NPOIN= 6 5")
    text += "NPERIODIC= 2\nPERIODIC_INDEX= 0\n0 0 0\n0 0 0\n0 0 0\nPERIODIC_INDEX= 1\n0 0 0\n0 0 1.5\n0 2.0 0\n"
    mesh = read(save(tmp_path, text))
    assert len(mesh.points) == 6 and any("index 1 turns by (0 0 1.5) about (0 0 0) and shifts by (0 2.0 0)" in note for note in mesh.notes)


def test_lengths_are_metres_unless_another_unit_is_said(tmp_path):
    assert read(save(tmp_path, PLANE)).bounds[1, 0] == read(save(tmp_path, PLANE), unit="m").bounds[1, 0] == 2
    assert read(save(tmp_path, PLANE), unit="mm").bounds[1, 0] == pytest.approx(2e-3)


@pytest.mark.parametrize(
    ("file", "points", "cells", "patches"),
    [
        ("buoyancy_cavity/mesh_cavity_65x65.su2", 4225, {"quad": 4096}, {"lower": 64, "right": 64, "upper": 64, "left": 64}),
        ("cylinder_inc/mesh_cylinder_lam_ffd.su2", 13336, {"triangle": 26192}, {"cylinder": 400, "farfield": 80}),
        ("fsi_airfoil_rbf/meshFEA.su2", 801, {"quad": 704}, {"clamped": 8, "suction_side_s": 92, "pressure_side_s": 92}),
        ("fsi_airfoil_rbf/meshFlow.su2", 15504, {"quad": 15300}, {"farfield": 204, "leading_edge": 58, "suction_side": 73, "pressure_side": 73}),
        ("naca0012_euler_fixedcl/mesh_NACA0012_inv.su2", 5233, {"triangle": 10216}, {"airfoil": 200, "farfield": 50}),
        ("naca0012_rans/n0012_225-65.su2", 14576, {"quad": 14336}, None),
    ],
)
def test_real_meshes(shared_data, file, points, cells, patches):
    mesh = read(shared_data / "su2" / file)
    assert mesh.dimension == 2 and len(mesh.points) == points
    assert {name: len(mesh.cells.where(name)) for name in mesh.cells.names} == cells
    assert patches is None and len(mesh.patches) == 2 or {name: len(part) for name, part in mesh.patches.items()} == patches
    used = np.unique(mesh.cells.connectivity)
    assert len(used) == points  # every point belongs to a cell
