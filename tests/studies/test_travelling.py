"""What a study sends to its workers arrives as it was; what is kept about a mesh is not confused with another's."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from geoop.errors import InvalidMeshError, PatchError
from geoop.graph.cache import ContentCache
from geoop.mesh.body import body
from geoop.mesh.generate.ogrid import ogrid
from geoop.mesh.primitives import box, naca4
from geoop.mesh.resample import closed_ring


def test_a_mesh_travels_whole():
    grid = replace(ogrid(naca4("2412", 80), n_wall=40, n_normal=8), zones={"a": np.arange(3)}, notes=("said",))
    again = pickle.loads(pickle.dumps(grid))
    assert again.content_hash == grid.content_hash and again.notes == ("said",) and again.name == grid.name
    with pytest.raises(TypeError):
        again.patches["new"] = grid.cells
    with pytest.raises(ValueError, match="read-only"):
        again.points[0] = 0.0


def test_a_cache_arrives_empty_and_as_large():
    cache = ContentCache(1000)
    cache.fetch(lambda: 1, "one")
    again = pickle.loads(pickle.dumps(cache))
    assert len(again) == 0 and again.max_bytes == 1000 and len(cache) == 1


def test_bodies_of_one_mesh_by_different_walls_and_names():
    rectangle = box((0.0, 0.0), (2.0, 1.0), 4)
    short, long = body(rectangle, ("x_min",)), body(rectangle, ("y_min",))
    assert len(short.points) == len(long.points) == 5 and np.ptp(short.points, axis=0)[1] == 1.0 and np.ptp(long.points, axis=0)[0] == 2.0
    assert body(replace(rectangle, name="other"), ("x_min",)).name == "other" and body(rectangle, ("x_min",)).name == "rectangle"
    with pytest.raises(PatchError):
        body(rectangle, ("roof",))


def test_the_ring_that_is_handed_out_may_be_changed():
    section = naca4("2412", 60)
    first = closed_ring(section)
    first[:] = 0.0
    assert np.abs(closed_ring(section)).max() > 0.9
    torn = section.submesh(section.cells.take(np.arange(50)), patches={})
    for _ in range(2):
        with pytest.raises(InvalidMeshError, match="open"):
            closed_ring(torn)
