"""Points at the middles of equal parts of the facets: they depend on the surface alone, and turn, move and mirror with it."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from ..errors import ConfigurationError, InvalidMeshError
from .measure import facet_normals
from .mesh import Mesh
from .sampling import SurfaceSample, simplex_measures, simplices

#: Relative difference below which distances count as equal: symmetric bodies make every choice a tie, which the rounding of points in single precision
#: must not decide. Points that may be equally near to another one, and share its weight.
TIE, _TIED = 1e-5, 6


def facet_points(surface: Mesh, count: int, *, most: int | None = None) -> SurfaceSample:
    """About ``count`` points of even density: every facet is cut into equal parts, as many as its length or area asks for, and gives their middles.

    No random number and no direction along the surface enters, so the points of a moved, turned or mirrored surface are the moved, turned or mirrored
    points. A facet gives one point at least: of a fine mesh there are more than asked for, and those beyond ``most`` are left out by farthest-point
    sampling, weights going to the nearest that is kept, in equal parts where several are.

    Args:
        surface: line cells in 2-D, polygons in 3-D.
        count: wanted.
        most: allowed; None for twice as many.

    Raises:
        InvalidMeshError: not a surface, or its area is zero.
        ConfigurationError: ``count`` < 1.
    """
    if count < 1:
        raise ConfigurationError(f"{count} points", where="facet_points", remedy="ask for at least one")
    corners, facet = simplices(surface)
    x = surface.points[corners]
    size = simplex_measures(x)
    if not size.sum() > 0:
        raise InvalidMeshError("the surface has zero area", where=surface.name, remedy="check the coordinates and the unit of the file")
    d = surface.dimension - 1
    parts = np.maximum(1, np.round((size / (size.sum() / count)) ** (1.0 / d))).astype(np.int64)
    parts[size <= 0] = 0
    points, owner, weight = [], [], []
    for m in np.unique(parts[parts > 0]):
        inside = _middles(int(m), d)
        which = np.flatnonzero(parts == m)
        points.append(np.einsum("kc,fcd->fkd", inside, x[which]).reshape(-1, x.shape[2]))
        owner.append(np.repeat(which, len(inside)))
        weight.append(np.repeat(size[which] / len(inside), len(inside)))
    order = np.argsort(np.concatenate(owner), kind="stable")
    points, owner, weight = np.concatenate(points)[order], np.concatenate(owner)[order], np.concatenate(weight)[order]
    most = 2 * count if most is None else most
    if len(points) > most:
        kept = spread_out(points, most)
        weight = _handed(weight, points, points[kept])
        points, owner = points[kept], owner[kept]
    return SurfaceSample(points, facet_normals(surface)[facet[owner]], facet[owner], weight)


def spread_out(points: np.ndarray, count: int, size: np.ndarray | float = 1.0) -> np.ndarray:
    """(k,) indices of points that are far apart, each in units of a local size: farthest-point sampling in a graded metric.

    The next point is the one whose distance to the chosen ones, over its own size, is largest; the first is the one furthest from the middle. Only
    distances enter, so the choice turns, moves and mirrors with the points; points that are equally far (to :data:`TIE`) are taken in their order.

    Args:
        points: (n, d) candidates.
        count: points to choose; all where there are no more.
        size: (n,) positive local sizes: small where points are to stand close.
    """
    n = len(points)
    if count >= n:
        return np.arange(n)
    unit = max(float(np.ptp(points, axis=0).max()), 1e-300)
    local, size = (points - points.mean(axis=0)) / unit, np.broadcast_to(np.asarray(size) / unit, n)
    chosen = np.empty(count, dtype=np.int64)
    chosen[0] = _first_largest(np.linalg.norm(local, axis=1))
    nearest = np.full(n, np.inf)
    for k in range(1, count):
        offset = local - local[chosen[k - 1]]
        nearest = np.minimum(nearest, np.einsum("nd,nd->n", offset, offset))
        chosen[k] = _first_largest(np.sqrt(nearest) / size)
    return chosen


def _first_largest(values: np.ndarray) -> int:
    """Index of the first value that is as good as the largest."""
    return int(np.argmax(values >= (1.0 - TIE) * values.max()))


def _handed(weight: np.ndarray, points: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """(k,) weights of the points, each given to the nearest that is kept; rounding must not decide between those that are equally near."""
    distance, near = cKDTree(kept).query(points, k=np.arange(1, min(_TIED, len(kept)) + 1))
    equal = distance <= distance[:, :1] + TIE * np.ptp(points, axis=0).max()
    return np.bincount(near[equal], np.broadcast_to((weight / equal.sum(axis=1))[:, None], near.shape)[equal], minlength=len(kept))


def _middles(parts: int, dimension: int) -> np.ndarray:
    """(k, dimension + 1) barycentric middles of the parts of a simplex whose every edge is cut into ``parts``."""
    if dimension == 1:
        t = (np.arange(parts) + 0.5) / parts
        return np.stack([1 - t, t], axis=1)
    i, j = (a.ravel() for a in np.meshgrid(np.arange(parts), np.arange(parts), indexing="ij"))
    up, down = i + j < parts, i + j < parts - 1
    a = np.concatenate([i[up] + 1 / 3, i[down] + 2 / 3]) / parts
    b = np.concatenate([j[up] + 1 / 3, j[down] + 2 / 3]) / parts
    return np.stack([1 - a - b, a, b], axis=1)
