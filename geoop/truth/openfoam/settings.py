"""What is solved and how: turbulence model, steady or in time, schemes. Plain values; the dictionaries are made from them."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Literal, get_args

from ...errors import ConfigurationError

Model = Literal["SpalartAllmaras", "kOmegaSST"]
Convection = Literal["linear", "linearUpwind", "limitedLinear", "LUST", "upwind"]


@dataclass(frozen=True)
class Turbulence:
    """A RANS model with its inflow and its treatment of walls.

    Defaults are those of NASA's Turbulence Modeling Resource: fully turbulent from the leading edge on. Only Spalart-Allmaras with LUST
    has met published values, on one section: see :mod:`geoop.truth.openfoam.standing`. All else says ``experimental``.

    Attributes:
        model: ``SpalartAllmaras`` or ``kOmegaSST``.
        ratio: inflow: nuTilda / nu for Spalart-Allmaras (3 by default), nu_t / nu for k-omega (0.009).
        intensity: inflow u' / U, only for k-omega.
        walls: ``resolved`` (first cell at y+ about 1) or ``functions`` (Spalding's law, any y+).
    """

    model: Model = "SpalartAllmaras"
    ratio: float | None = None
    intensity: float = 1e-3
    walls: Literal["resolved", "functions"] = "resolved"

    def __post_init__(self) -> None:
        problems = _not_positive(self)
        if self.model not in get_args(Model):
            problems.append(f"model is {self.model!r}, choose one of {', '.join(get_args(Model))}")
        if self.walls not in ("resolved", "functions"):
            problems.append(f"walls is {self.walls!r}, choose 'resolved' or 'functions'")
        _refuse(problems, "Turbulence")

    @property
    def inflow_ratio(self) -> float:
        return self.ratio or (3.0 if self.model == "SpalartAllmaras" else 0.009)


@dataclass(frozen=True)
class Steady:
    """SIMPLE iterations (simpleFoam).

    Attributes:
        iterations: at most.
        residual: the run ends when all initial residuals are below this; the judge asks for it or for flat coefficients.
        relaxation: of velocity and turbulence; the pressure of the non-consistent variant takes 0.3. At 0.85 RANS ended in a cycle of two
            iterations whose friction differed by 1 % and was 2 % too high in the mean.
        consistent: SIMPLEC; False is slower and bears worse grids.
    """

    iterations: int = 5000
    residual: float = 1e-6
    relaxation: float = 0.7
    consistent: bool = True

    def __post_init__(self) -> None:
        problems = _not_positive(self)
        if not 0 < self.relaxation <= 1:
            problems.append(f"relaxation is {self.relaxation}, give a number in (0, 1]")
        _refuse(problems, "Steady")


@dataclass(frozen=True)
class Unsteady:
    """Time steps (icoFoam, pimpleFoam as PISO), second order backward in time.

    Attributes:
        end_time: [s].
        time_step: [s]; the first one where ``courant`` is given.
        courant: largest Courant number, the step follows it (pimpleFoam only); None keeps the step.
        solver: ``icoFoam`` for laminar flow with a fixed step, ``pimpleFoam`` for everything.
        correctors: pressure corrections per step.
        frames: times at which fields are written, evenly from the beginning; the last one is ``end_time``.
    """

    end_time: float
    time_step: float
    courant: float | None = None
    solver: Literal["icoFoam", "pimpleFoam"] = "pimpleFoam"
    correctors: int = 2
    frames: int = 1

    def __post_init__(self) -> None:
        problems = _not_positive(self)
        if self.solver not in ("icoFoam", "pimpleFoam"):
            problems.append(f"solver is {self.solver!r}, choose 'icoFoam' or 'pimpleFoam'")
        if self.courant is not None and self.solver == "icoFoam":
            problems.append("icoFoam has a fixed step: leave courant out, or take pimpleFoam")
        if not problems and self.time_step > self.end_time:
            problems.append(f"time_step {self.time_step} s is longer than end_time {self.end_time} s")
        _refuse(problems, "Unsteady")


@dataclass(frozen=True)
class Schemes:
    """Discretisation in space.

    Attributes:
        convection: of the velocity; ``linearUpwind`` is second order and sturdy, ``LUST`` (three quarters central) has a third of its
            error and wants to start from its solution, ``linear`` is for resolved laminar flow.
        turbulence: of the turbulence variables; ``linearUpwind`` makes nuTilda negative in places.
        non_orthogonal: further pressure corrections per iteration or step, 1 or 2 for triangles and tetrahedra.
        limited: share of the non-orthogonal correction that is kept where it grows too large; 1 keeps all of it.
    """

    convection: Convection = "linearUpwind"
    turbulence: Convection = "limitedLinear"
    non_orthogonal: int = 0
    limited: float = 1.0

    def __post_init__(self) -> None:
        problems = [
            f"{name} is {getattr(self, name)!r}, choose one of {', '.join(get_args(Convection))}"
            for name in ("convection", "turbulence")
            if getattr(self, name) not in get_args(Convection)
        ]
        if self.non_orthogonal < 0:
            problems.append(f"non_orthogonal is {self.non_orthogonal}, give 0 or more")
        if not 0 < self.limited <= 1:
            problems.append(f"limited is {self.limited}, give a number in (0, 1]")
        _refuse(problems, "Schemes")


def _not_positive(settings: object) -> list[str]:
    """A sentence for every number that is not positive and finite."""
    found = []
    for item in fields(settings):  # pyright: ignore[reportArgumentType]
        value = getattr(settings, item.name)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and not (math.isfinite(value) and value > 0):
            found.append(f"{item.name} is {value}, give a positive number")
    return found


def _refuse(problems: list[str], where: str) -> None:
    if problems:
        raise ConfigurationError("; ".join(problems), where=where, remedy="the defaults suit a section on a structured grid")
