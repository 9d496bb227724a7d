"""Triangles of facets keep their vector area, whatever the facet."""

import numpy as np
import pytest

from geoop.errors import InvalidMeshError
from geoop.mesh.cells import CELL_TYPES, Cells
from geoop.mesh.measure import area_vectors
from geoop.mesh.mesh import Mesh
from geoop.mesh.triangulation import triangulated
from tests.mesh.cell_zoo import UNIT_CELLS, cell_mesh


def vectors(mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    corners, facet = triangulated(mesh)
    return area_vectors(Mesh(mesh.points, Cells.of(triangle=corners))), facet


@pytest.mark.parametrize("name", sorted(n for n, (_, d, _) in CELL_TYPES.items() if d == 2))
def test_triangles_of_a_flat_facet_add_up_and_face_its_way(name):
    mesh = cell_mesh(name, UNIT_CELLS[name][0], 3)
    parts, facet = vectors(mesh)
    np.testing.assert_allclose(parts.sum(axis=0), area_vectors(mesh)[0], atol=1e-15)
    assert (parts[:, 2] > 0).all()
    assert (facet == 0).all()


@pytest.mark.parametrize("turn", range(4))
def test_concave_quads_are_cut_along_the_inner_diagonal(turn):
    arrow = np.roll(np.array([(0.0, 0, 0), (2, -1, 0), (0.5, 0, 0), (2, 1, 0)]), turn, axis=0)
    parts, _ = vectors(cell_mesh("quad", arrow))
    np.testing.assert_allclose(parts.sum(axis=0), [0, 0, 0.5], atol=1e-15)
    assert (parts[:, 2] > 0).all()


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("backward", [False, True])
def test_polygons_with_many_reflex_corners_in_any_plane(axis, backward):
    angle = np.pi * np.arange(14) / 7
    star = np.where(np.arange(14) % 2, 0.2, 1.0)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    points = np.insert(star[::-1] if backward else star, axis, 1.0, axis=1)
    mesh = cell_mesh("polygon", points)
    parts, _ = vectors(mesh)
    assert len(parts) == 12
    np.testing.assert_allclose(parts.sum(axis=0), area_vectors(mesh)[0], atol=1e-15)
    assert np.linalg.norm(parts, axis=1).sum() == pytest.approx(np.linalg.norm(area_vectors(mesh)[0]), rel=1e-12)  # no overlap


def test_triangles_come_in_the_order_of_their_facets():
    points = np.array([(x, y, 0) for y in range(3) for x in range(3)], dtype=float)
    cells = Cells.concatenate([Cells.of(quad=[[0, 1, 4, 3]]), Cells.of(triangle=[[1, 2, 5]]), Cells.ragged("polygon", [[3, 4, 5, 8, 7, 6]])])
    _, facet = triangulated(Mesh(points, cells))
    assert facet.tolist() == [0, 0, 1, 2, 2, 2, 2]


def test_only_surfaces_in_space():
    for name, dimension in (("quad", 2), ("tetra", 3)):
        with pytest.raises(InvalidMeshError, match="3-D"):
            triangulated(cell_mesh(name, UNIT_CELLS[name][0], dimension))
