"""Training of a stepper on two meshes: it fits, it repeats itself, it goes on where it was interrupted, and it counts what it is told to."""

from dataclasses import replace

import pytest
import torch

from geoop.errors import CheckpointError, ConfigurationError, ShapeError
from geoop.graph.graph import Graph
from geoop.graph.pointset import PointSet
from geoop.io.checkpoint import write_checkpoint
from geoop.models.moving_mesh_stepper import MovingMeshStepper
from geoop.train.moving_steps import PairSettings, StepSample, _Stepping, fit_pairs, one_step_error

SIDE = 7
QUICK = PairSettings(steps=120, batch=1, rate=1e-2, muon_rate=2e-2)


def lattice(shift: float = 0.0) -> PointSet:
    """Points of a lattice, moved along x inside of the square."""
    place = torch.linspace(0, 1, SIDE)
    pos = torch.cartesian_prod(place, place)
    pos = torch.stack([pos[:, 0] + shift * torch.sin(torch.pi * pos[:, 0]), pos[:, 1]], dim=1)
    return PointSet(pos, weight=torch.full((SIDE**2,), 1 / SIDE**2))


def neighbours() -> Graph:
    number = torch.arange(SIDE**2).reshape(SIDE, SIDE)
    pairs = torch.cat([torch.stack([a.flatten(), b.flatten()], 1) for a, b in ((number[1:], number[:-1]), (number[:, 1:], number[:, :-1]))])
    both = torch.cat([pairs, pairs.flip(1)])
    return Graph.sorted(both[:, 0], both[:, 1], SIDE**2, SIDE**2)


def model(seed: int = 0, **how) -> MovingMeshStepper:
    torch.manual_seed(seed)
    return MovingMeshStepper(1, 1, **{"width": 12, "edge_width": 8, "depth": 1, "scale": 0.2, **how})


def wave(phase: float, shift: float = 0.05) -> StepSample:
    """A wave that travels."""
    points, moved = lattice(), lattice(shift)
    before, after = (torch.sin(4 * points.pos[:, :1] + phase + step) for step in (0.0, 0.3))
    return StepSample(before, after, torch.tensor([0.1]), model().prepare(points, moved, neighbours()))


def test_it_stands_still_before_training_and_fits_a_sample_in_it():
    sample, stepper = wave(0.0), model()
    stays = float((sample.after - sample.before).square().mean())
    assert one_step_error(stepper, [sample]) == pytest.approx(stays)
    history = fit_pairs(stepper, [sample], QUICK, progress=False)
    assert one_step_error(stepper, [sample]) < 0.02 * stays
    assert history[0][1] == pytest.approx(1.0, rel=1e-4)  # the loss is in units of the change


def test_it_does_as_well_on_phases_that_it_has_not_seen():
    stepper, unseen = model(), [wave(0.25 + 0.5 * k) for k in range(6)]
    stays = one_step_error(stepper, unseen)
    fit_pairs(stepper, [wave(0.5 * k) for k in range(7)], replace(QUICK, batch=2), progress=False)
    assert one_step_error(stepper, unseen) < 0.1 * stays


def test_a_seed_repeats_itself_and_another_does_not():
    samples = [wave(0.5 * k) for k in range(4)]

    def weights(seed: int) -> torch.Tensor:
        stepper = model()
        fit_pairs(stepper, samples, replace(QUICK, steps=5, seed=seed), progress=False)
        return torch.cat([parameter.detach().flatten() for parameter in stepper.parameters()])

    assert torch.equal(weights(3), weights(3))
    assert not torch.equal(weights(3), weights(4))


def test_an_interrupted_training_goes_on_bit_by_bit(tmp_path):
    samples, how = [wave(0.5 * k) for k in range(4)], replace(QUICK, steps=8, batch=2, keep_every=0.0)
    whole = model()
    fit_pairs(whole, samples, how, state=tmp_path / "whole.safetensors", progress=False)
    loop = _Stepping(model(), samples, _change(samples), how)
    for _ in range(3):
        loop.step()
    write_checkpoint(tmp_path / "part.safetensors", loop.state())
    resumed = model(seed=9)
    fit_pairs(resumed, samples, how, state=tmp_path / "part.safetensors", progress=False)
    assert all(torch.equal(value, resumed.state_dict()[name]) for name, value in whole.state_dict().items())
    with pytest.raises(CheckpointError, match="model"):
        fit_pairs(model(width=10), samples, how, state=tmp_path / "part.safetensors", progress=False)
    with pytest.raises(CheckpointError, match="settings"):
        fit_pairs(model(), samples, replace(how, seed=5), state=tmp_path / "part.safetensors", progress=False)


def _change(samples: list[StepSample]) -> float:
    return sum(float(s.mean_square(s.after - s.before)) for s in samples) / len(samples)


def test_points_of_no_weight_do_not_count():
    """Nonsense there changes no bit of the training."""
    sample = replace(wave(0.0), judged=(lattice().pos[:, 0] < 0.6).float())
    spoiled = replace(sample, after=torch.where(sample.judged[:, None] > 0, sample.after, torch.full_like(sample.after, 99.0)))
    assert float(sample.mean_square(sample.after - 1)) == pytest.approx(float((sample.after - 1)[sample.judged > 0].square().mean()), rel=1e-5)
    found = []
    for one in (sample, spoiled):
        stepper = model()
        fit_pairs(stepper, [one], replace(QUICK, steps=4), progress=False)
        found.append(torch.cat([parameter.detach().flatten() for parameter in stepper.parameters()]))
    assert torch.equal(*found)


def test_only_what_is_known_at_the_moved_points_tells_it_more():
    """States that are zero at every original point, another number between them: interpolation tells nothing, values at the moved points tell all."""
    samples = []
    for k in (-1.5, -0.5, 0.5, 1.5):
        number = torch.full((SIDE**2, 1), k)
        samples.append(replace(wave(0.0), before=0 * number, after=0.3 * number, known=number))
    stays = one_step_error(model(), samples)
    errors = []
    for told in (True, False):
        stepper, given = model(), samples if told else [replace(s, known=None) for s in samples]
        fit_pairs(stepper, given, replace(QUICK, batch=4, rate=2e-2, muon_rate=4e-2), progress=False)
        errors.append(one_step_error(stepper, given))
    assert errors[0] < 0.1 * stays
    assert errors[1] > 0.99 * stays


def test_bad_input_is_named():
    with pytest.raises(ConfigurationError, match="exactly one positive budget"):
        PairSettings()
    with pytest.raises(ConfigurationError, match="exactly one positive budget"):
        PairSettings(steps=3, batch=0)
    with pytest.raises(ShapeError, match="0 samples"):
        fit_pairs(model(), [], QUICK)
    with pytest.raises(ShapeError, match="no samples"):
        one_step_error(model(), [])
    sample = wave(0.0)
    with pytest.raises(ShapeError, match="mean square change of 0.0"):
        fit_pairs(model(), [replace(sample, after=sample.before)], QUICK)
    with pytest.raises(ShapeError, match="mean square change of nan"):
        fit_pairs(model(), [replace(sample, after=sample.before * torch.nan)], QUICK)
    with pytest.raises(ShapeError, match="1 with states at moved points"):
        fit_pairs(model(), [sample, replace(sample, known=sample.before)], QUICK)
