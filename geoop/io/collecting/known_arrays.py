"""The arrays of one file by the names and in the units that geoop works with, by what was said and by the guesses of a collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import numpy as np

from ...mesh.case import Case, Series
from ...mesh.quantity import UNKNOWN_UNIT, Quantity, parse_label
from ...mesh.si_units import known_unit
from ..fields import without_assumed
from .arrays import Meaning, guess_arrays, prepared, summaries, with_meanings
from .choices import Choices, check_used

C = TypeVar("C", Case, Series)

#: Static or kinematic: what a file that states no unit does not say.
_UNSURE = ("pressure", "wall_shear_stress")


def with_known_arrays(case: Case, names: Mapping[str, str]) -> tuple[Case, tuple[str, ...]]:
    """The case with its arrays under geoop's names and in SI units, as :func:`geoop.io.collecting.collect.collect` takes them, and notes on what changed.

    Pressure and friction whose unit nobody states get the unit ``?``.

    Args:
        case: as it was read.
        names: array -> ``quantity:unit``, ``quantity``, ``keep`` or ``drop``, which goes before every guess.

    Raises:
        ConfigurationError: a name that no array has. UnitError: a unit in ``names`` that is not known.
    """
    said = _by_name(case, names)
    ready, origins = prepared(case, said)
    found = summaries(ready, origins)
    check_used(said, list(found), case.name)
    meanings, questions = guess_arrays(found, Choices(names=said))
    asked = {question.option.partition(" ")[2].rstrip("=") for question in questions}
    taken = {meaning.quantity.name for name, meaning in meanings.items() if meaning.quantity is not None and name not in asked}
    for name, meaning in meanings.items():
        quantity = meaning.quantity
        if quantity is None or quantity.name not in _UNSURE or name in said:
            continue
        if name in asked and (quantity.name != "pressure" or {"pressure", "pressure_coefficient"} & taken):
            meanings[name] = Meaning(name, Quantity(name, name, UNKNOWN_UNIT, quantity.rank), UNKNOWN_UNIT, "kept as it is")
        elif name in asked or origins.get(name, "").endswith("SI is taken"):
            meanings[name] = replace(meaning, quantity=replace(quantity, unit=UNKNOWN_UNIT), unit=UNKNOWN_UNIT)
    return with_meanings(ready, meanings), tuple(_note(meaning, origins) for meaning in meanings.values() if _changes(meaning, origins))


def mapped(found: C, names: Mapping[str, str]) -> C:
    """A case, or every step of a series, with the named arrays as what they are said to be, in SI units; all others stay as they are.

    Args:
        found: as it was read.
        names: as for :func:`with_known_arrays`.

    Raises:
        ConfigurationError: a name that no array has. UnitError: a unit that is not known.
    """
    if isinstance(found, Series):
        return replace(found, cases=tuple(_mapped(case, names) for case in found.cases))
    return _mapped(found, names)


def _mapped(case: Case, names: Mapping[str, str]) -> Case:
    said = _by_name(case, names)
    known = summaries(case)
    check_used(said, list(known), case.name)
    meanings = guess_arrays({name: known[name] for name in said}, Choices(names=said))[0]
    case = with_meanings(case, meanings)
    return replace(case, mesh=replace(case.mesh, notes=without_assumed(case.mesh.notes, said)))


def _by_name(case: Case, names: Mapping[str, str]) -> dict[str, str]:
    """The names without the unit of the file: ``p [kPa]`` is read as ``p``."""
    return {name if name in case.fields or parse_label(name)[0] not in case.fields else parse_label(name)[0]: text for name, text in names.items()}


def _changes(meaning: Meaning, origins: Mapping[str, str]) -> bool:
    if meaning.quantity is None:
        return meaning.why.startswith("as said")
    scale = None if meaning.unit == UNKNOWN_UNIT else known_unit(meaning.unit)
    return meaning.quantity.name != meaning.name or meaning.name in origins or (scale is not None and not np.isclose(scale(1.0), 1.0))


def _note(meaning: Meaning, origins: Mapping[str, str]) -> str:
    if meaning.quantity is None:
        return f"'{meaning.name}' is left out, as said"
    before, own, _ = origins.get(meaning.name, "").partition(" in the file")
    if meaning.quantity.unit == UNKNOWN_UNIT:
        return f"{before if own else repr(meaning.name)} is taken as {meaning.quantity.name}; the file does not state its unit"
    unit = "" if meaning.unit in (meaning.quantity.unit, UNKNOWN_UNIT) else f", {meaning.unit} in the file"
    return f"'{meaning.name}' is taken as {meaning.quantity.name} [{meaning.quantity.unit}]{unit} ({origins.get(meaning.name) or meaning.why})"
