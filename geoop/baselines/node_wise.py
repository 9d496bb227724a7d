"""Fields on meshes of one connectivity: point i of every case is the same point of a deformed grid, so nothing is interpolated."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..errors import InvalidMeshError
from ..mesh.body import body
from ..mesh.case import Case
from ..mesh.mesh import Mesh
from ..scaling.body_frame import BodyFrame
from .abstract_transfer import AbstractTransfer
from .region_boundary import boundary_points


@dataclass(frozen=True, eq=False)
class Nodes:
    """Where the points of a case lie: every one at its own number.

    Attributes:
        frame: of the body, where the case has an operating point.
        border: (k, d) points of the boundary.
        inside: (n,) nowhere.
    """

    frame: BodyFrame | None
    border: np.ndarray
    inside: np.ndarray

    def shape(self) -> np.ndarray:
        """(k d,) coordinates of the boundary points, which have the same numbers in all cases."""
        return self.border.reshape(-1)


@dataclass(frozen=True)
class NodeWise(AbstractTransfer):
    """Fields <-> their values at the numbered points. Coordinates are those of the meshes: a region has a place and a size.

    Attributes:
        points: how many there are.
        cells: hash of the connectivity.
    """

    points: int
    cells: str

    kind: ClassVar[str] = "nodes"
    most_shapes: ClassVar[int] = 48

    @classmethod
    def of(cls, mesh: Mesh) -> NodeWise:
        return cls(len(mesh.points), connectivity(mesh))

    @property
    def size(self) -> int:
        return self.points

    @property
    def n_field(self) -> int:
        return self.points

    def place(self, case: Case) -> Nodes:
        if len(case.mesh.points) != self.points or connectivity(case.mesh) != self.cells:
            raise InvalidMeshError(
                f"{len(case.mesh.points)} points and other cells than the {self.points} points of all training cases",
                where=case.name,
                remedy="give the case on the mesh of the training cases, or fit with transfer='region'",
            )
        return Nodes(fixed_frame(case), case.mesh.points[boundary_points(case.mesh)], np.zeros(self.points, dtype=bool))

    def encode(self, place: Nodes, values: np.ndarray) -> np.ndarray:
        return values

    def decode(self, place: Nodes, vector: np.ndarray) -> np.ndarray:
        return vector

    def there_and_back(self, place: Nodes, values: np.ndarray) -> np.ndarray:
        return values


def fixed_frame(case: Case) -> BodyFrame | None:
    """Frame of the body in the axes of the mesh, where the case has an operating point: fields are scaled, and nothing is turned."""
    if case.operating_point is None:
        return None
    own = BodyFrame.of(body(case.mesh, case.wall))
    return BodyFrame(own.origin, own.length, np.eye(case.mesh.dimension))


def connectivity(mesh: Mesh) -> str:
    """Hash of the cells; of the points where there are no cells but clouds, for a cloud has no other order."""
    digest = hashlib.sha256()
    for array in (mesh.cells.types, mesh.cells.offsets, mesh.cells.connectivity, mesh.points if mesh.is_cloud else np.zeros(0)):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
