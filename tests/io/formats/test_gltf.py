"""glTF: parts in their places, seams merged."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from geoop.errors import UnreadableFileError
from geoop.io.reading import read


def test_nodes_are_patches_in_place(tmp_path):
    scene = trimesh.Scene()
    scene.add_geometry(trimesh.creation.box((1, 1, 1)), node_name="body", geom_name="cube")
    scene.add_geometry(trimesh.creation.icosphere(1), node_name="ball", transform=trimesh.transformations.translation_matrix([5, 0, 0]))
    (tmp_path / "scene.glb").write_bytes(scene.export(file_type="glb"))
    mesh = read(tmp_path / "scene.glb", unit="m")
    assert {name: len(cells) for name, cells in mesh.patches.items()} == {"body": 12, "ball": 80}
    assert len(mesh.points) == 8 + 42 and mesh.bounds[1, 0] == pytest.approx(6.0)


def test_seams_are_merged(tmp_path):
    box = trimesh.creation.box()
    box.unmerge_vertices()  # 36 corners, as flat shading stores them
    (tmp_path / "box.glb").write_bytes(box.export(file_type="glb"))
    mesh = read(tmp_path / "box.glb", unit="m")
    assert len(mesh.points) == 8 and np.allclose(np.abs(mesh.points), 0.5)


def test_damaged(tmp_path):
    data = trimesh.creation.box().export(file_type="glb")
    for name, content in {
        "cut.glb": data[: len(data) // 2],
        "noise.glb": b"glTF" + b"\x07" * 300,
        "text.gltf": b'{"asset": {"version": "2.0"}}',
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UnreadableFileError):
            read(tmp_path / name, unit="m")
