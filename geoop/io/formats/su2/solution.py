"""SU2 solutions, own reader: binary restarts and text (restart, volume and surface files), as point clouds with fields."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from ....errors import UnreadableFileError
from ...contents import Array, Contents
from ...source import Source
from ..clouds import named_columns, names_in, numbers_in

MAGIC = 535532
#: The column with the number of each point in the mesh.
POINT_ID = "PointID"
_NAME_BYTES = 33
_EXPORT = "copy it again from the run; it is truncated or damaged"
_METADATA = re.compile(r"^\s*([A-Za-z_]+)\s*=\s*(\S+)")
_COMPONENT = re.compile(r"^(.*?)_([xyz])$", re.I)
#: Mark-up that Tecplot shows: ``C<sub>p</sub>``, ``y<sup>+</sup>``, ``<greek>m</greek>``.
_MARKUP = ((re.compile(r"<sup>\+</sup>"), "_plus"), (re.compile(r"<greek>m</greek>"), "mu"), (re.compile(r"<greek>r</greek>"), "rho"),
           (re.compile(r"<(sub|sup)>"), "_"), (re.compile(r"</?\w+>"), ""))  # fmt: skip
#: What SU2 has called the quantities that geoop knows, in lower case.
_KNOWN = {
    "pressure_coefficient": "pressure_coefficient [1]", "pressure_coeff": "pressure_coefficient [1]", "c_p": "pressure_coefficient [1]",
    "cp": "pressure_coefficient [1]", "mach": "mach_number [1]", "mach_number": "mach_number [1]", "y_plus": "y_plus [1]",
    "skin_friction_coefficient": "skin_friction_coefficient [1]", "skin_friction_coeff": "skin_friction_coefficient [1]",
    "c_f": "skin_friction_coefficient [1]", "cf": "skin_friction_coefficient [1]", "mu": "laminar_viscosity", "mu_t": "eddy_viscosity",
    "grid_vel": "grid_velocity", "pressure": "pressure", "density": "density", "rho": "density", "temperature": "temperature",
    "pointid": POINT_ID, "global_index": POINT_ID, "velocity": "velocity", "grid_velocity": "grid_velocity", "momentum": "momentum",
}  # fmt: skip


def read_su2_solution(source: Source) -> Contents:
    """The points and fields of an SU2 restart, volume or surface file, binary or text; :func:`geoop.io.solution.attach` joins them to the mesh.

    Components become vectors, and quantities that geoop knows get its names: ``Pressure_Coefficient`` and ``C<sub>p</sub>`` are
    ``pressure_coefficient``, ``Mach`` is ``mach_number``. Where density and momentum are there and velocity is not, it is their
    quotient. SU2 writes the numbers of its own run, SI or not; what they seem to be is said in a note, and the numbers of a
    run that cannot be SI get the unit 1.

    Raises:
        UnreadableFileError: truncated, no coordinates, or rows of different length.
    """
    data = source.data()
    if is_binary_restart(data):
        names, table, notes = _binary(data, source.where)
    else:
        names, table, notes = _text(source)
    contents = named_columns([_renamed(name) for name in names], table, source.where)
    arrays = tuple(_whole(array) if array.label == POINT_ID else array for array in contents.arrays)
    more = _with_velocity(arrays)
    notes += ["velocity is momentum / density"] if len(more) > len(arrays) else []
    arrays, said = _with_units(more)
    return replace(contents, arrays=arrays, notes=(*notes, *said))


def is_binary_restart(data: bytes) -> bool:
    """Whether these bytes start like an SU2 binary restart, of either byte order."""
    return data[:4] in (MAGIC.to_bytes(4, "little"), MAGIC.to_bytes(4, "big"))


def _binary(data: bytes, where: str) -> tuple[list[str], np.ndarray, list[str]]:
    """Five int32 (magic, fields, points, whole numbers and doubles behind), names of 33 bytes, rows of float64, metadata."""
    order = "<" if data[:4] == MAGIC.to_bytes(4, "little") else ">"
    if len(data) < 20:
        raise UnreadableFileError(f"an SU2 restart of {len(data)} bytes has no header", where=where, remedy=_EXPORT)
    _, fields, points, integers, doubles = (int(value) for value in np.frombuffer(data, f"{order}i4", 5))
    start = 20 + _NAME_BYTES * fields
    needed = start + 8 * fields * points
    if fields < 2 or points < 1 or needed > len(data):
        raise UnreadableFileError(
            f"an SU2 restart that announces {fields} fields at {points} points, which need {needed} bytes, but has {len(data)}",
            where=where,
            remedy=_EXPORT,
        )
    names = [data[20 + _NAME_BYTES * i :][:_NAME_BYTES].split(b"\0")[0].decode("latin-1").strip() for i in range(fields)]
    if any(not name.isprintable() or not name for name in names):
        raise UnreadableFileError("the names of the fields in the SU2 restart cannot be read", where=where, remedy=_EXPORT)
    table = np.frombuffer(data, f"{order}f8", fields * points, start).astype(np.float64).reshape(points, fields)
    rest = data[needed:]
    notes = []
    if integers >= 1 and doubles >= 2 and len(rest) >= 4 * integers + 8 * doubles:
        alpha, beta = np.frombuffer(rest, f"{order}f8", 2, 4 * integers)
        notes.append(f"the run was at alpha {alpha:g} deg and beta {beta:g} deg, step {int(np.frombuffer(rest, f'{order}i4', 1)[0])}")
    elif rest:
        notes.append(f"{len(rest)} bytes behind the last row are left out")
    return names, table, notes


def _text(source: Source) -> tuple[list[str], np.ndarray, list[str]]:
    """A line of names, rows, and in older versions lines such as ``AOA= 1.25`` behind them."""
    rows = [line.strip() for line in source.text().splitlines()]
    rows = [line for line in rows if line and not line.startswith(("#", "%"))]
    said = [found for line in rows[-32:] if (found := _METADATA.match(line))]
    rows = rows[: len(rows) - len(said)]
    notes = [f"the run says {', '.join(f'{found[1]}= {found[2]}' for found in said)}"] if said else []
    if not rows:
        raise UnreadableFileError("the table has no rows", where=source.where, remedy=_EXPORT)
    return names_in(rows[0]), numbers_in(rows[1:], source.where, 2), notes


def _renamed(name: str) -> str:
    """The name of a column as geoop says it; its component stays behind it."""
    for pattern, plain in _MARKUP:
        name = pattern.sub(plain, name)
    name = re.sub(r"^(Grid_Vel)([xyz])$", r"\1_\2", name)
    found = _COMPONENT.match(name)
    stem, component = (found[1], found[2].lower()) if found else (name, "")
    known = _KNOWN.get(re.sub(r"[\s-]+", "_", stem.lower()))
    if known is None:
        return name
    label, _, unit = known.partition(" ")
    return f"{label}{f'_{component}' if component else ''}{f' {unit}' if unit else ''}"


def _whole(array: Array) -> Array:
    whole = (np.abs(array.values) < 2**53) & (array.values == np.floor(array.values))
    return Array(array.label, array.values.astype(np.int64)) if whole.all() else array


def _with_velocity(arrays: tuple[Array, ...]) -> tuple[Array, ...]:
    found = {array.label: array.values for array in arrays}
    if "velocity" in found or "momentum" not in found or "density" not in found or (found["density"] <= 0).any():
        return arrays
    momentum = found["momentum"]
    with np.errstate(all="ignore"):
        velocity = momentum / found["density"].reshape(-1, *[1] * (momentum.ndim - 1))
    return (*arrays, Array("velocity", velocity))


def _with_units(arrays: tuple[Array, ...]) -> tuple[tuple[Array, ...], list[str]]:
    """Arrays with the unit 1 where the numbers cannot be SI, and what the numbers seem to be."""
    found = {array.label: array.values for array in arrays}
    notes = []
    with np.errstate(all="ignore"):
        if {"pressure", "density", "temperature"} <= set(found):
            gas = float(np.median(found["pressure"] / (found["density"] * found["temperature"])))
            scale, said = gas, f"p / (rho T) is {gas:.5g}"
            said += ", that of air in J/(kg K)" if abs(gas - 287.058) < 3 else ""
            small = 10.0
        elif {"Energy", "density", "velocity"} <= set(found):
            speed = found["velocity"].reshape(len(found["density"]), -1)
            scale = float(np.median(found["Energy"] / found["density"] - 0.5 * (speed**2).sum(axis=1)))
            said, small = f"the internal energy per mass is {scale:.4g}", 1e3
        else:
            scale, said, small = np.nan, "", 0.0
    if 0 < scale < small:
        labelled = (Array(a.label if a.label.endswith("]") or a.label == POINT_ID else f"{a.label} [1]", a.values, a.location) for a in arrays)
        return tuple(labelled), [*notes, f"the run is not in SI units ({said}): its numbers are kept with the unit 1"]
    if set(found) & {"pressure", "velocity", "density", "temperature"}:
        incompressible = "pressure" in found and "density" not in found and "Energy" not in found
        basis = "pressure of an incompressible run is relative to its reference, and " if incompressible else ""
        notes.append(f"{basis}SU2 does not say its units: SI is assumed, which is right for dimensional runs{f' ({said})' if said else ''}")
    return arrays, notes
