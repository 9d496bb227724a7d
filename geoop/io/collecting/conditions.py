"""The condition of every run: from its row, from what is said for all, from the solver's own files; derived where that is possible."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import GeoopError
from ...mesh.operating_point import OperatingPoint
from ...mesh.si_units import known_unit, scale_of
from .choices import Choices, Question, reason
from .columns import CONDITIONS, RESULTS, Column, role_of
from .table import Table, as_number

#: Air: ratio of specific heats, gas constant [J/(kg K)].
_GAMMA, _GAS = 1.4, 287.05


@dataclass(frozen=True)
class Condition:
    """What is known of the condition of a run.

    Attributes:
        values: role -> number in SI units, degrees.
        sources: role -> where it comes from.
        results: name -> coefficient that the table states.
        parameters: extra columns, numbers or texts.
        labels: ``split`` and ``geometry`` where the table has such columns.
        problems: cells that cannot be read.
    """

    values: dict[str, float] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    results: dict[str, float] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def operating_point(self, inviscid: bool = False) -> OperatingPoint | None:
        """The operating point; None without a speed.

        Raises:
            ConditionError: a value is impossible.
        """
        if "velocity" not in self.values:
            return None
        known = {key: self.values[key] for key in ("velocity", "alpha", "beta", "density", "mach", "reference_length") if key in self.values}
        return OperatingPoint(**known, viscosity=None if inviscid else self.values.get("viscosity"))


def from_row(table: Table, row: int, columns: list[Column]) -> Condition:
    """What a row says, in SI units."""
    values, sources, results, parameters, labels, problems = {}, {}, {}, {}, {}, []
    for column, text in zip(columns, table.rows[row], strict=True):
        where = f"line {table.lines[row]}, column '{column.header}'"
        if column.role in CONDITIONS or column.role in RESULTS:
            value = as_number(text)
            if value is None or not math.isfinite(value):
                problems.append(f"{where}: {f'{text!r} is not a number' if text else 'the cell is empty'}")
                continue
            value = float(scale_of(column.unit, where)(value))
            if column.role in RESULTS:
                results[column.role] = value
            else:
                values[column.role], sources[column.role] = value, f"column '{column.header}'"
        elif column.role in ("split", "geometry"):
            if text:
                labels[column.role] = text
        elif column.role == "parameter" and text:
            value = as_number(text)
            parameters[column.name] = text if value is None else value
    return Condition(values, sources, results, parameters, labels, tuple(problems))


def completed(condition: Condition, choices: Choices, own: OperatingPoint | None, solver: Mapping[str, tuple[float, str]]) -> Condition:
    """With the gaps filled: from ``--density`` and the like, from the result file, from the solver's input, and by physics.

    mu = nu rho; Re = rho U L / mu; Ma = U / sqrt(1.4 * 287.05 T) (air, where a temperature is given).
    """
    values, sources = dict(condition.values), dict(condition.sources)

    def fill(found: Mapping[str, float], source: str) -> None:
        for key, value in found.items():
            if key not in values:
                values[key], sources[key] = float(value), source

    fill(choices.constants, "as said")
    if own is not None:
        fill(own.to_dict(), "result file")
    for key, (value, source) in solver.items():
        if not (key == "kinematic_viscosity" and "viscosity" in values):
            fill({key: value}, source)
    _derive(values, sources)
    return Condition(values, sources, condition.results, condition.parameters, condition.labels, condition.problems)


def _derive(values: dict[str, float], sources: dict[str, str]) -> None:
    def put(key: str, value: float, how: str) -> None:
        if key not in values and math.isfinite(value):
            values[key], sources[key] = value, how

    for _ in range(2):  # one may need the other
        get = values.get
        rho, nu, mu, re_, length, speed = (
            get(k) for k in ("density", "kinematic_viscosity", "viscosity", "reynolds", "reference_length", "velocity")
        )
        if rho and nu:
            put("viscosity", rho * nu, "nu rho")
        if mu and rho:
            put("kinematic_viscosity", mu / rho, "mu / rho")
        if mu and nu:
            put("density", mu / nu, "mu / nu")
        if get("mach") and get("temperature"):
            put("velocity", values["mach"] * math.sqrt(_GAMMA * _GAS * values["temperature"]), "Ma sqrt(1.4 R T), air")
        if re_ and length and speed:
            put("kinematic_viscosity", speed * length / re_, "U L / Re")
        if re_ and length and nu:
            put("velocity", re_ * nu / length, "Re nu / L")


def open_questions(
    conditions: list[Condition], flow: bool, choices: Choices, columns: Sequence[Column] = (), *, table: bool = True, scaled: bool = False
) -> list[Question]:
    """What no source says, for runs of a flow; also for others as soon as a speed is known.

    Args:
        conditions: of the runs.
        flow: whether the fields are those of a flow.
        choices: what the user says.
        columns: of the table; one that is not understood, but has the unit of what is asked for, is named.
        table: whether a table of conditions was found.
        scaled: whether the fields are dimensionless; then the conditions must be so in the same way.
    """

    def lacks(key: str) -> int:
        return sum(key not in condition.values for condition in conditions)

    if not conditions or (not flow and lacks("velocity") == len(conditions)):
        return []
    questions, total = [], len(conditions)

    def ask(key: str, text: str, option: str, example: str) -> None:
        count = lacks(key)
        if not count:
            return
        how = "no run says it" if count == total else f"{count} of {total} runs do not say it"
        if key == "velocity" and total > 1 and not table:
            how += "; if it is not the same in all runs, give a table with a row per run: --conditions runs.csv"
        like = [column for column in columns if column.role == "parameter" and _has_unit_of(column, key)]
        if like and count == total:
            headers = ", ".join(f"'{column.header}'" for column in like)
            how += f", unless column {headers} is it"
            option, example = f"--map {like[0].header}=", key
        if scaled:
            text = re.sub(r" in (m/s|kg/m\^3|Pa s|m\b)", " in the units of the fields, which are not SI", text)
            example = example if option.startswith("--map") else "1"
        questions.append(Question(f"{text} ({how})", option, example))

    ask("velocity", "free-stream speed in m/s", "--velocity ", "30")
    ask("density", "density in kg/m^3 (forces and Re depend on it)", "--density ", "1.225")
    if not choices.inviscid and not (lacks("reference_length") and not lacks("reynolds")):
        ask("viscosity", "dynamic viscosity in Pa s, or --inviscid", "--viscosity ", "1.81e-5")
    if not choices.inviscid and lacks("viscosity") and not lacks("reynolds"):
        ask("reference_length", "length in m that the Reynolds number is made with", "--reference-length ", "1.0")
    return questions


def _has_unit_of(column: Column, role: str) -> bool:
    scale = known_unit(column.unit) if column.unit else None
    return scale is not None and scale.si == CONDITIONS[role] != "1"


def from_name(run: str) -> dict[str, tuple[float, str]]:
    """What the name of a run says outright: ``wing (alpha=4.5)``, ``U=30_Re=1e6``; only ``word=number``, in SI units and degrees."""
    found: dict[str, tuple[float, str]] = {}
    for word, number in re.findall(r"(?<![^\W\d_])([^\W\d_]+)\s*=\s*([-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?)(?:deg|°)?(?![\d,]*\d|[^\W_])", run, re.I):
        role = role_of(word)
        if role in ("velocity", "alpha", "beta", "mach", "reynolds"):
            found.setdefault(role, (float(number), f"names of the runs: {word}="))
    return found


def checked(condition: Condition, inviscid: bool) -> str:
    """What is wrong with a condition in one sentence; empty if nothing."""
    problems = list(condition.problems)
    try:
        condition.operating_point(inviscid)
    except GeoopError as error:
        problems.append(reason(error))
    return "; ".join(problems)


def openfoam_conditions(case: Path) -> dict[str, tuple[float, str]]:
    """What the dictionaries of an OpenFOAM case say: nu and rho of the fluid; speed, density, length and drag direction of ``forceCoeffs``."""
    found: dict[str, tuple[float, str]] = {}
    for name in ("transportProperties", "physicalProperties"):
        text = _plain(case / "constant" / name)
        for word, key in (("nu", "kinematic_viscosity"), ("rho", "density"), ("mu", "viscosity")):
            match = re.search(rf"(?<![\w.]){word}\s+(?:{word}\s+)?(?:\[[^\]]*\]\s*)?([-+\d.eE]+)\s*;", text)
            if match and _positive(match[1]):
                found.setdefault(key, (float(match[1]), f"constant/{name}"))
    system = case / "system"
    for path in sorted(system.iterdir()) if system.is_dir() else []:
        text = _plain(path) if path.is_file() and path.stat().st_size < 1 << 20 else ""
        if "forceCoeffs" not in text and "magUInf" not in text:
            continue
        for word, key in (("magUInf", "velocity"), ("rhoInf", "density"), ("lRef", "reference_length")):
            match = re.search(rf"\b{word}\s+(?:\[[^\]]*\]\s*)?([-+\d.eE]+)\s*;", text)
            if match and _positive(match[1]):
                found.setdefault(key, (float(match[1]), f"system/{path.name}: {word}"))
        match = re.search(r"\bdragDir\s*\(\s*([-+\d.eE]+)\s+([-+\d.eE]+)\s+([-+\d.eE]+)\s*\)", text)
        if match:
            x, y, z = (float(part) for part in match.groups())
            if x > 0 and not (y and z):
                found.setdefault("alpha", (math.degrees(math.atan2(y or z, x)), f"system/{path.name}: dragDir"))
    return found


def _plain(path: Path) -> str:
    """A dictionary without comments; empty where there is none."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return re.sub(r"//[^\n]*|/\*.*?\*/", " ", text, flags=re.S)


def _positive(text: str) -> bool:
    value = as_number(text)
    return value is not None and value > 0
