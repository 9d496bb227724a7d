"""Three ways from a shape to the contexts of its latents: a few learned gradient steps, full optimisation, one pass from the surface."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import ConfigurationError
from ..graph.graph import Graph
from ..graph.neighbors import knn
from ..graph.pointset import PointSet
from ..graph.segment import segment_softmax, segment_sum, take_source, take_target
from ..layers.gated_mlp import GatedMLP
from ..layers.mlp import MLP
from ..layers.operator import AbstractOperator, Symmetry
from ..layers.pose import windows
from ..layers.sizes import check_heads

#: latents, points -> (n, c) the field there: what a context is fitted through.
Decode = Callable[[PointSet, PointSet], Tensor]


@dataclass(frozen=True, eq=False)
class Observed:
    """What is known of the shapes of a batch.

    Attributes:
        surface: points of the surfaces with ``vectors[:, 0]`` outward normals, ``scalars`` what the surface says of itself, ``weight`` lengths or areas.
        samples: points in space with the field to be represented as ``scalars``, such as the signed distance; None where it is not known.
    """

    surface: PointSet
    samples: PointSet | None = None

    def to(self, device: torch.device | str) -> Observed:
        return Observed(self.surface.to(device), None if self.samples is None else self.samples.to(device))

    @staticmethod
    def concatenate(items: list[Observed]) -> Observed:
        """Shapes of several batches as one."""
        samples = [item.samples for item in items if item.samples is not None]
        joined = PointSet.concatenate(samples) if len(samples) == len(items) else None
        return Observed(PointSet.concatenate([item.surface for item in items]), joined)

    def drawn(self, count: int, generator: torch.Generator) -> Observed:
        """With a random subset of at most ``count`` samples per shape."""
        assert self.samples is not None
        starts = self.samples.ptr.tolist()
        sizes = [b - a for a, b in zip(starts, starts[1:], strict=False)]
        rows = [start + torch.randperm(size, generator=generator)[:count].sort().values for start, size in zip(starts, sizes, strict=False)]
        return Observed(self.surface, self.samples.take(torch.cat(rows)))


class ContextEncoder(nn.Module, ABC):
    """Poses and a shape to latents. One interface for the three ways, so that a model takes any of them.

    Attributes:
        context: channels of a latent.
        needs_samples: whether it fits the field to samples of it.
    """

    needs_samples: ClassVar[bool]

    def __init__(self, context: int) -> None:
        super().__init__()
        self.context = context

    @abstractmethod
    def forward(self, poses: PointSet, observed: Observed, decode: Decode) -> PointSet:
        """Latents: the poses with their contexts (m, c) as ``scalars``.

        Args:
            poses: positions, vectors and weights; features are replaced.
            observed: the shapes.
            decode: the field that a context is fitted through.
        """


class MetaLearned(ContextEncoder):
    """A few steps of gradient descent on the contexts alone, from ones, with learned rates (enf2enf, arXiv 2504.18591; Meta-SGD):

        a <- a - eta d/da mean over the samples of (f(x; p, a) - target)^2

    The mean is taken per shape, so a step does not depend on what else is in the batch. Works under ``torch.no_grad`` and even in
    ``torch.inference_mode``: it needs derivatives and switches them on for itself.

    Args:
        context: channels of a latent.
        steps: of descent.
        rate: initial learning rate of every channel.
        second_order: whether training differentiates through the steps (three times the memory) or takes their gradients as constants.
    """

    needs_samples = True
    #: Learned rates drift: they are clipped to this range.
    RATES = (1e-6, 10.0)

    def __init__(self, context: int, *, steps: int = 3, rate: float = 1.0, second_order: bool = True) -> None:
        super().__init__(context)
        if steps < 1 or rate <= 0:
            raise ConfigurationError(f"{steps} steps at rate {rate}", where="MetaLearned", remedy="at least one step, a positive rate")
        self.steps, self.second_order = steps, second_order
        self.rate = nn.Parameter(torch.full((context,), float(rate)))

    def forward(self, poses: PointSet, observed: Observed, decode: Decode) -> PointSet:
        if observed.samples is None:
            raise ConfigurationError("no samples of the field", where="MetaLearned", remedy="pass Observed(surface, samples=...)")
        trained = torch.is_grad_enabled()
        # a tensor that was made in inference mode cannot be differentiated; its clone can
        with torch.inference_mode(False), torch.enable_grad():
            poses, samples = _own(poses), _own(observed.samples)
            a = torch.ones(len(poses), self.context, dtype=poses.pos.dtype, device=poses.pos.device, requires_grad=True)
            # the sum over shapes of means: every shape's gradient is that of its own mean
            share = 1.0 / (samples.ptr.diff().clamp_min(1)[samples.batch] * samples.scalars.shape[1])
            for _ in range(self.steps):
                error = decode(poses.with_features(scalars=a), samples) - samples.scalars
                loss = (error.square().sum(dim=1) * share).sum()
                (slope,) = torch.autograd.grad(loss, a, create_graph=trained and self.second_order)
                a = a - self.rate.clamp(*self.RATES) * slope
                if not trained:
                    a = a.detach().requires_grad_()
        return poses.with_features(scalars=a if trained else a.detach())


class AutoDecoded(ContextEncoder):
    """The contexts that minimise the error, by Adam from zero (auto-decoding; Park et al. 2019, arXiv 1901.05103, sec. 4).

    Slow, and the most accurate that a field can be made to be. In training the contexts of the training shapes stand in a table and are trained together
    with the field, see :class:`geoop.train.shapes.ShapeTraining`.

    Args:
        context: channels of a latent.
        steps, rate: of Adam; the rate falls to zero along a cosine.
        penalty: of the contexts' mean square, which keeps them where the field was trained.
    """

    needs_samples = True

    def __init__(self, context: int, *, steps: int = 200, rate: float = 3e-2, penalty: float = 1e-6) -> None:
        super().__init__(context)
        if steps < 1 or rate <= 0:
            raise ConfigurationError(f"{steps} steps at rate {rate}", where="AutoDecoded", remedy="at least one step, a positive rate")
        self.steps, self.rate, self.penalty = steps, rate, penalty

    def forward(self, poses: PointSet, observed: Observed, decode: Decode) -> PointSet:
        if observed.samples is None:
            raise ConfigurationError("no samples of the field", where="AutoDecoded", remedy="pass Observed(surface, samples=...)")
        with torch.inference_mode(False), torch.enable_grad():
            poses, samples = _own(poses), _own(observed.samples)
            a = torch.zeros(len(poses), self.context, dtype=poses.pos.dtype, device=poses.pos.device, requires_grad=True)
            share = 1.0 / (samples.ptr.diff().clamp_min(1)[samples.batch] * samples.scalars.shape[1])
            optimizer = torch.optim.Adam([a], lr=self.rate)
            schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, self.steps)
            for _ in range(self.steps):
                error = decode(poses.with_features(scalars=a), samples) - samples.scalars
                loss = (error.square().sum(dim=1) * share).sum() + self.penalty * a.square().mean(dim=1).sum()
                (a.grad,) = torch.autograd.grad(loss, a)
                optimizer.step()
                schedule.step()
        return poses.with_features(scalars=a.detach())


class SurfaceKernel(AbstractOperator):
    """Surface points to posed latents in one pass: attention with a kernel of what a surface point looks like from the latent.

        a_i = phi( s_i, sum_j w_j softmax_j(l_h(e_ij)) v_h(e_ij) over heads h ),    e_ij: point j in the frame of pose i

    with e_ij the components of offset and normal along the pose's vectors on a linear and a logarithmic scale, the distance, and what the surface says
    of itself; all invariant, so that the contexts are, and w_j the quadrature weight, so that they converge when the surface is refined.

    Source: surface, ``scalars`` (m, s), ``vectors[:, 0]`` normals. Target: poses with ``vectors`` (n, k, d) and ``weight``. Returns them with ``scalars`` (n, out).

    Args:
        scalars: what a surface point says of itself.
        vectors: per pose.
        out: features of a latent.
        width, heads: of the kernel.
        nearest: surface points that a latent sees; None for all.
    """

    reference: ClassVar[str] = "wessels-2024-enf"
    symmetry: ClassVar[Symmetry] = Symmetry.E

    def __init__(self, scalars: int, vectors: int, out: int, *, width: int = 32, heads: int = 4, nearest: int | None = None) -> None:
        super().__init__()
        check_heads("SurfaceKernel", width, heads)
        self.heads, self.width, self.nearest = heads, width, nearest
        seen = 3 * vectors + 5 + scalars
        self.logit = MLP([seen, width, heads])
        self.value = GatedMLP(seen, width, width)
        self.collect = GatedMLP(width, 2 * width, out)

    def connect(self, source: PointSet, target: PointSet, seed: int | None = None) -> Graph:
        most = int(source.ptr.diff().max())
        return knn(source.pos, target.pos, min(self.nearest or most, most), source.ptr, target.ptr)

    def forward(self, source: PointSet, target: PointSet, graph: Graph) -> PointSet:
        d, vectors = target.dimension, target.vectors.shape[1]
        window = windows(take_target(target.weight, graph)[:, None], d)
        offset = (take_source(source.pos, graph) - take_target(target.pos, graph)) / window
        distance = (offset.square().sum(dim=1, keepdim=True) + 1e-12).sqrt()
        pose = take_target(target.vectors.flatten(1), graph).view(len(offset), vectors, d)
        normal = take_source(source.vectors[:, 0], graph)
        along = (pose * offset[:, None]).sum(dim=2)
        facing = (normal * offset).sum(dim=1, keepdim=True)
        parts = [along / (1 + distance), along * (torch.log1p(distance) / distance), (pose * normal[:, None]).sum(dim=2)]
        parts += [facing / (1 + distance), facing * torch.log1p(distance) / distance, torch.log1p(distance), 1 / (1 + distance), window.log()]
        seen = torch.cat([*parts, take_source(source.scalars, graph)], dim=1)
        measure = take_source(source.weight, graph).clamp_min(torch.finfo(seen.dtype).tiny).log()
        share = segment_softmax(self.logit(seen) + measure[:, None], graph)
        value = self.value(seen).view(len(seen), self.heads, self.width // self.heads)
        read = segment_sum((share[:, :, None] * value).flatten(1), graph)
        return target.with_features(scalars=self.collect(read))


class FeedForward(ContextEncoder):
    """One pass from the surface to the contexts: a kernel over the surface, and a linear map.

    Args:
        context: channels of a latent.
        kernel: surface -> latents, with ``width`` features out.
        width: features between.
    """

    needs_samples = False

    def __init__(self, context: int, kernel: AbstractOperator, width: int) -> None:
        super().__init__(context)
        self.kernel = kernel
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, context))

    def forward(self, poses: PointSet, observed: Observed, decode: Decode) -> PointSet:
        latents = self.kernel(observed.surface, poses, self.kernel.connect(observed.surface, poses))
        return poses.with_features(scalars=self.head(F.silu(latents.scalars)))


def _own(points: PointSet) -> PointSet:
    """The points in tensors that can be differentiated: any of them may have been made in inference mode, where the others were not."""
    parts = (points.pos, points.scalars, points.vectors, points.weight, points.ptr)
    return PointSet(*(part.clone() if part.is_inference() else part for part in parts))
