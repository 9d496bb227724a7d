"""Shape gradients: theorems that hold for any weights, central differences, and what is refused."""

import numpy as np
import pytest
import torch

import geoop
from geoop.errors import ConditionError, ConfigurationError, InvalidMeshError, ShapeError
from geoop.interfaces.verdict import Verdict
from geoop.mesh.cells import Cells
from geoop.mesh.generate.ogrid import ogrid
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import icosphere, naca4
from geoop.mesh.quantity import QUANTITIES
from geoop.mesh.section_shapes import Bumps
from geoop.models.body_field import BodyField
from geoop.models.ports import Ports
from geoop.results.layer_drag import LayerDrag
from geoop.results.shape_gradient import ShapeGradient, shape_gradient
from geoop.results.surface_function import SurfaceFunction, SurfaceReference
from geoop.results.surrogate import Surrogate
from geoop.scaling.envelope import TrainingEnvelope
from geoop.scaling.normaliser import Normaliser
from geoop.truth.boundary_layer.section import drag_on

POINT = geoop.OperatingPoint(60.0, alpha=3.0, viscosity=2.5e-5)


def untrained(vectors: int = 1) -> Surrogate:
    torch.manual_seed(3)
    cases = [geoop.Case(naca4(name, n_points=100), geoop.OperatingPoint(50.0, a)) for name in ("0012", "2412", "4412") for a in (-4.0, 0.0, 4.0)]
    quantities = (QUANTITIES["velocity"], QUANTITIES["pressure_coefficient"])[1 - vectors :]
    normaliser = Normaliser(quantities, (0.0, -0.2)[1 - vectors :], (0.3, 0.5)[1 - vectors :])
    model = BodyField(Ports(vectors_out=vectors, vectors_in=1, surface_scalars=10, body=True), width=32, depth=1, densities=4)
    return Surrogate(model, normaliser, TrainingEnvelope.fit(cases))


@pytest.fixture(scope="module")
def surrogate():
    return untrained()


def section(n: int = 120, scale: float = 1.5) -> Mesh:
    mesh = naca4("2412", n)
    return mesh.moved(scale * mesh.points + [0.4, -0.2])


def wave(points: np.ndarray, scale: float = 1.5) -> np.ndarray:
    x, y = ((points - [0.4, -0.2]) / scale).T
    return np.stack([0.3 * np.sin(3 * x), np.cos(4 * x + 2 * y)], axis=1)


def test_the_function_is_the_prediction_with_its_forces(surrogate):
    case = geoop.Case(section(), POINT)
    result = surrogate.predict(case, surface_only=True)
    forces = geoop.forces(result)
    function = SurfaceFunction(surrogate, case)
    values = function.at(torch.from_numpy(np.array(function.points)))
    assert float(values.coefficients["CL"]) == pytest.approx(forces.CL, abs=2e-6)
    assert float(values.coefficients["CM"]) == pytest.approx(forces.CM, abs=2e-6)
    np.testing.assert_allclose(values.pressure, result["pressure_coefficient"], atol=2e-5)
    np.testing.assert_allclose(60.0 * values.velocity, result["velocity"], atol=2e-3)


@pytest.mark.parametrize("softness", [0.0, 0.15])
@pytest.mark.parametrize("quantity", ["CL", "CM"])
def test_automatic_derivative_equals_central_differences(surrogate, quantity, softness):
    case = geoop.Case(section(), POINT)
    found = shape_gradient(surrogate, case, quantity, softness=softness)
    function = SurfaceFunction(surrogate, case, softness=softness)
    points, step = torch.from_numpy(np.array(function.points)), 1e-6
    function.at(points)
    moved = step * torch.from_numpy(wave(function.points))
    ends = [float(function.at(points + sign * moved).coefficients[quantity]) for sign in (1, -1)]
    assert found.along(wave(function.points)) == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-4)


def test_drag_of_the_boundary_layer_equals_central_differences():
    # weights are random: the exact flow of a section stands in for what a trained model would say on the wall
    from geoop.truth.panels.system import PanelSystem

    surrogate, case = untrained(), geoop.Case(naca4("2412", 80), POINT)
    function = SurfaceFunction(surrogate, case)
    flow = PanelSystem(function.outline, None).flow(POINT)
    near = np.argmin(np.linalg.norm(function.points[:, None] - flow.surface.points[None], axis=2), axis=1)
    speed = torch.from_numpy(flow.surface.velocity[near] / 60.0)
    points = torch.from_numpy(np.array(function.points)).requires_grad_()
    alpha = torch.tensor(3.0, dtype=torch.float64)
    values = function.at(points, alpha)

    def moving(x):  # a wall velocity that follows the points in a known way
        return type(values)(values.pressure.detach(), speed * (1 + 0.1 * x[:, :1]), None, {})

    drag = LayerDrag(function)
    scalar, notes = drag.differentiable(moving(points), points, alpha)
    (slope,) = torch.autograd.grad(scalar, points)
    direction, step = torch.from_numpy(wave(function.points, 1.0)), 1e-7
    ends = []
    for sign in (1, -1):
        x = points.detach() + sign * step * direction
        s, own, length, chord = drag.wall(moving(x), x)
        ends.append(drag_on(drag._wall_speed(s.numpy(), own.numpy(), float(length), float(chord)), POINT, (None, None)))
    assert float((slope * direction).sum()) == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-2)
    assert float(scalar.detach()) == pytest.approx(0.5 * (ends[0] + ends[1]), rel=1e-6)
    assert "boundary layer" in notes[0]


@pytest.mark.parametrize("quantity", ["CL", "CM"])
def test_moving_everything_changes_nothing(surrogate, quantity):
    found = shape_gradient(surrogate, geoop.Case(section(), POINT), quantity)
    np.testing.assert_allclose(found.by_point.sum(axis=0), 0.0, atol=1e-9 * np.abs(found.by_point).sum())


@pytest.mark.parametrize("quantity", ["CL", "CM"])
def test_turning_the_section_is_turning_the_stream(surrogate, quantity):
    found = shape_gradient(surrogate, geoop.Case(section(), POINT), quantity)
    x, y = found.outline.points.T
    nose_up = np.stack([y, -x], axis=1) * np.pi / 180.0
    assert found.along(nose_up) == pytest.approx(found.by_alpha, rel=1e-6)


def test_coefficients_do_not_change_with_the_size_and_grow_with_it_over_a_fixed_length(surrogate):
    inviscid = geoop.OperatingPoint(60.0, alpha=3.0)
    for quantity, degree in (("CL", 1), ("CM", 2)):
        free = shape_gradient(surrogate, geoop.Case(section(), inviscid), quantity)
        assert free.along(free.outline.points) == pytest.approx(0.0, abs=1e-8 * np.abs(free.by_point).sum())
        fixed = shape_gradient(surrogate, geoop.Case(section(), inviscid), quantity, reference=SurfaceReference(2.0))
        assert fixed.along(fixed.outline.points) == pytest.approx(degree * fixed.value, rel=1e-6)


def test_parameters_follow_by_the_chain_rule(surrogate):
    shape = Bumps(section(), (0.2, 0.5), (0.3,))
    case = geoop.Case(shape.outline(shape.start), POINT)
    found = shape_gradient(surrogate, case, "CL").to_parameters(shape.jacobian(shape.start))
    function, step = SurfaceFunction(surrogate, case), 1e-6
    function.at(torch.from_numpy(np.array(function.points)))
    for k, row in enumerate(np.eye(3)):
        ends = [float(function.at(torch.from_numpy(np.array(shape.outline(sign * step * row).points))).coefficients["CL"]) for sign in (1, -1)]
        assert found[k] == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("n", [60, 240])
def test_the_density_of_the_area_is_one_whatever_the_points(n):
    """The area inside grows by displacement times length: its gradient in L2 is 1 on every mesh, while the derivative by a point shrinks with its wall."""
    mesh = naca4("2412", n)
    x, y = mesh.points.T
    by_point = 0.5 * np.stack([np.roll(y, -1) - np.roll(y, 1), np.roll(x, 1) - np.roll(x, -1)], axis=1)
    found = ShapeGradient("CL", 0.0, mesh, by_point, 0.0, POINT, Verdict("inside", "a formula"))
    inner = np.abs(x - 0.5) < 0.48
    np.testing.assert_allclose(found.density[inner], 1.0, atol=0.02)
    np.testing.assert_allclose(found.smoothed(0.02)[np.abs(x - 0.5) < 0.3], 1.0, atol=0.02)
    assert found.smoothed(0.02)[0] == 0.0  # the trailing edge stays
    bump = np.sin(np.pi * x) ** 2
    exact = (bump * found.weights).sum()
    assert found.along(bump[:, None] * found.normals) == pytest.approx(exact, rel=5e-3)


def test_smoothing_flattens_and_still_ascends(surrogate):
    found = shape_gradient(surrogate, geoop.Case(section(), POINT), "CL")
    smooth = found.smoothed(0.1)
    assert np.abs(np.diff(smooth)).sum() < 0.5 * np.abs(np.diff(found.density)).sum()
    assert found.along(smooth[:, None] * found.normals) > 0
    np.testing.assert_allclose(found.smoothed(0.0)[1:], found.density[1:])
    with pytest.raises(ConfigurationError, match="metres"):
        found.smoothed(-1.0)


def test_a_point_that_the_file_repeats_is_one_point(surrogate):
    mesh = section(80)
    points = np.concatenate([mesh.points, mesh.points[:1]])
    index = np.arange(80)
    twice = Mesh(points, Cells.of(line=np.stack([index, index + 1], axis=1)), name="repeated")
    one, two = (shape_gradient(surrogate, geoop.Case(m, POINT), "CL") for m in (mesh, twice))
    np.testing.assert_allclose(two.by_point[0] + two.by_point[-1], one.by_point[0], atol=1e-9)
    np.testing.assert_allclose(two.by_point[1:-1], one.by_point[1:], atol=1e-9)


def test_of_a_mesh_around_a_section_the_wall_is_taken(surrogate):
    mesh = ogrid(naca4("2412", 80))
    found = shape_gradient(surrogate, geoop.Case(mesh, POINT, wall=("wall",)), "CL")
    assert len(found.by_point) == len(mesh.patch_points("wall"))


def test_the_file_opens_with_the_verdict(surrogate, tmp_path):
    found = shape_gradient(surrogate, geoop.Case(section(), POINT), "CL")
    path = found.write(tmp_path / "gradient.vtp", smoothing=0.05)
    back = geoop.read_case(path)
    np.testing.assert_allclose((back.fields["gradient_CL"].values * found.normals).sum(axis=1), found.density, rtol=1e-6)
    assert back.fields["gradient_CL"].quantity.unit == "1/m^2"
    assert {"gradient_CL_by_point", "gradient_CL_smoothed", "lift_coefficient", "verdict_level"} <= set(back.fields)
    assert found.verdict.level in str(found)
    assert found.to_dict()["verdict"]["level"] == found.verdict.level


def test_pressure_alone_will_do():
    found = shape_gradient(untrained(vectors=0), geoop.Case(section(), POINT), "CL")
    assert np.isfinite(found.by_point).all()


def test_what_is_refused(surrogate):
    flow = geoop.Case(section(), POINT)
    with pytest.raises(ConfigurationError, match="CX"):
        shape_gradient(surrogate, flow, "CX")
    with pytest.raises(ConditionError, match="operating point"):
        shape_gradient(surrogate, geoop.Case(section()), "CL")
    with pytest.raises(ConfigurationError, match="in space"):
        shape_gradient(surrogate, geoop.Case(icosphere(1), POINT), "CL")
    two = Mesh(
        np.concatenate([section().points, section().points + [0.0, 3.0]]),
        Cells.concatenate([section().cells, Cells.of(line=section().cells.block("line") + 120)]),
    )
    with pytest.raises(InvalidMeshError, match="loops"):
        shape_gradient(surrogate, geoop.Case(two, POINT), "CL")
    found = shape_gradient(surrogate, flow, "CL")
    with pytest.raises(ShapeError, match="jacobian"):
        found.to_parameters(np.zeros((3, 2, 1)))


def test_drag_needs_a_viscosity(surrogate):
    with pytest.raises(ConditionError, match="viscosity"):
        LayerDrag(SurfaceFunction(surrogate, geoop.Case(section(), geoop.OperatingPoint(60.0))))
