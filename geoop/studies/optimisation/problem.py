"""optimise.toml, or the same tables as a mapping, as a checked problem: section, condition, objective, variables, constraints, solver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ConfigurationError, GeoopError
from ...io.settings import build, check_keys, read_toml
from ...mesh.body import body
from ...mesh.mesh import Mesh
from ...mesh.operating_point import OperatingPoint
from ...mesh.section_shapes import Bumps, ClassShape, NacaDigits, SectionShape
from ...results.surrogate import Surrogate
from ..sweep.conditions import Condition
from ..sweep.geometries import geometries_of, referenced

#: What can be made small, large, or equal to a number.
MINIMISED, MAXIMISED, TARGETS = ("CD", "CM", "|CM|"), ("CL", "CL/CD"), ("CL", "CM")
CRESTS = (0.05, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9)


@dataclass(frozen=True)
class Objective:
    """What is asked for; exactly one of the three.

    Attributes:
        minimise: ``CD``, ``CM`` or ``|CM|``.
        maximise: ``CL`` or ``CL/CD``.
        target: coefficient -> value to come near to, ``CL`` and ``CM``.

    Raises:
        ConfigurationError: none, several, or an unknown one.
    """

    minimise: str | None = None
    maximise: str | None = None
    target: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        stated = [name for name in ("minimise", "maximise", "target") if getattr(self, name)]
        wrong = [f"minimise = {self.minimise!r}"] if self.minimise and self.minimise not in MINIMISED else []
        wrong += [f"maximise = {self.maximise!r}"] if self.maximise and self.maximise not in MAXIMISED else []
        wrong += [f"target {key} = {value!r}" for key, value in self.target.items() if key not in TARGETS or not _number(value)]
        if len(stated) != 1 or wrong:
            raise ConfigurationError(
                "; ".join(wrong) or f"{' and '.join(stated) or 'nothing'} says what is asked for",
                where="[objective]",
                remedy=f"one of: minimise out of {MINIMISED}, maximise out of {MAXIMISED}, target = {{CL = 0.5}} of {TARGETS}",
            )

    @property
    def drag(self) -> bool:
        """Whether it needs CD."""
        return self.minimise == "CD" or self.maximise == "CL/CD"

    def of(self, c: Mapping[str, float]) -> float:
        """The number that is made small, from CL, CM and CD."""
        if self.minimise:
            return c[self.minimise] if self.minimise in c else c["CM"] ** 2
        if self.maximise:
            return -c["CL"] / (c["CD"] if "/" in self.maximise else 1.0)
        return sum((c[name] - value) ** 2 for name, value in self.target.items())

    def slope(self, c: Mapping[str, float], by: Mapping[str, np.ndarray]) -> np.ndarray:
        """(m,) its derivatives, from those of the coefficients."""
        if self.minimise:
            return by[self.minimise] if self.minimise in by else 2.0 * c["CM"] * by["CM"]
        if self.maximise:
            return -by["CL"] if self.maximise == "CL" else -(by["CL"] - c["CL"] / c["CD"] * by["CD"]) / c["CD"]
        return sum((2.0 * (c[name] - value) * by[name] for name, value in self.target.items()), np.zeros(len(by["CL"])))

    def __str__(self) -> str:
        if self.target:
            return ", ".join(f"{name} near {value:g}" for name, value in self.target.items())
        return f"smallest {self.minimise}" if self.minimise else f"largest {self.maximise}"


@dataclass(frozen=True)
class Variables:
    """What may move.

    Attributes:
        shape: ``bumps`` on both sides, ``class shape`` (both sides as Bernstein polynomials), ``naca`` (camber, its position, thickness of a four-digit section),
            or ``none``: the angle of attack alone.
        upper, lower: crests of the bumps, x/c.
        terms: of every side of a class shape.
        limit: largest change of a number [chord]; of a class shape's terms ten times as much.
        alpha: least and largest angle of attack [deg]; empty keeps it.
    """

    shape: str = "bumps"
    upper: Sequence[float] = CRESTS
    lower: Sequence[float] = CRESTS
    terms: int = 6
    limit: float = 0.015
    alpha: Sequence[float] = ()

    def __post_init__(self) -> None:
        problems = []
        if self.shape not in ("bumps", "class shape", "naca", "none"):
            problems.append(f"shape = {self.shape!r} is none of 'bumps', 'class shape', 'naca', 'none'")
        if not 0.0 < self.limit <= 0.2:
            problems.append(f"limit = {self.limit!r} is not between 0 and 0.2 chords")
        if len(self.alpha) not in (0, 2) or not all(_number(a) for a in self.alpha) or (len(self.alpha) == 2 and self.alpha[0] >= self.alpha[1]):
            problems.append(f"alpha = {list(self.alpha)} is no interval in degrees")
        if self.shape == "none" and not len(self.alpha):
            problems.append("nothing may move")
        if problems:
            raise ConfigurationError("; ".join(problems), where="[variables]", remedy='for example shape = "bumps", limit = 0.015, alpha = [-2, 8]')


@dataclass(frozen=True)
class Constraints:
    """What must hold; None and empty ask for nothing.

    Attributes:
        CL: exactly this lift. CL_min, CM_min, CM_max, CD_max: bounds.
        thickness: [x/c, least t/c] pairs.
        max_thickness: least largest thickness [chord].
        area: least area over chord squared.
        nose_radius: least radius of the parabola through the thickness at 1 % of the chord [chord].
        edge_angle: least angle between the sides over the last 2 % of the chord [deg]. The panel method that checks refuses less than 5: unless stated it is 5.5,
            or what the start has if that is less.
        confidence: ``inside`` or ``edge`` keeps the section within what the model was trained on; ``none`` does not ask.
    """

    CL: float | None = None
    CL_min: float | None = None
    CM_min: float | None = None
    CM_max: float | None = None
    CD_max: float | None = None
    thickness: Sequence[Sequence[float]] = ()
    max_thickness: float | None = None
    area: float | None = None
    nose_radius: float | None = None
    edge_angle: float | None = None
    confidence: str = "inside"

    def __post_init__(self) -> None:
        problems = []
        if self.confidence not in ("inside", "edge", "none"):
            problems.append(f"confidence = {self.confidence!r} is none of 'inside', 'edge', 'none'")
        for pair in self.thickness:
            if not (isinstance(pair, Sequence) and len(pair) == 2 and all(map(_number, pair)) and 0 < pair[0] < 1 and 0 < pair[1] < 1):
                problems.append(f"thickness entry {pair!r} is no [x/c, t/c]")
        for name in ("max_thickness", "area", "nose_radius", "edge_angle", "CD_max"):
            value = getattr(self, name)
            if value is not None and not (_number(value) and value > 0):
                problems.append(f"{name} = {value!r} is not positive")
        if self.CL is not None and self.CL_min is not None:
            problems.append("CL and CL_min are both stated")
        if self.CM_min is not None and self.CM_max is not None and self.CM_min > self.CM_max:
            problems.append(f"CM_min = {self.CM_min:g} exceeds CM_max = {self.CM_max:g}")
        if problems:
            raise ConfigurationError("; ".join(problems), where="[constraints]", remedy="lengths in chords, angles in degrees, CM nose up positive")


@dataclass(frozen=True)
class SolverSettings:
    """How it is searched.

    Attributes:
        method: ``SLSQP`` or ``trust-constr`` of SciPy.
        starts: the given section, and so many less one random changes of it.
        iterations: most of every start. tolerance: of the objective, relative. seed: of the random starts.
        transition: 0 for a boundary layer that is turbulent from the start, ``free`` for natural transition, whose place jumps from station to station.
    """

    method: str = "SLSQP"
    starts: int = 1
    iterations: int = 40
    tolerance: float = 1e-5
    seed: int = 0
    transition: int | str = 0

    def __post_init__(self) -> None:
        problems = [f"method = {self.method!r} is neither 'SLSQP' nor 'trust-constr'"] if self.method not in ("SLSQP", "trust-constr") else []
        problems += [f"{name} = {getattr(self, name)!r}" for name in ("starts", "iterations") if getattr(self, name) < 1]
        problems += [f"tolerance = {self.tolerance!r}"] if not self.tolerance > 0 else []
        problems += [f"transition = {self.transition!r} is neither 0 nor 'free'"] if self.transition not in (0, "free") else []
        if problems:
            raise ConfigurationError("; ".join(problems), where="[solver]", remedy="for example starts = 3, iterations = 40")


@dataclass(frozen=True, eq=False)
class OptimiseProblem:
    """A section to be improved, as it was asked for.

    Attributes:
        model: a surrogate, its name or path, or ``panels``.
        section: as it was given. point: the condition, with the reference length.
        name: of the section. output: folder, None where nothing is written.
    """

    model: str | Path | Surrogate
    section: Mesh
    point: OperatingPoint
    objective: Objective
    variables: Variables = Variables()
    constraints: Constraints = Constraints()
    solver: SolverSettings = SolverSettings()
    name: str = "section"
    output: Path | None = None

    def __post_init__(self) -> None:
        if (self.objective.drag or self.constraints.CD_max is not None) and self.point.viscosity is None:
            raise ConfigurationError("CD is asked for without a viscosity", where="[condition]", remedy="give reynolds or viscosity")
        low_high = tuple(self.variables.alpha)
        if low_high and not low_high[0] <= self.point.alpha <= low_high[1]:
            raise ConfigurationError(
                f"alpha = {self.point.alpha:g} to begin with lies outside of {list(low_high)}",
                where="[variables]",
                remedy="begin within the interval: alpha in [condition]",
            )

    @property
    def drag(self) -> bool:
        """Whether CD is looked at."""
        return self.point.viscosity is not None

    @property
    def needs_drag(self) -> bool:
        """Whether the solver needs CD."""
        return self.objective.drag or self.constraints.CD_max is not None

    def shape(self) -> SectionShape | None:
        """The family of sections; None where the angle alone moves.

        Raises:
            ConfigurationError, InvalidMeshError: see the families.
        """
        kind = self.variables.shape
        if kind == "bumps":
            return Bumps(self.section, tuple(self.variables.upper), tuple(self.variables.lower))
        if kind == "class shape":
            return ClassShape(self.section, self.variables.terms)
        return _digits(self.section) if kind == "naca" else None


def read_problem(source: str | Path | Mapping[str, Any], output: str | Path | None = None) -> OptimiseProblem:
    """A problem from a file or the same tables.

    Args:
        source: path of optimise.toml, or a mapping with ``model``, ``section``, ``condition``, ``objective`` and, if wanted, ``variables``, ``constraints``,
            ``solver``, ``output``.
        output: folder; that of the file unless given.

    Raises:
        ConfigurationError: unknown or missing keys, wrong types and values. Errors of reading the section.
    """
    folder = Path(source).resolve().parent if isinstance(source, str | Path) else Path()
    tables = read_toml(source) if isinstance(source, str | Path) else dict(source)
    where = str(source) if isinstance(source, str | Path) else "optimise"
    check_keys(tables, {"model", "section", "condition", "objective", "variables", "constraints", "solver", "output"}, where)
    missing = [key for key in ("model", "section", "condition", "objective") if key not in tables]
    if missing:
        raise ConfigurationError(f"missing {missing}", where=where, remedy="see `geoop optimise --template`")
    section = tables["section"]
    shapes, errors = geometries_of([{"mesh": section} if isinstance(section, Mesh) else section], folder, 0)
    if errors:
        raise errors[0]
    if len(shapes) != 1 or shapes[0].mesh.dimension != 2:
        raise ConfigurationError(f"{len(shapes)} shapes", where="[section]", remedy="name one section")
    condition: Condition = build(Condition, tables["condition"], "[condition]")
    if condition.velocity is None and (condition.reynolds is None or condition.viscosity is None):
        raise ConfigurationError("no speed", where="[condition]", remedy="velocity = 60 [m/s]; with reynolds = 3e6 where CD is asked for")
    shape = referenced(shapes[0])
    problems: list[GeoopError] = []
    parts: dict[str, Any] = {}
    for key, kind in (("objective", Objective), ("variables", Variables), ("constraints", Constraints), ("solver", SolverSettings)):
        try:
            parts[key] = build(kind, tables.get(key, {}), f"[{key}]")
        except GeoopError as error:
            problems.append(error)
    if problems:
        raise ConfigurationError(
            "; ".join(f"{p.where} {p.message}" for p in problems), where=where, remedy="; ".join(dict.fromkeys(p.remedy for p in problems))
        )
    model = tables["model"]
    if isinstance(model, str) and model != "panels" and (folder / model).is_file():
        model = folder / model
    target = output if output is not None else folder / tables["output"] if "output" in tables else None
    return OptimiseProblem(
        model,
        body(shape.mesh, shape.wall),
        condition.operating_point(shape.length),
        **parts,
        name=shape.name,
        output=None if target is None else Path(target),
    )


def _digits(section: Mesh) -> NacaDigits:
    """The four-digit section nearest to a given one, by its thickness and camber."""
    from .limits import SectionMeasures

    found = SectionMeasures.of(section)
    camber, position = found.camber
    return NacaDigits(max(camber, 0.001), float(np.clip(position, 0.2, 0.7)), found.thickest, 200, found.chord)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and bool(np.isfinite(value))
