"""One file into another, and never over an input."""

from __future__ import annotations

import inspect
import json

import numpy as np
import pytest
import trimesh

from geoop.cli.app import main
from geoop.errors import ConfigurationError, UnwritableFileError
from geoop.io.converting import convert
from geoop.io.paraview import write_case, write_series
from geoop.io.reading import read, read_case, read_series
from geoop.mesh.case import Case, Series
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import box
from geoop.mesh.quantity import QUANTITIES, Field


@pytest.fixture
def steps(tmp_path):
    mesh = box()
    cases = [Case(mesh, fields={"density": Field(QUANTITIES["density"], np.full(8, k))}, time=0.1 * k) for k in (1.0, 2.0, 3.0)]
    return write_series(Series([0.1, 0.2, 0.3], tuple(cases)), tmp_path / "run.pvd")


def test_units_patches_and_text(tmp_path):
    trimesh.creation.box((2, 3, 4)).export(tmp_path / "a.obj")
    done = convert(tmp_path / "a.obj", tmp_path / "b.stl", unit="cm", output_unit="mm", text=True)
    assert np.ptp(read(done.path, unit="m").points, axis=0) == pytest.approx([20, 30, 40])
    assert any("read in cm" in note for note in done.notes) and any("written in mm" in note for note in done.notes)
    write_case(Case(box()), tmp_path / "c.vtu")
    assert len(read(convert(tmp_path / "c.vtu", tmp_path / "d.ply", patches=["x_min"]).path, unit="m").points) == 4


@pytest.mark.parametrize("source", ["case", "case/a.foam", "case/constant/polyMesh"])
def test_an_openfoam_case_is_not_written_into_itself(tmp_path, source):
    square = Mesh(np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]]), Cells.of(quad=np.arange(4)[None]))
    write_case(Case(square), tmp_path / "a.vtu")
    convert(tmp_path / "a.vtu", tmp_path / "case" / "a.foam")
    (tmp_path / "case" / "b.foam").touch()  # a second marker, as ParaView's users make them
    before = {path: path.read_bytes() for path in sorted((tmp_path / "case").rglob("*")) if path.is_file()}
    for name in ("a.foam", "b.foam", "c.foam"):
        with pytest.raises(UnwritableFileError, match="over an input"):
            convert(tmp_path / source, tmp_path / "case" / name)
    assert {path: path.read_bytes() for path in sorted((tmp_path / "case").rglob("*")) if path.is_file()} == before
    assert convert(tmp_path / "a.vtu", tmp_path / "case" / "a.foam").path.is_file()  # its own marker from elsewhere: written anew


def test_steps(tmp_path, steps):
    assert read_case(convert(steps, tmp_path / "a.msh").path).fields["density"].values[0] == pytest.approx(3)
    assert read_case(convert(steps, tmp_path / "b.msh", time=0.2).path).fields["density"].values[0] == pytest.approx(2)
    assert read_series(convert(steps, tmp_path / "all.pvd").path).values.tolist() == [0.1, 0.2, 0.3]
    with pytest.raises(ConfigurationError, match="a solution has one step"):
        convert(steps, tmp_path / "c.pvd", solution="flow.dat")


def test_nothing_is_written_over_an_input(tmp_path, monkeypatch):
    path = write_case(Case(box()), tmp_path / "a.vtu")
    before = path.read_bytes()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.vtu").symlink_to(path)
    for source, target in ((path, "a.vtu"), ("link.vtu", path), (path, "link.vtu"), (path, "not there/../a.vtu")):
        with pytest.raises(UnwritableFileError, match="over an input"):
            convert(source, target)
    with pytest.raises(UnwritableFileError, match="over an input"):
        convert("a.vtu", "flow.csv", solution=["flow.csv"])
    assert path.read_bytes() == before and (tmp_path / "link.vtu").is_symlink()


def test_the_folder_of_steps_is_no_place_for_a_result(tmp_path, steps):
    step = next((tmp_path / "run").glob("*.vtu"))
    before = step.read_bytes()
    for source, target in ((step, "run.vtm"), (steps, "run.vtm"), (step, "run.pvd")):
        with pytest.raises(UnwritableFileError, match="over an input"):
            convert(source, tmp_path / target)
    assert step.read_bytes() == before and convert(steps, tmp_path / "other.vtm").path.exists()


@pytest.mark.skipif("solution" not in inspect.signature(read_case).parameters, reason="read_case takes no solution yet")
def test_mesh_and_solution(tmp_path, shared_data):
    folder = shared_data / "su2" / "cylinder_inc"
    done = convert(folder / "mesh_cylinder_lam_ffd.su2", tmp_path / "a.vtu", solution=folder / "solution_flow.dat")
    case = read_case(done.path)
    assert set(case.mesh.patches) == {"cylinder", "farfield"} and {"pressure", "velocity"} <= set(case.fields)


def test_command(tmp_path, capsys):
    path = write_case(Case(box()), tmp_path / "a.vtu")
    assert main(["convert", str(path), str(tmp_path / "b.stl"), "--output-unit", "mm", "--patch", "x_min", "--patch", "y_min", "--text"]) == 0
    assert "written: " in capsys.readouterr().out and set(read(tmp_path / "b.stl", unit="mm").patches) == {"x_min", "y_min"}
    assert main(["convert", str(path), str(tmp_path / "c.obj"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["output"].endswith("c.obj")
    assert main(["convert", str(path), str(path)]) == 2 and "over an input" in capsys.readouterr().err.replace("\n", " ").replace("│", "")


@pytest.mark.parametrize(("time", "expected"), [(3.5, 3.5), (None, 0.0)])
def test_one_case_is_a_series_of_one_step(tmp_path, time, expected):
    mesh = box()
    path = write_case(Case(mesh, fields={"density": Field(QUANTITIES["density"], np.arange(8.0))}, time=time), tmp_path / "a.vtu")
    done = convert(path, tmp_path / "b.pvd")
    back = read_series(done.path)
    assert back.values.tolist() == [expected] and np.array_equal(back.cases[0].fields["density"].values, np.arange(8.0))
    assert any("one step at 0 s" in note for note in done.notes) == (time is None)
    with pytest.raises(ConfigurationError, match="at 3.5 s" if time else "knows no times"):
        convert(path, tmp_path / "c.pvd", time=1.0)
    assert not (tmp_path / "c.pvd").exists()
    if time:
        assert read_series(convert(path, tmp_path / "c.pvd", time=3.5).path).values.tolist() == [3.5]


def test_chord_and_time_of_a_series_are_not_forgotten(tmp_path, steps):
    wanted = 0.1 + 0.2  # not 0.3 bit for bit
    assert len(read_series(convert(steps, tmp_path / "a.pvd", time=wanted).path)) == 1
    turn = np.linspace(0, 2 * np.pi, 41)
    rows = np.stack([0.5 + 0.5 * np.cos(turn), 0.06 * np.sin(turn)], axis=1)
    (tmp_path / "oval.dat").write_text("oval\n" + "\n".join(f"{x:.7f} {y:.7f}" for x, y in rows) + "\n")
    back = read_series(convert(tmp_path / "oval.dat", tmp_path / "oval.pvd", chord=0.25).path)
    assert np.ptp(back.cases[0].mesh.points[:, 0]) == pytest.approx(0.25)


def test_command_for_a_series_of_one(tmp_path, capsys):
    path = write_case(Case(box()), tmp_path / "a.vtu")
    assert main(["convert", str(path), str(tmp_path / "b.pvd")]) == 0 and "one step at 0 s" in capsys.readouterr().out
    assert len(read_series(tmp_path / "b.pvd")) == 1
