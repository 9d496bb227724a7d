"""How a file is to be written, and what of a case a format could not hold."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from ...mesh.case import Case


@dataclass(frozen=True)
class Options:
    """How a file is to be written.

    Attributes:
        unit: length unit of the file.
        scale: units of the file per metre.
        text: text instead of binary, where the format has both.
        compress: compress, where the format can.
        location: rows of a table: ``point``, ``cell``, or None for what the fields ask for.
    """

    unit: str = "m"
    scale: float = 1.0
    text: bool = False
    compress: bool = False
    location: str | None = None

    @property
    def said(self) -> tuple[str, ...]:
        """The note on the unit, for formats that do not say theirs."""
        return (f"lengths are written in {self.unit}: the file itself does not say so",)


#: Names that a note lists before it counts the rest.
_LISTED = 6


def listed(names: Collection[str]) -> str:
    """Names with commas; of many the first ones and how many more there are."""
    if len(names) <= _LISTED:
        return ", ".join(names)
    return f"{', '.join(list(names)[: _LISTED - 1])} and {len(names) - _LISTED + 1} more"


def renamed(names: Mapping[str, str], reason: str) -> tuple[str, ...]:
    """The note on names (old -> new) that the file has in another form; none where all are the same."""
    changed = [f"'{old}' is written as '{new}'" for old, new in names.items() if old != new]
    return (f"{reason}: {listed(changed)}",) if changed else ()


def left_out(
    case: Case, *, fields: Collection[str] = (), patches: bool = False, zones: bool = False, boundary: bool = False, time: bool = False
) -> tuple[str, ...]:
    """Sentences on everything of a case that a file does not hold.

    Args:
        case: what was written.
        fields: names of the fields that it does hold.
        patches, zones, boundary, time: whether it holds them.
    """
    names = [name for name in case.fields if name not in fields]
    lost = [f"fields {listed(names)}"] if names else []
    lost += [f"the names of the patches {listed(case.mesh.patches)}"] if case.mesh.patches and not patches else []
    lost += [f"which patches are walls ({listed(case.wall)})"] if case.wall else []
    lost += [f"the zones {listed(case.mesh.zones)}"] if case.mesh.zones and not zones else []
    lost += [f"values on the patches {listed(case.boundary)}"] if case.boundary and not boundary else []
    lost += ["the operating point"] if case.operating_point is not None else []
    lost += ["the time"] if case.time is not None and not time else []
    return (f"the format does not hold {'; '.join(lost)}",) if lost else ()


def one_word(names: Collection[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Names without blanks and line ends, all different, and the note on those that were changed."""
    return rewritten(names, lambda name: "_".join(name.split()) or "unnamed", "names may not have blanks")


def rewritten(names: Collection[str], form: Callable[[str], str], reason: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """Names in the form that a file has them in, all different, and the note on those that were changed.

    Args:
        names: all different.
        form: what a name becomes; names that become the same get numbers.
        reason: why names change, for the note.
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        word = plain = form(name)
        number = 2
        while word in taken:
            word, number = f"{plain}_{number}", number + 1
        taken.add(word)
        found[name] = word
    return found, renamed(found, reason)
