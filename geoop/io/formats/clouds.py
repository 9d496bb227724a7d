"""Bare points in tables: .csv, .txt, .xyz and .npy, without a unit."""

from __future__ import annotations

import re

import numpy as np

from ...errors import UnreadableFileError
from ..contents import Array, Contents
from ..parse import floats, token_counts
from ..source import Source

#: How programs call the coordinates: x, X [m], "Points:0" of ParaView, Points_0 of older ones, "x-coordinate" of Fluent.
_COORDINATES = [
    re.compile(rf"^({axis}([\s_]*\[[^\]]*\])?|({axis}[-_ ]?coord(inate)?)|coord(inate)?s?[-_ :]?({axis}|{number})|points?[:_]{number})$", re.I)
    for number, axis in enumerate("xyz")
]
_VECTOR = re.compile(r"^(?P<name>.+?)(?:[:_ ](?P<number>[012])|[_ -](?P<axis>[xyzXYZ]))(?P<unit>\s*\[[^\]]*\])?$")


def read_table(source: Source) -> Contents:
    """A point cloud from a text table with or without a line of names; named columns besides the coordinates become fields.

    Without names the first three columns (or two, if there are only two) are the coordinates. Columns ``velocity:0``,
    ``velocity:1``, ... or ``velocity_x``, ``velocity_y``, ... are one vector. Trailing separators are ignored.

    Raises:
        UnreadableFileError: no coordinates to be found, rows of different length, or text where numbers must be.
    """
    where = source.where
    rows = [line.strip() for line in source.text().splitlines()]
    rows = [line for line in rows if line and not line.startswith(("#", "//", "%"))]
    if not rows:
        raise UnreadableFileError("the table has no rows", where=where, remedy="export it again")
    names = None if _row(rows[0]) is not None else names_in(rows[0])
    body = rows[1:] if names is not None else rows
    if len(body) > 2 and len(_split(body[0])) == 1 and body[0].isdigit():
        raise UnreadableFileError(
            "starts with a count: an .xyz file of molecules, or a count line before the points",
            where=where,
            remedy="delete the first line, or the first two",
        )
    table = numbers_in(body, where, 2 if names is not None else 1)
    if names is None:
        return _unnamed(table, where)
    return named_columns(names, table, where)


def read_npy(source: Source) -> Contents:
    """A point cloud from a NumPy array of shape (n, 2) or (n, 3); arrays that hold objects are never unpickled.

    Raises:
        UnreadableFileError: truncated, not a NumPy file, or of another shape.
    """
    with source.file() as path:
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)  # mapped: a header may announce more than memory holds
        except Exception as error:  # NumPy hands the header to Python's own parser, which raises what it likes
            raise UnreadableFileError(
                f"cannot be read as a NumPy array: {error}", where=source.where, remedy="save it again: np.save(path, points)"
            ) from error
        found = f"shape {getattr(array, 'shape', None)} and type {getattr(array, 'dtype', type(array).__name__)}"
        if not isinstance(array, np.ndarray) or array.ndim != 2 or array.shape[1] not in (2, 3) or array.dtype.kind not in "fiu":
            raise UnreadableFileError(
                f"holds an array of {found}, expected (n, 2) or (n, 3) numbers",
                where=source.where,
                remedy="save the coordinates alone: np.save(path, points)",
            )
        return Contents(np.array(array, dtype=np.float64))


def _split(line: str) -> list[str]:
    """Cells of a row; a separator at the end makes no cell."""
    cells = [cell.strip().strip('"').strip() for cell in re.split(r"[,;]", line)] if re.search(r"[,;]", line) else line.split()
    while len(cells) > 1 and not cells[-1]:
        cells.pop()
    return cells


def _row(line: str) -> list[float] | None:
    try:
        return [float(cell) for cell in _split(line)]
    except ValueError:
        return None


def names_in(line: str) -> list[str]:
    """The names in the first line of a table; quoted ones may hold blanks."""
    quoted = re.findall(r'"([^"]*)"', line)
    return quoted if quoted and not re.search(r"[,;]", re.sub(r'"[^"]*"', "", line)) else _split(line)


def numbers_in(rows: list[str], where: str, first: int) -> np.ndarray:
    """(n, k) numbers of the rows of a table, separated by commas, semicolons or blanks.

    Args:
        rows: without comments and blank lines.
        where: the file, for the error.
        first: number of the first row, for the error.

    Raises:
        UnreadableFileError: no rows, rows of different length, or text where numbers must be.
    """
    if not rows:
        raise UnreadableFileError("the table has names but no rows", where=where, remedy="export it again")
    plain = [row.encode() for row in ("\n".join(rows).replace(",", " ").replace(";", " ")).split("\n")]
    counts = token_counts(plain)
    try:
        if (counts == counts[0]).all() and not any(re.search(r"[,;]\s*[,;]", row) for row in rows):
            return floats(b"\n".join(plain), where, "table").reshape(len(rows), -1)
    except UnreadableFileError:
        pass  # the loop below finds the row
    width = len(_row(rows[0]) or ())
    for number, row in enumerate(rows, first):
        values = _row(row)
        if values is None or len(values) != width:
            what = "is not numbers only" if values is None else f"has {len(values)} numbers, the first row has {width}"
            raise UnreadableFileError(f"row {number} {what}: '{row[:60]}'", where=where, remedy="repair that row; empty cells are not read")
    return np.array([_row(row) for row in rows], dtype=np.float64)


def _unnamed(table: np.ndarray, where: str) -> Contents:
    if table.shape[1] < 2:
        raise UnreadableFileError("one number per row, expected x y or x y z", where=where, remedy="export at least two coordinates per point")
    arrays = tuple(Array(f"column_{i + 1}", table[:, i]) for i in range(3, table.shape[1]))
    notes = ("no line of names: the first three columns are read as x y z, the others as fields column_4, ...",) if arrays else ()
    return Contents(table[:, :3], arrays=arrays, notes=notes)


def named_columns(names: list[str], table: np.ndarray, where: str) -> Contents:
    """A point cloud from named columns: coordinates, vectors where their components are columns, scalars.

    Raises:
        UnreadableFileError: another number of names than of columns, or no columns x and y.
    """
    if len(names) != table.shape[1]:
        raise UnreadableFileError(f"{len(names)} names for {table.shape[1]} columns", where=where, remedy="repair the line of names")
    columns = [next((i for i, name in enumerate(names) if pattern.match(name)), None) for pattern in _COORDINATES]
    if columns[0] is None or columns[1] is None:
        raise UnreadableFileError(f"no columns x and y among {', '.join(names[:12])}", where=where, remedy="name the coordinate columns x, y (and z)")
    chosen = [i for i in columns if i is not None]
    vectors: dict[tuple[str, bool], dict[int, int]] = {}  # name and whether it has components -> component -> column
    for i in (i for i in range(len(names)) if i not in chosen):
        found = _VECTOR.match(names[i])
        if found is None:
            vectors[f"{names[i]} {i}", False] = {0: i}
            continue
        component = int(found["number"]) if found["number"] else "xyz".index(found["axis"].lower())
        members = vectors.setdefault((found["name"] + (found["unit"] or ""), True), {})
        if component in members:
            vectors[f"{names[i]} {i}", False] = {0: i}
        else:
            members[component] = i
    arrays: list[Array] = []
    for (name, split), members in vectors.items():
        whole = sorted(members) in ([0, 1], [0, 1, 2]) and len(members) <= max(len(chosen), 2)
        if split and whole:
            arrays.append(Array(name, table[:, [members[k] for k in sorted(members)]]))
        else:
            arrays += [Array(names[i], table[:, i]) for i in members.values()]
    return Contents(table[:, chosen], arrays=tuple(arrays))
