"""Files under a false name: the error says what they are."""

from __future__ import annotations

import gzip
import re

import meshio
import numpy as np
import pytest
import pyvista as pv
import trimesh

from geoop.errors import UnreadableFileError, UnsupportedFormatError
from geoop.io.formats.table import FORMATS, SUFFIXES
from geoop.io.reading import read
from geoop.io.recognise import is_binary, recognised

WITHOUT_UNIT = {suffix for form in FORMATS if form.length == "unit" for suffix in form.suffixes}
BOX = trimesh.creation.box()


def contents(folder) -> dict[str, bytes]:
    """One real file per format that geoop reads, by suffix."""
    grid = pv.Box().cast_to_unstructured_grid()
    for name, data in {"a.vtu": grid, "a.vtp": pv.Box(), "a.vtk": grid, "a.vti": pv.ImageData(dimensions=(2, 2, 2))}.items():
        data.save(folder / name)
    np.save(folder / "a.npy", BOX.vertices)
    meshio.write(folder / "a.msh", meshio.Mesh(BOX.vertices, [("triangle", BOX.faces)]), file_format="gmsh")
    found = {path.suffix: path.read_bytes() for path in folder.iterdir()}
    found |= {
        f".{kind}": data if isinstance(data := BOX.export(file_type=kind), bytes) else data.encode() for kind in ("stl", "obj", "ply", "off", "glb")
    }
    found[".su2"] = b"% comment\nNDIME= 2\nNELEM= 0\n"
    return found


def test_every_format_is_recognised_and_refused_under_another_name(tmp_path):
    found = contents(tmp_path)
    assert len(found) == 12
    for suffix, data in found.items():
        guess = recognised(data[:4096], len(data))
        form = next(form for form in FORMATS if form.name in guess.formats)
        assert suffix in form.suffixes
        for other in sorted(set(SUFFIXES) - set(form.suffixes) - {".csv", ".txt", ".xyz"}):
            (tmp_path / f"named{other}").write_bytes(data)
            with pytest.raises(UnreadableFileError, match=f"is named '{other}' but its content seems to be a .*\n.*'named\\{form.suffixes[0]}'"):
                read(tmp_path / f"named{other}", unit="m")


@pytest.mark.parametrize(
    ("data", "words", "remedy"),
    [
        (b"<!DOCTYPE html>\n<html>", "HTML page", "download the file again"),
        (b"PK\x03\x04" + b"\0" * 30, "zip archive", "part.stl.zip"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 30, "damaged HDF5", "download"),
        (b"ISO-10303-21;\nHEADER;", "STEP", "part.step"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS", "git lfs pull"),
        (b"%PDF-1.4", "PDF", "not a mesh"),
        (b"FoamFile\n{\n version 2.0;\n}\n", "OpenFOAM", "constant/"),
        (gzip.compress(b"solid x", mtime=0), "gzip", "part.stl.gz"),
    ],
)
@pytest.mark.parametrize("suffix", [".stl", ".unknown"])
def test_foreign_files_come_with_advice(tmp_path, data, words, remedy, suffix):
    (tmp_path / f"part{suffix}").write_bytes(data)
    with pytest.raises(UnreadableFileError, match=words) as caught:
        read(tmp_path / f"part{suffix}", unit="m")
    assert (
        remedy.replace(".stl", suffix if "gz" in remedy or "zip" in remedy else ".stl").lower() in caught.value.remedy.lower() or suffix == ".unknown"
    )


def test_unknown_suffixes(tmp_path):
    (tmp_path / "part.vtuu").write_text("hello")
    with pytest.raises(UnsupportedFormatError, match="did you mean '.vtu'"):
        read(tmp_path / "part.vtuu")
    (tmp_path / "part").write_text("hello")
    with pytest.raises(UnsupportedFormatError, match="without suffix"):
        read(tmp_path / "part")
    (tmp_path / "part.foo").write_bytes(BOX.export(file_type="stl"))
    with pytest.raises(UnsupportedFormatError, match="seems to be a binary STL.*\n.*'part.stl'"):
        read(tmp_path / "part.foo")


def test_text_and_binary():
    assert not is_binary(b"a plain\ttext\r\n\x0c") and is_binary(b"ab\x00c") and not is_binary("käse".encode())
    assert recognised(b"") is None and recognised(b"nothing special") is None


def test_noise_is_never_read(tmp_path):
    noise = np.random.default_rng(3).bytes(3000)
    for suffix in SUFFIXES:
        (tmp_path / f"noise{suffix}").write_bytes(noise)
        unit = {"unit": "m"} if suffix in WITHOUT_UNIT else {}
        with pytest.raises(UnreadableFileError) as caught:
            read(tmp_path / f"noise{suffix}", **unit)
        assert re.search(f"noise\\{suffix}", str(caught.value)) and caught.value.remedy
