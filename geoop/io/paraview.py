"""Cases and series as ParaView files: .vtu, .vtp, .pvd, with units in the array names and nothing of the case lost."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np

from ..errors import FieldError, UnsupportedFormatError, UnwritableFileError
from ..mesh.case import Case, Series
from ..mesh.cells import Cells
from ..mesh.mesh import Mesh
from ..mesh.quantity import Field
from . import annotations
from .atomic import replacing
from .contents import Array
from .fields import padded
from .formats.vtk.messages import captured
from .patch_cells import cells_by_patch, patch_numbers

#: Cells that polygonal data can hold, by the list that they go into.
_POLYGONAL = {"vertex": "Verts", "line": "Lines", "triangle": "Polys", "quad": "Polys", "polygon": "Polys"}


def write_case(case: Case, path: str | os.PathLike[str], *, patches: bool = False, compress: bool = False, annotate: bool = True) -> Path:
    """Write a case as a VTK XML file that ParaView opens.

    Arrays are called ``pressure [Pa]``. Vectors of a plane get a zero third component, points z = 0. Patches, zones, operating
    point, boundary values, time and notes go into field data, and :func:`geoop.io.reading.read_case` brings all of it back. Cells
    that belong to a patch carry its number in the cell array ``patch``.

    Args:
        case: mesh and fields; fields on facets are refused.
        path: ``.vtu`` (any mesh) or ``.vtp`` (vertices, lines or polygons only, of one dimension); without a suffix ``.vtp`` for
            such a surface and ``.vtu`` for the rest.
        patches: also write every patch as ``<stem>_<patch>.vtp`` with the fields on it.
        compress: LZ4 compression; about half the size, but not every reader besides ParaView knows it.
        annotate: write the field data described above; without it only points, cells and arrays are kept, for programs that
            stop at text arrays (meshio does).

    Returns:
        The path that was written.

    Raises:
        UnsupportedFormatError: another suffix, or cells that a .vtp cannot hold.
        FieldError: a field lives on facets.
        UnwritableFileError: the file cannot be written; what was there before still is.
    """
    target = Path(path).expanduser()
    if target.is_dir():
        raise UnwritableFileError("is a folder, not a file", where=str(target), remedy="give a file name inside it, such as result.vtu")
    if not target.suffix:
        target = target.with_suffix(".vtp" if case.mesh.is_surface and not _why_not_vtp(case.mesh.cells) else ".vtu")
    write_data_set(case, target, compress, annotations.pack(case) if annotate else {})
    if patches:
        rows = cells_by_patch(case.mesh)
        for name, file in patch_paths(case.mesh, target).items():
            part = patch_case(case, name, rows[name])
            write_data_set(part, file, compress, annotations.pack(part) if annotate else {})
    return target


def write_series(series: Series, path: str | os.PathLike[str], *, compress: bool = False) -> Path:
    """Write a series as a .pvd collection and one .vtu per step in a folder of the same name beside it.

    Args:
        series: cases over time or over another parameter, such as the angle of attack; ParaView shows its value as time.
        path: ``name.pvd``; the steps go to ``name/name_0000.vtu`` and so on.
        compress: LZ4 compression.

    Returns:
        The path of the .pvd file.

    Raises:
        The same errors as :func:`write_case`.
    """
    target = Path(path).expanduser()
    target = target if target.suffix else target.with_suffix(".pvd")
    if target.suffix.lower() != ".pvd":
        raise UnsupportedFormatError(
            f"a series is written as .pvd, not '{target.suffix}'", where=str(target), remedy=f"write to '{target.with_suffix('.pvd')}'"
        )
    digits = max(4, len(str(len(series.cases) - 1)))
    files = []
    for number, (value, case) in enumerate(zip(series.values, series.cases, strict=True)):
        files.append(f"{target.stem}/{target.stem}_{number:0{digits}d}.vtu")
        write_step(case, target.parent / files[-1], series.parameter, float(value), compress=compress)
    return write_collection(target, list(zip(map(float, series.values), files, strict=True)), series.parameter)


def write_step(case: Case, path: Path, parameter: str, value: float, *, compress: bool = False) -> None:
    """One case of a series as a .vtu or .vtp file that says which step it is; errors as for :func:`write_case`.

    Args:
        case: mesh and fields.
        path: of the file.
        parameter: what the series runs over, ``alpha [deg]``.
        value: of the parameter.
        compress: LZ4 compression.
    """
    write_data_set(case, path, compress, {**annotations.pack(case), "series_parameter": [parameter], "series_value": np.array([value])})


def write_collection(target: Path, steps: Sequence[tuple[float, str]], parameter: str) -> Path:
    """A .pvd file that lists files which are there already.

    Args:
        target: of the .pvd file.
        steps: value of the parameter, which ParaView shows as time, and file, relative to the folder of the .pvd.
        parameter: ``time [s]``, ``alpha [deg]``, ...

    Raises:
        UnwritableFileError: the file cannot be written.
    """
    rows = [f'    <DataSet timestep="{value!r}" part="0" file="{escape(name, {chr(34): "&quot;"})}"/>\n' for value, name in steps]
    meaning = escape(parameter).replace("--", "- -")  # two hyphens would end the comment
    head = f'<?xml version="1.0"?>\n<!-- timestep is {meaning} -->\n<VTKFile type="Collection" version="0.1" byte_order="LittleEndian">\n'
    with replacing(target) as beside:
        beside.write_text(f"{head}  <Collection>\n{''.join(rows)}  </Collection>\n</VTKFile>\n", encoding="utf-8")
    return target


def patch_paths(mesh: Mesh, path: Path) -> dict[str, Path]:
    """Patch name -> the file that :func:`write_case` puts it into; characters that file names cannot have become ``_``.

    Patches without facets have no file.
    """
    found: dict[str, Path] = {}
    taken = {path.name.lower()}
    for name, cells in mesh.patches.items():
        if not len(cells):
            continue
        stem = f"{path.stem}_{re.sub(r'[^A-Za-z0-9._+-]+', '_', name).strip('_') or 'patch'}"
        suffix = ".vtu" if _why_not_vtp(cells) else ".vtp"
        file, number = f"{stem}{suffix}", 2
        while file.lower() in taken:
            file, number = f"{stem}_{number}{suffix}", number + 1
        taken.add(file.lower())
        found[name] = path.with_name(file)
    return found


def patch_case(case: Case, name: str, rows: np.ndarray | None = None) -> Case:
    """One patch as a case of its own: its points, its facets, the point fields on them, and cell fields where its facets are cells.

    Args:
        case: any case.
        name: of the patch.
        rows: (k,) the cell that each facet is, where :func:`~geoop.io.patch_cells.cells_by_patch` has been asked for all patches.

    Raises:
        PatchError: the mesh has no such patch, or it has no facets.
    """
    mesh = case.mesh
    points = mesh.patch_points(name)
    rows = cells_by_patch(mesh)[name] if rows is None else rows
    kept: dict[str, Field] = {}
    for key, field in case.fields.items():
        if field.location == "point":
            kept[key] = Field(field.quantity, field.values[points], "point")
        elif field.location == "cell" and (rows >= 0).all():
            kept[key] = Field(field.quantity, field.values[rows], "cell")
        elif field.location == "global":
            kept[key] = field
    boundary = {key: values for key, values in case.boundary.items() if key == name}
    wall = None if case.wall is None else tuple(part for part in case.wall if part == name)
    return replace(case, mesh=mesh.patch(name), fields=kept, boundary=boundary, wall=wall, name=f"{case.name}:{name}")


def write_data_set(case: Case, target: Path, compress: bool, beside_it: dict[str, Any], numbers: tuple[Array, ...] = ()) -> None:
    """One .vtu or .vtp file.

    Args:
        case: mesh and fields.
        target: where to write.
        compress: LZ4 compression.
        beside_it: field data by name: strings or numbers.
        numbers: more arrays at points and cells under exactly these names.

    Raises:
        The same errors as :func:`write_case`.
    """
    suffix = target.suffix.lower()
    if suffix not in (".vtu", ".vtp"):
        raise UnsupportedFormatError(
            f"no writer for '{target.suffix}'", where=str(target), remedy="write .vtu (any mesh), .vtp (surfaces) or, for a series, .pvd"
        )
    reason = _why_not_vtp(case.mesh.cells) if suffix == ".vtp" else ""
    if reason:
        raise UnsupportedFormatError(f"a .vtp file cannot hold {reason}", where=str(target), remedy=_instead_of_vtp(case.mesh, target))
    facets = [key for key, field in case.fields.items() if field.location == "facet"]
    if facets:
        raise FieldError(
            f"fields on facets cannot be written: {', '.join(facets)}", where=str(target), remedy="bring them to cells or points of the surface first"
        )
    from vtkmodules import vtkIOXML

    with captured() as complaints:
        data = _data_set(case, polygonal=suffix == ".vtp", field_data=beside_it)
        for array in numbers:
            store = data.GetPointData() if array.location == "point" else data.GetCellData()
            store.AddArray(_array(array.values, array.label))
        writer = vtkIOXML.vtkXMLPolyDataWriter() if suffix == ".vtp" else vtkIOXML.vtkXMLUnstructuredGridWriter()
        writer.SetInputData(data)
        writer.SetDataModeToAppended()
        writer.EncodeAppendedDataOff()
        writer.SetHeaderTypeToUInt64()
        writer.SetCompressorTypeToLZ4() if compress else writer.SetCompressorTypeToNone()
        with replacing(target) as beside:
            writer.SetFileName(str(beside))
            done, code = writer.Write(), writer.GetErrorCode()
            if not done or code or complaints():
                reason = os.strerror(code) if 0 < code < 200 else "; ".join(complaints()[:2]) or "VTK gave no reason"
                raise UnwritableFileError(
                    f"cannot be written: {reason}", where=str(target), remedy="check the folder, its permissions and the free disk space"
                )


def _instead_of_vtp(mesh: Mesh, target: Path) -> str:
    """What to type where polygonal data cannot hold a mesh."""
    whole = f"write to '{target.with_suffix('.vtu')}'"
    names = [name for name, part in mesh.patches.items() if len(part) and not _why_not_vtp(part)]
    if mesh.cell_dimension < 3 or not names:
        return whole
    return f"{whole}, or its patches as a surface: geoop.write(case, path, patches=['{names[0]}', ...]), --patch '{names[0]}' on the command line"


def _why_not_vtp(cells: Cells) -> str:
    """Why polygonal data cannot hold these cells in their order; empty if it can."""
    foreign = [name for name in cells.names if name not in _POLYGONAL]
    if foreign:
        return f"{', '.join(foreign)} cells"
    kinds = {_POLYGONAL[name] for name in cells.names}
    return "cells of several dimensions in their order" if len(kinds) > 1 else ""


def _data_set(case: Case, *, polygonal: bool, field_data: dict[str, Any]) -> Any:
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkPolyData, vtkUnstructuredGrid

    mesh = case.mesh
    data = vtkPolyData() if polygonal else vtkUnstructuredGrid()
    places = np.zeros((len(mesh.points), 3))
    places[:, : mesh.dimension] = mesh.points
    points = vtkPoints()
    points.SetData(_array(places, "Points"))
    data.SetPoints(points)
    if len(mesh.cells) and polygonal:
        getattr(data, f"Set{_POLYGONAL[mesh.cells.names[0]]}")(_cell_array(mesh.cells.offsets, mesh.cells.connectivity))
    elif mesh.cells.faces is not None:
        types, faces = _array(mesh.cells.types, "types"), mesh.cells.faces
        of_cells = _cell_array(faces.cell_offsets, np.arange(len(faces.offsets) - 1))
        data.SetPolyhedralCells(
            types, _cell_array(mesh.cells.offsets, mesh.cells.connectivity), of_cells, _cell_array(faces.offsets, faces.connectivity)
        )
    elif len(mesh.cells):
        data.SetCells(_array(mesh.cells.types, "types"), _cell_array(mesh.cells.offsets, mesh.cells.connectivity))
    stores = {"point": data.GetPointData(), "cell": data.GetCellData()}
    for field in case.fields.values():
        if field.location in stores:
            stores[field.location].AddArray(_array(padded(field), field.quantity.label))
    numbers = patch_numbers(mesh)
    if numbers is not None:
        data.GetCellData().AddArray(_array(numbers, annotations.PATCH_ARRAY))
    for name, values in field_data.items():
        data.GetFieldData().AddArray(_strings(values, name) if isinstance(values, list) else _array(values, name))
    return data


def _cell_array(offsets: np.ndarray, connectivity: np.ndarray) -> Any:
    from vtkmodules.vtkCommonDataModel import vtkCellArray

    array = vtkCellArray()
    array.SetData(_array(offsets, "offsets"), _array(connectivity, "connectivity"))
    return array


def _array(values: np.ndarray, name: str) -> Any:
    """A VTK array that owns its memory. VTK does not escape names in its XML, so a ``<`` in one would spoil the file."""
    from vtkmodules.util.numpy_support import numpy_to_vtk

    values = np.ascontiguousarray(values)
    if values.dtype.kind == "b":
        values = values.astype(np.uint8)
    elif values.dtype == np.float16:
        values = values.astype(np.float32)
    array = numpy_to_vtk(values, deep=True)
    array.SetName(_escaped(name))
    return array


def _strings(values: list[str], name: str) -> Any:
    from vtkmodules.vtkCommonCore import vtkStringArray

    array = vtkStringArray()
    array.SetName(_escaped(name))
    for value in values:
        array.InsertNextValue(str(value))
    return array


def _escaped(name: str) -> str:
    return escape(name, {'"': "&quot;", "\n": " ", "\t": " "})
