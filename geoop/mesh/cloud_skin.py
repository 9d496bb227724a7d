"""The skin of a body of which only points with normals are known, such as a scan."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from ..errors import InvalidMeshError, NonFiniteError, ShapeError
from .skin import Skin, SkinSample, longest, tangents_along

#: Neighbours whose planes make the distance near the points.
_NEAR = 8
#: Of closed bodies the area vectors cancel, and every direction has a normal within this cosine of it; where they do not, something is missing.
_LEAK, _FACING = 0.05, 0.7
_GAP = 2.0 * np.pi / 3


class CloudSkin(Skin):
    """A body by points of its surface with outward normals: near them the mean distance to their planes, far from them the distance to the nearest.

    Both are approximate: of the first order in the spacing of the points, and where there are no points there is no surface.

    Args:
        points: (n, d) [m], at least d + 1.
        normals: (n, d), of any length.
        name: for messages.

    Raises:
        ShapeError: normals that are not one per point.
        NonFiniteError: points or normals that are not finite.
        InvalidMeshError: too few points, all at one place, or no normal that is not zero.
    """

    def __init__(self, points: np.ndarray, normals: np.ndarray, name: str = "cloud") -> None:
        points, normals = np.asarray(points, dtype=np.float64), np.asarray(normals, dtype=np.float64)
        if points.ndim != 2 or points.shape != normals.shape or points.shape[1] not in (2, 3):
            raise ShapeError(f"points {points.shape}, normals {normals.shape}", where=name, remedy="give (n, 2) or (n, 3) of both")
        if not (np.isfinite(points).all() and np.isfinite(normals).all()):
            raise NonFiniteError("points or normals are NaN or infinite", where=name, remedy="drop those rows")
        size = np.linalg.norm(normals, axis=1)
        points, normals, size = points[size > 0], normals[size > 0], size[size > 0]
        if len(points) <= points.shape[1]:
            raise InvalidMeshError(f"{len(points)} points with normals", where=name, remedy="give points all over the body")
        self.name, self.dimension = name, points.shape[1]
        self.points, self.normals = points, normals / size[:, None]
        self.origin = points.mean(axis=0)
        self.length = longest(points, self.origin)
        self.tree = cKDTree(points)
        near = self.tree.query(points, k=min(_NEAR, len(points)))[0]
        #: (n,) spacing of the points around each, robust against points that are there twice
        self.spacing = np.maximum(near[:, 1:].mean(axis=1), 1e-6 * self.length)

    @property
    def area(self) -> float:
        return float(self._areas.sum())

    def sample(self, count: int, rng: np.random.Generator) -> SkinSample:
        """Points between a point and a neighbour, moved onto the mean plane, with the normal there."""
        own = rng.choice(len(self.points), count, p=self._areas / self._areas.sum())
        k = min(_NEAR, len(self.points))
        other = self.tree.query(self.points[own], k=k)[1][np.arange(count), rng.integers(0, min(4, k), count)]
        same = (self.normals[own] * self.normals[other]).sum(axis=1) > 0.5
        share = np.where(same, rng.random(count), 0.0)[:, None]
        points = (1 - share) * self.points[own] + share * self.points[other]
        for _ in range(2):
            value, normal = self._planes(points)
            points = points - value[:, None] * normal
        third = self.points[other] - points + 1e-9 * self.normals[own]
        return SkinSample(points, normal, tangents_along(third, normal))

    def distance(self, points: np.ndarray) -> np.ndarray:
        return self._planes(np.asarray(points, dtype=np.float64))[0]

    @property
    def _areas(self) -> np.ndarray:
        return self.spacing ** (self.dimension - 1)

    def _planes(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n,) distance and (n, d) its normal."""
        k = min(_NEAR, len(self.points))
        away, near = self.tree.query(points, k=k)
        window = self.spacing[near[:, 0]]
        # the rims of windows follow the nearest point, so that far away the planes of the nearest few count and not one alone
        share = np.exp(-(away**2 - away[:, :1] ** 2) / (window**2)[:, None])
        share /= share.sum(axis=1, keepdims=True)
        offset = points[:, None] - self.points[near]
        flat = (share * (offset * self.normals[near]).sum(axis=2)).sum(axis=1)
        normal = (share[:, :, None] * self.normals[near]).sum(axis=1)
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
        blend = np.clip(away[:, 0] / window - 1.0, 0.0, 2.0) / 2.0
        blend = blend * blend * (3 - 2 * blend)
        far = np.where(flat > 0, 1.0, -1.0) * away[:, 0]
        return (1 - blend) * flat + blend * far, normal

    @cached_property
    def findings(self) -> Mapping[str, float]:
        """``leak``: length of the sum of area vectors over the area, 0 for a closed body; ``directions``: share of directions without a normal nearby,
        0 for a closed smooth body; ``rim``: share of points at an edge of the cloud."""
        vectors = self._areas[:, None] * self.normals
        leak = float(np.linalg.norm(vectors.sum(axis=0)) / self._areas.sum())
        best = np.full(len(_DIRECTIONS[self.dimension]), -1.0)
        for start in range(0, len(self.normals), 4096):
            best = np.maximum(best, (_DIRECTIONS[self.dimension] @ self.normals[start : start + 4096].T).max(axis=1))
        return {"leak": leak, "directions": float((best < _FACING).mean()), "rim": float(self._on_rim().mean())}

    @property
    def verdict(self) -> str:
        f, parts = self.findings, ["distances are approximate: there are points and no facets"]
        if f["directions"] > 0.005:
            parts.append(f"no part of the body faces {f['directions']:.0%} of all directions")
        if f["leak"] > _LEAK:
            parts.append(f"at least {f['leak'] / (1 + f['leak']):.0%} of the surface is missing (area vectors leave {f['leak']:.0%} of the area)")
        if f["rim"] > 0.02:
            parts.append(f"{f['rim']:.0%} of the points lie at an edge of the cloud")
        return "; ".join(parts)

    def _on_rim(self) -> np.ndarray:
        """(n,) whether the neighbours of a point leave a third of its surroundings empty."""
        k = min(2 * _NEAR, len(self.points))
        near = self.tree.query(self.points, k=k)[1][:, 1:]
        offset = self.points[near] - self.points[:, None]
        tangents = tangents_along(offset[:, 0] + 1e-12, self.normals)
        across = np.einsum("nkd,ntd->nkt", offset, tangents)
        if self.dimension == 2:
            return (across[:, :, 0] >= -1e-12).all(axis=1) | (across[:, :, 0] <= 1e-12).all(axis=1)
        angle = np.sort(np.arctan2(across[:, :, 1], across[:, :, 0]), axis=1)
        gap = np.diff(np.concatenate([angle, angle[:, :1] + 2 * np.pi], axis=1), axis=1)
        return gap.max(axis=1) > _GAP


def _directions(dimension: int, count: int = 1000) -> np.ndarray:
    """(count, d) directions spread evenly."""
    k = np.arange(count) + 0.5
    if dimension == 2:
        return np.stack([np.cos(2 * np.pi * k / count), np.sin(2 * np.pi * k / count)], axis=1)
    z, turn = 1 - 2 * k / count, np.pi * (1 + 5**0.5) * k
    r = np.sqrt(1 - z * z)
    return np.stack([r * np.cos(turn), r * np.sin(turn), z], axis=1)


_DIRECTIONS = {d: _directions(d) for d in (2, 3)}
