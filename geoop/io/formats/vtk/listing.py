"""The XML files of VTK that hold no mesh but list the files of one: what they list, found on disk, and read piece by piece."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ....errors import UnreadableFileError
from ...blocks import Block, joined
from ...merging import merge_equal
from .data import Piece
from .files import SINGLE, read_piece

#: Suffixes of parallel files: every process wrote one piece of one mesh.
PARALLEL = (".pvtu", ".pvtp", ".pvts", ".pvtr", ".pvti")
#: Suffixes of trees of blocks.
TREES = (".vtm", ".vtmb", ".vtpc")
_DEEPEST = 32


@dataclass(frozen=True)
class Leaf:
    """A mesh in a tree of blocks.

    Attributes:
        names: of the blocks on the way to it, its own last; those without a name are left out.
        paths: its file, or the pieces of a parallel one.
        parallel: whether the pieces are parts of one mesh.
    """

    names: tuple[str, ...]
    paths: tuple[Path, ...]
    parallel: bool = False

    @property
    def name(self) -> str:
        return "/".join(self.names)


def parsed(path: Path, where: str, kinds: tuple[str, ...]) -> ET.Element:
    """The root element of a VTK XML file of one of the given types.

    Raises:
        UnreadableFileError: no XML, or of another type.
    """
    try:
        root = ET.parse(path).getroot()
    except (ET.ParseError, LookupError, ValueError) as error:
        raise UnreadableFileError(f"is no complete XML: {error}", where=where, remedy="write, download or export it again") from None
    kind = root.get("type", "") if root.tag == "VTKFile" else ""
    if kind not in kinds:
        raise UnreadableFileError(
            f"is a VTK file of type '{kind or root.tag}', expected {' or '.join(kinds)}", where=where, remedy="give the file its true suffix"
        )
    return root


def leaves(path: Path, where: str, names: tuple[str, ...] = (), above: tuple[Path, ...] = ()) -> Iterator[Leaf]:
    """All meshes that a file lists, or the file itself where it is a mesh.

    Args:
        path: of any of VTK's XML formats but .pvd.
        where: what errors call the outermost file.
        names: of the blocks that the file stands in.
        above: files that list this one, so that a file that lists itself is found.

    Raises:
        UnreadableFileError: damaged, or lists itself.
    """
    suffix = path.suffix.lower()
    if not path.is_file() or suffix in SINGLE:  # missing ones are named all together later
        yield Leaf(names, (path,))
        return
    if path.resolve() in above or len(above) > _DEEPEST:
        raise UnreadableFileError(f"'{path.name}' lists itself", where=where, remedy="remove that line from the file")
    above = (*above, path.resolve())
    if suffix in PARALLEL:
        root = parsed(path, where, ("PUnstructuredGrid", "PPolyData", "PStructuredGrid", "PRectilinearGrid", "PImageData"))
        yield Leaf(names, tuple(_beside(path, piece.get("Source")) for piece in root.iter("Piece")), parallel=True)
    elif suffix in TREES:
        root = parsed(path, where, ("vtkMultiBlockDataSet", "vtkPartitionedDataSetCollection"))
        for tree in root:
            if tree.tag in ("vtkMultiBlockDataSet", "vtkPartitionedDataSetCollection"):
                yield from _inside(tree, path, where, names, above)
    else:
        raise UnreadableFileError(f"lists '{path.name}', which is no VTK XML file", where=where, remedy="save its data as .vtu or .vtm in ParaView")


def _inside(element: ET.Element, path: Path, where: str, names: tuple[str, ...], above: tuple[Path, ...]) -> Iterator[Leaf]:
    for child in element:
        name = (child.get("name") or "").strip()
        own = (*names, name) if name else names
        if child.tag in ("DataSet", "Piece") and child.get("file"):
            yield from leaves(_beside(path, child.get("file")), where, own, above)
        elif child.tag in ("Block", "Piece", "Partitions", "DataSet"):
            if len(own) > _DEEPEST:
                raise UnreadableFileError("blocks within blocks without end", where=where, remedy="export it again")
            yield from _inside(child, path, where, own, above)


def _beside(path: Path, listed: str | None) -> Path:
    return path.parent / (listed or "?").replace("\\", "/")


def check_present(found: list[Leaf], where: str) -> None:
    """Raise unless all files are there; the missing ones are named together.

    Raises:
        UnreadableFileError: nothing is listed, or files are missing.
    """
    if not any(leaf.paths for leaf in found):
        raise UnreadableFileError("lists no files", where=where, remedy="export it again")
    missing = list(dict.fromkeys(str(path) for leaf in found for path in leaf.paths if not path.is_file()))
    if missing:
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise UnreadableFileError(
            f"{len(missing)} of the files that it lists are missing: {', '.join(missing[:5])}{more}",
            where=where,
            remedy="copy them to the same places beside it, or give the archive that holds them all",
        )


def read_leaf(leaf: Leaf, where: str) -> Piece | None:
    """The mesh of a leaf; None where it has neither points nor cells.

    Raises:
        The errors of :func:`geoop.io.formats.vtk.files.read_vtk`; they name the file in question.
    """
    found = [(path, read_piece(path, f"{where}: {path.name}")) for path in leaf.paths]
    if not leaf.parallel:
        return found[0][1]
    pieces = [piece for _, piece in found if len(piece.points)]
    return in_one(pieces, where) if pieces else None


def in_one(pieces: list[Piece], where: str) -> Piece:
    """The pieces of one mesh put together: points that different pieces share by exactly equal coordinates are one.

    Points of one piece that coincide there (a crack, a baffle) stay apart.
    """
    if len(pieces) == 1:
        return pieces[0]
    numbers = _seams([piece.points for piece in pieces])
    starts = np.cumsum([0] + [len(piece.points) for piece in pieces])
    blocks = [
        Block("piece", piece.points, piece.cells, piece.arrays, ids=numbers[a:b]) for piece, a, b in zip(pieces, starts[:-1], starts[1:], strict=True)
    ]
    contents = joined(blocks, where)
    notes = tuple(dict.fromkeys(note for piece in pieces for note in piece.notes))
    merged = int(starts[-1] - len(contents.points))
    notes += (f"{len(pieces)} pieces are one mesh: {merged} points that neighbours share are merged",)
    points = contents.points
    if points.shape[1] == 2:  # whether it is flat is decided for the whole file
        points = np.column_stack([points, np.full(len(points), pieces[0].points[0, 2])])
    return Piece(points, contents.cells, contents.arrays, notes, dict(pieces[0].saved))


def _seams(parts: list[np.ndarray]) -> np.ndarray:
    """(n,) one number for points of different parts that coincide, a number of its own for every other point."""
    owner = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    _, same = merge_equal(np.concatenate(parts))
    order = np.lexsort((owner, same))
    twice = np.zeros(int(same.max()) + 1, dtype=bool)  # places that one part has several times
    repeated = (np.diff(same[order]) == 0) & (np.diff(owner[order]) == 0)
    twice[same[order][1:][repeated]] = True
    numbers = np.where(twice[same], len(twice) + np.arange(len(same)), same)
    return np.unique(numbers, return_inverse=True)[1].reshape(-1)
