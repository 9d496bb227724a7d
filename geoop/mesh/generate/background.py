"""Points in the fluid round a body, dense at the wall and sparse far away, evenly spread, with quadrature weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from ...errors import ConfigurationError, InvalidMeshError
from ..distance import signed_distance
from ..measure import enclosed_volume
from ..mesh import Mesh
from ..orientation import oriented

_LEAF = 0.5  # side of the finest boxes over the local spacing
_DRAWS = {2: 6, 3: 3}  # trial points per box
_SWEEPS = 12
_MOST_LEVELS = 40


@dataclass(frozen=True, eq=False)
class BackgroundPoints:
    """Points outside a body.

    Attributes:
        points: (n, d) [m].
        distance: (n,) distance to the wall [m], positive.
        spacing: (n,) wanted spacing there, the d-th root of the volume per point [m].
        weights: (n,) share of the region's volume [m^d]; they add up to it exactly, and weight times value adds up to an integral.
        growth: of the spacing per distance from the wall, as it follows from the number of points.
    """

    points: np.ndarray
    distance: np.ndarray
    spacing: np.ndarray
    weights: np.ndarray
    growth: float


def background_points(
    body: Mesh,
    n: int,
    *,
    wall_zone: float | None = None,
    lower: tuple[float, ...] | np.ndarray | None = None,
    upper: tuple[float, ...] | np.ndarray | None = None,
    seed: int = 0,
) -> BackgroundPoints:
    """n points between a body and a box, with a spacing of growth * max(distance to the wall, wall_zone).

    A tree of boxes is refined until each is half the local spacing; trial points in its leaves, weighted by what is left of
    them outside the body, stand for the region. From these a first set is drawn evenly along the tree and relaxed by
    Lloyd's iteration to a weighted centroidal Voronoi tessellation (Du, Faber and Gunzburger 1999), whose density follows the
    spacing; each point then sits on the trial point nearest to the centroid of its cell, so never inside the body, and its weight
    is the volume of the cell. The growth is what n points afford: the integral of max(distance, wall_zone)^-d over the region is n growth^d.

    Args:
        body: closed outline in 2-D or surface in 3-D, inside the box.
        n: number of points, >= 8.
        wall_zone: distance from the wall within which the spacing stays the same [m]; a fiftieth of the body's extent (3-D: a tenth) if None.
        lower, upper: (d,) corners of the box [m]; the body's bounds and two extents more on each side if None.
        seed: the same seed gives the same points.

    Raises:
        InvalidMeshError: no closed surface.
        ConfigurationError: too few points, or a box that does not hold the body.
    """
    if not body.is_surface:
        raise InvalidMeshError("background points need the body's surface", where=body.name, remedy="pass the boundary: geoop.mesh.body.body(mesh)")
    low, high, extent = _box(body, lower, upper)
    zone = extent / (50 if body.dimension == 2 else 10) if wall_zone is None else wall_zone
    _require(body, n, zone, low, high)
    volume = float((high - low).prod()) - enclosed_volume(oriented(body))
    if not volume > 0:
        raise InvalidMeshError("the body fills the box", where=body.name, remedy="check that the surface is closed, or give a larger box")
    rng = np.random.default_rng(seed)
    d = body.dimension
    coarse = _trials(body, low, high, lambda distance: np.maximum(distance, zone), zone, rng)
    growth = (_integral(coarse, zone) / n) ** (1 / d)
    trials = _trials(body, low, high, lambda distance: growth * np.maximum(distance, zone), zone * growth, rng)
    growth = (_integral(trials, zone) / n) ** (1 / d)
    if len(trials.points) < n:
        raise ConfigurationError(f"{n} points are too few to follow the wall", where="background_points", remedy="ask for more points")
    centers, owner = _relaxed(trials, growth * np.maximum(trials.distance, zone), n)
    weights = np.bincount(owner, trials.volume, n)
    distance = trials.distance[centers]
    return BackgroundPoints(trials.points[centers], distance, growth * np.maximum(distance, zone), weights * (volume / weights.sum()), growth)


@dataclass(frozen=True, eq=False)
class _Trials:
    """Points outside the body, in order along a tree of boxes, each for a volume."""

    points: np.ndarray
    distance: np.ndarray
    volume: np.ndarray


def _trials(body: Mesh, low: np.ndarray, high: np.ndarray, spacing, finest: float, rng: np.random.Generator) -> _Trials:
    """Trial points in the leaves of a tree whose boxes are no larger than half the spacing at their middle (half of ``finest`` at least)."""
    d = len(low)
    counts = np.maximum(1, np.round((high - low) / (high - low).min())).astype(int)
    side = (high - low) / counts
    index = np.stack(np.meshgrid(*(np.arange(c) for c in counts), indexing="ij"), axis=-1).reshape(-1, d)
    centers = low + (index + 0.5) * side
    rank = np.arange(len(index), dtype=float)  # place along the tree: children split their parent's stretch
    stretch = np.ones(len(index))
    done: list[tuple[np.ndarray, ...]] = []
    corners = np.stack(np.meshgrid(*([(-0.25, 0.25)] * d), indexing="ij"), axis=-1).reshape(-1, d)
    for level in range(_MOST_LEVELS):
        width = side / 2.0**level
        radius = 0.5 * float(np.linalg.norm(width))
        distance = signed_distance(body, centers).distance
        centers, rank, stretch, distance = (item[distance > -radius] for item in (centers, rank, stretch, distance))
        small = width.max() <= _LEAF * np.maximum(spacing(np.maximum(distance - 0.5 * radius, 0.0)), finest)
        done.append((centers[small], np.full(int(small.sum()), level), rank[small]))
        if small.all():
            break
        keep = ~small
        children = len(corners)
        rank = (rank[keep, None] + stretch[keep, None] * np.arange(children) / children).reshape(-1)
        stretch = np.repeat(stretch[keep] / children, children)
        centers = (centers[keep, None, :] + corners * width).reshape(-1, d)
    boxes, levels, ranks = (np.concatenate(column) for column in zip(*done, strict=True))
    order = np.argsort(ranks, kind="stable")
    return _drawn(body, boxes[order], side / 2.0 ** levels[order][:, None], _DRAWS[d], rng)


def _drawn(body: Mesh, boxes: np.ndarray, width: np.ndarray, draws: int, rng: np.random.Generator) -> _Trials:
    points = (boxes[:, None, :] + width[:, None, :] * (rng.random((len(boxes), draws, boxes.shape[1])) - 0.5)).reshape(-1, boxes.shape[1])
    distance = signed_distance(body, points).distance
    volume = np.repeat(width.prod(axis=1) / draws, draws)
    out = distance > 0
    return _Trials(points[out], distance[out], volume[out])


def _integral(trials: _Trials, zone: float) -> float:
    return float((trials.volume * np.maximum(trials.distance, zone) ** -float(trials.points.shape[1])).sum())


def _relaxed(trials: _Trials, spacing: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """(n,) trial points nearest to the middles of their cells, and (t,) the cell of every trial point."""
    d = trials.points.shape[1]
    share = np.cumsum(trials.volume / spacing**d)
    first = np.searchsorted(share, (np.arange(n) + 0.5) / n * share[-1])
    centers = trials.points[_distinct(first, len(share))]
    mass = trials.volume / spacing ** (d + 2)  # the density whose centroidal tessellation has this spacing
    for _ in range(_SWEEPS):
        owner = np.asarray(KDTree(centers).query(trials.points)[1])
        centers = _centroids(trials.points, mass, owner, centers)
    away, owner = (np.asarray(part) for part in KDTree(centers).query(trials.points))
    empty = np.bincount(owner, minlength=n) == 0
    if empty.any():  # a centre that strayed into the body's shadow goes where points are missing
        centers[empty] = trials.points[np.argsort(-away / spacing, kind="stable")[: int(empty.sum())]]
        owner = np.asarray(KDTree(centers).query(trials.points)[1])
    middle = _centroids(trials.points, trials.volume, owner, centers)  # a linear function is integrated exactly from there
    order = np.lexsort((np.linalg.norm(trials.points - middle[owner], axis=1), owner))
    return order[np.searchsorted(owner[order], np.arange(n))], owner


def _centroids(points: np.ndarray, mass: np.ndarray, owner: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """(n, d) centres of mass of the cells, the given ones for cells without any."""
    total = np.bincount(owner, mass, len(otherwise))
    moment = np.stack([np.bincount(owner, mass * column, len(otherwise)) for column in points.T], axis=1)
    return np.where((total > 0)[:, None], moment / np.where(total > 0, total, 1.0)[:, None], otherwise)


def _distinct(index: np.ndarray, count: int) -> np.ndarray:
    """Ascending indices below count, moved up where they repeat, and down again from the end."""
    up = np.maximum.accumulate(index - np.arange(len(index))) + np.arange(len(index))
    return np.minimum(up, count - len(index) + np.arange(len(index)))


def _box(body: Mesh, lower, upper) -> tuple[np.ndarray, np.ndarray, float]:
    bounds = body.bounds
    extent = float((bounds[1] - bounds[0]).max())
    low = bounds[0] - 2 * extent if lower is None else np.asarray(lower, dtype=np.float64)
    high = bounds[1] + 2 * extent if upper is None else np.asarray(upper, dtype=np.float64)
    return low, high, extent


def _require(body: Mesh, n: int, zone: float, low: np.ndarray, high: np.ndarray) -> None:
    problems = []
    if n < 8:
        problems.append(f"n is {n}, ask for 8 points or more")
    if not 0 < zone < np.inf:
        problems.append(f"wall_zone is {zone}, give a positive distance in metres")
    bounds = body.bounds
    if low.shape != (body.dimension,) or high.shape != (body.dimension,):
        problems.append(f"the box has corners {low.tolist()} and {high.tolist()}, give {body.dimension} numbers each")
    elif not ((low < bounds[0]) & (high > bounds[1])).all():
        problems.append(
            f"the box from {low.tolist()} to {high.tolist()} does not hold the body, which reaches from {bounds[0].tolist()} to {bounds[1].tolist()}"
        )
    if problems:
        raise ConfigurationError("; ".join(problems), where="background_points", remedy="leave lower, upper and wall_zone out for the defaults")
