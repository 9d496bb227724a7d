"""Length units of files that do not say their own."""

from __future__ import annotations

import difflib

import numpy as np

from ..errors import UnitError

#: Length units that `unit=` accepts, in metres.
LENGTH_UNITS: dict[str, float] = {
    "m": 1.0,
    "mm": 1e-3,
    "cm": 1e-2,
    "dm": 1e-1,
    "km": 1e3,
    "um": 1e-6,
    "in": 0.0254,
    "ft": 0.3048,
    "yd": 0.9144,
}
#: Other spellings that people type.
_SPELLINGS: dict[str, str] = {
    "metre": "m", "meter": "m", "metres": "m", "meters": "m", "millimetre": "mm", "millimeter": "mm", "millimetres": "mm", "millimeters": "mm",
    "centimetre": "cm", "centimeter": "cm", "centimetres": "cm", "centimeters": "cm", "micron": "um", "microns": "um", "µm": "um",
    "inch": "in", "inches": "in", '"': "in", "foot": "ft", "feet": "ft", "yard": "yd", "yards": "yd",
}  # fmt: skip


def metres_per(unit: str, where: str = "") -> float:
    """Metres per one ``unit``.

    Raises:
        UnitError: the unit is not a length unit that geoop knows.
    """
    word = unit.strip().lower() if isinstance(unit, str) else ""
    word = _SPELLINGS.get(word, word)
    if word in LENGTH_UNITS:
        return LENGTH_UNITS[word]
    near = difflib.get_close_matches(word, [*LENGTH_UNITS, *_SPELLINGS], n=1)
    hint = f"did you mean '{near[0]}'? " if near else ""
    raise UnitError(f"'{unit}' is not a length unit", where=where, remedy=f"{hint}choose one of {', '.join(LENGTH_UNITS)}")


def extent_text(points: np.ndarray) -> str:
    """``4612 x 1890 x 1380``: the size of the bounding box in the unit of the points."""
    finite = points[np.isfinite(points).all(axis=1)]
    if not len(finite):
        return "unknown (no finite point)"
    return " x ".join(f"{size:.4g}" for size in np.ptp(finite, axis=0))


def missing_unit(kind: str, points: np.ndarray, where: str) -> UnitError:
    """The error for a file that needs ``unit=``: the choice, and what each choice would mean for this file."""
    finite = points[np.isfinite(points).all(axis=1)]
    size = float(np.ptp(finite, axis=0).max()) if len(finite) else float("nan")
    meanings = ", ".join(f"{unit} would give a body {length_text(size * LENGTH_UNITS[unit])} long" for unit in ("m", "mm", "cm", "in", "ft"))
    return UnitError(
        f"{kind} files carry no length unit to rely on, and areas, forces, Reynolds numbers depend on it; extent {extent_text(points)}: {meanings}",
        where=where,
        remedy=f"say the unit: unit='mm' in Python or --unit mm on the command line; choose one of {', '.join(LENGTH_UNITS)}",
    )


def length_text(metres: float) -> str:
    """A length for reading, in the unit that people would say it in."""
    if not np.isfinite(metres):
        return "of unknown size"
    if metres >= 1.0:
        return f"{metres:.4g} m"
    return f"{metres * 1e3:.4g} mm" if metres >= 1e-3 else f"{metres * 1e6:.4g} um"
