"""A look at the layout of a VTK XML file before VTK reads it.

VTK trusts the counts and offsets in a file: a damaged one makes it allocate without bound or read past the end, and the process
dies without an exception. What is checked here is what it would follow blindly.
"""

from __future__ import annotations

import base64
import mmap
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...errors import UnreadableFileError

_TAG = re.compile(rb"<(/?)([A-Za-z]+)\b([^<>]*)>")
_ATTRIBUTE = re.compile(rb"([A-Za-z_]+)\s*=\s*\"([^\"]*)\"|([A-Za-z_]+)\s*=\s*'([^']*)'")
_SECTIONS = {b"Points", b"Cells", b"PointData", b"CellData", b"FieldData", b"Coordinates", b"Verts", b"Lines", b"Strips", b"Polys"}
_BYTES = {b"Float32": 4, b"Float64": 8, **{f"{sign}Int{8 * size}".encode(): size for sign in ("", "U") for size in (1, 2, 4, 8)}}
_APPENDED = re.compile(rb"<AppendedData\b[^>]*>\s*_")
_BLANK = re.compile(rb"\s*")
#: No compression of VTK packs more than this many bytes into one (deflate 1032, LZ4 255).
_DENSEST = 1100


@dataclass(frozen=True)
class _Stored:
    """An array that is not plain text: where its bytes begin and must have ended, and how many it must have (None: any)."""

    name: str
    start: int
    stop: int
    exact: int | None
    base64: bool
    section: bytes
    kind: str


@dataclass
class _Layout:
    """What the tags say."""

    header: np.dtype = field(default_factory=lambda: np.dtype("<u4"))
    compressed: bool = False
    arrays: list[_Stored] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def check_layout(path: Path, where: str) -> None:
    """Raise unless counts, offsets and lengths of a VTK XML file fit into its size.

    Args:
        path: the plain file.
        where: what errors call it.

    Raises:
        UnreadableFileError: truncated or damaged; several problems in one error.
    """
    size = path.stat().st_size
    with open(path, "rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data.rfind(b"</VTKFile>", max(0, size - 1024)) < 0:
            raise UnreadableFileError("the closing tag </VTKFile> is missing: truncated", where=where, remedy="write, download or export it again")
        layout = _layout(data, size)
        layout.problems += [problem for array in layout.arrays for problem in _misfit(data, array, layout)]
        if not layout.problems and not layout.compressed:
            layout.problems += list(_torn_cells(data, layout))
    if layout.problems:
        raise UnreadableFileError(f"damaged: {'; '.join(layout.problems[:4])}", where=where, remedy="write, download or export it again")


def _layout(data: mmap.mmap, size: int) -> _Layout:
    found = _Layout()
    appended = _APPENDED.search(data)
    tags_end = appended.start() if appended else size
    block = (appended.end(), max(data.rfind(b"</AppendedData"), appended.end()), b"raw" not in appended.group()) if appended else (size, size, False)
    section, points, cells = b"", None, None
    for match in _TAG.finditer(data, 0, tags_end):
        closing, tag, text = match.groups()
        if closing:
            section = b"" if tag == section else section
            continue
        about = {name or other: value or quoted for name, value, other, quoted in _ATTRIBUTE.findall(text)}
        counts = {name: _count(value) for name, value in about.items() if name.startswith(b"NumberOf") or name == b"offset"}
        for name, number in counts.items():
            if number is None or number > _DENSEST * size:
                found.problems.append(f"{tag.decode()} has {name.decode()} '{about[name].decode('latin-1')[:20]}' in a file of {size} bytes")
        if tag == b"VTKFile":
            order = ">" if about.get(b"byte_order") == b"BigEndian" else "<"
            found.header = np.dtype(f"{order}u{8 if about.get(b'header_type') == b'UInt64' else 4}")
            found.compressed = bool(about.get(b"compressor"))
        elif tag == b"Piece":
            points, cells = counts.get(b"NumberOfPoints"), counts.get(b"NumberOfCells")
        elif tag in _SECTIONS:
            section = tag
        elif tag in (b"DataArray", b"Array"):
            rows = {b"Points": points, b"PointData": points, b"CellData": cells}.get(section)
            width = _BYTES.get(about.get(b"type", b""))
            exact = None if rows is None or width is None else rows * (counts.get(b"NumberOfComponents") or 1) * width
            _note_array(found, data, match, about, exact, size, block, section)
    return found


def _note_array(
    found: _Layout, data: mmap.mmap, match: re.Match[bytes], about: dict, exact: int | None, size: int, block: tuple, section: bytes
) -> None:
    kind = about.get(b"type", b"").decode("latin-1")
    name = about.get(b"Name", b"").decode("latin-1")
    if exact is not None and exact > _DENSEST * size:
        found.problems.append(f"array '{name}' would be larger than the file can hold")
    form = about.get(b"format", b"ascii").lower()
    if form == b"appended":
        offset = _count(about.get(b"offset", b""))
        if offset is None or block[0] + offset >= block[1]:
            found.problems.append(f"array '{name}' starts behind the end of the data")
        else:
            found.arrays.append(_Stored(name, block[0] + offset, block[1], exact, block[2], section, kind))
    elif form == b"binary" and not match.group(3).rstrip().endswith(b"/"):
        text = _BLANK.match(data, match.end())
        start = text.end() if text else match.end()
        found.arrays.append(_Stored(name, start, max(data.find(b"<", start), start), exact, True, section, kind))


def _count(text: bytes) -> int | None:
    return int(text) if text.strip().isdigit() and len(text) < 19 else None


def _words(data: mmap.mmap, array: _Stored, kind: np.dtype, count: int) -> list[int] | None:
    """The first numbers of an array's header; None if the file ends before."""
    length = count * kind.itemsize
    text = data[array.start : min(array.stop, array.start + (-(-length // 3) * 4 if array.base64 else length))]
    try:
        # header and data may be one run of base64 or two: a padding sign ends the first
        packed = base64.b64decode(text[: len(text) // 4 * 4]) if array.base64 else text
    except ValueError:
        return None
    return [int(word) for word in np.frombuffer(packed[:length], kind)] if len(packed) >= length else None


def _misfit(data: mmap.mmap, array: _Stored, layout: _Layout):
    """What does not fit about one array."""
    if array.exact == 0 and array.start == array.stop:
        return
    kind, left = layout.header, array.stop - array.start
    room = left * 3 // 4 if array.base64 else left
    first = _words(data, array, kind, 1)
    if first is None:
        yield f"array '{array.name}' ends too early"
    elif not layout.compressed:
        if kind.itemsize + first[0] > room or array.exact is not None and first[0] != array.exact:
            yield f"array '{array.name}' has {first[0]} bytes, {room - kind.itemsize if array.exact is None else array.exact} expected at most"
    elif first[0]:
        words = _words(data, array, kind, 3 + first[0]) if (3 + first[0]) * kind.itemsize <= room else None
        if words is None:
            yield f"array '{array.name}' has {first[0]} compressed blocks, more than fit into the file"
            return
        unpacked, packed = (words[0] - 1) * words[1] + (words[2] or words[1]), sum(words[3:])
        if packed > room or unpacked > _DENSEST * (packed + 64) or array.exact is not None and unpacked != array.exact:
            yield f"array '{array.name}' announces {unpacked} bytes packed into {packed}, {room if array.exact is None else array.exact} expected"


def _torn_cells(data: mmap.mmap, layout: _Layout):
    """Cells whose offsets do not end where their connectivity ends: VTK makes room for as much as the last offset says."""
    waiting: dict[bytes, _Stored] = {}
    for array in layout.arrays:
        if array.base64 or array.kind not in ("Int32", "Int64", "UInt32", "UInt64"):
            continue
        if array.name == "connectivity":
            waiting[array.section] = array
        elif array.name == "offsets" and array.section in waiting:
            ends = _values(data, array, layout)
            count = len(_values(data, waiting.pop(array.section), layout))
            if len(ends) and (int(ends[-1]) != count or (ends[1:] < ends[:-1]).any()) or not len(ends) and count:
                yield f"cells end at index {int(ends[-1]) if len(ends) else 0} of {count} and do not follow each other"


def _values(data: mmap.mmap, array: _Stored, layout: _Layout) -> np.ndarray:
    """A copy of a raw array that is known to lie inside the file."""
    length = int(np.frombuffer(data, layout.header, 1, array.start)[0])
    start, width = array.start + layout.header.itemsize, np.dtype(array.kind.lower()).itemsize
    return np.frombuffer(data[start : start + length // width * width], np.dtype(array.kind.lower()).newbyteorder(layout.header.byteorder))
