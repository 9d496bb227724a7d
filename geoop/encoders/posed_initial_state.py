"""From the values of a field at scattered points to posed latents: a few learned gradient steps on positions and contexts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from ..errors import ConfigurationError
from ..graph.pointset import PointSet
from ..layers.bi_invariants import Components, Oriented
from ..layers.pose import windows
from ..layers.pose_attention import PoseSpace

#: latents, points -> (n, c) the field there: what latents are fitted through.
Decode = Callable[[PointSet, PointSet], Tensor]


class PosedInitialState(nn.Module):
    """A few steps of gradient descent on positions, pose vectors and contexts, from given poses and contexts of ones, with learned rates
    (Knigge et al. 2024, arXiv 2406.06660, sec. 3; Meta-SGD, arXiv 1707.09835):

        loss = weighted mean over points and channels of (f(x; p, a) - target)^2,       L latents of windows s
        a <- a - L eta dloss/da,      p <- p - s bound(L eta_p s dloss/dp),      v <- orthonormal(v - L eta_v dloss/dv)

    eta has one rate per channel; eta_p and eta_v are one number each, else the steps would know directions. The factors L and s make rates pure numbers that
    serve any number of latents and unit of length, and ``bound`` shortens vectors to less than 1: a latent moves by less than its window in one step.
    The gradient by a position is a vector, so start poses and points that are moved together give latents that are moved along, and the same contexts.
    Vectors turn only where the bi-invariant looks at them. Works under ``torch.no_grad`` and in ``torch.inference_mode``, with the same result.

    Args:
        context: channels of a latent.
        space: of the poses.
        steps: of descent.
        rate, position_rate, turn_rate: at the start, for contexts, positions and vectors; 0 keeps positions or vectors fixed.
        second_order: whether training differentiates through the steps (three times the memory) or takes their gradients as constants.

    Raises:
        ConfigurationError: no step, a negative rate.
    """

    #: Learned rates drift: they are clipped to this range.
    RATES = (1e-6, 100.0)

    def __init__(
        self,
        context: int,
        space: PoseSpace,
        *,
        steps: int = 3,
        rate: float = 1.0,
        position_rate: float = 0.3,
        turn_rate: float = 0.1,
        second_order: bool = True,
    ) -> None:
        super().__init__()
        if steps < 1 or rate <= 0 or min(position_rate, turn_rate) < 0:
            raise ConfigurationError(
                f"{steps} steps at rates {rate}, {position_rate}, {turn_rate}",
                where="PosedInitialState",
                remedy="at least one step, a positive rate of the contexts, rates of positions and vectors of 0 or more",
            )
        self.context, self.space, self.steps, self.second_order = context, space, steps, second_order
        self.rate = nn.Parameter(torch.full((context,), float(rate)))
        self.position_rate = nn.Parameter(torch.tensor(float(position_rate))) if position_rate else None
        turns = turn_rate and space.vectors and isinstance(space.invariant, Components | Oriented)
        self.turn_rate = nn.Parameter(torch.tensor(float(turn_rate))) if turns else None

    def forward(self, start: PointSet, frame: PointSet, decode: Decode) -> PointSet:
        """(m) latents with contexts (m, c) as ``scalars``.

        Args:
            start: poses, with weights; features are replaced.
            frame: points with the values of the field as ``scalars`` and quadrature weights, as many samples as ``start``; at least one point in each.
            decode: the field.

        Raises:
            ConfigurationError: samples that do not match, a sample without points.
        """
        sizes = frame.ptr.diff()
        if start.batch_size != frame.batch_size or bool((sizes < 1).any()):
            raise ConfigurationError(
                f"{start.batch_size} sets of poses, frames of {sizes.tolist()} points",
                where="PosedInitialState",
                remedy="one set of poses per frame, and at least one point in every frame",
            )
        trained = torch.is_grad_enabled()
        # a tensor that was made in inference mode cannot be differentiated; its clone can
        with torch.inference_mode(False), torch.enable_grad():
            start, frame = _own(start), _own(frame)
            latents = start.with_features(scalars=start.pos.new_ones(len(start), self.context))
            total = torch.zeros_like(frame.weight[: frame.batch_size]).index_add(0, frame.batch, frame.weight)
            share = frame.weight / (total.clamp_min(torch.finfo(total.dtype).tiny)[frame.batch] * max(frame.scalars.shape[1], 1))
            for _ in range(self.steps):
                latents = self._step(latents, frame, share, decode, trained)
        return latents

    def _step(self, latents: PointSet, frame: PointSet, share: Tensor, decode: Decode, trained: bool) -> PointSet:
        """One step; outside of training its result is cut off, so that memory does not grow with the number of steps."""
        moving = {"scalars": True, "pos": self.position_rate is not None, "vectors": self.turn_rate is not None}
        names = [name for name, moves in moving.items() if moves]
        held = {name: value if value.requires_grad else value.detach().requires_grad_() for name in names for value in [getattr(latents, name)]}
        latents = replace(latents, **held)
        # the sum over samples of means: every sample's gradient is that of its own mean
        loss = ((decode(latents, frame) - frame.scalars).square().sum(dim=1) * share).sum()
        slopes = dict(zip(names, torch.autograd.grad(loss, list(held.values()), create_graph=trained and self.second_order), strict=True))
        count = latents.ptr.diff()[latents.batch].to(latents.pos.dtype)[:, None]
        new = {"scalars": latents.scalars - count * self._clipped(self.rate) * slopes["scalars"]}
        if self.position_rate is not None:
            window = windows(latents.weight[:, None], latents.dimension)
            move = count * self._clipped(self.position_rate) * window * slopes["pos"]
            new["pos"] = latents.pos - window * move / (1 + move.square().sum(dim=1, keepdim=True)).sqrt()
        if self.turn_rate is not None:
            new["vectors"] = orthonormal(latents.vectors - count[:, :, None] * self._clipped(self.turn_rate) * slopes["vectors"])
        return replace(latents, **(new if trained else {name: value.detach() for name, value in new.items()}))

    def _clipped(self, rate: Tensor) -> Tensor:
        return rate.clamp(*self.RATES)


def orthonormal(vectors: Tensor) -> Tensor:
    """(..., k, d) by Gram and Schmidt; as many as there are dimensions at most, what is left beyond is normalised as it is."""
    found: list[Tensor] = []
    for k in range(vectors.shape[-2]):
        vector = vectors[..., k, :]
        if k < vectors.shape[-1]:
            for other in found:
                vector = vector - (vector * other).sum(dim=-1, keepdim=True) * other
        found.append(torch.nn.functional.normalize(vector, dim=-1))
    return torch.stack(found, dim=-2) if found else vectors


def _own(points: PointSet) -> PointSet:
    """The points in tensors that can be differentiated: any of them may have been made in inference mode."""
    parts = (points.pos, points.scalars, points.vectors, points.weight, points.ptr)
    return PointSet(*(part.clone() if part.is_inference() else part for part in parts))
