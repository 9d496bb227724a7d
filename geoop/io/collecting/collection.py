"""A collection: what a folder of files will be as a data set, looked at before anything is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ...mesh.case import Case
from ..dataset_writing import DatasetPlan
from .report import Report


@dataclass(frozen=True, eq=False)
class Collection:
    """A plan, the way to read its cases, and what was guessed on the way.

    Attributes:
        plan: names, splits, parameters, laws for the card.
        read: case name -> case with its fields in SI units; raises the error that the case is listed with.
        report: what was guessed, and what is still to be said.
    """

    plan: DatasetPlan
    read: Callable[[str], Case]
    report: Report


def plain_names(keys: Iterable[str]) -> dict[str, str]:
    """Key of a run -> name of its case: the shortest end of the path that is its own, plain file characters only."""
    keys = list(keys)
    parts = {key: [part for part in key.split("/") if part] for key in keys}
    names: dict[str, str] = {}
    for depth in range(1, max(map(len, parts.values()), default=1) + 1):
        tried = {key: _plain("_".join(parts[key][-depth:])) for key in keys if key not in names}
        count: dict[str, int] = {}
        for name in [*tried.values(), *names.values()]:
            count[name] = count.get(name, 0) + 1
        names |= {key: name for key, name in tried.items() if count[name] == 1}
    taken = set(names.values())
    for key in keys:
        if key not in names:
            name, number = _plain("_".join(parts[key])), 2
            while name in taken:
                name, number = f"{_plain('_'.join(parts[key]))}_{number}", number + 1
            names[key] = name
            taken.add(name)
    return {key: names[key] for key in keys}


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text).strip("._-")[:90] or "run"
