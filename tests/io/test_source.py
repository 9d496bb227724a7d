"""Finding and decompressing files."""

from __future__ import annotations

import bz2
import gzip

import pytest

from geoop.errors import UnreadableFileError
from geoop.io.reading import read
from geoop.io.source import Source

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
    with pytest.raises(UnreadableFileError, match="foamToVTK"):
        read(tmp_path / "case")
    with pytest.raises(UnreadableFileError, match="0 bytes"):
        read(tmp_path / "wing.stl")
    (tmp_path / "wing.obj.gz").write_bytes(gzip.compress(b""))
    with pytest.raises(UnreadableFileError, match="0 bytes"):
        read(tmp_path / "wing.obj.gz", unit="m")
    with pytest.raises(UnreadableFileError, match="a path is needed"):
        read(None)  # type: ignore[arg-type]
