"""Points on a surface, in a volume, near a wall, and thinned out: with quadrature weights, seeded, reproducible."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from ..axes import check
from ..errors import ConfigurationError, ConvergenceError, InvalidMeshError, NonFiniteError
from .curvature import mesh_curvature
from .distance import signed_distance
from .level_sets import LevelSets
from .loops import loops
from .measure import cell_measures, facet_normals, point_weights
from .mesh import Mesh
from .topology import welded
from .triangulation import triangulated

_HOPELESS = (20, 0.01)  # after so many draws a rejection loop is given up if a smaller share was kept
#: Squared distances that differ by less than this share are the same: places are often known in single precision.
_TIE = 1e-5


@dataclass(frozen=True, eq=False)
class SurfaceSample:
    """Random points on a surface.

    Attributes:
        points: (n, d) [m].
        normals: (n, d) unit normals of their facets.
        facet: (n,) cell of each point.
        weights: (n,) [m^(d-1)], adding up to the area; equal where the density is uniform.
    """

    points: np.ndarray
    normals: np.ndarray
    facet: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True, eq=False)
class VolumeSample:
    """Random points in a region of the fluid.

    Attributes:
        points: (n, d) [m].
        distance: (n,) signed distance to the body [m]; infinite without one.
        weights: (n,) [m^d]: their sum estimates the volume of the region, sums of weight times value estimate integrals.
    """

    points: np.ndarray
    distance: np.ndarray
    weights: np.ndarray


def sample_surface(surface: Mesh, n: int, *, seed: int | np.random.Generator = 0) -> SurfaceSample:
    """Points with uniform density on a surface, stratified: one in each of n equal shares of the area.

    Curved cells count as straight pieces between their nodes.

    Raises:
        InvalidMeshError: not a surface, or its area is zero.
        ConfigurationError: n < 1.
    """
    _require_count(n)
    return _stratified(surface, n, None, np.random.default_rng(seed))


def sample_by_curvature(surface: Mesh, n: int, *, share: float = 0.5, seed: int | np.random.Generator = 0) -> SurfaceSample:
    """Points on a surface whose density follows its curvature, stratified, with weights that make up for it.

    Law: density = (1 - share) / A + share c / int c dA, where c is the curvedness sqrt((k1^2 + k2^2) / 2) (Koenderink and van
    Doorn 1992; in 2-D the curvature's modulus), constant on each straight piece and bounded at corners by their angle. The surface is cut into n strata that all
    hold 1/n of that measure; each has one point, whose weight is the stratum's area. So the weights add up to the area exactly,
    and noses and edges get more points of less weight. A surface without curvature is sampled uniformly.

    Args:
        surface: outline or surface.
        n: number of points.
        share: of the points that follow curvature, from 0 (uniform) to 1; at 1 flat parts get none.
        seed: number or numpy generator.

    Raises:
        ConfigurationError: n < 1, or a share outside [0, 1].
        InvalidMeshError: not a surface, or its area is zero.
    """
    _require_count(n)
    if not 0 <= share <= 1:
        raise ConfigurationError(f"share is {share}", where="sample_by_curvature", remedy="give a number from 0 to 1")
    corners, _ = simplices(surface)
    bend = np.nan_to_num(np.abs(_curvedness(surface))[corners].mean(axis=1))
    area = simplex_measures(surface.points[corners])
    total, bent = area.sum(), (bend * area).sum()
    follows = share if bent * np.sqrt(max(total, 1e-300)) > 1e-9 * total else 0.0  # rounding on flat faces is no curvature
    return _stratified(surface, n, (1 - follows) / max(total, 1e-300) + follows * bend / max(bent, 1e-300), np.random.default_rng(seed))


def _curvedness(surface: Mesh) -> np.ndarray:
    """(n,) curvedness at the points, so bounded that a corner counts as the angle by which the surface turns there."""
    if surface.dimension == 3:
        size = np.sqrt(np.maximum(point_weights(surface), 1e-300))
        bend = np.sqrt((mesh_curvature(surface).principal ** 2).mean(axis=1))
        return np.fmin(bend, np.pi / size)  # the bound where too few points around let nothing be fitted
    out = np.zeros(len(surface.points))
    for loop in loops(surface):
        x = surface.points[loop.points]
        ahead, behind = np.roll(x, -1, axis=0) - x, x - np.roll(x, 1, axis=0)
        turn = np.abs(np.arctan2(behind[:, 0] * ahead[:, 1] - behind[:, 1] * ahead[:, 0], (behind * ahead).sum(axis=1)))
        if not loop.closed:
            turn[[0, -1]] = 0.0
        length = (np.linalg.norm(ahead, axis=1) + np.linalg.norm(behind, axis=1)) / 2
        out[loop.points] = turn / np.maximum(length, 1e-300)
    return out[welded(surface.points)]


def _stratified(surface: Mesh, n: int, density: np.ndarray | None, rng: np.random.Generator) -> SurfaceSample:
    """One point in each of n equal shares of the measure with that density on each straight piece (None: the area itself)."""
    corners, facet = simplices(surface)
    x = surface.points[corners]
    area = simplex_measures(x)
    total = area.sum()
    if not total > 0:
        raise InvalidMeshError("the surface has zero area", where=surface.name, remedy="check the coordinates and the unit of the file")
    amount = area if density is None else area * density
    reached = np.cumsum(amount)
    place = (np.arange(n) + rng.random(n)) / n * reached[-1]
    chosen = np.minimum(np.searchsorted(reached, place, side="right"), len(area) - 1)
    along = np.clip(1.0 - (reached[chosen] - place) / amount[chosen], 0.0, 1.0)  # what is left of the share places the point in its piece
    weights = _in_simplex(along, rng.random(n), x.shape[1])
    points = np.einsum("nk,nkd->nd", weights, x[chosen])
    if density is None:
        strata = np.full(n, total / n)
    else:  # area between the borders of the strata
        covered = np.interp(np.linspace(0.0, reached[-1], n + 1), np.concatenate([[0.0], reached]), np.concatenate([[0.0], np.cumsum(area)]))
        strata = np.diff(covered)
        strata *= total / strata.sum()
    return SurfaceSample(points, facet_normals(surface)[facet[chosen]], facet[chosen], strata)


def sample_volume(
    lower: tuple[float, ...] | np.ndarray,
    upper: tuple[float, ...] | np.ndarray,
    n: int,
    *,
    body: Mesh | None = None,
    seed: int | np.random.Generator = 0,
) -> VolumeSample:
    """Points with uniform density in a box, outside a body.

    Args:
        lower, upper: (d,) corners of the box [m].
        n: number of points.
        body: closed outline or surface whose inside is left out.
        seed: number or numpy generator.

    Raises:
        ConfigurationError: n < 1, corners that are not finite, not ordered, or of another dimension than the body.
        ConvergenceError: the body leaves less than 1 % of the box free.
    """
    _require_count(n)
    rng = np.random.default_rng(seed)
    low, high = np.asarray(lower, dtype=float), np.asarray(upper, dtype=float)
    if (
        low.shape != high.shape
        or low.ndim != 1
        or not np.isfinite(high - low).all()
        or not (high > low).all()
        or (body is not None and body.dimension != len(low))
    ):
        raise ConfigurationError(
            f"no box from {low.tolist()} to {high.tolist()}" + (f" around a body in {body.dimension}-D" if body is not None else ""),
            where="sample_volume",
            remedy="give corners with as many finite numbers as the body has dimensions, upper above lower",
        )
    if body is None:
        return VolumeSample(low + (high - low) * rng.random((n, len(low))), np.full(n, np.inf), np.full(n, (high - low).prod() / n))

    def draw() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        trial = low + (high - low) * rng.random((max(2 * n, 64), len(low)))
        found = signed_distance(body, trial).distance
        return trial, found, np.full(len(trial), (high - low).prod()), found > 0

    sample = _kept(n, draw)
    if sample is None:
        raise ConvergenceError(
            "the body leaves less than 1 % of the box free", where="sample_volume", remedy="give a box that reaches beyond the body"
        )
    return sample


def sample_near_wall(surface: Mesh, n: int, *, nearest: float, farthest: float, seed: int | np.random.Generator = 0) -> VolumeSample:
    """Points whose distance d from the wall is log-uniform between two limits, uniform on each level set of the distance.

    Law: log d is uniform on [log nearest, log farthest] and, given d, the point is uniform on {x outside: distance(x) = d}:
    above the facets, round the convex edges (a trailing edge gets its share) and round the convex corners, each by its
    Steiner measure A, theta L d and omega d^2. A trial that is nearer to another part of the wall is thrown away, which thins
    out gaps narrower than 2 d. The weights make integrals over the layer unbiased: w = M(d) d log(farthest/nearest) / trials,
    with M(d) the Steiner measure before anything is thrown away.

    Args:
        surface: closed outline or surface.
        n: number of points.
        nearest, farthest: limits of the distance [m], 0 < nearest < farthest.
        seed: number or numpy generator.

    Raises:
        ConfigurationError: n < 1 or limits that are not ordered.
        InvalidMeshError: the surface is open or degenerate.
        ConvergenceError: no room at that distance.
    """
    _require_count(n)
    if not 0 < nearest < farthest < np.inf:
        raise ConfigurationError(
            f"distances from {nearest} to {farthest}", where="sample_near_wall", remedy="give 0 < nearest < farthest in metres, e.g. 1e-3 and 1 chord"
        )
    rng = np.random.default_rng(seed)
    sets = LevelSets.of(surface)
    size = float(np.abs(surface.points).max() + farthest)

    def draw() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        d = np.exp(rng.uniform(np.log(nearest), np.log(farthest), max(n, 64)))
        trial, density = sets.sample(d, rng)
        found = signed_distance(surface, trial).distance
        return trial, found, density * d * np.log(farthest / nearest), np.abs(found - d) <= 1e-6 * d + 1e-12 * size

    sample = _kept(n, draw)
    if sample is None:
        raise ConvergenceError(
            "hardly a point keeps that distance from the wall", where="sample_near_wall", remedy="lower `farthest`: the gaps are narrower"
        )
    return sample


def _kept(n: int, draw: Callable[[], tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]) -> VolumeSample | None:
    """The first n points kept of repeated draws (points, distances, inverse densities, which to keep); None if hardly any are."""
    columns, drawn, got = [], 0, 0
    while got < n:
        *values, kept = draw()
        columns.append([value[kept] for value in values])
        drawn, got = drawn + len(kept), got + int(kept.sum())
        if drawn >= _HOPELESS[0] * len(kept) and got < _HOPELESS[1] * drawn:
            return None
    points, distance, inverse = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    return VolumeSample(points[:n], distance[:n], inverse[:n] * (got / drawn / n))


def farthest_points(points: np.ndarray, k: int, start: int = 0) -> np.ndarray:
    """(k,) indices of points, each the one farthest from those before it (Gonzalez 1985): an even, deterministic thinning.

    Of points that are as far up to single precision, as the mirrored ones of a symmetric section are, the first one is taken: a unit of
    length or a place changes nothing.

    Args:
        points: (n, d).
        k: how many, 1 <= k <= n.
        start: index of the first one.

    Raises:
        ConfigurationError: k or start out of range.
        NonFiniteError: NaN or infinite coordinates.
    """
    check(points=(points, "n d"))
    if not np.isfinite(points).all():
        raise NonFiniteError("points have NaN or infinite coordinates", where="farthest_points", remedy="drop those rows first")
    n = len(points)
    if not 1 <= k <= n or not 0 <= start < n:
        raise ConfigurationError(
            f"cannot choose {k} of {n} points from start {start}", where="farthest_points", remedy=f"give 1 <= k <= {n} and 0 <= start < {n}"
        )
    axes = [np.ascontiguousarray(axis) for axis in np.asarray(points, dtype=np.float64).T]
    chosen = np.empty(k, dtype=np.int64)
    nearest = np.full(n, np.inf)
    square, term = np.empty(n), np.empty(n)
    at = start
    for i in range(k):
        chosen[i] = at
        square.fill(0.0)
        for axis in axes:
            np.subtract(axis, axis[at], out=term)
            square += np.multiply(term, term, out=term)
        np.minimum(nearest, square, out=nearest)
        nearest[at] = -1.0  # chosen once, even among points at equal places
        at = int((nearest >= (1.0 - _TIE) * nearest.max()).argmax())
    return chosen


def thinned_weights(points: np.ndarray, weights: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """(k,) weights of the points that a thinning left: each takes over those of the points nearest to it, so the sum is kept.

    Args:
        points: (n, d) all points.
        weights: (n,) their quadrature weights.
        chosen: (k,) indices of the points that are left, e.g. of :func:`farthest_points`.

    Raises:
        ConfigurationError: no point is left.
        ShapeError: one weight per point is needed.
    """
    check(points=(points, "n d"), weights=(weights, "n"), chosen=(chosen, "k"))
    if not len(chosen):
        raise ConfigurationError("no point is left to carry the weights", where="thinned_weights", remedy="keep at least one point")
    nearest = KDTree(np.asarray(points)[chosen]).query(points)[1]
    return np.bincount(nearest, weights=weights, minlength=len(chosen))


def simplices(surface: Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Corners (s, d) of the straight pieces of a surface and the cell of each."""
    if surface.dimension == 3:
        return triangulated(surface)
    cell_measures(surface)
    index = np.flatnonzero(surface.cells.dimensions == 1)
    if not surface.is_surface or not len(index):
        raise InvalidMeshError("only outlines and surfaces are sampled", where=surface.name, remedy="pass a boundary: geoop.mesh.body.body(mesh)")
    two, three = surface.cells.where("line"), surface.cells.where("line3")
    bent = surface.cells.block("line3")
    corners = np.concatenate([surface.cells.block("line"), bent[:, [0, 2]], bent[:, [2, 1]]])
    return corners, np.concatenate([two, three, three])


def simplex_measures(x: np.ndarray) -> np.ndarray:
    """(s,) lengths or areas of segments (s, 2, d) or triangles (s, 3, 3)."""
    if x.shape[1] == 2:
        return np.linalg.norm(x[:, 1] - x[:, 0], axis=1)
    return 0.5 * np.linalg.norm(np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0]), axis=1)


def _in_simplex(u: np.ndarray, v: np.ndarray, corners: int) -> np.ndarray:
    """(n, corners) barycentric weights, uniform over a segment or triangle, from uniform numbers u (and v)."""
    if corners == 2:
        return np.stack([1 - u, u], axis=1)
    root = np.sqrt(u)
    return np.stack([1 - root, root * (1 - v), root * v], axis=1)


def _require_count(n: int) -> None:
    if n < 1:
        raise ConfigurationError(f"{n} points asked for", where="geoop.mesh.sampling", remedy="ask for at least one")
