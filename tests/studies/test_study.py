"""A study from end to end: table, files, resume, failures, bad input; by panels, and by a network."""

import csv
import json
import math
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from html import escape

import numpy as np
import pytest

import geoop
from geoop.errors import ConfigurationError
from geoop.mesh.cells import Cells
from geoop.mesh.primitives import naca4
from geoop.mesh.resample import closed_ring
from geoop.studies.sweep.table import read_table
from geoop.truth.panels.predictor import PanelPredictor
from geoop.truth.panels.system import panel_flow

SWEEP = {
    "model": "panels",
    "geometry": ["naca2412"],
    "alpha": [-4.0, 0.0, 4.0],
    "velocity": 60.0,
    "settings": {"surface_only": True, "report": False},
}


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    return geoop.study(**SWEEP, output=tmp_path_factory.mktemp("sweep") / "polar")


def test_lift_and_moment_are_those_of_the_panel_method(sweep):
    section = naca4("2412", 240)
    for alpha, lift, moment, place in zip(*(sweep.column(name) for name in ("alpha [deg]", "CL", "CM", "x_cp/c")), strict=True):
        flow = panel_flow(section, geoop.OperatingPoint(60.0, alpha, reference_length=1.0))
        assert lift == pytest.approx(flow.lift_coefficient, abs=2e-3) and moment == pytest.approx(flow.moment_coefficient, abs=5e-4)
        normal = lift * math.cos(math.radians(alpha))  # no drag: the force is across the stream
        assert place == pytest.approx(0.25 - moment / normal, abs=2e-3)


def test_the_table_is_tidy_and_csv_reads_it_back(sweep):
    with (sweep.folder / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["case"] for row in rows] == [row["case"] for row in sweep.rows] and len(rows) == 3
    assert [float(row["CL"]) for row in rows] == list(sweep.column("CL"))
    assert {row["CD source"] for row in rows} == {"inviscid: none"} and {row["CD"] for row in rows} == {""}
    assert {row["outcome"] for row in rows} == {"converged"}
    again = read_table(sweep.folder / "table.csv")
    assert [row["Cp min"] for row in again] == list(sweep.column("Cp min"))


def test_pandas_reads_the_table(sweep):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.read_csv(sweep.folder / "table.csv")
    assert frame["CL"].dtype == float and len(frame) == 3


def test_parquet_holds_the_same_table(sweep):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    table = parquet.read_table(sweep.folder / "table.parquet")
    assert table.column("CL").to_pylist() == list(sweep.column("CL"))


def test_walls_and_series_open(sweep):
    pyvista = pytest.importorskip("pyvista")
    reader = pyvista.get_reader(sweep.folder / "surface.pvd")
    assert reader.time_values == [-4.0, 0.0, 4.0]
    reader.set_active_time_value(4.0)
    block = reader.read()[0]
    assert block["pressure_coefficient [1]"].min() == pytest.approx(sweep.column("Cp min")[2])
    series = geoop.read_series(sweep.folder / "surface.pvd")
    assert series.parameter == "alpha [deg]" and series.cases[2].operating_point.alpha == 4.0


def test_fields_are_written_unless_refused(tmp_path):
    done = geoop.study(model="panels", geometry="naca0012", alpha=[0.0, 2.0], velocity=10.0, output=tmp_path / "f", settings={"report": False})
    case = geoop.read_case(done.folder / "cases" / "naca0012_0001.vtu")
    assert {"wall", "farfield"} <= set(case.mesh.patches) and "velocity" in case.fields
    assert len(geoop.read_series(done.folder / "study.pvd")) == 2
    none = geoop.study(
        model="panels", geometry="naca0012", alpha=0.0, velocity=10.0, output=tmp_path / "n", settings={"files": "none", "report": False}
    )
    assert not (none.folder / "cases").exists() and not list(none.folder.glob("*.pvd")) and len(none.rows) == 1


def test_a_slot_that_no_grid_fits_costs_the_field_and_not_the_case(tmp_path, surrogate):
    ring = closed_ring(naca4("0018", 120))
    slot = (ring[:, 1] < 0) & (abs(ring[:, 0] - 0.4) < 0.01)
    first, last = np.flatnonzero(slot)[[0, -1]]
    walls = np.array([[0.395, -0.085], [0.395, 0.0], [0.405, 0.0], [0.405, -0.085]])
    slotted = np.concatenate([ring[:first], walls, ring[last + 1 :]])
    index = np.arange(len(slotted))
    mesh = geoop.Mesh(slotted, Cells.of(line=np.stack([index, np.roll(index, -1)], axis=1)))
    shape = {"mesh": mesh, "name": "slotted"}
    done = geoop.study(
        model=surrogate, geometry=[shape, "naca0018"], alpha=[0.0, 2.0], velocity=10.0, output=tmp_path / "s", settings={"report": False}
    )
    assert not done.failed and np.isfinite(done.column("CL")).all()
    for row in done.rows:
        assert ("no field" in row["message"] and "inverted" in row["message"]) == (row["geometry"] == "slotted")
    assert [path.stem for path in sorted((done.folder / "cases").glob("*.vtu"))] == ["naca0018_0000", "naca0018_0001"]
    assert len(list((done.folder / "cases").glob("slotted*.vtp"))) == 2 and len(geoop.read_series(done.folder / "slotted.pvd")) == 2
    again = geoop.study(
        model=surrogate, geometry=[shape, "naca0018"], alpha=[0.0, 2.0], velocity=10.0, output=tmp_path / "s", settings={"report": False}
    )
    assert again.rows == done.rows


def test_shapes_named_like_the_series_of_all_shapes_keep_a_series_of_their_own(tmp_path):
    shapes = [{"mesh": naca4("2412"), "name": name} for name in ("study", "Surface")]
    done = geoop.study(model="panels", geometry=shapes, alpha=[0.0, 2.0], velocity=10.0, output=tmp_path / "s", settings=SWEEP["settings"])
    series = [path for path in done.files if path.suffix == ".pvd"]
    assert len({path.name.lower() for path in series}) == len(series) == 3
    assert sorted(len(geoop.read_series(path)) for path in series) == [2, 2, 4]


_IN_PARAVIEW = """
import json, sys
from paraview.simple import OpenDataFile
found = {}
for path in sys.argv[1:]:
    source = OpenDataFile(path)
    times = list(source.TimestepValues)
    source.UpdatePipeline(times[-1])
    arrays = {source.PointData[i].Name: source.PointData[i].GetRange(0) for i in range(len(source.PointData))}
    found[path] = {"times": times, "points": source.GetDataInformation().GetNumberOfPoints(), "arrays": arrays}
print("RESULT" + json.dumps(found))
"""


@pytest.mark.paraview
def test_real_paraview_opens_the_sweep(tmp_path):
    settings = {"report": False}
    done = geoop.study(model="panels", geometry="naca2412", alpha=[-2.0, 3.0], velocity=50.0, output=tmp_path / "s", settings=settings)
    script = tmp_path / "look.py"
    script.write_text(_IN_PARAVIEW)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV", "VTK_"))}
    names = [str(done.folder / name) for name in ("surface.pvd", "study.pvd")]
    command = ["xvfb-run", "-a", shutil.which("pvpython") or "pvpython", str(script), *names]
    seen = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment, check=False)
    assert "RESULT" in seen.stdout, seen.stderr[-2000:]
    found = json.loads(seen.stdout.split("RESULT")[1].splitlines()[0])
    for name, item in found.items():
        assert item["times"] == [-2.0, 3.0] and {"velocity [m/s]", "pressure_coefficient [1]"} <= set(item["arrays"])
        assert item["points"] == (200 if "surface" in name else 16000)
    assert found[names[0]]["arrays"]["pressure_coefficient [1]"][0] == pytest.approx(done.column("Cp min")[1], rel=1e-4)


def test_study_json_says_what_the_numbers_depend_on(sweep):
    data = json.loads((sweep.folder / "study.json").read_text())
    assert (
        data["name"] == sweep.folder.name
        and data["model"]["name"] == "panels"
        and data["geometries"][0]["name"] == "naca2412"
        and data["seconds"] > 0
    )
    assert [c["alpha"] for c in data["conditions"]] == [-4.0, 0.0, 4.0] and data["geometries"][0]["chord"] == 1.0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["/usr/bin/geoop", "study", "my study.toml", "-j", "2"], "geoop study 'my study.toml' -j 2"),
        (["/site/geoop/__main__.py", "study", "s.toml"], "python -m geoop study s.toml"),
        (["/home/me/sweep.py", "wing*.stl"], "python sweep.py 'wing*.stl'"),
        (["/site/ipykernel_launcher.py", "-f", "kernel.json"], None),
        ([""], None),
    ],
)
def test_study_json_says_what_was_called(tmp_path, monkeypatch, words, said):
    monkeypatch.setattr(sys, "argv", words)
    done = geoop.study(model="panels", geometry="naca0012", alpha=2, velocity=10, output=tmp_path / "out", settings={"files": "none"})
    assert json.loads((done.folder / "study.json").read_text())["command"] == said
    assert escape(said or "geoop.study(...)", quote=True) in (done.folder / "report.html").read_text(encoding="utf-8")


def test_a_file_names_its_shapes_relative_to_itself(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    for name in ("one", "two"):
        np.savetxt(folder / f"{name}.dat", naca4("2412" if name == "one" else "0012", 80).points, header=name, comments="")
    (folder / "study.toml").write_text(
        'model = "panels"\noutput = "out"\nsurface_only = true\nreport = false\n[[geometry]]\nfiles = ["*.dat"]\nchord = 0.5\n'
        '[[geometry]]\nfile = "one.dat"\nname = "once more"\nflap = {hinge = 0.7, deflection = [5]}\n[conditions]\nvelocity = 10\nalpha = "0:2:2"'
    )
    done = geoop.study(folder / "study.toml")
    assert done.folder == folder / "out" and [row["geometry"] for row in done.rows[::2]] == [
        "one",
        "two",
        "once-more_flap+5-at0.7".replace("-at", "_at"),
    ]
    assert done.rows[0]["reference_length [m]"] == pytest.approx(0.5, rel=1e-3)
    assert np.isnan(done.column("flap deflection [deg]")[0]) and done.column("flap deflection [deg]")[-1] == 5.0


def test_sections_by_name_from_a_folder_and_by_ranges(tmp_path):
    coordinates = tmp_path / "dat"
    coordinates.mkdir()
    for code in ("2412", "2415", "0012"):
        np.savetxt(coordinates / f"n{code}.dat", naca4(code, 80).points, header=code, comments="")
    shapes = [
        {"uiuc": ["n24*", "N0012"], "folder": str(coordinates)},
        {"naca": {"camber": [0, 4], "thickness": "10:16:3"}},
        {"naca": {"camber": "0:6", "position": "30:50", "thickness": "8:20"}, "count": 8},
    ]
    done = geoop.study(model="panels", geometry=shapes, alpha=2, velocity=1, output=tmp_path / "s", settings={"files": "none", "report": False})
    assert len(done.rows) == 3 + 6 + 8
    drawn = done.column("thickness [%]")[-8:]
    assert sorted(np.floor((drawn - 8) / 12 * 8).astype(int)) == list(range(8))
    cambered, flat = (row["CL"] for row in done.rows[3:9][::3][::-1])
    assert cambered - flat == pytest.approx(4 * math.pi * 0.04, rel=0.2)  # four-digit camber at 40 %: thin-aerofoil zero lift
    with pytest.raises(ConfigurationError, match="did you mean n24"):
        geoop.study(model="panels", geometry={"uiuc": "n2413", "folder": str(coordinates)}, velocity=1, output=tmp_path / "t")


def test_a_network_has_its_control_and_its_verdict_beside_it(tmp_path, surrogate):
    done = geoop.study(
        **{**SWEEP, "model": surrogate, "settings": {"surface_only": True, "compare": "panels", "report": False}}, output=tmp_path / "s"
    )
    section = naca4("2412", 240)
    exact = [panel_flow(section, geoop.OperatingPoint(60.0, a, reference_length=1.0)).lift_coefficient for a in (-4.0, 0.0, 4.0)]
    assert done.column("CL panels") == pytest.approx(exact) and (done.column("Cp L2 panels [%]") > 1.0).all()
    assert {row["level"] for row in done.rows} <= {"inside", "edge", "outside"} and all(row["reason"] for row in done.rows)


def test_a_section_that_points_backwards_has_no_control(tmp_path, surrogate):
    section = naca4("2412", 120)
    shapes = [{"mesh": section.moved(-section.points), "name": "backwards"}, {"mesh": section, "name": "forwards"}]
    done = geoop.study(
        model=surrogate, geometry=shapes, alpha=2.0, velocity=10.0, output=tmp_path / "s", settings={**SWEEP["settings"], "compare": "panels"}
    )
    assert np.isnan(done.column("CL panels", "backwards")).all() and np.isfinite(done.column("CL panels", "forwards")).all()
    said = {row["geometry"]: row["message"] for row in done.rows}
    assert "no panels" in said["backwards"] and "no panels" not in said["forwards"]


def test_stated_reference_lengths_win_over_the_chord(tmp_path):
    table = {"naca": "2412", "chord": 0.5}
    shapes = [table, {**table, "reference_length": 2.0}, {**table, "flap": {"deflection": 0}}]
    one, other = (
        geoop.study(
            model="panels", geometry=shapes, alpha=4, velocity=1, output=tmp_path / str(k), settings={"files": "none", "report": False, **more}
        )
        for k, more in enumerate(({}, {"reference_length": 1.0}))
    )
    assert list(one.column("reference_length [m]")) == [0.5, 2.0, 0.5] and list(other.column("reference_length [m]")) == [1.0, 2.0, 1.0]
    assert other.column("CL")[0] == pytest.approx(one.column("CL")[0] / 2) and one.column("CL")[1] == pytest.approx(one.column("CL")[0] / 4)
    assert other.column("CM")[0] == pytest.approx(one.column("CM")[0] / 4) and one.column("x_cp/c") == pytest.approx(other.column("x_cp/c"))


def test_inputs_stay_as_they_were(tmp_path):
    section, settings = naca4("2412", 100), {"surface_only": True, "report": False}
    before = section.content_hash
    geoop.study(model="panels", geometry=section, alpha=1, velocity=1, output=tmp_path / "s", settings=settings)
    assert section.content_hash == before and settings == {"surface_only": True, "report": False}


def test_names_of_columns_are_checked(sweep):
    assert repr(sweep) == f"Study('{sweep.folder}', 3 cases, 0 failed)"
    with pytest.raises(ConfigurationError, match="no 'Cl'"):
        sweep.column("Cl")
    with pytest.raises(ConfigurationError, match="no 'naca0012'"):
        sweep.column("CL", "naca0012")


def test_drag_of_a_viscous_flow_without_friction_is_called_what_it_is(tmp_path):
    class Viscous(PanelPredictor):
        """Pressure of a flow that calls itself viscous."""

        def predict_many(self, mesh, points, *, surface_only=False):
            return [replace(result, viscous=True) for result in super().predict_many(mesh, points, surface_only=surface_only)]

    sources = []
    for surface_only in (True, False):
        settings = {"files": "all", "surface_only": surface_only, "report": False}
        done = geoop.study(model=Viscous(), geometry="naca2412", alpha=4, velocity=1, output=tmp_path / str(surface_only), settings=settings)
        (row,) = done.rows
        sources.append((row["CD source"], row["CD"] is None, row["L/D"]))
    assert sources == [("pressure only: none", True, None), ("field: pressure part only", False, None)]


def test_drag_comes_from_the_boundary_layer_where_asked_for(tmp_path):
    """NACA 0012 at Re 6e6, free transition: CD 0.0058 measured (Abbott and von Doenhoff 1959); at twice the Reynolds number less."""
    settings = {"drag": "boundary layer", "files": "none", "report": False}
    conditions = {"reynolds": [6e6, 1.2e7]}
    done = geoop.study(model="panels", geometry="naca0012", alpha=0, velocity=1, conditions=conditions, output=tmp_path / "s", settings=settings)
    low, high = done.column("CD")
    assert 0.0050 < high < low == pytest.approx(0.0058, rel=0.15) and {row["CD source"] for row in done.rows} == {"boundary layer"}
    assert any("knows no Reynolds number" in text for text in done.warnings)
