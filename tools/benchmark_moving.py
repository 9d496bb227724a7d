"""Moving meshes and time: movers, deformers, transfer, steppers, each beside its control; resumable.

Every section is a file of its own with a function ``measure(output, once)`` whose rows are kept under out/moving. The first words of a row's key, up
to the last, name its table.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kept_rows import keep, rows
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
MEASURED = Path(__file__).resolve().parent / "measured" / "moving.json"
OUTPUT = ROOT / "out" / "moving"
#: Name -> (module, what it measures).
SECTIONS = {
    "fields": ("moving_fields", "interpolation on moved meshes, equidistribution, finite elements on moved meshes"),
    "deform": ("moving_deform", "deformers and transfer between meshes"),
    "neural": ("moving_neural", "neural movers beside the classical one"),
    "supervised": ("moving_supervised", "neural movers trained from the classical one; the data-free ones of section neural first"),
    "mm-pde": ("moving_mmpde", "MM-PDE beside its controls: what a moved mesh gains a time stepper"),
    "updates": ("moving_updates", "monitors found again on the moved mesh"),
    "time": ("moving_time", "problems in time on meshes that follow their solution, beside meshes that stay"),
    "bodies": ("moving_bodies", "flows round bodies that move"),
    "wakes": ("moving_rollout", "rollouts of cylinder wakes beside standing still"),
}

Row = dict[str, Any]


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmark moving", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sections", nargs="*", default=list(SECTIONS), choices=list(SECTIONS), help="what is measured")
    parser.add_argument("--report", action="store_true", help="only print the tables of what was measured")
    given = parser.parse_args(arguments)
    if not given.report:
        OUTPUT.mkdir(parents=True, exist_ok=True)
        for name in given.sections:
            importlib.import_module(SECTIONS[name][0]).measure(OUTPUT, once)
    report(rows(MEASURED, OUTPUT / "rows"), Console())


def once(key: str, make: Callable[[], Row]) -> Row:
    """The row that is kept under a key; measured, and said, where there is none."""
    known = rows(MEASURED, OUTPUT / "rows")
    if key in known:
        return known[key]
    row = {**make(), "key": key}
    keep(OUTPUT / "rows", row)
    Console().print(_shown(row))
    return row


def report(found: Mapping[str, Row], console: Console) -> None:
    """A table per kind of rows, with all that they say; on its side where that has more room: few rows that say much."""
    kinds: dict[str, list[Row]] = {}
    for key in sorted(found):
        kinds.setdefault(key.rpartition("/")[0], []).append(found[key])
    for kind, members in ((kind, [_flat(row) for row in rows_of]) for kind, rows_of in kinds.items()):
        names = list(dict.fromkeys(name for row in members for name in row if name != "key"))
        made = Table(title=kind)
        heads = [row["key"].rpartition("/")[2] for row in members]
        lines = [[_text(row.get(name)) for name in names] for row in members]
        if len(names) > max(6, len(members)):
            heads, names, lines = names, heads, [list(column) for column in zip(*lines, strict=True)]
        for name in ("", *names):
            made.add_column(name)
        for head, line in zip(heads, lines, strict=True):
            made.add_row(head, *line)
        console.print(made)


def _flat(row: Row) -> Row:
    """Numbers of groups beside the others, as "group: name"; of lists the last member."""
    found: Row = {}
    for name, value in row.items():
        group = value[-1] if isinstance(value, list) and value else value
        found |= {f"{name}: {inner}": item for inner, item in group.items()} if isinstance(group, dict) else {name: group}
    return found


def _shown(row: Row) -> str:
    return f"{row['key']}: " + ", ".join(f"{name} {_text(value)}" for name, value in row.items() if name != "key")


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
