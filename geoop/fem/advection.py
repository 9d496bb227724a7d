"""Advection and diffusion on linear triangles or tetrahedra, stabilised along the streamlines (SUPG)."""

from __future__ import annotations

import numpy as np
import skfem
from scipy.sparse import csr_matrix

from ..errors import ConfigurationError
from .space import Function, Space


@skfem.BilinearForm
def _carried(u, v, w):
    tested = v + w.delay * (w.velocity * v.grad).sum(axis=0)
    return w.diffusivity * (u.grad * v.grad).sum(axis=0) + (w.velocity * u.grad).sum(axis=0) * tested


@skfem.BilinearForm
def _stored(u, v, w):
    return u * (v + w.delay * (w.velocity * v.grad).sum(axis=0))


@skfem.LinearForm
def _fed(v, w):
    return w.source * (v + w.delay * (w.velocity * v.grad).sum(axis=0))


class StreamlineForms:
    """Matrices of a . grad(c) - D laplace(c) tested with v + tau a . grad(v).

    tau = h/(2|a|) (coth P - 1/P), P = |a| h/(2D), h the length of the cell along the flow (A. N. Brooks, T. J. R. Hughes,
    "Streamline upwind/Petrov-Galerkin formulations", Comput. Methods Appl. Mech. Eng. 32, 1982). On linear cells the second
    derivatives inside vanish, so that the exact solution still satisfies the equations.

    Args:
        space: of degree 1.
        velocity: (m, d) points -> (m, d) [m/s].
        diffusivity: positive [m^2/s].

    Raises:
        ConfigurationError: elements of degree 2, or a diffusivity that is not positive.
    """

    def __init__(self, space: Space, velocity: Function, diffusivity: float) -> None:
        if space.degree != 1 or not 0.0 < diffusivity < np.inf:
            raise ConfigurationError(
                f"elements of degree {space.degree} with diffusivity {diffusivity}",
                where=space.mesh.name,
                remedy="take Space.of(mesh, 1) and a positive diffusivity in m^2/s",
            )
        self.space = space
        shape = np.asarray(space.basis.dx).shape
        a = np.moveaxis(np.asarray(velocity(space.quadrature_points), dtype=np.float64).reshape(*shape, -1), -1, 0)
        speed = np.sqrt((a**2).sum(axis=0))
        spread = sum(np.abs((a * basis[0].grad).sum(axis=0)) for basis in space.basis.basis)
        with np.errstate(divide="ignore", invalid="ignore"):
            peclet = np.where(spread > 0.0, speed**2 / spread, 0.0) / diffusivity  # |a| h / 2D with h = 2 |a| / spread
            share = np.where(peclet > 1e-3, 1.0 / np.tanh(peclet) - 1.0 / peclet, peclet / 3.0)
            delay = np.where(spread > 0.0, share / spread, 0.0)
        self._data = {"velocity": a, "diffusivity": diffusivity, "delay": delay}

    @property
    def stiffness(self) -> csr_matrix:
        """(n, n) matrix of advection and diffusion."""
        return skfem.asm(_carried, self.space.basis, **self._data).tocsr()

    @property
    def mass(self) -> csr_matrix:
        """(n, n) matrix of the time derivative."""
        return skfem.asm(_stored, self.space.basis, **self._data).tocsr()

    def load(self, source: Function) -> np.ndarray:
        """(n,) right-hand side of a source [1/s] times the unit of c."""
        shape = np.asarray(self.space.basis.dx).shape
        values = np.asarray(source(self.space.quadrature_points), dtype=np.float64).reshape(shape)
        return skfem.asm(_fed, self.space.basis, source=values, **self._data)
