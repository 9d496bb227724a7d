"""OBJ: polygons stay, groups become patches, colours are no coordinates."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.errors import UnreadableFileError
from geoop.io.reading import read

CORNERS = "".join(f"v {x} {y} {z}\n" for x in (0, 1) for y in (0, 1) for z in (0, 1))


def save(folder, text):
    path = folder / "part.obj"
    path.write_text(text)
    return path


def test_quads_and_polygons_are_not_split(tmp_path):
    mesh = read(save(tmp_path, CORNERS + "f 1 2 4 3\nf 5/1 6/2 8/3\nf 1//1 2//1 4//1 6//2 5//3\n"), unit="m")
    assert mesh.cells.names == ["triangle", "polygon", "quad"] or set(mesh.cells.names) == {"triangle", "quad", "polygon"}
    assert [len(cell) for cell in mesh.cells] == [4, 3, 5]
    assert list(list(mesh.cells)[2]) == [0, 1, 3, 5, 4]


def test_groups_objects_and_materials(tmp_path):
    faces = "f 1 2 3\n", "f 2 3 4\n", "f 5 6 7\n"
    grouped = read(save(tmp_path, CORNERS + f"g wing\n{faces[0]}g tail fin\n{faces[1]}g wing\n{faces[2]}"), unit="m")
    assert {name: len(cells) for name, cells in grouped.patches.items()} == {"wing": 2, "tail fin": 1}
    objects = read(save(tmp_path, f"o A\n{CORNERS}usemtl red\n{faces[0]}o B\n{faces[1]}{faces[2]}"), unit="m")
    assert {name: len(cells) for name, cells in objects.patches.items()} == {"A": 1, "B": 2}
    both = read(save(tmp_path, f"{CORNERS}o A\ng default\n{faces[0]}o B\ng default\n{faces[1]}o C\n{faces[2]}"), unit="m")
    assert set(both.patches) == {"A:default", "B:default", "C"}
    materials = read(save(tmp_path, f"{CORNERS}usemtl steel\n{faces[0]}usemtl glass\n{faces[1]}{faces[2]}"), unit="m")
    assert {name: len(cells) for name, cells in materials.patches.items()} == {"steel": 1, "glass": 2}
    assert any("materials" in note for note in materials.notes)
    before = read(save(tmp_path, f"{CORNERS}{faces[0]}g wing\n{faces[1]}"), unit="m")
    assert {name: len(cells) for name, cells in before.patches.items()} == {"default": 1, "wing": 1}
    assert not read(save(tmp_path, CORNERS + faces[0]), unit="m").patches


def test_colours_and_weights_are_not_coordinates(tmp_path):
    mesh = read(save(tmp_path, "v 0 0 0 0.5 0.5 0.5\nv 1 0 0 0.1 0.2 0.3\nv 0 1 0\nf 1 2 3\n"), unit="m")
    assert np.array_equal(mesh.points, [[0, 0, 0], [1, 0, 0], [0, 1, 0]]) and any("colours" in note for note in mesh.notes)


def test_negative_indices_continued_lines_and_segments(tmp_path):
    text = "v 0 0 0\nv 1 0 0\nv 0 1 0\nf -3 -2 \\\n -1\nv 0 0 1\nv 1 0 1\nv 0 1 1\nf -3 -2 -1\nl 1 2 3\n"
    mesh = read(save(tmp_path, text), unit="m")
    assert mesh.cells.block("triangle").tolist() == [[0, 1, 2], [3, 4, 5]]
    assert mesh.cells.block("line").tolist() == [[0, 1], [1, 2]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hello\nworld\n", "no vertex"),
        (CORNERS, "no cells"),
        (CORNERS + "f 1 2 9\n", "outside the 8 vertices"),
        (CORNERS + "f 1 2 0\n", "outside the 8 vertices"),
        (CORNERS + "f 1 2\n", "2 corners"),
        (CORNERS + "f 1 2 x\n", "'x' is not a number"),
        (CORNERS + "f 1 2 1.5\n", "not a whole number"),
        (CORNERS + "v 1 2\nf 1 2 3\n", "has 2 numbers"),
        (CORNERS + "v 1 2 3oops\nf 1 2 3\n", "'3oops' is not a number"),
    ],
)
def test_bad_files(tmp_path, text, words):
    with pytest.raises(UnreadableFileError, match=words):
        read(save(tmp_path, text), unit="m")


def test_curves_that_are_not_read_are_named(tmp_path):
    mesh = read(save(tmp_path, CORNERS + "f 1 2 3\ncstype bspline\nsurf 0 1 0 1\n"), unit="m")
    assert any("cstype" in note and "surf" in note for note in mesh.notes)
