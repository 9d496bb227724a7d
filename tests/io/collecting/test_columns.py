"""Headers as engineers write them: role, unit and value in SI units; what stays open is asked for."""

from pathlib import Path

import pytest

from geoop.errors import UnitError
from geoop.io.collecting.choices import Choices
from geoop.io.collecting.columns import guess_columns
from geoop.io.collecting.conditions import Condition, completed, from_name, from_row, open_questions
from geoop.io.collecting.table import Table


def one(header, *texts, names=None, unit=None):
    table = Table(Path("runs.csv"), (header,), tuple((text,) for text in texts), tuple(range(2, 2 + len(texts))), ("",))
    columns, questions = guess_columns(table, Choices(names=names or {}, unit=unit))
    return columns[0], questions, from_row(table, 0, columns)


@pytest.mark.parametrize(
    ("header", "text", "role", "value"),
    [
        ("U [m/s]", "30", "velocity", 30.0),
        ("Uinf", "30", "velocity", 30.0),
        ("speed (km/h)", "108", "velocity", 30.0),
        ("Airspeed in kn", "36", "velocity", 18.52),
        ("wind speed, mph", "10", "velocity", 4.4704),
        ("velocity_mps", "30", "velocity", 30.0),
        ("AoA", "12", "alpha", 12.0),
        ("alpha_deg", "0.5", "alpha", 0.5),
        ("alpha_rad", "0.5", "alpha", 28.64788975654116),
        ("Angle of Attack [°]", "4", "alpha", 4.0),
        ("α [deg]", "4", "alpha", 4.0),
        ("Re", "3e6", "reynolds", 3e6),
        ("Reynolds number [-]", "3e6", "reynolds", 3e6),
        ("Mach", "0.3", "mach", 0.3),
        ("rho [kg/m^3]", "1.2", "density", 1.2),
        ("density (g/cm³)", "1", "density", 1000.0),
        ("mu [Pa*s]", "1.8e-5", "viscosity", 1.8e-5),
        ("viscosity (m2/s)", "1.5e-5", "kinematic_viscosity", 1.5e-5),
        ("nu", "1.5e-5", "kinematic_viscosity", 1.5e-5),
        ("chord_mm", "250", "reference_length", 0.25),
        ("T [°C]", "15", "temperature", 288.15),
        ("T", "15", "temperature", 288.15),
        ("T", "288.15", "temperature", 288.15),
        ("Geschwindigkeit [km/h]", "108", "velocity", 30.0),
        ("Anstellwinkel [Grad]", "4", "alpha", 4.0),
        ("dyn. Viskosität [mPa·s]", "0,018", "viscosity", 1.8e-5),
        ("Kinematische Zähigkeit (mm²/s)", "15", "kinematic_viscosity", 1.5e-5),
        ("Bezugslänge_mm", "250", "reference_length", 0.25),
        ("Masse volumique [kg/m³]", "1,2", "density", 1.2),
        ("Angle d'attaque [°]", "4", "alpha", 4.0),
    ],
)
def test_conditions(header, text, role, value):
    column, questions, condition = one(header, text)
    assert column.role == role
    assert questions == []
    assert condition.values[role] == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("header", ["flap deflection (deg)", "operator", "ride_height_mm", "U [Pa]", "n_cells"])
def test_other_columns_are_parameters(header):
    column, questions, _ = one(header, "3")
    assert column.role == "parameter" and questions == []


def test_results_become_coefficients():
    assert one("Cd", "0.31")[2].results == {"drag_coefficient": 0.31}
    assert one("Average Cl", "-0.1")[2].results == {"lift_coefficient": -0.1}


def test_small_angles_without_unit_and_unknown_units_are_asked_for():
    _, questions, _ = one("alpha", "0.2", "1.1")
    assert [question.option + question.example for question in questions] == ["--map alpha=alpha:deg"]
    _, questions, _ = one("U [furlong/h]", "3")
    assert questions[0].option == "--map U [furlong/h]="
    _, questions, condition = one("alpha", "0.2", names={"alpha": "alpha:rad"})
    assert questions == [] and condition.values["alpha"] == pytest.approx(11.459155902616464)
    with pytest.raises(UnitError, match="furlong"):
        one("U", "3", names={"U": "velocity:furlong/h"})


def test_cells_that_are_no_numbers_name_their_line():
    assert one("U", "x")[0].role == "parameter"  # no number at all: a text
    table = Table(Path("runs.csv"), ("U",), (("x",), ("3",), ("",)), (2, 3, 4), ("",))
    columns, _ = guess_columns(table, Choices())
    assert from_row(table, 0, columns).problems == ("line 2, column 'U': 'x' is not a number",)
    assert from_row(table, 2, columns).problems == ("line 4, column 'U': the cell is empty",)


def known(**values):
    return Condition(dict(values), dict.fromkeys(values, "column"))


def test_what_follows_from_the_rest_is_derived():
    found = completed(known(velocity=30.0, density=1.2, reynolds=2e6, reference_length=1.0), Choices(), None, {})
    assert found.values["viscosity"] == pytest.approx(1.2 * 30 / 2e6)
    assert found.operating_point().reynolds == pytest.approx(2e6)
    found = completed(known(reynolds=2e6, reference_length=0.5, kinematic_viscosity=1.5e-5, density=1.2), Choices(), None, {})
    assert found.values["velocity"] == pytest.approx(60.0)
    found = completed(known(mach=0.5, temperature=288.15), Choices(), None, {})
    assert found.values["velocity"] == pytest.approx(0.5 * 340.29, rel=1e-4)  # speed of sound of the standard atmosphere


def test_a_column_wins_over_what_is_said_for_all_and_that_over_files():
    solver = {"density": (1.0, "controlDict"), "velocity": (5.0, "controlDict")}
    found = completed(known(velocity=30.0), Choices(constants={"velocity": 10.0, "density": 1.2}), None, solver)
    assert found.values["velocity"] == 30.0
    assert (found.values["density"], found.sources["density"]) == (1.2, "as said")


def test_only_what_is_missing_is_asked_for():
    said = [known(velocity=30.0, density=1.2), known(velocity=31.0)]
    questions = open_questions(said, True, Choices(inviscid=True))
    assert [question.option for question in questions] == ["--density "]
    assert "1 of 2 runs" in questions[0].text
    assert open_questions([known()], False, Choices()) == []
    length = open_questions([known(velocity=30.0, density=1.2, reynolds=1e6)], True, Choices())
    assert [question.option for question in length] == ["--reference-length "]


@pytest.mark.parametrize(
    ("header", "meaning", "text", "role", "value"),
    [
        ("zaeh. [mPa·s]", "viscosity", "0.018", "viscosity", 1.8e-5),
        ("b (mm)", "reference_length", "250", "reference_length", 0.25),
        ("w in km/h", "velocity", "108", "velocity", 30.0),
        ("w in km/h", "velocity:m/s", "108", "velocity", 108.0),
        ("zaeh. [mm2/s]", "viscosity", "15", "kinematic_viscosity", 1.5e-5),
        ("w", "velocity", "30", "velocity", 30.0),
    ],
)
def test_the_unit_of_a_header_counts_for_a_column_that_the_user_explains(header, meaning, text, role, value):
    column, questions, condition = one(header, text, names={header: meaning})
    assert (column.role, questions) == (role, [])
    assert condition.values[role] == pytest.approx(value)
    assert column.why.startswith("as said")


def test_an_explained_column_with_a_unit_that_cannot_be_is_an_error_and_with_an_unknown_one_a_question():
    with pytest.raises(UnitError, match=r"'mm', which is none of a velocity"):
        one("b [mm]", "250", names={"b [mm]": "velocity"})
    _, questions, _ = one("w [Sm]", "250", names={"w [Sm]": "velocity"})
    assert [(question.option, question.example) for question in questions] == [("--map w [Sm]=", "velocity:m/s")]


def test_a_column_with_the_unit_of_what_is_missing_is_named():
    column, _, _ = one("Schnelle [km/h]", "108")
    (question,) = open_questions([known(density=1.2)], True, Choices(inviscid=True), [column])
    assert str(question).endswith("--map 'Schnelle [km/h]=velocity'")
    (plain,) = open_questions([known(density=1.2), known(density=1.2)], True, Choices(inviscid=True), [], table=False)
    assert plain.option == "--velocity "
    assert "--conditions" in plain.text


def test_dimensionless_fields_are_not_given_a_speed_in_metres_per_second():
    questions = open_questions([known()], True, Choices(), scaled=True)
    assert [str(question).rpartition(": ")[2] for question in questions] == ["--velocity 1", "--density 1", "--viscosity 1"]
    assert all("in the units of the fields, which are not SI" in question.text and "m/s" not in question.text for question in questions)


@pytest.mark.parametrize(
    ("run", "values"),
    [
        ("batch/Run 03 (alpha=4.5).vtu", {"alpha": 4.5}),
        ("U=30_Re=1e6_a=2/flow.vtu", {"velocity": 30.0, "reynolds": 1e6}),
        ("Ma = 0.3 AoA=-2deg", {"mach": 0.3, "alpha": -2.0}),
        ("α=4°_tip", {"alpha": 4.0}),
        ("alpha=4,5.vtu", {}),
        ("U=30kts", {}),
        ("naca0012_a4_re1e6", {}),
        ("beta2=3", {}),
    ],
)
def test_only_what_a_name_says_outright_is_taken_from_it(run, values):
    found = from_name(run)
    assert {key: value for key, (value, _) in found.items()} == values
