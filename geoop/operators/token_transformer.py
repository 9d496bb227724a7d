"""Transformer on the tokens of a geometry: the processor of GAOT."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import ConfigurationError
from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..layers.attention import PairBias
from ..layers.gated_mlp import GatedMLP
from ..layers.operator import AbstractOperator, Symmetry
from ..layers.sizes import check_heads

Rotation = tuple[Tensor, Tensor]


class Rotary(nn.Module):
    """Rotary positions (Su et al. 2021, arXiv 2104.09864) of points in space: pairs of channels turn by k . x, so q . k sees x_i - x_j only.

    Wave numbers are 2 pi 2^s / 4, s = 0, 1, ..., along every axis in turn, in cycles per unit length times 2 pi; as many as fit into a head.

    Args:
        dimension: of space.
        channels: of a head, at least 2 per axis; those that are left over do not turn.
    """

    def __init__(self, dimension: int, channels: int) -> None:
        super().__init__()
        octaves = channels // (2 * dimension)
        if octaves == 0:
            raise ConfigurationError(
                f"{channels} channels per head are too few for rotary positions", where="positions", remedy=f"use at least {2 * dimension} per head"
            )
        waves = 0.25 * 2.0 ** torch.arange(min(octaves, 6))
        self.waves: Tensor
        self.register_buffer("waves", 2 * torch.pi * (waves[:, None, None] * torch.eye(dimension)).reshape(-1, dimension))

    def turns(self, pos: Tensor) -> Rotation:
        """Cosine and sine, (g, 1, n, f) each, at positions (g, n, d)."""
        angle = (pos[:, None, :, None, :] * self.waves).sum(dim=-1)
        return angle.cos(), angle.sin()

    @staticmethod
    def turn(x: Tensor, turns: Rotation) -> Tensor:
        """(g, h, n, c) with its first 2 f channels turned."""
        cos, sin = (t.to(x.dtype) for t in turns)
        f = cos.shape[-1]
        a, b, rest = x[..., :f], x[..., f : 2 * f], x[..., 2 * f :]
        return torch.cat([a * cos - b * sin, a * sin + b * cos, rest], dim=-1)


class TransformerBlock(nn.Module):
    """x + attention(norm(x)), then x + gated perceptron(norm(x)); RMS norms; joined before with an earlier state where there is a skip."""

    def __init__(self, channels: int, heads: int, hidden: int, *, skip: bool) -> None:
        super().__init__()
        self.heads = heads
        self.norm, self.norm_hidden = nn.RMSNorm(channels, eps=1e-6), nn.RMSNorm(channels, eps=1e-6)
        self.qkv, self.out = nn.Linear(channels, 3 * channels, bias=False), nn.Linear(channels, channels)
        self.hidden = GatedMLP(channels, hidden, channels)
        self.join = nn.Linear(channels, channels, bias=False) if skip else None

    def forward(self, x: Tensor, mask: Tensor | None, turns: Rotation | None, earlier: Tensor | None) -> Tensor:
        """x (g, n, channels), mask (g, heads or 1, n or 1, n)."""
        if self.join is not None and earlier is not None:
            x = x + self.join(earlier)
        q, k, v = self.qkv(self.norm(x)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        if turns is not None:
            q, k = Rotary.turn(q, turns), Rotary.turn(k, turns)
        seen = F.scaled_dot_product_attention(q, k, v, attn_mask=None if mask is None else mask.to(q.dtype))
        x = x + self.out(seen.transpose(1, 2).flatten(2))
        return x + self.hidden(self.norm_hidden(x))


class TokenTransformer(AbstractOperator):
    """Pre-norm transformer of Wen et al. 2025 (arXiv 2505.18781): RMSNorm, gated perceptrons (SwiGLU), long skips, relative positions.

        x_i <- x_i + O sum_j softmax_j(q_i . k_j / sqrt(c) + bias(y_j - y_i) + log w_j) V x_j,     x <- x + GatedMLP(x)

    Block l of the second half adds S x of block depth - 1 - l of the first half (U-ViT, Bao et al. 2022, arXiv 2209.12152; adding S x is joining
    by a matrix [1 S] that starts near the plain block). Tokens of samples with equally many are computed as one dense batch.

    Source and target: the same tokens, ``scalars`` (n, channels); ``weight`` where ``measure``. Returns them with new ``scalars``.

    Args:
        channels: features of a token.
        depth: blocks.
        heads: divides ``channels``.
        expansion: hidden width of the perceptrons over ``channels``.
        dimension: of space.
        positions: ``bias`` learns a bias from the relative position, suited to tokens at distances of several decades; ``rotary`` turns queries
            and keys.
        measure: weigh tokens by their quadrature weight. With it the output
            converges with the order of the quadrature when tokens are refined; without it every token counts the same, whatever it stands for.
    """

    reference: ClassVar[str] = "wen-2025-gaot"
    symmetry: ClassVar[Symmetry] = Symmetry.TRANSLATION

    def __init__(
        self,
        channels: int,
        *,
        depth: int = 4,
        heads: int = 4,
        expansion: int = 2,
        dimension: int = 2,
        positions: Literal["bias", "rotary"] = "bias",
        measure: bool = True,
    ) -> None:
        super().__init__()
        check_heads("TokenTransformer", channels, heads)
        if positions not in ("bias", "rotary"):
            raise ConfigurationError(
                f"positions '{positions}'",
                where="TokenTransformer",
                remedy="choose positions 'bias' or 'rotary'",
            )
        self.heads, self.measure = heads, measure
        self.bias = PairBias(dimension, heads * depth) if positions == "bias" else None
        self.rotary = Rotary(dimension, channels // heads) if positions == "rotary" else None
        self.blocks = nn.ModuleList(TransformerBlock(channels, heads, expansion * channels, skip=2 * i >= depth + depth % 2) for i in range(depth))
        self.norm = nn.RMSNorm(channels, eps=1e-6)

    def connect(self, source: PointSet, target: PointSet, seed: int | None = None) -> Graph:
        """No edges: all tokens of a sample are connected."""
        return Graph.unconnected(len(source), len(target), source.pos.device)

    def forward(self, source: PointSet, target: PointSet, graph: Graph) -> PointSet:
        result = None
        for rows in _equal_sizes(target.ptr):
            g, n = rows.shape
            whole = g * n == len(target)
            part = (values if whole else values[rows.flatten()] for values in (target.scalars, target.pos, target.weight))
            x, pos, weight = (values.unflatten(0, (g, n)) for values in part)
            x = self._mix(x, pos, weight).flatten(0, 1)
            if whole:
                return target.with_features(scalars=x)
            result = x.new_zeros(len(target), x.shape[1]) if result is None else result
            result = result.index_copy(0, rows.flatten(), x)
        return target if result is None else target.with_features(scalars=result)

    def _mix(self, x: Tensor, pos: Tensor, weight: Tensor) -> Tensor:
        """x (g, n, channels), pos (g, n, d), weight (g, n)."""
        depth = len(self.blocks)
        log_weight = weight.clamp(min=torch.finfo(weight.dtype).tiny).log()[:, None, None, :] if self.measure else None
        turns = None if self.rotary is None else self.rotary.turns(pos)
        masks: list[Tensor | None] = [log_weight] * depth
        if self.bias is not None:
            # of all blocks at once: the features of the pairs are computed once
            biases = self.bias(pos, pos).unflatten(1, (depth, self.heads))
            biases = biases if log_weight is None else biases + log_weight[:, :, :, None, :]
            masks = list(biases.unbind(1))
        states: list[Tensor] = []
        for i, block in enumerate(self.blocks):
            x = block(x, masks[i], turns, states[depth - 1 - i] if block.join is not None else None)
            states.append(x)
        return self.norm(x)


def _equal_sizes(ptr: Tensor) -> Iterator[Tensor]:
    """(g, n) rows of all samples with n points, for every n > 0 that occurs."""
    sizes = ptr.diff()
    for n in sorted(set(sizes.tolist()) - {0}):
        yield ptr[:-1][sizes == n][:, None] + torch.arange(n, device=ptr.device)
