"""What an interrupted attempt at a data set left, so that nothing that is done is computed again."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import DatasetError
from ..version import __version__
from .atomic import replacing
from .dataset import Dataset, sha256_of
from .manifest import CaseEntry

#: Folder of the case files, and the files of an attempt: what is done so far, one line per case, and the plan that it follows.
CASES, JOURNAL, PLAN = "cases", "journal.jsonl", "plan.toml"


@dataclass(frozen=True)
class StoredCase:
    """A case that was written.

    Attributes:
        entry: for the manifest.
        units: field name -> unit.
    """

    entry: CaseEntry
    units: Mapping[str, str]


def resumed(work: Path, plan: str) -> dict[str, StoredCase]:
    """Prepare the working folder; the cases of an interrupted attempt at the same plan whose files are intact.

    Args:
        work: in which the data set is built.
        plan: as TOML.

    Raises:
        DatasetError: the folder holds something else.
    """
    text = _headed(plan)
    note = work / PLAN
    done: dict[str, StoredCase] = {}
    if note.is_file() and note.read_text(encoding="utf-8") == text:
        done = {name: stored for name, stored in _journal(work / JOURNAL) if _intact(work, stored)}
    elif work.is_dir() and any(work.iterdir()):
        if not note.is_file():
            raise DatasetError(
                "the folder in which the data set would be built holds something else",
                where=str(work),
                remedy="move it away, or choose another folder",
            )
        shutil.rmtree(work)
    _write_attempt(work, text, done.items())
    return done


def begin_with(work: Path, dataset: Dataset, plan: str) -> None:
    """Let an attempt start from the cases of a complete data set of the same plan, so that only those that failed are left."""
    (work / CASES).mkdir(parents=True)
    stored = {name: StoredCase(entry, dataset.units) for name, entry in dataset.manifest.cases.items()}
    for entry in dataset.manifest.cases.values():
        try:
            os.link(dataset.directory / entry.file, work / entry.file)
        except OSError:  # a file system without links
            shutil.copyfile(dataset.directory / entry.file, work / entry.file)
    _write_attempt(work, _headed(plan), stored.items())


def journal_line(name: str, stored: StoredCase) -> str:
    """The journal's line about a case."""
    return json.dumps({"name": name, "entry": stored.entry.to_dict(), "units": dict(stored.units)}) + "\n"


def _headed(plan: str) -> str:
    """Another geoop may compute other numbers: its attempts are not continued."""
    return f"# geoop {__version__}\n{plan}"


def _write_attempt(work: Path, text: str, done: Iterable[tuple[str, StoredCase]]) -> None:
    (work / CASES).mkdir(parents=True, exist_ok=True)
    with replacing(work / JOURNAL) as path:
        path.write_text("".join(journal_line(name, stored) for name, stored in done), encoding="utf-8")
    with replacing(work / PLAN) as path:
        path.write_text(text, encoding="utf-8")


def _journal(path: Path) -> Iterator[tuple[str, StoredCase]]:
    """What the journal says was written; a line that an interruption cut off ends it."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    for line in lines:
        try:
            data = json.loads(line)
            yield data["name"], StoredCase(CaseEntry.from_dict(data["entry"]), data["units"])
        except (ValueError, KeyError, TypeError):
            return


def _intact(work: Path, stored: StoredCase) -> bool:
    file = work / stored.entry.file
    return file.is_file() and sha256_of(file) == stored.entry.sha256
