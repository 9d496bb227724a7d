"""Velocities that densities on the boundary of every sample induce at queries."""

from __future__ import annotations

import torch
from torch import Tensor

from ..graph.geometry import Queries
from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..operators.layer_potential import induced_velocity

#: Points nearer to the boundary than this share of the spacing of its vertices see the potential from there: at a vertex it is singular.
_LIFT = 0.1


def boundary_velocity(queries: Queries, vertices: PointSet, facets: Graph) -> Tensor:
    """(n, c, 2) velocities induced at the queries, from a little off the boundary where a query lies on it.

    Args:
        queries: in the plane.
        vertices: of the boundaries, with densities as ``scalars`` (v, 2 c), see :func:`~geoop.operators.layer_potential.induced_velocity`.
        facets: from the two vertices of a segment to the segment, see :func:`geoop.models.inner.facet_graph`.
    """
    points = queries.points
    spacing = queries.closest(vertices.weight[:, None])[:, 0]
    lift = (_LIFT * spacing - points.scalars[:, 0].clamp_min(0.0)).clamp_min(0.0)
    pos = points.pos + lift[:, None] * points.vectors[:, 0]
    ends = facets.source.view(-1, 2)
    counts = torch.bincount(vertices.batch[ends[:, 0]], minlength=points.batch_size).tolist()
    held = [values[ends[:, k]] for values in (vertices.pos, vertices.scalars) for k in (0, 1)]
    asked = points.ptr.diff().tolist()
    if len(set(counts)) == 1 and len(set(asked)) == 1:
        rows = [values.view(len(counts), -1, values.shape[1]) for values in (pos, *held)]
        return induced_velocity(*rows).flatten(0, 1)
    parts = zip(pos.split(asked), *(values.split(counts) for values in held), strict=True)
    return torch.cat([induced_velocity(*part) for part in parts])
