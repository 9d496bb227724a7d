"""Whether second-order cells fold anywhere: the Jacobian determinant is a polynomial, which its Bezier coefficients bound from both sides.

A polynomial lies above its least coefficient, and takes the value of the coefficient in every corner. What these do not decide is halved,
whose pieces have closer bounds: A. Johnen, J.-F. Remacle and C. Geuzaine, "Geometrical validity of curvilinear finite elements", J.
Comput. Phys. 233, 2013.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, reduce
from itertools import product
from math import factorial

import numpy as np

from ...mesh.shape_functions import slopes_at

#: Type -> (axes of a simplex, degree of the determinant along it, axes of lines, degree along each).
_DEGREES = {
    "triangle6": (2, 2, 0, 0),
    "tetra10": (3, 3, 0, 0),
    "quad8": (0, 0, 2, 3),
    "quad9": (0, 0, 2, 3),
    "hexahedron20": (0, 0, 3, 5),
    "hexahedron27": (0, 0, 3, 5),
    "wedge15": (2, 4, 1, 5),
    "wedge18": (2, 4, 1, 5),
}
#: Types that are judged. Pyramids have no polynomial Jacobian.
CURVED = tuple(_DEGREES)
#: Pieces of a simplex halved along all edges: corners as pairs of corners whose middle they are.
_HALVES: dict[int, tuple[tuple[tuple[int, int], ...], ...]] = {
    2: (((0, 0), (0, 1), (0, 2)), ((1, 1), (0, 1), (1, 2)), ((2, 2), (0, 2), (1, 2)), ((0, 1), (1, 2), (0, 2))),
    3: (
        *(tuple((a, b) for b in range(4)) for a in range(4)),
        *(((0, 2), (1, 3), *pair) for pair in (((0, 1), (1, 2)), ((1, 2), (2, 3)), ((2, 3), (0, 3)), ((0, 3), (0, 1)))),
    ),
}
#: Halvings after which a cell that is not decided counts as folded: its determinant comes within 1e-4 of zero.
_LEVELS = 7


@dataclass(frozen=True, eq=False)
class _Bezier:
    """What finds the coefficients of a type.

    Attributes:
        slopes: (q, k, r) of the shape functions at as many places as there are coefficients.
        coefficients: (q, q) takes values there to coefficients.
        corners: coefficients that are values.
        halves: (q, q) each, coefficients of a piece from those of the whole.
    """

    slopes: np.ndarray
    coefficients: np.ndarray
    corners: np.ndarray
    halves: tuple[np.ndarray, ...]


def folds(name: str, corners: np.ndarray, side: np.ndarray) -> np.ndarray:
    """(m,) whether the Jacobian determinant of second-order cells is zero or of the wrong sign anywhere.

    Args:
        name: one of :data:`CURVED`.
        corners: (m, k, d) all points of every cell [m].
        side: (m,) sign that it should have.
    """
    how = _bezier(name)
    jacobian = np.einsum("qkr,mkd->mqdr", how.slopes, corners - corners[:, :1], optimize=True)
    values = side[:, None] * np.linalg.det(jacobian)
    bad = values.min(axis=1) <= 0
    left = np.flatnonzero(~bad)
    pieces = values[left] @ how.coefficients.T
    for level in range(_LEVELS + 1):
        bad[left[pieces[:, how.corners].min(axis=1) <= 0]] = True
        open_ = ~bad[left] & (pieces.min(axis=1) <= 0)
        left, pieces = left[open_], pieces[open_]
        if not len(left):
            return bad
        if level < _LEVELS:
            pieces = np.concatenate([pieces @ half.T for half in how.halves])
            left = np.tile(left, len(how.halves))
    bad[left] = True
    return bad


@cache
def _bezier(name: str) -> _Bezier:
    axes, degree, lines, line_degree = _DEGREES[name]
    sizes = [axes] * bool(axes) + [1] * lines
    exponents = [_compositions(degree if axes and k == 0 else line_degree, size + 1) for k, size in enumerate(sizes)]
    lattices = [alpha / alpha.sum(axis=1, keepdims=True) for alpha in exponents]  # barycentric coordinates
    inverse = np.linalg.inv(reduce(np.kron, map(_bernstein, exponents, lattices)))
    places = np.array(list(product(*(range(len(lattice)) for lattice in lattices))))
    # reference simplices begin at zero, lines at minus one
    parts = [lattice[places[:, k], 1:] for k, lattice in enumerate(lattices)]
    coordinates = np.concatenate([part if axes and k == 0 else 2.0 * part - 1.0 for k, part in enumerate(parts)], axis=1)
    ends = [np.flatnonzero(alpha.max(axis=1) == alpha.sum(axis=1)) for alpha in exponents]
    corners = np.array([np.ravel_multi_index(index, [len(lattice) for lattice in lattices]) for index in product(*ends)])
    halves = tuple(
        inverse @ reduce(np.kron, [_bernstein(alpha, lattice @ piece) for alpha, lattice, piece in zip(exponents, lattices, choice, strict=True)])
        for choice in product(*map(_pieces, sizes))
    )
    return _Bezier(slopes_at(name, coordinates), inverse, corners, halves)


def _compositions(total: int, parts: int) -> np.ndarray:
    """(n, parts) non-negative whole numbers of a sum."""
    return np.array([row for row in product(range(total + 1), repeat=parts) if sum(row) == total])


def _bernstein(exponents: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(q, n) Bernstein polynomials with exponents (n, c) at barycentric coordinates (q, c)."""
    total = int(exponents[0].sum())
    count = np.array([factorial(total) / np.prod([factorial(k) for k in row]) for row in exponents.tolist()])
    return count * np.prod(places[:, None, :] ** exponents, axis=2)


def _pieces(axes: int) -> list[np.ndarray]:
    """(c, c) barycentric coordinates of the corners of every piece of a halved simplex or line."""
    one = np.eye(axes + 1)
    pairs = _HALVES[axes] if axes > 1 else (((0, 0), (0, 1)), ((0, 1), (1, 1)))
    return [np.array([(one[a] + one[b]) / 2 for a, b in piece]) for piece in pairs]
