"""Units as engineers write them in headers and array names, and their factors to SI (angles: degrees)."""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass

import numpy as np

from ..errors import UnitError
from ..mesh.quantity import UNKNOWN_UNIT


@dataclass(frozen=True)
class Scale:
    """From a unit to its SI unit: ``value * factor + offset``."""

    si: str
    factor: float
    offset: float = 0.0

    def __call__(self, values: np.ndarray | float) -> np.ndarray | float:
        return values if self.factor == 1.0 and not self.offset else values * self.factor + self.offset


def _scales(si: str, **factors: float) -> dict[str, Scale]:
    return {unit: Scale(si, factor) for unit, factor in factors.items()}


_K0 = 273.15
#: Spelling without blanks, dots, stars and carets -> scale.
_SCALES: dict[str, Scale] = {
    **_scales("m", m=1.0, mm=1e-3, cm=1e-2, dm=0.1, km=1e3, um=1e-6, ft=0.3048, yd=0.9144, inch=0.0254),
    "in": Scale("m", 0.0254),
    **{unit: Scale("m/s", factor) for unit, factor in {
        "m/s": 1.0, "ms-1": 1.0, "mps": 1.0, "km/h": 1 / 3.6, "kmh": 1 / 3.6, "kph": 1 / 3.6, "kmh-1": 1 / 3.6, "mph": 0.44704,
        "kn": 1852 / 3600, "kt": 1852 / 3600, "kts": 1852 / 3600, "knots": 1852 / 3600, "ft/s": 0.3048, "fps": 0.3048, "cm/s": 1e-2, "mm/s": 1e-3,
    }.items()},
    **_scales("deg", deg=1.0, degree=1.0, degrees=1.0, rad=180.0 / math.pi, radians=180.0 / math.pi, gon=0.9),
    "°": Scale("deg", 1.0), "Grad": Scale("deg", 1.0),  # the German word for degrees
    **{unit: Scale("kg/m^3", factor) for unit, factor in {"kg/m3": 1.0, "kgm-3": 1.0, "g/cm3": 1e3, "g/l": 1.0, "kg/l": 1e3}.items()},
    **{unit: Scale("Pa s", factor) for unit, factor in {
        "Pas": 1.0, "kg/(ms)": 1.0, "kg/m/s": 1.0, "kg/ms": 1.0, "kgm-1s-1": 1.0, "Ns/m2": 1.0, "mPas": 1e-3, "cP": 1e-3,
    }.items()},
    **{unit: Scale("m^2/s", factor) for unit, factor in {"m2/s": 1.0, "m2s-1": 1.0, "mm2/s": 1e-6, "cSt": 1e-6}.items()},
    **{unit: Scale("Pa", factor) for unit, factor in {
        "Pa": 1.0, "kPa": 1e3, "MPa": 1e6, "GPa": 1e9, "bar": 1e5, "mbar": 100.0, "hPa": 100.0, "psi": 6894.757293168, "atm": 101325.0,
        "N/m2": 1.0, "Nm-2": 1.0, "N/mm2": 1e6, "Torr": 101325 / 760, "mmHg": 133.322387415, "inHg": 3386.388640341, "mmH2O": 9.80665,
        "inH2O": 249.08891, "psf": 47.88025898, "kgf/cm2": 98066.5, "dyn/cm2": 0.1, "kgm-1s-2": 1.0, "kg/(ms2)": 1.0,
    }.items()},
    **{unit: Scale("m^2/s^2", 1.0) for unit in ("m2/s2", "m2s-2", "Pa/(kg/m3)", "J/kg")},
    "K": Scale("K", 1.0), "degC": Scale("K", 1.0, _K0), "°C": Scale("K", 1.0, _K0), "C": Scale("K", 1.0, _K0), "Celsius": Scale("K", 1.0, _K0),
    "degF": Scale("K", 5 / 9, _K0 - 32 * 5 / 9), "°F": Scale("K", 5 / 9, _K0 - 32 * 5 / 9),
    **_scales("1", **{"1": 1.0, "-": 1.0, "–": 1.0, "": 1.0, "%": 0.01, "counts": 1e-4}),
    "1/s": Scale("1/s", 1.0), "s-1": Scale("1/s", 1.0), "Hz": Scale("1/s", 1.0),
    **_scales("s", s=1.0, ms=1e-3, min=60.0), **_scales("N", N=1.0, kN=1e3), "Nm": Scale("N m", 1.0), "kg": Scale("kg", 1.0),
    "m2": Scale("m^2", 1.0), "cm2": Scale("m^2", 1e-4), "mm2": Scale("m^2", 1e-6), "W/m2": Scale("W/m^2", 1.0),
    "m2/s3": Scale("m^2/s^3", 1.0),
}  # fmt: skip
_LOWER: dict[str, str] = {}
for _unit in _SCALES:
    _LOWER.setdefault(_unit.lower(), _unit)


def _plain(unit: str) -> str:
    for before, after in (
        ("²", "2"),
        ("³", "3"),
        ("µ", "u"),
        ("μ", "u"),
        ("·", ""),
        ("⋅", ""),
        ("**", ""),
        ("*", ""),
        ("^", ""),
        (" ", ""),
        ("⁻¹", "-1"),
    ):
        unit = unit.replace(before, after)
    return unit.replace(".", "") if not unit.replace(".", "").isdigit() else unit


def known_unit(unit: str) -> Scale | None:
    """The scale of a unit, ``None`` if it is not known. ``MPa`` and ``mPa`` differ; otherwise capitals do not matter."""
    plain = _plain(unit.strip())
    if plain in _SCALES:
        return _SCALES[plain]
    return _SCALES[_LOWER[plain.lower()]] if plain.lower() in _LOWER else None


def scale_of(unit: str, where: str = "") -> Scale:
    """The scale of a unit.

    Raises:
        UnitError: it is not known.
    """
    found = known_unit(unit)
    if found is None:
        near = difflib.get_close_matches(_plain(unit), list(_SCALES), n=2)
        raise UnitError(
            f"the unit '{unit}' is not known",
            where=where,
            remedy=(f"did you mean {' or '.join(near)}? " if near else "") + "SI units always work: m/s, Pa, K, kg/m^3, Pa s, m^2/s, deg, 1",
        )
    return found


def in_unit(values: np.ndarray, unit: str, wanted: str, name: str, where: str = "") -> np.ndarray:
    """Values of a quantity in another unit; as they are where either unit is unknown (``?``) or that of a run without dimensions (``1``).

    Raises:
        UnitError: the units are of different kinds.
    """
    own, other = known_unit(unit), known_unit(wanted)
    if own is not None and other is not None and own.si == other.si:
        return values if own == other else (np.asarray(own(values)) - other.offset) / other.factor
    if unit == wanted or "1" in (unit, wanted) or UNKNOWN_UNIT in unit or UNKNOWN_UNIT in wanted:
        return values
    raise UnitError(f"'{name}' is in {unit}, {wanted} is asked for", where=where, remedy=f"give it in {wanted}, and say so: '{name} [{wanted}]'")
