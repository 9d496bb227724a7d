"""A geometry in its own frame: what points are looked at from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from ..errors import ConditionError
from ..graph.geometry import Geometry, Queries
from ..graph.pointset import Inputs, PointSet
from ..mesh.case import Case
from ..mesh.distance import signed_distance
from ..mesh.measure import point_normals
from ..mesh.mesh import Mesh
from .body_frame import BodyFrame
from .conditions import Conditions
from .region_frame import RegionFrame

NO_CONDITIONS = Conditions()


@dataclass(frozen=True, eq=False)
class Framed:
    """The boundary of one case in its own frame: the body in an unbounded flow, or what encloses a region.

    Attributes:
        frame: from metres to dimensionless coordinates and back.
        mesh: the boundary in those coordinates, line cells or polygons.
        geometry: the same as tensors, with the points of the domain where a model works on a cloud.
        side: 1 where fields live outside of the boundary (a body), -1 where inside (a region). Distances, gradients and normals are
            turned so that they are positive, and point, to where the fields live.
    """

    frame: BodyFrame | RegionFrame
    mesh: Mesh
    geometry: Geometry
    side: int = 1

    def queries(self, points: np.ndarray, wall: np.ndarray | None = None, skin: float = 0.0) -> Queries:
        """Points -> queries in the frame, with signed distance and closest point.

        Args:
            points: (n, d) [m].
            wall: (n,) points that lie on the boundary by definition: they are moved to the closest point of the (resampled)
                boundary, from which the user's own vertices differ by the sagitta of a segment.
            skin: points at most this far beyond the boundary (in units of the frame) are moved to it, too.
        """
        return self.local_queries(self.frame.points_in(points), wall, skin)

    def local_queries(self, local: np.ndarray, wall: np.ndarray | None = None, skin: float = 0.0, weight: np.ndarray | None = None) -> Queries:
        """As :meth:`queries` for points (n, d) in the frame, with quadrature weights (n,) where they are known."""
        near = signed_distance(self.mesh, local)
        distance, gradient = self.side * near.distance, self.side * near.gradient
        on_wall = (distance <= 0.0) & (distance >= -skin)
        if wall is not None:
            on_wall |= wall
        anchor = near.corners
        share = near.parameter if near.parameter.ndim == 2 else np.stack([1.0 - near.parameter, near.parameter], axis=1)
        normal = (self.normals[anchor] * share[:, :, None]).sum(axis=1)
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
        points_set = PointSet(
            single(np.where(on_wall[:, None], near.closest, local)),
            scalars=single(np.where(on_wall, 0.0, distance)[:, None]),
            vectors=single(np.where(on_wall[:, None], normal, gradient)[:, None, :]),
            weight=None if weight is None else single(weight),  # type: ignore[arg-type]
        )
        return Queries(points_set, torch.from_numpy(anchor), single(share))

    @cached_property
    def normals(self) -> np.ndarray:
        """(v, d) unit normals of the boundary's vertices, to where the fields live."""
        return self.side * point_normals(self.mesh)

    def inputs(self, case: Case, conditions: Conditions = NO_CONDITIONS) -> Inputs:
        """The free-stream direction in the frame as the one global vector where there is a free stream, and the scalar conditions.

        Raises:
            ConditionError: a body without operating point, or a case that does not state what varied in training.
        """
        point, scalars = case.operating_point, single(conditions.of(case, self.frame)[None, :])
        if point is None:
            if self.side > 0:
                raise ConditionError("no operating point", where=case.name, remedy="Case(mesh, OperatingPoint(velocity=..., alpha=...))")
            return Inputs(scalars, torch.zeros(1, 0, case.mesh.dimension))
        direction = self.frame.vectors_in(point.direction(case.mesh.dimension))
        return Inputs(scalars, single(direction[None, None, :]))

    def direction(self, case: Case) -> np.ndarray:
        """(d,) free-stream direction in the frame; zeros where there is none."""
        point, d = case.operating_point, case.mesh.dimension
        return np.zeros(d) if point is None else self.frame.vectors_in(point.direction(d)).astype(np.float32).astype(np.float64)


def single(array: np.ndarray) -> torch.Tensor:
    """The one place where geometry becomes single precision."""
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
