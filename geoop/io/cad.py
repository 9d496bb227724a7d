"""STEP and IGES through gmsh: every face of the model becomes a patch of triangles, in metres."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from .. import errors
from ..errors import ConfigurationError, MissingDependencyError, UnreadableFileError, UnsupportedFormatError
from ..mesh.cells import Cells
from ..mesh.mesh import Mesh
from ..mesh.orientation import oriented
from .contents import Contents, check_contents
from .source import Source

#: Suffixes of the files that are read here.
SUFFIXES = (".step", ".stp", ".iges", ".igs")
_AGAIN = "export it again as STEP (AP214 or AP242); if a CAD system reads it, try the other of STEP and IGES"


def read_cad(source: Source) -> Contents:
    """The surface of a CAD model as triangles in metres, whatever unit the file is in.

    Edges are a fortieth of the model's diagonal at most, and 15 degrees of a bend; :func:`tessellate` takes other sizes. Edges
    between two faces are divided once, so solids come out closed, with normals outward. Each face is a patch under its label in
    the file, else ``face 1``, ``face 2``, ...; several solids are zones.

    Raises:
        UnreadableFileError: damaged, not CAD, or without faces.
        MissingDependencyError: gmsh is not installed (``pip install geoop[cad]``).
    """
    return _contents(source, None, None)


def tessellate(path: str | os.PathLike[str], *, size: float | None = None, angle: float | None = None) -> Mesh:
    """As reading a CAD file, with the fineness of the triangles chosen.

    Args:
        path: STEP or IGES file, also compressed.
        size: longest edge [m]; a fortieth of the model's diagonal if None.
        angle: of a bend per edge [deg], 1 to 90; 15 if None.

    Raises:
        UnreadableFileError: missing, damaged, not CAD, or without faces.
        ConfigurationError: a size or angle out of range.
        MissingDependencyError: gmsh is not installed (``pip install geoop[cad]``).
    """
    problems = []
    if size is not None and not 0 < size < np.inf:
        problems.append(f"size is {size}, give a positive length in metres")
    if angle is not None and not 1 <= angle <= 90:
        problems.append(f"angle is {angle}, give 1 to 90 degrees")
    if problems:
        raise ConfigurationError("; ".join(problems), where="tessellate", remedy="leave them out for the defaults")
    source = Source.find(path)
    if source.suffix not in SUFFIXES:
        raise UnsupportedFormatError(
            f"'{source.suffix}' is no CAD format that is read", where=source.where, remedy=f"give one of {', '.join(SUFFIXES)}; meshes: geoop.read"
        )
    found = _contents(source, size, angle)
    check_contents(found, cloud=False, where=source.where)
    return Mesh(found.points, found.cells, found.patches, found.zones, name=source.stem, notes=found.notes)


def _contents(source: Source, size: float | None, angle: float | None) -> Contents:
    _require_kind(source)
    if importlib.util.find_spec("gmsh") is None:
        raise MissingDependencyError("CAD files need gmsh, which is not installed", where=source.where, remedy="pip install geoop[cad]")
    with source.file() as path, tempfile.TemporaryDirectory(prefix="geoop-cad-") as folder:
        found = _in_a_process(path, Path(folder), {"size": size, "angle": angle}, source.where)
    points, triangles = found["points"], found["triangles"]
    cells = oriented(Mesh(points, Cells.of(triangle=triangles))).cells
    bounds = found["face_bounds"]
    said = json.loads(str(found["words"]))
    patches = {name: cells.take(np.arange(a, b)) for name, a, b in zip(_distinct(said["faces"]), bounds[:-1], bounds[1:], strict=True)}
    zones = {name: np.flatnonzero(row) for name, row in zip(_distinct(said["solids"]), found["in_solid"], strict=True)}
    return Contents(points, cells, patches, zones, notes=tuple(said["notes"]))


def _in_a_process(path: Path, folder: Path, options: dict, where: str) -> dict[str, np.ndarray]:
    """What :mod:`geoop.io.cad_faces` finds, worked out in a process of its own: damaged files make OCC crash, and it prints.

    Raises:
        UnreadableFileError: the process died.
        GeoopError: the one that the process met.
    """
    home = str(Path(__file__).resolve().parents[2])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([home, *filter(None, [os.environ.get("PYTHONPATH")])])}
    answer = folder / "answer.npz"
    command = [sys.executable, "-m", "geoop.io.cad_faces", str(path), str(answer), json.dumps(options | {"where": where})]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    if done.returncode or not answer.exists():
        raise UnreadableFileError("gmsh crashed on it: the file is damaged, or of a dialect that OCC does not know", where=where, remedy=_AGAIN)
    with np.load(answer) as stored:
        found = dict(stored)
    if "error" in found:
        problem = json.loads(str(found["error"]))
        raise getattr(errors, problem["error"])(problem["message"], remedy=problem["remedy"], where=problem["where"])
    return found


def _require_kind(source: Source) -> None:
    """Raise unless the first bytes are those of the kind that the name says; OCC would crash on some others."""
    head = source.head(4096)
    step = b"ISO-10303-21" in head[:512]
    iges = len(head) > 72 and head[72:73] in b"SC" and b"\0" not in head[:80]
    wanted = "STEP" if source.suffix in (".step", ".stp") else "IGES"
    if not (step if wanted == "STEP" else iges):
        raise UnreadableFileError(
            f"does not begin like a {wanted} file", where=source.where, remedy="give the file its true suffix, or export it again"
        )
    if step and b"END-ISO-10303-21" not in source.data()[-4096:]:
        raise UnreadableFileError("is cut off: the last line of a STEP file is missing", where=source.where, remedy="copy or export it again")


def _distinct(labels: list[str]) -> list[str]:
    """Labels with a number after those that were there before."""
    taken: dict[str, int] = {}
    out: list[str] = []
    for label in labels:
        taken[label] = taken.get(label, 0) + 1
        name = label if taken[label] == 1 else f"{label} {taken[label]}"
        while name in out:
            name += "'"
        out.append(name)
    return out
