"""A boundary and the points that see it as tensors: what a model prepares once per geometry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..axes import check
from .pointset import PointSet

#: Barycentric weights, and distances in sizes of a facet, that count as zero.
_TIED = 1e-6


@dataclass(frozen=True, eq=False)
class Queries:
    """Points at which a field is asked for, each with its closest point on the body.

    Attributes:
        points: ``scalars[:, 0]`` is the signed distance (negative inside), ``vectors[:, 0]`` its gradient. The columns behind the distance, where
            there are any, are the input functions there: values and nearness of each, in order of name.
        anchor: (n, d) int64 vertices of the facet that holds the closest point, counted over the whole batch of bodies.
        share: (n, d) barycentric weights of the closest point in that facet; rows add up to 1.
        origin: (n, d) where queries come from that were moved by :meth:`following`: the input functions they carry are known there. None for all others.
    """

    points: PointSet
    anchor: Tensor
    share: Tensor
    origin: Tensor | None = None

    def __post_init__(self) -> None:
        d = self.points.dimension
        check({"n": len(self.points)}, anchor=(self.anchor, f"n {d}"), share=(self.share, f"n {d}"))
        if self.origin is not None:
            check({"n": len(self.points)}, origin=(self.origin, f"n {d}"))

    def __len__(self) -> int:
        return len(self.points)

    def to(self, *args, **kwargs) -> Queries:
        points = self.points.to(*args, **kwargs)
        origin = None if self.origin is None else self.origin.to(*args, **kwargs)
        return Queries(points, self.anchor.to(points.pos.device), self.share.to(*args, **kwargs), origin)

    def take(self, index: Tensor) -> Queries:
        """Queries of the given indices, ordered by sample."""
        return Queries(self.points.take(index), self.anchor[index], self.share[index], None if self.origin is None else self.origin[index])

    def closest(self, values: Tensor) -> Tensor:
        """Interpolate per-vertex values (v, ...) of the surface to the closest points: (n, ...)."""
        shape = (len(self), self.anchor.shape[1]) + (1,) * (values.dim() - 1)
        picked = values.index_select(0, self.anchor.reshape(-1)).reshape(self.anchor.shape + values.shape[1:])
        return (picked * self.share.reshape(shape)).sum(dim=1)

    def following(self, pos: Tensor, vertices: Tensor) -> Queries:
        """These queries at moved positions: what they know of the boundary follows to first order, differentiably in ``pos``.

        For a small step s = pos - self.points.pos the signed distance D changes by grad D . s and the closest point c by dc, the part of s
        along the facet, the edge or the corner that holds c (nothing at a corner). Where c lies on an edge or a corner, the
        gradient turns: d(grad D) = (s - dc - (grad D . s) grad D)/D. Exact to first order on straight facets, so that derivatives of a
        decoded field by position are right; second derivatives do not see how c curves. Input functions stay as they are where the queries
        come from (:attr:`origin`), carried or not, and a model lets them follow from there by slopes that it fits to the points where it
        knows them (:func:`geoop.graph.interpolation.known_at`).

        Args:
            pos: (n, d) positions; equal to the present ones where only derivatives are wanted.
            vertices: (v, d) of the surface that ``anchor`` counts.
        """
        points = self.points
        step = pos - points.pos
        distance, gradient = points.scalars[:, :1], points.vectors[:, 0]
        with torch.no_grad():
            tied, slope = self._sliding(vertices, distance[:, 0])
        share = (slope @ step[:, :, None]).squeeze(2)
        slid = (share[:, :, None] * vertices[self.anchor]).sum(dim=1)
        along = (gradient * step).sum(dim=1, keepdim=True)
        turned = (step - slid - along * gradient) / torch.where(tied[:, None], distance, 1.0) * tied[:, None]
        vectors = torch.cat([(gradient + turned)[:, None], points.vectors[:, 1:]], dim=1)
        scalars = torch.cat([distance + along, points.scalars[:, 1:]], dim=1)
        origin = points.pos.detach() if self.origin is None else self.origin
        return Queries(PointSet(pos, scalars, vectors, points.weight, points.ptr), self.anchor, self.share + share, origin)

    def _sliding(self, vertices: Tensor, distance: Tensor) -> tuple[Tensor, Tensor]:
        """(n,) whether the closest point is tied to an edge or a corner, and (n, d, d) change of ``share`` per step.

        With the free corners' offsets E from their mean, the least |E^T r - s| over changes r of the shares that sum to zero:
        r = (E E^T + m m^T)^-1 E s, m marking the free corners.
        """
        corners = vertices[self.anchor].double()
        size = (corners - corners[:, :1]).norm(dim=2).amax(dim=1).clamp_min(1e-300)
        # on the boundary itself a point follows its facet: at a corner the derivative along this side
        free = (self.share > _TIED) | (distance.abs() <= _TIED * size)[:, None]
        free = free | ~free.any(dim=1, keepdim=True)
        mark = free.double()
        relative = (corners - corners[:, :1]) / size[:, None, None]
        mean = (mark[:, :, None] * relative).sum(dim=1, keepdim=True) / mark.sum(dim=1)[:, None, None]
        offset = mark[:, :, None] * (relative - mean)
        system = offset @ offset.mT + mark[:, :, None] * mark[:, None] + torch.diag_embed(1.0 - mark)
        lengths = torch.diagonal(system, dim1=1, dim2=2)
        system = system + torch.diag_embed(1e-14 * lengths)  # a facet without area slides nowhere
        slope = torch.linalg.solve(system, offset) / size[:, None, None]
        return ~free.all(dim=1), slope.to(self.share.dtype)

    @staticmethod
    def concatenate(items: Sequence[Queries], vertices: Sequence[int]) -> Queries:
        """Queries of several samples as one batch.

        Args:
            items: one per sample.
            vertices: number of surface vertices of every sample, by which ``anchor`` is shifted.
        """
        shifted, start = [], 0
        for item, count in zip(items, vertices, strict=True):
            shifted.append(item.anchor + start)
            start += count
        moved = any(i.origin is not None for i in items)
        origin = torch.cat([i.points.pos.detach() if i.origin is None else i.origin for i in items]) if moved else None
        return Queries(PointSet.concatenate([i.points for i in items]), torch.cat(shifted), torch.cat([i.share for i in items]), origin)


@dataclass(frozen=True, eq=False)
class Geometry:
    """The boundary of one or several bodies or regions, and the points that an operator works on.

    Attributes:
        surface: the vertices; ``vectors[:, 0]`` is the outward normal, ``weight`` the share of length or area,
            ``scalars`` what the surface says about itself (curvature, spacing, ...).
        facets: (m, d) int64 vertices of every facet (segments in 2-D, triangles in 3-D), counted over the whole batch.
        facet_ptr: (b+1,) int64 start of every sample's facets.
        domain: points in the region and on its boundary, with quadrature weights: where operators on clouds live. None for models that
            place their own points.
    """

    surface: PointSet
    facets: Tensor
    facet_ptr: Tensor
    domain: Queries | None = None

    def __post_init__(self) -> None:
        check(facets=(self.facets, f"m {self.surface.dimension}"), facet_ptr=(self.facet_ptr, "b+1"), ptr=(self.surface.ptr, "b+1"))

    @property
    def batch_size(self) -> int:
        return self.surface.batch_size

    def to(self, *args, **kwargs) -> Geometry:
        surface = self.surface.to(*args, **kwargs)
        domain = None if self.domain is None else self.domain.to(*args, **kwargs)
        return Geometry(surface, self.facets.to(surface.pos.device), self.facet_ptr.to(surface.pos.device), domain)

    def split(self) -> list[Geometry]:
        """One geometry per sample."""
        parts = []
        rows, vertices = self.facet_ptr.tolist(), self.surface.ptr.tolist()
        for i, surface in enumerate(self.surface.split()):
            domain = None
            if self.domain is not None:
                mine = slice(*self.domain.points.ptr[i : i + 2].tolist())
                domain = Queries(self.domain.points.split()[i], self.domain.anchor[mine] - vertices[i], self.domain.share[mine])
            facets = self.facets[rows[i] : rows[i + 1]] - vertices[i]
            parts.append(Geometry(surface, facets, self.facet_ptr.new_tensor([0, len(facets)]), domain))
        return parts

    @staticmethod
    def concatenate(items: Sequence[Geometry]) -> Geometry:
        """Several batches of bodies as one."""
        surface = PointSet.concatenate([item.surface for item in items])
        facets, starts, vertices, rows = [], [items[0].facet_ptr[:1]], 0, 0
        for item in items:
            facets.append(item.facets + vertices)
            starts.append(item.facet_ptr[1:] + rows)
            vertices += len(item.surface)
            rows += len(item.facets)
        domains = [item.domain for item in items if item.domain is not None]
        domain = Queries.concatenate(domains, [len(item.surface) for item in items]) if len(domains) == len(items) else None
        return Geometry(surface, torch.cat(facets), torch.cat(starts), domain)
