"""A reader that may crash, run in a process of its own: a damaged file ends that process, never the user's.

Libraries written in C++ (VTK's EnSight and Exodus readers, HDF5) trust the counts in a file. What they do with a damaged one cannot be
caught as an exception, so the reader runs in a child with a limit of time and memory and hands its :class:`~geoop.io.contents.Contents`
back as plain arrays (``.npz``) and text (``.json``).
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .. import errors
from ..errors import GeoopError, UnreadableFileError
from ..mesh.cells import Cells, Faces
from .contents import Array, Contents

#: Bytes that a child may take besides what it needs for the file itself: the address space of Python with VTK loaded is most of it.
_OWN_MEMORY = 8 << 30
#: Densest that a file may be packed: bytes in memory per byte on disk.
_MEMORY_PER_BYTE = 100
_CHILD = "import sys; from geoop.io.isolated import serve; serve(*sys.argv[1:])"


def read_isolated(reader: str, path: Path, time: float | None, where: str, size: int | None = None) -> Contents:
    """The contents that a reader finds, read in a child process.

    Args:
        reader: ``module:function`` inside ``geoop.io.formats``; called as ``function(path, time, where)``, it returns contents.
        path: plain file on disk.
        time: [s] wanted step or None.
        where: what errors call the file.
        size: bytes of all files that belong to it; of the file itself unless given.

    Raises:
        UnreadableFileError: the child crashed or took too long or too much memory; the file is damaged.
        GeoopError: whatever the reader itself raised.
    """
    size = path.stat().st_size if size is None else size
    seconds = 30 + size / 1e6  # damaged EnSight files send VTK into endless loops
    with tempfile.TemporaryDirectory(prefix="geoop-") as folder:
        task = {"reader": reader, "path": str(path.resolve()), "time": time, "where": where, "memory": _OWN_MEMORY + _MEMORY_PER_BYTE * size}
        Path(folder, "task.json").write_text(json.dumps(task))
        code = _run(folder, seconds)
        if code is None:
            raise _damaged(f"the reader did not finish within {seconds:.0f} s", where)
        answer = Path(folder, "answer.json")
        if not answer.exists():
            raise _damaged(f"the reader {_ending(code)}", where)
        try:
            said = json.loads(answer.read_text())
            if "error" in said:
                raise _rebuilt(said)
            with np.load(Path(folder, "arrays.npz"), allow_pickle=False) as arrays:
                return _decoded(said, arrays)
        except (OSError, zipfile.BadZipFile, LookupError, ValueError) as error:
            if isinstance(error, GeoopError):
                raise
            raise _damaged(f"what the reader handed back is torn: {error}", where) from error


def _run(folder: str, seconds: float) -> int | None:
    """Exit status of the child, None if it had to be stopped."""
    package = str(Path(__file__).resolve().parents[2])
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, folder],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"},
    )
    try:
        return child.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


def _ending(code: int) -> str:
    if code < 0:
        try:
            return f"crashed ({signal.Signals(-code).name})"
        except ValueError:
            return f"crashed (signal {-code})"
    return f"ended without a result (exit status {code})"


def _damaged(message: str, where: str) -> UnreadableFileError:
    return UnreadableFileError(
        f"cannot be read: {message}; a damaged file does that",
        where=where,
        remedy="export or download it again; if it opens in ParaView, save it as .vtu",
    )


def _rebuilt(said: dict[str, str]) -> GeoopError:
    kind = getattr(errors, said["error"], UnreadableFileError)
    return kind(said["message"], remedy=said["remedy"], where=said["where"])


def serve(folder: str) -> None:
    """The child: do the task of a folder and leave the answer there."""
    task = json.loads(Path(folder, "task.json").read_text())
    _limit_memory(int(task["memory"]))
    module, _, function = task["reader"].partition(":")
    try:
        contents = getattr(importlib.import_module(f"geoop.io.formats.{module}"), function)(Path(task["path"]), task["time"], task["where"])
        said, arrays = _encoded(contents)
        np.savez(Path(folder, "arrays.npz"), allow_pickle=False, **arrays)
    except GeoopError as error:
        said = error.to_dict()
    except (ArithmeticError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError) as error:
        said = UnreadableFileError(
            f"cannot be understood: {error or type(error).__name__}", where=task["where"], remedy="the file is damaged: export it again"
        ).to_dict()
    partial = Path(folder, "answer.part")
    partial.write_text(json.dumps(said))
    partial.replace(Path(folder, "answer.json"))  # an answer is whole; a crash while libraries are unloaded no longer matters


def _limit_memory(count: int) -> None:
    try:
        import resource
    except ImportError:  # Windows: no limit, the crash is contained all the same
        return
    try:
        resource.setrlimit(resource.RLIMIT_AS, (count, count))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError):
        return  # a lower limit of the user's own is in force already


@dataclass
class _Store:
    """Arrays under numbers, for text that refers to them."""

    arrays: dict[str, np.ndarray] = field(default_factory=dict)

    def put(self, values: np.ndarray) -> str:
        key = f"a{len(self.arrays)}"
        self.arrays[key] = np.asarray(values)
        return key

    def cells(self, cells: Cells) -> list[str]:
        parts = [cells.types, cells.offsets, cells.connectivity]
        parts += [cells.faces.cell_offsets, cells.faces.offsets, cells.faces.connectivity] if cells.faces is not None else []
        return [self.put(part) for part in parts]

    def listed(self, arrays: tuple[Array, ...]) -> list[list[str]]:
        return [[array.label, self.put(array.values), array.location] for array in arrays]


def _encoded(contents: Contents) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    store = _Store()
    said = {
        "points": store.put(contents.points),
        "cells": store.cells(contents.cells),
        "patches": {name: store.cells(part) for name, part in contents.patches.items()},
        "zones": {name: store.put(index) for name, index in contents.zones.items()},
        "arrays": store.listed(contents.arrays),
        "notes": list(contents.notes),
        "boundary": {name: store.listed(arrays) for name, arrays in contents.boundary.items()},
        "time": contents.time,
        "times": list(contents.times),
    }
    return said, store.arrays


def _decoded(said: dict[str, Any], arrays: Any) -> Contents:
    def cells(keys: list[str]) -> Cells:
        types, offsets, connectivity, *rest = (arrays[key] for key in keys)
        return Cells(types, offsets, connectivity, Faces(rest[0], rest[1], rest[2]) if rest else None)

    def listed(rows: list[list[Any]]) -> tuple[Array, ...]:
        return tuple(Array(label, arrays[key], location) for label, key, location in rows)

    return Contents(
        arrays[said["points"]],
        cells(said["cells"]),
        {name: cells(keys) for name, keys in said["patches"].items()},
        {name: arrays[key] for name, key in said["zones"].items()},
        listed(said["arrays"]),
        tuple(said["notes"]),
        boundary={name: listed(rows) for name, rows in said["boundary"].items()},
        time=said["time"],
        times=tuple(said["times"]),
    )
