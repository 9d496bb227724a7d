"""What geoop writes into a VTK file's field data beside points, cells and arrays, so that nothing of a case is lost.

Names, notes and patch names are string arrays, numbers are numeric arrays; ParaView shows them under Information and in the
spreadsheet view (Field Data). A file that geoop wrote is known by the array ``geoop`` with the version inside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields as dataclass_fields
from typing import Any

import numpy as np

from ..errors import InvalidMeshError
from ..mesh.case import Case
from ..mesh.cells import Cells
from ..mesh.mesh import Mesh
from ..mesh.operating_point import OperatingPoint
from ..mesh.quantity import UNKNOWN_UNIT, Field
from ..version import __version__
from .fields import field_of

Annotations = Mapping[str, "np.ndarray | list[str]"]
OWN, TIME, PATCH_ARRAY = "geoop", "TimeValue", "patch"
_CONDITION, _BOUNDARY = "operating_point.", "boundary | "
_UNITS = {"velocity": "m/s", "alpha": "deg", "beta": "deg", "density": "kg/m^3", "viscosity": "Pa s", "mach": "1", "reference_length": "m"}


def pack(case: Case) -> dict[str, np.ndarray | list[str]]:
    """Everything about a case but its points, cells and point or cell fields, as named arrays."""
    mesh = case.mesh
    found: dict[str, np.ndarray | list[str]] = {OWN: [__version__], "name": [case.name, mesh.name], "dimension": np.array([mesh.dimension])}
    if mesh.notes:
        found["notes"] = list(mesh.notes)
    if case.wall is not None:
        found["wall"] = list(case.wall)
    if case.time is not None:
        found[TIME] = np.array([case.time], dtype=np.float64)
    if case.operating_point is not None:
        for key, value in case.operating_point.to_dict().items():
            found[f"{_CONDITION}{key} [{_UNITS.get(key, UNKNOWN_UNIT)}]"] = np.array([value], dtype=np.float64)
    found.update(_pack_patches(mesh.patches))
    if mesh.zones:
        found["zone_names"] = list(mesh.zones)
        found["zone_sizes"] = np.array([len(index) for index in mesh.zones.values()], dtype=np.int64)
        found["zone_cells"] = np.concatenate([*mesh.zones.values(), np.zeros(0, np.int64)])
    for field in case.fields.values():
        if field.location == "global":
            found[field.quantity.label] = np.asarray(field.values).reshape(1, -1)
    for patch, values in case.boundary.items():
        for field in values.values():
            rows = 1 if field.location == "global" else len(field.values)
            found[f"{_BOUNDARY}{patch} | {field.location} | {field.quantity.label}"] = np.asarray(field.values).reshape(rows, -1)
    return found


def _pack_patches(patches: Mapping[str, Cells]) -> dict[str, np.ndarray | list[str]]:
    if not patches:
        return {}
    together = Cells.concatenate(list(patches.values()))
    return {
        "patch_names": list(patches),
        "patch_sizes": np.array([len(part) for part in patches.values()], dtype=np.int64),
        "patch_types": np.asarray(together.types),
        "patch_offsets": np.asarray(together.offsets),
        "patch_connectivity": np.asarray(together.connectivity),
    }


def is_own(contains: Callable[[str], Any]) -> bool:
    """Whether geoop wrote the file."""
    return bool(contains(OWN)) and bool(contains("dimension"))


def dimension(saved: Annotations) -> int | None:
    """2 or 3 as it was written; None for a foreign file."""
    if not is_own(saved.__contains__):
        return None
    value = int(np.asarray(saved["dimension"]).reshape(-1)[0]) if len(saved["dimension"]) else 0
    if value not in (2, 3):
        raise InvalidMeshError(f"the file says that its dimension is {value}", remedy="write it again with geoop")
    return value


def patches(saved: Annotations) -> dict[str, Cells]:
    """Patches by name, in the order in which they were written."""
    if "patch_names" not in saved:
        return {}
    types, offsets, connectivity = (np.asarray(saved.get(f"patch_{key}", np.zeros(0))).reshape(-1) for key in ("types", "offsets", "connectivity"))
    cells = Cells(types, offsets, connectivity)
    return {name: cells.take(index) for name, index in _runs(saved, "patch", len(cells))}


def zones(saved: Annotations) -> dict[str, np.ndarray]:
    """Zones by name: cell indices."""
    if "zone_names" not in saved:
        return {}
    index = np.asarray(saved.get("zone_cells", np.zeros(0, np.int64))).reshape(-1)
    return {name: index[run] for name, run in _runs(saved, "zone", len(index))}


def _runs(saved: Annotations, kind: str, total: int) -> list[tuple[str, np.ndarray]]:
    names = list(saved[f"{kind}_names"])
    sizes = np.asarray(saved.get(f"{kind}_sizes", np.zeros(0))).reshape(-1).astype(np.int64)
    if len(sizes) != len(names) or (sizes < 0).any() or sizes.sum() != total:
        raise InvalidMeshError(
            f"{len(names)} {kind} names do not fit sizes {sizes.tolist()[:8]} of {total} in all", remedy="write the file again with geoop"
        )
    stops = np.cumsum(sizes)
    return [(str(name), np.arange(stop - size, stop)) for name, size, stop in zip(names, sizes, stops, strict=True)]


def case_of(mesh: Mesh, saved: Annotations, fields: list[Field]) -> Case:
    """The case that was written, around a mesh and its point and cell fields; plain for a foreign file.

    Raises:
        ConditionError: the stored operating point is not a possible one.
    """
    items = {item.name: item for item in fields}
    time = float(np.asarray(saved[TIME]).reshape(-1)[0]) if TIME in saved and len(saved[TIME]) else None
    if not is_own(saved.__contains__):
        return Case(mesh, fields=items, time=time)
    boundary: dict[str, dict[str, Field]] = {}
    known = {OWN, TIME, "name", "dimension", "notes", "wall"}
    for key, values in saved.items():
        if key.startswith(_BOUNDARY):
            parts = key[len(_BOUNDARY) :].rsplit(" | ", 2)
            if len(parts) != 3:
                raise InvalidMeshError(f"the boundary value '{key}' names no patch, location and quantity", remedy="write the file again with geoop")
            patch, location, label = parts
            field = field_of(label, _unflattened(np.asarray(values), location == "global"), location)  # type: ignore[arg-type]
            boundary.setdefault(patch, {})[field.name] = field
        elif key not in known and not key.startswith((_CONDITION, "patch_", "zone_", "series_")) and isinstance(values, np.ndarray):
            field = field_of(key, _unflattened(values, True), "global")
            items[field.name] = field
    names = list(saved.get("name", []))
    wall = tuple(str(name) for name in saved["wall"]) if "wall" in saved else None
    return Case(mesh, _operating_point(saved), items, boundary, wall, time, str(names[0]) if names else "")


def _unflattened(values: np.ndarray, single: bool) -> np.ndarray:
    """(n,), (n, d) or (n, d, d) out of the flat rows of the file; one row without n for a global value."""
    rows = values.reshape(len(values), -1) if values.size else values.reshape(0, 1)
    width = rows.shape[1]
    shaped = rows.reshape(len(rows), int(width**0.5), -1) if width in (4, 9) else rows[:, 0] if width == 1 else rows
    return shaped[0] if single else shaped


def _operating_point(saved: Annotations) -> OperatingPoint | None:
    known = {item.name for item in dataclass_fields(OperatingPoint)}
    values = {}
    for key, array in saved.items():
        name = key.removeprefix(_CONDITION).partition(" [")[0]
        if key.startswith(_CONDITION) and name in known and len(array):
            values[name] = float(np.asarray(array).reshape(-1)[0])
    return OperatingPoint(**values) if "velocity" in values else None
