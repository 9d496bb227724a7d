"""The exact flow against what any potential flow must satisfy, and against its own integrals."""

import numpy as np
import pytest

from geoop.errors import ConditionError, ConfigurationError, InvalidMeshError
from geoop.mesh.case import Case
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.outline import chord_line
from geoop.truth.exact.karman_trefftz import KarmanTrefftz

SECTIONS = [
    KarmanTrefftz(-0.1, 0.05, 15.0),
    KarmanTrefftz(-0.03, 0.18, 5.0),
    KarmanTrefftz(-0.15, 0.12, 20.0),
    KarmanTrefftz(-0.08, 0.0, 10.0, chord=0.4),
]
ALPHAS = [-5.0, 0.0, 5.0, 15.0]


def graded(n):
    """Circle angles and weights of a trapezoidal rule that is fine at the trailing edge, where the integrand is singular."""
    x = (np.arange(n) + 0.5) / n
    return 2 * np.pi * (x - np.sin(2 * np.pi * x) / (2 * np.pi)), 2 * np.pi * (1 - np.cos(2 * np.pi * x)) / n


def outside(section, n=500, seed=0, nearest=1e-3, farthest=10.0):
    random = np.random.default_rng(seed)
    return section.circle(random.uniform(0, 2 * np.pi, n), np.exp(random.uniform(np.log(nearest), np.log(farthest), n)))


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("alpha", ALPHAS)
def test_trailing_edge_is_a_stagnation_point(section, alpha):
    condition = OperatingPoint(60.0, alpha=alpha)
    edge = section.circle(np.array([0.0]))
    assert edge[0] == 1.0
    assert np.abs(section.velocity(edge, condition)).max() == 0.0
    assert section.pressure_coefficient(edge, condition)[0] == 1.0
    assert section.points(edge) == pytest.approx(np.array([[section.chord, 0.0]]), abs=1e-15)


def test_cusp_has_a_finite_velocity_at_the_edge():
    section, condition = KarmanTrefftz(-0.1, 0.05, 0.0), OperatingPoint(1.0, alpha=3.0)
    at, near = section.velocity(section.circle(np.array([0.0, 1e-7])), condition)
    assert np.isfinite(at).all() and 0.5 < np.linalg.norm(at) < 1.2
    assert near == pytest.approx(at, abs=1e-6)


@pytest.mark.parametrize("section", SECTIONS)
def test_section_is_chord_normalised(section):
    x = section.points(section.circle(np.linspace(0, 2 * np.pi, 20001)))[:, 0]
    assert x.min() == pytest.approx(0.0, abs=1e-8 * section.chord) and x.min() >= -1e-15
    assert x.max() == pytest.approx(section.chord, abs=1e-15)


@pytest.mark.parametrize("section", SECTIONS)
def test_edge_angle_is_tau(section):
    """The secants to the edge tend to the angle tau like their length to the power 1/n."""
    points = section.points(section.circle(np.array([0.0, 1e-4, -1e-4])))
    upper, lower = points[1] - points[0], points[2] - points[0]
    cross, dot = lower[1] * upper[0] - lower[0] * upper[1], upper @ lower
    assert np.degrees(np.arctan2(abs(cross), dot)) == pytest.approx(section.tau, abs=0.01)


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("alpha", ALPHAS)
def test_pressure_integrates_to_kutta_joukowski_lift_and_no_drag(section, alpha):
    """Blasius by quadrature: force = -closed integral of Cp n ds / c."""
    condition = OperatingPoint(60.0, alpha=alpha)
    angle, weight = graded(1000)
    zeta = section.circle(angle)
    tangent = section._derivative(zeta) * 1j * (zeta - section.center) * section.scale
    force = np.sum(section.pressure_coefficient(zeta, condition) * 1j * tangent * weight) / section.chord
    force *= np.exp(-1j * np.radians(alpha))
    assert force.imag == pytest.approx(section.lift_coefficient(condition), abs=1e-7)
    assert force.real == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("section", SECTIONS)
def test_velocity_circulates_as_stated(section):
    condition = OperatingPoint(60.0, alpha=4.0)
    angle = 2 * np.pi * np.arange(400) / 400
    zeta = section.circle(angle, 1.0)
    velocity = section.velocity(zeta, condition)
    step = section._derivative(zeta) * 1j * (zeta - section.center) * section.scale * 2 * np.pi / 400
    assert -(velocity[:, 0] * step.real + velocity[:, 1] * step.imag).sum() == pytest.approx(section.circulation(condition), rel=1e-12)
    assert abs((velocity[:, 0] * step.imag - velocity[:, 1] * step.real).sum()) < 1e-10  # no sources inside


@pytest.mark.parametrize("section", SECTIONS)
def test_no_flow_through_the_wall(section):
    condition = OperatingPoint(60.0, alpha=7.0)
    zeta = section.circle(np.linspace(0, 2 * np.pi, 500)[1:-1])
    tangent = section._derivative(zeta) * 1j * (zeta - section.center)
    u, v = section.velocity(zeta, condition).T
    assert np.abs((u * tangent.imag - v * tangent.real) / np.abs(tangent)).max() < 1e-10


@pytest.mark.parametrize("section", SECTIONS)
def test_velocity_is_the_derivative_of_the_potential(section):
    """Central differences of the textbook potential of a circle with circulation, carried by the map: an independent formula."""
    condition = OperatingPoint(1.0, alpha=6.0)
    mu, radius, alpha = section.center, section.radius, np.radians(condition.alpha)
    gamma = section.circulation(condition) / section.scale

    def potential(zeta):
        x = zeta - mu
        return x * np.exp(-1j * alpha) + radius**2 / x * np.exp(1j * alpha) + 1j * gamma / (2 * np.pi) * np.log(x)

    angle = np.linspace(0.5, 6.0, 40)
    zeta = section.circle(angle, 0.3)
    ring = zeta[:, None] + 1e-5 * np.exp(1j * np.array([0.3, 0.3 + np.pi]))
    x, y = np.moveaxis(section.points(ring), -1, 0) / section.scale
    z = x + 1j * y
    step = np.log((ring[:, 0] - mu) / (ring[:, 1] - mu))  # the same branch on both sides
    change = potential(ring[:, 0]) - potential(ring[:, 1])
    change += 1j * gamma / (2 * np.pi) * (step - (np.log(ring[:, 0] - mu) - np.log(ring[:, 1] - mu)))
    w = change / (z[:, 0] - z[:, 1])
    u, v = section.velocity(zeta, condition).T
    assert np.abs(w - (u - 1j * v)).max() < 1e-8


@pytest.mark.parametrize("section", SECTIONS)
def test_field_is_free_of_divergence_and_curl(section):
    flow, h = section.flow(OperatingPoint(1.0, alpha=6.0)), 1e-5 * section.chord
    points = section.points(outside(section, 200, nearest=0.1))
    dx, dy = ((flow.velocity(points + step) - flow.velocity(points - step)) / (2 * h) for step in np.diag([h, h]))
    size = np.abs(dx).max(axis=1) + 1.0 / section.chord
    assert (np.abs(dx[:, 0] + dy[:, 1]) / size).max() < 1e-5
    assert (np.abs(dx[:, 1] - dy[:, 0]) / size).max() < 1e-5


@pytest.mark.parametrize("section", SECTIONS)
def test_far_field_is_stream_plus_vortex(section):
    condition = OperatingPoint(60.0, alpha=5.0)
    zeta = section.circle(np.linspace(0, 6, 20), 1e7)
    stream = condition.velocity * condition.direction(2)
    perturbation = section.velocity(zeta, condition) - stream
    x, y = (section.points(zeta) - [0.5 * section.chord, 0.0]).T
    vortex = section.circulation(condition) / (2 * np.pi * (x**2 + y**2))[:, None] * np.stack([y, -x], axis=1)
    assert np.abs(perturbation).max() < 1e-4
    assert np.abs(perturbation - vortex).max() < 1e-7


@pytest.mark.parametrize("section", SECTIONS)
def test_preimage_inverts_the_map(section):
    zeta = np.concatenate([outside(section, 3000, nearest=1e-9, farthest=1e4), section.circle(2 * np.pi * np.arange(500) / 500)])
    found = section.preimage(section.points(zeta))
    error = np.abs(found - zeta) / np.abs(zeta)
    at_edge = np.abs(zeta - 1.0) < 0.05  # z moves there like (zeta - 1)^n: half of the digits are lost
    assert error[~at_edge].max() < 1e-10 and error[at_edge].max() < 1e-6


def test_inside_there_is_no_flow():
    section = SECTIONS[0]
    flow = section.flow(OperatingPoint(60.0, alpha=2.0))
    inside = np.array([[0.3, 0.05], [0.97, 0.002]])
    assert np.isnan(flow.velocity(inside)).all() and np.isnan(flow.pressure_coefficient(inside)).all()
    with pytest.raises(InvalidMeshError, match="2 of 3 points lie inside the body"):
        flow.solve_case(Case(Mesh(np.vstack([inside, [[2.0, 0.0]]]))))


def test_points_rounded_by_a_file_count_as_wall():
    section, condition = SECTIONS[0], OperatingPoint(60.0, alpha=2.0)
    outline = section.outline(300)
    rounded = outline.points.astype(np.float32).astype(np.float64)
    case = section.flow(condition).solve_case(Case(outline.moved(rounded)))
    exact = section.velocity(section.circle(2 * np.pi * np.arange(300) / 300), condition)
    assert np.abs(case.field("velocity").values - exact)[1:].max() < 1.0
    assert case.operating_point == condition
    assert case.field("pressure_coefficient").values == pytest.approx(1 - (case.field("velocity").values ** 2).sum(axis=1) / 3600.0)


def test_similarity_of_chord_and_speed():
    """Twice the chord and three times the speed: same Cp, six times the circulation."""
    small, large = KarmanTrefftz(-0.1, 0.05, 15.0), KarmanTrefftz(-0.1, 0.05, 15.0, chord=2.0)
    slow, fast = OperatingPoint(20.0, alpha=3.0), OperatingPoint(60.0, alpha=3.0)
    zeta = outside(small, 50)
    assert large.points(zeta) == pytest.approx(2 * small.points(zeta))
    assert large.pressure_coefficient(zeta, fast) == pytest.approx(small.pressure_coefficient(zeta, slow), abs=1e-12)
    assert large.circulation(fast) == pytest.approx(6 * small.circulation(slow))
    assert large.lift_coefficient(fast) == pytest.approx(small.lift_coefficient(slow))
    assert large.lift_coefficient(OperatingPoint(60.0, alpha=3.0, reference_length=1.0)) == pytest.approx(2 * small.lift_coefficient(slow))


def test_symmetric_section_is_symmetric():
    section, condition = SECTIONS[3], OperatingPoint(1.0, alpha=0.0)
    assert section.lift_coefficient(condition) == 0.0
    upper, lower = section.circle(np.array([1.0])), section.circle(np.array([-1.0]))
    assert section.pressure_coefficient(upper, condition) == pytest.approx(section.pressure_coefficient(lower, condition), abs=1e-13)


def test_outline_is_a_closed_ring_from_the_trailing_edge():
    outline = SECTIONS[0].outline(200, name="kt")
    assert outline.name == "kt" and list(outline.patches) == ["wall"]
    assert outline.points[0] == pytest.approx([1.0, 0.0]) and outline.points[1, 1] > outline.points[-1, 1]
    assert chord_line(outline).trailing_edge == pytest.approx([1.0, 0.0])


def test_arc_and_area_elements_are_those_of_the_map():
    section = SECTIONS[2]
    angle = np.linspace(0, 2 * np.pi, 20001)
    ring = section.points(section.circle(angle))
    length = np.linalg.norm(np.diff(ring, axis=0), axis=1).sum()
    assert np.trapezoid(section.arc_element(angle), angle) == pytest.approx(length, rel=1e-6)
    zeta, h = section.circle(np.array([1.0, 3.0, 5.0]), 0.4), 1e-5
    dx = (section.points(zeta + h) - section.points(zeta - h)) / (2 * h)
    dy = (section.points(zeta + 1j * h) - section.points(zeta - 1j * h)) / (2 * h)
    assert section.area_element(zeta) == pytest.approx(dx[:, 0] * dy[:, 1] - dx[:, 1] * dy[:, 0], rel=1e-8)


def test_impossible_parameters_are_refused_together():
    with pytest.raises(ConfigurationError, match=r"mu_x is 0.1.*tau is 200.*chord is -1"):
        KarmanTrefftz(0.1, 0.0, 200.0, chord=-1.0)
    with pytest.raises(ConfigurationError, match="mu_y is nan"):
        KarmanTrefftz(-0.1, float("nan"), 10.0)


def test_conditions_of_another_flow_are_refused():
    with pytest.raises(ConditionError, match=r"beta is 3.*mach is 0.3"):
        SECTIONS[0].velocity(np.array([3.0 + 0j]), OperatingPoint(60.0, beta=3.0, mach=0.3))
