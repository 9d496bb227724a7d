"""The fit of posed latents to an initial frame: one answer with and without gradients, motions, batches, and bad input."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from geoop.decoders.equivariant_field import EquivariantField
from geoop.encoders.posed_initial_state import PosedInitialState, orthonormal
from geoop.errors import ConfigurationError
from geoop.graph.pointset import PointSet
from geoop.layers.bi_invariants import Components, Oriented
from geoop.layers.pose_attention import PairNetwork, PoseSpace


def parts(d: int = 2, invariant=Oriented, **how):
    torch.manual_seed(0)
    space = PoseSpace(invariant(), d, max(d - 1, 1) if invariant is Oriented else d)
    field = EquivariantField(6, 2, space, 8, pairs=PairNetwork((0.1, 0.1), 4, 8)).double()
    encoder = PosedInitialState(6, space, **how).double()

    def decode(latents, points):
        bare = points.with_features(scalars=points.scalars[:, :0])
        return field(latents, bare, field.connect(latents, bare)).scalars

    return field, encoder, decode


def clouds(d: int = 2, k: int = 1, sizes=(40, 23)) -> tuple[PointSet, PointSet]:
    g = torch.Generator().manual_seed(1)
    starts, frames = [], []
    for n in sizes:
        pos = torch.randn(4, d, generator=g, dtype=torch.float64)
        starts.append(
            PointSet(pos, vectors=orthonormal(torch.randn(4, k, d, generator=g, dtype=torch.float64)), weight=torch.full((4,), 0.7).double())
        )
        x = torch.randn(n, d, generator=g, dtype=torch.float64)
        frames.append(PointSet(x, torch.stack([x.sin().sum(dim=1), x[:, 0]], dim=1), weight=torch.rand(n, generator=g, dtype=torch.float64) + 0.1))
    return PointSet.concatenate(starts), PointSet.concatenate(frames)


def same(a: PointSet, b: PointSet, tolerance: float) -> bool:
    return max(float((getattr(a, n) - getattr(b, n)).abs().max()) for n in ("pos", "scalars", "vectors")) <= tolerance


def test_it_is_the_same_without_gradients_and_in_inference_mode():
    _, encoder, decode = parts()
    start, frame = clouds()
    expected = encoder(start, frame, decode)
    assert expected.scalars.requires_grad and expected.pos.requires_grad and expected.vectors.requires_grad
    with torch.no_grad():
        assert same(encoder(start, frame, decode), expected, 0.0)
    with torch.inference_mode():
        found = encoder(*clouds(), decode)
        assert not found.scalars.requires_grad and same(found, expected, 0.0)


@pytest.mark.parametrize("second_order", [True, False])
def test_positions_vectors_and_contexts_move_and_rates_learn(second_order):
    field, encoder, decode = parts(second_order=second_order)
    start, frame = clouds()
    found = encoder(start, frame, decode)
    moved = (found.pos - start.pos).norm(dim=1)
    assert moved.min() > 1e-6 and moved.max() < 3 * 0.7**0.5  # less than a window in each of three steps
    assert (found.vectors - start.vectors).abs().max() > 1e-6 and (found.vectors.norm(dim=2) - 1).abs().max() < 1e-12
    (decode(found, frame) - frame.scalars).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in encoder.parameters())
    assert any(p.grad.abs().max() > 0 for p in field.parameters())


def test_steps_reduce_the_error_they_descend():
    errors = []
    for steps in (1, 10, 100):
        _, encoder, decode = parts(steps=steps, rate=0.1, position_rate=0.01)
        start, frame = clouds()
        with torch.no_grad():
            errors.append(float((decode(encoder(start, frame, decode), frame) - frame.scalars).square().mean()))
    assert errors[0] > errors[1] > errors[2]


@pytest.mark.parametrize(
    ("d", "k", "invariant", "mirror"), [(2, 1, Oriented, False), (2, 2, Components, True), (3, 2, Oriented, False), (3, 3, Components, True)]
)
def test_start_and_points_moved_together_give_moved_latents(d, k, invariant, mirror):
    _, encoder, decode = parts(d, invariant)
    start, frame = clouds(d, k)
    turn = torch.linalg.qr(torch.randn(d, d, dtype=torch.float64, generator=torch.Generator().manual_seed(3)))[0]
    turn[0] *= turn.det() * (-1 if mirror else 1)
    shift = torch.arange(d).double() + 0.5

    def move(points: PointSet) -> PointSet:
        return replace(points, pos=points.pos @ turn.T + shift, vectors=points.vectors @ turn.T)

    with torch.no_grad():
        assert same(encoder(move(start), move(frame), decode), move(encoder(start, frame, decode)), 1e-9)


def test_a_batch_equals_its_samples_and_doubled_points_with_half_weights_change_nothing():
    _, encoder, decode = parts()
    start, frame = clouds()
    with torch.no_grad():
        whole = encoder(start, frame, decode)
        single = [encoder(s, f, decode) for s, f in zip(start.split(), frame.split(), strict=True)]
        assert same(whole, PointSet.concatenate(single), 1e-12)
        one = frame.split()[0]
        twice = PointSet(torch.cat([one.pos] * 2), torch.cat([one.scalars] * 2), weight=torch.cat([one.weight] * 2) / 2)
        assert same(encoder(start.split()[0], twice, decode), single[0], 1e-9)


def test_what_is_not_to_move_stays():
    _, encoder, decode = parts(position_rate=0.0, turn_rate=0.0)
    start, frame = clouds()
    found = encoder(start, frame, decode)
    assert torch.equal(found.pos, start.pos) and torch.equal(found.vectors, start.vectors)
    assert (found.scalars - 1).abs().max() > 1e-3


def test_bad_input():
    _, encoder, decode = parts()
    start, frame = clouds()
    with pytest.raises(ConfigurationError, match="at least one point") as found:
        encoder(start, frame.take(torch.arange(40)), decode)
    assert "one set of poses per frame" in found.value.remedy
    with pytest.raises(ConfigurationError, match="2 sets of poses"):
        encoder(start, frame.split()[0], decode)
    with pytest.raises(ConfigurationError, match="at least one step"):
        PosedInitialState(4, encoder.space, steps=0)
