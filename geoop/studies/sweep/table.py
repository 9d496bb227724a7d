"""The table of a study: one row per case, the same columns for all, as CSV and, where pyarrow is installed, Parquet."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...io.atomic import replacing

#: A row: column -> text, number, or None where there is nothing to say.
Row = Mapping[str, Any]

#: Columns of every study, in order; the parameters of the shapes come behind the conditions.
CONDITIONS = ("case", "geometry", "alpha [deg]", "beta [deg]", "velocity [m/s]", "Re", "Mach", "reference_length [m]")
RESULTS = (
    "CL",
    "CD",
    "CD source",
    "CM",
    "x_cp/c",
    "Cp min",
    "x/c of Cp min",
    "stagnation points",
    "L/D",
    "CL error",
    "CD error",
    "CM error",
    "level",
    "reason",
    "outcome",
    "message",
    "seconds",
)
#: Of the panel method beside a prediction.
CONTROLS = ("CL panels", "CM panels", "Cp L2 panels [%]")
#: Outcome of a case that has no result.
FAILED = "failed"
#: Columns of text; all others hold numbers.
TEXT = ("case", "geometry", "CD source", "stagnation points", "level", "reason", "outcome", "message")
#: Columns that are left out where no case has anything in them.
_OPTIONAL = ("beta [deg]", "Re", "Mach", *CONTROLS)


def columns_of(rows: Sequence[Row]) -> list[str]:
    """The columns of a table in order: conditions, parameters of the shapes, results, controls."""
    known = (*CONDITIONS, *RESULTS, *CONTROLS)
    own = list(dict.fromkeys(name for row in rows for name in row if name not in known))
    found = [*CONDITIONS, *own, *RESULTS, *CONTROLS]
    return [name for name in found if name not in _OPTIONAL or any(row.get(name) is not None for row in rows)]


def write_table(rows: Sequence[Row], folder: Path) -> tuple[list[Path], str]:
    """``table.csv``, and ``table.parquet`` where pyarrow is installed.

    Returns:
        the files, and a sentence where Parquet could not be written.

    Raises:
        UnwritableFileError: no permission, or the disk is full.
    """
    columns = columns_of(rows)
    target = folder / "table.csv"
    with replacing(target) as beside, beside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([_text(row.get(name)) for name in columns] for row in rows)
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        return [target], "no table.parquet: pyarrow is not installed"
    arrays = {name: pyarrow.array([row.get(name) for row in rows], pyarrow.string() if name in TEXT else pyarrow.float64()) for name in columns}
    with replacing(folder / "table.parquet") as beside:
        parquet.write_table(pyarrow.table(arrays), beside)
    return [target, folder / "table.parquet"], ""


def read_table(path: str | Path) -> list[dict[str, Any]]:
    """A table.csv as rows: numbers as float, None where a cell is empty."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        return [{name: _value(name, cell) for name, cell in row.items()} for row in csv.DictReader(file)]


def finite(values: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """A row without what is no number: NaN and infinity become None."""
    return {name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in values}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return repr(float(value)) if isinstance(value, float) else str(value).replace("\n", " ")


def _value(name: str, cell: str | None) -> Any:
    if not cell:
        return None
    return cell if name in TEXT else float(cell)
