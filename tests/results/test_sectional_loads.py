"""Loads along the span: exact for linear pressures on any strips, sums to rounding, and the law of Kutta and Joukowski strip by strip."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest

from geoop.errors import ConditionError, ConfigurationError, InvalidMeshError, NonFiniteError, UnitError
from geoop.interfaces.outcome import Outcome
from geoop.interfaces.result import Result
from geoop.interfaces.verdict import Verdict
from geoop.io.reading import read_case
from geoop.mesh.bodies import WingShape, wing_body
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import box, icosphere, naca4
from geoop.mesh.quantity import QUANTITIES, Field, Quantity
from geoop.results.forces import forces
from geoop.results.momentum.balance import force_balance
from geoop.results.momentum.circulation import circulation
from geoop.results.sectional_loads import sectional_loads
from geoop.truth.panels3d.system import panel_flow

STREAM = OperatingPoint(50.0, alpha=3.0)
RNG = np.random.default_rng(3)


def case_of(mesh: Mesh, pressure: np.ndarray, point: OperatingPoint | None = STREAM, location="point") -> Case:
    return Case(mesh, point, fields={"pressure": Field(QUANTITIES["pressure"], pressure, location)})


def ellipsoid(level: int = 3) -> Mesh:
    mesh = icosphere(level)
    return mesh.moved(mesh.points * [1.0, 4.0, 0.5])


def twisted_box() -> Mesh:
    mesh = box((-1, -3, 0), (2, 2, 1), divisions=5)
    return mesh.moved(mesh.points + 0.1 * np.sin(mesh.points @ RNG.normal(size=(3, 3))))


@pytest.fixture(scope="module")
def wing():
    shape = WingShape(8.0, 1.0, section="2412", taper=0.6, sweep=20.0, roundness=8.0)
    mesh, edge = wing_body(shape, 32, 20)
    flow = panel_flow(mesh, STREAM, trailing_edge=edge, reference_area=shape.area)
    return shape, flow, flow.solve_case(Case(mesh, STREAM))


@pytest.mark.parametrize("mesh", [ellipsoid(), twisted_box()], ids=["triangles", "quads"])
@pytest.mark.parametrize("stations", [1, 7, 64])
def test_strips_sum_to_the_total_whatever_the_pressure(mesh, stations):
    pressure = RNG.normal(size=len(mesh.points))
    found = sectional_loads(case_of(mesh, pressure), stations=stations, reference_point=(1.0, -2.0, 3.0))
    scale = np.abs(found.force).sum() + np.abs(found.total_force).sum()
    assert np.abs(found.force.sum(axis=0) - found.total_force).max() < 1e-12 * scale
    assert np.abs(found.moment.sum(axis=0) - found.total_moment).max() < 1e-11 * scale


def test_the_total_is_that_of_the_forces_and_moments_move_with_the_point():
    mesh = ellipsoid()
    case = case_of(mesh, RNG.normal(size=len(mesh.points)))
    for point in ((0.0, 0.0, 0.0), (3.0, -1.0, 2.0)):
        whole = forces(case, reference_area=1.0, reference_point=point)
        found = sectional_loads(case, reference_point=point)
        assert found.total_force == pytest.approx(whole.force, rel=1e-11, abs=1e-12)
        assert found.total_moment == pytest.approx(whole.moment, rel=1e-11, abs=1e-12)


def test_coarse_strips_are_sums_of_fine_ones():
    mesh = ellipsoid()
    case = case_of(mesh, RNG.normal(size=len(mesh.points)))
    coarse, fine = sectional_loads(case, stations=5), sectional_loads(case, stations=35)
    assert fine.force.reshape(5, 7, 3).sum(axis=1) == pytest.approx(coarse.force, abs=1e-12)
    assert fine.moment.reshape(5, 7, 3).sum(axis=1) == pytest.approx(coarse.moment, abs=1e-11)
    assert fine.bending == pytest.approx(coarse.bending, abs=1e-11)
    planes = sectional_loads(case, stations=coarse.edges[1:-1].tolist())
    assert planes.force == pytest.approx(coarse.force, abs=1e-12)


def test_a_constant_pressure_lifts_no_strip_of_a_closed_body():
    found = sectional_loads(case_of(ellipsoid(), np.full(len(ellipsoid().points), 7.0)), stations=9)
    assert np.abs(found.force[:, [0, 2]]).max() < 1e-13
    assert found.force[:, 1].sum() == pytest.approx(0.0, abs=1e-12) and abs(found.force[0, 1]) > 0.1  # its ends are pressed together


def test_buoyancy_of_every_slab_is_its_volume():
    """A hydrostatic pressure lifts a slab by its weight of fluid: exact on a box, elliptic in the station on an ellipsoid."""
    slab = box((0, -2, 0), (1, 3, 0.5), divisions=2)
    found = sectional_loads(case_of(slab, -slab.points[:, 2]), stations=7)
    assert found.force[:, 2] == pytest.approx(0.5 * found.width, rel=1e-12)
    assert np.abs(found.force[:, 0]).max() < 1e-12 and np.abs(found.force[1:-1, 1]).max() < 1e-12  # the ends are pushed along the span
    mesh = ellipsoid(4)
    round_one = sectional_loads(case_of(mesh, -mesh.points[:, 2]), stations=np.linspace(-3.0, 3.0, 13).tolist())
    area = np.pi * 0.5 * np.diff(round_one.edges - round_one.edges**3 / 48.0)
    assert round_one.force[1:-1, 2] == pytest.approx(area[1:-1], rel=0.01)


def test_bending_of_a_uniform_load():
    """A box lifted by w per metre has w l^2/2 at the root on both sides of it."""
    slab = box((0, -2, 0), (1, 3, 0.5), divisions=2)
    point = replace(STREAM, alpha=0.0)
    middle = (0.0, 0.0, 1.0 / 3.0)  # where the push on the ends has no arm
    found = sectional_loads(case_of(slab, -slab.points[:, 2], point), stations=3, reference_point=middle)
    assert found.root == 0.0 and found.bending == pytest.approx((0.5 * 9.0 / 2, 0.5 * 4.0 / 2), rel=1e-12)
    at_end = sectional_loads(case_of(slab, -slab.points[:, 2], point), stations=3, root=-2.0, reference_point=middle)
    assert at_end.bending == pytest.approx((0.5 * 25.0 / 2, 0.0), rel=1e-12, abs=1e-12)


def test_loads_turn_with_the_body():
    mesh = ellipsoid()
    pressure = RNG.normal(size=len(mesh.points))
    base = sectional_loads(case_of(mesh, pressure), stations=6)
    turn = np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])  # y becomes z
    found = sectional_loads(case_of(mesh.moved(mesh.points @ turn.T), pressure), (0, 0, 2.0), 6)
    assert found.force == pytest.approx(base.force @ turn.T, abs=1e-12)
    assert found.chord == pytest.approx(base.chord, rel=1e-9)


def test_values_of_cells_and_kinematic_pressures_and_friction():
    mesh = ellipsoid()
    values = RNG.normal(size=len(mesh.cells))
    case = case_of(mesh, values, location="cell")
    assert sectional_loads(case).total_force == pytest.approx(forces(case, reference_area=1.0).force, rel=1e-11)
    kinematic = Case(mesh, STREAM, fields={"pressure": Field(Quantity("pressure", "p", "m^2/s^2"), values / STREAM.density, "cell")})
    assert sectional_loads(kinematic).force == pytest.approx(sectional_loads(case).force, rel=1e-12, abs=1e-14)
    unknown = Case(mesh, STREAM, fields={"pressure": Field(Quantity("pressure", "p", "?"), values, "cell")})
    with pytest.raises(UnitError, match="cannot be told apart"):
        sectional_loads(unknown)
    dragged = case.with_fields(Field(QUANTITIES["wall_shear_stress"], np.tile([2.0, 0.0, 0.0], (len(mesh.points), 1))))
    assert sectional_loads(dragged).total_force == pytest.approx(forces(dragged, reference_area=1.0).force, rel=1e-11)


def test_a_wing_bears_what_its_circulation_says(wing):
    """Strip by strip the pressure's lift is rho U Gamma of the wake behind it: two ends of one solution that share no formula."""
    shape, flow, case = wing
    edge = flow.system.edge.edges
    ends = flow.system.surface.skin.points[edge][:, :, 1]
    order = np.argsort(ends.mean(axis=1))
    planes = np.append(ends.min(axis=1)[order], ends.max())
    found = sectional_loads(case, stations=planes[1:-1].tolist(), reference_length=1.0)
    known = STREAM.density * STREAM.velocity * flow.circulation[order]
    inner = slice(4, -4)
    assert np.abs(found.lift[inner] / known[inner] - 1.0).max() < 0.08
    assert found.loading[inner] == pytest.approx(found.cl[inner] * found.chord[inner], rel=1e-12)
    assert found.chord[inner] == pytest.approx(shape.chord(2.0 * np.abs(found.station[inner]) / shape.span), rel=0.03)
    assert np.abs(found.cm[inner]).max() < 0.2


def test_the_circulation_round_a_wing_is_that_of_its_wake(wing):
    _, flow, case = wing

    def evaluate(points: np.ndarray) -> dict[str, Field]:
        return {"velocity": Field(QUANTITIES["velocity"], flow.velocity(points))}

    ends = flow.system.surface.skin.points[flow.system.edge.edges][:, :, 1]
    order = np.argsort(ends.mean(axis=1))
    result = Result(case, Outcome("converged"), Verdict("inside", "panels"), evaluate)
    for strip in (order[6], order[-7]):
        found = circulation(result, station=float(ends[strip].mean()), radius=[0.8, 1.6], count=240)
        assert found.circulation == pytest.approx(flow.circulation[strip], rel=0.04)


def test_a_balance_in_space(wing):
    shape, flow, case = wing

    def evaluate(points: np.ndarray) -> dict[str, Field]:
        velocity = flow.velocity(points)
        pressure = Field(QUANTITIES["pressure_coefficient"], 1.0 - (velocity**2).sum(axis=1) / STREAM.velocity**2)
        return {"velocity": Field(QUANTITIES["velocity"], velocity), "pressure_coefficient": pressure}

    result = Result(case, Outcome("converged"), Verdict("inside", "panels"), evaluate)
    found = force_balance(result, reference_area=shape.area, shares=(0.2,))
    assert "agree" in found.statement and found.largest_lift_difference < 0.02 and len(found.rows) == 2
    assert found.rows[1].CD == pytest.approx(flow.induced_drag_coefficient, rel=0.3)


def test_the_cut_of_a_wing_is_its_section(wing):
    shape, _, case = wing
    found = sectional_loads(case, stations=[0.5, 1.0])
    cut = found.cuts[1]
    assert np.ptp(cut.points[:, 1]) < 1e-12 and set(np.bincount(cut.lines.ravel())) == {2}  # a closed outline
    assert cut.chordwise.min() == pytest.approx(0.0, abs=0.01) and cut.chordwise.max() == pytest.approx(1.0, abs=0.01)
    assert np.ptp(cut.points[:, 2]) / cut.chord == pytest.approx(0.12, abs=0.02)
    assert cut.chord == pytest.approx(float(shape.chord(np.array([2 * 0.75 / shape.span]))[0]), rel=0.02)
    assert 0.5 < cut.pressure_coefficient.max() <= 1.02 and cut.pressure_coefficient.min() < -0.4


def test_files(wing, tmp_path):
    _, _, case = wing
    found = sectional_loads(case, stations=8)
    with found.write(tmp_path / "loads.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8 and [float(row["cl"]) for row in rows] == pytest.approx(found.cl.tolist())
    again = read_case(found.write(tmp_path / "cuts.vtp"))
    assert len(again.mesh.points) == sum(len(cut.points) for cut in found.cuts)
    assert {"pressure_coefficient", "chordwise", "lift_per_span"} <= set(again.fields)
    assert "bending" in str(found) and len(found.to_dict()["rows"]) == 8
    with pytest.raises(ConfigurationError, match="neither"):
        found.write(tmp_path / "loads.txt")


def test_what_is_wrong_is_said():
    mesh = ellipsoid(2)
    case = case_of(mesh, np.ones(len(mesh.points)))
    with pytest.raises(InvalidMeshError, match="no span"):
        sectional_loads(case_of(naca4("0012"), np.ones(len(naca4("0012").points))))
    with pytest.raises(ConditionError, match="free stream"):
        sectional_loads(replace(case, operating_point=None))
    for axis in ((0, 0, 0), (1, 2), "wing"):
        with pytest.raises(ConfigurationError, match="axis"):
            sectional_loads(case, axis)
    for stations in (0, [], [1.0, 0.5], [9.0, 10.0]):
        with pytest.raises(ConfigurationError):
            sectional_loads(case, stations=stations)
    with pytest.raises(NonFiniteError):
        sectional_loads(case_of(mesh, np.full(len(mesh.points), np.nan)))


def test_an_open_surface_of_one_triangle():
    mesh = Mesh(np.array([[0.0, 0, 0], [1, 0, 0], [0, 2, 0]]), Cells.of(triangle=np.array([[0, 1, 2]])))
    found = sectional_loads(case_of(mesh, np.ones(3)), stations=2)
    assert np.abs(found.force[:, 2]) == pytest.approx([0.75, 0.25], rel=1e-12)  # areas of the trapezium and of the tip
