"""Training tells a model its training geometries once, and what the model kept of them is saved with it."""

from __future__ import annotations

import functools

import torch

import geoop
from geoop.models.gaot import GAOT
from geoop.train.settings import FitSettings


def test_a_model_is_told_its_training_geometries_once(tmp_path, monkeypatch):
    data = geoop.generate("kt-airfoils", tmp_path / "kt", n=8)
    told: list[int] = []
    original = GAOT.fit_geometries

    def counted(self, prepared):
        told.append(len(prepared))
        original(self, prepared)

    monkeypatch.setattr(GAOT, "fit_geometries", counted)
    model = functools.partial(GAOT, width=16, tokens=16, depth=1, heads=1, kernel=8)
    settings = FitSettings(epochs=1, batch=4, field_points=16, wall_points=8, domain_points=64, reflect=False)
    surrogate = geoop.fit(data, tmp_path / "run", model=model, settings=settings, progress=False)
    assert told == [len(data.splits["train"])]
    loaded = geoop.load(tmp_path / "run" / "best.safetensors").model.statistics
    assert (loaded.deviation != 1).any() and (loaded.mean != 0).all()
    assert torch.equal(loaded.mean, surrogate.model.statistics.mean)
