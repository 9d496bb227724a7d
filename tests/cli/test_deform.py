"""geoop deform: a section pitched, shifted and moved as a file says, one period into .pvd, bad words, a motion that is impossible."""

import json

import numpy as np
import pytest

import geoop
from geoop.cli.app import main
from geoop.errors import FieldError
from geoop.mesh.case import Case
from geoop.mesh.generate.ogrid import ogrid
from geoop.mesh.measure import signed_measures
from geoop.mesh.primitives import naca4
from geoop.mesh.quantity import QUANTITIES, Field, Quantity
from geoop.results.deforming import deform, displacement_of
from geoop.solve.deformers.radial_basis import RadialBasis


@pytest.fixture(scope="module")
def section(tmp_path_factory):
    mesh = ogrid(naca4(), n_wall=64, n_normal=24, outer_radius=5.0, first_height=1e-4)
    load = Field(QUANTITIES["pressure"], mesh.points[:, 0])
    return geoop.write(Case(mesh).with_fields(load), tmp_path_factory.mktemp("section") / "section.vtu").path


def run(*words):
    return main(["deform", *map(str, words)])


@pytest.mark.parametrize("method", ["rbf", "elastic", "laplacian", "spring"])
def test_a_section_is_pitched_nose_up(section, tmp_path, capsys, method):
    names = ["-o", tmp_path / "up.vtu", "--picture", tmp_path / "up.png"]
    assert run(section, "--patch", "wall", "--pitch", 10, "--about", "0.25,0", "--method", method, *names) == 0
    text = capsys.readouterr().out
    for words in ("1536 points", "outcome: converged", "smallest scaled Jacobian", "up.vtu", "up.png"):
        assert words in text, text
    before, after = geoop.read_case(section), geoop.read_case(tmp_path / "up.vtu")
    wall = before.mesh.patch_points("wall")
    edge = after.mesh.points[wall[np.argmax(before.mesh.points[wall, 0])]]  # the trailing edge, at (1, 0) before
    assert edge == pytest.approx([0.25 + 0.75 * np.cos(np.radians(10)), -0.75 * np.sin(np.radians(10))], abs=1e-9)
    assert (after.field("pressure").values == before.field("pressure").values).all()
    assert np.abs(before.mesh.points + after.field("displacement").values - after.mesh.points).max() < 1e-14
    assert (signed_measures(after.mesh) > 0).all() and (tmp_path / "up.png").stat().st_size > 1000


def test_a_shift_and_the_same_from_a_file(section, tmp_path, capsys):
    assert run(section, "--patch", "wall", "--translate", "0.1,-0.2", "-o", tmp_path / "a.vtu", "--json") == 0
    data = json.loads(capsys.readouterr().out)
    assert data["outcome"]["status"] == "converged" and data["quality_after"] > 0 and data["files"] == [str(tmp_path / "a.vtu")]
    a = geoop.read_case(tmp_path / "a.vtu")
    moved_file, field = tmp_path / "a.vtu", tmp_path / "field.vtu"
    rest = geoop.read_case(section)
    geoop.write(rest.with_fields(a.field("displacement")), field)
    for source in (moved_file, f"{field}/displacement"):
        assert run(section, "--patch", "wall", "--displacement", source, "-o", tmp_path / "b.vtu") == 0
        assert np.abs(geoop.read(tmp_path / "b.vtu").points - a.mesh.points).max() < 1e-13
    lengths = a.field("displacement")
    for unit, factor in (("mm", 1e3), ("?", 1.0)):
        geoop.write(rest.with_fields(Field(Quantity("shift", "d", unit, 1), factor * lengths.values)), tmp_path / "unit.vtu")
        assert np.abs(displacement_of(f"{tmp_path / 'unit.vtu'}/shift", rest.mesh, ["wall"])["wall"] - [0.1, -0.2]).max() < 1e-12
    geoop.write(rest.with_fields(Field(Quantity("shift", "d", "m/s", 1), lengths.values)), tmp_path / "unit.vtu")
    with pytest.raises(FieldError, match="'shift' is in m/s, a displacement is a length"):
        displacement_of(f"{tmp_path / 'unit.vtu'}/shift", rest.mesh, ["wall"])
    wall = Case(rest.mesh.patch("wall"))
    alone = wall.with_fields(Field(QUANTITIES["displacement"], a.field("displacement").values[rest.mesh.patch_points("wall")]))
    geoop.write(alone, tmp_path / "wall.vtp")
    found = displacement_of(f"{tmp_path / 'wall.vtp'}/displacement", rest.mesh, ["wall"])["wall"]
    assert np.abs(found - [0.1, -0.2]).max() < 1e-14


def test_one_period_becomes_a_series_with_moving_points(section, tmp_path, capsys):
    words = ["--patch", "wall", "--translate", "0,0.3", "--frames", 5, "--frequency", 2]
    assert run(section, *words, "-o", tmp_path / "heave.pvd") == 0
    assert "5 times to 0.5 s" in capsys.readouterr().out
    series = geoop.read_series(tmp_path / "heave.pvd")
    heights = [case.mesh.points[case.mesh.patch_points("wall"), 1].mean() for case in series.cases]
    assert heights == pytest.approx([0, 0.3, 0, -0.3, 0], abs=1e-12)
    assert series.cases[1].field("mesh_velocity").values[series.cases[1].mesh.patch_points("wall"), 1] == pytest.approx(2.4)


def test_pitch_and_heave_at_once_are_one_rigid_motion(section, tmp_path, capsys):
    words = ["--patch", "wall", "--pitch", 8, "--about", "0.25,0", "--translate", "0,0.2", "--frequency", 2]
    assert run(section, *words, "--phase", 90, "--frames", 9, "-o", tmp_path / "flap.pvd", "--json") == 0
    data = json.loads(capsys.readouterr().out)
    assert data["times"] == pytest.approx(np.linspace(0, 0.5, 9)) and min(data["quality"]) > 0 and data["kept"] == 0
    rest, series = geoop.read(section), geoop.read_series(tmp_path / "flap.pvd")
    wall = rest.patch_points("wall")
    nose, tail = (wall[pick(rest.points[wall, 0])] for pick in (np.argmin, np.argmax))
    spans = np.linalg.norm(rest.points[wall, None] - rest.points[wall], axis=2)
    for time, case in zip(series.times, series.cases, strict=True):
        x = case.mesh.points
        assert np.abs(np.linalg.norm(x[wall, None] - x[wall], axis=2) - spans).max() < 1e-12  # rigid
        chord = x[tail] - x[nose]
        assert -np.degrees(np.arctan2(chord[1], chord[0])) == pytest.approx(8 * np.cos(4 * np.pi * time), abs=1e-9)  # a quarter ahead
        pivot = x[nose] + 0.25 * chord  # goes along with the heave
        assert pivot == pytest.approx([0.25, 0.2 * np.sin(4 * np.pi * time)], abs=1e-9)
    assert run(section, *words, "-o", tmp_path / "both.vtu") == 0  # one move: both in full
    x = geoop.read(tmp_path / "both.vtu").points
    assert x[nose] == pytest.approx([0.25 - 0.25 * np.cos(np.radians(8)), 0.2 + 0.25 * np.sin(np.radians(8))], abs=1e-9)


def test_an_interrupted_series_goes_on_where_it_stopped(section, tmp_path, capsys, monkeypatch):
    words = [section, "--patch", "wall", "--translate", "0,0.3", "--frames", 5]
    out, folder = tmp_path / "heave.pvd", tmp_path / "heave.frames"
    whole, done = RadialBasis.deform, []

    def stopped(self, mesh, displacement):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(1)
        return whole(self, mesh, displacement)

    monkeypatch.setattr(RadialBasis, "deform", stopped)
    assert run(*words, "-o", out) == 130 and not out.exists() and len(list(folder.iterdir())) == 3
    assert "what was finished is kept" in capsys.readouterr().err
    (folder / sorted(folder.iterdir())[0].name).write_bytes(b"half a file")
    done.clear()
    assert run(*words, "-o", out) == 0 and len(done) == 3
    assert "5 times to 1 s, 2 of them from an earlier run" in capsys.readouterr().out and not folder.exists()
    monkeypatch.undo()
    assert run(*words, "-o", tmp_path / "again.pvd") == 0
    for one, two in zip(geoop.read_series(out).cases, geoop.read_series(tmp_path / "again.pvd").cases, strict=True):
        assert (one.mesh.points == two.mesh.points).all()
    # another motion takes none of them but the mesh at rest, which is the same
    monkeypatch.setattr(RadialBasis, "deform", stopped)
    done.clear()
    assert run(*words, "-o", out) == 130
    monkeypatch.undo()
    assert run(section, "--patch", "wall", "--translate", "0,0.2", "--frames", 5, "-o", out) == 0
    assert "5 times to 1 s, 1 of them from an earlier run" in capsys.readouterr().out
    wall = geoop.read(section).patch_points("wall")
    assert geoop.read_series(out).cases[1].mesh.points[wall, 1].mean() == pytest.approx(0.2, abs=1e-12)
    # and what no mesh follows leaves nothing behind
    assert run(section, "--patch", "wall", "--pitch", 170, "--about", "0.25,0", "--method", "laplacian", "--frames", 5, "-o", out) == 2
    text = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert "at time" in text and "tangled" in text and "remedy:" not in text and not folder.exists()


def test_bad_words_are_said_at_once(section, tmp_path, capsys):
    words = ["--pitch", 3, "--displacement", "gone.vtu", "--phase", 90]
    assert run(section, *words, "-o", tmp_path / "no" / "x.vtu", "--picture", "x.bmp", "--frames", 1) == 2
    text = " ".join(capsys.readouterr().err.replace("│", " ").split())
    for words in (
        "no --patch",
        "--pitch and --displacement at once",
        "--phase is between",
        "--about",
        "no folder",
        "must end in .png",
        "--frames needs",
    ):
        assert words in text, text
    for words, said in (
        (["--patch", "roof", "--translate", "1,0"], "no patch 'roof'"),
        (["--patch", "wall", "--translate", "1"], "not 2 numbers"),
        (["--patch", "wall", "--translate", "0.1,0", "--method", "magic"], "'magic'"),
        (["--patch", "wall", "--displacement", "gone.vtu/u"], "no such file"),
        (["--patch", "wall", "--displacement", f"{section}/wind"], "no vector field 'wind'"),
        (["--patch", "wall", "--translate", "20,0"], "through each other"),
    ):
        assert run(section, *words, "-o", tmp_path / "x.vtu") == 2
        assert said in " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert not (tmp_path / "x.vtu").exists()


def test_a_motion_that_no_mesh_follows_writes_nothing(section, tmp_path, capsys):
    words = ["--patch", "wall", "--pitch", 170, "--about", "0.25,0", "--method", "laplacian"]
    assert run(section, *words, "-o", tmp_path / "x.vtu") == 1
    text = capsys.readouterr().out
    assert "tangled" in text and "remedy" in text and "nothing is written" in text and not (tmp_path / "x.vtu").exists()


def test_the_function_behind_it_takes_meshes_and_cases(section):
    case = geoop.read_case(section)
    done = geoop.deform(case.mesh, {"wall": np.array([0.1, 0.0])}, "elastic")
    again = deform(case, {"wall": np.array([0.1, 0.0])}, "elastic")
    assert done.moved.outcome.ok and (done.case.mesh.points == again.case.mesh.points).all() and "pressure" in again.case.fields
