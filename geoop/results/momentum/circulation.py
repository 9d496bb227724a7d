"""Lift from the circulation far from the body (Kutta and Joukowski), which looks neither at the wall nor at a pressure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import ConditionError, ConfigurationError
from ...interfaces.result import Result
from ...mesh.body import body
from ...mesh.case import Case
from .flow_field import FlowField, flow_field


@dataclass(frozen=True, eq=False)
class Circulation:
    """Circulation on loops of growing radius; k of them.

    Attributes:
        radius: (k,) [m].
        circulation: (k,) clockwise, so that positive is lift upward [m^2/s].
        lift: (k,) rho U Gamma [N/m], across the free stream.
        center: (d,) of the loops [m].
    """

    radius: np.ndarray
    circulation: np.ndarray
    lift: np.ndarray
    center: np.ndarray

    @property
    def spread(self) -> float:
        """Largest difference between the loops' lifts [N/m]: 0 in a potential flow, whose circulation no loop round the body changes."""
        return float(np.ptp(self.lift))


def circulation(
    case_or_result: Case | Result | FlowField,
    *,
    radius: float | Sequence[float] | None = None,
    center: Sequence[float] | None = None,
    station: float | None = None,
    count: int = 720,
) -> Circulation:
    """Gamma = -oint u.dl on circles round the body, and the lift rho U Gamma per metre of span that it means.

    Exact in plane potential flow on any loop; with a wake nearly so, for what is lost of the vorticity in the wake has the sum zero. In space the
    loops lie in the plane y = ``station`` and give the bound circulation there.

    Args:
        case_or_result: a result whose field can be asked anywhere, or a volume mesh with ``velocity``.
        radius: [m], one or several; None takes 1, 1.5 and 2 times the size of the body (in space: of its cut).
        center: (d,) [m]; None the middle of the body.
        station: y of the plane of the loops [m], in space only.
        count: of points on a loop, equally weighted.

    Raises:
        ConditionError: no operating point, or ``station`` left out in space or given in the plane, or where the body has no cut.
        ConfigurationError: a radius that is not positive, or fewer than 8 points.
        FieldError: no velocity, or loops through a body or beyond the field.
    """
    flow = case_or_result if isinstance(case_or_result, FlowField) else flow_field(case_or_result)
    wall = body(flow.case.mesh, flow.case.wall).points
    middle, size, axes = _place(wall, station, flow.case.name)
    middle = middle if center is None else np.asarray(center, dtype=np.float64)
    radii = np.atleast_1d(np.asarray(size * np.array([1.0, 1.5, 2.0]) if radius is None else radius, dtype=np.float64))
    if not (np.isfinite(radii).all() and (radii > 0).all()) or count < 8:
        raise ConfigurationError(f"radius {radius} with {count} points", where="circulation", remedy="positive radii in metres, at least 8 points")
    angle = 2.0 * np.pi * (np.arange(count) + 0.5) / count
    out = np.cos(angle)[:, None] * axes[0] + np.sin(angle)[:, None] * axes[1]
    along = -np.sin(angle)[:, None] * axes[0] + np.cos(angle)[:, None] * axes[1]
    every = np.concatenate([middle + r * out for r in radii])
    velocity = flow.velocity(every).reshape(len(radii), count, -1)
    gamma = -(velocity * along).sum(axis=(1, 2)) * 2.0 * np.pi * radii / count
    return Circulation(radii, gamma, flow.density * flow.point.velocity * gamma, middle)


def _place(wall: np.ndarray, station: float | None, where: str) -> tuple[np.ndarray, float, np.ndarray]:
    """Middle and size of the body, or of its points near a plane, and the two axes of the loops."""
    d = wall.shape[1]
    if (station is None) == (d == 3):
        raise ConditionError(
            "loops in space lie in a plane across the span" if d == 3 else "a station in the plane, which has no span",
            where=where,
            remedy="circulation(..., station=y)" if d == 3 else "leave station out",
        )
    if d == 2:
        low, high = wall.min(axis=0), wall.max(axis=0)
        return 0.5 * (low + high), float(np.linalg.norm(high - low)), np.eye(2)
    assert station is not None
    y = wall[:, 1]
    if not y.min() <= station <= y.max():
        raise ConditionError(
            f"the body reaches from y = {y.min():.4g} to {y.max():.4g} m, the station is {station:.4g}",
            where=where,
            remedy="take a station on the body",
        )
    near = wall[np.argsort(np.abs(y - station), kind="stable")[: max(8, len(wall) // 50)]]  # enough of the cut to know its place and size
    low, high = near.min(axis=0), near.max(axis=0)
    middle = 0.5 * (low + high)
    middle[1] = station
    return middle, float(np.hypot(high[0] - low[0], high[2] - low[2])), np.eye(3)[[0, 2]]
