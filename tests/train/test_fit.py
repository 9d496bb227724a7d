"""Training: it learns, resumes exactly, and loses nothing when it is killed."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

import geoop
from geoop.errors import CheckpointError, ConfigurationError, DatasetError, NonFiniteError
from geoop.graph.pointset import Inputs
from geoop.io.dataset import Dataset
from geoop.results.evaluation import evaluate
from geoop.scaling.framing import Framing
from geoop.train.alone import alone
from geoop.train.batches import SubsetDataset, from_batch, loader
from geoop.train.preparing import Preparation, TrainingData
from geoop.train.run_file import fit_file
from geoop.train.settings import FitSettings
from geoop.train.task import FieldTask

SMALL = {"width": 32, "depth": 1, "densities": 4}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return geoop.generate("kt-airfoils", tmp_path_factory.mktemp("data") / "kt", n=20)


def small(ports):
    from geoop.models.body_field import BodyField

    return BodyField(ports, **SMALL)


def masked(ports):
    from geoop.models.rigno import RIGNO

    return RIGNO(ports, width=16, edge_width=8, depth=1, mask=0.5)


def fit(data, directory, **options):
    resume, model = options.pop("resume", False), options.pop("model", small)
    settings = FitSettings(**{"epochs": 2, "batch": 4, "validate_every": 1, "field_points": 64, "wall_points": 32, **options})
    return geoop.fit(data, directory, model=model, settings=settings, progress=False, resume=resume)


def weights(surrogate):
    return torch.cat([p.flatten() for p in surrogate.model.parameters()])


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    directory = tmp_path_factory.mktemp("run") / "run"
    return fit(data, directory, epochs=30, validate_every=10), directory


def test_it_learns_more_than_the_free_stream(trained, data):
    """The control predicts no perturbation at all: its relative error is 1 by definition."""
    surrogate, _ = trained
    scores = evaluate(surrogate, data, "test").scores
    assert scores.row("velocity perturbation").l2.mean() < 0.8
    assert scores.row("pressure_coefficient", "surface").l2.mean() < 0.9


def test_files_of_a_run(trained):
    _, directory = trained
    assert {"best.safetensors", "last.safetensors", "last.ckpt", "run.json", "curves"} <= {p.name for p in directory.iterdir()}
    assert (directory / "curves" / "metrics.csv").read_text().count("\n") > 3
    assert any("tfevents" in p.name for p in (directory / "curves").iterdir())


def test_saved_and_loaded_predict_bit_equal(trained, data):
    surrogate, directory = trained
    loaded = geoop.load(directory / "best.safetensors")
    case = data.case(data.splits["test"][0])
    a, b = surrogate.predict(case), loaded.predict(case)
    for name in ("velocity", "pressure_coefficient"):
        np.testing.assert_array_equal(a[name], b[name])
    assert loaded.about["dataset_hash"] == data.hash
    assert a.verdict == b.verdict
    assert loaded.framing.to_dict() == surrogate.framing.to_dict()
    assert 1.0 < loaded.framing.reach < 1.5  # chords from mid-chord to the farthest training point
    assert set(loaded.expected_errors) == {"velocity", "pressure_coefficient"}


@pytest.mark.parametrize("model", [small, masked], ids=["plain", "with random masks"])
def test_same_seed_same_weights_and_resume_is_exact(data, tmp_path, model):
    whole = fit(data, tmp_path / "whole", epochs=4, model=model)
    # stopped after two of the same four epochs: the schedule still runs to four
    directory = tmp_path / "parts"
    from geoop.train import keeping

    class Stop(Exception):
        pass

    original = keeping.Keeper.on_train_epoch_end

    def stop_after_two(self, trainer, module):
        original(self, trainer, module)
        if trainer.current_epoch == 1:
            raise Stop

    keeping.Keeper.on_train_epoch_end = stop_after_two
    try:
        with pytest.raises(Stop):
            fit(data, directory, epochs=4, model=model)
    finally:
        keeping.Keeper.on_train_epoch_end = original
    resumed = fit(data, directory, epochs=4, resume=True, model=model)
    assert torch.equal(weights(resumed), weights(whole))


def test_resume_refuses_other_settings_and_new_runs_refuse_old_folders(trained, data):
    _, directory = trained
    with pytest.raises(ConfigurationError, match="holds a run"):
        fit(data, directory)
    with pytest.raises(ConfigurationError, match="settings"):
        fit(data, directory, epochs=31, validate_every=10, resume=True)
    with pytest.raises(ConfigurationError, match="nothing to resume"):
        fit(data, directory.parent / "nothing", resume=True)


def test_killed_while_writing_a_checkpoint_loses_nothing(data, tmp_path):
    """A process that dies in the middle of writing leaves the previous checkpoint readable and the run resumable."""
    code = f"""
import sys, time, torch
sys.path.insert(0, {os.path.dirname(__file__)!r})
from test_fit import fit
from geoop.io.dataset import Dataset
writes = 0
real = torch.save
def slow(state, path, *a, **k):
    global writes
    writes += 1
    if writes == 3:
        real(state, path, *a, **k)
        with open(path, "r+b") as file: file.truncate(1000)
        print("WRITING", flush=True); time.sleep(60)
    return real(state, path, *a, **k)
torch.save = slow
fit(Dataset.open({str(data.directory)!r}), {str(tmp_path / "run")!r}, epochs=4)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert any("WRITING" in line for line in process.stdout)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    geoop.load(tmp_path / "run" / "best.safetensors")
    resumed = fit(data, tmp_path / "run", epochs=4, resume=True)
    assert resumed.about["epochs"] == 4


def test_damaged_state_is_one_clear_error(data, tmp_path):
    fit(data, tmp_path / "run")
    state = tmp_path / "run" / "last.ckpt"
    state.write_bytes(state.read_bytes()[:500])
    with pytest.raises(CheckpointError, match="cannot be read"):
        fit(data, tmp_path / "run", resume=True)


def test_a_nan_in_the_data_names_the_case(data, tmp_path):
    case = data.case(data.splits["train"][0])
    values = case.field("pressure_coefficient").values.copy()
    values[7] = np.nan
    from geoop.train.samples import FramedCase

    bad = case.with_fields(geoop.Field(case.field("pressure_coefficient").quantity, values))
    with pytest.raises(DatasetError, match="not finite") as caught:
        FramedCase.of(bad, [case.field("pressure_coefficient").quantity], Framing())
    assert case.name in caught.value.where


def test_an_attempt_that_trained_nothing_leaves_the_folder_free(data, tmp_path):
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="no field 'temperatur'") as caught:
            geoop.fit(data, tmp_path / "run", quantities=("temperatur",), progress=False)
        assert 'quantities = ["pressure_coefficient", "velocity"] in run.toml' in caught.value.remedy


def test_a_loss_that_is_not_finite_stops_the_run(data, tmp_path):
    with pytest.raises(NonFiniteError, match="loss"):
        fit(data, tmp_path / "run", rate=1e30, muon_rate=1e30, epochs=3)


def test_subsets_are_seeded_by_epoch_and_go_through_pyg(data, trained):
    from geoop.mesh.quantity import QUANTITIES
    from geoop.scaling.normaliser import Normaliser
    from geoop.train.samples import FramedCase

    quantities = [QUANTITIES["velocity"], QUANTITIES["pressure_coefficient"]]
    framed = [FramedCase.of(case, quantities, Framing()) for case in data.cases("val")]
    normaliser = Normaliser.fit(quantities, ((f.fields, f.direction) for f in framed))
    samples = [f.sample(normaliser) for f in framed]
    first, again, later = (SubsetDataset(samples, 64, 32, seed=5, epoch=e) for e in (0, 0, 1))
    assert torch.equal(first[0].pos, again[0].pos)
    assert not torch.equal(first[0].pos, later[0].pos)
    batch = from_batch(next(iter(loader(first, 2, shuffle=False))), samples)
    assert batch.region_ptr.tolist() == [0, 64, 96, 160, 192]


def test_what_is_taken_from_the_samples_follows_the_batch_to_its_device(data, trained, monkeypatch):
    """The trainer moves a batch; conditions and functions come from the samples, which stay on the CPU."""
    moved, to = [], Inputs.to
    monkeypatch.setattr(Inputs, "to", lambda self, *where: moved.append(where) or to(self, *where))
    prepared = TrainingData.of(data, ("velocity",), preparation=Preparation(domain_points=64, surface_points=60), progress=False)
    loaded = next(iter(loader(SubsetDataset(prepared.train, 64, 32), 2, shuffle=False)))
    from_batch(loaded, prepared.train)
    assert moved == [(loaded.pos.device,)]


@pytest.mark.gpu
@pytest.mark.parametrize("name", ["BodyField", "Transolver", "GNOT", "RIGNO", "GINO"])
def test_it_trains_on_a_gpu_and_answers_on_the_cpu(data, tmp_path, name):
    settings = FitSettings(epochs=3, batch=4, field_points=64, wall_points=32, domain_points=100)
    surrogate = geoop.fit(data, tmp_path / "run", model=name, settings=settings, progress=False)
    case = data.cases("test")[0]
    there = geoop.load(tmp_path / "run" / "best.safetensors").to("cuda").predict(case)["velocity"]
    assert np.abs(surrogate.predict(case)["velocity"] - there).max() < 1e-3 * np.abs(there).max()


def test_every_epoch_draws_other_points_in_another_order(data, tmp_path, monkeypatch):
    from geoop.train import task as module

    seen = []
    original = module.FieldTask.training_step

    def spy(self, batch, batch_idx):
        seen.append((self.current_epoch, batch.case.tolist(), float(batch.pos.sum())))
        return original(self, batch, batch_idx)

    monkeypatch.setattr(module.FieldTask, "training_step", spy)
    fit(data, tmp_path / "run", epochs=2, batch=28)
    by_epoch = {epoch: (cases, total) for epoch, cases, total in seen}
    assert sorted(by_epoch[0][0]) == sorted(by_epoch[1][0])
    assert by_epoch[0][0] != by_epoch[1][0]
    assert by_epoch[0][1] != pytest.approx(by_epoch[1][1])


def test_the_last_epochs_are_validated_although_no_validation_was_due(data, tmp_path):
    fit(data, tmp_path / "run", epochs=2, validate_every=5)
    assert (tmp_path / "run" / "last.safetensors").exists()


def test_two_processes_do_not_train_into_one_folder(data, tmp_path):
    fit(data, tmp_path / "run")
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").glob("*.*")}
    with alone(tmp_path / "run"), pytest.raises(ConfigurationError, match="another process"):
        fit(data, tmp_path / "run", resume=True)
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").glob("*.*")} == before
    holder = (
        "import sys, time\nfrom pathlib import Path\nfrom geoop.train.alone import alone\n"
        "with alone(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", holder, str(tmp_path / "run")], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    with pytest.raises(ConfigurationError, match="another process"), alone(tmp_path / "run"):
        pass
    process.kill()  # nothing is left that would have to be cleaned away
    process.wait()
    process.stdout.close()
    with alone(tmp_path / "run"):
        pass


def test_resume_refuses_another_model(data, tmp_path):
    fit(data, tmp_path / "run")
    with pytest.raises(ConfigurationError, match="model"):
        geoop.fit(
            data,
            tmp_path / "run",
            settings=FitSettings(epochs=2, batch=4, validate_every=1, field_points=64, wall_points=32),
            progress=False,
            resume=True,
        )


def test_the_average_of_the_weights_is_the_exponential_one(data, tmp_path, monkeypatch):
    """a_n = d_n a_(n-1) + (1 - d_n) w_n with the decay d_n = min(0.998, (1 + n) / (10 + n)), n counting the steps done."""
    kept = {}
    hook = FieldTask.on_train_batch_end

    def followed(self, outputs, batch, batch_idx):
        before = [p.clone() for p in self.average.parameters()]
        hook(self, outputs, batch, batch_idx)
        n = self.global_step
        decay = min(0.998, (1 + n) / (10 + n))
        for old, own, new in zip(before, self.model.parameters(), self.average.parameters(), strict=True):
            assert torch.allclose(new, decay * old + (1 - decay) * own, atol=1e-6)
        kept[n] = max(float((own - new).detach().abs().max()) for own, new in zip(self.model.parameters(), self.average.parameters(), strict=True))

    monkeypatch.setattr(FieldTask, "on_train_batch_end", followed)
    fit(data, tmp_path / "run", epochs=2)
    assert len(kept) >= 6 and max(kept.values()) > 1e-4


def test_minutes_are_a_budget(data, tmp_path):
    started = time.perf_counter()
    surrogate = fit(data, tmp_path / "run", epochs=None, minutes=0.05)
    assert surrogate.about["training_seconds"] >= 3.0
    assert time.perf_counter() - started < 60.0


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"epochs": 1, "minutes": 1.0}, "exactly one"), ({}, "exactly one"), ({"epochs": 0}, "epochs is 0"), ({"epochs": 1, "clip": -1.0}, "clip")],
)
def test_impossible_settings(settings, words):
    with pytest.raises(ConfigurationError, match=words):
        FitSettings(**settings)


def test_run_file(data, tmp_path):
    run = tmp_path / "run.toml"
    table = "[settings]\nepochs = 1\nbatch = 4\n[model]\nwidth = 32\ndepth = 1\n"
    run.write_text(f'data = {json.dumps(str(data.directory))}\ndirectory = "out"\n{table}')
    surrogate, path = fit_file(run, progress=False)
    assert path == tmp_path / "out" / "best.safetensors"
    assert surrogate.model.arguments["width"] == 32


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('data = "d"\n', "directory"),
        ('data = "d"\ndirectory = "r"\n[setings]\nepochs = 1\n', "did you mean 'settings'"),
        ('data = "d"\ndirectory = "r"\n[settings]\nepoch = 1\n', "did you mean 'epochs'"),
        ('data = "d"\ndirectory = "r"\n[settings]\nepochs = "ten"\n', "epochs = 'ten' is not int"),
        ("data = \n", "not TOML"),
        ('data = "d"\ndirectory = "r"\n[model]\nclass = "GAOTT"\n', "did you mean 'GAOT'"),
        ('data = "d"\ndirectory = "r"\n[model]\nclass = 3\n', "class = 3 is no name"),
        ('data = "d"\ndirectory = "r"\n[model]\nclass = "GAOT"\npreset = "smal"\n', "choose one of small, medium, large"),
        ('data = "d"\ndirectory = "r"\n[model]\nclass = "GAOT"\nname = "mine"\nwidht = 3\n', "did you mean 'width'"),
    ],
)
def test_bad_run_files(tmp_path, text, words):
    run = tmp_path / "run.toml"
    run.write_text(text)
    with pytest.raises(ConfigurationError, match=words):
        fit_file(run)


def test_a_model_that_is_named_wrongly(data, tmp_path):
    with pytest.raises(ConfigurationError, match="did you mean 'Transolver'"):
        geoop.fit(data, tmp_path / "run", model="transolver", progress=False)


def test_missing_split(data, tmp_path, monkeypatch):
    monkeypatch.setattr(Dataset, "splits", {"train": ["kt_0001"]})
    with pytest.raises(DatasetError, match="val"):
        fit(data, tmp_path / "run")
