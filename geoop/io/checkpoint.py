"""The checkpoint: one safetensors file, arrays plus a JSON header. Loading never unpickles and never runs code from the file."""

from __future__ import annotations

import importlib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import CheckpointError
from ..version import __version__
from .atomic import replacing

if TYPE_CHECKING:
    from torch import Tensor

FORMAT = "geoop-checkpoint"
FORMAT_VERSION = 1
_RETRAIN = "train again with `geoop fit`, or ask its author for an intact .safetensors file"


@dataclass(frozen=True)
class Checkpoint:
    """Contents of a checkpoint.

    Attributes:
        header: JSON data: class paths, constructor arguments, units, hashes; keys are the parts of a surrogate.
        arrays: name -> tensor; the part before the first dot says whose it is (``model.``, ``normaliser.``, ...).
    """

    header: Mapping[str, Any]
    arrays: Mapping[str, Tensor]

    def part(self, name: str) -> dict[str, Tensor]:
        """Arrays of one part, without its prefix."""
        return {key[len(name) + 1 :]: value for key, value in self.arrays.items() if key.startswith(name + ".")}


def class_path(kind: type) -> str:
    """``module:Class`` of a class inside geoop, as the header stores it.

    Raises:
        CheckpointError: the class lives outside geoop, so a loader would have to run foreign code.
    """
    if not kind.__module__.startswith("geoop."):
        raise CheckpointError(
            f"{kind.__module__}.{kind.__qualname__} is not a class of geoop; a checkpoint names only those, so that loading runs no foreign code",
            remedy="compose the model from geoop's parts, or keep this model's state with torch.save on your own responsibility",
        )
    return f"{kind.__module__}:{kind.__qualname__}"


def resolve(path: str, expected: tuple[type, ...]) -> type:
    """The class behind a header's class path.

    Raises:
        CheckpointError: the path points outside geoop, does not exist, or is not one of the expected kinds.
    """
    module, _, name = path.partition(":")
    if not module.startswith("geoop.") or not name.isidentifier():
        raise CheckpointError(
            f"the header asks for '{path}', which is not inside geoop", remedy="do not load files that you do not trust; " + _RETRAIN
        )
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise CheckpointError(
            f"this version of geoop ({__version__}) has no '{path}'", remedy="install the version that wrote the checkpoint, or train again"
        ) from error
    if not (isinstance(found, type) and issubclass(found, expected)):
        raise CheckpointError(f"'{path}' is not a {' or '.join(k.__name__ for k in expected)}", remedy=_RETRAIN)
    return found


def write_checkpoint(path: str | Path, checkpoint: Checkpoint) -> Path:
    """Write atomically: a crash in the middle leaves the previous file as it was."""
    from safetensors.torch import save_file

    path = Path(path)
    header = {"format": FORMAT, "format_version": FORMAT_VERSION, "geoop_version": __version__, **checkpoint.header}
    arrays = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in checkpoint.arrays.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        save_file(arrays, str(temporary), metadata={"geoop": json.dumps(header)})
    return path


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read and validate a checkpoint.

    Raises:
        CheckpointError: missing, truncated, a pickle, not written by geoop, or of a newer format.
    """
    path = Path(path)
    _look(path)
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"cannot be read: {error}", where=str(path), remedy=_RETRAIN) from error
    header = _header(path, metadata)
    return Checkpoint(header, arrays)


def read_header(path: str | Path) -> dict[str, Any]:
    """The header alone, without reading the arrays.

    Raises:
        CheckpointError: as :func:`read_checkpoint`.
    """
    path = Path(path)
    _look(path)
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="numpy") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"cannot be read: {error}", where=str(path), remedy=_RETRAIN) from error
    return _header(path, metadata)


def _look(path: Path) -> None:
    """Judge the file by its first bytes and its size before any library touches it."""
    if not path.is_file():
        raise CheckpointError("no such file", where=str(path), remedy="give the path of a .safetensors file that `geoop fit` wrote")
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(9)
    if start[:2] in (b"PK", b"\x80\x02", b"\x80\x04", b"\x80\x05"):
        raise CheckpointError(
            "this is a pickle (torch.save); loading one can run any code, so geoop never does",
            where=str(path),
            remedy="load it in the tool that wrote it, then save the surrogate with Surrogate.save",
        )
    if len(start) < 9 or start[8:9] != b"{":
        raise CheckpointError("not a safetensors file", where=str(path), remedy=_RETRAIN)
    (length,) = struct.unpack("<Q", start[:8])
    if 8 + length > size:
        raise CheckpointError(f"truncated: the header alone needs {8 + length} bytes, the file has {size}", where=str(path), remedy=_RETRAIN)


def _header(path: Path, metadata: Mapping[str, str]) -> dict[str, Any]:
    try:
        header = json.loads(metadata["geoop"])
        known = header["format"] == FORMAT
        version = int(header["format_version"])
    except (KeyError, ValueError, TypeError) as error:
        raise CheckpointError("a safetensors file, but not one of geoop's: it has no geoop header", where=str(path), remedy=_RETRAIN) from error
    if not known:
        raise CheckpointError(f"format '{header['format']}' is not {FORMAT}", where=str(path), remedy=_RETRAIN)
    if version > FORMAT_VERSION:
        raise CheckpointError(
            f"written by geoop {header.get('geoop_version')} in format {version}; this geoop {__version__} reads up to {FORMAT_VERSION}",
            where=str(path),
            remedy="upgrade geoop",
        )
    return header
