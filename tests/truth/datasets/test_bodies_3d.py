"""The cases of bodies-3d: laws, weights, the same numbers for the same seed, labels against a finer solve."""

import numpy as np
import pytest

from geoop.mesh.measure import enclosed_volume, point_weights
from geoop.truth.datasets import bodies_3d
from geoop.truth.panels3d.system import PanelSystem

SEED = 0


def first_of(family, split=""):
    names = (f"body_{split}{k:04d}" for k in range(1, 40))
    return next(name for name in names if bodies_3d.drawn(SEED, name)["family"] == family)


@pytest.fixture(scope="module")
def cases():
    return {family: bodies_3d.case(SEED, first_of(family) + "_01") for family in bodies_3d.FAMILIES}


def test_plan_has_splits_disjoint_by_geometry_and_ood_outside():
    plan = bodies_3d.plan(200, SEED)
    shapes = {split: {plan.geometry[name] for name in names} for split, names in plan.splits.items()}
    assert sum(len(plan.splits[split]) for split in ("train", "val", "test")) == 200 and set(shapes) == {"train", "val", "test", "ood"}
    assert sum(len(found) for found in shapes.values()) == len(set().union(*shapes.values()))
    for name in shapes["ood"] | shapes["train"]:
        values = bodies_3d.drawn(SEED, name)
        laws = bodies_3d.SHAPE_LAWS[values["family"]]
        outside = [key for key, (low, high) in laws.items() if not low <= values[key] <= high]
        assert bool(outside) == (name in shapes["ood"])


def test_layout_and_weights(cases):
    for family, case in cases.items():
        mesh = case.mesh
        wall = mesh.patch("wall")
        count = len(wall.points)
        assert len(mesh.points) == count + bodies_3d.FIELD_POINTS and 1400 < len(wall.cells) < 1600
        assert set(case.fields) == {"velocity", "pressure_coefficient", "quadrature_weight", "lift_coefficient", "drag_coefficient"}
        assert all(np.isfinite(item.values).all() for item in case.fields.values())
        weight = case.field("quadrature_weight").values
        assert weight[:count] == pytest.approx(point_weights(wall)) and (weight > 0).all()
        size = np.ptp(wall.points, axis=0).max()
        box = np.prod(np.ptp(wall.points, axis=0) + 2 * bodies_3d.MARGIN * size)
        assert weight[count:].sum() == pytest.approx(box - enclosed_volume(wall), rel=0.1)
        assert (case.field("lift_coefficient").values != 0.0) == (family == "wing")


def test_bit_equal_on_repetition(cases):
    bodies_3d._solved.cache_clear()
    again = bodies_3d.case(SEED, first_of("wing") + "_01")
    assert np.array_equal(again.mesh.points, cases["wing"].mesh.points)
    for name, item in cases["wing"].fields.items():
        assert np.array_equal(item.values, again.field(name).values)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["superellipsoid", "car", "wing"])
def test_labels_agree_with_four_times_the_panels(cases, family):
    case = cases[family]
    body, edge = bodies_3d.shape_of(bodies_3d.drawn(SEED, first_of(family)), refine=2)
    fine = PanelSystem(body, trailing_edge=edge).flow(case.operating_point)
    wall = len(case.mesh.patch("wall").points)
    found, exact = case.field("velocity").values[wall:], fine.velocity(case.mesh.points[wall:])
    error = np.linalg.norm(found - exact, axis=1) / bodies_3d.VELOCITY
    assert np.nanmedian(error) < 0.01 and np.nanmean(error < 0.1) > 0.98
    assert fine.lift_coefficient == pytest.approx(float(case.field("lift_coefficient").values), abs=0.02)
