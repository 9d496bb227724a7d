"""One file into another: read with everything that is in it, written with everything that the new format holds."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..errors import ConfigurationError, UnwritableFileError
from ..mesh.case import Case, Series
from .collecting.known_arrays import mapped
from .reading import check_time, read_case, read_steps
from .writing import Written, is_input, write

PathLike = str | os.PathLike[str]


def convert(
    source: PathLike,
    target: PathLike,
    *,
    unit: str | None = None,
    output_unit: str | None = None,
    chord: float | None = None,
    time: float | None = None,
    solution: PathLike | Sequence[PathLike] | None = None,
    patches: Sequence[str] | None = None,
    text: bool = False,
    compress: bool = False,
    location: Literal["point", "cell"] | None = None,
    names: Mapping[str, str] | None = None,
) -> Written:
    """Read any file that geoop reads and write it as any that geoop writes.

    Args:
        source: see :func:`geoop.io.reading.read_case`.
        target: see :func:`geoop.io.writing.write`; ``.pvd`` takes all steps of the source, and a source without steps becomes a
            series of one, at the time that it says or at 0.
        unit: length unit of the source, where it does not say its own.
        output_unit: length unit of the target; metres unless given.
        chord, time, solution: as for :func:`geoop.io.reading.read_case`; ``time`` is one step [s].
        patches, text, compress, location: as for :func:`geoop.io.writing.write`.
        names: what arrays of the source are: array -> ``quantity:unit``, ``quantity``, ``keep`` or ``drop``; they are written under these names, in SI
            units. All others stay as they are.

    Returns:
        The path, the notes of the reader, and those of the writer.

    Raises:
        UnwritableFileError: the target is one of the inputs.
        ConfigurationError: a solution for all steps at once, or ``names`` of no array.
        The errors of reading and writing.
    """
    solutions = [] if solution is None else [solution] if isinstance(solution, (str, os.PathLike)) else list(solution)
    for path in (source, *solutions):
        if is_input(path, target):
            raise UnwritableFileError("is an input, and nothing is written over an input", where=str(target), remedy="give the output another name")
    case: Case | Series
    if Path(target).suffix.lower() == ".pvd":
        if solutions:
            raise ConfigurationError("a solution has one step, and a .pvd file all of them", where="solution", remedy="write a .vtu")
        case, notes = _steps(source, unit, chord, time)
    else:
        extra: dict[str, Any] = {"solution": solution} if solutions else {}
        case = read_case(source, unit=unit, chord=chord, time=time, **extra)
        notes = case.mesh.notes
    if names:
        case = mapped(case, names)
    done = write(case, target, unit=output_unit, patches=patches, text=text, compress=compress, location=location)
    return Written(done.path, tuple(dict.fromkeys((*notes, *done.notes))))


def _steps(source: PathLike, unit: str | None, chord: float | None, time: float | None) -> tuple[Series, tuple[str, ...]]:
    """All steps of a file, or the one at ``time`` [s], and the notes of the reader."""
    found = read_steps(source, unit=unit, chord=chord, start=time, stop=time)
    if isinstance(found, Series):
        return found, found.cases[-1].mesh.notes
    if time is not None:
        check_time(found.time, time, str(source))
    said = () if found.time is not None else ("the file knows no times: it is written as a series of one step at 0 s",)
    return Series(np.array([found.time or 0.0]), (found,)), (*found.mesh.notes, *said)
