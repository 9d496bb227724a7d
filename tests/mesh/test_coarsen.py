"""Surfaces on fewer of their vertices, or cut up: closed stays closed, the shape stays, bad input is refused."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError, InvalidMeshError
from geoop.mesh.bodies import WingShape, superellipsoid, wing_body
from geoop.mesh.body import body as body_of
from geoop.mesh.cells import Cells
from geoop.mesh.coarsen import with_faces
from geoop.mesh.measure import enclosed_volume
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import box as filled_box


def uses(mesh):
    triangles = mesh.cells.block("triangle")
    sides = np.sort(np.stack([triangles, np.roll(triangles, -1, axis=1)], axis=2).reshape(-1, 2), axis=1)
    return np.unique(sides, axis=0, return_counts=True)[1]


@pytest.mark.parametrize("body", [superellipsoid((2.0, 1.0, 0.8), 0.7, 0.9, 30), wing_body(WingShape(6.0, 1.0, section="2412"), 80, 40)[0]])
def test_a_closed_body_stays_closed_and_keeps_its_volume_on_its_own_vertices(body):
    before = body.points.copy()
    coarse = with_faces(body, 2000)
    assert 1800 <= len(coarse.cells) <= 2000
    assert (uses(coarse) == 2).all()
    assert enclosed_volume(coarse) == pytest.approx(enclosed_volume(body), rel=0.02)
    assert {tuple(x) for x in coarse.points} <= {tuple(x) for x in body.points}
    assert np.array_equal(body.points, before)


def test_few_large_faces_are_cut_up_and_vertices_keep_their_numbers():
    box = body_of(filled_box((0.0, 0.0, 0.0), (2.0, 1.0, 1.0)))
    fine = with_faces(box, 4000)
    assert 1000 < len(fine.cells) <= 4000 and (uses(fine) == 2).all()
    assert np.array_equal(fine.points[: len(box.points)], box.points)
    assert enclosed_volume(fine) == pytest.approx(2.0, rel=1e-12)


def test_a_scaled_body_gives_the_scaled_triangles():
    body = superellipsoid((1.0, 0.5, 0.4), 0.8, 0.8, 20)
    uneven = body.moved(body.points * (1.0 + 0.01 * np.random.default_rng(0).random((len(body.points), 1))))
    one, two = with_faces(uneven, 1000), with_faces(uneven.moved(uneven.points / 1024.0), 1000)
    assert np.array_equal(one.cells.block("triangle"), two.cells.block("triangle"))


def test_refusals():
    body = superellipsoid((1.0, 0.5, 0.4), 0.8, 0.8, 6)
    with pytest.raises(ConfigurationError, match="faces"):
        with_faces(body, 10)
    flat = Mesh(np.zeros((3, 3)), Cells.of(triangle=np.array([[0, 0, 0]])))
    with pytest.raises(InvalidMeshError):
        with_faces(flat, 1000)
