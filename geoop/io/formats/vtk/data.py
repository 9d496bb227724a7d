"""What VTK's readers hand over, as arrays: points, cells, values and what geoop wrote beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ....errors import UnreadableFileError
from ....mesh.cells import Cells, Faces
from ....mesh.polyhedra import facing_out
from ....mesh.quantity import Location
from ... import annotations
from ...blocks import Block
from ...contents import Array, Contents, flattened
from .cells import PlainCells, plain_cells

#: The array in which VTK marks what belongs to another piece, and the bits that say so of a cell and a point.
GHOSTS, _DUPLICATE, _HIDDEN = "vtkGhostType", 1, 32


@dataclass(frozen=True, eq=False)
class Piece:
    """One VTK data set.

    Attributes:
        points: (n, 3) float64.
        cells: of geoop's types, polyhedra facing out.
        arrays: at points and cells.
        notes: what was changed or left out, in sentences.
        saved: what geoop itself wrote beside the mesh; of a foreign file the time alone.
    """

    points: np.ndarray
    cells: Cells
    arrays: tuple[Array, ...]
    notes: tuple[str, ...]
    saved: dict[str, np.ndarray | list[str]]

    def block(self, name: str, patch: bool = False) -> Block:
        """The piece as a part of a larger mesh."""
        return Block(name, self.points, self.cells, self.arrays, patch)

    def contents(self) -> Contents:
        """The piece as a mesh of its own, with the patches and zones that geoop wrote."""
        saved, notes, points = self.saved, self.notes, self.points
        dimension = annotations.dimension(saved)
        if dimension is None:
            notes += ("the file has no cells: read as a point cloud",) if not len(self.cells) and len(points) else ()
            points, flat = flattened(points, self.cells.dimension)
            notes += flat
        points = points[:, :dimension]
        return Contents(points, self.cells, annotations.patches(saved), annotations.zones(saved), self.arrays, notes, saved)


def piece_of(data: Any, where: str) -> Piece:
    """A VTK data set as arrays; structured and image grids become explicit cells.

    Raises:
        UnreadableFileError: it is no mesh with points.
        UnsupportedFormatError: cell types that geoop does not have.
    """
    if data is not None and data.IsA("vtkDataSet") and (not data.IsA("vtkPointSet") or data.IsA("vtkStructuredGrid")):
        from vtkmodules.vtkFiltersCore import vtkAppendFilter

        explicit = vtkAppendFilter()
        explicit.AddInputData(data)
        explicit.Update()
        kept = data.GetFieldData()
        data = explicit.GetOutput()
        data.SetFieldData(kept)
    if data is None or not data.IsA("vtkPointSet") or data.GetPoints() is None:
        kind = data.GetClassName() if data is not None else "nothing"
        raise UnreadableFileError(f"holds {kind} and no mesh with points", where=where, remedy="export an unstructured grid or polygonal data")
    points = np.asarray(numpy_of(data.GetPoints().GetData()), dtype=np.float64)
    if data.IsA("vtkPolyData"):
        plain = plain_cells(*poly_data(data), where)
    else:
        plain = plain_cells(*unstructured(data), where, faces_of(data, where))
    saved, left_out = _field_data(data.GetFieldData())
    arrays, dropped = _arrays(data, plain.parent)
    notes = (f"field data left out: {', '.join(left_out)}",) if left_out else ()
    notes += (f"arrays that are not numbers or are colours are left out: {', '.join(dropped)}",) if dropped else ()
    return assembled(points, plain, arrays, notes, saved)


def assembled(
    points: np.ndarray, plain: PlainCells, arrays: tuple[Array, ...], notes: tuple[str, ...], saved: dict[str, np.ndarray | list[str]]
) -> Piece:
    """A piece out of its parts: without ghosts and without points that only curved sides had, polyhedra turned out."""
    cells, notes = plain.cells, notes + plain.notes
    cells, arrays, said = _without_ghosts(points, cells, arrays)
    notes += said
    if plain.curved is not None:
        unused = np.zeros(len(points), dtype=bool)
        inside = (plain.curved >= 0) & (plain.curved < len(points))
        unused[plain.curved[inside]] = True
        if _in_range(cells, len(points)):
            unused[cells.connectivity] = False
            points, cells, arrays = _without_points(points, cells, arrays, unused)
    if cells.faces is not None and _in_range(cells, len(points)):
        cells, turned = facing_out(points, cells)
        notes += (f"{turned} faces of polyhedra pointed inwards and are turned",) if turned else ()
    return Piece(points, cells, arrays, notes, saved)


def _in_range(cells: Cells, count: int) -> bool:
    return not len(cells.connectivity) or bool(cells.connectivity.min() >= 0 and cells.connectivity.max() < count)


def _without_ghosts(points: np.ndarray, cells: Cells, arrays: tuple[Array, ...]) -> tuple[Cells, tuple[Array, ...], tuple[str, ...]]:
    """Cells that belong to a neighbouring piece or are blanked go; the marks are no fields."""
    marks = {array.location: array.values for array in arrays if array.label == GHOSTS and array.values.dtype.kind == "u" and array.values.ndim == 1}
    if not marks:
        return cells, arrays, ()
    arrays = tuple(array for array in arrays if array.label != GHOSTS)
    ghost = (marks.get("cell", np.zeros(len(cells), np.uint8)) & (_DUPLICATE | _HIDDEN)) != 0
    if len(ghost) != len(cells) or not ghost.any():
        return cells, arrays, ()
    kept = np.flatnonzero(~ghost)
    arrays = tuple(Array(a.label, a.values[kept], a.location) if a.location == "cell" else a for a in arrays)
    return cells.take(kept), arrays, (f"{int(ghost.sum())} ghost cells, which belong to other pieces or are blanked, are left out",)


def _without_points(points: np.ndarray, cells: Cells, arrays: tuple[Array, ...], unused: np.ndarray) -> tuple[np.ndarray, Cells, tuple[Array, ...]]:
    if not unused.any():
        return points, cells, arrays
    kept = ~unused
    number = np.cumsum(kept) - 1
    arrays = tuple(Array(a.label, a.values[kept], a.location) if a.location == "point" else a for a in arrays)
    return points[kept], cells.renumbered(number), arrays


def unstructured(data: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """VTK ids, offsets and connectivity of a vtkUnstructuredGrid, on VTK's own memory where the types allow it."""
    count = data.GetNumberOfCells()
    if not count:
        return np.zeros(0, np.uint8), np.zeros(1, np.int64), np.zeros(0, np.int64)
    try:
        types = data.GetCellTypes()
    except TypeError:  # before VTK 9.6 this name wanted an argument
        types = data.GetCellTypesArray()
    return numpy_of(types), *cell_array(data.GetCells())


def faces_of(data: Any, where: str) -> Faces | None:
    """Faces of the polyhedra of a vtkUnstructuredGrid, cell by cell; a face that two cells share in the file is given to both.

    Raises:
        UnreadableFileError: cells refer to faces that are not there.
    """
    faces, locations = data.GetPolyhedronFaces(), data.GetPolyhedronFaceLocations()
    if faces is None or locations is None or not faces.GetNumberOfCells():
        return None
    cell_offsets, numbers = cell_array(locations)
    return expanded_faces(data.GetNumberOfCells(), cell_offsets, numbers, *cell_array(faces), where)


def expanded_faces(count: int, cell_offsets: np.ndarray, numbers: np.ndarray, offsets: np.ndarray, connectivity: np.ndarray, where: str) -> Faces:
    """Faces cell by cell out of faces by number.

    Args:
        count: number of cells.
        cell_offsets: (count+1,) runs of ``numbers`` that belong to the cells.
        numbers: (k,) faces of the cells.
        offsets, connectivity: of the numbered faces.
        where: the file.
    """
    total = len(offsets) - 1
    if (
        len(cell_offsets) != count + 1
        or total < 0
        or len(numbers)
        and (numbers.min() < 0 or numbers.max() >= total)
        or len(numbers) != cell_offsets[-1]
    ):
        raise UnreadableFileError(
            f"polyhedra of {len(cell_offsets) - 1} cells refer to faces outside 0..{total - 1}, or the cells are {count}",
            where=where,
            remedy="the file is damaged: export it again",
        )
    listed = Faces(np.array([0, total]), offsets, connectivity)  # checks the offsets
    if np.array_equal(numbers, np.arange(total)):
        return Faces(cell_offsets, offsets, connectivity)
    return Faces(cell_offsets, *_taken(listed, numbers))


def _taken(listed: Faces, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    sizes = np.diff(listed.offsets)[numbers]
    ends = np.concatenate([[0], np.cumsum(sizes)])
    return ends, listed.connectivity[np.repeat(listed.offsets[:-1][numbers] - ends[:-1], sizes) + np.arange(ends[-1])]


def poly_data(data: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """VTK ids, offsets and connectivity of a vtkPolyData in the order in which VTK numbers its cells."""
    lists = {}
    for kind in POLYGONAL:
        array = getattr(data, f"Get{kind}")()
        if array is not None and array.GetNumberOfCells():
            lists[kind] = cell_array(array)
    return polygonal(lists)


#: The lists of polygonal data in VTK's order: name -> (sizes that have a type of their own, the general type).
POLYGONAL: dict[str, tuple[dict[int, int], int]] = {"Verts": ({1: 1}, 2), "Lines": ({2: 3}, 4), "Polys": ({3: 5, 4: 9}, 7), "Strips": ({}, 6)}


def polygonal(lists: dict[str, tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """VTK ids, offsets and connectivity out of lists of polygonal data, name in :data:`POLYGONAL` -> (offsets, connectivity)."""
    types, sizes, flat = [np.zeros(0, np.uint8)], [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for kind, (plain, general) in POLYGONAL.items():
        if kind not in lists:
            continue
        offsets, connectivity = lists[kind]
        size = np.diff(offsets)
        code = np.full(len(size), general, dtype=np.uint8)
        for number, plain_id in plain.items():
            code[size == number] = plain_id
        types, sizes, flat = [*types, code], [*sizes, size], [*flat, connectivity]
    return np.concatenate(types), np.concatenate([[0], np.cumsum(np.concatenate(sizes))]), np.concatenate(flat)


def cell_array(array: Any) -> tuple[np.ndarray, np.ndarray]:
    """(m+1,) offsets and (total,) connectivity of a vtkCellArray as int64."""
    return np.asarray(numpy_of(array.GetOffsetsArray()), dtype=np.int64), np.asarray(numpy_of(array.GetConnectivityArray()), dtype=np.int64)


def numpy_of(array: Any) -> np.ndarray:
    """A VTK array as NumPy, on the same memory; implicit arrays (equal cell sizes are stored as a rule) are written out first."""
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
            values = numpy_of(array)
            found.append(Array(name, values if parent is None or location == "point" else values[parent], location))
    return tuple(found), dropped


def _field_data(store: Any) -> tuple[dict[str, np.ndarray | list[str]], list[str]]:
    """Everything in VTK's field data that geoop wrote, and the names of the rest."""
    found: dict[str, np.ndarray | list[str]] = {}
    for i in range(store.GetNumberOfArrays()):
        array = store.GetAbstractArray(i)
        name = array.GetName() or f"array_{i}"
        if array.IsA("vtkStringArray"):
            found[name] = [array.GetValue(k) for k in range(array.GetNumberOfValues())]
        elif array.IsA("vtkDataArray"):
            found[name] = np.array(numpy_of(array))
    return own_field_data(found)


def own_field_data(found: dict[str, np.ndarray | list[str]]) -> tuple[dict[str, np.ndarray | list[str]], list[str]]:
    """What geoop wrote of all field data (of a foreign file the time alone), and the names of the rest."""
    if annotations.is_own(found.__contains__):
        return found, []
    left_out = [name for name in found if name != annotations.TIME]
    return {name: values for name, values in found.items() if name == annotations.TIME}, left_out
