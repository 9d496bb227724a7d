"""What the zoo of models on clouds is made of: random regions with points in them, and an entry.

Entries stand in the files ``zoo_*.py`` beside this one, each with a table ``ENTRIES``; test_claims.py finds them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from geoop.graph.geometry import Geometry, Queries
from geoop.graph.pointset import Inputs, PointSet
from geoop.mesh.distance.polygon import segment_distance
from geoop.models.cloud_model import CloudModel
from geoop.models.ports import Ports

SURFACE_SCALARS = 2
PORTS = Ports(
    scalars_out=2, vectors_out=1, scalars_in=1, vectors_in=1, surface_scalars=SURFACE_SCALARS, functions=(("boundary", 1), ("source", 2)), body=False
)
BARE = Ports(scalars_out=1, surface_scalars=SURFACE_SCALARS)


@dataclass(frozen=True)
class Entry:
    """A model of the zoo.

    ``converges``: its answer converges when the domain is refined with quadrature weights, and depends on the weights. ``order``: claimed order of
    that convergence, in the spacing. ``lattices``: points per side of the lattices of that test, each half as fine as the next. ``transfer``: largest
    change of any answer, in units of the largest, when the domain has half or twice the points. ``permutable``: the order of the domain's points does
    not matter. ``any_size``: it takes clouds of one to three points. ``overfits``: False where boundary data contradict the fields of that test.
    ``steps``: within which it overfits one sample to below 1 %. ``rate``: of Adam in that test. ``why``: the reason of every claim that is not made.
    """

    make: Callable[[Ports], CloudModel]
    converges: bool = True
    order: float | None = None
    lattices: tuple[int, ...] = (10, 20, 40, 80)
    transfer: float = 0.05
    permutable: bool = True
    any_size: bool = True
    overfits: bool = True
    steps: int = 1500
    rate: float = 3e-3
    compiles: bool = True
    why: str = ""


def outline(count: int, seed: int) -> Tensor:
    """(count, 2) a smooth star-shaped closed curve, counter-clockwise, of radius about 0.4."""
    g = torch.Generator().manual_seed(seed)
    angle = 2 * torch.pi * torch.arange(count, dtype=torch.float64) / count
    wave = torch.rand(3, generator=g, dtype=torch.float64) * 6
    radius = 0.4 + 0.04 * torch.cos(2 * angle + wave[0]) + 0.03 * torch.cos(3 * angle + wave[1])
    return radius[:, None] * torch.stack([angle.cos(), angle.sin()], 1)


def boundary(count: int, seed: int) -> PointSet:
    """Vertices with normals into the region, shares of length and smooth scalars."""
    ring = outline(count, seed)
    after, before = ring.roll(-1, 0), ring.roll(1, 0)
    tangent = torch.nn.functional.normalize(after - before, dim=1)
    normal = torch.stack([-tangent[:, 1], tangent[:, 0]], 1)
    weight = 0.5 * ((after - ring).norm(dim=1) + (ring - before).norm(dim=1))
    scalars = torch.stack([(3 * ring[:, 0]).sin(), ring[:, 1]], 1)
    return PointSet(ring, scalars, normal[:, None], weight)


def queries_at(pos: Tensor, surface: PointSet, weight: Tensor | None = None, edge: int = 0) -> Queries:
    """Points in the region with distance, gradient and closest point; the first ``edge`` of them lie on the boundary."""
    ring = surface.pos
    near = segment_distance(pos, ring, ring.roll(-1, 0))
    gradient = near.gradient * -1.0
    distance = -near.distance
    on_edge = torch.arange(len(pos)) < edge
    gradient = torch.where(on_edge[:, None], surface.vectors[near.facet, 0], gradient)
    points = PointSet(pos, torch.where(on_edge, 0.0, distance)[:, None], gradient[:, None], weight)
    anchor = torch.stack([near.facet, (near.facet + 1) % len(ring)], 1)
    return Queries(points, anchor, torch.stack([1 - near.parameter, near.parameter], 1))


def geometry(n: int, seed: int, *, vertices: int = 24, graded: bool = True) -> Geometry:
    """A region with about ``n`` points on rings between the centre and the boundary, the boundary among them, and weights of its area.

    Rings are graded to the boundary, so that equal weights would be wrong.
    """
    surface = boundary(vertices, seed)
    rings = max(1, round((n / 4) ** 0.5))
    around = max(1, round(n / rings))
    dense = outline(4096, seed)
    s = (torch.arange(rings, dtype=torch.float64) + 0.5) / rings
    level, slope = (torch.sin(s * torch.pi / 2), torch.cos(s * torch.pi / 2) * torch.pi / 2) if graded else (s, torch.ones_like(s))
    pick = ((torch.arange(around, dtype=torch.float64) + 0.5) / around * 4096).long()
    curve = dense[pick]
    pos = (level[:, None, None] * curve[None]).reshape(-1, 2)
    swept = (curve.norm(dim=1) ** 2)[None] * (level * slope)[:, None] / rings * (2 * torch.pi / around)
    vertex_weight = surface.weight * 1e-3  # a boundary point stands for a thin strip
    domain = queries_at(torch.cat([surface.pos, pos]), surface, torch.cat([vertex_weight, swept.reshape(-1)]), edge=vertices)
    facets = torch.stack([torch.arange(vertices), (torch.arange(vertices) + 1) % vertices], 1)
    return Geometry(surface, facets, torch.tensor([0, vertices]), domain)


def lattice(n: int) -> Geometry:
    """n^2 points of a graded lattice on a rectangle whose site features are smooth functions, with midpoint weights: what is left of an answer's change
    from lattice to lattice is the model's own.

    In a polygon the normal of the nearest facet jumps from facet to facet, and the distance has a kink on the medial axis: sums over them alias with
    the lines of points and only settle on clouds of many thousands. The rectangle is no square, so that longest sides of boxes are never equal.
    """
    given = geometry(30, 1)
    s = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    axis, slope = torch.sin(torch.pi * (s - 0.5)) / 4, torch.cos(torch.pi * (s - 0.5)) * torch.pi / 4
    pos, weight = torch.cartesian_prod(axis, 0.83 * axis), torch.cartesian_prod(slope / n, 0.83 * slope / n).prod(dim=1)
    turn = 1 + pos.sum(dim=1)
    points = PointSet(pos, 0.3 + pos[:, :1] * pos[:, 1:], torch.stack([turn.cos(), turn.sin()], 1)[:, None], weight)
    assert given.domain is not None
    first = torch.zeros(n * n, dtype=torch.int64)
    return replace(given, domain=replace(given.domain, points=points, anchor=given.domain.anchor[first], share=given.domain.share[first]))


def inputs(given: Geometry, ports: Ports, seed: int) -> Inputs:
    """Smooth conditions and functions: ``boundary`` on the vertices only, every other one at the points of the domain."""
    g = torch.Generator().manual_seed(seed)
    scalars, vectors = (torch.randn(1, *shape, generator=g, dtype=torch.float64) for shape in ((ports.scalars_in,), (ports.vectors_in, 2)))
    vectors = torch.nn.functional.normalize(vectors, dim=2)
    functions = {}
    for name, count in ports.functions:
        assert given.domain is not None
        at = given.surface if name == "boundary" else given.domain.points
        phase = torch.rand(count, generator=g, dtype=torch.float64) * 6
        values = torch.sin(4 * at.pos[:, :1] + 3 * at.pos[:, 1:] + phase)
        functions[name] = replace(at, scalars=values, vectors=at.vectors[:, :0])
    return Inputs(scalars, vectors, functions)


def ask(given: Geometry, count: int, seed: int) -> Queries:
    """Random points inside the region, other ones than those of the domain, the last one on the boundary."""
    g = torch.Generator().manual_seed(seed)
    at = torch.randint(4096, (count,), generator=g)
    pos = outline(4096, 0)[at] * 0.8 * torch.rand(count, 1, generator=g, dtype=torch.float64).sqrt()
    surface = given.surface
    pos[-1] = 0.5 * (surface.pos[3] + surface.pos[4])
    return queries_at(pos, surface)


def far(given: Geometry, count: int) -> Queries:
    """Points all around the region, at 2 to 20 times its size."""
    angle = torch.arange(count, dtype=torch.float64) * 2.4
    radius = 2 * 10 ** torch.linspace(0, 1, count, dtype=torch.float64)
    return queries_at(radius[:, None] * torch.stack([angle.cos(), angle.sin()], 1), given.surface)
