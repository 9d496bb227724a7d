"""Zip archives: the member that is meant, and archives that are damaged or mean harm."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from geoop.errors import UnreadableFileError
from geoop.io.archive import archive_of, main_member, open_member, unpack_archive
from geoop.io.reading import read
from geoop.io.source import Source

OBJ = b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"


def packed(path: Path, *names: str, data: bytes = OBJ) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name in names:
            bundle.writestr(name, data)
    return path


@pytest.mark.parametrize(
    ("names", "wanted", "expected"),
    [
        (["wing.obj"], "", ("wing.obj", ".obj")),
        (["README.md", "a/WING.OBJ", "a/wing.mtl", "__MACOSX/a/._WING.OBJ", ".hidden/x.stl"], "", ("a/WING.OBJ", ".obj")),
        (["a.obj", "b.obj"], "b.obj", ("b.obj", ".obj")),
        (["a/a.obj", "b/b.obj"], "b", ("b/b.obj", ".obj")),
        (["run.pvd", "run_0.vtu", "run_1.vtu"], "", ("run.pvd", ".pvd")),
        (["x.case", "x.geo", "x.scl"], "", ("x.case", ".case")),
        (["system/controlDict", "constant/polyMesh/points", "0/U"], "", ("", ".foam")),
        (["c/system/controlDict", "c/0/U", "c/processor0/constant/polyMesh/points"], "", ("c", ".foam")),
        (["c/constant/solid/polyMesh/points"], "", ("c", ".foam")),
        (["c/processors4/constant/polyMesh/points"], "", ("c", ".foam")),
        (["a/constant/polyMesh/points", "b/constant/polyMesh/points"], "b", ("b", ".foam")),
        (["a/constant/polyMesh/points", "b/constant/polyMesh/points"], "b/", ("b", ".foam")),
    ],
    ids=lambda value: "+".join(value)[:40] if isinstance(value, list) else None,
)
def test_the_member_that_is_meant(tmp_path, names, wanted, expected):
    assert main_member(packed(tmp_path / "x.zip", *names), wanted) == expected


@pytest.mark.parametrize(
    ("names", "wanted", "message"),
    [
        (["a.obj", "b.obj"], "", "holds 2 files: a.obj, b.obj"),
        (["a/constant/polyMesh/points", "b/system/controlDict"], "", "holds 2 OpenFOAM cases: a, b"),
        (["a.obj"], "c.obj", "holds no 'c.obj'"),
        ([], "", "is empty"),
        (["__MACOSX/x.obj"], "", "is empty"),
    ],
    ids=["files", "cases", "missing", "empty", "hidden"],
)
def test_the_choice_is_left_to_the_user(tmp_path, names, wanted, message):
    with pytest.raises(UnreadableFileError, match=message):
        main_member(packed(tmp_path / "x.zip", *names), wanted)


def test_members_by_path(tmp_path):
    path = packed(tmp_path / "x.zip", "a/wing.obj", "b/wing.obj")
    assert archive_of(path / "a" / "wing.obj") == (path, "a/wing.obj") and archive_of(tmp_path / "wing.obj") is None
    mesh = read(path / "a" / "wing.obj", unit="m")
    assert len(mesh.cells) == 1 and mesh.name == "wing"
    source = Source.find(path / "b" / "wing.obj")
    assert source.where.endswith("x.zip/b/wing.obj") and source.data() == OBJ
    with source.file() as plain:
        assert plain.read_bytes() == OBJ and (plain.parents[1] / "a" / "wing.obj").exists()
    assert not plain.exists()


@pytest.mark.parametrize("name", ["../out.obj", "a/../../out.obj", "/out.obj", "..\\out.obj", "C:/out.obj"])
def test_names_that_leave_the_folder_are_refused(tmp_path, name):
    path = packed(tmp_path / "x.zip", "good.obj", name)
    with pytest.raises(UnreadableFileError, match="outside the folder"):
        unpack_archive(path, tmp_path / "inside")
    assert not (tmp_path / "out.obj").exists() and not (tmp_path / "inside").exists()


def test_absurd_sizes_are_refused(tmp_path):
    path = packed(tmp_path / "x.zip", "zeros.obj", data=bytes(10_000_000))
    data = path.read_bytes()
    where = data.rindex(b"PK\x01\x02") + 24  # the unpacked size in the central directory
    path.write_bytes(data[:where] + (4_000_000_000).to_bytes(4, "little") + data[where + 4 :])
    with pytest.raises(UnreadableFileError, match="claim to unpack to 4000000000"):
        unpack_archive(path, tmp_path / "inside")


@pytest.mark.parametrize("share", [0.3, 0.7, 0.98])
def test_truncated_archives(tmp_path, share):
    path = packed(tmp_path / "x.zip", "a.obj", "b.obj", data=OBJ * 100)
    path.write_bytes(path.read_bytes()[: int(len(path.read_bytes()) * share)])
    with pytest.raises(UnreadableFileError, match="cannot be unpacked"):
        main_member(path, "")


@pytest.mark.parametrize("seed", range(40))
def test_flipped_bytes_never_leak_an_error(tmp_path, seed):
    import random

    rng = random.Random(seed)
    path = packed(tmp_path / "x.zip", "a.obj", data=OBJ * 30)
    data = bytearray(path.read_bytes())
    for _ in range(3):
        data[rng.randrange(len(data))] = rng.randrange(256)
    path.write_bytes(bytes(data))
    try:
        member, _ = main_member(path, "")
        with open_member(path, member) as handle:
            handle.read()
        unpack_archive(path, tmp_path / "inside")
    except UnreadableFileError:
        pass


def test_encrypted_members(tmp_path):
    path = packed(tmp_path / "x.zip", "a.obj")
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(data))
    with pytest.raises(UnreadableFileError, match="encrypted archives are not read"):
        read(path, unit="m")


def test_an_archive_of_nothing_but_names_that_leave_it_says_so(tmp_path):
    with pytest.raises(UnreadableFileError, match="'../../evil.stl' would be written outside the folder"):
        main_member(packed(tmp_path / "x.zip", "../../evil.stl"), "")
