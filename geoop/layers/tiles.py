"""Ragged batches cut into pieces of one size: matrices per sample are built and applied by dense batched products, without a loop over samples."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..graph.segment import segment_sum

#: Rows per tile where samples differ in size: of a cloud of a thousand points at most a tenth of the slots stay empty.
ROWS = 96


@dataclass(frozen=True, eq=False)
class Tiles:
    """Rows of a batch, every tile within one sample. Samples of one size are tiles as they stand: views, nothing is moved.

    Otherwise only the end of every sample's last tile is empty, so the waste does not depend on how different the samples are, and a sum over a
    sample is a sum over its tiles: the n x r x c array of all products never exists.

    Attributes:
        rows: slots per tile.
        ptr: (b+1,) first tile of every sample.
        source: (t * rows,) row that stands in every slot, 0 for an empty one; None where tiles are views.
        filled: (t * rows, 1) whether the slot holds a row; None where tiles are views.
        slot: (n,) where every row stands; None where tiles are views.
    """

    rows: int
    ptr: Tensor
    source: Tensor | None = None
    filled: Tensor | None = None
    slot: Tensor | None = None

    @classmethod
    def of(cls, ptr: Tensor, rows: int = ROWS) -> Tiles:
        """Tiles for the rows of samples that start at ``ptr`` (b+1,)."""
        counts, bounds = ptr.diff(), ptr.tolist()
        b, n = len(bounds) - 1, bounds[-1]
        if n and bounds == list(range(0, n + 1, n // b or n + 1)):
            return cls(n // b, torch.arange(b + 1, device=ptr.device))
        per_sample = torch.div(counts + rows - 1, rows, rounding_mode="floor")
        tiles = torch.cat([per_sample.new_zeros(1), per_sample.cumsum(0)])
        batch = torch.repeat_interleave(torch.arange(b, device=ptr.device), counts, output_size=n)
        slot = torch.arange(n, device=ptr.device) - ptr[batch] + tiles[batch] * rows
        source = torch.zeros(int(tiles[-1]) * rows, dtype=torch.int64, device=ptr.device)
        filled = torch.zeros(len(source), 1, dtype=torch.bool, device=ptr.device)
        source[slot], filled[slot] = torch.arange(n, device=ptr.device), True
        return cls(rows, tiles, source, filled, slot)

    @property
    def one_each(self) -> bool:
        """Every sample is one tile."""
        return self.slot is None

    def cut(self, values: Tensor) -> Tensor:
        """(n, c) to (t, rows, c); empty slots hold whatever stands in row 0, so give those rows no weight (:meth:`masked`)."""
        if self.source is not None:
            values = values.index_select(0, self.source)
        return values.view(-1, self.rows, values.shape[1])

    def masked(self, values: Tensor) -> Tensor:
        """(n, c) to (t, rows, c) with zeros in empty slots."""
        tiles = self.cut(values)
        return tiles if self.filled is None else tiles * self.filled.view(-1, self.rows, 1)

    def join(self, tiles: Tensor) -> Tensor:
        """(t, rows, c) back to (n, c)."""
        values = tiles.reshape(-1, tiles.shape[-1])
        return values if self.slot is None else values.index_select(0, self.slot)

    def gram(self, left: Tensor, right: Tensor) -> Tensor:
        """Sums over the rows of every sample of left_j right_j^T: (n, r), (n, c) to (b, r, c)."""
        return self.per_sample(self.masked(left).mT @ self.cut(right))

    def apply(self, left: Tensor, table: Tensor) -> Tensor:
        """table_s^T left_j for every row j of sample s: (n, r), (b, r, c) to (n, c)."""
        return self.join(self.cut(left) @ self.per_tile(table))

    def per_sample(self, values: Tensor) -> Tensor:
        """Sum over the tiles of every sample: (t, ...) to (b, ...); zeros for a sample without points."""
        return values if self.one_each else segment_sum(values, self.ptr)

    def per_tile(self, values: Tensor) -> Tensor:
        """What every tile needs of its sample: (b, ...) to (t, ...)."""
        if self.one_each:
            return values
        sample = torch.repeat_interleave(torch.arange(len(self.ptr) - 1, device=values.device), self.ptr.diff())
        return values.index_select(0, sample)
