"""Charged straight segments in the plane: the conductors whose field lines become grid lines."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

#: From so many segments on, groups of them are summed as series where they are far.
_MANY = 600
#: A group is far beyond so many of its radii; its series has so many terms: what is left out is 1e-14 of it.
_APART, _TERMS = 3.0, 28


@dataclass(frozen=True, eq=False)
class Charge:
    """A constant charge density on every segment of a drawing, all positions complex numbers x + iy.

    Attributes:
        vertices: (v,) positions.
        first, second: (s,) vertices between which each segment runs.
        density: (s,) charge per length; a positive one makes the potential log r grow away from it.
    """

    vertices: np.ndarray
    first: np.ndarray
    second: np.ndarray
    density: np.ndarray

    def field(self, position: np.ndarray) -> np.ndarray:
        """Gradient of the potential at points (p,) that lie on no segment.

        Of many segments, s, groups of sqrt(s) neighbours are summed as series in the inverse distance from their middles (multipole moments, Greengard &
        Rokhlin 1987) wherever these converge fast: p s^(1/2) terms in place of p s logarithms and angles.
        """
        if len(self.first) < _MANY:
            return self._summed(position)
        total = np.zeros(len(position), dtype=complex)
        for group in self._groups:
            total += group.field(position)
        return total

    @cached_property
    def _groups(self) -> list[_Group]:
        """Runs of segments that follow each other in the drawing, each about sqrt(s) long."""
        count = math.isqrt(len(self.first))
        jumps = np.flatnonzero(self.first[1:] != self.second[:-1]) + 1
        lines = zip([0, *jumps], [*jumps, len(self.first)], strict=True)
        return [_Group(self, slice(start, min(start + count, end))) for begin, end in lines for start in range(begin, end, count)]

    def _summed(self, position: np.ndarray) -> np.ndarray:
        """The field, segment by segment.

        Each segment adds its charge times log((z - start)/(z - end)), conjugated. Written out in real numbers, which numpy
        takes 20 times faster than complex logarithms: distances by vertex, angles by segment.
        """
        dx = position.real[:, None] - self.vertices.real
        dy = position.imag[:, None] - self.vertices.imag
        log_distance = 0.5 * np.log(dx * dx + dy * dy)
        ax, ay, bx, by = dx[:, self.first], dy[:, self.first], dx[:, self.second], dy[:, self.second]
        angle = np.arctan2(bx * ay - by * ax, ax * bx + ay * by)
        run = self.vertices[self.second] - self.vertices[self.first]
        charge = self.density * np.conj(run) / np.abs(run)
        step = _per_vertex(self.first, charge, len(self.vertices)) - _per_vertex(self.second, charge, len(self.vertices))
        real = log_distance @ step.real - angle @ charge.imag
        imaginary = log_distance @ step.imag + angle @ charge.real
        return real - 1j * imaginary


class _Group:
    """Some segments of a charge, exact close by and as a series far away.

    Args:
        charge: all of them.
        of: which.
    """

    def __init__(self, charge: Charge, of: slice) -> None:
        used, index = np.unique(np.stack([charge.first[of], charge.second[of]]), return_inverse=True)
        first, second = index.reshape(2, -1)
        self._near = Charge(charge.vertices[used], first, second, charge.density[of])
        z = self._near.vertices
        self._center = 0.5 * complex(z.real.min() + z.real.max(), z.imag.min() + z.imag.max())
        self._radius = float(np.abs(z - self._center).max())
        start, end = ((z[ends] - self._center) / self._radius for ends in (first, second))
        # of density * |dz| z^k, from start to end, in radii; |dz| = dz conj(end - start) / |end - start|
        along = self._near.density * self._radius * np.conj(end - start) / np.abs(end - start)
        self._moments = [complex((along * (end**k - start**k)).sum() / k) for k in range(1, _TERMS + 1)]

    def field(self, position: np.ndarray) -> np.ndarray:
        """(p,) what these segments add to the field."""
        out = np.empty(len(position), dtype=complex)
        far = np.abs(position - self._center) > _APART * self._radius
        if not far.all():
            out[~far] = self._near._summed(position[~far])
        inverse = self._radius / (position[far] - self._center)
        total = np.zeros(len(inverse), dtype=complex)
        for moment in reversed(self._moments):
            total = (total + moment) * inverse
        out[far] = np.conj(total) / self._radius
        return out


def _per_vertex(index: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    return np.bincount(index, values.real, count) + 1j * np.bincount(index, values.imag, count)


def isolated_charge(*polygons: np.ndarray) -> Charge:
    """The charge 1 on closed polygons alone in the plane that holds all of them at one potential (collocation at the middles)."""
    z = np.concatenate(polygons)
    starts = np.cumsum([0] + [len(polygon) for polygon in polygons])
    first = np.arange(len(z))
    second = np.concatenate([np.roll(first[i:j], -1) for i, j in zip(starts[:-1], starts[1:], strict=True)])
    a, b = z[first], z[second]
    system = _bordered(_influence(0.5 * (a + b), a, b), np.abs(b - a))
    return Charge(z, first, second, np.linalg.solve(system, np.append(np.zeros(len(z)), 1.0))[:-1])


def channel_charge(inner: list[np.ndarray], outer: np.ndarray) -> Charge:
    """Charges on lines and on their mirror images in the imaginary axis that hold ``inner`` at potential 0 and ``outer`` at 1.

    By symmetry the field on the axis runs along it, so the axis is a field line wherever it meets no conductor: an outlet.

    Args:
        inner: polylines that together with their images are one connected conductor.
        outer: polyline that with its image encloses them.
    """
    lines = [*inner, outer]
    starts = np.cumsum([0] + [len(line) for line in lines])
    vertices = np.concatenate(lines)
    first = np.concatenate([np.arange(a, b - 1) for a, b in zip(starts[:-1], starts[1:], strict=True)])
    a, b = vertices[first], vertices[first + 1]
    middle = 0.5 * (a + b)
    system = _bordered(_influence(middle, a, b) + _influence(middle, -np.conj(a), -np.conj(b)), np.abs(b - a))
    wanted = np.append((first >= starts[-2]).astype(float), 0.0)
    density = np.linalg.solve(system, wanted)[:-1]
    n = len(vertices)
    return Charge(
        np.concatenate([vertices, -np.conj(vertices)]),
        np.concatenate([first, first + n]),
        np.concatenate([first + 1, first + 1 + n]),
        np.concatenate([density, density]),
    )


def _influence(at: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(p, s) potential at points of segments with unit charge density."""
    length = np.abs(end - start)
    local = (at[:, None] - start) * np.conj(end - start) / length
    with np.errstate(divide="ignore", invalid="ignore"):
        near, far = local * np.log(local), (local - length) * np.log(local - length)
    return np.where(local == 0, 0.0, near).real - np.where(local == length, 0.0, far).real - length


def _bordered(influence: np.ndarray, length: np.ndarray) -> np.ndarray:
    """The system with one more unknown, the constant of the potential (taken off), and one more equation, the total charge."""
    n = len(length)
    system = np.zeros((n + 1, n + 1))
    system[:n, :n], system[:n, n], system[n, :n] = influence, -1.0, length
    return system
