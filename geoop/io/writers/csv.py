"""CSV: the points of a case, or the centres of its cells, with the fields there."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ...errors import ConfigurationError
from ...mesh.case import Case
from ...mesh.measure import cell_centers
from ...mesh.quantity import Field
from .options import Options, left_out, renamed
from .rows import number_lines

_COMPONENTS = ("x", "y", "z")


def write_csv(case: Case, path: Path, options: Options) -> tuple[str, ...]:
    """Write one row per point or per cell; see :func:`geoop.io.writing.write`.

    Columns are ``x [m]``, ``y [m]``, ``z [m]`` and the fields with their units; vectors are ``velocity_x [m/s]`` and so on. Values
    that a case of one patch has on it alone are columns as well.

    Raises:
        ConfigurationError: rows per cell for a point cloud.
    """
    location = options.location or _natural(case)
    if location == "cell" and not len(case.mesh.cells):
        raise ConfigurationError("the case has no cells to write one row for each", where="location", remedy="leave location out")
    places = case.mesh.points if location == "point" else cell_centers(case.mesh)
    held = {name: item for name, item in case.fields.items() if item.location == location}
    values, taken = _on_patch(case, location, set(held))
    names, columns = [f"{axis} [{options.unit}]" for axis in _COMPONENTS[: places.shape[1]]], [places * options.scale]
    for item in [*held.values(), *values]:
        table = np.asarray(item.values, dtype=np.float64).reshape(len(places), -1)
        names += _labels(item, table.shape[1])
        columns.append(table)
    heads = [re.sub(r"[,;\"\s]+", " ", name) for name in names]
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(",".join(heads) + "\n")
        file.write("".join(f"{line}\n" for line in number_lines(np.concatenate(columns, axis=1), ",")))
    rows = "point" if location == "point" else "cell, at its centre"
    changed = renamed(dict(zip(names, heads, strict=True)), "a name has no commas, semicolons and quotes")
    return (f"one row per {rows}", *changed, *left_out(case, fields=list(held), boundary=taken))


def _natural(case: Case) -> str:
    """Cells where the fields live at cells only."""
    places = {item.location for item in case.fields.values()}
    return "cell" if "cell" in places and "point" not in places and len(case.mesh.cells) else "point"


def _on_patch(case: Case, location: str, taken: set[str]) -> tuple[list[Field], bool]:
    """Boundary values of a case that is one patch, and whether all of them are columns."""
    if len(case.boundary) != 1 or len(case.mesh.patches) != 1:
        return [], False
    wanted = "point" if location == "point" else "facet"
    size = len(case.mesh.points) if location == "point" else len(case.mesh.cells)
    found = next(iter(case.boundary.values()))
    fitting = [item for name, item in found.items() if item.location == wanted and len(item.values) == size and name not in taken]
    return fitting, len(fitting) == len(found)


def _labels(item: Field, width: int) -> list[str]:
    name, unit = item.name, f" [{item.quantity.unit}]"
    if width == 1 and item.quantity.rank == 0:
        return [f"{name}{unit}"]
    if item.quantity.rank == 1 and width <= 3:
        return [f"{name}_{axis}{unit}" for axis in _COMPONENTS[:width]]
    if item.quantity.rank == 2 and width in (4, 9):
        axes = _COMPONENTS[: 2 if width == 4 else 3]
        return [f"{name}_{a}{b}{unit}" for a in axes for b in axes]
    return [f"{name}_{i}{unit}" for i in range(width)]
