"""Cells by their faces: the standard ones whatever the order and the start of their faces, everything else as polyhedra."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.io.openfoam.poly_mesh import PolyMesh
from geoop.io.openfoam.shapes import cells_of, facets
from geoop.mesh.measure import signed_measures
from geoop.mesh.mesh import Mesh
from geoop.mesh.polyhedra import facing_out
from tests.io.openfoam.foam_files import ZOO, standard, zoo
from tests.mesh.cell_zoo import UNIT_CELLS


def one_cell(points: np.ndarray, faces: list[tuple[int, ...]]) -> PolyMesh:
    offsets = np.concatenate([[0], np.cumsum([len(face) for face in faces])])
    return PolyMesh(np.asarray(points, dtype=float), offsets, np.concatenate(faces), np.zeros(len(faces), np.int64), np.zeros(0, np.int64))


@pytest.mark.parametrize("name", ["tetra", "pyramid", "wedge", "hexahedron"])
@pytest.mark.parametrize("seed", range(5))
def test_standard_cells_in_any_order_of_faces(name, seed):
    rng = np.random.default_rng(seed)
    nodes, volume = UNIT_CELLS[name]
    new = rng.permutation(len(nodes))
    faces = [tuple(np.roll(new[list(face)], rng.integers(4))) for face in standard(name, range(len(nodes)))]
    order = rng.permutation(len(faces))
    points = np.empty_like(nodes)
    points[new] = nodes
    cells = cells_of(one_cell(points, [faces[i] for i in order]))
    assert cells.names == [name] and signed_measures(Mesh(points, cells))[0] == pytest.approx(volume, rel=1e-14)


def test_faces_that_look_like_a_cube_but_are_none_stay_a_polyhedron():
    faces = standard("hexahedron", range(8))
    points = np.concatenate([UNIT_CELLS["hexahedron"][0], [[0.5, 0.5, 2.0]]])
    broken = [*faces[:1], (4, 5, 6, 8), *faces[2:]]
    assert cells_of(one_cell(points, broken)).names == ["polyhedron"]


def test_a_cube_with_a_split_side_is_a_polyhedron_of_the_same_volume():
    points = np.concatenate([UNIT_CELLS["hexahedron"][0], [[1.0, 0.5, 0.0], [1.0, 0.5, 1.0]]])
    faces = [(0, 3, 2, 8, 1), (4, 5, 9, 6, 7), (0, 1, 5, 4), (1, 8, 9, 5), (8, 2, 6, 9), (2, 3, 7, 6), (3, 0, 4, 7)]
    cells = cells_of(one_cell(points, faces))
    assert cells.names == ["polyhedron"] and signed_measures(Mesh(points, cells))[0] == pytest.approx(1.0, rel=1e-14)


def test_the_zoo_keeps_its_order_and_polyhedra_look_outward():
    poly = zoo()
    offsets = np.concatenate([[0], np.cumsum([len(face) for face in poly.faces])])
    mesh = PolyMesh(poly.points, offsets, np.concatenate([np.array(face) for face in poly.faces]), np.array(poly.owner), np.array(poly.neighbour))
    cells = cells_of(mesh)
    assert [cells.take(np.array([i])).names[0] for i in range(6)] == [name for name, _ in ZOO]
    assert facing_out(poly.points, cells)[1] == 0
    np.testing.assert_allclose(signed_measures(Mesh(poly.points, cells)), [volume for _, volume in ZOO], rtol=1e-14)
    part = facets(mesh, len(poly.neighbour), len(poly.owner) - len(poly.neighbour))
    assert set(part.names) == {"triangle", "quad", "polygon"}
