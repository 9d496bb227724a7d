"""Blocks put together: zones, patches by number or by place, fields where they belong, nothing dropped in silence."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.errors import UnreadableFileError
from geoop.io.blocks import Block, joined, joined_by_dimension
from geoop.io.contents import Array, check_contents
from geoop.mesh.cells import Cells

CUBE = np.array([(x, y, z) for z in (0, 1) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))], dtype=float)
HEXAHEDRON = Cells.of(hexahedron=np.arange(8)[None])
FLOOR = [0, 1, 2, 3]


def cube(name, shift=0.0, ids=None, **arrays):
    return Block(name, CUBE + [shift, 0, 0], HEXAHEDRON, tuple(Array(key, np.asarray(value)) for key, value in arrays.items()), ids=ids)


def floor(name, shift=0.0, ids=None, arrays=()):
    return Block(name, (CUBE + [shift, 0, 0])[FLOOR], Cells.of(quad=np.array([[0, 1, 2, 3]])), arrays, True, ids)


def test_zones_keep_their_points_apart():
    contents = joined([cube("a", T=np.arange(8.0)), cube("b", 1.0, T=np.arange(8.0) + 10)], "x")
    check_contents(contents, cloud=False, where="x")
    assert len(contents.points) == 16 and {name: index.tolist() for name, index in contents.zones.items()} == {"a": [0], "b": [1]}
    assert contents.arrays[0].values.tolist() == [*range(8), *range(10, 18)] and contents.notes == ()


def test_points_of_one_number_are_one_point():
    left, right = np.arange(8), np.array([1, 8, 9, 2, 5, 10, 11, 6])
    contents = joined([cube("a", ids=left, T=CUBE[:, 0]), cube("b", 1.0, ids=right, T=CUBE[:, 0] + 1), floor("inlet", ids=left[FLOOR])], "x")
    check_contents(contents, cloud=False, where="x")
    assert len(contents.points) == 12 and np.array_equal(contents.arrays[0].values, contents.points[:, 0])
    assert contents.patches["inlet"].block("quad").tolist() == [[0, 1, 2, 3]]


def test_of_values_at_one_number_those_that_are_there_count():
    right = np.array([1, 8, 9, 2, 5, 10, 11, 6])
    contents = joined([cube("a", ids=np.arange(8)), cube("b", 1.0, ids=right, T=CUBE[:, 0] + 1)], "x")
    values = contents.arrays[0].values
    assert values[right].tolist() == (CUBE[:, 0] + 1).tolist() and np.isnan(values[[0, 3, 4, 7]]).all()
    assert any("NaN where they are missing: T" in note for note in contents.notes)


def test_patches_are_found_by_place_and_keep_their_values():
    arrays = (Array("p", np.array([5.0, 6.0, 7.0, 8.0])), Array("q", np.array([9.0]), "cell"))
    contents = joined([cube("a"), cube("b", 1.0), floor("wall", arrays=arrays), floor("wall", 1.0, arrays=arrays)], "x")
    check_contents(contents, cloud=False, where="x")
    assert contents.patches["wall"].block("quad").tolist() == [[0, 1, 2, 3], [1, 9, 10, 2]]
    stored = {array.label: (array.location, array.values.tolist()) for array in contents.boundary["wall"]}
    assert stored["q"] == ("facet", [9, 9])
    assert stored["p"] == ("point", [5, 6, 7, 8, 6, 7])  # ascending points 0 1 2 3 9 10


def test_patches_elsewhere_keep_their_points_and_are_noted():
    contents = joined([cube("a", T=np.arange(8.0)), floor("far", 50.0), floor("far too", 50.0)], "x")
    check_contents(contents, cloud=False, where="x")
    assert len(contents.points) == 12 and contents.patches["far"].connectivity.tolist() == contents.patches["far too"].connectivity.tolist()
    assert np.isnan(contents.arrays[0].values[8:]).all() and any("far" in note for note in contents.notes)


def test_boundaries_alone_are_the_mesh():
    contents = joined([floor("a"), floor("b", 1.0)], "x")
    assert len(contents.cells) == 2 and contents.points.shape[1] == 2  # all in one plane
    space = joined([floor("a"), Block("b", CUBE[[0, 1, 5, 4]], Cells.of(quad=np.array([[0, 1, 2, 3]])))], "x")
    assert {name: len(part) for name, part in space.patches.items()} == {"a": 1, "b": 1} and space.zones == {}


def test_dimension_decides_where_the_file_does_not():
    skin = Block("skin", CUBE[FLOOR], Cells.of(quad=np.array([[0, 1, 2, 3]])))
    contents = joined_by_dimension([cube("a"), skin], "x")
    assert list(contents.zones) == ["a"] and list(contents.patches) == ["skin"]


def test_names_and_shapes_that_clash_are_kept_apart():
    first = Block("a", CUBE, HEXAHEDRON, (Array("u", np.ones(8)),))
    second = Block("", CUBE + 1, HEXAHEDRON, (Array("u", np.ones((8, 3))),))
    contents = joined([first, second, Block("empty", np.zeros((0, 3)), Cells.empty())], "x")
    check_contents(contents, cloud=False, where="x")
    assert [array.label for array in contents.arrays] == ["u (a)", "u (block 2)"] and any("empty" in note for note in contents.notes)
    with pytest.raises(UnreadableFileError, match="no block"):
        joined([Block("empty", np.zeros((0, 3)), Cells.empty())], "x")


@pytest.mark.parametrize("kind", [float, np.int64])
def test_patches_elsewhere_bring_their_values(kind):
    mine = Array("T", np.array([5, 6, 7, 8], dtype=kind))
    contents = joined([cube("a", T=np.arange(8, dtype=kind)), floor("far", 50.0, arrays=(mine,)), floor("touching", arrays=(mine,))], "x")
    check_contents(contents, cloud=False, where="x")
    (array,) = contents.arrays
    assert array.values.tolist() == [*range(8), 5, 6, 7, 8] and array.values.dtype == kind
    assert contents.points[8:].tolist() == (CUBE + [50, 0, 0])[FLOOR].tolist()
    assert contents.notes == ("patches that share no points with the mesh keep their own: far",)


def test_patches_elsewhere_that_lack_an_array_are_nan_and_noted():
    mine = Array("T", np.array([5.0, 6.0, 7.0, 8.0]))
    contents = joined([cube("a", T=np.arange(8)), floor("far", 50.0, arrays=(mine,)), floor("farther", 90.0)], "x")
    values = contents.arrays[0].values
    assert values[8:12].tolist() == [5, 6, 7, 8] and np.isnan(values[12:]).all()
    assert any("NaN where they are missing: T" in note for note in contents.notes)
