"""Patches by their names, and what every field gets on them."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.truth.openfoam.roles import conditions, roles_of
from geoop.truth.openfoam.settings import Turbulence

SQUARE = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])


def square(*names: str) -> Mesh:
    patches = {name: Cells.of(line=np.array([[k, (k + 1) % 4]])) for k, name in enumerate(names)}
    return Mesh(SQUARE, Cells.of(quad=np.array([[0, 1, 2, 3]])), patches)


def test_usual_names_say_their_role():
    found = roles_of(square("farField", "outlet", "Inflow", "symmetry"))
    assert list(found.values()) == ["freestream", "outlet", "inlet", "symmetry"]
    assert roles_of(square("airfoil_wall", "lid"), {"lid": "slip"}) == {"airfoil_wall": "wall", "lid": "slip"}


def test_everything_that_is_not_understood_is_one_error():
    with pytest.raises(ConfigurationError, match=r"'gone'.*'wind', which is no role.*'patch3'"):
        roles_of(square("wall", "outlet", "patch3"), {"gone": "wall", "outlet": "wind"})


def test_a_wall_stops_the_flow_and_the_outlet_fixes_the_pressure():
    roles = {"w": "wall", "o": "outlet", "i": "inlet", "f": "freestream", "s": "symmetry"}
    profile = np.array([[1.0, 0, 0], [2.0, 0, 0]])
    velocity = conditions("U", roles, np.array([3.0, 0, 0]), {"i": profile}, None, True)
    assert velocity["w"] == {"type": "noSlip"}
    assert velocity["i"]["value"] is not None
    assert np.array_equal(velocity["i"]["value"], profile)
    assert velocity["frontAndBack"] == {"type": "empty"}
    pressure = conditions("p", roles, 0.0, {}, None, False)
    assert [pressure[name]["type"] for name in "woifs"] == ["zeroGradient", "fixedValue", "zeroGradient", "freestreamPressure", "symmetry"]


def test_turbulence_vanishes_on_resolved_walls_and_follows_laws_on_others():
    roles = {"w": "wall"}
    assert conditions("nuTilda", roles, 1e-5, {}, Turbulence(), True)["w"]["value"] == "uniform 0.0"
    assert conditions("nut", roles, 1e-5, {}, Turbulence(), True)["w"] == {"type": "nutLowReWallFunction", "value": "uniform 0.0"}
    functions = Turbulence("kOmegaSST", walls="functions")
    kinds = [conditions(name, roles, 1.0, {}, functions, True)["w"]["type"] for name in ("nut", "k", "omega")]
    assert kinds == ["nutUSpaldingWallFunction", "kqRWallFunction", "omegaWallFunction"]
