"""Where latents stand: spread over a box, or on and around a body, graded by curvature and distance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from scipy.spatial import cKDTree

from ..errors import ConfigurationError, ShapeError
from ..graph.geometry import Geometry, Queries
from ..graph.pointset import PointSet
from ..graph.surface_mesh import surface_mesh
from ..mesh.distance import signed_distance
from ..mesh.facet_points import facet_points, spread_out

#: Latents stand this much further apart per unit of distance from the wall, and this far apart on it at least, in units of the frame.
GRADING, FINEST = 0.35, 0.01
#: Heights above a body at which latents may stand, in units of the frame.
HEIGHTS = (0.03, 0.07, 0.15, 0.3, 0.6, 1.2)
#: Points per latent by which a box is sampled for Lloyd's iteration, and the iterations.
_LLOYD_POINTS, _LLOYD_STEPS = 64, 30
#: What single precision makes of no bend at all.
_FLAT = 1e-6


def spread(box: np.ndarray, count: int) -> np.ndarray:
    """(count, d) points that fill a box evenly: the regular grid of cell centres where the box can be cut into ``count`` nearly cubic cells alike, else
    the centres of a centroidal Voronoi tessellation (Lloyd's iteration). Deterministic.

    Args:
        box: (2, d) lower and upper corner.
        count: any number >= 1, not only perfect powers.
    """
    box = np.asarray(box, dtype=np.float64)
    if count < 1 or not (box[1] > box[0]).all():
        raise ConfigurationError(f"{count} latents in the box {box.tolist()}", where="spread", remedy="at least one latent, a box with an extent")
    d = box.shape[1]
    sides = _grid(box[1] - box[0], count)
    if sides is not None:
        axes = [(np.arange(n) + 0.5) / n for n in sides]
        unit = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, d)
    else:
        dense = _kronecker(_LLOYD_POINTS * count, d) * (box[1] - box[0])
        centres = dense[::_LLOYD_POINTS][:count].copy()
        for _ in range(_LLOYD_STEPS):
            near = cKDTree(centres).query(dense)[1]
            held = np.bincount(near, minlength=count)
            for axis in range(d):
                total = np.bincount(near, dense[:, axis], minlength=count)
                centres[:, axis] = np.where(held > 0, total / np.maximum(held, 1), centres[:, axis])
        unit = centres / (box[1] - box[0])
    return box[0] + unit * (box[1] - box[0])


def candidates(geometry: Geometry, count: int) -> Queries:
    """Where latents of one geometry may stand: on its surface and, where fields live outside, at :data:`HEIGHTS` above it; in a region at the points of
    its domain. Those above a body depend on its surface alone: they turn, move and mirror with it.

    Args:
        geometry: one sample; a region comes with points of its domain.
        count: latents that will be chosen.

    Raises:
        ShapeError: a region without points of its domain.
    """
    mesh, side = surface_mesh(geometry)
    if side < 0:
        if geometry.domain is None:
            raise ShapeError("the region has no points of its domain", where="candidates", remedy="frame the case with domain points")
        return geometry.domain
    wall = facet_points(mesh, 8 * count)
    kept = spread_out(wall.points, 2 * count)
    raised = np.concatenate([wall.points[kept] + height * wall.normals[kept] for height in HEIGHTS])
    height = np.repeat(HEIGHTS, len(kept))
    near = signed_distance(mesh, np.concatenate([wall.points, raised]))
    # a point above one wall may lie close to another, or inside of it
    free = np.concatenate([np.ones(len(wall.points), dtype=bool), near.distance[len(wall.points) :] > 0.7 * height])
    on_wall = np.arange(len(free)) < len(wall.points)
    share = near.parameter if near.parameter.ndim == 2 else np.stack([1.0 - near.parameter, near.parameter], axis=1)
    anchor = torch.from_numpy(near.corners[free])
    share, distance, gradient, position = (
        torch.from_numpy(values[free]).to(geometry.surface.pos.dtype)
        for values in (share, np.where(on_wall, 0.0, near.distance), near.gradient, np.concatenate([wall.points, raised]))
    )
    queries = Queries(PointSet(position, distance[:, None], gradient[:, None]), anchor, share)
    normal = torch.nn.functional.normalize(queries.closest(geometry.surface.vectors[:, 0]), dim=1)
    outward = torch.where(torch.from_numpy(on_wall[free])[:, None], normal, gradient)
    return replace(queries, points=queries.points.with_features(vectors=outward[:, None]))


def graded_around(places: Queries, surface: PointSet, count: int) -> Queries:
    """Of the candidates of one geometry those that are far apart in units of a size that grows with the distance from the wall (:data:`GRADING`) and
    shrinks where the wall bends: they turn, move and mirror with the candidates. ``weight`` of the points are the windows.

    Args:
        places: candidates with signed distance and closest point.
        surface: vertices of the bodies, ``vectors[:, 0]`` normals.
        count: latents.
    """
    pos, distance = places.points.pos.double().numpy(), places.points.scalars[:, 0].abs().double()
    bend = _bend(places, surface.vectors[:, 0].double())
    size = (FINEST + GRADING * distance) / (1.0 + 8.0 * bend.sqrt() * (distance < FINEST))
    chosen = torch.from_numpy(spread_out(pos, count, size.numpy())).sort().values
    found = places.take(chosen)
    window = windows(pos[chosen.numpy()]).to(found.points.weight)
    return Queries(replace(found.points, weight=window), found.anchor, found.share)


def _bend(places: Queries, normals: torch.Tensor) -> torch.Tensor:
    """(n,) one minus the length of the normals' mean at the closest point: 0 on a flat facet, more between normals that differ.

    From their differences, 1 - |m|^2 = sum_i share_i |n_i - m|^2: of the mean's length single precision leaves little where facets bend a little, and
    places that are equally good must stay so when the body is turned.
    """
    share = places.share.double()
    mean = (share[:, :, None] * normals[places.anchor]).sum(dim=1)
    apart = (normals[places.anchor] - mean[:, None]).square().sum(dim=2)
    bend = (share * apart).sum(dim=1).clamp(min=0) / (1.0 + mean.norm(dim=1))
    return torch.where(bend > _FLAT, bend, 0.0)


def windows(centres: np.ndarray, neighbours: int = 2) -> torch.Tensor:
    """(k,) the d-th power of the mean distance to the nearest other centres: what a latent's window is the root of."""
    if len(centres) == 1:
        return torch.ones(1)
    found = cKDTree(centres).query(centres, k=min(neighbours + 1, len(centres)))[0][:, 1:]
    return torch.from_numpy(np.maximum(found.mean(axis=1), 1e-6) ** centres.shape[1]).float()


def _grid(extent: np.ndarray, count: int) -> list[int] | None:
    """Cells per axis of a regular grid of ``count`` cells, none longer than 1.5 times another side; None where there is no such."""
    d = len(extent)
    best, ratio = None, 1.5 + 1e-9
    for first in range(1, count + 1):
        if count % first:
            continue
        rest = [[count // first]] if d == 2 else [[k, count // first // k] for k in range(1, count // first + 1) if (count // first) % k == 0]
        for sides in rest:
            cell = extent / np.array([first, *sides])
            if cell.max() / cell.min() < ratio:
                best, ratio = [first, *sides], cell.max() / cell.min()
    return best


def _kronecker(n: int, d: int) -> np.ndarray:
    """(n, d) points of a low-discrepancy sequence in the unit box: multiples of powers of the generalised golden ratio."""
    root = 2.0
    for _ in range(50):
        root = (1 + root) ** (1 / (d + 1))
    return (0.5 + np.arange(1, n + 1)[:, None] * root ** -np.arange(1, d + 1)) % 1.0
