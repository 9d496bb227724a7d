"""What the columns of a table of conditions are: guessed from their headers, with the reason; values decide where they can."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .choices import Choices, Question
from .si_units import known_unit, scale_of
from .table import Table, as_number

#: Role of a condition -> its SI unit. ``kinematic_viscosity``, ``reynolds`` and ``temperature`` are turned into the others.
CONDITIONS = {
    "velocity": "m/s", "alpha": "deg", "beta": "deg", "density": "kg/m^3", "viscosity": "Pa s", "kinematic_viscosity": "m^2/s",
    "mach": "1", "reynolds": "1", "reference_length": "m", "temperature": "K",
}  # fmt: skip
#: Results that a table may state: they become fields of the whole case.
RESULTS = {"drag_coefficient": "1", "lift_coefficient": "1", "moment_coefficient": "1"}
#: Columns that say something about the run, not about its physics.
LABELS = ("case", "file", "split", "geometry")

_NAMES: dict[str, str] = {
    **dict.fromkeys(("u", "uinf", "uinfinity", "u0", "uref", "velocity", "vel", "speed", "v", "vinf", "v0", "vel0", "freestream", "freestreamvelocity",
                     "freestreamspeed", "inletvelocity", "inletspeed", "uinlet", "uin", "airspeed", "tas", "maguinf", "windspeed"), "velocity"),
    **dict.fromkeys(("alpha", "aoa", "angle", "angleofattack", "attackangle", "incidence"), "alpha"),
    **dict.fromkeys(("beta", "sideslip", "yaw", "yawangle", "aos"), "beta"),
    **dict.fromkeys(("density", "rho", "rhoinf", "airdensity"), "density"),
    **dict.fromkeys(("viscosity", "mu", "dynamicviscosity", "muinf"), "viscosity"),
    **dict.fromkeys(("nu", "kinematicviscosity", "nuinf"), "kinematic_viscosity"),
    **dict.fromkeys(("mach", "ma", "machnumber", "machinf", "m"), "mach"),
    **dict.fromkeys(("re", "reynolds", "reynoldsnumber", "rec", "rey"), "reynolds"),
    **dict.fromkeys(("chord", "c", "chordlength", "reflength", "referencelength", "lref", "characteristiclength"), "reference_length"),
    **dict.fromkeys(("t", "temperature", "tinf", "temp", "t0"), "temperature"),
    **dict.fromkeys(("cd", "dragcoefficient", "dragcoeff", "cdrag", "averagecd", "cw", "cx"), "drag_coefficient"),
    **dict.fromkeys(("cl", "liftcoefficient", "liftcoeff", "clift", "averagecl", "ca", "cz"), "lift_coefficient"),
    **dict.fromkeys(("cm", "momentcoefficient", "cmpitch", "averagecm"), "moment_coefficient"),
    **dict.fromkeys(("case", "name", "run", "id", "runid", "caseid", "casename", "runname", "sample", "number", "no", "nr", "design", "folder", "dir",
                     "directory", "job", "simulation", "index"), "case"),
    **dict.fromkeys(("file", "filename", "path", "mesh", "meshfile", "result", "resultfile", "vtu", "vtk"), "file"),
    **dict.fromkeys(("split", "set", "subset", "partition"), "split"),
    **dict.fromkeys(("geometry", "geom", "shape", "body", "airfoil", "aerofoil", "section", "profile", "geometryid"), "geometry"),
}  # fmt: skip
_NUMERIC = {*CONDITIONS, *RESULTS}
#: Largest angle in radians that a wing is flown at: what is above it is in degrees.
_MOST_RADIANS = 1.6


@dataclass(frozen=True)
class Column:
    """A column and what it is.

    Attributes:
        header: in the table.
        role: one of :data:`CONDITIONS`, :data:`RESULTS`, :data:`LABELS`, ``parameter`` or ``ignore``.
        unit: in which its numbers are; empty for texts.
        name: of a parameter.
        why: the reason, for the user to check.
    """

    header: str
    role: str
    unit: str
    name: str
    why: str


def guess_columns(table: Table, choices: Choices) -> tuple[list[Column], list[Question]]:
    """Every column with its role, and what has to be asked.

    Raises:
        UnitError: a unit in ``--map`` is not known.
    """
    columns: list[Column] = []
    questions: list[Question] = []
    for header, second in zip(table.headers, table.units, strict=True):
        values = [number for number in map(as_number, table.column(header)) if number is not None]
        said = choices.names.get(header)
        column, question = _said(header, said) if said else _guessed(header, second, table.column(header), values, choices.unit)
        twin = next((c for c in columns if c.role == column.role and c.role in (*CONDITIONS, *RESULTS, "split", "geometry")), None)
        if twin is not None:
            column = Column(header, "parameter", column.unit, _identifier(header), f"'{twin.header}' is the {twin.role} already")
            question = None
        columns.append(column)
        questions += [question] if question else []
    return columns, questions


def _said(header: str, meaning: str) -> tuple[Column, None]:
    role, _, unit = meaning.partition(":")
    role = {"keep": "parameter", "drop": "ignore"}.get(role.strip(), role.strip())
    if unit:
        scale_of(unit, f"--map {header}={meaning}")
    if role in (*CONDITIONS, *RESULTS, *LABELS, "parameter", "ignore"):
        return Column(header, role, unit or {**CONDITIONS, **RESULTS}.get(role, ""), _identifier(header), "as said"), None
    return Column(header, "parameter", unit, _identifier(role), "as said"), None


def _guessed(header: str, second: str, texts: list[str], values: list[float], length: str | None) -> tuple[Column, Question | None]:
    name, unit, told = _taken_apart(header)
    if second.strip("[]() ") and not unit:
        unit, told = second.strip("[]() "), "line of units"
    role = _NAMES.get(re.sub(r"[^a-z0-9]", "", _ascii(name).lower()), "parameter")
    numeric = len(values) == sum(bool(text) for text in texts) and bool(values)
    if role == "parameter" or (role in _NUMERIC and not values) or (role in ("case", "file") and unit):
        scale = known_unit(unit) if unit else None
        kind = "number" if numeric else "text"
        return Column(header, "parameter", unit if scale and numeric else "", _identifier(header), f"extra column, {kind}"), None
    if role in LABELS:
        return Column(header, role, "", "", f"header '{name}'"), None
    expected = CONDITIONS.get(role) or RESULTS[role]
    scale = known_unit(unit) if unit else None
    if unit and scale is None:
        question = Question(f"column '{header}': the unit '{unit}' is not known", f"--map {header}=", f"{role}:{expected}")
        return Column(header, role, expected, "", f"header '{name}', unit unknown"), question
    if role == "viscosity" and scale is not None and scale.si == "m^2/s":
        role, expected = "kinematic_viscosity", "m^2/s"
    if scale is not None and scale.si != expected:
        return Column(header, "parameter", unit, _identifier(header), f"'{name}' in {unit} is no {role}"), None
    if scale is not None:
        return Column(header, role, unit, "", f"header '{name}', unit in the {told}"), None
    return _without_unit(header, name, role, expected, values, length)


def _without_unit(header: str, name: str, role: str, expected: str, values: list[float], length: str | None) -> tuple[Column, Question | None]:
    largest = max(map(abs, values))
    if role in ("alpha", "beta"):
        if largest > _MOST_RADIANS or largest == 0.0:
            why = f"header '{name}', no unit: {largest:g} is too large for radians" if largest else f"header '{name}', all zero"
            return Column(header, role, "deg", "", why), None
        question = Question(f"column '{header}' has no unit and reaches {largest:g} only: degrees or radians?", f"--map {header}=", f"{role}:deg")
        return Column(header, role, "deg", "", f"header '{name}', degrees or radians?"), question
    if role == "temperature" and largest < 150.0:
        return Column(header, role, "degC", "", f"header '{name}', no unit: {largest:g} is too small for kelvin"), None
    if role == "reference_length" and length is not None:
        return Column(header, role, length, "", f"header '{name}', no unit: --unit {length}"), None
    why = f"header '{name}'" + ("" if expected == "1" else ", no unit: SI is taken")
    return Column(header, role, expected, "", why), None


def _taken_apart(header: str) -> tuple[str, str, str]:
    """(name, unit, where the unit stands): ``U [m/s]``, ``speed (km/h)``, ``alpha in deg``, ``alpha_deg``, ``chord_mm``, ``U, m/s``."""
    for pattern in (r"^(?P<n>.*?)\s*\[(?P<u>[^\]]*)\]\s*$", r"^(?P<n>.*?)\s*\((?P<u>[^)]*(?:\([^)]*\)[^)]*)?)\)\s*$", r"^(?P<n>.+?)\s+in\s+(?P<u>\S+)$",
                    r"^(?P<n>.+?)\s*[,/]\s+(?P<u>\S.*)$"):  # fmt: skip
        match = re.match(pattern, header.strip(), re.I)
        if match and match["n"]:
            return match["n"].strip(), match["u"].strip(), "header"
    match = re.match(r"^(?P<n>.+?)[_\-. ](?P<u>[A-Za-z°%][A-Za-z0-9°/^]*)$", header.strip())
    if (
        match
        and known_unit(match["u"]) is not None
        and re.sub(r"[^a-z0-9]", "", header.lower()) not in _NAMES
        and len(match["u"]) > (0 if re.sub(r"[^a-z0-9]", "", match["n"].lower()) in _NAMES else 1)
    ):
        return match["n"].strip(" _-"), match["u"], "header"
    return header.strip(), "", ""


def _ascii(name: str) -> str:
    for sign, word in (("α", "alpha"), ("β", "beta"), ("ρ", "rho"), ("μ", "mu"), ("ν", "nu"), ("∞", "inf")):
        name = name.replace(sign, word)
    return name


def _identifier(header: str) -> str:
    """A header as a parameter's name: its words without the unit's brackets."""
    return re.sub(r"\W+", "_", header.strip(), flags=re.UNICODE).strip("_") or "column"
