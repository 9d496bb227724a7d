"""Trees of VTK data sets in files of their own: .vtm, .vtmb, .vtpc, and the parallel .pvtu, .pvtp, .pvts, .pvtr, .pvti."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ....errors import UnreadableFileError
from ....mesh.cells import Cells
from ....mesh.quantity import Location
from ... import annotations
from ...blocks import joined
from ...contents import Array, Contents
from ...source import Source
from .data import Piece
from .listing import Leaf, check_present, leaves, parsed, read_leaf

#: Arrays that say which point and cell of the whole mesh those of a block are; ParaView's filters call them so too.
POINT_IDS, CELL_IDS = "vtkOriginalPointIds", "vtkOriginalCellIds"
_PATCHES = re.compile(r"(?:boundary|boundaries|patches)/", re.I)
#: Field data with the numbers of points and cells of the whole mesh.
COUNTS = "points and cells"
#: The block of the patches in a tree that geoop writes.
BOUNDARY = "boundary"


def read_vtm(source: Source) -> Contents:
    """All blocks of a tree as one mesh: blocks of the highest dimension are zones, surfaces on volumes are patches.

    Names of nested blocks are joined by ``/``. What geoop wrote itself comes back as it was.

    Raises:
        UnreadableFileError: files that it lists are missing (all of them in one error) or damaged, or it lists itself.
        UnsupportedFormatError: cell types that geoop does not have.
    """
    with source.file() as path:
        found = list(leaves(path, source.where))
        check_present(found, source.where)
        saved = _saved(path, source.where)
        if annotations.is_own(saved.__contains__):
            return _restored(found, saved, source.where)
        return blocks_of([(leaf.name, read_leaf(leaf, source.where)) for leaf in found], source.where)


def read_parallel(source: Source) -> Contents:
    """The pieces of a parallel file as one mesh; points that different pieces share are merged, ghost cells left out.

    Raises:
        UnreadableFileError: pieces are missing (all of them in one error), damaged, or without points.
    """
    with source.file() as path:
        found = list(leaves(path, source.where))
        check_present(found, source.where)
        piece = read_leaf(found[0], source.where)
        if piece is None:
            raise UnreadableFileError("no piece of the file has points", where=source.where, remedy="export it again, with its mesh")
        return piece.contents()


def blocks_of(pieces: Sequence[tuple[str, Piece | None]], where: str) -> Contents:
    """Named data sets as one mesh, with what was noted about each of them.

    Patches are the blocks of lower dimension than the mesh, and those of the same dimension that stand in a block ``boundary`` or
    ``patches`` beside others; that word is then left out of their names.
    """
    named = [(name or f"block {number + 1}", piece) for number, (name, piece) in enumerate(pieces)]
    empty = [name for name, piece in named if piece is None or not len(piece.points)]
    there = [(name, piece) for name, piece in named if piece is not None and len(piece.points)]
    top = max((piece.cells.dimension for _, piece in there), default=-1)
    inner = [name for name, piece in there if piece.cells.dimension == top and not _PATCHES.match(name)]
    blocks = []
    for name, piece in there:
        patch = 0 <= piece.cells.dimension < top or bool(inner and _PATCHES.match(name) and len(piece.cells))
        blocks.append(piece.block(_PATCHES.sub("", name) if patch else name, patch))
    contents = joined(blocks, where)
    notes = tuple(f"{name}: {note}" for name, piece in there for note in piece.notes)
    notes += (f"blocks without points are left out: {', '.join(empty)}",) if empty else ()
    times = [piece.saved[annotations.TIME] for _, piece in there if len(piece.saved.get(annotations.TIME, ()))]
    saved = {annotations.TIME: times[0]} if times else {}
    return replace(contents, notes=(*notes, *contents.notes), annotations=saved)


def _saved(path: Path, where: str) -> dict[str, np.ndarray | list[str]]:
    """The field data of the file itself, as far as it is text."""
    root = parsed(path, where, ("vtkMultiBlockDataSet", "vtkPartitionedDataSetCollection"))
    found: dict[str, np.ndarray | list[str]] = {}
    for array in root.findall("./FieldData/*"):
        if array.get("format") != "ascii":
            continue
        words = (array.text or "").split()
        if array.get("type") == "String":
            text = bytes(int(word) & 255 for word in words).decode("utf-8", "replace")
            found[array.get("Name", "")] = text.split("\0")[: int(array.get("NumberOfTuples", "0"))]
            continue
        kind = np.dtype(array.get("type", "Float64").lower())
        values = np.array(words, dtype=np.float64 if kind.kind == "f" else np.int64).astype(kind)
        width = int(array.get("NumberOfComponents", "1"))
        found[array.get("Name", "")] = values.reshape(-1, width) if width > 1 else values
    return found


def _restored(found: list[Leaf], saved: dict[str, np.ndarray | list[str]], where: str) -> Contents:
    """The mesh that geoop wrote, in its own order of points and cells."""
    pieces = [piece for leaf in found if leaf.names[:1] != (BOUNDARY,) and (piece := read_leaf(leaf, where)) is not None]
    counts = np.asarray(saved.pop(COUNTS, np.zeros(0))).reshape(-1)
    numbers = [(_numbers(piece, POINT_IDS, "point"), _numbers(piece, CELL_IDS, "cell")) for piece in pieces]
    point_ids = np.concatenate([np.zeros(0, np.int64), *(own for own, _ in numbers)])
    cell_ids = np.concatenate([np.zeros(0, np.int64), *(own for _, own in numbers)])
    complete = (
        len(counts) == 2 and np.array_equal(np.unique(point_ids), np.arange(counts[0])) and np.array_equal(np.sort(cell_ids), np.arange(counts[1]))
    )
    if not complete:
        raise UnreadableFileError(
            "its blocks do not make up the mesh that geoop wrote: one was changed or removed",
            where=where,
            remedy="write it again, or read its blocks",
        )
    first = np.unique(point_ids, return_index=True)[1]
    order = np.argsort(cell_ids)
    points = np.concatenate([piece.points for piece in pieces])[first]
    cells = Cells.concatenate([piece.cells.renumbered(own) for piece, (own, _) in zip(pieces, numbers, strict=True)]).take(order)
    arrays = tuple(_whole(pieces, label, location, first if location == "point" else order) for label, location in _labels(pieces))
    whole = Piece(points, cells, arrays, (), saved)
    return whole.contents()


def _labels(pieces: list[Piece]) -> list[tuple[str, Location]]:
    keys: dict[tuple[str, Location], None] = dict.fromkeys((array.label, array.location) for piece in pieces for array in piece.arrays)
    return [
        (label, location)
        for label, location in keys
        if (label, location) not in ((POINT_IDS, "point"), (CELL_IDS, "cell"), (annotations.PATCH_ARRAY, "cell"))
    ]


def _whole(pieces: list[Piece], label: str, location: Location, order: np.ndarray) -> Array:
    parts = [next((a.values for a in piece.arrays if (a.label, a.location) == (label, location)), None) for piece in pieces]
    values = np.concatenate([part for part in parts if part is not None])
    if len(values) < len(order) or order.size and order.max() >= len(values):
        raise ValueError(f"array '{label}' is not in every block")
    return Array(label, values[order], location)


def _numbers(piece: Piece, label: str, location: str) -> np.ndarray:
    found = [a.values for a in piece.arrays if (a.label, a.location) == (label, location)]
    count = len(piece.points) if location == "point" else len(piece.cells)
    if count and (not found or found[0].shape != (count,)):
        raise ValueError(f"a block has no array '{label}'")
    return found[0].astype(np.int64) if found else np.zeros(0, np.int64)
