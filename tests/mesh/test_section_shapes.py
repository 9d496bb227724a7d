"""Sections by a few numbers: derivatives, what stays, round trips."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError, ShapeError
from geoop.mesh.outline import chord_line
from geoop.mesh.primitives import naca4
from geoop.mesh.section_shapes import Bumps, ClassShape, NacaDigits


def turned(mesh, angle=0.2, scale=3.0):
    c, s = np.cos(angle), np.sin(angle)
    return mesh.moved(scale * mesh.points @ np.array([[c, s], [-s, c]]) + [1.0, -2.0])


SHARP, BLUNT = turned(naca4("2412", 120)), turned(naca4("4415", 81, closed_trailing_edge=False))
SHAPES = [
    Bumps(SHARP, (0.1, 0.5), (0.3,)),
    Bumps(BLUNT, (0.4,), (0.2, 0.7)),
    ClassShape(SHARP, 6),
    ClassShape(BLUNT, 4),
    NacaDigits(0.03, 0.45, 0.13),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: type(shape).__name__)
def test_jacobian_is_that_of_the_points(shape):
    values = shape.start + 0.004
    jacobian, step = shape.jacobian(values), 1e-6
    assert jacobian.shape == (len(shape.outline(values).points), 2, len(shape.names))
    for k, row in enumerate(np.eye(len(values))):
        ends = [shape.outline(values + sign * step * row).points for sign in (1, -1)]
        np.testing.assert_allclose(jacobian[:, :, k], (ends[0] - ends[1]) / (2 * step), atol=1e-7)


@pytest.mark.parametrize("shape", SHAPES[:4], ids=lambda shape: type(shape).__name__)
def test_the_start_is_the_section_and_its_chord_stays(shape):
    before = chord_line(shape.outline(shape.start))
    after = chord_line(shape.outline(shape.start + 0.003))
    np.testing.assert_allclose(shape.outline(shape.start).points, shape.base.points, atol=1e-12)
    np.testing.assert_allclose(after.trailing_edge, before.trailing_edge, atol=1e-12)
    assert after.length == pytest.approx(before.length, rel=2e-3)


def test_a_bump_thickens_its_side_by_its_height_at_its_crest():
    shape = Bumps(naca4("0012", 401), (0.5,), (0.5,))
    moved = shape.outline(np.array([0.01, 0.0])).points - shape.base.points
    assert moved[:, 1].max() == pytest.approx(0.01, rel=1e-3)
    assert shape.base.along[int(moved[:, 1].argmax())] == pytest.approx(0.5, abs=0.01)
    assert np.abs(moved[shape.base.side <= 0]).max() == 0.0


def test_more_terms_fit_better():
    errors = [ClassShape(naca4("2412", 200), terms).fit_error for terms in (2, 4, 8)]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 2e-3


def test_digits_are_naca4():
    shape = NacaDigits(0.02, 0.4, 0.12, 200, 2.0)
    np.testing.assert_allclose(shape.outline(shape.start).points, naca4("2412", 200, chord=2.0).points, atol=1e-14)


def test_bad_input():
    with pytest.raises(ConfigurationError, match="crests"):
        Bumps(SHARP, (1.2,), ())
    with pytest.raises(ConfigurationError, match="crests none"):
        Bumps(SHARP, (), ())
    with pytest.raises(ConfigurationError, match="terms"):
        ClassShape(SHARP, 1)
    with pytest.raises(ConfigurationError, match="position"):
        NacaDigits(0.02, 2.0, 0.12)
    with pytest.raises(ShapeError, match="numbers"):
        SHAPES[0].outline(np.zeros(7))
