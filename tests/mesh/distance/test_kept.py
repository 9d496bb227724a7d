"""Prepared bodies are found again by content, and not more of them are kept than announced."""

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from geoop.errors import InvalidMeshError
from geoop.mesh.distance import signed_distance
from geoop.mesh.distance.kept import Kept
from geoop.mesh.distance.triangles import prepared
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import circle, icosphere


def counting() -> tuple[Kept, list]:
    made = []

    def make(mesh: Mesh, *keys) -> tuple:
        made.append((mesh.name, *keys))
        if keys == ("bad",):
            raise InvalidMeshError("no", remedy="none")
        return mesh.name, *keys

    return Kept(make, 2), made


def test_equal_content_is_made_once_and_moved_points_anew():
    kept, made = counting()
    one = circle(9)
    for mesh in (one, circle(9), Mesh(one.points, one.cells, one.patches, name="other name")):
        assert kept(mesh, 1) == ("circle", 1)
    assert len(made) == 1
    kept(one.moved(one.points + 1e-15), 1)
    kept(one, 2)
    assert len(made) == 3


def test_the_one_not_used_for_longest_goes_first_and_failures_are_not_kept():
    kept, made = counting()
    a, b, c = circle(3), circle(4), circle(5)
    for mesh in (a, b, a, c, a, b):
        kept(mesh)
    assert len(made) == 4  # b was dropped when c came
    assert len(kept) == 2
    for _ in range(2):
        with pytest.raises(InvalidMeshError):
            kept(a, "bad")
    assert len(made) == 6


def test_equal_meshes_share_their_search_and_the_mesh_is_not_held():
    p = np.zeros((1, 3))
    first = icosphere(2, 1.7)
    signed_distance(first, p)
    assert prepared(icosphere(2, 1.7), True, "cpu") is prepared(first, True, "cpu")
    for level in range(6):
        signed_distance(icosphere(1, 1.0 + level), p)
    assert len(prepared) == 4
    watch = weakref.ref(first)
    del first
    gc.collect()
    assert watch() is None


def test_threads_share_the_hashes():
    kept, _ = counting()
    bodies = [circle(3 + k) for k in range(40)]

    def ask(number: int) -> list:
        return [kept(bodies[(k + number) % 40], number) for k in range(40)]

    with ThreadPoolExecutor(8) as pool:
        for number, found in enumerate(pool.map(ask, range(8))):
            assert found == [("circle", number)] * 40
