"""The VTK family through VTK's own readers: .vtu, .vtp, .vtk, .vts, .vtr, .vti."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import UnreadableFileError
from ...mesh.quantity import Location
from .. import annotations
from ..contents import Array, Contents, flattened
from ..source import Source
from .vtk_cells import standard_cells
from .vtk_layout import check_layout
from .vtk_messages import captured


def read_vtk(source: Source) -> Contents:
    """Points, cells of all types, and point and cell arrays of a VTK file, XML or legacy.

    Structured grids become explicit cells. A mesh without volume cells whose points have one common z is two-dimensional. What
    geoop itself wrote beside the mesh (patches, operating point, notes) is read back.

    Raises:
        UnreadableFileError: damaged, truncated, or not a mesh; VTK's own words are in the message.
        UnsupportedFormatError: cell types that geoop does not have.
    """
    with source.file() as path, captured() as complaints:
        if source.suffix != ".vtk":
            check_layout(path, source.where)
        data = _read(source, str(path))
        problems = complaints()
        if problems:
            raise UnreadableFileError(
                f"VTK cannot read it: {'; '.join(dict.fromkeys(problems[:3]))}", where=source.where, remedy="export or download it again"
            )
        if data is None or not data.IsA("vtkPointSet") or data.GetPoints() is None:
            kind = data.GetClassName() if data is not None else "nothing"
            raise UnreadableFileError(
                f"holds {kind} and no mesh with points", where=source.where, remedy="export an unstructured grid or polygonal data"
            )
        if source.suffix == ".vtk" and data.IsA("vtkUnstructuredGrid") and not data.GetNumberOfCells() and b"CELLS" not in source.data():
            raise UnreadableFileError(
                "an unstructured grid without a CELLS section: truncated", where=source.where, remedy="export or download it again"
            )
        return _contents(data, source.where)


def _read(source: Source, path: str) -> Any:
    from vtkmodules import vtkIOLegacy, vtkIOXML

    readers = {
        ".vtu": vtkIOXML.vtkXMLUnstructuredGridReader,
        ".vtp": vtkIOXML.vtkXMLPolyDataReader,
        ".vts": vtkIOXML.vtkXMLStructuredGridReader,
        ".vtr": vtkIOXML.vtkXMLRectilinearGridReader,
        ".vti": vtkIOXML.vtkXMLImageDataReader,
        ".vtk": vtkIOLegacy.vtkGenericDataObjectReader,
    }
    reader = readers[source.suffix]()
    reader.SetFileName(path)
    if source.suffix == ".vtk":  # the legacy reader drops all but the first array of a kind unless told otherwise
        for name in ("Scalars", "Vectors", "Normals", "Tensors", "TCoords", "Fields"):
            getattr(reader, f"ReadAll{name}On")()
    reader.Update()
    data = reader.GetOutput()
    if data is not None and not data.IsA("vtkPointSet") and data.IsA("vtkDataSet") or data is not None and data.IsA("vtkStructuredGrid"):
        from vtkmodules.vtkFiltersCore import vtkAppendFilter

        explicit = vtkAppendFilter()
        explicit.AddInputData(data)
        explicit.Update()
        return explicit.GetOutput()
    return data


def _contents(data: Any, where: str) -> Contents:
    points = _numpy(data.GetPoints().GetData()).astype(np.float64)
    types, offsets, connectivity = _poly_data(data) if data.IsA("vtkPolyData") else _unstructured(data)
    cells, parent = standard_cells(types, offsets, connectivity, where)
    saved, left_out = _field_data(data.GetFieldData())
    notes: tuple[str, ...] = (f"field data left out: {', '.join(left_out)}",) if left_out else ()
    arrays, dropped = _arrays(data, parent)
    notes += (f"arrays that are not numbers or are colours are left out: {', '.join(dropped)}",) if dropped else ()
    if parent is not None:
        notes += (f"{len(types)} cells of VTK's compound or lattice types are {len(cells)} plain cells now",)
    dimension = annotations.dimension(saved)
    if dimension is None:
        notes += ("the file has no cells: read as a point cloud",) if not len(cells) and len(points) else ()
        points, flat = flattened(points, cells.dimension)
        notes += flat
    return Contents(points[:, :dimension], cells, annotations.patches(saved), annotations.zones(saved), arrays, notes, saved)


def _unstructured(data: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    count = data.GetNumberOfCells()
    if not count:
        return np.zeros(0, np.uint8), np.zeros(1, np.int64), np.zeros(0, np.int64)
    try:
        types = data.GetCellTypes()
    except TypeError:  # before VTK 9.6 this name wanted an argument
        types = data.GetCellTypesArray()
    return _numpy(types), *_cell_array(data.GetCells())


def _poly_data(data: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """VTK ids, offsets and connectivity in the order in which VTK numbers these cells: vertices, lines, polygons, strips."""
    types, sizes, flat = [np.zeros(0, np.uint8)], [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    plain = {"Verts": {1: 1}, "Lines": {2: 3}, "Polys": {3: 5, 4: 9}, "Strips": {}}
    general = {"Verts": 2, "Lines": 4, "Polys": 7, "Strips": 6}
    for kind, ids in plain.items():
        array = getattr(data, f"Get{kind}")()
        if array is None or not array.GetNumberOfCells():
            continue
        offsets, connectivity = _cell_array(array)
        size = np.diff(offsets)
        code = np.full(len(size), general[kind], dtype=np.uint8)
        for number, plain_id in ids.items():
            code[size == number] = plain_id
        types, sizes, flat = [*types, code], [*sizes, size], [*flat, connectivity]
    return np.concatenate(types), np.concatenate([[0], np.cumsum(np.concatenate(sizes))]), np.concatenate(flat)


def _cell_array(array: Any) -> tuple[np.ndarray, np.ndarray]:
    return _numpy(array.GetOffsetsArray()).astype(np.int64), _numpy(array.GetConnectivityArray()).astype(np.int64)


def _numpy(array: Any) -> np.ndarray:
    """A VTK array as NumPy; implicit arrays (equal cell sizes are stored as a rule) are written out first."""
    from vtkmodules.util.numpy_support import vtk_to_numpy

    try:
        return vtk_to_numpy(array)
    except (TypeError, AttributeError, ValueError, BufferError):
        from vtkmodules.vtkCommonCore import vtkDataArray

        explicit = vtkDataArray.CreateDataArray(array.GetDataType())
        explicit.DeepCopy(array)
        return vtk_to_numpy(explicit)


def _arrays(data: Any, parent: np.ndarray | None) -> tuple[tuple[Array, ...], list[str]]:
    found, dropped = [], []
    stores: tuple[tuple[Any, Location], ...] = ((data.GetPointData(), "point"), (data.GetCellData(), "cell"))
    for store, location in stores:
        for i in range(store.GetNumberOfArrays()):
            array = store.GetAbstractArray(i)
            name = array.GetName() or f"array_{i}"
            if name == annotations.PATCH_ARRAY and location == "cell" and annotations.is_own(data.GetFieldData().HasArray):
                continue  # a copy for colouring; the patches themselves are in the annotations
            if not array.IsA("vtkDataArray") or array.GetNumberOfComponents() in (3, 4) and array.GetDataTypeSize() == 1:
                dropped.append(name)
                continue
            values = _numpy(array)
            found.append(Array(name, values if parent is None or location == "point" else values[parent], location))
    return tuple(found), dropped


def _field_data(store: Any) -> tuple[dict[str, np.ndarray | list[str]], list[str]]:
    """Everything in VTK's field data that geoop wrote, and the names of the rest."""
    found: dict[str, np.ndarray | list[str]] = {}
    left_out = []
    for i in range(store.GetNumberOfArrays()):
        array = store.GetAbstractArray(i)
        name = array.GetName() or f"array_{i}"
        if array.IsA("vtkStringArray"):
            found[name] = [array.GetValue(k) for k in range(array.GetNumberOfValues())]
        elif array.IsA("vtkDataArray"):
            found[name] = np.array(_numpy(array))
    if not annotations.is_own(found.__contains__):
        left_out = [name for name in found if name != annotations.TIME]
        found = {name: values for name, values in found.items() if name == annotations.TIME}
    return found, left_out
