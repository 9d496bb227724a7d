"""The frame of a region: a box becomes the unit cube around the origin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import FieldError, InvalidMeshError
from ..mesh.mesh import Mesh
from ..mesh.operating_point import OperatingPoint
from ..mesh.quantity import Quantity
from .body_frame import SCALES


@dataclass(frozen=True, eq=False)
class RegionFrame:
    """Origin in the middle of a box, its largest side as the unit; axes are kept.

    Flows (cases with an operating point) are scaled by speed and density as those around a body are. Everything else keeps its unit:
    which powers of a length make a solution dimensionless depends on its equation, and the normaliser takes care of the size.

    Attributes:
        origin: (d,) [m].
        length: [m].
    """

    origin: np.ndarray
    length: float

    @classmethod
    def of(cls, mesh: Mesh) -> RegionFrame:
        """Frame of the bounding box of a mesh.

        Raises:
            InvalidMeshError: no extent.
        """
        return cls.of_box(mesh.bounds)

    @classmethod
    def of_box(cls, bounds: np.ndarray) -> RegionFrame:
        """Frame of a box (2, d): lowest and highest corner [m]."""
        length = float(np.ptp(bounds, axis=0).max())
        if not length > 0:
            raise InvalidMeshError("the region has no extent", where="RegionFrame", remedy="look at the mesh with `geoop inspect FILE`")
        return cls(bounds.mean(axis=0), length)

    def points_in(self, points: np.ndarray) -> np.ndarray:
        """(n, d) [m] -> dimensionless."""
        return (np.asarray(points, dtype=np.float64) - self.origin) / self.length

    def points_out(self, points: np.ndarray) -> np.ndarray:
        """(n, d) dimensionless -> [m]."""
        return np.asarray(points, dtype=np.float64) * self.length + self.origin

    def vectors_in(self, vectors: np.ndarray) -> np.ndarray:
        """(..., d) the same components: the axes are those of the mesh."""
        return np.asarray(vectors, dtype=np.float64)

    vectors_out = vectors_in

    def scale(self, quantity: Quantity, point: OperatingPoint | None) -> float:
        """What one unit of the scaled quantity is in SI; 1 without an operating point.

        Raises:
            FieldError: a flow's quantity in a unit that has no rule.
        """
        if point is None:
            return 1.0
        if quantity.unit not in SCALES:
            raise FieldError(f"no rule makes [{quantity.unit}] of '{quantity.name}' dimensionless", remedy=f"use one of the units {sorted(SCALES)}")
        speed, density, length = SCALES[quantity.unit]
        return self.length**length * point.velocity**speed * point.density**density

    def fields_in(self, values: Mapping[Quantity, np.ndarray], point: OperatingPoint | None) -> dict[str, np.ndarray]:
        """SI values by quantity -> scaled values by name."""
        return {q.name: _sound(q, v) / self.scale(q, point) for q, v in values.items()}

    def fields_out(self, values: Mapping[Quantity, np.ndarray], point: OperatingPoint | None) -> dict[str, np.ndarray]:
        """Inverse of :meth:`fields_in`."""
        return {q.name: _sound(q, v) * self.scale(q, point) for q, v in values.items()}


def _sound(quantity: Quantity, values: np.ndarray) -> np.ndarray:
    if quantity.rank > 1:
        raise FieldError(f"'{quantity.name}' has rank {quantity.rank}", remedy="predict scalars and vectors")
    return np.asarray(values, dtype=np.float64)
