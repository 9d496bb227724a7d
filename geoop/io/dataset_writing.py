"""Write a data-set folder: built beside its place, renamed when complete, continued when interrupted."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DatasetError, GeoopError, NonFiniteError, UnwritableFileError
from ..mesh.case import Case
from ..version import __version__
from .atomic import replacing
from .dataset import CARD_PICTURE, CARD_TEXT, PARTIAL, Dataset, Progress, beside, sha256_of
from .dataset_lock import sole_writer
from .dataset_resuming import CASES, JOURNAL, PLAN, StoredCase, begin_with, journal_line, resumed
from .manifest import FILE_NAME, CaseEntry, Manifest, name_problems, read_manifest, split_problems
from .paraview import write_case
from .toml_text import toml_text

_OLD = ".old"


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
    journal says are not computed again. A case that fails, or that has a value that is not finite, is left out and listed with its
    reason. One writer at a time: a second one is refused.

    Args:
        directory: the folder to make.
        plan: names, splits, laws.
        make: case name -> case with its fields.
        run: how the cases are computed: one after the other, or in worker processes.
        progress: called as (done, total).
        overwrite: replace a data set of another plan, or one with changed files; of the same plan only the cases that failed are tried again.
            Folders with anything else in them are never replaced.

    Raises:
        DatasetError: the plan contradicts itself, another data set or foreign files are there, another process is writing it, or no case succeeded.
        UnwritableFileError: no permission, or the disk is full; what is done so far is kept for the next attempt.
    """
    folder = Path(directory).expanduser().absolute()
    _refuse_bad_plan(plan)
    kept = _kept(folder, plan, overwrite)
    if kept is None:
        try:
            with sole_writer(folder):
                kept = _kept(folder, plan, overwrite)  # another process may have completed it since
                if kept is None:
                    return _written(folder, plan, make, run, progress)
        except GeoopError:
            raise
        except OSError as error:
            found = f"cannot be written: {error.strerror or error}" + (f": {error.filename}" if error.filename else "")
            remedy = "check permissions and free disk space, then run it again"
            raise UnwritableFileError(found, where=str(beside(folder, PARTIAL)), remedy=remedy) from error
    if progress:
        progress(len(plan.names), len(plan.names))
    return kept


def _written(folder: Path, plan: DatasetPlan, make: Callable[[str], Case], run: Runner, progress: Progress | None) -> Dataset:
    """Build the data set beside its place, from what an earlier attempt left, and move it there."""
    _refuse_leftover(folder)
    work = beside(folder, PARTIAL)
    before = _same_plan(folder, plan)
    if before is not None and before.manifest.failed and not work.exists():
        begin_with(work, before, plan.to_text())
    done = resumed(work, plan.to_text())
    if done and progress:
        progress(len(done), len(plan.names))
    left = plan.groups([name for name in plan.names if name not in done])
    failed = _compute(work, plan, run(partial(store_case, make), work, left), done, progress)
    _finish(work, folder, _manifest(plan, done, failed))
    return Dataset.open(folder)


def store_case(make: Callable[[str], Case], work: Path, name: str) -> StoredCase:
    """Compute and write one case; runs in a worker process too.

    Raises:
        NonFiniteError: a value is NaN or infinite: one such label would make every loss that it enters NaN.
    """
    case = make(name)
    _refuse_non_finite(case, name)
    (work / CASES).mkdir(exist_ok=True)
    file = write_case(case, work / CASES / f"{name}.vtu")
    entry = CaseEntry(f"{CASES}/{file.name}", sha256_of(file), len(case.mesh.points), case.operating_point, case.wall, time=case.time)
    return StoredCase(entry, {item.name: item.quantity.unit for item in case.fields.values()})


def _refuse_non_finite(case: Case, name: str) -> None:
    labels = {key: item.values for key, item in case.fields.items()}
    counted = {key: (int((~np.isfinite(values)).sum()), np.size(values)) for key, values in labels.items() if np.asarray(values).dtype.kind in "fc"}
    found = [f"{bad} of {size} values of '{key}'" for key, (bad, size) in counted.items() if bad]
    if case.time is not None and not np.isfinite(case.time):
        found.append("the time")
    if found:
        remedy = "look where they come from: the solver, a division, points inside the body; or leave the field out"
        raise NonFiniteError(f"NaN or infinite: {', '.join(found)}", where=name, remedy=remedy)


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
    if not folder.is_dir():
        raise DatasetError("is a file, and a data set is a folder", where=str(folder), remedy="choose another name")
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
            if not overwrite:
                return dataset
            dataset.verify()
            return None if manifest.failed else dataset
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


def _same_plan(folder: Path, plan: DatasetPlan) -> Dataset | None:
    """The intact data set of this plan and this geoop that is to be replaced because cases of it failed."""
    try:
        dataset = Dataset.open(folder)
        if dataset.manifest.plan != plan.fingerprint or dataset.manifest.geoop_version != __version__:
            return None
        dataset.verify()
    except DatasetError:
        return None
    return dataset


def _refuse_leftover(folder: Path) -> None:
    """Two data sets and no word which one counts: said before hours of work, not after."""
    old = beside(folder, _OLD)
    if old.exists() and folder.exists() and any(folder.iterdir()):
        raise DatasetError(
            "an earlier replacement was interrupted and left the old data set here",
            where=str(old),
            remedy="delete that folder, then run it again",
        )


def _foreign(folder: Path) -> list[str]:
    """What lies in a folder that does not belong to a data set."""
    own = {FILE_NAME, CASES, JOURNAL, PLAN, CARD_TEXT, CARD_PICTURE}
    found = [item.name for item in folder.iterdir() if item.name not in own]
    if not (folder / FILE_NAME).is_file():
        return found or [item.name for item in folder.iterdir()]
    cases = folder / CASES
    inside = cases.iterdir() if cases.is_dir() else ()
    return found + [f"{CASES}/{item.name}" for item in inside if item.suffix not in (".vtu", ".vtp")]


def _compute(work: Path, plan: DatasetPlan, outcomes: Iterator[Outcome], done: dict[str, StoredCase], progress: Progress | None) -> dict[str, str]:
    """Collect outcomes into ``done`` and the journal; name -> reason of the cases that failed."""
    failed: dict[str, str] = {}
    with (work / JOURNAL).open("a", encoding="utf-8") as journal:
        for name, outcome in outcomes:
            if isinstance(outcome, UnwritableFileError):
                raise outcome
            if isinstance(outcome, GeoopError):
                failed[name] = outcome.message
            else:
                done[name] = outcome
                journal.write(journal_line(name, outcome))
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
        os.rename(folder, old)
    elif folder.exists():
        folder.rmdir()
    os.rename(work, folder)
    for note in (JOURNAL, PLAN):
        (folder / note).unlink(missing_ok=True)
    if old.exists():
        shutil.rmtree(old)
