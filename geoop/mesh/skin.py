"""The skin of a body: what separates it from the outside, whatever the file's orientation, holes, sheets and inner walls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from ..errors import ConfigurationError, InvalidMeshError
from .cells import Cells
from .distance import signed_distance
from .measure import cell_measures, facet_normals
from .mesh import Mesh
from .orientation import reversed_cells
from .sampling import SurfaceSample, sample_surface, simplices

#: Of the length: how far off a facet its two sides are looked at.
_OFF = 1e-5
#: More facets than this are judged by as many random points of the surface.
_JUDGED = 20_000
#: Confidence below which the side of a point counts as unsure.
UNSURE = 0.5
OUTWARD, INWARD, SHEET, INNER = 1, -1, 0, 2


@dataclass(frozen=True, eq=False)
class SkinSample:
    """Random points on a skin, each with axes of its own that move, turn and mirror with the body.

    Attributes:
        points: (n, d) [m].
        normals: (n, d) unit vectors out of the body.
        tangents: (n, d - 1, d) unit vectors across.
    """

    points: np.ndarray
    normals: np.ndarray
    tangents: np.ndarray


class Skin(ABC):
    """A body as its signed distance, and points on what separates it from the outside.

    Attributes:
        name: of the body, for messages.
        dimension: of space.
        origin: (d,) mean of points all over the body [m].
        length: largest distance between two of its points, found by going to the furthest point and on to the furthest from there [m].
    """

    name: str
    dimension: int
    origin: np.ndarray
    length: float

    @abstractmethod
    def sample(self, count: int, rng: np.random.Generator) -> SkinSample:
        """Points of even density."""

    @abstractmethod
    def distance(self, points: np.ndarray) -> np.ndarray:
        """(n,) signed distance [m] at points (n, d) [m]; its absolute value is the distance to the skin."""

    @property
    @abstractmethod
    def area(self) -> float:
        """[m^(d-1)]."""

    @property
    @abstractmethod
    def findings(self) -> Mapping[str, float]:
        """Shares that tell how far the sign, or the skin itself, had to be guessed; zeros for a closed sound surface."""

    @property
    @abstractmethod
    def verdict(self) -> str:
        """The findings in sentences; empty where there is nothing to say."""


class SurfaceSkin(Skin):
    """The skin of a surface mesh: facets with the body on one side, sheets with the outside on both, and caps over holes.

    Inner walls, with the body on both sides, are not part of it. A sheet has no inside, so it is given a thickness: both of its faces, half of it away,
    are the skin.

    Args:
        surface: line cells in 2-D, polygons in 3-D; facets may face either way.
        thickness: of sheets, over the length; 0 leaves sheets out.

    Raises:
        InvalidMeshError: no surface, no area, or nothing but sheets that are left out.
    """

    def __init__(self, surface: Mesh, thickness: float = 5e-3) -> None:
        if not 0 <= thickness < 0.5:
            raise ConfigurationError(f"thickness {thickness}", where="SurfaceSkin", remedy="a share of the length from 0 to 0.5, e.g. 0.005")
        if not surface.is_surface or not len(surface.cells):
            what = "a point cloud without normals" if surface.is_cloud else f"cells of dimension {surface.cell_dimension}"
            raise InvalidMeshError(
                f"{what} in {surface.dimension}-D, where a surface is needed",
                where=surface.name,
                remedy="give an outline or a surface; of a cloud its normals: geoop.encode(mesh, normals=...), or a .csv with columns normals:0, normals:1, ...",
            )
        self.surface, self.name, self.dimension = surface, surface.name, surface.dimension
        spread = sample_surface(surface, 4096, seed=0)
        self.origin = spread.points.mean(axis=0)
        self.length = longest(surface.points[np.unique(surface.cells.connectivity)], self.origin)
        self.thickness = thickness * self.length
        self.kind, self.unsure = self._judged()
        keep = np.flatnonzero(self.kind != INNER if thickness > 0 else self._bounds)
        if not len(keep):
            raise InvalidMeshError(
                "the surface has the outside on both sides everywhere: it bounds nothing", where=surface.name, remedy="give it a thickness > 0"
            )
        cells, side = surface.cells.take(keep), self.kind[keep].astype(np.float64)
        self.skin = self._with_caps(cells)
        #: (m,) of the cells of ``skin``: 1 facing out, -1 facing in, 0 sheet; caps face out
        self.side = np.concatenate([side, np.ones(len(self.skin.cells) - len(side))])

    @property
    def area(self) -> float:
        size = cell_measures(self.skin)
        return float(size.sum() + size[self.side == 0].sum())

    def sample(self, count: int, rng: np.random.Generator) -> SkinSample:
        found = sample_surface(self.skin, count, seed=rng)
        side = self.side[found.facet]
        sheet = side == 0
        side = np.where(sheet, rng.choice([-1.0, 1.0], count), side)
        normals = side[:, None] * found.normals
        points = found.points + np.where(sheet, 0.5 * self.thickness, 0.0)[:, None] * normals
        cells = self.skin.cells
        first = self.skin.points[cells.connectivity[cells.offsets[:-1][found.facet]]]
        return SkinSample(points, normals, tangents_along(found.points - first, normals))

    def distance(self, points: np.ndarray) -> np.ndarray:
        if not self._bounds.any():
            return self._from_sheets(points)
        found = signed_distance(self.surface, points).distance
        if self._plain:
            return found
        found = np.where(found > 0, 1.0, -1.0) * np.abs(signed_distance(self._wall, points, signed=False).distance)
        return np.minimum(found, self._from_sheets(points)) if self._sheets is not None else found

    @cached_property
    def findings(self) -> Mapping[str, float]:
        """``unsure``: share of the area at which the side is guessed, ``sheets``: with the outside on both sides, ``inner``: with the body on both
        sides; ``caps``: area closed by geoop over that of the file."""
        size = cell_measures(self.surface)
        share = {name: float(size[self.kind == kind].sum() / size.sum()) for name, kind in (("sheets", SHEET), ("inner", INNER))}
        capped = float(cell_measures(self._caps).sum() / size.sum()) if self._caps is not None else 0.0
        return {"unsure": self.unsure, **share, "caps": capped}

    @property
    def verdict(self) -> str:
        f, parts = self.findings, []
        if f["unsure"] > 1e-3:
            parts.append(f"the side is unsure at {f['unsure']:.1%} of the surface, next to holes")
        if f["caps"] > 1e-3:
            parts.append(f"holes are closed by {f['caps']:.1%} of the area more")
        if f["sheets"] > 1e-3:
            what = f"encoded {self.thickness / self.length:.2%} of the length thick" if self.thickness else "left out"
            parts.append(f"{f['sheets']:.1%} of the surface has the outside on both sides: {what}")
        if f["inner"] > 1e-3:
            parts.append(f"{f['inner']:.1%} lies inside the body and is left out")
        return "; ".join(parts)

    def _judged(self) -> tuple[np.ndarray, float]:
        """(m,) kind of every facet, and the share of the area at which the side is unsure."""
        n = len(self.surface.cells)
        all_of_them = n <= _JUDGED
        found = _middles(self.surface) if all_of_them else sample_surface(self.surface, _JUDGED, seed=0)
        step = _OFF * self.length * found.normals
        try:
            outer, inner = (signed_distance(self.surface, found.points + s * step) for s in (1, -1))
        except InvalidMeshError:  # open so far that nothing is inside: sheets alone
            signed_distance(self.surface, found.points[:1], signed=False)
            return np.zeros(n, dtype=np.int64), 1.0
        a, b = outer.distance > 0, inner.distance > 0
        kind = np.where(a == b, np.where(a, SHEET, INNER), np.where(a, OUTWARD, INWARD))
        doubt = np.minimum(outer.confidence, inner.confidence) < UNSURE
        unsure = float((doubt * found.weights).sum() / found.weights.sum())
        if all_of_them:
            out = np.full(n, INNER)  # facets without area
            out[found.facet] = kind
            return out, unsure
        # a facet is as the judged point that is nearest in place and direction
        weight, middle = 0.05 * self.length, _middles(self.surface)
        tree = cKDTree(np.concatenate([found.points, weight * found.normals], axis=1))
        near = tree.query(np.concatenate([middle.points, weight * middle.normals], axis=1))[1]
        out = np.full(n, INNER)
        out[middle.facet] = kind[near]
        return out, unsure

    @cached_property
    def _bounds(self) -> np.ndarray:
        return np.abs(self.kind) == 1

    @cached_property
    def _sheets(self) -> Mesh | None:
        sheet = (self.kind == SHEET) & (self.thickness > 0)
        return Mesh(self.surface.points, self.surface.cells.take(sheet), name=self.name) if sheet.any() else None

    @cached_property
    def _caps(self) -> Mesh | None:
        """What closes the holes, as :func:`signed_distance` does, where the side changes across it; facing out."""
        if not self._bounds.any():
            return None
        if self.dimension == 2:
            from .distance.outlines import pieces

            caps = Mesh(self.surface.points, Cells.of(line=pieces(self.surface, True).gaps))
        else:
            from .distance.triangles import prepared

            sided = prepared(self.surface, True, "cpu").sided
            caps = Mesh(sided.filled_points, Cells.of(triangle=sided.filled[int(sided.bounding.sum()) :]))
        if not len(caps.cells):
            return None
        found = _middles(caps)
        step = _OFF * self.length * found.normals
        one, two = (signed_distance(self.surface, found.points + s * step).distance > 0 for s in (1, -1))
        own, turn = found.facet[one != two], np.zeros(len(caps.cells), dtype=bool)
        turn[found.facet[two & ~one]] = True
        return Mesh(caps.points, reversed_cells(caps.cells, turn).take(own)) if len(own) else None

    @cached_property
    def _plain(self) -> bool:
        return bool(self._bounds.all()) and self._caps is None

    @cached_property
    def _wall(self) -> Mesh:
        """Facets with the body on one side, and caps: without them the distance would jump in the middle of every hole."""
        return self._with_caps(self.surface.cells.take(self._bounds))

    def _with_caps(self, cells: Cells) -> Mesh:
        points = self.surface.points
        if self._caps is not None:
            cells = Cells.concatenate([cells, self._caps.cells.renumbered(np.arange(len(self._caps.points)) + len(points))])
            points = np.concatenate([points, self._caps.points])
        return Mesh(points, cells, name=self.name)

    def _from_sheets(self, points: np.ndarray) -> np.ndarray:
        assert self._sheets is not None
        return np.abs(signed_distance(self._sheets, points, signed=False).distance) - 0.5 * self.thickness


def tangents_along(direction: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """(n, d - 1, d) unit vectors across the normals (n, d), the first as near to the directions (n, d) as can be."""
    first = direction - (direction * normals).sum(axis=1, keepdims=True) * normals
    small = np.linalg.norm(first, axis=1) <= 1e-9 * (np.linalg.norm(direction, axis=1) + 1e-300)
    first[small] = np.roll(normals[small], 1, axis=1) * np.where(np.arange(normals.shape[1]) == 0, -1.0, 1.0)
    first = first - (first * normals).sum(axis=1, keepdims=True) * normals
    first /= np.maximum(np.linalg.norm(first, axis=1, keepdims=True), 1e-300)
    return first[:, None] if normals.shape[1] == 2 else np.stack([first, np.cross(normals, first)], axis=1)


def longest(points: np.ndarray, start: np.ndarray) -> float:
    """The largest distance found by going from the middle to the furthest point, and on from there, as long as it grows."""
    best = 0.0
    for _ in range(8):
        away = np.linalg.norm(points - start, axis=1)
        start, last = points[int(np.argmax(np.round(away / max(away.max(), 1e-300), 9)))], best
        best = max(best, float(away.max()))
        if best <= last * (1 + 1e-9):
            break
    if not best > 0:
        raise InvalidMeshError("all points of the shape are at one place", where="shape", remedy="check the coordinates and the unit of the file")
    return best


def _middles(surface: Mesh) -> SurfaceSample:
    """The middle of one straight piece of every facet that has an area."""
    corners, facet = simplices(surface)
    normals, size = facet_normals(surface), cell_measures(surface)
    first = np.unique(facet, return_index=True)[1]
    first = first[size[facet[first]] > 0]
    own = facet[first]
    return SurfaceSample(surface.points[corners[first]].mean(axis=1), normals[own], own, size[own])
