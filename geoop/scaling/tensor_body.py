"""A section in its own frame on tensors: the same numbers as :class:`geoop.scaling.casting.FramedBody`, in double precision, differentiable by its points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..graph.geometry import Geometry, Queries
from ..graph.pointset import PointSet
from ..mesh.choices import choice
from ..mesh.distance.polygon import CHUNK, nearest_pairs
from ..mesh.mesh import Mesh
from ..mesh.outline import chord_line
from ..mesh.resample import resample
from ..mesh.tensor_resample import TensorResampling

_CORNER = 0.7  # [rad], as in casting
_AT_VERTEX = 1e-6  # of the length of a facet


@dataclass(frozen=True, eq=False)
class ChordEnds:
    """Which points of an outline are the ends of its chord line: a choice that is kept while the points move.

    Attributes:
        nose: (k,) indices whose mean is the leading edge.
        tail: (k,) indices whose mean is the trailing edge; two at a blunt base.
    """

    nose: np.ndarray
    tail: np.ndarray

    @classmethod
    def of(cls, outline: Mesh) -> ChordEnds:
        """As :func:`geoop.mesh.outline.chord_line` chooses.

        Raises:
            InvalidMeshError: no section, or one without area.
        """
        chord = chord_line(outline)
        return cls(_indices(outline.points, chord.leading_edge), _indices(outline.points, chord.trailing_edge))

    def ends(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """(2,) leading and trailing edge of (n, 2) points."""
        return points[torch.from_numpy(self.nose)].mean(dim=0), points[torch.from_numpy(self.tail)].mean(dim=0)


@dataclass(frozen=True, eq=False)
class TensorFrame:
    """:class:`geoop.scaling.body_frame.BodyFrame` of a section as tensors.

    Attributes:
        origin: (2,) [m]. length: () [m]. axes: (2, 2), rows are the axes of the body.
    """

    origin: Tensor
    length: Tensor
    axes: Tensor

    @classmethod
    def between(cls, nose: Tensor, tail: Tensor) -> TensorFrame:
        """The frame of a chord line."""
        length = (tail - nose).norm()
        along = (tail - nose) / length
        return cls(0.5 * (nose + tail), length, torch.stack([along, torch.stack([-along[1], along[0]])]))

    def points_in(self, points: Tensor) -> Tensor:
        """(n, 2) [m] -> dimensionless."""
        return (points - self.origin) @ self.axes.T / self.length


@dataclass(frozen=True, eq=False)
class TensorBody:
    """A section moved by its points, as a model sees it.

    Attributes:
        frame: of the resampled section.
        geometry: what :meth:`geoop.models.model.AbstractModel.prepare` takes, in double precision.
        wall: the section's own points as queries on the wall.
    """

    frame: TensorFrame
    geometry: Geometry
    wall: Queries


@dataclass(frozen=True, eq=False)
class TensorFraming:
    """From the points of one section to what a model sees of it, with all choices as they are at the section it was made of.

    Attributes:
        resampling: to the points that the model takes.
        chord: ends of the chord line among the resampled points.
    """

    resampling: TensorResampling
    chord: ChordEnds

    @classmethod
    def of(cls, outline: Mesh, n_points: int) -> TensorFraming:
        """Choose at an outline.

        Raises:
            InvalidMeshError: several loops, an open one, or one without area.
        """
        return cls(TensorResampling.of(outline, n_points), ChordEnds.of(resample(outline, n_points)))

    def body(self, points: Tensor) -> TensorBody:
        """The section with its points at (n, 2) [m], double precision."""
        ring = self.resampling.points(points)
        frame = TensorFrame.between(*self.chord.ends(ring))
        local = frame.points_in(ring)
        surface = outline_tensors(local)
        index = torch.arange(len(local))
        facets = torch.stack([index, index.roll(-1)], dim=1)
        return TensorBody(frame, Geometry(surface, facets, torch.tensor([0, len(facets)])), _on_wall(frame.points_in(points), surface))


def outline_tensors(ring: Tensor) -> PointSet:
    """The vertices of a closed ring (n, 2) in its frame with normals, weights and scalars, as :func:`geoop.scaling.casting.geometry_tensors`."""
    after = ring.roll(-1, 0) - ring
    length = after.norm(dim=1)
    facet_normal = torch.stack([after[:, 1], -after[:, 0]], dim=1) / length[:, None]
    normal = torch.nn.functional.normalize(facet_normal + facet_normal.roll(1, 0), dim=1)
    weight = 0.5 * (length + length.roll(1))
    before = after.roll(1, 0)
    turn = torch.atan2(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0], (before * after).sum(dim=1))
    corner = turn.abs() > _CORNER
    curvature = torch.asinh(torch.where(corner, 0.0, turn / weight)) / 4.0
    phase = 2.0 * np.pi * torch.cat([length.new_zeros(1), length.cumsum(0)[:-1]]) / length.sum()
    waves = [wave(k * phase) for k in (1, 2, 4) for wave in (torch.sin, torch.cos)]
    scalars = torch.stack([curvature, weight.log() / 2.0 + 2.5, torch.where(corner, 0.0, 5.0 * turn), corner.to(ring.dtype), *waves], dim=1)
    return PointSet(ring, scalars, normal[:, None, :], weight)


def _on_wall(points: Tensor, surface: PointSet) -> Queries:
    """Points that lie on the wall by definition, at their closest points of the ring."""
    ring, normals, end = surface.pos, surface.vectors[:, 0], surface.pos.roll(-1, 0)
    facet = choice(lambda: nearest_pairs(points.detach(), ring.detach(), end.detach(), CHUNK))
    edge = end[facet] - ring[facet]
    free = ((points - ring[facet]) * edge).sum(dim=1) / edge.square().sum(dim=1).clamp_min(1e-300)
    # a point at a vertex goes on to the next facet when it slides along the wall, one beyond the ends of both stays at the vertex
    beyond = choice(lambda: (free.detach() - 0.5).abs() > 0.5 + _AT_VERTEX)
    t = torch.where(beyond, free.clamp(0.0, 1.0), free)
    share = torch.stack([1.0 - t, t], dim=1)
    corners = torch.stack([facet, (facet + 1) % len(ring)], dim=1)
    normal = torch.nn.functional.normalize((normals[corners] * share[:, :, None]).sum(dim=1), dim=1)
    zero = points.new_zeros(len(points), 1)
    return Queries(PointSet(ring[facet] + t[:, None] * edge, zero, normal[:, None, :]), corners, share)


def _indices(points: np.ndarray, place: np.ndarray) -> np.ndarray:
    """One point, or the two whose middle it is."""
    exact = np.flatnonzero((points == place).all(axis=1))
    if len(exact):
        return exact[:1]
    middles = 0.5 * (points[:, None] + points[None])
    away = np.abs(middles - place).sum(axis=2)
    return np.array(np.unravel_index(int(away.argmin()), away.shape))
