"""What is looked at: steps of a sweep, fields, pictures without a display, and the page in a browser."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request

import matplotlib.image
import numpy as np
import pytest
from typer.testing import CliRunner

from geoop.cli.app import app
from geoop.errors import ConfigurationError, DatasetError, MissingDependencyError, UnreadableFileError, UnsupportedFormatError
from geoop.io.paraview import write_case
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.quantity import QUANTITIES, Field
from geoop.studies.plots.fields import off_screen
from geoop.studies.plots.viewing import Scene, Sweep, after, moved, picture
from geoop.studies.plots.viewing_page import serve
from tests.studies.chromium import browser
from tests.studies.synthetic_study import section_study, sphere_study


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return section_study(tmp_path_factory.mktemp("view") / "study", ("2412", "0012"), (0.0, 4.0, 8.0))


@pytest.fixture(scope="module")
def sphere(tmp_path_factory):
    return sphere_study(tmp_path_factory.mktemp("view") / "sphere")


def test_steps_of_a_study_of_a_collection_and_of_a_file(folder):
    study = Sweep.open(folder)
    assert study.name == "naca2412" and study.labels[1] == "naca2412_a4, alpha = 4 deg"
    assert [[file.name for file in files] for files in study.files][2] == ["naca2412_a8.vtu", "naca2412_a8.vtp"]
    assert Sweep.open(folder, "naca0012").name == "naca0012"
    assert Sweep.open(folder / "naca2412.pvd").labels == ("0", "4", "8")
    assert Sweep.open(folder / "cases" / "naca2412_a4.vtp").labels == ("naca2412_a4",)


def test_a_scene_shows_the_step_and_the_field_that_are_asked_for(folder):
    lift = []
    with off_screen((300, 200)) as plotter:
        scene = Scene(Sweep.open(folder), plotter)
        assert scene.step == 1 and scene.field == "pressure_coefficient [1]" and scene.fields[:2] == ["velocity [m/s]", "pressure_coefficient [1]"]
        camera, colours = plotter.camera.position, scene._range()
        move = moved(scene)
        for step in (0, 2):
            move(step + 0.3)
            assert scene.step == step and scene.label == f"naca2412_a{4 * step}, alpha = {4 * step} deg"
            wall = scene.parts[1]
            lift.append(-np.trapezoid(wall["pressure_coefficient [1]"], wall.points[:, 0]))
            assert len(plotter.scalar_bars) == 1
        assert plotter.camera.position == camera and scene._range() == colours
        shown = scene.parts
        move(2.2)
        assert scene.parts is shown  # nothing is read where nothing changes
        scene.show_field(after(scene.fields, scene.field))
        assert scene.field == "pressure_coefficient_band [1]" and after(scene.fields, scene.fields[-1]) == scene.fields[0]
        scene.show_field("velocity")
        assert scene.field == "velocity [m/s]" and 50 < scene._range()[1] < 150
    assert abs(lift[1] - lift[0]) > 0.5  # the data are those of other angles


def ink(path):
    """Share of the points that are not white."""
    return float((matplotlib.image.imread(path)[..., :3].min(axis=2) < 0.95).mean())


def test_pictures_need_no_display_and_show_the_body(folder, sphere, tmp_path, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    section = matplotlib.image.imread(picture(Sweep.open(folder), tmp_path / "a.png", size=(600, 400)))[..., :3]
    assert section.std() > 0.03 and (section[195:205, 250:330] > 0.99).all()  # the section itself is left white
    assert section[205:230, 140:180, 0].mean() > section[205:230, 140:180, 2].mean() + 0.1  # red, pressure, beneath its nose
    path = picture(Sweep.open(sphere), tmp_path / "b.png", size=(600, 400))
    assert 0.1 < ink(path) < 0.7
    wall = picture(Sweep.open(folder / "cases" / "naca2412_a4.vtp"), tmp_path / "c.png", field="pressure_coefficient_band", size=(600, 400))
    assert 0.005 < ink(wall) < 0.1
    done = CliRunner().invoke(app, ["view", str(sphere), "--step", "2", "--picture", str(tmp_path / "d.png")])
    assert done.exit_code == 0 and ink(tmp_path / "d.png") > 0.1


def test_solids_are_cut_and_clouds_are_points(tmp_path):
    points = np.random.default_rng(0).uniform(-1, 1, (400, 3))
    pressure = Field(QUANTITIES["pressure"], points[:, 0])
    cloud = Case(Mesh(points, Cells.of(vertex=np.arange(400)[:, None])), fields={"pressure": pressure})
    assert ink(picture(Sweep.open(write_case(cloud, tmp_path / "cloud.vtu")), tmp_path / "cloud.png", size=(600, 400))) > 0.01
    corners = np.stack(np.meshgrid(*[np.arange(3.0)] * 3, indexing="ij"), -1).reshape(-1, 3)
    index = np.arange(27).reshape(3, 3, 3)
    low = index[:2, :2, :2].ravel()
    hexa = Cells.of(hexahedron=low[:, None] + np.array([0, 9, 12, 3, 1, 10, 13, 4]))
    solid = Case(Mesh(corners, hexa), fields={"pressure": Field(QUANTITIES["pressure"], corners[:, 2])})
    assert ink(picture(Sweep.open(write_case(solid, tmp_path / "solid.vtu")), tmp_path / "solid.png", size=(600, 400))) > 0.1


@pytest.mark.parametrize(
    ("path", "options", "error", "message"),
    [
        ("nothing.vtu", {}, UnreadableFileError, "no such file"),
        (".", {}, DatasetError, "no study folder"),
        ("a.stl", {}, UnsupportedFormatError, "'.stl' is not shown"),
        ("a.vtu", {}, UnreadableFileError, "a.vtu"),
        ("a.pvd", {}, UnreadableFileError, "a.pvd"),
        ("a.vtu", {"geometry": "b"}, ConfigurationError, "of a single file"),
    ],
)
def test_what_cannot_be_shown_is_said(tmp_path, path, options, error, message):
    for name in ("a.stl", "a.vtu", "a.pvd"):
        (tmp_path / name).write_text("<nothing/>")
    with pytest.raises(error, match=message):
        picture(Sweep.open(tmp_path / path, **options), tmp_path / "a.png")


def test_wrong_words_are_answered_with_the_right_ones(folder, tmp_path):
    with pytest.raises(ConfigurationError, match="naca2412"):
        Sweep.open(folder, "nothing")
    sweep = Sweep.open(folder)
    with pytest.raises(ConfigurationError, match="velocity"):
        picture(sweep, tmp_path / "a.png", field="nothing")
    with pytest.raises(ConfigurationError, match="0 to 2"):
        picture(sweep, tmp_path / "a.png", step=3)
    with pytest.raises(ConfigurationError, match=".png"):
        picture(sweep, tmp_path / "a.docx")
    assert not list(tmp_path.iterdir())


def test_without_trame_the_remedy_is_named(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "trame.app", None)
    monkeypatch.setitem(sys.modules, "trame", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'geoop\[view\]'"):
        serve(Sweep.open(folder))


TRAME = "trame is not installed: pip install 'geoop[view]'"


def test_a_change_of_the_slider_changes_the_step(folder):
    pytest.importorskip("trame.app", reason=TRAME)
    from trame.app import get_server

    from geoop.studies.plots.viewing_page import page

    with off_screen((300, 200)) as plotter:
        scene = Scene(Sweep.open(folder), plotter)
        server = page(scene, get_server("test"))
        server.state.ready()
        server.state.step = 2
        server.state.flush()
        assert scene.step == 2 and server.state.label == "naca2412_a8, alpha = 8 deg"
        server.state.field = "velocity [m/s]"
        server.state.flush()
        assert scene.field == "velocity [m/s]"


@pytest.fixture
def served(folder):
    """The address of a page that `geoop view` serves; it ends by Ctrl-C without a word."""
    pytest.importorskip("trame.app", reason=TRAME)
    command = [sys.executable, "-m", "geoop", "view", str(folder), "--browser", "--no-open"]
    words = {key: value for key, value in os.environ.items() if key != "DISPLAY"}
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**words, "PYTHONUNBUFFERED": "1"})
    line = child.stdout.readline()
    yield re.search(r"http://localhost:\d+/", line)[0]
    child.send_signal(signal.SIGINT)
    _, complaints = child.communicate(timeout=60)
    assert "Traceback" not in complaints


def test_the_page_answers(served):
    with urllib.request.urlopen(served, timeout=60) as answer:
        assert answer.status == 200 and "<html" in answer.read().decode().lower()


@pytest.mark.chromium
def test_chromium_shows_the_page_and_its_slider_moves(served, tmp_path):
    with browser(tmp_path / "profile") as tab:
        tab.open(served)
        wait = "new Promise((done) => { const look = () => document.body.innerText.includes('%s') ? done(1) : setTimeout(look, 200); look(); })"
        tab.ask(wait % "naca2412_a4")
        tab.ask("document.querySelector('.v-slider-thumb').focus()")
        for kind in ("keyDown", "keyUp"):
            tab.send("Input.dispatchKeyEvent", type=kind, key="ArrowRight", code="ArrowRight", windowsVirtualKeyCode=39)
        tab.ask(wait % "naca2412_a8, alpha = 8 deg")
        time.sleep(2)
        shown = matplotlib.image.imread(tab.picture(tmp_path / "page.png", height=700))[100:, :, :3]
        assert shown.std() > 0.03
        assert all(url.startswith((served, served.replace("http", "ws"), f"blob:{served}")) for url in tab.requests)
