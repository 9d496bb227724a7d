"""The part of CAD reading that runs in a process of its own: gmsh loads, sews and triangulates the faces of a model."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import GeoopError, UnreadableFileError
from ..mesh.generate.gmsh_session import gmsh_session
from .cad_labels import matched_labels, step_faces

_SIZE = 1 / 40  # of the diagonal of the bounding box: the longest edge
_ANGLE = 15.0  # degrees of a bend per edge
_FINEST = 1 / 2000  # of the diagonal: what a bend may ask for
_SEWING = 1e-6  # of the diagonal: IGES faces know nothing of each other, their edges coincide within this
_IGES_METRE = 1000.0  # OCC turns IGES into millimetres; only for STEP does it take another target unit
_ALGORITHMS = (6, 5, 1)  # frontal Delaunay, Delaunay, MeshAdapt: the next one where the one before gives up
_NO_LABEL = "Open CASCADE"  # what OCC calls shapes without a name
_AGAIN = "export it again as STEP (AP214 or AP242); if a CAD system reads it, try the other of STEP and IGES"


def main(path: str, answer: str, options: str) -> None:
    """Write what is found to the file ``answer``: arrays and words, or the error.

    Args:
        path: STEP or IGES file.
        answer: .npz file to write.
        options: JSON with ``size`` [m] and ``angle`` [deg] (null: default) and ``where`` for messages.
    """
    wanted = json.loads(options)
    try:
        found = faces_of(Path(path), wanted["size"], wanted["angle"], wanted["where"])
    except GeoopError as error:
        found = {"error": np.array(json.dumps(error.to_dict()))}
    np.savez(answer, allow_pickle=False, **found)


def faces_of(path: Path, size: float | None, angle: float | None, where: str) -> dict[str, np.ndarray]:
    """Triangles of every face of a model.

    Returns:
        points (n, 3) [m]; triangles (m, 3), face by face; face_bounds (f + 1,) first triangle of each face; in_solid (s, m) bool,
        empty for a single solid; words: JSON with the names of faces and solids and notes.

    Raises:
        UnreadableFileError: gmsh gave up, or there are no faces.
    """
    with gmsh_session(UnreadableFileError, where=where, remedy=_AGAIN) as gmsh:
        iges = path.suffix.lower() in (".iges", ".igs")
        metre = _IGES_METRE if iges else 1.0
        if not iges:
            gmsh.option.setString("Geometry.OCCTargetUnit", "M")
        gmsh.model.occ.importShapes(str(path))
        gmsh.model.occ.synchronize()
        notes = _sewn(gmsh) if iges else []
        faces = [tag for _, tag in gmsh.model.getEntities(2)]
        if not faces:
            raise UnreadableFileError("the model has no faces", where=where, remedy="export the solids or surfaces, not only curves or points")
        diagonal = _diagonal(gmsh)
        _mesh_faces(gmsh, (_SIZE * diagonal if size is None else size * metre, _FINEST * diagonal), 360.0 / (angle or _ANGLE))
        found = _collected(gmsh, faces, _names(gmsh, faces, path, iges), notes, where)
        return found | {"points": found["points"] / metre}


def _sewn(gmsh: Any) -> list[str]:
    """Faces joined along edges that coincide, and closed shells made solids."""
    gmsh.model.occ.healShapes(tolerance=_SEWING * _diagonal(gmsh), makeSolids=True)
    gmsh.model.occ.synchronize()
    return ["faces were sewn together where their edges coincide within a millionth of the model's diagonal"]


def _diagonal(gmsh: Any) -> float:
    box = gmsh.model.getBoundingBox(-1, -1)
    return float(np.linalg.norm(np.array(box[3:]) - np.array(box[:3])))


def _mesh_faces(gmsh: Any, sizes: tuple[float, float], per_turn: float) -> None:
    """Triangles on all faces with edges between the two sizes, and so many to a full turn."""
    option = gmsh.option.setNumber
    option("Mesh.MeshSizeMax", sizes[0])
    option("Mesh.MeshSizeMin", min(sizes))
    option("Mesh.MeshSizeFromCurvature", per_turn)
    option("Mesh.MeshSizeFromPoints", 0)
    for algorithm in _ALGORITHMS:
        option("Mesh.Algorithm", algorithm)
        try:
            gmsh.model.mesh.generate(2)
            return
        except GeoopError:
            raise
        except Exception:  # gmsh raises bare exceptions
            if algorithm == _ALGORITHMS[-1]:
                raise
            gmsh.model.mesh.clear()


def _collected(gmsh: Any, faces: list[int], names: list[str], notes: list[str], where: str) -> dict[str, np.ndarray]:
    nodes, coordinates, _ = gmsh.model.mesh.getNodes()
    row = np.zeros(int(max(nodes, default=0)) + 1, dtype=np.int64)
    row[np.asarray(nodes, dtype=np.int64)] = np.arange(len(nodes))
    rows, labels, kept, left_out = [], [], [], []
    for label, tag in zip(names, faces, strict=True):
        _, _, corners = gmsh.model.mesh.getElements(2, tag)
        if len(corners):
            rows.append(row[np.asarray(corners[0], dtype=np.int64)].reshape(-1, 3))
            labels.append(label)
            kept.append(tag)
        else:
            left_out.append(label)
    if not rows:
        raise UnreadableFileError("none of the faces could be triangulated", where=where, remedy=_AGAIN)
    if left_out:
        notes.append(f"{len(left_out)} faces that could not be triangulated are left out: {', '.join(left_out[:5])}")
    used, index = np.unique(np.concatenate(rows), return_inverse=True)
    solids, inside = _solids(gmsh, np.repeat(kept, [len(part) for part in rows]))
    return {
        "points": np.asarray(coordinates).reshape(-1, 3)[used],
        "triangles": index.reshape(-1, 3),
        "face_bounds": np.cumsum([0] + [len(part) for part in rows]),
        "in_solid": inside,
        "words": np.array(json.dumps({"faces": labels, "solids": solids, "notes": notes})),
    }


def _names(gmsh: Any, faces: list[int], path: Path, iges: bool) -> list[str]:
    """Names of the faces: their labels in the file where there are any, else their numbers."""
    labels = [""] * len(faces)
    if not iges:
        bounds = []
        for tag in faces:
            corners = gmsh.model.getBoundary([(2, tag)], combined=False, oriented=False, recursive=True)
            places = np.array([gmsh.model.getValue(0, point, []) for _, point in corners]).reshape(-1, 3)
            bounds.append(np.stack([places.min(axis=0), places.max(axis=0)]) if len(places) else np.zeros((2, 3)))
        labels = matched_labels(step_faces(path.read_text(encoding="latin-1")), bounds)
    return [label or _label(gmsh, 2, tag) or f"face {number}" for number, (label, tag) in enumerate(zip(labels, faces, strict=True), start=1)]


def _solids(gmsh: Any, face_of: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Names of the solids and (s, m) which triangles are on each; none where there is one solid at most."""
    tags = [tag for _, tag in gmsh.model.getEntities(3)]
    if len(tags) < 2:
        return [], np.zeros((0, len(face_of)), dtype=bool)
    names = [_label(gmsh, 3, tag) or f"solid {number}" for number, tag in enumerate(tags, start=1)]
    faces = [[abs(face) for _, face in gmsh.model.getBoundary([(3, tag)], oriented=False)] for tag in tags]
    return names, np.stack([np.isin(face_of, own) for own in faces])


def _label(gmsh: Any, dimension: int, tag: int) -> str:
    """The label of an entity without the path of the assembly that gmsh puts in front."""
    label = str(gmsh.model.getEntityName(dimension, tag)).rsplit("/", 1)[-1].strip()
    return "" if label.startswith(_NO_LABEL) else label


if __name__ == "__main__":
    main(*sys.argv[1:])
