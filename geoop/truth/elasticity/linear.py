"""Linear elasticity: one stiffness matrix, one factorisation for all loads on the same supports."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import SuperLU, splu

from ...errors import ConditionError, ConvergenceError
from ...fem.elastic_laws import Law, LinearElastic
from ...fem.elasticity import Displacements
from ...mesh.mesh import Mesh
from .loads import Loads, held, load_vector
from .solution import ElasticSolution


class LinearElasticity:
    """A linear elastic body, solved for any number of loads.

    The stiffness matrix is made once; its factorisation is kept as long as the same components of the same nodes are held,
    whatever their displacement is.

    Args:
        mesh: triangles, quads, tetrahedra or hexahedra, linear or quadratic (:func:`geoop.mesh.generate.quadratic.quadratic`
            raises linear ones and puts their sides on a curve).
        law: plane stress, plane strain or solid.
        degree: of the displacement, 1 or 2. Degree 1 loses 8 % of the stress at a hole on a mesh of 1000 nodes: take 2.

    Raises:
        InvalidMeshError: cells that have no element.
        ConditionError: the law is of another dimension than the mesh.
        ConfigurationError: another degree.
    """

    def __init__(self, mesh: Mesh, law: LinearElastic, *, degree: int = 2) -> None:
        self.law = law
        self.displacements = Displacements.of(mesh, degree)
        require_dimension(self.displacements, law)
        self._held: np.ndarray | None = None
        self._factors: SuperLU | None = None

    @cached_property
    def stiffness(self) -> sparse.csr_array:
        """(n d, n d) matrix of all components [N/m; Pa in 2-D]."""
        return self.displacements.stiffness(self.law.tangent())

    def solve(self, loads: Loads) -> ElasticSolution:
        """The displacement under given loads.

        Raises:
            ConditionError: loads that do not fit the mesh, or a body that is not held.
            ConvergenceError: the factorisation lost all digits.
        """
        fixed, value = held(self.displacements, loads)
        force = load_vector(self.displacements, loads)
        free = ~fixed.ravel()
        if self._factors is None or not np.array_equal(fixed, self._held):
            self._factors = factorised(self.stiffness[free][:, free], self.displacements.space.mesh.name)
            self._held = fixed
        unknown = value.ravel().copy()
        right = (force.ravel() - self.stiffness @ unknown)[free]
        unknown[free] = self._factors.solve(right)
        residual = self.stiffness @ unknown - force.ravel()
        require_small(residual[free], np.abs(self.stiffness) @ np.abs(unknown), self.displacements.space.mesh.name)
        return ElasticSolution(self.displacements, self.law, loads, unknown.reshape(value.shape), residual.reshape(value.shape), force, fixed)


def factorised(matrix: sparse.csr_array, where: str) -> SuperLU:
    """Sparse factors of a matrix with a symmetric pattern.

    Raises:
        ConvergenceError: it is singular.
    """
    try:
        return splu(sparse.csc_matrix(matrix), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    except RuntimeError as error:
        raise ConvergenceError("the stiffness matrix is singular", where=where, remedy="hold the body, or remove cells without area") from error


def require_dimension(displacements: Displacements, law: Law) -> None:
    """Raise :class:`ConditionError` unless law and mesh are both of the plane or both of space."""
    if law.dimension != displacements.dimension:
        raise ConditionError(
            f"a law for {law.state} on a mesh in {displacements.dimension}-D",
            where=displacements.space.mesh.name,
            remedy=f"give state {'solid' if displacements.dimension == 3 else 'plane stress or plane strain'}",
        )


def require_small(residual: np.ndarray, terms: np.ndarray, where: str) -> None:
    """Raise :class:`ConvergenceError` where the equations are not met to seven digits of their terms."""
    worst = float(np.abs(residual).max(initial=0.0))
    if not worst <= 1e-7 * float(terms.max(initial=0.0)):
        raise ConvergenceError(
            f"equilibrium is missed by {worst:.2g} of forces up to {terms.max():.2g}", where=where, remedy="look for slivers: `geoop inspect`"
        )
