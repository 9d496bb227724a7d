"""Optimisation of sections: known optima with the panel method, exact slopes, constraints that bind, truth in the listing, and bad input."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import geoop
from geoop.cli.app import main
from geoop.errors import ConfigurationError
from geoop.mesh.primitives import naca4
from geoop.mesh.quantity import QUANTITIES
from geoop.models.body_field import BodyField
from geoop.models.ports import Ports
from geoop.results.surrogate import Surrogate
from geoop.scaling.envelope import TrainingEnvelope
from geoop.scaling.normaliser import Normaliser
from geoop.studies.optimisation.design import Design, PanelCoefficients, PredictedCoefficients, differences
from geoop.studies.optimisation.limits import GeometryLimits, SectionMeasures, TrainedRange
from geoop.studies.optimisation.optimise import optimise
from geoop.studies.optimisation.problem import Objective, read_problem
from geoop.studies.optimisation.result import Candidate, Optimised
from geoop.studies.optimisation.template import TEMPLATE
from geoop.truth.panels.derivatives import panel_coefficients, panel_derivatives

CONDITION = {"velocity": 60.0, "alpha": 2.0}
SECTION = {"naca": "2412", "points": 100}
NONE = {"confidence": "none"}


def tables(**changed):
    return {"model": "panels", "section": SECTION, "condition": CONDITION, "objective": {"target": {"CL": 0.5}}} | changed


@pytest.fixture(scope="module")
def surrogate():
    torch.manual_seed(3)
    cases = [
        geoop.Case(naca4(f"{m}4{t}", n_points=100), geoop.OperatingPoint(50.0, a))
        for m in (0, 2, 4)
        for t in (10, 12, 15)
        for a in (-4.0, 1.0, 3.0, 6.0)
    ]
    normaliser = Normaliser((QUANTITIES["velocity"], QUANTITIES["pressure_coefficient"]), (0.0, -0.2), (0.3, 0.5))
    model = BodyField(Ports(vectors_out=1, vectors_in=1, surface_scalars=10, body=True), width=32, depth=1, densities=4)
    return Surrogate(model, normaliser, TrainingEnvelope.fit(cases))


def test_a_lift_by_the_angle_alone():
    found = optimise(tables(variables={"shape": "none", "alpha": [-2.0, 8.0]}, objective={"target": {"CL": 0.7}}))
    section = found.problem.section
    low, high = (panel_coefficients(section, geoop.OperatingPoint(60.0, a, reference_length=1.0))["CL"] for a in (2.0, 4.0))
    exact = 2.0 + 2.0 * (0.7 - low) / (high - low)  # CL is a sine of the angle
    assert found.best.alpha == pytest.approx(exact, abs=0.01)
    assert found.best.checked["CL"] == pytest.approx(0.7, abs=1e-4)
    assert "is best" in found.said


def test_lift_is_taken_from_the_thickness_until_the_bound_binds():
    found = optimise(
        tables(
            objective={"maximise": "CL"},
            variables={"upper": [], "lower": [0.4], "limit": 0.01},
            constraints={"thickness": [[0.4, 0.115]], **NONE},
            solver={"iterations": 12},
        )
    )
    assert SectionMeasures.of(found.section).at(0.4) == pytest.approx(0.115, abs=2e-5)
    assert found.best.checked["CL"] > found.start.checked["CL"]
    free = optimise(
        tables(
            objective={"maximise": "CL"},
            variables={"upper": [], "lower": [0.4], "limit": 0.01},
            constraints={"max_thickness": 0.05},
            solver={"iterations": 6},
        )
    )
    assert found.best.checked["CL"] < free.best.checked["CL"]  # the bound costs something
    assert abs(free.best.x[0]) == pytest.approx(1.0)


def test_an_equality_of_lift_holds_while_the_moment_falls():
    found = optimise(
        tables(
            objective={"minimise": "|CM|"},
            variables={"upper": [0.3, 0.8], "lower": [0.8], "limit": 0.01, "alpha": [-2.0, 8.0]},
            constraints={"CL": 0.5, **NONE},
            solver={"iterations": 15},
        )
    )
    assert found.best.checked["CL"] == pytest.approx(0.5, abs=2e-3)
    assert abs(found.best.truth["CM"]) < 0.7 * abs(found.start.truth["CM"])


def test_slopes_of_a_model_are_those_of_its_values(surrogate):
    problem = read_problem(tables(model=surrogate, variables={"upper": [0.3], "lower": [0.6], "alpha": [-2.0, 8.0]}, constraints=NONE))
    design = Design.of(problem)
    flow, x = PredictedCoefficients(surrogate, design), np.array([0.2, -0.3, 0.1])
    flow.values(x)
    slopes = flow.slopes(x)
    for name in ("CL", "CM"):
        near = differences(lambda at, name=name: flow.values(at)[name], x, 1e-4)
        np.testing.assert_allclose(slopes[name], near, rtol=1e-2, atol=1e-5 * np.abs(near).max() + 1e-8)


def test_slopes_of_panels_do_not_depend_on_the_step():
    problem = read_problem(tables(variables={"upper": [0.3], "lower": [0.6], "alpha": [-2.0, 8.0]}))
    flow, x = PanelCoefficients(Design.of(problem)), np.zeros(3)
    fine = differences(lambda at: flow.values(at)["CL"], x, 2e-3)
    np.testing.assert_allclose(flow.slopes(x)["CL"], fine, rtol=2e-3, atol=1e-6)


def test_derivatives_of_panels_by_points_turn_with_the_stream():
    section, point = naca4("2412", 160), geoop.OperatingPoint(60.0, alpha=3.0, reference_length=1.0)
    x, y = section.points.T
    turn = np.stack([y, -x], axis=1)[:, :, None] * np.pi / 180
    shift = np.broadcast_to(np.array([0.3, -0.7])[None, :, None], (160, 2, 1))
    found = panel_derivatives(section, point, np.concatenate([turn, shift], axis=2))
    angle = (panel_coefficients(section, replace(point, alpha=3.01))["CL"] - panel_coefficients(section, replace(point, alpha=2.99))["CL"]) / 0.02
    assert found["CL"][0] == pytest.approx(angle, rel=1e-3)
    assert found["CL"][1] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    "objective",
    [{"minimise": "CD"}, {"minimise": "CM"}, {"minimise": "|CM|"}, {"maximise": "CL"}, {"maximise": "CL/CD"}, {"target": {"CL": 0.5, "CM": -0.1}}],
    ids=str,
)
def test_slopes_of_objectives(objective):
    asked, at = Objective(**objective), np.array([0.6, -0.05, 0.01])
    names = ("CL", "CM", "CD")
    slope = asked.slope(dict(zip(names, at, strict=True)), dict(zip(names, np.eye(3), strict=True)))
    near = differences(lambda c: asked.of(dict(zip(names, c, strict=True))), at, 1e-6)
    np.testing.assert_allclose(slope, near, rtol=1e-6, atol=1e-8)


def test_measures_of_a_known_section():
    found = SectionMeasures.of(naca4("0012", 400, chord=2.0))
    assert found.thickest == pytest.approx(0.12, rel=2e-3)
    assert found.at(0.3) == pytest.approx(0.12, rel=2e-3)
    assert found.area == pytest.approx(0.6845 * 0.12, rel=0.01)
    assert found.nose_radius == pytest.approx(1.1019 * 0.12**2, rel=0.15)  # a parabola through 1 % of the chord, not the osculating circle
    assert found.camber[0] == pytest.approx(0.0, abs=1e-6)
    assert SectionMeasures.of(naca4("4412", 400)).camber == pytest.approx((0.04, 0.4), abs=0.02)
    blunt = SectionMeasures.of(naca4("0012", 201, closed_trailing_edge=False))
    assert blunt.gap == pytest.approx(0.0025, rel=0.02)
    assert blunt.at(0.98) > SectionMeasures.of(naca4("0012", 201)).at(0.98)


def test_margins_are_positive_where_the_bounds_hold():
    start = SectionMeasures.of(naca4("2412", 200))
    limits = GeometryLimits(start, ((0.3, 0.11),), 0.115, 0.07, 0.012, 8.0)
    assert min(limits.margins(naca4("2412", 200)).values()) > 0
    thin = limits.margins(naca4("2410", 200))
    assert {"thickness at 0.3", "largest thickness"} <= {name for name, value in thin.items() if value < 0}


def test_the_trained_range_says_what_the_verdict_says(surrogate):
    inside = TrainedRange.of(surrogate, "inside")
    random = np.random.default_rng(0)
    agreed = 0
    for _ in range(12):
        section = naca4(f"{random.integers(0, 6)}4{random.integers(8, 18):02d}", 100)
        point = geoop.OperatingPoint(50.0, float(random.uniform(-6, 8)))
        least = min(inside.margins(section, point).values())
        level = surrogate.envelope.verdict(geoop.Case(section, point)).level
        if least >= 0:
            assert level == "inside"
        agreed += (least >= 0) == (level == "inside")
    assert agreed >= 10  # the smooth distance is a little larger than the true one


def test_a_run_with_a_model_writes_everything_and_tells_the_truth(surrogate, tmp_path):
    seen = []
    found = optimise(
        tables(
            model=surrogate,
            condition=CONDITION | {"reynolds": 3e6},
            objective={"maximise": "CL"},
            variables={"upper": [0.3, 0.7], "lower": [0.5], "limit": 0.005},
            constraints=NONE,
            solver={"iterations": 3, "starts": 2},
        ),
        tmp_path,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen[-1] == (6, 6)
    exact = panel_coefficients(found.section, found.design.point(found.best.x), transition=0.0)
    assert found.best.checked["CL"] == pytest.approx(exact["CL"], rel=1e-9)
    forces = geoop.forces(surrogate.predict(geoop.Case(found.section, found.design.point(found.best.x)), surface_only=True))
    assert found.best.predicted["CL"] == pytest.approx(forces.CL, rel=1e-6)
    best = max((found.start, *found.candidates), key=lambda c: (c.sound, c.checked["CL"]))
    assert found.best.name == best.name
    back = geoop.read(tmp_path / "best.dat")
    np.testing.assert_allclose(back.points, found.section.points, atol=2e-7)
    case = geoop.read_case(tmp_path / "optimised.vtp")
    moved = found.section.points - found.design.section(found.start.x).points
    np.testing.assert_allclose(case.fields["displacement"].values, moved, atol=1e-12)
    assert {"pressure_coefficient", "pressure_coefficient_before"} <= set(case.fields)
    with (tmp_path / "history.csv").open() as file:
        assert len(list(csv.DictReader(file))) == len(found.history)
    data = json.loads((tmp_path / "optimise.json").read_text())
    assert [row["section"] for row in data["sections"]] == ["start", "1", "2"]
    assert data["said"] in (tmp_path / "optimise.txt").read_text()
    assert (tmp_path / "optimised.png").stat().st_size > 10_000


def test_a_loss_is_called_a_loss():
    problem = read_problem(tables(objective={"maximise": "CL"}, constraints=NONE))
    design = Design.of(problem)

    def candidate(name, predicted, checked):
        return Candidate(name, design.begin, 2.0, {"CL": predicted}, {"CL": checked}, None, ("inside", "-"), (), (), "done")

    lost = Optimised(problem, design, candidate("start", 0.5, 0.5), (candidate("1", 0.9, 0.4),), ())
    assert lost.best is lost.start
    assert "nothing was gained" in lost.said
    assert "promised CL 0.9" in lost.said
    won = Optimised(problem, design, candidate("start", 0.5, 0.5), (candidate("1", 0.9, 0.4), candidate("2", 0.6, 0.55)), ())
    assert won.best.name == "2"
    assert "CL 0.55 from CL 0.5 checked" in won.said


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"objectives": {}}, "did you mean 'objective'"),
        ({"objective": {"minimise": "lift"}}, "minimise = 'lift'"),
        ({"objective": {"minimise": "CM", "maximise": "CL"}}, "minimise and maximise"),
        ({"objective": {"minimise": "CD"}}, "without a viscosity"),
        ({"variables": {"shape": "none"}}, "nothing may move"),
        ({"variables": {"alpha": [3.0, 8.0]}}, "lies outside"),
        ({"variables": {"limit": 3.0}}, "limit = 3.0"),
        ({"constraints": {"thickness": [[0.3, 12.0]]}}, "thickness entry"),
        ({"constraints": {"max_thickness": 0.2}}, "violates largest thickness"),
        ({"constraints": {"confidence": "high"}}, "confidence"),
        ({"solver": {"method": "magic"}}, "method"),
        ({"condition": {"alpha": 2.0}}, "no speed"),
        ({"section": {"naca": "2412", "file": "x.dat"}}, "says what the shapes are"),
        ({"objective": {"minimise": "lift"}, "solver": {"starts": 0}, "variables": {"limit": -1.0}}, "starts = 0"),
    ],
)
def test_bad_input_is_said_before_anything_is_computed(changed, said, monkeypatch):
    monkeypatch.setattr("geoop.studies.optimisation.design.checked", lambda *a, **k: pytest.fail("computed"))
    with pytest.raises(ConfigurationError) as info:
        optimise(tables(**changed))
    assert said in str(info.value)


def test_a_start_outside_of_the_training_range_is_refused(surrogate):
    with pytest.raises(ConfigurationError, match="alpha_to_chord"):
        optimise(tables(model=surrogate, condition={"velocity": 60.0, "alpha": 12.0}))


def test_the_template_is_a_problem_and_the_command_checks_it(tmp_path, capsys):
    file = tmp_path / "optimise.toml"
    file.write_text(TEMPLATE.replace('"airfoil-potential"', '"panels"'))
    assert read_problem(file).output == tmp_path / "optimised"
    assert main(["optimise", str(file), "--check"]) == 0
    assert "15 variables" in capsys.readouterr().out
    assert main(["optimise", "--template"]) == 0
    assert capsys.readouterr().out == TEMPLATE
    file.write_text(TEMPLATE.replace("max_thickness = 0.115", "max_thicknes = 0.115"))
    assert main(["optimise", str(file)]) == 2
    assert "max_thickness" in capsys.readouterr().err


def test_the_command_runs(tmp_path, capsys):
    (tmp_path / "o.toml").write_text(
        'model = "panels"\n[section]\nnaca = "0012"\npoints = 80\n[condition]\nvelocity = 50\nalpha = 1.0\n[objective]\ntarget = { CL = 0.3 }\n'
        '[variables]\nshape = "none"\nalpha = [0.0, 5.0]\n'
    )
    assert main(["optimise", str(tmp_path / "o.toml"), "-o", str(tmp_path / "out"), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["sections"][1]["CL checked"] == pytest.approx(0.3, abs=1e-3)
    assert (tmp_path / "out" / "best.dat").exists()
