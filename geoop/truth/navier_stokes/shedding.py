"""Vortex shedding: forces over time, when they are periodic, and the Strouhal number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import ConvergenceError
from .forces import ForceGauge
from .problem import FlowProblem
from .unsteady import UnsteadyFlow

#: Cycles that must agree, and the smallest lift (top to bottom) that is called shedding.
CYCLES, LEAST_LIFT = 3, 1e-3


@dataclass(frozen=True)
class Shedding:
    """A periodic wake.

    Attributes:
        period: [s].
        strouhal: L / (U T) with the problem's reference values [-].
        drag_mean, drag_max: coefficients over the last cycles.
        lift_mean, lift_max, lift_min: the same.
    """

    period: float
    strouhal: float
    drag_mean: float
    drag_max: float
    lift_mean: float
    lift_max: float
    lift_min: float


@dataclass(frozen=True, eq=False)
class ForceHistory:
    """Force coefficients over time.

    Attributes:
        times: (k,) increasing [s].
        drag, lift: (k,) coefficients.
    """

    times: np.ndarray
    drag: np.ndarray
    lift: np.ndarray

    def crossings(self) -> np.ndarray:
        """Times [s] at which the lift passes upwards through the middle between its recent largest and smallest value."""
        recent = self.lift[len(self.lift) // 2 :]
        if len(recent) < 2:
            return np.zeros(0)
        y = self.lift - 0.5 * (recent.max() + recent.min())
        k = np.flatnonzero((y[:-1] < 0) & (y[1:] >= 0))
        return self.times[k] - y[k] * (self.times[k + 1] - self.times[k]) / (y[k + 1] - y[k])

    def shedding(self, problem: FlowProblem, tolerance: float = 0.01) -> Shedding | None:
        """The periodic state at the end, None if it is not there: the last cycles must agree in period, lift range and mean drag.

        Args:
            problem: for the reference values.
            tolerance: relative, between the last :data:`CYCLES` cycles.
        """
        crossings = self.crossings()
        if len(crossings) < CYCLES + 1:
            return None
        ends = crossings[-CYCLES - 1 :]
        parts = [(self.times >= a) & (self.times < b) for a, b in zip(ends[:-1], ends[1:], strict=True)]
        if min(part.sum() for part in parts) < 8:
            return None
        ranges = np.array([np.ptp(self.lift[part]) for part in parts])
        drags = np.array([self._mean(self.drag, a, b) for a, b in zip(ends[:-1], ends[1:], strict=True)])
        periods = np.diff(ends)
        if ranges.min() < LEAST_LIFT or any(np.ptp(item) > tolerance * abs(item.mean()) for item in (ranges, drags, periods)):
            return None
        period, last = float(periods.mean()), self.times >= ends[0]
        strouhal = problem.reference_length / (problem.reference_velocity * period)
        top, low = (_vertex(self.times[last], sign * self.lift[last]) * sign for sign in (1, -1))
        lift_mean = self._mean(self.lift, ends[0], ends[-1])
        return Shedding(period, strouhal, float(drags.mean()), _vertex(self.times[last], self.drag[last]), lift_mean, top, low)

    def _mean(self, values: np.ndarray, start: float, end: float) -> float:
        """Mean over an interval by the trapezoidal rule."""
        inside = self.times[(self.times > start) & (self.times < end)]
        t = np.concatenate([[start], inside, [end]])
        return float(np.trapezoid(np.interp(t, self.times, values), t) / (end - start))


def _vertex(times: np.ndarray, values: np.ndarray) -> float:
    """Largest value of a smooth record: the vertex of the parabola through the largest sample and its neighbours."""
    k = int(np.clip(values.argmax(), 1, len(values) - 2))
    curve = np.polyfit(times[k - 1 : k + 2] - times[k], values[k - 1 : k + 2], 2)
    return float(values[k] if curve[0] >= 0 else curve[2] - curve[1] ** 2 / (4 * curve[0]))


def disturbed(problem: FlowProblem, velocity: np.ndarray, place: tuple[float, float], strength: float = 0.3) -> np.ndarray:
    """A velocity (n, 2) [m/s] with a gust across the flow at one place, so that a symmetric flow does not stay symmetric.

    Args:
        problem: its reference velocity and length scale the gust.
        velocity: (n, 2) at the nodes.
        place: middle of the gust [m], for example half a length behind the body.
        strength: largest velocity of the gust over the reference velocity.
    """
    away = (problem.space.places - np.asarray(place)) / problem.reference_length
    gust = strength * problem.reference_velocity * np.exp(-(away**2).sum(axis=1))
    gust[problem.constraints.nodes] = 0.0
    return velocity + np.stack([np.zeros(len(gust)), gust], axis=1)


def march_until_periodic(flow: UnsteadyFlow, *patches: str, latest: float, every: int = 4, tolerance: float = 0.01) -> tuple[ForceHistory, Shedding]:
    """Advance a flow until its forces are periodic.

    Args:
        flow: advanced in place.
        patches: of the body.
        latest: time [s] at which to give up.
        every: steps between two records of the forces.
        tolerance: of :meth:`ForceHistory.shedding`.

    Returns:
        all forces recorded, and the periodic state.

    Raises:
        ConvergenceError: not periodic by then, or the step is too long.
        PatchError: no such patch.
    """
    gauge, rows = ForceGauge(flow.space, *patches), []
    problem, check = flow.problem, 0.0
    while flow.time < latest:
        solution = flow.advance()
        if flow.steps % every:
            continue
        found = gauge(solution)
        rows.append((flow.time, found.drag_coefficient, found.lift_coefficient))
        if flow.time >= check:
            check = flow.time + problem.reference_length / problem.reference_velocity
            history = ForceHistory(*np.array(rows).T)
            state = history.shedding(problem, tolerance)
            if state is not None:
                return history, state
    lift = np.array([row[2] for row in rows[-len(rows) // 3 :]] or [0.0])
    raise ConvergenceError(
        f"the forces are not periodic by {latest:.5g} s: in the last third the lift coefficient runs from {lift.min():.4g} to {lift.max():.4g}",
        where=flow.space.domain.mesh.name,
        remedy="march longer, disturb the start more (disturbed), or solve the steady problem: below Reynolds number 47 a wake is steady",
    )
