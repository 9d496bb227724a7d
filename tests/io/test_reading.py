"""One door to every format: units, names, notes, errors, and nothing but geoop's errors from damaged files."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from geoop.errors import GeoopError, InvalidMeshError, UnitError, UnreadableFileError
from geoop.io.contents import Contents, check_contents, flattened
from geoop.io.formats.table import FORMATS
from geoop.io.reading import read, read_case
from geoop.mesh.cells import Cells

WITHOUT_UNIT = {suffix for form in FORMATS if form.length == "unit" for suffix in form.suffixes}
MOTORBIKE = 132871, 331653, 67


def test_name_unit_and_notes(tmp_path):
    trimesh.creation.box().export(tmp_path / "box.stl")
    case = read_case(tmp_path / "box.stl", unit="cm", name="my box")
    assert case.name == case.mesh.name == "my box" and read(str(tmp_path / "box.stl"), unit="m").name == "box"
    assert np.ptp(case.mesh.points) == pytest.approx(0.01) and "lengths are read in cm and stored in m" in case.mesh.notes
    with pytest.raises(UnitError, match="extent 1 x 1 x 1"):
        read(tmp_path / "box.stl")
    with pytest.raises(UnitError, match="did you mean 'mm'"):
        read(tmp_path / "box.stl", unit="mmm")


def test_units_are_asked_for_where_the_file_does_not_say_them():
    assert set(WITHOUT_UNIT) >= {".stl", ".obj", ".ply", ".off", ".glb", ".csv", ".xyz", ".npy"}
    assert {suffix for form in FORMATS if form.length == "metres" for suffix in form.suffixes} >= {
        ".vtu",
        ".vtp",
        ".vtk",
        ".vts",
        ".vtr",
        ".vti",
        ".msh",
        ".su2",
    }


def test_all_problems_in_one_error():
    contents = Contents(np.array([[0, 0, np.nan], [1, 0, 0], [0, 1, 0]]), Cells.of(triangle=[[0, 1, 7]]), {"wall": Cells.of(triangle=[[0, -1, 2]])})
    with pytest.raises(InvalidMeshError) as caught:
        check_contents(contents, cloud=False, where="a.vtu")
    assert all(words in str(caught.value) for words in ("1 of 3 points have NaN", "first point 0", "cells: 1 point indices", "patch 'wall'", "a.vtu"))
    with pytest.raises(UnreadableFileError, match="no cells"):
        check_contents(Contents(np.zeros((2, 3))), cloud=False, where="a.obj")
    check_contents(Contents(np.zeros((2, 3))), cloud=True, where="a.ply")


def test_flattening():
    points = np.array([[0, 0, 2.0], [1, 0, 2.0], [0, 1, 2.0]])
    assert flattened(points, 2)[0].shape == (3, 2) and "z = 2" in flattened(points, 2)[1][0]
    assert flattened(points, 3)[0].shape == (3, 3) and flattened(points + np.eye(3), 2)[0].shape == (3, 3)


@pytest.mark.parametrize(
    ("file", "points", "cells", "patches"),
    [
        ("motorBike.obj.gz", *MOTORBIKE),
        ("NACA0012.obj.gz", 7996, 15988, 1),
        ("propeller.obj.gz", 19097, 37240, 2),
        ("cessna_surface.msh", 11770, 23536, 0),
        ("trimesh/bunny.ply", 8171, 16301, 0),
        ("trimesh/chair_model.obj", 3186, 12756, 4),
        ("trimesh/fandisk.obj", 2877, 5750, 0),
        ("trimesh/not_convex.obj", 288, 96, 0),
        ("trimesh/featuretype.STL", 2010, 3476, 0),
        ("trimesh/multibody.stl", 20, 32, 2),
        ("trimesh/origin_inside.STL", 16, 28, 0),
        ("trimesh/plate_holes.STL", 618, 1252, 0),
        ("trimesh/points_bin.ply", 5, 0, 0),
        ("trimesh/round.stl", 560, 1120, 0),
        ("trimesh/soup.stl", 300, 100, 0),
        ("trimesh/teapot.stl", 480, 894, 0),
        ("trimesh/unit_cube.STL", 8, 12, 0),
        ("trimesh/empty.stl", "no triangles", 0, 0),
        ("trimesh/empty.ply", "no points", 0, 0),
        ("uiuc_airfoils.tar.gz", "tar archive", 0, 0),
        ("uiuc_LICENSE.txt", "not numbers", 0, 0),
    ],
)
def test_real_files(shared_data, file, points, cells, patches):
    path = shared_data / "geometry" / file
    unit = {} if file.endswith(".msh") else {"unit": "m"}
    if isinstance(points, str):
        with pytest.raises(UnreadableFileError, match=points):
            read(path, **unit)
        return
    mesh = read(path, **unit)
    assert (len(mesh.points), len(mesh.cells), len(mesh.patches)) == (points, cells, patches)
    assert not patches or sum(len(part) for part in mesh.patches.values()) == cells  # every facet belongs to one patch


SEEDS = {
    ".stl": (trimesh.creation.icosphere(1).export(file_type="stl"), trimesh.creation.box().export(file_type="stl_ascii").encode()),
    ".obj": (trimesh.creation.box().export(file_type="obj").encode(), b"v 0 0 0\nv 1 0 0\nv 0 1 0\ng a\nf 1/1/1 2//2 -1\nl 1 2 3\n"),
    ".ply": (trimesh.creation.box().export(file_type="ply"), trimesh.creation.box().export(file_type="ply", encoding="ascii")),
    ".off": (trimesh.creation.box().export(file_type="off").encode(),),
    ".su2": (
        b"NDIME= 2\nNELEM= 2\n5 0 1 2 0\n5 0 2 3 1\nNPOIN= 4\n0 0 0\n1 0 1\n1 1 2\n0 1 3\nNMARK= 1\nMARKER_TAG= wall\nMARKER_ELEMS= 1\n3 0 1\n",
    ),
    ".msh": (
        b'$MeshFormat\n2.2 0 8\n$EndMeshFormat\n$PhysicalNames\n1\n2 1 "a"\n$EndPhysicalNames\n'
        b"$Nodes\n3\n1 0 0 0\n2 1 0 0\n3 1 1 1\n$EndNodes\n$Elements\n1\n1 2 2 1 5 1 2 3\n$EndElements\n",
        b"$MeshFormat\n4.1 0 8\n$EndMeshFormat\n$Nodes\n1 3 1 3\n2 1 0 3\n1\n2\n3\n0 0 0\n1 0 0\n1 1 1\n$EndNodes\n"
        b"$Elements\n1 1 1 1\n2 1 2 1\n1 1 2 3\n$EndElements\n",
    ),
    ".dat": (b"NAME\n1 0\n0.5 0.1\n0.1 0.07\n0 0\n0.1 -0.05\n0.5 -0.04\n1 0\n", b"NAME\n3 3\n\n0 0\n0.5 0.1\n1 0\n\n0 0\n0.5 -0.1\n1 0\n"),
    ".csv": (b"x,y,z,pressure [Pa]\n0,0,0,1\n1,2,3,4\n",),
}


@pytest.mark.parametrize("suffix", SEEDS)
def test_mutated_files_give_a_sound_mesh_or_an_error_of_ours(tmp_path, suffix):
    rng = np.random.default_rng(5)
    path = tmp_path / f"mutant{suffix}"
    unit = {"unit": "m"} if suffix in WITHOUT_UNIT else {}
    read_count, said = 0, []
    for k in range(120):
        data = bytearray(SEEDS[suffix][k % len(SEEDS[suffix])])
        for _ in range(int(rng.integers(1, 5))):
            at, kind = int(rng.integers(len(data))), int(rng.integers(4))
            if kind == 0:
                data[at] = int(rng.integers(256))
            elif kind == 1:
                del data[at : at + int(rng.integers(1, 20))]
            elif kind == 2:
                data[at:at] = bytes(rng.choice([b"9999999999", b"-1", b" nan ", b"1e400", b"\n", b" ", b"\xff\xfe"]))
            else:
                data[at:at] = data[at : at + 30]
            data = data or bytearray(b"x")
        path.write_bytes(bytes(data))
        try:
            mesh = read(path, **unit)
        except GeoopError as error:
            said.append(bool(error.remedy) and str(path) in str(error))
        else:
            read_count += 1
            assert np.isfinite(mesh.points).all() and len(mesh.points) and (not len(mesh.cells) or mesh.cells.connectivity.max() < len(mesh.points))
    assert all(said) and read_count > 0  # some mutations are harmless
