"""The inside follows an interpolant of radial basis functions through the boundary: needs points only, no cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy.spatial import KDTree

from ...errors import ConfigurationError, ConvergenceError
from ...interfaces.moving import Moved
from ...mesh.mesh import Mesh
from .given_motion import GivenMotion
from .stepping import carried

#: ``thin-plate``: r^2 log r, no radius; ``wendland``: (1 - r/R)^4 (4 r/R + 1) within the radius R, C2.
Kernel = Literal["thin-plate", "wendland"]
_CHUNK = 1 << 16  # pairs of point and centre at once: what fits in the cache is three times as fast as what does not
#: The default radius of the compact kernel, in sizes of what moves.
_SIZES = 30.0
#: Centres added per round, as a share of those there are, and at first (at most a third of all).
_GROWTH, _FIRST = 0.6, 60
#: The corrected points round one whose displacement is blended into it, and how far their correction reaches, in residuals.
_NEIGHBOURS, _REACH = 6, 100.0


@dataclass(frozen=True)
class RadialBasis:
    """u(x) = sum_c w_c phi(|x - c|) + a + B x with the centres c on the boundary (de Boer, van der Schoot and Bijl, Comput. Struct. 85 (2007) 784).

    The linear part makes translations, rotations and every other linear motion of the whole boundary exact. Boundaries of more
    points than ``centres`` are thinned greedily: the points of largest error join until ``tolerance`` is met (Rendall and Allen,
    J. Comput. Phys. 228 (2009) 6231). What is left of the error is then carried into the inside from the nearest boundary points,
    fading over a distance of a hundred errors (as Kedward, Allen and Rendall, J. Comput. Phys. 335 (2017) 1, do), so that all
    given displacements are exact and thin layers move along with their wall.

    Points that slide take the interpolant's displacement along their patch, and count as given in a second interpolation.

    A body that turns takes what is round it along, the farther out the longer the way: with the thin plate points at 30 chords of a
    domain of 100 move 8 times as far as a pitching section, at 300 of 1000 56 times. A compact kernel of five chords, or a ``reach`` of
    three, keeps the motion near the body: 1.5 times, and layers as good.

    Attributes:
        kernel: see :data:`Kernel`.
        radius: of the compact kernel [m]; None: thirty sizes of what moves, or of its largest displacement, at most the size of the mesh.
        centres: at most; a dense system of so many equations is solved.
        tolerance: largest error at boundary points by the greedy choice, relative to the largest displacement.
        slide: patches along which points slide.
        steps: in which the motion is made, at first.
        reach: distance from the patches that move at which the displacement has faded to nothing, smoothly [m]; None: no fading.
    """

    kernel: Kernel = "thin-plate"
    radius: float | None = None
    centres: int = 1500
    tolerance: float = 1e-4
    slide: tuple[str, ...] = ()
    steps: int = 1
    reach: float | None = None

    def __post_init__(self) -> None:
        problems = [] if self.kernel in get_args(Kernel) else [f"kernel is {self.kernel!r}, choose one of {list(get_args(Kernel))}"]
        problems += [] if self.radius is None or 0 < self.radius < np.inf else [f"radius is {self.radius}, must be positive"]
        problems += [] if self.reach is None or 0 < self.reach < np.inf else [f"reach is {self.reach}, must be positive"]
        problems += [] if self.centres >= 8 else [f"centres is {self.centres}, give 8 or more"]
        problems += [] if 0 < self.tolerance < 1 else [f"tolerance is {self.tolerance}, must lie between 0 and 1"]
        if problems:
            raise ConfigurationError("; ".join(problems), where="RadialBasis", remedy="the defaults suit most meshes")

    def deform(self, mesh: Mesh, displacement: Mapping[str, np.ndarray]) -> Moved:
        """See :class:`geoop.interfaces.moving.Deformer`; errors as :func:`geoop.solve.deformers.stepping.carried`.

        Raises:
            ConvergenceError: the equations of the centres are singular, too.
        """
        return carried(mesh, displacement, self._follow, slide=self.slide, steps=self.steps)

    def _follow(self, mesh: Mesh, motion: GivenMotion) -> np.ndarray:
        x = mesh.points
        radius, fading = self._radius(motion), self._fading(motion)
        if len(motion.sliding):
            first = self._interpolant(x[motion.points], motion.values, mesh, radius)
            slid = np.einsum("sij,sj->si", motion.tangents, first(x[motion.sliding])) * fading(x[motion.sliding])
            points, values = np.concatenate([motion.points, motion.sliding]), np.concatenate([motion.values, slid])
        else:
            points, values = motion.points, motion.values
        inside = np.setdiff1d(np.arange(len(x)), points)
        out = np.empty_like(x)
        out[points] = values
        out[inside] = self._interpolant(x[points], values, mesh, radius)(x[inside]) * fading(x[inside])
        return out

    def _radius(self, motion: GivenMotion) -> float:
        whole = float(np.linalg.norm(np.ptp(motion.mesh.bounds, axis=0)))
        return self.radius or min(whole, _SIZES * max(_size(motion), motion.largest) or whole)

    def _fading(self, motion: GivenMotion) -> Callable[[np.ndarray], np.ndarray | float]:
        """Points (k, d) -> (k, 1) the share of the displacement that they take."""
        if self.reach is None:
            return lambda x: 1.0
        reach, tree = self.reach, KDTree(motion.mesh.points[_moving_points(motion)])

        def share(x: np.ndarray) -> np.ndarray:
            far = np.minimum(tree.query(x)[0] / reach, 1.0)
            return ((1.0 - far) ** 2 * (1.0 + 2.0 * far))[:, None]

        return share

    def _interpolant(self, points: np.ndarray, values: np.ndarray, mesh: Mesh, radius: float | None = None) -> Corrected:
        radius = radius or float(np.linalg.norm(np.ptp(mesh.bounds, axis=0)))
        whole = len(points) <= self.centres
        rows, largest = (
            np.arange(len(points)) if whole else _spread(points, min(_FIRST, self.centres // 3)),
            float(np.linalg.norm(values, axis=1).max()),
        )
        while True:
            smooth = _Interpolant.through(points[rows], values[rows], points, self.kernel, radius, mesh.name)
            residual = values - smooth(points)
            error, room = np.linalg.norm(residual, axis=1), self.centres - len(rows)
            if whole or room <= 0 or error.max() <= self.tolerance * largest:
                return Corrected(smooth, points, residual)
            rows = np.union1d(rows, _worst(points, error, min(room, max(8, int(_GROWTH * len(rows))))))


def _moving_points(motion: GivenMotion) -> np.ndarray:
    return np.unique(np.concatenate([motion.mesh.patch_points(name) for name in motion.moving]))


def _size(motion: GivenMotion) -> float:
    """Extent of the largest patch that moves [m]."""
    places = (motion.mesh.points[motion.mesh.patch_points(name)] for name in motion.moving)
    return max(float(np.linalg.norm(np.ptp(place, axis=0))) for place in places)


class Corrected:
    """An interpolant that is exact at all given points, those without a centre among them.

    Args:
        smooth: the interpolant.
        points: (b, d) given points [m].
        residual: (b, d) what the interpolant misses there [m].
    """

    def __init__(self, smooth: _Interpolant, points: np.ndarray, residual: np.ndarray) -> None:
        self.smooth, self.residual, self.tree = smooth, residual, KDTree(points)
        self.reach = _REACH * float(np.linalg.norm(residual, axis=1).max(initial=0.0))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """(k, d) displacements at points (k, d) [m]."""
        out = self.smooth(x)
        if self.reach <= 0.0 or not len(x):
            return out
        distance, index = self.tree.query(x, k=min(_NEIGHBOURS, len(self.residual)), distance_upper_bound=np.inf)
        distance, index = distance.reshape(len(x), -1), index.reshape(len(x), -1)
        near = distance[:, 0] < self.reach
        gap = distance[near]
        weight = 1.0 / np.maximum(gap, 1e-9 * self.reach) ** 4
        fade = (1 - gap[:, 0] / self.reach) ** 4 * (4 * gap[:, 0] / self.reach + 1)
        out[near] += fade[:, None] * np.einsum("kn,knd->kd", weight / weight.sum(axis=1, keepdims=True), self.residual[index[near]])
        return out


class _Interpolant:
    """Radial functions round centres (c, d) with weights (c, d), and a linear part (d + 1, d), in units of ``scale`` round ``origin``."""

    def __init__(
        self, centres: np.ndarray, weights: np.ndarray, linear: np.ndarray, frame: tuple[np.ndarray, float], kernel: str, radius: float
    ) -> None:
        self.centres, self.weights, self.linear, self.frame, self.kernel, self.radius = centres, weights, linear, frame, kernel, radius

    @classmethod
    def through(cls, centres: np.ndarray, values: np.ndarray, all_points: np.ndarray, kernel: str, radius: float, where: str) -> _Interpolant:
        """The interpolant with these values at the centres.

        Raises:
            ConvergenceError: the equations are singular.
        """
        origin = all_points.mean(axis=0)
        scale = float(np.abs(all_points - origin).max())
        x = (centres - origin) / scale
        n, d = x.shape
        matrix = np.zeros((n + d + 1, n + d + 1))
        matrix[:n, :n] = _kernel(x, x, kernel, radius / scale)
        matrix[:n, n], matrix[:n, n + 1 :] = 1.0, x
        matrix[n:, :n] = matrix[:n, n:].T
        right = np.concatenate([values, np.zeros((d + 1, d))])
        try:
            found = np.linalg.solve(matrix, right)
            found += np.linalg.solve(matrix, right - matrix @ found)  # thin walls make the equations stiff: one refinement
        except np.linalg.LinAlgError:
            found = np.linalg.lstsq(matrix, right, rcond=1e-14)[0]
        if not np.isfinite(found).all():
            raise ConvergenceError(f"the equations of {n} centres are singular", where=where, remedy="look for boundary points at one place")
        return cls(x, found[:n], found[n:], (origin, scale), kernel, radius / scale)

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """(k, d) displacements at points (k, d) [m]."""
        origin, scale = self.frame
        x = (points - origin) / scale
        out = self.linear[0] + x @ self.linear[1:]
        step = max(1, _CHUNK // max(1, len(self.centres)))
        for k in range(0, len(x), step):
            out[k : k + step] += _kernel(x[k : k + step], self.centres, self.kernel, self.radius) @ self.weights
        return out


def _kernel(x: np.ndarray, centres: np.ndarray, kernel: str, radius: float) -> np.ndarray:
    """(k, c) values of the radial function between points and centres."""
    square = np.zeros((len(x), len(centres)))
    for k in range(x.shape[1]):
        gap = np.subtract.outer(x[:, k], centres[:, k])
        gap *= gap
        square += gap
    if kernel == "thin-plate":
        np.maximum(square, 1e-300, out=square)
        return 0.5 * square * np.log(square)
    q = np.sqrt(square, out=square)
    q /= radius
    np.minimum(q, 1.0, out=q)
    rest = 1.0 - q
    rest *= rest
    rest *= rest
    q *= 4.0
    q += 1.0
    rest *= q
    return rest


def _spread(points: np.ndarray, count: int) -> np.ndarray:
    """(count,) rows of points far from each other: each the farthest from those before."""
    rows, gap = [int(np.argmax(np.linalg.norm(points - points.mean(axis=0), axis=1)))], np.full(len(points), np.inf)
    while len(rows) < min(count, len(points)):
        gap = np.minimum(gap, np.linalg.norm(points - points[rows[-1]], axis=1))
        rows.append(int(np.argmax(gap)))
    return np.unique(rows)


def _worst(points: np.ndarray, error: np.ndarray, count: int) -> np.ndarray:
    """(<= count,) rows of large error that are no near neighbours of a worse one."""
    order = np.argsort(-error)[: 8 * count]
    nearest = KDTree(points[order])
    rank = nearest.query(points[order], k=min(4, len(order)))[1]
    alone = rank.min(axis=1) == np.arange(len(order))  # in order of error: no worse one among the three nearest
    chosen = order[alone]
    return chosen[:count] if len(chosen) else order[:count]
