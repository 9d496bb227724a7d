"""Gauss and Bonnet: the angles that miss round the corners of a surface count its handles and rims."""

import numpy as np
import pytest
from shapes import irregular_sphere, irregular_torus

from geoop.mesh.cells import Cells
from geoop.mesh.curvature import angle_defects, mixed_areas
from geoop.mesh.measure import cell_measures
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import box, capsule, icosphere, naca4, wing


def bricks(filled: np.ndarray) -> Mesh:
    """The surface of unit cubes, as quads."""
    padded = np.pad(filled, 1)
    quads = []
    for axis in range(3):
        for side in (0, 1):
            behind = np.roll(padded, -1 if side else 1, axis=axis)
            for cell in np.argwhere(padded & ~behind):
                u, v = np.eye(3, dtype=int)[(axis + 1) % 3], np.eye(3, dtype=int)[(axis + 2) % 3]
                start = cell + side * np.eye(3, dtype=int)[axis]
                ring = [start, start + u, start + u + v, start + v]
                quads.append(ring if side else ring[::-1])
    points, index = np.unique(np.array(quads).reshape(-1, 3), axis=0, return_inverse=True)
    return Mesh(points.astype(float), Cells.of(quad=index.reshape(-1, 4)), name="bricks")


def with_holes(n: int) -> Mesh:
    """A slab with n holes through it: genus n."""
    filled = np.ones((2 * n + 1, 3, 1), dtype=bool)
    filled[1::2, 1] = False
    shaken = bricks(filled)
    return shaken.moved(shaken.points + 0.2 * np.random.default_rng(0).uniform(-1, 1, shaken.points.shape))  # warped quads too


CLOSED = {
    "sphere": (irregular_sphere(3), 2),
    "box": (box((0, 0, 0), (1, 2, 3), 3), 2),
    "capsule": (capsule(9), 2),
    "wing": (wing(naca4("2412", 41), sweep=20), 2),
    "torus": (irregular_torus(24)[0], 0),
    **{f"genus {g}": (with_holes(g), 2 - 2 * g) for g in (1, 2, 5)},
}


@pytest.mark.parametrize("name", sorted(CLOSED))
def test_defects_add_up_to_the_euler_characteristic(name):
    mesh, euler = CLOSED[name]
    assert angle_defects(mesh).sum() == pytest.approx(2 * np.pi * euler, abs=1e-9)


@pytest.mark.parametrize("rims", [1, 2, 3])
def test_rims_count_too(rims):
    sphere = irregular_sphere(3)
    middle = sphere.points[sphere.cells.block("triangle")].mean(axis=1)
    cut = np.zeros(len(middle), dtype=bool)
    for axis in range(rims):
        cut |= middle[:, axis] > 0.85
    assert angle_defects(Mesh(sphere.points, sphere.cells.take(~cut))).sum() == pytest.approx(2 * np.pi * (2 - rims), abs=1e-9)


def test_fans_that_meet_in_a_point():
    bow_tie = Mesh([[0, 0, 0], [1, 0, 0], [1, 1, 0], [-1, 0, 0], [-1, -1, 0.5]], Cells.of(triangle=np.array([[0, 1, 2], [0, 3, 4]])))
    assert angle_defects(bow_tie).sum() == pytest.approx(2 * np.pi * (5 - 6 + 2), abs=1e-12)


@pytest.mark.parametrize("name", sorted(CLOSED))
def test_mixed_areas_add_up_to_the_area(name):
    mesh, _ = CLOSED[name]
    triangulated = cell_measures(mesh).sum() if mesh.cells.names == ["triangle"] else None
    areas = mixed_areas(mesh)
    assert (areas >= 0).all()
    if triangulated is not None:
        assert areas.sum() == pytest.approx(triangulated, rel=1e-12)
    else:
        assert areas.sum() == pytest.approx(cell_measures(mesh).sum(), rel=0.05)  # a warped quad is not its two triangles


def test_gauss_curvature_of_a_regular_sphere_converges():
    worst = [np.abs(angle_defects(icosphere(level)) / mixed_areas(icosphere(level)) - 1).max() for level in (3, 4)]
    assert np.log2(worst[0] / worst[1]) > 1.9


def test_points_at_one_place_count_once():
    mesh = irregular_sphere(1)
    corners = mesh.cells.block("triangle")
    soup = Mesh(mesh.points[corners].reshape(-1, 3), Cells.of(triangle=np.arange(corners.size).reshape(-1, 3)))
    assert angle_defects(soup).sum() == pytest.approx(4 * np.pi, abs=1e-10)
    assert (angle_defects(soup) != 0).sum() == len(mesh.points)


def test_edges_of_more_than_two_triangles():
    book = Mesh([[0, 0, 0], [0, 0, 1], [1, 0, 0.5], [-1, 1, 0.5], [-1, -1, 0.5]], Cells.of(triangle=np.array([[0, 1, 2], [0, 1, 3], [0, 1, 4]])))
    assert angle_defects(book).sum() == pytest.approx(2 * np.pi * (5 - 7 + 3), abs=1e-12)
    filled = np.zeros((2, 2, 1), dtype=bool)
    filled[0, 0], filled[1, 1] = True, True  # two cubes that touch along an edge: 14 points, 35 edges, 24 triangles
    assert angle_defects(bricks(filled)).sum() == pytest.approx(2 * np.pi * 3, abs=1e-12)
