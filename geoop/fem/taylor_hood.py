"""Taylor-Hood elements for plane incompressible flow: quadratic velocity, linear pressure, on straight or curved triangles.

Unknowns are ordered u_x (n), u_y (n), p (m) with n the nodes of P2 and m the vertices. The forms, with the kinematic viscosity nu and
the kinematic pressure p (pressure over density) [1], chapter 8:

    (w . grad u, v) + nu (grad u, grad v) - (p, div v) = (f, v),    (q, div u) = 0

Without a condition at an outlet this means nu du/dn = p n there, "do nothing" [2].

[1] H. Elman, D. Silvester, A. Wathen, Finite Elements and Fast Iterative Solvers, 2nd ed., 2014.
[2] J. Heywood, R. Rannacher, S. Turek, Int. J. Numer. Meth. Fluids 22 (1996) 325.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
import scipy.sparse as sp
import skfem

from ..errors import InvalidMeshError
from ..mesh.mesh import Mesh
from .domain import Domain

#: Order of the quadrature: the convection of straight triangles is integrated exactly.
ORDER = 5


class TaylorHood:
    """Spaces and operators on a plane domain of triangles.

    Element tensors (gradients at quadrature points, the places of element entries in the sparse matrix) are made once, so that an
    assembly is a few products of matrices.

    Args:
        domain: of ``triangle6`` cells (curved where these are) or of ``triangle`` cells; or a mesh of them.

    Raises:
        InvalidMeshError: other cells, or cells that are flat or fold over themselves.
    """

    def __init__(self, domain: Domain | Mesh) -> None:
        domain = Domain.of(domain) if isinstance(domain, Mesh) else domain
        if domain.dimension != 2 or domain.grid.t.shape[0] != 3:
            raise InvalidMeshError(
                "Taylor-Hood elements need plane triangles", where=domain.mesh.name, remedy="mesh the region with triangles, then quadratic(mesh)"
            )
        domain.require_upright(ORDER)
        self.domain = domain
        self.velocity_basis = domain.basis(skfem.ElementTriP2(), ORDER)
        self.pressure_basis = domain.basis(skfem.ElementTriP1(), ORDER)
        self.n, self.m = self.velocity_basis.N, self.pressure_basis.N
        self.nodes = self.velocity_basis.element_dofs.T.astype(np.int64)  # (ne, 6)
        self.corners = self.pressure_basis.element_dofs.T.astype(np.int64)  # (ne, 3)
        values = [self.velocity_basis.basis[i][0] for i in range(6)]
        self.shape = np.stack([np.broadcast_to(np.asarray(item), self.velocity_basis.dx.shape)[0] for item in values], axis=1)  # (q, 6)
        self.gradient = np.ascontiguousarray(np.stack([item.grad for item in values]).transpose(1, 2, 3, 0))  # (2, ne, q, 6)
        pressure = [np.broadcast_to(np.asarray(self.pressure_basis.basis[i][0]), self.velocity_basis.dx.shape)[0] for i in range(3)]
        self.pressure_shape = np.stack(pressure, axis=1)  # (q, 3)
        self.dx = self.velocity_basis.dx  # (ne, q)
        self._weighted = np.ascontiguousarray((self.dx[:, :, None] * self.shape).transpose(0, 2, 1))  # (ne, 6, q)
        self._pairs = np.ascontiguousarray((self.shape[:, :, None] * self.shape[:, None, :]).reshape(len(self.shape), 36))

    @property
    def size(self) -> int:
        """Number of unknowns, 2 n + m, before conditions."""
        return 2 * self.n + self.m

    @property
    def places(self) -> np.ndarray:
        """(n, 2) nodes of the velocity [m]; the first m are the vertices, nodes of the pressure."""
        return self.velocity_basis.doflocs.T

    def facet_nodes(self, *patches: str) -> np.ndarray:
        """(k,) nodes of the velocity on these patches."""
        return np.unique(self.velocity_basis.get_dofs(self.domain.facets(*patches)).flatten())

    def split(self, unknowns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Velocity (n, 2) and kinematic pressure (m,) of a vector of unknowns."""
        return unknowns[: 2 * self.n].reshape(2, self.n).T, unknowns[2 * self.n :]

    @cached_property
    def stiffness(self) -> sp.csr_matrix:
        """(n, n) of one component: integral of grad u . grad v."""
        local = np.sum([(g * self.dx[:, :, None]).transpose(0, 2, 1) @ g for g in self.gradient], axis=0)
        return self._scalar(local)

    @cached_property
    def mass(self) -> sp.csr_matrix:
        """(n, n) of one component: integral of u v."""
        return self._scalar((self.dx @ self._pairs).reshape(-1, 6, 6))

    @cached_property
    def divergence(self) -> sp.csr_matrix:
        """(m, 2 n): integral of q div u."""
        rows, columns, values = [], [], []
        for axis, g in enumerate(self.gradient):
            values.append(((self.dx[:, :, None] * self.pressure_shape).transpose(0, 2, 1) @ g).ravel())
            rows.append(np.repeat(self.corners, 6, axis=1).ravel())
            columns.append(np.tile(self.nodes, (1, 3)).ravel() + axis * self.n)
        shape = (self.m, 2 * self.n)
        return sp.csr_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=shape)

    @cached_property
    def pressure_areas(self) -> np.ndarray:
        """(m,) integral of every function of the pressure [m^2]."""
        return np.bincount(self.corners.ravel(), weights=(self.dx @ self.pressure_shape).ravel(), minlength=self.m)

    def _scalar(self, local: np.ndarray) -> sp.csr_matrix:
        rows, columns = np.repeat(self.nodes, 6, axis=1).ravel(), np.tile(self.nodes, (1, 6)).ravel()
        return sp.csr_matrix((local.ravel(), (rows, columns)), shape=(self.n, self.n))

    @cached_property
    def _pattern(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Row pointers and columns of the (n, n) matrix of one component, and the place of every element entry (ne 36,) in it."""
        rows, columns = np.repeat(self.nodes, 6, axis=1).ravel(), np.tile(self.nodes, (1, 6)).ravel()
        keys, place = np.unique(rows * self.n + columns, return_inverse=True)
        pointers = np.searchsorted(keys, np.arange(self.n + 1) * self.n)
        return pointers.astype(np.int32), (keys % self.n).astype(np.int32), place.ravel()

    def _assembled(self, local: np.ndarray) -> sp.csr_matrix:
        pointers, columns, place = self._pattern
        data = np.bincount(place, weights=local.ravel(), minlength=len(columns))
        return sp.csr_matrix((data, columns, pointers), shape=(self.n, self.n))

    def at_quadrature(self, velocity: np.ndarray, cells: np.ndarray | slice = slice(None)) -> tuple[np.ndarray, np.ndarray]:
        """Velocity (ne, q, 2) and its derivatives (ne, q, 2, 2), [..., k, l] = d u_k / d x_l, of nodal values (n, 2), in all or some cells."""
        local = velocity[self.nodes[cells]]  # (ne, 6, 2)
        values = np.matmul(self.shape, local)
        slopes = np.stack([np.matmul(g[cells], local) for g in self.gradient], axis=-1)
        return values, slopes

    def convection(self, velocity: np.ndarray, cells: np.ndarray | slice = slice(None)) -> np.ndarray:
        """(n, 2) integral of (u . grad u) . v for the nodal velocity u (n, 2), over all or some cells."""
        values, slopes = self.at_quadrature(velocity, cells)
        along = slopes[..., 0] * values[:, :, None, 0] + slopes[..., 1] * values[:, :, None, 1]
        local = np.matmul(self._weighted[cells], along)  # (ne, 6, 2)
        index = self.nodes[cells].ravel()
        return np.stack([np.bincount(index, weights=local[:, :, k].ravel(), minlength=self.n) for k in (0, 1)], axis=1)

    @cached_property
    def _rates(self) -> np.ndarray:
        """(2, ne, q, 3) gradients of the barycentric coordinates."""
        grads = [self.pressure_basis.basis[i][0].grad for i in range(3)]
        return np.stack([np.broadcast_to(np.asarray(g), (2, *self.dx.shape)) for g in grads], axis=-1)

    def courant_rate(self, velocity: np.ndarray) -> float:
        """Largest rate [1/s] at which a barycentric coordinate changes with the flow: times the time step, the Courant number of a cell."""
        values, _ = self.at_quadrature(velocity)
        return float(np.abs(values[:, :, 0, None] * self._rates[0] + values[:, :, 1, None] * self._rates[1]).max())

    def transport(self, velocity: np.ndarray) -> sp.csr_matrix:
        """(n, n) of one component: integral of (w . grad u) v for the nodal velocity w (n, 2)."""
        values, _ = self.at_quadrature(velocity)
        return self._assembled(self._transport(values))

    def _transport(self, values: np.ndarray) -> np.ndarray:
        along = values[:, :, 0, None] * self.gradient[0] + values[:, :, 1, None] * self.gradient[1]
        return np.matmul(self._weighted, along)

    def linearised(self, velocity: np.ndarray, *, newton: bool = True) -> sp.csr_matrix:
        """(2 n, 2 n) derivative of the convection at the nodal velocity (n, 2); without ``newton`` only w . grad u (Picard)."""
        values, slopes = self.at_quadrature(velocity)
        transport = self._transport(values)
        if not newton:
            block = self._assembled(transport)
            return sp.csr_matrix(sp.block_diag([block, block]))
        weight = self.dx[:, :, None, None] * slopes
        blocks: list[list[sp.csr_matrix]] = [[], []]
        for k in (0, 1):
            for j in (0, 1):
                local = (weight[:, :, k, j] @ self._pairs).reshape(-1, 6, 6)
                blocks[k].append(self._assembled(local + transport if k == j else local))
        return sp.csr_matrix(sp.bmat(blocks, format="csr"))

    def load(self, force: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """(n, 2) integral of f . v for a force per mass, (k, 2) points -> (k, 2) [m/s^2]."""
        places = np.stack([np.asarray(x) for x in self.velocity_basis.global_coordinates()], axis=-1)  # (ne, q, 2)
        values = np.asarray(force(places.reshape(-1, 2)), dtype=np.float64).reshape(places.shape)
        local = np.matmul(self._weighted, values)
        index = self.nodes.ravel()
        return np.stack([np.bincount(index, weights=local[:, :, k].ravel(), minlength=self.n) for k in (0, 1)], axis=1)
