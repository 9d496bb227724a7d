"""Diffusion with a conductivity that depends on the solution, by Newton's method."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import skfem
from scipy.sparse import csr_matrix

from ..errors import ConvergenceError, FieldError
from ..mesh.mesh import Mesh
from .diffusion import Diffusion
from .solving import LinearSystem
from .space import Coefficient, Space

#: A function of the solution: (m,) values -> (m,) values.
Law = Callable[[np.ndarray], np.ndarray]

_STEPS, _HALVINGS = 40, 12
_ROUNDING = 1e-14  # of the sum of magnitudes in every equation


@skfem.BilinearForm
def _tangent(u, v, w):
    flow = w.conductivity * u.grad + (w.slope * u) * w.gradient
    return (flow * v.grad).sum(axis=0)


class NonlinearDiffusion:
    """-div(a(u) grad u) = f, u given on some patches, a du/dn on the others.

    Args:
        mesh: cells that fill a region, or a :class:`Space` on them.
        conductivity: a(u) > 0, element by element.
        slope: its derivative a'(u).
        degree: of the elements.
        dirichlet: patches where u is given; there must be one.

    Raises:
        InvalidMeshError, PatchError: the mesh or a patch cannot be used.
        ConfigurationError: no Dirichlet patch, or a part of the region without one.
    """

    def __init__(self, mesh: Mesh | Space, conductivity: Law, slope: Law, *, degree: int = 2, dirichlet: Sequence[str] = ("boundary",)) -> None:
        self.linear = Diffusion(mesh, degree=degree, dirichlet=dirichlet)
        self.space, self.conductivity, self.slope = self.linear.space, conductivity, slope
        if self.linear.floating:
            raise ConvergenceError(
                "without a Dirichlet patch the solution is not unique", where=self.space.mesh.name, remedy="name one: dirichlet=('PATCH',)"
            )

    def solve(
        self,
        source: Coefficient = 0.0,
        *,
        dirichlet: Mapping[str, Coefficient] | None = None,
        neumann: Mapping[str, Coefficient] | None = None,
        start: np.ndarray | None = None,
        tolerance: float = 1e-10,
    ) -> tuple[np.ndarray, tuple[float, ...]]:
        """Newton's method, each step halved until the residual falls.

        Args:
            source: f, as for :meth:`Diffusion.solve` (one column).
            dirichlet: patch -> u.
            neumann: patch -> flux into the region.
            start: (n,) first guess; None: the boundary values, harmonic inside.
            tolerance: of the residual's norm, relative to that of all loads and fluxes through the fixed unknowns where it is
                measured: a far start does not loosen it. Residuals that are rounding noise of the equations count as zero.

        Returns:
            (n,) values at the unknowns, and the norms of the residuals.

        Raises:
            ConvergenceError: it does not converge; says the residuals.
            FieldError: a(u) <= 0 on the way, or data that do not fit.
        """
        self.linear.require_conditions(dirichlet or {}, neumann or {}, {})
        right, values = self.linear.load(source, neumann=neumann), self.linear.boundary_values(dirichlet or {})
        guess = self.linear.solve(0.0, dirichlet=dirichlet) if start is None else start
        return self.solve_load(right, values, guess, tolerance=tolerance)

    def solve_load(
        self, right: np.ndarray, values: np.ndarray, start: np.ndarray, *, tolerance: float = 1e-10
    ) -> tuple[np.ndarray, tuple[float, ...]]:
        """As :meth:`solve` for a load (n,), values (k,) of the fixed unknowns ``linear.fixed`` and a first guess (n,)."""
        free, u = self.linear.free, np.array(start, dtype=np.float64)
        if right.shape != (self.space.n,) or u.shape != right.shape or values.ndim != 1:
            raise FieldError(
                f"data of {right.shape} with boundary values {values.shape} and a start of {u.shape}",
                where=self.space.mesh.name,
                remedy=f"give data of one column and a start of {self.space.n} values",
            )
        u[self.linear.fixed] = values
        residual = self.applied(u, right)
        norms = [float(np.linalg.norm(residual[free]))]
        while norms[-1] > tolerance * max(float(np.linalg.norm(residual + right)), float(np.linalg.norm(right[free]))):
            if len(norms) > _STEPS:
                raise self._failure(norms)
            tangent = self.tangent(u)
            if norms[-1] <= _ROUNDING * float(np.linalg.norm(abs(tangent) @ np.abs(u))):
                break
            step = LinearSystem(tangent[free][:, free], self.space.mesh.name, symmetric=False).solve(-residual[free])
            u, residual = self._damped(u, step, right, norms)
            norms.append(float(np.linalg.norm(residual[free])))
        return u, tuple(norms)

    def _damped(self, u: np.ndarray, step: np.ndarray, right: np.ndarray, norms: list[float]) -> tuple[np.ndarray, np.ndarray]:
        free, share = self.linear.free, 1.0
        for _ in range(_HALVINGS):
            tried = u.copy()
            tried[free] += share * step
            residual = self.applied(tried, right)
            if np.linalg.norm(residual[free]) < (1.0 - 0.1 * share) * norms[-1]:
                return tried, residual
            share *= 0.5
        raise self._failure(norms)

    def _failure(self, norms: list[float]) -> ConvergenceError:
        return ConvergenceError(
            f"Newton's method stopped after {len(norms) - 1} steps, residuals {', '.join(f'{x:.1e}' for x in norms[-4:])}",
            where=self.space.mesh.name,
            remedy="start from the solution for a smaller source: start=u, or check that slope is the derivative of conductivity",
        )

    def _at(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(nc, q) values, (nc, q) conductivity and (d, nc, q) gradient at the quadrature points."""
        field = self.space.basis.interpolate(u)
        value = np.asarray(field)
        a = np.asarray(self.conductivity(value.reshape(-1)), dtype=np.float64).reshape(value.shape)
        if not (a > 0).all():
            raise FieldError(
                f"a(u) is {a.min():.3g} somewhere", where=self.space.mesh.name, remedy="give a conductivity that is positive for every u"
            )
        return value, a, field.grad

    def applied(self, u: np.ndarray, right: np.ndarray | float = 0.0) -> np.ndarray:
        """(n,) int a(u) grad u . grad v - right, rows of fixed unknowns too."""
        _, a, gradient = self._at(u)
        return moments_of_gradient(self.space, a * gradient) - right

    def tangent(self, u: np.ndarray) -> csr_matrix:
        """(n, n) derivative of :meth:`applied`."""
        value, a, gradient = self._at(u)
        slope = np.asarray(self.slope(value.reshape(-1)), dtype=np.float64).reshape(value.shape)
        return skfem.asm(_tangent, self.space.basis, conductivity=a, slope=slope, gradient=gradient).tocsr()


def moments_of_gradient(space: Space, flow: np.ndarray) -> np.ndarray:
    """(n,) integrals of q . grad v from q (d, nc, q) at the quadrature points."""
    basis, answer = space.basis, np.zeros(space.n)
    for k, dofs in enumerate(basis.element_dofs):
        local = ((flow * basis.basis[k][0].grad).sum(axis=0) * basis.dx).sum(axis=1)
        answer += np.bincount(dofs, weights=local, minlength=space.n)
    return answer
