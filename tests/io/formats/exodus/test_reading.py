"""Exodus II in NetCDF and in HDF5: blocks over common points, side sets by name, one step of the results; damage ends no process."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

from geoop.errors import ConfigurationError, GeoopError, UnreadableFileError
from geoop.io.reading import read_case, read_series
from geoop.mesh.measure import signed_measures

POINTS = np.array([(x, y, z) for x in (0, 1, 2) for z in (0, 1) for y in (0, 1)], dtype=float)
TIMES = (0.0, 0.25, 0.5)


def _node(x, y, z):
    return 1 + 4 * x + 2 * z + y


def _brick(x):
    return [_node(x + i, j, k) for k in (0, 1) for i, j in ((0, 0), (1, 0), (1, 1), (0, 1))]


def _words(words, width=33):
    return np.array([list(word.ljust(width, "\0").encode()) for word in words], dtype="u1").view("S1")


def tables():
    """Name -> (dimensions, values, attributes) of all variables, and the dimensions."""
    sizes = {
        "time_step": None, "len_string": 33, "len_line": 81, "four": 4, "len_name": 33, "num_dim": 3, "num_nodes": 12, "num_elem": 2, "num_el_blk": 2,
        "num_el_in_blk1": 1, "num_nod_per_el1": 8, "num_el_in_blk2": 1, "num_nod_per_el2": 8, "num_side_sets": 2, "num_side_ss1": 1,
        "num_side_ss2": 2, "num_node_sets": 1, "num_nod_ns1": 4, "num_nod_var": 4, "num_elem_var": 1,
    }  # fmt: skip
    times = np.array(TIMES)
    nodal = POINTS @ [1.0, 2.0, 3.0] + times[:, None]
    found = {
        "coordx": (("num_nodes",), POINTS[:, 0], {}), "coordy": (("num_nodes",), POINTS[:, 1], {}), "coordz": (("num_nodes",), POINTS[:, 2], {}),
        "coor_names": (("num_dim", "len_name"), _words(["x", "y", "z"]), {}),
        "eb_status": (("num_el_blk",), np.array([1, 1], "i4"), {}), "eb_prop1": (("num_el_blk",), np.array([10, 20], "i4"), {"name": b"ID"}),
        "eb_names": (("num_el_blk", "len_name"), _words(["air", ""]), {}),
        "connect1": (("num_el_in_blk1", "num_nod_per_el1"), np.array([_brick(0)], "i4"), {"elem_type": b"HEX8"}),
        "connect2": (("num_el_in_blk2", "num_nod_per_el2"), np.array([_brick(1)], "i4"), {"elem_type": b"HEX8"}),
        "ss_status": (("num_side_sets",), np.array([1, 1], "i4"), {}), "ss_prop1": (("num_side_sets",), np.array([1, 7], "i4"), {"name": b"ID"}),
        "ss_names": (("num_side_sets", "len_name"), _words(["inlet", ""]), {}),
        "elem_ss1": (("num_side_ss1",), np.array([1], "i4"), {}), "side_ss1": (("num_side_ss1",), np.array([4], "i4"), {}),
        "elem_ss2": (("num_side_ss2",), np.array([1, 2], "i4"), {}), "side_ss2": (("num_side_ss2",), np.array([5, 5], "i4"), {}),
        "ns_status": (("num_node_sets",), np.array([1], "i4"), {}), "ns_prop1": (("num_node_sets",), np.array([1], "i4"), {"name": b"ID"}),
        "ns_names": (("num_node_sets", "len_name"), _words(["fixed"]), {}), "node_ns1": (("num_nod_ns1",), np.array([1, 2, 3, 4], "i4"), {}),
        "name_nod_var": (("num_nod_var", "len_name"), _words(["T", "disp_x", "disp_y", "disp_z"]), {}),
        "name_elem_var": (("num_elem_var", "len_name"), _words(["q"]), {}),
        "elem_var_tab": (("num_el_blk", "num_elem_var"), np.array([[1], [0]], "i4"), {}),
        "time_whole": (("time_step",), times, {}),
        "vals_nod_var1": (("time_step", "num_nodes"), nodal, {}),
        "vals_elem_var1eb1": (("time_step", "num_el_in_blk1"), 5 + times[:, None], {}),
    }  # fmt: skip
    for k in range(3):
        found[f"vals_nod_var{k + 2}"] = (("time_step", "num_nodes"), np.full((3, 12), 100.0 * (k + 1)), {})
    return sizes, found


HEAD = {"api_version": np.float32(4.98), "version": np.float32(4.98), "floating_point_word_size": np.int32(8), "file_size": np.int32(1)}


def write_netcdf(path, version):
    from scipy.io import netcdf_file

    sizes, found = tables()
    with netcdf_file(path, "w", version=version) as file:
        for key, value in HEAD.items():
            setattr(file, key, value)
        for name, size in sizes.items():
            file.createDimension(name, size)
        for name, (axes, values, attributes) in found.items():
            kind = {"S": "c", "f": "d", "i": "i"}[values.dtype.kind]
            variable = file.createVariable(name, kind, axes)
            for step in range(len(values)) if axes[0] == "time_step" else ():
                variable[step] = values[step]
            if axes[0] != "time_step":
                variable[:] = values
            for key, value in attributes.items():
                setattr(variable, key, value)


def write_hdf5(path):
    """The same as a NetCDF-4 file: dimensions are HDF5 dimension scales."""
    import h5py

    sizes, found = tables()
    with h5py.File(path, "w", track_order=True) as file:
        for key, value in HEAD.items():
            file.attrs[key] = np.array([value])
        for number, (name, size) in enumerate(sizes.items()):
            length = len(TIMES) if size is None else size
            scale = file.create_dataset(name, shape=(length,), maxshape=(None,) if size is None else None, dtype=">f4", track_order=True)
            scale.make_scale(f"This is a netCDF dimension but not a netCDF variable.{length:10d}")
            scale.attrs["_Netcdf4Dimid"] = np.int32(number)
        for name, (axes, values, attributes) in found.items():
            part = file.create_dataset(
                name, data=values, maxshape=(None, *values.shape[1:]) if axes[0] == "time_step" else None, chunks=True, track_order=True
            )
            for axis, dimension in enumerate(axes):
                part.dims[axis].attach_scale(file[dimension])
            for key, value in attributes.items():
                part.attrs[key] = np.bytes_(value)


@pytest.mark.parametrize("form", ["classic", "64 bit", "hdf5"])
def test_everything_that_was_written(tmp_path, form):
    path = tmp_path / "bar.exo"
    if form == "hdf5":
        write_hdf5(path)
    else:
        write_netcdf(path, 1 if form == "classic" else 2)
    case = read_case(path)
    mesh = case.mesh
    assert np.array_equal(mesh.points, POINTS) and np.allclose(signed_measures(mesh), 1.0)  # displacements are not added
    assert {name: index.tolist() for name, index in mesh.zones.items()} == {"air": [0], "block 20": [1]}
    assert {name: len(part) for name, part in mesh.patches.items()} == {"inlet": 1, "side set 7": 2}
    assert (mesh.points[mesh.patches["inlet"].connectivity][:, 0] == 0).all()
    assert (mesh.points[mesh.patches["side set 7"].connectivity][:, 2] == 0).all()
    assert case.time == 0.5 and np.allclose(case.field("temperature").values, POINTS @ [1.0, 2.0, 3.0] + 0.5)
    assert np.allclose(case.field("q").values[0], 5.5) and np.isnan(case.field("q").values[1]) and case.field("q").location == "cell"
    assert any("node sets are left out: fixed" in note for note in mesh.notes)


def test_all_steps(tmp_path):
    write_netcdf(tmp_path / "bar.e", 1)
    series = read_series(tmp_path / "bar.e")
    assert np.allclose(series.values, TIMES)
    for time, case in zip(TIMES, series.cases, strict=True):
        assert np.allclose(case.field("temperature").values, POINTS @ [1.0, 2.0, 3.0] + time)
    with pytest.raises(ConfigurationError, match="no step"):
        read_case(tmp_path / "bar.e", time=0.1)


@pytest.mark.parametrize("form", ["classic", "hdf5"])
def test_damage_is_an_error_and_ends_no_process(tmp_path, form):
    write_hdf5(tmp_path / "bar.exo") if form == "hdf5" else write_netcdf(tmp_path / "bar.exo", 1)
    data = (tmp_path / "bar.exo").read_bytes()
    for size in np.linspace(8, 0.8 * len(data), 6).astype(int):
        (tmp_path / "cut.exo").write_bytes(data[:size])
        with pytest.raises(UnreadableFileError):
            read_case(tmp_path / "cut.exo")
    rng = np.random.default_rng(1)
    for _ in range(6):
        flipped = bytearray(data)
        for at in rng.integers(4, len(data), size=8):
            flipped[at] ^= 1 << rng.integers(8)
        (tmp_path / "bad.exo").write_bytes(bytes(flipped))
        with contextlib.suppress(GeoopError):
            assert len(read_case(tmp_path / "bad.exo").mesh.cells) > 0
