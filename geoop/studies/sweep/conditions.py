"""The conditions of a study: angles, speed or Reynolds number, Mach number, on a grid, in a list or in a Latin hypercube."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import ConditionError, ConfigurationError, GeoopError
from ...io.settings import check_keys
from ...mesh.operating_point import OperatingPoint
from .ranges import grid, latin_hypercube, side_by_side, varied

#: What may vary, the slowest first: neighbours in the table differ in the angle of attack.
VARIED = ("mach", "density", "viscosity", "reynolds", "velocity", "beta", "alpha")
SAMPLINGS = ("grid", "list", "latin hypercube")


@dataclass(frozen=True)
class Condition:
    """One condition, for a body of any size; what was not stated is None.

    Attributes:
        alpha: [deg].
        beta: sideslip [deg], in space.
        velocity: [m/s].
        reynolds: [-], with the reference length of the geometry.
        mach: [-].
        density: [kg/m^3].
        viscosity: dynamic [Pa s].
    """

    alpha: float = 0.0
    beta: float = 0.0
    velocity: float | None = None
    reynolds: float | None = None
    mach: float | None = None
    density: float = 1.225
    viscosity: float | None = None

    def operating_point(self, length: float | None) -> OperatingPoint:
        """The free stream at a geometry of this reference length [m].

        A Reynolds number with a speed gives the viscosity, with a viscosity the speed.

        Raises:
            ConditionError: too little or too much is stated, or values are impossible.
        """
        speed, viscosity = self.velocity, self.viscosity
        if self.reynolds is not None:
            if length is None or self.reynolds <= 0:
                found = f"Re = {self.reynolds:g}" if length is not None else "a Reynolds number and no reference length"
                raise ConditionError(found, where="conditions", remedy="give a positive Reynolds number, and reference_length for a body in space")
            if speed is not None:
                viscosity = self.density * speed * length / self.reynolds
            elif viscosity is not None:
                speed = self.reynolds * viscosity / (self.density * length)
        assert speed is not None  # the study file was checked
        return OperatingPoint(speed, self.alpha, self.beta, self.density, viscosity, self.mach, length)

    def stated(self) -> dict[str, float]:
        """What was stated, for study.json."""
        return {key: value for key, value in vars(self).items() if value is not None}


def conditions_of(table: Mapping[str, Any], seed: int, where: str) -> list[Condition]:
    """The table ``[conditions]`` as a list.

    Args:
        table: alpha, beta, velocity, reynolds, mach, density, viscosity: see :func:`geoop.studies.sweep.ranges.varied`; ``sampling`` out of grid
            (unless given), list and latin hypercube; ``count`` of the hypercube.
        seed: of the hypercube.
        where: for errors.

    Raises:
        ConfigurationError: unknown keys, unreadable or impossible values, a speed that is not stated or stated twice: all in one error.
    """
    check_keys(table, {*VARIED, "sampling", "count"}, where)
    problems, choices = [], {}
    for name in VARIED:
        if name in table:
            try:
                choices[name] = varied(table[name], name)
            except GeoopError as error:
                problems.append(error)
    sampling, count = table.get("sampling", "grid"), table.get("count")
    said = [f"{error.where}: {error.message}" for error in problems] + list(_contradictions(choices, sampling, count))
    if said:
        remedy = problems[0].remedy if problems else "alpha in degrees and velocity in m/s (or reynolds with one of velocity and viscosity)"
        raise ConfigurationError("; ".join(said), where=where, remedy=remedy)
    try:
        if sampling == "latin hypercube":
            rows = latin_hypercube(choices, int(count or 0), seed)
        else:
            rows = side_by_side(choices) if sampling == "list" else grid(choices)
    except ConfigurationError as error:
        raise ConfigurationError(error.message, where=where, remedy=error.remedy) from error
    return [Condition(**row) for row in rows]


def _contradictions(choices: Mapping[str, Any], sampling: Any, count: Any):
    """What is wrong with the table as a whole."""
    if sampling not in SAMPLINGS:
        yield f"sampling = {sampling!r} is none of {', '.join(SAMPLINGS)}"
    whole = isinstance(count, int) and not isinstance(count, bool) and count >= 1
    if (sampling == "latin hypercube") != whole:
        yield f"sampling = {sampling!r} and count = {count!r}: a Latin hypercube needs a whole number of draws, nothing else has one"
    if "velocity" not in choices and not {"reynolds", "viscosity"} <= set(choices):
        yield "no speed is stated: velocity, or reynolds with viscosity"
    if {"velocity", "reynolds", "viscosity"} <= set(choices):
        yield "velocity, reynolds and viscosity are stated: any two of them give the third"
