"""Length units: spellings, and errors that show what each choice would mean."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.errors import UnitError
from geoop.io.units import LENGTH_UNITS, extent_text, metres_per, missing_unit


def test_values_and_spellings():
    assert metres_per("mm") == 1e-3 and metres_per(" Inches ") == 0.0254 and metres_per("FT") == 0.3048 and metres_per("metre") == 1.0
    assert metres_per("µm") == metres_per("um") == 1e-6


@pytest.mark.parametrize(("word", "near"), [("mmm", "mm"), ("meterss", "meters"), ("parsec", None), ("", None), (3, None), (None, None)])
def test_unknown_units(word, near):
    with pytest.raises(UnitError) as caught:
        metres_per(word, "wing.stl")
    assert (near is None or f"did you mean '{near}'" in str(caught.value)) and all(unit in caught.value.remedy for unit in LENGTH_UNITS)
    assert "wing.stl" in str(caught.value)


def test_missing_unit_shows_the_choice():
    points = np.array([[0, 0, 0], [4612, 1890, 1380.0], [np.nan, 0, 0]])
    text = str(missing_unit("STL", points, "car.stl"))
    for words in ("4612 x 1890 x 1380", "mm would give a body 4.612 m long", "in would give a body 117.1 m long", "--unit mm", "unit='mm'"):
        assert words in text
    assert "unknown" in extent_text(np.full((2, 3), np.nan))
