"""Where latents stand: any number of them, evenly in a box; around a body wherever the body goes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from geoop.encoders.latent_poses import candidates, graded_around, spread, windows
from geoop.errors import ConfigurationError
from geoop.graph.geometry import Geometry, Queries
from geoop.graph.pointset import PointSet
from geoop.mesh.bodies import superellipsoid
from geoop.mesh.distance import signed_distance
from geoop.mesh.generate.ogrid import ogrid
from geoop.mesh.measure import point_normals
from geoop.mesh.mesh import Mesh
from geoop.mesh.orientation import reversed_cells
from geoop.mesh.primitives import naca4, wing

SQUARE, CUBE, SLENDER = np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([[-1.0] * 3, [1.0] * 3]), np.array([[-0.5, -0.2], [0.75, 0.2]])


@pytest.mark.parametrize(
    ("box", "sides"),
    [
        (SQUARE, (3, 3)),
        (SQUARE, (1, 1)),
        (np.array([[0.0, 0.0], [1.2, 0.9]]), (4, 4)),
        (CUBE, (2, 2, 2)),
        (CUBE, (3, 3, 3)),
        (np.array([[0.0, 0.0], [3.0, 1.0]]), (6, 2)),
    ],
)
def test_where_a_regular_grid_fits_it_is_taken(box, sides):
    axes = [low + (high - low) * (np.arange(n) + 0.5) / n for low, high, n in zip(*box, sides, strict=True)]
    expected = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(sides))
    np.testing.assert_allclose(spread(box, int(np.prod(sides))), expected, atol=1e-15)


@pytest.mark.parametrize("box", [SQUARE, CUBE, SLENDER], ids=["square", "cube", "slender"])
@pytest.mark.parametrize("count", [1, 2, 3, 5, 7, 10, 13, 17, 31, 64])
def test_any_number_of_points_stands_evenly(box, count):
    """Largest empty ball against that of the regular grid of as many cubic cells."""
    points = spread(box, count)
    d, extent = box.shape[1], box[1] - box[0]
    assert points.shape == (count, d)
    assert ((points > box[0]) & (points < box[1])).all()
    assert np.array_equal(spread(box, count), points)
    size = (extent.prod() / count) ** (1 / d)
    if count > 1:
        assert cKDTree(points).query(points, k=2)[0][:, 1].min() > 0.5 * size
    dense = box[0] + extent * np.random.default_rng(0).random((20000, d))
    thin = max(1.0, 0.5 * extent.max() / (count * size))  # fewer latents than a slender box is long cannot come nearer to its ends
    assert cKDTree(points).query(dense)[0].max() < (1.6 if count > 2 else 2.0) * 0.5 * size * np.sqrt(d) * thin


@pytest.mark.parametrize(("box", "count"), [(SQUARE, 0), (SQUARE, -3), (SQUARE[::-1], 4), (np.zeros((2, 2)), 4)])
def test_bad_settings_say_what_to_do(box, count):
    with pytest.raises(ConfigurationError) as caught:
        spread(box, count)
    assert caught.value.remedy


def test_a_window_of_a_grid_is_its_cell():
    for sides, d in ((5, 2), (4, 3)):
        points = spread(np.array([[0.0] * d, [1.0] * d]), sides**d)
        assert torch.allclose(windows(points), torch.full((sides**d,), sides**-d, dtype=torch.float32), rtol=1e-5)
    assert windows(np.zeros((1, 2))).tolist() == [1.0]
    assert windows(np.array([[0.0, 0.0], [0.0, 0.5]])).tolist() == [0.25, 0.25]


# ---- around a body -----------------------------------------------------------------------------------------------------------------------------


def seen(surface: Mesh, points: np.ndarray, dtype=torch.float32) -> tuple[Queries, PointSet]:
    """Points and the body as a model sees them."""
    found = signed_distance(surface, points)
    share = np.stack([1 - found.parameter, found.parameter], axis=1) if surface.dimension == 2 else found.parameter

    def cast(a):
        return torch.from_numpy(np.array(a)).to(dtype)

    domain = PointSet(cast(points), cast(found.distance[:, None]), cast(found.gradient[:, None]))
    body = PointSet(cast(surface.points), vectors=cast(point_normals(surface)[:, None]))
    return Queries(domain, torch.from_numpy(found.corners), cast(share)), body


def section_in_a_grid():
    return naca4("2412", 80), ogrid(naca4("2412", 80), n_wall=60, n_normal=16).points


def symmetric_section_in_a_grid():
    """Whatever is above has its equal below: every choice is a tie."""
    return naca4("0012", 80), ogrid(naca4("0012", 80), n_wall=60, n_normal=16).points


def section_in_a_cloud():
    return naca4("0012", 80), np.random.default_rng(0).uniform(-0.5, 1.5, (1500, 2)) * [1.0, 0.7]


def body_in_a_cloud():
    return superellipsoid((0.5, 0.3, 0.2), 0.6, 0.6, 5), np.random.default_rng(0).uniform(-1.0, 1.0, (1500, 3))


@pytest.mark.parametrize("make", [section_in_a_grid, symmetric_section_in_a_grid, section_in_a_cloud, body_in_a_cloud])
@pytest.mark.parametrize("kind", ["moved", "turned", "mirrored"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_places_turn_with_the_domain(make, kind, dtype):
    surface, points = make()
    d = surface.dimension
    matrix = np.linalg.qr(np.random.default_rng(4).normal(size=(d, d)))[0]
    matrix[0] *= np.sign(np.linalg.det(matrix)) * (-1 if kind == "mirrored" else 1)
    matrix = np.eye(d) if kind == "moved" else matrix
    other = surface.moved(surface.points @ matrix.T + 0.3)
    if kind == "mirrored":
        other = replace(other, cells=reversed_cells(other.cells, np.ones(len(other.cells), dtype=bool)), patches={})
    domain, body = seen(surface, points, dtype)
    here = graded_around(domain, body, 24)
    there = graded_around(*seen(other, points @ matrix.T + 0.3, dtype), 24)
    assert len(here) == 24
    expected = here.points.pos.double().numpy() @ matrix.T + 0.3
    assert np.abs(there.points.pos.double().numpy() - expected).max() < (1e-9 if dtype == torch.float64 else 1e-5)
    assert torch.allclose(there.points.weight, here.points.weight, rtol=1e-3)


def test_places_are_dense_at_the_wall_and_at_edges():
    surface, points = section_in_a_grid()
    domain, body = seen(surface, points)
    found = graded_around(domain, body, 40).points
    distance = found.scalars[:, 0].abs()
    near, far = found.weight[distance < 0.1].sqrt(), found.weight[distance > 1.0].sqrt()
    assert len(near) > 10
    assert far.mean() > 4 * near.mean()
    edges = (found.pos - torch.tensor([1.0, 0.0])).norm(dim=1).min(), (found.pos - torch.tensor([0.0, 0.0])).norm(dim=1).min()
    assert max(edges) < 0.05
    assert len({tuple(p) for p in found.pos.tolist()}) == 40


def geometry_of(surface: Mesh) -> Geometry:
    points, facets = torch.from_numpy(surface.points.astype(np.float32)), surface.cells.connectivity.reshape(-1, surface.dimension)
    body = PointSet(points, vectors=torch.from_numpy(point_normals(surface).astype(np.float32))[:, None])
    return Geometry(body, torch.from_numpy(facets.copy()), torch.tensor([0, len(facets)]))


@pytest.mark.parametrize("make", [lambda: naca4("2412", 80), lambda: wing(naca4("2412", 24), 1.0, taper=0.6, sweep=25.0, n_span=6)])
@pytest.mark.parametrize("kind", ["moved", "turned"])
def test_candidates_above_a_body_go_where_it_goes(make, kind):
    surface = make()
    d = surface.dimension
    matrix = np.linalg.qr(np.random.default_rng(4).normal(size=(d, d)))[0]
    matrix[0] *= np.sign(np.linalg.det(matrix))
    matrix = np.eye(d) if kind == "moved" else matrix
    geometries = [geometry_of(surface), geometry_of(surface.moved(surface.points @ matrix.T + 0.3))]
    here, there = (graded_around(candidates(g, 16), g.surface, 16).points for g in geometries)
    assert len(here) == 16
    expected = here.pos.double().numpy() @ matrix.T + 0.3
    assert cKDTree(expected).query(there.pos.double().numpy())[0].max() < 1e-5
