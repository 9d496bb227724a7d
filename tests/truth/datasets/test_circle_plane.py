"""Field points around sections: the map and its inverse, the law of the distances, and weights that integrate."""

import numpy as np
import pytest

from geoop.errors import InvalidMeshError
from geoop.mesh.primitives import naca4, ring
from geoop.truth.datasets.circle_plane import FARTHEST, NEAREST, CirclePlane, field_points
from geoop.truth.datasets.two_element import elements
from geoop.truth.panels.bodies import bodies_of
from geoop.truth.panels.section_curve import section_curve

OUTLINES = {"symmetrical": naca4("0012", 300), "thick": naca4("4421", 300), "thin-cambered": naca4("6406", 300)}


def region_integrals(plane, f):
    """Contour integrals of a primitive F in x along both limits: the area integral of dF/dx."""
    t = np.linspace(0, 2 * np.pi, 40001)
    far, near = (plane.points(t, np.full(t.shape, s)) for s in (FARTHEST, NEAREST))
    return np.trapezoid(f(far.real), far.imag) - np.trapezoid(f(near.real), near.imag)


@pytest.mark.parametrize("name", OUTLINES)
def test_map_and_inverse(name):
    """A thin cambered section lies beside the segment between the foci: its lower side is inside the unit circle."""
    plane = CirclePlane.of(section_curve(OUTLINES[name]))
    random = np.random.default_rng(0)
    t, s = 2 * np.pi * random.random(3000), NEAREST * (FARTHEST / NEAREST) ** random.random(3000)
    zeta, distance = plane.preimage(plane.points(t, s))
    assert distance == pytest.approx(s, rel=1e-6)
    assert np.exp(1j * np.angle(zeta - plane.center)) == pytest.approx(np.exp(1j * t), abs=1e-6)


@pytest.mark.parametrize("name", OUTLINES)
def test_the_wall_is_at_distance_zero_and_the_inside_below(name):
    curve = section_curve(OUTLINES[name])
    plane = CirclePlane.of(curve)
    wall = curve.points(np.linspace(0.05, 0.95, 300) * curve.length[-1])
    assert np.abs(plane.preimage(wall)[1]).max() < 1e-4
    middle = 0.5 * (curve.ring[20:120] + curve.ring[-21:-121:-1])
    assert (plane.preimage(middle)[1] < 0).all()


@pytest.mark.parametrize("name", OUTLINES)
def test_weights_integrate_over_the_region(name):
    plane = CirclePlane.of(section_curve(OUTLINES[name]))
    z, weight = field_points([plane], 5000, np.random.default_rng(1))
    assert z.shape == weight.shape == (5000,) and (weight > 0).all()
    for values, primitive in ((np.ones(5000), lambda x: x), (z.real**2, lambda x: x**3 / 3)):
        exact = region_integrals(plane, primitive)
        assert abs((weight * values).sum() / exact - 1) < 0.05
    quantiles = np.quantile(np.log(plane.preimage(z)[1]), [0.25, 0.5, 0.75])
    assert quantiles == pytest.approx(np.log(NEAREST) + np.log(FARTHEST / NEAREST) * np.array([0.25, 0.5, 0.75]), abs=0.01)


def test_mixture_of_two_sections_integrates_over_the_union():
    """The area around section and flap, by many uniform points in a box."""
    outline = elements("2412", "2412", 0.3, 30.0, 0.02, 0.01)
    planes = [CirclePlane.of(item.curve) for item in bodies_of(outline, None, 5.0)]
    sums = []
    for seed in range(8):
        z, weight = field_points(planes, 4000, np.random.default_rng(seed))
        assert np.min([plane.preimage(z)[1] for plane in planes], axis=0).min() > 0.999 * NEAREST
        sums.append(weight.sum())
    random = np.random.default_rng(99)
    box = -2 + 5 * random.random(400_000) + 1j * (-2.5 + 5 * random.random(400_000))
    distance = np.array([plane.preimage(box)[1] for plane in planes])
    area = 25 * ((distance.min(axis=0) >= NEAREST) & (distance <= FARTHEST).any(axis=0)).mean()
    assert np.mean(sums) == pytest.approx(area, abs=4 * np.std(sums) / np.sqrt(8) + 0.02 * area)


def test_hooked_sections_are_refused():
    t = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    radius = 1 + 0.6 * np.cos(9 * t)
    wavy = ring(np.stack([radius * np.cos(t) + 0.2 * np.cos(t), 0.4 * radius * np.sin(t)], axis=1), "wavy")
    with pytest.raises(InvalidMeshError, match="not star-shaped"):
        CirclePlane.of(section_curve(wavy))
