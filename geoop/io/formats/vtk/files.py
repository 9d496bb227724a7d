"""The VTK family through VTK's own readers: .vtu, .vtp, .vtk, .vts, .vtr, .vti."""

from __future__ import annotations

import mmap
import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ....errors import UnreadableFileError
from ....mesh.cells import CELL_TYPES
from ...contents import Array, Contents
from ...isolated import read_isolated
from ...source import Source
from .data import Piece, numpy_of, piece_of, poly_data, unstructured
from .layout import check_layout
from .legacy import check_legacy, with_standins, without_standins
from .messages import captured

# names under which other readers of VTK's data sets know them
_numpy, _poly_data, _unstructured = numpy_of, poly_data, unstructured

#: Suffixes of single data sets, which the collections of VTK refer to.
SINGLE = (".vtu", ".vtp", ".vts", ".vtr", ".vti", ".vtk")
_CELL_TYPES = re.compile(rb"\bCELL_TYPES\s+(\d+)[ \t\r]*\n")
_FIELD = re.compile(rb"^\s*FIELD\b", re.M | re.I)
#: Marks field data among the arrays that a child hands back.
_SAVED = "field data: "


def read_vtk(source: Source) -> Contents:
    """Points, cells of all types, and point and cell arrays of a VTK file, XML or legacy.

    Structured grids become explicit cells, polyhedra keep their faces. A mesh without volume cells whose points have one common z
    is two-dimensional. What geoop itself wrote beside the mesh (patches, operating point, notes) is read back.

    Raises:
        UnreadableFileError: damaged, truncated, or not a mesh; VTK's own words are in the message.
        UnsupportedFormatError: cell types that geoop does not have.
    """
    with source.file() as path:
        return read_piece(path, source.where, source.suffix).contents()


def read_piece(path: Path, where: str, suffix: str = "") -> Piece:
    """One plain VTK file with a single data set.

    Args:
        path: on disk.
        where: what errors call it.
        suffix: one of :data:`SINGLE`; that of the path unless given.

    Raises:
        The same errors as :func:`read_vtk`.
    """
    suffix = suffix or path.suffix.lower()
    if suffix == ".vtk":
        return _read_legacy(path, where)
    with captured() as complaints:
        if not check_layout(path, where):
            return _read_apart(path, where)
        return _checked(_read(suffix, str(path)), complaints(), where)


def _read_legacy(path: Path, where: str) -> Piece:
    """A legacy file: looked through for what is missing, with NaN in text where VTK would stop."""
    found = check_legacy(path, where)
    changed = with_standins(path, found)
    if changed is None:
        piece = _legacy_piece(path, where)
    else:
        with tempfile.TemporaryDirectory(prefix="geoop-") as folder:
            copy = Path(folder) / "copy.vtk"
            copy.write_bytes(changed)
            piece = _legacy_piece(copy, where)
        arrays = tuple(replace(array, values=without_standins(array.values)) for array in piece.arrays)
        saved = {name: values if isinstance(values, list) else without_standins(values) for name, values in piece.saved.items()}
        piece = replace(piece, points=without_standins(piece.points), arrays=arrays, saved=saved)
    if found.open_end:
        piece = replace(
            piece, notes=(*piece.notes, "the file ends without a line break: if it is cut off, its last value is wrong or arrays are missing")
        )
    return piece


def _legacy_piece(path: Path, where: str) -> Piece:
    with captured() as complaints:
        if not _safe_legacy(path):
            return _read_apart(path, where)
        return _checked(_read(".vtk", str(path)), complaints(), where)


def _safe_legacy(path: Path) -> bool:
    """Whether a legacy file has neither polyhedra nor fields: VTK follows counts of faces and torn heads of fields blindly."""
    with open(path, "rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if _FIELD.search(data):
            return False
        for found in _CELL_TYPES.finditer(data):
            count, start = int(found.group(1)[:15]), found.end()
            if b"BINARY" in data[:600]:
                count_there = min(count, (len(data) - start) // 4)
                codes, torn = np.frombuffer(data[start : start + 4 * count_there], ">i4"), count_there < count
            else:
                codes = np.array([int(word) for word in data[start : start + 4 * count + 64].split()[:count] if word.isdigit()], dtype=np.int64)
                torn = False
            if torn or (codes == CELL_TYPES["polyhedron"][0]).any():
                return False
    return True


def _read_apart(path: Path, where: str) -> Piece:
    """A file on which VTK may crash, read in a process where that does no harm."""
    contents = read_isolated("vtk.files:read_blind", path, None, where)
    arrays = tuple(array for array in contents.arrays if not array.label.startswith(_SAVED))
    saved: dict[str, np.ndarray | list[str]] = {}
    for array in contents.arrays:
        if array.label.startswith(_SAVED):
            values = array.values
            saved[array.label.removeprefix(_SAVED)] = [str(text) for text in values] if values.dtype.kind == "U" else values
    return Piece(contents.points, contents.cells, arrays, contents.notes, saved)


def read_blind(path: Path, time: float | None, where: str) -> Contents:
    """The child's part of :func:`read_piece`: a file as it is, without what is made of its field data; ``time`` is not used."""
    with captured() as complaints:
        data = _read(path.suffix.lower(), str(path))
        piece = _checked(data, complaints(), where)
    saved = (
        Array(_SAVED + name, np.array(values, dtype=str) if isinstance(values, list) else values, "global") for name, values in piece.saved.items()
    )
    return Contents(piece.points, piece.cells, arrays=(*piece.arrays, *saved), notes=piece.notes)


def _checked(data: Any, problems: list[str], where: str) -> Piece:
    if problems:
        raise UnreadableFileError(f"VTK cannot read it: {'; '.join(dict.fromkeys(problems[:3]))}", where=where, remedy="export or download it again")
    return piece_of(data, where)


def _read(suffix: str, path: str) -> Any:
    from vtkmodules import vtkIOLegacy, vtkIOXML

    readers = {
        ".vtu": vtkIOXML.vtkXMLUnstructuredGridReader,
        ".vtp": vtkIOXML.vtkXMLPolyDataReader,
        ".vts": vtkIOXML.vtkXMLStructuredGridReader,
        ".vtr": vtkIOXML.vtkXMLRectilinearGridReader,
        ".vti": vtkIOXML.vtkXMLImageDataReader,
        ".vtk": vtkIOLegacy.vtkGenericDataObjectReader,
    }
    reader = readers[suffix]()
    reader.SetFileName(path)
    if suffix == ".vtk":  # the legacy reader drops all but the first array of a kind unless told otherwise
        for name in ("Scalars", "Vectors", "Normals", "Tensors", "TCoords", "Fields"):
            getattr(reader, f"ReadAll{name}On")()
    reader.Update()
    return reader.GetOutput()
