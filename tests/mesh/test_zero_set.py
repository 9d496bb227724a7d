"""The narrow band and its contour: exact bodies, orders of convergence, work, bad input."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError, InvalidMeshError, NonFiniteError
from geoop.io.contour import contour
from geoop.mesh.measure import area_vectors, cell_measures, enclosed_volume
from geoop.mesh.topology import sides
from geoop.mesh.zero_set import narrow_band

CENTRE, RADIUS = np.array([0.03, -0.01, 0.02]), 0.4


def ball(d):
    return lambda x: np.linalg.norm(x - CENTRE[:d], axis=1) - RADIUS


def of(d, resolution, function=None):
    return contour(narrow_band(function or ball(d), np.full(d, -0.6), np.full(d, 0.61), resolution))


EXACT = {2: (2 * np.pi * RADIUS, np.pi * RADIUS**2), 3: (4 * np.pi * RADIUS**2, 4 / 3 * np.pi * RADIUS**3)}


@pytest.mark.parametrize("d", [2, 3])
def test_area_volume_and_points_converge_with_the_square_of_the_cell(d):
    errors = []
    for resolution in (16, 32, 64):
        mesh = of(d, resolution)
        area, volume = EXACT[d]
        off = np.abs(np.linalg.norm(mesh.points - CENTRE[:d], axis=1) - RADIUS).max()
        errors.append([abs(cell_measures(mesh).sum() / area - 1), abs(enclosed_volume(mesh) / volume - 1), off / RADIUS])
        assert enclosed_volume(mesh) > 0  # facets face out
    order = np.log2(np.array(errors)[0] / np.array(errors)[2]) / 2
    assert order.min() > 1.7, order
    assert np.array(errors)[2].max() < 7e-3


@pytest.mark.parametrize("d", [2, 3])
def test_closed_and_facing_out(d):
    mesh = of(d, 40)
    assert (sides(mesh, np.arange(len(mesh.points))).counts == 2).all()
    middle = mesh.points[mesh.cells.connectivity.reshape(-1, d)].mean(axis=1) - CENTRE[:d]
    assert ((area_vectors(mesh) * middle).sum(axis=1) > 0).all()


def test_two_bodies_and_a_cavity():
    def function(x):
        shell = np.abs(np.linalg.norm(x - [-0.25, 0.0, 0.0], axis=1) - 0.15) - 0.05
        return np.minimum(shell, np.linalg.norm(x - [0.3, 0.0, 0.0], axis=1) - 0.1)

    mesh = of(3, 96, function)
    volume = 4 / 3 * np.pi * (0.2**3 - 0.1**3 + 0.1**3)
    assert enclosed_volume(mesh) == pytest.approx(volume, rel=0.01)
    assert (sides(mesh, np.arange(len(mesh.points))).counts == 2).all()


def test_only_the_band_is_evaluated_and_a_thin_plate_is_found():
    band = narrow_band(ball(3), np.full(3, -0.6), np.full(3, 0.6), 128)
    assert band.evaluations < 0.2 * 129**3
    dense = narrow_band(ball(3), np.full(3, -0.6), np.full(3, 0.6), 16, slope=1e9)
    assert dense.evaluations == 17**3

    def plate(x):  # a third of a cell of the first grid
        return np.abs(x - [0.01, 0.0, 0.0])[:, 0] - 0.012

    assert np.ptp(of(3, 128, lambda x: np.maximum(plate(x), np.abs(x).max(axis=1) - 0.45)).points[:, 0]) == pytest.approx(0.024, abs=1e-3)


def test_zeros_on_grid_points_leave_no_facet_without_area():
    band = narrow_band(lambda x: x[:, 2] - 0.25, np.zeros(3), np.ones(3), 16)
    assert cell_measures(contour(band)).sum() == pytest.approx(1.0, rel=1e-6)
    mesh = contour(band)
    assert (cell_measures(mesh) > 0).all()


@pytest.mark.parametrize(
    ("function", "box", "resolution", "error", "words"),
    [
        (lambda x: np.ones(len(x)), (0, 1), 16, InvalidMeshError, "no zero"),
        (lambda x: np.full(len(x), np.nan), (0, 1), 16, NonFiniteError, "NaN"),
        (lambda x: x[:, 0], (1, 0), 16, ConfigurationError, "no box"),
        (lambda x: x[:, 0], (0, 1), 2, ConfigurationError, "resolution 2"),
    ],
)
def test_bad_input(function, box, resolution, error, words):
    with pytest.raises(error, match=words) as caught:
        narrow_band(function, np.full(2, float(box[0])), np.full(2, float(box[1])), resolution)
    assert caught.value.remedy
