"""The cases of kt-airfoils: laws, weights, and the same numbers for the same seed."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.mesh.body import body
from geoop.mesh.outline import loops
from geoop.truth.datasets import kt_airfoils
from geoop.truth.exact.karman_trefftz import KarmanTrefftz


@pytest.fixture(scope="module")
def cases():
    return {name: kt_airfoils.case(3, name) for name in ("kt_0001", "kt_0002", "kt_ood_0001")}


def section_of(name):
    values = kt_airfoils.drawn(3, name)
    return KarmanTrefftz(values["mu_x"], values["mu_y"], values["tau"])


def test_layout_of_a_case(cases):
    for name, case in cases.items():
        mesh = case.mesh
        assert case.name == name and case.wall == ("wall",) and len(mesh.points) == 5200
        assert mesh.cells.names == ["vertex", "line"] and (mesh.cells.block("line")[:, 0] == np.arange(200)).all()
        assert mesh.points[0] == pytest.approx([1.0, 0.0]) and mesh.points[5, 1] > mesh.points[195, 1]
        (ring,) = loops(body(mesh, case.wall))
        assert ring.closed and len(ring.points) == 200
        assert mesh.points[:, 0][:200].min() == pytest.approx(0.0, abs=1e-3)
        assert set(case.fields) == {"velocity", "pressure_coefficient", "quadrature_weight"}
        assert all(np.isfinite(item.values).all() for item in case.fields.values())


def test_fields_are_the_exact_flow(cases):
    for name, case in cases.items():
        exact = section_of(name).flow(case.operating_point).velocity(case.mesh.points)
        assert np.abs(case.field("velocity").values - exact)[1:].max() < 1e-5
        speed = np.linalg.norm(case.field("velocity").values, axis=1)
        assert case.field("pressure_coefficient").values == pytest.approx(1 - (speed / 60.0) ** 2)
        assert case.field("pressure_coefficient").values[0] == 1.0


def test_wall_weights_add_up_to_the_perimeter(cases):
    for name, case in cases.items():
        section = section_of(name)
        ring = section.points(section.circle(np.linspace(0, 2 * np.pi, 200001)))
        weight = case.field("quadrature_weight").values[:200]
        assert weight.sum() == pytest.approx(np.linalg.norm(np.diff(ring, axis=0), axis=1).sum(), rel=1e-7)
        assert (weight > 0).all()


def test_wall_points_carry_the_lift(cases):
    """The polygon of wall points with nodal Cp gives CL to a few per mille: fine enough at nose and trailing edge."""
    for name, case in cases.items():
        p, cp = case.mesh.points[:200], case.field("pressure_coefficient").values[:200]
        step, mean = np.roll(p, -1, axis=0) - p, 0.5 * (cp + np.roll(cp, -1))
        force = np.array([-(mean * step[:, 1]).sum(), (mean * step[:, 0]).sum()])
        lift = force @ case.operating_point.lift_direction(2)
        assert lift == pytest.approx(section_of(name).lift_coefficient(case.operating_point), abs=5e-3)


def test_field_weights_integrate_over_the_region(cases):
    """Area and second moment of the region, within four standard errors of independent draws and within 5 %."""
    for name, case in cases.items():
        section = section_of(name)
        angle = np.linspace(0, 2 * np.pi, 20001)
        rings = [section.points(section.circle(angle, s)) for s in (kt_airfoils.NEAREST, kt_airfoils.FARTHEST)]
        x = case.mesh.points[200:, 0]
        weight = case.field("quadrature_weight").values[200:]
        for values, primitive in ((np.ones(5000), lambda p: p[:, 0]), (x**2, lambda p: p[:, 0] ** 3 / 3)):
            outer, inner = (np.trapezoid(primitive(p), p[:, 1]) for p in reversed(rings))  # Green: area integral of f = contour integral of F dy
            error = np.std(weight * values) * np.sqrt(5000)
            assert abs((weight * values).sum() - (outer - inner)) < 4 * error
            assert abs((weight * values).sum() / (outer - inner) - 1) < 0.05


def test_distances_follow_the_law(cases):
    for name, case in cases.items():
        section = section_of(name)
        zeta = section.preimage(case.mesh.points[200:])
        s = np.abs(zeta - section.center) / section.radius - 1
        assert s.min() >= 0.99e-3 and s.max() <= 3.001
        quantiles = np.quantile(np.log(s), [0.25, 0.5, 0.75])
        assert quantiles == pytest.approx(np.log(1e-3) + np.log(3e3) * np.array([0.25, 0.5, 0.75]), abs=0.3)
        farthest = np.linalg.norm(case.mesh.points - [0.5, 0.0], axis=1).max()
        assert farthest <= kt_airfoils.largest_distance() < 1.4


def test_splits_and_ranges():
    plan = kt_airfoils.plan(500, 0)
    assert {key: len(names) for key, names in plan.splits.items()} == {"train": 350, "val": 50, "test": 100, "ood": 100}
    assert len(set(plan.names)) == 600 and plan.names[0] == "kt_0001" and plan.splits["ood"][-1] == "kt_ood_0100"
    inside = np.array([list(plan.parameters[name].values()) for name in plan.names[:500]])
    low, high = np.array(list(kt_airfoils.LAWS.values())).T
    assert (inside >= low).all() and (inside <= high).all()
    assert inside.mean(axis=0) == pytest.approx((low + high) / 2, abs=0.05 * (high - low).max())
    assert np.unique(inside, axis=0).shape == inside.shape
    outside = [plan.parameters[name] for name in plan.splits["ood"]]
    assert min(p["alpha"] for p in outside) >= 10.0 and min(p["mu_y"] for p in outside) >= 0.12
    assert plan.generator["largest_distance_from_mid_chord"] == pytest.approx(kt_airfoils.largest_distance(), abs=1e-3)


@pytest.mark.parametrize("n", [4, 10, 37])
def test_splits_scale(n):
    sizes = {key: len(names) for key, names in kt_airfoils.plan(n, 0).splits.items()}
    assert sizes["train"] + sizes["val"] + sizes["test"] == n and min(sizes.values()) >= 1
    assert sizes["ood"] == max(1, round(n / 5))


def test_a_case_depends_on_seed_and_name_only():
    again = kt_airfoils.case(3, "kt_0002")
    other = kt_airfoils.case(4, "kt_0002")
    first = kt_airfoils.case(3, "kt_0002")
    assert again.mesh.content_hash == first.mesh.content_hash != other.mesh.content_hash
    assert (again.field("velocity").values == first.field("velocity").values).all()
    assert kt_airfoils.plan(10, 3).parameters["kt_0002"] == kt_airfoils.plan(100, 3).parameters["kt_0002"]


def test_too_few_cases():
    with pytest.raises(ConfigurationError, match="3 cases cannot be split"):
        kt_airfoils.plan(3, 0)
