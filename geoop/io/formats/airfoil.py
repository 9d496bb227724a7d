"""Aerofoil coordinate files (.dat): Selig and Lednicer order, own reader, always one closed counter-clockwise ring."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from ...errors import InvalidMeshError, UnreadableFileError, UnsupportedFormatError
from ...mesh.cells import Cells
from ..contents import Contents
from ..source import Source

_SEPARATORS = re.compile(r"[\s,;(){}\[\]]+")  # NACA reports put the ordinates of a blunt edge in parentheses
_DECIMAL_COMMA = re.compile(r"^\s*[-+]?\d*,\d+[\s;]+[-+]?\d*,\d+\s*$")
_FORTRAN_EXPONENT = re.compile(r"(?<=[\d.])[dD](?=[-+]?\d)")
#: Points closer than this share of the chord are one point; edges that close but for rounding are closed.
_SAME = 1e-9
_AGAIN = "repair the file by hand: one name line, then x y per line from the trailing edge over the upper surface and back"


@dataclass(frozen=True)
class _Text:
    """A coordinate file line by line: its words, and blocks of numbers between them and between blank lines."""

    header: str
    blocks: list[np.ndarray]
    remarks: list[str]


def read_airfoil(source: Source) -> Contents:
    """A section as a closed ring of line cells, patch ``wall``: counter-clockwise, first point at the trailing edge, chord 1.

    Percent-of-chord coordinates are recognised. A blunt trailing edge is closed by its base. Repeated neighbours are dropped.
    What was changed is said in the notes.

    Raises:
        UnreadableFileError: not a coordinate file, truncated, or fewer than five different points.
        UnsupportedFormatError: several elements in one file.
        InvalidMeshError: coordinates that are not finite or span no area.
    """
    text = _parse(source.text(), source.where)
    ring, notes = _ring(text, source.where)
    ring, changes = _cleaned(ring, source.where)
    ring, scaling = _normalised(ring)
    header = [f"header: {text.header}"] if text.header else []
    n = len(ring)
    cells = Cells.of(line=np.stack([np.arange(n), (np.arange(n) + 1) % n], axis=1))
    return Contents(ring, cells, {"wall": cells}, notes=(*header, *text.remarks, *notes, *changes, *scaling))


def _parse(text: str, where: str) -> _Text:
    words: list[str] = []
    after: list[str] = []
    blocks: list[list[tuple[float, ...]]] = [[]]
    for line in text.splitlines():
        values = _values(line)
        if values is not None:
            blocks[-1].append(values)
            continue
        if line.strip():
            (after if blocks[0] else words).append(line.strip())
        if blocks[-1]:
            blocks.append([])
    blocks = [block for block in blocks if block]
    if not blocks:
        raise UnreadableFileError("no line with two coordinates in the file: not an aerofoil file", where=where, remedy=_AGAIN)
    sizes = [len(row) for block in blocks for row in block]
    width = max(set(sizes), key=sizes.count)
    odd = [row for block in blocks for row in block if len(row) != width]
    remarks = [f"{len(after)} lines of text behind the first coordinates are left out, first: '{after[0][:60]}'"] if after else []
    remarks += (
        [f"{len(odd)} lines with another count of numbers than the rest are left out, first: {' '.join(f'{v:g}' for v in odd[0])}"] if odd else []
    )
    remarks += [f"each line has {width} numbers; the first two are read as x and y"] if width > 2 else []
    kept = [np.array([row[:2] for row in block if len(row) == width]) for block in blocks]
    return _Text(" / ".join(words)[:120], [block for block in kept if len(block)], remarks)


def _values(line: str) -> tuple[float, ...] | None:
    """The numbers of a line of two or more numbers and nothing else; None for text and blank lines."""
    tokens = line.split()
    try:
        return tuple(map(float, tokens)) if len(tokens) > 1 else _dressed(line)
    except ValueError:
        return _dressed(line)


def _dressed(line: str) -> tuple[float, ...] | None:
    """The same for lines with commas, brackets, decimal commas or Fortran exponents."""
    if _DECIMAL_COMMA.match(line):
        line = line.replace(",", ".")
    tokens = [token for token in _SEPARATORS.split(line) if token]
    if len(tokens) < 2:
        return None
    try:
        return tuple(float(_FORTRAN_EXPONENT.sub("e", token)) for token in tokens)
    except ValueError:
        return None


def _ring(text: _Text, where: str) -> tuple[np.ndarray, list[str]]:
    """All points in order around the section, and notes; Lednicer's two surfaces are joined at the leading edge."""
    every = np.concatenate(text.blocks)
    if not np.isfinite(every).all():
        bad = int((~np.isfinite(every).all(axis=1)).sum())
        raise InvalidMeshError(f"{bad} of {len(every)} points have NaN or infinite coordinates", where=where, remedy=_AGAIN)
    if (every >= 990).all(axis=1).any():
        raise UnsupportedFormatError("several elements in one file (999 lines separate them)", where=where, remedy="write one file per element")
    counts = every[0]
    if len(every) > 1 and (counts >= 2).all() and (counts == np.floor(counts)).all():
        upper, lower = int(counts[0]), int(counts[1])
        fits = upper + lower == len(every) - 1
        if not fits and counts.min() > 1.5 * np.abs(every[1:]).max():  # too large for coordinates, so they are counts
            raise UnreadableFileError(
                f"announces {upper} + {lower} points but {len(every) - 1} follow: truncated or damaged",
                where=where,
                remedy="download it again, or repair the counts",
            )
        if fits and [len(block) for block in text.blocks[-2:]] != [upper, lower] and [len(block) for block in text.blocks[:-2]] == [1]:
            raise UnreadableFileError(
                f"announces {upper} + {lower} points, but its two blocks have {len(text.blocks[1])} and {len(text.blocks[2])}",
                where=where,
                remedy="repair the counts",
            )
        if fits:
            return _joined(every[1 : 1 + upper], every[1 + upper :], where)
    if len(text.blocks) == 2 and all(_from_leading_edge(block, every) for block in text.blocks):
        return _joined(text.blocks[0], text.blocks[1], where)
    if len(text.blocks) > 1 and all(_closed(block) for block in text.blocks):
        raise UnsupportedFormatError(
            f"several elements in one file: each of its {len(text.blocks)} blocks is closed", where=where, remedy="write one file per element"
        )
    start, stop = every[0], every[-1]
    if abs(start[0] - stop[0]) > 0.1 * np.ptp(every[:, 0]):
        raise UnreadableFileError(
            f"the outline is open: it starts at ({start[0]:g}, {start[1]:g}) and ends at ({stop[0]:g}, {stop[1]:g}): truncated, or one surface only",
            where=where,
            remedy=_AGAIN,
        )
    notes = [f"{len(text.blocks)} blocks of points are read as one outline"] if len(text.blocks) > 1 else []
    return every, notes


def _closed(block: np.ndarray) -> bool:
    """Whether a block goes round a section of its own."""
    return len(block) > 4 and abs(block[0, 0] - block[-1, 0]) <= 0.1 * np.ptp(block[:, 0])


def _from_leading_edge(block: np.ndarray, every: np.ndarray) -> bool:
    low, size = every[:, 0].min(), np.ptp(every[:, 0])
    return len(block) > 2 and block[0, 0] < low + 0.05 * size and block[-1, 0] > low + 0.9 * size


def _joined(first: np.ndarray, second: np.ndarray, where: str) -> tuple[np.ndarray, list[str]]:
    """Two surfaces, each from leading to trailing edge (or both reversed), as one outline over the leading edge."""
    first, second = (part[::-1] if part[0, 0] > part[-1, 0] else part for part in (first, second))
    if len(first) < 2 or len(second) < 2:
        raise UnreadableFileError(f"the two surfaces have {len(first)} and {len(second)} points", where=where, remedy=_AGAIN)
    return np.concatenate([first[::-1], second]), ["upper and lower surface (Lednicer order) are joined at the leading edge"]


def _cleaned(ring: np.ndarray, where: str) -> tuple[np.ndarray, list[str]]:
    """Different neighbours, counter-clockwise, trailing edge first."""
    notes = []
    apart = np.abs(ring - np.roll(ring, 1, axis=0)).max(axis=1) > _SAME * np.ptp(ring[:, 0])
    closed = not apart[0]
    keep = apart | (np.arange(len(ring)) == 0)
    repeated = int((~keep).sum())
    ring = ring[keep]
    if closed and len(ring) > 1:
        ring = ring[:-1]
    if repeated:
        notes.append(f"{repeated} points that repeat their neighbour are dropped")
    if len(ring) < 5:
        raise UnreadableFileError(f"only {len(ring)} different points, too few for a section", where=where, remedy=_AGAIN)
    size = np.ptp(ring, axis=0)
    area = _signed_area(ring)
    if size[0] <= 0 or abs(area) < 1e-6 * size[0] ** 2:
        raise InvalidMeshError(f"{len(ring)} points with extent {size[0]:g} x {size[1]:g} enclose no area", where=where, remedy=_AGAIN)
    if size[1] > size[0]:
        notes.append(f"taller ({size[1]:g}) than long ({size[0]:g}): the chord is expected along x")
    from_edge = bool((ring[:, 0].max() - ring[[0, 0 if closed else -1], 0] < 0.02 * size[0]).all())
    if area < 0:
        ring = ring[::-1] if from_edge and not closed else np.concatenate([ring[:1], ring[:0:-1]])
        notes.append("the order of the points is reversed to run counter-clockwise (upper surface first)")
    if not from_edge:
        ring = np.roll(ring, -_trailing_edge(ring), axis=0)
        notes.append("the first point is moved to the trailing edge")
    gap = float(np.linalg.norm(ring[0] - ring[-1]))
    if not closed and from_edge:
        notes.append(f"blunt trailing edge of {100 * gap / size[0]:.2g} % chord, closed by its base")
    return ring, notes


def _trailing_edge(ring: np.ndarray) -> int:
    """Index of the rearmost point; of a vertical base, its last corner in the order of the ring."""
    rear = ring[:, 0] >= ring[:, 0].max() - 1e-9 * np.ptp(ring[:, 0])
    last = rear & ~np.roll(rear, -1)
    return int(np.argmax(last))


def _normalised(ring: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Coordinates on a chord of 1: as they are if the extent is 1 within 2 %, percent divided by 100, others by their extent."""
    size = float(np.ptp(ring[:, 0]))
    if abs(size - 1) <= 0.02:
        return ring, [f"the extent along x is {size:.5g} of the nominal chord"] if abs(size - 1) > 1e-3 else []
    if abs(size - 100) <= 2:
        return ring / 100, ["coordinates are in percent of the chord: divided by 100"]
    return ring / size, [f"the chord is {size:g} in the file's own unit: divided by it"]


def _signed_area(ring: np.ndarray) -> float:
    x, y = (ring - ring.mean(axis=0)).T
    return 0.5 * float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))
