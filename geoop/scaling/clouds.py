"""The points that operators on clouds work on: around a body, or thinned out of a mesh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..graph.thinning import thin
from ..mesh.case import Case
from ..mesh.generate.ogrid import ogrid
from ..mesh.measure import point_weights
from ..mesh.mesh import Mesh

#: Height of the first layer of a cloud around a body, in body lengths.
FIRST_HEIGHT = 4e-3


@dataclass(frozen=True, eq=False)
class Cloud:
    """Points of a domain.

    Attributes:
        points: (n, d), in the unit of what they were made from.
        weight: (n,) quadrature weights.
        on_wall: (n,) whether they lie on the boundary.
        number: (n,) point numbers in the mesh they were taken from; None where they were generated.
    """

    points: np.ndarray
    weight: np.ndarray
    on_wall: np.ndarray
    number: np.ndarray | None = None


def around(outline: Mesh, count: int, reach: float) -> Cloud:
    """About ``count`` points between a section in its own frame and a circle of radius ``reach``, graded to the wall.

    They depend on the shape alone and not on the mesh that a file happened to have: a prediction on a coarse and on a fine mesh of one
    section is the same. Field lines of the section's Green's function carry them, see :func:`geoop.mesh.generate.ogrid.ogrid`.
    """
    n_normal = max(4, round(np.sqrt(count / 9.0)))
    n_wall = max(16, round(count / n_normal))
    grid = ogrid(outline, n_wall=n_wall, n_normal=n_normal, outer_radius=max(reach, 1.3), first_height=FIRST_HEIGHT)
    return Cloud(grid.points, point_weights(grid), np.arange(len(grid.points)) < n_wall)


def thinned(case: Case, on_wall: np.ndarray, count: int, measure: np.ndarray | None = None) -> Cloud:
    """At most ``count`` points of a mesh, boundary and interior each in proportion to what a uniform mesh would have.

    Args:
        case: the mesh [m].
        on_wall: (n,) its boundary points.
        count: points to keep.
        measure: (n,) quadrature weights; None for the mesh's own.
    """
    mesh = case.mesh
    weight = point_weights(mesh) if measure is None else measure
    if len(mesh.points) <= count:
        return Cloud(mesh.points, weight, on_wall, np.arange(len(mesh.points)))
    wall, field = np.flatnonzero(on_wall), np.flatnonzero(~on_wall)
    # thinning by a factor f keeps f^(1/d) of a boundary's points in proportion
    d = mesh.cell_dimension
    share = (count / len(mesh.points)) ** ((d - 1) / d) if len(field) else count / len(mesh.points)
    n_wall = min(len(wall), max(round(share * len(wall)), min(len(wall), 8)), max(count // 2, 1) if len(field) else count)
    parts = [(part, *thin(mesh.points[part], weight[part], n)) for part, n in ((wall, n_wall), (field, count - n_wall)) if len(part)]
    number = np.concatenate([part[index] for part, index, _ in parts])
    carried = np.concatenate([weights for _, _, weights in parts])
    order = np.argsort(number)
    number = number[order]
    return Cloud(mesh.points[number], carried[order], on_wall[number], number)
