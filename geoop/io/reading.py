"""Any mesh file -> ``Mesh``, ``Case`` or ``Series`` in metres: one way through the table of formats."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..errors import ConfigurationError, GeoopError, UnreadableFileError
from ..mesh.case import Case, Series
from ..mesh.mesh import Mesh
from . import annotations
from .contents import Contents
from .fields import fields_of
from .formats.table import format_of
from .loading import load, scaled
from .solution import attach
from .source import Source


def read(path: str | os.PathLike[str], *, unit: str | None = None, chord: float | None = None, name: str | None = None) -> Mesh:
    """Read the geometry of any file in :data:`~geoop.io.formats.table.FORMATS`, also compressed (.gz, .bz2, .zip), as a mesh in metres.

    Cell types are kept (quads, polygons, quadratic cells), and so are boundary names: markers, physical groups, solids, groups
    and objects become patches; blocks become zones. Of a file with several steps the last one is taken. What had to be assumed or changed is said in ``Mesh.notes``.

    Args:
        path: the file, the folder of an OpenFOAM case, or a member of an archive (``runs.zip/case7/mesh.su2``).
        unit: length unit of the file (``"mm"``, ``"m"``, ``"in"``, ...). Required for formats that do not say it (STL, OBJ, PLY,
            OFF, glTF, Abaqus, Nastran, Medit, point clouds). Solver formats (VTK, Gmsh, SU2, ...) are taken in metres unless this says another;
            their arrays stay as they are. Refused where the file states its unit (STEP, CGNS, OpenFOAM, what geoop wrote).
        chord: chord in metres of an aerofoil ``.dat`` section, 1 m unless given; other formats refuse it.
        name: what the mesh is called in messages; the file's stem unless given.

    Raises:
        UnreadableFileError: missing, empty, truncated, damaged, or of another format than its name says.
        UnsupportedFormatError: no reader for this suffix, or for what is inside.
        UnitError: ``unit`` is missing, unknown, or given where the file has its own.
        InvalidMeshError: coordinates that are not finite, or indices out of range.
    """
    return read_case(path, unit=unit, chord=chord, name=name).mesh


def read_case(
    path: str | os.PathLike[str],
    *,
    unit: str | None = None,
    chord: float | None = None,
    name: str | None = None,
    time: float | None = None,
    solution: str | os.PathLike[str] | list[str | os.PathLike[str]] | None = None,
) -> Case:
    """Read a file as :func:`read` does, with its point and cell arrays as fields.

    Array names ``pressure [Pa]`` give quantity and unit. A name that geoop knows but that comes without a unit is taken in SI and
    noted; an unknown name gets the unit ``?``. Values on patches become boundary values; patches that the file
    calls walls become ``Case.wall``. A file written by
    :func:`geoop.io.paraview.write_case` comes back whole: patches, zones, operating point, boundary values, time and notes.

    Args:
        path, unit, chord, name: as for :func:`read`.
        time: [s] the step to read of a file that has several; the last one unless given. A file of one step that says its time
            is read for that time only.
        solution: file with the fields of this mesh, or several (one per zone): an SU2 restart, a CSV, or any other file that is
            read; points are compared, see :func:`geoop.io.solution.attach`.

    Raises:
        ConfigurationError: the file has no such time.
        FieldError: the solution is of another mesh.
        The same errors as :func:`read`.
    """
    source = Source.find(path, time)
    form = format_of(source)
    contents, factor, said = scaled(source, form, unit, chord)
    if solution is not None:
        contents = attach(contents, solution, None if contents.times else time)
    case = build(contents, factor, said, source, name)
    if time is not None and not contents.times:
        check_time(case.time, time, source.where)
    return case


def check_time(own: float | None, wanted: float, where: str) -> None:
    """Raise unless the only step of a file is the wanted one, up to rounding."""
    if own is None:
        raise ConfigurationError(f"time={wanted:g}, but the file knows no times", where=where, remedy="leave time out")
    if abs(own - wanted) > 1e-6 * abs(wanted):
        raise ConfigurationError(
            f"there is no step at {wanted:g} s: the file has one, at {own:g} s", where=where, remedy=f"give time={own:g}, or leave time out"
        )


def read_series(
    path: str | os.PathLike[str],
    *,
    unit: str | None = None,
    name: str | None = None,
    start: float | None = None,
    stop: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Series:
    """Read all steps of a file that has several: .pvd, .vtkhdf, EnSight, Exodus, CGNS, an OpenFOAM case.

    Args:
        path, unit, name: as for :func:`read`.
        start: [s] first step wanted; from the beginning unless given.
        stop: [s] last step wanted; to the end unless given.
        progress: called with steps read and steps in all.

    Raises:
        UnreadableFileError: the file has no steps; :func:`read_case` reads it.
        ConfigurationError: no step between ``start`` and ``stop``.
        The same errors as :func:`read`.
    """
    found = read_steps(path, unit=unit, name=name, start=start, stop=stop, progress=progress)
    if isinstance(found, Series):
        return found
    stated = "the file knows no times" if found.time is None else f"the file has one step only, at {found.time:g} s"
    raise UnreadableFileError(
        stated, where=str(path), remedy="read it with geoop.read_case(path); on the command line `geoop convert IN OUT.vtu`, not .pvd"
    )


def read_steps(
    path: str | os.PathLike[str],
    *,
    unit: str | None = None,
    chord: float | None = None,
    name: str | None = None,
    start: float | None = None,
    stop: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Series | Case:
    """All steps of a file that has several, or the case in a file that has none.

    Args:
        path, unit, chord, name: as for :func:`read`.
        start, stop, progress: as for :func:`read_series`; a case without time is inside any interval.

    Raises:
        ConfigurationError: no step between ``start`` and ``stop``.
        The same errors as :func:`read`.
    """
    source = Source.find(path)
    form = format_of(source)
    contents, factor, said = scaled(source, form, unit, chord)
    if not contents.times:
        return build(contents, factor, said, source, name)
    slack = 1e-9 * max(map(abs, contents.times))  # 0.1 + 0.2 is 0.3
    wanted = [t for t in contents.times if (start is None or t >= start - slack) and (stop is None or t <= stop + slack)]
    if not wanted:
        raise ConfigurationError(
            f"no step between {start} and {stop} s: the file has {len(contents.times)} from {contents.times[0]:g} to {contents.times[-1]:g} s",
            where=source.where,
            remedy="leave start and stop out for all of them",
        )
    cases: list[Case] = []
    for number, time in enumerate(wanted):
        step = replace(source, time=time)
        case = build(contents if time == contents.time else load(step, form), factor, said, step, name)
        cases.append(_sharing(case, cases[-1]) if cases else case)
        if progress is not None:
            progress(number + 1, len(wanted))
    parameter = contents.annotations.get("series_parameter")
    return Series(np.array(wanted), tuple(cases), str(parameter[0]) if isinstance(parameter, list) and parameter else "time [s]")


def _sharing(case: Case, before: Case) -> Case:
    """The case on the very mesh of the step before where nothing of it has changed: one mesh in memory, one geometry to prepare."""
    return replace(case, mesh=before.mesh) if case.mesh.content_hash == before.mesh.content_hash and case.mesh.notes == before.mesh.notes else case


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
    known = {_without_unit(note) for note in earlier}  # written with a unit, a name has one that the file before did not say
    mesh = Mesh(
        contents.points * factor if factor != 1.0 else contents.points,
        contents.cells,
        contents.patches,
        contents.zones,
        name=name or (str(own[1]) if len(own) > 1 else source.stem),
        notes=tuple(dict.fromkeys((*earlier, *contents.notes, *said, *(note for note in assumed if _without_unit(note) not in known)))),
    )
    try:
        case = annotations.case_of(mesh, saved, fields)
        if contents.boundary:
            values = {patch: {f.name: f for f in fields_of(arrays, mesh.dimension)[0]} for patch, arrays in contents.boundary.items()}
            case = replace(case, boundary=values)
        if contents.time is not None:
            case = replace(case, time=contents.time)
        if contents.wall and case.wall is None:
            case = replace(case, wall=contents.wall)
    except GeoopError as error:
        error.where = f"{source.where}: {error.where}" if error.where else source.where
        raise
    except (LookupError, TypeError, ValueError) as error:
        raise UnreadableFileError(f"what geoop stored beside the mesh is damaged: {error}", where=source.where, remedy="write it again") from error
    return replace(case, name=name) if name else case


def _without_unit(note: str) -> str:
    """A note with 'pressure' where it says 'pressure [Pa]'."""
    return re.sub(r" \[[^\]]*\]'", "'", note)
