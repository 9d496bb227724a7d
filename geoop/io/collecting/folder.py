"""Which files of a folder are runs: one file each, a folder each, an OpenFOAM case each, or frames of a series."""

from __future__ import annotations

import fnmatch
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from ...errors import ConfigurationError, UnreadableFileError
from ..source import COMPRESSIONS, is_openfoam_case

#: Suffix -> rank: what a folder is read from where it holds several kinds; lists of files first, bare surfaces last.
_RANKS: dict[str, int] = {
    **dict.fromkeys((".pvd",), 0),
    **dict.fromkeys((".vtm", ".vtmb", ".vtpc", ".vtkhdf", ".case", ".encas", ".cgns", ".su2", ".cas", ".h5", ".e", ".exo", ".ex2", ".exii"), 1),
    **dict.fromkeys((".pvtu", ".pvts", ".pvtr", ".pvti"), 2),
    **dict.fromkeys((".vtu", ".vts", ".vtr", ".vti", ".msh"), 3),
    **dict.fromkeys((".vtk", ".tec", ".tp", ".plt", ".unv", ".inp", ".bdf", ".nas", ".mesh"), 4),
    **dict.fromkeys((".pvtp", ".vtp"), 6),
    **dict.fromkeys((".ply", ".obj", ".off", ".glb", ".gltf", ".stl"), 7),
}
_SOLUTION = re.compile(r"(restart|solution|flow|volume_flow|surface_flow).*\.(dat|csv|vtu|txt)$", re.I)
_LISTINGS = (".pvd", ".vtm", ".vtmb", ".vtpc", ".pvtu", ".pvtp", ".pvts", ".pvtr", ".pvti")
_NOT_RUNS = {"postprocessing", "__pycache__", "dynamiccode"}


@dataclass(frozen=True)
class Run:
    """One run that was found.

    Attributes:
        key: its path below the folder, with forward slashes: how messages call it.
        path: mesh and fields; the folder of an OpenFOAM case.
        solution: fields in a file of their own.
        frames: files of a series in time, in order; empty where ``path`` is everything.
        beside: other surfaces of the run: patches, if their points are points of the mesh.
    """

    key: str
    path: Path
    solution: Path | None = None
    frames: tuple[Path, ...] = ()
    beside: tuple[Path, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """What a table may call the run, the most exact first: path, file, stem, the folders above it."""
        stem = stem_of(Path(self.key))
        folders = list(Path(self.key).parts[:-1])[::-1]
        own = stem_of(self.solution) if self.solution is not None else stem
        return tuple(dict.fromkeys((self.key, Path(self.key).name, str(Path(self.key).with_name(stem)), stem, own, *folders)))

    @property
    def files(self) -> tuple[Path, ...]:
        """Files that it is read from, without the inside of a case folder."""
        return tuple(dict.fromkeys((self.path, *((self.solution,) if self.solution else ()), *self.frames, *self.beside)))


@dataclass(frozen=True)
class Found:
    """What a folder holds: runs in natural order, and notes on what is left out."""

    runs: tuple[Run, ...]
    notes: tuple[str, ...] = ()


def natural(text: str) -> list[tuple[int, int, str]]:
    """Key that sorts ``run2`` before ``run10``."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part.lower()) for part in re.split(r"(\d+)", text) if part]


def suffix_of(path: Path) -> str:
    """Lower-case suffix of the content: ``.vtu`` for ``a.VTU.gz``."""
    suffix = path.suffix.lower()
    return Path(path.stem).suffix.lower() if suffix in COMPRESSIONS else suffix


def stem_of(path: PurePath) -> str:
    """``a`` for ``a.vtu.gz`` and for ``a.cas.h5``; a name that only looks as if it had a suffix (``alpha2.5``) stays whole."""
    name = path.name
    while True:
        suffix = Path(name).suffix
        if not suffix or not (suffix.lower() in _RANKS or suffix.lower() in (*COMPRESSIONS, ".dat", ".csv", ".txt", ".foam")):
            return name
        name = name[: -len(suffix)]


def find_runs(root: Path, pattern: str | None = None, known: Iterable[str] = (), leave_out: Sequence[Path] = ()) -> Found:
    """All runs below a folder.

    Args:
        root: the folder.
        pattern: of the names (or paths below the folder) of the files that are runs.
        known: words of the table of conditions: they decide whether a folder of several files is one run or several.
        leave_out: files and folders that are no runs: the table, the output.

    Raises:
        UnreadableFileError: there is no such folder, or no run in it.
        ConfigurationError: the pattern fits nothing.
    """
    if not root.is_dir():
        hint = "give the folder that holds it" if root.exists() else "check the path"
        raise UnreadableFileError("is not a folder" if root.exists() else "there is no such folder", where=str(root), remedy=hint)
    walk = _Walk(root, {path.resolve() for path in leave_out}, {_bare(word) for word in known})
    walk.visit(root, None)
    runs = [run for run in walk.runs if pattern is None or _fits(run, pattern, root)]
    if pattern is not None and not runs and not (runs := walk.by_pattern(pattern)):
        raise ConfigurationError(
            f"no file fits --file '{pattern}'", where=str(root), remedy=f"there are: {_some([r.key for r in walk.runs]) or 'none'}"
        )
    if not runs:
        others = sorted({path.suffix.lower() or path.name for path in root.rglob("*") if path.is_file()})[:8]
        raise UnreadableFileError(
            "no result file was found" + (f"; the folder holds {', '.join(others)}" if others else "; it is empty"),
            where=str(root),
            remedy="give the folder with the solver's result files (.vtu, .vtp, .cgns, .case, .su2, OpenFOAM case folders, ...), or name them: --file '*.csv'",
        )
    return Found(tuple(sorted(runs, key=lambda run: natural(run.key))), tuple(walk.notes))


def inputs_hash(runs: Iterable[Run]) -> str:
    """SHA-256 over the names and sizes of the files of the runs and the ends of their content: other inputs, another plan."""
    digest = hashlib.sha256()
    for run in runs:
        for path in run.files:
            parts = [path] if path.is_file() else sorted(item for item in path.glob("**/*") if item.is_file() and "postProcessing" not in item.parts)
            for part in parts:
                size = part.stat().st_size
                digest.update(f"{run.key}|{part.name}|{size}|".encode())
                with open(part, "rb") as handle:
                    digest.update(handle.read(1 << 16))
                    handle.seek(max(size - (1 << 16), 0))
                    digest.update(handle.read())
    return digest.hexdigest()


class _Walk:
    """The walk through a folder: collects runs, and files that are left out."""

    def __init__(self, root: Path, leave_out: set[Path], known: set[str]) -> None:
        self.root, self.leave_out, self.known = root, leave_out, known
        self.runs: list[Run] = []
        self._left_out: dict[str, list[Path]] = {}
        self.files: list[Path] = []

    def visit(self, folder: Path, mesh: Path | None) -> None:
        """A folder and all below; ``mesh`` is the only SU2 mesh of the folders above."""
        if is_openfoam_case(folder):
            self.runs.append(Run(self._key(folder) if folder != self.root else folder.resolve().name, folder))
            return
        entries = sorted(folder.iterdir(), key=lambda item: natural(item.name))
        entries = [item for item in entries if not item.name.startswith(".") and item.resolve() not in self.leave_out]
        files = [item for item in entries if item.is_file()]
        self.files += files
        meshes = [item for item in files if suffix_of(item) == ".su2"]
        self._runs_of(folder, files, meshes[0] if len(meshes) == 1 else None if meshes else mesh, bool(meshes))
        for item in entries:
            if item.is_dir() and item.name.lower() not in _NOT_RUNS:
                self.visit(item, meshes[0] if len(meshes) == 1 else mesh)

    def by_pattern(self, pattern: str) -> list[Run]:
        """Any files that fit a pattern, whatever their suffix."""
        fitting = [path for path in self.files if fnmatch.fnmatch(path.name, pattern) or fnmatch.fnmatch(self._key(path), pattern)]
        return [Run(self._key(path), path) for path in fitting]

    def _runs_of(self, folder: Path, files: list[Path], mesh: Path | None, own_mesh: bool) -> None:
        solutions = [item for item in files if _SOLUTION.fullmatch(item.name) and not item.name.lower().startswith("surface")]
        if mesh is not None and solutions:
            best = _solutions(solutions)
            for item in best:
                self.runs.append(Run(self._key(item), mesh, solution=item))
            left = [item for item in files if suffix_of(item) in _RANKS and item not in best and item != mesh]
            self._say_left_out(left, "beside an SU2 solution")
            return
        if own_mesh and mesh is None and solutions:
            self._say_left_out(solutions, f"because '{self._key(folder)}' has several .su2 meshes")
        members = _members(files)
        found = [item for item in files if suffix_of(item) in _RANKS and item.resolve() not in members and not _is_data(item)]
        if not found or (mesh is not None and own_mesh and folder == self.root and found == [mesh] and self._has_folders(folder)):
            return
        best_rank = min(_RANKS[suffix_of(item)] for item in found)
        best = [item for item in found if _RANKS[suffix_of(item)] == best_rank]
        rest = [item for item in found if item not in best]
        if len(best) > 1 and folder != self.root and self._is_series(folder, best):
            self.runs.append(Run(self._key(folder), best[-1], frames=tuple(best)))
            self._say_left_out(rest, "beside the frames of a run")
            return
        surfaces = [item for item in rest if suffix_of(item) in (".vtp", ".pvtp")]
        for item in best:
            beside = tuple(surfaces) if len(best) == 1 else tuple(s for s in surfaces if stem_of(s).startswith(stem_of(item)))
            self.runs.append(Run(self._key(item), item, beside=beside))
        taken = {path for run in self.runs for path in run.beside}
        self._say_left_out([item for item in rest if item not in taken], "beside result files of another kind")

    def _is_series(self, folder: Path, files: list[Path]) -> bool:
        """Whether several files of a folder are the steps of one run: numbered, and not what the table calls its runs."""
        if sum(_bare(stem_of(item)) in self.known for item in files) * 2 >= len(files):
            return False
        heads = {re.sub(r"[-_.]?t?\d+(\.\d+)?$", "", stem_of(item)) for item in files}
        return len(heads) == 1 and (_bare(folder.name) in self.known or not self.known or heads != {""})

    def _has_folders(self, folder: Path) -> bool:
        return any(item.is_dir() for item in folder.iterdir())

    def _say_left_out(self, files: list[Path], why: str) -> None:
        self._left_out.setdefault(why, []).extend(files)

    @property
    def notes(self) -> list[str]:
        """What was left out, one sentence for each reason."""
        return [
            f"not read, {why}: {_some([self._key(item) for item in files])} (choose files with --file PATTERN)"
            for why, files in self._left_out.items()
            if files
        ]

    def _key(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix() if path != self.root else ""


def _solutions(files: list[Path]) -> list[Path]:
    """Of each solution one file: binary before text before ParaView's; other names are other runs."""
    chosen: dict[str, Path] = {}
    order = {".dat": 0, ".csv": 1, ".txt": 2, ".vtu": 3}
    for item in sorted(files, key=lambda item: (order.get(suffix_of(item), 9), natural(item.name))):
        word = re.sub(r"^(restart|solution|volume_flow|flow)(_flow)?", "", stem_of(item).lower())
        chosen.setdefault(word, item)
    return sorted(chosen.values(), key=lambda item: natural(item.name))


def _members(files: list[Path]) -> set[Path]:
    """Files that a list of files (.pvd, .vtm, .pvtu) beside them names."""
    found: set[Path] = set()
    for item in files:
        if suffix_of(item) in _LISTINGS and suffix_of(item) == item.suffix.lower():
            text = item.read_bytes()[: 1 << 22].decode("utf-8", "replace")
            found |= {(item.parent / name).resolve() for name in re.findall(r'(?:file|Source|source)\s*=\s*"([^"]+)"', text)}
    return found


def _is_data(path: Path) -> bool:
    """Whether a Fluent .h5 holds data to a case file, not a case."""
    return path.name.lower().endswith(".dat.h5")


def _fits(run: Run, pattern: str, root: Path) -> bool:
    names = {path.name for path in run.files} | {path.relative_to(root).as_posix() for path in run.files if path.is_relative_to(root)} | {run.key}
    return any(fnmatch.fnmatch(name, pattern) for name in names)


def _bare(word: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", word.lower())


def _some(names: list[str], most: int = 4) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
