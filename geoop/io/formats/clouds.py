"""Bare points in tables: .csv, .txt, .xyz and .npy, without a unit."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import replace

import numpy as np

from ...errors import UnitError, UnreadableFileError
from ..contents import Array, Contents
from ..parse import floats, token_counts
from ..source import Source
from ..units import LENGTH_UNITS, metres_per

#: How programs call the coordinates: x, X [m], "X (m)" of STAR-CCM+, "Points:0" of ParaView, Points_0 of older ones, "x-coordinate" of Fluent.
_COORDINATES = [
    re.compile(rf"^({axis}|({axis}[-_ ]?coord(inate)?)|coord(inate)?s?[-_ :]?({axis}|{number})|points?[:_]{number})[\s_]*(\[[^\]]*\])?$", re.I)
    for number, axis in enumerate("xyz")
]
#: How lines begin that are no rows.
_REMARK = ("#", "//", "%")
_VECTOR = re.compile(r"^(?P<name>.+?)(?:[:_ ](?P<number>[012])|[_ -](?P<axis>[xyzXYZ])|\[(?P<letter>[ijk])\])(?P<unit>\s*\[[^\]]*\])?$")
#: Normals of a scan, as CloudCompare and MeshLab write them.
_NORMAL = re.compile(r"^n_?(?P<axis>[xyz])$", re.I)
_SYMBOL = r"(?:[munkMG]?m|in|ft|yd|[mµ]?s|min|h|[kmg]?g|[kM]?N|[hkMG]?Pa|bar|psi|atm|[kM]?J|[kM]?W|[kM]?Hz|K|°?[CF]|deg|rad|rpm|mol|A|V)"
#: A unit in round brackets at the end of a name, as STAR-CCM+ writes it; "(average)" is none.
_ROUND = re.compile(rf"\s*\((?P<unit>(?:1/)?{_SYMBOL}(?:\^?-?\d)?(?:[-/*·.]{_SYMBOL}(?:\^?-?\d)?)*)\)$")
_DECIMAL = r"[-+]?(?:\d+(?:,\d+)?|,\d+)(?:[eEdD][-+]?\d+)?|[-+]?(?:nan|inf)"
#: A number that may have a decimal comma, and a row of them with blanks between.
_DECIMAL_CELL = re.compile(_DECIMAL, re.I)
_DECIMAL_ROW = re.compile(rf"(?:{_DECIMAL})(?:\s+(?:{_DECIMAL}))+", re.I)
_EXPONENT = re.compile(r"(?<=[\d.,])[eEdD](?=[-+]?\d)|\b(?:nan|inf)\b", re.I)
_QUOTED = re.compile(r'"[^"]*"')
_POINTS = "export it with decimal points, or as semicolons between numbers that all look like 0,5"


def read_table(source: Source) -> Contents:
    """A point cloud from a text table with or without a line of names; named columns besides the coordinates become fields.

    Without names the first three columns (or two, if there are only two) are the coordinates. Columns ``velocity:0``,
    ``velocity:1``, ..., ``velocity_x``, ``velocity_y``, ... or ``velocity[i]``, ``velocity[j]``, ... are one vector; a unit may stand
    in square or round brackets. Trailing separators are ignored. Between semicolons, tabs and blanks a comma is a decimal comma.

    Raises:
        UnreadableFileError: no coordinates to be found, rows of different length, or text where numbers must be.
        UnitError: the names of the coordinates state different length units.
    """
    where = source.where
    lines = [line.strip() for line in source.text().splitlines()]
    rows = [line for line in lines if line and not line.startswith(_REMARK)]
    if not rows:
        raise UnreadableFileError("the table has no rows", where=where, remedy="export it again")
    names = names_in(rows[0]) if _row(rows[0]) is None and re.search(r"[^\W\d_]", _EXPONENT.sub("", rows[0])) else None
    body = rows[1:] if names is not None else rows
    names = _remarked_names(lines, rows[0]) if names is None else names
    if len(body) > 2 and len(_split(body[0])) == 1 and body[0].isdigit():
        raise UnreadableFileError(
            "starts with a count: an .xyz file of molecules, or a count line before the points",
            where=where,
            remedy="delete the first line, or the first two",
        )
    table = numbers_in(body, where, 1 if body is rows else 2, len(names or ()))
    if names is None:
        contents = _unnamed(table, where)
    else:
        names = [_ROUND.sub(lambda found: f" [{found['unit']}]", name) for name in names]
        contents = named_columns(names, table, where)
    said = [f"numbers are read with decimal commas, as in '{body[0][:60]}'"] if _has_decimal_commas(body) else []
    return replace(contents, notes=(*contents.notes, *said), length_unit=_stated_unit(names or [], where))


def _remarked_names(lines: list[str], first: str) -> list[str] | None:
    """Names of the columns in the remark right before the first row, as numpy.savetxt and MATLAB write them; None where it says something else."""
    before = [line for line in lines[: lines.index(first)] if line]
    words = before[-1].lstrip("#/% ") if before else ""
    names = names_in(words) if words else []
    coordinates = sum(any(pattern.match(_ROUND.sub(lambda found: f" [{found['unit']}]", name)) for name in names) for pattern in _COORDINATES)
    return names if len(names) == len(_split(first)) and coordinates >= 2 else None


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
    """Cells of a row; a separator at the end makes no cell.

    A row with semicolons is split at them alone, one with commas only at the commas, unless its words are numbers with decimal commas.
    """
    quoted = '"' in line
    bare = _QUOTED.sub('""', line) if quoted else line
    separator = ";" if ";" in bare else "," if "," in bare and not _DECIMAL_ROW.fullmatch(bare) else ""
    if not separator:
        cells = re.findall(r'"[^"]*"|[^\s"]+', line) if quoted else line.split()
    elif quoted:
        cells = next(csv.reader([line], delimiter=separator, skipinitialspace=True))
    else:
        cells = line.split(separator)
    cells = [cell.strip().strip('"').strip() for cell in cells]
    while len(cells) > 1 and not cells[-1]:
        cells.pop()
    return cells


def _row(line: str) -> list[float] | None:
    try:
        return [_number(cell) for cell in _split(line)]
    except ValueError:
        return None


def _number(cell: str) -> float:
    return float(cell.replace(",", ".") if "," in cell and _DECIMAL_CELL.fullmatch(cell) else cell)


def _has_decimal_commas(rows: list[str]) -> bool:
    """Whether a comma stands inside of a cell."""
    text = "\n".join(rows)
    if "," not in text or not (";" in text or '"' in text or _DECIMAL_ROW.fullmatch(rows[0])):
        return False  # commas separate, as in most tables
    return any("," in row and any("," in cell for cell in _split(row)) for row in rows)


def names_in(line: str) -> list[str]:
    """The names in the first line of a table; quoted ones may hold blanks."""
    return _split(line)


def numbers_in(rows: list[str], where: str, first: int, width: int = 0) -> np.ndarray:
    """(n, k) numbers of the rows of a table, separated by semicolons, by commas, or by blanks.

    Args:
        rows: without comments and blank lines.
        where: the file, for the error.
        first: number of the first row, for the error.
        width: how many numbers a row should have; 0 takes what most rows have.

    Raises:
        UnreadableFileError: no rows, rows of different length, or text where numbers must be.
    """
    if not rows:
        raise UnreadableFileError("the table has names but no rows", where=where, remedy="export it again")
    if _has_decimal_commas(rows):
        for number, row in enumerate(rows, first):
            wrong = next((cell for cell in _split(row) if cell and not _DECIMAL_CELL.fullmatch(cell)), None)
            if wrong is not None:
                raise UnreadableFileError(f"the table has decimal commas, and row {number} a cell '{wrong[:40]}'", where=where, remedy=_POINTS)
    else:
        plain = [row.encode() for row in ("\n".join(rows).replace(",", " ").replace(";", " ")).split("\n")]
        counts = token_counts(plain)
        try:
            if (counts == counts[0]).all() and not any(re.search(r"^[,;]|[,;]\s*[,;]", row) for row in rows):
                return floats(b"\n".join(plain), where, "table").reshape(len(rows), -1)
        except UnreadableFileError:
            pass  # the loop below finds the row
    values = [_row(row) for row in rows]
    widths = Counter(len(row) for row in values if row is not None)
    if width not in widths:
        width = widths.most_common(1)[0][0] if widths else 0
    for number, (row, found) in enumerate(zip(rows, values, strict=True), first):
        if found is None or len(found) != width:
            what = "is not numbers only" if found is None else f"has {len(found)} numbers, {'others have' if widths[width] else 'expected'} {width}"
            if found is not None and len(found) < width and row.endswith((",", ";")):
                what += " (its last cell is empty)"
            raise UnreadableFileError(f"row {number} {what}: '{row[:60]}'", where=where, remedy="repair that row; empty cells are not read")
    return np.array(values, dtype=np.float64)


def _stated_unit(names: list[str], where: str) -> str:
    """The length unit that the names of the coordinates state; empty if they state none.

    Raises:
        UnitError: they state different ones.
    """
    stated = {}
    for name in names:
        unit = re.search(r"\[([^\]]*)\]$", name)
        if unit and any(pattern.match(name) for pattern in _COORDINATES):
            stated[name] = unit[1].strip()
    try:
        factors = {metres_per(unit) for unit in stated.values()}
    except UnitError:  # "-" and what else people write there: no length
        return ""
    if len(factors) > 1:
        raise UnitError(
            f"the coordinates are in different units: {', '.join(stated)}", where=where, remedy=f"export them in one of {', '.join(LENGTH_UNITS)}"
        )
    return next(iter(stated.values()), "")


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
        if normal := _NORMAL.match(names[i]):
            vectors.setdefault(("normals", True), {}).setdefault("xyz".index(normal["axis"].lower()), i)
            continue
        found = _VECTOR.match(names[i])
        if found is None:
            vectors[f"{names[i]} {i}", False] = {0: i}
            continue
        component = int(found["number"]) if found["number"] else "xyz".index(found["axis"].lower()) if found["axis"] else "ijk".index(found["letter"])
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
