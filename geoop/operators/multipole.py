"""Multipole graph kernel: a V-cycle of kernel integrals over nested subsets of a cloud, in linear cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from ..errors import ConfigurationError
from ..graph.hierarchy import Hierarchy
from ..graph.pointset import PointSet
from ..graph.segment import segment_sum, take_source
from ..graph.thinning import coarsen
from ..layers.neighborhood import Ball, Nearest, Pairs
from ..layers.operator import AbstractOperator, Symmetry
from ..layers.pair_kernel import PairKernel
from ..layers.share import Share
from .graph_kernel import GraphKernel


def level_sizes(count: int, ratio: int = 4, coarsest: int = 64) -> tuple[int, ...]:
    """Sizes of nested subsets of ``count`` points, each a ``ratio``-th of the one before, down to ``coarsest`` at least."""
    sizes = []
    while count // ratio >= coarsest:
        count //= ratio
        sizes.append(count)
    return tuple(sizes) or (min(count, coarsest),)


@dataclass(frozen=True)
class Levels:
    """Sizes of the coarse levels of a :class:`MultipoleKernel`.

    Attributes:
        counts: points of the levels 2, 3, ..., descending; a smaller cloud stays as it is on such a level. See :func:`level_sizes`.
        channels: features there.
        gains, hidden: width of every kernel of the V-cycle, and of its perceptron.
        neighbours: points that K_{l,l} and K_{l,l+1} read; on the coarsest level all.
    """

    counts: tuple[int, ...] = (256, 64, 16)
    channels: int = 32
    gains: int = 16
    hidden: int = 16
    neighbours: int = 8

    def __post_init__(self) -> None:
        if not self.counts or min(self.counts) < 1 or list(self.counts) != sorted(set(self.counts), reverse=True):
            raise ConfigurationError(f"levels {self.counts}", where="Levels", remedy="give sizes of coarser and coarser levels, e.g. (256, 64)")


class MultipoleKernel(AbstractOperator):
    """Multipole graph kernel of Li et al. 2020 (arXiv 2006.09535): the kernel matrix as a sum over levels of nested point sets,

        K = K_11 + K_12 ( K_22 + K_23 ( K_33 + ... ) K_32 ) K_21

    applied as one V-cycle, finest level 1:

        down:  v_{l+1} = s( K_{l+1,l} v_l ),        up:  u_l = s( W_l v_l + K_{l,l} v_l + K_{l,l+1} u_{l+1} ),        s = identity or gelu

    and v'(x) = W v(x) + (K_11 v)(x) + (K_12 u_2)(x) at any target x. Near points meet on the fine level, far ones on a coarse one. Levels are nested:
    a k-d tree cuts level l into boxes of equally many points, the point nearest to each box's centre goes on to level l + 1 with the box's
    weight, and K_{l+1,l} gathers every box into its point. So every point counts, the sizes follow the grading, and edges are k per point on
    levels that shrink geometrically: linear cost. Every K is a :class:`GraphKernel`, factored and weighted.

    Source: ``scalars`` (m, in_channels), ``weight``. Target: ``scalars`` (n, target_channels). Returns the target points with
    ``scalars`` (n, out_channels).

    Args:
        in_channels: scalars of the source points.
        out_channels: scalars of the result.
        dimension: of space.
        levels: sizes of the coarse levels.
        target_channels: scalars of the target points that the local term W v(x) reads; 0 leaves it out.
        near: neighbourhood of K_11.
        nonlinear: gelu on the coarse levels, as in the paper's network; without it the operator is the decomposed kernel, affine in v.
    """

    reference: ClassVar[str] = "li-2020-multipole"
    symmetry: ClassVar[Symmetry] = Symmetry.TRANSLATION  # a k-d tree turns along with nothing

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        dimension: int = 2,
        *,
        levels: Levels = Levels(),
        target_channels: int = 0,
        near: Ball | Nearest | Share = Nearest(8, smooth=True),
        nonlinear: bool = True,
    ) -> None:
        super().__init__()
        self.levels, self.act = levels, nn.GELU() if nonlinear else nn.Identity()
        around, channels = Nearest(levels.neighbours, smooth=True), levels.channels

        def kernel(width_in: int, width_out: int, neighborhood: Ball | Nearest | Share, local: int = 0) -> GraphKernel:
            gains = PairKernel(dimension, levels.gains, hidden=levels.hidden, depth=1)
            return _passing(GraphKernel(width_in, width_out, neighborhood, gains, target_channels=local))

        count = len(levels.counts)
        self.near = kernel(in_channels, out_channels, near, target_channels)
        self.far = kernel(channels, out_channels, around)
        self.down = nn.ModuleList([kernel(in_channels if i == 0 else channels, channels, Nearest(1)) for i in range(count)])
        reach = [around] * (count - 1) + [Nearest(levels.counts[-1])]  # every point of the coarsest level reads all of it
        self.within = nn.ModuleList([kernel(channels, channels, neighborhood, channels) for neighborhood in reach])
        self.up = nn.ModuleList([kernel(channels, channels, around) for _ in range(count - 1)])

    def connect(self, source: PointSet, target: PointSet, seed: int | None = None) -> Hierarchy:
        levels = self.coarsen(source)
        near, far = self.near.connect(source, target), self.far.connect(levels.points["level0"], target)
        return Hierarchy(levels.points, {**levels.graphs, "near": near, "far": far})

    def coarsen(self, source: PointSet) -> Hierarchy:
        """The levels of a cloud and the graphs among them: all that does not depend on the targets."""
        points, graphs, fine = {}, {}, source
        for i, count in enumerate(self.levels.counts):
            coarse, graphs[f"same{i}"], graphs[f"down{i}"] = coarsen(fine, count)
            graphs[f"within{i}"] = self.within[i].connect(coarse, coarse)
            if i:
                graphs[f"up{i - 1}"] = self.up[i - 1].connect(coarse, fine)
            points[f"level{i}"] = fine = coarse
        return Hierarchy(points, graphs)

    def forward(self, source: PointSet, target: PointSet, hierarchy: Hierarchy) -> PointSet:
        clouds = self.clouds(source, target, hierarchy)
        pairs = self.pairs(clouds, hierarchy)
        coarse = self.far_field(source, hierarchy, pairs)
        return self.reach(source, coarse, target, hierarchy, pairs)

    def clouds(self, source: PointSet, target: PointSet | None, hierarchy: Hierarchy) -> dict[str, tuple[PointSet, PointSet]]:
        """Source and target of every graph by name; levels as functions of the cloud, so that derivatives by positions and weights are right."""
        found, chain = {}, [source]
        for i in range(len(self.levels.counts)):
            chain.append(self._level(chain[-1], hierarchy, i))
            found |= {f"down{i}": (chain[i], chain[i + 1]), f"within{i}": (chain[i + 1], chain[i + 1])}
            if i:
                found[f"up{i - 1}"] = (chain[i + 1], chain[i])
        return found if target is None else {**found, "near": (source, target), "far": (chain[1], target)}

    def pairs(self, clouds: Mapping[str, tuple[PointSet, PointSet]], hierarchy: Hierarchy) -> dict[str, Pairs]:
        """Geometry of the edges between ``clouds``, by name: the part of the work that depends on the points alone, not on their features."""
        kernels = self._kernels()
        return {name: kernels[name].pairs(*both, hierarchy.graphs[name]) for name, both in clouds.items()}

    def far_field(self, source: PointSet, hierarchy: Hierarchy, pairs: Mapping[str, Pairs]) -> PointSet:
        """u_2: the first coarse level with everything that the levels from it on have to say."""
        graphs, chain, above = hierarchy.graphs, [source], None
        for i in range(len(self.levels.counts)):
            name, level = f"down{i}", hierarchy.points[f"level{i}"]
            seen = self.down[i].over(pairs[name], chain[i], level, graphs[name]).scalars  # type: ignore[operator]
            chain.append(level.with_features(scalars=self.act(seen)))
        for i in reversed(range(len(chain) - 1)):
            level, name = chain[i + 1], f"within{i}"
            seen = self.within[i].over(pairs[name], level, level, graphs[name]).scalars  # type: ignore[operator]
            if above is not None:
                name = f"up{i}"
                seen = seen + self.up[i].over(pairs[name], above, level, graphs[name]).scalars  # type: ignore[operator]
            above = level.with_features(scalars=self.act(seen))
        assert above is not None
        return above

    def reach(self, source: PointSet, coarse: PointSet, target: PointSet, hierarchy: Hierarchy, pairs: Mapping[str, Pairs]) -> PointSet:
        """The result at the targets, from the source points near them and the first coarse level; every target by itself."""
        near = self.near.over(pairs["near"], source, target, hierarchy.graphs["near"]).scalars
        far = self.far.over(pairs["far"], coarse, target, hierarchy.graphs["far"]).scalars
        return target.with_features(scalars=near + far)

    def _kernels(self) -> dict[str, GraphKernel]:
        """The kernel of every graph by its name."""
        several = {"down": self.down, "within": self.within, "up": self.up}
        return {"near": self.near, "far": self.far, **{f"{name}{i}": k for name, kernels in several.items() for i, k in enumerate(kernels)}}  # type: ignore[dict-item]

    def _level(self, fine: PointSet, hierarchy: Hierarchy, i: int) -> PointSet:
        """The kept points of a level as a function of the finer one."""
        pos = fine.pos.index_select(0, hierarchy.graphs[f"same{i}"].source)
        members = hierarchy.graphs[f"down{i}"]
        return PointSet(pos, weight=segment_sum(take_source(fine.weight, members), members), ptr=hierarchy.points[f"level{i}"].ptr)


def _passing(kernel: GraphKernel) -> GraphKernel:
    """Starts as a mean over the neighbourhood between orthogonal matrices: a signal that climbs down and up the levels keeps its size."""
    nn.init.ones_(kernel.kernel.gain.layers[-1].bias)  # type: ignore[arg-type]
    nn.init.orthogonal_(kernel.inner.weight)
    nn.init.orthogonal_(kernel.mix.weight)
    return kernel
