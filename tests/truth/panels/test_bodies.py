"""Several bodies in one panel system: an exact flow around two, superposition far apart, refinement, mirror images, bad neighbours."""

import numpy as np
import pytest

from geoop.errors import InvalidMeshError
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import circle, naca4, ring
from geoop.truth.exact.karman_trefftz import KarmanTrefftz
from geoop.truth.panels.system import PanelSystem, panel_flow

SECTION = KarmanTrefftz(-0.1, 0.06, 15.0)


def at(alpha, velocity=1.0):
    return OperatingPoint(velocity, alpha=alpha, reference_length=1.0)


def order(sizes, errors):
    """Least-squares slope of log error over log size."""
    return -np.polyfit(np.log(sizes), np.log(errors), 1)[0]


def together(*outlines):
    """Several outlines as one mesh, a patch for each."""
    points, cells, patches, before = [], [], {}, 0
    for number, outline in enumerate(outlines, start=1):
        lines = outline.cells.renumbered(np.arange(len(outline.points)) + before)
        points.append(outline.points)
        cells.append(lines)
        patches[f"body{number}"] = lines
        before += len(outline.points)
    return Mesh(np.concatenate(points), Cells.concatenate(cells), patches, name="together")


def turned(outline, degrees, scale=1.0, shift=(0.0, 0.0)):
    a = np.radians(degrees)
    return outline.moved(scale * outline.points @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]) + np.asarray(shift))


class TwoCircles:
    """Potential flow around two circles, exact to rounding: multipoles about both centres, the Kutta condition at one point of each.

    On a circle the boundary condition is that the normal velocity vanishes; the remainder falls geometrically with the number of multipoles.
    """

    def __init__(self, centers, radii, alpha, rear, n_terms=70):
        self.stream, self.centers, self.radii = np.exp(-1j * np.radians(alpha)), np.array(centers), np.array(radii)
        angle = 2 * np.pi * np.arange(240) / 240
        walls = [c + r * np.exp(1j * angle) for c, r in zip(centers, radii, strict=True)]
        self.n_terms = n_terms
        rows = [np.real(np.exp(1j * angle)[:, None] * self._terms(z)) for z in walls]
        right = [-np.real(np.exp(1j * angle) * self.stream)] * 2
        for point, c in zip(rear, centers, strict=True):  # no flow at all at the rear point: the tangential part as well
            along = 1j * (point - c) / abs(point - c)
            rows.append(np.real(along * self._terms(np.array([point]))))
            right.append(np.real(along * self.stream)[None] * -1)
        self.factors = np.linalg.lstsq(np.concatenate(rows), np.concatenate(right), rcond=None)[0]
        self.residual = np.abs(np.concatenate(rows) @ self.factors - np.concatenate(right)).max()
        self.circulations = self.factors[:2] * 2 * np.pi  # clockwise, positive for lift upwards

    def _terms(self, z):
        columns = [1j / (z - c) for c in self.centers]
        for c, r in zip(self.centers, self.radii, strict=True):
            for k in range(2, self.n_terms + 2):
                columns += [(r / (z - c)) ** k, 1j * (r / (z - c)) ** k]
        return np.stack(columns, axis=1)

    def velocity(self, z):
        """(n,) u - i v."""
        return self.stream + self._terms(z) @ self.factors


@pytest.fixture(scope="module")
def exact_pair():
    """A Karman-Trefftz section and the image of a circle close behind and below it: outlines at n points, the exact flow."""
    center, radius, alpha = 1.45 - 0.75j, 0.35, 5.0
    first = np.array([SECTION.center, center])

    def outlines(n):
        angle = 2 * np.pi * np.arange(n) / n
        return together(SECTION.outline(n), ring(SECTION.points(center + radius * np.exp(1j * angle)), "oval"))

    system = PanelSystem(outlines(800), 200)  # says which point of the oval counts as its rear end
    rear = [1.0 + 0j, SECTION.preimage(np.array([[system.bodies[1].nodes[0].real, system.bodies[1].nodes[0].imag]]))[0]]
    return outlines, TwoCircles(first, [SECTION.radius, radius], alpha, rear), rear[1]


def exact_velocity(flow, zeta):
    step = 1e-6
    derivative = SECTION.points(zeta + step) - SECTION.points(zeta - step)
    stretch = (derivative[:, 0] + 1j * derivative[:, 1]) / (2 * step * SECTION.scale)
    return flow.velocity(zeta) / stretch


def test_second_order_against_an_exact_flow_around_two_bodies(exact_pair):
    outlines, flow, _ = exact_pair
    assert flow.residual < 1e-10
    angle = 2 * np.pi * (np.arange(60) + 0.5) / 60
    zeta = np.concatenate([SECTION.circle(angle, 0.05), SECTION.circle(angle, 1.0), 1.45 - 0.75j + 0.4 * np.exp(1j * angle)])
    clear = (np.abs(zeta - (1.45 - 0.75j)) > 0.36) & (np.abs(zeta - SECTION.center) > 1.01 * SECTION.radius)
    zeta = zeta[clear]
    points, true = SECTION.points(zeta), exact_velocity(flow, zeta)
    sizes, lift, field, drag = [50, 100, 200, 400], [], [], []
    for n in sizes:
        system = PanelSystem(outlines(800), n)
        lift.append(np.abs(system.circulations([at(5.0)])[:, 0] / SECTION.scale / flow.circulations - 1))
        u, v = system.velocity(points, [at(5.0)])[0].T
        field.append(np.sqrt((np.abs(u - 1j * v - true) ** 2).mean()))
        drag.append(abs(system.flow(at(5.0)).pressure_force_coefficients[1]))
    lift = np.array(lift)
    assert (lift[2] < 5e-4).all() and field[2] < 1e-4 and drag[2] < 1e-3
    assert order(sizes, lift[:, 0]) > 1.8 and order(sizes, lift[:, 1]) > 1.8
    assert order(sizes, field) > 1.8 and order(sizes, drag) > 1.7


def test_lift_of_every_body_by_grid_refinement():
    """Main section and flap: differences of CL, CM and circulation between successive grids fall with order 2."""
    outline = together(naca4("2412", 400), turned(naca4("4412", 400), -30.0, 0.3, (0.99, -0.025)))
    values = []
    for n in (50, 100, 200, 400):
        forces = panel_flow(outline, at(4.0), n).forces()
        values.append([x for f in forces for x in (f.lift_coefficient, f.moment_coefficient, f.circulation)])
    steps = np.abs(np.diff(np.array(values), axis=0))
    assert (order([1, 2, 4], steps) > 1.7).all() if steps.ndim == 1 else all(order([1, 2, 4], column) > 1.7 for column in steps.T)
    assert values[-1][0] > 1.5 and values[-1][3] > 0.2  # the flap lifts the main section


def test_far_apart_is_superposition_and_its_correction_has_the_next_order():
    """One body sees the other as a vortex: its CL is off by 1/D; in the stream that the vortex bends, by 1/D^2."""
    one = naca4("2412", 200)
    alone = PanelSystem(one, 100)
    circulation = alone.circulation([at(3.0)])[0]
    distances, plain, corrected = [20.0, 40.0, 80.0, 160.0], [], []
    for d in distances:
        found = PanelSystem(together(one, turned(one, 0.0, 1.0, (d, 0.0))), 100).circulations([at(3.0)])[0, 0]
        stream = np.exp(-1j * np.radians(3.0)) + 1j * circulation / (2 * np.pi * -d)  # of a vortex a distance d behind
        local = OperatingPoint(abs(stream), alpha=-np.degrees(np.angle(stream)))
        plain.append(abs(found - circulation))
        corrected.append(abs(found - alone.circulation([local])[0]))
    assert order(distances, plain) == pytest.approx(1.0, abs=0.06)
    assert order(distances, corrected) > 1.8
    points = np.array([[0.5, 0.3], [-0.4, 0.1], [1.4, -0.2]])
    far = PanelSystem(together(one, turned(one, 0.0, 1.0, (1e5, 0.0))), 100)
    assert far.velocity(points, [at(3.0)])[0] == pytest.approx(alone.velocity(points, [at(3.0)])[0], abs=1e-4)


def test_the_plane_between_a_body_and_its_image_is_a_streamline():
    """Ground effect: nothing flows through the plane of symmetry, and the lift of the image is the opposite."""
    body = turned(naca4("2412", 200), -6.0, 1.0, (0.0, 0.4))
    image = ring((body.points * [1.0, -1.0])[::-1], "image")
    flow = panel_flow(together(body, image), at(0.0), 120)
    ground = np.stack([np.linspace(-2, 3, 50), np.zeros(50)], axis=1)
    assert np.abs(flow.velocity(ground)[:, 1]).max() < 1e-9
    one, other = flow.forces((0.25, 0.0))
    assert one.lift_coefficient == pytest.approx(-other.lift_coefficient, rel=1e-8)
    assert abs(one.lift_coefficient) > 0.5 and abs(flow.circulation) < 1e-9


def test_a_body_in_the_wake_of_a_blunt_base():
    """The cut of the source in a blunt base may cross the next body: opening the base changes the flow continuously."""
    flap = turned(naca4("4412", 200), -30.0, 0.3, (1.01, 0.03))  # its nose behind the base
    sharp = panel_flow(together(naca4("0012", 200), flap), at(2.0), 120).forces()
    x, y = naca4("0012", 200).points.T
    differences = []
    for gap in (4e-3, 1e-3):
        opened = np.stack([x, y + np.where(np.arange(200) < 100, 0.5, -0.5) * gap * x], axis=1)
        main = ring(np.concatenate([opened, [[1.0, -0.5 * gap]]]), "opened")
        forces = panel_flow(together(main, flap), at(2.0), 120).forces()
        differences.append([abs(a.circulation / b.circulation - 1) for a, b in zip(forces, sharp, strict=True)])
    assert (np.array(differences[0]) < 2e-2).all() and (np.array(differences[1]) < 6e-3).all()


def test_solve_case_of_several_walls():
    outline = together(naca4("2412", 150), turned(naca4("0012", 150), -25.0, 0.3, (0.99, -0.03)))
    field = np.array([[0.5, 0.4], [1.5, -0.4], [-0.5, 0.0]])
    cells = Cells.concatenate([outline.cells, Cells.of(vertex=np.arange(300, 303)[:, None])])
    case = Case(Mesh(np.concatenate([outline.points, field]), cells, dict(outline.patches), name="two"), wall=("body1", "body2"))
    flow = panel_flow(case.mesh, at(4.0))
    solved = flow.solve_case(case)
    velocity = solved.field("velocity").values
    assert velocity[300:] == pytest.approx(flow.velocity(field))
    assert np.isfinite(velocity).all() and velocity[0] == pytest.approx([0, 0]) and velocity[150] == pytest.approx([0, 0])
    assert [body.curve.name for body in flow.system.bodies] == ["two, body1", "two, body2"]
    assert [len(surface.points) for surface in flow.surfaces] == [200, 200] and len(flow.surface.points) == 400
    inside = np.array([[0.3, 0.0], outline.points[150:].mean(axis=0)])
    assert np.isnan(flow.velocity(inside)).all()


@pytest.mark.parametrize(
    ("second", "found"),
    [
        (naca4("0012", 100, chord=0.5).moved(naca4("0012", 100, chord=0.5).points + [0.8, 0.0]), "overlap: their outlines cross"),
        (circle(60).moved(0.02 * circle(60).points + [0.3, 0.0]), "one inside the other"),
        (naca4("0012", 100).moved(naca4("0012", 100).points + [1.0, 0.0]), "touch|overlap"),
        (naca4("0012", 100).moved(naca4("0012", 100).points + [1.00005, 0.0]), "touch: the slot between them is"),
    ],
    ids=["overlapping", "inside", "touching", "slot-too-narrow"],
)
def test_bodies_that_meet_are_refused(second, found):
    with pytest.raises(InvalidMeshError, match=found) as caught:
        panel_flow(together(naca4("0012", 120), second), at(2.0))
    assert "apart" in caught.value.remedy


def test_all_bad_loops_in_one_error():
    open_one = naca4("0012", 80)
    both = together(KarmanTrefftz(-0.1, 0.0, 1.0).outline(200), turned(KarmanTrefftz(-0.1, 0.0, 2.0).outline(200), 0.0, 0.5, (2.0, 0.0)))
    with pytest.raises(InvalidMeshError, match=r"(?s)trailing-edge angle is 1.*trailing-edge angle is 2"):
        panel_flow(both, at(0.0))
    with pytest.raises(InvalidMeshError, match="open"):
        panel_flow(together(naca4("2412", 80), Mesh(open_one.points + [2, 0], open_one.cells.take(np.arange(70)))), at(0.0))
