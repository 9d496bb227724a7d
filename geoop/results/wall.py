"""The wall of a case as quadrature points with area vectors into the fluid: what force integrals run over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from ..errors import InvalidMeshError, PatchError
from ..io.patch_cells import cells_by_patch
from ..mesh.body import bounds_a_flow, is_around, wall_patches
from ..mesh.case import Case
from ..mesh.cells import Cells
from ..mesh.distance.kept import Kept
from ..mesh.mesh import Mesh
from ..mesh.outline import oriented
from ..mesh.shape_functions import reference_cell
from ..mesh.topology import sides, welded

_GAUSS = 0.5 / np.sqrt(3.0)
#: Rules of straight facets that integrate moments of linear pressures exactly: shape functions (q, k) at equally weighted points.
_LINE = np.array([[0.5 + _GAUSS, 0.5 - _GAUSS], [0.5 - _GAUSS, 0.5 + _GAUSS]])
_TRIANGLE = np.array([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [0.5, 0.0, 0.5]])


@dataclass(frozen=True, eq=False)
class Wall:
    """Facets of the chosen patches with their quadrature points.

    Attributes:
        names: patch names.
        facets: (m) cells in the mesh's point numbers, patch by patch.
        patch: (m,) patch of every facet, an index into :attr:`names`.
        owner: (m,) index into ``mesh.cells`` of the cell that the facet is (surface) or bounds (volume mesh).
        lift: (q, n) sparse, values at mesh points -> values at quadrature points.
        points: (q, d) positions of the quadrature points [m].
        area: (q, d) area vectors, out of the body into the fluid [m^(d-1)].
        size: (q,) areas [m^(d-1)]; negative where a flat concave polygon folds back over itself.
        facet: (q,) facet of every quadrature point.
        notes: what a reader of the forces should know.
    """

    names: tuple[str, ...]
    facets: Cells
    patch: np.ndarray
    owner: np.ndarray
    lift: sparse.csr_array
    points: np.ndarray
    area: np.ndarray
    size: np.ndarray
    facet: np.ndarray
    notes: tuple[str, ...]

    def is_closed(self, mesh: Mesh, patch: int | None = None) -> bool:
        """Whether the facets (of one patch, or all) close a volume: every edge, in 2-D every point, belongs to an even number of them.

        Args:
            mesh: the mesh of the case; its points at equal coordinates count as one, as in an STL file.
        """
        return _closed(mesh, self.facets if patch is None else self.facets.take(self.patch == patch))


def wall_of(case: Case, patches: Sequence[str] | None = None) -> Wall:
    """The wall of a case, or of some of its patches, oriented into the fluid.

    A surface mesh is oriented as a whole, so that one patch of a closed body points outward too. On a volume mesh every facet
    points into the cell it bounds, which needs no closed surface.

    Args:
        patches: names; None takes ``case.wall`` or every patch that is a wall by its name; a surface without patches is one patch ``body``.

    Raises:
        PatchError: no patch of that name, or patches that share facets (they would be counted twice).
        InvalidMeshError: the mesh has no facets, or a patch does not lie on it.
    """
    names = patches if patches is None or isinstance(patches, str) else tuple(patches)
    return _known(case.mesh, case.wall, names)


def _found(mesh: Mesh, stated: tuple[str, ...] | None, patches: str | tuple[str, ...] | None) -> Wall:
    case = Case(mesh, wall=stated)
    named = _named_facets(case, patches)
    facets = Cells.concatenate(list(named.values()))
    if not len(facets):
        raise InvalidMeshError("the wall has no facets", where=mesh.name, remedy="give a surface, or a volume mesh with named boundaries")
    rows = _rows(facets)
    if len(np.unique(rows, axis=0)) < len(rows):
        again = len(rows) - len(np.unique(rows, axis=0))
        several = len(named) > 1
        raise PatchError(
            f"{again} facets are there twice, in one or several of the patches {sorted(named)}"
            if several
            else f"{again} facets of the surface are there twice",
            where=mesh.name,
            remedy="name the ones to add up: patches=['...']" if several else "take them out: geoop inspect FILE --repair OUT",
        )
    lift, area, facet = _quadrature(mesh.points, facets)
    whole = _sum_by_facet(area, facet, len(facets))
    size = np.linalg.norm(area, axis=1) * np.where((area * whole[facet]).sum(axis=1) < 0, -1.0, 1.0)
    notes: list[str] = []
    if mesh.is_surface:
        owner, sign = _on_surface(mesh, facets, whole, notes)
        unnamed = int((mesh.cells.dimensions == mesh.cell_dimension).sum()) - (sum(map(len, mesh.patches.values())) or len(facets))
        if patches is None and case.wall is None and unnamed > 0:
            notes.append(f"{unnamed} facets of the surface belong to no patch and are not counted")
    else:
        owner, sign = _on_volume(mesh, facets, whole, notes)
    patch = np.repeat(np.arange(len(named)), [len(part) for part in named.values()])
    found = Wall(tuple(named), facets, patch, owner, lift, lift @ mesh.points, area * sign[facet][:, None], size, facet, tuple(notes))
    if patches is None or not mesh.is_surface or bounds_a_flow(mesh):
        return found
    cavities = [name for k, name in enumerate(named) if _encloses_fluid(found, mesh, k)]
    return found if not cavities else replace(found, notes=(*notes, _CAVITY.format(", ".join(repr(name) for name in cavities))))


#: Of a patch that was asked for by its name.
_CAVITY = (
    "{} lies inside of another closed part of the surface and is taken as the wall of a cavity with fluid in it;"
    " if it is a body in a flow, give its surface alone (geoop convert FILE BODY.vtp --patch NAME)"
)


def _encloses_fluid(wall: Wall, mesh: Mesh, patch: int) -> bool:
    own = wall.patch[wall.facet] == patch
    middle = wall.points[own].mean(axis=0)
    return float(((wall.points[own] - middle) * wall.area[own]).sum()) < 0 and wall.is_closed(mesh, patch)


#: A sweep asks for the wall of one mesh at every condition.
_known = Kept(_found, size=4)


def _named_facets(case: Case, patches: Sequence[str] | None) -> dict[str, Cells]:
    mesh = case.mesh
    if patches is not None:
        names = (patches,) if isinstance(patches, str) else tuple(patches)
        unknown = [name for name in names if name not in mesh.patches]
        if unknown or not names:
            known = sorted(mesh.patches) or "none: the mesh has no patches"
            raise PatchError(f"no patch {unknown or 'chosen'}", where=mesh.name, remedy=f"choose from {known}")
    else:
        names = case.wall if case.wall is not None else wall_patches(mesh)
    if names:
        return {name: mesh.patches[name] for name in names}
    if not mesh.is_surface:
        raise InvalidMeshError("the mesh has no patches", where=mesh.name, remedy="read a file with named boundaries, or pass the surface itself")
    return {"body": mesh.cells.take(mesh.cells.dimensions == mesh.cell_dimension)}


def _rows(cells: Cells, width: int | None = None) -> np.ndarray:
    """(m, width) sorted point numbers of every cell, padded in front with -1: equal rows are equal cells."""
    sizes = np.diff(cells.offsets)
    rows = np.full((len(cells), width or int(sizes.max())), -1, dtype=np.int64)
    column = np.arange(len(cells.connectivity)) - np.repeat(cells.offsets[:-1], sizes)
    rows[np.repeat(np.arange(len(cells)), sizes), column] = cells.connectivity
    return np.sort(rows, axis=1)


def _blocks(facets: Cells) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Type name, cell indices and corners (m, k), one block per type and number of points."""
    sizes = np.diff(facets.offsets)
    for name in facets.names:
        index = facets.where(name)
        for size in np.unique(sizes[index]):
            chosen = index[sizes[index] == size]
            yield name, chosen, facets.connectivity[facets.offsets[:-1][chosen][:, None] + np.arange(size)]


def _quadrature(points: np.ndarray, facets: Cells) -> tuple[sparse.csr_array, np.ndarray, np.ndarray]:
    """Interpolation to the quadrature points of all facets (q, n), their area vectors (q, d), their facet (q,)."""
    rows, columns, weights, areas, owners = [], [], [], [], []
    start = 0
    for name, index, corners in _blocks(facets):
        x = points[corners] - points[corners[:, :1]]  # differences first: a body far from the origin keeps its digits
        values, area = _rule(name, x)
        count, q = len(index), len(values)
        rows.append(np.repeat(start + np.arange(count * q), corners.shape[1]))
        columns.append(np.repeat(corners[:, None], q, axis=1).reshape(-1))
        weights.append(np.tile(values.reshape(-1), count))
        areas.append(area.reshape(-1, points.shape[1]))
        owners.append(np.repeat(index, q))
        start += count * q
    entries = (np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns)))
    return sparse.coo_array(entries, shape=(start, len(points))).tocsr(), np.concatenate(areas), np.concatenate(owners)


def _rule(name: str, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners (m, k, d) -> shape functions (q, k) and area vectors (m, q, d); fans of polygons and bilinear quads included."""
    if name == "line":
        tangent = x[:, 1] - x[:, 0]
        return _LINE, np.repeat(_right_of(tangent)[:, None] / 2, 2, axis=1)
    if name == "triangle":
        return _TRIANGLE, np.repeat(np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0])[:, None] / 6, 3, axis=1)
    if name == "polygon":
        k = x.shape[1]
        mean, here = np.full((k, k), 1.0 / k), np.eye(k)
        corner = np.stack([mean, here, np.roll(here, 1, axis=1)], axis=1)  # the triangles (mean, corner, next corner)
        middle = x.mean(axis=1, keepdims=True)
        area = np.cross(x - middle, np.roll(x, -1, axis=1) - middle) / 6
        return (_TRIANGLE @ corner).reshape(3 * k, k), np.repeat(area, 3, axis=1)
    cell = reference_cell(name)
    jacobian = np.einsum("qkr,mkd->mqdr", cell.gradients, x)
    normal = _right_of(jacobian[..., 0]) if x.shape[2] == 2 else np.cross(jacobian[..., 0], jacobian[..., 1])
    return cell.values, normal * cell.weights[:, None]


def _right_of(tangent: np.ndarray) -> np.ndarray:
    """A segment a -> b of an outline has the normal (t_y, -t_x)."""
    return np.stack([tangent[..., 1], -tangent[..., 0]], axis=-1)


def _sum_by_facet(values: np.ndarray, facet: np.ndarray, count: int) -> np.ndarray:
    return np.stack([np.bincount(facet, weights=column, minlength=count) for column in values.T], axis=1)


def _on_surface(mesh: Mesh, facets: Cells, whole: np.ndarray, notes: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """The cell that every facet is, and the sign that turns the facet's own winding into the fluid."""
    parts = _parts(mesh, notes)
    index = np.concatenate([own for own, _ in parts])
    cells = Cells.concatenate([oriented(Mesh(mesh.points, mesh.cells.take(own), name=mesh.name)).cells for own, _ in parts])
    into = np.concatenate([np.full(len(own), sign) for own, sign in parts])
    width = int(max(np.diff(cells.offsets).max(), np.diff(facets.offsets).max()))
    _, key = np.unique(np.concatenate([_rows(cells, width), _rows(facets, width)]), axis=0, return_inverse=True)
    key = key.reshape(-1)
    first = np.full(key.max() + 1, -1)
    first[key[: len(cells)]] = np.arange(len(cells))
    owner = first[key[len(cells) :]]
    if (owner < 0).any():
        raise InvalidMeshError(
            f"{int((owner < 0).sum())} facets of the patches are not cells of the surface",
            where=mesh.name,
            remedy="read the file again, or pass the surface without patches",
        )
    _, area, cell = _quadrature(mesh.points, cells)
    return index[owner], into[owner] * np.sign((whole * _sum_by_facet(area, cell, len(cells))[owner]).sum(axis=1))


def _parts(mesh: Mesh, notes: list[str]) -> list[tuple[np.ndarray, float]]:
    """Facets of a surface that are oriented together, and 1 where out of what they enclose is into the fluid, -1 where the fluid is inside."""
    index = np.flatnonzero(mesh.cells.dimensions == mesh.cell_dimension)
    if not bounds_a_flow(mesh):
        return [(index, 1.0)]
    notes.append("the surface is taken as the boundary of a flow, with the fluid inside, by the names of its patches")
    if _closed(mesh, mesh.cells.take(index)):
        return [(index, -1.0)]
    # without the plane of symmetry, say: then bodies are oriented by themselves
    of_box = np.zeros(len(mesh.cells), dtype=bool)
    for name, rows in cells_by_patch(mesh).items():
        of_box[rows[rows >= 0]] |= is_around(name)
    of_box = of_box[index]
    return [(own, sign) for own, sign in ((index[~of_box], 1.0), (index[of_box], -1.0)) if len(own)]


def _closed(mesh: Mesh, facets: Cells) -> bool:
    """Whether every edge, in 2-D every point, belongs to an even number of the facets; points at equal coordinates count as one."""
    chosen = mesh.submesh(facets)
    return bool((sides(chosen, welded(chosen.points)).counts % 2 == 0).all())


def _incidence(cells: Cells, n_points: int) -> sparse.csr_array:
    return sparse.csr_array((np.ones(len(cells.connectivity)), cells.connectivity, cells.offsets), shape=(len(cells), n_points))


def _on_volume(mesh: Mesh, facets: Cells, whole: np.ndarray, notes: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """The cell that every facet bounds, and the sign that turns the facet towards that cell's other points."""
    on_wall = np.zeros(len(mesh.points), dtype=bool)
    on_wall[facets.connectivity] = True
    touches = np.add.reduceat(on_wall[mesh.cells.connectivity].astype(np.int64), mesh.cells.offsets[:-1]) >= mesh.dimension
    index = np.flatnonzero(touches & (mesh.cells.dimensions == mesh.dimension))
    cells, walls = _incidence(mesh.cells.take(index), len(mesh.points)), _incidence(facets, len(mesh.points))
    shared = (walls @ cells.T).tocoo()
    full = shared.data == np.diff(facets.offsets)[shared.row]
    row, column = shared.row[full], shared.col[full]
    owners = np.bincount(row, minlength=len(facets))
    if (owners == 0).any():
        raise InvalidMeshError(
            f"{int((owners == 0).sum())} of {len(facets)} wall facets bound no cell of the mesh",
            where=mesh.name,
            remedy="the patch comes from another mesh: pass the surface with its own fields instead",
        )
    if (owners > 1).any():
        notes.append(f"{int((owners > 1).sum())} facets lie between two cells (a baffle): one pressure acts on both sides, so they carry no force")
    owner = np.zeros(len(facets), dtype=np.int64)
    owner[row] = column
    others = cells[owner] - walls  # points of the owner that are not on the facet
    towards = (others @ mesh.points) / others.sum(axis=1)[:, None] - (walls @ mesh.points) / walls.sum(axis=1)[:, None]
    return index[owner], np.sign((towards * whole).sum(axis=1)) * (owners == 1)
