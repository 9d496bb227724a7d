"""New sections from real ones: blends of two, thicker or thinner, with other camber, with bumps, with a blunt trailing edge."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline

from ...errors import InvalidMeshError
from ...mesh.mesh import Mesh
from ...mesh.primitives import ring

#: Stations of either side, at the cosines of equal angles.
STATIONS = 121
#: Hicks-Henne bumps on either side: number, range of their crests [chords].
BUMPS, CRESTS = 3, (0.05, 0.9)


@dataclass(frozen=True)
class Variant:
    """How a section is made of two.

    Attributes:
        share: of the second section in camber line and thickness.
        thickness: factor of the thickness.
        camber: factor of the camber line; negative for a section turned upside down.
        heights, crests: (2, :data:`BUMPS`) of the bumps on the upper and lower side [chords].
        base: width of a blunt trailing edge [chords]; 0 for a sharp one.
    """

    share: float
    thickness: float
    camber: float
    heights: np.ndarray
    crests: np.ndarray
    base: float


def drawn_variant(random: np.random.Generator, height: float) -> Variant:
    """A random variant.

    Half of them have one parent only; factors of thickness 0.7..1.5 (uniform in the logarithm), of camber -1..1.6; half have bumps of at most ``height``
    chords; one in four has a base of at most 1.2 % of the chord.
    """
    share = random.random() if random.random() < 0.5 else 0.0
    thickness = 0.7 * (1.5 / 0.7) ** random.random()
    camber = -1.0 + 2.6 * random.random()
    bumpy = random.random() < 0.5
    heights = height * bumpy * (2.0 * random.random((2, BUMPS)) - 1.0)
    crests = CRESTS[0] + (CRESTS[1] - CRESTS[0]) * random.random((2, BUMPS))
    base = 0.012 * random.random() if random.random() < 0.25 else 0.0
    return Variant(share, thickness, camber, heights, crests, base)


def varied(first: np.ndarray, second: np.ndarray, variant: Variant, name: str) -> Mesh:
    """A section of unit chord from the lines of two others.

    Camber lines and half thicknesses are combined as ordinates over x; the upper and lower ordinates then move by bumps
    h sin^4(pi x^(ln 1/2 / ln crest)) (R. M. Hicks and P. A. Henne, J. Aircraft 15, 407, 1978); a base opens both sides in proportion to x.

    Args:
        first, second: of :func:`lines`.
        variant: what is done.
        name: of the new section.

    Raises:
        InvalidMeshError: the sides meet, or nearly so, before the trailing edge.
    """
    x = 0.5 * (1.0 - np.cos(np.linspace(0.0, np.pi, STATIONS)))
    camber, half = (1.0 - variant.share) * first + variant.share * second
    camber, half = variant.camber * camber, variant.thickness * half
    sides = [camber + half, camber - half]
    inside = np.clip(x, 1e-12, 1.0)
    for side, sign in ((0, 1.0), (1, -1.0)):
        for h, crest in zip(variant.heights[side], variant.crests[side], strict=True):
            sides[side] = sides[side] + h * np.sin(np.pi * inside ** (math.log(0.5) / math.log(crest))) ** 4
        sides[side] = sides[side] + sign * 0.5 * variant.base * x
    upper, lower = sides
    if not ((upper - lower)[1:-1] > 2e-3 * np.minimum(x, 1.0 - x)[1:-1]).all():
        raise InvalidMeshError("the sides meet before the trailing edge", where=name, remedy="draw another variant")
    up, down = np.stack([x, upper], axis=1)[::-1], np.stack([x, lower], axis=1)[1 : None if variant.base > 0.0 else -1]
    return ring(np.concatenate([up, down]), name)


def lines(section: Mesh) -> np.ndarray:
    """(2, :data:`STATIONS`) camber line and half thickness [chords] over x from the foremost point to the trailing edge, as ordinates of the line between.

    Args:
        section: closed, points in order from the trailing edge over the upper side.

    Raises:
        InvalidMeshError: a side turns back, so that it is no function of x.
    """
    x, y = section.points.T
    nose = int(np.argmin(x))
    chord = x[0] - x[nose]
    x, y = (x - x[nose]) / chord, (y - y[nose]) / chord
    y = y - y[0] * x
    angles = np.linspace(0.0, np.pi, STATIONS)
    found = []
    for along, across in ((x[nose::-1], y[nose::-1]), (np.append(x[nose:], x[0]), np.append(y[nose:], y[0]))):
        turn = np.arccos(np.clip(1.0 - 2.0 * along, -1.0, 1.0))
        if not (np.diff(turn) > 0.0).all():
            raise InvalidMeshError("a side turns back", where=section.name, remedy="draw another parent")
        found.append(CubicSpline(turn, across)(angles))
    return np.stack([0.5 * (found[0] + found[1]), 0.5 * (found[0] - found[1])])
