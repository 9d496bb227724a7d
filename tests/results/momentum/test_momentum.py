"""Momentum balances against flows whose forces are known: d'Alembert, Kutta-Joukowski, wakes that were made to measure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from geoop.errors import ConditionError, ConfigurationError, FieldError, InvalidMeshError, PatchError, UnitError
from geoop.interfaces.outcome import Outcome
from geoop.interfaces.result import Result
from geoop.interfaces.verdict import Verdict
from geoop.mesh.case import Case
from geoop.mesh.generate.ogrid import ogrid
from geoop.mesh.measure import cell_centers
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import circle, icosphere, naca4
from geoop.mesh.quantity import QUANTITIES, Field, Quantity
from geoop.results.forces import forces
from geoop.results.momentum.balance import force_balance
from geoop.results.momentum.circulation import circulation
from geoop.results.momentum.control_surface import ControlSurface, control_surface_forces
from geoop.results.momentum.wake import wake_survey
from geoop.truth.exact.karman_trefftz import KarmanTrefftz
from geoop.truth.panels.predictor import PanelPredictor

STREAM = OperatingPoint(velocity=60.0, alpha=4.0)
SECTION = KarmanTrefftz(-0.09, 0.06, 14.0)
Flow = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def result_of(mesh: Mesh, point: OperatingPoint | None, flow: Flow, *, viscous: bool = False, name: str = "pressure_coefficient") -> Result:
    """A result whose field is a function: points -> velocity, and Cp or a pressure in Pa."""
    quantity = QUANTITIES.get(name, Quantity(name, "p", "Pa"))

    def evaluate(points: np.ndarray) -> dict[str, Field]:
        velocity, pressure = flow(points)
        return {"velocity": Field(QUANTITIES["velocity"], velocity), name: Field(quantity, pressure)}

    velocity, pressure = flow(mesh.points)
    case = Case(mesh, point, fields={name: Field(quantity, pressure), "velocity": Field(QUANTITIES["velocity"], velocity)})
    return Result(case, Outcome("converged"), Verdict("inside", "exact"), evaluate, viscous)


def exact(point: OperatingPoint = STREAM, section: KarmanTrefftz = SECTION, n: int = 400) -> Result:
    def flow(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        zeta = section.preimage(points)
        return section.velocity(zeta, point), section.pressure_coefficient(zeta, point)

    return result_of(section.outline(n), point, flow)


def uniform(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    d = points.shape[1]
    return np.broadcast_to(STREAM.velocity * STREAM.direction(d), points.shape), np.zeros(len(points))


def sphere_flow(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r = np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1.0)
    u = STREAM.direction(3)
    velocity = u - 0.5 * (3.0 * points * (points @ u)[:, None] / r**2 - u) / r**3
    return STREAM.velocity * velocity, 1.0 - (velocity**2).sum(axis=1)


@pytest.mark.parametrize("alpha", [-3.0, 0.0, 7.0])
def test_kutta_and_joukowski_on_any_loop(alpha):
    point = replace(STREAM, alpha=alpha)
    found = circulation(exact(point), radius=[0.7, 1.3, 5.0, 40.0])
    assert found.circulation == pytest.approx(SECTION.circulation(point), rel=1e-9)
    assert found.lift == pytest.approx(point.density * point.velocity * SECTION.circulation(point), rel=1e-9)
    assert found.spread < 1e-8 * abs(found.lift[0])
    off = circulation(exact(point), radius=2.0, center=(0.2, 0.9))
    assert off.circulation == pytest.approx(SECTION.circulation(point), rel=1e-9)


def test_the_rule_on_loops_converges_exponentially():
    errors = [abs(circulation(exact(), radius=0.62, count=n).circulation[0] / SECTION.circulation(STREAM) - 1.0) for n in (16, 32, 64)]
    assert errors[1] < 0.1 * errors[0] and errors[2] < 0.01 * errors[1]


def test_a_loop_that_leaves_the_body_out_has_no_circulation():
    assert circulation(exact(), radius=0.5, center=(3.0, 0.0)).circulation == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    "cut",
    [ControlSurface.circle((0.5, 0.0), 0.8), ControlSurface.circle((0.2, 0.3), 9.0), ControlSurface.box((-0.4, -0.5), (1.3, 0.9), 60)],
    ids=["near", "far", "box"],
)
def test_control_surfaces_find_lift_and_no_drag_whatever_their_size(cut):
    found = control_surface_forces(exact(), cut)
    scale = STREAM.dynamic_pressure
    assert found.lift / scale == pytest.approx(SECTION.lift_coefficient(STREAM), rel=1e-6)
    assert found.drag / scale == pytest.approx(0.0, abs=1e-6)
    assert found.mass_imbalance == pytest.approx(0.0, abs=1e-6)


def test_its_moment_is_that_of_the_wall_about_any_point():
    result = exact(n=3000)
    for about in ((0.25, 0.0), (-2.0, 5.0)):
        wall = forces(result, reference_point=about)
        far = control_surface_forces(result, about=about)
        assert far.moment[2] == pytest.approx(wall.moment[2], rel=2e-4)
    at_origin = control_surface_forces(result, ControlSurface.circle((0.5, 0.0), 3.0))
    shift = np.cross([*(-np.array(about)), 0.0], [*at_origin.force, 0.0])[2]
    assert far.moment[2] == pytest.approx(at_origin.moment[2] + shift, rel=1e-6)  # transfer of moments


def test_a_sphere_feels_nothing():
    result = result_of(icosphere(2), STREAM, sphere_flow)
    cuts = [
        ControlSurface.sphere((0.1, 0.2, 0.0), 1.6),
        ControlSurface.cylinder([(-3.0, 0.3, 0.0), (2.5, 0.0, 0.2)], 1.9),
        ControlSurface.box((-2, -1.5, -1.4), (1.8, 1.6, 2.1)),
    ]
    for cut in cuts:
        assert np.abs(control_surface_forces(result, cut).force).max() < 1e-5 * STREAM.dynamic_pressure


@pytest.mark.parametrize("mesh", [circle(), icosphere(2)], ids=["plane", "space"])
def test_a_uniform_flow_has_no_force_no_circulation_and_no_wake(mesh):
    result = result_of(mesh, STREAM, uniform)
    assert np.abs(control_surface_forces(result).force).max() < 1e-9 * STREAM.dynamic_pressure
    loop = circulation(result) if mesh.dimension == 2 else circulation(result, station=0.0)
    assert np.abs(loop.circulation).max() < 1e-9 * STREAM.velocity
    wake = wake_survey(result)
    assert abs(wake.drag) + abs(wake.momentum_drag) < 1e-9 * STREAM.dynamic_pressure and not wake.notes


def test_static_and_kinematic_pressure_and_its_reference_are_one_flow():
    section = exact()

    def flow(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = section.at(points)
        return found["velocity"], 101325.0 + STREAM.dynamic_pressure * found["pressure_coefficient"]

    static = result_of(section.mesh, STREAM, flow, name="pressure")
    base = control_surface_forces(section).force
    assert control_surface_forces(static, reference_pressure=101325.0).force == pytest.approx(base, rel=1e-9)
    assert control_surface_forces(static).force == pytest.approx(base, rel=1e-6)  # a closed cut does not need it

    def unsaid(points: np.ndarray, unit: str = "?") -> dict[str, Field]:
        found = static.at(points)
        values = found["pressure"] / (STREAM.density if unit == "m^2/s^2" else 1.0)
        return {"velocity": Field(QUANTITIES["velocity"], found["velocity"]), "pressure": Field(Quantity("pressure", "p", unit), values)}

    unknown = replace(static, evaluate=unsaid)
    with pytest.raises(UnitError, match="cannot be told apart"):
        control_surface_forces(unknown)
    assert control_surface_forces(unknown, pressure_unit="Pa").force == pytest.approx(base, rel=1e-6)
    kinematic = replace(static, evaluate=lambda points: unsaid(points, "m^2/s^2"))
    assert control_surface_forces(kinematic).force == pytest.approx(base, rel=1e-6)
    with pytest.raises(UnitError, match="pressure_unit"):
        control_surface_forces(kinematic, pressure_unit="Pa")


def with_density(result: Result, factor: float) -> Result:
    def evaluate(points: np.ndarray) -> dict[str, Field]:
        return {**result.evaluate(points), "density": Field(QUANTITIES["density"], np.full(len(points), factor * STREAM.density))}

    return replace(result, evaluate=evaluate)


def test_a_density_of_the_field_weighs_its_momentum():
    """On a circle far away pressure and momentum bear one half of the lift each, so that another density there changes the second half only."""
    cut = ControlSurface.circle((0.5, 0.0), 40.0)
    base = control_surface_forces(exact(), cut).lift
    assert control_surface_forces(with_density(exact(), 1.0), cut).lift == pytest.approx(base, rel=1e-12)
    assert control_surface_forces(with_density(exact(), 3.0), cut).lift == pytest.approx(2.0 * base, rel=1e-2)


def test_mass_that_is_lost_and_a_foreign_stream_are_said():
    def leaking(points: np.ndarray) -> dict[str, Field]:
        found = exact().evaluate(points)
        away = points - [0.5, 0.0]
        source = away / (away**2).sum(axis=1)[:, None] * STREAM.velocity * 0.02
        return {**found, "velocity": Field(QUANTITIES["velocity"], found["velocity"].values + source)}

    off = force_balance(replace(exact(), evaluate=leaking))
    assert off.mass_imbalance > 0.3 and any("loses or gains mass" in note for note in off.notes)
    slow = exact()
    other = force_balance(replace(slow, case=replace(slow.case, operating_point=replace(STREAM, velocity=20.0))))
    assert any("far from the free stream" in note for note in other.notes)
    assert not any("far from" in note or "mass" in note for note in force_balance(exact()).notes)


def gaussian(depth: float, width: float, point: OperatingPoint) -> Flow:
    def flow(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        d = points.shape[1]
        stream = point.direction(d)
        off = points - (points @ stream)[:, None] * stream
        speed = point.velocity * (1.0 - depth * np.exp(-(off**2).sum(axis=1) / width**2))
        return speed[:, None] * stream, np.zeros(len(points))

    return flow


@pytest.mark.parametrize("alpha", [0.0, 8.0])
def test_the_drag_of_a_gaussian_wake(alpha):
    """int u (U - u) dy = U^2 (a b sqrt(pi) - a^2 b sqrt(pi/2)); its square cut in space has pi in place of the roots."""
    a, b, point = 0.3, 0.08, OperatingPoint(40.0, alpha=alpha, viscosity=1.8e-5)
    plane = wake_survey(result_of(circle(radius=0.2), point, gaussian(a, b, point), viscous=True), half_width=0.6)
    known = point.density * point.velocity**2 * b * (a * np.sqrt(np.pi) - a**2 * np.sqrt(np.pi / 2))
    assert plane.drag == pytest.approx(known, rel=1e-6) and plane.momentum_drag == pytest.approx(known, rel=1e-6)
    ball = icosphere(2)
    space = wake_survey(result_of(ball.moved(0.1 * ball.points), point, gaussian(a, b, point), viscous=True), half_width=0.5)
    volume = point.density * point.velocity**2 * np.pi * b**2 * (a - a**2 / 2)
    assert space.drag == pytest.approx(volume, rel=1e-6) and space.momentum_drag == pytest.approx(volume, rel=1e-6)


def test_a_wake_beyond_the_cut_is_said_and_lift_alone_is_no_drag():
    point = OperatingPoint(40.0, viscosity=1.8e-5)
    narrow = wake_survey(result_of(circle(radius=0.2), point, gaussian(0.3, 0.5, point), viscous=True), half_width=0.3)
    assert any("wider" in note for note in narrow.notes)
    lifting = wake_survey(exact())
    assert abs(lifting.drag) < 1e-9 * STREAM.dynamic_pressure < abs(lifting.momentum_drag)


def test_the_balance_of_an_exact_flow_agrees_and_a_wrong_wall_is_found():
    result = exact(n=800)
    found = force_balance(result)
    assert found.largest_lift_difference < 1e-3 and "they agree" in found.statement
    assert len(found.rows) == 7 and "wall" in str(found) and found.to_dict()["rows"]
    wrong = Field(QUANTITIES["pressure_coefficient"], 1.3 * result["pressure_coefficient"])
    off = force_balance(replace(result, case=result.case.with_fields(wrong)))
    assert "disagree" in off.statement and off.largest_lift_difference > 0.1


def test_a_volume_mesh_with_its_fields_is_a_flow_too():
    errors = []
    for size in (32, 64, 140):
        mesh = ogrid(SECTION.outline(1200), n_wall=size, n_normal=size // 2)
        zeta = SECTION.preimage(mesh.points)
        speed = SECTION.velocity(zeta, STREAM)
        cp = SECTION.pressure_coefficient(zeta, STREAM)
        fields = {"velocity": Field(QUANTITIES["velocity"], speed), "pressure_coefficient": Field(QUANTITIES["pressure_coefficient"], cp)}
        case = Case(mesh, STREAM, fields=fields, wall=("wall",))
        errors.append(abs(circulation(case, radius=1.0).circulation[0] / SECTION.circulation(STREAM) - 1.0))
    assert errors[1] < 0.25 * errors[0] and errors[2] < 0.2 * errors[1] < 1e-3
    lift = control_surface_forces(case).lift / STREAM.dynamic_pressure
    assert lift == pytest.approx(SECTION.lift_coefficient(STREAM), rel=1e-3)
    cells = {
        "velocity": Field(QUANTITIES["velocity"], SECTION.velocity(SECTION.preimage(cell_centers(mesh)), STREAM), "cell"),
    }
    averaged = circulation(replace(case, fields=cells), radius=1.0).circulation[0]
    assert averaged == pytest.approx(SECTION.circulation(STREAM), rel=2e-3)


def test_panels_agree_with_themselves():
    result = PanelPredictor().predict(Case(naca4("4412"), STREAM))
    assert force_balance(result).largest_lift_difference < 2e-3
    narrow, wide = (force_balance(result, reference_length=length).rows[1].CL for length in (1.0, 2.0))
    assert narrow is not None and wide == pytest.approx(0.5 * narrow, rel=1e-12)


def test_what_is_wrong_is_said():
    result = exact()
    with pytest.raises(InvalidMeshError, match="does not enclose"):
        control_surface_forces(result, ControlSurface.circle((0.0, 0.0), 0.3))
    with pytest.raises(InvalidMeshError, match="2-D"):
        control_surface_forces(result, ControlSurface.sphere((0, 0, 0), 3.0))
    with pytest.raises(InvalidMeshError, match="open"):
        ControlSurface(np.ones((4, 2)), np.ones((4, 2)))
    with pytest.raises(ConfigurationError, match="size"):
        ControlSurface.box((0, 0), (1, 0))
    with pytest.raises(FieldError, match="lie in a body"):
        circulation(result, radius=0.3, center=(0.5, 0.0))
    with pytest.raises(ConfigurationError, match="positive radii"):
        circulation(result, radius=-1.0)
    with pytest.raises(ConditionError, match="station"):
        circulation(result, station=0.0)
    with pytest.raises(ConditionError, match="station"):
        circulation(result_of(icosphere(2), STREAM, uniform))
    with pytest.raises(ConditionError, match="free stream"):
        control_surface_forces(replace(result, case=replace(result.case, operating_point=None)))
    with pytest.raises(InvalidMeshError, match="on the wall only"):
        control_surface_forces(result.case)
    with pytest.raises(PatchError, match="neither"):
        control_surface_forces(replace(result, evaluate=lambda x: {"velocity": Field(QUANTITIES["velocity"], x)}))
    with pytest.raises(FieldError, match="velocity"):
        circulation(replace(result, evaluate=lambda x: {}))
    with pytest.raises(ConfigurationError, match="behind"):
        wake_survey(result, behind=-1.0)
