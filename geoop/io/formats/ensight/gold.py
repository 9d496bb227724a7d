"""EnSight Gold geometry and variable files, text, C binary and Fortran binary, read by their own counts.

VTK's reader crashes on most truncated files of this format and takes others for whole, with zeros for what is missing. Here every
number that a file announces must be there.
Layout: Ansys EnSight User Manual, chapters "EnSight Gold Geometry File Format" and "EnSight Gold Variable File Format".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ....errors import UnreadableFileError
from ....mesh.cells import CELL_TYPES, Cells
from ....mesh.polyhedra import facing_out
from ...blocks import Block
from ...contents import Array
from ..face_cells import faces_as_cells
from ..lattice import lattice_cells
from .case_file import Variable

_TYPES = {
    "point": "vertex", "bar2": "line", "tria3": "triangle", "tria6": "triangle6", "quad4": "quad", "quad8": "quad8",
    "tetra4": "tetra", "tetra10": "tetra10", "pyramid5": "pyramid", "penta6": "wedge", "hexa8": "hexahedron",
}  # fmt: skip
_WHOLE_NUMBER = re.compile(r"\d\.\d{5,}[eE][-+]\d{2,3}$")
_WIDTH = {"scalar": 1, "vector": 3, "tensor symm": 6, "tensor asym": 9}


class NotPlain(Exception):
    """The file uses something that only VTK's reader knows."""


@dataclass(eq=False)
class Part:
    """One part: its block, and how many elements each of its element lists has."""

    number: int
    block: Block
    lists: list[tuple[str, int]] = field(default_factory=list)


class _Stream:
    """Lines and numbers of a file, one after the other."""

    def __init__(self, path: Path, where: str, geometry: bool, like: _Stream | None = None) -> None:
        self.data, self.where, self.at = path.read_bytes(), f"{where}: {path.name}", 0
        self.form, self.order = ("text", "<") if like is None else (like.form, like.order)
        if geometry:
            if self.data[:8].lower() == b"c binary":
                self.form = "stream"
            elif self.data[4:18].lower() == b"fortran binary":
                self.form, self.order = "records", "<" if self.data[:4] == b"P\0\0\0" else ">"
        if self.form == "text":
            self.lines = self.data.decode("latin-1").splitlines()
            if self.data[-1:] not in (b"\n", b"\r", b"") and not _WHOLE_NUMBER.search(self.lines[-1]):
                raise self.short("the rest of its last line")  # a number cut short would still be a number
            while self.lines and not self.lines[-1].strip():
                self.lines.pop()
            self.end = len(self.lines)
        else:
            self.end = len(self.data)
            if geometry:
                self.words()
                if self.form == "stream":
                    self.order = self._order()

    def _order(self) -> str:
        """Byte order: the number of the first part is small in the right one."""
        at = self.data.find(b"part".ljust(80))
        at = self.data.find(b"part\0") if at < 0 else at
        raw = self.data[at + 80 : at + 84] if at >= 0 else b""
        return ">" if len(raw) == 4 and int.from_bytes(raw, "big") < int.from_bytes(raw, "little") else "<"

    @property
    def done(self) -> bool:
        return self.at >= self.end

    def words(self) -> str:
        """A line, or 80 characters."""
        if self.form == "text":
            if self.done:
                raise self.short("a line")
            self.at += 1
            return self.lines[self.at - 1].strip()
        return self._raw(80).split(b"\0")[0].decode("latin-1").strip()

    def integers(self, count: int) -> np.ndarray:
        return self._numbers(count, "i4").astype(np.int64)

    def reals(self, count: int) -> np.ndarray:
        return self._numbers(count, "f4").astype(np.float64)

    def _numbers(self, count: int, kind: str) -> np.ndarray:
        if count < 0 or count > len(self.data):
            raise self.short(f"{count} numbers")
        if not count:
            return np.zeros(0, dtype=kind)
        if self.form != "text":
            return np.frombuffer(self._raw(4 * count), f"{self.order}{kind}")
        words: list[str] = []
        while len(words) < count:
            if self.done:
                raise self.short(f"{count} numbers, {len(words)} are there,")
            stop = min(self.end, self.at + max(1, (count - len(words)) // 32 or 1)) if not words else self.at + 1
            for line in self.lines[self.at : stop]:
                words += line.split()
            self.at = stop
        if len(words) != count:
            raise UnreadableFileError(f"line {self.at} has more numbers than are due", where=self.where, remedy="export the case again")
        try:
            return np.array(words, dtype=np.int64 if kind == "i4" else np.float64)
        except ValueError as error:
            raise UnreadableFileError(f"before line {self.at}: {error}", where=self.where, remedy="export the case again") from error

    def _raw(self, size: int) -> bytes:
        mark = 4 * (self.form == "records")
        if self.at + size + 2 * mark > self.end:
            raise self.short(f"{size} bytes")
        if mark:
            said = int.from_bytes(self.data[self.at : self.at + 4], "little" if self.order == "<" else "big")
            if said != size:
                raise UnreadableFileError(f"a record of {said} bytes where {size} are due", where=self.where, remedy="export the case again")
        raw = self.data[self.at + mark : self.at + mark + size]
        self.at += size + 2 * mark
        return raw

    def short(self, what: str) -> UnreadableFileError:
        return UnreadableFileError(f"truncated: {what} at its end", where=self.where, remedy="copy or export the case again")


def read_geometry(path: Path, where: str) -> tuple[list[Part], _Stream]:
    """All parts of a geometry file, and the stream that knows how it is stored.

    Raises:
        NotPlain: blanked, rectilinear or uniform blocks, elements whose order of nodes is VTK's business, several steps in one file.
        UnreadableFileError: damaged or truncated.
    """
    stream = _Stream(path, where, geometry=True)
    if stream.words().upper().startswith("BEGIN TIME STEP"):
        raise NotPlain("several steps in one file")
    stream.words()
    ids = [stream.words().lower().split()[-1:] in (["given"], ["ignore"]) for _ in range(2)]
    parts: list[Part] = []
    word = "" if stream.done else stream.words()
    if word.lower() == "extents":
        stream.reals(6)
        word = "" if stream.done else stream.words()
    while word:
        if word.split()[:1] != ["part"]:
            raise UnreadableFileError(f"'{word[:30]}' where a part is due", where=stream.where, remedy="export the case again")
        number = int(stream.integers(1)[0])
        part, word = _part(stream, number, ids)
        parts.append(part)
    return parts, stream


def _part(stream: _Stream, number: int, ids: list[bool]) -> tuple[Part, str]:
    name = stream.words() or f"part {number}"
    word = "" if stream.done else stream.words()
    if word.startswith("block"):
        return _structured(stream, number, name, word)
    points = np.zeros((0, 3))
    if word == "coordinates":
        count = int(stream.integers(1)[0])
        if ids[0]:
            stream.integers(count)
        points = (
            stream.reals(3 * count).reshape(3, count).T if stream.form != "records" else np.stack([stream.reals(count) for _ in range(3)], axis=1)
        )
        word = "" if stream.done else stream.words()
    cells, lists = [], []
    while word and word.split()[0] != "part":
        kind = word.split()[0]
        if kind not in _TYPES and kind not in ("nsided", "nfaced"):
            raise NotPlain(kind)
        count = int(stream.integers(1)[0])
        if ids[1]:
            stream.integers(count)
        found = _elements(stream, kind, count)
        index = found.connectivity
        if len(index) and (index.min() < 0 or index.max() >= len(points)):
            raise UnreadableFileError(
                f"part '{name}': {kind} name points {index.min() + 1}..{index.max() + 1} of {len(points)}",
                where=stream.where,
                remedy="export it again",
            )
        cells.append(facing_out(points, found)[0])
        lists.append((kind, count))
        word = "" if stream.done else stream.words()
    return Part(number, Block(name, points, Cells.concatenate(cells)), lists), word


def _elements(stream: _Stream, kind: str, count: int) -> Cells:
    if kind == "nsided":
        sizes = stream.integers(count)
        return faces_as_cells(np.concatenate([[0], np.cumsum(sizes)]), stream.integers(int(sizes.sum())) - 1)
    if kind == "nfaced":
        faces = stream.integers(count)
        sizes = stream.integers(int(faces.sum()))
        corners = stream.integers(int(sizes.sum())) - 1
        return Cells.polyhedra(np.concatenate([[0], np.cumsum(faces)]), np.concatenate([[0], np.cumsum(sizes)]), corners)
    name = _TYPES[kind]
    size = CELL_TYPES[name][2]
    return Cells.of({name: stream.integers(count * size).reshape(count, size) - 1})


def _structured(stream: _Stream, number: int, name: str, word: str) -> tuple[Part, str]:
    if word.split() not in (["block"], ["block", "curvilinear"]):
        raise NotPlain(word)
    shape = tuple(int(n) for n in stream.integers(3))
    count = shape[0] * shape[1] * shape[2]
    if min(shape) < 1:
        raise UnreadableFileError(f"part '{name}' has {shape} points", where=stream.where, remedy="export it again")
    points = np.stack([stream.reals(count) for _ in range(3)], axis=1)
    cells = lattice_cells(shape)
    return Part(number, Block(name, points, cells), [("block", len(cells))]), "" if stream.done else stream.words()


def with_variable(parts: list[Part], variable: Variable, path: Path, like: _Stream, where: str) -> list[Part]:
    """The parts with the values of one file; a part that the file passes over has none.

    Raises:
        NotPlain: partial values.
        UnreadableFileError: damaged, truncated, or of another geometry.
    """
    stream = _Stream(path, where, geometry=False, like=like)
    stream.words()
    found: dict[int, np.ndarray] = {}
    word = "" if stream.done else stream.words()
    while word:
        if word.split()[:1] != ["part"]:
            raise UnreadableFileError(f"'{word[:30]}' where a part is due", where=stream.where, remedy="export the case again")
        number = int(stream.integers(1)[0])
        part = next((part for part in parts if part.number == number), None)
        if part is None:
            raise UnreadableFileError(
                f"values of part {number}, which the geometry does not have", where=stream.where, remedy="export the case again"
            )
        found[number], word = _values(stream, part, variable)
    if not found:
        raise stream.short("the values of every part")
    location = "point" if variable.place == "node" else "cell"
    return [
        replace(part, block=replace(part.block, arrays=(*part.block.arrays, Array(variable.name, found[part.number], location))))
        if part.number in found
        else part
        for part in parts
    ]


def _values(stream: _Stream, part: Part, variable: Variable) -> tuple[np.ndarray, str]:
    width = _WIDTH[variable.kind]
    node = variable.place == "node"
    expected = ["block" if part.lists[:1] and part.lists[0][0] == "block" else "coordinates"] if node else [kind for kind, count in part.lists]
    counts = [len(part.block.points)] if node else [count for _, count in part.lists]
    pieces, word = [], "" if stream.done else stream.words()
    for kind, count in zip(expected, counts, strict=True):
        words = word.split()
        if words[:1] != [kind]:
            if not node and not count:
                continue
            raise UnreadableFileError(
                f"part {part.number}: '{word[:30]}' where values at {kind} are due",
                where=stream.where,
                remedy="the file is truncated or of another geometry",
            )
        if "partial" in words:
            raise NotPlain("partial values")
        missing = stream.reals(1)[0] if "undef" in words else None
        values = np.stack([stream.reals(count) for _ in range(width)], axis=1)
        if missing is not None:
            values[values == missing] = np.nan
        pieces.append(values)
        word = "" if stream.done else stream.words()
    values = np.concatenate(pieces) if pieces else np.zeros((0, width))
    if width == 6:
        values = values[:, [0, 1, 2, 3, 5, 4]]  # the file has xz before yz
    return values[:, 0] if width == 1 else values, word
