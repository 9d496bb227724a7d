"""The cases of two-element: rigging, layout, label quality against finer panels, determinism, splits."""

import itertools

import numpy as np
import pytest

from geoop.errors import ConfigurationError, InvalidMeshError
from geoop.mesh.body import body
from geoop.mesh.outline import loops
from geoop.truth.datasets import two_element
from geoop.truth.panels.system import PanelSystem

NAMES = ("two_0001_01", "two_0001_02", "two_0007_03", "two_ood_0002_01")


@pytest.fixture(scope="module")
def cases():
    return {name: two_element.case(5, name) for name in NAMES}


def shortest(a, b):
    """Shortest distance between two fine closed polygons."""

    def to(points, ring):
        start, span = ring, np.roll(ring, -1, axis=0) - ring
        u = points[:, None] - start
        share = np.clip((u * span).sum(-1) / (span**2).sum(-1), 0, 1)
        return np.linalg.norm(u - share[..., None] * span, axis=-1).min()

    return min(to(a, b), to(b, a))


@pytest.mark.parametrize(("deflection", "gap", "overlap"), [(25.0, 0.013, 0.05), (35.0, 0.04, -0.01), (42.0, 0.013, -0.01), (30.0, 0.02, 0.0)])
@pytest.mark.parametrize("main", ["1310", "4516"])
def test_rigging_is_what_it_says(main, deflection, gap, overlap):
    outline = two_element.elements(main, "2412", 0.3, deflection, gap, overlap)
    first, flap = outline.points[:400], outline.points[400:]
    assert shortest(first, flap) == pytest.approx(gap, rel=1e-2)
    assert 1.0 - flap[:, 0].min() == pytest.approx(overlap, abs=1e-9)
    chord = flap[0] - flap[200]
    assert np.degrees(np.arctan2(-chord[1], chord[0])) == pytest.approx(deflection, abs=1e-6)
    assert np.linalg.norm(chord) == pytest.approx(0.3, rel=1e-6)
    assert flap[:, 1].max() < 0.06 and flap[0, 1] < -0.05  # below the main section's upper side


def test_impossible_rigging():
    with pytest.raises(InvalidMeshError, match="behind the trailing edge"):
        two_element.elements("2412", "2412", 0.3, 30.0, 0.02, -0.05)


def test_layout_of_a_case(cases):
    for name, case in cases.items():
        mesh = case.mesh
        assert case.name == name and case.wall == ("main", "flap") and set(mesh.patches) == {"main", "flap"}
        assert len(mesh.points) == 2 * 160 + 5000
        assert [len(ring.points) for ring in loops(body(mesh, case.wall))] == [160, 160]
        assert np.unique(mesh.patches["main"].connectivity).max() == 159 and np.unique(mesh.patches["flap"].connectivity).min() == 160
        assert all(np.isfinite(item.values).all() for item in case.fields.values())
        total, main, flap = (float(case.fields[key].values) for key in ("lift_coefficient", "lift_coefficient_main", "lift_coefficient_flap"))
        assert total == pytest.approx(main + flap, rel=5e-3) and total > 0.5
        assert case.field("pressure_coefficient").values[[0, 160]].tolist() == [1.0, 1.0]
        assert case.fields["quadrature_weight"].values.min() > 0


def test_labels_against_finer_panels(cases):
    for name in NAMES[1:3]:
        case = cases[name]
        fine = PanelSystem(two_element.elements(**two_element.drawn(5, name.rsplit("_", 1)[0])), 480)
        difference = fine.velocity(case.mesh.points[320:], [case.operating_point])[0] - case.field("velocity").values[320:]
        assert np.sqrt((difference**2).sum(axis=1).mean()) / 60.0 < 2e-3
        assert float(case.fields["lift_coefficient"].values) == pytest.approx(fine.lift_coefficient([case.operating_point])[0], rel=2e-3)


def test_the_same_again(cases):
    two_element._geometry.cache_clear()
    for name in reversed(NAMES):
        again = two_element.case(5, name)
        assert again.mesh.content_hash == cases[name].mesh.content_hash
        assert all((again.fields[key].values == item.values).all() for key, item in cases[name].fields.items())


def test_splits():
    plan = two_element.plan(100, 0)
    sizes = {key: len(names) for key, names in plan.splits.items()}
    assert sizes["train"] + sizes["val"] + sizes["test"] == 100 and min(sizes.values()) >= 1
    bodies = {split: {plan.geometry[name] for name in names} for split, names in plan.splits.items()}
    assert not any(bodies[a] & bodies[b] for a, b in itertools.combinations(bodies, 2))
    inside = [plan.parameters[name] for split in ("train", "val", "test") for name in plan.splits[split]]
    assert max(p["deflection"] for p in inside) <= 35.0 <= min(plan.parameters[name]["deflection"] for name in plan.splits["ood"])
    for p in inside:
        assert all(low <= p[key] <= high for key, (low, high) in {**two_element.LAWS, **two_element.CASE_LAWS}.items())
    assert two_element.plan(30, 0).parameters["two_0001_01"] == plan.parameters["two_0001_01"]
    with pytest.raises(ConfigurationError, match="cannot be split"):
        two_element.plan(6, 0)
