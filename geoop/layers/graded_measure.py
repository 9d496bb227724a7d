"""A measure that gives every decade of the distance to a wall about equal weight."""

from __future__ import annotations

from torch import Tensor

from ..graph.pointset import PointSet

#: Distance from the wall below which the measure stops growing, in body lengths.
_WALL = 0.01


def graded_measure(points: PointSet) -> Tensor:
    """(n,) weights of dx / (distance to the wall + 0.01)^d.

    Around a body the area is far away: under the plain measure nearly all of every average is the far field. This is a density on the region and not
    one of the cloud, so averages over it converge under refinement all the same.

    Args:
        points: ``weight`` quadrature weights, ``scalars`` site features (:meth:`geoop.layers.sites.Sites.features`), which hold the closest point.
    """
    d = points.dimension
    distance = (points.pos - points.scalars[:, 3 * d : 4 * d]).norm(dim=1)
    return points.weight / (distance + _WALL) ** d
