"""HDF5 files: what is inside decides what is said about them."""

from __future__ import annotations

import h5py
import pytest

from geoop.errors import UnreadableFileError
from geoop.io.formats.hdf5_kind import foreign_hdf5
from geoop.io.reading import read


def hdf5(path, *groups):
    with h5py.File(path, "w") as file:
        for group in groups:
            file.create_group(group)
    return path


@pytest.mark.parametrize("suffix", [".med", ".h5", ".hdf5", ".hdf", ".stl"])
def test_med_files_are_named(tmp_path, suffix):
    path = hdf5(tmp_path / f"part{suffix}", "ENS_MAA/mesh", "INFOS_GENERALES")
    with pytest.raises(UnreadableFileError, match="seems to be a MED file") as caught:
        read(path)
    assert ".msh 4.1" in caught.value.remedy and "rename" not in caught.value.remedy


@pytest.mark.parametrize("suffix", [".med", ".hdf5", ".stl"])
def test_unknown_files_get_no_list_of_renames(tmp_path, suffix):
    with pytest.raises(UnreadableFileError, match="a kind that geoop does not know .it holds answers, questions") as caught:
        read(hdf5(tmp_path / f"part{suffix}", "questions", "answers"))
    assert "rename" not in caught.value.remedy and "export it" in caught.value.remedy


def test_a_known_file_under_a_foreign_name_gets_one_rename(tmp_path):
    with pytest.raises(UnreadableFileError, match="VTKHDF file") as caught:
        read(hdf5(tmp_path / "part.stl", "VTKHDF"))
    assert caught.value.remedy == "rename it to 'part.vtkhdf' and read that"


def test_damaged_files(tmp_path):
    path = hdf5(tmp_path / "part.med", "ENS_MAA")
    path.write_bytes(path.read_bytes()[:200])
    assert foreign_hdf5(path)[0] == "damaged HDF5 file"
    with pytest.raises(UnreadableFileError, match="damaged HDF5 file"):
        read(path)
