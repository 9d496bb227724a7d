"""geoop forces: on files with fields, with checks and sections, and what it refuses to guess."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from geoop.cli.app import main
from geoop.io.paraview import write_case
from geoop.mesh.case import Case
from geoop.mesh.generate.ogrid import ogrid
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import box, naca4
from geoop.mesh.quantity import QUANTITIES, Field, Quantity
from geoop.results.forces import forces
from geoop.truth.panels.system import PanelSystem

STREAM = OperatingPoint(60.0, alpha=3.0)


@pytest.fixture(scope="module")
def section(tmp_path_factory):
    outline = naca4("2412")
    mesh = ogrid(outline, n_wall=120, n_normal=50, smooth=True)
    case = PanelSystem(outline, 160).flow(STREAM).solve_case(Case(mesh, STREAM, wall=("wall",)))
    path = tmp_path_factory.mktemp("forces") / "flow.vtu"
    write_case(case, path)
    return case, path


@pytest.fixture(scope="module")
def slab(tmp_path_factory):
    mesh = box((0, -2, 0), (1, 3, 0.5), divisions=2)
    path = tmp_path_factory.mktemp("slab") / "slab.vtp"
    write_case(Case(mesh, fields={"pressure": Field(Quantity("pressure", "p", "?"), -mesh.points[:, 2])}), path)
    return path


def run(capsys, *words) -> dict:
    assert main(["forces", *[str(word) for word in words], "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, *words) -> dict:
    assert main(["forces", *[str(word) for word in words], "--json"]) == 2
    return json.loads(capsys.readouterr().err)


def test_a_file_gives_what_the_library_gives(section, capsys):
    case, path = section
    known = forces(case)
    data = run(capsys, path)["forces"]
    assert data["CL"] == pytest.approx(known.CL) and data["CM"] == pytest.approx(known.CM) and data["CD"] is None
    moved = run(capsys, path, "--about", "0,0")["forces"]
    assert moved["CM"] == pytest.approx(forces(case, reference_point=(0.0, 0.0)).CM)
    faster = run(capsys, path, "--velocity", 30, "--alpha", 3, "--density", 1.0)["forces"]
    assert faster["CL"] == pytest.approx(known.CL) and faster["lift"] == pytest.approx(known.lift / 4 / 1.225)
    assert main(["forces", str(path)]) == 0 and "quarter chord" in capsys.readouterr().out


def test_check_compares_ways_to_the_same_lift(section, capsys):
    data = run(capsys, section[1], "--check")["balance"]
    assert "agree" in data["statement"] and len(data["rows"]) == 7 and data["largest_lift_difference"] < 0.01
    assert main(["forces", str(section[1]), "--check"]) == 0 and "circulation" in capsys.readouterr().out


def test_pressure_is_never_guessed(slab, capsys):
    assert "cannot be told apart" in refused(capsys, slab)["message"]
    assert "--pressure" in refused(capsys, slab)["remedy"]
    static = run(capsys, slab, "--pressure", "static")["forces"]
    kinematic = run(capsys, slab, "--pressure", "kinematic", "--density", 1000)["forces"]
    assert static["patches"]["total"]["pressure"][2] == pytest.approx(2.5)  # its volume
    assert kinematic["patches"]["total"]["pressure"][2] == pytest.approx(2500.0)
    assert "no density" in refused(capsys, slab, "--pressure", "kinematic")["message"]


def test_a_foreign_file_that_calls_its_pressure_pressure_says_no_unit(slab, capsys, tmp_path):
    mesh = box((0, -2, 0), (1, 3, 0.5), divisions=2)
    write_case(Case(mesh, fields={"pressure": Field(QUANTITIES["pressure"], -mesh.points[:, 2])}), tmp_path / "own.vtp", annotate=False)
    assert run(capsys, tmp_path / "own.vtp")["forces"]["patches"]["total"]["pressure"][2] == pytest.approx(2.5)  # its label has the unit
    text = (tmp_path / "own.vtp").read_bytes().replace(b'"pressure [Pa]"', b'"pressure"')
    (tmp_path / "foreign.vtp").write_bytes(text)
    assert "cannot be told apart" in refused(capsys, tmp_path / "foreign.vtp")["message"]
    data = run(capsys, tmp_path / "foreign.vtp", "--pressure", "kinematic", "--density", 2)["forces"]
    assert data["patches"]["total"]["pressure"][2] == pytest.approx(5.0)


def static(case):
    point = case.operating_point
    return Field(QUANTITIES["pressure"], 0.5 * point.density * point.velocity**2 * case.field("pressure_coefficient").values)


@pytest.mark.parametrize(("pressure", "speed", "scales"), [("kPa", "km/h", (1e-3, 3.6)), ("psi", "ft/s", (1 / 6894.757293168, 1 / 0.3048))])
def test_units_that_a_file_states_are_taken_to_si(section, capsys, tmp_path, pressure, speed, scales):
    """Whatever is said of the pressure elsewhere: what the array itself says counts."""
    case, _ = section
    fields = {
        name: Field(Quantity(name, "x", unit, item.quantity.rank), item.values * scale)
        for name, unit, scale, item in (
            ("pressure", pressure, scales[0], static(case)),
            ("velocity", speed, scales[1], case.field("velocity")),
        )
    }
    mesh = replace(case.mesh, notes=("units that the file does not state are taken as: pressure in Pa, velocity in m/s",))
    write_case(replace(case, mesh=mesh, fields=fields), tmp_path / "flow.vtu")
    data = run(capsys, tmp_path / "flow.vtu", "--pressure", "static", "--check")
    assert data["forces"]["CL"] == pytest.approx(forces(case).CL, rel=1e-6)
    assert all(row["CL"] == pytest.approx(forces(case).CL, rel=0.02) for row in data["balance"]["rows"] if row["CL"] is not None)


def test_units_that_nobody_knows_are_refused(section, capsys, tmp_path):
    case, _ = section
    for name, unit in (("pressure", "foo"), ("velocity", "bar/s")):
        fields = {"pressure": static(case), "velocity": case.field("velocity")}
        fields[name] = Field(Quantity(name, "x", unit, fields[name].quantity.rank), fields[name].values)
        write_case(replace(case, fields=fields), tmp_path / "flow.vtu")
        said = refused(capsys, tmp_path / "flow.vtu", "--check")
        assert f"'{name}' is in '{unit}'" in said["message"] and "geoop." not in said["remedy"]


def test_sections_are_printed_and_written(slab, capsys, tmp_path):
    words = (slab, "--pressure", "static", "--velocity", 10, "--reference-area", 5, "--sections", 4)
    data = run(capsys, *words, "-o", tmp_path / "loads.csv")
    assert [row["lift [N/m]"] for row in data["sections"]["rows"]] == pytest.approx([0.5] * 4)
    assert (tmp_path / "loads.csv").read_text().count("\n") == 5
    run(capsys, *words, "-o", tmp_path / "cuts.vtp")
    assert (tmp_path / "cuts.vtp").exists()


def test_every_mistake_is_said_before_the_file_is_read(capsys, tmp_path):
    said = refused(capsys, tmp_path / "none.vtu", "--pressure", "total", "--alpha", 3, "-o", "loads.txt")
    assert all(word in said["message"] for word in ("'total'", "--alpha without --velocity", "without --sections", "neither .csv nor .vtp"))


def test_what_does_not_fit_the_file(section, slab, capsys):
    assert "2-D" in refused(capsys, section[1], "--about", "0,0,0")["message"]
    assert "plane" in refused(capsys, section[1], "--reference-area", 1)["message"]
    assert "no span" in refused(capsys, section[1], "--sections", 5)["message"]
    assert "wall only" in refused(capsys, slab, "--pressure", "static", "--velocity", 3, "--reference-area", 1, "--check")["message"]


def test_the_wall_only_knows_no_field(section, capsys, tmp_path):
    case, _ = section
    bare = Case(
        naca4("0012"), STREAM, fields={"pressure_coefficient": Field(QUANTITIES["pressure_coefficient"], np.zeros(len(naca4("0012").points)))}
    )
    write_case(bare, tmp_path / "wall.vtp")
    assert "on the wall only" in refused(capsys, tmp_path / "wall.vtp", "--check")["message"]
    write_case(replace(case, fields={"pressure_coefficient": case.fields["pressure_coefficient"]}), tmp_path / "still.vtu")
    assert "velocity" in refused(capsys, tmp_path / "still.vtu", "--check")["message"]


RANS = Path(__file__).parents[3] / "shared" / "data" / "su2" / "naca0012_rans"


@pytest.mark.skipif(not RANS.is_dir(), reason="../shared/data is not there")
def test_conservative_variables_of_su2_give_the_lift_of_the_published_case(capsys):
    """NACA 0012 at 10 degrees, Mach 0.15, Re 6e6, Spalart-Allmaras (NASA turbulence modelling resource: CFL3D 1.0909 on 897 x 257); here on 225 x 65."""
    run = ["forces", str(RANS / "n0012_225-65.su2"), "--solution", str(RANS / "solution_flow_sa.dat"), "--pressure", "static", "--json"]
    stream = ["--velocity", str(0.15 * 1.4**0.5), "--alpha", "10", "--density", "1", "--reference-pressure", "1"]  # the run's own units: p = rho = 1
    assert main([*run, *stream]) != 0
    assert "--gamma 1.4" in capsys.readouterr().err
    assert main([*run, *stream, "--gamma", "1.4"]) == 0
    assert json.loads(capsys.readouterr().out)["forces"]["CL"] == pytest.approx(1.0909, abs=0.02)
