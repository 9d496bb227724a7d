"""Lines of steepest ascent of the exterior Green's function of a section: they leave the wall, never cross and end up radial."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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

    def ends(self, center: complex, radius: float) -> np.ndarray:
        """(n,) arc lengths at which the lines cross a circle."""
        inside = np.abs(self.position - center) < radius
        last = np.minimum(np.maximum(inside.cumprod(axis=0).sum(axis=0) - 1, 0), len(inside) - 2)
        column = np.arange(inside.shape[1])
        low, high = self.place[last, column], self.place[last + 1, column]
        for _ in range(50):
            middle = 0.5 * (low + high)
            within = np.abs(self._hermite(last, middle) - center) < radius
            low, high = np.where(within, middle, low), np.where(within, high, middle)
        return high


def field_lines(wall: np.ndarray, center: complex, radius: float) -> FieldLines:
    """Lines from every vertex of a closed counter-clockwise polygon out to a circle.

    The section is charged to a constant potential by a constant charge density per segment (collocation at the middles).
    Outside a connected conductor the field has no zero, so its lines fill the plane without crossing, whatever the shape. Near
    a vertex the field of a segment-wise constant charge is singular; there the line follows the bisector and turns into the
    field over half a segment. Lines are integrated by the midpoint rule with steps of 15 % of the way gone.

    Args:
        wall: (n, 2) vertices.
        center, radius: circle round the section that all lines must leave.
    """
    z = wall[:, 0] + 1j * wall[:, 1]
    charge = _Charge(z)
    before, after = z - np.roll(z, 1), np.roll(z, -1) - z
    start = _bisectors(before / np.abs(before), after / np.abs(after))
    spacing = np.minimum(np.abs(before), np.abs(after))

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
    for _ in range(_MAX_STEPS):
        way, strength = direction(position, place)
        mean = strength if before_strength is None else 0.5 * (strength + before_strength)
        potential = potential + (place - before_place) * mean
        rows.append((position, way, place, potential))
        if (np.abs(position - center) > radius).all():
            break
        before_strength, before_place = strength, place
        step = _STEP * place
        middle, _ = direction(position + 0.5 * step * way, place + 0.5 * step)
        position, place = position + step * middle, place + step
    return FieldLines(*(np.array(column) for column in zip(*rows, strict=True)))


def _bisectors(arriving: np.ndarray, leaving: np.ndarray) -> np.ndarray:
    """Outward unit directions that halve the angle at every vertex, given the unit tangents before and after it."""
    smooth = -1j * (arriving + leaving)
    turn = np.angle(leaving / arriving)
    sharp = np.where(turn >= 0, 1.0, -1.0) * (arriving - leaving)  # keeps its digits where the sides nearly fold together
    out = np.where(np.abs(turn) < np.pi / 2, smooth, sharp)
    return out / np.abs(out)


class _Charge:
    """Charge on the segments of a polygon that makes it an equipotential."""

    def __init__(self, z: np.ndarray) -> None:
        self.start, self.end = z, np.roll(z, -1)
        length = np.abs(self.end - self.start)
        self.turn = np.conj(self.end - self.start) / length
        local = (0.5 * (self.start + self.end)[:, None] - self.start) * self.turn
        influence = (local * np.log(local) - (local - length) * np.log(local - length)).real - length
        n = len(z)
        system = np.zeros((n + 1, n + 1))
        system[:n, :n], system[:n, n], system[n, :n] = influence, -1.0, length
        self.density = np.linalg.solve(system, np.append(np.zeros(n), 1.0))[:n]

    def field(self, position: np.ndarray) -> np.ndarray:
        """Gradient of the potential at points outside.

        Each segment adds its charge times log((z - start)/(z - end)), conjugated. Written out in real numbers, which numpy
        takes 20 times faster than complex logarithms: distances by vertex, angles by segment.
        """
        dx = position.real[:, None] - self.start.real
        dy = position.imag[:, None] - self.start.imag
        log_distance = 0.5 * np.log(dx * dx + dy * dy)
        ex, ey = np.roll(dx, -1, axis=1), np.roll(dy, -1, axis=1)
        angle = np.arctan2(ex * dy - ey * dx, dx * ex + dy * ey)
        charge = self.density * self.turn
        step = charge - np.roll(charge, 1)
        real = log_distance @ step.real - angle @ charge.imag
        imaginary = log_distance @ step.imag + angle @ charge.real
        return real - 1j * imaginary
