"""Finding and decompressing files."""

from __future__ import annotations

import bz2
import gzip
import zipfile

import pytest

from geoop.errors import UnreadableFileError
from geoop.io.reading import read
from geoop.io.source import Source, is_openfoam_case

OBJ = b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"


def test_compressed_files_are_the_same_mesh(tmp_path):
    (tmp_path / "part.obj").write_bytes(OBJ)
    (tmp_path / "part.obj.gz").write_bytes(gzip.compress(OBJ))
    (tmp_path / "part.OBJ.BZ2").write_bytes(bz2.compress(OBJ))
    meshes = [read(tmp_path / name, unit="m") for name in ("part.obj", "part.obj.gz", "part.OBJ.BZ2")]
    assert len({mesh.content_hash for mesh in meshes}) == 1 and {mesh.name for mesh in meshes} == {"part"}


def test_readers_that_need_a_file_get_one(tmp_path):
    (tmp_path / "part.obj.gz").write_bytes(gzip.compress(OBJ))
    source = Source.find(tmp_path / "part.obj.gz")
    with source.file() as plain:
        assert plain.name == "part.obj" and plain.read_bytes() == OBJ
    assert not plain.exists()


@pytest.mark.parametrize("name", ["part.obj.gz", "part.obj.bz2"])
def test_damaged_archives(tmp_path, name):
    whole = gzip.compress(OBJ * 500) if name.endswith("gz") else bz2.compress(OBJ * 500)
    for data in (whole[: len(whole) // 2], whole[:40] + b"\xff" * 20 + whole[60:], OBJ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(UnreadableFileError, match="cannot be decompressed|seems to be"):
            read(tmp_path / name, unit="m")


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b"\r\n"])
def test_byte_order_marks_and_blank_lines_cost_no_point(tmp_path, before):
    (tmp_path / "part.obj").write_bytes(before + OBJ)
    assert len(read(tmp_path / "part.obj", unit="m").points) == 3
    (tmp_path / "part.csv").write_bytes(before + b"x,y,z\n0,0,0\n1,1,1\n")
    assert len(read(tmp_path / "part.csv", unit="m").points) == 2


def test_missing_files_suggest_names(tmp_path):
    (tmp_path / "wing.stl").write_bytes(b"x")
    with pytest.raises(UnreadableFileError, match="no such file.*\n.*did you mean '.*wing.stl'"):
        read(tmp_path / "wings.stl")
    with pytest.raises(UnreadableFileError, match="holds wing.stl"):
        read(tmp_path / "something-else.vtu")
    with pytest.raises(UnreadableFileError, match="there is no folder"):
        read(tmp_path / "nowhere" / "wing.stl")


def test_folders_empty_files_and_wrong_arguments(tmp_path):
    (tmp_path / "wing.stl").write_bytes(b"")
    with pytest.raises(UnreadableFileError, match="is a folder.*\n.*wing.stl"):
        read(tmp_path)
    (tmp_path / "case" / "system").mkdir(parents=True)
    (tmp_path / "case" / "system" / "controlDict").write_text("")
    with pytest.raises(UnreadableFileError, match="the case has no mesh"):
        read(tmp_path / "case")
    with pytest.raises(UnreadableFileError, match="0 bytes"):
        read(tmp_path / "wing.stl")
    (tmp_path / "wing.obj.gz").write_bytes(gzip.compress(b""))
    with pytest.raises(UnreadableFileError, match="0 bytes"):
        read(tmp_path / "wing.obj.gz", unit="m")
    with pytest.raises(UnreadableFileError, match="a path is needed"):
        read(None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "inside",
    ["system/controlDict", "constant/polyMesh/points", "constant/air/polyMesh/points", "processor0/0/U", "processors4/0/U"],
)
def test_folders_of_openfoam_cases_are_known_and_others_are_not(tmp_path, inside):
    case = tmp_path / "case"
    assert not is_openfoam_case(tmp_path)
    (case / inside).parent.mkdir(parents=True)
    (case / inside).write_text("x")
    assert is_openfoam_case(case)
    (case / "case.foam").touch()
    for source in (Source.find(case, 2.5), Source.find(case / "case.foam", 2.5)):
        assert (source.suffix, source.stem, source.time, source.head(), source.is_case_folder) == (".foam", "case", 2.5, b"", True)
        with source.file() as folder:
            assert folder == case
    assert Source.find(case).size == 1


@pytest.mark.parametrize(("inside", "asked", "stem"), [("", "", "pack"), ("a/b/", "", "b"), ("a/b/", "/a/b", "b"), ("a/b/", "/a/b/x.foam", "b")])
def test_openfoam_cases_in_archives_are_unpacked_for_as_long_as_needed(tmp_path, inside, asked, stem):
    with zipfile.ZipFile(tmp_path / "pack.zip", "w") as bundle:
        bundle.writestr(f"{inside}system/controlDict", "x")
        bundle.writestr(f"{inside}x.foam", "")
    source = Source.find(f"{tmp_path / 'pack.zip'}{asked}")
    assert source.suffix == ".foam" and source.stem == stem and source.head() == b""
    with source.file() as folder:
        assert (folder / "system" / "controlDict").read_text() == "x"
    assert not folder.exists()


def test_a_file_of_another_format_is_no_marker(tmp_path):
    (tmp_path / "mesh.foam").write_bytes(OBJ)
    with pytest.raises(UnreadableFileError, match="is named '.foam' but its content seems to be"):
        read(tmp_path / "mesh.foam")


def test_text_of_any_encoding(tmp_path):
    for number, data in enumerate((b"caf\xc3\xa9", b"caf\xe9", "caf\xe9".encode("utf-16"), b"\xef\xbb\xbfcaf\xc3\xa9")):
        path = tmp_path / f"{number}.txt"
        path.write_bytes(data)
        assert Source.find(path).text() == "caf\xe9"


def test_folders_with_and_inside_of_openfoam_cases(tmp_path):
    for case in ("OpenFOAM/cavity", "OpenFOAM/runs/deep"):
        for inside in ("system", "constant/polyMesh", "0.5", "VTK"):
            (tmp_path / case / inside).mkdir(parents=True)
        (tmp_path / case / "system" / "controlDict").write_text("x")
        (tmp_path / case / "VTK" / "a.vtk").write_text("x")
    with pytest.raises(UnreadableFileError, match="one of the OpenFOAM cases in it: '.*OpenFOAM/cavity', '.*OpenFOAM/runs/deep'"):
        Source.find(tmp_path / "OpenFOAM")
    with pytest.raises(UnreadableFileError, match="give the OpenFOAM case in it: '.*OpenFOAM/runs/deep'"):
        Source.find(tmp_path / "OpenFOAM" / "runs")
    for inside in ("system", "constant", "constant/polyMesh", "0.5"):
        with pytest.raises(UnreadableFileError, match="give the folder of the case, '.*OpenFOAM/cavity'$"):
            Source.find(tmp_path / "OpenFOAM" / "cavity" / inside)
    with pytest.raises(UnreadableFileError, match="the case, '.*OpenFOAM/cavity', or one of its files: a.vtk"):
        Source.find(tmp_path / "OpenFOAM" / "cavity" / "VTK")
