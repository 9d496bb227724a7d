"""Names of faces in a STEP file, which gmsh does not hand on: found in the text, and matched by place before they are believed."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

_ENTITY = re.compile(r"#(\d+)\s*=\s*([A-Z_0-9]+)\s*\((.*?)\)\s*;", re.S)
_STRING = re.compile(r"'((?:[^']|'')*)'")
_REFERENCE = re.compile(r"#(\d+)")
_NUMBER = re.compile(r"[-+]?\d+\.?\d*(?:[Ee][-+]?\d+)?")
_SAME = 1e-5  # of the model's diagonal: corners of a face in the file and in the model


@dataclass(frozen=True, eq=False)
class LabelledFace:
    """A face of a STEP file: its name, empty if it has none, and (2, 3) lower and upper corner of its vertices in the file's unit."""

    label: str
    bounds: np.ndarray


def step_faces(text: str) -> list[LabelledFace]:
    """The faces of all shells, in the order of the shells; none where the text does not say where a face lies."""
    entities = {int(number): (kind, body) for number, kind, body in _ENTITY.findall(text)}
    found = []
    for kind, body in list(entities.values()):
        if kind in ("CLOSED_SHELL", "OPEN_SHELL"):
            for number in _references(body):
                face = entities.get(number, ("", ""))
                corners = _corners(number, entities) if face[0] == "ADVANCED_FACE" else []
                if not corners:
                    return []
                name = _STRING.search(face[1])
                label = name.group(1).strip() if name else ""
                found.append(LabelledFace("" if label == "NONE" else label, np.array([np.min(corners, axis=0), np.max(corners, axis=0)])))
    return found


def matched_labels(faces: list[LabelledFace], bounds: list[np.ndarray]) -> list[str]:
    """The names of the model's faces, given (2, 3) bounds of their vertices [m] in order; empty where the files' places are others.

    Both orders must be the same and every face must lie where the file says, up to one scale for all: else no name is believed.
    """
    if len(faces) != len(bounds) or not any(face.label for face in faces):
        return [""] * len(bounds)
    there, here = np.array([face.bounds for face in faces]), np.array(bounds)
    sizes = [np.linalg.norm(item.max(axis=(0, 1)) - item.min(axis=(0, 1))) for item in (there, here)]
    if not min(sizes) > 0 or np.abs(there * (sizes[1] / sizes[0]) - here).max() > _SAME * sizes[1]:
        return [""] * len(bounds)
    return [face.label for face in faces]


def _corners(number: int, entities: dict[int, tuple[str, str]]) -> list[list[float]]:
    """Vertices below a face: through its bounds, loops and edges; surfaces and curves are not looked into."""
    kind, body = entities.get(number, ("", ""))
    below = _references(body)
    if kind == "CARTESIAN_POINT":
        values = [float(value) for value in _NUMBER.findall(_STRING.sub("", body))]
        return [values] if len(values) == 3 else []
    if kind == "ADVANCED_FACE":
        below = below[:-1]  # the last one is the surface
    elif kind == "EDGE_CURVE":
        below = below[:2]  # the third one is the curve
    elif kind not in ("FACE_BOUND", "FACE_OUTER_BOUND", "EDGE_LOOP", "VERTEX_LOOP", "ORIENTED_EDGE", "VERTEX_POINT"):
        return []
    return [corner for part in below for corner in _corners(part, entities)]


def _references(body: str) -> list[int]:
    return [int(number) for number in _REFERENCE.findall(_STRING.sub("", body))]
