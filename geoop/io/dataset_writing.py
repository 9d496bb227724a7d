"""Write a data-set folder: built beside its place, renamed when complete, continued when interrupted."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import DatasetError, GeoopError, UnwritableFileError
from ..mesh.case import Case
from ..version import __version__
from .atomic import replacing
from .dataset import CARD_PICTURE, CARD_TEXT, PARTIAL, Dataset, Progress, beside, sha256_of
from .manifest import FILE_NAME, CaseEntry, Manifest, name_problems, read_manifest, split_problems
from .paraview import write_case
from .toml_text import toml_text

CASES, _JOURNAL, _PLAN, _OLD = "cases", "journal.jsonl", "plan.toml", ".old"


@dataclass(frozen=True)
class StoredCase:
    """A case that was written.

    Attributes:
        entry: for the manifest.
        units: field name -> unit.
    """

    entry: CaseEntry
    units: Mapping[str, str]


#: What became of one case: its name, and what was written or the error that it raised.
Outcome = tuple[str, StoredCase | GeoopError]
#: ``store(folder, name)`` computes a case and writes it below the folder.
Store = Callable[[Path, str], StoredCase]
#: ``run(store, folder, groups)`` stores all cases below the folder and yields their outcomes in any order. The names of a group
#: share a geometry: a runner hands them to one process, one after the other, so that what was made for the first serves the others.
Runner = Callable[[Store, Path, Sequence[Sequence[str]]], Iterator[Outcome]]


@dataclass(frozen=True)
class DatasetPlan:
    """What a data set will be, known before its first case is computed. Equal plans give equal data.

    Attributes:
        name: of the data set.
        description: what it shows, in sentences.
        splits: split name -> case names, plain file names.
        generator: parameters and laws, for the manifest.
        parameters: case name -> what was drawn for it.
        geometry: case name -> name of its geometry; a case alone is its own geometry.
        series: case name -> name of the series in time that it is a frame of.
        seed: of the generator, None for collected data.
        licence: SPDX name or sentence.
    """

    name: str
    description: str
    splits: Mapping[str, tuple[str, ...]]
    generator: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    geometry: Mapping[str, str] = field(default_factory=dict)
    series: Mapping[str, str] = field(default_factory=dict)
    seed: int | None = None
    licence: str = ""

    @property
    def names(self) -> list[str]:
        """All case names, split by split."""
        return [name for names in self.splits.values() for name in names]

    def groups(self, names: Sequence[str]) -> list[list[str]]:
        """These names in the order of the plan's first use of their geometry, those of one geometry together."""
        found: dict[str, list[str]] = {}
        for name in names:
            found.setdefault(self.geometry.get(name, name), []).append(name)
        return list(found.values())

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the plan."""
        return hashlib.sha256(self.to_text().encode()).hexdigest()

    def to_text(self) -> str:
        """The plan as TOML."""
        known = {**vars(self), "splits": {key: list(names) for key, names in self.splits.items()}}
        return toml_text({key: value for key, value in known.items() if key != "series" or value})


def serially(store: Store, folder: Path, groups: Sequence[Sequence[str]]) -> Iterator[Outcome]:
    """Store every case in this process; an error of geoop loses only its case."""
    for name in (name for group in groups for name in group):
        try:
            yield name, store(folder, name)
        except GeoopError as error:
            yield name, error


def write_dataset(
    directory: str | os.PathLike[str],
    plan: DatasetPlan,
    make: Callable[[str], Case],
    *,
    run: Runner = serially,
    progress: Progress | None = None,
    overwrite: bool = False,
) -> Dataset:
    """Write a data-set folder. It is built in ``DIRECTORY.partial`` and renamed when it is complete.

    A complete folder of the same plan is kept and opened. An interrupted one is continued: cases whose file is still what the
    journal says are not computed again. A case that fails is left out and listed with its reason.

    Args:
        directory: the folder to make.
        plan: names, splits, laws.
        make: case name -> case with its fields.
        run: how the cases are computed: one after the other, or in worker processes.
        progress: called as (done, total).
        overwrite: replace a data set of another plan, or one with changed files. Folders with anything else in them are never replaced.

    Raises:
        DatasetError: the plan contradicts itself, another data set or foreign files are there, or no case succeeded.
        UnwritableFileError: no permission, or the disk is full; what is done so far is kept for the next attempt.
    """
    folder = Path(directory).expanduser().absolute()
    _refuse_bad_plan(plan)
    kept = _kept(folder, plan, overwrite)
    if kept is not None:
        if progress:
            progress(len(plan.names), len(plan.names))
        return kept
    work = beside(folder, PARTIAL)
    try:
        done = _resumed(work, plan)
        left = plan.groups([name for name in plan.names if name not in done])
        failed = _compute(work, plan, run(partial(store_case, make), work, left), done, progress)
        _finish(work, folder, _manifest(plan, done, failed))
    except GeoopError:
        raise
    except OSError as error:
        raise UnwritableFileError(
            f"cannot be written: {error}", where=str(work), remedy="check permissions and free disk space, then run it again"
        ) from error
    return Dataset.open(folder)


def store_case(make: Callable[[str], Case], work: Path, name: str) -> StoredCase:
    """Compute and write one case; runs in a worker process too."""
    case = make(name)
    (work / CASES).mkdir(exist_ok=True)
    file = write_case(case, work / CASES / f"{name}.vtu")
    entry = CaseEntry(f"{CASES}/{file.name}", sha256_of(file), len(case.mesh.points), case.operating_point, case.wall, time=case.time)
    return StoredCase(entry, {item.name: item.quantity.unit for item in case.fields.values()})


def _refuse_bad_plan(plan: DatasetPlan) -> None:
    problems = [*name_problems(plan.names), *split_problems(plan.splits, plan.geometry)]
    if not plan.names:
        problems.append("there is no case")
    unknown = sorted((set(plan.parameters) | set(plan.geometry) | set(plan.series)) - set(plan.names))
    if unknown:
        problems.append(f"parameters, geometries or series are given for cases that are in no split, e.g. {unknown[0]}")
    if problems:
        raise DatasetError("; ".join(problems), where=plan.name, remedy="correct the splits of the plan")


def _kept(folder: Path, plan: DatasetPlan, overwrite: bool) -> Dataset | None:
    """The data set that is already there if it is the planned one; None if the place is free or may be replaced."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return None
    foreign = _foreign(folder)
    if foreign:
        raise DatasetError(
            f"the folder holds other things than a data set, e.g. {', '.join(foreign[:3])}; they would be lost",
            where=str(folder),
            remedy="choose a folder that does not exist yet",
        )
    other = "choose another folder, or replace it: --overwrite (overwrite=True)"
    try:
        manifest = read_manifest(folder, other)
        if manifest.plan == plan.fingerprint:
            dataset = Dataset.open(folder)
            if overwrite:
                dataset.verify()
            return dataset
        found = f"another data set is there: '{manifest.name}' with {len(manifest.cases)} cases" + (
            f" and seed {manifest.seed}" if manifest.seed is not None else ""
        )
    except DatasetError:
        if overwrite:
            return None
        raise
    if overwrite:
        return None
    raise DatasetError(found, where=str(folder), remedy=other)


def _foreign(folder: Path) -> list[str]:
    """What lies in a folder that does not belong to a data set."""
    if not folder.is_dir():
        return [folder.name]
    own = {FILE_NAME, CASES, _JOURNAL, _PLAN, CARD_TEXT, CARD_PICTURE}
    found = [item.name for item in folder.iterdir() if item.name not in own]
    if not (folder / FILE_NAME).is_file():
        return found or [item.name for item in folder.iterdir()]
    cases = folder / CASES
    inside = cases.iterdir() if cases.is_dir() else ()
    return found + [f"{CASES}/{item.name}" for item in inside if item.suffix not in (".vtu", ".vtp")]


def _resumed(work: Path, plan: DatasetPlan) -> dict[str, StoredCase]:
    """Prepare the working folder; the cases of an interrupted attempt at the same plan whose files are intact."""
    text = f"# geoop {__version__}\n{plan.to_text()}"
    note = work / _PLAN
    done: dict[str, StoredCase] = {}
    if note.is_file() and note.read_text(encoding="utf-8") == text:
        done = {name: stored for name, stored in _journal(work / _JOURNAL) if _intact(work, stored)}
    elif work.is_dir() and any(work.iterdir()):
        if not note.is_file():
            raise DatasetError(
                "the folder in which the data set would be built holds something else",
                where=str(work),
                remedy="move it away, or choose another folder",
            )
        shutil.rmtree(work)
    (work / CASES).mkdir(parents=True, exist_ok=True)
    with replacing(note) as path:
        path.write_text(text, encoding="utf-8")
    with replacing(work / _JOURNAL) as path:
        path.write_text("".join(_line(name, stored) for name, stored in done.items()), encoding="utf-8")
    return done


def _line(name: str, stored: StoredCase) -> str:
    return json.dumps({"name": name, "entry": stored.entry.to_dict(), "units": dict(stored.units)}) + "\n"


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


def _compute(work: Path, plan: DatasetPlan, outcomes: Iterator[Outcome], done: dict[str, StoredCase], progress: Progress | None) -> dict[str, str]:
    """Collect outcomes into ``done`` and the journal; name -> reason of the cases that failed."""
    failed: dict[str, str] = {}
    with (work / _JOURNAL).open("a", encoding="utf-8") as journal:
        for name, outcome in outcomes:
            if isinstance(outcome, UnwritableFileError):
                raise outcome
            if isinstance(outcome, GeoopError):
                failed[name] = outcome.message
            else:
                done[name] = outcome
                journal.write(_line(name, outcome))
                journal.flush()
            if progress:
                progress(len(done) + len(failed), len(plan.names))
    if not done:
        name, reason = next(iter(failed.items()))
        raise DatasetError(
            f"none of {len(failed)} cases could be computed; '{name}': {reason}", where=plan.name, remedy="correct what the first case names"
        )
    return failed


def _manifest(plan: DatasetPlan, done: Mapping[str, StoredCase], failed: Mapping[str, str]) -> Manifest:
    units: dict[str, set[str]] = {}
    for stored in done.values():
        for key, unit in stored.units.items():
            units.setdefault(key, set()).add(unit)
    mixed = {key: sorted(found) for key, found in units.items() if len(found) > 1}
    if mixed:
        raise DatasetError(f"fields come in several units: {mixed}", where=plan.name, remedy="bring every case to SI units")
    everywhere = {key for key in units if all(key in stored.units for stored in done.values())}
    entries = {
        name: replace(
            done[name].entry,
            geometry=plan.geometry.get(name, ""),
            series=plan.series.get(name, ""),
            parameters=dict(plan.parameters.get(name, {})),
        )
        for name in plan.names
        if name in done
    }
    return Manifest(
        name=plan.name,
        description=plan.description,
        splits={key: tuple(name for name in names if name in done) for key, names in plan.splits.items()},
        cases=entries,
        units={key: found.pop() for key, found in units.items() if key in everywhere},
        generator=plan.generator,
        failed={name: failed[name] for name in plan.names if name in failed},
        plan=plan.fingerprint,
        seed=plan.seed,
        licence=plan.licence,
        geoop_version=__version__,
    )


def _finish(work: Path, folder: Path, manifest: Manifest) -> None:
    """Write the manifest and move the folder to its place; the old one goes only when the new one is complete."""
    listed = {Path(entry.file).name for entry in manifest.cases.values()}
    for stray in (work / CASES).iterdir():
        if stray.name not in listed:
            stray.unlink()
    with replacing(work / FILE_NAME) as path:
        path.write_text(manifest.to_text(), encoding="utf-8")
    old = beside(folder, _OLD)
    if folder.exists() and any(folder.iterdir()):
        if old.exists():
            raise DatasetError(
                "an earlier replacement was interrupted and left the old data set here",
                where=str(old),
                remedy="delete that folder, then run it again",
            )
        os.rename(folder, old)
    elif folder.exists():
        folder.rmdir()
    os.rename(work, folder)
    for note in (_JOURNAL, _PLAN):
        (folder / note).unlink(missing_ok=True)
    if old.exists():
        shutil.rmtree(old)
