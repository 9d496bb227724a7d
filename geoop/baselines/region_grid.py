"""Fields in regions of different shape: splines on a square onto which every region is mapped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from scipy import sparse
from scipy.interpolate import PchipInterpolator
from scipy.spatial import cKDTree

from ..errors import InvalidMeshError
from ..mesh.case import Case
from ..mesh.distance import signed_distance
from ..mesh.mesh import Mesh
from ..scaling.body_frame import BodyFrame
from .abstract_transfer import AbstractTransfer
from .node_wise import fixed_frame
from .region_boundary import StarBoundary, boundary_lines
from .splines import design, fitted, penalty

#: Directions in which the boundary of a star-shaped region is described; points along each side of the box where the distance is.
N_RAYS, N_DISTANCES = 128, 24
#: Splines on the square: as many as points, between these limits; those along one side at most so many times those along the other.
FEWEST, MOST, LONGEST = 150, 9200, 4.0
#: Intervals in which the share of the points along a side of the box is counted.
N_SHARES = 48


@dataclass(frozen=True, eq=False)
class Mapped:
    """Where the points of a case lie in the unit square.

    Attributes:
        at: (n, 2) in [0, 1].
        outline: (k,) numbers that describe the boundary.
        frame: of the body, where the case has an operating point.
    """

    at: np.ndarray
    outline: np.ndarray
    frame: BodyFrame | None

    @property
    def inside(self) -> np.ndarray:
        return np.zeros(len(self.at), dtype=bool)

    def shape(self) -> np.ndarray:
        """Centre and radii of a star-shaped boundary; signed distances on the box otherwise."""
        return self.outline


@dataclass(frozen=True)
class RegionGrid(AbstractTransfer):
    """Fields <-> coefficients of cubic B-splines on a square, fitted by least squares with a penalty on second differences.

    A region with one boundary that can be seen from a point c is mapped by x - c = rho r(angle) (cos angle, sin angle), r the distance of
    the boundary, onto the disk rho < 1 in the square, so that boundaries lie on boundaries. Any other is taken as it is in the common box of
    the training regions, each side stretched where the training points lie closer; the penalty continues its fields smoothly into what it
    leaves free. Coordinates are those of the meshes: a region has a place and a size.

    Attributes:
        star: whether regions are mapped onto the disk.
        low: lower corner of the common box. high: upper corner [m].
        shares: for each side of the box, share of the side and of the points together up to equidistant marks, 0 to 1.
        counts: splines along each side.
        smoothing: weight of the penalty.
    """

    star: bool
    low: tuple[float, float]
    high: tuple[float, float]
    shares: tuple[tuple[float, ...], tuple[float, ...]]
    counts: tuple[int, int]
    smoothing: float = 1e-3

    kind: ClassVar[str] = "region"
    most_shapes: ClassVar[int] = 48

    @classmethod
    def of(cls, cases: Sequence[Case]) -> RegionGrid:
        """The map that suits all training cases.

        Raises:
            InvalidMeshError: not in the plane.
        """
        for case in cases:
            _require_plane(case)
        star = all(StarBoundary.of(case.mesh) is not None for case in cases)
        low = np.min([case.mesh.points.min(axis=0) for case in cases], axis=0)
        high = np.max([case.mesh.points.max(axis=0) for case in cases], axis=0)
        size = np.maximum(high - low, 1e-12 * max(float(np.abs(high).max()), 1e-300))
        number = float(np.clip(np.mean([len(case.mesh.points) for case in cases]), FEWEST, MOST))
        aspect = 1.0 if star else float(np.clip(size[0] / size[1], 1 / LONGEST, LONGEST))
        counts = (round(np.sqrt(number * aspect)), round(np.sqrt(number / aspect)))
        points = np.concatenate([case.mesh.points for case in cases])
        marks = np.linspace(0.0, 1.0, N_SHARES + 1)
        shares = tuple(tuple(map(float, 0.5 * marks + 0.5 * _shares((points[:, k] - low[k]) / size[k]))) for k in range(2))
        return cls(star, tuple(map(float, low)), tuple(map(float, low + size)), shares, counts)

    @property
    def size(self) -> int:
        return self.counts[0] * self.counts[1]

    @property
    def n_field(self) -> int:
        return self.counts[0] * self.counts[1]

    def place(self, case: Case) -> Mapped:
        _require_plane(case)
        frame = fixed_frame(case)
        points = case.mesh.points
        if not self.star:
            at = [stretch((points[:, k] - self.low[k]) / (self.high[k] - self.low[k])) for k, stretch in enumerate(self._stretches)]
            return Mapped(np.stack(at, axis=1), self._distances(case.mesh), frame)
        border = StarBoundary.of(case.mesh)
        if border is None:
            raise InvalidMeshError(
                "no point sees all of the boundary, as one does in every training case",
                where=case.name,
                remedy="train with such regions too: then all are taken as they are",
            )
        offset = points - border.center
        angle = np.arctan2(offset[:, 1], offset[:, 0])
        rho = np.linalg.norm(offset, axis=1) / border.at(angle)
        rays = 2 * np.pi * np.arange(N_RAYS) / N_RAYS - np.pi
        outline = np.concatenate([border.center, border.at(rays)])
        return Mapped(0.5 + 0.5 * rho[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1), outline, frame)

    def encode(self, place: Mapped, values: np.ndarray) -> np.ndarray:
        return fitted(self._design(place.at), self._penalty, values, self.counts[1])

    def decode(self, place: Mapped, vector: np.ndarray) -> np.ndarray:
        return self._design(place.at) @ vector

    def there_and_back(self, place: Mapped, values: np.ndarray, folds: int = 10) -> np.ndarray:
        out = np.empty_like(values)
        fold = np.random.default_rng(0).permutation(len(values)) % folds
        for k in range(folds):
            kept, left_out = place.at[fold != k], place.at[fold == k]
            out[fold == k] = self._design(left_out) @ fitted(self._design(kept), self._penalty, values[fold != k], self.counts[1])
        return out

    @cached_property
    def _penalty(self) -> sparse.csr_array:
        return penalty(self.counts, self.smoothing)

    def _design(self, at: np.ndarray) -> sparse.csr_array:
        return design(at[:, 0], at[:, 1], self.counts)

    @cached_property
    def _stretches(self) -> list[PchipInterpolator]:
        """Along each side of the box: share of the side -> coordinate on the square; monotone with a continuous slope."""
        return [PchipInterpolator(np.linspace(0.0, 1.0, len(share)), share) for share in self.shares]

    def _distances(self, mesh: Mesh) -> np.ndarray:
        """Signed distance to the boundary (in a cloud, distance to the nearest point) on a grid of the box; negative in the region."""
        axes = [np.linspace(self.low[k], self.high[k], N_DISTANCES) for k in range(2)]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
        lines = boundary_lines(mesh)
        if lines is None:
            return cKDTree(mesh.points).query(grid)[0]
        return np.asarray(signed_distance(lines, grid).distance)


def _shares(along: np.ndarray) -> np.ndarray:
    """(N_SHARES + 1,) share of the numbers in [0, 1] up to equidistant marks."""
    counted = np.histogram(along, bins=N_SHARES, range=(0.0, 1.0))[0]
    return np.concatenate([[0.0], np.cumsum(counted) / len(along)])


def _require_plane(case: Case) -> Any:
    if case.mesh.dimension != 2:
        raise InvalidMeshError(
            "the baselines transfer fields between plane regions; this case is 3-D",
            where=case.name,
            remedy="cut a section, or give all cases on meshes of one connectivity",
        )
