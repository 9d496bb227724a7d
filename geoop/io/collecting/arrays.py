"""What the arrays of result files are: quantity and unit, guessed from names and values, with the reason; values in SI units."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ...mesh.case import Case
from ...mesh.quantity import QUANTITIES, UNKNOWN_UNIT, Field, Quantity
from ...mesh.si_units import known_unit, scale_of
from ..contents import Array
from ..field_names import solver_named
from ..fields import assumed_units, fields_of, quantity_of
from .choices import Choices, Question

#: Arrays that tools add for themselves.
_TOOLS = re.compile(
    r"vtkGhostType|vtkOriginal(Point|Cell)Ids|vtkValidPointMask|vtkGhostLevels|Global(Point|Node|Cell|Element)Ids?|ProcessId|procI[Dd]|cellID|patchID",
    re.I,
)
#: Lower-case name without underscores -> (name, symbol, unit, rank) of quantities that mean the same in every solver.
_MORE: dict[str, tuple[str, str, str]] = {
    "k": ("turbulent_kinetic_energy", "k", "m^2/s^2"), "tke": ("turbulent_kinetic_energy", "k", "m^2/s^2"),
    "omega": ("specific_dissipation_rate", "omega_t", "1/s"), "epsilon": ("turbulent_dissipation_rate", "epsilon", "m^2/s^3"),
    "nutilda": ("modified_turbulent_viscosity", "nu~", "m^2/s"), "mut": ("dynamic_turbulent_viscosity", "mu_t", "Pa s"),
    "eddyviscosity": ("dynamic_turbulent_viscosity", "mu_t", "Pa s"), "yplus": ("y_plus", "y+", "1"),
}  # fmt: skip
#: Names that are kinematic (divided by the density) in incompressible solvers and in Pa in others.
_AMBIGUOUS = {
    "p": ("pressure:Pa", "kinematic_pressure:m^2/s^2"),
    "pmean": ("pressure:Pa", "kinematic_pressure:m^2/s^2"),
    "wallshearstress": ("wall_shear_stress:Pa", "kinematic_wall_shear_stress:m^2/s^2"),
}
#: Smallest static pressure in Pa that cannot be a gauge or kinematic one.
_ABSOLUTE = 2e4


@dataclass(frozen=True)
class ArraySummary:
    """An array over all runs: where it lives, how it is made, what it reaches, in how many runs it is; ``origin`` says what was assumed."""

    name: str
    unit: str
    location: str
    rank: int
    low: float
    high: float
    runs: int
    origin: str = ""


@dataclass(frozen=True)
class Meaning:
    """What becomes of an array.

    Attributes:
        name: as it is read.
        quantity: what it is; None where it is left out.
        unit: that its values are in.
        why: the reason.
    """

    name: str
    quantity: Quantity | None
    unit: str
    why: str


def prepared(case: Case, names: Iterable[str] = ()) -> tuple[Case, dict[str, str]]:
    """The case with components joined into vectors and the names that mean the same in every solver, and what was changed.

    Args:
        case: as it was read.
        names: arrays that the user gives a meaning: they, and ``p`` and the like, stay as they are.

    Returns:
        the case, and array -> how it came to its name or unit.
    """
    stay, arrays, kept, said = {}, [], {}, set(names)
    units = {item.name: item.quantity.unit for item in case.fields.values()}  # notes may be older than the arrays
    assumed = [name for name, unit in assumed_units(case.mesh.notes).items() if units.get(name) == unit]
    origins = {name: f"usual name '{name}', no unit: SI is taken" for name in assumed}
    for item in case.fields.values():
        if item.location not in ("point", "cell") or item.quantity.rank > 1 or _plain(item.name) in _AMBIGUOUS or item.name in said:
            stay[item.name] = item
        else:
            label = item.name if item.quantity.unit == UNKNOWN_UNIT else item.quantity.label
            kept[label, item.location] = item
            arrays.append(Array(label, item.values, item.location))
    named = solver_named(arrays)
    gone = [item.name for key, item in kept.items() if key not in {(array.label, array.location) for array in named}]
    fields = dict(stay)
    for array in named:
        own = kept.get((array.label, array.location))
        for item in [own] if own is not None else fields_of((array,), case.mesh.dimension)[0]:
            name = item.name if item.name not in fields else f"{item.name}_{item.location}"
            fields[name] = item
            if own is None:
                before = [old for old in gone if _same_values(case.fields[old], item)]
                shown = "', '".join(before or gone)
                origins[name] = f"'{shown}' in the file" + ("" if "[" in array.label else ", no unit: SI is taken")
    return replace(case, fields={name: _renamed(item, name) for name, item in fields.items()}), origins


def _same_values(old: Field, new: Field) -> bool:
    """Whether an array is the other one, or a component of it."""
    values, target = np.asarray(old.values), np.asarray(new.values)
    if old.location != new.location:
        return False
    if values.shape == target.shape:
        return np.array_equal(values, target, equal_nan=True)
    return values.ndim == 1 and target.ndim == 2 and any(np.array_equal(values, target[:, k], equal_nan=True) for k in range(target.shape[1]))


def _renamed(item: Field, name: str) -> Field:
    return item if item.name == name else replace(item, quantity=replace(item.quantity, name=name))


def summaries(case: Case, origins: Mapping[str, str] | None = None) -> dict[str, ArraySummary]:
    """Every field of a case with its range (of vectors: of the magnitude), and where its name comes from."""
    found = {}
    for item in case.fields.values():
        values = np.asarray(item.values, dtype=np.float64)
        if item.quantity.rank:
            values = np.sqrt((values**2).sum(axis=tuple(range(values.ndim - item.quantity.rank, values.ndim))))
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (np.nan, np.nan)
        found[item.name] = ArraySummary(
            item.name, item.quantity.unit, item.location, item.quantity.rank, low, high, 1, (origins or {}).get(item.name, "")
        )
    return found


def merged(parts: list[dict[str, ArraySummary]]) -> dict[str, ArraySummary]:
    """Summaries of all runs together."""
    found: dict[str, ArraySummary] = {}
    for part in parts:
        for name, item in part.items():
            old = found.get(name)
            found[name] = item if old is None else replace(old, low=np.fmin(old.low, item.low), high=np.fmax(old.high, item.high), runs=old.runs + 1)
    return found


def guess_arrays(found: dict[str, ArraySummary], choices: Choices) -> tuple[dict[str, Meaning], list[Question]]:
    """What every array is, and what has to be asked.

    Raises:
        UnitError: a unit in ``--map`` is not known.
    """
    meanings, questions = {}, []
    for name, item in found.items():
        if name in choices.names:
            meanings[name] = _said(name, choices.names[name], item)
            continue
        meanings[name], question = _guessed(name, item)
        questions += [question] if question else []
    return _apart(meanings, found, choices), questions


def _apart(meanings: dict[str, Meaning], found: dict[str, ArraySummary], choices: Choices) -> dict[str, Meaning]:
    """The meanings with different names: what was said comes first, then arrays of that very name; another at other places says where it
    lives, another at the same keeps its own name."""
    used = {name: meaning.quantity for name, meaning in meanings.items() if meaning.quantity is not None}
    taken: dict[str, str] = {}
    apart = dict(meanings)
    for name, quantity in sorted(used.items(), key=lambda pair: (pair[0] not in choices.names, pair[1].name != pair[0])):
        if quantity.name in taken:
            elsewhere = found[name].location != found[taken[quantity.name]].location
            own = f"{quantity.name}_{found[name].location}" if elsewhere or name == quantity.name else name
            quantity = replace(quantity, name=own)
            apart[name] = replace(meanings[name], quantity=quantity)
        taken[quantity.name] = name
    return apart


def _said(name: str, text: str, item: ArraySummary) -> Meaning:
    target, _, unit = text.partition(":")
    target = target.strip()
    if target in ("drop", "ignore"):
        return Meaning(name, None, "", "as said: left out")
    if target == "keep":
        return Meaning(name, Quantity(name, name, item.unit, item.rank), item.unit, "as said: kept as it is")
    known = QUANTITIES.get(target)
    stated = item.unit if item.unit != UNKNOWN_UNIT or known is None else known.unit  # a unit of the file holds unless another is said
    unit = unit.strip() or stated
    si = unit if unit == UNKNOWN_UNIT else scale_of(unit, f"--map {name}={text}").si
    return Meaning(name, Quantity(target, known.symbol if known else target, si, item.rank), unit, "as said")


def _guessed(name: str, item: ArraySummary) -> tuple[Meaning, Question | None]:
    plain = _plain(name)
    if _TOOLS.fullmatch(name):
        return Meaning(name, None, "", "bookkeeping of a tool"), None
    if item.unit != UNKNOWN_UNIT:
        scale = known_unit(item.unit)
        meant = [text for text in _AMBIGUOUS.get(plain, ()) if scale is not None and text.endswith(f":{scale.si}")]
        if meant and plain != "wallshearstress":  # of which the unit does not tell the sign
            return replace(_said(name, f"{meant[0].partition(':')[0]}:{item.unit}", item), why="usual name, unit of the file"), None
        if plain in ("cp", "cpmean") and item.rank == 0 and scale is not None and scale.si == "1":
            return Meaning(name, QUANTITIES["pressure_coefficient"], item.unit, "usual name, unit of the file"), None
        own = quantity_of(f"{name} [{scale.si if scale else item.unit}]", item.rank)[0]
        return Meaning(name, own, item.unit, item.origin or "name and unit of the file"), None
    if plain in _AMBIGUOUS:
        absolute = item.low > _ABSOLUTE and plain != "wallshearstress"
        target = _AMBIGUOUS[plain][0]
        meaning = _said(name, target, item)
        if absolute:
            return replace(meaning, why=f"values from {item.low:.4g} to {item.high:.4g}: absolute, in Pa"), None
        question = Question(
            f"array '{name}' ({item.low:.4g} .. {item.high:.4g}) has no unit: {' or, as incompressible solvers write it, '.join(_AMBIGUOUS[plain])}",
            f"--map {name}=",
            _AMBIGUOUS[plain][1],
        )
        return replace(meaning, why="in Pa, or divided by the density?"), question
    if plain in ("cp", "cpmean") and item.rank == 0 and item.high <= 1.5:
        return Meaning(name, QUANTITIES["pressure_coefficient"], "1", f"largest value {item.high:.3g}: a pressure coefficient"), None
    if plain in _MORE and item.rank == 0:
        target, symbol, unit = _MORE[plain]
        return Meaning(name, Quantity(target, symbol, unit), unit, f"usual name '{name}', SI is taken"), None
    return Meaning(name, Quantity(name, name, UNKNOWN_UNIT, item.rank), UNKNOWN_UNIT, "unknown: kept under its name, unit ?"), None


def with_meanings(case: Case, meanings: dict[str, Meaning]) -> Case:
    """The case with every array as its quantity in SI units, on the mesh and on its patches."""
    fields = [_field(item, meanings) for item in case.fields.values()]
    boundary = {}
    for patch, values in case.boundary.items():
        found = [_field(item, meanings) for item in values.values()]
        boundary[patch] = {item.name: item for item in found if item is not None}
    return replace(case, fields={item.name: item for item in fields if item is not None}, boundary=boundary)


def _field(item: Field, meanings: dict[str, Meaning]) -> Field | None:
    meaning = meanings.get(item.name)
    if meaning is None:
        return item
    if meaning.quantity is None:
        return None
    scale = known_unit(meaning.unit) if meaning.unit != UNKNOWN_UNIT else None
    quantity = replace(meaning.quantity, rank=item.quantity.rank)
    if quantity == item.quantity and (scale is None or (scale.factor == 1.0 and not scale.offset)):
        return item
    values = np.asarray(item.values)
    return Field(quantity, values if scale is None else np.asarray(scale(values)), item.location)


def _plain(name: str) -> str:
    return re.sub(r"[\s_\-.]+", "", name).lower()
