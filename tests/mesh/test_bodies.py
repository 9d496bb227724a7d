"""Bodies that are formulas: closed, outward, on their formula, and of the volume and area that they should have."""

import math

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.mesh.bodies import CarShape, WingShape, car_body, cube_sphere, superellipsoid, wing_body
from geoop.mesh.intersections import intersecting_triangles
from geoop.mesh.measure import enclosed_volume
from geoop.mesh.orientation import facets_to_turn
from geoop.mesh.topology import edges, welded
from geoop.mesh.triangulation import triangulated

CAR = CarShape(4.5, 1.8, 0.8, 0.6, 0.05, 0.35, 0.2, 0.6)
WING = WingShape(8.0, 1.2, taper=0.5, sweep=25.0, dihedral=5.0, twist=-3.0, section="2412", roundness=6.0)
BODIES = {
    "sphere": cube_sphere(6),
    "superellipsoid": superellipsoid((2.0, 1.0, 0.5), 0.5, 1.2, 6),
    "car": car_body(CAR, 8),
    "wing": wing_body(WING, 24, 16)[0],
}


@pytest.mark.parametrize("name", BODIES)
def test_closed_outward_and_free_of_crossings(name):
    mesh = BODIES[name]
    assert (edges(mesh.cells, welded(mesh.points)).counts == 2).all()
    assert not facets_to_turn(mesh).any() and enclosed_volume(mesh) > 0
    assert len(intersecting_triangles(mesh.points, triangulated(mesh)[0])) == 0
    assert len(np.unique(mesh.cells.connectivity)) == len(mesh.points)


def test_superellipsoid_lies_on_its_formula_and_one_is_an_ellipsoid():
    e, k = 0.5, 1.2
    x, y, z = np.abs(BODIES["superellipsoid"].points / [2.0, 1.0, 0.5]).T
    assert (x ** (2 / e) + y ** (2 / e)) ** (e / k) + z ** (2 / k) == pytest.approx(np.ones(len(x)), abs=1e-12)
    volumes = [enclosed_volume(superellipsoid((2.0, 1.0, 0.5), n=n)) for n in (8, 16)]
    exact = 4 / 3 * math.pi
    assert (exact - volumes[0]) / (exact - volumes[1]) == pytest.approx(4.0, rel=0.05)


def test_a_car_without_cabin_is_a_superellipsoid():
    plain = car_body(CarShape(4.0, 2.0, 1.0, 0.0, 0.0, 0.3, 0.0, 0.6), 4)
    assert plain.points == pytest.approx(superellipsoid((2.0, 1.0, 0.5), 0.6, 0.6, 4).points + [0.0, 0.0, 0.5], abs=1e-12)
    centred = car_body(CarShape(4.5, 1.8, 0.8, 0.6, 0.0, 0.35, 0.2, 0.6), 8)
    assert centred.points[:, 2].max() == pytest.approx(0.8 + 0.6) and centred.points[:, 2].min() == pytest.approx(0.0)


def test_area_and_trailing_edge_of_a_wing():
    assert WingShape(10.0, 1.0).area == pytest.approx(math.pi / 4 * 10.0, rel=1e-9)
    assert WingShape(10.0, 1.0, taper=0.5, roundness=1e9).area == pytest.approx(7.5, rel=1e-6)
    mesh, edge = wing_body(WING, 24, 16)
    assert edge.shape == (16, 2) and (edge[1:, 0] == edge[:-1, 1]).all()
    inner = edge[1:, 0]
    for k in inner:
        station = np.isclose(mesh.points[:, 1], mesh.points[k, 1], atol=1e-12)
        assert mesh.points[k, 0] == mesh.points[station, 0].max()


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda: superellipsoid((1.0, -1.0, 1.0)), "axes"),
        (lambda: superellipsoid((1.0, float("inf"), 1.0)), "axes"),
        (lambda: superellipsoid((1.0, 1.0, 1.0), 0.0), "exponents"),
        (lambda: cube_sphere(0), "n is 0"),
        (lambda: car_body(CarShape(4.0, 2.0, 1.0, 0.5, 0.0, 0.3, 0.95, 0.6)), "tumblehome=0.95"),
        (lambda: wing_body(WingShape(-1.0, 1.0)), "span=-1.0"),
        (lambda: wing_body(WING, 23), "23 by"),
    ],
    ids=["axes", "infinite", "exponents", "divisions", "tumblehome", "span", "odd"],
)
def test_bad_input(make, found):
    with pytest.raises(ConfigurationError, match=found):
        make()
