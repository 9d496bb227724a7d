"""VTK's trees of data sets as named blocks: nothing of the tree is dropped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ....mesh.cells import Cells
from ...blocks import Block
from .data import piece_of


def leaves(data: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every data set of a composite one with the names on the way to it; a missing one is None.

    A block without a name is called by its number from 1.
    """
    from vtkmodules.vtkCommonDataModel import vtkCompositeDataSet

    if data is None or not data.IsA("vtkCompositeDataSet"):
        yield path, data
        return
    if data.IsA("vtkMultiBlockDataSet"):
        children = [data.GetBlock(i) for i in range(data.GetNumberOfBlocks())]
    elif data.IsA("vtkPartitionedDataSetCollection"):
        children = [data.GetPartitionedDataSet(i) for i in range(data.GetNumberOfPartitionedDataSets())]
    elif data.IsA("vtkPartitionedDataSet"):
        for i in range(data.GetNumberOfPartitions()):  # pieces of one thing: they share its name
            yield from leaves(data.GetPartition(i), path)
        return
    else:  # an AMR hierarchy or a table of graphs: VTK's own iterator knows its leaves
        iterator = data.NewIterator()
        iterator.InitTraversal()
        while not iterator.IsDoneWithTraversal():
            yield (*path, f"block {iterator.GetCurrentFlatIndex()}"), iterator.GetCurrentDataObject()
            iterator.GoToNextItem()
        return
    for i, child in enumerate(children):
        meta = data.GetMetaData(i) if data.HasMetaData(i) else None
        name = meta.Get(vtkCompositeDataSet.NAME()) if meta is not None and meta.Has(vtkCompositeDataSet.NAME()) else None
        yield from leaves(child, (*path, str(name or f"block {i + 1}").strip()))


def block_of(data: Any, name: str, where: str, *, patch: bool = False, ids: str = "") -> tuple[Block, tuple[str, ...]]:
    """A data set with points as a block, and what had to be changed or left out of it.

    Args:
        data: any vtkDataSet, or None for an empty block.
        name: of the block.
        where: the file.
        patch: whether it is a boundary.
        ids: name of the point array that numbers the points through the whole file; it is not kept as a field.

    Raises:
        UnsupportedFormatError: cell types that geoop does not have.
    """
    if data is None or not data.IsA("vtkDataSet") or not data.GetNumberOfPoints():
        return Block(name, np.zeros((0, 3)), Cells.empty(), (), patch), ()
    piece = piece_of(data, where)
    numbers = next((array.values for array in piece.arrays if ids and array.label == ids and array.location == "point"), None)
    arrays = tuple(replace(array, values=_own(array.values)) for array in piece.arrays if array.label != ids)
    notes = tuple(note for note in piece.notes if not note.startswith("field data"))  # the reader's own book-keeping
    points = np.array(piece.points)  # VTK frees its memory with the reader
    return Block(name, points, piece.cells, arrays, patch, None if numbers is None else numbers.astype(np.int64)), notes


def _own(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float64) if values.dtype.kind == "f" else np.array(values)
