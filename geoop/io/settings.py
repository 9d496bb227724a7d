"""Files that the user writes: read with tomllib, validated in one place, unknown keys answered with the nearest valid one."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, fields
from difflib import get_close_matches
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from ..errors import ConfigurationError


def read_toml(path: str | Path) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises:
        ConfigurationError: missing or not TOML.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}", where=str(path), remedy="give the path of a TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"is not TOML: {error}", where=str(path), remedy="correct the file at the named line") from error


def check_keys(table: Mapping[str, Any], known: set[str] | frozenset[str], where: str) -> None:
    """Refuse unknown keys, all in one error.

    Raises:
        ConfigurationError: names every unknown key and the nearest valid one.
    """
    unknown = [key for key in table if key not in known]
    if unknown:
        hints = [f"'{key}'" + (f" (did you mean '{near[0]}'?)" if (near := get_close_matches(key, known, 1, 0.5)) else "") for key in unknown]
        raise ConfigurationError(f"unknown key {', '.join(hints)}", where=where, remedy=f"use keys out of {sorted(known)}")


def build(kind: type, table: Mapping[str, Any], where: str) -> Any:
    """A dataclass from a table: keys and types checked against its fields.

    Raises:
        ConfigurationError: unknown keys, missing keys, or values of another type; all problems of a kind in one error.
    """
    check_keys(table, {f.name for f in fields(kind)}, where)
    missing = [f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING and f.name not in table]
    if missing:
        raise ConfigurationError(f"missing {missing}", where=where, remedy="add these keys")
    hints = get_type_hints(kind)
    wrong = [f"{key} = {value!r} is not {_name(hints[key])}" for key, value in table.items() if not _fits(value, hints[key])]
    if wrong:
        raise ConfigurationError("; ".join(wrong), where=where, remedy="correct the types")
    return kind(**table)


def _fits(value: Any, hint: Any) -> bool:
    if get_origin(hint) in (Union, UnionType):
        return any(_fits(value, choice) for choice in get_args(hint) if choice is not NoneType)
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, get_origin(hint) or hint)


def _name(hint: Any) -> str:
    choices = [c for c in get_args(hint) if c is not NoneType] or [hint]
    return " or ".join(getattr(c, "__name__", str(c)) for c in choices)
