"""Training of forecasts: exact resume, learning against the first frame repeated, and bad input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from geoop.errors import CheckpointError, ConfigurationError, NonFiniteError
from geoop.graph.pointset import PointSet
from geoop.models.enf_forecast import EnfForecast
from geoop.models.trajectory import Trajectory
from geoop.train import loop
from geoop.train.forecasting import ForecastSettings, fit_forecast
from geoop.truth.exact.evolving_fields import TravellingWaves

TIMES = tuple(0.1 * k for k in range(6))


def waves(number: int) -> TravellingWaves:
    rng = np.random.default_rng(number)
    return TravellingWaves(np.array([[1], [2]]), rng.normal(size=2), rng.uniform(0, 6, 2), np.array([0.5]), 0.01)


def trajectory(number: int, points: int = 48, times: tuple[float, ...] = TIMES) -> Trajectory:
    """Waves on a circle, at other points in every frame."""
    rng, u = np.random.default_rng([1, number]), waves(number)
    where = [rng.uniform(0, 1, (points, 1)) for _ in times]
    frames = [PointSet(torch.from_numpy(x).float(), torch.from_numpy(u(x, t)[:, None]).float()) for x, t in zip(where, times, strict=True)]
    return Trajectory(times, tuple(frames))


def model() -> EnfForecast:
    torch.manual_seed(0)
    return EnfForecast(1, 1, latents=5, context=6, width=16, lengths=(1.0,), layers=1, method="euler")


SHORT = ForecastSettings(steps=8, field_share=0.4, batch=2, points=16, frames=2, keep_every=0.0)


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("after", [2, 5])  # in the first part, and in the second
def test_a_resumed_training_is_the_uninterrupted_one_bit_by_bit(tmp_path, monkeypatch, after):
    data = [trajectory(k) for k in range(3)]
    expected = model()
    history = fit_forecast(expected, data, SHORT, progress=False)

    class Stops(loop.Budget):
        def update(self, share, words):
            if share >= after / SHORT.steps:
                raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr(loop, "Budget", Stops)
        with pytest.raises(Interrupted):
            fit_forecast(model(), data, SHORT, state=tmp_path / "state.safetensors", progress=False)
    found = model()
    assert fit_forecast(found, data, SHORT, state=tmp_path / "state.safetensors", progress=False) == history
    assert all(torch.equal(a, b) for a, b in zip(found.state_dict().values(), expected.state_dict().values(), strict=True))
    # a training that has ended goes on with nothing
    again = model()
    fit_forecast(again, data, SHORT, state=tmp_path / "state.safetensors", progress=False)
    assert all(torch.equal(a, b) for a, b in zip(again.state_dict().values(), expected.state_dict().values(), strict=True))


def test_a_state_of_another_training_is_refused(tmp_path):
    data, state = [trajectory(k) for k in range(2)], tmp_path / "state.safetensors"
    fit_forecast(model(), data, replace(SHORT, steps=1), state=state, progress=False)
    with pytest.raises(CheckpointError, match="settings"):
        fit_forecast(model(), data, SHORT, state=state, progress=False)
    with pytest.raises(CheckpointError, match="arguments"):
        fit_forecast(EnfForecast(1, 1, latents=4, lengths=(1.0,)), data, replace(SHORT, steps=1), state=state, progress=False)


def test_it_learns_travelling_waves_better_than_the_first_frame_repeated():
    """Unseen waves, from 40 scattered points to a grid that no frame of the training had, inside the horizon."""
    learned = model()
    settings = ForecastSettings(steps=90, field_share=0.3, batch=6, points=16, frames=2, rate=4e-3, muon_rate=2e-2)
    fit_forecast(learned, [trajectory(k) for k in range(30)], settings, progress=False)
    grid = np.linspace(0, 1, 33)[:-1, None]
    errors, controls = [], []
    with torch.no_grad():
        for k in range(100, 108):
            first = trajectory(k, 40).frames[0]
            found = learned.rollout(first, TIMES[1:], PointSet(torch.from_numpy(grid).float()))[:, :, 0].double().numpy()
            exact = np.stack([waves(k)(grid, t) for t in TIMES[1:]])
            errors.append(np.linalg.norm(found - exact) / np.linalg.norm(exact))
            controls.append(np.linalg.norm(waves(k)(grid, 0.0) - exact) / np.linalg.norm(exact))
    assert np.mean(errors) < 0.5 * np.mean(controls), (np.mean(errors), np.mean(controls))


def test_bad_input():
    with pytest.raises(ConfigurationError, match="two frames"):
        fit_forecast(model(), [trajectory(0, times=(0.0,))], SHORT, progress=False)
    for how in ({"steps": None}, {"minutes": 1.0}, {"field_share": 1.0}, {"batch": 0}, {"horizon": 0}):
        with pytest.raises(ConfigurationError, match="ForecastSettings"):
            replace(SHORT, **how)
    broken = model()
    broken.dynamics.head.weight.data.fill_(1e30)
    with pytest.raises(NonFiniteError, match="ran away"):
        fit_forecast(broken, [trajectory(0)], replace(SHORT, field_share=0.0), progress=False)
