"""From a case in SI units to dimensionless tensors: the one place where geometry becomes single precision."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from ..errors import ConditionError, InvalidMeshError
from ..graph.geometry import Geometry, Queries
from ..graph.pointset import Inputs, PointSet
from ..mesh.body import body
from ..mesh.case import Case
from ..mesh.distance import signed_distance
from ..mesh.measure import point_normals, point_weights
from ..mesh.mesh import Mesh
from ..mesh.resample import resample, turning_angles
from .body_frame import BodyFrame
from .conditions import Conditions

#: Per-vertex scalars of an outline, in this order; see :func:`_outline_scalars`.
OUTLINE_SCALARS = ("curvature", "spacing", "turning", "corner", "sin1", "cos1", "sin2", "cos2", "sin4", "cos4")

NO_CONDITIONS = Conditions()


@dataclass(frozen=True, eq=False)
class FramedBody:
    """A body in its own frame: what queries and conditions of one case are expressed in.

    Attributes:
        frame: from metres to the body's dimensionless coordinates and back.
        mesh: the (resampled) body in those coordinates.
        geometry: the same as tensors.
    """

    frame: BodyFrame
    mesh: Mesh
    geometry: Geometry

    @classmethod
    def of(cls, case: Case, n_surface: int = 200) -> FramedBody:
        """The body of a case, on ``n_surface`` points that depend on its shape and not on the file's own points.

        Raises:
            InvalidMeshError: no body, several bodies, an open outline, or a 3-D body (no model takes one yet).
        """
        surface = body(case.mesh, case.wall)
        if surface.dimension != 2:
            raise InvalidMeshError(
                "this model takes 2-D sections", where=surface.name, remedy="cut the body with a plane and pass the section, or train a 3-D model"
            )
        outline = resample(surface, n_surface)
        frame = BodyFrame.of(outline)
        framed = outline.moved(frame.points_in(outline.points))
        return cls(frame, framed, geometry_tensors(framed))

    def queries(self, points: np.ndarray, wall: np.ndarray | None = None, skin: float = 0.0) -> Queries:
        """Points -> queries in the body's frame, with signed distance and closest point.

        Args:
            points: (n, d) [m].
            wall: (n,) points that lie on the wall by definition: they are moved to the closest point of the resampled
                body, from which the user's own vertices differ by the sagitta of a segment.
            skin: points at most this far inside the body (in body lengths) are moved to the wall, too.
        """
        local = self.frame.points_in(points)
        near = signed_distance(self.mesh, local)
        on_wall = (near.distance <= 0.0) & (near.distance >= -skin)
        if wall is not None:
            on_wall |= wall
        anchor = near.corners
        share = np.stack([1.0 - near.parameter, near.parameter], axis=1)
        normal = (self._normals[anchor] * share[:, :, None]).sum(axis=1)
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
        points_set = PointSet(
            _single(np.where(on_wall[:, None], near.closest, local)),
            scalars=_single(np.where(on_wall, 0.0, near.distance)[:, None]),
            vectors=_single(np.where(on_wall[:, None], normal, near.gradient)[:, None, :]),
        )
        return Queries(points_set, torch.from_numpy(anchor), _single(share))

    @cached_property
    def _normals(self) -> np.ndarray:
        return point_normals(self.mesh)

    def inputs(self, case: Case, conditions: Conditions = NO_CONDITIONS) -> Inputs:
        """The free-stream direction in the body's frame as the one global vector, and the scalar conditions.

        Raises:
            ConditionError: the case has no operating point, or does not state what varied in training.
        """
        if case.operating_point is None:
            raise ConditionError("no operating point", where=case.name, remedy="Case(mesh, OperatingPoint(velocity=..., alpha=...))")
        direction = self.frame.vectors_in(case.operating_point.direction(case.mesh.dimension))
        return Inputs(_single(conditions.of(case, self.frame)[None, :]), _single(direction[None, None, :]))


def geometry_tensors(outline: Mesh) -> Geometry:
    """A closed outline in its own frame -> tensors; vertices in ring order.

    ``surface.scalars`` are :data:`OUTLINE_SCALARS`, ``vectors[:, 0]`` the outward normal, ``weight`` the share of length.
    """
    surface = PointSet(
        _single(outline.points),
        scalars=_single(_outline_scalars(outline.points)),
        vectors=_single(point_normals(outline)[:, None, :]),
        weight=_single(point_weights(outline)),
    )
    facets = torch.from_numpy(outline.cells.block("line").copy())
    return Geometry(surface, facets, torch.tensor([0, len(facets)]))


def _outline_scalars(ring: np.ndarray) -> np.ndarray:
    """(n, 10) what a ring says about itself; logarithmic where the range spans decades."""
    turn = turning_angles(ring)
    after = np.linalg.norm(np.roll(ring, -1, axis=0) - ring, axis=1)
    share = 0.5 * (after + np.roll(after, 1))
    corner = np.abs(turn) > 0.7  # [rad], 40 degrees: only a corner of the shape turns this much after resampling
    curvature = np.arcsinh(np.where(corner, 0.0, turn / share)) / 4.0
    phase = 2.0 * np.pi * np.concatenate([[0.0], np.cumsum(after)[:-1]]) / after.sum()
    waves = [wave(k * phase) for k in (1, 2, 4) for wave in (np.sin, np.cos)]
    return np.stack([curvature, np.log(share) / 2.0 + 2.5, np.where(corner, 0.0, 5.0 * turn), corner, *waves], axis=1)


def _single(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
