"""Deviations of a field that is off by a known length."""

import numpy as np
import pytest

from geoop.mesh.primitives import icosphere
from geoop.mesh.skin import SurfaceSkin
from geoop.results.encoded_shape import EncodedShape
from geoop.results.shape_deviation import ShapeDeviation, measure
from geoop.train.encode import EncodeSettings, fit_skin


class Swollen(EncodedShape):
    """The exact distance to a ball that is larger by a known length."""

    def __init__(self, known: EncodedShape, radius: float) -> None:
        super().__init__(known.field, known.latents, known.frame, known.about)
        self.radius = radius

    def at(self, points, *, chunk=4096):
        return np.linalg.norm(points, axis=1) - self.radius

    def gradient(self, points, *, chunk=4096):
        return points / np.linalg.norm(points, axis=1, keepdims=True)


def test_a_known_offset_is_found_both_ways():
    skin = SurfaceSkin(icosphere(4))
    known = fit_skin(skin, EncodeSettings(steps=1, latents=16, points=64, checked=64, resolution=8))
    found = measure(Swollen(known, 1.01), skin, count=2000, resolution=32)
    for spread in (found.to_body, found.to_field, found.value):
        assert spread.mean == pytest.approx(0.011, abs=0.001) and spread.max < 0.014  # facets lie a thousandth below the ball
    assert found.astray == 0.0 and measure(Swollen(known, 1.05), skin, count=500, resolution=32).astray == 1.0
    assert ShapeDeviation.from_dict(found.to_dict()) == found
    nothing = measure(Swollen(known, -1.0), skin, count=100, resolution=16)
    assert nothing.astray == 1.0 and nothing.to_field.mean == np.inf
