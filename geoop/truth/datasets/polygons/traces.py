"""Random data of local problems: white, Gaussian-process and harmonic boundary values, coefficients and sources.

White data have no limit under refinement; iterates of a Schwarz method are smooth inside the region. A local operator meets both,
so it is trained on a mixture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ...exact.harmonic import Harmonic

Function = Callable[[np.ndarray], np.ndarray]

WHITE, PROCESS, HARMONIC = "white", "gaussian_process", "harmonic"
#: Share of each kind of boundary data, local problems; the target shapes have the smooth two in halves.
MIXTURE: Mapping[str, float] = {WHITE: 0.25, PROCESS: 0.4, HARMONIC: 0.35}
SMOOTH: Mapping[str, float] = {PROCESS: 0.5, HARMONIC: 0.5}
#: Of coefficients and sources inside.
INSIDE: Mapping[str, float] = {WHITE: 0.4, PROCESS: 0.6}

_FEATURES = 96
LENGTHS = (0.15, 1.0)  # of the process, in extents of the region, uniform in the logarithm
_DEGREE, _POLES = 6, 3
POLE_DISTANCE = (0.8, 1.6)  # from the middle, in extents: outside of the bounding square, whose corner lies at 0.71


@dataclass(frozen=True, eq=False)
class Trace:
    """Values between two numbers, and the function of position that they are the trace of.

    Attributes:
        values: (k,) at the places that were asked for.
        function: of (n, 2) points [m] -> (n,); None where the values are white.
    """

    values: np.ndarray
    function: Function | None


@dataclass(frozen=True)
class Extent:
    """Middle and largest side of a bounding box [m]: lengths of random functions are measured in it.

    Attributes:
        center: (x, y).
        size: largest side.
    """

    center: tuple[float, float] = (0.0, 0.0)
    size: float = 1.0

    @classmethod
    def of(cls, points: np.ndarray) -> Extent:
        """Of (n, 2) points."""
        low, high = points.min(axis=0), points.max(axis=0)
        middle = 0.5 * (low + high)
        return cls((float(middle[0]), float(middle[1])), float((high - low).max()))


def kind_of(random: np.random.Generator, mixture: Mapping[str, float]) -> str:
    """One of the kinds, by its share."""
    edges = np.cumsum(list(mixture.values()))
    return list(mixture)[min(int(np.searchsorted(edges, random.random(), side="right")), len(mixture) - 1)]


def unit_trace(random: np.random.Generator, kind: str, points: np.ndarray, extent: Extent) -> Trace:
    """Values that fill [0, 1] at points (k, 2): white ones are uniform there, the others are moved and scaled to it."""
    if kind == WHITE:
        return Trace(random.random(len(points)), None)
    function = process(random, extent) if kind == PROCESS else harmonic(random, extent)
    values = function(points)
    low, span = float(values.min()), max(float(np.ptp(values)), 1e-12)
    return Trace((values - low) / span, lambda x: (function(x) - low) / span)


def scaled(trace: Trace, low: float, high: float) -> Trace:
    """The same data between two other numbers."""
    function = trace.function
    return Trace(low + (high - low) * trace.values, None if function is None else lambda x: low + (high - low) * function(x))


def boundary_trace(random: np.random.Generator, kind: str, points: np.ndarray, extent: Extent) -> Trace:
    """Boundary values in [0, 1]: a range of uniform width between 0.05 and 1, anywhere in it, filled by :func:`unit_trace`."""
    width = 0.05 + 0.95 * random.random()
    low = (1.0 - width) * random.random()
    return scaled(unit_trace(random, kind, points, extent), low, low + width)


def process(random: np.random.Generator, extent: Extent) -> Function:
    """A Gaussian process with the covariance exp(-|x - y|^2 / 2 l^2), as 96 random waves; l is log-uniform in :data:`LENGTHS` extents."""
    length = LENGTHS[0] * (LENGTHS[1] / LENGTHS[0]) ** random.random() * extent.size
    waves = random.standard_normal((_FEATURES, 2)) / length
    phases, weights = 2.0 * np.pi * random.random(_FEATURES), random.standard_normal(_FEATURES) * np.sqrt(2.0 / _FEATURES)
    return lambda x: np.cos(x @ waves.T + phases) @ weights


def harmonic(random: np.random.Generator, extent: Extent) -> Harmonic:
    """A harmonic function: a polynomial of degree 6 whose terms fall as 1/k, and three logarithms with poles outside."""
    k = np.arange(_DEGREE + 1)
    draws = random.standard_normal((2, _DEGREE + 1)) / np.maximum(k, 1) * 2.0**k  # (z/R)^k with R half the extent
    angle = 2.0 * np.pi * random.random(_POLES)
    distance = extent.size * (POLE_DISTANCE[0] + (POLE_DISTANCE[1] - POLE_DISTANCE[0]) * random.random(_POLES))
    poles = np.asarray(extent.center) + distance[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return Harmonic(draws[0] - 1j * draws[1], extent.center, extent.size, poles, random.standard_normal(_POLES))
