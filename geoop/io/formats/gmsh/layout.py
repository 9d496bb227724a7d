"""The text or binary layout of a Gmsh file: its sections, and the numbers in them one after the other."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from ....errors import UnreadableFileError, UnsupportedFormatError
from ...parse import floats, integers

AGAIN = "save the mesh again from Gmsh"
CONVERT = "convert it: gmsh FILE -save -format msh41 -o NEW.msh (2.2 and 4.1 are read)"
_FORMAT_1 = re.compile(rb"\s*\$NOD[ \t]*\r?\n")
_HEAD = re.compile(rb"\$(\w+)[ \t]*\r?\n")


@dataclass(frozen=True)
class Format:
    """The first line of a Gmsh file."""

    version: str
    binary: bool
    size: int  # bytes of a size_t in the file
    order: str  # byte order


class Cursor:
    """Numbers of one section one after the other, from text or from binary."""

    def __init__(self, body: bytes, form: Format, what: str, where: str) -> None:
        self.binary = form.binary
        self._form, self._what, self._where, self._at = form, what, where, 0
        self._body = body if form.binary else floats(body, where, f"${what}")

    def _take(self, count: int, kind: str) -> np.ndarray:
        count = int(count)
        if isinstance(self._body, np.ndarray):
            found = self._body[self._at : self._at + count]
            self._at += count
            short = len(found) < count
            found = found if kind == "f8" else integers(found, self._where, f"${self._what}")
        else:
            item = np.dtype(self._form.order + kind)
            short = count < 0 or self._at + count * item.itemsize > len(self._body)
            found = np.zeros(0, item) if short else np.frombuffer(self._body, item, count, self._at)
            found = found.astype(np.float64 if kind == "f8" else np.int64)
            self._at += count * item.itemsize
        if short or count < 0:
            raise UnreadableFileError(f"${self._what} ends too early: truncated or damaged", where=self._where, remedy=AGAIN)
        return found

    def ints(self, count: int) -> np.ndarray:
        return self._take(count, "i4")

    def sizes(self, count: int) -> np.ndarray:
        return self._take(count, f"u{self._form.size}")

    def doubles(self, count: int) -> np.ndarray:
        return self._take(count, "f8")

    def records(self, count: int, width: int) -> tuple[np.ndarray, np.ndarray]:
        """(count,) numbers and (count, width) values, written row by row as a whole number and doubles."""
        if isinstance(self._body, np.ndarray):
            table = self._take(count * (1 + width), "f8").reshape(count, 1 + width)
            return integers(table[:, 0], self._where, f"${self._what}"), table[:, 1:].copy()
        item = np.dtype([("number", self._form.order + "i4"), ("values", self._form.order + "f8", (width,))])
        if count < 0 or self._at + count * item.itemsize > len(self._body):
            self._take(len(self._body) + 1, "i4")  # raises
        table = np.frombuffer(self._body, item, count, self._at)
        self._at += count * item.itemsize
        return table["number"].astype(np.int64), table["values"].astype(np.float64)

    def ragged(self, count: int, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(count,) numbers, (count,) lengths n and (sum of n, width) values, written row by row: number, n, n * width doubles."""
        numbers, lengths, values, left = [], [], [np.zeros((0, width))], count
        while left > 0:
            length = int(self.ints(2)[1])
            self._at -= 2 if isinstance(self._body, np.ndarray) else 8
            if length < 1 or width < 1:
                self._take(-1, "i4")  # raises
            rows = self._run(left, length, width)
            numbers.append(rows[0])
            lengths.append(np.full(len(rows[0]), length))
            values.append(rows[1].reshape(-1, width))
            left -= len(rows[0])
        flat = np.concatenate(numbers) if numbers else np.zeros(0, np.int64)
        return flat, np.concatenate(lengths) if lengths else flat, np.concatenate(values)

    def _run(self, most: int, length: int, width: int) -> tuple[np.ndarray, np.ndarray]:
        """Numbers and values of the rows up to the first one of another length."""
        size = length * width
        if isinstance(self._body, np.ndarray):
            fit = min(most, (len(self._body) - self._at) // (2 + size))
            table = self._body[self._at : self._at + fit * (2 + size)].reshape(fit, 2 + size)
            same = _leading(table[:, 1] == length)
            self._take(same * (2 + size) if same else len(self._body) + 1, "f8")
            return integers(table[:same, 0], self._where, f"${self._what}"), table[:same, 2:].copy()
        kinds = [("number", self._form.order + "i4"), ("length", self._form.order + "i4"), ("values", self._form.order + "f8", (size,))]
        item = np.dtype(kinds) if size < 1 << 20 else None
        fit = min(most, (len(self._body) - self._at) // item.itemsize) if item is not None else 0
        same = _leading(np.frombuffer(self._body, item, fit, self._at)["length"] == length) if item is not None and fit else 0
        if item is None or not same:
            self._take(len(self._body) + 1, "i4")  # raises
        table = np.frombuffer(self._body, item, same, self._at)
        self._at += same * table.dtype.itemsize
        return table["number"].astype(np.int64), table["values"].astype(np.float64)

    def rest(self) -> np.ndarray:
        """All numbers that are left; text only."""
        return np.asarray(self._body[self._at :])


def _leading(mask: np.ndarray) -> int:
    """How many entries are true before the first false one."""
    return len(mask) if mask.all() else int(np.argmin(mask))


def sections_of(data: bytes, where: str) -> list[tuple[str, bytes]]:
    """Name and body of every section, in the order of the file.

    Raises:
        UnsupportedFormatError: format 1, whose sections end otherwise.
        UnreadableFileError: a section that does not end.
    """
    if _FORMAT_1.match(data):
        raise UnsupportedFormatError("Gmsh format 1 ($NOD ... $ENDNOD)", where=where, remedy=CONVERT)
    found, at = [], 0
    while (start := data.find(b"$", at)) >= 0:
        head = _HEAD.match(data, start)
        if head is None:
            at = start + 1
            continue
        name = head.group(1)
        end = data.find(b"$End" + name, head.end())
        if end < 0:
            raise UnreadableFileError(f"${name.decode()} has no $End{name.decode()}: truncated", where=where, remedy=f"download it again, or {AGAIN}")
        found.append((name.decode(), data[head.end() : end]))
        at = end + 4 + len(name)
    return found


def format_of(sections: list[tuple[str, bytes]], where: str) -> Format:
    """Version, text or binary, sizes and byte order.

    Raises:
        UnreadableFileError: no $MeshFormat.
        UnsupportedFormatError: a version other than 2.2 and 4.1.
    """
    body = next((body for name, body in sections if name == "MeshFormat"), None)
    if body is None:
        raise UnreadableFileError(
            "no $MeshFormat: not a Gmsh mesh (Fluent and others use .msh too)", where=where, remedy="export it as .vtu, .su2 or Gmsh 4.1"
        )
    words = body.splitlines()[0].split() if body else []
    version = words[0].decode("latin-1") if words else "?"
    if version not in ("2.2", "4.1") or len(words) < 3 or words[2] not in (b"4", b"8"):
        raise UnsupportedFormatError(f"Gmsh format {version}", where=where, remedy=CONVERT)
    binary = words[1] != b"0"
    one = body[body.find(b"\n") + 1 :][:4]
    return Format(version, binary, int(words[2]), ">" if binary and one == b"\0\0\0\1" else "<")


def counted(body: bytes, form: Format, name: str, where: str) -> tuple[int, Cursor]:
    """The text line with the count in front of 2.2's sections, and the rest; 4.1 has no such line."""
    if form.version != "2.2":
        return 0, Cursor(body, form, name, where)
    line, _, rest = body.partition(b"\n")
    if not line.strip().isdigit():
        raise UnreadableFileError(f"${name} does not start with a count", where=where, remedy=AGAIN)
    return int(line), Cursor(rest, form, name, where)
