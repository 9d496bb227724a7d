"""A model whose latents are fitted to the shape is trained in two stages: ``fit`` runs both, and goes on in the one that was interrupted."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

import geoop
from geoop.errors import ConfigurationError
from geoop.io.checkpoint import write_checkpoint
from geoop.models.enf2enf import Enf2Enf
from geoop.models.superposition import Superposition
from geoop.results.metrics import relative_l2
from geoop.train import shapes
from geoop.train.preparing import Preparation, TrainingData
from geoop.train.settings import FitSettings

SIZES = {"width": 16, "latents": 9, "depth": 1, "heads": 2, "encoder": "meta", "shape": {"samples": 200, "width": 16}}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    made = geoop.generate("kt-airfoils", tmp_path_factory.mktemp("data") / "kt", n=20)
    how = Preparation(domain_points=64, surface_points=60, vary_points=1.0)
    return TrainingData.of(made, ("velocity", "pressure_coefficient"), preparation=how, progress=False)


def fit(data, directory, sizes=SIZES, resume=False, **settings):
    given = FitSettings(**{"epochs": 2, "batch": 4, "validate_every": 1, "field_points": 32, "wall_points": 16, "shape_share": 0.5, **settings})
    return geoop.fit(data, directory, model=partial(Enf2Enf, **sizes), settings=given, progress=False, resume=resume)


def weights(surrogate):
    return torch.cat([value.double().flatten() for value in surrogate.model.state_dict().values()])


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    return fit(data, tmp_path_factory.mktemp("run") / "whole")


class Stop(Exception):
    pass


@pytest.mark.parametrize("stage", ["shapes", "fields"])
def test_an_interrupted_stage_is_gone_on_with(data, whole, tmp_path, monkeypatch, stage):
    from geoop.train import keeping

    steps, target, name = [], (shapes._Shapes, "step") if stage == "shapes" else (keeping.Keeper, "on_train_epoch_end"), stage
    original = getattr(*target)

    def interrupted(self, *arguments):
        original(self, *arguments)
        steps.append(name)
        if stage == "fields" or len(steps) == 3:
            if stage == "shapes":  # as after a minute
                write_checkpoint(tmp_path / "run" / shapes.SHAPES, self.state())
            raise Stop

    with monkeypatch.context() as patch:
        patch.setattr(*target, interrupted)
        with pytest.raises(Stop):
            fit(data, tmp_path / "run")
    assert torch.equal(weights(fit(data, tmp_path / "run", resume=True)), weights(whole))


def test_what_was_fitted_first_is_frozen_and_says_what_it_came_to(data, whole):
    model = whole.model
    assert bool(model.source.settled) and float(model.source.deviation.min()) > 0
    assert whole.about["shapes"]["steps"] == int(np.ceil(0.5 * 2 * len(data.train) / 4)) and whole.about["shapes"]["loss"] > 0


def test_the_second_stage_sees_the_shape(data, whole):
    """Another section at the same condition is another answer, and a loaded surrogate fits the contexts of a section it never saw."""
    first, second = (data.dataset.case(name) for name in data.dataset.splits["test"][:2])
    one = whole.predict(first, surface_only=True)["pressure_coefficient"]
    assert np.isfinite(one).all()
    other = whole.predict(geoop.Case(second.mesh, first.operating_point, wall=second.wall), surface_only=True)["pressure_coefficient"]
    assert len(other) != len(one) or relative_l2(other, one) > 1e-3


def test_a_share_of_nothing_is_refused():
    with pytest.raises(ConfigurationError, match="shape_share"):
        FitSettings(epochs=1, shape_share=0.0)


def test_going_on_from_a_trained_surrogate_skips_the_first_stage(data, whole, tmp_path, monkeypatch):
    monkeypatch.setattr(shapes, "fit_shapes", lambda *a, **k: pytest.fail("the field of the shapes is trained already"))
    again = geoop.fit(
        data.dataset,
        tmp_path / "on",
        start=whole,
        settings=FitSettings(epochs=1, batch=4, field_points=32, wall_points=16, shape_share=0.5),
        progress=False,
    )
    assert torch.equal(again.model.source.mean, whole.model.source.mean)


def test_a_superposition_trains_the_first_stage_of_the_model_inside(data, tmp_path):
    settings = FitSettings(epochs=1, batch=4, field_points=32, wall_points=16, shape_share=0.5)
    model = partial(Superposition, inner="Enf2Enf", sizes=SIZES)
    surrogate = geoop.fit(data, tmp_path / "run", model=model, settings=settings, progress=False)
    assert surrogate.about["shapes"]["loss"] > 0
