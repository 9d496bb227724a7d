"""Arrays of files as fields: names, units, ranks, two dimensions."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.io.contents import Array
from geoop.io.fields import field_of, fields_of, padded, quantity_of
from geoop.mesh.quantity import QUANTITIES, Field, Quantity


@pytest.mark.parametrize(
    ("label", "rank", "name", "unit", "assumed"),
    [
        ("pressure [Pa]", 0, "pressure", "Pa", False),
        ("pressure", 0, "pressure", "Pa", True),
        ("Pressure_Coefficient", 0, "pressure_coefficient", "1", True),
        ("Wall Shear Stress", 1, "wall_shear_stress", "Pa", True),
        ("pressure [bar]", 0, "pressure", "bar", False),
        ("wall_shear_stress [Pa]", 0, "wall_shear_stress", "Pa", False),
        ("U", 1, "U", "?", False),
        ("p_rgh [m^2/s^2]", 0, "p_rgh", "m^2/s^2", False),
        ("a [b] c", 0, "a [b] c", "?", False),
    ],
)
def test_names_and_units(label, rank, name, unit, assumed):
    quantity, guessed = quantity_of(label, rank)
    assert (quantity.name, quantity.unit, quantity.rank, guessed) == (name, unit, rank, assumed)


def test_known_quantities_come_back_as_themselves():
    for quantity in QUANTITIES.values():
        assert quantity_of(quantity.label, quantity.rank) == (quantity, False)


def test_ranks_in_three_and_two_dimensions():
    rows = np.arange(18.0).reshape(2, 9)
    arrays = (
        Array("v", rows[:, :3]),
        Array("t", rows),
        Array("s", rows[:, :6]),
        Array("w", rows[:, :2]),
        Array("c", rows[:, :1]),
        Array("many [m]", rows[:, :4]),
    )
    fields = {field.name: field for field in fields_of(arrays, 3)[0]}
    assert {name: field.values.shape for name, field in fields.items() if not name.startswith(("w", "many"))} == {
        "v": (2, 3),
        "t": (2, 3, 3),
        "s": (2, 3, 3),
        "c": (2,),
    }
    assert fields["w_1"].values.tolist() == [1, 10] and fields["many_3"].quantity.unit == "m"
    assert fields["s"].values[0].tolist() == [[0, 3, 5], [3, 1, 4], [5, 4, 2]]  # VTK: xx yy zz xy yz xz
    plane = {field.name: field.values.shape for field in fields_of((Array("w", rows[:, :2]), Array("v", rows[:, :3])), 2)[0]}
    assert plane == {"w": (2, 2), "v": (2, 3)}


@pytest.mark.parametrize("shape", [(5,), (5, 2), (5, 3), (5, 2, 2), (5, 3, 3)])
def test_padding_and_cutting_are_inverse(shape):
    values = np.random.default_rng(0).normal(size=shape)
    field = Field(Quantity("a", "a", "m", len(shape) - 1), values)
    dimension = 2 if 2 in shape else 3
    stored = padded(field)
    assert stored.shape in {(5,), (5, 3), (5, 9)}
    back = fields_of((Array("a [m]", stored),), dimension)[0][0]
    assert np.array_equal(back.values, values) and back.quantity == field.quantity


def test_notes_on_units_duplicates_and_nan():
    arrays = (Array("pressure", np.array([1.0, np.nan])), Array("pressure [Pa]", np.zeros(3), "cell"), Array("Pressure", np.zeros(2)))
    fields, notes = fields_of(arrays, 3)
    assert [field.name for field in fields] == ["pressure", "pressure_cell", "pressure_point"]
    text = " ".join(notes)
    assert "pressure in Pa" in text and "1 values that are NaN" in text and "two arrays are called 'pressure'" in text


def test_global_values():
    assert field_of("CL [1]", np.float64(0.5), "global").quantity.rank == 0
    assert field_of("force [N]", np.ones(3), "global").quantity.rank == 1
