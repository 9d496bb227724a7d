"""A solution file joined to the mesh that it belongs to: SU2 restarts and CSV, or any other file with fields at the same places."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from scipy.spatial import KDTree

from ..errors import ConfigurationError, FieldError, UnreadableFileError
from ..mesh.cells import Cells
from ..mesh.measure import cell_centers, cell_measures, signed_measures
from ..mesh.mesh import Mesh
from .contents import Array, Contents
from .formats.su2.solution import POINT_ID
from .formats.table import format_of
from .loading import load
from .source import Source

Solution = str | os.PathLike[str] | Source
#: Relative difference up to which two coordinates are the same: written with 6 digits (ParaView's CSV), or exactly.
_ROUNDED, _EXACT = 1e-5, 1e-9
_NO_ROWS = np.zeros(0, dtype=np.int64)


def _none() -> np.ndarray:
    return _NO_ROWS


@dataclass(frozen=True, eq=False)
class _Part:
    """The whole mesh or one zone of it: name, indices of its points and cells in the mesh."""

    name: str
    points: np.ndarray
    cells: np.ndarray


@dataclass(frozen=True, eq=False)
class _Match:
    """Where the values of one solution belong.

    Attributes:
        points: (k,) points of the mesh that get values, and ``point_rows`` (k,) rows of the solution.
        cells: (j,) cells of the mesh that get values, and ``cell_rows`` (j,) rows of the solution.
        moved: (k, d) new places of those points, None where the mesh stays as it is.
        clouds_cells: whether the points of the solution are the centres of the cells.
        notes: sentences.
    """

    points: np.ndarray = field(default_factory=_none)
    point_rows: np.ndarray = field(default_factory=_none)
    cells: np.ndarray = field(default_factory=_none)
    cell_rows: np.ndarray = field(default_factory=_none)
    moved: np.ndarray | None = None
    clouds_cells: bool = False
    notes: tuple[str, ...] = ()


def solution_files(path: Solution | Sequence[Solution], time: float | None = None) -> tuple[Source, ...]:
    """The files of a solution: as given, or ``restart_0.dat``, ``restart_1.dat``, ... of the zones where there is no ``restart.dat``.

    Args:
        path: one file, or one per zone.
        time: [s] the step that is wanted of a file with several.

    Raises:
        UnreadableFileError: there is no such file.
    """
    if isinstance(path, Source):
        return (path,)
    if not isinstance(path, (str, os.PathLike)):
        if not isinstance(path, Sequence) or not path:
            raise UnreadableFileError(f"a solution is a file name, not {path!r}", remedy="pass one path, or a list with one per zone")
        return tuple(source for item in path for source in solution_files(item, time))
    try:
        return (Source.find(path, time),)
    except UnreadableFileError:
        found = Path(path).expanduser()
        pattern = re.compile(rf"{re.escape(found.stem)}_(\d+){re.escape(found.suffix)}")
        names = {int(match[1]): item for item in (found.parent.iterdir() if found.parent.is_dir() else ()) if (match := pattern.fullmatch(item.name))}
        if sorted(names) != list(range(len(names))) or not names:
            raise
        return tuple(Source.find(names[number], time) for number in sorted(names))


def attach(contents: Contents, solution: Solution | Sequence[Solution], time: float | None = None) -> Contents:
    """A mesh with the arrays of a solution that was computed on it.

    Points and cells are matched by comparing coordinates: by index where they agree (to six digits), otherwise by nearest
    neighbour where that is unique. A solution on a mesh of the same connectivity that has moved (no cell is turned inside out)
    brings its points along, with a note. A solution of single zones or of single patches fills those; a cloud at the centres
    of the cells becomes cell arrays. Arrays of the mesh file that the solution has too are replaced.

    Args:
        contents: the mesh, in the file's own unit.
        solution: any file that geoop reads, in the same unit; or one per zone.
        time: [s] the step that is wanted of a solution with several.

    Returns:
        The mesh with more arrays (NaN where a solution has no value), values on patches, time and notes.

    Raises:
        FieldError: the solution belongs to another mesh; says how many points differ, and by how much.
        ConfigurationError: the solution has no such time.
        The errors of :func:`geoop.io.reading.read` for the solution file.
    """
    for source in solution_files(solution, time):
        given = _flat_as(load(source, format_of(source)), contents.points.shape[1])
        if time is not None and not given.times:
            raise ConfigurationError(f"time={time:g}, but the solution knows no times", where=source.where, remedy="leave time out")
        contents = _joined(contents, given, source)
    return contents


def _flat_as(given: Contents, dimension: int) -> Contents:
    """The solution in the dimension of the mesh, where its points lie in one plane of constant z."""
    points = given.points
    if dimension == 2 and points.shape[1] == 3 and np.ptp(points[:, 2]) == 0:
        return replace(given, points=points[:, :2])
    if dimension == 3 and points.shape[1] == 2:
        return replace(given, points=np.pad(points, ((0, 0), (0, 1))))
    return given


def _joined(contents: Contents, given: Contents, source: Source) -> Contents:
    given = _sorted_by_id(given)
    if not given.arrays and not given.boundary:
        raise FieldError("the solution holds no fields", where=source.where, remedy="give a file with values, such as restart_flow.dat or flow.vtu")
    parts = _parts(contents, source)
    match = next((found for part in parts if (found := _match(contents, given, part)) is not None), None)
    if match is None:
        on_patches = _boundary(contents, given)
        if on_patches is None:
            raise _foreign(contents, given, source)
        values, notes = on_patches
        boundary = {name: (*contents.boundary.get(name, ()), *values.get(name, ())) for name in {**contents.boundary, **values}}
        return replace(contents, boundary=boundary, notes=(*contents.notes, *given.notes, *notes))
    points = contents.points
    if match.moved is not None:
        points = points.copy()
        points[match.points] = match.moved
    arrays, notes = _merged(contents, given, match)
    boundary = dict(contents.boundary)
    if set(given.boundary) <= set(contents.patches):
        boundary.update(given.boundary)
    return replace(
        contents,
        points=points,
        arrays=arrays,
        boundary=boundary,
        notes=(*contents.notes, *given.notes, *match.notes, *notes),
        time=given.time if given.time is not None else contents.time,
        times=given.times or contents.times,
    )


def _sorted_by_id(given: Contents) -> Contents:
    """Rows of a whole table in the order of its PointID column, which then has done its work."""
    ids = next((array.values for array in given.arrays if array.label == POINT_ID), None)
    if ids is None or len(given.cells):
        return given
    rest = tuple(array for array in given.arrays if array.label != POINT_ID)
    if not np.array_equal(np.sort(ids), np.arange(len(ids))):
        return replace(given, arrays=rest)
    order = np.argsort(ids)
    return replace(given, points=given.points[order], arrays=tuple(replace(array, values=array.values[order]) for array in rest))


def _parts(contents: Contents, source: Source) -> list[_Part]:
    """The whole mesh, then its zones; the one that the name of the file numbers (``restart_1.dat``) first among them."""
    whole = _Part("", np.arange(len(contents.points)), np.arange(len(contents.cells)))
    zones = [
        _Part(name, np.unique(contents.cells.take(index).connectivity), np.asarray(index))
        for name, index in contents.zones.items()
        if len(contents.zones) > 1 and len(index)
    ]
    number = re.search(r"_(\d+)$", source.stem)
    if number and int(number[1]) < len(zones):
        zones.insert(0, zones.pop(int(number[1])))
    return [whole, *zones]


def _match(contents: Contents, given: Contents, part: _Part) -> _Match | None:
    """How the solution lies on the whole mesh or on a zone; None where it does not."""
    target = contents.points[part.points]
    where = f" on '{part.name}'" if part.name else ""
    if target.shape[1] != given.points.shape[1]:
        return None
    rows = _rows_of(target, given.points)
    if rows is not None:
        notes = () if np.array_equal(rows, np.arange(len(given.points))) else (f"the solution is in another order{where}: matched by coordinates",)
        cells, cell_rows = _cell_rows(contents, given, part)
        return _Match(part.points, rows, cells, cell_rows, notes=notes)
    if len(target) == len(given.points):
        moved = _moved_note(contents, given, part)
        if moved:
            cells = part.cells if len(given.cells) == len(part.cells) else _NO_ROWS
            return _Match(part.points, np.arange(len(target)), cells, np.arange(len(cells)), given.points, notes=(moved,))
    if not len(given.cells) and len(given.points) == len(part.cells):
        mesh = Mesh(contents.points, contents.cells.take(part.cells))
        for centers in (cell_centers(mesh), _means(contents.points, mesh.cells)):
            rows = _rows_of(centers, given.points)
            if rows is not None:
                return _Match(
                    cells=part.cells, cell_rows=rows, clouds_cells=True, notes=(f"the points of the solution are the centres of the cells{where}",)
                )
    return None


def _rows_of(target: np.ndarray, given: np.ndarray) -> np.ndarray | None:
    """(n,) the row of ``given`` at every target; None where some target has none, or several. Rows that no target has may be left over."""
    if len(given) < len(target) or not len(target):
        return None
    scale = np.abs(target).max(axis=1, keepdims=True)
    extent = float(np.ptp(target, axis=0).max())
    for relative in (_EXACT, _ROUNDED):
        allowed = relative * scale[:, 0] + _EXACT * extent
        if len(given) == len(target) and (np.abs(given - target).max(axis=1) <= allowed).all():
            return np.arange(len(target))
        distance, index = KDTree(given).query(target, k=min(2, len(given)), workers=1)
        distance, index = distance.reshape(len(target), -1), index.reshape(len(target), -1)
        alone = distance.shape[1] == 1 or (distance[:, 0] < 0.1 * distance[:, 1]).all()
        if (distance[:, 0] <= 2 * allowed).all() and alone and len(np.unique(index[:, 0])) == len(target):
            return index[:, 0]
    return None


def _cell_rows(contents: Contents, given: Contents, part: _Part) -> tuple[np.ndarray, np.ndarray]:
    """Cells of the mesh and the rows of the solution's cells that lie there; none where the solution has no cells or others."""
    if not len(given.cells) or not any(array.location == "cell" for array in given.arrays):
        return _NO_ROWS, _NO_ROWS
    rows = _rows_of(_means(contents.points, contents.cells.take(part.cells)), _means(given.points, given.cells))
    return (_NO_ROWS, _NO_ROWS) if rows is None else (part.cells, rows)


def _means(points: np.ndarray, cells: Cells) -> np.ndarray:
    """(m, d) mean of the points of every cell."""
    return np.add.reduceat(points[cells.connectivity], cells.offsets[:-1], axis=0) / np.diff(cells.offsets)[:, None]


def _moved_note(contents: Contents, given: Contents, part: _Part) -> str:
    """What to say where the solution's points are a moved copy of the mesh's: cells keep their side, thin ones their size; else empty."""
    points = contents.points.copy()
    points[part.points] = given.points
    cells = contents.cells.take(part.cells)
    if not np.isfinite(points).all() or not len(cells):
        return ""
    before, after = Mesh(contents.points, cells), Mesh(points, cells)
    if cells.dimension == contents.points.shape[1]:
        one, two = signed_measures(before), signed_measures(after)
        sound = ((np.sign(one) == np.sign(two)) | (one == 0)).all()
    else:
        one, two = cell_measures(before), cell_measures(after)
        sound = ((two >= 0.1 * one) & (two <= 10 * one)).all()
    if not sound:
        return ""
    apart = np.linalg.norm(given.points - contents.points[part.points], axis=1)
    return (
        f"the mesh moved during the run{f' on {part.name!r}' if part.name else ''}: {_count_apart(apart, contents.points)} of {len(apart)} points of the "
        f"solution lie elsewhere than in the mesh file, by up to {apart.max():.3g}, and no cell is turned inside out; the solution's points are taken"
    )


def _count_apart(apart: np.ndarray, points: np.ndarray) -> int:
    return int((apart > _EXACT * max(float(np.ptp(points, axis=0).max()), 1e-300)).sum())


def _boundary(contents: Contents, given: Contents) -> tuple[dict[str, tuple[Array, ...]], list[str]] | None:
    """Values of a solution on the points of patches (SU2's surface file): patch -> arrays; None where it covers no patch."""
    if contents.points.shape[1] != given.points.shape[1]:
        return None
    found, covered = {}, np.zeros(len(given.points), dtype=bool)
    for name, part in contents.patches.items():
        rows = _rows_of(contents.points[np.unique(part.connectivity)], given.points)
        if rows is not None:
            covered[rows] = True
            found[name] = tuple(Array(array.label, np.asarray(array.values)[rows]) for array in given.arrays if array.location == "point")
    if not covered.all():  # a mesh that touches this one shares some points with it, and is another one
        return None
    return found, [f"the solution holds values on patches only: {', '.join(found)}"]


def _merged(contents: Contents, given: Contents, match: _Match) -> tuple[tuple[Array, ...], list[str]]:
    """Arrays of the mesh with those of the solution written over and behind them."""
    arrays = {(array.label, array.location): array for array in contents.arrays}
    left_out, partly = [], []
    for array in given.arrays:
        location = "cell" if match.clouds_cells and array.location == "point" else array.location
        if location not in ("point", "cell"):
            arrays[array.label, location] = array
            continue
        places, rows = (match.points, match.point_rows) if location == "point" else (match.cells, match.cell_rows)
        total = len(contents.points) if location == "point" else len(contents.cells)
        if not len(places):
            left_out.append(array.label)
            continue
        values = np.asarray(array.values)[rows]
        if len(places) < total:
            old = arrays.get((array.label, location))
            full = np.full((total, *values.shape[1:]), np.nan)
            if old is not None and np.shape(old.values) == full.shape:
                full[:] = old.values
            full[places] = values
            values = full
            if np.isnan(full).any():
                partly.append(array.label)
        elif not np.array_equal(places, np.arange(total)):
            values = values[np.argsort(places)]
        arrays[array.label, location] = Array(array.label, values, location)  # type: ignore[arg-type]
    notes = [f"cell arrays of the solution are left out, its cells are others: {', '.join(left_out)}"] if left_out else []
    notes += [f"the solution has values in a part of the mesh only, NaN elsewhere: {', '.join(partly)}"] if partly else []
    return tuple(arrays.values()), notes


def _foreign(contents: Contents, given: Contents, source: Source) -> FieldError:
    """The error for a solution of another mesh."""
    n, m = len(given.points), len(contents.points)
    if given.points.shape[1] != contents.points.shape[1]:
        found = f"it is {given.points.shape[1]}-D, the mesh {contents.points.shape[1]}-D"
    elif n == m:
        apart = np.linalg.norm(given.points - contents.points, axis=1)
        found = (
            f"{_count_apart(apart, contents.points)} of {n} points differ, by up to {apart.max():.3g} (median {np.median(apart):.3g}), "
            "and with its points some cells would be turned inside out"
        )
    else:
        apart = KDTree(given.points).query(contents.points)[0]
        lost = _count_apart(apart, contents.points)
        found = f"it has {n} points, the mesh {m}, of which {lost} have no counterpart; the largest distance to the nearest is {apart.max():.3g}"
    return FieldError(
        f"the solution belongs to another mesh: {found}",
        where=source.where,
        remedy="give the mesh file of the same run, or read the solution alone as a point cloud: geoop.read_case(solution)",
    )
