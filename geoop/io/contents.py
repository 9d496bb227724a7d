"""What a reader found in a file, before units: the one type that every reader returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..errors import ConfigurationError, InvalidMeshError, UnreadableFileError
from ..mesh.cells import Cells
from ..mesh.quantity import Location


@dataclass(frozen=True, eq=False)
class Array:
    """An array of a file under its name there: (n,) or (n, k) values at points, cells or the facets of a patch, (k,) if global."""

    label: str
    values: np.ndarray
    location: Location = "point"


@dataclass(frozen=True, eq=False)
class Contents:
    """Geometry and arrays of one file, in the file's own length unit.

    Attributes:
        points: (n, 2) or (n, 3).
        cells: empty for a point cloud.
        patches: name -> facets.
        zones: name -> (k,) cell indices.
        arrays: everything that is stored per point or per cell.
        notes: what the reader had to assume, change or leave out, in sentences.
        annotations: what geoop itself wrote beside a mesh, see :mod:`geoop.io.annotations`.
        boundary: patch name -> what is stored on it alone: one value per facet, or per point of the patch in ascending order.
        time: [s] of these arrays, where the file says it.
        times: [s] of all steps in the file, ascending; empty where it knows no time.
        wall: patches that the file calls walls; empty where it does not say what its patches are.
        length_unit: of the points, where the file states one although its format does not ask for it: ``m`` where the reader has converted them.
    """

    points: np.ndarray
    cells: Cells = field(default_factory=Cells.empty)
    patches: Mapping[str, Cells] = field(default_factory=dict)
    zones: Mapping[str, np.ndarray] = field(default_factory=dict)
    arrays: tuple[Array, ...] = ()
    notes: tuple[str, ...] = ()
    annotations: Mapping[str, np.ndarray | list[str]] = field(default_factory=dict)
    boundary: Mapping[str, tuple[Array, ...]] = field(default_factory=dict)
    time: float | None = None
    times: tuple[float, ...] = ()
    wall: tuple[str, ...] = ()
    length_unit: str = ""


def check_contents(contents: Contents, *, cloud: bool, where: str) -> None:
    """Raise unless the geometry is sound; all problems in one error.

    Args:
        contents: what a reader returned.
        cloud: whether a file without cells is what the user can expect of this format.
        where: the file.

    Raises:
        UnreadableFileError: no points, or no cells where there must be some.
        InvalidMeshError: coordinates that are not finite, or indices out of range.
    """
    points = contents.points
    if len(points) == 0:
        raise UnreadableFileError("the file holds no points", where=where, remedy="export it again; a mesh with zero points is of no use")
    if len(contents.cells) == 0 and not cloud:
        raise UnreadableFileError(
            f"the file holds {len(points)} points but no cells",
            where=where,
            remedy="export it with its faces or cells; points alone are read from .csv, .xyz, .npy or .ply",
        )
    problems = list(_problems(contents))
    if problems:
        raise InvalidMeshError("; ".join(problems), where=where, remedy="export the mesh again; a file with these values would give silent nonsense")


def _problems(contents: Contents):
    points = contents.points
    if not np.isfinite(points).all():
        bad = ~np.isfinite(points).all(axis=1)
        first = int(np.argmax(bad))
        yield f"{int(bad.sum())} of {len(points)} points have NaN or infinite coordinates, first point {first}: {points[first]}"
    for name, cells in [("cells", contents.cells), *((f"patch '{key}'", part) for key, part in contents.patches.items())]:
        low, high = cells.index_range
        if low < 0 or high >= len(points):
            wrong = int(((cells.connectivity < 0) | (cells.connectivity >= len(points))).sum())
            yield f"{name}: {wrong} point indices are outside 0..{len(points) - 1} (they reach from {low} to {high})"
    for array in contents.arrays:
        expected = {"point": len(points), "cell": len(contents.cells)}.get(array.location)
        if expected is not None and len(array.values) != expected:
            yield f"array '{array.label}' has {len(array.values)} rows for {expected} {array.location}s"
    for name, index in contents.zones.items():
        if len(index) and (np.min(index) < 0 or np.max(index) >= len(contents.cells)):
            yield f"zone '{name}' reaches to cell {np.max(index)} of {len(contents.cells)}"
    yield from _boundary_problems(contents)


def _boundary_problems(contents: Contents):
    for name, arrays in contents.boundary.items():
        part = contents.patches.get(name)
        if part is None:
            yield f"values on '{name}', which is no patch"
            continue
        for array in arrays:
            expected = {"facet": len(part), "point": len(np.unique(part.connectivity))}.get(array.location)
            if expected is not None and len(array.values) != expected:
                yield f"array '{array.label}' on patch '{name}' has {len(array.values)} rows for {expected} {array.location}s"


def chosen_time(times: tuple[float, ...], wanted: float | None, where: str) -> int:
    """Which of the steps of a file is wanted: the last one unless a time is named, which must be there up to rounding.

    Args:
        times: [s], not empty.
        wanted: [s] or None.
        where: the file.

    Raises:
        ConfigurationError: no such time; the remedy names the nearest ones.
    """
    if wanted is None:
        return int(np.argmax(times))
    found = int(np.argmin(np.abs(np.asarray(times) - wanted)))
    if abs(times[found] - wanted) > 1e-6 * max(abs(wanted), np.ptp(times)):
        near = sorted(times, key=lambda t: abs(t - wanted))[:4]
        raise ConfigurationError(
            f"there is no step at {wanted:g} s among {len(times)} from {min(times):g} to {max(times):g} s",
            where=where,
            remedy=f"the nearest are {', '.join(f'{t:g}' for t in sorted(near))}; leave time out for the last one",
        )
    return found


def flattened(points: np.ndarray, cell_dimension: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Points without their third coordinate where it is the same for all of them and no cell has a volume, and the note that says so."""
    if points.shape[1] != 3 or cell_dimension > 2 or len(points) < 2 or not (points[:, 2] == points[0, 2]).all():
        return points, ()
    return points[:, :2], (f"read as two-dimensional: all points have z = {points[0, 2]:g}",)
