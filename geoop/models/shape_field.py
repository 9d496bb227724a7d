"""A shape as a small cloud of posed latents whose field is its signed distance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from ..decoders.equivariant_field import EquivariantField
from ..encoders.equivariant_field import AutoDecoded, ContextEncoder, FeedForward, MetaLearned, Observed, SurfaceKernel
from ..encoders.latent_poses import spread, windows
from ..errors import ConfigurationError, ShapeError
from ..graph.geometry import Geometry
from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..graph.segment import segment_softmax, segment_sum, take_source, take_target
from ..graph.surface_mesh import surface_mesh
from ..layers.bi_invariants import bi_invariant
from ..layers.pose_attention import PoseSpace
from ..mesh.distance import signed_distance
from ..mesh.facet_points import facet_points, spread_out
from ..mesh.mesh import Mesh
from ..mesh.orientation import oriented

Poses = Literal["grid", "body"]
Way = Literal["meta", "auto", "surface"]

#: The box of samples reaches this share of the body's largest extent beyond it, and the box of a grid of latents half of that.
MARGIN = 0.25
#: Of the samples: share near the surface, at distances from it between these, in its largest extent.
NEAR, NEAREST, FARTHEST = 0.6, 1e-3, 0.2
#: Candidates for poses per latent.
_CANDIDATES = 24


@dataclass(frozen=True, eq=False)
class PreparedShape:
    """What :class:`ShapeField` keeps of shapes.

    Attributes:
        poses: on the body, with normals as ``vectors`` and their windows; no points where latents stand on a grid.
        observed: points of the surface, and samples of the signed distance where contexts are fitted to them.
    """

    poses: PointSet
    observed: Observed

    def to(self, device: torch.device | str) -> PreparedShape:
        return PreparedShape(self.poses.to(device), self.observed.to(device))

    @staticmethod
    def concatenate(items: Sequence[PreparedShape]) -> PreparedShape:
        return PreparedShape(PointSet.concatenate([i.poses for i in items]), Observed.concatenate([i.observed for i in items]))


class ShapeField(nn.Module):
    """Signed distance of any shape as an equivariant neural field (arXiv 2406.05753; stage 1 of enf2enf, arXiv 2504.18591).

    Shapes are given in a frame of their own, about one unit long. ``poses="grid"`` is the published one: latents stand on a fixed grid in a box that is
    placed on the training bodies, and equivariance holds for latents and queries moved together only. ``poses="body"``: latents stand on the surface,
    far apart in units of a size that shrinks with curvature, carry its normals and move, turn and mirror with the body; their field is what
    contexts add to the distances to their tangent planes.

    Args:
        dimension: of space.
        latents: number, any.
        context: channels of each.
        width, nearest: of the field, see :class:`~geoop.decoders.equivariant_field.EquivariantField`.
        poses: as above.
        encoder: ``meta`` (a few learned steps), ``auto`` (optimised) or ``surface`` (one pass).
        invariant: name of a bi-invariant; None takes ``offset`` for a grid and ``components`` on the body.
        steps, second_order: of the meta-learned encoder; ``steps`` also of the optimised one.
        samples: of the signed distance, per shape.
        surface_points: on the surface, per shape.
    """

    def __init__(
        self,
        dimension: int = 2,
        latents: int = 9,
        context: int = 8,
        *,
        width: int = 48,
        nearest: int | None = None,
        poses: Poses = "grid",
        encoder: Way = "surface",
        invariant: str | None = None,
        steps: int = 3,
        second_order: bool = True,
        samples: int = 4096,
        surface_points: int = 256,
    ) -> None:
        super().__init__()
        chosen = invariant or ("offset" if poses == "grid" else "components")
        self.arguments: dict[str, Any] = {"dimension": dimension, "latents": latents, "context": context, "width": width}
        self.arguments |= {"nearest": nearest, "poses": poses, "encoder": encoder, "invariant": chosen}
        self.arguments |= {"steps": steps, "second_order": second_order, "samples": samples, "surface_points": surface_points}
        if poses not in ("grid", "body") or encoder not in ("meta", "auto", "surface"):
            raise ConfigurationError(
                f"poses '{poses}', encoder '{encoder}'", where="ShapeField", remedy="poses grid or body; encoder meta, auto or surface"
            )
        self.dimension, self.count, self.poses, self.samples, self.surface_points = dimension, latents, poses, samples, surface_points
        vectors = 1 if poses == "body" else dimension
        self.decoder = EquivariantField(context, 1, PoseSpace(bi_invariant(chosen), dimension, vectors, nearest), width)
        self.encoder = _encoder(encoder, context, vectors, width, steps, second_order)
        self.box: Tensor
        self.scale: Tensor
        self.register_buffer("box", torch.tensor([[-0.5] * dimension, [0.5] * dimension]))
        self.register_buffer("scale", torch.ones(()))

    @property
    def tabled(self) -> bool:
        """Whether contexts of training shapes are trained together with the field, and not computed from samples in every step."""
        return isinstance(self.encoder, AutoDecoded)

    @torch.no_grad()
    def prepare(self, shape: Mesh | Geometry) -> PreparedShape:
        """Points of the surface, poses and samples of one shape in its frame. Deterministic.

        Raises:
            ShapeError: a shape in another dimension.
            InvalidMeshError: a surface without inside or extent.
        """
        surface, side = (oriented(shape), 1) if isinstance(shape, Mesh) else surface_mesh(shape)
        if surface.dimension != self.dimension:
            raise ShapeError(
                f"a shape in {surface.dimension}-D for a field in {self.dimension}-D", where="ShapeField", remedy="make it for these shapes"
            )
        found = facet_points(surface, max(self.surface_points, _CANDIDATES * self.count if self.poses == "body" else 0))
        points, normals = found.points, side * found.normals
        coarse = facet_points(surface, self.surface_points)
        seen = PointSet(_single(coarse.points), vectors=_single(side * coarse.normals[:, None]), weight=_single(coarse.weights))
        return PreparedShape(self._on_body(points, normals), Observed(seen, _samples(surface, side, points, normals, self.samples)))

    def fit_shapes(self, prepared: Sequence[PreparedShape]) -> None:
        """Box of the grid and scale of the distance, from the training shapes."""
        low, high = (torch.stack([getattr(p.observed.surface.pos, how)(dim=0).values for p in prepared]) for how in ("min", "max"))
        low, high = low.amin(dim=0), high.amax(dim=0)
        margin = 0.5 * MARGIN * float((high - low).max())
        self.box.copy_(torch.stack([low - margin, high + margin]))
        values = torch.cat([p.observed.samples.scalars for p in prepared if p.observed.samples is not None])
        self.scale.copy_(values.std().clamp_min(1e-6))

    def posed(self, prepared: PreparedShape) -> PointSet:
        """The poses of a batch: the grid once per shape, or those on the bodies."""
        if self.poses == "body":
            return prepared.poses
        grid = torch.from_numpy(spread(self.box.detach().cpu().double().numpy(), self.count)).to(self.box)
        batch, d = prepared.observed.surface.batch_size, self.dimension
        axes = torch.eye(d, dtype=grid.dtype, device=grid.device).expand(self.count, d, d)
        weight = (self.box[1] - self.box[0]).prod().expand(self.count) / self.count
        return PointSet.concatenate([PointSet(grid, vectors=axes, weight=weight)] * batch)

    def encode(self, prepared: PreparedShape) -> PointSet:
        """(b L) latents: poses with contexts."""
        scaled = prepared.observed
        if scaled.samples is not None:
            scaled = Observed(scaled.surface, scaled.samples.with_features(scalars=scaled.samples.scalars / self.scale))
        return self.encoder(self.posed(prepared), scaled, self.unscaled)

    def field(self, latents: PointSet, points: PointSet) -> Tensor:
        """(n, 1) signed distance at any points."""
        return self.unscaled(latents, points) * self.scale

    def unscaled(self, latents: PointSet, points: PointSet) -> Tensor:
        """(n, 1) signed distance over :attr:`scale`."""
        graph = self.decoder.connect(latents, points)
        out = self.decoder(latents, points.with_features(scalars=points.scalars[:, :0]), graph).scalars
        return out + self._planes(latents, points, graph) / self.scale if self.poses == "body" else out

    def _planes(self, latents: PointSet, points: PointSet, graph: Graph) -> Tensor:
        """(n, 1) mean signed distance to the tangent planes of the latents, weighed by their windows."""
        share = segment_softmax(self.decoder.attention.log_window(latents, points, graph), graph)
        offset = take_target(points.pos, graph) - take_source(latents.pos, graph)
        normal = take_source(latents.vectors[:, 0], graph)
        return segment_sum(share * (offset * normal).sum(dim=1, keepdim=True), graph)

    def _on_body(self, points: np.ndarray, normals: np.ndarray) -> PointSet:
        if self.poses == "grid":
            return PointSet(torch.zeros(0, self.dimension), vectors=torch.zeros(0, self.dimension, self.dimension))
        chosen = spread_out(points, self.count, _sizes(points, normals))
        return PointSet(_single(points[chosen]), vectors=_single(normals[chosen][:, None]), weight=windows(points[chosen]))


def _encoder(way: Way, context: int, vectors: int, width: int, steps: int, second_order: bool) -> ContextEncoder:
    if way == "meta":
        return MetaLearned(context, steps=steps, second_order=second_order)
    if way == "auto":
        return AutoDecoded(context, steps=max(steps, 100))
    return FeedForward(context, SurfaceKernel(0, vectors, 2 * width, width=width), 2 * width)


def _sizes(points: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """(n,) how far apart latents may stand at every point of a surface: less where its normal turns."""
    from scipy.spatial import cKDTree

    distance, near = cKDTree(points).query(points, k=min(7, len(points)))
    turn = np.linalg.norm(normals[near[:, 1:]] - normals[:, None], axis=2).max(axis=1)
    extent = 2.0 * float(np.linalg.norm(points - points.mean(axis=0), axis=1).max())  # and not a side of the box, which changes when the body turns
    return 1.0 / (1.0 / extent + 4.0 * turn / np.maximum(distance[:, 1:].max(axis=1), 1e-9 * extent)) ** 0.5


def _samples(surface: Mesh, side: int, points: np.ndarray, normals: np.ndarray, count: int) -> PointSet:
    """Signed distance at points near the surface and in a box around it."""
    rng = np.random.default_rng(0)
    low, high = points.min(axis=0), points.max(axis=0)
    extent = float((high - low).max())
    n_near = round(NEAR * count)
    height = extent * np.exp(rng.uniform(np.log(NEAREST), np.log(FARTHEST), n_near)) * rng.choice([-1.0, 1.0], n_near)
    start = rng.integers(len(points), size=n_near)
    box = rng.uniform(low - MARGIN * extent, high + MARGIN * extent, (count - n_near, points.shape[1]))
    where = np.concatenate([points[start] + height[:, None] * normals[start], box])
    return PointSet(_single(where), _single(side * signed_distance(surface, where).distance[:, None]))


def _single(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))
