"""How posed latents move and change in time: equivariant message passing over the cloud of latents."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import ConfigurationError
from ..graph.edges import shares
from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..graph.segment import segment_sum, take_source, take_target
from ..layers.bi_invariants import Absolute, Components, Oriented, Periodic, right_handed
from ..layers.fourier import FourierFeatures
from ..layers.mlp import MLP
from ..layers.operator import AbstractOperator, Symmetry
from ..layers.pose import windows
from ..layers.pose_attention import PairNetwork, PoseSpace


class LatentDynamics(AbstractOperator):
    """dz/dtau = F(z) of a cloud of posed latents z = (p, a) (Knigge et al. 2024, arXiv 2406.06660, sec. 3, in the form of
    PONITA):

        e_ij   = MLP(RFF(inv_ij)),                        h_i = W a_i
        h_i   <- h_i + MLP(norm(h_i + mean_j K(e_ij) h_j))              every layer
        da_i   = W' h_i
        dp_i   = s_i ( mean_j g(e_ij, h_i, h_j) r_ij + sum_k g_k(h_i) v_ik )
        dv_ik  = w_i x v_ik,   w_i = sum_k w_k(h_i) v_ik                for Oriented; in the plane w_i(h_i) is a number

    with inv_ij bi-invariants of two poses, r_ij the offset p_j - p_i in windows s_i, bounded by 1, and v_ik the vectors of the pose (its right-handed frame
    for :class:`Oriented`). All gains g are invariant, so contexts change by invariants and positions by vectors that turn with the cloud. On a torus
    (:class:`Periodic`) the offset is length/(2 pi) sin(2 pi (p_j - p_i)/length), which does not feel a jump by a period. Means are by weight.
    Oriented poses spin too. Poses of other invariants travel only: a sense of turning is not invariant under reflection.

    Source and target: one cloud of latents, ``scalars`` (m, c) contexts, ``vectors`` (m, k, d) of the poses, ``weight`` (m,) length, area or volume.
    Returns it with ``scalars`` (m, c) the rates of the contexts and ``vectors`` (m, 1, d) the rates of the positions, followed by those of the k vectors of
    oriented poses, per unit of tau.

    Args:
        context: channels of a latent.
        space: poses and who sees whom; its bi-invariant decides the symmetry.
        width: features inside.
        layers: of message passing.
        pairs: Fourier features of the invariants (the first of ``frequencies``) and ``hidden`` features of their perceptron.

    Raises:
        ConfigurationError: no layer.
    """

    reference: ClassVar[str] = "knigge-2024-enf-pde"
    symmetry: ClassVar[Symmetry] = Symmetry.E

    def __init__(self, context: int, space: PoseSpace, width: int = 32, layers: int = 3, *, pairs: PairNetwork | None = None) -> None:
        super().__init__()
        if layers < 1:
            raise ConfigurationError(f"{layers} layers", where="LatentDynamics", remedy="at least one layer")
        pairs = pairs or PairNetwork()
        self.space = space
        self.symmetry = space.invariant.symmetry  # what an instance claims is what its bi-invariant does
        self.posed = isinstance(space.invariant, Components | Oriented)  # whether the vectors of poses are seen
        self.spins = isinstance(space.invariant, Oriented)
        axes = space.dimension if self.spins else space.vectors
        seen = space.invariant.width(space.dimension, space.vectors)
        self.waves = FourierFeatures.random(2 * seen + axes**2 if self.posed else seen, pairs.waves, pairs.frequencies[0])
        self.basis = MLP([self.waves.width, pairs.hidden, width])
        self.stem = nn.Linear(context, width)
        self.kernels = nn.ModuleList([nn.Linear(width, width) for _ in range(layers)])
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(layers)])
        self.updates = nn.ModuleList([MLP([width, 2 * width, width]) for _ in range(layers)])
        self.head = nn.Linear(width, context)
        self.pull = MLP([3 * width, width, 1])
        self.drift = nn.Linear(width, axes) if axes else None
        self.spin = nn.Linear(width, 1 if space.dimension == 2 else 3) if self.spins else None
        with torch.no_grad():  # close to rest at the start: the first forecast is the first frame
            for module in (self.head, self.pull.layers[-1], self.drift, self.spin):
                for parameter in module.parameters() if module is not None else ():
                    parameter.mul_(0.3)

    def connect(self, source: PointSet, target: PointSet, seed: int | None = None) -> Graph:
        return self.space.connect(source, target)

    def forward(self, source: PointSet, target: PointSet, graph: Graph) -> PointSet:
        basis = F.gelu(self.basis(self.waves(self._seen(source, target, graph))))
        share = shares(take_source(source.weight, graph), graph)[:, None]
        h = self.stem(target.scalars)
        for kernel, norm, update in zip(self.kernels, self.norms, self.updates, strict=True):
            heard = segment_sum(share * kernel(basis) * take_source(h, graph), graph)
            h = h + update(norm(h + heard))
        gain = self.pull(torch.cat([basis, take_target(h, graph), take_source(h, graph)], dim=1))
        window = windows(target.weight[:, None], target.dimension)
        offset = self._offset(source, target, graph) / take_target(window, graph)
        offset = offset / (1 + offset.square().sum(dim=1, keepdim=True)).sqrt()
        velocity = segment_sum(share * gain * offset, graph)
        if self.drift is not None:
            velocity = velocity + (self.drift(h)[:, :, None] * self._axes(target.vectors)).sum(dim=1)
        rates = (window * velocity)[:, None]
        if self.spin is not None:
            rates = torch.cat([rates, self._turning(self.spin(h), target.vectors)], dim=1)
        return target.with_features(scalars=self.head(h), vectors=rates)

    def _seen(self, source: PointSet, target: PointSet, graph: Graph) -> Tensor:
        """(e, features) invariants of the two poses of every pair, in windows of the source where they are lengths."""
        invariant, d = self.space.invariant, target.dimension
        p, x = take_source(source.pos, graph), take_target(target.pos, graph)
        theirs = take_source(source.vectors.flatten(1), graph).view(len(x), -1, d)
        seen = invariant.of(x, p, theirs)
        if isinstance(invariant, Periodic | Absolute):
            return seen
        window = windows(take_source(source.weight, graph)[:, None], d)
        if not self.posed:
            return seen / window
        own = take_target(target.vectors.flatten(1), graph).view(len(x), -1, d)
        facing = torch.einsum("eid,ejd->eij", self._axes(own), self._axes(theirs)).flatten(1)
        return torch.cat([seen / window, invariant.of(p, x, own) / window, facing], dim=1)

    def _offset(self, source: PointSet, target: PointSet, graph: Graph) -> Tensor:
        """(e, d) from the target to the source."""
        offset = take_source(source.pos, graph) - take_target(target.pos, graph)
        if isinstance(self.space.invariant, Periodic):
            turn = 2 * math.pi / offset.new_tensor(list(self.space.invariant.lengths))
            return torch.sin(turn * offset) / turn
        return offset

    def _turning(self, spin: Tensor, vectors: Tensor) -> Tensor:
        """(m, k, d) rates of the vectors of poses that turn at (m, 1) in the plane and at (m, 3) about their own axes in space, in radians."""
        if vectors.shape[2] == 2:
            return spin[:, :, None] * torch.stack([-vectors[..., 1], vectors[..., 0]], dim=-1)
        about = (spin[:, :, None] * self._axes(vectors)).sum(dim=1, keepdim=True)
        return torch.linalg.cross(about.expand_as(vectors), vectors)

    def _axes(self, vectors: Tensor) -> Tensor:
        """(..., k, d) directions that a pose names."""
        if self.spins:
            return right_handed(vectors[..., : vectors.shape[-1] - 1, :])
        return vectors
