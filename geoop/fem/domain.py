"""A mesh as finite elements see it: its cells in scikit-fem, curved where they are quadratic, and its patches as facets.

Linear and quadratic cells of one kind (triangles, quads, tetrahedra, hexahedra) are taken as they are. Quadratic cells are
isoparametric: their mid-side points bend the element. Linear cells of several kinds, wedges and pyramids are cut into triangles
or tetrahedra that fit together (:mod:`geoop.fem.simplices`); no point is added.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.spatial import KDTree

from ..errors import InvalidMeshError, PatchError
from ..mesh.cells import CELL_NAMES, Cells
from ..mesh.mesh import Mesh
from .simplex_search import SimplexSearch
from .simplices import CUT, cut_quads, simplices

#: cell type -> (mesh class, place of VTK's points in scikit-fem's order, corners)
_KINDS: dict[str, tuple[str, tuple[int, ...], int]] = {
    "triangle": ("MeshTri1", (0, 1, 2), 3),
    "triangle6": ("MeshTri2", tuple(range(6)), 3),
    "quad": ("MeshQuad1", (0, 1, 2, 3), 4),
    "quad9": ("MeshQuad2", tuple(range(9)), 4),
    "tetra": ("MeshTet1", (0, 1, 2, 3), 4),
    "tetra10": ("MeshTet2", tuple(range(10)), 4),
    "hexahedron": ("MeshHex1", (6, 2, 5, 7, 1, 3, 4, 0), 8),
}


@dataclass(frozen=True, eq=False)
class Domain:
    """The cells of highest dimension of a mesh, as a scikit-fem mesh.

    Attributes:
        mesh: the mesh.
        grid: the scikit-fem mesh.
        vertices: (nv,) the mesh's point that each vertex of the grid is.
        nodes: (ng,) the mesh's point that each node of the grid's geometry is: the vertices, then those that bend the cells.
        cell_of: (nc,) the mesh's cell that each cell of the grid is, or is a part of.
    """

    mesh: Mesh
    grid: Any
    vertices: np.ndarray
    nodes: np.ndarray
    cell_of: np.ndarray

    @classmethod
    def of(cls, mesh: Mesh) -> Domain:
        """The domain that a mesh fills.

        Raises:
            InvalidMeshError: no plane region or solid, or cells that have no element.
        """
        import skfem

        kind, connectivity, cell_of = _cells_of(mesh)
        name, order, corners = _KINDS[kind]
        used, local = np.unique(connectivity, return_inverse=True)
        rows = np.ascontiguousarray(local.reshape(connectivity.shape).T[list(order)])
        grid = getattr(skfem, name)(np.ascontiguousarray(mesh.points[used].T), rows)
        vertices = np.unique(connectivity[:, :corners])
        nodes = vertices
        if len(order) > corners:
            nodes = np.empty(grid.doflocs.shape[1], dtype=np.int64)
            nodes[grid.dofs.element_dofs] = used[rows]
        return cls(mesh, grid, vertices, nodes, cell_of)

    @property
    def dimension(self) -> int:
        """Of space and of the cells, 2 or 3."""
        return self.mesh.dimension

    @cached_property
    def _numbers(self) -> np.ndarray:
        """(n_points,) vertex of the grid that a point of the mesh is, -1 for others."""
        found = np.full(len(self.mesh.points), -1, dtype=np.int64)
        found[self.vertices] = np.arange(len(self.vertices))
        return found

    def facets(self, *patches: str) -> np.ndarray:
        """(k,) facets of the grid that make up these patches; all patches of the mesh if none is named.

        Raises:
            PatchError: no patch of that name, or it has facets that are no facets of the cells.
        """
        found = []
        for patch in patches or tuple(self.mesh.patches):
            if patch not in self.mesh.patches:
                raise PatchError(f"no patch '{patch}'", where=self.mesh.name, remedy=f"choose one of {sorted(self.mesh.patches)}")
            found.append(self._facets_of(patch, self.mesh.patches[patch]))
        return np.unique(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)

    def _facets_of(self, patch: str, cells: Cells) -> np.ndarray:
        wanted = self.grid.facets.shape[0]
        corners = _facet_corners(cells, wanted)
        rows = np.sort(np.where(corners < 0, -1, self._numbers[corners]), axis=1)
        there = np.sort(self.grid.facets, axis=0).T
        keys, sought = _keys(there, self.grid.nvertices), _keys(rows, self.grid.nvertices)
        order = np.argsort(keys)
        place = order[np.searchsorted(keys, sought, sorter=order).clip(max=len(keys) - 1)]
        lost = (rows < 0).any(axis=1) | (keys[place] != sought)
        if lost.any():
            raise PatchError(
                f"{int(lost.sum())} of {len(rows)} facets of patch '{patch}' are no facets of the cells",
                where=self.mesh.name,
                remedy="name patches by facets of the cells: `geoop inspect FILE` lists them",
            )
        return place

    @cached_property
    def boundary_facets(self) -> np.ndarray:
        """(k,) facets of the grid that belong to one cell only."""
        return self.grid.boundary_facets()

    @cached_property
    def search(self) -> tuple[SimplexSearch | None, int]:
        """Straight triangles or tetrahedra between the corners of the cells, to be searched for points, and how many of them a cell has.

        None for hexahedra, whose faces may be warped.
        """
        rows, parts = np.ascontiguousarray(self.grid.t.T), 1
        if self.grid.elem.refdom.__name__ == "RefQuad":
            rows, parts = cut_quads(rows).reshape(-1, 3), 2
        return (SimplexSearch(self.grid.p.T, rows) if rows.shape[1] == self.dimension + 1 else None), parts

    @cached_property
    def turned(self) -> np.ndarray:
        """(nc,) cells of the grid that are numbered the other way round: a cell that does not fold has one sign all over."""
        return self.grid.mapping().detDF(np.full((self.dimension, 1), 0.25))[:, 0] < 0.0

    def require_upright(self, order: int) -> None:
        """Refuse cells that a quadrature of the given order would integrate wrongly: it takes the magnitude of the Jacobian, not its sign.

        Clockwise cells are sound.

        Raises:
            InvalidMeshError: cells that fold over themselves, or without area or volume (to rounding).
        """
        from skfem.quadrature import get_quadrature

        places, _ = get_quadrature(self.grid.elem.refdom, order)
        nodes, element = self.grid.dofs.element_dofs, self.grid.elem()
        if len(nodes) == self.dimension + 1:  # straight simplices have one Jacobian
            places = places[:, :1]
        slopes = np.stack([np.stack(np.broadcast_arrays(*element.lbasis(places, k)[1], places[0])[:-1]) for k in range(len(nodes))])
        volume = np.linalg.det(np.einsum("dkc,kjq->cqdj", self.grid.doflocs[:, nodes], slopes, optimize=True))
        size = np.ptp(self.grid.p[:, self.grid.t], axis=1).max(axis=0)
        least = np.spacing(1.0) * size**self.dimension
        bad = (volume.min(axis=1) <= least) & (volume.max(axis=1) >= -least)
        if bad.any():
            at = self.grid.p[:, self.grid.t[0, np.argmax(bad)]]
            raise InvalidMeshError(
                f"{int(bad.sum())} cells fold over themselves or are flat, first near ({', '.join(f'{x:.4g}' for x in at)})",
                where=self.mesh.name,
                remedy="refine the mesh where its sides bend, remove cells without area, or `geoop inspect FILE` to see them",
            )

    def basis(self, element: Any, order: int | None = None) -> Any:
        """scikit-fem's basis of an element on the cells, with a quadrature of the given order (None: the element's own)."""
        import skfem

        return skfem.Basis(self.grid, element, intorder=order)

    def unknown_of_point(self, basis: Any) -> np.ndarray:
        """(n_points,) unknown of a scalar Lagrange basis that is the value at each point of the mesh, -1 where there is none."""
        places = basis.doflocs.T
        span = float(np.ptp(places, axis=0).max())
        distance, index = KDTree(places).query(self.mesh.points)
        return np.where(distance <= 1e-9 * span, index, -1)


def _facet_corners(cells: Cells, wanted: int) -> np.ndarray:
    """(n, wanted) corner points of the facets of a patch; quadrilaterals where triangles are wanted are cut as the cells are."""
    parts = [np.zeros((0, wanted), dtype=np.int64)]
    for name in cells.names:
        corners = {"line": 2, "line3": 2, "triangle": 3, "triangle6": 3, "quad": 4, "quad8": 4, "quad9": 4}.get(name, 0)
        rows = cells.block(name)[:, :corners] if corners else np.full((len(cells.where(name)), wanted), -1)
        if corners == 4 and wanted == 3:
            rows = cut_quads(rows).reshape(-1, 3)
        parts.append(rows if rows.shape[1] == wanted else np.full((len(rows), wanted), -1))
    return np.concatenate(parts)


def _cells_of(mesh: Mesh) -> tuple[str, np.ndarray, np.ndarray]:
    """(cell type, (n, k) points of every cell, (n,) cell of the mesh) of the cells of the space's own dimension.

    Raises:
        InvalidMeshError: none, several types of which one is quadratic, or a type without an element.
    """
    names = sorted({CELL_NAMES[int(code)] for code in np.unique(mesh.cells.types[mesh.cells.dimensions == mesh.dimension])})
    if len(names) == 1 and names[0] in _KINDS:
        return names[0], mesh.cells.block(names[0]), mesh.cells.where(names[0])
    if names and set(names) <= set(CUT[mesh.dimension]):
        return {2: "triangle", 3: "tetra"}[mesh.dimension], *simplices(mesh.cells, mesh.dimension)
    found = f"cells are {', '.join(names)}" if names else f"there is no cell of dimension {mesh.dimension}"
    raise InvalidMeshError(
        f"finite elements need linear cells, or quadratic cells of one kind, that fill the region, but {found}",
        where=mesh.name,
        remedy="mesh the region with triangle, quad, tetra, hexahedron, wedge or pyramid, or triangle6, quad9 or tetra10 alone, "
        "e.g. geoop.mesh.generate.triangles.mesh_inside(outline)",
    )


def _keys(rows: np.ndarray, count: int) -> np.ndarray:
    """(n,) one number per row of sorted vertex numbers: the first three name a facet."""
    key = np.zeros(len(rows), dtype=np.int64)
    for column in rows.T[:3]:  # of four corners three are enough
        key = key * (count + 1) + column
    return key
