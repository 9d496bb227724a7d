"""A study from end to end: table, files, resume, failures, bad input; by panels, and by a network."""

import csv
import json
import math

import pytest

import geoop
from geoop.mesh.primitives import naca4
from geoop.studies.table import read_table
from geoop.truth.panels.system import panel_flow

SWEEP = {"model": "panels", "geometry": ["naca2412"], "alpha": [-4.0, 0.0, 4.0], "velocity": 60.0, "settings": {"surface_only": True}}


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
    done = geoop.study(model="panels", geometry="naca0012", alpha=[0.0, 2.0], velocity=10.0, output=tmp_path / "f")
    case = geoop.read_case(done.folder / "cases" / "naca0012_0001.vtu")
    assert {"wall", "farfield"} <= set(case.mesh.patches) and "velocity" in case.fields
    assert len(geoop.read_series(done.folder / "study.pvd")) == 2
    none = geoop.study(model="panels", geometry="naca0012", alpha=0.0, velocity=10.0, output=tmp_path / "n", settings={"files": "none"})
    assert not (none.folder / "cases").exists() and not list(none.folder.glob("*.pvd")) and len(none.rows) == 1


def test_study_json_says_what_the_numbers_depend_on(sweep):
    data = json.loads((sweep.folder / "study.json").read_text())
    assert data["model"]["name"] == "panels" and data["geometries"][0]["name"] == "naca2412" and data["seconds"] > 0
    assert [c["alpha"] for c in data["conditions"]] == [-4.0, 0.0, 4.0] and data["geometries"][0]["chord"] == 1.0
