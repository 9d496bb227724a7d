"""Charged straight segments in the plane: the conductors whose field lines become grid lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


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
        """Gradient of the potential at points that lie on no segment.

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
