"""Panels in space against exact flows, lifting-line theory and what holds for every flow."""

import math

import numpy as np
import pytest

from geoop.errors import ConditionError, ConfigurationError, InvalidMeshError, PatchError
from geoop.mesh import primitives
from geoop.mesh.bodies import WingShape, superellipsoid, wing_body
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.truth.exact.ellipsoid import Ellipsoid
from geoop.truth.panels.system import PanelSystem as SectionSystem
from geoop.truth.panels3d.system import PanelSystem, panel_flow
from geoop.truth.panels3d.trailing_edge import sharp_trailing_edge

CONDITION = OperatingPoint(2.0, alpha=20.0, beta=10.0)


def rms(values):
    return math.sqrt(np.mean(np.sum(np.asarray(values).reshape(len(values), -1) ** 2, axis=1)))


def ellipsoid_mesh(level, axes):
    mesh = primitives.icosphere(level)
    return mesh.moved(mesh.points * axes)


@pytest.fixture(scope="module")
def wing():
    shape = WingShape(20.0 * math.pi / 4.0, 1.0, section="0012")
    mesh, edge = wing_body(shape, 80, 20)
    return shape, mesh, edge, PanelSystem(mesh, trailing_edge=edge, reference_area=shape.area)


def test_sphere_has_its_pressure_and_its_velocity_at_every_point():
    errors = []
    for level in (2, 3):
        surface = panel_flow(primitives.icosphere(level), CONDITION).surface
        exact = Ellipsoid(1.0, 1.0, 1.0).velocity(surface.points, CONDITION) / CONDITION.velocity
        found = surface.velocity / CONDITION.velocity
        errors.append(rms(found - exact))
        cosine = surface.points @ CONDITION.direction(3)
        pressure = surface.pressure_coefficient - (1.0 - 2.25 * (1.0 - cosine**2))
        fast = np.linalg.norm(exact, axis=1) > 0.3
        # a wrong sign along the wall would turn the direction, and still converge in the pressure
        aligned = (found * exact).sum(axis=1)[fast] / (np.linalg.norm(found, axis=1) * np.linalg.norm(exact, axis=1))[fast]
        assert aligned.min() > math.cos(math.radians(3.0))
    assert rms(pressure) < 6e-3 and np.abs(found - exact).max() < 0.015
    assert errors[1] < 0.4 * errors[0]


@pytest.mark.parametrize("axes", [(2.0, 1.0, 0.6), (1.0, 1.5, 0.8)], ids=["slender", "wide"])
def test_triaxial_ellipsoid_on_and_off_the_wall(axes):
    exact = Ellipsoid(*axes)
    flow = panel_flow(ellipsoid_mesh(3, axes), CONDITION)
    surface = flow.surface
    assert rms(surface.velocity - exact.velocity(surface.points, CONDITION)) < 0.01 * CONDITION.velocity
    random = np.random.default_rng(0)
    x = random.normal(size=(800, 3))
    x *= np.array(axes) / np.linalg.norm(x, axis=1, keepdims=True)
    normal = x / np.array(axes) ** 2
    points = x + normal / np.linalg.norm(normal, axis=1, keepdims=True) * 10.0 ** random.uniform(-3, 0.5, (800, 1))
    error = flow.velocity(points) - exact.velocity(points, CONDITION)
    assert rms(error) < 0.01 * CONDITION.velocity
    pressure = 1.0 - (exact.velocity(points, CONDITION) ** 2).sum(axis=1) / 4.0
    assert rms(flow.pressure_coefficient(points) - pressure) < 0.01
    assert flow.pressure(points) == pytest.approx(CONDITION.dynamic_pressure * flow.pressure_coefficient(points))


def test_elliptic_wing_against_lifting_line(wing):
    """Prandtl: dCL/dalpha = a0/(1 + a0/(pi A)) with the section's own a0, CDi = CL^2/(pi A)."""
    shape, _, _, system = wing
    aspect = shape.span**2 / shape.area
    section = SectionSystem(primitives.naca4("0012", 400), 200)
    a0 = section.lift_coefficient([OperatingPoint(1.0, alpha=1.0)])[0] / math.radians(1.0)
    flows = [system.flow(OperatingPoint(1.0, alpha=alpha)) for alpha in (0.0, 4.0)]
    lift = [flow.lift_coefficient for flow in flows]
    assert lift[0] == pytest.approx(0.0, abs=1e-3)
    assert lift[1] / math.radians(4.0) == pytest.approx(a0 / (1.0 + a0 / (math.pi * aspect)), rel=0.03)
    assert lift[1] ** 2 / (math.pi * aspect * flows[1].induced_drag_coefficient) == pytest.approx(1.0, abs=0.07)
    assert flows[1].pressure_force_coefficients[0] == pytest.approx(lift[1], rel=0.03)


def test_span_efficiency_goes_to_one():
    errors = []
    for strips in (12, 24, 48):
        shape = WingShape(10.0, 1.0)
        mesh, edge = wing_body(shape, 16, strips)
        flow = panel_flow(mesh, OperatingPoint(1.0, alpha=3.0), trailing_edge=edge, reference_area=shape.area)
        errors.append(flow.lift_coefficient**2 / (math.pi * shape.span**2 / shape.area * flow.induced_drag_coefficient) - 1.0)
    assert 0.0 < errors[2] < 0.7 * errors[1] < 0.49 * errors[0] and errors[2] < 0.04


def test_a_swept_wing_finds_its_trailing_edge(wing):
    mesh, edge = wing_body(WingShape(8.0, 1.0, taper=0.6, sweep=20.0, roundness=8.0), 24, 12)
    found = {tuple(sorted(pair)) for pair in sharp_trailing_edge(mesh)}
    known = {tuple(sorted(pair)) for pair in edge.tolist()}
    assert found <= known and len(found) >= len(known) - 2
    flat = primitives.wing(primitives.naca4("0012", 24), 6.0, n_span=8)
    assert len(sharp_trailing_edge(flat)) == 8
    with pytest.raises(InvalidMeshError, match="no sharp trailing edge"):
        sharp_trailing_edge(primitives.icosphere(1))


def test_a_closed_body_without_wake_feels_no_force():
    forces = []
    for n in (6, 12):
        flow = panel_flow(superellipsoid((2.0, 1.0, 0.7), 0.8, 0.9, n), CONDITION)
        forces.append(np.linalg.norm(flow.pressure_force))
        assert flow.lift_coefficient == 0.0 and flow.induced_drag_coefficient == 0.0
    assert forces[1] < 0.35 * forces[0] and forces[1] < 0.015  # of a cross section of 2 m^2: order 2
    egg = primitives.icosphere(3)
    egg = egg.moved(egg.points * np.stack([np.full(642, 1.5), *2 * [1.0 + 0.3 * egg.points[:, 0]]], axis=1))
    assert np.linalg.norm(panel_flow(egg, CONDITION).pressure_force) < 0.01 * math.pi


def test_body_and_stream_turn_together():
    mesh = superellipsoid((1.0, 0.7, 0.5), 0.8, 0.8, 5)
    angle = math.radians(35.0)
    turn = np.array([[math.cos(angle), 0.0, -math.sin(angle)], [0.0, 1.0, 0.0], [math.sin(angle), 0.0, math.cos(angle)]])
    points = 0.3 * np.random.default_rng(3).normal(size=(60, 3)) + [0.0, 0.0, 2.0]
    plain = panel_flow(mesh, OperatingPoint(1.0, alpha=10.0))
    turned = panel_flow(mesh.moved(mesh.points @ turn.T), OperatingPoint(1.0, alpha=45.0))
    assert turned.velocity(points @ turn.T) == pytest.approx(plain.velocity(points) @ turn.T, abs=1e-9)
    assert turned.surface.velocity == pytest.approx(plain.surface.velocity @ turn.T, abs=1e-9)


def test_several_angles_at_once_are_the_angles_one_by_one(wing):
    _, mesh, _, system = wing
    operating_points = [OperatingPoint(3.0, alpha=alpha, beta=beta) for alpha, beta in ((-2.0, 0.0), (4.0, 5.0), (9.0, -3.0))]
    points = np.random.default_rng(0).normal(size=(50, 3)) + [0.0, 0.0, 3.0]
    together = system.velocity(points, operating_points)
    on_wall = system.surface_velocity(mesh.points[:30], operating_points)
    for k, operating_point in enumerate(operating_points):
        assert together[k] == pytest.approx(system.flow(operating_point).velocity(points), abs=1e-12)
        assert on_wall[k] == pytest.approx(system.surface_velocity(mesh.points[:30], [operating_point])[0], abs=1e-12)


def test_inside_is_nan_and_cases_are_filled():
    body = primitives.icosphere(2)
    flow = panel_flow(body, CONDITION)
    assert np.isnan(flow.velocity(np.array([[0.0, 0.0, 0.0], [0.5, 0.2, -0.4]]))).all()
    assert flow.velocity(body.points) == pytest.approx(flow.surface.velocity, abs=1e-9)
    outside = np.array([[2.0, 0.0, 0.0], [0.0, 1.5, 1.0]])
    cells = Cells.concatenate([body.cells, Cells.of(vertex=np.array([[162], [163]]))])
    case = flow.solve_case(Case(Mesh(np.concatenate([body.points, outside]), cells, {"wall": body.cells}), wall=("wall",)))
    assert case.field("velocity").values[162:] == pytest.approx(flow.velocity(outside))
    assert case.field("pressure_coefficient").values[:162] == pytest.approx(flow.surface.pressure_coefficient)
    moved = Mesh(np.concatenate([body.points, outside * [[0.1], [1.0]]]), cells, {"wall": body.cells})
    with pytest.raises(InvalidMeshError, match="1 of 164 points lie inside"):
        flow.solve_case(Case(moved, wall=("wall",)))
    with pytest.raises(InvalidMeshError, match="away from the body"):
        flow.system.surface_velocity(outside, [CONDITION])


def test_bad_bodies_are_refused_by_name():
    sphere = primitives.icosphere(1)
    faces = sphere.cells.block("triangle")
    bad = {
        "is open: 3 edges": Cells.of(triangle=faces[1:]),
        "inside out": Cells.of(triangle=faces[:, ::-1]),
        "opposite sides": Cells.of(triangle=np.concatenate([faces[:1, ::-1], faces[1:]])),
        "no area": Cells.of(triangle=np.concatenate([faces, [[0, 0, 1]]])),
    }
    for found, cells in bad.items():
        with pytest.raises(InvalidMeshError, match=found):
            PanelSystem(Mesh(sphere.points, cells))
    with pytest.raises(InvalidMeshError, match="no edges of the surface"):
        PanelSystem(sphere, trailing_edge=np.array([[0, 41]]))
    with pytest.raises(PatchError, match="no patch 'te'"):
        PanelSystem(sphere, trailing_edge="te")
    with pytest.raises(ConditionError, match="mach"):
        panel_flow(sphere, OperatingPoint(1.0, mach=0.5))
    with pytest.raises(InvalidMeshError, match="surface in 3-D"):
        PanelSystem(primitives.circle(10))


def test_bodies_that_overlap_and_wakes_through_a_body_are_refused():
    sphere = primitives.icosphere(1)
    faces = sphere.cells.block("triangle")
    pair = Cells.of(triangle=np.concatenate([faces, faces + len(sphere.points)]))
    for moved, found in ((sphere.points + [1.5, 0, 0], "cut through each other"), (0.5 * sphere.points, "1 bodies lie inside")):
        with pytest.raises(InvalidMeshError, match=found):
            PanelSystem(Mesh(np.concatenate([sphere.points, moved]), pair))
    mesh, edge = wing_body(WingShape(4.0, 1.0), 16, 6)
    with pytest.raises(InvalidMeshError, match="through a body: 6 of 6 strips"):
        PanelSystem(mesh, trailing_edge=edge, wake_direction=(-1.0, 0.0, 0.0))
    behind = sphere.moved(0.3 * sphere.points + [3.0, 0.5, 0.05])
    both = Mesh(
        np.concatenate([mesh.points, behind.points]), Cells.concatenate([mesh.cells, behind.cells.renumbered(np.arange(42) + len(mesh.points))])
    )
    with pytest.raises(InvalidMeshError, match="wake runs through a body"):
        PanelSystem(both, trailing_edge=edge)
    assert PanelSystem(both, trailing_edge=edge, wake_direction=(1.0, 0.0, 0.5)).flow(CONDITION).lift_coefficient > 0.0
    for bad in ({"wake_direction": (0.0, 0.0, 0.0)}, {"wake_direction": (np.nan, 0.0, 0.0)}, {"reference_area": 0.0}, {"reference_area": -1.0}):
        with pytest.raises(ConfigurationError, match=next(iter(bad))):
            PanelSystem(mesh, trailing_edge=edge, **bad)
