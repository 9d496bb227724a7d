"""Diagnostics of rollouts against flows whose energy, divergence, spectrum, phase and frequency are known."""

from dataclasses import replace

import numpy as np
import pytest

from geoop.errors import ConfigurationError, FieldError, InvalidMeshError
from geoop.mesh.case import Case, Series
from geoop.mesh.cells import Cells
from geoop.mesh.generate.quadratic import quadratic
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.quantity import QUANTITIES, Field
from geoop.results.rollout_diagnostics import FieldMeasure, diagnose, probe_signal, spectrum

pytest.importorskip("skfem")


def rectangle(n: int = 16) -> Mesh:
    """(0, 2) x (0, 1)"""
    points = np.stack(np.meshgrid(np.linspace(0, 2, 2 * n + 1), np.linspace(0, 1, n + 1), indexing="ij"), axis=-1).reshape(-1, 2)
    number = np.arange(len(points)).reshape(2 * n + 1, n + 1)
    a, b, c, d = (part.ravel() for part in (number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]))
    return Mesh(points, Cells.of(triangle=np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])), name="rectangle")


MESH = quadratic(rectangle())
K, SPEED, STEP = 2 * np.pi, 1.0, 0.1


def frame(time: float, mesh: Mesh = MESH, size: float = 0.3, delay: float = 0.0, speed: float = SPEED) -> Case:
    """A wave across a stream: v = size cos K (x - speed (t - delay / speed)), frequency ``speed``."""
    x = mesh.points[:, 0]
    velocity = np.stack([np.ones_like(x), size * np.cos(K * (x - speed * time + delay))], axis=1)
    return Case(mesh, OperatingPoint(1.0, reference_length=0.5), {"velocity": Field(QUANTITIES["velocity"], velocity)}, wall=(), time=time)


def series(count: int = 31, start: float = 0.0, **how) -> Series:
    times = start + STEP * np.arange(count)
    return Series(times, tuple(frame(float(t), **how) for t in times))


def test_norm_energy_and_divergence_of_known_fields():
    x, y = MESH.points.T
    measure = FieldMeasure(MESH)
    assert measure.norm(np.stack([x, 2 * y], axis=1)) ** 2 == pytest.approx(8 / 3 + 8 / 3, rel=1e-12)  # exact for quadratic fields
    assert measure.energy(np.stack([x, y * 0], axis=1)) == pytest.approx(4 / 3, rel=1e-12)
    assert measure.divergence(np.stack([x**2, -2 * x * y], axis=1)) < 1e-12
    assert measure.divergence(np.stack([x**2, x * y], axis=1)) ** 2 == pytest.approx(9 * 8 / 3, rel=1e-12)
    flat = rectangle()
    assert FieldMeasure(flat).divergence(np.stack([2 * flat.points[:, 0], flat.points[:, 1]], axis=1)) == pytest.approx(3 * np.sqrt(2), rel=1e-12)


def test_divergence_of_a_solenoidal_field_falls_with_the_order_of_the_elements():
    errors = []
    for n in (4, 8, 16):
        mesh = quadratic(rectangle(n))
        x, y = np.pi * mesh.points.T
        errors.append(FieldMeasure(mesh).divergence(np.stack([np.sin(x) * np.cos(y), -np.cos(x) * np.sin(y)], axis=1)))
    assert errors[0] > 3.5 * errors[1] > 3.5**2 * errors[2]


def test_the_truth_has_no_error_and_standing_still_has_that_of_a_phase():
    truth = series()
    found = diagnose(truth, truth, given=3, probes=[[0.5, 0.5]])
    assert found.error.max() == 0.0 and len(found.times) == 28 and np.allclose(found.energy, found.reference_energy)
    # |cos a - cos b| over a whole number of waves: 2 |sin((a - b)/2)| times that of one wave; the stream adds to the norm below
    share = 0.3 / np.sqrt(2) / np.sqrt(1 + 0.3**2 / 2)
    expected = share * 2 * np.abs(np.sin(np.pi * (found.times - truth.times[2])))
    assert np.abs(found.persistence - expected).max() < 2e-4
    assert np.abs(found.identity - share * 2 * np.sin(np.pi * STEP)).max() < 2e-4
    probe = found.probes[0]
    assert probe.strouhal == pytest.approx(0.5, rel=1e-3) and probe.reference_strouhal == pytest.approx(0.5, rel=1e-3)
    assert abs(probe.phase_error_at(1.5)) < 1e-3


def test_a_delay_is_a_phase_error_and_a_wrong_speed_a_wrong_strouhal_number():
    truth = series()
    late = diagnose(series(delay=0.07), truth, given=1, probes=[[0.5, 0.5], [1.3, 0.2]])
    assert all(p.phase_error_at(2.0) == pytest.approx(-0.07, abs=2e-3) for p in late.probes)
    fast = diagnose(series(81, speed=1.05), truth, given=1, probes=[[0.5, 0.5]])
    assert fast.probes[0].strouhal / fast.probes[0].reference_strouhal == pytest.approx(1.05, rel=2e-3)
    at = fast.probes[0].phase_error_at(7.0)  # far beyond the record of the truth
    assert at == pytest.approx(0.05 * 7.0, abs=0.02) and len(fast.times) == 30
    assert np.isnan(fast.probes[0].phase_error_at(9.0)) and len(fast.rows()) == 30 and "phase_error_1" in fast.rows()[0]


def test_change_error_leaves_the_mean_out():
    found = diagnose(series(size=0.0), series(), given=1)
    assert found.change_error.mean() == pytest.approx(1.0, rel=0.02) and found.error.mean() < 0.25


def test_spectrum_of_a_wave_is_one_line_with_its_energy():
    waves, energy = spectrum(frame(0.0, size=0.4), "velocity", np.array([[0.0, 0.0], [2.0, 1.0]]), 64)
    step = waves[1] - waves[0]
    assert waves[energy.argmax()] == pytest.approx(1.0) and energy.sum() * step == pytest.approx(0.25 * 0.4**2, rel=0.02)
    far = np.abs(waves - 1.0) > 1.1  # a Hann window spreads a line over its neighbours and the shells of the shorter side
    assert energy[far].sum() < 1e-3 * energy.sum()


def test_probes_follow_the_shape_functions():
    truth = series(6)
    values = probe_signal(truth, "velocity", np.array([[0.31, 0.77]]))
    exact = 0.3 * np.cos(K * (0.31 - truth.times))
    assert np.abs(values[:, 0] - exact).max() < 2e-4
    with pytest.raises(ConfigurationError, match=r"probes \[\[3.0, 0.5\]\] lie outside"):
        probe_signal(truth, "velocity", np.array([[3.0, 0.5]]))


def test_what_does_not_fit_is_named():
    truth = series(11)
    lost = Series(np.delete(truth.times, 5), tuple(c for k, c in enumerate(truth.cases) if k != 5))
    with pytest.raises(FieldError, match="the truth: missing frames: 1 between 0.4 and 0.6 s"):
        diagnose(truth, lost, given=1)
    with pytest.raises(FieldError, match="no frame .* at 0.15, 0.25"):
        diagnose(series(9, start=0.05), truth, given=1)
    with pytest.raises(FieldError, match="no predicted frame lies within"):
        diagnose(series(5, start=4.0), truth)
    with pytest.raises(InvalidMeshError, match="on different points"):
        diagnose(series(11, mesh=MESH.moved(MESH.points * 1.01)), truth, given=1)
    bare = Series(truth.times, tuple(replace(c, fields={}) for c in truth.cases))
    with pytest.raises(FieldError, match="the prediction: 'velocity' is missing"):
        diagnose(bare, truth, given=1)
    with pytest.raises(ConfigurationError, match="box"):
        spectrum(truth.cases[0], "velocity", np.array([[0.0, 0.0], [3.0, 1.0]]))
