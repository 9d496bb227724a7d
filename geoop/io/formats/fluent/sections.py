"""Sections of a Fluent .msh, .cas or .dat file, text or binary: nested lists of numbers, most of them hexadecimal.

Layout: ANSYS Fluent user's guide, appendix "Mesh File Format" and "Case and Data File Formats". Sections 10 (nodes), 12 (cells),
13 (faces) and 300 (results) with 2000 or 3000 added are binary, in single and double precision.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ....errors import UnreadableFileError

_OPENING = re.compile(rb"\(\s*(\d+)")
_HEADER = re.compile(rb"\s*\(([^()]*)\)\s*")
_QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"|[()]')
_END = re.compile(rb"End of Binary Section\s+\d+\s*\)")
_DATA = {10, 12, 13, 300}


@dataclass(frozen=True, eq=False)
class Section:
    """One section.

    Attributes:
        index: what it is, without the 2000 or 3000 of binary ones.
        header: its first list as words.
        body: bytes of its second list, empty if it has none.
        width: bytes of a real number of a binary section; 0 if the body is text.
    """

    index: int
    header: tuple[str, ...]
    body: bytes = b""
    width: int = 0

    def hexadecimal(self) -> list[int]:
        """The header as numbers."""
        return [int(word, 16) for word in self.header]

    def integers(self) -> np.ndarray:
        """Numbers of the body, int64; text is hexadecimal."""
        if not self.width:
            return np.array([int(word, 16) for word in self.body.split()], dtype=np.int64)
        return np.frombuffer(self.body, dtype="<i4", count=len(self.body) // 4).astype(np.int64)

    def reals(self) -> np.ndarray:
        """Numbers of the body, float64."""
        if not self.width:
            return np.array(self.body.split(), dtype=np.float64)
        return np.frombuffer(self.body, dtype=f"<f{self.width}", count=len(self.body) // self.width).astype(np.float64)


def sections(data: bytes, where: str) -> Iterator[Section]:
    """All sections of a file in order; those of settings have a header only.

    Args:
        data: the whole file.
        where: the file, for errors.

    Raises:
        UnreadableFileError: a section that does not end: truncated.
    """
    at = 0
    while True:
        opening = _OPENING.search(data, at)
        if opening is None:
            return
        code = int(opening.group(1))
        index, width = code, 0
        if code >= 2000 and code % 1000 in _DATA:
            index, width = code % 1000, 4 if code // 1000 == 2 else 8
        if index in _DATA:
            section, at = _numbers(data, opening.end(), index, width, where)
            yield section
            continue
        if code >= 2000:  # binary of a kind that holds no mesh
            end = _END.search(data, opening.end())
            if end is None:
                raise _truncated(code, where)
            at = end.end()
            continue
        end = _closing(data, opening.start(), code, where)
        header = _HEADER.match(data, opening.end(), end)
        yield Section(
            code, tuple(header.group(1).decode("latin-1").split()) if header else (data[opening.end() : end - 1].decode("latin-1").strip(),)
        )
        at = end


def _numbers(data: bytes, at: int, index: int, width: int, where: str) -> tuple[Section, int]:
    header = _HEADER.match(data, at)
    if header is None:
        raise UnreadableFileError(f"section {index} at byte {at} has no header", where=where, remedy="export or download it again")
    words = tuple(header.group(1).decode("latin-1").split())
    at = header.end()
    if data[at : at + 1] == b")":
        return Section(index, words), at + 1
    if data[at : at + 1] != b"(":
        raise _truncated(index, where)
    if not width:
        stop = data.find(b")", at)
        close = data.find(b")", stop + 1) if stop >= 0 else -1
        if close < 0:
            raise _truncated(index, where)
        return Section(index, words, data[at + 1 : stop]), close + 1
    size = _binary_size(index, words, width)
    end = _END.search(data, at + 1 + (size or 0))
    if end is None:
        raise _truncated(index, where)
    stop = data.rfind(b")", at + 1 + (size or 0), end.start()) if size is None else at + 1 + size
    if stop < 0 or stop > end.start():
        raise _truncated(index, where)
    return Section(index, words, data[at + 1 : stop], width), end.end()


def _binary_size(index: int, words: tuple[str, ...], width: int) -> int | None:
    """Bytes of a binary body; None for faces of mixed size, which only their own contents tell."""
    try:
        if index == 300:
            count = int(words[6]) - int(words[5]) + 1
            return count * int(words[2]) * width
        numbers = [int(word, 16) for word in words]
        count = numbers[2] - numbers[1] + 1
        if index == 10:
            return count * (numbers[4] if len(numbers) > 4 else 3) * width
        if index == 12:
            return count * 4
        kind = numbers[4] if len(numbers) > 4 else 0
        return count * (kind + 2) * 4 if kind in (2, 3, 4) else None
    except (IndexError, ValueError):
        return None


def _closing(data: bytes, at: int, code: int, where: str) -> int:
    """The byte behind the bracket that closes the one at ``at``; brackets in quotes do not count."""
    depth = 0
    for match in _QUOTED.finditer(data, at):
        mark = match.group()
        depth += (mark == b"(") - (mark == b")")
        if not depth:
            return match.end()
    raise _truncated(code, where)


def _truncated(code: int, where: str) -> UnreadableFileError:
    return UnreadableFileError(f"section {code} does not end: the file is truncated or damaged", where=where, remedy="export or download it again")
