"""Steady advection and diffusion with sharp layers on equal cells, free of oscillations at any Peclet number.

a . grad(c) - D laplace(c) = f with given values on the sides. Along every axis the diffusivity is D z coth(z), z = a h / 2D
(Allen and Southwell, Quart. J. Mech. Appl. Math. 8 (1955) 129; Il'in 1969): exact at the nodes of one dimension where a and f
are constant, and a matrix with positive inverse always: without source no value lies outside the boundary's.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from ...errors import ConfigurationError, ConvergenceError
from .box_grid import BoxGrid


def steady_transport(
    grid: BoxGrid,
    velocity: Callable[[np.ndarray], np.ndarray],
    diffusivity: float,
    *,
    boundary: Callable[[np.ndarray], np.ndarray],
    source: Callable[[np.ndarray], np.ndarray] | None = None,
) -> np.ndarray:
    """Values at the nodes of a grid.

    Args:
        grid: in one or two dimensions.
        velocity: places (n, d) -> (n, d) [m/s].
        diffusivity: positive [m^2/s].
        boundary: places (n, d) on the sides -> (n,) values.
        source: places (n, d) -> (n,) [1/s]; none if None.

    Returns:
        (*(shape + 1)) values at ``grid.nodes``.

    Raises:
        ConfigurationError: a diffusivity that is not positive.
        ConvergenceError: values that are not finite: velocity, source or boundary values are not.
    """
    if not 0.0 < diffusivity < math.inf:
        raise ConfigurationError(f"diffusivity is {diffusivity}, must be positive", where="steady_transport", remedy="give D in m^2/s")
    points = grid.nodes.reshape(-1, grid.dimension)
    number = np.arange(len(points)).reshape(grid.nodes.shape[:-1])
    inner = np.zeros(number.shape, dtype=bool)
    inner[(slice(1, -1),) * grid.dimension] = True
    row = number[inner]
    speed = np.asarray(velocity(points[row]), dtype=np.float64)
    load = np.zeros(len(row)) if source is None else np.asarray(source(points[row]), dtype=np.float64)
    _refuse_unless_finite(speed, load)
    rows, columns, entries = [], [], []
    for axis, h in enumerate(grid.spacing):
        stride = int(np.prod(number.shape[axis + 1 :]))
        artificial = diffusivity * _z_coth(0.5 * speed[:, axis] * h / diffusivity)
        behind, ahead = -artificial / h**2 - 0.5 * speed[:, axis] / h, -artificial / h**2 + 0.5 * speed[:, axis] / h
        rows += [row, row, row]
        columns += [row - stride, row + stride, row]
        entries += [behind, ahead, -behind - ahead]
    size = len(points)
    matrix = sparse.csr_matrix((np.concatenate(entries), (np.concatenate(rows), np.concatenate(columns))), shape=(size, size))
    rim = number[~inner]
    values = np.zeros(size)
    values[rim] = boundary(points[rim])
    equations = matrix[row]
    values[row] = splu(equations[:, row].tocsc()).solve(load - equations[:, rim] @ values[rim])
    _refuse_unless_finite(values)
    return values.reshape(number.shape)


def _refuse_unless_finite(*values: np.ndarray) -> None:
    if not all(np.isfinite(item).all() for item in values):
        raise ConvergenceError("values are not finite", where="steady_transport", remedy="look at velocity, source and boundary values")


def _z_coth(z: np.ndarray) -> np.ndarray:
    """z coth(z), 1 at 0."""
    small = np.abs(z) < 1e-4
    safe = np.where(small, 1.0, z)
    return np.where(small, 1.0 + z**2 / 3.0, safe / np.tanh(safe))
