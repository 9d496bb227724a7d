"""The papers behind the methods, from ``references.bib``: entries by their keys. ``geoop cite`` prints those of a model."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from .errors import ConfigurationError

FILE = Path(__file__).with_name("references.bib")


@cache
def references() -> dict[str, str]:
    """Key -> BibTeX entry."""
    entries = re.split(r"\n(?=@)", FILE.read_text(encoding="utf-8").strip())
    return {entry.partition("{")[2].partition(",")[0]: entry.strip() for entry in entries}


def bibtex(keys: Iterable[str]) -> str:
    """BibTeX entries of the given keys, each once, in alphabetical order.

    Raises:
        ConfigurationError: a key that no entry has.
    """
    keys = sorted(set(keys))
    unknown = [key for key in keys if key not in references()]
    if unknown:
        raise ConfigurationError(f"no references {unknown}", where="references", remedy=f"add them to {FILE.name}, or use {sorted(references())}")
    return "\n\n".join(references()[key] for key in keys)
