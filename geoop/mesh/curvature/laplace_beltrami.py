"""The Laplace-Beltrami operator of surfaces and curves that are known as points, as a sparse matrix, and curvature of curves from points."""

from __future__ import annotations

from itertools import product

import numpy as np
from scipy import sparse
from scipy.spatial import KDTree

from ...axes import check
from ...errors import ConfigurationError, NonFiniteError, ShapeError
from ..topology import welded
from .cloud import cloud_normals
from .jets import frames

_BLOCK = 20_000  # points that are fitted at once
_RIDGE = 1e-13  # relative: keeps a fit to collinear neighbours finite, changes no sound one


def cloud_laplacian(points: np.ndarray, normals: np.ndarray | None = None, *, neighbors: int | None = None, degree: int = 4) -> sparse.csr_array:
    """(n, n) matrix of the Laplace-Beltrami operator on the surface or curve that the points lie on: ``matrix @ u`` is Delta_g u.

    Around every point the others are z = h(x) over a plane near the tangent plane. With the metric g_ij = delta_ij + h_i h_j of that patch

        Delta_g u = |g|^(-1/2) d_i (|g|^(1/2) g^ij d_j u) = g^ij u_ij - (g^ij h_ij) (h_k u_k) / (1 + |dh|^2)

    and all derivatives, of h and of u, come from one weighted least-squares polynomial through the nearest points (Quackenbush and Atzberger,
    arXiv 2404.10843; the fit is that of Cazals and Pouget 2005). A row holds one weight per neighbour and gives 0 for constants. On a curve in the
    plane this is d^2u/ds^2 by arc length. Second derivatives of a fit of degree d err by O(h^(d - 1)), one order better on nearly even points of
    even degree. The matrix is not symmetric, and its largest eigenvalues grow as 1/h^2.

    Args:
        points: (n, 3) on a surface or (n, 2) on a curve [m]; those at equal coordinates count once.
        normals: (n, d) unit normals on one side of the body: neighbours on the other sheet of a thin body (normals at more than a right angle)
            are then left out. None estimates planes and takes all neighbours.
        neighbors: points in every fit, itself included; None takes twice as many as the polynomial has coefficients.
        degree: of the polynomial, 2 to 5.

    Raises:
        ShapeError: points or normals of another shape.
        NonFiniteError: NaN or infinite numbers.
        ConfigurationError: fewer different points or neighbours than the polynomial has coefficients, or another degree.
    """
    points, normals, first, place, count = _checked(points, normals, neighbors, degree)
    near, weights = [], []
    for rows, index, patch in _patches(points, normals, count, degree):
        h, fit = patch
        near.append(index)
        weights.append(_laplacian_rows(h, fit, points.shape[1] - 1))
        assert len(rows) == len(index)
    index, weight = np.concatenate(near), np.concatenate(weights)
    matrix = sparse.csr_array((weight.ravel(), (np.repeat(np.arange(len(index)), count), index.ravel())), shape=(len(points), len(points)))
    if len(place) == len(points) and (place == np.arange(len(points))).all():
        return matrix
    spread = sparse.csr_array((np.ones(len(first)), (np.arange(len(first)), first)), shape=(len(first), len(place)))
    return sparse.csr_array(matrix[place] @ spread)


def curve_curvature(points: np.ndarray, normals: np.ndarray, *, neighbors: int | None = None, degree: int = 4) -> np.ndarray:
    """(n,) curvature of the plane curve that (n, 2) points lie on, in any order [1/m]: 1/R on a circle with outward normals.

    kappa = -h'' / (1 + h'^2)^(3/2), from the polynomial of :func:`cloud_laplacian`. For outlines whose lines are known, see
    :func:`geoop.mesh.curvature.outline_curvature`.

    Args:
        points: (n, 2) [m].
        normals: (n, 2) unit normals: they say which side is out, and which neighbours lie on the other side of a thin body.
        neighbors: as for :func:`cloud_laplacian`.
        degree: as for :func:`cloud_laplacian`.

    Raises:
        ShapeError: not (n, 2).
        NonFiniteError: as :func:`cloud_laplacian`.
        ConfigurationError: as :func:`cloud_laplacian`.
    """
    check({"n": len(points)}, points=(np.asarray(points), "n 2"))
    points, normals, _, place, count = _checked(points, normals, neighbors, degree)
    parts = [-h[:, 1] / (1 + h[:, 0] ** 2) ** 1.5 for _, _, (h, _) in _patches(points, normals, count, degree)]
    return np.concatenate(parts)[place]


def _laplacian_rows(h: np.ndarray, fit: np.ndarray, m: int) -> np.ndarray:
    """(b, k) weights of the neighbours, from derivatives of the height (b, q) and the rows (b, q, k) that give those of any function."""
    slope = h[:, :m]
    pairs = [(i, j) for i in range(m) for j in range(i, m)]
    squared = 1 + (slope**2).sum(axis=1)
    # inverse metric: delta_ij - h_i h_j / (1 + |dh|^2); a mixed derivative counts twice
    inverse = np.stack([((i == j) - slope[:, i] * slope[:, j] / squared) * (1 if i == j else 2) for i, j in pairs], axis=1)
    bend = (inverse * h[:, m:]).sum(axis=1) / squared
    return np.einsum("bq,bqk->bk", inverse, fit[:, m:]) - np.einsum("b,bi,bik->bk", bend, slope, fit[:, :m])


def _patches(points: np.ndarray, normals: np.ndarray | None, count: int, degree: int):
    """Blocks of rows, their neighbours (b, k), and: derivatives of the height (b, q), rows (b, q, k) giving derivatives of a function.

    The derivatives are the m first ones, then the second ones in the order 11, 12, 22.
    """
    m = points.shape[1] - 1
    powers = [p for p in product(range(degree + 1), repeat=m) if sum(p) <= degree]
    powers.sort(key=lambda p: (sum(p), tuple(-a for a in p)))
    exponent = np.array(powers)
    factor = np.array([2.0 if max(p) == 2 else 1.0 for p in powers])  # d^2/dx^2 of x^2 is 2
    wanted = np.array([i for i, p in enumerate(powers) if 1 <= sum(p) <= 2])
    planes = _normals(points, count) if normals is None else normals
    tree = KDTree(points)
    for at in range(0, len(points), _BLOCK):
        rows = np.arange(at, min(at + _BLOCK, len(points)))
        index = np.asarray(tree.query(points[rows], k=count)[1]).reshape(len(rows), count)
        frame = frames(planes[rows]) if m == 2 else np.stack([np.stack([planes[rows, 1], -planes[rows, 0]], 1), planes[rows]], 1)
        offset = points[index] - points[rows][:, None]
        radius = np.linalg.norm(offset, axis=2).max(axis=1)
        local = np.einsum("bad,bkd->bka", frame, offset / radius[:, None, None])
        x, z = local[:, :, :m], local[:, :, m]
        weight = 1.0 / (0.2 + (x**2).sum(axis=2)) ** 2
        if normals is not None:
            same = np.einsum("bd,bkd->bk", normals[rows], normals[index]) > 0
            # at a sharp edge too few may be left to fix the fit: then all count
            weight = np.where(same.sum(axis=1, keepdims=True) >= len(exponent), weight * same, weight)
        fit = _derivatives(x, weight, exponent)[:, wanted] * factor[wanted, None]
        fit = fit / radius[:, None, None] ** exponent[wanted].sum(axis=1)[:, None]
        yield rows, index, (np.einsum("bqk,bk->bq", fit, z * radius[:, None]), fit)


def _derivatives(x: np.ndarray, weight: np.ndarray, exponent: np.ndarray) -> np.ndarray:
    """(b, q, k) rows which turn values at the neighbours (b, k, m) into coefficients of the fitted polynomial."""
    monomials = np.prod(x[:, :, None, :] ** exponent, axis=3)
    weighted = monomials * weight[:, :, None]
    moments = np.einsum("bkp,bkq->bpq", weighted, monomials, optimize=True)
    scale = np.sqrt(np.einsum("bpp->bp", moments))
    scale = np.where(scale > 0, scale, 1.0)
    moments = moments / (scale[:, :, None] * scale[:, None, :]) + _RIDGE * np.eye(len(exponent))
    rows = np.linalg.solve(moments, np.swapaxes(weighted, 1, 2) / scale[:, :, None]) / scale[:, :, None]
    # a constant has no derivatives: exactly, not up to the ridge, because weights of order 1/h^2 multiply the error
    correction = rows.sum(axis=2, keepdims=True) * weight[:, None, :] / weight.sum(axis=1)[:, None, None]
    return rows - np.where(exponent.sum(axis=1)[:, None] > 0, correction, 0.0)


def _normals(points: np.ndarray, count: int) -> np.ndarray:
    """(n, d) unit normals of either sign: all that a fit without sides needs."""
    if points.shape[1] == 3:
        return cloud_normals(points, neighbors=max(count // 2, 6))
    near = np.asarray(KDTree(points).query(points, k=min(5, count))[1])
    x = points[near] - points[near].mean(axis=1, keepdims=True)
    return np.linalg.eigh(np.einsum("nki,nkj->nij", x, x))[1][:, :, 0]


def _checked(points, normals, neighbors, degree) -> tuple[np.ndarray, np.ndarray | None, np.ndarray, np.ndarray, int]:
    """Different points, their unit normals, the first row of each, which of them each row is, and the number of neighbours."""
    points = np.asarray(points, dtype=np.float64)
    check(points=(points, "n d"))
    if points.shape[1] not in (2, 3):
        raise ShapeError(f"points have shape {points.shape}", where="cloud_laplacian", remedy="give (n, 3) on a surface or (n, 2) on a curve")
    if degree not in (2, 3, 4, 5):
        raise ConfigurationError(f"degree is {degree}", where="cloud_laplacian", remedy="give 2, 3, 4 or 5")
    if normals is not None:
        normals = np.asarray(normals, dtype=np.float64)
        check({"n": len(points), "d": points.shape[1]}, normals=(normals, "n d"))
    if not np.isfinite(points).all() or (normals is not None and not np.isfinite(normals).all()):
        raise NonFiniteError("points or normals are NaN or infinite", where="cloud_laplacian", remedy="drop those rows first")
    first, place = np.unique(welded(points), return_inverse=True)
    terms = degree + 1 if points.shape[1] == 2 else (degree + 1) * (degree + 2) // 2
    # on a curve the nearest points are few and evenly to both sides; one more than the coefficients overdetermines the fit
    usual = terms + 2 if points.shape[1] == 2 else 2 * terms
    count = min(usual if neighbors is None else int(neighbors), len(first))
    if count < terms:
        raise ConfigurationError(
            f"{count} neighbours of {len(first)} different points do not fix a fit of {terms} coefficients",
            where="cloud_laplacian",
            remedy=f"give at least {terms} different points and neighbours, or a lower degree",
        )
    if normals is not None:
        normals = normals[first] / np.maximum(np.linalg.norm(normals[first], axis=1, keepdims=True), 1e-300)
    return points[first], normals, first, place.reshape(-1), count
