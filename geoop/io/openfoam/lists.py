"""Lists of numbers in OpenFOAM files, text or binary: found, measured, decoded, encoded."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass

import numpy as np

from ...errors import UnreadableFileError
from ..parse import floats

#: Type of a list or field -> numbers per entry.
COMPONENTS = {"scalar": 1, "vector": 3, "symmTensor": 6, "tensor": 9, "sphericalTensor": 1, "label": 1, "bool": 1}
_COUNT = re.compile(rb"\d{1,18}")
#: White space and comments: they may stand before the count of a list and before its bracket.
_GAP = re.compile(rb"(?:\s+|//[^\n]*|/\*.*?\*/)*", re.S)
_PARENTHESES = bytes.maketrans(b"()", b"  ")
_END_OF_ROWS = re.compile(rb"\)\s*\)")
_COMMENT = re.compile(rb"//[^\n]*|/\*.*?\*/", re.S)
_DAMAGED = "the file is truncated or damaged: write it again with OpenFOAM, or copy it again"


@dataclass(frozen=True)
class Layout:
    """How numbers are stored in one file.

    Attributes:
        binary: raw bytes in lists, otherwise text everywhere.
        label: bytes of an integer.
        scalar: bytes of a real number.
        order: ``<`` or ``>``, byte order.
    """

    binary: bool = False
    label: int = 4
    scalar: int = 8
    order: str = "<"

    def dtype(self, kind: str) -> np.dtype:
        """The stored type of one number of a list of this kind."""
        if kind == "bool":
            return np.dtype(np.uint8)
        return np.dtype(f"{self.order}i{self.label}" if kind == "label" else f"{self.order}f{self.scalar}")


def decode(data: bytes, start: int, kind: str, layout: Layout, where: str, expected: int | None = None) -> tuple[np.ndarray, int]:
    """A list ``N ( ... )``, ``N {value}`` or ``0`` that begins at ``start``.

    Args:
        data: the whole file.
        start: before the count.
        kind: a key of :data:`COMPONENTS`.
        layout: of the file.
        where: the file.
        expected: number of entries that it must have; a list of one repeated value is only expanded up to this number.

    Returns:
        (n,) or (n, k) float64, int64 for labels and bools; and where the list ends.

    Raises:
        UnreadableFileError: cut off, not numbers, or another number of entries than the list itself or the mesh says.
    """
    count, opened, begin = list_head(data, start, where)
    if expected is not None and count != expected:
        raise UnreadableFileError(f"a list says it has {count} entries, {expected} are expected", where=where, remedy=_DAMAGED)
    width = COMPONENTS[kind]
    if not opened:
        if count:
            raise UnreadableFileError(f"a list of {count} entries has no content", where=where, remedy=_DAMAGED)
        return _shaped(np.zeros(0), kind, width), begin
    if opened == b"{":
        stop = data.find(b"}", begin)
        if stop < 0 or (expected is None and count > max(len(data), 1)):
            raise UnreadableFileError(f"a list of {count} equal entries is cut off or too long", where=where, remedy=_DAMAGED)
        row = numbers(data[begin:stop], where)
        if len(row) != width:
            raise UnreadableFileError(f"a list of {kind}s repeats {len(row)} numbers, expected {width}", where=where, remedy=_DAMAGED)
        return _shaped(np.tile(row, count), kind, width), stop + 1
    if not count:
        return _shaped(np.zeros(0), kind, width), _closed(data, begin, where)
    if layout.binary:
        stored, stop = _stored(data, begin, count, width, kind, layout, where)
        return _shaped(np.frombuffer(data, stored, count * width, begin), kind, width), stop
    stop = end_of_text_list(data, begin, kind, where)
    values = whole_numbers(data[begin : stop - 1], where) if kind == "label" else numbers(data[begin : stop - 1], where)
    if len(values) != count * width:
        raise UnreadableFileError(f"a list says it has {count} {kind}s, it holds {len(values)} numbers", where=where, remedy=_DAMAGED)
    return _shaped(values, kind, width), stop


def decode_bytes(data: bytes, start: int, where: str) -> tuple[bytes, int]:
    """The content of ``N ( N raw bytes )`` that begins at ``start``, and where it ends.

    Raises:
        UnreadableFileError: cut off.
    """
    count, opened, begin = list_head(data, start, where)
    if count and (not opened or data[begin + count : begin + count + 1] != b")"):
        raise UnreadableFileError(f"a block of {count} bytes does not end with its bracket", where=where, remedy=_DAMAGED)
    return data[begin : begin + count], begin + count + 1 if opened else begin


def skip(data: bytes, start: int, kind: str, layout: Layout, where: str) -> int:
    """Where a list that begins at ``start`` ends; text lists are not parsed for it."""
    count, opened, begin = list_head(data, start, where)
    if opened == b"(" and layout.binary and kind in COMPONENTS:
        return _stored(data, begin, count, COMPONENTS[kind], kind, layout, where)[1]
    if opened == b"(" and kind in COMPONENTS and count:
        return end_of_text_list(data, begin, kind, where)
    return begin - len(opened)  # words, lists of lists, repeated values: their brackets balance


def end_of_text_list(data: bytes, begin: int, kind: str, where: str) -> int:
    """The place behind the closing bracket of a list that is not empty and whose content begins at ``begin``."""
    if COMPONENTS[kind] == 1 and data[begin : begin + 64].lstrip()[:1] != b"(":
        stop = data.find(b")", begin) + 1
    else:
        found = _END_OF_ROWS.search(data, begin)
        stop = found.end() if found else 0
    if not stop:
        raise UnreadableFileError("a list has no end: the closing bracket is missing", where=where, remedy=_DAMAGED)
    return stop


def numbers(text: bytes, where: str) -> np.ndarray:
    """All numbers of a text, float64; brackets and comments between them do not count."""
    return floats(_plain(text), where, "a list of numbers")


def whole_numbers(text: bytes, where: str) -> np.ndarray:
    """All integers of a text, int64; brackets and comments between them do not count."""
    text = _plain(text)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        try:
            return np.fromstring(text, dtype=np.int64, sep=" ")
        except (DeprecationWarning, ValueError, OverflowError):
            wrong = next((token for token in text.split() if not re.fullmatch(rb"[-+]?\d{1,18}", token)), b"")
            shown = wrong[:40].decode("latin-1")
            raise UnreadableFileError(f"'{shown}' in a list of labels is not a whole number", where=where, remedy=_DAMAGED) from None


def encode(values: np.ndarray, kind: str, layout: Layout) -> bytes:
    """``N ( ... )`` of (n,) or (n, k) values, as OpenFOAM writes lists; text keeps all digits of a double.

    Args:
        values: in the component order of OpenFOAM.
        kind: a key of :data:`COMPONENTS`.
        layout: of the file.
    """
    count = len(values)
    if not count:
        return b"0()" if not layout.binary else b"0"
    if layout.binary:
        return b"%d\n(" % count + np.ascontiguousarray(values, layout.dtype(kind)).tobytes() + b")"
    if np.ndim(values) == 1 and kind != "sphericalTensor":
        rows = [repr(value).encode() for value in values.tolist()]
    else:
        rows = [b"(" + " ".join(map(repr, row)).encode() + b")" for row in np.reshape(values, (count, -1)).tolist()]
    return b"%d\n(\n" % count + b"\n".join(rows) + b"\n)"


def list_head(data: bytes, start: int, where: str) -> tuple[int, bytes, int]:
    """Length of a list, the bracket that opens it (empty where there is none), and the place behind it; comments are passed over.

    Raises:
        UnreadableFileError: no length.
    """
    found = _COUNT.match(data, _behind_gap(data, start))
    if not found:
        shown = data[start : start + 30].strip()[:20].decode("latin-1")
        raise UnreadableFileError(f"a list must begin with its length, found '{shown}'", where=where, remedy=_DAMAGED)
    behind = _behind_gap(data, found.end())
    opened = data[behind : behind + 1]
    return (int(found[0]), opened, behind + 1) if opened in (b"(", b"{") else (int(found[0]), b"", found.end())


def _behind_gap(data: bytes, position: int) -> int:
    found = _GAP.match(data, position)
    return found.end() if found else position


def _closed(data: bytes, begin: int, where: str) -> int:
    """Behind the bracket that closes an empty list."""
    stop = re.compile(rb"\s*\)").match(data, begin)
    if not stop:
        raise UnreadableFileError("a list says it is empty, but it has content", where=where, remedy=_DAMAGED)
    return stop.end()


def _stored(data: bytes, begin: int, count: int, width: int, kind: str, layout: Layout, where: str) -> tuple[np.dtype, int]:
    """Stored type and end of a binary list; files without an ``arch`` entry do not say the type, the closing bracket does."""
    said = layout.dtype(kind)
    other = {4: 8, 8: 4}.get(said.itemsize)
    for stored in [said] + ([np.dtype(f"{layout.order}{said.kind}{other}")] if other else []):
        stop = begin + count * width * stored.itemsize
        if data[stop : stop + 1] == b")":
            return stored, stop + 1
    raise UnreadableFileError(
        f"a binary list of {count} {kind}s ({count * width * said.itemsize} bytes) does not end with its bracket; {len(data) - begin} bytes are left",
        where=where,
        remedy=_DAMAGED,
    )


def _shaped(values: np.ndarray, kind: str, width: int) -> np.ndarray:
    values = values.astype(np.int64 if kind in ("label", "bool") else np.float64)
    return values.reshape(-1, width) if width > 1 else values


def _plain(text: bytes) -> bytes:
    if b"/" in text:
        text = _COMMENT.sub(b" ", text)
    return text.translate(_PARENTHESES).strip()
