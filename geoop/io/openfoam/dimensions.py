"""Dimensions of OpenFOAM fields as units, and what fields of well-known names are called in geoop."""

from __future__ import annotations

import re

import numpy as np

from ...mesh.quantity import UNKNOWN_UNIT, parse_label

#: Exponents of kg, m, s, K, mol, A, cd.
Dimensions = tuple[float, ...]
_BASE = ("kg", "m", "s", "K", "mol", "A", "cd")
_SPELLED: dict[Dimensions, str] = {(1, -1, -2, 0, 0, 0, 0): "Pa", (1, -1, -1, 0, 0, 0, 0): "Pa s"}
#: Units that newer versions spell out inside the brackets.
_DERIVED: dict[str, Dimensions] = {
    "N": (1, 1, -2, 0, 0, 0, 0),
    "Pa": (1, -1, -2, 0, 0, 0, 0),
    "J": (1, 2, -2, 0, 0, 0, 0),
    "W": (1, 2, -3, 0, 0, 0, 0),
    "Hz": (0, 0, -1, 0, 0, 0, 0),
    "rad": (0, 0, 0, 0, 0, 0, 0),
}
_NAMED: dict[str, Dimensions] = {
    "velocity": (0, 1, -1, 0, 0, 0, 0),
    "pressure": (1, -1, -2, 0, 0, 0, 0),
    "kinematicPressure": (0, 2, -2, 0, 0, 0, 0),
    "density": (1, -3, 0, 0, 0, 0, 0),
    "temperature": (0, 0, 0, 1, 0, 0, 0),
    "dimless": (0, 0, 0, 0, 0, 0, 0),
}

#: Name of the file and its unit -> name in geoop. A name with other dimensions is another quantity and keeps its own name.
_NAMES: dict[tuple[str, str], str] = {
    ("U", "m/s"): "velocity",
    ("p", "Pa"): "pressure",
    ("p", "m^2/s^2"): "kinematic_pressure",
    ("T", "K"): "temperature",
    ("rho", "kg/m^3"): "density",
    ("nut", "m^2/s"): "turbulent_viscosity",
    ("nuTilda", "m^2/s"): "modified_turbulent_viscosity",
    ("k", "m^2/s^2"): "turbulent_kinetic_energy",
    ("epsilon", "m^2/s^3"): "turbulent_dissipation_rate",
    ("omega", "1/s"): "specific_dissipation_rate",
    ("Ma", "1"): "mach_number",
    ("wallShearStress", "Pa"): "wall_shear_stress",
    ("wallShearStress", "m^2/s^2"): "kinematic_wall_shear_stress",
    ("vorticity", "1/s"): "vorticity",
}
_FILES = {name: file for (file, _), name in _NAMES.items()}


def dimensions_of(text: str) -> Dimensions | None:
    """Exponents out of ``[0 1 -1 0 0 0 0]``, ``[m s^-1]`` or ``[velocity]``; None where they are not understood."""
    found = re.search(r"\[([^\]]*)\]", text)
    words = found[1].replace("*", " ").split() if found else []
    if len(words) in (5, 7) and all(re.fullmatch(r"[-+]?\d+(\.\d*)?", word) for word in words):
        return tuple(float(word) for word in words + ["0"] * (7 - len(words)))
    if len(words) == 1 and words[0] in _NAMED:
        return _NAMED[words[0]]
    if found and not words:
        return (0.0,) * 7
    total = np.zeros(7)
    for sign, part in zip((1, -1), " ".join(words).split("/", 1), strict=False):
        for factor in part.replace("/", " ").split():
            if factor == "1":
                continue
            known = re.fullmatch(r"([A-Za-z]+)(?:\^?\(?([-+]?\d+(?:\.\d+)?)\)?)?", factor)
            if not known or (known[1] not in _BASE and known[1] not in _DERIVED):
                return None
            unit = np.array(_DERIVED[known[1]]) if known[1] in _DERIVED else np.eye(7)[_BASE.index(known[1])]
            total += sign * float(known[2] or 1) * unit
    return tuple(total.tolist()) if words else None


def unit_of(dimensions: Dimensions | None) -> str:
    """The unit as text: ``m/s``, ``kg/(m s)``, ``1``; ``Pa`` and ``Pa s`` by their names; ``?`` where unknown."""
    if dimensions is None:
        return UNKNOWN_UNIT
    if dimensions in _SPELLED:
        return _SPELLED[dimensions]
    above = [_power(base, size) for base, size in zip(_BASE, dimensions, strict=True) if size > 0]
    below = [_power(base, -size) for base, size in zip(_BASE, dimensions, strict=True) if size < 0]
    if not below:
        return " ".join(above) or "1"
    return f"{' '.join(above) or '1'}/{below[0] if len(below) == 1 else '(' + ' '.join(below) + ')'}"


def dimensions_text(unit: str) -> str | None:
    """``[0 1 -1 0 0 0 0]`` for a unit as :func:`unit_of` spells it; None where it is not understood."""
    found = dimensions_of("[" + re.sub(r"[()]", " ", unit) + "]")
    return "[" + " ".join(f"{size:g}" for size in found) + "]" if found else None


def label_of(file: str, dimensions: Dimensions | None) -> str:
    """``velocity [m/s]`` for the file ``U``: the name that geoop knows where the dimensions fit it, otherwise that of the file."""
    unit = unit_of(dimensions)
    return f"{_NAMES.get((file, unit), file)} [{unit}]"


def turned(label: str, values: np.ndarray) -> np.ndarray:
    """Values between OpenFOAM's file and the quantity of a label, both ways: ``wall_shear_stress`` is the traction of the fluid on the wall, OpenFOAM's
    wallShearStress points upstream. (``kinematic_wall_shear_stress`` is the name of OpenFOAM's own numbers.)
    """
    return 0.0 - values if parse_label(label)[0] == "wall_shear_stress" else values


def file_of(name: str) -> str:
    """The name of the file of a quantity: ``U`` for ``velocity``; characters that file names lack become underscores."""
    known = _FILES.get(name)
    return known or re.sub(r"[^\w.,:()+-]", "_", parse_label(name)[0]) or "field"


def _power(base: str, size: float) -> str:
    return base if size == 1 else f"{base}^{size:g}"
