"""Charged polygons: the field of a disk, and sums by groups where there are many segments."""

import numpy as np
import pytest

from geoop.mesh.generate.charge import Charge, isolated_charge
from geoop.mesh.primitives import naca4


def around(vertices: np.ndarray, count: int = 500) -> np.ndarray:
    """Points from a millionth of a chord to ten chords away from some vertices."""
    random = np.random.default_rng(0)
    distance = 10.0 ** random.uniform(-6.0, 1.0, count)
    return vertices[random.integers(0, len(vertices), count)] + distance * np.exp(2j * np.pi * random.random(count))


@pytest.mark.parametrize("count", [100, 1000])
def test_a_disk_has_the_field_of_a_point(count):
    z = np.exp(2j * np.pi * np.arange(count) / count)
    at = np.array([1.5, -3.0 + 1.0j, 40.0j])
    np.testing.assert_allclose(isolated_charge(z).field(at), at / np.abs(at) ** 2, rtol=4.0 / count**2)


@pytest.mark.parametrize("bodies", [1, 2])
def test_many_segments_summed_by_groups_are_the_sum_over_all(bodies):
    section = naca4("2412", 800).points @ [1.0, 1.0j]
    charge = isolated_charge(*[section, 0.3 * section + 1.2 - 0.1j][:bodies])
    at = around(charge.vertices)
    few = np.array_split(np.arange(len(charge.first)), 4)  # none of which is enough for groups
    whole = sum(Charge(charge.vertices, charge.first[part], charge.second[part], charge.density[part]).field(at) for part in few)
    assert np.abs(charge.field(at) - whole).max() < 1e-11 * np.abs(whole).max()


def test_the_order_of_the_segments_does_not_matter():
    charge = isolated_charge(naca4("0012", 700).points @ [1.0, 1.0j])
    order = np.random.default_rng(1).permutation(len(charge.first))
    shuffled = Charge(charge.vertices, charge.first[order], charge.second[order], charge.density[order])
    at = around(charge.vertices, 40)
    assert np.abs(charge.field(at) - shuffled.field(at)).max() < 1e-11 * np.abs(charge.field(at)).max()
