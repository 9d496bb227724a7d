"""Forces on a body by the balance of momentum over a closed surface around it: a check that never looks at the wall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import ConfigurationError, InvalidMeshError
from ...interfaces.result import Result
from ...mesh.body import body
from ...mesh.case import Case
from ..wall_loads import PressureUnit
from .flow_field import FlowField, flow_field

#: Points of a body whose place inside a control surface is looked at, at most.
_LOOKED_AT = 64


@dataclass(frozen=True, eq=False)
class ControlSurface:
    """A closed cut through the fluid as quadrature points; q of them.

    Attributes:
        points: (q, d) [m].
        area: (q, d) area vectors, outward [m^(d-1)]; their sum is zero.
        name: of the cut in tables.

    Raises:
        InvalidMeshError: shapes that do not fit, values that are not finite, or area vectors that do not close.
    """

    points: np.ndarray
    area: np.ndarray
    name: str = "control surface"

    def __post_init__(self) -> None:
        points, area = np.asarray(self.points, dtype=np.float64), np.asarray(self.area, dtype=np.float64)
        fits = points.ndim == 2 and points.shape == area.shape and points.shape[1] in (2, 3) and len(points) > 0
        if not fits or not (np.isfinite(points).all() and np.isfinite(area).all()):
            raise InvalidMeshError(
                f"points {points.shape} and area vectors {area.shape}, or some are not finite",
                where=self.name,
                remedy="give (q, 2) or (q, 3) finite arrays",
            )
        if np.linalg.norm(area.sum(axis=0)) > 1e-6 * np.linalg.norm(area, axis=1).sum():
            raise InvalidMeshError(
                "the area vectors do not sum to zero: the cut is open", where=self.name, remedy="close it; a box, circle or sphere is"
            )
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "area", area)

    @classmethod
    def circle(cls, center: Sequence[float], radius: float, count: int = 360) -> ControlSurface:
        """A circle in the plane; the rule of equal weights is exact up to harmonics of order ``count``/2.

        Args:
            center: (2,) [m]. radius: [m]. count: of points.

        Raises:
            ConfigurationError: a radius that is not positive, or fewer than 8 points.
        """
        _positive("circle", radius, count)
        angle = 2.0 * np.pi * (np.arange(count) + 0.5) / count
        normal = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        return cls(np.asarray(center) + radius * normal, normal * (2.0 * np.pi * radius / count), f"circle of radius {radius:.4g} m")

    @classmethod
    def sphere(cls, center: Sequence[float], radius: float, count: int = 48) -> ControlSurface:
        """A sphere, Gauss points along x and 2 ``count`` equal angles around it.

        Args:
            center: (3,) [m]. radius: [m]. count: of rings.

        Raises:
            ConfigurationError: a radius that is not positive, or fewer than 8 rings.
        """
        _positive("sphere", radius, count)
        height, weight = np.polynomial.legendre.leggauss(count)
        angle = np.pi * (np.arange(2 * count) + 0.5) / count
        across = np.sqrt(1.0 - height**2)[:, None]
        normal = np.stack([np.repeat(height[:, None], 2 * count, axis=1), across * np.cos(angle), across * np.sin(angle)], axis=2).reshape(-1, 3)
        size = np.repeat(weight * np.pi / count * radius**2, 2 * count)
        return cls(np.asarray(center) + radius * normal, normal * size[:, None], f"sphere of radius {radius:.4g} m")

    @classmethod
    def cylinder(cls, ends: Sequence[Sequence[float]], radius: float, count: int = 48) -> ControlSurface:
        """A cylinder between two points with its flat ends, Gauss points along it and along the radius.

        Args:
            ends: (2, 3) middles of the two ends [m]. radius: [m]. count: of rings along, and half of those around.

        Raises:
            ConfigurationError: a radius or length that is not positive, or fewer than 8 rings.
        """
        low, high = np.asarray(ends, dtype=np.float64)
        length = float(np.linalg.norm(high - low))
        _positive("cylinder", min(radius, length), count)
        axis = (high - low) / length
        one = np.cross(axis, np.eye(3)[np.argmin(np.abs(axis))])
        one /= np.linalg.norm(one)
        node, weight = np.polynomial.legendre.leggauss(count)
        node, weight = 0.5 * (node + 1.0), 0.5 * weight
        angle = np.pi * (np.arange(2 * count) + 0.5) / count
        around = np.cos(angle)[:, None] * one + np.sin(angle)[:, None] * np.cross(axis, one)
        step = np.pi / count
        side = low + length * node[:, None, None] * axis + radius * around
        parts = [side.reshape(-1, 3)]
        areas = [(weight[:, None, None] * length * radius * step * around).reshape(-1, 3)]
        for middle, sign in ((low, -1.0), (high, 1.0)):
            parts.append((middle + radius * node[:, None, None] * around).reshape(-1, 3))
            size = np.repeat(weight * node * radius**2 * step, 2 * count)
            areas.append(sign * size[:, None] * axis)
        return cls(np.concatenate(parts), np.concatenate(areas), f"cylinder of radius {radius:.4g} m")

    @classmethod
    def box(cls, lower: Sequence[float], upper: Sequence[float], count: int = 48) -> ControlSurface:
        """A rectangle or box along the axes, Gauss points on every side.

        Args:
            lower: (d,) [m]. upper: (d,) [m]. count: of points along every edge.

        Raises:
            ConfigurationError: no extent in a direction, or fewer than 8 points.
        """
        low, high = np.asarray(lower, dtype=np.float64), np.asarray(upper, dtype=np.float64)
        _positive("box", float((high - low).min()), count)
        node, weight = np.polynomial.legendre.leggauss(count)
        node, weight = 0.5 * (node + 1.0), 0.5 * weight
        d, points, areas = len(low), [], []
        for axis in range(d):
            rest = [k for k in range(d) if k != axis]
            grid = np.stack([g.reshape(-1) for g in np.meshgrid(*[low[k] + (high[k] - low[k]) * node for k in rest], indexing="ij")], axis=1)
            size = np.prod([g.reshape(-1) for g in np.meshgrid(*[(high[k] - low[k]) * weight for k in rest], indexing="ij")], axis=0)
            for end, sign in ((low, -1.0), (high, 1.0)):
                side, area = np.empty((len(grid), d)), np.zeros((len(grid), d))
                side[:, rest], side[:, axis] = grid, end[axis]
                area[:, axis] = sign * size
                points.append(side)
                areas.append(area)
        return cls(np.concatenate(points), np.concatenate(areas), "box " + " x ".join(f"{x:.4g}" for x in high - low) + " m")

    def encloses(self, points: np.ndarray) -> np.ndarray:
        """(m,) whether points (m, d) [m] lie inside, by the solid angle (Gauss)."""
        arm = self.points[None] - np.asarray(points)[:, None]
        d = self.points.shape[1]
        angle = ((arm * self.area).sum(axis=2) / np.linalg.norm(arm, axis=2) ** d).sum(axis=1)
        return angle > (1.0 if d == 2 else 2.0) * np.pi


@dataclass(frozen=True, eq=False)
class MomentumForces:
    """Force and moment by a momentum balance. Per metre of span in 2-D.

    Attributes:
        force: (d,) [N] or [N/m].
        moment: (3,) about ``about`` [N m] or [N].
        about: (d,) [m].
        lift: across the free stream [N] or [N/m]. drag: along it.
        mass_imbalance: what the cut loses of mass, as a share of the free stream's through the body's shadow; 0 for an exact field.
        mean_velocity: (d,) over the points of the cut [m/s].
        density_range: largest less least density on it [kg/m^3], 0 in an incompressible flow.
        surface: the cut.
        notes: what a reader should know.
    """

    force: np.ndarray
    moment: np.ndarray
    about: np.ndarray
    lift: float
    drag: float
    mass_imbalance: float
    mean_velocity: np.ndarray
    density_range: float
    surface: ControlSurface
    notes: tuple[str, ...]


def control_surface_forces(
    case_or_result: Case | Result | FlowField,
    surface: ControlSurface | None = None,
    *,
    about: Sequence[float] | None = None,
    pressure_unit: PressureUnit | None = None,
    reference_pressure: float = 0.0,
) -> MomentumForces:
    """Force on everything inside a closed cut: F = -oint p n dA - rho oint (u - U)(u.n) dA (Reynolds' transport theorem, steady).

    The free stream U is taken off the momentum, which changes nothing where mass is conserved and takes most of the error where it is not quite.
    Stresses of friction and turbulence on the cut are left out; a cut across a boundary layer is wrong by them.

    Args:
        case_or_result: a result whose field can be asked anywhere, or a volume mesh with velocity and pressure.
        surface: the cut; None takes a circle or sphere, half the body's diagonal away from it.
        about: (d,) point of the moment [m]; None the origin.
        pressure_unit: of a ``pressure`` whose file does not say whether it is static or kinematic.
        reference_pressure: [Pa], of the free stream.

    Raises:
        ConditionError: no operating point. InvalidMeshError: no field off the wall, or a cut that does not enclose the wall.
        FieldError: no velocity, or a cut through a body or beyond the field. PatchError: no pressure. UnitError: its unit is unknown.
    """
    if isinstance(case_or_result, FlowField):
        flow = case_or_result
    else:
        flow = flow_field(case_or_result, pressure_unit=pressure_unit, reference_pressure=reference_pressure)
    outline, d = body(flow.case.mesh, flow.case.wall).points, flow.dimension
    cut = default_surface(outline) if surface is None else surface
    _refuse(cut, outline, flow.case.name)
    center = np.zeros(d) if about is None else np.asarray(about, dtype=np.float64)
    velocity, pressure, density = flow.at(cut.points)
    stream = flow.point.velocity * flow.point.direction(d)
    through = density * (velocity * cut.area).sum(axis=1)
    push = -pressure[:, None] * cut.area
    force = (push - through[:, None] * (velocity - stream)).sum(axis=0)
    moment = _cross(cut.points - center, push - through[:, None] * velocity).sum(axis=0)
    across = outline @ flow.point.lift_direction(d)
    shadow = np.ptp(across) if d == 2 else np.ptp(across) * np.ptp(outline @ np.cross(flow.point.direction(3), flow.point.lift_direction(3)))
    lost = float(through.sum()) / (flow.density * flow.point.velocity * max(float(shadow), 1e-300))
    lift, drag = float(force @ flow.point.lift_direction(d)), float(force @ flow.point.direction(d))
    return MomentumForces(force, moment, center, lift, drag, lost, velocity.mean(axis=0), float(np.ptp(density)), cut, flow.notes)


def default_surface(outline: np.ndarray, share: float = 0.5) -> ControlSurface:
    """A circle or sphere that stays ``share`` of the body's diagonal away from the points (n, d) [m] of its wall."""
    low, high = outline.min(axis=0), outline.max(axis=0)
    size, center = float(np.linalg.norm(high - low)), 0.5 * (low + high)
    radius = (0.5 + share) * size
    return ControlSurface.circle(center, radius) if outline.shape[1] == 2 else ControlSurface.sphere(center, radius)


def _refuse(cut: ControlSurface, outline: np.ndarray, where: str) -> None:
    if cut.points.shape[1] != outline.shape[1]:
        raise InvalidMeshError(
            f"a cut in {cut.points.shape[1]}-D around a body in {outline.shape[1]}-D",
            where=where,
            remedy="ControlSurface.circle or box in the plane, sphere, box or cylinder in space",
        )
    some = outline[np.unique(np.linspace(0, len(outline) - 1, min(len(outline), _LOOKED_AT)).astype(np.int64))]
    outside = int((~cut.encloses(some)).sum())
    if outside:
        raise InvalidMeshError(
            f"the {cut.name} does not enclose the wall: {outside} of {len(some)} points of it lie outside",
            where=where,
            remedy="take a larger one, or another centre: its force would be that on a part of nothing",
        )


def _positive(what: str, size: float, count: int) -> None:
    if not (np.isfinite(size) and size > 0.0) or count < 8:
        raise ConfigurationError(
            f"a {what} of size {size} m with {count} points", where="ControlSurface", remedy="a positive size, at least 8 points"
        )


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(n, 3) cross product of 2-D or 3-D vectors."""
    if a.shape[1] == 3:
        return np.cross(a, b)
    return np.stack([np.zeros(len(a)), np.zeros(len(a)), a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]], axis=1)
