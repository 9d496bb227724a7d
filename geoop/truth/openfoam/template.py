"""A user's own case with placeholders, written once per row of a table of conditions."""

from __future__ import annotations

import csv
import math
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import fields as dataclass_fields
from pathlib import Path

from ...errors import ConditionError, ConfigurationError, UnreadableFileError, UnwritableFileError
from ...mesh.operating_point import OperatingPoint

Value = str | float | int | bool
_PLACEHOLDER = re.compile(rb"\{\{\s*([A-Za-z_]\w*)\s*\}\}")
_FOLDER = re.compile(r"[\w.-]+")
_OPERATING = tuple(item.name for item in dataclass_fields(OperatingPoint))


def placeholders(template: str | os.PathLike[str]) -> dict[str, tuple[str, ...]]:
    """The names ``{{name}}`` in the files of a template, each with the files (relative) that use it.

    OpenFOAM's own ``$name`` macros are not touched, they are resolved by the solver.

    Raises:
        UnreadableFileError: no such folder, or it is no OpenFOAM case (system/controlDict is missing).
    """
    root = _root(template)
    found: dict[str, list[str]] = {}
    for path in sorted(item for item in root.rglob("*") if item.is_file()):
        for name in dict.fromkeys(match.decode() for match in _PLACEHOLDER.findall(path.read_bytes())):
            found.setdefault(name, []).append(str(path.relative_to(root)))
    return {name: tuple(files) for name, files in sorted(found.items())}


def write_template(template: str | os.PathLike[str], folder: str | os.PathLike[str], values: Mapping[str, Value]) -> Path:
    """A copy of the template with the values in the place of its placeholders.

    Args:
        template: folder of an OpenFOAM case with ``{{name}}`` in any of its files.
        folder: made by this call; must not exist.
        values: placeholder -> number or text. Names of an operating point (velocity, alpha, ...) and ``name`` need not occur.

    Returns:
        the folder.

    Raises:
        ConfigurationError: placeholders without a value, values without a placeholder, numbers that are not finite; all in one error.
        UnreadableFileError: see :func:`placeholders`. UnwritableFileError: the folder exists or cannot be written.
    """
    root, target = _root(template), Path(folder).expanduser()
    problems = list(_problems(placeholders(root), values))
    if problems:
        raise ConfigurationError("; ".join(problems), where=str(root), remedy="give one value per {{placeholder}}, and no others")
    _copy(root, target, values)
    return target


def write_table(
    template: str | os.PathLike[str], folder: str | os.PathLike[str], table: str | os.PathLike[str] | Sequence[Mapping[str, Value]]
) -> dict[str, tuple[Path, OperatingPoint | None]]:
    """One case per row of a table; nothing is written unless all rows fit.

    Args:
        template: see :func:`write_template`.
        folder: that the cases go into, each under its name.
        table: a CSV file with the names of the placeholders in its first line, or rows. The column ``name`` names the cases, which are
            otherwise called 0001, 0002, ...; columns called velocity, alpha, beta, density, viscosity, mach, reference_length make
            the operating point, whether the template uses them or not.

    Returns:
        name -> folder and operating point (None without a column ``velocity``).

    Raises:
        ConfigurationError: everything that is wrong with any row, in one error.
        UnreadableFileError, UnwritableFileError: see :func:`write_template`.
    """
    root, target = _root(template), Path(folder).expanduser()
    rows = _rows(table)
    used = placeholders(root)
    names = [str(row.get("name", f"{number:04d}")) for number, row in enumerate(rows, 1)]
    problems = [] if rows else ["the table has no rows"]
    points: list[OperatingPoint | None] = []
    for name, row in zip(names, rows, strict=True):
        problems += [f"{name}: {text}" for text in _problems(used, row)]
        if not _FOLDER.fullmatch(name) or names.count(name) > 1:
            problems.append(f"the name '{name}' " + ("occurs twice" if names.count(name) > 1 else "is no name of a folder"))
        try:
            points.append(_operating_point(row))
        except ConditionError as error:
            problems.append(f"{name}: {error.message}")
    problems += [f"{target / name} is there already" for name in names if (target / name).exists()]
    if problems:
        shown = [*dict.fromkeys(problems)]
        rest = f"; and {len(shown) - 20} more" if len(shown) > 20 else ""
        raise ConfigurationError(
            "; ".join(shown[:20]) + rest, where=str(root), remedy="give one value per {{placeholder}} in every row, and no others"
        )
    for name, row in zip(names, rows, strict=True):
        _copy(root, target / name, row)
    return {name: (target / name, point) for name, point in zip(names, points, strict=True)}


def _root(template: str | os.PathLike[str]) -> Path:
    root = Path(template).expanduser()
    if not (root / "system" / "controlDict").is_file():
        raise UnreadableFileError(
            "is no OpenFOAM case: there is no system/controlDict", where=str(root), remedy="give the folder that holds system/, constant/ and 0/"
        )
    return root


def _problems(used: Mapping[str, tuple[str, ...]], values: Mapping[str, Value]):
    missing = [f"{{{{{name}}}}} (in {', '.join(files)})" for name, files in used.items() if name not in values]
    if missing:
        yield f"no value for {', '.join(missing)}"
    unused = [name for name in values if name not in used and name != "name" and name not in _OPERATING]
    if unused:
        yield f"no placeholder for {', '.join(unused)}"
    bad = [f"{name} is {value!r}" for name, value in values.items() if isinstance(value, float) and not math.isfinite(value)]
    bad += [f"{name} is empty" for name, value in values.items() if value == "" or value is None]
    yield from bad


def _copy(root: Path, target: Path, values: Mapping[str, Value]) -> None:
    if target.exists():
        raise UnwritableFileError("is there already", where=str(target), remedy="choose another folder")
    texts = {name.encode(): _text(value).encode() for name, value in values.items()}
    try:
        shutil.copytree(root, target)
        for path in (item for item in target.rglob("*") if item.is_file()):
            data = path.read_bytes()
            filled = _PLACEHOLDER.sub(lambda found: texts[found[1]], data)
            if filled != data:
                path.write_bytes(filled)
    except OSError as error:
        raise UnwritableFileError(
            f"cannot be written: {error.strerror or error}", where=str(target), remedy="check the folder, its permissions and the free disk space"
        ) from error


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return repr(float(value)) if isinstance(value, float) else str(value)


def _rows(table: str | os.PathLike[str] | Sequence[Mapping[str, Value]]) -> list[Mapping[str, Value]]:
    if not isinstance(table, (str, os.PathLike)):
        return list(table)
    try:
        with Path(table).expanduser().open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restkey="?", restval="", skipinitialspace=True)
            return [{key.strip(): value.strip() if isinstance(value, str) else str(value) for key, value in row.items()} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnreadableFileError(f"cannot be read as CSV: {error}", where=str(table), remedy="give a CSV file with a header line") from error


def _operating_point(row: Mapping[str, Value]) -> OperatingPoint | None:
    given = {}
    for name in _OPERATING:
        if name in row:
            try:
                given[name] = float(row[name])
            except ValueError:
                raise ConditionError(f"{name} is {row[name]!r}, not a number", where="table", remedy="give numbers in SI units") from None
    return OperatingPoint(**given) if "velocity" in given else None
