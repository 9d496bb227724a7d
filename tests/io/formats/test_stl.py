"""STL: corners merged exactly, solids kept as patches, damaged files refused."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from geoop.errors import InvalidMeshError, UnreadableFileError
from geoop.io.reading import read

FACET = "facet normal 0 0 1\n outer loop\n  vertex {} {} {}\n  vertex {} {} {}\n  vertex {} {} {}\n endloop\nendfacet\n"


def text_stl(*solids: tuple[str, list[tuple[float, ...]]]) -> str:
    return "".join(f"solid {name}\n" + "".join(FACET.format(*corners) for corners in facets) + f"endsolid {name}\n" for name, facets in solids)


SQUARE = [(0, 0, 0, 1, 0, 0, 1, 1, 0), (0, 0, 0, 1, 1, 0, 0, 1, 0)]


@pytest.mark.parametrize("kind", ["stl", "stl_ascii"])
def test_box_is_closed_after_exact_merging(tmp_path, kind):
    box = trimesh.creation.box((1.0, 2.0, 3.0))
    path = tmp_path / "box.stl"
    path.write_bytes(data if isinstance(data := box.export(file_type=kind), bytes) else data.encode())
    mesh = read(path, unit="mm")
    assert len(mesh.points) == 8 and len(mesh.cells) == 12 and mesh.cells.names == ["triangle"]
    assert np.allclose(mesh.bounds, [[-0.0005, -0.001, -0.0015], [0.0005, 0.001, 0.0015]], rtol=1e-7)
    triangles = mesh.cells.block("triangle")
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()  # every edge has two faces: closed
    a, b, c = (mesh.points[triangles[:, i]] for i in range(3))
    assert np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6 == pytest.approx(6e-9)  # outward, volume 1 x 2 x 3 mm^3


def test_solids_are_patches_and_the_same_name_is_one_patch(tmp_path):
    path = tmp_path / "parts.stl"
    path.write_text(text_stl(("front wing", SQUARE), ("", SQUARE[:1]), ("front wing", SQUARE[1:])))
    mesh = read(path, unit="m")
    assert {name: len(cells) for name, cells in mesh.patches.items()} == {"front wing": 3, "solid 2": 1}
    assert len(mesh.cells) == 4 and len(mesh.points) == 4
    path.write_text(text_stl(("", SQUARE)).replace("\n", "\r\n").upper())
    assert not read(path, unit="m").patches and len(read(path, unit="m").cells) == 2


def test_minus_zero_is_zero_and_tiny_differences_stay(tmp_path):
    path = tmp_path / "zero.stl"
    path.write_text(text_stl(("a", [(0, 0, 0, 1, 0, 0, 1, 1, 0), ("-0.0", "-0", "0.0", 1, 1, 0, "1e-30", 1, 0)])))
    assert len(read(path, unit="m").points) == 4
    path.write_text(text_stl(("a", [(0, 0, 0, 1, 0, 0, 1, 1, 0), ("1e-12", 0, 0, 1, 1, 0, 0, 1, 0)])))
    assert len(read(path, unit="m").points) == 5


def test_triangles_without_area_are_kept_and_noted(tmp_path):
    path = tmp_path / "sliver.stl"
    path.write_text(text_stl(("a", [*SQUARE, (0, 0, 0, 1, 1, 0, 0, 0, 0), (0, 0, 0, 1, 1, 0, 0.5, 0.5, 0)])))
    mesh = read(path, unit="m")
    assert len(mesh.cells) == 4 and any("2 of 4 triangles have no area" in note for note in mesh.notes)


def test_header_that_starts_with_solid_may_be_binary(tmp_path):
    data = bytearray(trimesh.creation.box().export(file_type="stl"))
    data[:10] = b"solid box "
    (tmp_path / "box.stl").write_bytes(data)
    assert len(read(tmp_path / "box.stl", unit="m").cells) == 12
    (tmp_path / "box.stl").write_bytes(data + b"made by")
    assert any("7 bytes after the last triangle" in note for note in read(tmp_path / "box.stl", unit="m").notes)


@pytest.mark.parametrize("kind", ["stl", "stl_ascii"])
@pytest.mark.parametrize("share", [0.001, 0.05, 0.3, 0.5, 0.9, 0.995])
def test_truncated_files_are_refused(tmp_path, kind, share):
    data = trimesh.creation.icosphere(1).export(file_type=kind)
    data = data if isinstance(data, bytes) else data.encode()
    path = tmp_path / "cut.stl"
    path.write_bytes(data[: max(1, int(share * len(data)))])
    with pytest.raises(UnreadableFileError) as caught:
        read(path, unit="m")
    assert str(path) in str(caught.value) and caught.value.remedy


def test_empty_solid_noise_and_nan_are_refused(tmp_path):
    path = tmp_path / "bad.stl"
    path.write_text("solid Empty\nendsolid Empty\n")
    with pytest.raises(UnreadableFileError, match="no triangles"):
        read(path, unit="m")
    path.write_bytes(b"\0" * 84)
    with pytest.raises(UnreadableFileError, match="no triangles"):
        read(path, unit="m")
    path.write_bytes(np.random.default_rng(1).bytes(5000))
    with pytest.raises(UnreadableFileError):
        read(path, unit="m")
    path.write_text(text_stl(("a", [(0, 0, 0, 1, "nan", 0, 1, 1, 0)])))
    with pytest.raises(InvalidMeshError, match="1 of 3 points have NaN"):
        read(path, unit="m")
    path.write_text(text_stl(("a", SQUARE)).replace("vertex 1 0 0", "vertex 1 zero 0"))
    with pytest.raises(UnreadableFileError, match="'zero' is not a number"):
        read(path, unit="m")


def test_solids_of_one_name_are_said(tmp_path):
    path = tmp_path / "parts.stl"
    path.write_text(text_stl(("wing", SQUARE), ("body", SQUARE[:1]), ("wing", SQUARE[1:]), ("wing", SQUARE)))
    assert "solids of the same name are one patch: 'wing' (3)" in read(path, unit="m").notes
    path.write_text(text_stl(("wing", SQUARE), ("body", SQUARE[:1])))
    assert not any("same name" in note for note in read(path, unit="m").notes)
    path.write_text("".join(text_stl((f"n{k}", SQUARE), (f"n{k}", SQUARE)) for k in range(50)))
    assert any("'n4' (2) and 45 more" in note for note in read(path, unit="m").notes)
