"""OpenFOAM files as dictionaries: header, entries by name, macros and includes. What would have to be executed is refused."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ...errors import UnreadableFileError, UnsupportedFormatError
from .lists import Layout
from .syntax import Entry, blank, entries_of, first_entry

_DAMAGED = "the file is truncated or damaged: write it again with OpenFOAM, or copy it again"
_EXPAND = "evaluate it with OpenFOAM: `foamDictionary -expand FILE`, or write the number itself into the file"
_MACRO = re.compile(r"\$(?:\{([^{}]+)\}|([A-Za-z_.:][\w.:/]*))")
_DEEPEST = 20


@dataclass(frozen=True, eq=False)
class FoamFile:
    """One OpenFOAM file in memory.

    Attributes:
        path: the file, ``.gz`` included.
        data: its bytes, decompressed.
        kind: the ``class`` of its header: ``volScalarField``, ``faceList``, ...
        layout: how numbers are stored.
        start: where its content begins, behind the header.
        header: the entry ``FoamFile``; None where the file has none.
    """

    path: Path
    data: bytes
    kind: str
    layout: Layout
    start: int
    header: Entry | None

    @property
    def where(self) -> str:
        return str(self.path)


def find_file(folder: Path, name: str) -> Path | None:
    """``folder/name`` or ``folder/name.gz``, whichever is there."""
    plain = folder / name
    packed = folder / f"{name}.gz"
    return plain if plain.is_file() else packed if packed.is_file() else None


def load(path: Path) -> FoamFile:
    """A file with its header understood.

    Raises:
        UnreadableFileError: missing, empty, cannot be decompressed, or its header is damaged.
    """
    return parse(path, content(path))


def content(path: Path) -> bytes:
    """The bytes of a file, decompressed if its name ends in ``.gz``."""
    try:
        data = path.read_bytes()
        data = gzip.decompress(data) if path.suffix == ".gz" else data
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnreadableFileError(f"cannot be decompressed: {error}", where=str(path), remedy=_DAMAGED) from error
    except OSError as error:
        raise UnreadableFileError(f"cannot be opened: {error.strerror or error}", where=str(path), remedy="check the file") from error
    if not data or data.isspace():
        raise UnreadableFileError("the file is empty", where=str(path), remedy="write it again with OpenFOAM")
    return data


def parse(path: Path, data: bytes) -> FoamFile:
    """The bytes of a file with its header understood, see :func:`load`."""
    start = blank(data, 0)
    if not re.compile(rb"FoamFile\s*\{").match(data, start):
        return FoamFile(path, data, "", Layout(), start, None)
    try:
        header = first_entry(data, Layout(), str(path), start)
    except UnreadableFileError as error:
        raise UnreadableFileError(f"the header FoamFile has no end: {error.message}", where=str(path), remedy=_DAMAGED) from error
    said = {item.keyword: item.raw.decode("latin-1").strip().strip('"') for item in header.children or ()}
    arch = said.get("arch", "")
    sizes = {key: re.search(rf"{key}\s*=\s*(32|64)", arch) for key in ("label", "scalar")}
    layout = Layout(
        said.get("format", "ascii").startswith("bin"),
        int(sizes["label"][1]) // 8 if sizes["label"] else 4,
        int(sizes["scalar"][1]) // 8 if sizes["scalar"] else 8,
        ">" if "MSB" in arch else "<",
    )
    return FoamFile(path, data, said.get("class", ""), layout, blank(data, header.stop), header)


class Dictionary:
    """Entries by name. Names that occur twice mean the last one; dictionaries that occur twice are joined.

    Args:
        entries: in the order of the file.
        file: the file, for includes and errors.
        parent: the dictionary around it, where macros look further; None at the top.
        root: the folder of the case; includes from elsewhere are not read.
    """

    def __init__(self, entries: Iterable[Entry], file: FoamFile, parent: Dictionary | None = None, root: Path | None = None) -> None:
        self.file, self.parent = file, parent
        self.root = root or (parent.root if parent else file.path.parent)
        self.entries: dict[str, list[Entry]] = {}
        self.patterns: list[Entry] = []
        self.missing: list[str] = []
        self._take(entries, 0)

    @classmethod
    def of(cls, file: FoamFile, root: Path | None = None) -> Dictionary:
        """The dictionary that a whole file is."""
        return cls(entries_of(file.data, file.layout, file.where, file.start), file, None, root)

    def _take(self, entries: Iterable[Entry], depth: int) -> None:
        for entry in entries:
            if entry.keyword.startswith("#"):
                self._directive(entry, depth)
            elif entry.keyword.startswith("$"):
                found = self._lookup(entry.keyword.strip("${}"))
                self._take(found[-1].children or () if found and depth < _DEEPEST else (), depth + 1)
            elif entry.quoted and re.search(r"[.*|(\[+?^$\\]", entry.keyword):
                self.patterns.append(entry)
            elif entry.children is not None and self.entries.get(entry.keyword, [entry])[-1].children is not None:
                self.entries.setdefault(entry.keyword, []).append(entry)
            else:
                self.entries[entry.keyword] = [entry]

    def _directive(self, entry: Entry, depth: int) -> None:
        """Takes in what ``#include`` names if it lies in the case; remembers what could not be taken in."""
        name = entry.raw.decode("latin-1").strip().rstrip(";").strip().strip('"')
        if entry.keyword not in ("#include", "#includeIfPresent", "#sinclude"):
            if entry.keyword not in ("#inputMode", "#remove"):
                self.missing.append(f"{entry.keyword} {name}")
            return
        name = re.sub(r"^(\$FOAM_CASE|\$\{FOAM_CASE\}|<case>)", lambda _: str(self.root), name)
        path = self.file.path.parent / name
        if depth >= _DEEPEST or not path.resolve().is_relative_to(self.root.resolve()) or not path.is_file():
            if entry.keyword == "#include":
                self.missing.append(f"#include {name}")
            return
        included = load(path)
        self._take(entries_of(included.data, included.layout, included.where, included.start), depth + 1)

    def __contains__(self, name: str) -> bool:
        return name in self.entries

    def keys(self) -> list[str]:
        return list(self.entries)

    def sub(self, name: str) -> Dictionary | None:
        """The dictionary of that name; None if there is none."""
        found = self.entries.get(name, [])
        return (
            Dictionary([child for item in found for child in item.children or ()], self.file, self)
            if found and found[-1].children is not None
            else None
        )

    def matching(self, name: str, groups: tuple[str, ...] = ()) -> Dictionary | None:
        """The dictionary that applies to a patch: by its name, else by one of its groups, else by the last pattern that fits."""
        for key in (name, *groups):
            found = self.sub(key)
            if found is not None:
                return found
        for entry in reversed(self.patterns):
            try:
                fits = re.fullmatch(entry.keyword, name)
            except re.error:
                continue
            if fits and entry.children is not None:
                return Dictionary(entry.children, self.file, self)
        return None

    def value(self, name: str) -> bytes | None:
        """The value of an entry with its macros replaced; None if there is none.

        Raises:
            UnsupportedFormatError: the value is code, an expression, or a macro that the file does not define.
        """
        found = self.entries.get(name)
        return self._expanded(found[-1].raw, name, 0) if found and found[-1].children is None else None

    def word(self, name: str, otherwise: str = "") -> str:
        """The value of an entry as text without quotes."""
        value = self.value(name)
        return otherwise if value is None else value.decode("latin-1").strip().strip('"')

    def _expanded(self, raw: bytes, name: str, depth: int) -> bytes:
        head = raw[:4096]  # a list of numbers can be long; nothing stands before it but two words
        if re.match(rb"\s*#(calc|codeStream|eval|\{)", head) or b"#{" in head.partition(b"(")[0]:
            raise UnsupportedFormatError(f"the entry '{name}' would have to be executed", where=self.file.where, remedy=_EXPAND)
        if b"$" not in head or re.match(rb"\s*(nonuniform\s+)?List<", head):
            return raw
        if depth > _DEEPEST:
            raise UnsupportedFormatError(f"the macros of the entry '{name}' refer to each other", where=self.file.where, remedy=_EXPAND)

        def replaced(match: re.Match[str]) -> str:
            found = self._lookup(match[1] or match[2])
            if not found or found[-1].children is not None:
                raise UnsupportedFormatError(
                    f"the macro '{match[0]}' in the entry '{name}' is not defined in the file", where=self.file.where, remedy=_EXPAND
                )
            return self._expanded(found[-1].raw, name, depth + 1).decode("latin-1")

        if len(raw) > 1 << 20:
            return raw
        return _MACRO.sub(replaced, raw.decode("latin-1")).encode("latin-1")

    def _lookup(self, path: str) -> list[Entry] | None:
        """Entries that ``$name``, ``$:a.b``, ``$..name`` and ``$a.b`` mean, searched outwards."""
        scope: Dictionary = self
        if path.startswith((":", "!")):
            while scope.parent:
                scope = scope.parent
            path = path[1:]
        while path.startswith("."):
            path = path[1:]
            if path.startswith(".") and scope.parent:
                scope = scope.parent
        look: Dictionary | None = scope
        while look is not None:
            if path in look.entries:
                return look.entries[path]
            head, dot, tail = path.replace("/", ".").partition(".")
            inner = look.sub(head) if dot else None
            found = inner._lookup_here(tail) if inner else None
            if found:
                return found
            look = look.parent
        return None

    def _lookup_here(self, path: str) -> list[Entry] | None:
        if path in self.entries:
            return self.entries[path]
        head, dot, tail = path.partition(".")
        inner = self.sub(head) if dot else None
        return inner._lookup_here(tail) if inner else None
