"""Points in the fluid round a body, dense at the wall and sparse far away, evenly spread, with quadrature weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from ...errors import ConfigurationError, InvalidMeshError
from ..distance import signed_distance
from ..measure import cell_measures, enclosed_volume
from ..mesh import Mesh
from ..orientation import oriented

_LEAF = 0.5  # side of the finest boxes over the local spacing
_DRAWS = {2: 6, 3: 3}  # trial points per box
_SWEEPS = 12
_MOST_LEVELS = 40
_ZONE = {2: 1 / 50, 3: 1 / 10}  # of the extent: the zone at the wall unless given, and the finest that the first estimate looks at
_PER_CELL = 24  # trial points that say where the middle of a cell is
_SURE = 6.0  # standard deviations of a sampled volume


@dataclass(frozen=True, eq=False)
class BackgroundPoints:
    """Points outside a body.

    Attributes:
        points: (n, d) [m].
        distance: (n,) distance to the wall [m], positive.
        spacing: (n,) wanted spacing there, the d-th root of the volume per point [m].
        weights: (n,) share of the region's volume [m^d]; weight times value adds up to an integral. They add up to the volume of the
            box less that of the body exactly, unless ``notes`` says otherwise.
        growth: of the spacing per distance from the wall, as it follows from the number of points.
        notes: what the body is not as it should be, in plain sentences.
    """

    points: np.ndarray
    distance: np.ndarray
    spacing: np.ndarray
    weights: np.ndarray
    growth: float
    notes: tuple[str, ...] = ()


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

    Of bodies that overlap, repeat or cut themselves points stay out of the union, whose volume no surface integral knows: the weights then
    add up to the sampled volume (whose error is mostly below a thousandth), and a note says so. A boolean union makes them exact.

    Args:
        body: closed outline in 2-D or surface in 3-D, inside the box.
        n: number of points, >= 8.
        wall_zone: distance from the wall within which the spacing stays the same [m]; a fiftieth of the body's extent (3-D: a tenth) if None.
        lower, upper: (d,) corners of the box [m]; the body's bounds and two extents more on each side if None.
        seed: the same seed gives the same points.

    Raises:
        InvalidMeshError: no closed surface.
        ConfigurationError: too few points, a wall_zone that these cannot follow, or a box that does not hold the body.
    """
    if not body.is_surface:
        raise InvalidMeshError("background points need the body's surface", where=body.name, remedy="pass the boundary: geoop.mesh.body.body(mesh)")
    low, high, extent = _box(body, lower, upper)
    zone = extent * _ZONE[body.dimension] if wall_zone is None else wall_zone
    _require(body, n, zone, low, high)
    enclosed = enclosed_volume(oriented(body))
    rng = np.random.default_rng(seed)
    d = body.dimension
    growth = (_first_integral(body, low, high, zone, rng) / n) ** (1 / d)
    trials = _trials(body, low, high, lambda distance: growth * np.maximum(distance, zone), zone * growth, rng)
    if not len(trials.points):
        raise InvalidMeshError("the body fills the box", where=body.name, remedy="check that the surface is closed, or give a larger box")
    if len(trials.points) < n:
        raise _too_few(body, n, zone, growth)
    growth = (_integral(trials, zone) / n) ** (1 / d)
    centers, owner = _relaxed(trials, growth * np.maximum(trials.distance, zone), n)
    weights = np.bincount(owner, trials.volume, n)
    distance = trials.distance[centers]
    volume, notes = _volume(float((high - low).prod()) - enclosed, trials)
    return BackgroundPoints(trials.points[centers], distance, growth * np.maximum(distance, zone), weights * (volume / weights.sum()), growth, notes)


def _first_integral(body: Mesh, low: np.ndarray, high: np.ndarray, zone: float, rng: np.random.Generator) -> float:
    """The integral of max(distance, zone)^-d over the region, roughly, at a cost that does not depend on the zone.

    Trial points give it for a zone that is not thin; what a thinner one adds is that of layers as large as the wall.
    """
    d = body.dimension
    thick = max(zone, _ZONE[d] * float(np.ptp(body.bounds, axis=0).max()))
    coarse = _trials(body, low, high, lambda distance: np.maximum(distance, thick), thick, rng)
    return _integral(coarse, thick) + _wall_integral(body) * (zone ** (1 - d) - thick ** (1 - d))


def _wall_integral(body: Mesh) -> float:
    """Integral of max(distance, zone)^-d beside a wall, times zone^(d - 1): that over the zone and that from there to infinity."""
    d = body.dimension
    return float(cell_measures(body)[body.cells.dimensions == d - 1].sum()) * d / (d - 1)


def _too_few(body: Mesh, n: int, zone: float, growth: float) -> ConfigurationError:
    """What to ask for instead: a spacing that is no longer than the distance from the wall."""
    d = body.dimension
    wide = (_wall_integral(body) / n) ** (1 / (d - 1))
    return ConfigurationError(
        f"{n} points cannot follow the wall with a wall_zone of {zone:.3g} m: their spacing would be {growth:.3g} times the distance from it",
        where="background_points",
        remedy=f"give wall_zone={wide:.2g} or more, or ask for {max(n * growth**d, 8):.2g} points",
    )


def _volume(expected: float, trials: _Trials) -> tuple[float, tuple[str, ...]]:
    """Volume of the region and what is to be said about it: the expected one unless the trial points contradict it."""
    sampled = float(trials.volume.sum())
    if abs(expected - sampled) <= _SURE * trials.deviation + 1e-9 * abs(sampled):
        return expected, ()
    more = "more" if sampled > expected else "less"
    return sampled, (
        f"the surface encloses {abs(sampled - expected):.3g} m^{trials.points.shape[1]} {more} than the body that distances see, so it overlaps, "
        f"repeats or cuts itself: the weights add up to the sampled volume {sampled:.6g}, uncertain by {trials.deviation:.2g} (one standard "
        "deviation); for exact weights unite the bodies where the shape was made, or drop repeated facets with geoop.mesh.repair.repair",
    )


@dataclass(frozen=True, eq=False)
class _Trials:
    """Points outside the body, in order along a tree of boxes, each for a volume; standard deviation of the sum of the volumes."""

    points: np.ndarray
    distance: np.ndarray
    volume: np.ndarray
    deviation: float


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
        done.append((centers[small], np.full(int(small.sum()), level), rank[small], np.abs(distance[small]) <= radius))
        if small.all():
            break
        keep = ~small
        children = len(corners)
        rank = (rank[keep, None] + stretch[keep, None] * np.arange(children) / children).reshape(-1)
        stretch = np.repeat(stretch[keep] / children, children)
        centers = (centers[keep, None, :] + corners * width).reshape(-1, d)
    boxes, levels, ranks, cut = (np.concatenate(column) for column in zip(*done, strict=True))
    order = np.argsort(ranks, kind="stable")
    return _drawn(body, boxes[order], side / 2.0 ** levels[order][:, None], cut[order], rng)


def _drawn(body: Mesh, boxes: np.ndarray, width: np.ndarray, cut: np.ndarray, rng: np.random.Generator) -> _Trials:
    """Draws in the boxes; in those that the wall may pass through each draw is in or out, which makes the sum of volumes uncertain."""
    draws = _DRAWS[boxes.shape[1]]
    points = (boxes[:, None, :] + width[:, None, :] * (rng.random((len(boxes), draws, boxes.shape[1])) - 0.5)).reshape(-1, boxes.shape[1])
    distance = signed_distance(body, points).distance
    volume = np.repeat(width.prod(axis=1) / draws, draws)
    out = distance > 0
    return _Trials(points[out], distance[out], volume[out], 0.5 * float(np.linalg.norm(volume[np.repeat(cut, draws)])))


def _integral(trials: _Trials, zone: float) -> float:
    return float((trials.volume * np.maximum(trials.distance, zone) ** -float(trials.points.shape[1])).sum())


def _relaxed(trials: _Trials, spacing: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """(n,) trial points nearest to the middles of their cells, and (t,) the cell of every trial point."""
    d = trials.points.shape[1]
    share = np.cumsum(trials.volume / spacing**d)
    first = np.searchsorted(share, (np.arange(n) + 0.5) / n * share[-1])
    centers = trials.points[_distinct(first, len(share))]
    mass = trials.volume / spacing ** (d + 2)  # the density whose centroidal tessellation has this spacing
    moving = trials.points[:: _thinning(len(mass), n)], mass[:: _thinning(len(mass), n)]
    for _ in range(_SWEEPS):
        owner = np.asarray(KDTree(centers).query(moving[0])[1])
        centers = _centroids(*moving, owner, centers)
    away, owner = (np.asarray(part) for part in KDTree(centers).query(trials.points))
    empty = np.bincount(owner, minlength=n) == 0
    if empty.any():  # a centre that strayed into the body's shadow goes where points are missing
        centers[empty] = trials.points[np.argsort(-away / spacing, kind="stable")[: int(empty.sum())]]
        owner = np.asarray(KDTree(centers).query(trials.points)[1])
    middle = _centroids(trials.points, trials.volume, owner, centers)  # a linear function is integrated exactly from there
    order = np.lexsort((np.linalg.norm(trials.points - middle[owner], axis=1), owner))
    return order[np.searchsorted(owner[order], np.arange(n))], owner


def _thinning(count: int, n: int) -> int:
    """Every how many-th trial point, in order along the tree, takes part in the sweeps: enough of them per cell for its middle."""
    return max(1, count // (_PER_CELL * n))


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
    elif not (np.isfinite(low) & np.isfinite(high)).all():
        problems.append(f"the box from {low.tolist()} to {high.tolist()} has corners that are NaN or infinite, give finite ones")
    elif not ((low < bounds[0]) & (high > bounds[1])).all():
        problems.append(
            f"the box from {low.tolist()} to {high.tolist()} does not hold the body, which reaches from {bounds[0].tolist()} to {bounds[1].tolist()}"
        )
    if problems:
        raise ConfigurationError("; ".join(problems), where="background_points", remedy="leave lower, upper and wall_zone out for the defaults")
