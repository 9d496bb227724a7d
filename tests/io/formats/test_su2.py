"""SU2: markers kept, sections in any order, damage refused."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.errors import InvalidMeshError, UnitError, UnreadableFileError, UnsupportedFormatError
from geoop.io.reading import read

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
        ("NDIME= 2", "NZONE= 2\nIZONE= 1\nNDIME= 2", UnsupportedFormatError, "2 zones"),
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


def test_unit_is_metres(tmp_path):
    assert read(save(tmp_path, PLANE), unit="m").bounds[1, 0] == 2
    with pytest.raises(UnitError, match="solver format"):
        read(save(tmp_path, PLANE), unit="mm")


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
