"""Scalar conditions: what a case states, whatever its unit of length, place and angle; and what of it varied in training."""

import json
from dataclasses import replace

import numpy as np
import pytest

from geoop.errors import CheckpointError, ConditionError
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import naca4
from geoop.mesh.transform import mirrored
from geoop.scaling.conditions import Conditions, scalar_conditions

POINT = OperatingPoint(2.0, density=1.0, viscosity=0.04)


def channel(low=-0.5, high=0.7, names=("inlet", "outlet", "walls"), turn=0.0, scale=1.0):
    """A section in a channel from x = -1 to 3, with boundaries at ``low`` and ``high``."""
    section = naca4("0012", 60)
    n = len(section.points)
    corners = np.array([[-1.0, low], [3.0, low], [3.0, high], [-1.0, high]])
    points = np.concatenate([section.points, corners]) * scale
    c, s = np.cos(turn), np.sin(turn)
    lines = {names[0]: [[n + 3, n]], names[1]: [[n + 1, n + 2]], names[2]: [[n, n + 1], [n + 2, n + 3]]}
    patches = {"body": section.cells, **{key: Cells.of(line=np.array(rows)) for key, rows in lines.items()}}
    mesh = Mesh(points @ np.array([[c, s], [-s, c]]), Cells.of(triangle=np.array([[n, n + 1, n + 2], [n, n + 2, n + 3]])), patches)
    return Case(mesh, replace(POINT, viscosity=POINT.viscosity * scale, alpha=float(np.degrees(turn))), wall=("body",))


def test_room_and_reynolds_number():
    found = scalar_conditions(channel())
    assert found["log10_reynolds [1]"] == pytest.approx(np.log10(50.0), abs=1e-9)
    room = [found[f"room_{side} [1]"] for side in ("ahead", "behind", "above", "below")]
    assert room == pytest.approx([1.5, 2.5, 0.7, 0.5], abs=1e-6)


def test_unit_place_and_angle_do_not_matter():
    plain, moved = scalar_conditions(channel()), scalar_conditions(channel(turn=0.4, scale=1e-3))
    assert moved == pytest.approx(plain, abs=1e-9)


def test_a_mirror_swaps_above_and_below():
    plain, seen = scalar_conditions(channel()), scalar_conditions(mirrored(channel()))
    assert seen["room_above [1]"] == pytest.approx(plain["room_below [1]"])
    assert seen["room_below [1]"] == pytest.approx(plain["room_above [1]"])


def test_free_air_has_no_room():
    section = Case(naca4("0012", 60), POINT)
    far = channel(names=("farfield", "outlet", "walls"))
    for case in (section, far):
        assert set(scalar_conditions(case)) == {"log10_reynolds [1]"}
    assert scalar_conditions(Case(section.mesh)) == {}
    assert set(scalar_conditions(Case(section.mesh, OperatingPoint(10.0, mach=0.3)))) == {"mach [1]"}


def test_only_what_varies_is_told_and_it_is_standardised():
    cases = [channel(high=high) for high in (0.6, 0.7, 0.8)]
    conditions = Conditions.fit(cases)
    assert conditions.names == ("room_above [1]",)
    told = np.array([conditions.of(case) for case in cases])
    assert told.mean() == pytest.approx(0.0, abs=1e-12) and told.std() == pytest.approx(1.0)
    assert Conditions.fit(cases[:1]).names == () and len(Conditions.fit(cases[:1]).of(cases[0])) == 0
    assert Conditions.from_dict(json.loads(json.dumps(conditions.to_dict()))) == conditions


def test_a_case_that_does_not_state_them():
    conditions = Conditions.fit([channel(high=0.6), channel(high=0.8)])
    with pytest.raises(ConditionError, match="room_above") as caught:
        conditions.of(Case(naca4("0012", 60), POINT))
    assert "channel's mesh" in caught.value.remedy


def test_a_damaged_header():
    with pytest.raises(CheckpointError, match="conditions in the header"):
        Conditions.from_dict({"mach [1]": 3})
