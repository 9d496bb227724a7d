"""Which row of a table belongs to which run: by path, name, folder, words or number; what does not fit is listed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from ...errors import ConfigurationError
from .choices import Choices, Question
from .columns import Column
from .folder import Run, stem_of
from .table import Table, as_number


@dataclass(frozen=True)
class Matching:
    """Rows of runs.

    Attributes:
        rows: key of a run -> index of its row.
        problems: key of a run -> why it has none.
        notes: how it was matched, rows without a run, repeated rows.
        question: what must be asked, if anything.
    """

    rows: dict[str, int]
    problems: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    question: Question | None = None


def match_rows(table: Table, columns: list[Column], runs: tuple[Run, ...], choices: Choices) -> Matching:
    """The row of every run.

    Raises:
        ConfigurationError: no row fits any run, and rows and runs differ in number.
    """
    if choices.match == "order":
        return _by_order(table, runs)
    best: tuple[int, str, str, dict[str, list[int]]] = (0, "", "", {})
    for column in sorted(columns, key=lambda c: ("case", "file").index(c.role) if c.role in ("case", "file") else 2):
        if column.role not in ("case", "file") and column.unit:
            continue  # a quantity with a unit is no name
        for how, names_of, row_name in _WAYS:
            if how != "path or name" and column.role not in ("case", "file"):
                continue
            found = _candidates(table.column(column.header), runs, names_of, row_name)
            if len(found) > best[0]:
                best = (len(found), column.header, how, found)
    if not best[0]:
        return _unmatched(table, runs)
    _, header, how, found = best
    return _resolved(table, header, how, found, runs)


def _candidates(
    texts: list[str], runs: tuple[Run, ...], names_of: Callable[[Run], Iterable[str]], row_name: Callable[[str], str]
) -> dict[str, list[int]]:
    """Key of a run -> rows that name it; a name that several runs have names none."""
    names = {run.key: list(dict.fromkeys(name for name in names_of(run) if name)) for run in runs}
    shared = Counter(name for own in names.values() for name in own)
    index: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        if text and row_name(text):
            index.setdefault(row_name(text), []).append(row)
    found = {}
    for key, own in names.items():
        hit = next((name for name in own if name in index and shared[name] == 1), None)
        if hit is not None:
            found[key] = index[hit]
    return found


def _resolved(table: Table, header: str, how: str, found: dict[str, list[int]], runs: tuple[Run, ...]) -> Matching:
    rows, problems, notes = {}, {}, [f"rows are matched by column '{header}' ({how}): {len(found)} of {len(runs)} runs"]
    for run in runs:
        own = found.get(run.key, [])
        lines = ", ".join(str(table.lines[row]) for row in own)
        if not own:
            problems[run.key] = f"no row of {table.path.name} names it (column '{header}')"
        elif len({table.rows[row] for row in own}) > 1:
            problems[run.key] = f"{len(own)} different rows of {table.path.name} name it: lines {lines}"
        else:
            rows[run.key] = own[0]
            if len(own) > 1:
                notes.append(f"lines {lines} of {table.path.name} are equal: '{run.key}' takes the first")
    used = {row for own in found.values() for row in own}
    index = table.headers.index(header)
    idle = [f"{table.rows[row][index] or '(empty)'} (line {table.lines[row]})" for row in range(len(table.rows)) if row not in used]
    if idle:
        notes.append(
            f"{len(idle)} row{'s' if len(idle) > 1 else ''} of {table.path.name} without a run: {', '.join(idle[:8])}{' ...' if len(idle) > 8 else ''}"
        )
    return Matching(rows, problems, tuple(notes))


def _by_order(table: Table, runs: tuple[Run, ...]) -> Matching:
    if len(table.rows) != len(runs):
        raise ConfigurationError(
            f"{len(table.rows)} rows cannot belong to {len(runs)} runs in order",
            where=str(table.path),
            remedy="add a column with the names of the runs",
        )
    return Matching({run.key: row for row, run in enumerate(runs)}, notes=("rows belong to the runs in their natural order, as said",))


def _unmatched(table: Table, runs: tuple[Run, ...]) -> Matching:
    if len(table.rows) == 1:
        return Matching({run.key: 0 for run in runs}, notes=("the only row of the table holds for all runs",))
    shown = ", ".join(f"'{run.key}'" for run in runs[:3]) + (", ..." if len(runs) > 3 else "")
    first = "; ".join(" | ".join(row) for row in table.rows[:2])
    if len(table.rows) == len(runs):
        keys = [run.key for run in runs]
        question = Question(
            f"no column of {table.path.name} names the runs ({shown}; rows: {first}). In natural order '{keys[0]}' would be line "
            f"{table.lines[0]} and '{keys[-1]}' line {table.lines[-1]}. If that is right say so, or add a column 'case'",
            "--match ",
            "order",
        )
        return Matching({run.key: row for row, run in enumerate(runs)}, question=question)
    raise ConfigurationError(
        f"no row names a run: the runs are {shown} ({len(runs)} in all), the rows {first} ({len(table.rows)} in all, columns {', '.join(table.headers)})",
        where=str(table.path),
        remedy="add a column 'case' with the file or folder name of the run of every row",
    )


def _bare(text: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "", text.lower().replace("\\", "/").removeprefix("./")).strip(".")


def _stem(text: str) -> str:
    return _bare(stem_of(PurePosixPath(text.replace("\\", "/"))))


def _exact_names(run: Run) -> list[str]:
    return [_bare(word) for word in run.words]


def _last_stem(text: str) -> str:
    """A row's text without folders and suffix: exact paths are told by the first way, copied file names of other folders by this."""
    return _stem(text)


def _tokens(run: Run) -> list[str]:
    """All runs of words inside a run's name: ``naca0012-aoa4`` holds ``naca0012``, ``aoa4`` and both together."""
    words = [word for word in re.split(r"[^a-z0-9.]+", run.words[0].lower()) if word][:12]
    return ["".join(words[i:j]) for i in range(len(words)) for j in range(len(words), i, -1)]


def _numbers(run: Run) -> list[str]:
    """The last number of the stem and of the folders."""
    words = (_stem(word.rpartition("/")[2]) for word in run.words)
    return [str(int(match[-1])) for match in (re.findall(r"\d+", word) for word in words) if match]


def _row_number(text: str) -> str:
    value = as_number(text)
    if value is not None:
        return str(int(value)) if value == int(value) else ""
    found = re.findall(r"\d+", text)
    return str(int(found[-1])) if found else ""


_WAYS: tuple[tuple[str, Callable[[Run], Iterable[str]], Callable[[str], str]], ...] = (
    ("path or name", _exact_names, _bare),
    ("name without suffix", _exact_names, _last_stem),
    ("words of the name", _tokens, _bare),
    ("number in the name", _numbers, _row_number),
)
