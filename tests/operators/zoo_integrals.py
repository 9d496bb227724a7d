"""Zoo entries of the kernel integrals that reach across the whole cloud: low rank and multipole."""

from __future__ import annotations

from geoop.layers.neighborhood import Ball, Nearest
from geoop.layers.pair_kernel import PairKernel
from geoop.layers.share import Share
from geoop.operators.graph_kernel import GraphKernel
from geoop.operators.low_rank import Basis, LowRank
from geoop.operators.multipole import Levels, MultipoleKernel

from .zoo import QUERIES, Cloud, Entry

ENTRIES: dict[str, Entry] = {
    "graph kernel, share": Entry(lambda: GraphKernel(3, 5, Share(4, of=9), PairKernel(2, 8)), target=QUERIES),
    "low rank": Entry(lambda: LowRank(3, 5, Basis(2, 6, 8), Basis(3, 6, 8), width=8, heads=2, target_channels=2), target=QUERIES),
    "low rank within one cloud, 3-D": Entry(lambda: LowRank(3, 3, Basis(3, 2, 8), Basis(3, 2, 8), width=4, measure=0.5), source=Cloud(dimension=3)),
    "multipole kernel": Entry(lambda: MultipoleKernel(3, 5, levels=Levels((5, 2), 4, 4, 8, 3), target_channels=2, near=Nearest(3)), target=QUERIES),
    "multipole kernel, linear, within one cloud, 3-D": Entry(
        lambda: MultipoleKernel(3, 3, 3, levels=Levels((4,), 4, 4, 8, 3), near=Ball(0.9), nonlinear=False),
        source=Cloud(dimension=3),
    ),
}
