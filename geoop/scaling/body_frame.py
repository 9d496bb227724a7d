"""The frame of a body: metres and SI fields to dimensionless numbers and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import ConditionError, FieldError, InvalidMeshError
from ..mesh.mesh import Mesh
from ..mesh.operating_point import OperatingPoint
from ..mesh.outline import chord_line
from ..mesh.quantity import Quantity
from .extent import largest_extent

#: SI unit of a quantity -> powers of free-stream speed, density and body length that make it dimensionless.
SCALES: dict[str, tuple[int, int, int]] = {
    "1": (0, 0, 0),
    "m": (0, 0, 1),
    "m/s": (1, 0, 0),
    "m^2/s": (1, 0, 1),
    "m^2/s^2": (2, 0, 0),
    "Pa": (2, 1, 0),
    "kg/m^3": (0, 1, 0),
    "1/s": (1, 0, -1),
}


@dataclass(frozen=True, eq=False)
class BodyFrame:
    """Origin in the middle of the body, first axis along it, its length as the unit.

    The same section in metres or millimetres, at any place, angle and speed has the same coordinates and fields here, so a
    prediction cannot depend on them. The ends of the body lie at (-1/2, 0) and (1/2, 0).

    Attributes:
        origin: (d,) [m].
        length: [m].
        axes: (d, d) rows are the axes of the body in the mesh's coordinates.
    """

    origin: np.ndarray
    length: float
    axes: np.ndarray

    @classmethod
    def of(cls, body: Mesh) -> BodyFrame:
        """Frame of a 2-D outline by its chord line, of a 3-D surface by the middle of its bounding box and its largest extent (axes kept).

        Raises:
            InvalidMeshError: the body has no extent.
        """
        if body.dimension == 2:
            chord = chord_line(body)
            along = (np.asarray(chord.trailing_edge) - np.asarray(chord.leading_edge)) / chord.length
            origin = 0.5 * (np.asarray(chord.trailing_edge) + np.asarray(chord.leading_edge))
            return cls(origin, float(chord.length), np.array([along, [-along[1], along[0]]]))
        length = largest_extent(body.points)
        if not length > 0:
            raise InvalidMeshError("the body has no extent", where=body.name, remedy="look at it with `geoop inspect FILE`")
        return cls(body.bounds.mean(axis=0), length, np.eye(3))

    def points_in(self, points: np.ndarray) -> np.ndarray:
        """(n, d) [m] -> dimensionless."""
        return (np.asarray(points, dtype=np.float64) - self.origin) @ self.axes.T / self.length

    def points_out(self, points: np.ndarray) -> np.ndarray:
        """(n, d) dimensionless -> [m]."""
        return np.asarray(points, dtype=np.float64) * self.length @ self.axes + self.origin

    def vectors_in(self, vectors: np.ndarray) -> np.ndarray:
        """(..., d) components in the mesh's axes -> in the body's."""
        return np.asarray(vectors, dtype=np.float64) @ self.axes.T

    def vectors_out(self, vectors: np.ndarray) -> np.ndarray:
        """(..., d) components in the body's axes -> in the mesh's."""
        return np.asarray(vectors, dtype=np.float64) @ self.axes

    def scale(self, quantity: Quantity, point: OperatingPoint | None) -> float:
        """What one unit of the dimensionless quantity is in SI.

        Raises:
            FieldError: a unit that has no rule.
            ConditionError: a speed or density is needed and there is no operating point.
        """
        if quantity.unit not in SCALES:
            raise FieldError(f"no rule makes [{quantity.unit}] of '{quantity.name}' dimensionless", remedy=f"use one of the units {sorted(SCALES)}")
        speed, density, length = SCALES[quantity.unit]
        if point is None and (speed or density):
            raise ConditionError(f"'{quantity.name}' needs a speed to be scaled with", remedy="give the case an OperatingPoint")
        reference = self.length**length
        return reference if point is None else reference * point.velocity**speed * point.density**density

    def fields_in(self, values: Mapping[Quantity, np.ndarray], point: OperatingPoint | None) -> dict[str, np.ndarray]:
        """SI values by quantity -> dimensionless values by name, vectors in the body's axes."""
        return {q.name: self._turn(q, v / self.scale(q, point), self.vectors_in) for q, v in values.items()}

    def fields_out(self, values: Mapping[Quantity, np.ndarray], point: OperatingPoint | None) -> dict[str, np.ndarray]:
        """Inverse of :meth:`fields_in`."""
        return {q.name: self._turn(q, np.asarray(v, dtype=np.float64), self.vectors_out) * self.scale(q, point) for q, v in values.items()}

    @staticmethod
    def _turn(quantity: Quantity, values: np.ndarray, turn) -> np.ndarray:
        if quantity.rank > 1:
            raise FieldError(f"'{quantity.name}' has rank {quantity.rank}", remedy="predict scalars and vectors")
        return turn(values) if quantity.rank == 1 else np.asarray(values, dtype=np.float64)
