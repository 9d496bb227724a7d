"""From scattered fields around different sections to vectors of one length, and back: splines in body-fitted coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from scipy import sparse
from scipy.interpolate import Akima1DInterpolator

from ..mesh.body import body_cells
from ..mesh.case import Case
from ..scaling.body_frame import BodyFrame
from .abstract_transfer import AbstractTransfer
from .body_fitted import BodyFitted
from .splines import design, fitted, penalty

#: Points of a section that its shape is described by.
N_SHAPE = 100


@dataclass(frozen=True)
class Transfer(AbstractTransfer):
    """Dimensionless fields around one plane section <-> one vector.

    In the field a tensor product of cubic B-splines in (s, log(1 + d/finest)) is fitted by least squares to all points, with a small
    penalty on second differences where there are none; on the wall values are interpolated (Akima) at fixed steps of the stretched s.
    :func:`there_and_back` measures what is lost.

    Attributes:
        reach: largest distance [chords] of the training points; beyond it the fields of the last layer are kept.
        has_field: whether the training cases have points off the wall.
        has_wall: whether they have points on it.
        n_along: splines around the section. n_away: away from it. n_wall: points on the wall.
        finest: distance [chords] where the logarithmic spacing levels off.
        smoothing: weight of the penalty.
    """

    reach: float
    has_field: bool = True
    has_wall: bool = True
    n_along: int = 96
    n_away: int = 28
    n_wall: int = 400
    finest: float = 3e-4
    smoothing: float = 1e-2

    kind: ClassVar[str] = "body"
    most_shapes: ClassVar[int] = 12

    def place(self, case: Case) -> Place:
        return Place.of(case)

    def there_and_back(self, place: Place, values: np.ndarray) -> np.ndarray:
        return there_and_back(self, place, values)

    @property
    def size(self) -> int:
        """Numbers per scalar field."""
        return self.n_along * self.n_away * self.has_field + (self.n_wall + 1) * self.has_wall

    @property
    def n_field(self) -> int:
        """How many of them describe the field off the wall; the rest is the wall."""
        return self.n_along * self.n_away * self.has_field

    def encode(self, place: Place, values: np.ndarray) -> np.ndarray:
        """(n, c) values at the points of a case -> (size, c)."""
        parts = []
        if self.has_field:
            # the value at the trailing edge itself is that of one point, however near the others come
            use = ~place.on_wall | (place.number != place.trailing_edge)
            matrix = self._design(place.s[use], place.d[use])
            parts.append(fitted(matrix, self._penalty, values[use], self.n_away))
        if self.has_wall:
            order = place.on_wall & (place.number != place.trailing_edge)
            s, known = place.wall_s[order], values[order]
            edge = values[place.number == place.trailing_edge].mean(axis=0, keepdims=True) if place.trailing_edge >= 0 else None
            s, first = np.unique(s, return_index=True)
            known = known[first]
            start, end = (edge, edge) if edge is not None else (known[:1], known[-1:])
            inner = (s > 0) & (s < 1)
            s, known = np.concatenate([[0.0], s[inner], [1.0]]), np.concatenate([start, known[inner], end])
            parts.append(Akima1DInterpolator(s, known)(np.linspace(0.0, 1.0, self.n_wall + 1)))
        return np.concatenate(parts)

    def decode(self, place: Place, vector: np.ndarray) -> np.ndarray:
        """(size, c) -> (n, c) values at the points of a case; wall points use the wall's own numbers where there are any."""
        out = np.empty((len(place.s), vector.shape[1]))
        wall = (place.on_wall | (not self.has_field)) & self.has_wall
        if (~wall).any():
            out[~wall] = self._design(place.s[~wall], place.d[~wall]) @ vector[: self.n_field]
        if wall.any():
            out[wall] = Akima1DInterpolator(np.linspace(0.0, 1.0, self.n_wall + 1), vector[self.n_field :])(place.wall_s[wall])
        return out

    @cached_property
    def _penalty(self) -> sparse.csr_array:
        return penalty((self.n_along, self.n_away), self.smoothing)

    def _design(self, s: np.ndarray, d: np.ndarray) -> sparse.csr_array:
        """(n, n_along * n_away) values of the splines at points."""
        away = np.log1p(np.clip(d, 0.0, self.reach) / self.finest) / np.log1p(self.reach / self.finest)
        return design(s, away, (self.n_along, self.n_away))


@dataclass(frozen=True, eq=False)
class Place:
    """Where the points of a case lie around its section.

    Attributes:
        fitted: the coordinates.
        s: (n,), d: (n,) of every point; d of wall points is 0.
        on_wall: (n,) points that belong to the body's facets.
        wall_s: (n,) the stretched s of the wall; meaningful for wall points.
        number: (n,) 0.. numbers of the points; trailing_edge: the wall point there, -1 without one.
        inside: (n,) points inside the section, where there is no flow.
    """

    fitted: BodyFitted
    s: np.ndarray
    d: np.ndarray
    on_wall: np.ndarray
    wall_s: np.ndarray
    number: np.ndarray
    trailing_edge: int
    inside: np.ndarray

    @classmethod
    def of(cls, case: Case) -> Place:
        """Body-fitted coordinates of all points of a case's mesh.

        Raises:
            InvalidMeshError: see :meth:`BodyFitted.of`.
        """
        fitted = BodyFitted.of(case)
        s, d = fitted.coordinates(case.mesh.points)
        on_wall = np.zeros(len(s), dtype=bool)
        on_wall[np.unique(body_cells(case.mesh, case.wall).connectivity)] = True
        wall_s = fitted.along_wall(s)
        near = np.where(on_wall, ((fitted.frame.points_in(case.mesh.points) - fitted.ring[0]) ** 2).sum(axis=1), np.inf)
        edge = int(np.argmin(near))
        if near[edge] > 1e-12:
            edge = -1
        else:
            wall_s[edge] = 0.0
        inside = ~on_wall & (d < -1e-6)
        return cls(fitted, s, np.where(on_wall, 0.0, np.maximum(d, 0.0)), on_wall, wall_s, np.arange(len(s)), edge, inside)

    @property
    def frame(self) -> BodyFrame:
        return self.fitted.frame

    def shape(self) -> np.ndarray:
        """(2 N_SHAPE,) coordinates of the section, in chords, at fixed steps around it."""
        return self.fitted.shape(N_SHAPE).reshape(-1)


def there_and_back(transfer: Transfer, place: Place, values: np.ndarray, folds: int = 10) -> np.ndarray:
    """Columns that went to the vector and back: what no baseline can be better than.

    Field points are evaluated from the vector of the other folds, wall points (all used) between the fixed steps of s.

    Args:
        values: (n, c) dimensionless columns at the points of the place.
        folds: parts into which the field points are dealt at random.
    """
    out = np.empty_like(values)
    fold = np.where(place.on_wall, -1, np.random.default_rng(0).permutation(len(place.s)) % folds)
    for k in range(-1, folds):
        left_out = np.flatnonzero(fold == k)
        if len(left_out):
            kept = place.number if k < 0 else np.flatnonzero(fold != k)
            out[left_out] = transfer.decode(subset(place, left_out), transfer.encode(subset(place, kept), values[kept]))
    return out


def subset(place: Place, index: Sequence[int] | np.ndarray) -> Place:
    """Some of the points of a place."""
    i = np.asarray(index)
    return Place(place.fitted, place.s[i], place.d[i], place.on_wall[i], place.wall_s[i], place.number[i], place.trailing_edge, place.inside[i])
