"""Distances computed once more with an autograd graph, between points and the facets that a search without one has found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .result import Distance

if TYPE_CHECKING:
    from torch import Tensor


def differentiable(found: Distance, points: Tensor, vertices: Tensor, *, signed: bool) -> Distance:
    """The same distances with derivatives in the points and in the vertices of the surface.

    The nearest facet, and which of its corner, edge or inside holds the closest point, stay as they were found: so the
    derivatives are exact wherever the distance has any, and one-sided on the medial axis. On the wall the distance is
    continued through it along the normal.

    Args:
        found: what was found without a graph, in float64.
        points: (n, d).
        vertices: (v, d) points of the surface.
        signed: whether ``found`` has signs.

    Returns:
        distance, gradient, closest and parameter with a graph, the rest as found; all in the precision of the points.
    """
    import torch

    p, x = points.double(), vertices.double()[found.corners]
    weights = _segment_weights(p, x) if p.shape[1] == 2 else _triangle_weights(p, x, found.parameter)
    closest = (weights[:, :, None] * x).sum(dim=1)
    offset = p - closest
    square = (offset * offset).sum(dim=1)
    reach = torch.maximum(p.detach().abs().max(), x.detach().abs().max()) if len(p) else 1.0
    # more points than the search itself calls on the wall: along the gradient found, both formulas are one
    on_wall = square.detach() <= (64 * torch.finfo(torch.float64).eps * reach) ** 2
    length = torch.where(on_wall, torch.ones_like(square), square).sqrt()  # the square root has no derivative at zero
    side = torch.where(found.distance < 0, -1.0, 1.0).to(length)
    through = (offset * found.gradient).sum(dim=1)
    distance = torch.where(on_wall, through if signed else through.abs(), side * length)
    gradient = torch.where(on_wall[:, None], found.gradient, (side / length)[:, None] * offset)
    parameter = weights[:, 1] if p.shape[1] == 2 else weights
    distance, gradient, closest, parameter = (value.to(points.dtype) for value in (distance, gradient, closest, parameter))
    return Distance(distance, gradient, closest, found.facet, parameter, found.corners, found.winding, found.confidence)


def _segment_weights(p: Tensor, x: Tensor) -> Tensor:
    """(n, 2) weights of the ends of segments (n, 2, 2) in the point closest to p."""
    import torch

    edge = x[:, 1] - x[:, 0]
    t = (((p - x[:, 0]) * edge).sum(dim=1) / (edge * edge).sum(dim=1)).clamp(0.0, 1.0)
    return torch.stack([1 - t, t], dim=1)


def _triangle_weights(p: Tensor, x: Tensor, weights: Tensor) -> Tensor:
    """(n, 3) weights of the corners of triangles (n, 3, 3) in the point closest to p, of which ``weights`` tells the feature."""
    import torch

    zero = weights <= 0
    free = 3 - zero.sum(dim=1)  # corners that carry weight: 3 inside, 2 on an edge, 1 at a corner
    a, b, c = x.unbind(dim=1)
    u, v, r = b - a, c - a, p - a
    normal = torch.linalg.cross(u, v)
    square = torch.where(free == 3, (normal * normal).sum(dim=1), torch.ones_like(p[:, 0]))
    safe = torch.where(square > 0, square, torch.ones_like(square))
    # by volumes: a determinant of dot products would vanish in needles
    second, third = ((normal * torch.linalg.cross(*pair)).sum(dim=1) / safe for pair in ((r, v), (u, r)))
    inside = torch.stack([1 - second - third, second, third], dim=1)
    opposite = zero.to(torch.int8).argmax(dim=1)
    first, last = (opposite + 1) % 3, (opposite + 2) % 3
    row = torch.arange(len(p), device=p.device)
    along = torch.where((free == 2)[:, None], x[row, last] - x[row, first], torch.ones_like(p))
    t = ((p - x[row, first]) * along).sum(dim=1) / (along * along).sum(dim=1)
    one = torch.nn.functional.one_hot
    edge = (1 - t)[:, None] * one(first, 3) + t[:, None] * one(last, 3)
    inside = torch.where((square > 0)[:, None], inside, weights)
    return torch.where((free == 3)[:, None], inside, torch.where((free == 2)[:, None], edge, weights))
