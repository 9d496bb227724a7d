"""What a solver says while it runs, line by line: times, residuals, coefficients, fatal errors."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

import numpy as np

_NUMBER = r"[-+]?(?:nan|inf|\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)"
_TIME = re.compile(rf"Time = ({_NUMBER})s?\s*$")
_RESIDUAL = re.compile(rf"Solving for (\S+), Initial residual = ({_NUMBER}), Final residual = ({_NUMBER})")
_COEFFICIENT = re.compile(rf"\s*(Cd|Cl|CmPitch|Cm)\s*[:=]\s*({_NUMBER})")
_FATAL = re.compile(r"FOAM FATAL (IO )?ERROR|Foam::error::printStack|Foam::sigFpe|Segmentation fault|cannot open shared object|MPI_ABORT")
_EXCERPT = 12  # lines of a fatal error that are shown


@dataclass(frozen=True)
class Progress:
    """The state of a run after one iteration or time step.

    Attributes:
        time: iteration number of a steady run, [s] of an unsteady one.
        end: where the run ends at the latest.
        residuals: field -> initial residual of its first solve in this step.
        coefficients: ``Cd``, ``Cl``, ``CmPitch`` where the case logs them.
        seconds: wall time since the start.
    """

    time: float
    end: float
    residuals: dict[str, float]
    coefficients: dict[str, float]
    seconds: float


@dataclass
class History:
    """All steps of a run.

    Attributes:
        times: one per step.
        residuals: per step, field -> initial residual.
        coefficients: per step, name -> value.
        fatal: the lines in which the solver said why it stopped; empty where it did not.
    """

    times: list[float] = field(default_factory=list)
    residuals: list[dict[str, float]] = field(default_factory=list)
    coefficients: list[dict[str, float]] = field(default_factory=list)
    fatal: list[str] = field(default_factory=list)

    def take(self, line: str) -> bool:
        """Take in one line; True where a new step begins, so that the one before is complete."""
        if self.fatal:
            if len(self.fatal) < _EXCERPT and line.strip():
                self.fatal.append(line.strip())
            return False
        if _FATAL.search(line):
            self.fatal.append(line.strip())
            return False
        found = _TIME.match(line)
        if found:
            self.times.append(float(found[1]))
            self.residuals.append({})
            self.coefficients.append({})
            return len(self.times) > 1
        if not self.times:
            return False
        found = _RESIDUAL.search(line)
        if found:
            self.residuals[-1].setdefault(found[1], float(found[2]))
        else:
            found = _COEFFICIENT.match(line)
            if found:
                self.coefficients[-1].setdefault("CmPitch" if found[1] == "Cm" else found[1], float(found[2]))
        return False

    def step(self, index: int, end: float, seconds: float) -> Progress:
        return Progress(self.times[index], end, self.residuals[index], self.coefficients[index], seconds)

    def series(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """(k,) times and (k,) values of a coefficient or, under the name of a field, of its residual."""
        rows = self.coefficients if any(name in row for row in self.coefficients) else self.residuals
        pairs = [(time, row[name]) for time, row in zip(self.times, rows, strict=True) if name in row]
        return np.array([time for time, _ in pairs]), np.array([value for _, value in pairs])

    def names(self, kind: str) -> list[str]:
        """Names of all ``residuals`` or ``coefficients``."""
        return list(dict.fromkeys(name for row in getattr(self, kind) for name in row))

    def first_not_finite(self) -> str:
        """The first value that is NaN or infinite, in words; empty where there is none."""
        for time, residuals, coefficients in zip(self.times, self.residuals, self.coefficients, strict=True):
            for name, value in (*residuals.items(), *coefficients.items()):
                if not math.isfinite(value):
                    return f"{name} is {value} at time {time:g}"
        return ""
