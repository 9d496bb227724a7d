"""A look at the sections of a legacy .vtk file before VTK reads it: is everything there that they announce?

VTK reads a file that was cut off without a word where the cut falls between two sections, inside of the arrays of a FIELD, or
inside of the last text value. The layout is that of the VTK File Formats document: a keyword with counts, then as many values.
"""

from __future__ import annotations

import mmap
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ....errors import UnreadableFileError

_TOKEN = re.compile(rb"\s*(\S+)")
_SIZES = {
    **dict.fromkeys((b"char", b"unsigned_char", b"signed_char"), 1),
    **dict.fromkeys((b"short", b"unsigned_short"), 2),
    **dict.fromkeys((b"int", b"unsigned_int", b"float", b"vtkidtype"), 4),
    **dict.fromkeys((b"long", b"unsigned_long", b"double", b"vtktypeint64", b"vtktypeuint64"), 8),
    b"bit": 0,
}
#: Attributes with a name and a type -> values per point or cell.
_ATTRIBUTES = {b"vectors": 3, b"normals": 3, b"tensors": 9, b"tensors6": 6, b"global_ids": 1, b"pedigree_ids": 1, b"edge_flags": 1}
_LISTS = (b"vertices", b"lines", b"polygons", b"triangle_strips", b"cells")
_AXES = (b"x_coordinates", b"y_coordinates", b"z_coordinates")
#: Kind of data set -> sections without which it is no mesh.
_NEEDED = {
    b"unstructured_grid": (b"points", b"cells", b"cell_types"),
    b"polydata": (b"points",),
    b"structured_grid": (b"dimensions", b"points"),
    b"rectilinear_grid": (b"dimensions", *_AXES),
    b"structured_points": (b"dimensions", b"origin"),
}
_NUMBERS = {b"dimensions": 3, b"extent": 6, b"origin": 3, b"spacing": 3, b"aspect_ratio": 3}
_CHUNK = 1 << 20
_AGAIN = "write, download or export it again"


class _Torn(Exception):
    """The file ends too early; the text says in what."""


class _Unknown(Exception):
    """Something that is not known here: VTK decides."""


@dataclass
class Legacy:
    """What a walk along the sections found.

    Attributes:
        binary: whether values are stored as bytes.
        floats: first byte and the one behind the last of every text array of real numbers.
        open_end: whether no line break follows the last value, so that this one or what followed it may be cut off.
    """

    binary: bool = False
    floats: list[tuple[int, int]] = field(default_factory=list)
    open_end: bool = False


def check_legacy(path: Path, where: str) -> Legacy:
    """Raise unless a legacy file holds everything that its sections announce.

    Args:
        path: the plain file.
        where: what errors call it.

    Raises:
        UnreadableFileError: truncated: a section, array or value is missing.
    """
    with open(path, "rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as data:
        walk = _Walk(data)
        try:
            walk.file()
        except _Torn as torn:
            raise UnreadableFileError(f"{torn}: truncated", where=where, remedy=_AGAIN) from None
        except _Unknown:
            pass
        return walk.found


#: Numbers that stand for those that VTK cannot read in text; as single or double precision they are the same.
_STANDINS = {b"nan": -(2.0**101) * 1.2890625, b"inf": 2.0**102 * 1.2890625, b"-inf": -(2.0**103) * 1.2890625}
_NOT_FINITE = re.compile(rb"(?<!\S)([-+]?)(nan|inf)(?:inity|\([^)\s]*\)|ind)?(?!\S)", re.I)


def with_standins(path: Path, found: Legacy) -> bytes | None:
    """The file with other numbers for NaN and infinity, which VTK writes into text files and cannot read there; None if it has none."""
    if not found.floats:
        return None
    data = path.read_bytes()
    pieces, at = [], 0
    for start, stop in found.floats:
        pieces += [data[at:start], _NOT_FINITE.sub(_standin, data[start:stop])]
        at = stop
    changed = b"".join([*pieces, data[at:]])
    return changed if changed != data else None


def _standin(match: re.Match[bytes]) -> bytes:
    name = match[2].lower()
    return repr(_STANDINS[b"-inf" if match[1] == b"-" and name == b"inf" else name]).encode()


def without_standins(values: np.ndarray) -> np.ndarray:
    """Values of any shape with NaN and infinity where :func:`with_standins` put other numbers."""
    if values.dtype.kind != "f":
        return values
    values = np.array(values)
    for name, standin in _STANDINS.items():
        values[values == standin] = float(name)
    return values


class _Values:
    """The place in a file, and how to step over words, lines and values."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data, self.at, self.found = data, 0, Legacy()

    def values(self, kind: bytes, count: int, name: str) -> None:
        """Steps over as many values; in a binary file they begin on the next line."""
        if self.found.binary:
            self.line(name)
        if kind in (b"string", b"utf8_string"):
            self.texts(count, name)
        elif kind not in _SIZES:
            raise _Torn(f"{name} ends in its type") if self.at == len(self.data) else _Unknown
        elif self.found.binary:
            self.at += count * _SIZES[kind] if kind != b"bit" else (count + 7) // 8
            if self.at > len(self.data):
                raise _Torn(f"{name} lacks {self.at - len(self.data)} bytes")
        else:
            start = self.at
            self.words(count, name)
            if kind in (b"float", b"double"):
                self.found.floats.append((start, self.at))

    def words(self, count: int, name: str) -> None:
        left = count
        while left:
            chunk = self.data[self.at : self.at + _CHUNK]
            if not chunk:
                raise _Torn(f"{name} lacks {left} of {count} values")
            last = self.at + len(chunk) >= len(self.data)
            stop = len(chunk) if last else max(chunk.rfind(b"\n"), chunk.rfind(b" "), chunk.rfind(b"\t")) + 1
            if not stop:
                raise _Unknown
            here = len(chunk[:stop].split())
            if here > left or (here == left and not last):
                for _ in range(left):
                    self.word(name)
                return
            left -= here
            self.at += stop

    def texts(self, count: int, name: str) -> None:
        """Texts: a line each, or behind their lengths, whose first two bits say how many bytes they have."""
        if not self.found.binary:
            self.line(name)
        for _ in range(count):
            if not self.found.binary:
                self.line(name)
                continue
            first = self.data[self.at : self.at + 1]
            width = {3: 1, 2: 2, 1: 4, 0: 8}[first[0] >> 6] if first else 9
            head = self.data[self.at : self.at + width]
            length = int.from_bytes(head, "big") & ((1 << (8 * width - 2)) - 1)
            self.at += width + length
            if self.at > len(self.data) or not first:
                raise _Torn(f"{name} ends inside of its texts")

    def word(self, name: str) -> bytes:
        match = _TOKEN.match(self.data, self.at)
        if match is None:
            raise _Torn(f"the file ends in {name}")
        self.at = match.end()
        return match[1]

    def number(self, name: str) -> int:
        word = self.word(name)
        if not re.fullmatch(rb"\d{1,15}", word):
            raise _Unknown
        return int(word)

    def line(self, name: str) -> bytes:
        stop = self.data.find(b"\n", self.at)
        if stop < 0:
            if self.at >= len(self.data):
                raise _Torn(f"the file ends in {name}")
            stop = len(self.data)
        found = self.data[self.at : stop]
        self.at = min(stop + 1, len(self.data))
        return found

    def keyword(self) -> bytes | None:
        match = _TOKEN.match(self.data, self.at)
        if match is None:
            return None
        self.at = match.end()
        return match[1].lower()


class _Walk(_Values):
    """The sections of a file one after the other."""

    def __init__(self, data: mmap.mmap) -> None:
        super().__init__(data)
        self.seen: set[bytes] = set()
        self.tuples = 0  # of the attributes of points or cells

    def file(self) -> None:
        for _ in range(2):
            self.line("the header")
        self.found.binary = self.word("the header").lower() == b"binary"
        if self.word("the header").lower() != b"dataset":
            raise _Unknown
        kind = self.word("the line DATASET").lower()
        last = keyword = kind
        if kind not in _NEEDED:
            raise _Torn(f"the file ends in the line DATASET {kind.decode('latin-1')}") if self.at == len(self.data) else _Unknown
        while (found := self.keyword()) is not None:
            keyword = found
            self.section(keyword)
            last = keyword if keyword != b"metadata" else last
            self.seen.add(keyword)
        missing = [name.decode().upper() for name in _NEEDED[kind] if name not in self.seen]
        if missing:
            raise _Torn(f"{kind.decode()} without a {missing[0]} section")
        if kind == b"polydata" and self.seen <= {b"points", b"field", b"metadata"}:
            raise _Torn("polydata that ends behind its POINTS, without a VERTICES, LINES or POLYGONS section")
        if last in (b"point_data", b"cell_data"):
            raise _Torn(f"{last.decode().upper()} is the last word, no values follow")
        size = len(self.data)
        if self.found.binary and keyword not in _NUMBERS:
            self.found.open_end = self.at >= size
        elif keyword != b"metadata":
            self.found.open_end = not self.data[size - 1 : size].isspace()

    def section(self, keyword: bytes) -> None:
        name = keyword.decode("latin-1").upper()
        if keyword == b"metadata":
            self.metadata()
        elif keyword in (b"point_data", b"cell_data"):
            self.tuples = self.number(name)
        elif keyword == b"field":
            self.word(name)
            for number in range(self.number(name)):
                self.array(f"array {number + 1} of {name}")
        elif keyword in _NUMBERS:
            for _ in range(_NUMBERS[keyword]):
                self.word(name)
        elif keyword == b"points":
            count = self.number(name)
            self.values(self.word(name).lower(), 3 * count, name)
        elif keyword in _AXES or keyword == b"blanking":
            count = self.number(name)
            self.values(self.word(name).lower(), count, name)
        elif keyword in _LISTS:
            self.list_of_cells(name)
        elif keyword == b"cell_types":
            self.values(b"int", self.number(name), name)
        else:
            self.attribute(keyword, name)

    def list_of_cells(self, name: str) -> None:
        cells, size = self.number(name), self.number(name)
        here = self.at
        if cells == 0 and size == 0 and self.keyword() != b"offsets":
            self.at = here
            return
        self.at = here
        if self.keyword() != b"offsets":  # before version 5, and polyhedra: one list, every cell behind its length
            self.at = here
            self.values(b"int", size, name)
            return
        self.values(self.word(name).lower(), cells, f"OFFSETS of {name}")
        if self.word(name).lower() != b"connectivity":
            raise _Unknown
        self.values(self.word(name).lower(), size, f"CONNECTIVITY of {name}")

    def attribute(self, keyword: bytes, name: str) -> None:
        if keyword in _ATTRIBUTES:
            name = f"{name} {self.word(name).decode('latin-1')}"
            self.values(self.word(name).lower(), _ATTRIBUTES[keyword] * self.tuples, name)
        elif keyword == b"scalars":
            words = self.line(name).split()
            if len(words) < 2 or words[-1][:9].lower() == b"lookup_tab":
                raise _Unknown
            name = f"{name} {words[0].decode('latin-1')}"
            if self.word(f"{name}, before its LOOKUP_TABLE").lower() != b"lookup_table":
                raise _Torn(f"{name} without a LOOKUP_TABLE") if self.at == len(self.data) else _Unknown
            self.word(name)
            self.values(words[1].lower(), self.tuples * (int(words[2]) if len(words) > 2 and words[2].isdigit() else 1), name)
        elif keyword in (b"color_scalars", b"lookup_table"):
            self.word(name)
            count = self.number(name)
            each = (self.tuples, count) if keyword == b"color_scalars" else (4, count)
            self.values(b"unsigned_char", each[0] * each[1], name)
        elif keyword == b"texture_coordinates":
            self.word(name)
            width = self.number(name)
            self.values(self.word(name).lower(), width * self.tuples, name)
        else:
            raise _Torn(f"the file ends in a word '{keyword[:20].decode('latin-1')}'") if self.at == len(self.data) else _Unknown

    def array(self, name: str) -> None:
        label = self.word(name)
        if label.lower() == b"metadata":
            self.metadata()
            label = self.word(name)
        if label == b"NULL_ARRAY":
            return
        name = f"{name} '{label[:40].decode('latin-1')}'"
        width, count = self.number(name), self.number(name)
        self.values(self.word(name).lower(), width * count, name)

    def metadata(self) -> None:
        """Lines up to the first empty one; nothing of the mesh is in them."""
        self.line("METADATA")
        while self.line("METADATA").strip():
            pass
