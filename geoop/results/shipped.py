"""Models that come with geoop: files of the package, found by name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import CheckpointError
from ..io.checkpoint import read_header

#: Where the files lie: NAME.safetensors, and NAME.md, its card.
FOLDER = Path(__file__).resolve().parent.parent / "shipped"
SUFFIX = ".safetensors"


@dataclass(frozen=True)
class ShippedModel:
    """A model that comes with geoop.

    Attributes:
        name: what ``geoop.load`` takes.
        path: of its file.
        size: of the file [bytes].
        summary: what it is for, in one line.
        errors: how good it is, in one line; the card has the tables.
        about: everything that its file says of its training.
    """

    name: str
    path: Path
    size: int
    summary: str
    errors: str
    about: Mapping[str, Any]

    @property
    def card(self) -> str:
        """Its model card, Markdown: data, training, errors beside controls, what it refuses, licence."""
        path = self.path.with_suffix(".md")
        return path.read_text(encoding="utf-8") if path.exists() else f"# {self.name}\n\n{self.summary}\n"

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for ``--json`` output."""
        return {"name": self.name, "path": str(self.path), "bytes": self.size, "for": self.summary, "errors": self.errors}


def shipped_models() -> dict[str, Path]:
    """Name -> file of every model that comes with geoop."""
    return {path.name.removesuffix(SUFFIX): path for path in sorted(FOLDER.glob(f"*{SUFFIX}"))}


def shipped_model(name: str) -> ShippedModel:
    """One of them, with what its file says of itself.

    Raises:
        CheckpointError: no model of that name; names the nearest.
    """
    known = shipped_models()
    if name not in known:
        raise _unknown(name, known)
    header = read_header(known[name])
    members = header.get("ensemble", {}).get("members", [{}])  # the first member of an ensemble speaks for all
    about = header.get("about", members[0].get("about", {}))
    words = about.get("shipped", {})
    return ShippedModel(name, known[name], known[name].stat().st_size, words.get("summary", ""), words.get("errors", ""), about)


def model_file(source: str | Path) -> Path:
    """The file of a model: a path as it is, or that of a shipped one by its name.

    What has no suffix and no folder is a name, unless there is a file of that name: ``./NAME`` is always the file.

    Raises:
        CheckpointError: neither a file nor a shipped model; names the nearest.
    """
    path, known = Path(source), shipped_models()
    if str(source) in known:
        return known[str(source)]
    named = not path.suffix and str(source) == path.name
    if named and not path.exists():
        raise _unknown(path.name, known)
    return path


def _unknown(name: str, known: Mapping[str, Path]) -> CheckpointError:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    found = f"no model '{name}'" + (f", did you mean '{near[0]}'?" if near else "")
    models = f"models that come with geoop: {', '.join(known)}; or " if known else ""
    return CheckpointError(found, where=name, remedy=f"{models}give the path of a .safetensors file that `geoop fit` wrote")
