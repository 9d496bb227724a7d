"""Fields that evolve exactly: Gaussians that spread in the plane, waves that travel and decay on a torus, values between the points of a periodic grid."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...errors import ConfigurationError
from .advection_diffusion import travelling_gaussian


@dataclass(frozen=True, eq=False)
class SpreadingGaussians:
    """u_t = D laplace(u) in R^d from a sum of Gaussians: each stays one, its variance grows by 2 D t and its integral stays (the heat kernel).

    Attributes:
        centres: (k, d) [m].
        widths: (k,) standard deviations at time 0 [m].
        amplitudes: (k,) at time 0.
        diffusivity: D [m^2/s].

    Raises:
        ConfigurationError: arrays that disagree.
    """

    centres: np.ndarray
    widths: np.ndarray
    amplitudes: np.ndarray
    diffusivity: float

    def __post_init__(self) -> None:
        if self.centres.ndim != 2 or len({len(self.centres), len(self.widths), len(self.amplitudes)}) > 1:
            raise ConfigurationError(
                f"centres {self.centres.shape}, widths {self.widths.shape}, amplitudes {self.amplitudes.shape}",
                where="SpreadingGaussians",
                remedy="centres (k, d), widths (k,) and amplitudes (k,)",
            )

    def __call__(self, points: np.ndarray, time: float = 0.0) -> np.ndarray:
        """(n,) values at points (n, d) [m] and a time [s]."""
        still = np.zeros(self.centres.shape[1])
        return sum(
            (
                a * travelling_gaussian(points, time, velocity=still, diffusivity=self.diffusivity, width=float(s), center=c)
                for c, s, a in zip(self.centres, self.widths, self.amplitudes, strict=True)
            ),
            start=np.zeros(len(points)),
        )

    def moved(self, matrix: np.ndarray, shift: np.ndarray) -> SpreadingGaussians:
        """The solution turned by an orthogonal (d, d) matrix and then shifted by (d,) [m]."""
        return replace(self, centres=self.centres @ np.asarray(matrix).T + np.asarray(shift))


@dataclass(frozen=True, eq=False)
class TravellingWaves:
    """u_t + a . grad(u) = D laplace(u) on the torus of side ``length``: every wave travels with a and decays as exp(-D |2 pi k/length|^2 t).

    Attributes:
        numbers: (k, d) whole wave numbers.
        amplitudes, phases: (k,) of u = sum A cos(2 pi k.x/length + phase) at time 0.
        velocity: (d,) a [m/s].
        diffusivity: D [m^2/s].
        length: side of the torus [m].

    Raises:
        ConfigurationError: wave numbers that are not whole, arrays that disagree.
    """

    numbers: np.ndarray
    amplitudes: np.ndarray
    phases: np.ndarray
    velocity: np.ndarray
    diffusivity: float
    length: float = 1.0

    def __post_init__(self) -> None:
        whole = np.array_equal(self.numbers, np.round(self.numbers))
        agree = self.numbers.ndim == 2 and len({len(self.numbers), len(self.amplitudes), len(self.phases)}) == 1
        if not (whole and agree and self.numbers.shape[1:] == np.shape(self.velocity) and self.length > 0):
            raise ConfigurationError(
                f"wave numbers {self.numbers.shape}, amplitudes {self.amplitudes.shape}, phases {self.phases.shape}, length {self.length}",
                where="TravellingWaves",
                remedy="whole numbers (k, d), amplitudes (k,), phases (k,), a velocity (d,) and a positive length",
            )

    def __call__(self, points: np.ndarray, time: float = 0.0) -> np.ndarray:
        """(n,) values at points (n, d) [m] and a time [s]."""
        waves = 2.0 * np.pi / self.length * self.numbers
        decay = np.exp(-self.diffusivity * (waves**2).sum(axis=1) * time)
        return np.cos((points - np.asarray(self.velocity) * time) @ waves.T + self.phases) @ (self.amplitudes * decay)


def at_points(values: np.ndarray, points: np.ndarray, length: float = 1.0) -> np.ndarray:
    """(n,) the trigonometric interpolant of values on a periodic grid: exact for waves shorter than half the grid's number of points.

    Args:
        values: (m, ..., m) on the grid x = length * (0, 1, ..., m - 1)/m of every axis.
        points: (n, d) [m].
        length: period [m].

    Raises:
        ConfigurationError: points of another dimension.
    """
    if points.ndim != 2 or points.shape[1] != values.ndim:
        raise ConfigurationError(f"points {points.shape} for a grid of {values.ndim} axes", where="at_points", remedy="give points (n, d)")
    found = np.fft.fftn(values)[None] / values.size
    for axis, size in enumerate(values.shape):
        numbers = np.fft.fftfreq(size, 1.0 / size)
        phase = np.exp(2j * np.pi / length * points[:, axis, None] * numbers)
        # axes are summed up one by one; the first axis left is always the next
        found = np.einsum("nk,nk...->n...", phase, np.broadcast_to(found, (len(points), *found.shape[1:])))
    return np.real(found)
