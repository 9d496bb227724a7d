"""Zoo entries of the parts of GAOT and Transolver: multiscale attention, geometry statistics, transformer on tokens, slice attention."""

from __future__ import annotations

import torch

from geoop.encoders.geometry_statistics import GeometryStatistics
from geoop.encoders.multiscale_attention import MultiscaleAttention
from geoop.graph.pointset import PointSet
from geoop.layers.pair_kernel import PairKernel
from geoop.layers.scales import Balls, NearestScales, OwnBalls, Scales
from geoop.operators.slice_attention import SliceAttention
from geoop.operators.token_transformer import TokenTransformer

from .zoo import QUERIES, Cloud, Entry


def lengths(points: PointSet) -> PointSet:
    """The last scalar is a positive length."""
    return points.with_features(scalars=torch.cat([points.scalars[:, :-1], 0.5 + 0.1 * points.scalars[:, -1:].sin()], dim=1))


TOKENS = Cloud(scalars=3, sizes=(5, 1, 8), adapt=lengths)


def attention(scales: Scales, *, dimension: int = 2, conditioned: bool = True, target_channels: int = 0) -> MultiscaleAttention:
    source_channels = 3 if conditioned else 0
    kernel = PairKernel(dimension, 6, hidden=8, octaves=1, source_channels=source_channels, target_channels=target_channels)
    return MultiscaleAttention(3, 5, scales, kernel, heads=2, target_channels=target_channels)


ENTRIES: dict[str, Entry] = {
    "multiscale attention in balls": Entry(lambda: attention(Balls((0.4, 0.8)), target_channels=2), target=QUERIES),
    "multiscale attention, one scale, position only": Entry(lambda: attention(Balls((0.8,)), conditioned=False), target=QUERIES),
    "multiscale attention in the tokens' own balls": Entry(lambda: attention(OwnBalls((0.7, 1.4)), target_channels=2), target=TOKENS),
    "multiscale attention, nearest, 3-D": Entry(
        lambda: attention(NearestScales((2, 5)), dimension=3),
        source=Cloud(dimension=3),
        target=Cloud(scalars=0, dimension=3, sizes=(5, 1, 8)),
    ),
    "geometry statistics": Entry(lambda: GeometryStatistics(5, Balls((0.8,)), hidden=8), target=QUERIES, any_size=False),
    "geometry statistics in own balls with counts, 3-D": Entry(
        lambda: GeometryStatistics(5, OwnBalls((1.5,)), dimension=3, hidden=8, count=True),
        source=Cloud(dimension=3),
        target=Cloud(scalars=1, dimension=3, sizes=(5, 1, 8), adapt=lengths),
        any_size=False,
    ),
    "token transformer": Entry(lambda: TokenTransformer(8, depth=3, heads=2), source=Cloud(scalars=8)),
    "token transformer, rotary, 3-D": Entry(
        lambda: TokenTransformer(16, depth=2, heads=2, dimension=3, positions="rotary"), source=Cloud(scalars=16, dimension=3)
    ),
    "token transformer without a measure": Entry(lambda: TokenTransformer(8, depth=2, heads=2, measure=False), source=Cloud(scalars=8)),
    "slice attention within a cloud": Entry(lambda: SliceAttention(4, heads=2, slices=3), source=Cloud(scalars=4)),
    "slice attention with a density, to other points": Entry(
        lambda: SliceAttention(4, heads=2, slices=3, density=True), source=Cloud(scalars=4), target=Cloud(scalars=4, sizes=(5, 1, 8))
    ),
}
