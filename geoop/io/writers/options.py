"""How a file is to be written, and what of a case a format could not hold."""

from __future__ import annotations

from collections.abc import Collection
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


def left_out(case: Case, *, fields: Collection[str] = (), patches: bool = False, zones: bool = False, boundary: bool = False) -> tuple[str, ...]:
    """Sentences on everything of a case that a file does not hold.

    Args:
        case: what was written.
        fields: names of the fields that it does hold.
        patches, zones, boundary: whether it holds them.
    """
    names = [name for name in case.fields if name not in fields]
    lost = [f"fields {', '.join(names)}"] if names else []
    lost += [f"the names of the patches {', '.join(case.mesh.patches)}"] if case.mesh.patches and not patches else []
    lost += [f"the zones {', '.join(case.mesh.zones)}"] if case.mesh.zones and not zones else []
    lost += [f"values on the patches {', '.join(case.boundary)}"] if case.boundary and not boundary else []
    lost += ["the operating point"] if case.operating_point is not None else []
    lost += ["the time"] if case.time is not None else []
    return (f"the format does not hold {'; '.join(lost)}",) if lost else ()


def one_word(names: Collection[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Names without blanks and line ends, all different, and the note on those that were changed."""
    found: dict[str, str] = {}
    for name in names:
        word = "_".join(name.split()) or "unnamed"
        number, plain = 2, word
        while word in found.values():
            word, number = f"{plain}_{number}", number + 1
        found[name] = word
    changed = [f"'{name}' is written as '{word}'" for name, word in found.items() if name != word]
    return found, (f"names may not have blanks: {', '.join(changed)}",) if changed else ()
