"""What follows from velocity and pressure on Taylor-Hood elements: values at points, vorticity, stream function, traction."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
import skfem
from scipy.sparse.linalg import splu

from .point_location import element_nodes, located, quadratic_shape, quadratic_slopes
from .taylor_hood import ORDER, TaylorHood

#: Reference places of the six nodes: corners, then the middles of the edges 01, 12, 02.
_NODES = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.5, 0.0], [0.5, 0.5], [0.0, 0.5]])


def _linear_shape(xi: np.ndarray) -> np.ndarray:
    return np.stack([1.0 - xi[:, 0] - xi[:, 1], xi[:, 0], xi[:, 1]], axis=1)


def evaluated(space: TaylorHood, unknowns: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Velocity (k, 2) and kinematic pressure (k,) of unknowns (2 n + m,) at points (k, 2); NaN outside the domain."""
    points = np.atleast_2d(np.asarray(points, dtype=np.float64))
    cell, xi = located(space.domain, points)
    velocity, pressure = space.split(unknowns)
    u = np.einsum("ki,kid->kd", quadratic_shape(xi), velocity[space.nodes[cell]])
    p = (_linear_shape(xi) * pressure[space.corners[cell]]).sum(axis=1)
    u[cell < 0], p[cell < 0] = np.nan, np.nan
    return u, p


def at_nodes(space: TaylorHood, values: np.ndarray) -> np.ndarray:
    """(n,) values at all nodes of a linear function given at the vertices (m,)."""
    out = np.zeros(space.n)
    out[space.nodes] = values[space.corners] @ _linear_shape(_NODES).T
    return out


def vorticity(space: TaylorHood, velocity: np.ndarray) -> np.ndarray:
    """(n,) dv/dx - du/dy [1/s] of nodal velocities (n, 2): at every node the mean over its elements, weighted by their area."""
    places, local = element_nodes(space.domain), velocity[space.nodes]
    area, total, weight = space.dx.sum(axis=1), np.zeros(space.n), np.zeros(space.n)
    slopes = quadratic_slopes(_NODES)
    for i in range(6):
        jacobian = np.einsum("eid,ij->edj", places, slopes[i])
        change = np.einsum("eik,ij->ekj", local, slopes[i])
        gradient = change @ np.linalg.inv(jacobian)
        curl = gradient[:, 1, 0] - gradient[:, 0, 1]
        total += np.bincount(space.nodes[:, i], weights=area * curl, minlength=space.n)
        weight += np.bincount(space.nodes[:, i], weights=area, minlength=space.n)
    return total / weight


def stream_function(space: TaylorHood, velocity: np.ndarray) -> np.ndarray:
    """(n,) psi [m^2/s] with (grad psi, grad q) = (-v dq/dx + u dq/dy) for all q of P2, zero at the first vertex.

    Natural conditions: the flow through the boundary is the velocity's own, so that walls come out as stream lines.
    """
    values, _ = space.at_quadrature(velocity)
    local = np.matmul(space.gradient[1].transpose(0, 2, 1), (space.dx * values[:, :, 0])[:, :, None])
    local -= np.matmul(space.gradient[0].transpose(0, 2, 1), (space.dx * values[:, :, 1])[:, :, None])
    right = np.bincount(space.nodes.ravel(), weights=local.ravel(), minlength=space.n)
    psi = np.zeros(space.n)
    psi[1:] = splu(sp.csc_matrix(space.stiffness[1:, 1:])).solve(right[1:])
    return psi


def surface_force(space: TaylorHood, unknowns: np.ndarray, viscosity: float, patches: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Force per density on patches by integration of the stress there.

    Args:
        space: elements.
        unknowns: (2 n + m,).
        viscosity: kinematic [m^2/s].
        patches: to integrate over.

    Returns:
        (2,) by pressure and (2,) by the viscous stress nu (grad u + grad u^T), on the patch (the fluid's normal points into it),
        [m^3/s^2] per metre of depth.
    """
    facets = space.domain.facets(*patches)
    bases = [skfem.FacetBasis(space.domain.grid, element, facets=facets, intorder=ORDER) for element in (skfem.ElementTriP2(), skfem.ElementTriP1())]
    velocity, pressure = space.split(unknowns)
    slopes = np.stack([np.asarray(bases[0].interpolate(np.ascontiguousarray(velocity[:, k])).grad) for k in (0, 1)])  # (k, l, f, q)
    p, normal, dx = np.asarray(bases[1].interpolate(pressure)), np.asarray(bases[0].normals), bases[0].dx
    by_pressure = np.einsum("kfq,fq->k", normal * p, dx)
    by_friction = -viscosity * np.einsum("klfq,lfq,fq->k", slopes + slopes.transpose(1, 0, 2, 3), normal, dx)
    return by_pressure, by_friction
