"""A file read, repaired and written beside itself: same unit, same patch names, never over the input."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError
from ..mesh.case import Case
from ..mesh.holes import MAX_HOLE
from ..mesh.quality import mesh_report
from ..mesh.repair import Repaired, carried, repair, split
from .formats.table import Format, format_of
from .loading import load, takes_unit
from .reading import build
from .source import COMPRESSIONS, Source
from .units import metres_per
from .writing import WRITERS, is_input, write

#: Suffixes of files that refer to others.
_WITH_OTHERS = frozenset({".vtm", ".pvd", ".foam", ".case", ".gltf", ".pvtu", ".pvtp", ".cgns"})


@dataclass(frozen=True)
class RepairedFile:
    """The answer of :func:`repair_file`.

    Attributes:
        path: the input.
        written: the files written, one per part where parts were asked for.
        length_unit: what the lengths here are in: ``m``, or ``file unit`` where nobody says it.
        tolerance: points within this length of each other were made one; 0 stands for points that coincide to rounding.
        changes: what was done, a sentence each; empty if nothing was wrong (the output is then a copy).
        moved: largest distance between the surfaces before and after, either way, at samples: a lower bound of the distance.
        left: what is still wrong, with remedies.
        notes: what the format of the output could not hold.
    """

    path: str
    written: tuple[str, ...]
    length_unit: str
    tolerance: float
    changes: tuple[str, ...]
    moved: float
    left: tuple[str, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for ``--json``."""
        return asdict(self)

    def __str__(self) -> str:
        merging = (
            f"closer than {self.tolerance:g} {self.length_unit}" if self.tolerance else "that coincide (to rounding); --tolerance LENGTH merges more"
        )
        lines = [f"{self.path}: repaired into {', '.join(self.written)}"]
        lines += _rows("merged are", [f"points {merging}"])
        lines += _rows("changed", list(self.changes) or ["nothing: nothing was wrong that a repair can help"])
        lines += _rows("moved by", [_moved(self.moved, self.length_unit)])
        lines += _rows("left", list(self.left) or ["nothing to repair"])
        return "\n".join(lines + _rows("notes", list(self.notes)))


def repair_file(
    path: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    unit: str | None = None,
    tolerance: float = 0.0,
    max_hole: float = MAX_HOLE,
    orient: bool = True,
    parts: bool = False,
    thorough: bool | None = None,
) -> RepairedFile:
    """Repair a mesh file with :func:`geoop.mesh.repair.repair` and write the result to another file, with its fields.

    A file without a unit is repaired in its own unit and the same numbers are written back; with ``unit`` lengths here are in
    metres, and a format without unit is written in the unit of the input again.

    Args:
        path: any file that :func:`geoop.read` reads.
        out: where to write; its suffix says the format. With ``parts`` and more than one part: ``out_1.stl``, ``out_2.stl``, ...
        unit: length unit of a file that does not say it.
        tolerance, max_hole, orient: see :func:`geoop.mesh.repair.repair`; the tolerance in metres, or in the file's unit if it is unknown.
        parts: write the connected parts to files of their own.
        thorough: whether to count what cuts itself in the result; up to a million facets unless said otherwise.

    Raises:
        ConfigurationError: ``out`` is the input, or of a format whose lengths are metres while the unit of the input is unknown.
        UnreadableFileError, UnsupportedFormatError, InvalidMeshError, UnitError: as :func:`geoop.read`.
        UnwritableFileError: see :func:`geoop.io.writing.write`.
    """
    source, target = Source.find(path), Path(out).expanduser()
    form = format_of(source)
    problems = list(_problems(source, form, target, unit))
    if problems:
        raise ConfigurationError("; ".join(message for message, _ in problems), where=str(target), remedy="; ".join(remedy for _, remedy in problems))
    contents = load(source, form)
    factor = metres_per(unit, source.where) if unit is not None and takes_unit(form, contents) else 1.0
    case = build(contents, factor, (), source)
    found = repair(case.mesh, tolerance=tolerance, max_hole=max_hole, orient=orient)
    cases = _cases(case, found, parts)
    files = [target] if len(cases) == 1 else [_numbered(target, i + 1) for i in range(len(cases))]
    clash = [str(file) for file in files if is_input(source.path, file)]
    if clash:
        raise ConfigurationError(
            f"a part would be written over the input: {', '.join(clash)}", where=str(target), remedy="choose another name for the output"
        )
    said = "m" if form.length != "unit" or unit is not None else "file unit"
    own = unit if form.length == "unit" and unit is not None else "m"
    notes = [note for item, file in zip(cases, files, strict=True) for note in _write(item, file, own)]
    if said != "m":  # to the writer one unit of the file is a metre; nobody knows that it is
        notes = [
            "lengths are the numbers of the input, in its unit, whichever it is",
            *(note for note in notes if not note.startswith("lengths are")),
        ]
        notes = [note.removesuffix(f" {own}") for note in notes]
    again = shlex.quote(str(files[0])) + (f" --unit {unit}" if own != "m" else "")
    left = tuple(text.replace("inspect FILE", f"inspect {again}") for text in mesh_report(found.mesh, intersections=thorough).findings)
    return RepairedFile(source.where, tuple(map(str, files)), said, tolerance, found.changes, found.moved, left, tuple(dict.fromkeys(notes)))


def _problems(source: Source, form: Format, target: Path, unit: str | None) -> Iterator[tuple[str, str]]:
    """What is wrong with the output, and what to do about it."""
    if is_input(source.path, target):
        yield "the output is the input, and nothing is written over an input", "give another file name, e.g. " + str(_numbered(target, "repaired"))
    elif target.exists() and (source.suffix in _WITH_OTHERS or source.path.is_dir()):
        yield f"the output exists, and {form.name} consists of several files that it may be one of", "give the name of a file that does not exist yet"
    writer = WRITERS.get(target.suffix.lower())
    if writer is None:
        yield f"no writer for '{target.suffix or 'a file without suffix'}'", f"write one of {', '.join(WRITERS)}"
    elif not writer.unit and form.length == "unit" and unit is None:
        yield (
            f"{target.suffix} files hold metres, and the unit of {source.where} is unknown",
            "say it: --unit mm (unit='mm' in Python), or write a format without unit",
        )


def _numbered(path: Path, word: int | str) -> Path:
    """``wing_2.stl.gz`` for ``wing.stl.gz``."""
    ending = "".join(path.suffixes[-2:]) if path.suffix.lower() in COMPRESSIONS else path.suffix
    return path.with_name(f"{path.name.removesuffix(ending)}_{word}{ending}")


def _cases(case: Case, found: Repaired, parts: bool) -> tuple[Case, ...]:
    whole = carried(case, found)
    return split(whole) if parts else (whole,)


def _write(case: Case, path: Path, unit: str) -> tuple[str, ...]:
    """Write one part; what the format could not hold. Only the text of an STL file has names of patches."""
    named = path.suffix.lower() == ".stl" and any(len(part) for part in case.mesh.patches.values())
    return write(case, path, unit=unit if WRITERS[path.suffix.lower()].unit else None, text=named).notes


def _moved(distance: float, unit: str) -> str:
    return f"at least {distance:.3g} {unit}, either way between before and after, at samples" if distance else f"0 {unit}"


def _rows(title: str, rows: list[str]) -> list[str]:
    return [f"  {title if i == 0 else '':<13} {row}" for i, row in enumerate(rows)]
