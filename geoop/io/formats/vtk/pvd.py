"""ParaView collections (.pvd): files over time, several parts per step."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from ....errors import UnreadableFileError
from ... import annotations
from ...contents import Contents, chosen_time
from ...source import Source
from .listing import check_present, leaves, parsed, read_leaf
from .multiblock import blocks_of

_PARAMETER = re.compile(rb"<!-- timestep is (.*?) -->")


@dataclass(frozen=True)
class _Row:
    """A line of the collection: a file, its value of time and the part of the mesh that it is."""

    time: float
    part: str
    path: Path


def read_pvd(source: Source) -> Contents:
    """The wanted step of a collection: the only part of it as it is, several parts as zones and patches of one mesh.

    The patches, operating point and notes of files that geoop wrote come back.

    Raises:
        UnreadableFileError: files of the step are missing (all of them in one error) or damaged, or no file is listed.
        ConfigurationError: there is no such step.
    """
    with source.file() as path:
        rows = _rows(path, source.where)
        times = tuple(sorted({row.time for row in rows}))
        time = times[chosen_time(times, source.time, source.where)]
        own = [row for row in rows if row.time == time]
        several = len(own) > 1
        found = [(row, leaf) for row in own for leaf in leaves(row.path, source.where, (row.part,) if several else ())]
        check_present([leaf for _, leaf in found], source.where)
        pieces = [(leaf.name, read_leaf(leaf, source.where)) for _, leaf in found]
        if len(pieces) == 1 and pieces[0][1] is not None:
            contents = pieces[0][1].contents()
        else:
            contents = blocks_of(pieces, source.where)
        if _parameter(path) and annotations.is_own(contents.annotations.__contains__):
            return replace(contents, times=times)  # another parameter than time: the case keeps the time that it had
        return replace(contents, times=times, time=time)


def _parameter(path: Path) -> str:
    """What geoop's own series run over, if it is not time."""
    with open(path, "rb") as handle:
        found = _PARAMETER.search(handle.read(2000))
    name = found.group(1).decode("utf-8", "replace") if found else "time"
    return "" if name.startswith("time") else name


def _rows(path: Path, where: str) -> list[_Row]:
    root = parsed(path, where, ("Collection",))
    rows, problems = [], []
    for number, item in enumerate(root.iter("DataSet")):
        part, group, name = (item.get(key, "").strip() for key in ("part", "group", "name"))
        try:
            time = float(item.get("timestep") or 0.0)
        except ValueError:
            problems.append(f"timestep '{item.get('timestep')}' of line {number + 1} is no number")
            continue
        if not item.get("file"):
            problems.append(f"line {number + 1} names no file")
            continue
        called = "/".join(filter(None, (group, name))) or f"part {part or number}"
        rows.append(_Row(time, called, path.parent / item.get("file", "").replace("\\", "/")))
    if problems or not rows:
        raise UnreadableFileError(
            "; ".join(problems[:4]) or "lists no files", where=where, remedy="write it again, or correct these lines in a text editor"
        )
    if any(row.time != row.time for row in rows):
        raise UnreadableFileError("a timestep is NaN", where=where, remedy="correct that line in a text editor")
    return rows
