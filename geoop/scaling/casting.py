"""From the body of a case in SI units to dimensionless tensors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ..errors import InvalidMeshError
from ..graph.geometry import Geometry
from ..graph.pointset import PointSet
from ..mesh.body import body
from ..mesh.case import Case
from ..mesh.measure import point_normals, point_weights
from ..mesh.mesh import Mesh
from ..mesh.outline import loops
from ..mesh.resample import resample, turning_angles
from .body_frame import BodyFrame
from .framed import Framed, single

#: Per-vertex scalars of an outline, in this order; see :func:`_outline_scalars`.
OUTLINE_SCALARS = ("curvature", "spacing", "turning", "corner", "sin1", "cos1", "sin2", "cos2", "sin4", "cos4")
#: Which of them change their sign in a mirror.
OUTLINE_ODD = tuple(k for k, name in enumerate(OUTLINE_SCALARS) if name.startswith("sin"))


@dataclass(frozen=True, eq=False)
class FramedBody(Framed):
    """A body in its own frame: what queries and conditions of one case are expressed in."""

    @classmethod
    def of(cls, case: Case, n_surface: int = 200) -> FramedBody:
        """The body of a case, on ``n_surface`` points that depend on its shape and not on the file's own points.

        Raises:
            InvalidMeshError: no body, several bodies, an open outline, or a 3-D body (no model takes one yet).
        """
        surface = body(case.mesh, case.wall)
        if surface.dimension != 2:
            raise InvalidMeshError(
                "this model takes 2-D sections",
                where=surface.name,
                remedy="cut the body with a plane and pass the section, or train a model on clouds, such as DeepONet, which takes bodies in space",
            )
        if len(loops(surface)) > 1:
            raise InvalidMeshError(
                f"{len(loops(surface))} outlines, this model takes one",
                where=surface.name,
                remedy="name the one that is the body: Case(mesh, ..., wall=('patch',)); or train a model on clouds, such as DeepONet, which takes several",
            )
        outline = resample(surface, n_surface)
        frame = BodyFrame.of(outline)
        framed = outline.moved(frame.points_in(outline.points))
        return cls(frame, framed, geometry_tensors(framed))


def geometry_tensors(outline: Mesh) -> Geometry:
    """A closed outline in its own frame -> tensors; vertices in ring order.

    ``surface.scalars`` are :data:`OUTLINE_SCALARS`, ``vectors[:, 0]`` the outward normal, ``weight`` the share of length.
    """
    surface = PointSet(
        single(outline.points),
        scalars=single(_outline_scalars(outline.points)),
        vectors=single(point_normals(outline)[:, None, :]),
        weight=single(point_weights(outline)),
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
