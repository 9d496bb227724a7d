"""The syntax of OpenFOAM dictionaries: where each entry begins and ends, with binary lists stepped over. Nothing is evaluated."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...errors import UnreadableFileError
from .lists import Layout, skip

_BLANK = re.compile(rb"(?:\s+|//[^\n]*|/\*.*?\*/)*", re.S)
_WORD = re.compile(rb'"(?:[^"\\]|\\.)*"|(?:\$\{[^{}]*\}|[^\s;{}"])+', re.S)
_LINE = re.compile(rb"[^\n]*")
#: What can end a value or hide its end.
_MARK = re.compile(rb'[;{}()"]|//[^\n]*|/\*|#\{|List<(\w+)>\s*(?=\d)')
_HIDING = {b"/*": b"*/", b"#{": b"#}"}
_DEEPEST = 40
_DAMAGED = "the file is truncated or damaged: write it again with OpenFOAM, or copy it again"


@dataclass(frozen=True, eq=False)
class Entry:
    """One entry of a dictionary.

    Attributes:
        data: the file that it is in.
        keyword: without quotes; directives keep their ``#``, macros their ``$``.
        quoted: whether the keyword is a pattern in quotes.
        start: where the keyword begins.
        stop: behind the semicolon or the closing brace.
        value: first byte of the value and the one behind it; of a dictionary what is inside the braces.
        children: entries of a dictionary; None for a plain value.
    """

    data: bytes
    keyword: str
    quoted: bool
    start: int
    stop: int
    value: tuple[int, int]
    children: tuple[Entry, ...] | None = None

    @property
    def raw(self) -> bytes:
        return self.data[self.value[0] : self.value[1]]


def entries_of(data: bytes, layout: Layout, where: str, start: int = 0) -> tuple[Entry, ...]:
    """All entries of a file from ``start`` to its end.

    Raises:
        UnreadableFileError: braces or lists that have no end, an entry without a semicolon.
    """
    found, stop = _entries(data, layout, where, start, 0)
    if stop < len(data):
        raise UnreadableFileError("a closing brace has no opening one", where=where, remedy=_DAMAGED)
    return found


def first_entry(data: bytes, layout: Layout, where: str, start: int = 0) -> Entry:
    """The entry that begins at ``start``, such as the header of a file; what follows it is not looked at.

    Raises:
        UnreadableFileError: it has no end.
    """
    return _entry(data, layout, where, blank(data, start), 0)


def named_list(data: bytes, layout: Layout, where: str, start: int) -> tuple[Entry, ...]:
    """The dictionaries of ``N ( name { ... } ... )`` as in the files ``boundary`` and ``cellZones``; N itself is not relied on.

    Raises:
        UnreadableFileError: cut off, or not a list of dictionaries.
    """
    found = re.compile(rb"(\d{1,12})").match(data, blank(data, start))
    count = int(found[1]) if found else None
    position = blank(data, found.end() if found else start)
    if data[position : position + 1] != b"(":
        if count == 0:
            return ()
        raise UnreadableFileError("the list of names has no opening bracket", where=where, remedy=_DAMAGED)
    items, _ = _entries(data, layout, where, position + 1, 1, closing=b")")
    for item in items:
        if item.children is None:
            raise UnreadableFileError(f"'{item.keyword}' is not followed by a dictionary in braces", where=where, remedy=_DAMAGED)
    return items


def blank(data: bytes, position: int) -> int:
    """The next place that is neither white space nor comment."""
    found = _BLANK.match(data, position)
    return found.end() if found else position


def _entries(data: bytes, layout: Layout, where: str, position: int, depth: int, closing: bytes = b"}") -> tuple[tuple[Entry, ...], int]:
    """Entries up to the closing bracket (or the end of the file at depth 0), and its place."""
    if depth > _DEEPEST:
        raise UnreadableFileError(f"dictionaries are nested more than {_DEEPEST} deep", where=where, remedy=_DAMAGED)
    found: list[Entry] = []
    while True:
        position = blank(data, position)
        if position >= len(data):
            if depth:
                raise UnreadableFileError("the file ends inside of a dictionary", where=where, remedy=_DAMAGED)
            return tuple(found), position
        if data[position : position + 1] == closing:
            return tuple(found), position
        if data[position : position + 1] == b";":  # a stray semicolon does no harm
            position += 1
            continue
        entry = _entry(data, layout, where, position, depth)
        found.append(entry)
        position = entry.stop


def _entry(data: bytes, layout: Layout, where: str, start: int, depth: int) -> Entry:
    word = _WORD.match(data, start)
    if not word:
        shown = data[start : start + 20].decode("latin-1")
        raise UnreadableFileError(f"an entry must begin with a keyword, found '{shown}'", where=where, remedy=_DAMAGED)
    quoted = word[0][:1] == b'"'
    keyword = word[0].strip(b'"').decode("latin-1")
    position = word.end()
    if keyword.startswith("#") and not keyword.startswith(("#calc", "#codeStream", "#eval")):
        line = _LINE.match(data, position)
        stop = line.end() if line else position
        return Entry(data, keyword, False, start, stop, (position, stop))
    position = blank(data, position)
    if data[position : position + 1] == b"{":
        children, stop = _entries(data, layout, where, position + 1, depth + 1)
        return Entry(data, keyword, quoted, start, stop + 1, (position + 1, stop), children)
    if keyword.startswith("$"):  # stands for the entries of another dictionary; the semicolon behind it is optional
        return Entry(data, keyword, False, start, word.end(), (word.end(), word.end()))
    stop = _end_of_value(data, layout, where, position, keyword)
    return Entry(data, keyword, quoted, start, stop + 1, (position, stop))


def _end_of_value(data: bytes, layout: Layout, where: str, position: int, keyword: str) -> int:
    """Place of the semicolon that ends a value."""
    depth = 0
    while True:
        mark = _MARK.search(data, position)
        if mark is None or (mark[0] in (b"}", b")") and depth == 0):
            raise UnreadableFileError(f"the entry '{keyword}' has no end", where=where, remedy=_DAMAGED)
        token, position = mark[0], mark.end()
        if token == b";" and depth == 0:
            return mark.start()
        if mark[1]:
            position = skip(data, mark.end(), mark[1].decode(), layout, where)
        elif token in (b"(", b"{"):
            depth += 1
        elif token in (b")", b"}"):
            depth -= 1
        elif token == b'"':
            word = _WORD.match(data, mark.start())
            if not word or len(word[0]) < 2:
                raise UnreadableFileError(f"a text in quotes in the entry '{keyword}' has no end", where=where, remedy=_DAMAGED)
            position = word.end()
        elif token in _HIDING:
            position = data.find(_HIDING[token], position) + 2
            if position < 2:
                raise UnreadableFileError(f"a comment or code in the entry '{keyword}' has no end", where=where, remedy=_DAMAGED)
