"""Frequencies and phases of synthetic signals: finer than a sample, through drift, noise and harmonics."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError, FieldError
from geoop.results.periodic_signals import crossings, frequency, local_phase, phase_error, strouhal

F = 0.17
TIMES = 0.4 * np.arange(120)  # fifteen samples a period, eight periods


def wave(times, f=F, phase=0.1, drift=0.0, noise=0.0, second=0.0):
    swing = np.cos(2 * np.pi * (f * times + phase)) + second * np.cos(4 * np.pi * (f * times + 0.3))
    return 0.4 + 0.7 * swing + drift * times + noise * np.random.default_rng(0).standard_normal(len(times))


@pytest.mark.parametrize("method", ["crossings", "analytic", "harmonic"])
@pytest.mark.parametrize(
    ("how", "tolerance"), [({}, 2e-4), ({"drift": 0.05}, 2e-3), ({"second": 0.3}, 2e-3), ({"drift": 0.03, "noise": 0.1, "second": 0.2}, 1e-2)]
)
def test_frequency_is_finer_than_a_sample(method, how, tolerance):
    assert frequency(TIMES, wave(TIMES, **how), method) == pytest.approx(F, rel=tolerance)
    assert strouhal(TIMES, wave(TIMES, **how), 2.0, 4.0, method) == pytest.approx(F / 2, rel=tolerance)


def test_crossings_are_where_the_cosine_rises_and_noise_adds_none():
    exact = (np.arange(1, 9) - 0.1 - 0.25) / F
    assert exact[0] > 0 and exact[-1] + 0.25 / F < TIMES[-1]
    assert np.abs(crossings(TIMES, wave(TIMES)) - exact).max() < 2e-3 / F
    noisy = crossings(TIMES, wave(TIMES, noise=0.15))
    assert len(noisy) == len(exact) and np.abs(noisy - exact).max() < 3 * 0.15 / 0.7 / (2 * np.pi * F)  # three deviations over the slope


def test_crossings_converge_with_the_sampling():
    errors = []
    for steps in (8, 16, 32):
        t = np.arange(0, 6 / F, 1 / (steps * F))
        found = crossings(t, wave(t))
        assert len(found) == 6
        errors.append(np.abs((found * F + 0.35 + 0.5) % 1 - 0.5).max())
    assert errors[0] < 2e-3 and errors[0] > 7 * errors[1] > 49 * errors[2]  # of the spline, order 3 at least


def test_a_signal_that_does_not_swing_has_no_frequency():
    assert np.isnan(frequency(TIMES, 0.1 * TIMES)) and len(crossings(TIMES, np.ones_like(TIMES))) == 0


@pytest.mark.parametrize("drift", [0.0, 0.05])
def test_local_phase(drift):
    at = np.linspace(4, 40, 10)
    phase, size = local_phase(TIMES, wave(TIMES, drift=drift), F, at)
    assert np.abs((phase - 0.1 + 0.5) % 1 - 0.5).max() < 2e-3 and np.abs(size - 0.7).max() < 0.01
    assert np.isnan(local_phase(TIMES, wave(TIMES), F, [0.1])[0]).all()  # half a period before the record


@pytest.mark.parametrize(("f", "phase"), [(F, 0.16), (1.03 * F, 0.1), (0.96 * F, 0.0)])
def test_phase_error_grows_with_a_wrong_frequency(f, phase):
    """ahead by (f - F) t + the difference of the phases, counted on beyond half a period and beyond the record of the reference"""
    at = np.linspace(4, 44, 12)
    short = TIMES[:40]
    found = phase_error(TIMES, wave(TIMES, f=f, phase=phase, drift=0.01), short, wave(short), at)
    assert np.abs(found - ((f - F) * at + phase - 0.1)).max() < 0.012
    assert np.abs(phase_error(TIMES, wave(TIMES), TIMES, wave(TIMES), at)).max() < 1e-3


def test_bad_signals():
    with pytest.raises(FieldError, match="increase"):
        crossings(TIMES[::-1], wave(TIMES))
    with pytest.raises(FieldError, match="finite"):
        frequency(TIMES, np.where(TIMES > 3, np.nan, 1.0))
    with pytest.raises(ConfigurationError, match="method"):
        frequency(TIMES, wave(TIMES), "guess")
    with pytest.raises(FieldError, match="period"):
        phase_error(TIMES, wave(TIMES), TIMES[:8], wave(TIMES[:8]), [10.0], frequency_of=F)
