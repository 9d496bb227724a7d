"""The manifest of a data-set folder: what ``dataset.toml`` may say, read, checked and written in one place."""

from __future__ import annotations

import difflib
import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import DatasetError, GeoopError
from ..mesh.operating_point import OperatingPoint
from .toml_text import toml_text

FILE_NAME = "dataset.toml"
FORMAT = 1
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_COMMENT = """A geoop data set: one ParaView file per case under cases/, SI units, angles in degrees.
Open it with geoop.io.dataset.Dataset.open(FOLDER); the hashes are SHA-256."""


@dataclass(frozen=True)
class CaseEntry:
    """What the manifest says of one case.

    Attributes:
        file: path inside the folder, with forward slashes.
        sha256: of the file's bytes.
        points: number of points of its mesh.
        operating_point: condition, None where only geometry matters.
        wall: names of the patches that are the body; None: judged by their names.
        geometry: cases of one geometry share this name, and must share a split.
        series: frames of one series in time share this name.
        parameters: what the generator drew for it.
        time: [s], None for a steady case.
    """

    file: str
    sha256: str
    points: int
    operating_point: OperatingPoint | None = None
    wall: tuple[str, ...] | None = None
    geometry: str = ""
    series: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    time: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain data; what is not stated is left out."""
        condition = self.operating_point.to_dict() if self.operating_point else None
        wall = list(self.wall) if self.wall is not None else None
        values = {
            **vars(self),
            "operating_point": condition,
            "wall": wall,
            "parameters": dict(self.parameters) or None,
            "geometry": self.geometry or None,
            "series": self.series or None,
        }
        return {key: value for key, value in values.items() if value is not None}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CaseEntry:
        """The inverse of :meth:`to_dict`.

        Raises:
            ValueError: all that is wrong with the entry in one sentence.
        """
        problems = list(_entry_problems(data))
        if problems:
            raise ValueError("; ".join(problems))
        condition = data.get("operating_point")
        point = OperatingPoint(**condition) if condition is not None else None
        wall = data.get("wall")
        return cls(**{**data, "operating_point": point, "wall": tuple(wall) if wall is not None else None})


@dataclass(frozen=True)
class Manifest:
    """Everything a data set says of itself.

    Attributes:
        name: of the data set.
        description: what it shows, in sentences.
        splits: split name -> case names; no case and no geometry is in two splits.
        cases: case name -> entry.
        units: quantity name -> unit of the fields that every case has.
        generator: parameters and laws that made it.
        failed: case name -> why it is missing.
        plan: fingerprint of the request that made it: equal requests give equal data.
        seed: of the generator, None for collected data.
        licence: SPDX name or sentence.
        geoop_version: that wrote it.
    """

    name: str
    description: str
    splits: Mapping[str, tuple[str, ...]]
    cases: Mapping[str, CaseEntry]
    units: Mapping[str, str]
    generator: Mapping[str, Any] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    plan: str = ""
    seed: int | None = None
    licence: str = ""
    geoop_version: str = ""

    @property
    def hash(self) -> str:
        """SHA-256 over splits, conditions and file hashes: equal data, equal hash, wherever and whenever it was made."""
        content = {"splits": {k: list(v) for k, v in self.splits.items()}, "cases": {k: v.to_dict() for k, v in sorted(self.cases.items())}}
        return hashlib.sha256(toml_text(content).encode()).hexdigest()

    def to_text(self) -> str:
        """The text of ``dataset.toml``."""
        head = {key: getattr(self, key) for key in ("name", "description", "licence", "geoop_version", "seed", "plan")}
        tables = {
            "generator": dict(self.generator),
            "units": dict(self.units),
            "splits": {key: list(names) for key, names in self.splits.items()},
            "failed": dict(self.failed),
            "cases": {key: entry.to_dict() for key, entry in self.cases.items()},
        }
        return toml_text({"format": FORMAT, **head, "hash": self.hash, **{k: v for k, v in tables.items() if v or k in _REQUIRED}}, comment=_COMMENT)


_KEYS = ("format", "hash", *(item.name for item in fields(Manifest)))
#: Tables that are there even when they are empty.
_REQUIRED = ("units", "splits", "cases")
_ENTRY_KEYS = tuple(item.name for item in fields(CaseEntry))
_CONDITION_KEYS = tuple(item.name for item in fields(OperatingPoint))


def read_manifest(folder: Path, remedy: str) -> Manifest:
    """Read and check ``dataset.toml``: its text only, no case file is touched.

    Raises:
        DatasetError: missing, not TOML, of a newer format, unknown keys, overlapping splits, a hash that does not fit: all in one error.
    """
    path = folder / FILE_NAME
    try:
        data = tomllib.loads(path.read_bytes().decode())
    except FileNotFoundError:
        raise DatasetError("there is no dataset.toml, so this is not a data set of geoop", where=str(folder), remedy=remedy) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DatasetError(f"cannot be read as TOML: {error}", where=str(path), remedy=remedy) from error
    version = data.get("format")
    if isinstance(version, int) and version > FORMAT:
        raise DatasetError(
            f"was written in format {version} by geoop {data.get('geoop_version', '?')}; this geoop reads format {FORMAT} and older",
            where=str(path),
            remedy="update geoop, or " + remedy,
        )
    problems = list(_problems(data))
    if problems:
        raise DatasetError("; ".join(problems), where=str(path), remedy=remedy)
    manifest = _manifest(data)
    if data["hash"] != manifest.hash:
        raise DatasetError("the content hash does not fit the splits and cases: the manifest was edited", where=str(path), remedy=remedy)
    return manifest


def _manifest(data: Mapping[str, Any]) -> Manifest:
    known = {key: value for key, value in data.items() if key not in ("format", "hash", "splits", "cases")}
    splits = {key: tuple(names) for key, names in data["splits"].items()}
    return Manifest(splits=splits, cases={key: CaseEntry.from_dict(entry) for key, entry in data["cases"].items()}, **known)


def unknown_keys(keys: object, known: tuple[str, ...], where: str):
    """Sentences about keys that nobody reads, with the nearest one that somebody does."""
    for key in keys:  # type: ignore[attr-defined]
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            yield f"unknown key '{key}' in {where}" + (f", did you mean '{near[0]}'?" if near else "")


def split_problems(splits: Mapping[str, Any], geometry: Mapping[str, str]):
    """Sentences about cases or geometries that are in two splits."""
    for what, key_of in (("cases", lambda name: name), ("geometries", lambda name: geometry.get(name) or name)):
        seen: dict[str, str] = {}
        shared: dict[tuple[str, str], list[str]] = {}
        for split, names in splits.items():
            for key in dict.fromkeys(key_of(name) for name in names):
                if seen.setdefault(key, split) != split:
                    shared.setdefault((seen[key], split), []).append(key)
        for (first, second), keys in shared.items():
            yield f"splits '{first}' and '{second}' share {len(keys)} {what}, e.g. {', '.join(keys[:3])}"
        if shared:
            return  # shared cases share their geometry, which need not be said again


def name_problems(names: Any):
    """Sentences about case names that are no plain file names, or come twice."""
    unsafe = [name for name in names if not _SAFE_NAME.match(name)]
    if unsafe:
        yield f"{len(unsafe)} case names are not plain file names, e.g. {unsafe[0]!r}"
    if len(set(names)) < len(names):
        yield "case names come twice"


def _problems(data: Mapping[str, Any]):
    yield from unknown_keys(data, _KEYS, "the manifest")
    expected = {"format": int, "name": str, "description": str, "hash": str, "splits": Mapping, "cases": Mapping, "units": Mapping}
    optional = {"generator": Mapping, "failed": Mapping, "plan": str, "seed": int, "licence": str, "geoop_version": str}
    for key, kind in {**expected, **optional}.items():
        if key not in data:
            if key in expected:
                yield f"key '{key}' is missing"
        elif not isinstance(data[key], kind):
            yield f"key '{key}' is a {type(data[key]).__name__}, expected {'table' if kind is Mapping else kind.__name__}"
    splits, cases = data.get("splits"), data.get("cases")
    if not isinstance(splits, Mapping) or not isinstance(cases, Mapping):
        return
    yield from name_problems(list(cases))
    for name, entry in cases.items():
        for problem in _entry_problems(entry):
            yield f"case '{name}': {problem}"
    wrong = [key for key, names in splits.items() if not isinstance(names, list) or not all(isinstance(n, str) for n in names)]
    if wrong:
        yield f"splits {wrong} are not lists of case names"
        return
    for key, names in splits.items():
        lost = [name for name in names if name not in cases]
        if lost:
            yield f"split '{key}' names {len(lost)} cases that are not listed, e.g. {', '.join(lost[:3])}"
        if len(set(names)) < len(names):
            yield f"split '{key}' names a case twice"
    yield from split_problems(splits, {name: entry.get("geometry", "") for name, entry in cases.items() if isinstance(entry, Mapping)})


def _entry_problems(entry: Any):
    if not isinstance(entry, Mapping):
        yield "is not a table"
        return
    yield from unknown_keys(entry, _ENTRY_KEYS, "a case")
    kinds = {
        "file": str,
        "sha256": str,
        "points": int,
        "operating_point": Mapping,
        "wall": list,
        "geometry": str,
        "series": str,
        "parameters": Mapping,
        "time": (int, float),
    }
    for key in ("file", "sha256", "points"):
        if key not in entry:
            yield f"key '{key}' is missing"
    for key, kind in kinds.items():
        if key in entry and not isinstance(entry[key], kind):
            yield f"'{key}' is {entry[key]!r}"
    file = entry.get("file")
    if isinstance(file, str):
        parts = PurePosixPath(file).parts
        if not parts or file.startswith("/") or ".." in parts or "\\" in file or ":" in file:
            yield f"file {file!r} is not a path inside the folder"
    digest = entry.get("sha256")
    if isinstance(digest, str) and not _SHA256.match(digest):
        yield f"sha256 {digest!r} is not a SHA-256 hash"
    condition = entry.get("operating_point")
    if isinstance(condition, Mapping):
        unknown = list(unknown_keys(condition, _CONDITION_KEYS, "operating_point"))
        yield from unknown
        if not unknown:
            try:
                OperatingPoint(**condition)
            except GeoopError as error:
                yield f"operating_point: {error.message}"
            except TypeError:
                yield "operating_point: velocity is missing"
