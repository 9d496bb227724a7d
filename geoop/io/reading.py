"""Any mesh file -> ``Mesh`` or ``Case`` in metres: one table from suffix to reader, one way through it."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from ..errors import ConfigurationError, GeoopError, UnitError, UnreadableFileError, UnsupportedFormatError
from ..mesh.case import Case
from ..mesh.mesh import Mesh
from . import annotations
from .contents import Contents, check_contents
from .fields import fields_of
from .formats.airfoil import read_airfoil
from .formats.clouds import read_npy, read_table
from .formats.gltf import read_gltf
from .formats.msh import read_msh
from .formats.obj import read_obj
from .formats.off import read_off
from .formats.ply import read_ply
from .formats.stl import read_stl
from .formats.su2 import read_su2
from .formats.through_meshio import read_through_meshio
from .formats.vtk_files import read_vtk
from .recognise import is_binary, recognised
from .source import COMPRESSIONS, Source
from .units import metres_per, missing_unit


@dataclass(frozen=True)
class Format:
    """How one kind of file is read.

    Attributes:
        name: as people call it.
        reader: file -> contents in the file's own unit.
        length: ``unit`` if the user must say the unit, ``metres`` for solver formats, ``chord`` for sections on a chord of 1.
        cloud: whether bare points without cells are expected.
    """

    name: str
    reader: Callable[[Source], Contents]
    length: Literal["unit", "metres", "chord"]
    cloud: bool = False


#: suffix -> how it is read. Compressed files are looked up by the suffix in front of .gz or .bz2.
FORMATS: dict[str, Format] = {
    ".stl": Format("STL", read_stl, "unit"),
    ".obj": Format("Wavefront OBJ", read_obj, "unit"),
    ".ply": Format("PLY", read_ply, "unit", cloud=True),
    ".off": Format("OFF", read_off, "unit"),
    ".glb": Format("glTF", read_gltf, "unit"),
    ".gltf": Format("glTF", read_gltf, "unit"),
    ".csv": Format("CSV point cloud", read_table, "unit", cloud=True),
    ".txt": Format("text point cloud", read_table, "unit", cloud=True),
    ".xyz": Format("XYZ point cloud", read_table, "unit", cloud=True),
    ".npy": Format("NumPy point cloud", read_npy, "unit", cloud=True),
    ".vtu": Format("VTK unstructured grid", read_vtk, "metres", cloud=True),
    ".vtp": Format("VTK polygonal data", read_vtk, "metres", cloud=True),
    ".vtk": Format("legacy VTK", read_vtk, "metres", cloud=True),
    ".vts": Format("VTK structured grid", read_vtk, "metres"),
    ".vtr": Format("VTK rectilinear grid", read_vtk, "metres"),
    ".vti": Format("VTK image data", read_vtk, "metres"),
    ".msh": Format("Gmsh", read_msh, "metres"),
    ".su2": Format("SU2", read_su2, "metres"),
    ".inp": Format("Abaqus", read_through_meshio, "unit"),
    ".bdf": Format("Nastran", read_through_meshio, "unit"),
    ".nas": Format("Nastran", read_through_meshio, "unit"),
    ".mesh": Format("Medit", read_through_meshio, "unit"),
    ".dat": Format("aerofoil coordinates", read_airfoil, "chord"),
}


def read(path: str | os.PathLike[str], *, unit: str | None = None, chord: float | None = None, name: str | None = None) -> Mesh:
    """Read the geometry of any file in :data:`FORMATS`, also compressed (.gz, .bz2), as a mesh in metres.

    Cell types are kept (quads, polygons, quadratic cells), and so are boundary names: markers, physical groups, solids, groups
    and objects become patches. What had to be assumed or changed is said in ``Mesh.notes``.

    Args:
        path: the file.
        unit: length unit of the file (``"mm"``, ``"m"``, ``"in"``, ...). Required for formats that do not say it (STL, OBJ, PLY,
            OFF, glTF, Abaqus, Nastran, Medit, point clouds). Solver formats (VTK, Gmsh, SU2) are SI metres, and another unit is refused.
        chord: chord in metres of an aerofoil ``.dat`` section, 1 m unless given; other formats refuse it.
        name: what the mesh is called in messages; the file's stem unless given.

    Raises:
        UnreadableFileError: missing, empty, truncated, damaged, or of another format than its name says.
        UnsupportedFormatError: no reader for this suffix, or for what is inside.
        UnitError: ``unit`` is missing, unknown, or given where the file has its own.
        InvalidMeshError: coordinates that are not finite, or indices out of range.
    """
    return read_case(path, unit=unit, chord=chord, name=name).mesh


def read_case(path: str | os.PathLike[str], *, unit: str | None = None, chord: float | None = None, name: str | None = None) -> Case:
    """Read a file as :func:`read` does, with its point and cell arrays as fields.

    Array names ``pressure [Pa]`` give quantity and unit. A name that geoop knows but that comes without a unit is taken in SI and
    noted; an unknown name gets the unit ``?``. A file written by :func:`geoop.io.paraview.write_case` comes back whole: patches,
    zones, operating point, boundary values, time and notes.

    Raises:
        The same errors as :func:`read`.
    """
    source = Source.find(path)
    form = format_of(source)
    factor, said = _scale(form, unit, chord, source.where)
    contents = load(source, form)
    if factor is None:
        raise missing_unit(form.name, contents.points, source.where)
    return build(contents, factor, said, source, name)


def format_of(source: Source) -> Format:
    """The way to read a file by its suffix, after a look at what is inside.

    Raises:
        UnreadableFileError: the content is of another format than the name says.
        UnsupportedFormatError: no reader for the suffix.
    """
    head = source.head()
    guess = recognised(head, source.path.stat().st_size if not source.compression else None)
    form = FORMATS.get(source.suffix)
    if form is None:
        raise _unsupported(source, guess)
    known = {suffix for suffix, other in FORMATS.items() if other.reader is form.reader} if form.reader is not read_vtk else {source.suffix}
    if guess is not None and not known.intersection(guess.suffixes):
        if guess.suffixes:
            target = f"{source.stem}{guess.suffixes[0]}" if guess.suffixes[0] not in COMPRESSIONS else f"{source.path.name}{guess.suffixes[0]}"
            remedy = f"rename it to '{target}' and read that"
        else:
            remedy = guess.remedy
        raise UnreadableFileError(f"is named '{source.suffix}' but its content seems to be a {guess.name}", where=source.where, remedy=remedy)
    if form.length == "chord" and is_binary(head):
        raise UnreadableFileError(
            "holds binary data, expected text with x and y per line", where=source.where, remedy="give the file its true suffix"
        )
    return form


def load(source: Source, form: Format) -> Contents:
    """What is in the file, checked, in the file's own unit.

    Raises:
        UnreadableFileError, UnsupportedFormatError, InvalidMeshError: see :func:`read`; ``where`` is always the file.
    """
    try:
        contents = form.reader(source)
        check_contents(contents, cloud=form.cloud, where=source.where)
    except GeoopError as error:
        error.where = error.where or source.where
        raise
    except (ArithmeticError, LookupError, MemoryError, OSError, TypeError, ValueError) as error:
        raise UnreadableFileError(
            f"cannot be understood as {form.name}: {error or type(error).__name__}", where=source.where, remedy="the file is damaged: export it again"
        ) from error
    return contents


def build(contents: Contents, factor: float, said: tuple[str, ...], source: Source, name: str | None = None) -> Case:
    """A case in metres from what was read.

    Args:
        contents: checked contents.
        factor: metres per unit of the file.
        said: notes on the unit.
        source: the file.
        name: of mesh and case; otherwise what the file itself says, otherwise its stem.
    """
    saved = contents.annotations
    own = list(saved.get("name", []))
    fields, assumed = fields_of(contents.arrays, contents.points.shape[1])
    earlier = tuple(str(note) for note in saved.get("notes", []))
    mesh = Mesh(
        contents.points * factor if factor != 1.0 else contents.points,
        contents.cells,
        contents.patches,
        contents.zones,
        name=name or (str(own[1]) if len(own) > 1 else source.stem),
        notes=tuple(dict.fromkeys((*earlier, *contents.notes, *said, *assumed))),
    )
    try:
        case = annotations.case_of(mesh, saved, fields)
    except GeoopError as error:
        error.where = f"{source.where}: {error.where}" if error.where else source.where
        raise
    except (LookupError, TypeError, ValueError) as error:
        raise UnreadableFileError(f"what geoop stored beside the mesh is damaged: {error}", where=source.where, remedy="write it again") from error
    return replace(case, name=name) if name else case


def _scale(form: Format, unit: str | None, chord: float | None, where: str) -> tuple[float | None, tuple[str, ...]]:
    """Metres per unit of the file (None: the user must say it) and the note that says so."""
    if chord is not None and form.length != "chord":
        raise ConfigurationError(
            f"chord= has no meaning for {form.name} files", where=where, remedy="leave it out; give unit= where the format needs one"
        )
    if form.length == "unit":
        return (None, ()) if unit is None else (metres_per(unit, where), (f"lengths are read in {unit} and stored in m",))
    if form.length == "chord":
        if unit is not None:
            raise UnitError(
                "aerofoil coordinates are per chord and have no unit", where=where, remedy="leave unit= out and give the chord in metres: chord=0.25"
            )
        if chord is not None and not (isinstance(chord, (int, float)) and 0 < chord < float("inf")):
            raise UnitError(f"chord is {chord!r}", where=where, remedy="give a positive length in metres: chord=0.25")
        return float(chord or 1.0), (f"chord {chord:g} m as given" if chord else "chord-normalised: the chord is taken as 1 m",)
    if unit is not None and metres_per(unit, where) != 1.0:
        raise UnitError(
            f"{form.name} is a solver format, read in SI metres; unit='{unit}' would scale the mesh but not its fields",
            where=where,
            remedy="leave unit= out; if the file really is in another unit, scale the mesh after reading: mesh.moved(mesh.points * 0.001)",
        )
    return 1.0, ()


def _unsupported(source: Source, guess) -> UnsupportedFormatError:
    known = ", ".join(FORMATS)
    inside = f"; its content seems to be a {guess.name}" if guess else ""
    if guess and guess.suffixes:
        remedy = f"rename it to '{source.stem}{guess.suffixes[0]}' and read that"
    elif guess:
        remedy = guess.remedy
    else:
        near = difflib.get_close_matches(source.suffix, FORMATS, n=1, cutoff=0.8)
        remedy = f"did you mean '{near[0]}'? read are {known}" if near else f"export it as .vtu; read are {known}, each also as .gz or .bz2"
    return UnsupportedFormatError(f"no reader for '{source.suffix or 'a file without suffix'}'{inside}", where=source.where, remedy=remedy)
