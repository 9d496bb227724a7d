"""Headers as engineers write them: role, unit and value in SI units; what stays open is asked for."""

from pathlib import Path

import pytest

from geoop.errors import UnitError
from geoop.io.collecting.choices import Choices
from geoop.io.collecting.columns import guess_columns
from geoop.io.collecting.conditions import Condition, completed, from_row, open_questions
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
