"""Monitors: how densely points are wanted, as functions of position that answer wherever points have moved to.

Those of a field are found at the points of the mesh that carries the field and are linear in between. All are 1 where the field asks
for nothing and 1 + strength where it asks for most, so that a strength means the same whatever the unit of the field, its level, and
the size of the region::

    monitor = hessian_monitor(mesh, values)                   # strength 5
    moved = MongeAmpere().move(mesh, monitor)

The Hessian says where linear interpolation errs; a gradient gathers points where a field is steep but straight, where it errs not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix, eye

from ..errors import ConfigurationError, FieldError
from ..fem.gradient_recovery import GradientRecovery
from ..fem.interpolant import Interpolant
from ..fem.solving import LinearSystem
from ..interfaces.moving import Monitor
from ..mesh.mesh import Mesh
from ..mesh.quantity import Field
from ..mesh.wall_distance import wall_distance

#: Density wanted where most is, over where nothing is, minus one.
STRENGTH = 5.0
#: Largest over smallest value of a monitor.
CAP = 100.0
#: Length over which a monitor is smoothed, in edge lengths of the cells.
SMOOTHING = 1.0
#: Units in the last place of a field's values that its derivatives may be made of and count as none.
_DIGITS = 64.0


@dataclass(frozen=True, eq=False)
class PointMonitor:
    """A monitor that is known at the points of a mesh, linear in between; outside, what the nearest cell says.

    Attributes:
        interpolant: the cells.
        values: (n,) densities at their points, positive.
        name: what it is called in messages.
    """

    interpolant: Interpolant
    values: np.ndarray
    name: str = "monitor"

    def at(self, points: np.ndarray) -> np.ndarray:
        """(k,) densities at points (k, d) [m]."""
        return self.interpolant.at(self.values, points)

    def with_gradient(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(k,) densities at points (k, d) [m], and (k, d) their slopes there [1/m]."""
        return self.interpolant.with_gradient(self.values, points)


@dataclass(frozen=True)
class FunctionMonitor:
    """A user's function of position.

    Attributes:
        function: (k, d) points [m] -> (k,) positive densities.
        name: what it is called in messages.
    """

    function: Callable[[np.ndarray], np.ndarray]
    name: str = "function monitor"

    def at(self, points: np.ndarray) -> np.ndarray:
        """(k,) densities at points (k, d) [m].

        Raises:
            FieldError: the function answers another number of values, or values that are not finite and positive.
        """
        return sound_densities(self, points, self.function(points))


def sound_densities(monitor: Monitor, points: np.ndarray, values: Any = None) -> np.ndarray:
    """(k,) densities of a monitor at points (k, d) [m], looked at before they are used.

    Args:
        monitor: any.
        points: where.
        values: its answer, if it was asked already.

    Raises:
        FieldError: another number of values, or values that are NaN, infinite, zero or negative; names the monitor and all that is wrong.
    """
    name = getattr(monitor, "name", type(monitor).__name__)
    values = np.asarray(monitor.at(points) if values is None else values, dtype=np.float64)
    if values.shape != (len(points),):
        raise FieldError(
            f"the monitor answers values of shape {values.shape} for {len(points)} points",
            where=name,
            remedy="answer one density per point: at(points) -> (k,) for points (k, d)",
        )
    _require_positive(values, name, lowest="zero or negative")
    return values


def _require_positive(values: np.ndarray, name: str, *, lowest: str) -> None:
    finite = np.isfinite(values)
    counts = {"NaN or infinite": int((~finite).sum()), lowest: int((values[finite] <= 0.0).sum())}
    found = [f"{count} of {values.size} values are {what}" for what, count in counts.items() if count]
    if found:
        raise FieldError(
            "; ".join(found) + ": a density of points has to be finite and positive",
            where=name,
            remedy="clean the field it comes from, or add a constant: 1 + strength * indicator / max(indicator)",
        )


def hessian_monitor(
    mesh: Mesh, field: Field | np.ndarray, *, strength: float = STRENGTH, cap: float = CAP, smoothing: float = SMOOTHING
) -> PointMonitor:
    """1 + strength |H| / max |H|, with |H| the Frobenius norm of the second derivatives of a field: where linear interpolation errs.

    Second derivatives are those of quadratic fits round each point (:class:`geoop.fem.gradient_recovery.GradientRecovery`).

    Args:
        mesh: linear cells that fill a plane region or a solid.
        field: (n,) or (n, k) values at the points, or a field there; of several components the norms are added in squares.
        strength: density wanted where most is, over where nothing is, minus one; at least 0.
        cap: largest ratio of two densities, at least 1.
        smoothing: length over which it is smoothed, in edge lengths of its cells; 0: none.

    Raises:
        FieldError: values of another size, or not finite.
        ConfigurationError: strength, cap or smoothing out of range.
        InvalidMeshError: no such cells.
    """
    values, digits = _values(mesh, field, "hessian_monitor")
    recovery = GradientRecovery.of(mesh)
    # a constant is taken off first: rounding then is that of the field's range, and none for a constant field
    squares = sum(np.einsum("nij,nij->n", h, h) for h in (recovery.hessian(column) for column in (values - _level(recovery, values)).T))
    floor = _rounding(recovery.hessian_matrices, values, digits)
    return _monitor(mesh, recovery, np.sqrt(squares), floor, (strength, cap, smoothing), "hessian_monitor")


def gradient_monitor(
    mesh: Mesh, field: Field | np.ndarray, *, strength: float = STRENGTH, cap: float = CAP, smoothing: float = SMOOTHING
) -> PointMonitor:
    """1 + strength |grad u| / max |grad u|: points gather where a field is steep. Arguments and errors as :func:`hessian_monitor`."""
    values, digits = _values(mesh, field, "gradient_monitor")
    recovery, slope, floor = _slopes(mesh, values, digits)
    return _monitor(mesh, recovery, slope, floor, (strength, cap, smoothing), "gradient_monitor")


def arc_length_monitor(
    mesh: Mesh, field: Field | np.ndarray, *, strength: float = STRENGTH, cap: float = CAP, smoothing: float = SMOOTHING
) -> PointMonitor:
    """sqrt(1 + ((1 + strength)^2 - 1) (|grad u| / max |grad u|)^2): even arc length (area) of the graph of a scaled field.

    Its largest value is 1 + strength, as that of the other monitors; below the largest slope it is gentler than
    :func:`gradient_monitor`. Arguments and errors as :func:`hessian_monitor`. Source: A. B. White, "On selection of
    equidistributing meshes for two-point boundary-value problems", SIAM J. Numer. Anal. 16, 1979.
    """
    values, digits = _values(mesh, field, "arc_length_monitor")
    recovery, slope, floor = _slopes(mesh, values, digits)
    return _monitor(mesh, recovery, slope, floor, (strength, cap, smoothing), "arc_length_monitor", arc=True)


def error_monitor(
    mesh: Mesh, error: Field | np.ndarray, *, strength: float = STRENGTH, cap: float = CAP, smoothing: float = SMOOTHING
) -> PointMonitor:
    """1 + strength e / max e for any estimate e >= 0 of the error at the points: spread of an ensemble, a residual.

    Arguments and errors as :func:`hessian_monitor`, where ``error`` is (n,).

    Raises:
        FieldError: negative values, too.
    """
    values, _ = _values(mesh, error, "error_monitor")
    if values.shape[1] != 1 or (values < 0.0).any():
        raise FieldError(
            f"{int((values < 0.0).sum())} of {len(values)} values are negative, in {values.shape[1]} components",
            where="error_monitor",
            remedy="give one magnitude per point, e.g. the standard deviation over the members of an ensemble",
        )
    recovery = GradientRecovery.of(mesh)
    return _monitor(mesh, recovery, values[:, 0], 0.0, (strength, cap, smoothing), "error_monitor")


def wall_monitor(
    mesh: Mesh, patches: tuple[str, ...] | None = None, *, width: float | None = None, strength: float = STRENGTH, cap: float = CAP
) -> PointMonitor:
    """1 + strength exp(-d / width) with the distance d to walls: points gather at them.

    Args:
        mesh: linear cells that fill a plane region or a solid, with named patches.
        patches: the walls, see :func:`geoop.mesh.wall_distance.wall_distance`.
        width: distance over which the density falls [m]; None: a tenth of the largest distance in the mesh.
        strength: as in :func:`hessian_monitor`.
        cap: as there.

    Raises:
        PatchError, InvalidMeshError: no such patch, or the walls cannot be told.
        ConfigurationError: strength, cap or width out of range.
    """
    distance = wall_distance(mesh, patches)
    width = 0.1 * float(distance[np.unique(mesh.cells.connectivity)].max()) if width is None else width
    _require_settings("wall_monitor", strength, cap, width=width)
    if not width > 0.0:
        raise ConfigurationError(f"width is {width}", where="wall_monitor", remedy="give a positive length in metres")
    values = np.minimum(1.0 + strength * np.exp(-distance / width), cap)
    return PointMonitor(Interpolant.of(mesh), values, "wall_monitor")


def _values(mesh: Mesh, field: Field | np.ndarray, name: str) -> tuple[np.ndarray, float]:
    """(n, k) values at the points of a mesh, no axis of components counts as one; and the relative rounding that they came with.

    Raises:
        FieldError: of another size or place, or not finite, all in one error.
    """
    if isinstance(field, Field) and field.location != "point":
        raise FieldError(
            f"'{field.name}' lives at {field.location}s", where=name, remedy="bring it to the points of the mesh first, e.g. by averaging"
        )
    given = np.asarray(field.values if isinstance(field, Field) else field)
    # digits that a file did not keep are no curvature: rounded values count as what their own precision tells
    digits = np.finfo(given.dtype).eps if given.dtype.kind == "f" else np.finfo(float).eps
    values = given.astype(np.float64)
    problems = []
    if values.ndim == 0 or len(values) != len(mesh.points):
        problems.append(f"values of shape {values.shape} for {len(mesh.points)} points")
    if not np.isfinite(values).all():
        problems.append(f"{int((~np.isfinite(values)).sum())} of {values.size} values are NaN or infinite")
    if problems:
        raise FieldError("; ".join(problems), where=name, remedy="give one finite value per point of the mesh (smooth or fill gaps first)")
    return values.reshape(len(values), -1), float(digits)


def _require_settings(where: str, strength: float, cap: float, **lengths: float) -> None:
    problems = [f"strength is {strength}"] if not (np.isfinite(strength) and strength >= 0.0) else []
    problems += [f"cap is {cap}"] if not (np.isfinite(cap) and cap >= 1.0) else []
    problems += [f"{name} is {value}" for name, value in lengths.items() if not (np.isfinite(value) and value >= 0.0)]
    if problems:
        raise ConfigurationError("; ".join(problems), where=where, remedy="strength >= 0 (default 5), cap >= 1, lengths >= 0")


def _edge_lengths(recovery: GradientRecovery) -> np.ndarray:
    """(m,) mean edge length of every cell [m]."""
    corner = recovery.points[recovery.cells]
    i, j = np.triu_indices(corner.shape[1], 1)
    return np.linalg.norm(corner[:, i] - corner[:, j], axis=2).mean(axis=1)


def _level(recovery: GradientRecovery, values: np.ndarray) -> np.ndarray:
    """(k,) values at the first point that a cell has."""
    return values[recovery.cells.flat[0]]


def _rounding(matrices: tuple[csr_matrix, ...], values: np.ndarray, digits: float) -> float:
    """Derivative below which a field counts as flat: what the rounding of its values may make."""
    return _DIGITS * digits * float(np.abs(values).max()) * max(float(abs(matrix).sum(axis=1).max()) for matrix in matrices)


def _slopes(mesh: Mesh, values: np.ndarray, digits: float) -> tuple[GradientRecovery, np.ndarray, float]:
    recovery = GradientRecovery.of(mesh)
    slope = np.linalg.norm(recovery.gradient(values - _level(recovery, values)).reshape(len(values), -1), axis=1)
    return recovery, slope, _rounding(recovery.matrices, values, digits)


def _monitor(
    mesh: Mesh, recovery: GradientRecovery, indicator: np.ndarray, floor: float, settings: tuple[float, float, float], name: str, *, arc: bool = False
) -> PointMonitor:
    """The monitor of an indicator >= 0 at the points: smoothed, scaled to a largest value of 1, made a density, capped."""
    strength, cap, smoothing = settings
    _require_settings(name, strength, cap, smoothing=smoothing)
    share = np.zeros(len(indicator))
    if indicator.max() > floor:
        share = smoothed(recovery, indicator, smoothing)
        share = share / share.max()
    values = np.sqrt(1.0 + ((1.0 + strength) ** 2 - 1.0) * share**2) if arc else 1.0 + strength * share
    return PointMonitor(Interpolant(recovery.points, recovery.cells), np.minimum(values, cap), name)


def smoothed(recovery: GradientRecovery, values: np.ndarray, length: float) -> np.ndarray:
    """(n,) the solution of v - div(l^2 grad v) = values with no flux through the boundary; never outside the range of the values.

    The mass is lumped and negative couplings of obtuse cells are left out, so that a maximum principle holds on any mesh.

    Args:
        recovery: whose cells they are.
        values: (n,) at the points.
        length: l in edge lengths of each cell: fine layers at a wall are smoothed over their own thickness.
    """
    if length == 0.0:
        return values
    points, cells = recovery.points, recovery.cells
    slopes = Interpolant(points, cells).slopes
    corner = points[cells]
    d = points.shape[1]
    measure = np.abs(np.linalg.det(corner[:, 1:] - corner[:, :1])) / (2.0 if d == 2 else 6.0)
    coupling = measure * (length * _edge_lengths(recovery)) ** 2
    local = np.minimum(np.einsum("m,mid,mjd->mij", coupling, slopes, slopes), 0.0)
    i, j = np.broadcast_arrays(cells[:, :, None], cells[:, None, :])
    off = coo_matrix((local.ravel(), (i.ravel(), j.ravel())), shape=(len(points),) * 2).tocsr()
    off.setdiag(0.0)
    mass = np.bincount(cells.ravel(), weights=np.repeat(measure / (d + 1), d + 1), minlength=len(points))
    mass[mass == 0.0] = 1.0  # points without a cell keep their values
    matrix = off - coo_matrix((np.asarray(off.sum(axis=1)).ravel(), (np.arange(len(mass)),) * 2), shape=off.shape)
    scale = eye(len(mass), format="csr").multiply(mass[:, None])
    return np.clip(LinearSystem((matrix + scale).tocsr(), "monitor", dimension=d).solve(mass * values), values.min(), values.max())
