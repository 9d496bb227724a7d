"""Integrals, fluxes and errors of functions of a space."""

from __future__ import annotations

import numpy as np

from .sampling import conducted, sampled
from .space import Coefficient, Function, Space


def integral(space: Space, values: np.ndarray) -> float:
    """Integral over the region of a function with values (n,) at the unknowns [its unit times m^d]."""
    return float(space.quadrature_weights @ space.at_quadrature(values))


def patch_integral(space: Space, patch: str, values: np.ndarray) -> float:
    """Integral over a patch [its unit times m^(d-1)]."""
    basis = space.facet_basis(patch)
    return float((np.asarray(basis.interpolate(values)) * basis.dx).sum())


def patch_flux(space: Space, patch: str, values: np.ndarray, conductivity: Coefficient = 1.0) -> float:
    """Integral of conductivity times outward normal derivative over a patch, from the gradient in the cells.

    Of order ``degree``; what :meth:`geoop.fem.diffusion.Diffusion.reactions` sums to is of twice that order.
    """
    basis = space.facet_basis(patch)
    flow = conducted(sampled(space, basis, conductivity, "conductivity"), basis.interpolate(values).grad)
    return float(((flow * basis.normals).sum(axis=0) * basis.dx).sum())


def l2_error(space: Space, values: np.ndarray, exact: Function) -> float:
    """L2 norm of the difference to a function of position, by the quadrature of the space."""
    difference = space.at_quadrature(values) - exact(space.quadrature_points)
    return float(np.sqrt(space.quadrature_weights @ difference**2))


def h1_error(space: Space, values: np.ndarray, gradient: Function) -> float:
    """L2 norm of the difference of the gradient to a function of position that answers (m, d): the H1 semi-norm of the error."""
    difference = space.gradient_at_quadrature(values) - gradient(space.quadrature_points)
    return float(np.sqrt(space.quadrature_weights @ (difference**2).sum(axis=1)))
