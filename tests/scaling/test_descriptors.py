"""Named numbers of shapes that are known in closed form, and what must not change them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from geoop.errors import InvalidMeshError
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import box, circle, icosphere, naca4
from geoop.scaling.descriptors import describe


def test_a_naca_section() -> None:
    found = describe(Case(naca4("2412", n_points=400), OperatingPoint(1.0, alpha=3.0)))
    assert found["alpha_to_chord [deg]"] == pytest.approx(3.0, abs=0.3)
    assert found["thickness [1]"] == pytest.approx(0.12, abs=1e-3)
    assert found["thickness_position [1]"] == pytest.approx(0.3, abs=0.02)
    assert found["mid_camber [1]"] == pytest.approx(0.0194, abs=1e-3)
    assert found["nose_radius [1]"] == pytest.approx(1.1019 * 0.12**2, rel=0.15)  # NACA report 460
    assert found["area [1]"] == pytest.approx(0.0822, abs=1e-3)
    assert found["perimeter [1]"] == pytest.approx(2.04, abs=0.01)
    assert found["bodies [1]"] == 1.0 and found["open_ends [1]"] == 0.0
    assert 10 < found["trailing_edge_angle [deg]"] < 20


def test_a_circle_and_a_sphere() -> None:
    disc = describe(Case(circle(400, radius=3.0)))
    assert disc["area [1]"] == pytest.approx(math.pi / 4, rel=1e-3)
    assert disc["perimeter [1]"] == pytest.approx(math.pi, rel=1e-3)
    assert disc["thickness [1]"] == pytest.approx(1.0, abs=1e-3)
    ball = describe(Case(icosphere(4, radius=0.2)))
    assert ball["area [1]"] == pytest.approx(math.pi, rel=3e-3)
    assert ball["volume [1]"] == pytest.approx(math.pi / 6, rel=5e-3)
    assert ball["frontal_area [1]"] == pytest.approx(math.pi / 4, rel=5e-3)
    assert ball["radius_of_inertia [1]"] == pytest.approx(0.5 / math.sqrt(3), rel=5e-3)
    assert ball["second_axis [1]"] == pytest.approx(1.0) == ball["third_axis [1]"]
    assert ball["bodies [1]"] == 1.0 and ball["open_area [1]"] < 1e-12


def test_a_box_lies_in_the_axes_of_the_flow() -> None:
    found = describe(Case(box((0, 0, 0), (4, 2, 1)), OperatingPoint(1.0, alpha=2.0, beta=1.0)))
    diagonal = math.sqrt(21.0)
    assert found["length_x [1]"] == pytest.approx(4 / diagonal) and found["height_z [1]"] == pytest.approx(1 / diagonal)
    assert found["frontal_area [1]"] == pytest.approx(2 / 21) and found["plan_area [1]"] == pytest.approx(8 / 21)
    assert found["volume [1]"] == pytest.approx(8 / diagonal**3)
    assert found["alpha [deg]"] == 2.0 and found["beta [deg]"] == 1.0
    half = box((0, 0, 0), (4, 2, 1)).patch("x_min")
    assert describe(Case(half))["open_area [1]"] == pytest.approx(1.0)


@pytest.mark.parametrize("mesh", [naca4("4415"), circle(50), icosphere(2), box((0, 0, 0), (4, 2, 1), divisions=2)], ids=lambda mesh: mesh.name)
def test_units_place_speed_and_order_do_not_matter(mesh: Mesh) -> None:
    point, fast = OperatingPoint(1.0, 4.0), OperatingPoint(80.0, 4.0, density=3.0)
    order = np.random.default_rng(0).permutation(len(mesh.points))
    back = np.argsort(order)
    moved = Mesh(1e-3 * mesh.points[order] + 7.0, mesh.cells.renumbered(back), name=mesh.name)
    first, second = describe(Case(mesh, point)), describe(Case(moved, fast))
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert second[name] == pytest.approx(value, abs=1e-6), name


def test_a_turned_section_is_the_same_section_at_another_angle() -> None:
    section = naca4("4415")
    a = np.radians(25.0)  # nose up
    turn = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
    first, second = (
        describe(Case(section, OperatingPoint(1.0, 0.0))),
        describe(Case(section.moved(section.points @ turn.T), OperatingPoint(1.0, 0.0))),
    )
    assert second.pop("alpha_to_chord [deg]") == pytest.approx(first.pop("alpha_to_chord [deg]") + 25.0)
    assert second == pytest.approx(first, abs=1e-6)


@pytest.mark.parametrize("alpha", [-176.0, 176.0])
def test_angles_of_a_section_that_points_forward_go_round(alpha) -> None:
    section = naca4("2412")
    forward = section.moved(-section.points)
    expected = describe(Case(section, OperatingPoint(1.0, (alpha + 360.0) % 360.0 - 180.0)))["alpha_to_chord [deg]"]
    assert describe(Case(forward, OperatingPoint(1.0, alpha)))["alpha_to_chord [deg]"] == pytest.approx(expected)


def test_refinement_hardly_changes_descriptors() -> None:
    coarse, fine = (describe(Case(naca4("2412", n_points=n))) for n in (120, 480))
    for name, value in fine.items():
        assert coarse[name] == pytest.approx(value, abs=0.5 if "deg" in name else 0.02), name


def test_stated_conditions_appear_and_others_do_not() -> None:
    case = Case(naca4(chord=0.5), OperatingPoint(50.0, viscosity=1.225 * 50 * 0.5 / 1e6, mach=0.3))
    found = describe(case)
    assert found["log10_reynolds [1]"] == pytest.approx(6.0, abs=1e-4) and found["mach [1]"] == 0.3
    assert not {"log10_reynolds [1]", "mach [1]"} & set(describe(Case(naca4(), OperatingPoint(50.0))))
    assert "alpha [deg]" not in describe(Case(icosphere(1)))


def test_several_bodies_and_open_outlines_are_counted() -> None:
    main, flap = naca4("2412"), naca4("0012", chord=0.3)
    both = Mesh(
        np.concatenate([main.points, flap.points + [1.02, -0.05]]),
        Cells.concatenate([main.cells, flap.cells.renumbered(len(main.points) + np.arange(len(flap.points)))]),
    )
    assert describe(Case(both))["bodies [1]"] == 2.0
    cut = Mesh(main.points, main.cells.take(np.arange(1, len(main.cells) - 1)))
    assert describe(Case(cut))["open_ends [1]"] == 2.0


def test_a_cloud_and_a_point_are_refused() -> None:
    with pytest.raises(InvalidMeshError):
        describe(Case(Mesh(np.random.default_rng(0).random((9, 3)))))
