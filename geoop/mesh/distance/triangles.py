"""Signed distance to a surface in 3-D: nearest triangle and winding number by warp, distances in double."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InvalidMeshError, MissingDependencyError
from ..mesh import Mesh
from ..topology import cell_components
from .inside import Sided, require_inside, sided
from .kept import Kept
from .pseudonormals import Pseudonormals
from .result import Distance, confidence

if TYPE_CHECKING:
    from .warp_kernels import FaceSearch

_NEAR = 2e-5  # of the body's size: nearer than this, single precision cannot tell the sides apart
_THIN = 3e-3  # of the length of a facet: nearer than this, single precision may lose its solid angle
_TINY = 1e-7  # of the length of a facet: nearer than this, double precision loses it too
_WHOLE = 0.05  # distance from an integer beyond which a winding number about a closed body is not that integer for sure
_CLEAR = 0.25  # distance of a winding number from 1/2 beyond which its approximation cannot change the side
_EXACT = 6.0  # accuracy of the winding number where it decides


def triangle_distance(surface: Mesh, points: Any, *, signed: bool, chunk: int) -> Distance:
    """:func:`geoop.mesh.distance.signed_distance` in 3-D, in double and without a graph.

    Nearest triangle, closest point, distance and gradient are those of a search in double, which starts from the triangle that
    warp finds in single precision: exact everywhere, next to needles and slivers too. The side is that of the generalised
    winding number (Jacobson et al. 2013, as a hierarchy: Barill et al. 2018), which warp finds in single precision after the
    body is scaled to size one; where holes leave it in doubt, that of the winding number with the holes capped. Next to the
    wall (within 2e-5 of the size, or 3e-3 of the length of the facet), and wherever it is not near an integer about a closed
    body, it is found again in double; within 1e-7 of the facet's length the pseudonormal (Baerentzen and Aanaes 2005) decides.

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
    offset = points - closest
    length = xp.sqrt(xp.einsum("nd,nd->n", offset, offset))
    reach = body.reach(float(abs(points).max()) if len(points) else 0.0)
    extent = _like(points, body.extent)[face]
    near = length <= xp.maximum(_THIN * extent, xp.full_like(length, _NEAR * body.size))
    side, winding = body.sides(points, near, step) if signed else (xp.ones_like(points[:, 0]), None)
    near = xp.where(near)[0]
    normal, trusted = body.normals_at(near, face, weights, offset)
    if signed:
        tiny = length <= xp.maximum(_TINY * extent, xp.full_like(length, 16 * np.finfo(np.float64).eps * reach))
        body.settle_near(Near(near, closest[near], offset[near], normal, trusted, tiny[near], extent[near], reach), side, winding, step)
    on_wall = length <= 8 * np.finfo(np.float64).eps * reach
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


def _side(inside: Any, like: Any) -> Any:
    """-1 inside and +1 outside, in the precision of ``like``."""
    return 1 - 2 * (inside.astype(like.dtype) if isinstance(like, np.ndarray) else inside.to(like.dtype))


def _whole(winding: Any) -> Any:
    """Winding numbers about a closed body: the integers, except where rounding errors leave them in doubt."""
    whole = winding.round()
    return _library(winding).where(abs(winding - whole) <= _WHOLE, whole, winding)


@dataclass(frozen=True, eq=False)
class Near:
    """Points next to the wall.

    Attributes:
        rows: (k,) which of all points.
        closest, offset: (k, 3) nearest points of the wall, and the points as seen from there [m].
        normal: (k, 3) pseudonormals there.
        trusted: (k,) whether they tell the side.
        tiny: (k,) whether the distance is too small for a winding number in double.
        extent: (k,) longest edge of the facet [m].
        reach: largest coordinate [m].
    """

    rows: Any
    closest: Any
    offset: Any
    normal: Any
    trusted: Any
    tiny: Any
    extent: Any
    reach: float

    def probe(self) -> Any:
        """(k, 3) steps off the wall at whose ends winding numbers tell its two sides: to the point, or a small one along the normal [m]."""
        step = 2 * _TINY * self.extent + 32 * np.finfo(np.float64).eps * self.reach
        return _library(self.offset).where(self.tiny[:, None], step[:, None] * self.normal, self.offset)


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

    @cached_property
    def extent(self) -> np.ndarray:
        """(t,) longest edge of every triangle [m]."""
        x = self.points[self.corners]
        return np.linalg.norm(x - np.roll(x, 1, axis=1), axis=2).max(axis=1)

    @cached_property
    def layered(self) -> bool:
        """Whether one part of the surface may lie in the inside of another."""
        return not self.sided.bounding.all() or int(cell_components(self.pseudonormals.listed, len(self.corners)).max()) > 0

    def reach(self, farthest: float) -> float:
        """Largest coordinate of all that enters a distance: what rounding errors scale with."""
        return farthest + float(np.abs(self.middle).max()) + self.size

    def require_found(self, face: Any) -> None:
        """Raise where a query found no triangle."""
        if len(face) and int(face.min()) < 0:
            raise InvalidMeshError(
                "every facet of the surface is a sliver without area", where=self.name, remedy="check the coordinates and the unit of the file"
            )

    def normals_at(self, near: Any, face: Any, weights: Any, like: Any) -> tuple[Any, Any]:
        """Normals (k, 3) at the closest points of some points, and (k,) whether they tell the side."""
        if not len(near):
            return like[near], like[near, 0] > 0
        normal, trusted = self.pseudonormals.at(_local(face[near]), _local(weights[near]))
        return _like(like, normal), _like(like, trusted)

    def sides(self, points: Any, near: Any, step: int) -> tuple[Any, Any]:
        """+1 outside and -1 inside (n,), and winding numbers (n,), both in double; those of the points ``near`` the wall are not final."""
        xp = _library(points)
        winding = self.bounding.winding(points, step)
        if self.sided.closed:
            unsure = xp.where((abs(winding - xp.round(winding)) > _WHOLE) & ~near)[0]
            if len(unsure):
                winding[unsure] = self.bounding.exact_winding(points[unsure], step)
            winding = xp.where(near, winding, _whole(winding))
            return _side(winding > 0.5, winding), winding
        decides = winding + 0.0
        doubtful = xp.where(abs(winding - 0.5) < _CLEAR)[0]
        if len(doubtful):
            decides[doubtful] = self.filled.winding(points[doubtful], step, _EXACT)
        return _side(decides > 0.5, winding), winding

    def settle_near(self, near: Near, side: Any, winding: Any, step: int) -> None:
        """Correct, in place, ``side`` and ``winding`` of the points next to the wall.

        A wall with the inside on both sides, such as the part of one body that lies in another, decides nothing: where its
        pseudonormal contradicts the winding number, this is found in double, at the point and at its mirror image.
        """
        if not len(near.rows):
            return
        xp = _library(side)
        local = _side(xp.einsum("nd,nd->n", near.offset, near.normal) < 0, side)
        found = side[near.rows]
        decided = xp.where(near.trusted, local, found)
        number = winding[near.rows]
        asked = ~near.trusted | (local != found)
        if self.sided.closed:  # single precision may give anything next to a long facet
            asked |= (abs(number - xp.round(number)) > _WHOLE) | (abs(number - 0.5) > 1)
        asked &= ~near.tiny
        if self.layered:
            asked |= near.tiny & near.trusted & (local > 0)
        asked = xp.where(asked)[0]
        probe = near.probe()[asked]
        there, back = (self.filled.exact_winding(at, step) for at in (near.closest[asked] + probe, near.closest[asked] - probe))
        both = near.tiny[asked] if self.sided.closed else near.trusted[asked]  # which rows must find the inside on both sides
        inside = (there > 0.5) & (~both | (back > 0.5))
        decided[asked] = xp.where(both & ~inside, local[asked], _side(inside, side))
        side[near.rows] = decided
        if self.sided.closed:
            number[asked] = there
            plain = near.tiny | ((number > 0.5) != (decided < 0))
            winding[near.rows] = xp.where(plain, 0.5 - 0.5 * decided, _whole(number))


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
