"""Lines of steepest ascent of the exterior Green's function of a section: they leave the wall, never cross and end up radial."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .charge import Charge, isolated_charge

#: Which points (complex, any shape) lie in a region.
Inside = Callable[[np.ndarray], np.ndarray]
_STEP = 0.15  # of the distance gone so far
_MAX_STEPS = 600


@dataclass(frozen=True, eq=False)
class FieldLines:
    """Lines from the points of a wall to beyond a circle, as complex numbers x + iy.

    Attributes:
        position: (k, n) points along the lines, the wall first.
        tangent: (k, n) unit tangents.
        place: (k, n) arc length from the wall.
        potential: (k, n) Green's function, zero on the wall.
    """

    position: np.ndarray
    tangent: np.ndarray
    place: np.ndarray
    potential: np.ndarray

    def at(self, places: np.ndarray) -> np.ndarray:
        """(m, n) points at arc lengths (m, n) along the lines."""
        interval = np.stack([np.searchsorted(s, p, side="right") for s, p in zip(self.place.T, places.T, strict=True)], axis=1) - 1
        return self._hermite(np.clip(interval, 0, len(self.place) - 2), places)

    def _hermite(self, k: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Points at arc lengths (..., n) within the intervals k (..., n), cubic."""
        i = np.arange(places.shape[-1])
        s = self.place[k, i]
        h = self.place[k + 1, i] - s
        t = (places - s) / h
        a, b, u, v = self.position[k, i], self.position[k + 1, i], self.tangent[k, i], self.tangent[k + 1, i]
        return (1 + 2 * t) * (1 - t) ** 2 * a + t**2 * (3 - 2 * t) * b + h * t * (1 - t) * ((1 - t) * u - t * v)

    def level(self, places: np.ndarray) -> np.ndarray:
        """(m, n) logarithm of the potential at arc lengths (m, n) > 0; close to the wall it is linear in the arc length."""
        return self._mapped(places, np.log(self.place[1:]), np.log(self.potential[1:]), np.log)

    def at_level(self, level: np.ndarray) -> np.ndarray:
        """(m, n) arc lengths at which the logarithm of the potential has the given values, the inverse of :meth:`level`."""
        return np.exp(self._mapped(level, np.log(self.potential[1:]), np.log(self.place[1:]), np.asarray))

    @staticmethod
    def _mapped(values: np.ndarray, source: np.ndarray, target: np.ndarray, scale) -> np.ndarray:
        x = scale(values)
        inside = np.stack([np.interp(a, s, t) for a, s, t in zip(x.T, source.T, target.T, strict=True)], axis=1)
        return np.where(x < source[0], target[0] + x - source[0], inside)

    def ends(self, inside: Inside) -> np.ndarray:
        """(n,) arc lengths at which the lines leave a region for the first time."""
        within = inside(self.position)
        last = np.minimum(np.maximum(within.cumprod(axis=0).sum(axis=0) - 1, 0), len(within) - 2)
        column = np.arange(within.shape[1])
        low, high = self.place[last, column], self.place[last + 1, column]
        for _ in range(50):
            middle = 0.5 * (low + high)
            kept = inside(self._hermite(last, middle))
            low, high = np.where(kept, middle, low), np.where(kept, high, middle)
        return high


def disk(center: complex, radius: float) -> Inside:
    """The region inside a circle."""
    return lambda z: np.abs(z - center) < radius


def field_lines(wall: np.ndarray, inside: Inside) -> FieldLines:
    """Lines from every vertex of a closed counter-clockwise polygon out of a region.

    The section is charged to a constant potential by a constant charge density per segment (collocation at the middles).
    Outside a connected conductor the field has no zero, so its lines fill the plane without crossing, whatever the shape.

    Args:
        wall: (n, 2) vertices.
        inside: the region round the section that all lines must leave.
    """
    z = wall[:, 0] + 1j * wall[:, 1]
    before, after = z - np.roll(z, 1), np.roll(z, -1) - z
    start = bisectors(before / np.abs(before), after / np.abs(after))
    return traced(z, start, np.minimum(np.abs(before), np.abs(after)), isolated_charge(z), inside)


def traced(z: np.ndarray, start: np.ndarray, spacing: np.ndarray, charge: Charge, inside: Inside) -> FieldLines:
    """Field lines from the vertices of a conductor until each has left a region; from there on they go straight.

    Near a vertex the field of a segment-wise constant charge is singular; there the line follows the given direction and turns
    into the field over half a segment. Lines are integrated by the midpoint rule with steps of 15 % of the way gone.

    Args:
        z: (n,) vertices, complex.
        start: (n,) unit directions in which the lines leave them.
        spacing: (n,) length of the shorter segment at each vertex.
        charge: the conductors.
        inside: the region.
    """

    def direction(position: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        field = charge.field(position)
        strength = np.abs(field)
        blend = np.clip(2 * place / spacing, 0.0, 1.0)
        blend = blend**2 * (3 - 2 * blend)
        mixed = (1 - blend) * start + blend * field / strength
        return mixed / np.abs(mixed), strength

    place = 0.1 * spacing
    position = z + place * start
    rows = [(z, start, np.zeros(len(z)), np.zeros(len(z)))]
    potential, before_strength, before_place = np.zeros(len(z)), None, np.zeros(len(z))
    left, before_way = np.zeros(len(z), dtype=bool), start
    for _ in range(_MAX_STEPS):
        way, strength = direction(position, place)
        if before_strength is not None:
            way, strength = np.where(left, before_way, way), np.where(left, before_strength, strength)
        mean = strength if before_strength is None else 0.5 * (strength + before_strength)
        potential = potential + (place - before_place) * mean
        rows.append((position, way, place, potential))
        left = left | ~inside(position)
        if left.all():
            break
        before_strength, before_place, before_way = strength, place, way
        step = _STEP * place
        middle, _ = direction(position + 0.5 * step * way, place + 0.5 * step)
        position, place = position + step * np.where(left, way, middle), place + step
    return FieldLines(*(np.array(column) for column in zip(*rows, strict=True)))


def bisectors(arriving: np.ndarray, leaving: np.ndarray) -> np.ndarray:
    """Outward unit directions that halve the angle at every vertex, given the unit tangents before and after it."""
    smooth = -1j * (arriving + leaving)
    turn = np.angle(leaving / arriving)
    sharp = np.where(turn >= 0, 1.0, -1.0) * (arriving - leaving)  # keeps its digits where the sides nearly fold together
    out = np.where(np.abs(turn) < np.pi / 2, smooth, sharp)
    return out / np.abs(out)
