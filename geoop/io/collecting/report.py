"""What was guessed, as tables to look at, and as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .choices import Question

_MOST = 24


@dataclass(frozen=True)
class Report:
    """What a collection will be, before anything is written.

    Attributes:
        title: one line: how many runs, where, what layout.
        tables: title -> rows; the first row is the head.
        splits: split -> number of cases.
        notes: what was assumed, left out, or means less than it seems.
        failing: run -> why it will be left out.
        questions: what is still to be said.
    """

    title: str
    tables: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)
    splits: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    failing: dict[str, str] = field(default_factory=dict)
    questions: tuple[Question, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for ``--json``."""
        return {
            "title": self.title,
            "tables": {name: [dict(zip(rows[0], row, strict=True)) for row in rows[1:]] for name, rows in self.tables.items()},
            "splits": self.splits,
            "notes": list(self.notes),
            "failing": self.failing,
            "questions": [{"text": q.text, "option": q.option, "example": q.example} for q in self.questions],
        }

    def __str__(self) -> str:
        lines = [self.title]
        for name, rows in self.tables.items():
            lines += ["", f"{name}:", *_columns(rows)]
        if self.splits:
            lines += ["", "splits: " + ", ".join(f"{name} {count}" for name, count in self.splits.items())]
        lines += _listed("notes", list(self.notes))
        lines += _listed("runs that will be left out", [f"{run}: {why}" for run, why in self.failing.items()])
        lines += _listed("still to be said", [str(question) for question in self.questions])
        return "\n".join(lines)


def _columns(rows: list[tuple[str, ...]]) -> list[str]:
    shown = rows[: _MOST + 1]
    widths = [max(len(row[k]) for row in shown) for k in range(len(shown[0]))]
    lines = ["  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in shown]
    lines.insert(1, "  " + "  ".join("-" * width for width in widths))
    return lines + ([f"  ... and {len(rows) - _MOST - 1} more (all of them with --json)"] if len(rows) > _MOST + 1 else [])


def _listed(title: str, items: list[str]) -> list[str]:
    if not items:
        return []
    more = [f"  ... and {len(items) - _MOST} more (all of them with --json)"] if len(items) > _MOST else []
    return ["", f"{title}:", *(f"  - {item}" for item in items[:_MOST]), *more]
