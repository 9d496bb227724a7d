"""A user's own runs: every file looked at, guesses made and compared over all runs, a plan of the data set."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ...errors import UnreadableFileError
from ..dataset import Progress
from .arrays import Meaning, guess_arrays, merged
from .choices import Choices, Question, check_used, reason
from .collection import Collection
from .columns import Column, guess_columns
from .conditions import Condition, checked, completed, from_name, from_row, open_questions
from .folder import Found, find_runs
from .looking import Look, look_at
from .matching import Matching, match_rows
from .planning import Evidence, planned
from .table import Table, read_table

#: Quantities that only a flow has: with one of them a run needs its condition.
_FLOW = {
    "velocity",
    "pressure",
    "kinematic_pressure",
    "pressure_coefficient",
    "wall_shear_stress",
    "kinematic_wall_shear_stress",
    "skin_friction_coefficient",
}
_TABLES = ("conditions", "runs", "cases", "parameters", "params", "doe", "design", "samples", "matrix", "index")
_SUFFIXES = (".csv", ".tsv", ".txt")


def survey_runs(root: Path, table_path: Path | None, choices: Choices, *, output: Path | None = None, progress: Progress | None = None) -> Collection:
    """Look at all runs of a folder and say what they will be.

    Args:
        root: the folder.
        table_path: table of conditions; None looks for one in the folder, and does without if there is none.
        choices: what the user says.
        output: where the data set goes, left out of the search.
        progress: called with runs looked at and runs in all.

    Raises:
        UnreadableFileError: no folder, no run in it, an unreadable table, or no run that can be read.
        ConfigurationError: a choice that fits nothing.
    """
    notes: list[str] = []
    if table_path is None:
        table_path = _table_in(root, notes)
    table = read_table(table_path) if table_path is not None else None
    columns, questions = guess_columns(table, choices) if table is not None else ([], [])
    left_out = [path for path in (table_path, output) if path is not None]
    found = find_runs(root, choices.file, table.words if table is not None else (), left_out)
    if table is None:
        notes += _unused_tables(root, found)
    matching = match_rows(table, columns, found.runs, choices) if table is not None else Matching({})
    looks = _looked(found, choices, progress)
    _refuse_if_nothing(root, looks)
    questions += [matching.question] if matching.question else []
    questions += _once([question for look in looks for question in look.questions])
    seen = [look for look in looks if look.error is None]
    arrays = merged([look.arrays for look in seen])
    known = [*(table.headers if table is not None else ()), *arrays]
    if seen:
        check_used(choices.names, known, str(root))
    meanings, more = guess_arrays(arrays, choices)
    questions += more
    conditions, failing = _conditions(looks, table, columns, matching, choices)
    flow = any(m.quantity is not None and m.quantity.name in _FLOW for m in meanings.values()) or _speaks_of_flow(columns, choices)
    questions += open_questions(
        [conditions[look.run.key] for look in seen if look.run.key not in failing],
        flow,
        choices,
        columns,
        table=table is not None,
        scaled=_are_scaled(meanings),
    )
    evidence = Evidence(root, table, columns, looks, arrays, meanings, conditions, failing, (*found.notes, *notes, *matching.notes), tuple(questions))
    return planned(evidence, choices)


def _table_in(root: Path, notes: list[str]) -> Path | None:
    """The only table of a folder that looks like one of conditions."""
    found = [
        item
        for item in (sorted(root.iterdir()) if root.is_dir() else [])
        if item.suffix.lower() in _SUFFIXES and any(word in item.stem.lower() for word in _TABLES)
    ]
    if len(found) == 1:
        notes.append(f"conditions are taken from '{found[0].name}' in the folder")
        return found[0]
    if len(found) > 1:
        notes.append(f"several tables ({', '.join(item.name for item in found[:4])}): none is used; choose one with --conditions")
    return None


def _unused_tables(root: Path, found: Found) -> list[str]:
    """Files of a folder that may be tables of conditions under other names."""
    read = {path for run in found.runs for path in run.files}
    names = [item.name for item in sorted(root.iterdir()) if item.is_file() and item.suffix.lower() in _SUFFIXES[:2] and item not in read]
    return [f"not used: {', '.join(names[:4])}; a table of conditions is given by --conditions {shlex.quote(str(root / names[0]))}"] if names else []


def _looked(found: Found, choices: Choices, progress: Progress | None) -> list[Look]:
    looks = []
    for number, run in enumerate(found.runs):
        looks.append(look_at(run, choices))
        if progress is not None:
            progress(number + 1, len(found.runs))
    return looks


def _refuse_if_nothing(root: Path, looks: list[Look]) -> None:
    """Raise where no run can be read, unless only an answer is missing."""
    errors = [look for look in looks if look.error is not None]
    if len(errors) == len(looks) and not any(look.questions for look in looks):
        first = errors[0].error
        assert first is not None
        raise UnreadableFileError(
            f"none of {len(looks)} runs can be read; '{errors[0].run.key}': {reason(first)}", where=str(root), remedy=first.remedy
        ) from first


def _once(questions: list[Question]) -> list[Question]:
    """One question per option: the first, with the number of the others."""
    found: dict[str, list[Question]] = {}
    for question in questions:
        found.setdefault(question.option, []).append(question)
    return [own[0] if len(own) == 1 else replace(own[0], text=f"{own[0].text} (and the same for {len(own) - 1} more runs)") for own in found.values()]


def _conditions(
    looks: list[Look], table: Table | None, columns: list[Column], matching: Matching, choices: Choices
) -> tuple[dict[str, Condition], dict[str, str]]:
    """Condition of every run, and why runs will be left out."""
    conditions, failing = {}, {}
    for look in looks:
        key = look.run.key
        row = matching.rows.get(key)
        said = from_row(table, row, columns) if table is not None and row is not None else Condition()
        conditions[key] = completed(said, choices, look.own, {**from_name(key), **look.solver})
        problem = checked(conditions[key], choices.inviscid)
        if look.error is not None and not look.questions:
            failing[key] = f"{reason(look.error)} (try: {look.error.remedy})"
        elif key in matching.problems:
            failing[key] = matching.problems[key]
        elif problem:
            failing[key] = problem
    return conditions, failing


def _are_scaled(meanings: Mapping[str, Meaning]) -> bool:
    """Whether the fields that decide about speed and density have been made dimensionless."""
    return any(m.quantity is not None and m.quantity.name in ("velocity", "density", "pressure") and m.unit == "1" for m in meanings.values())


def _speaks_of_flow(columns: list[Column], choices: Choices) -> bool:
    return any(column.role in ("velocity", "mach", "reynolds") for column in columns) or "velocity" in choices.constants
