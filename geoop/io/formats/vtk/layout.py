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

from ....errors import UnreadableFileError

_TAG = re.compile(rb"<(/?)([A-Za-z]+)\b([^<>]*)>")
_ATTRIBUTE = re.compile(rb"([A-Za-z_]+)\s*=\s*\"([^\"]*)\"|([A-Za-z_]+)\s*=\s*'([^']*)'")
_SECTIONS = {b"Points", b"Cells", b"PointData", b"CellData", b"FieldData", b"Coordinates", b"Verts", b"Lines", b"Strips", b"Polys"}
_BYTES = {b"Float32": 4, b"Float64": 8, **{f"{sign}Int{8 * size}".encode(): size for sign in ("", "U") for size in (1, 2, 4, 8)}}
_APPENDED = re.compile(rb"<AppendedData\b[^>]*>\s*_")
_BLANK = re.compile(rb"\s*")
#: No compression of VTK packs more than this many bytes into one (deflate 1032, LZ4 255).
_DENSEST = 1100
#: Points of a grid without values that are believed whatever the size of the file.
_MOST_BARE = 10**7
#: Arrays of ends -> the arrays that they divide.
_ENDS = {"offsets": "connectivity", "face_offsets": "face_connectivity", "polyhedron_offsets": "polyhedron_to_faces"}
_FACES = ("face_connectivity", "face_offsets", "polyhedron_to_faces", "polyhedron_offsets")
#: Arrays with one entry per cell.
_PER_CELL = (b"offsets", b"types", b"polyhedron_offsets")
_BYTES_OF = {"Int32": 4, "Int64": 8, "UInt32": 4, "UInt64": 8}


@dataclass(frozen=True)
class _Stored:
    """An array that is not plain text, or one that other arrays are sized by: where its bytes begin and must have ended, and how many it must have (None: any)."""

    name: str
    start: int
    stop: int
    exact: int | None
    base64: bool
    section: bytes
    kind: str
    text: bool = False


@dataclass
class _Layout:
    """What the tags say."""

    header: np.dtype = field(default_factory=lambda: np.dtype("<u4"))
    compressor: str = ""
    whole: int = 0
    covered: int = 0
    arrays: list[_Stored] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def check_layout(path: Path, where: str) -> bool:
    """Raise unless counts, offsets and lengths of a VTK XML file fit into its size.

    Args:
        path: the plain file.
        where: what errors call it.

    Returns:
        Whether VTK may be let loose on it. Not so where faces of polyhedra are packed or a stream of counts: their numbers, which
        VTK follows, were not looked at.

    Raises:
        UnreadableFileError: truncated or damaged; several problems in one error.
    """
    size = path.stat().st_size
    with open(path, "rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data.rfind(b"</VTKFile>", max(0, size - 1024)) < 0:
            raise UnreadableFileError("the closing tag </VTKFile> is missing: truncated", where=where, remedy="write, download or export it again")
        layout = _layout(data, size)
        layout.problems += [problem for array in layout.arrays for problem in _misfit(data, array, layout)]
        if layout.covered < layout.whole:
            layout.problems.append(f"its pieces cover {layout.covered} of {layout.whole} cells")
        if not layout.problems:
            layout.problems += [*_torn_cells(data, layout), *_face_numbers(data, layout)]
    if layout.problems:
        raise UnreadableFileError(f"damaged: {'; '.join(layout.problems[:4])}", where=where, remedy="write, download or export it again")
    plain = not layout.compressor and not any(array.base64 or array.text for array in layout.arrays if array.name in _FACES)
    return not any(array.name == "faces" or array.name in _FACES and not plain for array in layout.arrays if array.section == b"Cells")


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
        _note_extent(found, about, size)
        if tag == b"VTKFile":
            order = ">" if about.get(b"byte_order") == b"BigEndian" else "<"
            found.header = np.dtype(f"{order}u{8 if about.get(b'header_type') == b'UInt64' else 4}")
            found.compressor = about.get(b"compressor", b"").decode("latin-1")
        elif tag == b"Piece":
            points, cells = counts.get(b"NumberOfPoints"), counts.get(b"NumberOfCells")
        elif tag in _SECTIONS:
            section = tag
        elif tag in (b"DataArray", b"Array"):
            per_cell = section == b"Cells" and about.get(b"Name") in _PER_CELL
            rows = cells if per_cell else {b"Points": points, b"PointData": points, b"CellData": cells}.get(section)
            width = _BYTES.get(about.get(b"type", b""))
            exact = None if rows is None or width is None else rows * (counts.get(b"NumberOfComponents") or 1) * width
            _note_array(found, data, match, about, exact, size, block, section)
    return found


def _note_extent(found: _Layout, about: dict[bytes, bytes], size: int) -> None:
    """A structured grid whose index ranges are no such, too many for the file, or not covered by its pieces."""
    for name in (b"WholeExtent", b"Extent"):
        if name not in about:
            continue
        words = about[name].split()
        limits = [int(word) for word in words if re.fullmatch(rb"-?\d{1,9}", word)]
        shape = [high - low + 1 for low, high in zip(limits[::2], limits[1::2], strict=False)]
        if len(limits) != 6 or len(words) != 6 or min(shape) < 1 or shape[0] * shape[1] * shape[2] > max(_MOST_BARE, _DENSEST * size):
            found.problems.append(f"{name.decode()} '{about[name].decode('latin-1')[:40]}' in a file of {size} bytes")
            continue
        cells = max(shape[0] - 1, 1) * max(shape[1] - 1, 1) * max(shape[2] - 1, 1)
        if name == b"WholeExtent":
            found.whole = cells
        else:
            found.covered += cells


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
    elif not match.group(3).rstrip().endswith(b"/") and (form == b"binary" or name in _ENDS or name in _ENDS.values() or name == "faces"):
        text = _BLANK.match(data, match.end())
        start = text.end() if text else match.end()
        found.arrays.append(_Stored(name, start, max(data.find(b"<", start), start), exact, form == b"binary", section, kind, form != b"binary"))


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
    if array.text or array.exact == 0 and array.start == array.stop:
        return
    kind, left = layout.header, array.stop - array.start
    room = left * 3 // 4 if array.base64 else left
    first = _words(data, array, kind, 1)
    if first is None:
        yield f"array '{array.name}' ends too early"
    elif not layout.compressor:
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
    waiting: dict[tuple[bytes, str], _Stored] = {}
    for array in layout.arrays:
        if array.kind not in _BYTES_OF:
            continue
        if array.name in _ENDS.values():
            waiting[array.section, array.name] = array
        elif array.name in _ENDS and (array.section, _ENDS[array.name]) in waiting:
            filled = waiting.pop((array.section, _ENDS[array.name]))
            last, sorted_ = _end(data, array, layout)
            fewest, most = _counts(data, filled, layout)
            if last is None or not fewest <= last <= most or not sorted_:
                wanted = f"{most}" if fewest == most else f"at most {most}"
                yield f"cells end at index {'?' if last is None else last} of {wanted} and do not follow each other ({array.name})"


def _face_numbers(data: mmap.mmap, layout: _Layout):
    """Polyhedra that refer to faces that are not there, as far as the numbers are not packed."""
    total = 0
    for array in layout.arrays:
        if array.kind not in _BYTES_OF or array.base64 or array.text or layout.compressor:
            continue
        count = _counts(data, array, layout)[0]
        if array.name == "face_offsets":
            total = count
        elif array.name == "polyhedron_to_faces" and count:
            kind = np.dtype(array.kind.lower()).newbyteorder(layout.header.byteorder)
            values = np.frombuffer(data, kind, count, array.start + layout.header.itemsize)
            lowest, highest = int(values.min()), int(values.max())
            if lowest < 0 or highest >= total:
                yield f"polyhedra refer to faces {lowest} to {highest} of {total}"


def _counts(data: mmap.mmap, array: _Stored, layout: _Layout) -> tuple[int, int]:
    """Fewest and most numbers that an array can have; the same for all but text."""
    if array.text:
        return 0, (array.stop - array.start + 1) // 2
    if array.start == array.stop:
        return 0, 0
    words = _words(data, array, layout.header, 1) or [0]
    length = words[0]
    if layout.compressor and length:
        words = _words(data, array, layout.header, 3) or [1, 0, 0]
        length = (words[0] - 1) * words[1] + (words[2] or words[1])
    count = length // _BYTES_OF[array.kind]
    return count, count


def _end(data: mmap.mmap, array: _Stored, layout: _Layout) -> tuple[int | None, bool]:
    """The last of the numbers of an array (0 without any, None where it cannot be told), and whether they ascend, as far as was looked."""
    if array.text:
        words = data[max(array.start, array.stop - 64) : array.stop].split()
        return (_count(words[-1]) if words else 0), True
    count = _counts(data, array, layout)[0]
    if not count:
        return 0, True
    kind = np.dtype(array.kind.lower()).newbyteorder(layout.header.byteorder)
    if layout.compressor:
        block = _last_block(data, array, layout)
        return (None if block is None else int(np.frombuffer(block, kind)[-1])), True
    if array.base64:
        tail = _decoded(data, array, layout.header.itemsize + count * kind.itemsize)
        return (None if tail is None else int(np.frombuffer(tail[-kind.itemsize :], kind)[0])), True
    values = np.frombuffer(data, kind, count, array.start + layout.header.itemsize)
    return int(values[-1]), not bool((values[1:] < values[:-1]).any())


def _decoded(data: mmap.mmap, array: _Stored, count: int) -> bytes | None:
    """The first bytes of an array in base64, whose header may be a run of its own; None if there are fewer."""
    text = bytes(data[array.start : array.stop]).split(b"=")
    try:
        runs = [base64.b64decode(run + b"=" * (-len(run) % 4)) for run in (part.strip() for part in text) if run]
    except ValueError:
        return None
    found = b"".join(runs)
    return found[:count] if len(found) >= count else None


def _last_block(data: mmap.mmap, array: _Stored, layout: _Layout) -> bytes | None:
    """The last compressed block of an array, unpacked by VTK's own code; None if that fails."""
    from vtkmodules import vtkIOCore

    head = _words(data, array, layout.header, 3)
    words = _words(data, array, layout.header, 3 + head[0]) if head else None
    compressor = getattr(vtkIOCore, layout.compressor, None)
    if words is None or compressor is None:
        return None
    start, length, size = layout.header.itemsize * len(words) + sum(words[3:-1]), words[-1], words[2] or words[1]
    if array.base64:
        packed = _decoded(data, array, start + length)
    else:
        packed = data[array.start : array.start + start + length]
    if packed is None or len(packed) != start + length or not length:
        return None
    plain = np.zeros(size, dtype=np.uint8)
    done = compressor().Uncompress(np.frombuffer(packed[start:], np.uint8), length, plain, size)
    return plain.tobytes() if done == size and size % _BYTES_OF[array.kind] == 0 else None
