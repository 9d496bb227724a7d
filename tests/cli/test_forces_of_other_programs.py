"""geoop forces on files of other programs: no patches, their own names and units, domains of any size."""

from __future__ import annotations

import json
from dataclasses import replace

import meshio
import numpy as np
import pytest

from geoop.cli.app import main
from geoop.io.reading import read_case
from geoop.mesh.generate.grid import grid
from geoop.mesh.generate.ogrid import ogrid
from geoop.mesh.primitives import circle
from tests.io.collecting.result_files import write_vtu

STREAM = ("--velocity", "30", "--density", "1.2", "--json")
CL = 1.2 * 30.0 * 20.0 / (0.6 * 900.0)


def flow(radius: float = 8.0):
    """Mesh, pressure and velocity of the flow with circulation round a cylinder of diameter 1."""
    mesh = ogrid(circle(160, 0.5), n_wall=160, n_normal=60, outer_radius=radius)
    z = mesh.points[:, 0] + 1j * mesh.points[:, 1]
    w = 30.0 * (1.0 - 0.25 / z**2) + 1j * 20.0 / (2.0 * np.pi * z)
    return mesh, 0.6 * (900.0 - np.abs(w) ** 2), np.stack([w.real, -w.imag, 0.0 * w.real], axis=1)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """File of arrays by their labels, with p in Pa and u in m/s times the factors."""
    folder, (mesh, p, u) = tmp_path_factory.mktemp("files"), flow()

    def write(pressure, speed="U", factors=(1.0, 1.0)):
        return write_vtu(folder / "flow.vtu", mesh, point={pressure: factors[0] * p, speed: factors[1] * u})

    return write


def run(capsys, *words) -> dict:
    assert main(["forces", *[str(word) for word in words]]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("pressure", "speed", "factors", "words"),
    [
        ("pressure [kPa]", "velocity [km/h]", (1e-3, 3.6), ("--pressure", "static")),
        ("p [Pa]", "U", (1.0, 1.0), ()),
        ("p", "U", (1 / 1.2, 1.0), ("--pressure", "kinematic")),
        ("Static Pressure", "Velocity", (1.0, 1.0), ("--pressure", "static")),
        ("Cp", "U", (1 / 540.0, 1.0), ()),
        ("Druck p/Pa", "Geschw.", (1.0, 3.6), ("--map", "Druck p/Pa=pressure:Pa", "--map", "Geschw.=velocity:km/h")),
    ],
    ids=["units", "p", "kinematic", "spaces", "Cp", "said"],
)
def test_names_and_units_of_other_programs(written, capsys, pressure, speed, factors, words):
    data = run(capsys, written(pressure, speed, factors), *words, "--check", *STREAM)
    assert data["forces"]["CL"] == pytest.approx(CL, rel=2e-3)
    assert set(data["forces"]["patches"]) == {"body", "total"} and any("no patches" in note for note in data["notes"])
    assert "they agree" in data["balance"]["statement"] and data["balance"]["largest_lift_difference"] < 0.01


def test_what_is_not_known_is_named(written, capsys):
    assert main(["forces", str(written("pressure [foo]")), *STREAM]) == 2
    assert "'foo'" in json.loads(capsys.readouterr().err)["message"]
    assert main(["forces", str(written("Druck")), *STREAM]) == 2
    assert "--map NAME=pressure:Pa" in json.loads(capsys.readouterr().err)["remedy"]


def test_a_boundary_of_one_piece_has_no_body(capsys, tmp_path):
    mesh = grid([3, 3])
    assert main(["forces", str(write_vtu(tmp_path / "square.vtu", mesh, point={"p [Pa]": mesh.points[:, 0]})), "--json"]) == 2
    error = json.loads(capsys.readouterr().err)
    assert "names no patches" in error["message"] and "--wall" not in error["remedy"]


def test_convert_takes_the_map(written, capsys, tmp_path):
    assert main(["convert", str(written("p [kPa]", factors=(1e-3, 1.0))), str(tmp_path / "out.vtu"), "--map", "p=pressure", "--json"]) == 0
    assert read_case(tmp_path / "out.vtu").field("pressure").values == pytest.approx(flow()[1])


@pytest.mark.parametrize(("radius", "rows"), [(8.0, 7), (1.6, 5), (0.9, 2), (0.62, 1)], ids=["roomy", "some", "box", "none"])
def test_a_check_takes_the_cuts_that_lie_in_the_mesh(capsys, tmp_path, radius, rows):
    mesh, p, u = flow(radius)
    path = write_vtu(tmp_path / "near.vtu", mesh, point={"p [Pa]": p, "U": u})
    data = run(capsys, path, "--check", *STREAM)
    assert data["forces"]["CL"] == pytest.approx(CL, rel=2e-3) and len(data["balance"]["rows"]) == rows
    assert ("too small" in data["balance"]["statement"]) == (rows == 1)
    assert any("the field ends before" in note for note in data["balance"]["notes"]) == (rows < 7)
    if rows == 1:  # a wake cannot be surveyed there either
        data = run(capsys, path, "--check", "--viscosity", 1e-5, *STREAM)
        assert len(data["balance"]["rows"]) == 1 and any("wake survey is left out" in note for note in data["balance"]["notes"])
        assert main(["forces", str(path), "--check", *STREAM[:-1]]) == 0 and "too small" in capsys.readouterr().out


def test_a_seam_that_was_not_joined_is_named_and_can_be_joined(tmp_path, capsys):
    """A structured grid round a body whose first and last lines coincide: its boundary is one curve until they are joined."""
    plane = grid([160, 60])
    angle, radius = 2 * np.pi * plane.points[:, 0], 0.5 * 16.0 ** plane.points[:, 1]
    z = radius * np.exp(1j * angle)
    w = 30.0 * (1.0 - 0.25 / z**2) + 1j * 20.0 / (2.0 * np.pi * z)
    open_ = replace(plane, points=np.stack([z.real, -z.imag], axis=1), patches={})
    velocity = np.stack([w.real, w.imag, 0.0 * w.real], axis=1)
    path = write_vtu(tmp_path / "seam.vtu", open_, point={"p [Pa]": 0.6 * (900.0 - np.abs(w) ** 2), "U": velocity})
    assert main(["forces", str(path), *STREAM]) == 2
    assert "61 points lie on top of others" in " ".join(capsys.readouterr().err.replace("│", " ").split())
    joined = tmp_path / "joined.vtu"
    assert main(["inspect", str(path), "--repair", str(joined), "--tolerance", "1e-9"]) == 0
    capsys.readouterr()
    assert abs(run(capsys, joined, *STREAM)["forces"]["CL"]) == pytest.approx(CL, rel=2e-3)


def test_lines_that_stand_upright_in_space_are_one_error(tmp_path, capsys):
    angle = np.linspace(0.0, 2.0 * np.pi, 48, endpoint=False)
    points = np.stack([np.cos(angle), np.zeros(48), np.sin(angle)], axis=1)
    lines = np.stack([np.arange(48), (np.arange(48) + 1) % 48], axis=1)
    meshio.Mesh(points, [("line", lines)], point_data={"p [Pa]": points[:, 2]}).write(tmp_path / "ring.vtu")
    assert main(["forces", str(tmp_path / "ring.vtu")]) == 2
    assert "Traceback" not in capsys.readouterr().err
