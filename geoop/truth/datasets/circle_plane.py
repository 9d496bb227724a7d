"""Field points around sections with exact quadrature weights, drawn where a section is nearly a circle.

The inverse Joukowski map takes a section to a nearly circular curve: the first step of Theodorsen's transformation (NACA Report
411, 1931). Points are drawn there, uniform in the angle and in the logarithm of the distance from that curve, as for the
Karman-Trefftz sections; the map back is analytic, so that the density of the points is known in closed form.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import InvalidMeshError
from ..panels.section_curve import SectionCurve

#: Limits of the distance from the curve, in its radii.
NEAREST, FARTHEST = 1e-3, 3.0
_FINE = 16
#: The same, so that a point drawn at a limit is inside it after rounding.
_LEAST, _MOST = NEAREST * (1.0 - 1e-6), FARTHEST * (1.0 + 1e-6)


@dataclass(frozen=True, eq=False)
class CirclePlane:
    """The plane in which one section is nearly a circle: z = middle + reach (zeta + 1/zeta).

    Attributes:
        middle: x + i y half-way between the two foci, one inside the nose, the other at the trailing edge [m].
        reach: a quarter of the vector between them [m].
        center: of the near-circle.
        angle: (m,) increasing over 2 pi, of the near-circle about its centre [rad]; the first is repeated at the end.
        radius: (m,) of the near-circle.
    """

    middle: complex
    reach: complex
    center: complex
    angle: np.ndarray
    radius: np.ndarray

    @classmethod
    def of(cls, curve: SectionCurve) -> CirclePlane:
        """The plane of a section.

        Raises:
            InvalidMeshError: the image of the section is not star-shaped: a ray from its centre meets it more than once.
        """
        nose = complex(curve.points(np.array([curve.nose]))[0])
        focus = nose + 0.5 * _nose_radius(curve) * (curve.edge - nose) / abs(curve.edge - nose)
        middle, reach = 0.5 * (curve.edge + focus), 0.25 * (curve.edge - focus)
        knots = curve.length
        s = np.linspace(knots[:-1], knots[1:], _FINE, endpoint=False).T.ravel()
        zeta = _on_side(curve.points(s), np.where(s < curve.nose, 1.0, -1.0), middle, reach)
        center = complex(0.5 * (zeta.real.max() + zeta.real.min()), 0.5 * (zeta.imag.max() + zeta.imag.min()))
        turn = np.unwrap(np.angle(zeta - center))
        step = np.diff(np.append(turn, turn[0] + 2.0 * np.pi))
        if not (step > 0.0).all():
            raise InvalidMeshError(
                "the section is not star-shaped in the plane of the circle: strongly hooked or wavy",
                where=curve.name,
                remedy="leave it out: points around it cannot be drawn by this law",
            )
        radius = np.abs(zeta - center)
        return cls(middle, reach, center, np.append(turn, turn[0] + 2.0 * np.pi), np.append(radius, radius[0]))

    def points(self, turn: np.ndarray, distance: np.ndarray) -> np.ndarray:
        """(n,) complex points [m] at an angle [rad] and a distance from the near-circle [its radii there]."""
        zeta = self.center + self.radius_at(turn) * (1.0 + distance) * np.exp(1j * turn)
        return self.middle + self.reach * (zeta + 1.0 / zeta)

    def radius_at(self, turn: np.ndarray) -> np.ndarray:
        """(n,) radius of the near-circle at angles of any period [rad]."""
        return np.interp(self.angle[0] + np.mod(turn - self.angle[0], 2.0 * np.pi), self.angle, self.radius)

    def preimage(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n,) zeta and (n,) distance from the near-circle [its radii there] of points z [m]; negative inside the section."""
        zeta = _outside(z, self.middle, self.reach)
        both = np.stack([zeta, 1.0 / zeta])  # of the two preimages at most one lies outside the near-circle
        distances = np.abs(both - self.center) / self.radius_at(np.angle(both - self.center)) - 1.0
        row, column = np.argmax(distances, axis=0), np.arange(len(z))
        return both[row, column], distances[row, column]

    def density(self, z: np.ndarray) -> np.ndarray:
        """(n,) probability density [1/m^2] at points [m], of an angle and a logarithm of the distance that are uniform."""
        zeta, distance = self.preimage(z)
        wall = np.abs(zeta - self.center) / (1.0 + distance)
        stretch = np.abs(self.reach * (1.0 - 1.0 / zeta**2)) ** 2
        with np.errstate(divide="ignore", invalid="ignore"):
            value = 1.0 / (2.0 * np.pi * math.log(FARTHEST / NEAREST) * distance * (1.0 + distance) * wall**2 * stretch)
        return np.where((distance >= _LEAST) & (distance <= _MOST), value, 0.0)


def _outside(z: np.ndarray, middle: complex, reach: complex) -> np.ndarray:
    """The preimage outside the unit circle of the Joukowski map."""
    x = 0.5 * (z - middle) / reach
    root = np.sqrt(x - 1.0) * np.sqrt(x + 1.0)  # its cut is the segment between the foci
    return x + root


def _on_side(z: np.ndarray, side: np.ndarray, middle: complex, reach: complex) -> np.ndarray:
    """The preimages of wall points, above the real axis on the upper side (1) and below it on the lower (-1).

    A cambered section may lie beside the segment between the foci, so that one side is inside the unit circle. Ahead of the focus
    in the nose, where the wall crosses the real axis, it is outside.
    """
    zeta = _outside(z, middle, reach)
    ahead = (z - middle) / reach
    return np.where((ahead.real > -2.0) & (side * zeta.imag < 0.0), 1.0 / zeta, zeta)


def _nose_radius(curve: SectionCurve) -> float:
    """Radius of curvature of the leading edge by the circle through three points of the curve, at most 10 % of the chord [m]."""
    near = 0.005 * curve.chord
    a, b, c = curve.points(np.array([curve.nose - near, curve.nose, curve.nose + near]))
    doubled = abs(((b - a) * np.conj(c - a)).imag)
    return float(min(abs(a - b) * abs(b - c) * abs(c - a) / max(2.0 * doubled, 1e-300), 0.1 * curve.chord))


def field_points(planes: Sequence[CirclePlane], n: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Points around one or several sections, and the area that each stands for.

    An equal share is drawn around every section. Angle and logarithm of the distance are Latin-hypercube samples: one point in each
    of n equal strata, in random order. With the density f of the mixture a sum over the weights 1/(n f) is an unbiased estimate of
    the integral over the region that lies between both limits of the distance from one section, and beyond the nearest from all.
    Points that fall too near another section are drawn again, which the weights take into account.

    Args:
        planes: of the sections.
        n: points in all.
        random: generator.

    Returns:
        (n,) complex points [m] and (n,) weights [m^2].
    """
    shares = [n // len(planes) + (k < n % len(planes)) for k in range(len(planes))]
    kept: list[np.ndarray] = []
    drawn, count = 0, 0
    while count < n:
        batch = []
        for plane, m in zip(planes, shares, strict=True):
            t, u = ((random.permutation(m) + random.random(m)) / m for _ in range(2))
            batch.append(plane.points(2.0 * np.pi * t, NEAREST * (FARTHEST / NEAREST) ** u))
        z, good = np.concatenate(batch), np.ones(n, dtype=bool)
        if len(planes) > 1:
            z = z[random.permutation(n)]
            good = np.min([plane.preimage(z)[1] for plane in planes], axis=0) >= _LEAST
        used = min(int(np.searchsorted(np.cumsum(good), n - count)) + 1, n)  # draws up to the last one that is needed
        kept.append(z[:used][good[:used]])
        drawn, count = drawn + used, count + len(kept[-1])
    z = np.concatenate(kept)
    density = np.sum([plane.density(z) * (m / n) for plane, m in zip(planes, shares, strict=True)], axis=0)
    return z, 1.0 / (drawn * density)
