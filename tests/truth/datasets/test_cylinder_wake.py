"""The cases of cylinder-wake: bodies, series, phases, the same numbers again."""

import numpy as np
import pytest

from geoop.mesh.measure import signed_measures
from geoop.truth.datasets import cylinder_wake
from geoop.truth.navier_stokes.unsteady import UnsteadyFlow

pytest.importorskip("gmsh")


def test_splits_series_and_ranges():
    plan = cylinder_wake.plan(640, 0)
    assert {key: len(names) // 32 for key, names in plan.splits.items()} == {"train": 14, "val": 2, "test": 4, "ood": 2, "ood-shape": 2}
    owner = {}
    for split, names in plan.splits.items():
        for name in names:
            assert plan.series[name] == plan.geometry[name] == name.rsplit("_", 1)[0]
            assert owner.setdefault(plan.geometry[name], split) == split
            values = plan.parameters[name]
            low, high = (200, 260) if split == "ood" else (60, 200)
            assert low <= values["reynolds"] <= high and (values["shape"] == "triangle") == (split == "ood-shape")
    assert {plan.parameters[name]["shape"] for name in plan.names} == {*cylinder_wake.SHAPES, "triangle"}
    assert plan.parameters["wake_0003_07"] == cylinder_wake.plan(128, 0).parameters["wake_0003_07"]


@pytest.mark.parametrize("shape", [*cylinder_wake.SHAPES, "triangle"])
def test_bodies_are_as_high_as_all(shape):
    laws = cylinder_wake.TRIANGLE if shape == "triangle" else cylinder_wake.SHAPES[shape]
    for which in (0, 1):
        values = {"shape": shape, **{key: limits[which] for key, limits in laws.items()}}
        body = cylinder_wake.body_of(values)
        wall = body.wall(np.linspace(0, 2 * np.pi, 5001))
        assert np.ptp(wall[:, 1]) == pytest.approx(1.0, abs=1e-5) and np.ptp(wall[:, 0]) < 1.8
        mesh = cylinder_wake.mesh_of(body, "x", finer=0.6)
        assert (signed_measures(mesh) > 0).all() and set(mesh.patches) == {"inlet", "outlet", "top", "bottom", "body"}


@pytest.fixture
def coarse(monkeypatch):
    """A series on a coarse mesh, to see frames and phases in seconds."""
    for key, value in (("SEGMENT", 0.16), ("WAKE", 0.4), ("WALL", 2.5), ("WAKE_LENGTH", 4.0)):
        monkeypatch.setattr(cylinder_wake, key, value)
    cylinder_wake.frames.cache_clear()
    yield
    cylinder_wake.frames.cache_clear()


def test_frames_of_a_series(coarse):
    """Frames 1 and 17 are a period apart: the same flow; the lift starts at its middle, rising."""
    name = next(key for key in dict.fromkeys(cylinder_wake.plan(640, 0).geometry.values()) if cylinder_wake.drawn(0, key)["shape"] == "circle")
    cases = [cylinder_wake.case(0, f"{name}_{k:02d}") for k in range(1, 33)]
    state, _ = cylinder_wake.frames(0, name)
    assert np.allclose(np.diff([case.time for case in cases]), 2 * state.period / 32) and cases[0].time == 0.0
    assert all(case.mesh is cases[0].mesh for case in cases)
    lift = np.array([float(case.field("lift_coefficient").values) for case in cases])
    size = state.lift_max - state.lift_min
    assert abs(lift[0] - 0.5 * (state.lift_max + state.lift_min)) < 0.1 * size and lift[1] > lift[0]
    assert np.abs(lift[:16] - lift[16:]).max() < 0.03 * size
    assert np.ptp(lift) == pytest.approx(size, rel=0.05)
    velocity = [case.field("velocity").values for case in cases]
    assert np.abs(velocity[0] - velocity[16]).max() < cylinder_wake.MISMATCH < 0.3 < np.abs(velocity[0] - velocity[8]).max()
    assert 0.12 < state.strouhal < 0.22 and 1.1 < state.drag_mean < 1.7
    point = cases[0].operating_point
    assert point.reynolds == pytest.approx(cylinder_wake.drawn(0, name)["reynolds"]) and point.velocity == 1.0
    assert cases[0].field("pressure").quantity.unit == "Pa"


def test_the_same_numbers_again(coarse):
    """Mesh, start and march are bit-equal from one run to the next."""
    ends = []
    for _ in range(2):
        problem = cylinder_wake.problem_of(cylinder_wake.drawn(0, "wake_0001"), "wake_0001")
        flow = UnsteadyFlow(problem)
        for _ in range(25):
            solution = flow.advance()
        ends.append((problem.space.domain.mesh.content_hash, solution.unknowns))
    assert ends[0][0] == ends[1][0] and np.array_equal(ends[0][1], ends[1][1])


@pytest.mark.slow
def test_a_frame_again():
    name = "wake_0007_05"
    first = cylinder_wake.case(0, name)
    cylinder_wake.frames.cache_clear()
    again = cylinder_wake.case(0, name)
    assert all(np.array_equal(first.field(key).values, again.field(key).values) for key in first.fields) and first.time == again.time
