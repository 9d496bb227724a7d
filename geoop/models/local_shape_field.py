"""Signed distance of one body from latents on its skin, with corrections that are as large as a latent's surroundings."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ..decoders.equivariant_field import EquivariantField
from ..graph.pointset import PointSet
from ..graph.segment import segment_softmax, segment_sum, take_source, take_target
from ..layers.bi_invariants import bi_invariant
from ..layers.pose_attention import PoseSpace


class LocalShapeField(nn.Module):
    """Distances to tangent planes, and an equivariant neural field times a length:

        f(x) = sum_i w_i(x) (x - p_i) . n_i  +  r(x) g(x; latents),      r(x) = sum_i w_i(x) sqrt(s_i^2 + |x - p_i|^2)

    with positions p_i, normals n_i and windows s_i of the latents, w_i the softmax of the windows over the nearest ones, and g an
    :class:`~geoop.decoders.equivariant_field.EquivariantField` (arXiv 2406.05753). :class:`~geoop.models.shape_field.ShapeField` has one length for
    all of space; here corrections are small between latents that stand close and grow with the distance, as the errors of the planes do.
    ``head`` of g starts at zero: before training the field is the mean distance to the planes. Moves, turns and mirrors with the body.

    Args:
        dimension: of space.
        context: channels of a latent.
        width, nearest: of the field.
    """

    def __init__(self, dimension: int, context: int = 16, *, width: int = 48, nearest: int = 6) -> None:
        super().__init__()
        self.arguments: dict[str, Any] = {"dimension": dimension, "context": context, "width": width, "nearest": nearest}
        self.dimension = dimension
        self.decoder = EquivariantField(context, 1, PoseSpace(bi_invariant("components"), dimension, 1, nearest), width)
        last = self.decoder.head.layers[-1]
        assert isinstance(last, nn.Linear)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, latents: PointSet, points: PointSet) -> Tensor:
        """(n, 1) signed distance at points: latents with contexts as ``scalars``, a normal as ``vectors`` and windows to the power of d as ``weight``."""
        graph = self.decoder.connect(latents, points)
        found = self.decoder(latents, points, graph).scalars
        share = segment_softmax(self.decoder.attention.log_window(latents, points, graph), graph)
        offset = take_target(points.pos, graph) - take_source(latents.pos, graph)
        flat = (offset * take_source(latents.vectors[:, 0], graph)).sum(dim=1, keepdim=True)
        window = take_source(latents.weight, graph)[:, None] ** (2.0 / self.dimension)
        reach = (offset.square().sum(dim=1, keepdim=True) + window).sqrt()
        return segment_sum(share * flat, graph) + segment_sum(share * reach, graph) * found
