"""glTF, binary and text, through trimesh: every placed part becomes a patch."""

from __future__ import annotations

import numpy as np

from ...errors import UnreadableFileError
from ...mesh.cells import Cells
from ..contents import Contents
from ..merging import merge_equal, surface_notes
from ..source import Source


def read_gltf(source: Source) -> Contents:
    """All triangle meshes of a glTF scene, each in its place, as one surface with one patch per node.

    Corners are merged where their coordinates are equal bit by bit (glTF repeats them along seams). Materials, normals and
    animations are left out.

    Raises:
        UnreadableFileError: damaged, with missing buffers, or without triangles.
    """
    import trimesh

    with source.file() as path:
        try:
            scene = trimesh.load_scene(str(path), process=False)
        except Exception as error:  # trimesh lets the errors of json, struct, NumPy and the file system through
            raise UnreadableFileError(
                f"cannot be read as glTF: {error or type(error).__name__}", where=source.where, remedy="export it again as .glb"
            ) from error
    names, parts, faces, other = [], [], [], 0
    start = 0
    for node in scene.graph.nodes_geometry:
        transform, key = scene.graph[node]
        part = scene.geometry[key]
        if not isinstance(part, trimesh.Trimesh) or not len(part.faces):
            other += 1
            continue
        vertices = np.asarray(part.vertices, dtype=np.float64)
        parts.append(vertices @ transform[:3, :3].T + transform[:3, 3] if not np.array_equal(transform, np.eye(4)) else vertices)
        faces.append(np.asarray(part.faces, dtype=np.int64) + start)
        names.append(str(node))
        start += len(vertices)
    if not faces:
        raise UnreadableFileError("the scene holds no triangles", where=source.where, remedy="export it again with the body selected")
    points, index = merge_equal(np.concatenate(parts))
    patches: dict[str, Cells] = {name: Cells.of(triangle=index[part]) for name, part in zip(names, faces, strict=True)}
    cells = Cells.of(triangle=index[np.concatenate(faces)])
    notes = (f"{other} parts without triangles are left out",) if other else ()
    return Contents(points, cells, patches, notes=(*notes, *surface_notes(points, cells)))
