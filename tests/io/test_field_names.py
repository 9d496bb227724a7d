"""Names of solvers become geoop's where they mean the same, components become vectors, and nothing is guessed."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.io.contents import Array
from geoop.io.field_names import NAMES, solver_named
from geoop.mesh.quantity import QUANTITIES


def labels(*names, width=0):
    return [array.label for array in solver_named(Array(name, np.ones((2, width) if width else 2)) for name in names)]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("VelocityX", "VelocityY", "VelocityZ"), ["velocity"]),
        (("x-velocity", "y-velocity"), ["velocity"]),
        (("Velocity_x", "Velocity_y", "Velocity_z"), ["velocity"]),
        (("velocity:0", "velocity:1", "velocity:2"), ["velocity"]),
        (("u", "v", "w"), ["velocity"]),
        (("Momentum_x", "Momentum_y"), ["Momentum"]),
        (("MomentumX", "MomentumY", "MomentumZ"), ["Momentum"]),
        (("VelocityX",), ["VelocityX"]),
        (("Pressure", "Static Pressure"), ["pressure", "Static Pressure"]),
        (("Mach", "Pressure_Coefficient", "rho", "T"), ["mach_number", "pressure_coefficient", "density", "temperature"]),
        (("p", "Cp", "ViscosityEddy", "k", "omega"), ["p", "Cp", "ViscosityEddy", "k", "omega"]),
        (("Pressure [kPa]",), ["pressure [kPa]"]),
        (("U",), ["U"]),
    ],
)
def test_names(names, expected):
    assert labels(*names) == expected


def test_a_vector_named_by_its_letter():
    assert labels("U", width=3) == ["velocity"] and labels("T", width=3) == ["T"]


def test_components_keep_their_order_and_place():
    arrays = [Array("w", np.array([3.0])), Array("p", np.array([0])), Array("u", np.array([1.0])), Array("v", np.array([2.0]))]
    named = solver_named(arrays)
    assert [array.label for array in named] == ["p", "velocity"] and named[1].values.tolist() == [[1, 2, 3]]
    mixed = solver_named([Array("u", np.ones(2)), Array("v", np.ones(2), "cell")])
    assert [array.label for array in mixed] == ["u", "v"]


def test_every_name_is_one_that_geoop_knows():
    assert set(NAMES.values()) <= set(QUANTITIES)
