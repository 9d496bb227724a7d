"""The panel method against the exact Karman-Trefftz flow, the cylinder, and what symmetry and scale demand."""

import numpy as np
import pytest

from geoop.errors import ConditionError, ConfigurationError, InvalidMeshError, ShapeError
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import circle, icosphere, naca4, ring
from geoop.truth.datasets.kt_airfoils import field_points
from geoop.truth.exact.karman_trefftz import KarmanTrefftz
from geoop.truth.panels.system import PanelSystem, panel_flow

SECTION = KarmanTrefftz(-0.1, 0.06, 15.0)
FIVE = OperatingPoint(60.0, alpha=5.0, reference_length=1.0)


def at(alpha, **more):
    return OperatingPoint(60.0, alpha=alpha, **more)


def order(sizes, errors):
    """Least-squares slope of log error over log size."""
    return -np.polyfit(np.log(sizes), np.log(errors), 1)[0]


@pytest.fixture(scope="module")
def exact():
    zeta = field_points(SECTION, np.random.default_rng(0))[0][:2000]
    return SECTION.points(zeta), SECTION.velocity(zeta, FIVE)


def test_second_order_against_the_exact_flow(exact):
    points, velocity = exact
    sizes, lift, field, worst, speed = [50, 100, 200, 400], [], [], [], []
    for n in sizes:
        flow = panel_flow(SECTION.outline(600), FIVE, n)
        error = np.linalg.norm(flow.velocity(points) - velocity, axis=1) / 60.0
        wall = flow.surface
        true = SECTION.velocity(SECTION.preimage(wall.points), FIVE)
        lift.append(abs(flow.lift_coefficient / SECTION.lift_coefficient(FIVE) - 1))
        field.append(np.sqrt((error**2).mean()))
        worst.append(error.max())
        speed.append(np.linalg.norm(wall.velocity - true, axis=1)[2:-2].max() / 60.0)
    assert lift[2] < 5e-4 and field[2] < 3e-4 and worst[2] < 1e-2
    assert order(sizes, lift) > 1.8
    assert order(sizes, field) > 1.7
    assert order(sizes, worst) > 1.1  # up to the edge of the law, 1e-3 radii from the wall
    assert order(sizes, speed) > 1.4


@pytest.mark.parametrize("shape", [(-0.03, 0.0, 5.0), (-0.15, 0.12, 20.0), (-0.03, 0.12, 5.0), (-0.05, 0.18, 10.0)])
def test_lift_over_the_whole_family(shape):
    section = KarmanTrefftz(*shape)
    points = [at(alpha, reference_length=1.0) for alpha in (-5.0, 2.0, 10.0, 15.0)]
    exact = np.array([section.lift_coefficient(p) for p in points])
    assert np.abs(PanelSystem(section.outline(400)).lift_coefficient(points) - exact).max() < 5e-4 * np.abs(exact).max()


def test_lift_from_pressure_agrees_and_drag_vanishes():
    coarse, fine = (panel_flow(SECTION.outline(600), FIVE, n).pressure_force_coefficients for n in (100, 200))
    exact = SECTION.lift_coefficient(FIVE)
    assert fine[0] == pytest.approx(exact, rel=2e-4)
    assert abs(fine[1]) < 3e-4 and abs(fine[1]) < 0.4 * abs(coarse[1])


def test_cylinder_with_circulation():
    """Kutta condition at the rear end: Gamma = 4 pi R U sin(alpha); the field is known everywhere."""
    errors = []
    alpha = np.radians(5.0)
    gamma = 4 * np.pi * np.sin(alpha)
    z = (1 + np.geomspace(1e-3, 100.0, 300)) * np.exp(1j * np.linspace(0, 40, 300))
    w = np.exp(-1j * alpha) - np.exp(1j * alpha) / z**2 + 1j * gamma / (2 * np.pi * z)
    for n in (50, 100, 200):
        flow = panel_flow(circle(n), OperatingPoint(1.0, alpha=5.0), None)
        u, v = flow.velocity(np.stack([z.real, z.imag], axis=1)).T
        errors.append([abs(flow.circulation - gamma), np.abs(u - 1j * v - w).max()])
    errors = np.array(errors)
    assert errors[-1].max() < 2e-4
    assert order([50, 100, 200], errors[:, 0]) > 1.9 and order([50, 100, 200], errors[:, 1]) > 1.9


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("code", ["0012", "2412", "0006", "4415"])
def test_naca_sections(code, closed):
    """Lift slope a little above 2 pi, growing with thickness; refined and original points agree; symmetric ones do not lift at zero."""
    outline = naca4(code, 160, closed_trailing_edge=closed)
    system = PanelSystem(outline)
    low, high = system.lift_coefficient([at(0.0), at(4.0)])
    slope = (high - low) / np.radians(4.0) / (2 * np.pi)
    assert 1.0 + 0.5 * int(code[2:]) / 100 < slope < 1.0 + 1.2 * int(code[2:]) / 100
    assert PanelSystem(outline, None).lift_coefficient([at(4.0)])[0] == pytest.approx(high, rel=1e-3)
    assert system.flow(at(4.0)).pressure_force_coefficients[0] == pytest.approx(high, rel=2e-3)
    if code.startswith("00"):
        assert abs(low) < 1e-9
    assert (system.curve.gap > 0) == (not closed)


def test_naca0012_of_the_literature():
    """Inviscid lift slope of NACA 0012, sharp trailing edge: thin-section value times about 1 + 0.8 t/c (0.1206 per degree)."""
    assert panel_flow(naca4("0012", 200), at(8.0)).lift_coefficient == pytest.approx(0.963, abs=2e-3)


def test_blunt_base_tends_to_the_sharp_edge():
    """Closing the base continuously leads to the sharp section's lift; nothing jumps where the base counts as sharp."""
    sharp = naca4("0012", 200)
    x, y = sharp.points.T
    lifts = []
    for gap in (4e-3, 1e-3, 3e-4, 1.01e-4, 0.99e-4, 1e-6):
        opened = np.stack([x, y + np.where(np.arange(200) < 100, 0.5, -0.5) * gap * x], axis=1)
        opened = np.concatenate([opened, [[1.0, -0.5 * gap]]])
        lifts.append(panel_flow(ring(opened, "opened"), at(4.0)).lift_coefficient)
    exact = panel_flow(sharp, at(4.0)).lift_coefficient
    errors = np.abs(np.array(lifts) / exact - 1)
    assert (np.diff(errors) < 1e-5).all() and errors[0] < 4e-3 and errors[-1] < 1e-4
    assert abs(lifts[3] - lifts[4]) < 2e-4 * exact


def test_base_with_points_of_its_own_is_one_panel():
    plain = naca4("0012", 121, closed_trailing_edge=False)
    top, bottom = plain.points[0], plain.points[-1]
    refined = ring(np.concatenate([plain.points, bottom + np.array([[0.25], [0.5], [0.75]]) * (top - bottom)]), "refined base")
    assert panel_flow(refined, at(4.0)).lift_coefficient == pytest.approx(panel_flow(plain, at(4.0)).lift_coefficient, rel=1e-12)


def test_start_order_and_orientation_do_not_matter():
    outline = naca4("2412", 120)
    reference = panel_flow(outline, at(3.0)).lift_coefficient
    shuffled = np.random.default_rng(0).permutation(120)
    place = np.empty(120, dtype=int)
    place[shuffled] = np.arange(120)
    lines = place[outline.cells.block("line")]
    lines = np.roll(lines[np.random.default_rng(1).permutation(120)][:, ::-1], 7, axis=0)
    mixed = Mesh(outline.points[shuffled], Cells.of(line=lines), name="mixed")
    assert panel_flow(mixed, at(3.0)).lift_coefficient == pytest.approx(reference, rel=1e-12)


def test_scale_speed_and_position():
    """Three times the size, elsewhere, twice the speed: the same CL, six times the circulation, twice the velocity."""
    outline, points = naca4("2412", 120), np.array([[1.3, 0.2], [0.4, 0.1], [-2.0, 1.0]])
    moved = outline.moved(3 * outline.points + [5.0, -2.0])
    one, other = panel_flow(outline, OperatingPoint(10.0, alpha=3.0)), panel_flow(moved, OperatingPoint(20.0, alpha=3.0))
    assert other.lift_coefficient == pytest.approx(one.lift_coefficient, rel=1e-9)
    assert other.circulation == pytest.approx(6 * one.circulation, rel=1e-9)
    assert other.velocity(3 * points + [5.0, -2.0]) == pytest.approx(2 * one.velocity(points), rel=1e-8)
    by_metre = panel_flow(moved, OperatingPoint(20.0, alpha=3.0, reference_length=1.0)).lift_coefficient
    assert by_metre == pytest.approx(other.lift_coefficient * other.system.chord, rel=1e-12)


def test_rotated_section_is_the_section_at_incidence():
    outline = naca4("2412", 160)
    a = np.radians(-6.0)
    turned = outline.moved(outline.points @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]))
    assert panel_flow(turned, at(0.0)).lift_coefficient == pytest.approx(panel_flow(outline, at(6.0)).lift_coefficient, rel=1e-6)


def test_many_angles_at_once_are_single_angles():
    system = PanelSystem(naca4("2412", 120), 100)
    conditions = [OperatingPoint(speed, alpha=alpha) for speed, alpha in ((10.0, -3.0), (60.0, 0.0), (30.0, 12.0))]
    points = np.array([[1.5, 0.3], [0.2, 0.2], [-40.0, 3.0]])
    together = system.velocity(points, conditions)
    assert together.shape == (3, 3, 2)
    for condition, velocity, lift in zip(conditions, together, system.lift_coefficient(conditions), strict=True):
        alone = panel_flow(naca4("2412", 120), condition, 100)
        assert alone.velocity(points) == pytest.approx(velocity, rel=1e-12)
        assert alone.lift_coefficient == pytest.approx(lift, rel=1e-12)


def test_chunks_do_not_matter(monkeypatch, exact):
    flow = panel_flow(SECTION.outline(300), FIVE, 60)
    whole = flow.velocity(exact[0][:300])
    monkeypatch.setattr("geoop.truth.panels.influence._PAIRS", 700)
    assert flow.velocity(exact[0][:300]) == pytest.approx(whole, abs=1e-10)
    assert flow.velocity(np.zeros((0, 2))).shape == (0, 2)


def test_multipoles_continue_the_panel_sum():
    """On both sides of the switch of the far-field series the field is the same to rounding, and the far field is the vortex's."""
    flow = panel_flow(SECTION.outline(300), FIVE)
    center, size = flow.system.nodes[:-1].mean(), np.abs(flow.system.nodes - flow.system.nodes[:-1].mean()).max()
    z = center + size * np.array([19.9999999, 20.0000001])[:, None] * np.exp(1j * np.linspace(0, 6, 30))
    near, far = flow.velocity(np.stack([z.real, z.imag], axis=-1).reshape(-1, 2)).reshape(2, 30, 2)
    assert np.abs(near - far).max() < 1e-6
    x, y = np.array([1e6, 2e6])
    u, v = flow.velocity(np.array([[x, y]]))[0] - 60.0 * FIVE.direction(2)
    assert np.array([u, v]) == pytest.approx(flow.circulation / (2 * np.pi * (x**2 + y**2)) * np.array([y, -x]), rel=1e-3)


def test_tangential_at_the_wall_and_continuous_up_to_it():
    flow = panel_flow(SECTION.outline(600), FIVE)
    angle = np.linspace(0.3, 6.0, 200)
    wall, near = SECTION.points(SECTION.circle(angle)), SECTION.points(SECTION.circle(angle, 1e-6))
    on, off = flow.system.surface_velocity(wall, [FIVE])[0], flow.velocity(near)
    assert np.abs(on - off).max() / 60.0 < 4e-3
    tangent = np.gradient(wall, axis=0)
    normal = np.stack([tangent[:, 1], -tangent[:, 0]], axis=1) / np.linalg.norm(tangent, axis=1)[:, None]
    assert np.abs((on * normal).sum(axis=1))[1:-1].max() / 60.0 < 1e-2
    exact = SECTION.velocity(SECTION.circle(angle), FIVE)
    assert np.abs(on - exact).max() / 60.0 < 6e-3


def test_inside_is_nan_and_the_wall_is_not():
    flow = panel_flow(SECTION.outline(200), FIVE, 60)
    assert np.isnan(flow.velocity(np.array([[0.3, 0.08], [0.9, 0.02]]))).all()
    assert np.isnan(flow.pressure_coefficient(np.array([[0.3, 0.08]]))).all()
    on_wall = SECTION.points(SECTION.circle(np.linspace(0, 2 * np.pi, 1001)[:-1]))  # partly inside the coarse polygon
    assert np.isfinite(flow.velocity(on_wall)).all()
    nodes = flow.surface.points
    assert np.isfinite(flow.velocity(nodes)).all()
    assert flow.velocity(nodes)[1:] == pytest.approx(flow.surface.velocity[1:], abs=1e-6 * 60)
    assert flow.velocity(nodes)[0] == pytest.approx([0.0, 0.0])


def test_surface_begins_at_the_trailing_edge_counter_clockwise():
    wall = panel_flow(SECTION.outline(200), FIVE, 80).surface
    assert wall.points.shape == (80, 2) and wall.points[0] == pytest.approx([1.0, 0.0])
    assert wall.points[1, 1] > wall.points[-1, 1]
    assert wall.pressure_coefficient == pytest.approx(1 - (wall.velocity**2).sum(axis=1) / 3600)
    assert wall.velocity[5] @ [-1.0, 0.0] < 0 < wall.velocity[-5] @ [1.0, 0.0]  # both sides flow backwards


def test_solve_case_fills_wall_and_field():
    outline = SECTION.outline(150)
    field = SECTION.points(SECTION.circle(np.linspace(0.1, 6.2, 40), 0.5))
    points = np.concatenate([outline.points, field])
    cells = Cells.concatenate([outline.cells, Cells.of(vertex=np.arange(150, 190)[:, None])])
    case = Case(Mesh(points, cells, {"wall": outline.cells}, name="sample"))
    solved = panel_flow(case.mesh, FIVE).solve_case(case)
    exact = SECTION.flow(FIVE).solve_case(case)
    assert solved.operating_point == FIVE and solved.name == "sample"
    difference = np.linalg.norm(solved.field("velocity").values - exact.field("velocity").values, axis=1) / 60
    assert difference.max() < 6e-3 and np.sqrt((difference[150:] ** 2).mean()) < 1e-4
    assert solved.field("pressure_coefficient").values == pytest.approx(1 - (solved.field("velocity").values ** 2).sum(axis=1) / 3600)


def test_case_of_another_body_is_refused():
    flow = panel_flow(naca4("0012", 100), at(2.0))
    with pytest.raises(InvalidMeshError, match="away from the section"):
        flow.solve_case(Case(naca4("4415", 100)))


@pytest.mark.parametrize("tau", [0.0, 2.0, 4.0])
def test_thin_trailing_edges_are_refused(tau):
    with pytest.raises(InvalidMeshError, match=r"trailing-edge angle is .* below 5 degrees") as caught:
        panel_flow(KarmanTrefftz(-0.08, 0.04, tau).outline(300), FIVE)
    assert "karman_trefftz" in caught.value.remedy
    assert panel_flow(KarmanTrefftz(-0.08, 0.04, 5.0).outline(300), FIVE, 60).lift_coefficient > 0


@pytest.mark.parametrize("tau", [0.0, 2.0])
def test_thin_edges_on_request(tau):
    """The method itself does not mind: on exact coordinates the lift is right down to a cusp."""
    section = KarmanTrefftz(-0.1, 0.06, tau)
    flow = panel_flow(section.outline(400), FIVE, smallest_edge_angle=0.0)
    assert flow.lift_coefficient == pytest.approx(section.lift_coefficient(FIVE), rel=1e-4)


def test_bad_outlines_are_refused():
    good = naca4("0012", 60)
    crossed = good.points.copy()
    crossed[[10, 40]] = crossed[[40, 10]]
    with pytest.raises(InvalidMeshError, match="crosses itself"):
        panel_flow(good.moved(crossed), FIVE)
    with pytest.raises(InvalidMeshError, match="open"):
        panel_flow(Mesh(good.points, good.cells.take(np.arange(50))), FIVE)
    with pytest.raises(InvalidMeshError, match="plane"):
        panel_flow(icosphere(1), FIVE)


def test_bad_arguments_are_refused():
    with pytest.raises(ConditionError, match="mach"):
        panel_flow(naca4("0012", 60), OperatingPoint(60.0, mach=0.3))
    with pytest.raises(ConfigurationError, match="8 panels are too few"):
        panel_flow(naca4("0012", 60), FIVE, 8)
    with pytest.raises(ShapeError):
        panel_flow(naca4("0012", 60), FIVE, 40).velocity(np.zeros((3, 3)))
