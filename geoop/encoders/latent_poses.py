"""Where latents stand: spread over a box, or on and around a body, graded by curvature and distance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from scipy.spatial import cKDTree

from ..errors import ConfigurationError
from ..graph.geometry import Queries
from ..graph.pointset import PointSet
from ..mesh.facet_points import spread_out

#: Latents stand this much further apart per unit of distance from the wall, and this far apart on it at least, in units of the frame.
GRADING, FINEST = 0.35, 0.01
#: Points per latent by which a box is sampled for Lloyd's iteration, and the iterations.
_LLOYD_POINTS, _LLOYD_STEPS = 64, 30


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


def graded_around(domain: Queries, surface: PointSet, count: int) -> Queries:
    """Places of latents on and around bodies: points of the domain that are far apart in units of a size that grows with the distance from the wall
    (:data:`GRADING`) and shrinks where the wall bends. They turn, move and mirror with the domain. ``weight`` of the points are the windows.

    Args:
        domain: candidates with signed distance and closest point.
        surface: vertices of the bodies, ``vectors[:, 0]`` normals.
        count: latents per sample.
    """
    bend = 1.0 - domain.closest(surface.vectors[:, 0]).norm(dim=1).clamp(max=1.0).double()  # 0 on a flat facet, more between normals that differ
    picked, window = [], []
    for points, start in zip(domain.points.split(), domain.points.ptr.tolist(), strict=False):
        distance = points.scalars[:, 0].abs().double()
        size = (FINEST + GRADING * distance) / (1.0 + 8.0 * bend[start : start + len(points)].sqrt() * (distance < FINEST))
        chosen = torch.from_numpy(spread_out(points.pos.double().numpy(), count, size.numpy())).sort().values
        picked.append(chosen + start)
        window.append(windows(points.pos[chosen].double().numpy()))
    found = domain.take(torch.cat(picked))
    return Queries(replace(found.points, weight=torch.cat(window).to(found.points.weight)), found.anchor, found.share)


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
