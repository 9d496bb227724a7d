"""Signed distance to segments in the plane: exact, differentiable, on any device, in bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...axes import check
from ...errors import InvalidMeshError
from ..choices import choice
from .result import Distance, confidence

if TYPE_CHECKING:  # torch is heavy: importing the mesh room must not need it
    from torch import Tensor

#: Largest number of point-segment pairs held at once; a pair takes about 50 bytes in float64.
CHUNK = 2**21


def segment_distance(points: Tensor, start: Tensor, end: Tensor, *, signed: bool = True, chunk: int = CHUNK) -> Distance:
    """Distance from points to the nearest of many segments.

    Differentiable in the points and in the ends of the segments: the nearest segment is found without a graph, then its
    distance is computed once more with one. At a point on the wall the gradient is that of the facet's normal.

    Args:
        points: (n, 2).
        start, end: (s, 2) ends of the segments. For a sign they form closed loops, bodies counter-clockwise and holes in
            them clockwise (:func:`geoop.mesh.outline.oriented`); inside is where their winding number is not zero.
        signed: False for the plain distance, to open chains too.
        chunk: largest number of point-segment pairs held at once: bounds the memory, never changes the answer.

    Returns:
        tensors; ``facet`` and ``corners`` count segments: corners are (i, i + 1) modulo s, right for one ring in order.

    Raises:
        ShapeError: arrays that do not fit.
        InvalidMeshError: no segments.
    """
    import torch

    check(points=(points, "n 2"), start=(start, "s 2"), end=(end, "s 2"))
    if not len(start):
        raise InvalidMeshError("there are no segments to measure distance to", remedy="pass at least one segment")
    with torch.no_grad():
        facet = choice(lambda: nearest_pairs(points.detach(), start.detach(), end.detach(), chunk))
        turns = choice(lambda: winding_of_pairs(points.detach(), start.detach(), end.detach(), chunk)) if signed else None
        side = torch.ones_like(points[:, 0]) if turns is None else 1.0 - 2.0 * (turns != 0).to(points.dtype)
    a, b = start[facet], end[facet]
    edge = b - a
    length2 = (edge * edge).sum(dim=1)
    t = (((points - a) * edge).sum(dim=1) / length2.clamp_min(torch.finfo(points.dtype).tiny)).clamp(0.0, 1.0)
    closest = a + t[:, None] * edge
    offset = points - closest
    square = (offset * offset).sum(dim=1)
    scale = torch.maximum(points.detach().abs().max(), start.detach().abs().max()) if len(points) else points.new_ones(())
    on_wall = square <= (4 * torch.finfo(points.dtype).eps * scale) ** 2
    normal = torch.stack([edge[:, 1], -edge[:, 0]], dim=1) / length2.sqrt().clamp_min(torch.finfo(points.dtype).tiny)[:, None]
    length = torch.where(on_wall, torch.ones_like(square), square).sqrt()  # the square root has no derivative at zero
    outward = torch.where(on_wall[:, None], normal, (offset / length[:, None]) * side[:, None])
    distance = torch.where(on_wall, (offset * normal).sum(dim=1), length * side)
    if not signed:
        distance = torch.where(on_wall, distance.abs(), distance)
    corners = torch.stack([facet, (facet + 1) % len(start)], dim=1)
    winding = None if turns is None else turns.to(points.dtype)
    return Distance(distance, outward, closest, facet, t, corners, winding, None if winding is None else confidence(winding))


def nearest_pairs(points: Tensor, start: Tensor, end: Tensor, chunk: int) -> Tensor:
    """(n,) index of the segment nearest to every point, all pairs in chunks of points."""
    import torch

    edge = end - start
    inverse = 1.0 / (edge * edge).sum(dim=1).clamp_min(torch.finfo(points.dtype).tiny)
    found = [torch.zeros(0, dtype=torch.int64, device=points.device)]
    for part in points.split(_tile(points, chunk, len(start))):
        dx = part[:, :1] - start[None, :, 0]
        dy = part[:, 1:] - start[None, :, 1]
        t = dx.mul(edge[:, 0]).addcmul_(dy, edge[:, 1].expand_as(dy)).mul_(inverse).clamp_(0.0, 1.0)
        dx.addcmul_(t, edge[:, 0].expand_as(t), value=-1.0)
        dy.addcmul_(t, edge[:, 1].expand_as(t), value=-1.0)
        found.append(dx.square_().add_(dy.square_()).argmin(dim=1))
    return torch.cat(found)


def winding_of_pairs(points: Tensor, start: Tensor, end: Tensor, chunk: int) -> Tensor:
    """(n,) how often the segments, closed loops together, run round each point: signed crossings of the ray towards +x (Sunday 2001)."""
    import torch

    edge = end - start
    found = [torch.zeros(0, dtype=torch.int64, device=points.device)]
    for part in points.split(_tile(points, chunk, len(start))):
        dx, y = part[:, :1] - start[None, :, 0], part[:, 1:]
        side = edge[:, 0] * (y - start[None, :, 1]) - dx * edge[:, 1]
        below, above = start[:, 1] <= y, end[:, 1] > y
        found.append((below & above & (side > 0)).sum(dim=1) - (~below & ~above & (side < 0)).sum(dim=1))
    return torch.cat(found)


def _tile(points: Tensor, chunk: int, segments: int) -> int:
    """Points per chunk; on a CPU the pairs should stay in the cache."""
    return max(1, (chunk if points.device.type != "cpu" else min(chunk, 2**17)) // segments)
