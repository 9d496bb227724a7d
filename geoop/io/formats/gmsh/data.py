"""Values in a Gmsh file: $NodeData, $ElementData and $ElementNodeData, with their times."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ....errors import UnreadableFileError
from ...contents import chosen_time
from .layout import AGAIN, Cursor, Format


@dataclass(frozen=True, eq=False)
class Data:
    """Values of one name at one time.

    Attributes:
        label: name of the view.
        location: ``point``, ``cell``, or ``corner`` for values at the nodes of every element.
        time: [s] or whatever the program that wrote it counts.
        tags: (m,) node or element numbers.
        values: (m, k), of corners (sum of lengths, k).
        lengths: (m,) values per element; only of corners.
    """

    label: str
    location: str
    time: float
    tags: np.ndarray
    values: np.ndarray
    lengths: np.ndarray | None = None


def data_of(body: bytes, form: Format, name: str, where: str) -> Data:
    """One section with values.

    Raises:
        UnreadableFileError: tags that cannot be understood, or values missing.
    """
    rows = body.split(b"\n", 64)
    at, tags = 0, []
    try:
        for _ in range(3):  # text, real and whole-number tags, each behind its count
            count = int(rows[at])
            tags.append(rows[at + 1 : at + 1 + count])
            at += 1 + count
        label = tags[0][0].strip().strip(b'"').decode("utf-8", "replace") if tags[0] else name
        time = float(tags[1][0]) if tags[1] else 0.0
        width, count = int(tags[2][1]), int(tags[2][2])
    except (IndexError, ValueError) as error:
        raise UnreadableFileError(f"${name}: its tags cannot be understood", where=where, remedy=AGAIN) from error
    cursor = Cursor(b"\n".join(rows[at:]), form, name, where)
    if name == "ElementNodeData":
        numbers, lengths, values = cursor.ragged(count, width)
        return Data(label, "corner", time, numbers, values, lengths)
    return Data(label, "point" if name == "NodeData" else "cell", time, *cursor.records(count, width))


def chosen_step(data: list[Data], wanted: float | None, where: str) -> tuple[list[Data], float | None, tuple[float, ...], list[str]]:
    """The values of one time, every name once; those that the file has once only belong to all times.

    Args:
        data: everything in the file; pieces of one name and time (of partitions) are put together.
        wanted: time, or None for the last one.
        where: the file.

    Returns:
        Values, their time and all times (None and () where the file has no steps), and notes.

    Raises:
        ConfigurationError: the file has no such time.
    """
    joined: dict[tuple[str, str, float], Data] = {}
    notes = []
    for item in data:
        key = (item.label, item.location, item.time)
        old = joined.get(key)
        if old is None:
            joined[key] = item
        elif old.values.shape[1] == item.values.shape[1]:
            joined[key] = _together(old, item)
        else:
            notes.append(f"'{item.label}' occurs again with another number of components; the first is read")
    steps: dict[tuple[str, str], list[float]] = {}
    for label, location, time in joined:
        steps.setdefault((label, location), []).append(time)
    times = sorted({time for found in steps.values() for time in found})
    if not np.isfinite(times).all():
        raise UnreadableFileError("the time of some values is not finite", where=where, remedy=AGAIN)
    if times in ([], [0.0]):
        return list(joined.values()), None, (), notes
    time = times[chosen_time(tuple(times), wanted, where)]
    kept = [item for (label, location, at), item in joined.items() if at == time or len(steps[label, location]) == 1]
    missing = [label for (label, _), found in steps.items() if len(found) > 1 and time not in found]
    notes += [f"no values at {time:g} s: {', '.join(missing)}"] if missing else []
    return kept, time, tuple(times), notes


def _together(first: Data, second: Data) -> Data:
    lengths = None if first.lengths is None or second.lengths is None else np.concatenate([first.lengths, second.lengths])
    return replace(first, tags=np.concatenate([first.tags, second.tags]), values=np.concatenate([first.values, second.values]), lengths=lengths)
