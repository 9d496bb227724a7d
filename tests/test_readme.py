"""What README.md shows in Python runs as it stands, on files of the names that it uses."""

import textwrap
from pathlib import Path

import numpy as np
import pytest

import geoop
from geoop.errors import ConditionError, ConfigurationError, FieldError
from geoop.mesh.primitives import icosphere, naca4

README = (Path(__file__).parent.parent / "README.md").read_text()


def block(line: str) -> str:
    """The lines of code around the one that begins so, fenced or indented."""
    lines = README.splitlines()
    at = next(k for k, text in enumerate(lines) if text.strip().startswith(line))
    fence = not lines[at].startswith("    ")

    def code(text: str) -> bool:
        return not text.startswith("```") if fence else text.startswith("    ") or not text

    start, end = at, at
    while code(lines[start - 1]):
        start -= 1
    while code(lines[end]):
        end += 1
    return textwrap.dedent("\n".join(lines[start:end]))


def run(line: str, **names) -> dict:
    names = {"geoop": geoop, **names}
    exec(compile(block(line), f"README.md, {line}", "exec"), names)
    return names


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to work in, with the files that the README names."""
    monkeypatch.chdir(tmp_path)
    for name in ("section.dat", "naca2412.dat"):
        np.savetxt(name, naca4("2412", 100).points[[*range(100), 0]], fmt="%.6f", header="NACA 2412", comments="")
    ball = icosphere(3)
    geoop.write(ball.moved(ball.points * [1.0, 0.5, 0.5]), "body.stl", unit="m")
    return tmp_path


def test_a_first_script(folder, capsys):
    found = run("surrogate = geoop.load(", points=np.array([[0.5, 0.3], [2.0, 0.0]]))
    assert found["result"].at(np.zeros((0, 2)))["velocity"].shape == (0, 2)
    assert found["cp"].shape == (2,) and found["result"].verdict.level == "inside"
    assert "CL 0.7" in capsys.readouterr().out and geoop.read_case("section.vtu").field("velocity").quantity.unit == "m/s"


def test_what_is_given_in_place_of_a_case_is_answered_in_words(folder):
    section, model = geoop.read("section.dat"), geoop.load("airfoil-potential")
    with pytest.raises(ConditionError, match="operating point"):
        model.predict(section)
    with pytest.raises(FieldError, match="a mesh alone has no pressure"):
        geoop.forces(section)
    with pytest.raises(ConfigurationError, match="a Result is no mesh, case or series"):
        geoop.write(model.predict(geoop.Case(section, geoop.OperatingPoint(50.0))), "a.vtu")


def test_a_section_in_turbulent_flow(folder):
    found = run('model = geoop.load("airfoil-rans-surface")')
    assert geoop.forces(found["result"]).CL == pytest.approx(0.68, abs=0.1)


def test_a_body_in_space(folder, capsys):
    run('body = geoop.read("body.stl"')
    assert capsys.readouterr().out.startswith("outside")  # as short as no body of the training
    lowest = geoop.read_case("body.vtp").field("pressure_coefficient").values.min()
    assert lowest == pytest.approx(1.0 - 1.21**2, abs=0.1)  # a spheroid 2 : 1 along x, whose added mass is 0.21


def test_forces_of_a_section_and_loads_of_a_wing(folder, capsys):
    ball = icosphere(4)
    wing = geoop.load("body-potential").predict(geoop.Case(ball.moved(ball.points * [0.5, 3.0, 0.08]), geoop.OperatingPoint(40.0, alpha=4.0))).case
    found = run("from geoop.results.momentum.balance", wing_case=wing)
    lines = capsys.readouterr().out
    assert float(circulated(lines)) == pytest.approx(0.74 * 0.5 * 1.225 * 50.0**2, rel=0.03)
    assert len(found["loads"].cl) == 40 and (folder / "loads.csv").is_file() and (folder / "cuts.vtp").is_file()


def circulated(text: str) -> str:
    """The line that is a number in brackets: lift by circulation on the first circle."""
    return next(line for line in text.splitlines() if line.startswith("[")).strip("[]").split()[0].rstrip(",")


def test_a_shape_gradient(folder, capsys):
    found = run("from geoop.mesh.section_shapes import Bumps")
    assert found["gradient"].to_parameters(found["shape"].jacobian(found["shape"].start)).shape == (5,)
    assert geoop.read_case("gradient.vtp").fields


def test_geometry(folder):
    (folder / "cavity").mkdir()
    surface = icosphere(3)
    code = block("from geoop.mesh.distance import signed_distance").replace('geoop.read_case("cavity/")', "cavity")
    names = {"geoop": geoop, "surface": surface, "points": 2.0 * surface.points, "cavity": walled()}
    exec(compile(code, "README.md", "exec"), names)
    assert names["found"].distance == pytest.approx(1.0, abs=0.02) and names["k"].mean == pytest.approx(1.0, abs=0.05)
    assert set(names["grid"].patches) == {"wall", "farfield", "outlet"} and names["d"].max() == pytest.approx(0.5, abs=0.01)


def walled() -> geoop.Case:
    """A square with walls all round, in place of a solver's folder."""
    from geoop.mesh.generate.grid import grid

    mesh = grid([10, 10])
    return geoop.Case(mesh, wall=tuple(mesh.patches))
