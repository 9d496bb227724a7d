"""The sign on dirty surfaces: holes, repeated and flipped facets, cavities with holes, cracks, inner walls, overlaps, sheets."""

import numpy as np
import pytest

from geoop.errors import InvalidMeshError
from geoop.mesh.cells import Cells
from geoop.mesh.distance import signed_distance
from geoop.mesh.distance.inside import sided
from geoop.mesh.measure import cell_centers, facet_normals
from geoop.mesh.mesh import Mesh
from geoop.mesh.orientation import reversed_cells
from geoop.mesh.primitives import box, icosphere, naca4, torus, wing


def without(mesh: Mesh, share: float, seed: int = 0) -> Mesh:
    return Mesh(mesh.points, mesh.cells.take(np.random.default_rng(seed).random(len(mesh.cells)) >= share), name="holed")


def joined(*meshes: Mesh) -> Mesh:
    starts = np.cumsum([0] + [len(m.points) for m in meshes])
    cells = [m.cells.renumbered(np.arange(len(m.points)) + start) for m, start in zip(meshes, starts, strict=False)]
    return Mesh(np.concatenate([m.points for m in meshes]), Cells.concatenate(cells), name="several")


def soup(mesh: Mesh, noise: float = 0.0) -> Mesh:
    x = mesh.points[mesh.cells.block("triangle")].reshape(-1, 3)
    x = x + noise * np.random.default_rng(5).normal(size=x.shape)
    return Mesh(x, Cells.of(triangle=np.arange(len(x)).reshape(-1, 3)), name="soup")


def flipped(mesh: Mesh, share: float = 0.5) -> Mesh:
    return Mesh(mesh.points, reversed_cells(mesh.cells, np.random.default_rng(1).random(len(mesh.cells)) < share), name="flipped")


def doubled(mesh: Mesh, opposite: bool) -> Mesh:
    again = reversed_cells(mesh.cells, np.full(len(mesh.cells), opposite))
    return Mesh(mesh.points, Cells.concatenate([mesh.cells, again.take(np.arange(len(again)) % 3 > 0)]), name="doubled")


def probes(mesh: Mesh, n: int = 6000) -> np.ndarray:
    """Half in the box of the mesh, half within 1 % of its size of the surface."""
    rng = np.random.default_rng(3)
    low, high = mesh.bounds
    corners = mesh.points[mesh.cells.block("triangle")[rng.integers(0, len(mesh.cells), n // 2)]]
    on = np.einsum("nk,nkd->nd", rng.dirichlet(np.ones(3), n // 2), corners)
    near = on + 0.01 * np.ptp(mesh.bounds, axis=0).max() * rng.uniform(-1, 1, (n // 2, 1)) * unit(rng.normal(size=(n // 2, 3)))
    return np.concatenate([rng.uniform(low - 0.3, high + 0.3, (n // 2, 3)), near])


def unit(v: np.ndarray) -> np.ndarray:
    return v / np.linalg.norm(v, axis=1, keepdims=True)


BODIES = {"sphere": icosphere(4), "torus": torus(60, 30), "wing": wing(naca4("2412", 60), 2.0, n_span=12)}
DIRT = {
    "flipped": flipped,
    "doubled": lambda m: doubled(m, opposite=False),
    "doubled backwards": lambda m: doubled(m, opposite=True),
    "soup": soup,
    "torn soup": lambda m: soup(m, 1e-9),
    "flipped torn soup": lambda m: flipped(soup(m, 1e-9)),
    "flipped, doubled soup": lambda m: soup(flipped(doubled(m, opposite=True))),
}


@pytest.mark.parametrize("dirt", sorted(DIRT))
@pytest.mark.parametrize("name", sorted(BODIES))
def test_closed_bodies_keep_their_sign_and_full_confidence(name, dirt):
    body = BODIES[name]
    p = probes(body)
    clean, found = signed_distance(body, p), signed_distance(DIRT[dirt](body), p)
    far = np.abs(clean.distance) > 1e-7
    np.testing.assert_array_equal(np.sign(found.distance[far]), np.sign(clean.distance[far]))
    np.testing.assert_array_equal(found.confidence, 1.0)
    np.testing.assert_allclose(found.distance[far], clean.distance[far], atol=1e-6)


@pytest.mark.parametrize("name", sorted(BODIES))
@pytest.mark.parametrize("dirt", ["as it is", "flipped", "soup"])
def test_one_percent_of_the_facets_missing_changes_no_sign(name, dirt):
    body = BODIES[name]
    holed = {"as it is": without, "flipped": lambda m, s: flipped(without(m, s)), "soup": lambda m, s: soup(without(m, s))}[dirt](body, 0.01)
    p = probes(body)
    clean, found = signed_distance(body, p), signed_distance(holed, p)
    assert (np.sign(found.distance) != np.sign(clean.distance)).sum() == 0
    assert found.confidence.min() < 0.5  # somebody stands before a hole
    assert np.median(found.confidence) > 0.97


def test_half_a_sphere_is_answered_and_says_where_it_is_unsure():
    sphere = icosphere(4)
    half = Mesh(sphere.points, sphere.cells.take(sphere.points[sphere.cells.block("triangle")].mean(axis=1)[:, 2] < 0))
    p = np.array([[0, 0, -0.9], [0, 0, -1.1], [0, 0, 3.0], [0, 0, -0.15], [0, 0, 0.15]])
    found = signed_distance(half, p)
    np.testing.assert_array_equal(np.sign(found.distance), [-1, 1, 1, -1, 1])
    assert (found.confidence[:3] > 0.6).all()
    assert (found.confidence[3:] < 0.3).all()
    exact = 0.5 * (1 + 0.9 / np.hypot(1, 0.9))  # what is missing is seen as a disc: (1 - h / sqrt(1 + h^2)) / 2
    np.testing.assert_allclose(found.winding[0], exact, atol=0.01)
    np.testing.assert_allclose(found.confidence, 1 - 2 * np.abs(found.winding - np.round(found.winding)))


def test_cavities_islands_and_holes_in_them():
    shells = [icosphere(4, 3.0), icosphere(4, 2.0), icosphere(3, 1.0)]
    p = unit(np.random.default_rng(0).normal(size=(900, 3))) * np.tile([3.5, 2.5, 1.5, 0.5], 225)[:, None]
    expected = np.tile([1, -1, 1, -1], 225)
    for meshes in (shells, [without(m, 0.01, i) for i, m in enumerate(shells)], [flipped(without(m, 0.01, i)) for i, m in enumerate(shells)]):
        np.testing.assert_array_equal(np.sign(signed_distance(joined(*meshes), p).distance), expected)


@pytest.mark.parametrize("listed", ["once", "both ways"])
def test_an_inner_wall_and_a_fin_bound_nothing_but_have_a_distance(listed):
    cube = box((0, 0, 0), (1, 1, 1), 4)
    u, v = np.meshgrid(np.linspace(0, 1, 5), np.linspace(0, 1, 5), indexing="ij")
    plate = np.stack([np.full(25, 0.5), u.ravel(), v.ravel()], axis=1)
    n = np.arange(25).reshape(5, 5)
    quads = np.stack([n[:-1, :-1], n[1:, :-1], n[1:, 1:], n[:-1, 1:]], axis=-1).reshape(-1, 4)
    fin = plate[:, [1, 0, 2]] * [0.5, 1, 1] + [1.0, 0.0, 0.0]  # stands on the face x = 1
    walls = [Mesh(plate, Cells.of(quad=quads)), Mesh(fin, Cells.of(quad=quads))]
    if listed == "both ways":
        walls = [Mesh(m.points, Cells.concatenate([m.cells, reversed_cells(m.cells, np.ones(16, dtype=bool))])) for m in walls]
    body = joined(cube, *walls)
    p = np.random.default_rng(0).uniform(-0.2, 1.6, (4000, 3))
    p[:50] = p[50:100] * [0, 0.3, 0.3] + [0.5 + 1e-7, 0.4, 0.4]
    found = signed_distance(body, p)
    inside = ((p > 0) & (p < 1)).all(axis=1)
    np.testing.assert_array_equal(found.distance < 0, inside)
    np.testing.assert_array_equal(found.confidence, 1.0)
    np.testing.assert_allclose(found.distance[:50], -1e-7, rtol=1e-5)
    assert sided(body).bounding.sum() == 2 * 96


def test_overlapping_bodies_are_united():
    left, right = box((0, 0, 0), (2, 1, 1), 3), box((1, 0.2, 0.2), (3, 0.8, 0.8), 3)
    p = np.random.default_rng(0).uniform(-0.3, 3.3, (4000, 3))
    p[:200] = [1.0, 0.5, 0.5] + (p[200:400] - 1.5) * [1e-6, 0.1, 0.1]  # next to a wall of one inside the other
    found = signed_distance(joined(left, right), p)
    inside = ((p > 0) & (p < [2, 1, 1])).all(axis=1) | ((p > [1, 0.2, 0.2]) & (p < [3, 0.8, 0.8])).all(axis=1)
    np.testing.assert_array_equal(found.distance < 0, inside)


def test_bodies_that_touch_in_a_face_an_edge_or_a_corner():
    for shift in ((1, 0, 0), (1, 1, 0), (1, 1, 1)):
        both = joined(box((0, 0, 0), (1, 1, 1), 3), box(shift, tuple(np.add(shift, 1)), 3))
        p = np.random.default_rng(0).uniform(-0.3, 2.3, (3000, 3))
        inside = ((p > 0) & (p < 1)).all(axis=1) | ((p > shift) & (p < np.add(shift, 1))).all(axis=1)
        np.testing.assert_array_equal(signed_distance(both, p).distance < 0, inside)


@pytest.mark.parametrize("angle", [0.7, 0.85, 1.0])
def test_a_scrap_in_a_larger_hole_keeps_its_side_although_it_is_a_saddle(angle):
    """On the inner side of a torus, the volume between a scrap and its rim says nothing about which of its sides is out."""
    body = torus(80, 40, minor=0.4)
    at = np.array([1 + 0.4 * np.cos(angle * np.pi), 0.0, 0.4 * np.sin(angle * np.pi)])
    away = np.linalg.norm(body.points[body.cells.block("triangle")].mean(axis=1) - at, axis=1)
    holed = Mesh(body.points, body.cells.take((away < 0.12) | (away > 0.25)))
    scrap = np.flatnonzero(away < 0.12)
    centers, normals = cell_centers(body)[scrap], facet_normals(body)[scrap]
    for side in (1.0, -1.0):
        for offset in (1e-6, 1e-2):
            np.testing.assert_array_equal(np.sign(signed_distance(holed, centers + side * offset * normals).distance), side)


def test_sheets_are_refused_and_loose_soups_are_answered():
    sheet = Mesh(icosphere(4).points, icosphere(4).cells.take(icosphere(4).points[icosphere(4).cells.block("triangle")].mean(axis=1)[:, 2] > 0.95))
    with pytest.raises(InvalidMeshError, match="open"):
        signed_distance(sheet, np.zeros((1, 3)))
    sphere = icosphere(4)
    x = sphere.points[sphere.cells.block("triangle")]
    loose = Mesh((0.9 * x + 0.1 * x.mean(axis=1, keepdims=True)).reshape(-1, 3), Cells.of(triangle=np.arange(len(x) * 3).reshape(-1, 3)))
    p = unit(np.random.default_rng(0).normal(size=(500, 3))) * np.tile([0.8, 1.2], 250)[:, None]
    found = signed_distance(loose, p)
    np.testing.assert_array_equal(np.sign(found.distance), np.tile([-1, 1], 250))
    assert 0.3 < found.confidence.mean() < 0.9  # a fifth of the surface is missing
