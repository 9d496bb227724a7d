"""A table of conditions as people export it: comma, semicolon or tab, decimal comma, comments, a row of units."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from ...errors import UnreadableFileError
from ...mesh.si_units import known_unit

_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class Table:
    """Rows of text under their headers.

    Attributes:
        path: the file.
        headers: as they stand there, made unique.
        rows: one tuple per row, as long as the headers.
        lines: line of the file of every row, from 1.
        units: unit of a column where a second header row gives one; empty otherwise.
        notes: what was assumed.
    """

    path: Path
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    units: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def column(self, header: str) -> list[str]:
        """Texts of a column."""
        index = self.headers.index(header)
        return [row[index] for row in self.rows]

    @property
    def words(self) -> set[str]:
        """All texts of the table that are no numbers, with the numbers as they are written."""
        return {text for row in self.rows for text in row if text}


def read_table(path: Path) -> Table:
    """Read a table; delimiter and decimal sign are told from its content.

    Raises:
        UnreadableFileError: missing, a workbook, without header or rows, or rows of another length than the header: all lines named.
    """
    lines = [(number, line) for number, line in enumerate(_text(path).splitlines(), start=1)]
    lines = [(number, line) for number, line in lines if line.strip(" ,;\t\r") and not line.lstrip().startswith(("//", "%"))]
    told = re.fullmatch(r"\s*\"?sep=(.)\"?\s*", lines[0][1], re.I) if lines else None  # Excel's own line about the separator
    lines = lines[1:] if told else lines
    header = next((k for k, (_, line) in enumerate(lines) if not line.lstrip().startswith("#")), None)
    if header is None:
        raise UnreadableFileError("the table is empty", where=str(path), remedy="write a header line and one line per run")
    delimiter = told[1] if told and told[1] in _DELIMITERS else _delimiter([line for _, line in lines[header:]])
    header += _titles([_cells(line, delimiter) for _, line in lines[header:]])
    names = [word.strip().strip('"').strip() for word in _cells(lines[header][1], delimiter)]
    if header and _all_numbers(names):  # the header is the last comment, as numpy.savetxt writes it
        names = [word.strip() for word in _cells(lines[header - 1][1].lstrip("# "), delimiter)]
        header -= 1
    if _all_numbers(names):
        raise UnreadableFileError(
            f"line {lines[header][0]} holds numbers only, so the columns have no names: {lines[header][1][:60]}",
            where=str(path),
            remedy="put a header line on top, such as: case,velocity [m/s],alpha [deg]",
        )
    body = [(number, [cell.strip() for cell in _cells(line, delimiter)]) for number, line in lines[header + 1 :] if not line.startswith("#")]
    notes = [] if delimiter == "," else [f"columns are separated by {_spelled(delimiter)}"]
    body, names = _equal_length(path, names, body)
    units = tuple("" for _ in names)
    if body and _is_units(body[0][1]):
        units, body = tuple(body[0][1]), body[1:]
        notes.append("the second line holds units")
    if not body:
        raise UnreadableFileError("the table has a header but no rows", where=str(path), remedy="write one line per run below the header")
    rows, sign = _plain_numbers(path, [row for _, row in body], [number for number, _ in body], delimiter)
    body = [(number, row) for (number, _), row in zip(body, rows, strict=True)]
    notes += [sign] if sign else []
    if delimiter != "," and any(re.fullmatch(r"[-+]?\d+,\d+([eE][-+]?\d+)?", cell) for _, row in body for cell in row):
        notes.append("numbers have a decimal comma")
    return Table(path, _unique(names), tuple(tuple(row) for _, row in body), tuple(number for number, _ in body), units, tuple(notes))


def as_number(text: str) -> float | None:
    """A number as it stands in a table (``1,5`` and ``1 500`` too); None if the text is none."""
    plain = text.strip().replace(" ", "").replace(" ", "").replace("−", "-")
    if re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+\.\d+|[-+]?\d{1,3}(,\d{3}){2,}", plain):
        plain = plain.replace(",", "")
    elif re.fullmatch(r"[-+]?\d{1,3}(\.\d{3})+,\d+|[-+]?\d{1,3}(\.\d{3}){2,}", plain):
        plain = plain.replace(".", "").replace(",", ".")
    elif "," in plain and "." not in plain:
        plain = plain.replace(",", ".", 1)
    if not re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eEdD][-+]?\d+)?", plain):
        return None
    return float(plain.lower().replace("d", "e"))


def _titles(rows: list[list[str]]) -> int:
    """Lines above the header that hold one text only, a title, where the lines below hold more."""
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows]
    if len(filled) < 3 or max(filled) < 2:
        return 0
    return next(k for k, count in enumerate(filled) if count > 1)


def _plain_numbers(path: Path, rows: list[list[str]], lines: list[int], delimiter: str) -> tuple[list[list[str]], str]:
    """The rows without signs between thousands, and a note; what could be read in two ways is an error.

    ``500,000`` is 500 000 beside ``1,200,000`` and 500 beside ``30,5``; ``500.000`` beside ``30,5`` may be either.
    """
    cells = [cell for row in rows for cell in row]
    for sign, other in ((",", "."), (".", ",")):
        s, o = re.escape(sign), re.escape(other)
        group = rf"[-+]?[1-9]\d{{0,2}}{s}\d{{3}}"
        unclear = [(number, cell) for number, row in zip(lines, rows, strict=True) for cell in row if re.fullmatch(group, cell)]
        if not unclear:
            continue
        several = any(re.fullmatch(rf"[-+]?\d{{1,3}}({s}\d{{3}})+{o}\d+|[-+]?\d{{1,3}}({s}\d{{3}}){{2,}}", cell) for cell in cells)
        decimal = any(re.fullmatch(rf"[-+]?\d+{s}\d+([eEdD][-+]?\d+)?", cell) and not re.fullmatch(group, cell) for cell in cells)
        against = any(
            re.fullmatch(rf"[-+]?\d+{o}\d+([eEdD][-+]?\d+)?", cell) and not re.fullmatch(rf"[-+]?[1-9]\d{{0,2}}{o}\d{{3}}", cell) for cell in cells
        )
        if several and not decimal:
            rows = [[cell.replace(sign, "") if re.fullmatch(group, cell) else cell for cell in row] for row in rows]
            return rows, f"'{sign}' stands between thousands: '{unclear[0][1]}' is {unclear[0][1].replace(sign, '')}"
        if not decimal and (against or (sign == delimiter)):
            raise UnreadableFileError(
                f"line {unclear[0][0]}: '{unclear[0][1]}' may be {unclear[0][1].replace(sign, '')} or {unclear[0][1].replace(sign, '.')}",
                where=str(path),
                remedy="write the numbers of the table with one decimal sign, and nothing between thousands",
            )
    return rows, ""


def _text(path: Path) -> str:
    if path.suffix.lower() in (".xlsx", ".xls", ".ods"):
        raise UnreadableFileError("is a workbook, not a text table", where=str(path), remedy="save it as CSV: File > Save as > CSV")
    try:
        data = path.read_bytes()
    except OSError as error:
        here = sorted(item.name for item in path.parent.glob("*.?sv")) if path.parent.is_dir() else []
        hint = f"there is {', '.join(here[:4])}" if here else "give the table of conditions: --conditions runs.csv"
        raise UnreadableFileError(f"the table cannot be read: {error.strerror}", where=str(path), remedy=hint) from None
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _cells(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True)) if delimiter != " " else line.split()


def _delimiter(lines: list[str]) -> str:
    """The sign that cuts most lines into the same number of cells, more than one."""
    best, score = ",", (0, 0)
    for sign in _DELIMITERS:
        counts = [len(_cells(line, sign)) for line in lines[:50]]
        width = counts[0]
        fit = (sum(count == width for count in counts), width) if width > 1 else (0, 0)
        if fit > score:
            best, score = sign, fit
    if score == (0, 0) and all(len(line.split()) == len(lines[0].split()) > 1 for line in lines):
        return " "
    return best


def _equal_length(path: Path, names: list[str], body: list[tuple[int, list[str]]]) -> tuple[list[tuple[int, list[str]]], list[str]]:
    width = len(names)
    while width and not names[width - 1] and all(not any(row[width - 1 :]) for _, row in body):
        width -= 1  # a trailing separator
    cut = [(number, row[:width] if not any(row[width:]) else row) for number, row in body]
    wrong = [f"line {number} has {len(row)}" for number, row in cut if len(row) != width]
    if wrong:
        raise UnreadableFileError(
            f"the header has {width} columns, but {', '.join(wrong[:6])}{f' and {len(wrong) - 6} more lines' if len(wrong) > 6 else ''}",
            where=str(path),
            remedy="quote cells that hold the separator, or use ';' as separator where numbers have a decimal comma",
        )
    return cut, names[:width]


def _all_numbers(cells: list[str]) -> bool:
    return all(as_number(cell) is not None for cell in cells if cell) and any(cells)


def _is_units(cells: list[str]) -> bool:
    """Whether a row holds units, blanks and dashes only, and at least one real unit."""
    texts = [cell.strip("[]() ") for cell in cells]
    real = [text for text in texts if text not in ("", "-", "1")]
    return bool(real) and all(known_unit(text) is not None for text in real) and all(as_number(text) is None or text == "1" for text in texts if text)


def _unique(names: list[str]) -> tuple[str, ...]:
    found: list[str] = []
    for index, name in enumerate(names, start=1):
        name = name or f"column {index}"
        found.append(name if name not in found else f"{name} ({index})")
    return tuple(found)


def _spelled(delimiter: str) -> str:
    return {";": "semicolons", "\t": "tabs", "|": "bars", " ": "blanks", ",": "commas"}[delimiter]
