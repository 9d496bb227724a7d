"""Families of fields, and their Hessian monitors, on which a mesh mover is trained without data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from ..errors import ConfigurationError

#: What a term of a field can be.
KINDS = ("ring", "front", "gaussian")
#: Widths of layers, in sides of the square, and numbers of terms.
WIDTHS, TERMS = (0.02, 0.1), (1, 4)


@dataclass(frozen=True)
class Term:
    """One part of a field on the unit square.

    Attributes:
        kind: ``ring`` amplitude tanh((|x - a| - radius)/width), ``front`` amplitude tanh((x - a) . n/width), ``gaussian``
            amplitude exp(-|x - a|^2/(2 width^2)).
        place: a.
        radius: of the ring; for a front the angle of its normal n [rad].
        width: of the layer.
        amplitude: factor.
    """

    kind: str
    place: tuple[float, float]
    radius: float
    width: float
    amplitude: float

    def value(self, points: np.ndarray) -> np.ndarray:
        """(...,) at points (..., 2)."""
        if self.kind == "gaussian":
            return self.amplitude * np.exp(-0.5 * ((points - self.place) ** 2).sum(axis=-1) / self.width**2)
        return self.amplitude * np.tanh(self._signed(points)[0] / self.width)

    def hessian(self, points: np.ndarray) -> np.ndarray:
        """(..., 2, 2) second derivatives at points (..., 2)."""
        eye = np.eye(2)
        if self.kind == "gaussian":
            r = (points - self.place) / self.width**2
            return self.value(points)[..., None, None] * (r[..., :, None] * r[..., None, :] - eye / self.width**2)
        distance, normal, bend = self._signed(points)
        tanh = np.tanh(distance / self.width)
        slope = (1 - tanh**2) / self.width
        across, along = (-2 * tanh * slope / self.width)[..., None, None], (slope * bend)[..., None, None]
        n = normal[..., :, None] * normal[..., None, :]
        return self.amplitude * (across * n + along * (eye - n))

    def _signed(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Distance from the layer, its unit gradient, and its curvature."""
        r = points - self.place
        if self.kind == "front":
            n = np.array([np.cos(self.radius), np.sin(self.radius)])
            return r @ n, np.broadcast_to(n, r.shape), np.zeros(r.shape[:-1])
        size = np.maximum(np.linalg.norm(r, axis=-1), 1e-9)
        return size - self.radius, r / size[..., None], 1 / size


@dataclass(frozen=True)
class LayeredField:
    """A sum of terms: fronts, rings and Gaussians at random places, with layers 0.02 to 0.1 sides of the square wide."""

    terms: tuple[Term, ...]

    @classmethod
    def drawn(cls, random: np.random.Generator, *, kinds: Sequence[str] = KINDS, widths: tuple[float, float] = WIDTHS) -> LayeredField:
        """One field of the family; widths are uniform in their logarithm.

        Raises:
            ConfigurationError: an unknown kind of term, or widths that are not positive and ascending.
        """
        if not set(kinds) <= set(KINDS) or not kinds or not 0 < widths[0] <= widths[1]:
            raise ConfigurationError(f"kinds {list(kinds)}, widths {widths}", where="LayeredField", remedy=f"kinds of {list(KINDS)}, positive widths")
        terms = []
        for _ in range(random.integers(TERMS[0], TERMS[1] + 1)):
            kind, place = str(random.choice(list(kinds))), random.uniform(0.1, 0.9, size=2)
            radius = random.uniform(0, 2 * np.pi) if kind == "front" else random.uniform(0.1, 0.4)
            width = widths[0] * (widths[1] / widths[0]) ** random.random()
            terms.append(
                Term(kind, (float(place[0]), float(place[1])), float(radius), float(width), float(random.choice([-1, 1]) * random.uniform(0.5, 1.5)))
            )
        return cls(tuple(terms))

    def value(self, points: np.ndarray) -> np.ndarray:
        """(...,) at points (..., 2)."""
        return sum((term.value(points) for term in self.terms), np.zeros(points.shape[:-1]))

    def hessian(self, points: np.ndarray) -> np.ndarray:
        """(..., 2, 2) second derivatives at points (..., 2)."""
        return sum((term.hessian(points) for term in self.terms), np.zeros((*points.shape, 2)))


def lattice_monitor(hessian: np.ndarray, *, strength: float = 5.0, smoothing: float = 0.0) -> np.ndarray:
    """(m, m) Hessian monitor 1 + strength |H|_F/max |H|_F on a lattice of the unit square.

    Args:
        hessian: (m, m, 2, 2) second derivatives at cell-centred nodes.
        strength: of the monitor.
        smoothing: standard deviation of a Gaussian over |H|_F, in sides of the square; values beyond the sides are mirrored.
    """
    size = np.linalg.norm(hessian, axis=(-2, -1))
    size = gaussian_filter(size, smoothing * len(size), mode="reflect") if smoothing else size
    return 1 + strength * size / max(float(size.max()), np.finfo(float).tiny)


def drawn_monitors(
    count: int, nodes: int, seed: int, *, strength: tuple[float, float] = (2.0, 8.0), smoothing: tuple[float, float] = (0.0, 0.02)
) -> np.ndarray:
    """(count, nodes, nodes) float32 log m of random fields; strength and smoothing are drawn, too, so that a mover serves many settings of a monitor."""
    place = (np.arange(nodes) + 0.5) / nodes
    lattice = np.stack(np.meshgrid(place, place, indexing="ij"), axis=-1)
    random, found = np.random.default_rng(seed), np.empty((count, nodes, nodes), dtype=np.float32)
    for k in range(count):
        field = LayeredField.drawn(random)
        how = {"strength": random.uniform(*strength), "smoothing": random.uniform(*smoothing)}
        found[k] = np.log(lattice_monitor(field.hessian(lattice), **how))
    return found
