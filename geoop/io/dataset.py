"""A data set as a folder that people can read: one ParaView file per case, and a manifest that says and hashes what is in it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from ..errors import DatasetError, GeoopError, PatchError
from ..mesh.case import Case, Series
from ..mesh.operating_point import OperatingPoint
from .manifest import FILE_NAME, CaseEntry, Manifest, read_manifest, split_problems
from .reading import read_case

#: ``progress(done, total)`` is called after every case.
Progress = Callable[[int, int], None]
#: Suffix of the folder in which a data set is built.
PARTIAL = ".partial"
#: The card that ``geoop describe`` leaves in the folder.
CARD_TEXT, CARD_PICTURE = "README.md", "cases.png"


@dataclass(frozen=True, eq=False)
class Dataset:
    """A complete data-set folder, opened; cases are read, and their hashes checked, when they are asked for.

    Attributes:
        directory: the folder.
        manifest: what ``dataset.toml`` says.
    """

    directory: Path
    manifest: Manifest

    @classmethod
    def open(cls, directory: str | os.PathLike[str]) -> Dataset:
        """Open a folder: the manifest is read and checked, and every case file must be there. No case is read.

        Raises:
            DatasetError: everything that is wrong with the folder, in one error.
        """
        folder = Path(directory).expanduser()
        remedy = _remedy(folder)
        if not folder.is_dir():
            interrupted = beside(folder, PARTIAL).is_dir()
            found = "there is no such folder" + (f", but an interrupted generation beside it: {folder.name}{PARTIAL}" if interrupted else "")
            raise DatasetError(found, where=str(folder), remedy=remedy)
        if not (folder / FILE_NAME).exists():
            remedy += f"; if these are your own runs, make a data set of them: geoop collect {folder} -o data/"
        manifest = read_manifest(folder, remedy)
        missing = [name for name, entry in manifest.cases.items() if not (folder / entry.file).is_file()]
        if missing:
            text = f"{len(missing)} of {len(manifest.cases)} case files are missing: {_some(missing)}"
            raise DatasetError(text, where=str(folder), remedy=_remedy(folder, manifest.name))
        return cls(folder, manifest)

    @property
    def name(self) -> str:
        return self.manifest.name

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the content: splits, conditions and files."""
        return self.manifest.hash

    @property
    def splits(self) -> dict[str, list[str]]:
        """Split name -> case names."""
        return {key: list(names) for key, names in self.manifest.splits.items()}

    @property
    def units(self) -> dict[str, str]:
        """Field name -> unit."""
        return dict(self.manifest.units)

    def __len__(self) -> int:
        return len(self.manifest.cases)

    def __repr__(self) -> str:
        sizes = ", ".join(f"{key} {len(names)}" for key, names in self.manifest.splits.items())
        return f"Dataset('{self.name}', {len(self)} cases: {sizes}; {self.directory})"

    def operating_point(self, name: str) -> OperatingPoint | None:
        """The condition of a case, from the manifest."""
        return self._entry(name).operating_point

    def case(self, name: str) -> Case:
        """Read one case and check its hash, its size and its units.

        Raises:
            PatchError: no case of that name.
            DatasetError: the file was changed, cannot be read, or does not hold what the manifest says.
        """
        entry = self._entry(name)
        path = self.directory / entry.file
        problem = _file_problem(path, entry)
        if problem:
            raise DatasetError(f"case '{name}': {problem}", where=str(path), remedy=_remedy(self.directory, self.name))
        try:
            case = read_case(path)
        except GeoopError as error:
            raise DatasetError(
                f"case '{name}' cannot be read: {error.message}", where=str(path), remedy=_remedy(self.directory, self.name)
            ) from error
        problems = list(_content_problems(case, entry, self.manifest.units))
        if problems:
            raise DatasetError(f"case '{name}': {'; '.join(problems)}", where=str(path), remedy=_remedy(self.directory, self.name))
        mesh = replace(case.mesh, name=name)
        return replace(case, mesh=mesh, operating_point=entry.operating_point, wall=entry.wall, time=entry.time, name=name)

    def cases(self, split: str, progress: Progress | None = None) -> list[Case]:
        """All cases of one split, in order.

        Raises:
            PatchError: no split of that name.
            DatasetError: a file was changed or cannot be read.
        """
        names = self._split(split)
        out = []
        for done, name in enumerate(names, start=1):
            out.append(self.case(name))
            if progress:
                progress(done, len(names))
        return out

    def with_splits(self, splits: Mapping[str, Sequence[str]]) -> Dataset:
        """The same cases in other splits, such as four folds to train on and one to report; nothing is copied or written.

        The hash is that of the new splits, so that what was trained on one division is not taken for what was trained on another. Cases that no
        split names can still be read by :meth:`case`.

        Args:
            splits: split name -> names of cases of this data set; every split that there is to be.

        Raises:
            DatasetError: unknown cases, a case twice, or a case or geometry in two splits: all of it in one error.
        """
        chosen = {str(key): tuple(names) for key, names in splits.items()}
        problems = [
            f"split '{key}' names {len(lost)} cases that are not there: {_some(lost)}"
            for key, names in chosen.items()
            if (lost := [name for name in names if name not in self.manifest.cases])
        ]
        problems += [f"split '{key}' names a case twice" for key, names in chosen.items() if len(set(names)) < len(names)]
        problems += split_problems(chosen, {name: entry.geometry for name, entry in self.manifest.cases.items()})
        if problems:
            raise DatasetError(
                "; ".join(problems), where=str(self.directory), remedy=f"divide the cases of {self.name} by geometry, each into one split"
            )
        return Dataset(self.directory, replace(self.manifest, splits=chosen))

    def series_names(self, split: str) -> list[str]:
        """Names of the series in time of one split.

        Raises:
            PatchError: no split of that name.
        """
        return [name for name in dict.fromkeys(self._entry(case).series for case in self._split(split)) if name]

    def series(self, name: str) -> Series:
        """Read one series in time: its frames in the order of their times.

        Raises:
            PatchError: no series of that name.
            DatasetError: a frame was changed, cannot be read, or has no time.
        """
        frames = [key for key, entry in self.manifest.cases.items() if entry.series == name and name]
        if not frames:
            there = list(dict.fromkeys(entry.series for entry in self.manifest.cases.values() if entry.series))
            remedy = f"series are called like {_some(there[:2])}" if there else "this data set holds steady cases: use case(name)"
            raise PatchError(f"no series '{name}'", where=str(self.directory), remedy=remedy)
        timeless = [key for key in frames if self._entry(key).time is None]
        if timeless:
            raise DatasetError(f"frames without a time: {_some(timeless)}", where=str(self.directory), remedy=_remedy(self.directory, self.name))
        cases = sorted((self.case(key) for key in frames), key=lambda case: case.time or 0.0)
        return Series([case.time or 0.0 for case in cases], tuple(cases))

    def verify(self) -> None:
        """Check the hash of every file.

        Raises:
            DatasetError: naming all files that were changed or lost.
        """
        found = {name: _file_problem(self.directory / entry.file, entry) for name, entry in self.manifest.cases.items()}
        bad = [f"{name} ({problem})" for name, problem in found.items() if problem]
        if bad:
            raise DatasetError(
                f"{len(bad)} of {len(found)} case files are not what was written: {_some(bad)}",
                where=str(self.directory),
                remedy=_remedy(self.directory, self.name),
            )

    def _split(self, split: str) -> tuple[str, ...]:
        if split not in self.manifest.splits:
            raise PatchError(f"no split '{split}'", where=str(self.directory), remedy=f"choose one of {sorted(self.manifest.splits)}")
        return self.manifest.splits[split]

    def _entry(self, name: str) -> CaseEntry:
        if name not in self.manifest.cases:
            raise PatchError(f"no case '{name}'", where=str(self.directory), remedy=f"cases are called like {_some(list(self.manifest.cases)[:2])}")
        return self.manifest.cases[name]


def beside(folder: Path, suffix: str) -> Path:
    """The neighbour of a folder that carries a suffix."""
    folder = folder.absolute()
    return folder.with_name(folder.name + suffix)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _file_problem(path: Path, entry: CaseEntry) -> str:
    """What is wrong with a case file, or nothing."""
    try:
        found = sha256_of(path)
    except FileNotFoundError:
        return "the file is missing"
    except OSError as error:
        return f"the file cannot be read: {error.strerror or error}"
    return "" if found == entry.sha256 else "the file was changed after it was written"


def _content_problems(case: Case, entry: CaseEntry, units: Mapping[str, str]):
    if len(case.mesh.points) != entry.points:
        yield f"{len(case.mesh.points)} points, the manifest says {entry.points}"
    for name, unit in units.items():
        if name not in case.fields:
            yield f"field '{name}' is missing"
        elif case.fields[name].quantity.unit != unit:
            yield f"field '{name}' is in {case.fields[name].quantity.unit}, the manifest says {unit}"


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")


def _remedy(folder: Path, name: str = "NAME") -> str:
    return f"copy the folder again from where it is intact, or make it again: geoop generate {name} -o {folder} --overwrite"
