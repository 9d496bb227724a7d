"""A part of a case as a case of its own, with patches for what is imposed on it, brought to the size that local operators are trained at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ...fem.simplices import cut_quads, simplices
from ...interfaces.local import DIRICHLET, NEUMANN, LocalProblem
from ...mesh.case import Case
from ...mesh.cells import CELL_NAMES, CELL_TYPES, Cells
from ...mesh.mesh import Mesh
from ...mesh.quantity import Field
from ...mesh.topology import N_CORNERS, sides
from ..equations import CONDUCTIVITY, Equation, imposed

_FACETS = {2: "line", 3: "triangle", 4: "quad"}
#: Facets between a part and the rest, where no condition is imposed on them (see :func:`cut`).
INTERFACE = "interface"
#: A conductivity whose largest value in a part lies between this and 1 is left as it is.
_LEAST = 0.5
#: Cells that elements of degree 1 take as they are, where there are no others.
_PLAIN = {"triangle", "quad", "tetra", "hexahedron"}


@dataclass(frozen=True, eq=False)
class Cut:
    """Some cells of a case.

    Attributes:
        mesh: their own, in metres.
        points: (m,) points of the case's mesh that its points are, ascending.
        dirichlet, neumann, interface: their facets on the case's Dirichlet boundary, on the rest of its boundary, and inside of the region; corners in
            the numbers of ``mesh``.
    """

    mesh: Mesh
    points: np.ndarray
    dirichlet: Cells
    neumann: Cells
    interface: Cells


class Cutter:
    """Cuts parts out of a case; what encloses the whole is found once. Parts have the cells that finite elements of degree 1 see in the whole: straight
    ones, and simplices where it has several kinds.

    Args:
        case: the whole, with coefficients.
        equation: says what is imposed, and how coefficients change with the size.
    """

    def __init__(self, case: Case, equation: Equation) -> None:
        case, self._owner = _of_elements(case)
        self.case, self.equation = case, equation
        fixed, _ = imposed(case, equation.quantity.name, equation.flux)
        held = [_keys(_corner_rows(case.mesh.patches[name])) for name in fixed]
        self._held = np.concatenate([_keys(np.zeros((0, 2), dtype=np.int64)), *held])
        found = sides(case.mesh, np.arange(len(case.mesh.points)))
        self._outer = _keys(found.corners[found.counts[found.group] == 1])

    def cut(self, cells: np.ndarray) -> Cut:
        """The part that (k,) cells make up."""
        mesh = self.case.mesh
        chosen = mesh.cells.take(self._elements(cells))
        points = np.unique(chosen.connectivity)
        number = np.full(len(mesh.points), -1, dtype=np.int64)
        number[points] = np.arange(len(points))
        local = Mesh(mesh.points[points], chosen.renumbered(number), name=mesh.name)
        found = sides(local, np.arange(len(points)))
        rows = found.corners[found.counts[found.group] == 1]
        keys = _keys(np.where(rows >= 0, points[rows], -1))
        held, outer = np.isin(keys, self._held), np.isin(keys, self._outer)
        return Cut(local, points, _facets(rows[held]), _facets(rows[outer & ~held]), _facets(rows[~outer & ~held]))

    def _elements(self, cells: np.ndarray) -> np.ndarray:
        """Numbers of the elements that the cells (k,) of the user's mesh consist of."""
        return cells if self._owner is None else np.flatnonzero(np.isin(self._owner, cells))

    def local_problem(self, cells: np.ndarray, size: float | None = 1.0) -> LocalPart:
        """A part as a problem with values on all of its rim but the free boundary.

        Args:
            cells: (k,) of the mesh.
            size: the longest side of the part's box becomes this long, round the origin; None leaves it where it is.
        """
        part = self.cut(cells)
        rim = Cells.concatenate([part.dirichlet, part.interface])
        patches = {DIRICHLET: rim} | ({NEUMANN: part.neumann} if len(part.neumann) else {})
        bounds, length, points = part.mesh.bounds, 1.0, part.mesh.points
        if size is not None:
            length = float(np.ptp(bounds, axis=0).max()) / size
            points = (points - bounds.mean(axis=0)) / length
        fields = {
            name: _taken(item, part.points, self._elements(cells)) for name, item in self.case.fields.items() if name in self.equation.coefficients
        }
        fields |= self.equation.parameters(length)
        fields, unit = self._in_range(fields) if size is not None else (fields, 1.0)
        local = Mesh(points, part.mesh.cells, patches, name=f"{self.case.name or self.case.mesh.name}, part")
        held = np.unique(rim.connectivity) if len(rim) else np.zeros(0, dtype=np.int64)
        problem = LocalProblem(Case(local, None, fields), self.equation.quantity.name, held, self.equation.linear)
        return LocalPart(problem, part.points, length, unit)

    def _in_range(self, fields: dict[str, Field]) -> tuple[dict[str, Field], float]:
        """The fields with a conductivity that local operators know, and what it was divided by: with it sources and fluxes may be divided, too."""
        item = fields.get(CONDUCTIVITY)
        if item is None or not self.equation.linear:
            return fields, 1.0
        most = float(np.max(item.values))
        if _LEAST <= most <= 1.0:
            return fields, 1.0
        return {**fields, CONDUCTIVITY: Field(item.quantity, item.values / most, item.location)}, most

    def natural(self, cells: np.ndarray) -> tuple[Case, np.ndarray]:
        """A part with the case's own Dirichlet values in reach (patch ``dirichlet``) and nothing imposed on the patch ``interface``; its (m,) points."""
        part = self.cut(cells)
        patches = {DIRICHLET: part.dirichlet, INTERFACE: part.interface, NEUMANN: part.neumann}
        fields = {
            name: _taken(item, part.points, self._elements(cells)) for name, item in self.case.fields.items() if name in self.equation.coefficients
        }
        mesh = Mesh(part.mesh.points, part.mesh.cells, {name: item for name, item in patches.items() if len(item)}, name=part.mesh.name)
        return Case(mesh, None, fields), part.points


@dataclass(frozen=True, eq=False)
class LocalPart:
    """A part as a local problem.

    Attributes:
        problem: of its own, in its own size.
        points: (m,) points of the whole that its points are.
        length: [m] that one unit of its coordinates stands for.
        conductivity: by which its conductivity, source and flux were divided.
    """

    problem: LocalProblem
    points: np.ndarray
    length: float
    conductivity: float = 1.0


def first_order(case: Case) -> Case:
    """The case on the corners of its cells; itself where they have no mid-side points. Values at mid-side points are left out."""
    mesh = case.mesh
    if not any(name in N_CORNERS for part in (mesh.cells, *mesh.patches.values()) for name in part.names):
        return case
    cells, patches = straight(mesh.cells), {name: straight(facets) for name, facets in mesh.patches.items()}
    used = np.unique(cells.connectivity)
    number = np.full(len(mesh.points), -1, dtype=np.int64)
    number[used] = np.arange(len(used))
    plain = Mesh(
        mesh.points[used],
        cells.renumbered(number),
        {name: facets.renumbered(number) for name, facets in patches.items()},
        mesh.zones,
        mesh.name,
        (*mesh.notes, "cells of second order are taken by their corners: straight sides, elements of degree 1"),
    )
    fields = {name: Field(item.quantity, item.values[used]) if item.location == "point" else item for name, item in case.fields.items()}
    boundary = {
        patch: {name: _at_corners(item, mesh.patch_points(patch), number) for name, item in data.items()} for patch, data in case.boundary.items()
    }
    return replace(case, mesh=plain, fields=fields, boundary=boundary)


def _at_corners(item: Field, points: np.ndarray, number: np.ndarray) -> Field:
    """Values at the points of a patch without those at mid-side points."""
    return item if item.location == "global" or len(item.values) != len(points) else Field(item.quantity, item.values[number[points] >= 0])


def _of_elements(case: Case) -> tuple[Case, np.ndarray | None]:
    """The case on the elements of degree 1 of its mesh, and (n,) the cell that each is a part of; None where they are the cells."""
    mesh = case.mesh
    patches = {name: straight(facets) for name, facets in mesh.patches.items()}
    mesh = Mesh(mesh.points, straight(mesh.cells), patches, name=mesh.name)
    kinds = {CELL_NAMES[int(code)] for code in np.unique(mesh.cells.types[mesh.cells.dimensions == mesh.dimension])}
    if len(kinds) == 1 and kinds <= _PLAIN:
        return replace(case, mesh=mesh), None
    rows, owner = simplices(mesh.cells, mesh.dimension)
    if mesh.dimension == 3:
        patches = {name: _triangulated(facets) for name, facets in patches.items()}
    cells = Cells.of({"triangle" if mesh.dimension == 2 else "tetra": rows})
    fields = {name: Field(item.quantity, item.values[owner], "cell") if item.location == "cell" else item for name, item in case.fields.items()}
    return replace(case, mesh=Mesh(mesh.points, cells, patches, name=mesh.name), fields=fields), owner


def _triangulated(facets: Cells) -> Cells:
    """Triangles of facets, quadrilaterals cut as the cells beside them are."""
    return Cells.of(triangle=np.concatenate([facets.block("triangle"), cut_quads(facets.block("quad")).reshape(-1, 3)]))


def straight(cells: Cells) -> Cells:
    """The cells by their corners alone, in the same order and the same point numbers."""
    kinds, corners = cells.types.copy(), np.diff(cells.offsets)
    for name in cells.names:
        if name in N_CORNERS:
            plain = name.rstrip("0123456789")
            kinds[cells.types == CELL_TYPES[name][0]] = CELL_TYPES[plain][0]
            corners[cells.types == CELL_TYPES[name][0]] = N_CORNERS[name]
    offsets = np.concatenate([[0], np.cumsum(corners)])
    first = np.repeat(cells.offsets[:-1] - offsets[:-1], corners)
    return Cells(kinds, offsets, cells.connectivity[first + np.arange(offsets[-1])], cells.faces)


def _taken(item: Field, points: np.ndarray, cells: np.ndarray) -> Field:
    index: Mapping[str, np.ndarray] = {"point": points, "cell": cells}
    return Field(item.quantity, item.values[index[item.location]], item.location) if item.location in index else item


def _corner_rows(facets: Cells) -> np.ndarray:
    """(f, 4) corners of facets, -1 where they have fewer."""
    rows = np.full((len(facets), 4), -1, dtype=np.int64)
    for k, row in enumerate(facets):
        rows[k, : len(row)] = row[:4]
    return rows


def _keys(rows: np.ndarray) -> np.ndarray:
    """(f,) one value per set of corners."""
    ordered = np.full((len(rows), 4), -1, dtype=np.int64)
    ordered[:, : rows.shape[1]] = rows
    ordered = np.ascontiguousarray(np.sort(ordered, axis=1))
    return ordered.view([("", np.int64)] * 4).ravel()


def _facets(rows: np.ndarray) -> Cells:
    """Facets of rows of corners."""
    count = (rows >= 0).sum(axis=1)
    parts = [Cells.of({kind: rows[count == size][:, :size]}) for size, kind in _FACETS.items() if (count == size).any()]
    return Cells.concatenate(parts) if parts else Cells.empty()
