"""The table of formats: from the suffix of a file, and a look inside it, to its reader."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ...errors import UnreadableFileError, UnsupportedFormatError
from ..contents import Contents
from ..recognise import Guess, is_binary, recognised
from ..source import COMPRESSIONS, Source
from .airfoil import read_airfoil
from .clouds import read_npy, read_table
from .gltf import read_gltf
from .msh import read_msh
from .obj import read_obj
from .off import read_off
from .ply import read_ply
from .stl import read_stl
from .su2 import read_su2
from .through_meshio import read_through_meshio
from .vtk_files import read_vtk


@dataclass(frozen=True)
class Format:
    """How one kind of file is read.

    Attributes:
        name: as people call it; the same as in :mod:`geoop.io.recognise` where the content can be told.
        suffixes: lower-case; a suffix that several formats have is decided by the content, the first of them otherwise.
        reader: file -> contents in the file's own unit.
        length: ``unit`` if the user must say the unit, ``metres`` for solver formats, ``chord`` for sections on a chord of 1.
        cloud: whether bare points without cells are expected.
    """

    name: str
    suffixes: tuple[str, ...]
    reader: Callable[[Source], Contents]
    length: Literal["unit", "metres", "chord"]
    cloud: bool = False


FORMATS: tuple[Format, ...] = (
    Format("STL", (".stl",), read_stl, "unit"),
    Format("Wavefront OBJ", (".obj",), read_obj, "unit"),
    Format("PLY", (".ply",), read_ply, "unit", cloud=True),
    Format("OFF", (".off",), read_off, "unit"),
    Format("glTF", (".glb", ".gltf"), read_gltf, "unit"),
    Format("CSV point cloud", (".csv", ".txt", ".xyz"), read_table, "unit", cloud=True),
    Format("NumPy point cloud", (".npy",), read_npy, "unit", cloud=True),
    Format("VTK unstructured grid", (".vtu",), read_vtk, "metres", cloud=True),
    Format("VTK polygonal data", (".vtp",), read_vtk, "metres", cloud=True),
    Format("legacy VTK", (".vtk",), read_vtk, "metres", cloud=True),
    Format("VTK structured grid", (".vts",), read_vtk, "metres"),
    Format("VTK rectilinear grid", (".vtr",), read_vtk, "metres"),
    Format("VTK image data", (".vti",), read_vtk, "metres"),
    Format("Gmsh", (".msh",), read_msh, "metres"),
    Format("SU2", (".su2",), read_su2, "metres"),
    Format("Abaqus", (".inp",), read_through_meshio, "unit"),
    Format("Nastran", (".bdf", ".nas"), read_through_meshio, "unit"),
    Format("Medit", (".mesh",), read_through_meshio, "unit"),
    Format("aerofoil coordinates", (".dat",), read_airfoil, "chord"),
)

#: Every suffix that geoop reads, in the order of the table.
SUFFIXES: tuple[str, ...] = tuple(dict.fromkeys(suffix for form in FORMATS for suffix in form.suffixes))


def format_of(source: Source) -> Format:
    """The way to read a file by its suffix, after a look at what is inside.

    Raises:
        UnreadableFileError: the content is of another format than the name says.
        UnsupportedFormatError: no reader for the suffix.
    """
    head = source.head()
    guess = recognised(head, source.path.stat().st_size if not source.compression and head else None)
    candidates = [form for form in FORMATS if source.suffix in form.suffixes]
    if not candidates:
        raise _unsupported(source, guess)
    if guess is None:
        form = candidates[0]
    else:
        known = [form for form in candidates if form.name == guess.format]
        if not known:
            raise _misnamed(source, guess)
        form = known[0]
    if form.length == "chord" and is_binary(head):
        raise UnreadableFileError(
            "holds binary data, expected text with x and y per line", where=source.where, remedy="give the file its true suffix"
        )
    return form


def _misnamed(source: Source, guess: Guess) -> UnreadableFileError:
    return UnreadableFileError(
        f"is named '{source.suffix}' but its content seems to be a {guess.name}", where=source.where, remedy=_rename(source, guess) or guess.remedy
    )


def _rename(source: Source, guess: Guess) -> str:
    """What to call the file; empty if geoop reads no such format."""
    if guess.suffix in COMPRESSIONS:
        return f"rename it to '{source.path.name}{guess.suffix}' and read that"
    suffix = next((form.suffixes[0] for form in FORMATS if form.name == guess.format), "")
    return f"rename it to '{source.stem}{suffix}' and read that" if suffix else ""


def _unsupported(source: Source, guess: Guess | None) -> UnsupportedFormatError:
    known = ", ".join(SUFFIXES)
    inside = f"; its content seems to be a {guess.name}" if guess else ""
    if guess:
        remedy = _rename(source, guess) or guess.remedy
    else:
        near = difflib.get_close_matches(source.suffix, SUFFIXES, n=1, cutoff=0.8)
        remedy = (
            f"did you mean '{near[0]}'? read are {known}" if near else f"export it as .vtu; read are {known}, each also as .gz, .bz2 or in a .zip"
        )
    return UnsupportedFormatError(f"no reader for '{source.suffix or 'a file without suffix'}'{inside}", where=source.where, remedy=remedy)
