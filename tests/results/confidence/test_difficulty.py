"""Scales of errors from case to case and from place to place."""

import json

import numpy as np
import pytest

from geoop.errors import CheckpointError
from geoop.results.confidence.difficulty import Band, Bound, Difficulty, Profile


def test_a_power_law_is_found_and_an_idle_signal_left_alone():
    random = np.random.default_rng(0)
    latent, idle = random.lognormal(0, 0.5, 300), random.lognormal(0, 0.5, 300)
    errors = 0.02 * latent**1.5 * random.lognormal(0, 0.1, 300)
    found = Difficulty.fit([{"latent": a, "spread": b} for a, b in zip(latent, idle, strict=True)], errors)
    powers = dict(zip(found.names, found.powers, strict=True))
    assert powers["latent"] == pytest.approx(1.5, abs=0.15)
    assert powers["spread"] < 0.1
    usual = dict(zip(found.names, found.usual, strict=True))
    assert found.of(usual) == pytest.approx(1.0)
    assert found.of({**usual, "latent": 4 * usual["latent"]}) == pytest.approx(4 ** powers["latent"])


def test_no_signal_lowers_what_is_expected():
    """Errors that fall with the distance would say: the farther, the better. That power is held at nothing."""
    latent = np.geomspace(0.5, 3, 50)
    found = Difficulty.fit([{"latent": v} for v in latent], 1 / latent)
    assert found.of({"latent": 100.0}) == 1.0


def test_signals_that_are_missing_infinite_or_zero_do_not_take_part():
    assert Difficulty.fit([], np.zeros(0)).of({}) == 1.0
    assert Difficulty.fit([{"latent": np.inf}, {"latent": 1.0}], np.array([1.0, 2.0])).names == ()
    assert Difficulty.fit([{"latent": 1.0}, {"latent": 2.0}], np.zeros(2)).names == ()
    steep = Difficulty(("latent",), (2.0,), (1.0,), (0.5,))
    assert steep.of({"latent": np.inf}) == np.inf
    assert steep.of({"latent": 0.0}) == 0.25  # no nearer than the nearest that were seen


def test_a_profile_follows_the_size_of_the_errors():
    random = np.random.default_rng(1)
    size, spread = random.random(5000), random.random(5000)
    errors = np.abs(random.standard_normal(5000)) * (0.1 + 0.4 * size + 0.2 * spread)
    found = Profile.fit(errors, size, spread)
    scale = found.at(size, spread)
    assert scale.mean() == pytest.approx(1.0)
    assert np.corrcoef(scale, 0.1 + 0.4 * size + 0.2 * spread)[0, 1] > 0.99
    assert found.at(np.zeros(1), np.zeros(1))[0] > 0.05
    assert Profile.fit(np.zeros(10), size[:10]) == Profile()


def test_a_profile_is_nowhere_zero():
    """Errors proportional to the prediction would allow for none where it vanishes."""
    size = np.linspace(0, 1, 100)
    assert Profile.fit(size, size).at(np.zeros(1))[0] > 0.05


def test_bounds_and_bands_survive_the_header():
    bound = Bound(0.1, Difficulty(("latent",), (1.3,), (1.1,), (0.7,)))
    band = Band(bound, Profile(0.1, 0.2, 0.3), 0.99)
    assert Bound.from_dict(json.loads(json.dumps(bound.to_dict()))) == bound
    assert Band.from_dict(json.loads(json.dumps(band.to_dict()))) == band
    for damaged in ({}, {"quantile": "x"}, {**bound.to_dict(), "powers": None}):
        with pytest.raises(CheckpointError):
            Bound.from_dict(damaged)
    with pytest.raises(CheckpointError):
        Band.from_dict({"bound": bound.to_dict(), "profile": 3, "share": 1})
