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


def test_walls_that_reach_the_inlet_bound_the_flow_round_a_body_and_are_not_part_of_it():
    """A channel around a body whose own walls meet; then the same channel without a body."""
    inner = 0.25 + 0.5 * SQUARE
    points = np.concatenate([SQUARE, [[0.5, 0.0]], inner])
    around = {
        "wall_bottom_1": [[0, 4]],
        "wall_bottom_2": [[4, 1]],
        "outlet": [[1, 2]],
        "wall_top": [[2, 3]],
        "inlet": [[3, 0]],
        "wall_upper": [[5, 6], [6, 7]],
        "wall_lower": [[7, 8], [8, 5]],
    }
    cells = Cells.of(quad=np.array([[0, 1, 6, 5], [1, 2, 7, 6], [2, 3, 8, 7], [3, 0, 5, 8]]))
    mesh = Mesh(points, cells, {name: Cells.of(line=np.array(lines)) for name, lines in around.items()})
    found = roles_of(mesh)
    assert [name for name, role in found.items() if role == "channel"] == ["wall_bottom_1", "wall_bottom_2", "wall_top"]
    assert [name for name, role in found.items() if role == "wall"] == ["wall_upper", "wall_lower"]
    assert roles_of(mesh, {"wall_top": "wall"})["wall_top"] == "wall"
    empty = Mesh(points[:5], Cells.of(polygon=np.array([[0, 4, 1, 2, 3]])), {name: mesh.patches[name] for name in list(around)[:5]})
    assert {roles_of(empty)[name] for name in ("wall_bottom_1", "wall_bottom_2", "wall_top")} == {"wall"}


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
