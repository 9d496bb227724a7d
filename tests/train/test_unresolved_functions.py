"""Known functions that the points of an operator cannot resolve are said, with what helps."""

from __future__ import annotations

import pytest

import geoop
from geoop.train.preparing import Preparation, TrainingData
from geoop.train.settings import FitSettings
from geoop.train.unresolved import UNRESOLVED

POTENTIAL = "newton potential of source"


@pytest.fixture(scope="module")
def waves(tmp_path_factory):
    """Sources of sixteen waves per length."""
    return geoop.generate("nonlinear-poisson", tmp_path_factory.mktemp("waves") / "data", n=32, workers=1)


def shares(data, capsys, points, inputs=("source",), **options):
    found = TrainingData.of(data, ("solution",), inputs, Preparation(domain_points=points, vary_points=1.0), **options)
    return found.about["unresolved"], capsys.readouterr().err


def test_what_few_points_leave_out_is_said_and_more_points_help(waves, capsys):
    few, said = shares(waves, capsys, 128)
    more, _ = shares(waves, capsys, 1500)
    every, nothing = shares(waves, capsys, 10**5)
    assert few["source"] > 0.7 > 0.4 > more["source"] > 0.05
    assert every == {"source": 0.0}
    assert "note" not in nothing
    assert f"{100 * few['source']:.0f} % of the variance of 'source'" in said
    assert "128 points" in said and "more domain_points" in said and POTENTIAL in said


def test_the_potential_is_resolved_and_nothing_is_said_of_its_source(waves, capsys):
    found, said = shares(waves, capsys, 128, ("source", POTENTIAL))
    assert found["source"] > 0.7 > UNRESOLVED > found[POTENTIAL]
    assert "note" not in said


def test_quiet_trainings_say_nothing_and_keep_the_number(waves, capsys, tmp_path):
    assert shares(waves, capsys, 128, progress=False)[1] == ""
    surrogate = geoop.fit(
        waves,
        tmp_path / "run",
        quantities=("solution",),
        inputs=("source",),
        model="Transolver",
        settings=FitSettings(epochs=1, domain_points=128, vary_points=1.0, batch=4),
        progress=False,
    )
    assert surrogate.about["unresolved"]["source"] > 0.7
    assert surrogate.model.arguments["slices"] == 16  # by its name a model has the sizes of its small preset
    assert geoop.load(tmp_path / "run" / "best.safetensors").about["unresolved"] == surrogate.about["unresolved"]
