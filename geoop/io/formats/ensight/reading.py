"""EnSight Gold by its own counts (``ensight_gold``); EnSight 6 and rare kinds of Gold through VTK's reader in a process of its own."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from ....errors import UnreadableFileError
from ...blocks import joined_by_dimension
from ...contents import Contents, chosen_time
from ...field_names import with_known_names
from ...isolated import read_isolated
from ...recognise import is_binary
from ...source import Source
from ..vtk.blocks import block_of, leaves
from ..vtk.messages import captured
from .case_file import CaseFile, parse_case
from .gold import NotPlain, read_geometry, with_variable

_MEMBER = re.compile(r"^(?:model|measured|match|boundary|(?:complex )?(?:scalar|vector|tensor)[^:]*)\s*:\s*(.*)$", re.I)


def read_ensight(source: Source) -> Contents:
    """Parts of an EnSight case: those of the highest dimension are zones, thinner ones patches. Lengths are taken in metres, no unit is stated.

    The geometry and variable files lie beside the ``.case`` file; of a transient case one step is read.

    Raises:
        UnreadableFileError: a file that the case names is missing, damaged or truncated.
        ConfigurationError: the wanted time is not there.
    """
    with source.file() as path:
        size = _check_files(path, source.where)
        case = parse_case(path, source.where)
        if case.gold and case.plain:
            try:
                return _gold(case, path, source.time, source.where)
            except NotPlain:
                pass  # rare kinds of blocks and elements are left to VTK
        if not case.gold:
            now = times[chosen_time(times, source.time, source.where)] if (times := case.times) else None
            _check_six(path.parent / case.file_at(case.model, case.model_times, now, source.where), source.where)
        contents = read_isolated("ensight.reading:case_contents", path, source.time, source.where, size)
        said = "read by VTK, which does not notice when an EnSight file ends too early"
        return replace(contents, notes=(*contents.notes, said))


def _gold(case: CaseFile, path: Path, time: float | None, where: str) -> Contents:
    times = case.times
    now = times[chosen_time(times, time, where)] if times else None
    parts, stream = read_geometry(path.parent / case.file_at(case.model, case.model_times, now, where), where)
    for variable in case.variables:
        parts = with_variable(parts, variable, path.parent / case.file_at(variable.file, variable.times, now, where), stream, where)
    contents = with_known_names(joined_by_dimension([part.block for part in parts], where))
    notes = (f"constants of the case are left out: {', '.join(case.constants)}",) if case.constants else ()
    return replace(contents, notes=(*contents.notes, *notes), time=now, times=times)


def _check_files(path: Path, where: str) -> int:
    """Bytes of all files of a case; raise where one is missing: VTK would leave its variable out."""
    missing, size = [], path.stat().st_size
    text = path.read_text("latin-1")
    if not re.search(r"^\s*type\s*:\s*ensight", text, re.I | re.M):
        raise UnreadableFileError(
            "has no 'type: ensight' line, so it is no EnSight case", where=where, remedy="give the .case file that EnSight or the solver wrote"
        )
    for line in text.splitlines():
        match = _MEMBER.match(line.strip())
        words = match.group(1).split() if match else []
        name = next((word for word in reversed(words) if not word.isdigit() and word != "change_coords_only"), "").strip("\"'")
        if not name or "constant" in line.split(":")[0].lower():
            continue
        pattern = re.sub(r"\*+", "*", name)
        found = [path.parent / name] if "*" not in name else sorted(path.parent.glob(pattern)) if not Path(name).is_absolute() else []
        here = [file for file in found if file.is_file()]
        missing += [] if here else [name]
        size += sum(file.stat().st_size for file in here)
    if missing:
        raise UnreadableFileError(
            f"the case names files that are not beside it: {', '.join(dict.fromkeys(missing))}",
            where=where,
            remedy="copy all files of the case into one folder, or into one .zip",
        )
    return size


def _check_six(path: Path, where: str) -> None:
    """Raise where a text geometry of EnSight 6 ends too early: VTK would look for the rest for ever. Blocks and binary files are passed over.

    Raises:
        UnreadableFileError: truncated, or a count that is none.
    """
    with open(path, "rb") as handle:
        if is_binary(handle.read(4096)):
            return
    lines = path.read_text("latin-1").splitlines()
    at = next((k for k, line in enumerate(lines) if line.strip().lower() == "coordinates"), len(lines))
    name = at
    while at < len(lines) and name < len(lines):
        word = lines[at].split()[:1]
        if word in (["part"], []):
            at += 2 if word else 1
            continue
        if word == ["block"]:
            return
        count = lines[at + 1].strip() if at + 1 < len(lines) else ""
        at += 2 + (int(count) if count.isdigit() else len(lines))
    if at > len(lines) or name == len(lines):
        raise UnreadableFileError(
            f"{path.name} is truncated: fewer lines than its counts announce, or no coordinates", where=where, remedy="copy or export the case again"
        )


def case_contents(path: Path, time: float | None, where: str) -> Contents:
    """What :func:`read_ensight` returns; runs in the child."""
    from vtkmodules.vtkIOEnSight import vtkGenericEnSightReader

    with captured() as complaints:
        reader = vtkGenericEnSightReader()
        reader.SetCaseFileName(str(path))
        reader.ReadAllVariablesOn()
        reader.UpdateInformation()
        times = _times(reader)
        now = times[chosen_time(times, time, where)] if times else None
        if now is not None:
            reader.SetTimeValue(now)
        reader.Update()
        problems = complaints()
        found = [block_of(data, name[-1] if name else "", where) for name, data in leaves(reader.GetOutput())]
    if problems:
        raise UnreadableFileError(
            f"VTK cannot read it: {'; '.join(dict.fromkeys(problems[:3]))}",
            where=where,
            remedy="export the case again, or save it as .vtu in ParaView",
        )
    contents = with_known_names(joined_by_dimension([block for block, _ in found], where))
    notes = dict.fromkeys(note for _, said in found for note in said)
    return replace(contents, notes=(*contents.notes, *notes), time=now, times=times)


def _times(reader: Any) -> tuple[float, ...]:
    sets = reader.GetTimeSets()
    if sets is None:
        return ()
    count = sets.GetNumberOfItems()
    return tuple(sorted({float(sets.GetItem(i).GetValue(k)) for i in range(count) for k in range(sets.GetItem(i).GetNumberOfTuples())}))
