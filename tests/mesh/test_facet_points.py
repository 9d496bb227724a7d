"""Points of facets: their weights are the surface, they go where it goes, and farthest points are far."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from geoop.errors import ConfigurationError, InvalidMeshError
from geoop.mesh.bodies import CarShape, car_body, superellipsoid
from geoop.mesh.cells import Cells
from geoop.mesh.facet_points import facet_points, spread_out
from geoop.mesh.measure import facet_normals
from geoop.mesh.mesh import Mesh
from geoop.mesh.orientation import reversed_cells
from geoop.mesh.primitives import box, capsule, circle, icosphere, naca4, torus, wing
from geoop.mesh.sampling import simplex_measures, simplices

SHAPES = {
    "naca": lambda: naca4("2412", 61),
    "circle": lambda: circle(30),
    "rectangle": lambda: box((0.0, 0.0), (2.0, 1.0), 3),
    "sphere": lambda: icosphere(2),
    "torus": lambda: torus(20, 9),
    "box of quads": lambda: box(divisions=2),
    "superellipsoid": lambda: superellipsoid((1.0, 0.5, 0.3), 0.5, 0.7, 6),
    "car": lambda: car_body(CarShape(1.0, 0.4, 0.2, 0.1, 0.1, 0.2, 0.2, 0.3), 6),
    "wing": lambda: wing(naca4("2412", 30), 2.0, taper=0.5, sweep=20.0, n_span=6),
    "capsule": lambda: capsule(16),
}
shapes = pytest.mark.parametrize("surface", [pytest.param(make(), id=name) for name, make in SHAPES.items()])


def measure(surface: Mesh) -> float:
    return float(simplex_measures(surface.points[simplices(surface)[0]]).sum())


def motion(dimension: int, kind: str) -> np.ndarray:
    q = np.linalg.qr(np.random.default_rng(5).normal(size=(dimension, dimension)))[0]
    q[0] *= np.sign(np.linalg.det(q))
    if kind == "mirrored":
        q[0] *= -1
    return np.eye(dimension) if kind == "moved" else q


def moved(surface: Mesh, matrix: np.ndarray, shift: float) -> Mesh:
    """The body elsewhere; facets of a mirrored one run the other way, so that normals still point out."""
    other = surface.moved(surface.points @ matrix.T + shift)
    if np.linalg.det(matrix) > 0:
        return other
    return replace(other, cells=reversed_cells(other.cells, np.ones(len(other.cells), dtype=bool)), patches={})


def gap(a: np.ndarray, b: np.ndarray) -> float:
    """How far two sets are from being the same set."""
    return max(cKDTree(a).query(b)[0].max(), cKDTree(b).query(a)[0].max())


@shapes
@pytest.mark.parametrize("count", [1, 50, 400])
def test_weights_add_up_to_the_measure(surface, count):
    for most in (None, 30):
        found = facet_points(surface, count, most=most)
        assert found.weights.sum() == pytest.approx(measure(surface), rel=1e-12)
        assert (found.weights > 0).all()
        assert len(found.points) <= (2 * count if most is None else most)
        assert np.allclose(found.normals, facet_normals(surface)[found.facet])
        assert np.allclose(np.linalg.norm(found.normals, axis=1), 1)


@shapes
def test_the_number_is_about_what_was_asked_for(surface):
    count = 8 * len(simplices(surface)[0])
    assert 0.7 * count < len(facet_points(surface, count).points) < 1.5 * count


@shapes
@pytest.mark.parametrize("kind", ["moved", "turned", "mirrored"])
@pytest.mark.parametrize("count", [40, 900])
def test_the_points_go_where_the_surface_goes(surface, kind, count):
    """Whether facets are cut (900) or points left out (40)."""
    matrix = motion(surface.dimension, kind)
    here, there = facet_points(surface, count), facet_points(moved(surface, matrix, 0.7), count)
    assert len(here.points) == len(there.points)
    expected = np.concatenate([here.points @ matrix.T + 0.7, here.normals @ matrix.T, here.weights[:, None]], axis=1)
    assert gap(expected, np.concatenate([there.points, there.normals, there.weights[:, None]], axis=1)) < 1e-9


@pytest.mark.parametrize(("surface", "exact"), [(box((0.0, 0.0), (2.0, 1.0)), 12.0), (box(), 7.0)], ids=["rectangle", "cube"])
def test_second_moments_are_integrated_to_the_order_of_the_midpoint_rule(surface, exact):
    """int |x|^2 dA over the sides of a rectangle (2 by 1) and of the unit cube."""
    errors = []
    for count in (100, 400, 1600):
        found = facet_points(surface, count)
        errors.append(abs(float((found.weights * np.square(found.points).sum(axis=1)).sum()) / exact - 1))
    power = 2 / (surface.dimension - 1)
    assert errors[0] < 2e-2
    assert errors[1] < 1.3 * errors[0] / 4**power
    assert errors[2] < 1.3 * errors[1] / 4**power


def test_density_is_even():
    found = facet_points(icosphere(3), 3000)
    nearest = cKDTree(found.points).query(found.points, k=2)[0][:, 1]
    assert nearest.max() < 2.5 * nearest.min()


@pytest.mark.parametrize(("dimension", "word"), [(3, "zero area"), (2, "surface")], ids=["all points in one", "a plane region"])
def test_what_has_no_surface_is_refused(dimension, word):
    points = np.zeros((3, 3)) if dimension == 3 else np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    with pytest.raises(InvalidMeshError, match=word) as caught:
        facet_points(Mesh(points, Cells.of(triangle=np.array([[0, 1, 2]]))), 10)
    assert caught.value.remedy


def test_no_points_are_refused():
    with pytest.raises(ConfigurationError, match="0 points"):
        facet_points(circle(10), 0)


def test_facets_without_area_give_no_points():
    body = circle(12)
    cells = Cells.concatenate([body.cells, Cells.of(line=np.array([[3, 3]]))])
    surface = Mesh(body.points, cells)
    found = facet_points(surface, 100)
    assert 12 not in found.facet
    assert np.isfinite(found.normals).all()


# ---- farthest points ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dimension", [2, 3])
def test_chosen_points_are_distinct_far_apart_and_near_to_all(dimension):
    points = np.random.default_rng(0).random((2000, dimension))
    chosen = points[spread_out(points, 50)]
    apart = cKDTree(chosen).query(chosen, k=2)[0][:, 1].min()
    reach = cKDTree(chosen).query(points)[0].max()
    assert reach <= apart * (1 + 1e-4)  # what makes farthest-point sampling within a factor two of the best choice (Gonzalez 1985)
    by_chance = points[np.random.default_rng(1).choice(2000, 50, replace=False)]
    assert apart > 3 * cKDTree(by_chance).query(by_chance, k=2)[0][:, 1].min()


def test_all_points_where_there_are_no_more():
    points = np.random.default_rng(0).random((7, 2))
    assert spread_out(points, 7).tolist() == spread_out(points, 100).tolist() == list(range(7))


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("dimension", [2, 3])
def test_the_choice_turns_moves_mirrors_and_scales(dimension, scale):
    rng = np.random.default_rng(0)
    points, size = rng.random((500, dimension)), 0.1 + rng.random(500)
    expected = spread_out(points, 40, size)
    for kind in ("moved", "turned", "mirrored"):
        other = scale * (points @ motion(dimension, kind).T + 3.0)
        assert spread_out(other, 40, scale * size).tolist() == expected.tolist()


def test_points_stand_close_where_the_size_is_small():
    points = np.random.default_rng(0).random((4000, 2))
    left = points[:, 0] < 0.5
    chosen = spread_out(points, 200, np.where(left, 0.5, 1.0))
    assert 2.5 < left[chosen].sum() / (~left[chosen]).sum() < 6  # four times as dense


def test_ties_are_taken_in_order():
    """Corners of a square, all equally far: rounding does not decide."""
    square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    for angle in np.linspace(0, 6, 50):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        assert spread_out(square @ turn.T + 0.3, 3).tolist() == [0, 2, 1]
