"""PLOT3D: structured grids with the solution (.q) and function (.f, .fun) file of the same name beside them.

VTK's reader wants to be told byte order, precision and record type, and trusts the counts; here they are found, see ``plot3d_layout``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from ....errors import UnreadableFileError
from ...blocks import Block, joined
from ...contents import Array, Contents
from ...recognise import is_binary
from ...source import Source
from ..lattice import lattice_cells
from .layout import Layout, Numbers, body_size, heads, line_ends, text_numbers

#: Layout, variant -> how many reals and integers each record has; None where there is no such variant.
Records = Callable[[Layout, int], list[tuple[int, int]] | None]
_SOLUTIONS, _FUNCTIONS, _NAMES = (".q",), (".f", ".fun"), (".nam", ".names")


def read_plot3d(source: Source) -> Contents:
    """Every grid as a zone of hexahedra, or quads where one direction has a single point; blanked cells (IBLANK 0) are left out with a note.

    A ``.q`` file gives density, momentum and stagnation energy, normalised as PLOT3D defines them (by the density and the speed of sound
    far away), so without unit; a ``.f`` or ``.fun`` file gives functions, named in a ``.nam`` file. Lengths are taken in metres: none is stated.

    Raises:
        UnreadableFileError: no reading of the file accounts for all of its bytes, or a file beside it has other grids.
    """
    blocks, blanked = _grids(source.data(), source.where)
    notes = [f"{blanked} cells at blanked points (IBLANK 0) are left out"] if blanked else []
    for beside in _beside(source, _SOLUTIONS):
        arrays, head = _solution(beside.data(), beside.where, [block.points.shape[0] for block in blocks])
        blocks = [replace(block, arrays=(*block.arrays, *found)) for block, found in zip(blocks, arrays, strict=True)]
        notes.append(f"{beside.path.name}: Mach {head[0]:g}, incidence {head[1]:g}, Reynolds number {head[2]:g}, time {head[3]:g}, normalised values")
    for beside in _beside(source, _FUNCTIONS):
        arrays = _functions(beside.data(), beside.where, [block.points.shape[0] for block in blocks], _labels(source))
        blocks = [replace(block, arrays=(*block.arrays, *found)) for block, found in zip(blocks, arrays, strict=True)]
    kept = [replace(block, cells=block.cells.take(_live(block))) for block in blocks]
    contents = joined([replace(block, arrays=tuple(a for a in block.arrays if a.label != "iblank")) for block in kept], source.where)
    return replace(contents, notes=(*contents.notes, *notes))


def _live(block: Block) -> np.ndarray:
    blank = next((array.values for array in block.arrays if array.label == "iblank"), None)
    if blank is None or not len(block.cells):
        return np.arange(len(block.cells))
    corners = block.cells.connectivity.reshape(len(block.cells), -1)
    return np.flatnonzero((blank[corners] != 0).all(axis=1))


def _beside(source: Source, suffixes: tuple[str, ...]) -> list[Source]:
    """The first file beside the grid with its name and one of the suffixes."""
    if source.compression == ".zip":
        return []
    for suffix in suffixes:
        for ending in ("", ".gz", ".bz2"):
            for name in (f"{source.stem}{suffix}{ending}", f"{source.stem}{suffix.upper()}{ending}"):
                path = source.path.parent / name
                if path.is_file() and path != source.path:
                    return [Source.find(path)]
    return []


def _labels(source: Source) -> list[str]:
    for suffix in _NAMES:
        path = Path(source.path.parent, source.stem + suffix)
        if path.is_file():
            lines = path.read_text("latin-1").splitlines()
            return [line.split(";")[0].strip() for line in lines if line.strip()]
    return []


def _numbers(data: bytes, where: str) -> tuple[bytes | np.ndarray, frozenset[int]]:
    """Bytes of a binary file, or the numbers of a text and how many stand before the end of each line."""
    return (data, frozenset()) if is_binary(data[:4096]) else (text_numbers(data, where), line_ends(data))


def _reading(data: bytes | np.ndarray, ends: frozenset[int], extra: int, records: Records, where: str, kind: str) -> tuple[Layout, int, int]:
    """The only layout that accounts for the whole file, the bytes of a real, and which variant of the records it is.

    Args:
        data: bytes or numbers.
        ends: of lines of a text.
        extra: integers per grid in the head besides its dimensions.
        records: layout, variant -> (reals, integers) of every record, None if there is no such variant.
        where: the file.
        kind: what the file should be, for the error.
    """
    for layout in heads(data, extra, ends):
        for variant in (0, 1):
            shape = records(layout, variant)
            for width in (4, 8) if layout.kind != "text" else (8,):
                if shape is not None and layout.start + body_size(layout, shape, width) == len(data):
                    return layout, width, variant
    raise UnreadableFileError(
        f"no reading of it as PLOT3D {kind} accounts for its {len(data)} {'numbers' if isinstance(data, np.ndarray) else 'bytes'}",
        where=where,
        remedy="the file is truncated or of another format; PLOT3D 'whole' files in text, Fortran or stream form of either byte order are read",
    )


def _grids(raw: bytes, where: str) -> tuple[list[Block], int]:
    data, ends = _numbers(raw, where)

    def records(layout: Layout, variant: int) -> list[tuple[int, int]]:
        return [(len(shape) * n, n * variant) for shape in layout.shapes for n in [_count(shape)]]

    layout, width, blanks = _reading(data, ends, 0, records, where, "grids")
    numbers = Numbers(data, layout, width, where)
    blocks, blanked = [], 0
    for number, shape in enumerate(layout.shapes):
        n, dimension = _count(shape), len(shape)
        values, *blank = numbers.record([(dimension * n, "f"), *([(n, "i")] if blanks else [])])
        points = np.zeros((n, 3))
        points[:, :dimension] = values.reshape(dimension, n).T
        arrays = (Array("iblank", blank[0].astype(np.int64)),) if blank else ()
        block = Block(f"grid {number + 1}", points, lattice_cells(shape), arrays)
        blanked += len(block.cells) - len(_live(block))
        blocks.append(block)
    return blocks, blanked


def _count(shape: tuple[int, ...]) -> int:
    count = 1
    for n in shape:  # Python's integers: a damaged file must not overflow
        count *= n
    return count


def _matched(shapes: tuple[tuple[int, ...], ...], counts: list[int], where: str) -> None:
    found = [_count(shape) for shape in shapes]
    if found != counts:
        raise UnreadableFileError(
            f"is of {len(found)} grids with {found[:6]} points, the grid file has {counts[:6]}",
            where=where,
            remedy="put the file of the same run beside it",
        )


def _solution(raw: bytes, where: str, counts: list[int]) -> tuple[list[tuple[Array, ...]], np.ndarray]:
    data, ends = _numbers(raw, where)

    def records(layout: Layout, variant: int) -> list[tuple[int, int]] | None:
        if variant:
            return None
        return [size for shape in layout.shapes for size in ((4, 0), ((len(shape) + 2) * _count(shape), 0))]

    layout, width, _ = _reading(data, ends, 0, records, where, "solution")
    _matched(layout.shapes, counts, where)
    numbers = Numbers(data, layout, width, where)
    found, head = [], np.zeros(4)
    for shape in layout.shapes:
        (head,) = numbers.record([(4, "f")])
        n, dimension = _count(shape), len(shape)
        (values,) = numbers.record([((dimension + 2) * n, "f")])
        values = values.reshape(dimension + 2, n)
        momentum = np.zeros((n, 3))
        momentum[:, :dimension] = values[1 : 1 + dimension].T
        found.append((Array("density [1]", values[0]), Array("momentum [1]", momentum), Array("stagnation_energy [1]", values[-1])))
    return found, head


def _functions(raw: bytes, where: str, counts: list[int], labels: list[str]) -> list[tuple[Array, ...]]:
    data, ends = _numbers(raw, where)

    def records(layout: Layout, variant: int) -> list[tuple[int, int]] | None:
        return None if variant else [(k * _count(shape), 0) for shape, k in zip(layout.shapes, layout.rest, strict=True)]

    layout, width, _ = _reading(data, ends, 1, records, where, "functions")
    _matched(layout.shapes, counts, where)
    numbers = Numbers(data, layout, width, where)
    found = []
    for shape, count in zip(layout.shapes, layout.rest, strict=True):
        (values,) = numbers.record([(count * _count(shape), "f")])
        names = [labels[k] if k < len(labels) else f"function_{k + 1}" for k in range(count)]
        found.append(tuple(Array(name, column) for name, column in zip(names, values.reshape(count, -1), strict=True)))
    return found
