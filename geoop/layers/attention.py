"""Softmax attention over a measure, dense within every sample of a ragged batch."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..graph.pointset import PointSet
from .operator import Symmetry


class PairBias(nn.Module):
    """Attention bias of every head from the relative position: (b, n, d), (b, m, d) -> (b, heads, n, m).

        bias = a log(1 + r/h_1) + sum_s b_s / (1 + r/h_s) + c_s . (y - x) / (r + h_s),    r = |y - x|

    Linear in its parameters on purpose: it is evaluated for every pair, where a perceptron costs more than the attention itself.
    Distances around a body span decades, hence several lengths h_s.

    Args:
        dimension: of space.
        heads: of the attention.
        scales: the lengths h_s, ascending, in the unit of the positions.
        radial: see only the distance: c = 0.
    """

    def __init__(self, dimension: int, heads: int, scales: Sequence[float] = (0.01, 0.1, 1.0), *, radial: bool = False) -> None:
        super().__init__()
        self.scales, self.radial = tuple(scales), radial
        width = 1 + len(self.scales) * (1 if radial else 1 + dimension)
        self.weight = nn.Parameter(0.1 * torch.randn(heads, width))

    @property
    def symmetry(self) -> Symmetry:
        """The transformations of both points that leave the bias as it is."""
        return Symmetry.E if self.radial else Symmetry.TRANSLATION

    def forward(self, query_pos: Tensor, key_pos: Tensor) -> Tensor:
        b, n, d = query_pos.shape
        offset = [key_pos[:, None, :, i] - query_pos[:, :, None, i] for i in range(d)]
        # the tiny constant keeps the root differentiable where a point meets itself
        distance = torch.stack(offset).square().sum(dim=0).add(1e-12 * self.scales[0] ** 2).sqrt()
        near = [1 / (distance + scale) for scale in self.scales]
        features = [torch.log1p(distance / self.scales[0]), *(scale * part for scale, part in zip(self.scales, near, strict=True))]
        if not self.radial:
            features += [component * part for part in near for component in offset]
        # features first and sample by sample: a small times a long matrix, without the copy that a broadcast product makes
        product = torch.bmm(self.weight.expand(b, -1, -1), torch.stack(features, dim=1).flatten(2))
        return product.view(b, len(self.weight), n, key_pos.shape[1])


def ragged_attention(query: Tensor, key: Tensor, value: Tensor, source: PointSet, target: PointSet, bias: PairBias | None = None) -> Tensor:
    """Attention of every target point to all source points of its sample, with the quadrature weight as a measure:

        out_i = sum_j w_j exp(q_i . k_j / sqrt(c) + b_ij) v_j / sum_j w_j exp(q_i . k_j / sqrt(c) + b_ij)

    which is a quotient of two quadratures: it converges when the source cloud is refined, and a point that is split in two counts as before.
    Samples of equal size are computed together, without padding. A sample without source points gives zeros.

    Args:
        query: (n, heads, c).
        key: (m, heads, c).
        value: (m, heads, c).
        source: the points of ``key`` and ``value``; ``weight`` is the measure.
        target: the points of ``query``.
        bias: from the relative positions, or None.

    Returns:
        (n, heads, c).
    """
    log_weight = source.weight.clamp(min=torch.finfo(source.weight.dtype).tiny).log()
    starts = list(zip(target.ptr.tolist(), source.ptr.tolist(), strict=True))
    sizes = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(starts)]
    parts: list[Tensor] = [query.new_zeros(n, *query.shape[1:]) for n, _ in sizes]
    for n, m in sorted(set(sizes)):
        members = [i for i, size in enumerate(sizes) if size == (n, m)]
        if n == 0 or m == 0:
            continue

        def stack(values: Tensor, side: int, count: int, members: list[int] = members) -> Tensor:
            """(g, count, ...) the rows of all members; a view where they stand one after the other."""
            if members[-1] - members[0] + 1 == len(members):
                start = starts[members[0]][side]
                return values[start : start + count * len(members)].unflatten(0, (len(members), count))
            return torch.stack([values[starts[i][side] : starts[i][side] + count] for i in members])

        mask = stack(log_weight, 1, m)[:, None, None, :]
        if bias is not None:
            mask = mask + bias(stack(target.pos, 0, n), stack(source.pos, 1, m))
        q, k, v = (stack(values, side, count).transpose(1, 2) for values, side, count in ((query, 0, n), (key, 1, m), (value, 1, m)))
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask.to(q.dtype).expand(-1, -1, n, -1)).transpose(1, 2)
        for i, part in zip(members, out, strict=True):
            parts[i] = part
    return torch.cat(parts)
