"""Arrays of files as fields with quantity and unit, and back: the only place where 2-D vectors get or lose their third component."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from ..mesh.quantity import QUANTITIES, UNKNOWN_UNIT, Field, Location, Quantity, parse_label
from .contents import Array


def quantity_of(label: str, rank: int) -> tuple[Quantity, bool]:
    """The quantity that an array name means, and whether its unit had to be assumed.

    ``pressure [Pa]``, ``Pressure`` and ``pressure`` are all the known quantity; a unit in the label always wins; an unknown name
    without one gets the unit ``?``.
    """
    name, unit = parse_label(label)
    known = QUANTITIES.get(name) or QUANTITIES.get(re.sub(r"[\s-]+", "_", name.strip().lower()))
    if known is None:
        return Quantity(name, name, unit or UNKNOWN_UNIT, rank), False
    if rank == known.rank and unit in (None, known.unit):
        return known, unit is None
    return Quantity(known.name, known.symbol, unit or known.unit, rank), unit is None


def field_of(label: str, values: np.ndarray, location: Location) -> Field:
    """A field of exactly these values, (n,), (n, d) or (n, d, d) (without n if global), under the quantity of its label."""
    rank = np.ndim(values) - (location != "global")
    return Field(quantity_of(label, rank)[0], values, location)


#: How the note begins that lists the units that were taken for granted.
_ASSUMED = "units that the file does not state are taken as: "


def assumed_units(notes: Iterable[str]) -> dict[str, str]:
    """Quantities whose unit a file did not state and what it was taken for, from the notes of its mesh, of which some may be older than its fields."""
    lists = [note.removeprefix(_ASSUMED) for note in notes if note.startswith(_ASSUMED)]
    pairs = [entry.rpartition(" in ")[::2] for text in lists for entry in text.split(", ")]
    return {quantity_of(label, 0)[0].name: unit for label, unit in pairs}


def without_assumed(notes: Iterable[str], names: Iterable[str]) -> tuple[str, ...]:
    """The notes without the units taken for granted of these quantities, which somebody has stated since."""
    stated, kept = set(names), []
    for note in notes:
        if note.startswith(_ASSUMED):
            entries = note.removeprefix(_ASSUMED).split(", ")
            left = [entry for entry in entries if quantity_of(entry.rpartition(" in ")[0], 0)[0].name not in stated]
            note = f"{_ASSUMED}{', '.join(left)}" if left else ""
        kept += [note] if note else []
    return tuple(kept)


def fields_of(arrays: tuple[Array, ...], dimension: int) -> tuple[list[Field], list[str]]:
    """Fields of all arrays of a file on a mesh of the given dimension, and notes on what was assumed.

    Three components are a vector, nine (or six: xx yy zz xy yz xz) a tensor; in 2-D both lose z where all of it is zero. Two
    components are a vector in 2-D only. Any other number of components becomes one scalar each: ``name_0``, ``name_1``, ...
    """
    fields: dict[str, Field] = {}
    assumed, notes = [], []
    for array in arrays:
        for label, values in _as_tensors(array, dimension):
            quantity, guessed = quantity_of(label, values.ndim - 1)
            name = quantity.name
            if name in fields:
                name = f"{quantity.name}_{array.location}" if f"{quantity.name}_{array.location}" not in fields else label
                notes.append(f"two arrays are called '{quantity.name}': the one at {array.location}s is read as '{name}'")
                quantity = Quantity(name, quantity.symbol, quantity.unit, quantity.rank)
            if guessed:
                assumed.append(f"{label} in {quantity.unit}")
            bad = int((~np.isfinite(values)).sum()) if values.dtype.kind == "f" else 0
            if bad:
                notes.append(f"'{label}' has {bad} values that are NaN or infinite")
            fields[name] = Field(quantity, values, array.location)
    if assumed:
        notes.append(f"{_ASSUMED}{', '.join(assumed)}")
    return list(fields.values()), notes


def padded(field: Field) -> np.ndarray:
    """(n,), (n, 3) or (n, 9) values as VTK stores them: vectors and tensors of a plane get their zero third components."""
    values = np.asarray(field.values)
    if field.quantity.rank == 0:
        return values
    missing = [(0, 0)] + [(0, 3 - size) for size in values.shape[1:]]
    if all(size == 2 for size in values.shape[1:]):
        values = np.pad(values, missing)
    return np.ascontiguousarray(values.reshape(len(values), -1))


def _as_tensors(array: Array, dimension: int) -> list[tuple[str, np.ndarray]]:
    values = np.asarray(array.values)
    width = values.shape[1] if values.ndim > 1 else 1
    if values.ndim == 1 or width == 1:
        return [(array.label, values.reshape(-1))]
    if width == 3:
        plane = dimension == 2 and not values[:, 2].any()
        return [(array.label, values[:, :2] if plane else values)]
    if width in (6, 9):
        full = values[:, [0, 3, 5, 3, 1, 4, 5, 4, 2]] if width == 6 else values
        full = full.reshape(-1, 3, 3)
        plane = dimension == 2 and not full[:, 2].any() and not full[:, :, 2].any()
        return [(array.label, full[:, :2, :2] if plane else full)]
    if width == 2 and dimension == 2:
        return [(array.label, values)]
    name, unit = parse_label(array.label)
    return [(f"{name}_{i}" + (f" [{unit}]" if unit else ""), values[:, i]) for i in range(width)]
