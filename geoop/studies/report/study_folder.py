"""A study folder as it lies on disk: what the report, the pictures and the ParaView script are made from."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ...errors import DatasetError, GeoopError
from ...interfaces.verdict import LEVELS
from ...io.reading import read_case
from ...mesh.case import Case
from ..sweep.table import FAILED, RESULTS, TEXT, Row, read_table

#: Names inside a study folder.
ABOUT, TABLE, CASES, REPORT, STATE_SCRIPT = "study.json", "table.csv", "cases", "report.html", "open.py"
ALPHA = "alpha [deg]"
#: The first column of what was computed: whatever stands before it was asked for.
_COMPUTED = frozenset(RESULTS)


@dataclass(frozen=True)
class StudyFolder:
    """A study that was written: its description, its table, the places of its files.

    Attributes:
        path: of the folder.
        about: ``study.json``: name, command, model, settings, geometries, conditions, version, seconds, warnings.
        columns: of the table, in order.
        rows: one per case; numbers are floats, an empty cell is None.
    """

    path: Path
    about: Mapping[str, Any]
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    _walls: dict[str, Case | None] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> StudyFolder:
        """Read the description and the table; files of cases are read when they are asked for.

        Raises:
            DatasetError: no study in the folder, or one that cannot be read; all problems in one error.
        """
        path, problems = Path(folder).expanduser(), []
        missing = [name for name in (ABOUT, TABLE) if not (path / name).is_file()]
        if missing:
            found = "it does not exist" if not path.exists() else f"it lacks {' and '.join(missing)}"
            raise DatasetError(f"is no study folder: {found}", where=str(path), remedy="name a folder that `geoop study study.toml` wrote")
        about: Any = {}
        try:
            about = json.loads((path / ABOUT).read_text(encoding="utf-8"))
        except ValueError as error:
            problems.append(f"{ABOUT} is damaged: {error}")
        try:
            rows = read_table(path / TABLE)
        except (ValueError, OSError) as error:
            rows = []
            problems.append(f"{TABLE} is damaged: {error}")
        columns = tuple(rows[0]) if rows else ("case", "geometry")
        problems += [f"{TABLE} has no column '{name}'" for name in ("case", "geometry") if name not in columns]
        problems += [] if isinstance(about, dict) else [f"{ABOUT} is no table of keys"]
        if problems:
            raise DatasetError("; ".join(problems), where=str(path), remedy="run the study again: finished cases are kept")
        return cls(path, MappingProxyType(about), columns, tuple(rows))

    @property
    def name(self) -> str:
        """What the study is called; the folder's name where it says nothing."""
        return str(self.about.get("name") or self.path.resolve().name)

    @cached_property
    def geometries(self) -> tuple[str, ...]:
        """Names, in the order of the table."""
        return tuple(dict.fromkeys(row["geometry"] for row in self.rows))

    def of(self, geometry: str) -> list[Row]:
        """The rows of one geometry, in order; none of a name that the study does not have."""
        return list(self._by_geometry.get(geometry, ()))

    @cached_property
    def _by_geometry(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            found.setdefault(row["geometry"], []).append(row)
        return found

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Columns of conditions and parameters that hold numbers."""
        stop = next((k for k, name in enumerate(self.columns) if name in _COMPUTED), len(self.columns))
        return tuple(name for name in self.columns[:stop] if name not in TEXT and any(number(row, name) is not None for row in self.rows))

    def varying(self, rows: Sequence[Row] | None = None) -> tuple[str, ...]:
        """The inputs that differ between these rows (all rows if None), the angle of attack first.

        Inputs that are functions of another one (a Reynolds number that goes with the speed) are named once.
        """
        rows = self.rows if rows is None else rows
        rows = [row for row in rows if not failed(row)] or rows  # a failed case need not know its conditions
        kept: list[str] = []
        codes: list[list[int]] = []
        for name in sorted(self.inputs, key=lambda item: item != ALPHA):
            values = [number(row, name) for row in rows]
            code = list(map({value: k for k, value in enumerate(dict.fromkeys(values))}.__getitem__, values))
            if len(set(code)) > 1 and code not in codes:
                kept.append(name)
                codes.append(code)
        return tuple(kept)

    def wall(self, row: Row) -> Case | None:
        """The wall of a case with its fields; None where the case has no such file, or one that cannot be read."""
        if row["case"] not in self._walls:
            self._walls[row["case"]] = _read(self.file(row, ".vtp"))
        return self._walls[row["case"]]

    def field(self, row: Row) -> Case | None:
        """The whole field of a case, from its file; None where there is none."""
        return _read(self.file(row, ".vtu"))

    def file(self, row: Row, suffix: str) -> Path | None:
        """The file of a case, or None; a name that leads out of the folder has none."""
        path = self.path / CASES / f"{row['case']}{suffix}"
        inside = path.resolve().is_relative_to((self.path / CASES).resolve())
        return path if inside and path.is_file() else None

    def collections(self) -> dict[str, Path]:
        """Geometry -> its ``.pvd`` over the sweep; a single one under the name of the only geometry."""
        found = {name: self.path / f"{name}.pvd" for name in self.geometries if (self.path / f"{name}.pvd").is_file()}
        if not found and len(self.geometries) == 1:
            single = [self.path / name for name in ("study.pvd", "surface.pvd") if (self.path / name).is_file()]
            found = {self.geometries[0]: single[0]} if single else {}
        return found

    def counts(self) -> dict[str, int]:
        """Cases by verdict, failed ones apart: ``inside``, ``edge``, ``outside``, ``not judged``, ``failed``."""
        found: dict[str, int] = dict.fromkeys((*LEVELS, "not judged", "failed"), 0)
        for row in self.rows:
            found["failed" if failed(row) else row["level"] if row.get("level") in LEVELS else "not judged"] += 1
        return found

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)


def failed(row: Row) -> bool:
    """Whether a case has no result."""
    return row.get("outcome") == FAILED


def number(row: Row, name: str) -> float | None:
    """The finite number in a column; None where there is none."""
    value = row.get(name)
    return value if isinstance(value, float) and math.isfinite(value) else None


def numbers(rows: Sequence[Row], name: str) -> list[float]:
    """(n,) numbers in a column, nan where there is none: for plots."""
    return [math.nan if (value := number(row, name)) is None else value for row in rows]


def parted(label: str) -> tuple[str, str]:
    """Name and unit of a column: ``velocity [m/s]`` -> ("velocity", "m/s"); the unit is empty where there is none."""
    match = re.fullmatch(r"(.*\S)\s*\[(.*)\]", label)
    return (match[1], match[2]) if match else (label, "")


def _read(path: Path | None) -> Case | None:
    if path is None:
        return None
    try:
        return read_case(path)
    except GeoopError:
        return None  # a picture less; the table says what there is
