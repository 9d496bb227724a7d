"""When to stop an iteration, by what its user can know: how much a sweep changes, and what is left of the equations. Never the true solution."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...interfaces.outcome import Outcome, Status

_GROWTH, _ROWS, _WINDOW, _GAIN = 1e3, 6, 12, 0.03
_SEEN, _SLOW = 3, 0.999  # updates before a rate is believed; rates beyond are not believed


@dataclass
class Watch:
    """The history of an iteration, and whether it ends here.

    With exact local solves the relative residual of the equations decides. Learned ones leave a residual that never vanishes: there the iteration has
    converged when what all further sweeps would still change is small, update * rho/(1 - rho) with the rate rho of the last updates.

    Attributes:
        tolerance: of the relative residual (``exact``), or of that estimate, relative to the range of the solution.
        exact: which of the two.
        updates: per sweep the root mean square of its change over the range of the solution.
        residuals: per sweep the relative residual of the equations.
        since: the first update that decisions look at.
        slowest: rate of the slowest difference that was met when contraction was measured: a few updates need not show it yet.
        held: further sweeps, with the maps of nonlinear parts held.
        started: sweeps before those that count for the limit.
    """

    tolerance: float
    exact: bool
    updates: list[float] = field(default_factory=list)
    residuals: list[float] = field(default_factory=list)
    since: int = 0
    slowest: float = 0.0
    held: int = 0
    started: int = 0

    def begin_again(self, tolerance: float, exact: bool) -> None:
        """What came before no longer counts for decisions: the map has changed."""
        self.tolerance, self.exact, self.since, self.started = tolerance, exact, len(self.updates), self.sweeps

    def see(self, update: float, residual: float) -> Status | None:
        """Take note of a sweep; how the iteration ends, None where it goes on."""
        self.updates.append(update)
        self.residuals.append(residual)
        if not (np.isfinite(update) and np.isfinite(residual)):
            return "diverged"
        if (residual if self.exact else self.left) <= self.tolerance:
            return "converged"
        if self._grows():
            return "diverged"
        return "stagnated" if self._stands() else None

    @property
    def rate(self) -> float:
        """By how much an update shrinks from sweep to sweep, of the last four; 1 where that is not known yet."""
        last = [x for x in self.updates[self.since :][-4:] if x > 0.0]
        return (last[-1] / last[0]) ** (1.0 / (len(last) - 1)) if len(last) > 1 else 1.0

    @property
    def left(self) -> float:
        """Estimate of what all further sweeps would change; infinite while sweeps change more and more."""
        if self.updates[-1] == 0.0:
            return 0.0
        if len(self.updates) - self.since < _SEEN:
            return np.inf
        rate = max(self.rate, min(self.slowest, _SLOW))
        return self.updates[-1] * rate / (1.0 - rate) if rate < 1.0 else np.inf

    @property
    def sweeps(self) -> int:
        """All of them."""
        return len(self.updates) + self.held

    def _grows(self) -> bool:
        watched = (self.residuals if self.exact else self.updates)[self.since :]
        if watched[-1] > _GROWTH * watched[0] > 0.0:
            return True
        last = watched[-_ROWS:]
        return len(last) == _ROWS and all(b > 1.02 * a for a, b in zip(last[:-1], last[1:], strict=True)) and last[-1] > 2.0 * min(watched)

    def _stands(self) -> bool:
        watched = (self.residuals if self.exact else self.updates)[self.since :]
        if len(watched) < 2 * _WINDOW:
            return False
        return min(watched[-_WINDOW:]) > (1.0 - _GAIN) * min(watched[:-_WINDOW])

    def outcome(self, status: Status, remedy: str = "") -> Outcome:
        """The outcome in numbers."""
        if not self.updates:
            return Outcome(status, "nothing to solve for", remedy)
        what = f"residual {self.residuals[-1]:.1e}, last change {self.updates[-1]:.1e} after {self.sweeps} sweeps, tolerance {self.tolerance:.0e}"
        return Outcome(status, what, remedy)
