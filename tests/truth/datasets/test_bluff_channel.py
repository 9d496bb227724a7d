"""The cases of bluff-channel: laws, splits, the same numbers again, and how good the labels are."""

from functools import lru_cache

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.mesh.measure import signed_measures
from geoop.truth.datasets import bluff_channel
from geoop.truth.navier_stokes.forces import force

pytest.importorskip("gmsh")


@pytest.fixture(scope="module")
def case():
    return bluff_channel.case(3, "bluff_0002")


def test_layout_and_units(case):
    values = bluff_channel.drawn(3, "bluff_0002")
    assert case.mesh.cells.names == ["triangle6"] and set(case.mesh.patches) == {"inlet", "outlet", "walls", "body"}
    assert case.wall == ("body",) and case.time is None
    assert case.operating_point.reynolds == pytest.approx(values["reynolds"])
    assert {name: (item.quantity.unit, item.location) for name, item in case.fields.items()} == {
        "velocity": ("m/s", "point"),
        "pressure": ("Pa", "point"),
        "drag_coefficient": ("1", "global"),
        "lift_coefficient": ("1", "global"),
    }
    speed = case.operating_point.velocity
    assert np.abs(case.field("velocity").values[case.mesh.patch_points("body")]).max() == 0.0
    inlet = case.mesh.patch_points("inlet")
    y = case.mesh.points[inlet, 1]
    assert np.allclose(case.field("velocity").values[inlet, 0], 6 * speed * y * (0.41 - y) / 0.41**2)
    assert (signed_measures(case.mesh) > 0).all()


def test_wall_points_lie_on_the_body(case):
    body = bluff_channel.body_of(bluff_channel.drawn(3, "bluff_0002"))
    wall = case.mesh.points[case.mesh.patch_points("body")]
    assert np.abs(body.onto(wall) - wall).max() < 1e-12
    assert len(wall) > 80


def test_flow_through_every_section_is_the_same(case):
    """The outlet carries what the inlet does."""
    flow = []
    for patch in ("inlet", "outlet"):
        rows = case.mesh.patches[patch].block("line3")
        u, y = case.field("velocity").values[:, 0][rows], case.mesh.points[:, 1][rows]
        flow.append(abs(((u[:, 0] + u[:, 1] + 4 * u[:, 2]) / 6 * (y[:, 1] - y[:, 0])).sum()))
    assert flow[0] == pytest.approx(0.41 * case.operating_point.velocity, rel=1e-9)
    assert flow[1] == pytest.approx(flow[0], rel=1e-9)


def test_again_and_alone(case):
    bluff_channel.case.cache_clear()
    again = bluff_channel.case(3, "bluff_0002")
    assert again.mesh.content_hash == case.mesh.content_hash
    assert all(np.array_equal(again.field(name).values, case.field(name).values) for name in case.fields)
    assert bluff_channel.plan(10, 3).parameters["bluff_0002"] == bluff_channel.plan(400, 3).parameters["bluff_0002"]
    assert bluff_channel.drawn(3, "bluff_0002") != bluff_channel.drawn(4, "bluff_0002")


def test_splits_and_ranges():
    plan = bluff_channel.plan(500, 0)
    assert {key: len(names) for key, names in plan.splits.items()} == {"train": 350, "val": 50, "test": 100, "ood": 100, "ood-shape": 100}
    assert len(set(plan.names)) == 700
    for split, names in plan.splits.items():
        reynolds = np.array([plan.parameters[name]["reynolds"] for name in names])
        low, high = (40.0, 60.0) if split == "ood" else (5.0, 40.0)
        assert low <= reynolds.min() and reynolds.max() <= high
        fifth = [np.hypot(plan.parameters[name].get("a_5", 0.0), plan.parameters[name].get("b_5", 0.0)) for name in names]
        assert min(fifth) >= 0.1 if split == "ood-shape" else max(fifth) == 0.0
        for name in names:
            body = bluff_channel.body_of(plan.parameters[name])
            wall = body.wall(np.linspace(0, 2 * np.pi, 200))
            assert plan.parameters[name]["reynolds_of_height"] == pytest.approx(
                plan.parameters[name]["reynolds"] * np.ptp(wall[:, 1]) / 0.1, rel=0.01
            )
            assert body.radius(np.linspace(0, 2 * np.pi, 200)).min() > 0.02
            assert min(wall[:, 1].min(), 0.41 - wall[:, 1].max(), wall[:, 0].min()) > 0.085
    heights = [plan.parameters[name]["reynolds_of_height"] for split, names in plan.splits.items() if split != "ood" for name in names]
    assert max(heights) < 48  # what was found to be stable in time, with a margin to 52
    with pytest.raises(ConfigurationError, match="3 geometries cannot be split"):
        bluff_channel.plan(3, 0)


@lru_cache(maxsize=4)
def pair(name):
    values = bluff_channel.drawn(0, name)
    return bluff_channel.solved(values, name), bluff_channel.solved(values, name, finer=1.8)


@pytest.mark.parametrize("name", ["bluff_0005", "bluff_ood_0001"])
def test_labels_against_a_finer_mesh(name):
    """Below what the card states, for a body of the others and one at a high Reynolds number."""
    label, finer = pair(name)
    a, b = force(label, "body"), force(finer, "body")
    assert abs(a.drag_coefficient / b.drag_coefficient - 1) < bluff_channel.ERRORS["drag_relative"]
    assert abs(a.lift_coefficient - b.lift_coefficient) < bluff_channel.ERRORS["lift_coefficient"]
    space = label.problem.space
    u, p = finer.at(space.places)
    assert np.isfinite(p).all()
    assert np.sqrt(((label.velocity - u) ** 2).sum() / (u**2).sum()) < bluff_channel.ERRORS["velocity_rms"]
    assert np.sqrt(((label.pressure - p[: space.m]) ** 2).sum() / (p[: space.m] ** 2).sum()) < bluff_channel.ERRORS["pressure_rms"]
