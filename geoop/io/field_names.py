"""What solvers call the quantities that geoop knows, and vectors that they store as one array per component."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from ..mesh.quantity import parse_label
from .contents import Array, Contents

#: Name in lower case without blanks and underscores -> geoop's. Left out on purpose, because they mean different things in different
#: solvers: ``p`` (kinematic in incompressible OpenFOAM, Pa elsewhere), ``cp`` (also a heat capacity), ``mut`` and ``viscosityeddy`` (dynamic).
NAMES: dict[str, str] = {
    "u": "velocity", "velocity": "velocity", "flowvelocity": "velocity", "velocityvector": "velocity",
    "pressure": "pressure", "staticpressure": "pressure", "svp": "pressure",
    "pressurecoefficient": "pressure_coefficient", "coefpressure": "pressure_coefficient", "pressurecoeff": "pressure_coefficient",
    "t": "temperature", "temperature": "temperature", "statictemperature": "temperature", "svt": "temperature",
    "rho": "density", "density": "density", "svdensity": "density",
    "mach": "mach_number", "machnumber": "mach_number", "machno": "mach_number",
    "wallshearstress": "wall_shear_stress", "skinfrictioncoefficient": "skin_friction_coefficient", "coefskinfriction": "skin_friction_coefficient",
    "nut": "turbulent_viscosity", "viscosityeddykinematic": "turbulent_viscosity",
}  # fmt: skip
#: geoop's names of vectors: a scalar array of such a name is something else and keeps its own.
_VECTORS = {"velocity", "wall_shear_stress", "skin_friction_coefficient"}
#: Components of the velocity that do not end in x, y, z.
_COMPONENTS = {"u": 0, "v": 1, "w": 2, "svu": 0, "svv": 1, "svw": 2}


def solver_named(arrays: Iterable[Array]) -> tuple[Array, ...]:
    """Arrays with components put together and known quantities under their own names; values and units stay as they are.

    ``VelocityX``, ``VelocityY``, ``VelocityZ`` (also ``x-velocity``, ``velocity_x``, ``Velocity:0``, ``u``, ``v``, ``w``) are one vector.
    A name that is taken already stays as it is.

    Args:
        arrays: of a file, labels with or without a unit.
    """
    arrays = list(_joined_components(list(arrays)))
    taken = {(array.label, array.location) for array in arrays}
    named = []
    for array in arrays:
        name, unit = parse_label(array.label)
        known = NAMES.get(_key(name))
        label = array.label if known is None else known + (f" [{unit}]" if unit else "")
        vector = np.ndim(array.values) > 1
        if label != array.label and known is not None and vector == (known in _VECTORS) and (label, array.location) not in taken:
            taken.add((label, array.location))
            array = replace(array, label=label)
        named.append(array)
    return tuple(named)


def with_known_names(contents: Contents) -> Contents:
    """The same contents with :func:`solver_named` arrays on the mesh and on its patches."""
    boundary = {name: solver_named(arrays) for name, arrays in contents.boundary.items()}
    return replace(contents, arrays=solver_named(contents.arrays), boundary=boundary)


def _key(name: str) -> str:
    return re.sub(r"[\s_\-.]+", "", name).lower()


def _component(label: str) -> tuple[str, int] | None:
    """``VelocityX`` -> ("Velocity", 0); None for a name that is no component."""
    name, unit = parse_label(label)
    tail = f" [{unit}]" if unit else ""
    if _key(name) in _COMPONENTS:
        return f"velocity{tail}", _COMPONENTS[_key(name)]
    for pattern in (r"^(?P<c>[xyzXYZ])[-_ ](?P<n>.*\w)$", r"^(?P<n>.*\w)[-_ :.](?P<c>[xyzXYZ012])$", r"^(?P<n>.*[a-z])(?P<c>[XYZ])$"):
        match = re.match(pattern, name.strip())
        if match:
            return match["n"] + tail, {"x": 0, "y": 1, "z": 2, "0": 0, "1": 1, "2": 2}[match["c"].lower()]
    return None


def _joined_components(arrays: list[Array]) -> list[Array]:
    groups: dict[tuple[str, str], dict[int, Array]] = {}
    for array in arrays:
        found = _component(array.label) if np.ndim(array.values) == 1 else None
        if found is not None:
            groups.setdefault((found[0], array.location), {}).setdefault(found[1], array)
    labels = {(array.label, array.location) for array in arrays}
    whole = {
        key: parts for key, parts in groups.items() if set(parts) in ({0, 1}, {0, 1, 2}) and key not in labels
    }  # a lone component, or one of a vector that is there as well, stays as it is
    member = {id(part): key for key, parts in whole.items() for part in parts.values()}
    joined = []
    for array in arrays:
        key = member.get(id(array))
        if key is None:
            joined.append(array)
        elif array is whole[key][0]:
            parts = whole[key]
            columns = [parts[k].values for k in sorted(parts)]
            if len(columns) == 2:
                columns.append(np.zeros(len(columns[0])))
            joined.append(Array(key[0], np.stack([np.asarray(c, dtype=np.float64) for c in columns], axis=1), array.location))
    return joined
