"""Steppers trained on series: what they are given, what they learn, what they refuse; and trained surrogates in rollouts."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

import geoop
from geoop.errors import ConfigurationError, DatasetError, FieldError
from geoop.interfaces.stepping import Stepper
from geoop.mesh.case import Series
from geoop.mesh.quantity import QUANTITIES, Field
from geoop.models.deeponet import DeepONet
from geoop.models.exact_dirichlet import ExactDirichlet
from geoop.models.ports import Ports
from geoop.models.rigno import RIGNO
from geoop.models.time_deeponet import TimeDeepONet
from geoop.models.time_increment import TimeIncrement
from geoop.results.stepping import SurrogateStepper, stepper_of
from geoop.results.surrogate import load
from geoop.scaling.past_states import past_name, with_past
from geoop.train.stepping import BEST, StepAnswers, SteppingSettings, Steps, fit_stepper
from geoop.train.trajectories import StepLayout

from .drifting_waves import INTERVAL, dataset, series

SMALL = partial(TimeDeepONet, width=24, modes=16, tokens=4, waves=8, trunk=2)
MASKED = partial(TimeIncrement, width=16, inner="RIGNO", sizes={"edge_width": 8, "depth": 1, "mask": 0.5})
#: Told apart from the points of the mesh: a cloud of fewer points than that.
SETTINGS = SteppingSettings(steps=2, history=3, leads=3, frame="region", points=64, domain_points=100, batch=2)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return dataset(tmp_path_factory.mktemp("series") / "data")


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    settings = replace(SETTINGS, steps=260, batch=4, rate=4e-3, muon_rate=2e-2)
    return fit_stepper(data, tmp_path_factory.mktemp("run") / "a", model=SMALL, settings=settings, progress=False)


def relative(found: Series, truth: Series) -> float:
    pairs = [
        (a.fields["velocity"].values, b.fields["velocity"].values - [1.0, 0.0], b.fields["velocity"].values)
        for a, b in zip(found.cases, truth.cases, strict=True)
    ]
    return max(np.linalg.norm(a - c) / np.linalg.norm(b) for a, b, c in pairs)


def test_a_trained_stepper_beats_standing_still_many_times_over(trained, data):
    truth = data.series("t00")
    found = geoop.rollout(trained, truth)
    assert found.outcome.ok and found.given == 3 and np.allclose(found.series.times, truth.times)
    still = Series(truth.times[3:], [replace(truth.cases[2], time=t) for t in truth.times[3:]])
    later = Series(truth.times[3:], truth.cases[3:])
    assert relative(found.predicted, later) < 0.3 * relative(still, later)
    jump = geoop.rollout(trained, truth.cases[:3], truth.times[3:6], restart=None)
    assert relative(jump.predicted, Series(truth.times[3:6], truth.cases[3:6])) < 0.2


def test_poisoned_future_frames_change_nothing(trained, data):
    """Every frame behind the given ones becomes NaN: the rollout is the same bit by bit."""
    truth = data.series("t00")
    nothing = Field(QUANTITIES["velocity"], np.full_like(truth.cases[0].fields["velocity"].values, np.nan))
    poisoned = Series(truth.times, [case if k < 3 else case.with_fields(nothing) for k, case in enumerate(truth.cases)])
    clean, dirty = (geoop.rollout(trained, item, restart=3) for item in (truth, poisoned))
    assert len(clean.predicted) == len(truth) - 3
    for a, b in zip(clean.series.cases, dirty.series.cases, strict=True):
        assert np.array_equal(a.fields["velocity"].values, b.fields["velocity"].values)
    with pytest.raises(FieldError, match="not finite"):
        geoop.rollout(trained, poisoned.cases[1:4], truth.times[4:])


def test_saved_and_loaded_it_is_the_same_stepper(trained, data, tmp_path):
    truth = data.series("t00")
    again = load(trained.save(tmp_path / "stepper.safetensors"))
    a, b = (geoop.rollout(item, truth, steps=4) for item in (trained, tmp_path / "stepper.safetensors"))
    assert np.array_equal(a.series.cases[-1].fields["velocity"].values, b.series.cases[-1].fields["velocity"].values)
    stepper = SurrogateStepper(again)
    assert isinstance(stepper, Stepper) and stepper_of(stepper) is stepper
    assert (stepper.history, stepper.quantities) == (3, ("velocity",))
    assert stepper.interval == pytest.approx(INTERVAL) and stepper.longest == pytest.approx(3 * INTERVAL)
    low, high = stepper.ranges["velocity"]
    assert 0 <= low < 1 < high < 1.5


def test_a_step_is_a_prediction_of_a_case_with_its_past(trained, data):
    """The surrogate asked by itself says what the rollout says."""
    truth = data.series("t00")
    found = geoop.rollout(trained, truth.cases[:3], [truth.times[4]], restart=None)
    case = with_past(truth.cases[:3], ("velocity",), truth.times[4] - truth.times[2])
    assert {past_name("velocity", k) for k in (1, 2, 3)} <= set(case.fields)
    assert np.allclose(trained.predict(case)["velocity"], found.predicted.cases[0].fields["velocity"].values, atol=1e-6)


def test_a_wall_that_stands_still_does_so_in_every_step(data, tmp_path):
    """A model with exact boundary values is told in what units the states are, and imposes zero, not the free stream."""
    model = partial(ExactDirichlet, width=16, inner="DeepONet", sizes={"modes": 8, "tokens": 2})
    surrogate = fit_stepper(data, tmp_path / "run", model=model, settings=replace(SETTINGS, steps=1), progress=False)
    truth = data.series("t00")
    case = geoop.rollout(surrogate, truth.cases[:3], truth.times[3:4], restart=None).predicted.cases[0]
    rim = np.unique(np.concatenate([cells.connectivity for cells in case.mesh.patches.values()]))
    assert np.abs(case.fields["velocity"].values[rim]).max() < 1e-5 < np.abs(truth.cases[2].fields["velocity"].values[rim]).max()


@pytest.mark.parametrize("inner", ["DeepONet", "RIGNO"])
def test_an_increment_of_nothing_stands_still(data, tmp_path, inner):
    """All standardisations undo each other: with a silent model inside, the last state comes back to single precision."""
    sizes = {"DeepONet": {"modes": 8, "tokens": 2}, "RIGNO": {"edge_width": 8, "depth": 1, "lead_time": 0}}[inner]
    surrogate = fit_stepper(
        data, tmp_path / "run", model=partial(TimeIncrement, width=16, inner=inner, sizes=sizes), settings=replace(SETTINGS, steps=1), progress=False
    )
    assert surrogate.model.lead_time is not None and isinstance(surrogate.model.inner, RIGNO if inner == "RIGNO" else DeepONet)
    for parameter in surrogate.model.inner.head.parameters():
        parameter.data.zero_()
    truth = data.series("t00")
    found = geoop.rollout(surrogate, truth.cases[:3], truth.times[3:6], restart=None)
    for case in found.predicted.cases:
        assert np.abs(case.fields["velocity"].values - truth.cases[2].fields["velocity"].values).max() < 2e-6


def test_lead_times_are_told_alike_in_training_and_in_a_rollout(data, tmp_path):
    """What the tensors of training say to the model, the rollout of the saved surrogate says, for every lead time."""
    surrogate = fit_stepper(data, tmp_path / "run", model=SMALL, settings=SETTINGS, progress=False)
    truth = data.series("s01")
    rows = [data.series(name) for name in data.series_names("train")]
    layout = StepLayout.fit(rows, (truth.cases[0].fields["velocity"].quantity,), 3, 3, frame="region", domain_points=100)
    answers = StepAnswers.of(surrogate.model, layout, [layout.tensors(truth, "s01")])
    item = answers.items[0]
    for lead in (1, 2, 3):
        with torch.no_grad():
            own = answers([(0, item.states[:3], float(lead), torch.arange(item.states.shape[1]))])[0]
        found = geoop.rollout(surrogate, truth.cases[:3], [truth.times[2 + lead]], restart=None).predicted.cases[0].fields["velocity"].values
        expected = own.numpy() * layout.normaliser.deviation[0] + [1.0, 0.0]
        assert np.abs(found - expected).max() < 1e-5, lead


def test_pushed_states_are_the_models_own(data):
    """One push by a single step is one answer; fractional ones are jumps from the given states."""
    rows = [data.series(name) for name in data.series_names("train")]
    layout = StepLayout.fit(rows, (rows[0].cases[0].fields["velocity"].quantity,), 3, 3, frame="region", domain_points=100)
    torch.manual_seed(0)
    ports = Ports(
        scalars_out=0,
        vectors_out=1,
        scalars_in=len(layout.framing.conditions.names),
        vectors_in=1,
        surface_scalars=layout.framing.surface_scalars,
        functions=tuple((f.name, f.channels) for f in layout.framing.functions),
    )
    model = SMALL(ports, past=layout.past())
    steps = Steps(StepAnswers.of(model, layout, [layout.tensors(rows[0], "a")]), SETTINGS)
    item, every = steps.items[0], torch.arange(rows[0].cases[0].mesh.points.shape[0])
    past = item.states[:3]
    with torch.no_grad():
        one, two, three = (steps.answers([(0, past, float(k), every)])[0] for k in (1, 2, 3))
        chained = steps.answers([(0, torch.cat([past[1:], one[None]]), 1.0, every)])[0]
    single = steps._pushed(0, past, 2, every, fractional=False)
    jumps = steps._pushed(0, past, 2, every, fractional=True)
    whole = steps._pushed(0, past, 3, every, fractional=True)
    assert torch.allclose(single, torch.stack([past[2], one, chained]), atol=1e-6)
    assert torch.allclose(jumps, torch.stack([past[2], one, two]), atol=1e-6) and torch.allclose(whole, torch.stack([one, two, three]), atol=1e-6)
    some = every[::5]
    part = steps._pushed(0, past, 2, some, fractional=False)
    seen = torch.unique(torch.cat([item.kept, some]))
    assert torch.allclose(part[:, seen], single[:, seen], atol=1e-5)
    assert not single.requires_grad


def test_noise_is_a_random_walk_that_ends_with_its_deviation(data):
    rows = [data.series("s00")]
    layout = StepLayout.fit(rows * 2, (rows[0].cases[0].fields["velocity"].quantity,), 4, 2, frame="region", domain_points=100)
    steps = Steps.__new__(Steps)
    steps.how = replace(SETTINGS, history=4, noise=0.1)
    item = layout.tensors(rows[0], "a")
    draws = [steps._noisy(item, item.states[:4], torch.Generator().manual_seed(k)) - item.states[:4] for k in range(12)]
    sizes = (torch.stack(draws) / item.size).std(dim=(0, 2, 3))
    assert torch.allclose(sizes, 0.1 * torch.tensor([0.25, 0.5, 0.75, 1.0]).sqrt(), rtol=0.05)


@pytest.mark.parametrize("model", [SMALL, MASKED], ids=["plain", "with random masks"])
def test_an_interrupted_training_goes_on_bit_by_bit(data, tmp_path, model):
    settings = replace(SETTINGS, steps=6, push_from=0.0, keep_every=1e-9)
    whole = fit_stepper(data, tmp_path / "whole", model=model, settings=settings, progress=False)
    run = Steps.run
    try:

        def stopped(self, state=None, *, progress=True):
            step = Steps.step

            def counted():
                if self.number == 3:
                    raise KeyboardInterrupt
                step(self)

            self.step = counted
            return run(self, state, progress=progress)

        Steps.run = stopped
        with pytest.raises(KeyboardInterrupt):
            fit_stepper(data, tmp_path / "part", model=model, settings=settings, progress=False)
    finally:
        Steps.run = run
    torch.manual_seed(99)  # another process would have drawn something else by now
    part = fit_stepper(data, tmp_path / "part", model=model, settings=settings, resume=True, progress=False)
    for a, b in zip(whole.model.parameters(), part.model.parameters(), strict=True):
        assert torch.equal(a, b)
    assert (tmp_path / "part" / BEST).exists()
    with pytest.raises(ConfigurationError, match="holds a run"):
        fit_stepper(data, tmp_path / "part", model=model, settings=settings, progress=False)


def test_other_intervals_are_interpolated(data, tmp_path):
    surrogate = fit_stepper(data, tmp_path / "run", model=SMALL, settings=replace(SETTINGS, interval=0.13), progress=False)
    assert SurrogateStepper(surrogate).interval == pytest.approx(0.13)
    with pytest.raises(ConfigurationError, match="apart, the stepper was trained on 0.13"):
        geoop.rollout(surrogate, series(5.0))


def test_what_is_refused(data, tmp_path):
    with pytest.raises(ConfigurationError, match="SteppingSettings"):
        SteppingSettings(steps=1, leads=0)
    with pytest.raises(DatasetError, match="has 14 frames, 31 are needed"):
        fit_stepper(data, tmp_path / "run", model=SMALL, settings=replace(SETTINGS, history=30), progress=False)
    broken = series(4.0).cases[0].with_fields(Field(QUANTITIES["velocity"], np.full((153, 2), np.nan)))
    with pytest.raises(FieldError, match="'velocity' of state 1"):
        geoop.rollout(SurrogateStepperOf(1), broken, [0.2])
    with pytest.raises(ConfigurationError, match="times to predict"):
        geoop.rollout(SurrogateStepperOf(1), series(4.0).cases[0])


class SurrogateStepperOf:
    """A stepper that nobody gets to ask."""

    quantities, interval, longest, ranges = ("velocity",), None, None, {}

    def __init__(self, history):
        self.history = history

    def prepare(self, case):
        raise AssertionError("bad input was not refused")


def test_a_rollout_says_whether_its_first_states_were_like_the_training(trained, data, tmp_path):
    truth = data.series("t00")
    found = geoop.rollout(trained, truth, steps=2)
    assert found.verdict is not None and found.verdict.level == "inside", found.verdict
    loaded = load(trained.save(tmp_path / "stepper.safetensors"))
    assert geoop.rollout(loaded, truth, steps=2).verdict == found.verdict


def test_a_mesh_without_the_patches_of_the_training_is_outside(trained, data):
    """The same states on the same points: what a model of boundary conditions cannot see any more is said."""
    truth = data.series("t00")
    names = sorted(truth.cases[0].mesh.patches)
    for kept, words in ((names[:0], "no boundary patches"), (names[1:], f"no boundary patches {names[0]}")):
        bare = [replace(case, mesh=replace(case.mesh, patches={k: case.mesh.patches[k] for k in kept}), wall=None) for case in truth.cases[:3]]
        verdict = SurrogateStepper(trained).verdict(bare)
        assert verdict.level == "outside" and words in verdict.reason, verdict
    other = [
        replace(case, mesh=replace(case.mesh, patches={**case.mesh.patches, "hole": case.mesh.patches[names[0]]}), wall=None)
        for case in truth.cases[:3]
    ]
    verdict = SurrogateStepper(trained).verdict(other)
    assert verdict.level == "outside" and "hole that no training series had" in verdict.reason


def test_steppers_of_older_versions_know_the_names_of_their_patches(trained, data):
    """Their header has no list of patches; the framing of a region has the names."""
    old = replace(trained, about={**trained.about, "stepping": {k: v for k, v in trained.about["stepping"].items() if k != "patches"}})
    states = list(data.series("t00").cases[:3])
    assert SurrogateStepper(old).verdict(states).level == SurrogateStepper(trained).verdict(states).level
    bare = [replace(case, mesh=replace(case.mesh, patches={}), wall=None) for case in states]
    assert SurrogateStepper(old).verdict(bare).level == "outside"


def test_states_beyond_the_fields_of_the_training_are_outside(trained, data):
    states = data.series("t00").cases[:3]
    loud = [case.with_fields(Field(QUANTITIES["velocity"], 3.0 * case.fields["velocity"].values)) for case in states]
    verdict = SurrogateStepper(trained).verdict(loud)
    assert verdict.level == "outside" and "velocity" in verdict.reason
