"""What is wrong with a study is said in plain words, all at once, before anything is computed."""

import math
import tomllib

import numpy as np
import pytest

import geoop
from geoop.errors import ConfigurationError
from geoop.interfaces.outcome import Outcome
from geoop.interfaces.result import Result
from geoop.interfaces.verdict import Verdict
from geoop.io.writing import write
from geoop.mesh.measure import cell_measures
from geoop.mesh.primitives import icosphere, naca4, ring
from geoop.mesh.quantity import QUANTITIES
from geoop.studies.sweep.near_field import near_field
from geoop.studies.sweep.study import plan
from geoop.studies.sweep.study_file import read_study
from geoop.studies.sweep.template import TEMPLATE

SWEEP = {
    "model": "panels",
    "geometry": ["naca2412"],
    "alpha": [-4.0, 0.0, 4.0],
    "velocity": 60.0,
    "settings": {"report": False, "surface_only": True},
}


class Sphere:
    """Exact potential flow past a unit sphere."""

    def predict(self, case):
        point = case.operating_point
        along = point.direction(3)

        def evaluate(points):
            r = np.linalg.norm(points, axis=1)[:, None]
            with np.errstate(divide="ignore", invalid="ignore"):
                velocity = along + 0.5 * along / r**3 - 1.5 * (points @ along)[:, None] * points / r**5
            velocity = point.velocity * np.where(r < 1 - 1e-12, np.nan, velocity)
            return {"velocity": geoop.Field(QUANTITIES["velocity"], velocity)}

        cosine = case.mesh.points @ along
        field = geoop.Field(QUANTITIES["pressure_coefficient"], 1.0 - 2.25 * (1.0 - cosine**2))
        return Result(case.with_fields(field), Outcome(), Verdict("inside", "exact"), evaluate)


def refused(tmp_path, **changes) -> str:
    """What is said about a bad study, of which nothing may have been computed."""
    with pytest.raises(ConfigurationError) as caught:
        geoop.study(**{**SWEEP, **changes}, output=tmp_path / "s")
    assert not (tmp_path / "s").exists()
    return str(caught.value)


def test_an_open_section_is_refused(tmp_path):
    closed = naca4("2412", 80)
    part = closed.submesh(closed.cells.take(np.arange(70)), name="torn", patches={})
    assert "torn: the section is open" in refused(tmp_path, geometry=part)


def test_a_section_that_crosses_itself_is_refused(tmp_path):
    points = naca4("2412", 80).points.copy()
    points[[10, 12]] = points[[12, 10]]
    assert "knot: the section crosses itself" in refused(tmp_path, geometry=ring(points, "knot"))


def test_a_thin_edge_is_refused_with_the_setting_that_accepts_it(tmp_path):
    thin_refused = geoop.study(**{**SWEEP, "geometry": ["naca0003"]}, output=tmp_path / "refused")
    assert all("accept it with smallest_edge_angle = 4" in row["message"] for row in thin_refused.rows)
    settings = {**SWEEP["settings"], "smallest_edge_angle": 4}
    accepted = geoop.study(**{**SWEEP, "geometry": ["naca0003"], "settings": settings}, output=tmp_path / "accepted")
    thin = 2 * np.pi * np.sin(np.radians([-4.0, 0.0, 4.0]))
    np.testing.assert_allclose([row["CL"] for row in accepted.rows], thin, atol=0.03 * thin[-1])  # a plate, and 3 % for its thickness
    assert "from 0 to 180" in refused(tmp_path, settings={"smallest_edge_angle": 200})


def test_what_the_model_refuses_is_said_before_anything_is_computed():
    table = {"model": "panels", "conditions": {"alpha": 2.0, "velocity": 60.0}}
    warnings = plan(read_study({**table, "geometry": ["naca0003", "naca2412", "naca0002"]}))[1].warnings
    assert len(warnings) == 1 and warnings[0].startswith("2 of 3 geometries are refused by the model, such as naca0003: the trailing-edge angle is")
    assert "accept it with smallest_edge_angle = 4" in warnings[0]
    assert not plan(read_study({**table, "geometry": ["naca2412"]}))[1].warnings


@pytest.mark.parametrize("chord", [1000.0, 0.001])
def test_a_chord_of_another_unit_is_asked_about(tmp_path, chord):
    table = {"naca": ["2412"], "chord": chord}
    said = refused(tmp_path, geometry=table)
    assert "is the unit right?" in said and 'accept = ["unit"]' in said
    done = geoop.study(**{**SWEEP, "geometry": table, "settings": {"report": False, "surface_only": True, "accept": ["unit"]}}, output=tmp_path / "s")
    assert any(text.startswith("accepted: naca2412") for text in done.warnings)
    assert np.allclose(done.column("CL"), geoop.study(**SWEEP, output=tmp_path / "one").column("CL"))


def test_angles_in_radians_are_asked_about(tmp_path):
    assert "are these radians?" in refused(tmp_path, alpha=[-0.07, 0.0, 0.14])
    geoop.study(**{**SWEEP, "alpha": [0.0]}, output=tmp_path / "zero")
    geoop.study(**{**SWEEP, "alpha": [0.5], "settings": {"report": False, "files": "none", "accept": "angles"}}, output=tmp_path / "meant")


def test_conditions_that_the_model_does_not_have_are_refused(tmp_path, surrogate):
    for model in ("panels", surrogate):
        assert "knows no Mach number" in refused(tmp_path, model=model, conditions={"mach": 0.3})
        assert "sideslip" in refused(tmp_path, model=model, conditions={"beta": 3.0})
    assert "takes sections" in refused(tmp_path, model=surrogate, geometry=icosphere(1))
    assert "a boundary layer needs a Reynolds number" in refused(tmp_path, settings={"drag": "boundary layer"})


def test_conditions_outside_the_training_are_said_before_anything_is_computed(tmp_path, surrogate):
    said = []
    done = geoop.study(**{**SWEEP, "model": surrogate, "alpha": [0.0, 25.0]}, output=tmp_path / "s", said=said.append)
    assert any("1 of 2 conditions lie outside" in text and "25" in text for text in said)
    assert done.rows[1]["level"] == "outside"


def test_everything_that_is_wrong_is_said_at_once(tmp_path):
    said = refused(
        tmp_path,
        geometry=["naca24", "missing.dat", {"naca": ["2612", "23x12"]}, {"naca": {"camber": 40}}, {"nacca": "2412"}],
        alpha="one",
        settings={"drag": "some"},
    )
    for word in ("naca24", "missing.dat", "23x12", "camber 40", "did you mean 'naca'", "'one' is no range", "drag = 'some'"):
        assert word in said, word


def test_wrong_keys_of_all_tables_are_one_error(tmp_path):
    text = 'modle = "panels"\nfils = "none"\n[[geometry]]\nnacca = "2412"\n[[geometry]]\nnaca = "2412"\ncord = 1\n[conditions]\nvelocty = 1'
    for first in ("modle", "model"):  # a study without a model, and one with a wrong one
        path = tmp_path / "study.toml"
        path.write_text(text.replace("modle", first).replace("panels", "pannels"))
        with pytest.raises(ConfigurationError) as error:
            geoop.study(path, tmp_path / "out")
        wanted = ["'fils' (did you mean 'files'?)", "did you mean 'naca'", "did you mean 'chord'", "did you mean 'velocity'"]
        for word in [*wanted, "did you mean 'model'" if first == "modle" else "did you mean 'panels'"]:
            assert word in str(error.value), word


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('modle = "panels"\ngeometry = "naca2412"\n[conditions]\nvelocity = 1', "did you mean 'model'"),
        ('model = "panels"\ngeometry = "naca2412"\n[conditions]\nvelocty = 1', "did you mean 'velocity'"),
        (
            'model = "panels"\n[[geometry]]\nnaca = "2412"\nflap = {hinge = 0.7, deflecton = 3, deflection = 1}\n[conditions]\nvelocity = 1',
            "did you mean 'deflection'",
        ),
        ('model = "panels"\n[conditions]\nvelocity = 1', "missing: geometry"),
        ('model = "panels"\ngeometry = "naca2412"\nfiles = 3\n[conditions]\nvelocity = 1', "files = 3"),
        ('model = "panels"\ngeometry = "naca2412"\naccept = ["everything"]\n[conditions]\nvelocity = 1', "accept names 'everything'"),
        ("model = ", "is not TOML"),
    ],
)
def test_a_bad_study_file(tmp_path, text, said):
    path = tmp_path / "study.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=said):
        geoop.study(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_template_is_a_valid_study():
    job, _ = plan(read_study(tomllib.loads(TEMPLATE)))
    assert job.size == 27
    keys = {line.split("=")[0].strip("# ") for line in TEMPLATE.splitlines() if "=" in line}
    assert {"model", "output", "surface_only", "files", "compare", "drag", "reference_area", "reference_length", "accept", "seed"} <= keys


def test_bodies_in_space_need_a_unit_and_an_area(tmp_path):
    write(geoop.Case(icosphere(1)), tmp_path / "ball.stl")
    said = refused(tmp_path, model=Sphere(), geometry=str(tmp_path / "ball.stl"), settings={})
    assert "carry no length unit" in said
    table = {"file": str(tmp_path / "ball.stl"), "unit": "m"}
    assert "reference area" in refused(tmp_path, model=Sphere(), geometry=table, settings={})
    done = geoop.study(
        model=Sphere(),
        geometry=table,
        alpha=[0, 5],
        conditions={"beta": [0, 3]},
        velocity=10,
        output=tmp_path / "s",
        settings={"reference_area": math.pi, "report": False},
    )
    assert len(done.rows) == 4 and list(done.column("beta [deg]")) == [0, 0, 3, 3]
    assert np.abs(done.column("CL")).max() < 0.05 and done.column("Cp min") == pytest.approx(-1.25, abs=0.1)
    assert {row["CD source"] for row in done.rows} == {"inviscid: none"}
    assert sorted(path.suffix for path in (done.folder / "cases").iterdir()) == [".vtp"] * 4 + [".vtu"] * 4


def test_a_body_in_space_gets_a_block_of_cells_around_it():
    """None of them reaches into the body, together they fill the block without it, and the values are those of the continuous field."""
    result = Sphere().predict(geoop.Case(icosphere(2), geoop.OperatingPoint(3.0, 10.0)))
    block = near_field(result, reach=0.5, cells=40)
    assert np.linalg.norm(block.mesh.points, axis=1).min() > 1.0 - 1e-9 and block.mesh.bounds == pytest.approx(
        np.array([[-2.0] * 3, [2.0] * 3]), abs=0.01
    )
    volumes = cell_measures(block.mesh)
    assert volumes == pytest.approx(np.full(len(volumes), 0.1**3), rel=1e-2)
    assert 4.0**3 - volumes.sum() == pytest.approx(4 / 3 * np.pi, rel=0.3)  # cells that the sphere cuts are left out
    assert np.array_equal(block.field("velocity").values, result.at(block.mesh.points)["velocity"])


def test_a_wing_brings_its_own_area(tmp_path):
    table = {
        "model": Sphere(),
        "geometry": [{"wing": {"span": [4.0, 8.0], "root_chord": 1.0}}, {"superellipsoid": {}, "reference_area": 1.0}],
        "conditions": {"velocity": 1},
    }
    job, _ = plan(read_study(table))
    assert [shape.name for shape in job.geometries] == ["wing_000", "wing_001", "superellipsoid"]
    assert job.geometries[1].area == pytest.approx(2 * job.geometries[0].area) and job.geometries[0].length == pytest.approx(
        job.geometries[0].area / 4
    )


def test_an_open_surface_is_asked_about(tmp_path):
    ball = icosphere(1)
    torn = ball.submesh(ball.cells.take(np.arange(70)), name="torn", patches={})
    said = refused(tmp_path, model=Sphere(), geometry=torn, settings={"reference_area": 1.0})
    assert "torn: the surface is open" in said and 'accept = ["open"]' in said
