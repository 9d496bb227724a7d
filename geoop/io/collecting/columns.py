"""What the columns of a table of conditions are: guessed from their headers, with the reason; values decide where they can."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

from ...errors import UnitError
from ...mesh.si_units import known_unit, scale_of
from .choices import Choices, Question
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
    word: role
    for words, role in (
        ("u uinf uinfinity u0 uref velocity vel speed v vinf v0 vel0 freestream freestreamvelocity freestreamspeed inletvelocity inletspeed uinlet"
         " uin airspeed tas maguinf windspeed geschwindigkeit anstroemgeschwindigkeit zustroemgeschwindigkeit stroemungsgeschwindigkeit"
         " fluggeschwindigkeit windgeschwindigkeit eintrittsgeschwindigkeit vitesse velocita velocidad", "velocity"),
        ("alpha aoa angle angleofattack attackangle incidence anstellwinkel angledattaque incidenza angolodattacco angulodeataque", "alpha"),
        ("beta sideslip yaw yawangle aos schiebewinkel gierwinkel derapage", "beta"),
        ("density rho rhoinf airdensity dichte luftdichte massevolumique densite densita densidad", "density"),
        ("viscosity mu dynamicviscosity muinf viskositaet dynviskositaet dynamischeviskositaet zaehigkeit dynamischezaehigkeit viscosite"
         " viscositedynamique viscosita viscosidad", "viscosity"),
        ("nu kinematicviscosity nuinf kinviskositaet kinematischeviskositaet kinematischezaehigkeit viscositecinematique", "kinematic_viscosity"),
        ("mach ma machnumber machinf m machzahl nombredemach", "mach"),
        ("re reynolds reynoldsnumber rec rey reynoldszahl rezahl nombredereynolds", "reynolds"),
        ("chord c chordlength reflength referencelength lref characteristiclength bezugslaenge referenzlaenge sehne sehnenlaenge profiltiefe"
         " fluegeltiefe corde corda cuerda", "reference_length"),
        ("t temperature tinf temp t0 temperatur", "temperature"),
        ("cd dragcoefficient dragcoeff cdrag averagecd cw cx widerstandsbeiwert widerstandskoeffizient coefficientdetrainee", "drag_coefficient"),
        ("cl liftcoefficient liftcoeff clift averagecl ca cz auftriebsbeiwert auftriebskoeffizient coefficientdeportance", "lift_coefficient"),
        ("cm momentcoefficient cmpitch averagecm momentenbeiwert nickmomentenbeiwert", "moment_coefficient"),
        ("case name run id runid caseid casename runname sample number no nr design folder dir directory job simulation index lauf laufnummer fall"
         " versuch rechnung ordner cas essai", "case"),
        ("file filename path mesh meshfile result resultfile vtu vtk datei dateiname netz fichier", "file"),
        ("split set subset partition", "split"),
        ("geometry geom shape body airfoil aerofoil section profile geometryid geometrie profil", "geometry"),
    )
    for word in words.split()
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
        UnitError: a unit in ``--map`` is not known, or the header's is none of what ``--map`` says.
    """
    columns: list[Column] = []
    questions: list[Question] = []
    for header, second in zip(table.headers, table.units, strict=True):
        values = [number for number in map(as_number, table.column(header)) if number is not None]
        said = choices.names.get(header)
        column, question = (
            _said(header, said, second, values, choices.unit) if said else _guessed(header, second, table.column(header), values, choices.unit)
        )
        twin = next((c for c in columns if c.role == column.role and c.role in (*CONDITIONS, *RESULTS, "split", "geometry")), None)
        if twin is not None:
            column = Column(header, "parameter", column.unit, _identifier(header), f"'{twin.header}' is the {twin.role} already")
            question = None
        columns.append(column)
        questions += [question] if question else []
    return columns, questions


def role_of(word: str) -> str | None:
    """What a header or a word means as a column: English, German or French; None for an unknown one."""
    return _NAMES.get(_key(word))


def _said(header: str, meaning: str, second: str, values: list[float], length: str | None) -> tuple[Column, Question | None]:
    """A column that the user explains; where that names no unit, the header's counts."""
    role, _, unit = meaning.partition(":")
    role = {"keep": "parameter", "drop": "ignore"}.get(role.strip(), role.strip())
    if unit:
        scale_of(unit, f"--map {header}={meaning}")
    elif role in _NUMERIC:
        name, stated, told = _unit_of(header, second)
        if stated:
            column, question = _with_unit(header, role, stated, f"as said, unit in the {told}")
            if column.role == "parameter":
                raise UnitError(
                    f"the {told} has the unit '{stated}', which is none of a {role}",
                    where=f"--map {header}={meaning}",
                    remedy=f"choose another column, or say the unit of its numbers: --map '{header}={role}:{_expected(role)}'",
                )
            return column, question
        if role == "reference_length" and values:
            return replace(_without_unit(header, name, role, "m", values, length)[0], why="as said"), None
    if role in (*_NUMERIC, *LABELS, "parameter", "ignore"):
        return Column(header, role, unit or {**CONDITIONS, **RESULTS}.get(role, ""), _identifier(header), "as said"), None
    return Column(header, "parameter", unit, _identifier(role), "as said"), None


def _guessed(header: str, second: str, texts: list[str], values: list[float], length: str | None) -> tuple[Column, Question | None]:
    name, unit, told = _unit_of(header, second)
    role = role_of(name) or "parameter"
    numeric = len(values) == sum(bool(text) for text in texts) and bool(values)
    if role == "parameter" or (role in _NUMERIC and not values) or (role in ("case", "file") and unit):
        scale = known_unit(unit) if unit else None
        kind = "number" if numeric else "text"
        return Column(header, "parameter", unit if scale and numeric else "", _identifier(header), f"extra column, {kind}"), None
    if role in LABELS:
        return Column(header, role, "", "", f"header '{name}'"), None
    if unit:
        column, question = _with_unit(header, role, unit, f"header '{name}', unit in the {told}")
        return (replace(column, why=f"'{name}' in {unit} is no {role}") if column.role == "parameter" else column), question
    return _without_unit(header, name, role, _expected(role), values, length)


def _with_unit(header: str, role: str, unit: str, why: str) -> tuple[Column, Question | None]:
    """A column of numbers in a unit; a parameter where the unit does not fit the role."""
    scale = known_unit(unit)
    if scale is None:
        question = Question(f"column '{header}': the unit '{unit}' is not known", f"--map {header}=", f"{role}:{_expected(role)}")
        return Column(header, role, _expected(role), "", f"{why.partition(',')[0]}, unit unknown"), question
    if role == "viscosity" and scale.si == "m^2/s":
        role = "kinematic_viscosity"
    if scale.si != _expected(role):
        return Column(header, "parameter", unit, _identifier(header), why), None
    return Column(header, role, unit, "", why), None


def _expected(role: str) -> str:
    return CONDITIONS.get(role) or RESULTS[role]


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


def _unit_of(header: str, second: str) -> tuple[str, str, str]:
    """(name, unit, where the unit stands) of a header, with the line of units below it."""
    name, unit, told = _taken_apart(header)
    if second.strip("[]() ") and not unit:
        unit, told = second.strip("[]() "), "line of units"
    return name, unit, told


def _taken_apart(header: str) -> tuple[str, str, str]:
    """(name, unit, where the unit stands): ``U [m/s]``, ``speed (km/h)``, ``alpha in deg``, ``alpha_deg``, ``chord_mm``, ``U, m/s``."""
    for pattern in (r"^(?P<n>.*?)\s*\[(?P<u>[^\]]*)\]\s*$", r"^(?P<n>.*?)\s*\((?P<u>[^)]*(?:\([^)]*\)[^)]*)?)\)\s*$", r"^(?P<n>.+?)\s+in\s+(?P<u>\S+)$",
                    r"^(?P<n>.+?)\s*[,/]\s+(?P<u>\S.*)$"):  # fmt: skip
        match = re.match(pattern, header.strip(), re.I)
        if match and match["n"]:
            return match["n"].strip(), match["u"].strip(), "header"
    match = re.match(r"^(?P<n>.+?)[_\-. ](?P<u>[A-Za-z°%][A-Za-z0-9°/^]*)$", header.strip())
    if match and known_unit(match["u"]) is not None and role_of(header) is None and len(match["u"]) > (1 if role_of(match["n"]) is None else 0):
        return match["n"].strip(" _-"), match["u"], "header"
    return header.strip(), "", ""


def _key(name: str) -> str:
    """A word as it stands in the list of names: small letters and digits, Greek letters and umlauts spelled, accents left out."""
    for sign, word in (("α", "alpha"), ("β", "beta"), ("ρ", "rho"), ("µ", "mu"), ("μ", "mu"), ("ν", "nu"), ("∞", "inf"),
                       ("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"), ("Ä", "ae"), ("Ö", "oe"), ("Ü", "ue")):  # fmt: skip
        name = name.replace(sign, word)
    return re.sub(r"[^a-z0-9]", "", unicodedata.normalize("NFKD", name).lower())


def _identifier(header: str) -> str:
    """A header as a parameter's name: its words without the unit's brackets."""
    return re.sub(r"\W+", "_", header.strip(), flags=re.UNICODE).strip("_") or "column"
