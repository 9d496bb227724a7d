"""Laplace's and Poisson's equation at single points by walk on spheres: no mesh of the region, only distances to its boundary.

For -laplace(u) = f in a region, u = g on its boundary, and the ball of radius R about x that touches the boundary,

    u(x) = mean of u over the sphere + int over the ball of G(x, y) f(y) dy,     int G = R^2/(2 d)

with Green's function of the ball, G = ln(R/r)/(2 pi) in the plane and (1/r - 1/R)/(4 pi) in space. A walk jumps from x to a random point
of the sphere, adds R^2/(2 d) f(y) with y drawn in the ball with density G/int G, and goes on from there; within a shell of thickness
epsilon along the boundary it stops and adds g at the closest point. The mean over walks is u, up to a bias of order epsilon; its
standard error falls as one over the root of the number of walks; the number of steps grows as log(1/epsilon).

M. E. Muller, "Some continuous Monte Carlo methods for the Dirichlet problem", Annals of Mathematical Statistics 27 (1956) 569-589;
R. Sawhney and K. Crane, "Monte Carlo geometry processing", ACM Transactions on Graphics 39 (2020) article 123. As labels for training
operators: WoS-NO, which regresses on few-walk estimates (H. Viswanath et al., arXiv 2603.01193).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..axes import check
from ..errors import ConfigurationError, ConvergenceError, FieldError
from ..mesh.distance import signed_distance
from ..mesh.mesh import Mesh

#: (m, d) points [m] -> (m,) values, or (m, k) for k problems at once.
Function = Callable[[np.ndarray], np.ndarray]
#: (m, d) points [m] -> (m,) signed distance to the boundary [m], negative in the region.
SignedDistance = Callable[[np.ndarray], np.ndarray]

_BLOCK = 2**16  # walks at once: bounds the memory; the random numbers of a block depend on its number alone
_THIN = 1e-4  # shell of a mesh, in diagonals of its box
_STEPS = 10_000


@dataclass(frozen=True, eq=False)
class WalkEstimate:
    """What walks say about u at n points.

    Attributes:
        mean: (n,) or (n, k) estimates, unbiased up to the shell.
        error: standard error of every mean, estimated from the spread of its walks; rough where fewer than some tens of the walks leave the
            neighbourhood of the boundary, that is for few walks from points close to it.
        walks: per point.
        steps: mean number of jumps of a walk.
    """

    mean: np.ndarray
    error: np.ndarray
    walks: int
    steps: float


def walk_on_spheres(
    region: Mesh | SignedDistance,
    points: np.ndarray,
    boundary: Function,
    *,
    source: Function | None = None,
    walks: int = 1000,
    shell: float | None = None,
    seed: int = 0,
) -> WalkEstimate:
    """u at points of a bounded region, with -laplace(u) = source inside and u = boundary on its boundary.

    Args:
        region: closed outline in the plane or closed surface in space (holes allowed: the region is where its signed distance is negative),
            or a function that answers signed distances; too small a distance (a bound from below) costs steps, never accuracy inside.
        points: (n, d) [m] in the region, d = 2 or 3; points within the shell answer the boundary's value.
        boundary: g, called with closest points of the boundary. (m, k) answers give k solutions from the same walks.
        source: f, called with points in the region; None for Laplace's equation.
        walks: per point, at least 2.
        shell: thickness epsilon [m] within which a walk ends; None: 1e-4 of the diagonal of the mesh.
        seed: of all random numbers; the answer depends on nothing else.

    Returns:
        means and their standard errors. The error of all k columns of a point is common to them: they share walks.

    Raises:
        ConfigurationError: no shell for a function, fewer than 2 walks, or points outside the region.
        ConvergenceError: walks that do not end: the region is not bounded, or the function is no distance.
        FieldError: boundary or source answer something else than finite values per point.
    """
    points = np.asarray(points, dtype=np.float64)
    check(points=(points, "n d"))
    wall = _Wall.of(region, shell)
    if walks < 2 or points.shape[1] not in (2, 3):
        raise ConfigurationError(f"{walks} walks in {points.shape[1]}-D", where="walk_on_spheres", remedy="give at least 2 walks, in 2-D or 3-D")
    start = _answer(boundary, wall.inside(points), "boundary")
    columns = start.reshape(len(points), -1)
    total, square, jumps = np.zeros_like(columns), np.zeros_like(columns), 0
    for number in range(-(-len(points) * walks // _BLOCK)):
        owner = np.arange(number * _BLOCK, min((number + 1) * _BLOCK, len(points) * walks)) // walks
        ends, gained, steps = _walk(wall, points[owner], source, np.random.default_rng([seed, number]))
        # sums of differences to a value nearby: squares of values far from zero would cancel
        value = _answer(boundary, ends, "boundary").reshape(len(owner), -1) + gained - columns[owner]
        first = int(owner[0])
        for k in range(columns.shape[1]):
            found, squared = (np.bincount(owner - first, weights=item) for item in (value[:, k], value[:, k] ** 2))
            total[first : first + len(found), k] += found
            square[first : first + len(found), k] += squared
        jumps += steps
    mean = total / walks
    variance = np.maximum(square / walks - mean**2, 0.0) * walks / (walks - 1)
    shape = start.shape
    return WalkEstimate((columns + mean).reshape(shape), np.sqrt(variance / walks).reshape(shape), walks, jumps / max(len(points) * walks, 1))


@dataclass(frozen=True, eq=False)
class _Wall:
    """The boundary as walks see it.

    Attributes:
        region: mesh or function.
        shell: epsilon [m].
    """

    region: Mesh | SignedDistance
    shell: float

    @classmethod
    def of(cls, region: Mesh | SignedDistance, shell: float | None) -> _Wall:
        if shell is None and isinstance(region, Mesh):
            shell = _THIN * float(np.linalg.norm(np.ptp(region.points, axis=0)))
        if shell is None or not shell > 0.0:
            raise ConfigurationError(
                f"shell is {shell}", where="walk_on_spheres", remedy="give a positive thickness, such as 1e-4 of the region's size"
            )
        return cls(region, shell)

    def inside(self, points: np.ndarray) -> np.ndarray:
        """(n, d) closest points of points that must lie in the region."""
        if isinstance(self.region, Mesh):
            found = signed_distance(self.region, points)
            distance, closest = found.distance, found.closest
        else:
            distance = self._distances(points)
            closest = self._projected(points, distance)
        outside = distance > self.shell
        if outside.any():
            raise ConfigurationError(
                f"{int(outside.sum())} of {len(points)} points lie outside the region, up to {distance.max():.3g} m",
                where="walk_on_spheres",
                remedy="drop them, or turn the sign of the distance: it is negative in the region",
            )
        return closest

    def __call__(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(m,) radius of the ball about every point that touches the boundary, and (m, d) where it touches (for points in the shell)."""
        if isinstance(self.region, Mesh):  # balls do not leave the region, so the sign is known
            found = signed_distance(self.region, points, signed=False)
            return np.asarray(found.distance), np.asarray(found.closest)
        distance, closest = self._distances(points), points.copy()
        near = np.abs(distance) < self.shell
        closest[near] = self._projected(points[near], distance[near])
        return np.abs(distance), closest

    def _distances(self, points: np.ndarray) -> np.ndarray:
        assert not isinstance(self.region, Mesh)
        return _answer(self.region, points, "distance").reshape(len(points))

    def _projected(self, points: np.ndarray, distance: np.ndarray) -> np.ndarray:
        """Closest points x - d grad(d), the gradient by central differences."""
        step = 0.1 * self.shell
        sides = [self._distances(points + step * e) - self._distances(points - step * e) for e in np.eye(points.shape[1])]
        gradient = np.stack(sides, axis=1)
        length = np.linalg.norm(gradient, axis=1, keepdims=True)
        return points - distance[:, None] * gradient / np.where(length > 0.0, length, 1.0)


def _walk(wall: _Wall, start: np.ndarray, source: Function | None, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, int]:
    """(m, d) points of the boundary at which walks end, (m, k) or (m, 1) what they gained from the source, and the number of jumps."""
    d = start.shape[1]
    ends, here, active = np.empty_like(start), start.copy(), np.arange(len(start))
    gained: np.ndarray | None = None
    jumps = 0
    for _ in range(_STEPS):
        radius, closest = wall(here)
        going = radius >= wall.shell
        ends[active[~going]] = closest[~going]
        active, here, radius = active[going], here[going], radius[going]
        if not len(active):
            return ends, np.zeros((len(start), 1)) if gained is None else gained, jumps
        jumps += len(active)
        if source is not None:
            at = here + (radius * _green_radius(random, len(here), d))[:, None] * _directions(random, len(here), d)
            gain = (radius**2 / (2 * d))[:, None] * _answer(source, at, "source").reshape(len(here), -1)
            gained = np.zeros((len(start), gain.shape[1])) if gained is None else gained
            gained[active] += gain
        here = here + radius[:, None] * _directions(random, len(here), d)
    raise ConvergenceError(
        f"{len(active)} of {len(start)} walks did not end within {_STEPS} steps",
        where="walk_on_spheres",
        remedy="give a bounded region and a thicker shell; a function must answer distances, not another level set",
    )


def _directions(random: np.random.Generator, count: int, d: int) -> np.ndarray:
    """(count, d) unit vectors, uniform."""
    if d == 2:
        angle = random.uniform(0.0, 2.0 * np.pi, count)
        return np.stack([np.cos(angle), np.sin(angle)], axis=1)
    height, angle = random.uniform(-1.0, 1.0, count), random.uniform(0.0, 2.0 * np.pi, count)
    across = np.sqrt(1.0 - height**2)
    return np.stack([across * np.cos(angle), across * np.sin(angle), height], axis=1)


def _green_radius(random: np.random.Generator, count: int, d: int) -> np.ndarray:
    """(count,) r/R with the density of Green's function over the unit ball.

    In the plane the density of s = r/R is -4 s ln s: that of the root of a product of two uniform numbers. In space it is 6 s (1 - s):
    that of the median of three.
    """
    uniform = random.uniform(size=(count, d))
    return np.sqrt(uniform.prod(axis=1)) if d == 2 else np.median(uniform, axis=1)


def _answer(function: Function, points: np.ndarray, what: str) -> np.ndarray:
    """(m,) or (m, k) finite values of a function; a number counts for all points."""
    values = np.asarray(function(points), dtype=np.float64)
    values = np.full(len(points), float(values)) if values.ndim == 0 else values
    if values.ndim > 2 or len(values) != len(points) or not np.isfinite(values).all():
        raise FieldError(
            f"{what} answers {values.shape} for {len(points)} points, {int((~np.isfinite(values)).sum())} of them not finite",
            where="walk_on_spheres",
            remedy="answer one finite value per point, or (m, k) for k problems",
        )
    return values
