"""Motions of bodies and walls in time: displacement of points, as a function of where they are at rest and of the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from scipy.spatial.transform import Rotation

from ...errors import ConfigurationError


@runtime_checkable
class Motion(Protocol):
    """What points of a moving patch do."""

    def displacement(self, points: np.ndarray, time: float) -> np.ndarray:
        """(k, d) displacement [m] at a time [s] of points that lie at (k, d) [m] when at rest."""
        ...


def turned(points: np.ndarray, degrees: float, about: Sequence[float], axis: Sequence[float] = (0.0, 0.0, 1.0)) -> np.ndarray:
    """(k, d) displacement [m] of points (k, d) that turn by an angle round a point, in space round an axis through it; counter-clockwise.

    Raises:
        ConfigurationError: a point of another dimension, or an axis without direction.
    """
    d = points.shape[1]
    center, direction = np.asarray(about, dtype=np.float64), np.asarray(axis, dtype=np.float64)
    size = float(np.linalg.norm(direction))
    if center.shape != (d,) or direction.shape != (3,) or not 0 < size < np.inf or not np.isfinite(center).all():
        raise ConfigurationError(
            f"points in {d}-D turn about {tuple(about)} round {tuple(axis)}",
            where="turned",
            remedy=f"give {d} numbers for the point and 3 for the axis",
        )
    arm = np.pad(points - center, ((0, 0), (0, 3 - d)))
    direction = np.array([0.0, 0.0, 1.0]) if d == 2 else direction / size
    return (Rotation.from_rotvec(np.radians(degrees) * direction).apply(arm) - arm)[:, :d]


@dataclass(frozen=True)
class Pitching:
    """A section that pitches: angle = mean + amplitude sin(2 pi f t + phase), nose up where positive, about a fixed point.

    Attributes:
        amplitude: [deg].
        frequency: f [Hz]. The reduced frequency of a chord c in a stream U is k = pi f c / U.
        about: point of the axis [m].
        mean: [deg], from the position at rest.
        axis: direction of the axis in space; in the plane it is that of z.
        phase: by which it is ahead [deg].
    """

    amplitude: float
    frequency: float
    about: tuple[float, ...] = (0.25, 0.0)
    mean: float = 0.0
    axis: tuple[float, float, float] = (0.0, 0.0, 1.0)
    phase: float = 0.0

    def angle(self, time: float) -> float:
        """Nose-up angle [deg]."""
        return self.mean + self.amplitude * float(np.sin(2 * np.pi * self.frequency * time + np.radians(self.phase)))

    def displacement(self, points: np.ndarray, time: float) -> np.ndarray:
        """See :class:`Motion`."""
        return turned(points, -self.angle(time), self.about, self.axis)  # with the nose at smaller x, nose up is clockwise


@dataclass(frozen=True)
class Oscillating:
    """A body that moves to and fro without turning: displacement = amplitude sin(2 pi f t + phase) + drift t, e.g. a cylinder across a stream.

    Attributes:
        amplitude: vector [m].
        frequency: f [Hz].
        drift: constant velocity [m/s]; None for none.
        phase: by which it is ahead [deg].
    """

    amplitude: tuple[float, ...]
    frequency: float
    drift: tuple[float, ...] | None = None
    phase: float = 0.0

    def displacement(self, points: np.ndarray, time: float) -> np.ndarray:
        """See :class:`Motion`."""
        shift = np.asarray(self.amplitude) * np.sin(2 * np.pi * self.frequency * time + np.radians(self.phase))
        if self.drift is not None:
            shift = shift + np.asarray(self.drift) * time
        return np.broadcast_to(shift, points.shape).copy()


@dataclass(frozen=True)
class PitchingHeaving:
    """A rigid body that turns and shifts at once, as a fluttering or a flapping section does; the point of the axis goes along.

    x -> R(t) (x - about) + about + h(t) with the turn R of ``pitch`` and the displacement h of ``heave``: distances on the body are kept.
    Frequencies, phases and means are those of the two motions. A foil that draws thrust pitches 90 degrees ahead of its heave
    (``Pitching(..., phase=90.0)``).

    Attributes:
        pitch: the turn, about the point of the axis at rest.
        heave: the shift, in any direction.
    """

    pitch: Pitching
    heave: Oscillating

    def displacement(self, points: np.ndarray, time: float) -> np.ndarray:
        """See :class:`Motion`."""
        return self.pitch.displacement(points, time) + self.heave.displacement(points, time)


@dataclass(frozen=True)
class Waving:
    """A wall that bends in a travelling wave: displacement = amplitude e(s) sin(2 pi (s / wavelength - f t)) across it.

    The envelope e is 1, or grows and vanishes smoothly between the ends of the stretch that bends, so that the rest of the wall
    stays: e = sin^2(pi (s - s0)/(s1 - s0)).

    Attributes:
        amplitude: vector across the wall [m].
        wavelength: [m].
        frequency: f [Hz]; 0 for a wave that stands still and grows with ``rise``.
        along: unit vector in which s is measured.
        stretch: (s0, s1) [m]; None: all of the wall.
        rise: time in which the wave grows to its full size, smoothly [s].
    """

    amplitude: tuple[float, ...]
    wavelength: float
    frequency: float
    along: tuple[float, ...]
    stretch: tuple[float, float] | None = None
    rise: float = 0.0

    def displacement(self, points: np.ndarray, time: float) -> np.ndarray:
        """See :class:`Motion`."""
        s = points @ np.asarray(self.along)
        size = np.ones(len(s))
        if self.stretch is not None:
            share = np.clip((s - self.stretch[0]) / (self.stretch[1] - self.stretch[0]), 0.0, 1.0)
            size = np.sin(np.pi * share) ** 2
        if self.rise > 0:
            size = size * np.sin(0.5 * np.pi * min(max(time / self.rise, 0.0), 1.0)) ** 2
        wave = np.sin(2 * np.pi * (s / self.wavelength - self.frequency * time))
        return (size * wave)[:, None] * np.asarray(self.amplitude)
