"""A shape as posed latents: what moves with what, for whole predictions from the mesh on, and what does not."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from geoop.errors import ConfigurationError, InvalidMeshError, ShapeError
from geoop.graph.geometry import Geometry
from geoop.graph.pointset import PointSet
from geoop.mesh.bodies import CarShape, car_body, superellipsoid
from geoop.mesh.cells import Cells
from geoop.mesh.distance import signed_distance
from geoop.mesh.measure import point_normals
from geoop.mesh.mesh import Mesh
from geoop.mesh.orientation import reversed_cells
from geoop.mesh.primitives import box, icosphere, naca4, wing
from geoop.models.shape_field import PreparedShape, ShapeField

BODIES = {
    "section": lambda: naca4("2412", 80),
    "symmetric section": lambda: naca4("0015", 81),
    "plate": lambda: box((0.0, 0.0), (1.0, 0.13), 7),
    "wing": lambda: wing(naca4("2412", 24), 1.0, taper=0.6, sweep=25.0, n_span=6),
    "car": lambda: car_body(CarShape(1.0, 0.4, 0.2, 0.1, 0.1, 0.2, 0.2, 0.3), 6),
    "superellipsoid": lambda: superellipsoid((0.5, 0.3, 0.2), 0.6, 0.8, 5),
}
bodies = pytest.mark.parametrize("body", [pytest.param(make(), id=name) for name, make in BODIES.items()])


def field_of(dimension: int = 2, **settings) -> ShapeField:
    torch.manual_seed(0)
    small = {"latents": 9, "context": 4, "width": 16, "samples": 512, "surface_points": 128}
    field = ShapeField(dimension, **{**small, **settings}).requires_grad_(False)
    field.scale.fill_(0.2)
    return field


def motion(dimension: int, kind: str) -> np.ndarray:
    q = np.linalg.qr(np.random.default_rng(3).normal(size=(dimension, dimension)))[0]  # in the plane by 40 degrees: the box of the body changes
    q[0] *= np.sign(np.linalg.det(q)) * (-1 if kind == "mirrored" else 1)
    return np.eye(dimension) if kind == "moved" else q


def moved(body: Mesh, matrix: np.ndarray, shift: float = 0.4) -> Mesh:
    other = body.moved(body.points @ matrix.T + shift)
    if np.linalg.det(matrix) > 0:
        return other
    return replace(other, cells=reversed_cells(other.cells, np.ones(len(other.cells), dtype=bool)), patches={})


def queries(body: Mesh, count: int = 200) -> np.ndarray:
    low, high = body.bounds
    return np.random.default_rng(1).uniform(low - 0.2, high + 0.2, (count, body.dimension))


def predicted(field: ShapeField, body: Mesh, points: np.ndarray) -> torch.Tensor:
    """From the mesh to numbers."""
    return field.field(field.encode(field.prepare(body)), PointSet(torch.from_numpy(points.astype(np.float32))))


@bodies
@pytest.mark.parametrize("kind", ["moved", "turned", "mirrored"])
@pytest.mark.parametrize("nearest", [None, 4])
def test_latents_on_the_body_make_whole_predictions_equivariant(body, kind, nearest):
    """The body is moved, turned or mirrored and prepared again; no frame is used. Single precision throughout, as in use."""
    field, points, matrix = field_of(body.dimension, poses="body", nearest=nearest), queries(body), motion(body.dimension, kind)
    here, there = predicted(field, body, points), predicted(field, moved(body, matrix), points @ matrix.T + 0.4)
    assert float(here.std()) > 0.02
    assert float((here - there).abs().max()) < 1e-5


def test_latents_on_a_grid_move_with_the_queries_and_not_with_the_body():
    """What is published, and its limit: the same latents at poses moved along give the same field; a moved body gives other latents and, in an
    untrained field as in a trained one, another field."""
    body, points = naca4("2412", 80), queries(naca4("2412", 80))
    field = field_of(poses="grid")
    field.fit_shapes([field.prepare(body)])
    latents, asked = field.encode(field.prepare(body)), torch.from_numpy(points.astype(np.float32))
    together = field.field(replace(latents, pos=latents.pos + 0.25), PointSet(asked + 0.25))
    assert torch.allclose(together, field.field(latents, PointSet(asked)), atol=1e-5)
    alone = predicted(field, moved(body, np.eye(2), 0.1), points + 0.1)
    assert float((alone - predicted(field, body, points)).abs().max()) > 3e-4


def test_contexts_fitted_to_samples_in_a_box_are_so_for_shifts_only():
    """The box of the samples does not turn with the body: fitting keeps no more than the samples do."""
    body, field = naca4("2412", 80), field_of(poses="body", encoder="meta")
    matrices = [motion(2, kind) for kind in ("moved", "turned")]
    here, shifted, turned = (field.encode(field.prepare(b)).scalars.detach() for b in (body, *(moved(body, m) for m in matrices)))
    assert float((shifted - here).abs().max()) < 1e-4
    assert 1e-3 < float((turned - here).abs().max()) < 0.2


@pytest.mark.parametrize("poses", ["grid", "body"])
@pytest.mark.parametrize("encoder", ["meta", "auto", "surface"])
def test_a_batch_equals_its_shapes(poses, encoder):
    field, shapes = field_of(poses=poses, encoder=encoder, samples=100), [naca4(code, 80) for code in ("0012", "4415", "2409")]
    prepared = [field.prepare(s) for s in shapes]
    together = field.encode(PreparedShape.concatenate(prepared))
    assert together.batch_size == 3
    for mine, own in zip(together.split(), prepared, strict=True):
        alone = field.encode(own)
        assert torch.equal(mine.pos, alone.pos)
        assert torch.allclose(mine.scalars, alone.scalars, atol=2e-3 if encoder == "auto" else 1e-5)  # Adam follows the signs of rounding
    points = [PointSet(torch.rand(n, 2)) for n in (10, 0, 25)]
    values = field.field(together, PointSet.concatenate(points))
    expected = torch.cat([field.field(mine, p) for mine, p in zip(together.split(), points, strict=True)])
    assert torch.allclose(values, expected, atol=1e-5)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("encoder", ["meta", "auto", "surface"])
def test_prediction_needs_no_gradients(mode, encoder):
    field, body = field_of(encoder=encoder, samples=100), naca4("0012", 80)
    expected = predicted(field, body, queries(body))
    with mode():
        assert torch.equal(predicted(field, body, queries(body)), expected)


@bodies
@pytest.mark.parametrize("count", [5, 20, 40])
def test_poses_go_where_the_body_goes(body, count):
    field, matrix = field_of(body.dimension, poses="body", latents=count), motion(body.dimension, "turned")
    here, there = (field.prepare(b).poses for b in (body, moved(body, matrix)))
    turn = torch.from_numpy(matrix.astype(np.float32))
    assert torch.allclose(there.pos, here.pos @ turn.T + 0.4, atol=1e-6)
    assert torch.allclose(there.vectors, here.vectors @ turn.T, atol=1e-6)
    assert torch.allclose(there.weight, here.weight, rtol=1e-4)


@bodies
def test_samples_are_signed_distances_near_and_around_the_body(body):
    prepared = field_of(body.dimension, samples=2000).prepare(body)
    samples = prepared.observed.samples
    truth = signed_distance(body, samples.pos.double().numpy()).distance
    assert np.abs(samples.scalars[:, 0].numpy() - truth).max() < 1e-6
    assert 0.15 < float((samples.scalars < 0).float().mean()) < 0.6
    assert float((samples.scalars.abs() < 0.02).float().mean()) > 0.3
    again = field_of(body.dimension, samples=2000).prepare(body).observed.samples
    assert torch.equal(again.pos, samples.pos)


@bodies
def test_poses_on_the_body_lie_on_it_and_look_out(body):
    poses = field_of(body.dimension, poses="body").prepare(body).poses
    assert len(poses) == 9
    assert np.abs(signed_distance(body, poses.pos.double().numpy()).distance).max() < 1e-6
    out = poses.pos + 1e-3 * poses.vectors[:, 0]
    assert (signed_distance(body, out.double().numpy()).distance > 0).all()
    assert (poses.weight > 0).all()


def as_geometry(body: Mesh, side: int) -> Geometry:
    points = torch.from_numpy(body.points.astype(np.float32))
    surface = PointSet(points, vectors=side * torch.from_numpy(point_normals(body).astype(np.float32))[:, None])
    facets = torch.from_numpy(body.cells.connectivity.reshape(-1, 2).copy())
    return Geometry(surface, facets, torch.tensor([0, len(facets)]))


@pytest.mark.parametrize("side", [1, -1])
def test_of_a_region_the_field_is_positive_inside(side):
    body = naca4("2412", 80)
    prepared = field_of(poses="body").prepare(as_geometry(body, side))
    samples = prepared.observed.samples
    truth = side * signed_distance(body, samples.pos.double().numpy()).distance
    assert np.abs(samples.scalars[:, 0].numpy() - truth).max() < 1e-5
    looking = prepared.poses.pos + 1e-3 * prepared.poses.vectors[:, 0]
    assert (side * signed_distance(body, looking.double().numpy()).distance > 0).sum() >= 8  # all but that in the sharp edge, where no way in is long


def test_the_direction_of_a_file_does_not_matter():
    """Many section files run clockwise."""
    body, field = naca4("2412", 80), field_of(poses="body")
    other = replace(body, cells=reversed_cells(body.cells, np.ones(len(body.cells), dtype=bool)), patches={})
    assert torch.allclose(predicted(field, other, queries(body)), predicted(field, body, queries(body)), atol=1e-5)


def test_the_field_is_the_mean_distance_to_tangent_planes_before_it_has_learned():
    """On the body the network adds to a classical estimate: of a sphere, with the network's head zeroed, it is right at the surface."""
    field = field_of(3, poses="body", latents=60)
    last = field.decoder.head.layers[-1]
    last.weight.zero_()
    last.bias.zero_()
    latents = field.encode(field.prepare(icosphere(3, 0.5)))
    directions = torch.nn.functional.normalize(torch.randn(300, 3), dim=1)
    values = torch.cat([field.field(latents, PointSet(r * directions)) for r in (0.45, 0.5, 0.55)], dim=1)
    assert float(values[:, 1].abs().max()) < 0.07  # planes next to the nearest one pull it down: that is what is left to learn
    assert float(values[:, 1].std()) < 0.005
    assert float((values[:, 2] - values[:, 0]).mean()) == pytest.approx(0.1, rel=0.1)


def test_the_constructor_arguments_rebuild_it():
    field = field_of(poses="body", encoder="meta", nearest=3)
    other = ShapeField(**field.arguments)
    other.load_state_dict(field.state_dict())
    body = naca4("0012", 80)
    assert torch.equal(predicted(other, body, queries(body)).detach(), predicted(field, body, queries(body)))


@pytest.mark.parametrize("bad", [{"poses": "air"}, {"encoder": "luck"}, {"invariant": "angle"}, {"width": 15}, {"nearest": 0}])
def test_bad_settings_say_what_to_do(bad):
    with pytest.raises(ConfigurationError) as caught:
        field_of(**bad)
    assert caught.value.remedy


def test_bad_shapes_are_refused():
    with pytest.raises(ShapeError, match="3-D"):
        field_of().prepare(icosphere(1))
    line = Mesh(np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.5]]), Cells.of(line=np.array([[0, 1], [1, 2]])))
    with pytest.raises(InvalidMeshError):
        field_of().prepare(line)
