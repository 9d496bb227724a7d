"""Boundary values that a field takes exactly: an extension of the data into the domain, and a smooth distance that vanishes on the boundary."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..errors import ConfigurationError
from ..graph.graph import Graph
from ..graph.interpolation import interpolate
from ..graph.pointset import Inputs, PointSet

#: pairs of point and facet that are looked at together: about 200 MB at work
_PAIRS = 2**21


def extend(pos: Tensor, ptr: Tensor, boundary: PointSet, facets: Graph) -> tuple[Tensor, Tensor]:
    """Values of the boundary at any points, exact on every facet, and the smooth distance from the boundary (n,).

        g(x) = sum_f W_f(x) g_f(x) / sum_f W_f(x),    phi(x) = (sum_f W_f(x) / B)^(-1/(4 - d)),    W_f(x) = int_f dS(y) / |x - y|^3

    g_f(x) is the datum, linear on the facet, at the point of f nearest to x. On f the weight W_f is infinite, so g takes the datum; a weighted
    mean never leaves the range of the data. phi is the L_p distance of Belyaev, Fayolle and Pasko 2013 with exact integrals: zero on the boundary
    with slope 1 (B = 2 and 2 pi make it the distance from a line or a plane), and smooth away from it, where the true distance has kinks that a
    product with it would print into every field. Both are the ingredients of Sukumar and Srivastava 2022 (arXiv 2104.08426).

    Args:
        pos: (n, d) where they are asked for.
        ptr: (b+1,) their samples.
        boundary: vertices of all samples; ``scalars`` (v, c) the data.
        facets: edges from the vertices to the facets, d of them per facet.

    Returns:
        (n, c) and (n,). A sample without facets gives zeros and an infinite distance.
    """
    d, values = boundary.dimension, boundary.scalars
    corners = facets.source.view(facets.n_target, d)
    sample = boundary.batch[corners[:, 0]] if len(corners) else corners[:, 0]
    counts = torch.bincount(sample, minlength=boundary.batch_size).tolist()
    extension, total, first = [], [], 0
    for (a, b), count in zip(zip(ptr.tolist(), ptr.tolist()[1:], strict=False), counts, strict=True):
        own = corners[first : first + count]
        first += count
        places, data = boundary.pos[own], values[own]
        for x in pos[a:b].split(max(1, _PAIRS // max(count, 1))):
            integral, share = facet_integrals(x, places)
            whole = integral.sum(dim=1)
            weight = integral / whole.clamp(min=torch.finfo(pos.dtype).tiny)[:, None]
            mean = sum(((weight * share[:, :, k]).to(data.dtype) @ data[:, k] for k in range(d)), values.new_zeros(len(x), values.shape[1]))
            extension.append(mean)
            total.append(whole)
    flat = 2.0 if d == 2 else 2 * math.pi
    whole = torch.cat(total) if total else pos.new_zeros(0)
    distance = torch.where(whole > 0, (whole.clamp(min=torch.finfo(pos.dtype).tiny) / flat) ** (-1 / (4 - d)), torch.inf)
    return torch.cat(extension) if extension else values.new_zeros(0, values.shape[1]), distance


def facet_integrals(pos: Tensor, corners: Tensor) -> tuple[Tensor, Tensor]:
    """int_f dS(y) / |x - y|^3 of every point and facet (n, m), and the barycentric weights (n, m, d) of the point of f nearest to x.

    On a segment with feet s_0, s_1 along it and distances r_0, r_1 from its ends it is (s_1/r_1 - s_0/r_0) / h^2; on a triangle the solid angle over
    the height. Both are written without differences of near numbers, and finite on the facet: h is kept above the rounding of the positions.

    Args:
        pos: (n, d).
        corners: (m, d, d) the d corners of every facet.
    """
    return _segment(pos, corners) if pos.shape[1] == 2 else _triangle(pos, corners)


def _segment(pos: Tensor, corners: Tensor) -> tuple[Tensor, Tensor]:
    tiny = torch.finfo(pos.dtype).eps
    a, along = corners[:, 0], corners[:, 1] - corners[:, 0]
    length = along.norm(dim=1).clamp(min=tiny)
    along = along / length[:, None]
    back = a[None] - pos[:, None]
    s0 = (back * along).sum(dim=2)
    s1 = s0 + length
    squared = (back[..., 0] * along[:, 1] - back[..., 1] * along[:, 0]).square() + tiny**2
    r0, r1 = (s0.square() + squared).sqrt(), (s1.square() + squared).sqrt()
    sides = s1.abs() * r0 + s0.abs() * r1
    beside = s0 * s1 >= 0  # the foot is not within the segment
    integral = torch.where(beside, length * (s0 + s1).abs() / (r0 * r1 * sides), sides / (r0 * r1 * squared))
    share = (-s0 / length).clamp(0, 1)
    return integral, torch.stack([1 - share, share], dim=2)


def _triangle(pos: Tensor, corners: Tensor) -> tuple[Tensor, Tensor]:
    tiny = torch.finfo(pos.dtype).eps
    a, b, c = (corners[None, :, k] - pos[:, None] for k in range(3))
    ra, rb, rc = ((v.square().sum(dim=2) + tiny**2).sqrt() for v in (a, b, c))
    cross = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    double = cross.norm(dim=1).clamp(min=tiny**2)
    volume = ((a * cross).sum(dim=2).square() + (tiny * double).square()).sqrt()
    front = ra * rb * rc + (a * b).sum(2) * rc + (a * c).sum(2) * rb + (b * c).sum(2) * ra
    solid = 2 * torch.atan2(volume, front)  # van Oosterom and Strackee 1983
    unit = cross / double[:, None]
    inner = torch.stack([(torch.linalg.cross(p, q) * unit).sum(dim=2) for p, q in ((b, c), (c, a), (a, b))], dim=2) / double[:, None]
    edges = []
    for k, (p, q) in enumerate(((b, c), (c, a), (a, b))):  # opposite to corner k
        e = q - p
        t = (-(p * e).sum(dim=2) / e.square().sum(dim=2).clamp(min=tiny**2)).clamp(0, 1)
        share = torch.stack([torch.zeros_like(t), 1 - t, t], dim=2).roll(k, dims=2)
        edges.append((share, (p + t[:, :, None] * e).square().sum(dim=2)))
    nearest = torch.stack([far for _, far in edges], dim=2).argmin(dim=2)
    rim = torch.stack([share for share, _ in edges], dim=2).gather(2, nearest[:, :, None, None].expand(-1, -1, 1, 3))[:, :, 0]
    inside = (inner >= 0).all(dim=2, keepdim=True)
    return solid * double / volume, torch.where(inside, inner, rim)


class DirichletData(nn.Module):
    """Boundary values at the vertices, offset + scale * f + stream . U, where f is a named input function (0 without one) and U the free stream.

    Models see standardised fields, and boundary values must be in the same units: of u* = (u - s . U - mean) / deviation, where s is the axis of a
    velocity's component and 0 for all else, and of f* = (f - mean_f) / deviation_f, those of u = f are offset = (mean_f - mean) / deviation, scale =
    deviation_f / deviation and stream = -s / deviation; those of u = 0 have mean_f = deviation_f = 0. All three are buffers, saved with the model:
    training sets them with :meth:`fit_units`.

    Args:
        name: of the input function, with one channel per field; None for the value 0.
        fields: number of fields.
        dimension: of space.
    """

    offset: Tensor
    scale: Tensor
    stream: Tensor

    def __init__(self, name: str | None, fields: int, dimension: int) -> None:
        super().__init__()
        self.name = name
        self.register_buffer("offset", torch.zeros(fields))
        self.register_buffer("scale", torch.ones(fields))
        self.register_buffer("stream", torch.zeros(fields, dimension))

    def fit_units(self, outputs: Sequence[tuple[float, float, int | None]], function: tuple[float, float]) -> None:
        """Set the buffers.

        Args:
            outputs: mean, deviation and axis of every field; the axis None where no free stream was subtracted.
            function: mean and deviation of the input function; not looked at without one.
        """
        mean_f, deviation_f = (0.0, 0.0) if self.name is None else function
        self.stream.zero_()
        for k, (mean, deviation, axis) in enumerate(outputs):
            self.offset[k], self.scale[k] = (mean_f - mean) / deviation, deviation_f / deviation
            if axis is not None:
                self.stream[k, axis] = -1.0 / deviation

    def forward(self, inputs: Inputs, surface: PointSet) -> PointSet:
        """The vertices with the (v, fields) values as scalars: exactly those of the function where its points are the vertices."""
        values = self.offset.expand(len(surface), -1)
        if inputs.vectors.shape[1]:
            values = values + (inputs.vectors[:, 0] @ self.stream.T)[surface.batch]
        if self.name is not None:
            values = values + self.scale * interpolate(inputs.functions[self.name], surface.pos, surface.ptr)[:, :-1]
        return surface.with_features(scalars=values)

    @staticmethod
    def chosen(fields: Sequence[int] | None, name: str | None, out: int, functions: Sequence[tuple[str, int]]) -> list[int]:
        """The numbers of the fields that have boundary values: all if None, none if empty.

        Raises:
            ConfigurationError: a number is out of range, or the function is unknown or has another number of channels.
        """
        fields = list(range(out)) if fields is None else sorted({int(field) for field in fields})
        if fields and (fields[0] < 0 or fields[-1] >= out):
            raise ConfigurationError(f"fields {fields} of {out}", where="fields", remedy=f"name some of 0 to {out - 1}; vectors count by component")
        channels = dict(functions)
        if name is not None and channels.get(name) != len(fields):
            raise ConfigurationError(
                f"boundary values of {len(fields)} fields from '{name}', but the input functions are {channels or 'none'}",
                where="dirichlet",
                remedy="name a function with one channel per field, or name the fields by fields=",
            )
        return fields
