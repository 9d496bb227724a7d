"""geoop rollout: files, what it prints, what it refuses."""

import json
import sys

import numpy as np
import pytest

import geoop
from geoop.cli.app import main
from geoop.mesh.case import Series
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.quantity import QUANTITIES, Field
from geoop.models.time_increment import TimeIncrement
from geoop.train.stepping import BEST, SteppingSettings, fit_stepper

STEP, FRAMES = 0.1, 8


def mesh() -> Mesh:
    """(0, 2) x (0, 1)"""
    points = np.stack(np.meshgrid(np.linspace(0, 2, 9), np.linspace(0, 1, 5), indexing="ij"), axis=-1).reshape(-1, 2)
    number = np.arange(45).reshape(9, 5)
    a, b, c, d = (part.ravel() for part in (number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]))
    rim = {"inlet": number[0, ::-1], "outlet": number[-1], "bottom": number[:, 0], "top": number[::-1, -1]}
    patches = {key: Cells.of(line=np.stack([row[:-1], row[1:]], axis=1)) for key, row in rim.items()}
    return Mesh(points, Cells.of(triangle=np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])), patches, name="box")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A stepper that stands still, a data set, and one of its series as a file."""
    from geoop.io.dataset_writing import DatasetPlan, write_dataset

    out, box = tmp_path_factory.mktemp("rolling"), mesh()
    splits = {"train": [f"{name}_{k}" for name in "ab" for k in range(FRAMES)], "val": [f"c_{k}" for k in range(FRAMES)]}
    owner = {case: case[0] for cases in splits.values() for case in cases}
    plan = DatasetPlan("waves", "", {k: tuple(v) for k, v in splits.items()}, geometry=owner, series=owner, seed=0)

    def frame(name: str) -> geoop.Case:
        time, wave = STEP * int(name[2:]), 4.0 + ord(name[0]) - ord("a")
        x = box.points[:, 0]
        velocity = np.stack([np.ones_like(x), 0.3 * np.cos(wave * (x - time))], axis=1)
        return geoop.Case(box, OperatingPoint(1.0, viscosity=0.01), {"velocity": Field(QUANTITIES["velocity"], velocity)}, wall=(), time=time)

    data = write_dataset(out / "data", plan, frame)
    how = SteppingSettings(steps=1, history=2, leads=2, frame="region", points=30, domain_points=30, batch=1)
    made = fit_stepper(
        data, out / "run", model=lambda ports, past: TimeIncrement(ports, 16, past=past, inner="DeepONet"), settings=how, progress=False
    )
    for parameter in made.model.inner.head.parameters():
        parameter.data.zero_()  # it stands still
    made.save(out / "run" / BEST)
    geoop.write(data.series("c"), out / "c.pvd")
    return out


def test_a_series_of_a_file_is_rolled_out_and_compared(folder, capsys):
    model, out = str(folder / "run" / BEST), folder / "found.pvd"
    words = ["rollout", model, str(folder / "c.pvd"), "-o", str(out), "--compare", "--probe", "1.0,0.5", "--movie", str(folder / "found.gif")]
    assert main([*words, "--plot", str(folder / "found.png"), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["frames"] == FRAMES and data["given"] == 2 and len(data["frames_compared"]) == FRAMES - 2
    assert {"error", "persistence", "identity", "divergence", "reference_divergence"} <= set(data["frames_compared"][0])
    assert [path.rsplit("/", 1)[1] for path in data["files"]] == ["found.pvd", "found.gif", "found.png"]
    found = geoop.read_series(out)
    assert isinstance(found, Series) and np.allclose(found.times, STEP * np.arange(FRAMES))
    truth = geoop.read_series(folder / "c.pvd")
    for k in (0, 1):  # the given frames are as they were
        assert np.allclose(found.cases[k].field("velocity").values, truth.cases[k].field("velocity").values)
    assert (folder / "found.gif").read_bytes()[:4] == b"GIF8"


def test_a_series_of_a_data_set_and_any_number_of_steps(folder, capsys):
    model, out = str(folder / "run" / BEST), folder / "long.pvd"
    assert main(["rollout", model, str(folder / "data" / "c"), "-o", str(out), "--steps", "5", "--restart", "2"]) == 0
    text = capsys.readouterr().out
    assert "7 frames, 2 of them given" in text and "outcome: converged" in text
    assert np.allclose(geoop.read_series(out).times, STEP * np.arange(7))
    public = geoop.rollout(folder / "run" / BEST, geoop.Dataset.open(folder / "data").series("c"), steps=5, restart=2)
    assert np.allclose(public.series.cases[-1].field("velocity").values, geoop.read_series(out).cases[-1].field("velocity").values)


def test_numbered_pictures(folder, capsys):
    words = ["rollout", str(folder / "run" / BEST), str(folder / "c.pvd"), "-o", str(folder / "p.pvd"), "--steps", "1"]
    assert main([*words, "--movie", str(folder / "shot.png")]) == 0
    assert sorted(path.name for path in folder.glob("shot_*.png")) == ["shot_0000.png", "shot_0001.png", "shot_0002.png"]


def test_an_mp4_is_written_by_ffmpeg_where_it_is_there(folder, capsys, monkeypatch, tmp_path):
    """A program in its place, which writes down what it is told and given: all frames, whole, in even sizes."""
    words = ["rollout", str(folder / "run" / BEST), str(folder / "c.pvd"), "-o", str(tmp_path / "p.pvd"), "--steps", "2"]
    movie = tmp_path / "film.mp4"
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert main([*words, "--movie", str(movie)]) == 2 and not (tmp_path / "p.pvd").exists()
    text = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert "MissingDependencyError" in text and "write .gif, or install ffmpeg" in text
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "ffmpeg"
    program.write_text(
        f"#!{sys.executable}\nimport sys\ndata = sys.stdin.buffer.read()\n"
        "open(sys.argv[-1], 'w').write(' '.join(sys.argv[1:]) + f'\\n{len(data)}')\n"
    )
    program.chmod(0o755)
    assert main([*words, "--movie", str(movie)]) == 0
    told, size = movie.read_text().splitlines()
    wide, tall = (int(word) for word in told.split("-s ")[1].split()[0].split("x"))
    assert int(size) == 4 * wide * tall * 4  # frames of RGBA: two given, two predicted
    assert "yuv420p" in told and "pad=ceil(iw/2)*2" in told and "-framerate 10" in told


def test_what_is_refused(folder, capsys):
    model, case = str(folder / "run" / BEST), str(folder / "c.pvd")
    assert main(["rollout", model, case, "-o", "x.vtu", "--movie", "m.avi", "--plot", "p.png", "--probe", "a"]) == 2
    text = " ".join(capsys.readouterr().err.replace("│", " ").split())
    for part in ("must end in .pvd", "must end in .gif, .mp4 or .png", "without --compare", "--probe is 'a'"):
        assert part in text
    assert main(["rollout", model, case, "-o", str(folder / "y.pvd"), "--restart", "3", "--steps", "9"]) == 2
    assert "trained up to 0.2" in " ".join(capsys.readouterr().err.replace("│", " ").split())


def test_what_is_not_known_is_said_or_null_and_results_of_given_frames_are_not_handed_on(folder, tmp_path, capsys):
    series = geoop.read_series(folder / "c.pvd")
    drag = [case.with_fields(Field(QUANTITIES["drag_coefficient"], np.array(1.0 + k), "global")) for k, case in enumerate(series.cases)]
    geoop.write(Series(series.values, tuple(drag)), tmp_path / "d.pvd")
    words = ["rollout", str(folder / "run" / BEST), str(tmp_path / "d.pvd"), "-o", str(tmp_path / "out.pvd"), "--compare", "--probe", "1,0.5"]
    assert main(words) == 0
    assert "no phase: the series are shorter than a period there" in capsys.readouterr().out
    assert main([*words, "--json"]) == 0
    text = capsys.readouterr().out
    assert "NaN" not in text and json.loads(text)["frames_compared"][0]["phase_error_1"] is None
    assert ["drag_coefficient" in case.fields for case in geoop.read_series(tmp_path / "out.pvd").cases] == [True, True] + [False] * (FRAMES - 2)
    geoop.write(Series(series.values[:2], series.cases[:2]), tmp_path / "two.pvd")
    assert main(["rollout", str(folder / "run" / BEST), str(tmp_path / "two.pvd"), "-o", str(tmp_path / "out.pvd")]) == 2
    said = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert "no time to predict after the given states" in said and "--steps" in said
