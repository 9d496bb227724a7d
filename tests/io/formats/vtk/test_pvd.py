"""ParaView collections: steps are times, parts are zones, what geoop wrote comes back."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import pyvista as pv

from geoop.errors import ConfigurationError, UnreadableFileError
from geoop.io.paraview import write_series
from geoop.io.reading import read, read_case, read_series
from geoop.mesh.case import Case, Series
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.quantity import QUANTITIES, Field

HEAD = '<?xml version="1.0"?><VTKFile type="Collection" version="0.1"><Collection>{}</Collection></VTKFile>'


def foreign(folder, rows: list[tuple[str, str, str]]):
    """A collection of other programs: (timestep, part, file)."""
    for _, part, file in rows:
        grid = pv.ImageData(dimensions=(2, 2, 2), origin=(float(part or 0), 0, 0)).cast_to_unstructured_grid()
        grid.cell_data["id"] = [float(file.strip("abcdef./vtu") or 0)]
        if not (folder / file).exists():
            grid.save(folder / file)
    lines = "".join(f'<DataSet timestep="{time}" group="" part="{part}" file="{file}"/>' for time, part, file in rows)
    (folder / "a.pvd").write_text(HEAD.format(lines))
    return folder / "a.pvd"


def test_steps_in_any_order(tmp_path):
    path = foreign(tmp_path, [("0.5", "0", "a5.vtu"), ("0", "0", "a0.vtu"), ("0.25", "0", "a2.vtu")])
    assert read_case(path).time == 0.5 and read_case(path).field("id").values.tolist() == [5]
    assert read_case(path, time=0.25).field("id").values.tolist() == [2]
    series = read_series(path)
    assert series.values.tolist() == [0, 0.25, 0.5] and [case.field("id").values[0] for case in series.cases] == [0, 2, 5]
    with pytest.raises(ConfigurationError, match="no step at 0.3"):
        read_case(path, time=0.3)


def test_parts_of_a_step_are_zones(tmp_path):
    path = foreign(tmp_path, [("1", "0", "a1.vtu"), ("1", "1", "b2.vtu")])
    case = read_case(path)
    assert {name: index.tolist() for name, index in case.mesh.zones.items()} == {"part 0": [0], "part 1": [1]}
    assert case.field("id").values.tolist() == [1, 2] and case.time == 1


def test_own_series_come_back_whole(tmp_path):
    points = np.random.default_rng(0).random((8, 3))
    mesh = Mesh(points, Cells.of(tetra=np.arange(8).reshape(2, 4)), {"wall": Cells.of(triangle=[[0, 1, 2]])}, {"left": np.array([0])}, name="m")
    cases = tuple(
        Case(mesh, OperatingPoint(50.0, angle), time=7.0, wall=("wall",)).with_fields(Field(QUANTITIES["pressure"], points[:, 0] * angle))
        for angle in (-2.0, 3.0)
    )
    by_angle = read_series(write_series(Series([-2.0, 3.0], cases, "alpha [deg]"), tmp_path / "polar.pvd"))
    over_time = read_series(write_series(Series([0.1, 0.2], cases), tmp_path / "run.pvd"))
    for found, times in ((by_angle, [7.0, 7.0]), (over_time, [0.1, 0.2])):
        for old, new, time in zip(cases, found.cases, times, strict=True):
            assert new.mesh.content_hash == old.mesh.content_hash and new.operating_point == old.operating_point and new.time == time
            assert np.array_equal(new.field("pressure").values, old.field("pressure").values) and new.wall == ("wall",)


def test_steps_that_are_trees(tmp_path):
    grid = pv.ImageData(dimensions=(2, 2, 2)).cast_to_unstructured_grid()
    pv.MultiBlock({"fluid": grid, "lid": grid.extract_surface(algorithm="dataset_surface")}).save(tmp_path / "s.vtm")
    (tmp_path / "a.pvd").write_text(HEAD.format('<DataSet timestep="3" file="s.vtm"/>'))
    mesh = read(tmp_path / "a.pvd")
    assert list(mesh.zones) == ["fluid"] and list(mesh.patches) == ["lid"]


def test_all_missing_files_are_in_one_error(tmp_path):
    path = foreign(tmp_path, [("1", "0", "a1.vtu"), ("1", "1", "b2.vtu"), ("1", "2", "c3.vtu")])
    (tmp_path / "a1.vtu").unlink()
    (tmp_path / "c3.vtu").unlink()
    with pytest.raises(UnreadableFileError, match="2 of the files .*a1.vtu, .*c3.vtu"):
        read(path)


def test_a_zip_of_a_collection(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    foreign(folder, [("0", "0", "a1.vtu"), ("1", "0", "a2.vtu")])
    shutil.make_archive(str(tmp_path / "run"), "zip", folder)
    assert read_case(tmp_path / "run.zip/a.pvd").field("id").values.tolist() == [2]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("", "lists no files"),
        ('<DataSet timestep="x" file="a1.vtu"/><DataSet timestep="1"/>', "'x' of line 1 is no number; line 2 names no file"),
        ('<DataSet timestep="nan" file="a1.vtu"/>', "NaN"),
        ('<DataSet timestep="1" file="a.pvd"/>', "no VTK XML file"),
        ("<DataSet", "no complete XML"),
    ],
    ids=["nothing", "no number", "nan", "itself", "torn"],
)
def test_damaged_collections(tmp_path, lines, words):
    (tmp_path / "a.pvd").write_text(HEAD.format(lines))
    with pytest.raises(UnreadableFileError, match=words):
        read(tmp_path / "a.pvd")
