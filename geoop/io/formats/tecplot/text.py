"""The text of a Tecplot file in its parts: variables, and zones with their head and their numbers.

Layout: Tecplot 360 Data Format Guide, chapter "ASCII data".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from ....errors import UnreadableFileError
from ...parse import floats

_KEYWORD = re.compile(r"^[ \t]*(TITLE|VARIABLES|ZONE|TEXT|GEOMETRY|DATASETAUXDATA|VARAUXDATA|FILETYPE|CUSTOMLABELS|USERREC)\b", re.I | re.M)
_NUMBER_LINE = re.compile(r"^[ \t]*[-+]?\.?\d", re.M)
_PAIR = re.compile(r"([A-Za-z]\w*)\s*=\s*(\"(?:[^\"\\]|\\.)*\"|'[^']*'|\((?:[^()]|\([^()]*\))*\)|[^\s,]+)")
_NAME = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'([^']*)'|([^\s,\"']+)")
_TIMES = re.compile(rb"(\d+)\*([^\s,*]+)")
_COMMENT = re.compile(r"^[ \t]*#.*$", re.M)


@dataclass(frozen=True, eq=False)
class TextZone:
    """One zone.

    Attributes:
        keys: of its head in capitals -> value without quotes.
        numbers: all numbers behind the head.
        variables: names that hold for it.
    """

    keys: dict[str, str]
    numbers: np.ndarray
    variables: tuple[str, ...]


@dataclass(eq=False)
class TextFile:
    """All zones, and what is in the file besides."""

    zones: list[TextZone] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def parsed(text: str, where: str) -> TextFile:
    """The parts of a file.

    Raises:
        UnreadableFileError: something that is not a number where numbers are, or a zone before the variables are named.
    """
    text = _COMMENT.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    starts = [match.start() for match in _KEYWORD.finditer(text)]
    found, variables = TextFile(), ()
    for start, stop in zip(starts, [*starts[1:], len(text)], strict=True):
        part = text[start:stop].lstrip()
        word = re.match(r"\w+", part)
        keyword = word.group().upper() if word else ""
        if keyword == "VARIABLES":
            names = part.partition("=")[2]
            variables = tuple(next(group for group in match.groups() if group is not None).strip() for match in _NAME.finditer(names))
        elif keyword == "ZONE":
            if not variables:
                raise UnreadableFileError("a ZONE before VARIABLES", where=where, remedy='name the variables: VARIABLES = "X" "Y" "pressure"')
            found.zones.append(_zone(part, variables, len(found.zones) + 1, where))
        elif keyword in ("TEXT", "GEOMETRY"):
            found.left_out.append(keyword)
    return found


def _zone(part: str, variables: tuple[str, ...], number: int, where: str) -> TextZone:
    first = _NUMBER_LINE.search(part, part.find("\n") + 1) if "\n" in part else None
    head, body = (part, "") if first is None else (part[: first.start()], part[first.start() :])
    keys = {match.group(1).upper(): match.group(2).strip("\"'") for match in _PAIR.finditer(head[4:])}
    return TextZone(keys, _floats(body, number, where), variables)


def _floats(body: str, number: int, where: str) -> np.ndarray:
    raw = body.replace(",", " ").encode("latin-1", "replace")
    limit = 64 * len(raw) + 1000

    def repeated(match: re.Match[bytes]) -> bytes:
        count = int(match.group(1)[:12])
        if count * len(match.group(2)) > limit:
            raise UnreadableFileError(
                f"zone {number}: '{match.group()[:40].decode('latin-1')}' repeats too often", where=where, remedy="export it again"
            )
        return (match.group(2) + b" ") * count

    return floats(_TIMES.sub(repeated, raw) if b"*" in raw else raw, where, f"zone {number}")


def numbers_in(text: str) -> list[int]:
    """``1-3,5`` or ``[1-3, 5]`` as 1, 2, 3, 5."""
    found: list[int] = []
    for low, high in re.findall(r"(\d+)(?:\s*-\s*(\d+))?", text):
        last = int(high) if high else int(low)
        found.extend(range(int(low), min(last, int(low) + 100_000) + 1))
    return found
