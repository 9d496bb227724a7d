"""The stiffness of a mesh as a body: diffusion of each component, or linear elasticity, with a modulus per cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from ...fem.domain import Domain
from ...fem.elasticity import Displacements, Pattern
from ...mesh.mesh import Mesh


@dataclass(frozen=True, eq=False)
class CellForms:
    """Matrices over the points of a mesh: linear elements, quadratic ones where the cells are quadratic.

    Attributes:
        domain: the cells; wedges, pyramids and mixed cells cut as :mod:`geoop.fem.simplices` does.
        gradients: (nc, q, d, a) of the shape functions [1/m].
        weights: (nc, q) measure of every quadrature point [m^d].
        pattern: where entries of the cells go, in numbers of the points of the mesh.
    """

    domain: Domain
    gradients: np.ndarray
    weights: np.ndarray
    pattern: Pattern

    @classmethod
    def of(cls, mesh: Mesh) -> CellForms:
        """The forms of a mesh.

        Raises:
            InvalidMeshError: cells that have no element, or that fold over themselves.
        """
        domain = Domain.of(mesh)
        elements = Displacements.of(mesh, 2 if len(domain.nodes) > len(domain.vertices) else 1)
        connectivity = elements.space.domain.nodes[elements.connectivity]
        return cls(elements.space.domain, elements.gradients, elements.weights, Pattern.of(connectivity, len(mesh.points)))

    @property
    def measures(self) -> np.ndarray:
        """(nc,) of the cells [m^d]."""
        return self.weights.sum(axis=1)

    def diffusion(self, scale: np.ndarray) -> sp.csr_array:
        """(n, n) int k grad N_a . grad N_b dV, with k (nc,) per cell."""
        return self.pattern.matrix(self.pattern.summed(np.sum([self._products(k, k, scale) for k in range(self.gradients.shape[2])], axis=0)))

    def elasticity(self, scale: np.ndarray, poisson: float) -> sp.csr_array:
        """(n d, n d) of Hooke's law with Young's modulus (nc,) per cell, in plane strain in 2-D; component i of point a at d a + i."""
        d = self.gradients.shape[2]
        shear, bulk = 0.5 / (1 + poisson), poisson / ((1 + poisson) * (1 - 2 * poisson))
        products = {(i, j): self._products(i, j, scale) for i in range(d) for j in range(i + 1)}
        along = shear * sum(products[i, i] for i in range(d))
        blocks = np.empty((len(self.pattern.indices), d, d))
        for (i, j), product in products.items():
            local = bulk * product + shear * product.transpose(0, 2, 1)
            blocks[:, i, j] = self.pattern.summed(local + along if i == j else local)
            if i != j:
                blocks[:, j, i] = self.pattern.summed(local.transpose(0, 2, 1))
        return self.pattern.matrix(blocks)

    def _products(self, i: int, j: int, scale: np.ndarray) -> np.ndarray:
        """(nc, a, a) int s dN_a/dx_i dN_b/dx_j dV."""
        left = (self.gradients[:, :, i] * (self.weights * scale[:, None])[:, :, None]).transpose(0, 2, 1)
        return np.matmul(left, self.gradients[:, :, j])
