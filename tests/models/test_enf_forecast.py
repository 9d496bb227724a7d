"""Forecasts by moving latents: symmetries of whole forecasts, the semigroup, chunks, batches, zero-shot points, and bad input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from geoop.errors import ConfigurationError, NonFiniteError, ShapeError
from geoop.graph.pointset import PointSet
from geoop.models.enf_forecast import EnfForecast
from geoop.models.trajectory import Trajectory
from geoop.truth.exact.evolving_fields import SpreadingGaussians

TIMES = (0.0, 0.1, 0.25, 0.6)
#: name -> arguments, whether a turn is a symmetry, whether a mirror is.
FREE = {
    "oriented": ({"dimension": 2}, True, False),
    "components": ({"dimension": 2, "invariant": "components"}, True, True),
    "distance": ({"dimension": 2, "invariant": "distance"}, True, True),
    "offset": ({"dimension": 2, "invariant": "offset"}, False, False),
    "oriented, 3-D": ({"dimension": 3, "latents": 8}, True, False),
    "components, 1-D": ({"dimension": 1, "latents": 3}, False, True),
}


def build(**how) -> EnfForecast:
    torch.manual_seed(0)
    model = EnfForecast(**{"latents": 5, "context": 4, "width": 8, "layers": 2, "channels": 2} | how).double().eval()
    model.horizon.fill_(0.5)
    return model


def cloud(d: int, n: int = 60, seed: int = 0, channels: int = 2) -> PointSet:
    g = torch.Generator().manual_seed(seed)
    x = torch.rand(n, d, generator=g, dtype=torch.float64) - 0.5
    values = torch.stack([torch.exp(-8 * (x - 0.1 * k).square().sum(dim=1)) + x[:, 0] for k in range(channels)], dim=1)
    return PointSet(x, values, weight=torch.rand(n, generator=g, dtype=torch.float64) + 0.5)


def motion(d: int, mirror: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    turn = torch.linalg.qr(torch.randn(d, d, dtype=torch.float64, generator=torch.Generator().manual_seed(3)))[0]
    turn[0] *= turn.det() * (-1 if mirror else 1)
    return turn, torch.linspace(0.7, -1.1, d, dtype=torch.float64)


def moved(points: PointSet, turn: torch.Tensor, shift: torch.Tensor) -> PointSet:
    return replace(points, pos=points.pos @ turn.T + shift, vectors=points.vectors @ turn.T)


def gap(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).abs().max() / b.abs().max())


@torch.no_grad()
def moved_error(model: EnfForecast, turn: torch.Tensor, shift: torch.Tensor, along: bool = True) -> float:
    """Difference of the forecast of the moved frame, at moved points, from the forecast; start poses moved along or found by the model."""
    d = model.dimension
    frame, queries = cloud(d), PointSet(cloud(d, 30, 1).pos)
    start = moved(model.poses(frame), turn, shift) if along else None
    expected = model.rollout(frame, TIMES, queries)
    return gap(model.rollout(moved(frame, turn, shift), TIMES, moved(queries, turn, shift), start=start), expected)


@pytest.mark.parametrize("name", FREE)
def test_a_moved_frame_gives_the_moved_forecast_when_poses_move_along(name):
    how, turns, mirrors = FREE[name]
    model, d = build(**how), how["dimension"]
    one, shift = torch.eye(d).double(), motion(d)[1]
    assert moved_error(model, one, shift) < 1e-9
    for matrix, holds in ((motion(d)[0], turns), (motion(d, mirror=True)[0], mirrors)):
        if d > 1 or holds:
            error = moved_error(model, matrix, shift)
            assert error < 1e-9 if holds else error > 1e-4


@pytest.mark.parametrize("d", [2, 3])
def test_with_poses_on_the_fields_own_axes_whole_forecasts_commute_with_motions(d):
    turn, shift = motion(d)
    assert moved_error(build(dimension=d, start="axes", latents=4), turn, shift, along=False) < 1e-8
    assert moved_error(build(dimension=d, start="centre", latents=4), torch.eye(d).double(), shift, along=False) < 1e-8
    assert moved_error(build(dimension=d, start="centre", latents=4), turn, shift, along=False) > 1e-4
    assert moved_error(build(dimension=d, latents=4), turn, shift, along=False) > 1e-4


def test_in_single_precision_symmetry_holds_to_rounding():
    model, (turn, shift) = build(start="axes").float(), motion(2)
    frame, queries = cloud(2).to(torch.float32), PointSet(cloud(2, 30, 1).pos.float())
    with torch.no_grad():
        expected = model.rollout(frame, TIMES, queries)
        found = model.rollout(moved(frame, turn.float(), shift.float()), TIMES, moved(queries, turn.float(), shift.float()))
    assert gap(found, expected) < 1e-5


def test_absolute_positions_have_no_symmetry():
    one = torch.eye(2).double()
    assert moved_error(build(invariant="absolute"), one, motion(2)[1]) > 1e-4


@pytest.mark.parametrize("d", [1, 2, 3])
def test_on_a_torus_shifts_and_periods_change_nothing(d):
    lengths = (1.0, 2.0, 0.5)[:d]
    model = build(dimension=d, lengths=lengths, latents=4)
    model.box.copy_(torch.tensor([[0.0] * d, lengths]))
    one, period = torch.eye(d).double(), torch.tensor(lengths).double() * torch.tensor([1.0, -2.0, 3.0][:d])
    assert moved_error(model, one, motion(d)[1]) < 1e-9
    # a lattice vector: the same poses do, because nothing has moved
    assert moved_error(model, one, period, along=False) < 1e-9
    with torch.no_grad():
        late = model.trace(model.encode(cloud(d)), [3.0])[0]
    assert (late.pos >= 0).all() and (late.pos <= torch.tensor(lengths)).all()
    assert moved_error(build(dimension=d, lengths=lengths, latents=4, invariant="absolute"), one, period, along=False) > 1e-4


@pytest.mark.parametrize("method", ["euler", "rk4"])
def test_latents_form_a_semigroup(method):
    model = build(method=method)
    with torch.no_grad():
        z = model.encode(cloud(2))
        twice, once = model.advance(model.advance(z, 0.05, 2), 0.05, 2), model.advance(z, 0.05, 4)
    assert torch.equal(twice.pos, once.pos) and torch.equal(twice.scalars, once.scalars)
    assert torch.equal(twice.vectors, once.vectors)
    for name in ("pos", "scalars", "vectors"):  # everything moves
        assert (getattr(once, name) - getattr(z, name)).abs().max() > 1e-4


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("rk4", 4)])
def test_the_order_of_the_method_is_that_of_a_known_equation(method, order):
    """F known in closed form: contexts decay, positions and pose vectors turn about the origin."""

    class Known(torch.nn.Module):
        spins = True

        def connect(self, source, target, seed=None):
            return None

        def forward(self, source, target, graph):
            turn = torch.stack([-target.pos[:, 1], target.pos[:, 0]], dim=1)
            spin = torch.stack([-target.vectors[..., 1], target.vectors[..., 0]], dim=-1)
            return target.with_features(scalars=-target.scalars, vectors=torch.cat([2 * turn[:, None], 2 * spin], dim=1))

    model = build(method=method)
    model.dynamics = Known()
    model.horizon.fill_(1.0)
    z = model.poses(cloud(2)).with_features(scalars=torch.ones(5, 4, dtype=torch.float64))
    angle = torch.tensor(2.0, dtype=torch.float64)
    matrix = torch.stack([torch.stack([angle.cos(), -angle.sin()]), torch.stack([angle.sin(), angle.cos()])])
    errors = []
    for n in (10, 20, 40):
        found = model.advance(z, 1.0 / n, n)
        parts = found.pos - z.pos @ matrix.T, found.scalars - np.exp(-1.0), found.vectors - z.vectors @ matrix.T
        errors.append(sum(float(part.norm()) for part in parts))
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert np.abs(orders - order).max() < 0.25, orders


def test_chunks_batches_and_times_of_every_sample_change_nothing():
    model = build()
    frames, queries = [cloud(2, n, n) for n in (40, 1, 25)], [PointSet(cloud(2, n, 7 + n).pos) for n in (11, 30, 2)]
    with torch.no_grad():
        z, asked = model.encode(PointSet.concatenate(frames)), PointSet.concatenate(queries)
        whole = model.field(z, asked)
        for chunk in (1, 7, 43, 100):
            assert gap(model.field(z, asked, chunk), whole) < 1e-12
        alone = [model.field(model.encode(f), q) for f, q in zip(frames, queries, strict=True)]
        assert gap(whole, torch.cat(alone)) < 1e-9
        assert model.field(z, asked.take(torch.tensor([], dtype=torch.int64))).shape == (0, 2)
        each = torch.tensor([[0.1, 0.3], [0.05, 0.1], [0.08, 0.26]])
        late = model.trace(z, each)[1]
        steps = [
            model.advance(model.advance(part, float(t[0]), 1), float(t[1] - t[0]) / 2, 2) for part, t in zip(z.split(), each.double(), strict=True)
        ]
        assert gap(late.pos, torch.cat([s.pos for s in steps])) < 1e-9


def test_no_later_frame_enters_and_time_zero_is_the_initial_frame():
    model, frame = build(), cloud(2)
    queries = PointSet(cloud(2, 9, 1).pos)
    with torch.no_grad():
        found = model.rollout(frame, [0.0, 0.1, 0.2], queries)
        assert torch.equal(found[0], model.field(model.encode(frame), queries))
        # asked for fewer times, or at fewer points: the same answer
        assert gap(model.rollout(frame, [0.1], queries.take(torch.tensor([4])))[0], found[1, 4:5]) < 1e-12


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_without_gradients_the_forecast_is_the_same(mode):
    model, frame = build(start="axes"), cloud(2)
    expected = model.rollout(frame, TIMES, frame)
    with mode():
        assert torch.equal(model.rollout(frame, TIMES, frame), expected)


def test_fit_frames_takes_units_from_the_data():
    rng = np.random.default_rng(0)
    solution = SpreadingGaussians(np.array([[0.1, 0.2]]), np.array([0.3]), np.array([1.0]), 0.05)
    x = [rng.uniform(-1, 1, (50 + k, 2)) for k in range(4)]
    frames = tuple(PointSet(torch.from_numpy(p).float(), torch.from_numpy(solution(p, 0.2 * k)[:, None]).float()) for k, p in enumerate(x))
    model = EnfForecast(2, 1, latents=3, context=4, width=8)
    model.fit_frames([Trajectory((0.0, 0.2, 0.4, 0.6), frames)])
    assert float(model.horizon) == pytest.approx(0.6)
    assert np.abs(model.box.numpy() - np.array([[-1, -1], [1, 1]])).max() < 0.05
    assert len(model.poses(frames[0])) == 3
    other = EnfForecast(**model.arguments)
    other.load_state_dict(model.state_dict())
    with torch.no_grad():
        assert torch.equal(other.rollout(frames[0], [0.4], frames[1]), model.rollout(frames[0], [0.4], frames[1]))


BAD = [
    ({"dimension": 4}, "dimension 4"),
    ({"latents": 0}, "latents 0"),
    ({"width": 7}, "width 7"),
    ({"lengths": (1.0,)}, "one positive period per axis"),
    ({"lengths": (1.0, 1.0), "invariant": "offset"}, "does not know the torus"),
    ({"invariant": "periodic"}, "without lengths"),
    ({"dimension": 1, "invariant": "oriented"}, "on a line"),
    ({"start": "middle"}, "start 'middle'"),
    ({"method": "leapfrog"}, "no integrator"),
    ({"invariant": "round"}, "no bi-invariant"),
]


@pytest.mark.parametrize(("how", "words"), BAD, ids=[words for _, words in BAD])
def test_bad_arguments(how, words):
    with pytest.raises(ConfigurationError, match=words):
        build(**how)


def test_bad_input():
    model, frame = build(), cloud(2)
    with pytest.raises(ShapeError, match="3-D"):
        model.encode(cloud(3))
    with pytest.raises(ShapeError, match="1 channels"):
        model.encode(cloud(2, channels=1))
    with pytest.raises(NonFiniteError, match="NaN"):
        model.encode(frame.with_features(scalars=frame.scalars * float("nan")))
    with pytest.raises(ConfigurationError, match="times"):
        model.rollout(frame, [0.2, 0.1], frame)
    with pytest.raises(ConfigurationError, match="for 1 samples"):
        model.rollout(frame, torch.ones(2, 1), frame)
    with pytest.raises(ConfigurationError, match="at least one point"):
        model.field(model.encode(frame), frame, chunk=0)
    with pytest.raises(ConfigurationError, match="no trajectory"):
        model.fit_frames([])
    with pytest.raises(ConfigurationError, match="increasing order"):
        Trajectory((0.0, 0.0), (frame, frame))
    with pytest.raises(ShapeError, match="all alike"):
        Trajectory((0.0, 1.0), (frame, cloud(3)))
    with pytest.raises(NonFiniteError, match=r"frames \[1\]"):
        Trajectory((0.0, 1.0), (frame, frame.with_features(scalars=frame.scalars / 0)))
