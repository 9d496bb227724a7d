"""Motions in time, cases on meshes that move, the geometric conservation law, and files whose points move."""

import numpy as np
import pytest
from meshes_in_motion import MESHES, layers, square

import geoop
from geoop.errors import ConfigurationError, ConvergenceError, InvalidMeshError
from geoop.io.paraview import write_series
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.measure import signed_measures
from geoop.mesh.mesh import Mesh
from geoop.mesh.quantity import Field, Quantity
from geoop.solve.deformers.elastic import Elastic
from geoop.solve.deformers.motions import Motion, Oscillating, Pitching, PitchingHeaving, Waving, turned
from geoop.solve.deformers.moving_series import moving_series, swept_measures
from geoop.solve.deformers.radial_basis import RadialBasis


@pytest.mark.parametrize("shape", MESHES)
def test_what_sides_sweep_is_what_cells_gain(shape):
    mesh = MESHES[shape]()
    after = mesh.moved(mesh.points + 0.05 * np.random.default_rng(0).uniform(-1, 1, mesh.points.shape))
    swept, owner = swept_measures(mesh, after)
    change = signed_measures(after) - signed_measures(mesh)
    assert np.abs(np.bincount(owner, weights=swept, minlength=len(change)) - change).max() < 1e-16 * 10
    assert np.abs(swept).max() > 1e-4


def test_clockwise_cells_keep_the_law_too():
    mesh = square(4, "quad", 0.2)
    mesh = Mesh(mesh.points, Cells.of(quad=mesh.cells.block("quad")[:, ::-1]))
    after = mesh.moved(1.1 * mesh.points)
    swept, owner = swept_measures(mesh, after)
    assert np.abs(np.bincount(owner, weights=swept) - np.abs(signed_measures(after)) + np.abs(signed_measures(mesh))).max() < 1e-15


def test_a_side_that_moves_out_sweeps_a_positive_measure():
    mesh = square(1, "quad")
    after = mesh.moved(mesh.points * [1.5, 1.0])
    swept, _ = swept_measures(mesh, after)
    assert np.sort(swept) == pytest.approx([0, 0, 0, 0.5], abs=1e-15)
    with pytest.raises(InvalidMeshError, match="different"):
        swept_measures(mesh, square(2))


def test_motions_do_what_they_say():
    x = np.array([[0.0, 0.0], [1.0, 0.0]])
    pitch = Pitching(10.0, 2.0)
    assert isinstance(pitch, Motion) and np.abs(pitch.displacement(x, 0.0)).max() == 0
    up = x + pitch.displacement(x, 0.125)
    assert np.degrees(np.arctan2(up[0, 1] - up[1, 1], up[1, 0] - up[0, 0])) == pytest.approx(10.0)
    assert np.linalg.norm(up - [0.25, 0], axis=1) == pytest.approx([0.25, 0.75])
    ring = Oscillating((0.0, 0.5), 1.0, drift=(-1.0, 0.0))
    assert np.abs(ring.displacement(x, 0.25) - [-0.25, 0.5]).max() < 1e-15
    wall = Waving((0.0, 0.1), 0.5, 1.0, along=(1.0, 0.0), stretch=(0.2, 0.8), rise=1.0)
    s = np.stack([np.linspace(0, 1, 101), np.zeros(101)], axis=1)
    assert np.abs(wall.displacement(s, 0.0)).max() == 0 and 0.05 < np.abs(wall.displacement(s, 1.3)).max() <= 0.1
    assert np.abs(wall.displacement(s, 1.3)[(s[:, 0] < 0.2) | (s[:, 0] > 0.8)]).max() < 1e-15
    lifted = turned(np.array([[1.0, 0.0, 5.0]]), 90.0, (0.0, 0.0, 0.0), (0.0, 0.0, 2.0))
    assert lifted == pytest.approx(np.array([[-1.0, 1.0, 0.0]]))
    with pytest.raises(ConfigurationError):
        turned(x, 10.0, (0.0, 0.0, 0.0))


@pytest.mark.parametrize("d", [2, 3])
def test_pitch_and_heave_at_once_keep_every_distance(d):
    x = np.random.default_rng(0).uniform(-1, 2, (40, d))
    about, up = (0.3, 0.1, -0.2)[:d], (0.1, 0.4, 0.2)[:d]
    both = PitchingHeaving(Pitching(20.0, 2.0, about, mean=5.0, axis=(0.2, 0.1, 1.0), phase=90.0), Oscillating(up, 2.0, phase=-30.0))
    assert isinstance(both, Motion)
    spans = np.linalg.norm(x[:, None] - x, axis=2)
    for time in (0.0, 0.05, 0.21):
        moved = x + both.displacement(x, time)
        assert np.abs(np.linalg.norm(moved[:, None] - moved, axis=2) - spans).max() < 1e-14
        pivot = both.displacement(np.array([about]), time)[0]
        assert pivot == pytest.approx(np.array(up) * np.sin(4 * np.pi * time - np.pi / 6), abs=1e-15)
        assert both.pitch.angle(time) == pytest.approx(5.0 + 20.0 * np.cos(4 * np.pi * time))
    # the control: motions one after the other turn the shift as well
    half = both.pitch.displacement(x + both.heave.displacement(x, 0.05), 0.05) + both.heave.displacement(x, 0.05)
    assert np.abs(half - both.displacement(x, 0.05)).max() > 1e-2


def test_a_pitching_section_and_its_file(tmp_path):
    """Twelve times of a period: mesh velocity on the wall is that of the wall, the mesh comes back, points in the file move."""
    mesh = layers()
    pitch, times = Pitching(8.0, 1.0), np.linspace(0.0, 1.0, 13)
    seen = []
    series = moving_series(
        Case(mesh, fields={"load": Field(Quantity("load", "q"), np.ones(len(mesh.cells)), "cell")}),
        {"wall": pitch},
        times,
        RadialBasis(),
        progress=lambda step, steps: seen.append((step, steps)),
    )
    assert seen[-1] == (13, 13) and series.constant_connectivity and (series.times == times).all()
    wall = mesh.patch_points("wall")
    for k in (1, 6):
        case = series.cases[k]
        exact = (pitch.displacement(mesh.points[wall], times[k]) - pitch.displacement(mesh.points[wall], times[k - 1])) / (times[k] - times[k - 1])
        assert np.abs(case.field("mesh_velocity").values[wall] - exact).max() < 1e-12
        assert case.time == times[k] and set(case.fields) == {"load", "mesh_velocity"}
        swept, owner = swept_measures(series.cases[k - 1].mesh, case.mesh)
        change = signed_measures(case.mesh) - signed_measures(series.cases[k - 1].mesh)
        assert np.abs(np.bincount(owner, weights=swept) - change).max() < 1e-14
    assert np.abs(series.cases[12].mesh.points - mesh.points).max() < 1e-12
    again = geoop.read_series(write_series(series, tmp_path / "pitch.pvd"))
    assert len(again) == 13 and (again.times == times).all()
    for k in (0, 3, 9):
        assert (again.cases[k].mesh.points == series.cases[k].mesh.points).all()
        assert (again.cases[k].field("mesh_velocity").values == series.cases[k].field("mesh_velocity").values).all()
    assert np.abs(again.cases[3].mesh.points - again.cases[9].mesh.points).max() > 0.1


def test_a_moving_cylinder_and_a_waving_wall():
    mesh = square(10, "quad")
    wave = Waving((0.0, 0.1), 0.5, 1.0, along=(1.0, 0.0), stretch=(0.0, 1.0))
    series = moving_series(Case(mesh), {"bottom": wave}, [0.0, 0.1, 0.2], Elastic())
    assert all((signed_measures(case.mesh) > 0).all() for case in series.cases)
    with pytest.raises(ConvergenceError, match="at time 0.25 s: tangled"):
        moving_series(Case(layers()), {"wall": Oscillating((0.0, 5.0), 1.0)}, [0.0, 0.25], Elastic("uniform"))
    with pytest.raises(ConfigurationError, match="increas"):
        moving_series(Case(mesh), {"bottom": wave}, [0.0, 0.0], Elastic())
