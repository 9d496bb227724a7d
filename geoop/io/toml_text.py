"""Write TOML that ``tomllib`` reads back equal: tables of scalars, arrays and inline tables, as manifests need them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import ConfigurationError

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+\Z")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
_LINE = 118


def toml_text(data: Mapping[str, Any], *, comment: str = "", tables: Sequence[str] = ()) -> str:
    """A TOML document: scalars and arrays first, then one section per nested mapping; deeper mappings are inline tables.

    Args:
        data: strings, booleans, integers, floats, sequences and mappings of them. None values are left out.
        comment: lines written on top behind ``#``.
        tables: names of the mappings to write as sections; every top-level mapping when empty.

    Raises:
        ConfigurationError: a value that TOML cannot say.
    """
    lines = [f"# {line}".rstrip() for line in comment.splitlines()] + ([""] if comment else [])
    nested = {key: value for key, value in data.items() if isinstance(value, Mapping) and (not tables or key in tables)}
    lines += [_assignment(key, value) for key, value in data.items() if key not in nested and value is not None]
    for key, table in nested.items():
        lines += ["", f"[{_key(key)}]", *(_assignment(name, value) for name, value in table.items() if value is not None)]
    return "\n".join(lines) + "\n"


def _assignment(key: str, value: Any) -> str:
    head = f"{_key(key)} = "
    text = _value(value, key)
    if isinstance(value, (list, tuple)) and len(head) + len(text) > _LINE:
        rows, row = [], ""
        for item in value:
            piece = _value(item, key) + ", "
            if row and len(row) + len(piece) > _LINE - 4:
                rows, row = [*rows, row], ""
            row += piece
        text = "[\n" + "".join(f"    {part.rstrip()}\n" for part in [*rows, row]) + "]"
    return head + text


def _key(key: str) -> str:
    return key if _BARE_KEY.match(key) else _string(key)


def _value(value: Any, where: str) -> str:
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return repr(float(value))
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(key)} = {_value(item, key)}" for key, item in value.items() if item is not None)
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(item, where) for item in value) + "]"
    raise ConfigurationError(f"'{where}' is a {type(value).__name__}", where=where, remedy="use text, numbers, lists and tables in a manifest")


def _string(text: str) -> str:
    return '"' + "".join(_ESCAPES.get(c, c if c.isprintable() else _code(c)) for c in text) + '"'


def _code(character: str) -> str:
    return f"\\u{ord(character):04X}" if ord(character) < 0x10000 else f"\\U{ord(character):08X}"
