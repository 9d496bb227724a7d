"""Shape functions and quadrature of every fixed-size cell type: what lengths, areas, volumes and weights are integrated with.

Node numbers follow VTK. Reference cells: line [-1, 1]; quad and hexahedron its powers; triangle and tetra the unit simplex;
wedge triangle x line; pyramid a collapsed hexahedron (z runs from the base to the apex).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import roots_jacobi

#: Corner coordinates of quad and hexahedron, then of the mid-side nodes of their serendipity versions.
_QUAD = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
_QUAD_MID = np.array([(0, -1), (1, 0), (0, 1), (-1, 0)])
_HEXAHEDRON = np.array([(x, y, z) for z in (-1, 1) for x, y in _QUAD])
_HEXAHEDRON_MID = np.array([(x, y, z) for z in (-1, 1) for x, y in _QUAD_MID] + [(x, y, 0) for x, y in _QUAD])
_TRIANGLE_EDGES = ((0, 1), (1, 2), (2, 0))
_TETRA_EDGES = ((0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3))


@dataclass(frozen=True, eq=False)
class Reference:
    """A reference cell sampled at its quadrature points.

    Attributes:
        weights: (q,) quadrature weights.
        values: (q, k) shape functions.
        gradients: (q, k, r) their derivatives.
        shares: (k,) or None; positive shares of the measure for the nodes of a quadratic cell, whose consistent weights are
            zero or negative at corners (Hinton, Rock and Zienkiewicz 1976: in proportion to the integral of N^2).
    """

    weights: np.ndarray
    values: np.ndarray
    gradients: np.ndarray
    shares: np.ndarray | None


def _tensor(corners: np.ndarray, x: np.ndarray) -> np.ndarray:
    return np.prod(0.5 * (1 + x[:, None, :] * corners), axis=2)


def _serendipity(corners: np.ndarray, middles: np.ndarray, x: np.ndarray) -> np.ndarray:
    terms = x[:, None, :] * corners
    corner = np.prod(0.5 * (1 + terms), axis=2) * (terms.sum(axis=2) - (x.shape[1] - 1))
    factors = np.where(middles == 0, 1 - x[:, None, :] ** 2, 0.5 * (1 + x[:, None, :] * middles))
    return np.concatenate([corner, np.prod(factors, axis=2)], axis=1)


def _simplex(x: np.ndarray) -> np.ndarray:
    return np.concatenate([1 - x.sum(axis=1, keepdims=True), x], axis=1)


def _simplex2(edges: tuple[tuple[int, int], ...], x: np.ndarray) -> np.ndarray:
    l = _simplex(x)
    return np.concatenate([l * (2 * l - 1), np.stack([4 * l[:, a] * l[:, b] for a, b in edges], axis=1)], axis=1)


def _line3(x: np.ndarray) -> np.ndarray:
    return np.concatenate([0.5 * x * (x - 1), 0.5 * x * (x + 1), 1 - x**2], axis=1)


def _quad9(x: np.ndarray) -> np.ndarray:
    r, s = _line3(x[:, :1]), _line3(x[:, 1:])
    nodes = [(0, 0), (1, 0), (1, 1), (0, 1), (2, 0), (1, 2), (2, 1), (0, 2), (2, 2)]
    return np.stack([r[:, a] * s[:, b] for a, b in nodes], axis=1)


def _wedge(x: np.ndarray) -> np.ndarray:
    triangle, z = _simplex(x[:, :2]), x[:, 2:]
    return np.concatenate([triangle * (1 - z) / 2, triangle * (1 + z) / 2], axis=1)


def _pyramid(x: np.ndarray) -> np.ndarray:
    z = (1 + x[:, 2:]) / 2
    return np.concatenate([_tensor(_QUAD, x[:, :2]) * (1 - z), z], axis=1)


def _wedge15(x: np.ndarray) -> np.ndarray:
    l, z = _simplex(x[:, :2]), x[:, 2:]
    corners = [l * (1 + sign * z) * (2 * l - 2 + sign * z) / 2 for sign in (-1, 1)]
    pairs = np.stack([l[:, a] * l[:, b] for a, b in _TRIANGLE_EDGES], axis=1)
    return np.concatenate([*corners, 2 * pairs * (1 - z), 2 * pairs * (1 + z), l * (1 - z**2)], axis=1)


def _wedge18(x: np.ndarray) -> np.ndarray:
    flat, z = _simplex2(_TRIANGLE_EDGES, x[:, :2]), _line3(x[:, 2:])
    bottom, top, middle = (flat * z[:, k : k + 1] for k in range(3))
    return np.concatenate([bottom[:, :3], top[:, :3], bottom[:, 3:], top[:, 3:], middle], axis=1)


def _hexahedron27(x: np.ndarray) -> np.ndarray:
    lines = [_line3(x[:, k : k + 1]) for k in range(3)]  # nodes -1, 1, 0
    faces = np.array([(-1, 0, 0), (1, 0, 0), (0, -1, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1), (0, 0, 0)])
    nodes = np.concatenate([_HEXAHEDRON, _HEXAHEDRON_MID, faces])
    place = np.where(nodes == 0, 2, np.where(nodes < 0, 0, 1))
    return np.prod([line[:, place[:, k]] for k, line in enumerate(lines)], axis=0)


def _pyramid13(x: np.ndarray) -> np.ndarray:
    """Bedrosian's rational functions (1992), which are polynomials in the collapsed coordinates."""
    flat, t = x[:, None, :2], (1 + x[:, 2:]) / 2
    tensor = _tensor(_QUAD, x[:, :2])
    corners = tensor * (1 - t) * ((flat * _QUAD).sum(axis=2) * (1 - t) - 1)
    factors = np.where(_QUAD_MID == 0, 1 - flat**2, 0.5 * (1 + flat * _QUAD_MID))
    return np.concatenate([corners, t * (2 * t - 1), np.prod(factors, axis=2) * (1 - t) ** 2, 4 * tensor * t * (1 - t)], axis=1)


def _box_rule(dimension: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre product on [-1, 1]^dimension."""
    x, w = np.polynomial.legendre.leggauss(count)
    grids = np.meshgrid(*[x] * dimension, indexing="ij")
    weights = np.meshgrid(*[w] * dimension, indexing="ij")
    return np.stack([g.ravel() for g in grids], axis=1), np.prod([g.ravel() for g in weights], axis=0)


def _simplex_rule(dimension: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Conical product of Gauss-Jacobi rules on the unit simplex (Stroud 1971): exact to degree 2 count - 1."""
    points, weights = np.zeros((1, 0)), np.ones(1)
    for axis in range(dimension):
        power = dimension - 1 - axis
        x, w = roots_jacobi(count, power, 0)
        x, w = (1 + x) / 2, w / 2 ** (power + 1)
        left = 1 - points.sum(axis=1)
        points = np.concatenate([np.repeat(points, count, axis=0), (left[:, None] * x).reshape(-1, 1)], axis=1)
        weights = (weights[:, None] * w).ravel()
    return points, weights


def _wedge_rule(count: int) -> tuple[np.ndarray, np.ndarray]:
    flat, a = _simplex_rule(2, count)
    z, b = np.polynomial.legendre.leggauss(count)
    points = np.concatenate([np.repeat(flat, count, axis=0), np.tile(z, len(flat))[:, None]], axis=1)
    return points, (a[:, None] * b).ravel()


_Shape = Callable[[np.ndarray], np.ndarray]
#: name -> (shape functions, rule). The rules integrate area vectors and volumes exactly (they are polynomials of the nodes).
_CELLS: dict[str, tuple[_Shape, Callable[[], tuple[np.ndarray, np.ndarray]]]] = {
    "line": (lambda x: np.concatenate([0.5 * (1 - x), 0.5 * (1 + x)], axis=1), lambda: _box_rule(1, 1)),
    "line3": (_line3, lambda: _box_rule(1, 4)),
    "triangle": (_simplex, lambda: _simplex_rule(2, 1)),
    "triangle6": (lambda x: _simplex2(_TRIANGLE_EDGES, x), lambda: _simplex_rule(2, 4)),
    "quad": (lambda x: _tensor(_QUAD, x), lambda: _box_rule(2, 2)),
    "quad8": (lambda x: _serendipity(_QUAD, _QUAD_MID, x), lambda: _box_rule(2, 3)),
    "quad9": (_quad9, lambda: _box_rule(2, 3)),
    "tetra": (_simplex, lambda: _simplex_rule(3, 1)),
    "tetra10": (lambda x: _simplex2(_TETRA_EDGES, x), lambda: _simplex_rule(3, 4)),
    "hexahedron": (lambda x: _tensor(_HEXAHEDRON, x), lambda: _box_rule(3, 2)),
    "hexahedron20": (lambda x: _serendipity(_HEXAHEDRON, _HEXAHEDRON_MID, x), lambda: _box_rule(3, 3)),
    "wedge": (_wedge, lambda: _wedge_rule(2)),
    "wedge15": (_wedge15, lambda: _wedge_rule(4)),
    "wedge18": (_wedge18, lambda: _wedge_rule(4)),
    "hexahedron27": (_hexahedron27, lambda: _box_rule(3, 4)),
    "pyramid": (_pyramid, lambda: _box_rule(3, 2)),
    "pyramid13": (_pyramid13, lambda: _box_rule(3, 5)),
}
_QUADRATIC = {"line3", "triangle6", "quad8", "quad9", "tetra10", "hexahedron20", "wedge15", "wedge18", "hexahedron27", "pyramid13"}


@cache
def reference_cell(name: str) -> Reference:
    """The reference cell of a fixed-size type with r >= 1 reference axes (``vertex``, ``polygon`` and ``polyhedron`` have none)."""
    shape, rule = _CELLS[name]
    points, weights = rule()
    values, gradients = shape(points), slopes_at(name, points)
    shares = None
    if name in _QUADRATIC:
        shares = weights @ values**2
        shares = shares / shares.sum()
    return Reference(weights, values, gradients, shares)


def slopes_at(name: str, places: np.ndarray) -> np.ndarray:
    """(q, k, r) derivatives of the shape functions of a fixed-size type at places (q, r) of its reference cell."""
    shape, step = _CELLS[name][0], 1e-30  # the complex step differentiates polynomials to the last digit
    return np.stack([shape(places + 1j * step * axis).imag / step for axis in np.eye(places.shape[1])], axis=2)
