"""Boxes of equally many points that overlap, and weights that blend them into one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..errors import ConfigurationError
from .pointset import PointSet

#: A cut leaves at least this share of the box on either side, however the points lie.
NARROWEST = 1 / 8


@dataclass(frozen=True, eq=False)
class Boxes:
    """The leaves of a k-d tree over the cube [-1/2, 1/2]^d of every sample, with overlap.

    The tree is complete: 2^depth leaves, axes in turn, every cut at the median of the points in its box, so that the leaves hold equally many. Across the
    cut c with half overlap r the left part fades out as the right one fades in,

        s = step((x - c) / (2 r) + 1/2),    step(t) = 6 t^5 - 15 t^4 + 10 t^3 on [0, 1],

    and the weight of a leaf is the product of the factors 1 - s or s on its way from the root. Hence the weights of all leaves add up to 1 at every
    point of space without being divided by anything, are twice differentiable, and vanish outside the leaf's support.

    Attributes:
        cut: (b, k-1) coordinate of every cut, in the order of a heap: the children of i are 2 i + 1 and 2 i + 2.
        overlap: (b, k-1) half width r of every overlap; 0 for a seam.
        low, high: (b, k, d) support of every leaf.
    """

    cut: Tensor
    overlap: Tensor
    low: Tensor
    high: Tensor

    @property
    def depth(self) -> int:
        """Levels of the tree."""
        return self.low.shape[1].bit_length() - 1

    @classmethod
    def of(cls, cloud: PointSet, depth: int, overlap: float) -> Boxes:
        """Cut the cube of every sample by its points; neither their order nor their weights matter.

        Args:
            cloud: points in [-1/2, 1/2]^d; a sample may have any number of them, even none.
            depth: levels of the tree, at least 1.
            overlap: half width of an overlap as a share of the smaller part beside the cut, in [0, 1/2].

        Raises:
            ConfigurationError: another depth or overlap.
        """
        if depth < 1 or not 0 <= overlap <= 0.5:
            raise ConfigurationError(
                f"a tree of {depth} levels with an overlap of {overlap:g}",
                where="Boxes",
                remedy="at least one level, and an overlap between 0 and 1/2",
            )
        trees = [_tree(sample.pos.detach().cpu().double().numpy(), depth, overlap) for sample in cloud.split()]
        return cls(*(torch.from_numpy(np.stack(part)).to(cloud.pos) for part in zip(*trees, strict=True)))

    @classmethod
    def read(cls, cuts: PointSet, leaves: PointSet) -> Boxes:
        """From what :meth:`keep` gave."""
        b, d = cuts.batch_size, leaves.dimension
        low, high = leaves.scalars.chunk(2, dim=1)
        cut, overlap = cuts.scalars.chunk(2, dim=1)
        return cls(cut.reshape(b, -1), overlap.reshape(b, -1), low.reshape(b, -1, d), high.reshape(b, -1, d))

    def keep(self) -> tuple[PointSet, PointSet]:
        """The cuts and the leaves as clouds, so that trees are moved and batched as clouds are; the leaves stand in the middle of their supports."""
        b, k, d = self.low.shape
        rows = torch.arange(b + 1, device=self.low.device)
        cuts = torch.stack([self.cut.flatten(), self.overlap.flatten()], dim=1)
        bounds = torch.cat([self.low, self.high], dim=2).flatten(0, 1)
        middle = ((self.low + self.high) / 2).flatten(0, 1)
        return PointSet(cuts.new_zeros(len(cuts), d), cuts, ptr=rows * (k - 1)), PointSet(middle, bounds, ptr=rows * k)

    def weights(self, pos: Tensor, batch: Tensor) -> Tensor:
        """(n, k) weight of every leaf at points of any samples: rows add up to 1. Twice differentiable where there is an overlap."""
        result = pos.new_ones(len(pos), 1)
        for level in range(self.depth):
            row = slice(2**level - 1, 2 ** (level + 1) - 1)
            cut, overlap = self.cut[:, row][batch], self.overlap[:, row][batch]
            x = pos[:, level % pos.shape[1], None]
            seam = overlap <= 0
            t = ((x - cut) / (2 * torch.where(seam, torch.ones_like(overlap), overlap)) + 0.5).clamp(0, 1)
            right = torch.where(seam, (x >= cut).to(x.dtype), t**3 * (t * (6 * t - 15) + 10))
            result = torch.stack([result * (1 - right), result * right], dim=2).flatten(1)
        return result

    def local(self, pos: Tensor, leaf: Tensor) -> Tensor:
        """(n, d) positions in the cube -> coordinates in the support of a leaf, which is [-1/2, 1/2]^d.

        Args:
            pos: (n, d).
            leaf: (n,) number of the leaf over all samples.
        """
        low, high = self.low.flatten(0, 1)[leaf], self.high.flatten(0, 1)[leaf]
        return (pos - (low + high) / 2) / (high - low)

    def spread(self, nodes: Tensor) -> Tensor:
        """(b k, m, d) positions in the cube of the (m, d) coordinates in every leaf: the inverse of :meth:`local`."""
        low, high = self.low.flatten(0, 1)[:, None], self.high.flatten(0, 1)[:, None]
        return (low + high) / 2 + (high - low) * nodes


def _tree(points: np.ndarray, depth: int, overlap: float) -> tuple[np.ndarray, ...]:
    """Cuts, half overlaps, and the supports of the leaves."""
    d = points.shape[1]
    cuts, halves = [], []
    # own part of the cube, support, points
    boxes = [(np.full(d, -0.5), np.full(d, 0.5), np.full(d, -0.5), np.full(d, 0.5), points)]
    for level in range(depth):
        axis, below = level % d, []
        for low, high, support_low, support_high, inside in boxes:
            rim = NARROWEST * (high[axis] - low[axis])
            middle = np.median(inside[:, axis]) if len(inside) else (low[axis] + high[axis]) / 2
            cut = float(np.clip(middle, low[axis] + rim, high[axis] - rim))
            half = overlap * min(cut - low[axis], high[axis] - cut)
            cuts.append(cut)
            halves.append(half)
            is_left = inside[:, axis] < cut
            below.append(
                (low, _moved(high, axis, cut), support_low, _moved(support_high, axis, min(support_high[axis], cut + half)), inside[is_left])
            )
            below.append(
                (_moved(low, axis, cut), high, _moved(support_low, axis, max(support_low[axis], cut - half)), support_high, inside[~is_left])
            )
        boxes = below
    return np.array(cuts), np.array(halves), np.stack([box[2] for box in boxes]), np.stack([box[3] for box in boxes])


def _moved(corner: np.ndarray, axis: int, to: float) -> np.ndarray:
    result = corner.copy()
    result[axis] = to
    return result
