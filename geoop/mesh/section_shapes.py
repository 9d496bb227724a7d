"""Sections by a few numbers: bumps on a given section, Bernstein polynomials, NACA digits; with the derivatives of their points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Protocol

import numpy as np

from ..errors import ConfigurationError, ShapeError
from .body import body
from .chord import chord_line
from .mesh import Mesh
from .primitives import camber_line, on_camber, ring
from .resample import closed_ring


class SectionShape(Protocol):
    """A family of sections with equally many points."""

    @property
    def names(self) -> tuple[str, ...]:
        """What the numbers are called, with their unit."""
        ...

    @property
    def start(self) -> np.ndarray:
        """(m,) numbers of the section it begins with."""
        ...

    def outline(self, values: np.ndarray) -> Mesh:
        """The section of (m,) numbers: one closed ring, patch ``wall``."""
        ...

    def jacobian(self, values: np.ndarray) -> np.ndarray:
        """(n, 2, m) derivatives of its points [m per unit]."""
        ...


@dataclass(frozen=True, eq=False)
class ChordwiseRing:
    """A section with every point's place along its chord.

    Attributes:
        points: (n, 2) counter-clockwise [m].
        along: (n,) x/c from the leading edge, 0..1.
        height: (n,) distance from the chord line over the chord.
        side: (n,) 1 on the upper side, -1 on the lower, 0 at the leading edge and on the trailing edge or its base.
        chord: [m]. upward: (2,) unit vector normal to the chord line, towards the upper side.
    """

    points: np.ndarray
    along: np.ndarray
    height: np.ndarray
    side: np.ndarray
    chord: float
    upward: np.ndarray

    @classmethod
    def of(cls, section: Mesh) -> ChordwiseRing:
        """Of a section, or of a mesh around one.

        Raises:
            InvalidMeshError: not one closed outline in the plane.
        """
        outline = section if section.is_surface else body(section)
        points = closed_ring(outline)
        line = chord_line(ring(points, section.name))
        axis = (line.trailing_edge - line.leading_edge) / line.length
        upward = np.array([-axis[1], axis[0]])
        along, height = (points - line.leading_edge) @ axis / line.length, (points - line.leading_edge) @ upward / line.length
        nose = int(np.argmin(np.linalg.norm(points - line.leading_edge, axis=1)))
        away = np.linalg.norm(points - line.trailing_edge, axis=1)
        ends = np.flatnonzero(away <= away.min() + 1e-9 * line.length)  # two corners of a base are equally far from its middle
        order = (np.arange(len(points)) - nose) % len(points)  # counter-clockwise from the nose: the lower side first
        first, last = order[ends].min(), order[ends].max()
        side = np.where(order < first, -1, np.where(order > last, 1, 0))
        side[nose] = 0
        return cls(points, np.clip(along, 0.0, 1.0), height, side, float(line.length), upward)


class Bumps:
    """A section with smooth bumps on both sides, h sin^4(pi x^(ln 1/2 / ln crest)) (R. M. Hicks and P. A. Henne, J. Aircraft 15, 407, 1978), laid off normal to the
    chord line; ends and chord stay.

    Args:
        section: what the bumps are added to.
        upper, lower: places of the crests along the chord, each in (0, 1).

    Raises:
        ConfigurationError: no crest, or one outside of the chord. InvalidMeshError: not one closed outline.
    """

    def __init__(self, section: Mesh, upper: Sequence[float], lower: Sequence[float]) -> None:
        bad = [crest for crest in (*upper, *lower) if not 0.0 < crest < 1.0]
        if bad or not (len(upper) + len(lower)):
            raise ConfigurationError(
                f"crests {bad or 'none'}", where="Bumps", remedy="give places between 0 and 1 along the chord, such as (0.1, 0.3, 0.6, 0.85)"
            )
        self.base, self.name = ChordwiseRing.of(section), section.name
        self.upper, self.lower = tuple(map(float, upper)), tuple(map(float, lower))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"{side} bump at {crest:g} [chord]" for side, crests in (("upper", self.upper), ("lower", self.lower)) for crest in crests)

    @property
    def start(self) -> np.ndarray:
        return np.zeros(len(self.upper) + len(self.lower))

    @cached_property
    def _modes(self) -> np.ndarray:
        """(n, m) heights of the bumps over the chord."""
        along = np.clip(self.base.along, 1e-12, 1.0)
        columns = []
        for side, crests in ((1, self.upper), (-1, self.lower)):
            for crest in crests:
                columns.append((self.base.side == side) * np.sin(np.pi * along ** (math.log(0.5) / math.log(crest))) ** 4)
        return np.stack(columns, axis=1)

    def outline(self, values: np.ndarray) -> Mesh:
        moved = self.base.points + (self._modes @ _numbers(values, self))[:, None] * self.base.chord * self.base.upward
        return ring(moved, self.name)

    def jacobian(self, values: np.ndarray) -> np.ndarray:
        del values  # the points are linear in the heights
        return self.base.chord * self._modes[:, None, :] * self.base.upward[None, :, None]


class ClassShape:
    """Both sides as sqrt(x)(1 - x) times a Bernstein polynomial, plus a line to the trailing edge (B. M. Kulfan, J. Aircraft 45, 142, 2008), fitted to a section.

    Args:
        section: fitted by least squares at its own points; what the fit leaves over (:attr:`fit_error`) is kept, so that the start is the section itself.
        terms: of every side.

    Raises:
        ConfigurationError: fewer than 2 terms. InvalidMeshError: not one closed outline.
    """

    def __init__(self, section: Mesh, terms: int = 6) -> None:
        if terms < 2:
            raise ConfigurationError(f"{terms} terms", where="ClassShape", remedy="2 or more for every side, 6 follow most sections")
        self.base, self.name, self.terms = ChordwiseRing.of(section), section.name, terms

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"{side} term {k} [chord]" for side in ("upper", "lower") for k in range(self.terms))

    @cached_property
    def _modes(self) -> np.ndarray:
        """(n, 2 terms) heights over the chord."""
        x, n = self.base.along, self.terms - 1
        shape = np.stack([math.comb(n, k) * x**k * (1 - x) ** (n - k) for k in range(n + 1)], axis=1) * (np.sqrt(x) * (1 - x))[:, None]
        return np.concatenate([shape * (self.base.side == side)[:, None] for side in (1, -1)], axis=1)

    @cached_property
    def _fixed(self) -> np.ndarray:
        """(n,) what the terms do not change: the line from the leading edge to the edges of the base."""
        tail = {side: self._tail(side) for side in (1, -1)}
        line = np.where(self.base.side > 0, tail[1], tail[-1]) * self.base.along
        return np.where(self.base.side == 0, self.base.height, line)

    def _tail(self, side: int) -> float:
        """Height of the end of one side: of the point of the trailing edge or its base that the side leads to."""
        ends = np.flatnonzero((self.base.side == 0) & (self.base.along > 0.5))
        heights = self.base.height[ends]
        return float(heights.max() if side > 0 else heights.min()) if len(ends) else 0.0

    @cached_property
    def start(self) -> np.ndarray:  # type: ignore[override]
        """(m,) the fitted terms."""
        return np.linalg.lstsq(self._modes, self.base.height - self._fixed, rcond=None)[0]

    @property
    def fit_error(self) -> float:
        """Largest distance of the fit from the section, normal to its chord [chord]."""
        return float(np.abs(self._modes @ self.start + self._fixed - self.base.height).max())

    def outline(self, values: np.ndarray) -> Mesh:
        height = self._modes @ (_numbers(values, self) - self.start)
        return ring(self.base.points + (self.base.chord * height)[:, None] * self.base.upward, self.name)

    def jacobian(self, values: np.ndarray) -> np.ndarray:
        del values  # the points are linear in the terms
        return self.base.chord * self._modes[:, None, :] * self.base.upward[None, :, None]


class NacaDigits:
    """NACA four-digit sections with numbers in place of digits: camber, its position, thickness, each over the chord; sharp trailing edge.

    Args:
        camber, position, thickness: to begin with, such as 0.02, 0.4, 0.12.
        n_points: of the outline. chord: [m].

    Raises:
        ConfigurationError: a number that makes no section.
    """

    names = ("camber [chord]", "position of camber [chord]", "thickness [chord]")

    def __init__(self, camber: float = 0.02, position: float = 0.4, thickness: float = 0.12, n_points: int = 200, chord: float = 1.0) -> None:
        if not (0.05 <= position <= 0.95 and 0.0 < thickness < 1.0 and chord > 0 and n_points >= 8):
            raise ConfigurationError(
                f"camber {camber}, position {position}, thickness {thickness}", where="NacaDigits", remedy="for example 0.02, 0.4, 0.12: NACA 2412"
            )
        self.start = np.array([camber, position, thickness])
        self.n_points, self.chord = n_points, chord

    def outline(self, values: np.ndarray) -> Mesh:
        height, position, thickness = map(float, _numbers(values, self))
        return on_camber(partial(camber_line, height=height, position=position), thickness, self.n_points, chord=self.chord, name="naca")

    def jacobian(self, values: np.ndarray) -> np.ndarray:
        """Central differences of the formula with steps of 1e-6: right to 1e-9."""
        columns, values = [], _numbers(values, self)
        for k in range(3):
            step = np.zeros(3)
            step[k] = 1e-6
            columns.append((self.outline(values + step).points - self.outline(values - step).points) / 2e-6)
        return np.stack(columns, axis=2)


def _numbers(values: np.ndarray, shape: SectionShape) -> np.ndarray:
    values = np.asarray(values, dtype=np.float64)
    if values.shape != (len(shape.names),) or not np.isfinite(values).all():
        raise ShapeError(
            f"{values.shape} numbers for a shape of {len(shape.names)}", where=type(shape).__name__, remedy=f"give finite {list(shape.names)}"
        )
    return values
