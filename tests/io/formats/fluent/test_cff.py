"""Fluent's HDF5 cases: zones, patches by name, results of cells and boundary faces; damage ends no process."""

from __future__ import annotations

import contextlib

import h5py
import numpy as np
import pytest

from geoop.errors import GeoopError, UnreadableFileError
from geoop.io.formats.hdf5_kind import hdf5_format
from geoop.io.reading import read, read_case
from geoop.mesh.measure import signed_measures

POINTS = np.array([(x, y, z) for z in (0, 1) for y in (0, 1) for x in (0, 1, 2)], dtype=float)


def _p(x, y, z):
    return 1 + x + 3 * y + 6 * z


def _sheet(x):
    return [_p(x, 0, 0), _p(x, 1, 0), _p(x, 1, 1), _p(x, 0, 1)]


_AROUND = [([_p(i, j, 0), _p(i + 1, j, 0), _p(i + 1, j, 1), _p(i, j, 1)], i + 1, 0) for i in (0, 1) for j in (0, 1)]
_AROUND += [([_p(i, 0, k), _p(i + 1, 0, k), _p(i + 1, 1, k), _p(i, 1, k)], i + 1, 0) for i in (0, 1) for k in (0, 1)]
ZONES = [
    (3, 2, "interior-air", [(_sheet(1), 1, 2)]),
    (4, 10, "inlet", [(_sheet(0), 1, 0)]),
    (5, 5, "outlet", [(_sheet(2), 2, 0)]),
    (6, 3, "walls", _AROUND),
]


def section(group, name, values, first):
    part = group.create_dataset(name, data=values)
    part.attrs["minId"], part.attrs["maxId"] = np.array([first], "u8"), np.array([first + len(values) - 1], "u8")


def topology(group, rows):
    """Rows of (id, type, first, last, name)."""
    zones = group.create_group("zoneTopology")
    zones.attrs["nZones"] = np.array([len(rows)], "u8")
    for column, key in enumerate(("id", "zoneType", "minId", "maxId")):
        zones[key] = np.array([row[column] for row in rows], "u8")
    zones["name"] = np.array([";".join(row[4] for row in rows).encode()])


def write_case(path):
    with h5py.File(path, "w") as file:
        mesh = file.create_group("meshes/1")
        section(mesh.create_group("nodes/coords"), "1", POINTS[:5], 1)
        section(mesh["nodes/coords"], "2", POINTS[5:], 6)
        topology(mesh.create_group("cells"), [(2, 1, 1, 2, "air")])
        faces = [face for *_, listed in ZONES for face in listed]
        ends = np.cumsum([0, *(len(listed) for *_, listed in ZONES)])
        group = mesh.create_group("faces")
        topology(group, [(zone, kind, a + 1, b, name) for (zone, kind, name, _), a, b in zip(ZONES, ends[:-1], ends[1:], strict=True)])
        for k, (a, b) in enumerate(((0, 4), (4, 11)), 1):
            part = group.create_group(f"nodes/{k}")
            part.attrs["minId"], part.attrs["maxId"] = np.array([a + 1], "u8"), np.array([b], "u8")
            part["nnodes"] = np.full(b - a, 4, "i2")
            part["nodes"] = np.array([node for nodes, _, _ in faces[a:b] for node in nodes], "u4")
        section(group.create_group("c0"), "1", np.array([face[1] for face in faces], "u4"), 1)
        section(group.create_group("c1"), "1", np.array([2], "u4"), 1)


def write_data(path, count=2):
    with h5py.File(path, "w") as file:
        cells = file.create_group("results/1/phase-1/cells")
        cells["fields"] = np.array([b"SV_P;SV_U"])
        for k, name in enumerate(("SV_P", "SV_U", "SV_V", "SV_W", "SV_K", "SV_P_M1")):
            section(cells.create_group(name), "1", np.arange(count) + 10.0 * k, 1)
        section(file.create_group("results/1/phase-1/faces/SV_P"), "1", np.array([99.0]), 2)


def test_everything_that_was_written(tmp_path):
    write_case(tmp_path / "wing.cas.h5")
    write_data(tmp_path / "wing.dat.h5")
    case = read_case(tmp_path / "wing.cas.h5")
    mesh = case.mesh
    assert mesh.cells.names == ["hexahedron"] and np.allclose(signed_measures(mesh), 1.0) and np.array_equal(mesh.points, POINTS)
    assert {name: len(part) for name, part in mesh.patches.items()} == {"inlet": 1, "outlet": 1, "walls": 8} and list(mesh.zones) == ["air"]
    assert (mesh.points[mesh.patches["outlet"].connectivity][:, 0] == 2).all()
    assert case.field("pressure").values.tolist() == [0, 1] and case.field("velocity").values.tolist() == [[10, 20, 30], [11, 21, 31]]
    assert case.field("turbulent_kinetic_energy").values.tolist() == [40, 41] and "SV_P_M1" not in case.fields
    assert case.boundary["inlet"]["pressure"].values.tolist() == [99]


def test_results_of_another_mesh_are_refused(tmp_path):
    write_case(tmp_path / "wing.cas.h5")
    write_data(tmp_path / "wing.dat.h5", count=3)
    with pytest.raises(UnreadableFileError, match=r"cells 1\.\.3 of 2"):
        read(tmp_path / "wing.cas.h5")


def test_other_hdf5_files_are_told_apart(tmp_path):
    write_case(tmp_path / "wing.cas.h5")
    write_data(tmp_path / "wing.dat.h5")
    with h5py.File(tmp_path / "mesh.h5", "w") as file:
        file["data0"] = np.zeros((3, 3))
    with h5py.File(tmp_path / "grid.h5", "w") as file:
        file.create_group("VTKHDF")
    with h5py.File(tmp_path / "wing.h5", "w") as file:
        file["CGNSLibraryVersion"] = 4.0
    names = ["wing.cas.h5", "wing.dat.h5", "mesh.h5", "grid.h5", "wing.h5"]
    assert [hdf5_format(tmp_path / name) for name in names] == ["Fluent CFF", "", "", "VTKHDF", "CGNS"]
    with pytest.raises(UnreadableFileError, match="without a Fluent mesh") as caught:
        read(tmp_path / "mesh.h5")
    assert "xdmf" in caught.value.remedy
    with pytest.raises(UnreadableFileError, match="without a Fluent mesh") as caught:
        read(tmp_path / "wing.dat.h5")
    assert ".cas.h5" in caught.value.remedy


def test_damage_is_an_error_and_ends_no_process(tmp_path):
    write_case(tmp_path / "wing.cas.h5")
    data = (tmp_path / "wing.cas.h5").read_bytes()
    for size in np.linspace(8, 0.9 * len(data), 4).astype(int):
        (tmp_path / "cut.cas.h5").write_bytes(data[:size])
        with pytest.raises(UnreadableFileError):
            read(tmp_path / "cut.cas.h5")
    rng = np.random.default_rng(3)
    for _ in range(8):
        flipped = bytearray(data)
        for at in rng.integers(8, len(data), size=10):
            flipped[at] ^= 1 << rng.integers(8)
        (tmp_path / "bad.cas.h5").write_bytes(bytes(flipped))
        with contextlib.suppress(GeoopError):
            assert len(read(tmp_path / "bad.cas.h5").cells) > 0
