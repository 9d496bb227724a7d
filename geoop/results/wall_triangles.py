"""The wall as triangles with the force of the fluid as a linear function on each: what cuts at station planes integrate exactly."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from ..errors import InvalidMeshError
from ..mesh.case import Case
from .wall import Wall, wall_of
from .wall_loads import PressureUnit, friction_on, pressure_on

#: Corners of curved facets, which are taken as flat between them.
_CORNERS = {"triangle6": 3, "triangle7": 3, "quad8": 4, "quad9": 4}
#: Middles of the sides of a triangle: exact for products of two linear functions.
_MIDDLES = np.array([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [0.5, 0.0, 0.5]])


@dataclass(frozen=True, eq=False)
class WallTriangles:
    """Flat triangles of a wall in space; t of them.

    Attributes:
        points: (t, 3, 3) corners [m].
        key: (t, 3) number of every corner, equal where triangles share it.
        pressure: (t, 3) at the corners [Pa].
        force: (t, 3, 3) force of a whole triangle if it were everywhere as at this corner [N].
        notes: what a reader should know.
        pressure_text: what the pressure field was taken for.
    """

    points: np.ndarray
    key: np.ndarray
    pressure: np.ndarray
    force: np.ndarray
    notes: tuple[str, ...]
    pressure_text: str

    def integral(self, corners: np.ndarray, share: np.ndarray, rows: np.ndarray, about: np.ndarray) -> np.ndarray:
        """(m, 6) force and moment of parts of triangles.

        Args:
            corners: (m, 3, 3) barycentric corners of the part. share: (m,) of the triangle's area. rows: (m,) triangle. about: (3,) of the moment [m].
        """
        middles = _MIDDLES @ corners
        force = middles @ self.force[rows]
        arm = middles @ self.points[rows] - about
        both = np.concatenate([force, np.cross(arm, force)], axis=2)
        return both.mean(axis=1) * share[:, None]


def wall_triangles(
    case: Case, patches: tuple[str, ...] | None, density: float | None, pressure_unit: PressureUnit | None, reference_pressure: float
) -> WallTriangles:
    """The triangles of the wall of a case in space; polygons and quads as fans about their middles, as :mod:`geoop.results.wall` takes polygons.

    Raises:
        InvalidMeshError: a case in the plane. The errors of :func:`geoop.results.forces.forces`.
    """
    if case.mesh.dimension != 3:
        raise InvalidMeshError("a section has no span", where=case.name, remedy="forces(...) gives its loads per metre of span")
    wall = wall_of(case, patches)
    corners, facet, key = _fans(case, wall)
    count = len(facet)
    at_corners = replace(wall, lift=corners, points=corners @ case.mesh.points, facet=np.repeat(facet, 3))
    pressure, text = pressure_on(case, at_corners, density, pressure_unit, reference_pressure)
    friction, _ = friction_on(case, at_corners, density, pressure_unit)
    x = at_corners.points.reshape(count, 3, 3)
    area = 0.5 * np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0])
    outward = np.stack([np.bincount(wall.facet, weights=column, minlength=len(wall.patch)) for column in wall.area.T], axis=1)
    own = np.stack([np.bincount(facet, weights=column, minlength=len(wall.patch)) for column in area.T], axis=1)
    area = area * np.sign((outward * own).sum(axis=1))[facet][:, None]
    force = -pressure.reshape(count, 3, 1) * area[:, None]
    if friction is not None:
        force = force + friction.reshape(count, 3, 3) * np.linalg.norm(area, axis=1)[:, None, None]
    curved = sorted(set(wall.facets.names) & set(_CORNERS))
    notes = (*wall.notes, f"curved facets ({', '.join(curved)}) are taken as flat between their corners") if curved else wall.notes
    return WallTriangles(x, key, pressure.reshape(count, 3), force, notes, text)


def _fans(case: Case, wall: Wall) -> tuple[sparse.csr_array, np.ndarray, np.ndarray]:
    """Interpolation to the corners of the triangles (3 t, n), the facet of every triangle (t,), numbers of the corners (t, 3)."""
    cells, n = wall.facets, len(case.mesh.points)
    sizes = np.diff(cells.offsets).copy()
    for name, corners in _CORNERS.items():
        if name in cells.names:
            sizes[cells.where(name)] = corners
    rows, columns, weights, facets, keys, start = [], [], [], [], [], 0
    for size in np.unique(sizes):
        index = np.flatnonzero(sizes == size)
        corner = cells.connectivity[cells.offsets[:-1][index][:, None] + np.arange(size)]
        if size == 3:
            own, key, facet = np.broadcast_to(np.eye(3), (len(index), 3, 3)), corner, index
        else:
            here = np.eye(size)
            fan = np.stack([np.full((size, size), 1.0 / size), here, np.roll(here, 1, axis=1)], axis=1).reshape(-1, size)
            own = np.broadcast_to(fan, (len(index), *fan.shape))
            key = np.stack([np.broadcast_to(n + index[:, None], corner.shape), corner, np.roll(corner, -1, axis=1)], axis=2).reshape(-1, 3)
            facet = np.repeat(index, size)
        per = own.shape[1]
        rows.append(np.repeat(start + np.arange(len(index) * per), size))
        columns.append(np.repeat(corner[:, None], per, axis=1).reshape(-1))
        weights.append(own.reshape(-1))
        facets.append(facet)
        keys.append(key)
        start += len(index) * per
    entries = (np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns)))
    return sparse.coo_array(entries, shape=(start, n)).tocsr(), np.concatenate(facets), np.concatenate(keys)
