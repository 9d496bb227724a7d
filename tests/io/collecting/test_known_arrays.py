"""The arrays of one file by geoop's names and in SI units, with what was said before what is guessed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from geoop.errors import ConfigurationError, UnitError
from geoop.io.collecting.known_arrays import mapped, with_known_arrays
from geoop.io.converting import convert
from geoop.io.paraview import write_case, write_series
from geoop.io.reading import read_case, read_series
from geoop.mesh.case import Case, Series
from geoop.mesh.primitives import box
from geoop.mesh.quantity import QUANTITIES, Field, Quantity

MESH = box()
ONE = np.ones(8)


def case(**units: str) -> Case:
    return Case(MESH).with_fields(*[Field(Quantity(name, name, unit), ONE) for name, unit in units.items()])


@pytest.mark.parametrize(
    ("name", "unit", "known", "value"),
    [
        ("p", "kPa", "pressure", 1000.0),
        ("p", "m2/s2", "kinematic_pressure", 1.0),
        ("Cp", "-", "pressure_coefficient", 1.0),
        ("Cp", "?", "pressure_coefficient", 1.0),
        ("pressure", "bar", "pressure", 1e5),
        ("Druck", "kPa", "Druck", 1000.0),
        ("odd", "foo", "odd", 1.0),
    ],
)
def test_usual_names_and_stated_units(name, unit, known, value):
    found, _ = with_known_arrays(case(**{name: unit}), {})
    assert found.fields[known].values == pytest.approx(value) and len(found.fields) == 1


def test_a_pressure_that_states_no_unit_has_none():
    for name in ("p", "Static Pressure"):
        found, notes = with_known_arrays(case(**{name: "?"}), {})
        assert found.field("pressure").quantity.unit == "?"
        assert any(f"'{name}' is taken as pressure; the file does not state its unit" in note for note in notes)
    assert with_known_arrays(case(p="?"), {"p": "pressure:kPa"})[0].field("pressure").values == pytest.approx(1000.0)


def test_an_array_of_the_very_name_comes_first():
    found, _ = with_known_arrays(case(p="kPa", pressure="Pa"), {})
    assert found.field("pressure").values == pytest.approx(1.0) and found.field("p").values == pytest.approx(1000.0)
    found, _ = with_known_arrays(case(p="kPa", pressure="Pa"), {"p": "pressure"})
    assert found.field("pressure").values == pytest.approx(1000.0)  # as said, in the unit of the file
    found, _ = with_known_arrays(case(p="?", Cp="1"), {})
    assert set(found.fields) == {"p", "pressure_coefficient"}


def test_a_friction_whose_sign_nobody_knows_is_left_alone_unless_it_is_said():
    for unit in ("?", "Pa"):
        assert set(with_known_arrays(case(wallShearStress=unit, pressure="Pa"), {})[0].fields) == {"wallShearStress", "pressure"}
    said = {"wallShearStress": "wall_shear_stress:Pa"}
    assert set(with_known_arrays(case(wallShearStress="?", pressure="Pa"), said)[0].fields) == {"wall_shear_stress", "pressure"}


def test_notes_older_than_the_array_do_not_take_its_unit():
    noted = replace(case(pressure="psi"), mesh=replace(MESH, notes=("units that the file does not state are taken as: pressure in Pa",)))
    assert with_known_arrays(noted, {})[0].field("pressure").values == pytest.approx(6894.757293168)
    noted = replace(case(pressure="Pa"), mesh=noted.mesh)
    assert with_known_arrays(noted, {})[0].field("pressure").quantity.unit == "?"


def test_what_is_said_must_make_sense():
    with pytest.raises(ConfigurationError, match="'q'"):
        with_known_arrays(case(p="Pa"), {"q": "pressure"})
    with pytest.raises(UnitError, match="'foo' is not known"):
        with_known_arrays(case(p="Pa"), {"p": "pressure:foo"})
    assert not with_known_arrays(case(p="Pa"), {"p": "drop"})[0].fields


def test_convert_maps_what_is_named_and_nothing_else(tmp_path):
    write_case(case(p="kPa", Cp="1"), tmp_path / "a.vtu")
    found = read_case(convert(tmp_path / "a.vtu", tmp_path / "b.vtu", names={"p [kPa]": "pressure"}).path)
    assert found.field("pressure").quantity == QUANTITIES["pressure"] and found.field("pressure").values == pytest.approx(1000.0)
    assert set(found.fields) == {"pressure", "Cp"}
    write_series(Series([0.0, 1.0], (case(p="kPa"), case(p="kPa"))), tmp_path / "a.pvd")
    steps = read_series(convert(tmp_path / "a.pvd", tmp_path / "b.pvd", names={"p": "pressure"}).path)
    assert all(step.field("pressure").values == pytest.approx(1000.0) for step in steps.cases)
    noted = replace(case(pressure="Pa"), mesh=replace(MESH, notes=("units that the file does not state are taken as: pressure in Pa, T in K",)))
    told = mapped(noted, {"pressure": "pressure:kPa"})  # what was taken for granted has been said
    assert told.mesh.notes == ("units that the file does not state are taken as: T in K",)
    assert with_known_arrays(told, {})[0].field("pressure").quantity.unit == "Pa"
    with pytest.raises(ConfigurationError, match="'q'"):
        mapped(case(p="Pa"), {"q": "pressure"})
