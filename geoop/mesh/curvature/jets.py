"""Local polynomials over tangent planes ("jets", Cazals and Pouget 2005), all points at once in chunks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_CHUNK = 2**22  # numbers in the matrices of one chunk: about 100 MB at work
_RIDGE = 1e-13  # relative: keeps a fit to too few or collinear neighbours finite, changes no sound one
_FLAT = 1e-6  # width over length of neighbours below which they are a line
_FIXED = 1e-6  # smallest eigenvalue of the normalised moments; 1e-3 is usual, 0 leaves a coefficient free


@dataclass(frozen=True, eq=False)
class Curvature:
    """Curvature at n points. Positive where the surface bends away from its normal, as a sphere does: 1/R with outward normals.

    Attributes:
        principal: (n, 2) principal curvatures, the larger first [1/m].
        directions: (n, 2, 3) unit tangents along which they are taken, at right angles to each other.
        normals: (n, 3) unit normals of the fitted surface, more accurate than those of facets.
        residual: (n,) root mean square distance of the neighbours from the fitted surface [m]: noise, or a corner.
    """

    principal: np.ndarray
    directions: np.ndarray
    normals: np.ndarray
    residual: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """(n,) mean curvature H = (k1 + k2) / 2 [1/m]."""
        return self.principal.mean(axis=1)

    @property
    def gauss(self) -> np.ndarray:
        """(n,) Gauss curvature K = k1 k2 [1/m^2]."""
        return self.principal.prod(axis=1)

    @property
    def shape_index(self) -> np.ndarray:
        """(n,) see :func:`shape_index`."""
        return shape_index(self.principal)


def shape_index(principal: np.ndarray) -> np.ndarray:
    """(n,) shape index s = 2/pi arctan((k1 + k2) / (k1 - k2)) in [-1, 1] (Koenderink and van Doorn 1992).

    1 is a dome, 0.5 a ridge, 0 a saddle, -0.5 a valley, -1 a cup, for a normal that points out of the body; the size of the
    shape does not matter. A flat point (both curvatures zero) has none: NaN.

    Args:
        principal: (n, 2) principal curvatures in any order, positive where the surface bends away from its normal.
    """
    k = np.sort(np.asarray(principal, dtype=np.float64), axis=1)
    total, spread = k[:, 1] + k[:, 0], k[:, 1] - k[:, 0]
    return np.where((total == 0) & (spread == 0), np.nan, 2 / np.pi * np.arctan2(total, spread))


def fit_jets(points: np.ndarray, rows: np.ndarray, neighbors: np.ndarray, sound: np.ndarray, normals: np.ndarray, degree: int) -> Curvature:
    """Height over the tangent plane as a polynomial, by least squares with weights that fall off with the distance.

    Second derivatives of a fit of degree d to points apart by h err by O(h^(d - 1)) on a smooth surface, however irregular
    the points (Cazals and Pouget 2005, theorem 3).

    Args:
        points: (n, 3) [m].
        rows: (m,) the points at which to fit.
        neighbors: (m, k) indices of the points to fit to.
        sound: (m, k) which of them count.
        normals: (m, 3) rough unit normals at ``rows``.
        degree: 2 or more.
    """
    powers = np.array([(i - j, j) for i in range(degree + 1) for j in range(i + 1)])
    step = max(1, _CHUNK // (neighbors.shape[1] * len(powers)))
    parts = [
        _fit(points, rows[at : at + step], neighbors[at : at + step], sound[at : at + step], normals[at : at + step], powers)
        for at in range(0, len(rows), step)
    ]
    if not parts:
        return Curvature(np.zeros((0, 2)), np.zeros((0, 2, 3)), np.zeros((0, 3)), np.zeros(0))
    return Curvature(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("principal", "directions", "normals", "residual")))


def _fit(points: np.ndarray, rows: np.ndarray, neighbors: np.ndarray, sound: np.ndarray, normals: np.ndarray, powers: np.ndarray) -> Curvature:
    frame = frames(normals)
    offset = np.where(sound[:, :, None], points[neighbors] - points[rows][:, None], 0.0)
    radius = np.sqrt((offset**2).sum(axis=2).max(axis=1))
    radius = np.where(radius > 0, radius, 1.0)
    u, v, w = np.einsum("mad,mkd->amk", frame, offset / radius[:, None, None])
    weight = np.where(sound, 1.0 / (0.2 + u * u + v * v) ** 2, 0.0)  # nearer points count more, none for all
    monomials = np.stack([u**i * v**j for i, j in powers], axis=2)
    moments = np.einsum("mka,mkb->mab", monomials * weight[:, :, None], monomials, optimize=True)
    right = np.einsum("mka,mk->ma", monomials, weight * w)
    scale = np.sqrt(np.einsum("maa->ma", moments))  # neighbours may reach much farther along than across
    scale = np.where(scale > 0, scale, 1.0)
    moments = moments / (scale[:, :, None] * scale[:, None, :]) + _RIDGE * np.eye(len(powers))
    c = np.linalg.solve(moments, (right / scale)[:, :, None])[:, :, 0] / scale
    misfit = np.where(sound, w - np.einsum("mka,ma->mk", monomials, c), 0.0)
    residual = radius * np.sqrt((misfit**2).sum(axis=1) / np.maximum(sound.sum(axis=1) - len(powers), 1))
    return Curvature(*_shape(c, frame, radius), residual)


def _shape(c: np.ndarray, frame: np.ndarray, radius: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Principal curvatures, their directions and the normal from the coefficients of 1, u, v, u^2, u v, v^2."""
    p, q, r, s, t = c[:, 1], c[:, 2], 2 * c[:, 3] / radius, c[:, 4] / radius, 2 * c[:, 5] / radius
    slope = np.sqrt(1 + p * p + q * q)
    second = -np.stack([np.stack([r, s], axis=1), np.stack([s, t], axis=1)], axis=1) / slope[:, None, None]
    # I^(-1/2) II I^(-1/2) is symmetric and has the principal curvatures as eigenvalues; I = 1 + g g^T has its root in closed form
    g = np.stack([p, q], axis=1)
    root = np.eye(2) - np.einsum("ma,mb->mab", g, g) / (slope * (1 + slope))[:, None, None]
    values, vectors = np.linalg.eigh(root @ second @ root)
    along = np.einsum("mab,mbc->mac", root, vectors)  # columns: coordinates (u, v) of unit tangents
    tangents = np.concatenate([along, np.einsum("ma,mac->mc", g, along)[:, None]], axis=1)
    directions = np.einsum("mad,mac->mcd", frame, tangents)
    normal = np.einsum("mad,ma->md", frame, np.stack([-p, -q, np.ones_like(p)], axis=1)) / slope[:, None]
    return values[:, ::-1], directions[:, ::-1], normal


def frames(normals: np.ndarray) -> np.ndarray:
    """(m, 3, 3) right-handed frames, rows u, v, n (Duff et al. 2017: no normal is special)."""
    x, y, z = normals.T
    sign = np.where(z < 0, -1.0, 1.0)
    a = -1.0 / (sign + z)
    b = x * y * a
    u = np.stack([1.0 + sign * x * x * a, sign * b, -sign * x], axis=1)
    v = np.stack([b, sign + y * y * a, -y], axis=1)
    return np.stack([u, v, normals], axis=1)


def fixes(points: np.ndarray, rows: np.ndarray, neighbors: np.ndarray, sound: np.ndarray, normals: np.ndarray, degree: int) -> np.ndarray:
    """(m,) whether the neighbours fix a polynomial of a degree: there are enough, and they do not lie on too few curves.

    Arguments as for :func:`fit_jets`.
    """
    powers = np.array([(i - j, j) for i in range(degree + 1) for j in range(i + 1)])
    number = sound.sum(axis=1)
    out = number >= len(powers)
    offset = np.where(sound[:, :, None], points[neighbors] - points[rows][:, None], 0.0)
    x = np.einsum("mad,mkd->mka", frames(normals)[:, :2], offset)
    spread, axes = np.linalg.eigh(np.einsum("mka,mkb->mab", x, x))
    spread = np.sqrt(np.maximum(spread, 0.0) / np.maximum(number, 1)[:, None])
    out &= spread[:, 0] > _FLAT * spread[:, 1]
    # the usual neighbourhood, round and well filled, needs no second look
    closer = np.flatnonzero(out & ((spread[:, 0] < 0.3 * spread[:, 1]) | (number < 2 * len(powers))))
    step = max(1, _CHUNK // (neighbors.shape[1] * len(powers)))
    for at in range(0, len(closer), step):
        some = closer[at : at + step]
        u, v = np.moveaxis(np.einsum("mab,mka->mkb", axes[some], x[some]) / spread[some][:, None], 2, 0)
        monomials = np.where(sound[some][:, :, None], np.stack([u**i * v**j for i, j in powers], axis=2), 0.0)
        monomials /= np.maximum(np.linalg.norm(monomials, axis=1, keepdims=True), 1e-300)
        moments = np.einsum("mka,mkb->mab", monomials, monomials, optimize=True)
        out[some] = np.linalg.eigvalsh(moments)[:, 0] > _FIXED
    return out
