"""Cases as trees of VTK files (.vtm): one block per zone, one per patch, which ParaView shows by name."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np

from ...errors import FieldError, UnsupportedFormatError, UnwritableFileError
from ...mesh.case import Case
from ...mesh.cells import Cells
from ...mesh.mesh import Mesh
from ...mesh.quantity import Field
from .. import annotations
from ..atomic import replacing
from ..contents import Array
from ..formats.vtk.multiblock import BOUNDARY, CELL_IDS, COUNTS, POINT_IDS
from ..paraview import patch_case, write_data_set
from ..patch_cells import cells_by_patch

_INSIDE, _OTHERS, _LOOSE = "internal", "other cells", "points without cells"


def write_vtm(case: Case, path: str | os.PathLike[str], *, compress: bool = False, annotate: bool = True) -> Path:
    """Write a case as ``name.vtm`` with one file per zone and per patch in the folder ``name`` beside it.

    Without zones all cells are the block ``internal``. Cells of several zones are in the block of the first of them; cells of none
    are a block of their own. Patches stand in the block ``boundary``. Points and cells carry their number in the whole mesh, so that
    :func:`geoop.io.reading.read_case` brings the case back as it was.

    Args:
        case: mesh and fields; fields on facets are refused.
        path: ``name.vtm``; a path without suffix gets it.
        compress: LZ4 compression.
        annotate: write names, operating point, boundary values, time and notes into the .vtm; without it the file is plain blocks.

    Returns:
        The path that was written.

    Raises:
        UnsupportedFormatError: another suffix.
        FieldError: a field lives on facets.
        UnwritableFileError: the files cannot be written; what was there before still is.
    """
    target = Path(path).expanduser()
    target = target if target.suffix else target.with_suffix(".vtm")
    if target.suffix.lower() != ".vtm":
        raise UnsupportedFormatError(
            f"blocks are written as .vtm, not '{target.suffix}'", where=str(target), remedy=f"write to '{target.with_suffix('.vtm')}'"
        )
    facets = [key for key, field in case.fields.items() if field.location == "facet"]
    if facets:
        raise FieldError(
            f"fields on facets cannot be written: {', '.join(facets)}", where=str(target), remedy="bring them to cells or points of the surface first"
        )
    folder = target.with_suffix("")
    if folder.exists() and not folder.is_dir():
        raise UnwritableFileError("the folder of its blocks cannot be made: a file is in the way", where=str(folder), remedy="choose another name")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.stem[:40]}-", dir=folder.parent) as beside:
            text = _write_blocks(case, Path(beside), folder.name, compress, annotate)
            _replace_files(Path(beside), folder)
    except UnwritableFileError:
        raise
    except OSError as error:
        raise UnwritableFileError(
            f"cannot be written: {error.strerror or error}", where=str(target), remedy="check the folder, its permissions and the free disk space"
        ) from error
    with replacing(target) as new:
        new.write_text(text, encoding="utf-8")
    return target


def _write_blocks(case: Case, folder: Path, name: str, compress: bool, annotate: bool) -> str:
    """Write the files of all blocks into a folder; returns the text of the .vtm."""
    lines, taken = [], set()

    def add(called: str, part: Case, numbers: tuple[Array, ...], number: int, indent: str) -> None:
        file = f"{_plain_name(called, taken)}.vtu"
        write_data_set(part, folder / file, compress, {}, numbers if annotate else ())
        lines.append(f"{indent}<DataSet index={quoteattr(str(number))} name={quoteattr(called)} file={quoteattr(f'{name}/{file}')}/>\n")

    blocks = _blocks(case.mesh)
    for number, (called, index) in enumerate(blocks.items()):
        part, numbers = _part(case, index)
        add(called, part, numbers, number, "    ")
    loose = np.setdiff1d(np.arange(len(case.mesh.points)), case.mesh.cells.connectivity)
    if len(loose):
        add(_LOOSE, _points(case, loose), (Array(POINT_IDS, loose, "point"),), len(blocks), "    ")
    if case.mesh.patches:
        lines.append(f'    <Block index="{len(blocks) + bool(len(loose))}" name="{BOUNDARY}">\n')
        rows = {name: index for name, index in cells_by_patch(case.mesh).items() if len(index)}
        for number, (called, index) in enumerate(rows.items()):
            points = Array(POINT_IDS, case.mesh.patch_points(called), "point")
            add(called, patch_case(case, called, index), (points,), number, "      ")
        lines.append("    </Block>\n")
    saved = _field_data(case) if annotate else ""
    head = '<?xml version="1.0"?>\n<VTKFile type="vtkMultiBlockDataSet" version="1.0" byte_order="LittleEndian" header_type="UInt64">\n'
    return f"{head}  <vtkMultiBlockDataSet>\n{''.join(lines)}  </vtkMultiBlockDataSet>\n{saved}</VTKFile>\n"


def _blocks(mesh: Mesh) -> dict[str, np.ndarray]:
    """Name -> cells: every cell exactly once."""
    free = np.ones(len(mesh.cells), dtype=bool)
    found: dict[str, np.ndarray] = {}
    for name, index in mesh.zones.items():
        own = np.unique(index)
        found[name] = own[free[own]]
        free[own] = False
    if not mesh.zones:
        return {_INSIDE: np.arange(len(mesh.cells))} if len(mesh.cells) else {}
    found = {name: index for name, index in found.items() if len(index)}
    return {**found, _OTHERS: np.flatnonzero(free)} if free.any() else found


def _part(case: Case, index: np.ndarray) -> tuple[Case, tuple[Array, ...]]:
    """Some cells of a case with their fields, and which points and cells of the case they are."""
    cells = case.mesh.cells.take(index)
    points = np.unique(cells.connectivity)
    rows = {"point": points, "cell": index}
    fields = {key: Field(f.quantity, f.values[rows[f.location]], f.location) for key, f in case.fields.items() if f.location in rows}
    mesh = case.mesh.submesh(cells)
    return Case(mesh, fields=fields), (Array(POINT_IDS, points, "point"), Array(CELL_IDS, index, "cell"))


def _points(case: Case, index: np.ndarray) -> Case:
    """Some points of a case with their fields."""
    fields = {key: Field(f.quantity, f.values[index], "point") for key, f in case.fields.items() if f.location == "point"}
    return Case(Mesh(case.mesh.points[index], Cells.empty()), fields=fields)


def _field_data(case: Case) -> str:
    saved: Mapping[str, np.ndarray | list[str]] = {**annotations.pack(case), COUNTS: np.array([len(case.mesh.points), len(case.mesh.cells)])}
    rows = []
    for name, values in saved.items():
        if isinstance(values, list):
            codes = " ".join(str(byte) for text in values for byte in str(text).encode() + b"\0")
            rows.append(
                f'      <Array type="String" Name={quoteattr(name)} NumberOfTuples="{len(values)}" format="ascii">\n{codes}\n      </Array>\n'
            )
            continue
        values = np.asarray(values)
        values = values.astype(np.uint8) if values.dtype.kind == "b" else values.astype(np.float32) if values.dtype == np.float16 else values
        table = values.reshape(len(values), -1) if values.size else np.zeros((0, 1))
        kind = {"f": "Float", "i": "Int", "u": "UInt"}[values.dtype.kind] + str(8 * values.dtype.itemsize)
        numbers = " ".join(map(repr, table.reshape(-1).tolist()))
        width = f'NumberOfComponents="{table.shape[1]}" NumberOfTuples="{len(table)}"'
        rows.append(f'      <DataArray type="{kind}" Name={quoteattr(name)} {width} format="ascii">\n{numbers}\n      </DataArray>\n')
    return f"  <FieldData>\n{''.join(rows)}  </FieldData>\n"


def _plain_name(name: str, taken: set[str]) -> str:
    """A file name for a block; characters that file names cannot have become ``_``."""
    stem = re.sub(r"[^A-Za-z0-9._+-]+", "_", name).strip("._") or "block"
    found, number = stem, 2
    while found.lower() in taken:
        found, number = f"{stem}_{number}", number + 1
    taken.add(found.lower())
    return found


def _replace_files(beside: Path, folder: Path) -> None:
    """Move finished files into the folder; others that lie there stay."""
    folder.mkdir(exist_ok=True)
    for file in sorted(beside.iterdir()):
        shutil.move(file, folder / file.name)
