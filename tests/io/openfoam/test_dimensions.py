"""Dimensions as units, and the names that depend on them."""

from __future__ import annotations

import pytest

from geoop.io.openfoam.dimensions import dimensions_of, dimensions_text, file_of, label_of, unit_of


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("[0 1 -1 0 0 0 0]", "m/s"),
        ("[ 0 2 -2 0 0 ]", "m^2/s^2"),
        ("[1 -1 -2 0 0 0 0]", "Pa"),
        ("[1 -1 -1 0 0 0 0]", "Pa s"),
        ("[0 0 0 0 0 0 0]", "1"),
        ("[]", "1"),
        ("[1 -3 0 0 0 0 0]", "kg/m^3"),
        ("[0 0 -1 0 0 0 0]", "1/s"),
        ("[1 1 -3 -1 0 0 0]", "kg m/(s^3 K)"),
        ("[0 0.5 -1 0 0 0 0]", "m^0.5/s"),
        ("[m s^-1]", "m/s"),
        ("[kg m^-1 s^-2]", "Pa"),
        ("[m^2/s^2]", "m^2/s^2"),
        ("[velocity]", "m/s"),
        ("[what is this]", "?"),
        ("nothing", "?"),
    ],
)
def test_units(text, unit):
    assert unit_of(dimensions_of(text)) == unit


@pytest.mark.parametrize(
    "text", ["[0 1 -1 0 0 0 0]", "[1 -1 -2 0 0 0 0]", "[1 -1 -1 0 0 0 0]", "[1 1 -3 -1 0 0 0]", "[0 0 -1 0 0 0 0]", "[0 0 0 0 0 0 0]"]
)
def test_units_are_written_as_they_were_read(text):
    assert dimensions_text(unit_of(dimensions_of(text))) == text


@pytest.mark.parametrize("unit", ["?", "deg", "furlong/s"])
def test_units_that_have_no_dimensions(unit):
    assert dimensions_text(unit) is None


def test_names_depend_on_the_dimensions():
    kinematic, absolute = dimensions_of("[0 2 -2 0 0 0 0]"), dimensions_of("[1 -1 -2 0 0 0 0]")
    assert label_of("p", kinematic) == "kinematic_pressure [m^2/s^2]" and label_of("p", absolute) == "pressure [Pa]"
    assert label_of("U", dimensions_of("[0 1 -1 0 0 0 0]")) == "velocity [m/s]" and label_of("U", absolute) == "U [Pa]"
    assert label_of("alpha.water", dimensions_of("[0 0 0 0 0 0 0]")) == "alpha.water [1]" and label_of("x", None) == "x [?]"


def test_files_of_names():
    assert [file_of(name) for name in ("velocity", "pressure", "kinematic_pressure", "alpha.water")] == ["U", "p", "p", "alpha.water"]
    assert file_of("../a b/c") == ".._a_b_c" and "/" not in file_of("x/../y")
