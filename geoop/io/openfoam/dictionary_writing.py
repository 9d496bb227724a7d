"""Python mappings as OpenFOAM dictionaries: the files in system/ and constant/, and fields that are uniform at first."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ...errors import ConfigurationError
from ..atomic import replacing
from .lists import Layout, encode

_PLAIN = re.compile(r"[A-Za-z_][\w.:,]*(\([\w.:,]+\))?")
_KINDS = {1: "scalar", 3: "vector"}


def write_dictionary(path: Path, entries: Mapping[str, object], kind: str = "dictionary") -> None:
    """Write a file with its header.

    Args:
        path: ``system/controlDict``; its folder is made.
        entries: see :func:`dictionary_text`.
        kind: the ``class`` of the header, ``volVectorField`` for a field.

    Raises:
        ConfigurationError: a value that OpenFOAM has no text for.
        UnwritableFileError: no permission, or the disk is full.
    """
    head = {"version": "2.0", "format": "ascii", "class": kind, "location": f'"{path.parent.name}"', "object": path.name}
    text = dictionary_text({"FoamFile": head}) + "\n" + dictionary_text(entries)
    with replacing(path) as beside:
        beside.write_text(text)


def dictionary_text(entries: Mapping[str, object], depth: int = 0) -> str:
    """Entries line by line; mappings as dictionaries, keywords that are patterns in quotes, numbers with all their digits.

    Raises:
        ConfigurationError: a value that is not finite or of no known type.
    """
    lines, pad = [], "    " * depth
    for name, value in entries.items():
        keyword = name if _PLAIN.fullmatch(name) else f'"{name}"'
        if isinstance(value, Mapping):
            lines.append(f"{pad}{keyword}\n{pad}{{\n{dictionary_text(value, depth + 1)}{pad}}}\n")
        else:
            lines.append(f"{pad}{keyword:<15} {value_text(value, name)};\n")
    return "".join(lines)


def value_text(value: object, name: str = "") -> str:
    """One value as OpenFOAM writes it: ``yes``, ``1e-05``, ``(1 0 0)``; (n,) and (n, 3) arrays as ``nonuniform List<...>``.

    Raises:
        ConfigurationError: not finite, or of no known type.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)) and np.isfinite(value):
        return repr(float(value))
    if (
        isinstance(value, np.ndarray)
        and value.size
        and value.ndim <= 2
        and np.isfinite(value).all()
        and (value.ndim == 1 or value.shape[1] in _KINDS)
    ):
        kind = _KINDS[1 if value.ndim == 1 else value.shape[1]]
        return f"nonuniform List<{kind}>\n{encode(value, kind, Layout()).decode()}"
    if isinstance(value, (list, tuple)):
        return "(" + " ".join(value_text(item, name) for item in value) + ")"
    raise ConfigurationError(f"'{name}' is {value!r}", where="OpenFOAM dictionary", remedy="give text, finite numbers, lists of them, or a mapping")


def uniform(value: float | Sequence[float] | np.ndarray) -> str:
    """``uniform 0.0`` or ``uniform (1.0 0.0 0.0)``."""
    flat = np.asarray(value, dtype=np.float64)
    return f"uniform {value_text(float(flat) if flat.ndim == 0 else flat.tolist())}"
