"""How far an encoded shape is off the body it stands for, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidMeshError
from ..mesh.distance import signed_distance
from ..mesh.sampling import sample_surface
from ..mesh.skin import Skin

if TYPE_CHECKING:
    from .encoded_shape import EncodedShape

#: Of the length: a part of the zero set further than this from the body is counted as astray.
ASTRAY = 0.01


@dataclass(frozen=True)
class Spread:
    """Mean, 95 % quantile and maximum of lengths [m]."""

    mean: float
    most: float
    max: float

    @classmethod
    def of(cls, values: np.ndarray) -> Spread:
        values = np.abs(values)
        if not len(values):
            return cls(float("inf"), float("inf"), float("inf"))
        return cls(float(values.mean()), float(np.quantile(values, 0.95)), float(values.max()))


@dataclass(frozen=True)
class ShapeDeviation:
    """Deviations of a field from its body [m].

    Attributes:
        to_body: distances of points of the zero set to the body; large where the field makes up a surface.
        to_field: distances of points of the body to the zero set; large where the field misses a part.
        value: |f| at points of the body.
        astray: share of the zero set that is further than a hundredth of the length from the body.
        jumps: share of the zero set that is astray because the exact side changes there without a surface, in the openings of an open body.
        length: of the body [m].
    """

    to_body: Spread
    to_field: Spread
    value: Spread
    astray: float
    jumps: float
    length: float

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> ShapeDeviation:
        """What :meth:`to_dict` gave."""
        rows = {name: Spread(mean=found[name]["mean"], most=found[name]["95%"], max=found[name]["max"]) for name in ROWS}
        return cls(**rows, astray=found["astray"], jumps=found["jumps"], length=found["length"])

    def to_dict(self) -> dict[str, Any]:
        """Plain data, in metres."""
        rows = {name: {"mean": s["mean"], "95%": s["most"], "max": s["max"]} for name, s in ((n, asdict(getattr(self, n))) for n in ROWS)}
        return {**rows, "astray": self.astray, "jumps": self.jumps, "length": self.length}


#: Rows of a deviation, and what they are called.
ROWS = {"to_body": "zero set to body", "to_field": "body to zero set", "value": "|f| on the body"}


def measure(shape: EncodedShape, skin: Skin, *, resolution: int | None = None, count: int = 8192, seed: int = 1) -> ShapeDeviation:
    """Deviations at random points, moved onto the zero set by Newton's method so that the grid does not count.

    Args:
        shape: the field.
        skin: of the body.
        resolution: of the grid on which the zero set is found; 64 in 3-D, 256 in 2-D unless given.
        count: points either way.
        seed: of the points; another one than the fit's.
    """
    rng = np.random.default_rng(seed)
    resolution = resolution or (256 if shape.dimension == 2 else 64)
    body = skin.sample(count, rng).points
    value = Spread.of(shape.at(body))
    try:
        mesh = shape.surface(resolution)
    except InvalidMeshError:  # no zero at all
        nothing = Spread.of(np.zeros(0))
        return ShapeDeviation(nothing, nothing, value, 1.0, 0.0, skin.length)
    cell = float(np.ptp(mesh.bounds, axis=0).max()) / resolution
    zero = onto_zero(shape, sample_surface(mesh, count, seed=rng).points, cell)[0]
    away = np.abs(skin.distance(zero))
    # the way that Newton's method goes is no shorter than the distance; where it finds nothing, the mesh is asked
    foot, left = onto_zero(shape, body, cell)
    missed = np.linalg.norm(foot - body, axis=1)
    lost = left > 0.1 * missed + 1e-6 * skin.length
    if lost.any():
        missed[lost] = np.abs(signed_distance(mesh, body[lost], signed=False).distance)
    astray = away > ASTRAY * skin.length
    jumps = float(_jumps(shape, skin, zero[astray]).sum()) / len(zero) if astray.any() else 0.0
    return ShapeDeviation(Spread.of(away), Spread.of(missed), value, float(astray.mean()), jumps, skin.length)


def _jumps(shape: EncodedShape, skin: Skin, points: np.ndarray) -> np.ndarray:
    """(n,) whether the exact side changes across points of the zero set that are far from the skin."""
    step = 2 * ASTRAY * skin.length * shape.gradient(points)
    return (skin.distance(points + step) > 0) & (skin.distance(points - step) < 0)


def onto_zero(shape: EncodedShape, points: np.ndarray, cell: float) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, d) near the zero set moved onto it by two steps of Newton's method, none longer than half a cell, and (n,) what is left of |f| there."""
    for _ in range(2):
        value, slope = shape.at(points), shape.gradient(points)
        step = value / np.maximum((slope * slope).sum(axis=1), 0.25)
        points = points - np.clip(step, -0.5 * cell, 0.5 * cell)[:, None] * slope
    return points, np.abs(shape.at(points))
