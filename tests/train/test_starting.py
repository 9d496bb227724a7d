"""Training from a trained surrogate: it begins where the surrogate ended, keeps its scaling, is resumed, and refuses what it cannot go on from."""

import json

import numpy as np
import pytest
import torch

import geoop
from geoop.errors import ConfigurationError
from geoop.models.deeponet import DeepONet
from geoop.train.preparing import Preparation, TrainingData
from geoop.train.run_file import fit_file
from geoop.train.settings import FitSettings

QUIET = {"batch": 4, "domain_points": 100, "field_points": 48, "wall_points": 16, "validate_every": 1}
STILL = {"rate": 1e-12, "muon_rate": 1e-12}
CP = ("pressure_coefficient",)


def small(ports):
    return DeepONet(ports, 16, modes=8, trunk=1)


def fit(data, directory, *, quantities=CP, model=None, start=None, resume=False, **options):
    settings = FitSettings(**{"epochs": 1, **QUIET, **options})
    return geoop.fit(data, directory, quantities=quantities, model=model, settings=settings, start=start, resume=resume, progress=False)


@pytest.fixture(scope="module")
def halves(tmp_path_factory):
    """One half to begin with, and another to go on with: cases of other sections."""
    data = geoop.generate("kt-airfoils", tmp_path_factory.mktemp("data") / "kt", n=24)
    names = [name for split in ("train", "val", "test") for name in data.splits[split]]
    return [data.with_splits({"train": own[:8], "val": own[8:10]}) for own in (names[:10], names[10:20])]


@pytest.fixture(scope="module")
def start(halves, tmp_path_factory):
    directory = tmp_path_factory.mktemp("run") / "first"
    return fit(halves[0], directory, model=small, epochs=3), directory / "best.safetensors"


def test_it_begins_with_the_weights_and_the_scaling_of_the_start(halves, start, tmp_path):
    """With rates of nothing the second training is the first one's surrogate; its envelope is that of its own cases."""
    surrogate, _ = start
    second = fit(halves[1], tmp_path / "run", start=surrogate, **STILL)
    assert type(second.model) is DeepONet and second.model.arguments == surrogate.model.arguments
    for key, value in surrogate.model.state_dict().items():
        torch.testing.assert_close(second.model.state_dict()[key], value, atol=1e-6, rtol=1e-5)
    assert second.normaliser == surrogate.normaliser and second.framing.to_dict() == surrogate.framing.to_dict()
    case = halves[1].case(halves[1].splits["val"][0])
    np.testing.assert_allclose(second.predict(case)[CP[0]], surrogate.predict(case)[CP[0]], atol=1e-4)
    assert any(not np.array_equal(a, b) for a, b in zip(second.envelope.arrays().values(), surrogate.envelope.arrays().values(), strict=True))
    record = json.loads((tmp_path / "run" / "run.json").read_text())["start"]
    assert record == second.about["start"] and record["dataset_hash"] == halves[0].hash and len(record["weights"]) == 64


def test_what_was_learned_before_helps(halves, start, tmp_path):
    """Control: the same single epoch from random weights."""

    def loss(directory, **options):
        fit(halves[0], directory, **options)
        lines = (directory / "curves" / "metrics.csv").read_text().splitlines()
        at = lines[0].split(",").index("val_loss")
        return min(float(line.split(",")[at]) for line in lines[1:] if line.split(",")[at])

    assert loss(tmp_path / "warm", start=start[1]) < 0.97 * loss(tmp_path / "cold", model=small)


def test_it_is_resumed_from_its_own_state(halves, start, tmp_path):
    first = fit(halves[1], tmp_path / "run", start=start[1], epochs=2)
    again = fit(halves[1], tmp_path / "run", start=start[0], epochs=2, resume=True)
    for key, value in first.model.state_dict().items():
        assert torch.equal(again.model.state_dict()[key], value)
    with pytest.raises(ConfigurationError, match=r"\['start'\] differ"):
        fit(halves[1], tmp_path / "run", model=small, epochs=2, resume=True)
    with pytest.raises(ConfigurationError, match=r"\['start'\] differ"):
        fit(halves[1], tmp_path / "run", start=first, epochs=2, resume=True)


def test_what_a_start_does_not_share_is_said_before_anything_is_prepared(halves, start, tmp_path):
    with pytest.raises(ConfigurationError, match="width is 24, in the start 16") as caught:
        fit(halves[1], tmp_path / "a", start=start[1], model=lambda ports: DeepONet(ports, 24, modes=8, trunk=1))
    assert "model=None" in caught.value.remedy
    with pytest.raises(ConfigurationError, match="the model is a BodyField, that of the start a DeepONet"):
        fit(halves[1], tmp_path / "b", start=start[1], model=geoop.models.body_field.BodyField)
    with pytest.raises(ConfigurationError, match="quantities are .*velocity.*, in the start"):
        fit(halves[1], tmp_path / "c", start=start[1], quantities=("velocity", *CP))
    assert not any((tmp_path / name).exists() for name in "abc")


def test_cases_prepared_once_for_many_trainings_from_one_start(halves, start, tmp_path):
    how = Preparation(domain_points=100)
    ready = TrainingData.of(halves[1], CP, (), how, start=start[0], progress=False)
    fit(ready, tmp_path / "run", start=start[0])
    own = TrainingData.of(halves[1], CP, (), how, progress=False)
    with pytest.raises(ConfigurationError, match="another framing or normaliser") as caught:
        fit(own, tmp_path / "other", start=start[0])
    assert "TrainingData.of(..., start=surrogate)" in caught.value.remedy
    assert not (tmp_path / "other" / "run.json").exists()


def test_other_channels_are_named(start):
    from geoop.models.ports import Ports
    from geoop.train.starting import begin

    own = Ports.of(start[0].model.arguments["ports"])
    with pytest.raises(ConfigurationError, match="scalars_in 1, in the start 0"):
        begin(small(Ports(**{**vars(own), "scalars_in": 1})), start[0])


def test_run_file_with_a_start(halves, start, tmp_path):
    run = tmp_path / "run.toml"
    text = f'data = {json.dumps(str(halves[0].directory))}\ndirectory = "out"\nquantities = ["pressure_coefficient"]\nstart = {json.dumps(str(start[1]))}\n'
    run.write_text(text + "[settings]\nepochs = 1\nbatch = 4\n")
    surrogate, _ = fit_file(run, progress=False)
    assert surrogate.about["start"]["weights"] == json.loads((tmp_path / "out" / "run.json").read_text())["start"]["weights"]
    run.write_text(text.replace("start = ", "start = 3 #"))
    with pytest.raises(ConfigurationError, match="start = 3 is no path"):
        fit_file(run, progress=False)


def test_a_run_from_before_a_setting_existed_is_resumed_with_its_default(halves, tmp_path):
    fit(halves[0], tmp_path / "run", model=small)
    path = tmp_path / "run" / "run.json"
    kept = json.loads(path.read_text())
    del kept["settings"]["loss"]
    path.write_text(json.dumps(kept))
    fit(halves[0], tmp_path / "run", model=small, resume=True)
    with pytest.raises(ConfigurationError, match="settings"):
        fit(halves[0], tmp_path / "run", model=small, resume=True, loss="square")
