"""OFF and its variants."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from geoop.errors import InvalidMeshError, UnreadableFileError
from geoop.io.reading import read

TEXT = "OFF\n# made by hand\n5 2 0\n0 0 0\n1 0 0\n1 1 0\n0 1 0\n0.5 2 0\n\n4 0 1 2 3\n3 3 2 4 255 0 0 # red\n"


def save(folder, text):
    (folder / "part.off").write_text(text)
    return folder / "part.off"


def test_quads_triangles_comments_and_colours(tmp_path):
    mesh = read(save(tmp_path, TEXT), unit="m")
    assert [list(c) for c in mesh.cells] == [[0, 1, 2, 3], [3, 2, 4]] and len(mesh.points) == 5
    one_line = read(save(tmp_path, TEXT.replace("OFF\n# made by hand\n", "OFF ")), unit="m")
    assert one_line.content_hash == mesh.content_hash
    coloured = read(save(tmp_path, "COFF\n3 1 0\n0 0 0 255 0 0 255\n1 0 0 255 0 0 255\n0 1 0 255 0 0 255\n3 0 1 2\n"), unit="m")
    assert np.array_equal(coloured.points, [[0, 0, 0], [1, 0, 0], [0, 1, 0]])


def test_file_of_another_program(tmp_path):
    sphere = trimesh.creation.icosphere(1)
    mesh = read(save(tmp_path, sphere.export(file_type="off")), unit="m")
    assert np.allclose(mesh.points, sphere.vertices, atol=1e-7) and np.array_equal(mesh.cells.block("triangle"), sphere.faces)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TEXT[:40], "truncated"),
        (TEXT.replace("OFF", "ABC"), "does not start with OFF"),
        ("OFF\n", "no counts"),
        (TEXT.replace("0 1 0\n", "0 1\n"), "row 4 has 2 numbers"),
        (TEXT.replace("4 0 1 2 3", "4 0 1 2"), "incomplete"),
        (TEXT.replace("4 0 1 2 3", "2 0 1"), "incomplete"),
        ("4OFF\n" + TEXT[4:], "not read"),
    ],
)
def test_bad_files(tmp_path, text, words):
    with pytest.raises(UnreadableFileError, match=words):
        read(save(tmp_path, text), unit="m")


def test_index_out_of_range(tmp_path):
    with pytest.raises(InvalidMeshError, match="outside 0..4"):
        read(save(tmp_path, TEXT.replace("3 3 2 4 255", "3 3 2 5 255")), unit="m")
