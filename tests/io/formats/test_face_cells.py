"""Cells out of faces: every shape comes back with its own volume, whatever way the faces run."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.errors import UnreadableFileError
from geoop.io.formats import face_cells
from geoop.io.formats.face_cells import cells_from_faces
from geoop.mesh.measure import signed_measures
from geoop.mesh.mesh import Mesh
from geoop.mesh.topology import FACES

CUBE = np.array([(x, y, z) for z in (0, 1) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))], dtype=float)
SHAPES = {
    "tetra": (CUBE[[0, 1, 3, 4]], 1 / 6),
    "pyramid": (np.vstack([CUBE[:4], [[0.5, 0.5, 1.0]]]), 1 / 3),
    "wedge": (CUBE[[0, 1, 3, 4, 5, 7]], 1 / 2),
    "hexahedron": (CUBE, 1.0),
}


def _faces(name, rng):
    rows = [list(np.roll(face, rng.integers(len(face)))) for face in FACES[name]]
    rows = [row[::-1] if rng.random() < 0.5 else row for row in rows]
    return [rows[k] for k in rng.permutation(len(rows))]


@pytest.mark.parametrize("name", list(SHAPES))
@pytest.mark.parametrize("seed", range(5))
def test_every_shape_in_any_order(name, seed):
    rng = np.random.default_rng(seed)
    points, volume = SHAPES[name]
    faces = _faces(name, rng)
    offsets = np.concatenate([[0], np.cumsum([len(face) for face in faces])])
    cells = cells_from_faces(points, offsets, np.concatenate(faces), np.array([[0, -1] if rng.random() < 0.5 else [-1, 0] for _ in faces]), 1, "x")
    assert cells.names == [name]
    assert np.allclose(signed_measures(Mesh(points, cells)), volume)


def test_other_shapes_stay_polyhedra():
    # a cube whose top is cut into two triangles: seven faces
    faces = [list(face) for face in FACES["hexahedron"] if set(face) != {4, 5, 6, 7}] + [[4, 5, 6], [4, 6, 7]]
    offsets = np.concatenate([[0], np.cumsum([len(face) for face in faces])])
    cells = cells_from_faces(CUBE, offsets, np.concatenate(faces), np.tile([0, -1], (7, 1)), 1, "x")
    assert cells.names == ["polyhedron"] and np.allclose(signed_measures(Mesh(CUBE, cells)), 1.0)


@pytest.mark.parametrize("at_once", [1, 50_000])
def test_rows_of_mixed_shapes_keep_their_numbers(monkeypatch, at_once):
    """A wedge upon a cube: the numbers of the cells are those of the file."""
    monkeypatch.setattr(face_cells, "_AT_ONCE", at_once)
    points = np.vstack([CUBE, [[0.0, 0.5, 2.0], [1.0, 0.5, 2.0]]])
    shared = [4, 5, 6, 7]
    cube = [list(face) for face in FACES["hexahedron"] if set(face) != set(shared)]
    roof = [[4, 5, 9, 8], [7, 6, 9, 8], [4, 8, 7], [5, 9, 6]]
    faces = [shared, *roof, *cube]
    sides = np.array([[1, 0], *([[0, -1]] * 4), *([[1, -1]] * 5)])
    offsets = np.concatenate([[0], np.cumsum([len(face) for face in faces])])
    cells = cells_from_faces(points, offsets, np.concatenate(faces), sides, 2, "x")
    assert [cells.take(np.array([k])).names for k in range(2)] == [["wedge"], ["hexahedron"]]
    assert np.allclose(signed_measures(Mesh(points, cells)), [0.5, 1.0])


def test_open_rings_are_refused():
    with pytest.raises(UnreadableFileError, match="do not close"):
        cells_from_faces(np.eye(4)[:, :2], np.arange(4) * 2, np.array([0, 1, 1, 2, 2, 3]), np.tile([0, -1], (3, 1)), 1, "x")
    with pytest.raises(UnreadableFileError, match="fewer than 4 faces"):
        cells_from_faces(CUBE, np.array([0, 3]), np.array([0, 1, 2]), np.array([[0, -1]]), 1, "x")
