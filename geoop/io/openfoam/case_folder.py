"""Where the files of a case lie: times, regions, parts of a decomposed case, the mesh that is valid at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ...errors import UnreadableFileError
from .dictionary import FoamFile, content, find_file, load, parse
from .lists import decode_bytes
from .syntax import blank

TIME = re.compile(r"\d+(\.\d*)?([eE][-+]?\d+)?|\.\d+")
_MESH = "polyMesh"
_BLOCKS = re.compile(rb"FoamFile\s*\{[^}]*\bclass\s+decomposedBlockData\s*;[^}]*\}")


@dataclass(frozen=True)
class Part:
    """A folder with ``constant`` and the times: the case itself, or one of its processor folders.

    Attributes:
        folder: on disk.
        root: the folder of the case.
        block: which part of files that hold those of all processors (the folder ``processors8``); None for plain files.
    """

    folder: Path
    root: Path
    block: int | None = None

    @cached_property
    def times(self) -> dict[float, str]:
        """Time [s] -> name of its folder, ascending."""
        names = [item.name for item in self.folder.iterdir() if item.is_dir() and TIME.fullmatch(item.name)]
        return dict(sorted((float(name), name) for name in names))

    def regions(self) -> list[str]:
        """Names of the meshes; empty text for the one that has no name. If the case lists its regions, those are meant."""
        found = {""} if self._has_mesh("") else set()
        for above in (self.folder / "constant", *(self.folder / name for name in self.times.values())):
            if above.is_dir():
                found |= {item.parent.name for item in above.glob(f"*/{_MESH}") if item.is_dir()}
        listed = find_file(self.root / "constant", "regionProperties")
        words = set(re.findall(r"[\w.:-]+", load(listed).data.decode("latin-1"))) if listed else set()
        return sorted(found & words or found)  # what the regions were cut out of is left where it was

    def _has_mesh(self, region: str) -> bool:
        names = ["constant", *self.times.values()]
        return any((self.folder / name / region / _MESH).is_dir() for name in names)

    def load(self, path: Path) -> FoamFile:
        """A file of this part, see :func:`~geoop.io.openfoam.dictionary.load`."""
        data = content(path)
        start = blank(data, 0)
        header = _BLOCKS.match(data, start)
        if header is None:
            return parse(path, data)
        position, blocks = blank(data, header.end()), []
        for _ in range((self.block or 0) + 1):
            block, stop = decode_bytes(data, position, str(path))
            blocks.append(block)
            position = blank(data, stop)
        own = blocks[-1]
        if len(blocks) > 1 and not own.lstrip().startswith((b"FoamFile", b"/*")):
            own = _header_of(blocks[0]) + own  # only the first block says what the file is
        return parse(path, own)

    def mesh(self, region: str, time: float | None) -> InstanceFiles:
        """The files of the mesh of a region at a time (None: without times)."""
        names = [name for value, name in reversed(self.times.items()) if time is not None and value <= time]
        folders = [self.folder / name / region / _MESH for name in (*names, "constant")]
        return InstanceFiles(self, tuple(folder for folder in folders if folder.is_dir()))

    def fields(self, region: str, time: float) -> dict[str, Path]:
        """Name of each file of a time -> path."""
        name = self.times.get(time)
        folder = self.folder / (name or "") / region
        if name is None or not folder.is_dir():
            return {}
        files = sorted(
            item for item in folder.iterdir() if item.is_file() and not item.name.startswith(".") and not item.name.endswith(("~", ".orig"))
        )
        return {item.name.removesuffix(".gz"): item for item in files}

    def has_clouds(self, time: float) -> bool:
        return (self.folder / self.times.get(time, "-") / "lagrangian").is_dir()


class InstanceFiles:
    """Files of the mesh at one time: each is taken from the latest folder that has it, and none is older than the faces.

    Args:
        part: of the case.
        folders: the polyMesh folders, latest first.
    """

    def __init__(self, part: Part, folders: tuple[Path, ...]) -> None:
        self.part = part
        oldest = next((i for i, folder in enumerate(folders) if find_file(folder, "faces")), len(folders) - 1)
        self.folders = folders[: oldest + 1]

    @property
    def where(self) -> str:
        return str(self.folders[-1] if self.folders else self.part.folder / "constant" / _MESH)

    def path(self, name: str) -> Path | None:
        return next((path for path in (find_file(folder, name) for folder in self.folders) if path), None)

    def has(self, name: str) -> bool:
        return self.path(name) is not None

    def load(self, name: str) -> FoamFile:
        path = self.path(name)
        if path is None:
            raise UnreadableFileError(f"there is no file '{name}'", where=self.where, remedy="copy the whole case")
        return self.part.load(path)


def parts_of(root: Path) -> list[Part]:
    """The parts of a decomposed case in order; none if it is not decomposed.

    Raises:
        UnreadableFileError: a part is missing.
    """
    ranks = {int(item.name[9:]): item for item in root.glob("processor*") if re.fullmatch(r"processor\d+", item.name) and item.is_dir()}
    if ranks:
        missing = sorted(set(range(max(ranks) + 1)) - set(ranks))
        if missing:
            raise UnreadableFileError(
                f"the folders of processors {', '.join(map(str, missing))} of {max(ranks) + 1} are missing",
                where=str(root),
                remedy="copy all processor folders, or reconstruct the case with `reconstructPar`",
            )
        return [Part(ranks[rank], root) for rank in sorted(ranks)]
    parts = []
    for item in root.glob("processors*"):
        found = re.fullmatch(r"processors(\d+)(?:_(\d+)-(\d+))?", item.name)
        if found and item.is_dir():
            first, last = (int(found[2]), int(found[3])) if found[2] else (0, int(found[1]) - 1)
            parts += [(first + block, Part(item, root, block)) for block in range(min(last - first + 1, 1 << 16))]
    return [part for _, part in sorted(parts, key=lambda pair: pair[0])]


def _header_of(block: bytes) -> bytes:
    start = blank(block, 0)
    return block[start : block.find(b"}", start) + 1] + b"\n"
