"""How the numbers of a PLOT3D file are laid out: found by what fits the size of the file exactly.

The file itself says nothing: text or binary, records of Fortran or a plain stream, either byte order, single or double precision, one
or several grids, two or three dimensions, with or without blanking. Only one reading accounts for every byte.
Layout: Walatka et al. 1990, "PLOT3D User's Manual", NASA TM-101067, chapter 8.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ....errors import UnreadableFileError
from ...parse import floats

_MOST_GRIDS = 1 << 20
_TIMES = re.compile(rb"(\d+)\*([^\s,*]+)")


@dataclass(frozen=True)
class Layout:
    """One reading of the head of a file.

    Attributes:
        shapes: points per direction of every grid, two or three each.
        rest: extra numbers per grid in the head (the number of functions of a function file), or none.
        start: where the head ends: byte, or number of text.
        kind: ``text``, ``records`` or ``stream``.
        order: ``<`` or ``>``.
    """

    shapes: tuple[tuple[int, ...], ...]
    rest: tuple[int, ...]
    start: int
    kind: str
    order: str


class Numbers:
    """The numbers of a file behind its head, read one after the other."""

    def __init__(self, data: bytes | np.ndarray, layout: Layout, width: int, where: str) -> None:
        self.data, self.layout, self.width, self.where, self.at = data, layout, width, where, layout.start

    def record(self, parts: list[tuple[int, str]]) -> list[np.ndarray]:
        """The arrays of one record: (count, ``f`` or ``i``) each; floats as float64.

        Raises:
            UnreadableFileError: the length that a Fortran record says is another one.
        """
        if isinstance(self.data, np.ndarray):
            found = []
            for count, _ in parts:
                found.append(self.data[self.at : self.at + count])
                self.at += count
            return found
        size = sum(count * (self.width if kind == "f" else 4) for count, kind in parts)
        marked = self.layout.kind == "records"
        if marked and _integer(self.data, self.at, self.layout.order) != size & 0xFFFFFFFF:
            raise UnreadableFileError(
                f"the record at byte {self.at} should have {size} bytes and says {_integer(self.data, self.at, self.layout.order)}",
                where=self.where,
                remedy="export it as one record per grid (PLOT3D 'whole' format)",
            )
        self.at += 4 * marked
        found = []
        for count, kind in parts:
            dtype = np.dtype(f"{self.layout.order}{kind}{self.width if kind == 'f' else 4}")
            values = np.frombuffer(self.data, dtype, count, self.at)
            found.append(values.astype(np.float64 if kind == "f" else np.int64))
            self.at += count * dtype.itemsize
        self.at += 4 * marked
        return found


def text_numbers(data: bytes, where: str) -> np.ndarray:
    """All numbers of a text file; ``3*0.5`` is Fortran's short form of three of them."""
    limit = 64 * len(data) + 1000

    def repeated(match: re.Match[bytes]) -> bytes:
        count = int(match.group(1))
        if count * len(match.group(2)) > limit:
            raise UnreadableFileError(f"'{match.group().decode('latin-1')}' repeats too often", where=where, remedy="export it again")
        return (match.group(2) + b" ") * count

    return floats(_TIMES.sub(repeated, data.replace(b",", b" ")), where, "PLOT3D numbers")


def line_ends(data: bytes) -> frozenset[int]:
    """How many numbers stand before the end of each line of a text: a head ends with its line."""
    counts = [len(line.replace(b",", b" ").split()) for line in data[: 1 << 20].splitlines()]
    return frozenset(np.cumsum(counts).tolist())


def heads(data: bytes | np.ndarray, extra: int, ends: frozenset[int] = frozenset()) -> Iterator[Layout]:
    """Every reading of a head that makes sense so far.

    Args:
        data: bytes of a binary file, or all numbers of a text file.
        extra: further integers per grid behind its dimensions: 0, or 1 in a function file.
        ends: of the lines of a text, see :func:`line_ends`.
    """
    for dimension in (3, 2):
        for several in (True, False):
            width = dimension + extra
            if isinstance(data, np.ndarray):
                yield from (layout for layout in _text_head(data, dimension, width, several) if layout.start in ends)
                continue
            for order in "<>":
                for kind in ("records", "stream"):
                    yield from _binary_head(data, dimension, width, several, order, kind)


def _text_head(data: np.ndarray, dimension: int, width: int, several: bool) -> Iterator[Layout]:
    count = int(data[0]) if several and len(data) and 1 <= data[0] <= _MOST_GRIDS and data[0] == int(data[0]) else 0
    count = count if several else 1
    start = int(several) + count * width
    numbers = data[int(several) : start]
    if count and len(numbers) == count * width and (numbers == np.floor(numbers)).all() and (numbers >= 1).all() and (numbers < 2**31).all():
        rows = numbers.astype(np.int64).reshape(count, width)
        yield Layout(tuple(map(tuple, rows[:, :dimension].tolist())), tuple(rows[:, dimension:].ravel().tolist()), start, "text", "<")


def _binary_head(data: bytes, dimension: int, width: int, several: bool, order: str, kind: str) -> Iterator[Layout]:
    mark, at, count = 4 * (kind == "records"), 0, 1
    if several:
        if len(data) < 4 + 2 * mark or mark and (_integer(data, 0, order) != 4 or _integer(data, 8, order) != 4):
            return
        count, at = _integer(data, mark, order), 4 + 2 * mark
    size = 4 * width * count
    if not 1 <= count <= _MOST_GRIDS or len(data) < at + size + 2 * mark:
        return
    if mark and (_integer(data, at, order) != size or _integer(data, at + 4 + size, order) != size):
        return
    rows = np.frombuffer(data, f"{order}i4", width * count, at + mark).astype(np.int64).reshape(count, width)
    if (rows >= 1).all():
        yield Layout(tuple(map(tuple, rows[:, :dimension].tolist())), tuple(rows[:, dimension:].ravel().tolist()), at + size + 2 * mark, kind, order)


def _integer(data: bytes, at: int, order: str) -> int:
    return int.from_bytes(data[at : at + 4], "little" if order == "<" else "big")


def body_size(layout: Layout, records: list[tuple[int, int]], width: int) -> int:
    """Length of a body: bytes, or numbers of text.

    Args:
        layout: of the head.
        records: how many reals and integers each record has.
        width: bytes of a real.
    """
    if layout.kind == "text":
        return sum(reals + integers for reals, integers in records)
    mark = 8 * (layout.kind == "records")
    return sum(reals * width + 4 * integers + mark for reals, integers in records)
