"""From scattered fields around different sections to vectors of one length, and back: splines in body-fitted coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.interpolate import Akima1DInterpolator
from scipy.linalg import solveh_banded

from ..errors import FieldError, NonFiniteError
from ..mesh.body import body_cells
from ..mesh.case import Case
from ..mesh.quantity import Quantity
from .body_fitted import BodyFitted


@dataclass(frozen=True)
class Transfer:
    """Dimensionless fields of a case <-> one vector.

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
            design = self._design(place.s[use], place.d[use])
            normal = (design.T @ design + self._penalty).tocoo()
            lower = normal.row >= normal.col
            band = np.zeros((3 * self.n_away + 4, self.n_field))
            band[(normal.row - normal.col)[lower], normal.col[lower]] = normal.data[lower]
            parts.append(solveh_banded(band, design.T @ values[use], lower=True))
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
        def second(n: int) -> sparse.csr_array:
            return sparse.csr_array(np.diff(np.eye(n), n=2, axis=0))

        along = sparse.kron(second(self.n_along), sparse.eye_array(self.n_away))
        away = sparse.kron(sparse.eye_array(self.n_along), second(self.n_away))
        return sparse.csr_array(self.smoothing * (along.T @ along + away.T @ away))

    def _design(self, s: np.ndarray, d: np.ndarray) -> sparse.csr_array:
        """(n, n_along * n_away) values of the splines at points."""
        away = np.log1p(np.clip(d, 0.0, self.reach) / self.finest) / np.log1p(self.reach / self.finest)
        (a, i), (b, j) = _cubic(s, self.n_along), _cubic(away, self.n_away)
        weights = (a[:, :, None] * b[:, None, :]).reshape(-1)
        four = np.arange(4)
        columns = ((i[:, None] + four)[:, :, None] * self.n_away + (j[:, None] + four)[:, None, :]).reshape(-1)
        return sparse.csr_array((weights, columns, np.arange(len(s) + 1) * 16), shape=(len(s), self.n_along * self.n_away))


def _cubic(x: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Values (n, 4) and number of the first (n,) of the cubic B-splines on uniform knots that do not vanish at x in [0, 1]."""
    scaled = np.clip(x, 0.0, 1.0) * (count - 3)
    first = np.minimum(scaled.astype(np.int64), count - 4)
    u = scaled - first
    values = [(1 - u) ** 3, 3 * u**3 - 6 * u**2 + 4, -3 * u**3 + 3 * u**2 + 3 * u + 1, u**3]
    return np.stack(values, axis=1) / 6.0, first


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


@dataclass(frozen=True, eq=False)
class Channels:
    """Fields of several quantities side by side as dimensionless columns in the frame of the body; velocities without the free stream.

    Attributes:
        quantities: in the order of the columns; a vector takes two.
    """

    quantities: tuple[Quantity, ...]

    @property
    def count(self) -> int:
        return sum(2 if q.rank else 1 for q in self.quantities)

    def gather(self, case: Case, place: Place) -> np.ndarray:
        """(n, c) columns from the fields of a case.

        Raises:
            PatchError: a field is missing. FieldError: it lives elsewhere, or has another unit. NonFiniteError: NaN in it.
        """
        columns = []
        for quantity in self.quantities:
            item = case.field(quantity.name)
            if item.location != "point" or item.quantity.unit != quantity.unit or item.quantity.rank != quantity.rank:
                raise FieldError(
                    f"'{item.name}' is [{item.quantity.unit}] of rank {item.quantity.rank} at {item.location}s, expected [{quantity.unit}] of rank "
                    f"{quantity.rank} at points",
                    where=case.name,
                    remedy="bring all training cases to the same quantities at points",
                )
            if not np.isfinite(item.values).all():
                raise NonFiniteError(f"'{item.name}' has NaN or infinite values", where=case.name, remedy="leave the case out, or repair its file")
            values = place.fitted.frame.fields_in({quantity: item.values}, case.operating_point)[quantity.name]
            columns.append(values - self._stream(quantity, case, place))
        return np.concatenate([c.reshape(len(c), -1) for c in columns], axis=1)

    def scatter(self, columns: np.ndarray, case: Case, place: Place) -> dict[Quantity, np.ndarray]:
        """Inverse of :meth:`gather`; NaN inside the section."""
        found: dict[Quantity, np.ndarray] = {}
        start = 0
        columns = np.where(place.inside[:, None], np.nan, columns)
        for quantity in self.quantities:
            width = 2 if quantity.rank else 1
            part = columns[:, start : start + width]
            found[quantity] = (part if quantity.rank else part[:, 0]) + self._stream(quantity, case, place)
            start += width
        values = place.fitted.frame.fields_out(found, case.operating_point)
        return {quantity: values[quantity.name] for quantity in self.quantities}

    @staticmethod
    def _stream(quantity: Quantity, case: Case, place: Place) -> np.ndarray | float:
        if quantity.unit != "m/s" or not quantity.rank or case.operating_point is None:
            return 0.0
        return place.fitted.frame.vectors_in(case.operating_point.direction(2))


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
