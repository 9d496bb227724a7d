"""Signed distance to a surface in 3-D: nearest triangle and winding number by warp, distances in double."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InvalidMeshError, MissingDependencyError
from ..mesh import Mesh
from .inside import Sided, require_inside, sided
from .kept import Kept
from .pseudonormals import Pseudonormals
from .result import Distance, confidence

if TYPE_CHECKING:
    from .warp_kernels import FaceSearch

_NEAR = 2e-5  # of the body's size: nearer than this, single precision cannot tell the sides apart
_CLEAR = 0.25  # distance of a winding number from 1/2 beyond which its approximation cannot change the side
_EXACT = 6.0  # accuracy of the winding number where it decides


def triangle_distance(surface: Mesh, points: Any, *, signed: bool, chunk: int) -> Distance:
    """:func:`geoop.mesh.distance.signed_distance` in 3-D, in double and without a graph.

    The nearest triangle and the generalised winding number (Jacobson et al. 2013, as a hierarchy: Barill et al. 2018) come
    from warp in single precision, after the body is scaled to size one; closest point, distance and gradient are computed in
    double for that triangle and those around it. So a distance is exact next to the surface, and errs by at most about 1e-6 of
    the body's size where parts that do not touch are equally near. The side is that of the winding
    number; where holes leave it in doubt, that of the winding number with the holes capped; within 2e-5 of the size, that of
    the pseudonormal (Baerentzen and Aanaes 2005) in double.

    Args:
        surface: of any kind of facet.
        points: (n, 3) float64, contiguous: numpy, or a tensor on the device that the search then runs on.
        signed, chunk: as there.

    Raises:
        MissingDependencyError: warp is not installed.
        InvalidMeshError: no triangle of positive area, or so far open that inside has no meaning.
    """
    xp = _library(points)
    body = prepared(surface, signed, "cpu" if xp is np else str(points.device))
    step = max(1, chunk // 8)  # a point needs about 200 bytes here whatever the number of facets
    face, weights, closest = body.search.nearest(points, step)
    body.require_found(face)
    side, winding = body.sides(points, step) if signed else (xp.ones_like(points[:, 0]), None)
    offset = points - closest
    length = xp.sqrt(xp.einsum("nd,nd->n", offset, offset))
    near = xp.where(length <= _NEAR * body.size)[0]
    normal = body.settle_near(near, face, weights, offset, closest, side, signed)
    on_wall = length <= 8 * np.finfo(np.float64).eps * body.reach(float(abs(points).max()) if len(points) else 0.0)
    gradient = offset * (side / xp.where(on_wall, xp.ones_like(length), length))[:, None]
    gradient[near] = xp.where(on_wall[near][:, None], normal, gradient[near])
    facet, corners = _like(points, body.facet)[face], _like(points, body.corners)[face]
    return Distance(side * length, gradient, closest, facet, weights, corners, winding, None if winding is None else confidence(winding))


def _library(array: Any) -> Any:
    """numpy or torch: whichever the array is of. The functions used here are called alike in both."""
    if isinstance(array, np.ndarray):
        return np
    import torch

    return torch


def _like(points: Any, array: np.ndarray) -> Any:
    """A numpy array as the points are: itself, or a tensor on their device."""
    if isinstance(points, np.ndarray):
        return array
    import torch

    return torch.from_numpy(np.ascontiguousarray(array)).to(points.device)


def _local(array: Any) -> np.ndarray:
    return array if isinstance(array, np.ndarray) else array.cpu().numpy()


@dataclass(frozen=True, eq=False)
class Prepared:
    """A body as triangles turned outward, with its search structures.

    Attributes:
        points, corners, facet: its points, its triangles and the cell of each.
        sided: how inside is told.
        middle, size: centre and half diagonal of its box [m].
        search: nearest triangles.
        bounding: winding numbers of the triangles as they are.
        filled: the same with the holes capped.
    """

    points: np.ndarray
    sided: Sided
    middle: np.ndarray
    size: float
    search: FaceSearch
    bounding: FaceSearch
    filled: FaceSearch
    name: str

    @property
    def corners(self) -> np.ndarray:
        return self.sided.corners

    @property
    def facet(self) -> np.ndarray:
        return self.sided.facet

    @cached_property
    def pseudonormals(self) -> Pseudonormals:
        return Pseudonormals.of(self.points, self.sided)

    def reach(self, farthest: float) -> float:
        """Largest coordinate of all that enters a distance: what rounding errors scale with."""
        return farthest + float(np.abs(self.middle).max()) + self.size

    def require_found(self, face: Any) -> None:
        """Raise where a query found no triangle."""
        if len(face) and int(face.min()) < 0:
            raise InvalidMeshError(
                "every facet of the surface is a sliver without area", where=self.name, remedy="check the coordinates and the unit of the file"
            )

    def sides(self, points: Any, step: int) -> tuple[Any, Any]:
        """+1 outside and -1 inside (n,), and winding numbers (n,), both in double."""
        xp = _library(points)
        winding = self.bounding.winding(points, step)
        if self.sided.closed:
            winding = xp.round(winding)
        decides = winding + 0.0
        doubtful = xp.where(abs(winding - 0.5) < _CLEAR)[0]
        if len(doubtful):
            decides[doubtful] = self.filled.winding(points[doubtful], step, _EXACT)
        return 1.0 - 2.0 * (decides > 0.5), winding

    def settle_near(self, near: Any, face: Any, weights: Any, offset: Any, closest: Any, side: Any, signed: bool) -> Any:
        """Normals (k, 3) at the closest points of the points next to the wall, whose ``side`` is corrected in place.

        A wall with the inside on both sides, such as the part of one body that lies in another, decides nothing.
        """
        if not len(near):
            return offset[near]
        xp = _library(offset)
        normal, trusted = (_like(offset, part) for part in self.pseudonormals.at(_local(face[near]), _local(weights[near])))
        if signed:
            step = 2 * _NEAR * self.size * normal
            buried = (self.filled.winding(closest[near] + step, len(near)) > 0.5) & (self.filled.winding(closest[near] - step, len(near)) > 0.5)
            local = 1.0 - 2.0 * (xp.einsum("nd,nd->n", offset[near], normal) < 0)
            side[near] = xp.where(buried, -xp.ones_like(local), xp.where(trusted, local, side[near]))
        return normal


def _prepare(surface: Mesh, signed: bool, device: str) -> Prepared:
    try:
        from .warp_kernels import FaceSearch
    except ImportError as problem:
        raise MissingDependencyError("distances in 3-D need warp", where="signed_distance", remedy="pip install warp-lang") from problem
    body = sided(surface)
    if signed:
        require_inside(surface, body)
    middle = surface.bounds.mean(axis=0)
    size = float(np.linalg.norm(np.ptp(surface.bounds, axis=0))) / 2 or 1.0

    def search(points: np.ndarray, corners: np.ndarray) -> FaceSearch:
        return FaceSearch(points, corners, middle, size, winding=signed, device=device)

    nearest = search(surface.points, body.corners)
    bounding = nearest if body.bounding.all() or not signed else search(surface.points, body.corners[body.bounding])
    filled = bounding if body.closed or not signed else search(body.filled_points, body.filled)
    return Prepared(surface.points, body, middle, size, nearest, bounding, filled, surface.name)


#: (surface, signed, device) -> its search structures, the last four kept by content.
prepared = Kept(_prepare, 4)
