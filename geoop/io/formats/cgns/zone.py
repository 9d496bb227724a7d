"""One zone of a CGNS file as a block: coordinates, cells, boundary patches and the solution of one step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....errors import UnreadableFileError
from ....mesh.cells import Cells
from ...blocks import Block
from ...contents import Array
from ..lattice import lattice_cells
from .boundary import patches_of
from .sections import Section, sections_of
from .tree import Node

#: Units of length as the standard spells them, in metres.
_METRES = {"Meter": 1.0, "Centimeter": 0.01, "Millimeter": 0.001, "Foot": 0.3048, "Inch": 0.0254}
_SI = ("Kilogram", "Meter", "Second", "Kelvin", "Radian", "Degree", "Ampere", "Mole", "Candela")
_NORMALISED = ("NormalizedByDimensional", "NormalizedByUnknownDimensional", "NondimensionalParameter", "DimensionlessConstant")

#: How the note begins that says in which unit the file states its lengths to be.
STATED_LENGTH = "lengths are read in "


@dataclass(frozen=True)
class Step:
    """Which of the steps of the iterative data is read: its number, or None where there is only one state."""

    index: int | None


def zone_block(base: Node, zone: Node, name: str, step: Step, where: str) -> tuple[Block, dict[str, str], list[str]]:
    """A zone as a block, the types of its patches by name, and notes.

    Raises:
        UnreadableFileError: sizes that do not fit each other.
    """
    where = f"{where}, zone '{zone.name}'"
    kind = zone.get("ZoneType")
    structured = kind is None or kind.text != "Unstructured"
    size = zone.value
    if size is None or size.ndim != 2 or (structured and size.shape[1] < 3) or (size < 0).any() or not 1 <= size.shape[0] <= 3:
        raise _damaged(where, "its size is not stated")
    vertices = tuple(int(n) for n in size[:, 0])
    points, notes = _points(base, zone, vertices, step, where)
    sections: list[Section] = []
    if structured:
        cells = lattice_cells(vertices)
        cell_shape: tuple[int, ...] = tuple(max(n - 1, 1) for n in vertices)
    else:
        sections = sections_of(zone, len(points), where)
        cells, notes = _interior(sections, notes)
        cell_shape = (len(cells),)
        if len(cells) != int(size[0, 1]):
            notes.append(f"zone '{zone.name}' announces {int(size[0, 1])} cells, {len(cells)} are there")
    patches, types, said = patches_of(base, zone, vertices if structured else None, sections, cells, where)
    arrays, told = _arrays(base, zone, step, vertices, cell_shape, where)
    return Block(name, points, cells, arrays, facets=patches), types, [*notes, *said, *told]


def _points(base: Node, zone: Node, vertices: tuple[int, ...], step: Step, where: str) -> tuple[np.ndarray, list[str]]:
    grids = zone.of("GridCoordinates_t")
    grid = _pointed(zone, "GridCoordinatesPointers", step, grids) or next((g for g in grids if g.name == "GridCoordinates"), None)
    grid = grid or (grids[0] if grids else None)
    if grid is None:
        raise _damaged(where, "it has no coordinates")
    found = {node.name: _without_rind(node, grid, vertices, where) for node in grid.of("DataArray_t")}
    notes: list[str] = []
    if {"CoordinateR", "CoordinateTheta"} <= set(found):
        theta = found["CoordinateTheta"] * (np.pi / 180 if "Degree" in _units(base, zone, grid, grid.get("CoordinateTheta")) else 1.0)
        found["CoordinateX"], found["CoordinateY"] = (found["CoordinateR"] * turn(theta) for turn in (np.cos, np.sin))
        notes.append("cylindrical coordinates are read as x = r cos(theta), y = r sin(theta)")
    axes = [found[f"Coordinate{axis}"] for axis in "XYZ" if f"Coordinate{axis}" in found]
    if len(axes) < 2:
        raise _damaged(where, f"coordinates {sorted(found)} instead of CoordinateX, CoordinateY, CoordinateZ")
    units = _units(base, zone, grid, grid.get("CoordinateX"))
    factor = next((_METRES[unit] for unit in units if unit in _METRES), 1.0)
    stated = any(unit in _METRES for unit in units)
    notes.append(
        f"{STATED_LENGTH}{next(u for u in units if u in _METRES).lower()} and stored in m"
        if stated
        else "the file states no unit of length: metres unless another is said"
    )
    points = np.zeros((len(axes[0]), 3))
    for k, axis in enumerate(axes):
        points[:, k] = axis * factor
    return points, notes


def _without_rind(node: Node, parent: Node, shape: tuple[int, ...], where: str) -> np.ndarray:
    """Values (n,) in the order of the points or cells, without the ghost layers."""
    values = node.value
    rind = next((item.value for item in parent.of("Rind_t")), None)
    if values is None or values.dtype.kind == "S":
        raise _damaged(where, f"'{node.name}' holds no numbers")
    layers = np.zeros(2 * len(shape), dtype=np.int64) if rind is None else np.ravel(rind).astype(np.int64)
    if len(layers) != 2 * len(shape) or (layers < 0).any():
        raise _damaged(where, f"ghost layers {layers.tolist()} of '{node.name}' for {len(shape)} directions")
    full = tuple(int(n + low + high) for n, low, high in zip(shape, layers[::2], layers[1::2], strict=True))
    if values.size != np.prod(full):
        raise _damaged(where, f"'{node.name}' has {values.size} values, expected {int(np.prod(full))}")
    inner = tuple(slice(int(low), int(low) + n) for n, low in zip(shape, layers[::2], strict=True))
    return np.asarray(values, dtype=np.float64).reshape(full, order="F")[inner].ravel(order="F")


def _interior(sections: list[Section], notes: list[str]) -> tuple[Cells, list[str]]:
    """Cells of the highest dimension of all sections; the others are boundary elements."""
    top = max((section.cells.dimension for section in sections), default=-1)
    kept = [section.cells.take(section.cells.dimensions == top) for section in sections]
    reduced = sum(section.reduced for section in sections)
    if reduced:
        notes = [*notes, f"{reduced} elements of higher order keep their corners only: curved edges are straight now"]
    return Cells.concatenate(kept), notes


def _arrays(base: Node, zone: Node, step: Step, vertices: tuple[int, ...], cells: tuple[int, ...], where: str) -> tuple[tuple[Array, ...], list[str]]:
    solutions = zone.of("FlowSolution_t")
    pointed = _pointed(zone, "FlowSolutionPointers", step, solutions) if step.index is not None else None
    notes: list[str] = []
    arrays: dict[tuple[str, str], Array] = {}
    for solution in [pointed] if pointed is not None else solutions:
        place = next((node.text for node in solution.of("GridLocation_t")), "Vertex")
        if place not in ("Vertex", "CellCenter"):
            notes.append(f"the solution '{solution.name}' at {place} is left out")
            continue
        location, shape = ("point", vertices) if place == "Vertex" else ("cell", cells)
        values: dict[str, np.ndarray] = {}
        for node in solution.of("DataArray_t"):
            label, said = _label(base, zone, solution, node)
            values[label] = _without_rind(node, solution, shape, where)
            notes += said
        for label, array in values.items():
            key = (label, location)
            if key in arrays:
                name, _, unit = label.partition(" [")
                key = (f"{name} ({solution.name})" + (f" [{unit}" if unit else ""), location)
            arrays[key] = Array(key[0], array, location)  # type: ignore[arg-type]
    return tuple(arrays.values()), notes


def _label(base: Node, zone: Node, solution: Node, node: Node) -> tuple[str, list[str]]:
    kinds = [item.of("DataClass_t") for item in (node, solution, zone, base)]
    kind = next((found[0].text for found in kinds if found), "")
    if kind in _NORMALISED:
        return f"{node.name} [1]", [f"values are non-dimensional ({kind}): their unit is 1"]
    units = [unit for unit in _units(base, zone, solution, node) if unit not in ("Null", "UserDefined", "")]
    foreign = [unit for unit in units if unit not in _SI]
    said = [f"the file states units that are not SI ({', '.join(foreign)}): values are kept as they are"] if foreign else []
    if node.of("DataConversion_t"):
        said.append(f"a conversion that the file states for '{node.name}' is not applied")
    return (f"{node.name} [?]" if foreign else node.name), said


def _pointed(zone: Node, name: str, step: Step, among: list[Node]) -> Node | None:
    """The grid or solution that the iterative data name for a step."""
    if step.index is None:
        return None
    for data in zone.of("ZoneIterativeData_t"):
        node = data.get(name)
        value = None if node is None else node.value
        if value is not None and value.ndim == 2 and value.dtype.kind == "S" and step.index < value.shape[1]:
            wanted = value[:, step.index].tobytes().decode("utf-8", "replace").strip(" \0")
            return next((item for item in among if item.name == wanted), None)
    return None


def _units(*nodes: Node | None) -> list[str]:
    """Names of the units that hold for the last of the nodes: those of the innermost that states any."""
    for node in reversed([node for node in nodes if node is not None]):
        for units in node.of("DimensionalUnits_t"):
            value = units.value
            if value is not None and value.dtype.kind == "S":
                text = value.T.tobytes().decode("utf-8", "replace")
                return [text[k : k + 32].strip(" \0") for k in range(0, len(text), 32)]
    return []


def _damaged(where: str, what: str) -> UnreadableFileError:
    return UnreadableFileError(f"the CGNS file is damaged: {what}", where=where, remedy="download or export it again")
