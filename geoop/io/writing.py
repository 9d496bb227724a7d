"""A mesh, case or series to any file that geoop writes: one way through a table of suffixes.

===========  ==============================================================================================================
``.vtu``     anything; patches, zones, boundary values and the operating point as well: nothing of a case is lost
``.vtp``     points, outlines, surfaces; nothing is lost
``.vtm``     anything, one file per zone and patch in a folder beside it; nothing is lost
``.vtkhdf``  anything, in one HDF5 file; nothing is lost
``.pvd``     a series, one .vtu per step in a folder beside it
``.msh``     Gmsh 4.1, binary or text: zones and patches as physical groups, point and cell fields
``.su2``     plane and volume meshes: patches as markers; zones that share no points
``.stl``     surfaces as triangles, binary, or text with one solid per patch
``.ply``     surfaces and clouds with point and cell fields, binary or text
``.obj``     surfaces and outlines, one group per patch
``.foam``    plane and volume meshes: an OpenFOAM case in the folder of this (empty) file, with cell and point fields
``.csv``     points, or centres of cells, with the fields there
===========  ==============================================================================================================
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import ConfigurationError, GeoopError, UnitError, UnsupportedFormatError, UnwritableFileError
from ..mesh.case import Case, Series
from ..mesh.mesh import Mesh
from .atomic import replacing
from .openfoam.case_writing import write_foam
from .paraview import write_case, write_series
from .units import metres_per
from .writers.csv import write_csv
from .writers.msh import write_msh
from .writers.obj import write_obj
from .writers.options import Options
from .writers.ply import write_ply
from .writers.stl import write_stl
from .writers.su2 import write_su2
from .writers.surface import part_of
from .writers.vtkhdf import write_vtkhdf
from .writers.vtm import write_vtm


@dataclass(frozen=True)
class Written:
    """A file that was written.

    Attributes:
        path: where it is.
        notes: what it does not hold, and what was changed for it, in sentences.
    """

    path: Path
    notes: tuple[str, ...] = ()

    def __fspath__(self) -> str:
        return str(self.path)


@dataclass(frozen=True)
class _Writer:
    """How a suffix is written.

    Attributes:
        write: the function; returns notes.
        unit: whether the file can be in another unit than metres.
        takes: options that it has.
        atomic: whether the function itself sees to it that the file appears whole or not at all.
    """

    write: Callable[[Case, Path, Options], tuple[str, ...]]
    unit: bool = False
    takes: tuple[str, ...] = ()
    atomic: bool = False


def _write_vtk(case: Case, path: Path, options: Options) -> tuple[str, ...]:
    write_case(case, path, compress=options.compress)
    return ()


def _write_vtm(case: Case, path: Path, options: Options) -> tuple[str, ...]:
    write_vtm(case, path, compress=options.compress)
    return ()


def _write_vtkhdf(case: Case, path: Path, options: Options) -> tuple[str, ...]:
    write_vtkhdf(case, path, compress=options.compress)
    return ()


WRITERS: dict[str, _Writer] = {
    ".vtu": _Writer(_write_vtk, takes=("compress",), atomic=True),
    ".vtp": _Writer(_write_vtk, takes=("compress",), atomic=True),
    ".vtm": _Writer(_write_vtm, takes=("compress",), atomic=True),
    ".vtkhdf": _Writer(_write_vtkhdf, takes=("compress",), atomic=True),
    ".stl": _Writer(write_stl, unit=True, takes=("text",)),
    ".ply": _Writer(write_ply, unit=True, takes=("text",)),
    ".obj": _Writer(write_obj, unit=True, takes=("text",)),
    ".su2": _Writer(write_su2, takes=("text",)),
    ".msh": _Writer(write_msh, takes=("text",)),
    ".foam": _Writer(write_foam, takes=("text",), atomic=True),
    ".csv": _Writer(write_csv, unit=True, takes=("text", "location")),
}
#: Files with a folder of the same name beside them.
_WITH_FOLDER = (".pvd", ".vtm")


def write(
    what: Mesh | Case | Series,
    path: str | os.PathLike[str],
    *,
    unit: str | None = None,
    patches: Sequence[str] | None = None,
    text: bool = False,
    compress: bool = False,
    location: Literal["point", "cell"] | None = None,
    overwrite: bool = True,
) -> Written:
    """Write a mesh, a case or a series; the suffix says the format, see the table above.

    Geometry that a format cannot hold is an error. What else of a case it cannot hold (fields, names, conditions) is left out
    and said in the notes of the result. A volume mesh goes into STL, PLY and OBJ by its patches, without patches by its
    outer faces. The file appears whole or not at all.

    Args:
        what: a mesh, a case with its fields, or a series.
        path: the suffix decides the format.
        unit: length unit of the file, for STL, PLY, OBJ and CSV; metres unless given. Other formats are in metres.
        patches: write only these patches, as a surface or an outline, with the fields on them.
        text: text instead of binary; the VTK formats have no text.
        compress: the VTK formats: LZ4, deflate in .vtkhdf.
        location: rows of a CSV file: one per ``point`` or per ``cell``; cells where all fields live at cells, else points.
        overwrite: whether a file that is there is replaced.

    Returns:
        The path and the notes.

    Raises:
        UnsupportedFormatError: no writer for the suffix, or geometry that the format cannot hold.
        UnitError: ``unit`` is unknown, or the format is in metres.
        PatchError: the mesh has no such patch.
        FieldError: fields on facets, into a VTK format.
        ConfigurationError: an option that the format does not have.
        UnwritableFileError: the file cannot be written, or is there and ``overwrite`` is false.
    """
    target = Path(path).expanduser()
    if not isinstance(what, Mesh | Case | Series):
        kind = type(what).__name__
        raise ConfigurationError(f"a {kind} is no mesh, case or series", where=str(target), remedy="a result writes itself: result.write(path)")
    if target.exists() and not overwrite and not target.is_dir():
        raise UnwritableFileError("is there already", where=str(target), remedy="give another name, or overwrite=True")
    options = Options(unit or "m", 1.0 / metres_per(unit) if unit else 1.0, text, compress, location)
    try:
        if isinstance(what, Series):
            return _series(what, target, patches, options)
        return _one(Case(what) if isinstance(what, Mesh) else what, target, patches, options)
    except GeoopError as error:
        if isinstance(error, UnsupportedFormatError) or not error.where:
            error.where = str(target)
        raise


def is_input(path: str | os.PathLike[str], target: str | os.PathLike[str]) -> bool:
    """Whether writing the target would touch the path: one file, the archive that it lies in, the folder of its steps or blocks, or its OpenFOAM case."""
    one, two = Path(path).expanduser().resolve(), Path(target).expanduser().resolve()
    if one.exists() and two.exists() and one.samefile(two):
        return True
    if one == two or (two.is_file() and two in one.parents):
        return True
    if two.suffix.lower() == ".foam":  # a marker: the mesh and the fields lie in its folder
        read = one.parent if one.suffix.lower() == ".foam" else one
        return two.parent == read or two.parent / "constant" in read.parents
    if two.suffix.lower() not in _WITH_FOLDER:
        return False
    folder = two.with_suffix("")
    return folder == one or folder in one.parents or (one.suffix.lower() in _WITH_FOLDER and folder == one.with_suffix(""))


def _one(case: Case, target: Path, patches: Sequence[str] | None, options: Options) -> Written:
    suffix = target.suffix.lower()
    writer = _writer(suffix)
    _check_options(writer, suffix, options)
    notes: tuple[str, ...] = ()
    if patches is not None:
        case, notes = part_of(case, _names(patches))
    if writer.atomic:
        notes += writer.write(case, target, options)
    else:
        with replacing(target) as beside:
            notes += writer.write(case, beside, options)
    return Written(target, tuple(dict.fromkeys(notes)))


def _names(patches: Sequence[str]) -> list[str]:
    names = [patches] if isinstance(patches, str) else list(patches)
    if not names:
        raise ConfigurationError("no patch is named", where="patches", remedy="name one, or leave patches out")
    return names


def _series(series: Series, target: Path, patches: Sequence[str] | None, options: Options) -> Written:
    if target.suffix.lower() != ".pvd":
        raise UnsupportedFormatError(
            f"a series of {len(series.cases)} steps is written as .pvd, not '{target.suffix}'",
            remedy=f"write to '{target.with_suffix('.pvd')}', or one step of it: series.cases[-1]",
        )
    _check_options(WRITERS[".vtu"], ".pvd", options)
    notes: tuple[str, ...] = ()
    if patches is not None:
        parts = [part_of(case, _names(patches)) for case in series.cases]
        series = Series(series.values, tuple(case for case, _ in parts), series.parameter)
        notes = tuple(note for _, found in parts for note in found)
    return Written(write_series(series, target, compress=options.compress), tuple(dict.fromkeys(notes)))


def _writer(suffix: str) -> _Writer:
    if suffix == ".pvd":
        raise UnsupportedFormatError(
            "a .pvd file holds a series, not one case", remedy="write .vtu, or a series of cases: geoop.Series([0.0], (case,))"
        )
    if suffix not in WRITERS:
        raise UnsupportedFormatError(f"no writer for '{suffix or 'a file without suffix'}'", remedy=f"write one of {', '.join([*WRITERS, '.pvd'])}")
    return WRITERS[suffix]


def _check_options(writer: _Writer, suffix: str, options: Options) -> None:
    if options.scale != 1.0 and not writer.unit:
        raise UnitError(
            f"{suffix} files are in metres; unit='{options.unit}' would scale the mesh but not its fields", where="unit", remedy="leave unit out"
        )
    for name in ("text", "compress", "location"):
        if getattr(options, name) and name not in writer.takes:
            having = [key for key, item in WRITERS.items() if name in item.takes]
            raise ConfigurationError(f"{suffix} files have no option {name}", where=name, remedy=f"leave it out; {', '.join(having)} have it")
    if options.location not in (None, "point", "cell"):
        raise ConfigurationError(f"location is {options.location!r}", where="location", remedy="choose 'point' or 'cell'")
