"""Continuous piecewise polynomials on a mesh: their unknowns, what they are between them, integrals and norms.

Stable interface that other rooms build on: :class:`Space` here, :class:`geoop.fem.diffusion.Diffusion` on top of it. A function of
the space is a plain array with one value per unknown, (n,); several at once are columns, (n, k). Functions of position are called
with (m, d) points in metres and answer (m,) values ((m, d) vectors, (m, d, d) tensors).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from ..errors import ConfigurationError, FieldError, PatchError
from ..mesh.mesh import Mesh
from ..mesh.quantity import Field
from .domain import Domain

#: A function of position: (m, d) points [m] -> (m,) values, (m, d) vectors or (m, d, d) tensors.
Function = Callable[[np.ndarray], np.ndarray]
#: A number or constant tensor; a function of position; an array over unknowns, mesh points or cells; a field.
Coefficient = float | np.ndarray | Field | Function

#: Name of the whole boundary where a mesh has no patch of that name.
BOUNDARY = "boundary"

_ELEMENTS = {
    "RefTri": ("ElementTriP1", "ElementTriP2"),
    "RefQuad": ("ElementQuad1", "ElementQuad2"),
    "RefTet": ("ElementTetP1", "ElementTetP2"),
    "RefHex": ("ElementHex1", "ElementHex2"),
}


@dataclass(frozen=True, eq=False)
class Space:
    """Lagrange elements of degree 1 or 2: P1 and P2 on triangles and tetrahedra, Q1 and Q2 on quads and hexahedra.

    The degree does not depend on the geometry: P1 on curved cells and P2 on straight ones are both there.

    Attributes:
        domain: the cells.
        degree: 1 or 2.
        basis: scikit-fem's basis with its quadrature.
        order: degree up to which that quadrature is exact on straight cells.
    """

    domain: Domain
    degree: int
    basis: Any
    order: int
    _facet_bases: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, mesh: Mesh | Domain, degree: int = 2, *, order: int | None = None) -> Space:
        """The space on a mesh.

        Args:
            mesh: cells that fill a plane region or a solid, see :class:`geoop.fem.domain.Domain`.
            degree: 1 or 2.
            order: degree up to which the quadrature is exact on straight cells; None: twice the degree, 2 more on curved cells.

        Raises:
            InvalidMeshError: no such cells, or cells that fold over themselves or are flat.
            ConfigurationError: another degree.
        """
        import skfem

        domain = mesh if isinstance(mesh, Domain) else Domain.of(mesh)
        if degree not in (1, 2):
            raise ConfigurationError(f"elements of degree {degree!r}", where=domain.mesh.name, remedy="choose degree 1 or 2")
        element = getattr(skfem, _ELEMENTS[domain.grid.elem.refdom.__name__][degree - 1])()
        if order is None:
            order = 2 * degree + (2 if len(domain.nodes) > len(domain.vertices) else 0)
        domain.require_upright(order)
        return cls(domain, degree, domain.basis(element, order), order)

    @property
    def mesh(self) -> Mesh:
        """The mesh that the space stands on."""
        return self.domain.mesh

    @property
    def n(self) -> int:
        """Number of unknowns."""
        return int(self.basis.N)

    @cached_property
    def points(self) -> np.ndarray:
        """(n, d) places of the unknowns [m]."""
        return np.ascontiguousarray(self.basis.doflocs.T)

    # ---- the boundary

    def facets(self, *patches: str) -> np.ndarray:
        """(k,) facets of the grid on these patches; ``boundary`` is the whole boundary unless a patch is called so.

        Raises:
            PatchError: no such patch, or one without facets: a condition on it would do nothing.
        """
        empty = [patch for patch in patches if patch in self.mesh.patches and not len(self.mesh.patches[patch])]
        if empty:
            raise PatchError(f"patches {empty} have no facets", where=self.mesh.name, remedy="leave them out of the conditions")
        whole = BOUNDARY in patches and BOUNDARY not in self.mesh.patches
        named = tuple(patch for patch in patches if not (whole and patch == BOUNDARY))
        parts = [self.domain.facets(*named)] if named else []
        if whole:
            parts.append(self.domain.boundary_facets)
        return np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *parts]))

    def on(self, *patches: str) -> np.ndarray:
        """(k,) unknowns on these patches, ascending."""
        return np.unique(self.basis.get_dofs(self.facets(*patches)).all())

    def patch_points(self, patch: str) -> np.ndarray:
        """(m,) points of the mesh on a patch, ascending: where arrays of boundary values are given."""
        if patch in self.mesh.patches or patch != BOUNDARY:
            return self.mesh.patch_points(patch)
        return np.unique(self.domain.nodes[self._geometry.get_dofs(self.domain.boundary_facets).all()])

    def facet_basis(self, patch: str) -> Any:
        """scikit-fem's basis on the facets of a patch, made once."""
        import skfem

        if patch not in self._facet_bases:
            facets, element = self.facets(patch), self.basis.elem
            self._facet_bases[patch] = skfem.FacetBasis(self.domain.grid, element, facets=facets, intorder=self.order)
        return self._facet_bases[patch]

    # ---- between unknowns and the points of the mesh

    @cached_property
    def _geometry(self) -> Any:
        return self.basis.with_element(self.domain.grid.elem())

    @cached_property
    def from_mesh_points(self) -> csr_matrix:
        """(n, n_points) matrix: values at the points of the mesh -> values at the unknowns, by the mesh's own interpolation."""
        geometry = self.domain.grid
        return _resampled(geometry.elem(), geometry.dofs.element_dofs, self.domain.nodes, self.basis.elem, self.basis.element_dofs, self.n, self.mesh)

    @cached_property
    def to_mesh_points(self) -> csr_matrix:
        """(n_points, n) matrix: values at the unknowns -> values at the points of the mesh; rows of points without a cell are zero."""
        geometry = self.domain.grid
        places = self.domain.nodes[geometry.dofs.element_dofs]
        return _resampled(self.basis.elem, self.basis.element_dofs, None, geometry.elem(), places, len(self.mesh.points), self)

    def at_mesh_points(self, values: np.ndarray) -> np.ndarray:
        """(n_points,) values [the values' own unit] at the points of the mesh; NaN where a point belongs to no cell."""
        answer = self.to_mesh_points @ values
        lost = np.ones(len(self.mesh.points), dtype=bool)
        lost[self.domain.nodes] = False
        if lost.any():
            answer[lost] = np.nan
        return answer

    def interpolate(self, item: Coefficient) -> np.ndarray:
        """(n,) or (n, k) values at the unknowns of a number, a function, or an array over unknowns or mesh points.

        Raises:
            FieldError: an array of another length.
        """
        from .sampling import located

        if callable(item):
            return _answered(item, self.points, self.mesh.name)
        values, location = located(self, item, "values")
        if location == "constant":
            return np.full(self.n, float(values))
        if location == "unknown":
            return values
        if location == "point":
            return self.from_mesh_points @ values
        raise FieldError("values of cells have no value at a point", where=self.mesh.name, remedy="give one value per point of the mesh")

    def patch_values(self, patch: str, item: Coefficient) -> np.ndarray:
        """(m,) or (m, k) values at the unknowns :meth:`on` a patch.

        Args:
            patch: of the mesh, or ``boundary``.
            item: a number; a function of position; (m,) or (m, k) values at the mesh's points :meth:`patch_points`, or at all
                unknowns (n,); a point field of the whole mesh.

        Raises:
            FieldError: an array of another length.
        """
        unknowns = self.on(patch)
        if callable(item):
            return _answered(item, self.points[unknowns], f"{self.mesh.name}:{patch}")
        if isinstance(item, Field):
            return self.interpolate(item)[unknowns]
        values = _finite(np.asarray(item, dtype=np.float64), f"{self.mesh.name}:{patch}")
        if values.ndim == 0:
            return np.full(len(unknowns), float(values))
        points = self.patch_points(patch)
        if values.ndim > 2:
            raise FieldError(f"values of shape {values.shape} for patch '{patch}'", where=self.mesh.name, remedy="give (m,) or (m, k) values")
        if len(values) == len(points):
            return self.from_mesh_points[unknowns][:, points] @ values
        if len(values) == self.n:
            return values[unknowns]
        raise FieldError(
            f"{len(values)} values for patch '{patch}', which has {len(points)} points of the mesh",
            where=self.mesh.name,
            remedy=f"give one value per point space.patch_points('{patch}'), one per unknown ({self.n}), a number or a function of position",
        )

    # ---- integrals

    @cached_property
    def quadrature_points(self) -> np.ndarray:
        """(nc * q, d) quadrature points of the cells [m], cell by cell."""
        x = np.asarray(self.basis.global_coordinates())
        return np.moveaxis(x, 0, -1).reshape(-1, self.domain.dimension)

    @cached_property
    def quadrature_weights(self) -> np.ndarray:
        """(nc * q,) their weights [m^d]."""
        return np.asarray(self.basis.dx).reshape(-1)

    def at_quadrature(self, values: np.ndarray) -> np.ndarray:
        """(nc * q,) values at the quadrature points."""
        return np.asarray(self.basis.interpolate(values)).reshape(-1)

    def gradient_at_quadrature(self, values: np.ndarray) -> np.ndarray:
        """(nc * q, d) gradients at the quadrature points [1/m]."""
        return np.moveaxis(self.basis.interpolate(values).grad, 0, -1).reshape(-1, self.domain.dimension)


def _resampled(element: Any, dofs: np.ndarray, columns: np.ndarray | None, target: Any, rows: np.ndarray, n_rows: int, source: Any) -> csr_matrix:
    """Matrix that evaluates functions of one element at the nodes of another, each node seen from the last cell that has it."""
    places = np.asarray(target.doflocs, dtype=np.float64).T
    weights = np.stack([np.broadcast_to(element.lbasis(places, k)[0], places.shape[1]) for k in range(len(dofs))])
    owner = np.full(n_rows, -1, dtype=np.int64)
    local = np.zeros(n_rows, dtype=np.int64)
    for k, row in enumerate(rows):
        owner[row] = np.arange(rows.shape[1])
        local[row] = k
    there = np.flatnonzero(owner >= 0)
    entries = dofs[:, owner[there]]
    index = entries if columns is None else columns[entries]
    width = len(source.points)
    entry = (np.tile(there, len(dofs)), index.ravel())
    matrix = csr_matrix((weights[:, local[there]].ravel(), entry), shape=(n_rows, width))
    matrix.eliminate_zeros()
    return matrix


def _answered(function: Function, points: np.ndarray, where: str) -> np.ndarray:
    """(m,) or (m, k) values of a function at points; a number counts for all of them."""
    values = np.asarray(function(points), dtype=np.float64)
    if values.ndim == 0:
        values = np.full(len(points), float(values))
    if values.ndim > 2 or len(values) != len(points):
        raise FieldError(
            f"the function answers {values.shape} for {points.shape} points", where=where, remedy="answer one value per point: f(points[:, 0], ...)"
        )
    return _finite(values, where)


def _finite(values: np.ndarray, where: str) -> np.ndarray:
    if not np.isfinite(values).all():
        raise FieldError(
            f"{int((~np.isfinite(values)).sum())} of {values.size} values are not finite", where=where, remedy="correct the data or the function"
        )
    return values
