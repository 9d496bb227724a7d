"""Runs of the same body: equal wall points, up to a rigid motion, a mirror and the order of the points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import GeoopError
from ...mesh.body import body_cells
from ...mesh.case import Case

#: Relative difference up to which two distances are the same: single precision files and rotations round.
_SAME = 3e-6


@dataclass(frozen=True, eq=False)
class Shape:
    """What stays of a body when it is moved, turned or mirrored.

    Attributes:
        radii: (n,) distances of the wall points from their centroid, ascending [m].
        spread: (d,) principal second moments of the points, ascending [m^2].
    """

    radii: np.ndarray
    spread: np.ndarray

    def equals(self, other: Shape) -> bool:
        """Whether both are the same set of points, up to a rigid motion or a mirror.

        Equal distances and moments are necessary for it; that they come from different bodies of equally many points does not happen
        by chance, and would only keep two bodies in one split.
        """
        if self.radii.shape != other.radii.shape or self.spread.shape != other.spread.shape:
            return False
        size = float(self.radii[-1]) or 1.0
        return bool(np.abs(self.radii - other.radii).max() <= _SAME * size and np.abs(self.spread - other.spread).max() <= 4 * _SAME * size**2)


def shape_of(case: Case) -> Shape:
    """The shape of the wall of a case; of all points where it has none."""
    mesh = case.mesh
    try:
        index = np.unique(body_cells(mesh, case.wall or None).connectivity) if case.wall != () else np.arange(len(mesh.points))
    except GeoopError:
        index = np.arange(len(mesh.points))
    points = np.unique(mesh.points[index if len(index) else slice(None)], axis=0)
    centred = points - points.mean(axis=0)
    return Shape(np.sort(np.linalg.norm(centred, axis=1)), np.linalg.eigvalsh(centred.T @ centred / len(centred)))


def shape_names(shapes: dict[str, Shape]) -> dict[str, str]:
    """Run -> ``shape_001``, equal for runs of the same body, numbered in the order of the runs."""
    found: list[Shape] = []
    buckets: dict[int, list[int]] = {}
    names = {}
    for key, shape in shapes.items():
        near = buckets.setdefault(len(shape.radii), [])
        number = next((k for k in near if found[k].equals(shape)), None)
        if number is None:
            number = len(found)
            found.append(shape)
            near.append(number)
        names[key] = f"shape_{number + 1:03d}"
    return names
