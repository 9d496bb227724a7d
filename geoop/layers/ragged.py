"""Products of matrices whose rows are the points of ragged samples, without a loop over samples."""

from __future__ import annotations

import torch
from torch import Tensor

from ..graph.segment import segment_sum

#: Rows that are multiplied together: samples are cut into pieces of that many, the last one filled up with zeros.
PIECE = 128


def ragged_gram(left: Tensor, right: Tensor, ptr: Tensor) -> Tensor:
    """(b, r, c) sums over the points of every sample of left_j right_j^T.

    Samples of one size are one batched product. Others are cut into pieces of :data:`PIECE` rows, whose products are added up per sample, so
    the waste is bounded by one piece per sample and the memory by the inputs: the n x r x c array of products never exists.

    Args:
        left: (n, r).
        right: (n, c).
        ptr: (b+1,) start of every sample.
    """
    b, sizes = len(ptr) - 1, ptr.diff()
    (n, r), c = left.shape, right.shape[1]
    if n == 0 or b == 0:
        return left.new_zeros(b, r, c) + 0 * (left.sum() + right.sum())
    if bool((sizes == sizes[0]).all()):
        return torch.bmm(left.view(b, -1, r).mT, right.view(b, -1, c))
    rows, inside, start = _pieces(ptr)
    left, right = (x.index_select(0, rows.reshape(-1)).view(*rows.shape, -1) for x in (left, right))
    return segment_sum(torch.bmm((left * inside[:, :, None]).mT, right), start)


def ragged_apply(left: Tensor, table: Tensor, ptr: Tensor) -> Tensor:
    """(n, c) table_s^T left_j for every point j of sample s.

    Args:
        left: (n, r).
        table: (b, r, c).
        ptr: (b+1,) start of every sample.
    """
    b, sizes = len(ptr) - 1, ptr.diff()
    (n, r), c = left.shape, table.shape[2]
    if n == 0 or b == 0:
        return left.new_zeros(n, c) + 0 * (left.sum() + table.sum())
    if bool((sizes == sizes[0]).all()):
        return torch.bmm(left.view(b, -1, r), table).view(n, c)
    rows, inside, start = _pieces(ptr)
    sample = torch.repeat_interleave(torch.arange(b, device=ptr.device), start.diff(), output_size=len(rows))
    product = torch.bmm(left.index_select(0, rows.reshape(-1)).view(*rows.shape, r), table.index_select(0, sample))
    return product.flatten(0, 1).index_select(0, inside.reshape(-1).nonzero().squeeze(1))


def _pieces(ptr: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(p, PIECE) rows of every piece, (p, PIECE) which of them belong to it, (b+1,) first piece of every sample."""
    sizes = ptr.diff()
    count = torch.div(sizes + PIECE - 1, PIECE, rounding_mode="floor")
    start = torch.cat([count.new_zeros(1), count.cumsum(0)])
    sample = torch.repeat_interleave(torch.arange(len(sizes), device=ptr.device), count)
    first = ptr[:-1][sample] + PIECE * (torch.arange(len(sample), device=ptr.device) - start[sample])
    rows = first[:, None] + torch.arange(PIECE, device=ptr.device)
    inside = rows < ptr[1:][sample][:, None]
    return rows.clamp(max=int(ptr[-1]) - 1), inside, start
