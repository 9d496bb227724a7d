"""Three ways to contexts: descent equals the formula and minds its own shape only, optimisation reaches the optimum, one pass converges with the surface."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from geoop.encoders.equivariant_field import AutoDecoded, FeedForward, MetaLearned, Observed, SurfaceKernel
from geoop.errors import ConfigurationError
from geoop.graph.pointset import PointSet

COUNT, CHANNELS = 3, 2  # latents and their channels


class Linear:
    """A field that is linear in the contexts: f(x) = sum over the latents of its sample of w(x - p_i) . a_i."""

    def __init__(self, out: int = 1) -> None:
        self.waves = torch.linspace(0.5, 2.0, out * CHANNELS, dtype=torch.float64).view(CHANNELS, out)
        self.gain = torch.tensor(1.0, dtype=torch.float64)

    def matrix(self, pos: Tensor, x: Tensor) -> Tensor:
        """(n, out, latents, channels) of one sample."""
        distance = (x[:, None] - pos[None]).square().sum(dim=2)
        return self.gain * torch.cos(distance[:, None, :, None] * self.waves.T[None, :, None, :])

    def __call__(self, latents: PointSet, points: PointSet) -> Tensor:
        parts = zip(latents.split(), points.split(), strict=True)
        return torch.cat([torch.einsum("nolc,lc->no", self.matrix(a.pos, b.pos), a.scalars) for a, b in parts])


def shape(seed: int, samples: int, out: int = 1) -> tuple[PointSet, Observed]:
    g = torch.Generator().manual_seed(seed)

    def draw(*size):
        return torch.randn(*size, generator=g, dtype=torch.float64)

    return PointSet(draw(COUNT, 2)), Observed(PointSet(draw(4, 2), vectors=draw(4, 1, 2)), PointSet(draw(samples, 2), draw(samples, out)))


def several(sizes: tuple[int, ...], out: int = 1) -> tuple[PointSet, Observed]:
    shapes = [shape(k, n, out) for k, n in enumerate(sizes)]
    return PointSet.concatenate([s[0] for s in shapes]), Observed.concatenate([s[1] for s in shapes])


def meta(**settings) -> MetaLearned:
    encoder = MetaLearned(CHANNELS, **settings).double()
    with torch.no_grad():
        encoder.rate.copy_(torch.tensor([0.3, 0.1]))
    return encoder


# ---- a few steps of descent --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("out", [1, 2])
@pytest.mark.parametrize("steps", [1, 3])
def test_meta_learned_is_gradient_descent_on_the_mean_square(steps, out):
    poses, observed = shape(0, 20, out)
    decode = Linear(out)
    matrix = decode.matrix(poses.pos, observed.samples.pos).reshape(20 * out, -1)
    a, target = torch.ones(COUNT * CHANNELS, dtype=torch.float64), observed.samples.scalars.reshape(-1)
    for _ in range(steps):
        slope = 2 * matrix.T @ (matrix @ a - target) / len(target)
        a = a - torch.tensor([0.3, 0.1], dtype=torch.float64).repeat(COUNT) * slope
    found = meta(steps=steps)(poses, observed, decode).scalars
    assert torch.allclose(found.detach().reshape(-1), a, atol=1e-12)


@pytest.mark.parametrize("make", [meta, lambda: AutoDecoded(CHANNELS, steps=20).double()], ids=["meta", "auto"])
def test_a_shape_is_fitted_as_if_it_were_alone(make):
    """Whatever else is in the batch, and however many samples that has."""
    encoder, sizes = make(), (7, 40, 1, 20)
    together = encoder(*several(sizes), Linear()).split()
    for k, n in enumerate(sizes):
        assert torch.allclose(encoder(*shape(k, n), Linear()).scalars, together[k].scalars, atol=1e-11)


def outer_loss(encoder: MetaLearned, decode: Linear) -> Tensor:
    poses, observed = several((9, 15))
    others = PointSet(observed.samples.pos.flip(0) * 0.7, observed.samples.scalars, ptr=observed.samples.ptr)
    return (decode(encoder(poses, observed, decode), others) - others.scalars).square().mean()


@pytest.mark.parametrize("second_order", [True, False])
def test_only_second_order_gradients_are_those_of_the_outer_loss(second_order):
    encoder, decode, h = meta(steps=3, second_order=second_order), Linear(), 1e-6
    decode.gain.requires_grad_()
    outer_loss(encoder, decode).backward()

    def slope(parameter: Tensor, entry) -> float:
        values = []
        for step in (h, -h):
            with torch.no_grad():
                parameter[entry] += step
                values.append(float(outer_loss(encoder, decode)))
                parameter[entry] -= step
        return (values[0] - values[1]) / (2 * h)

    with torch.no_grad():
        right = slope(decode.gain, ())
        rates = [slope(encoder.rate.data, k) for k in range(CHANNELS)]
    assert (abs(float(decode.gain.grad) - right) < 1e-6 * abs(right)) == second_order
    assert np.allclose(encoder.rate.grad, rates, rtol=1e-5) == second_order


def test_the_last_step_is_the_same_to_first_order():
    """With one step both orders give the rates one gradient: nothing was differentiated before it."""
    gradients = []
    for second_order in (True, False):
        encoder = meta(steps=1, second_order=second_order)
        outer_loss(encoder, Linear()).backward()
        gradients.append(encoder.rate.grad)
    assert torch.allclose(*gradients, atol=1e-14)


class Scaled(torch.nn.Module):
    """A non-linear field with parameters of its own, that multiplies by what queries know: everything autograd would have to keep."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))

    def forward(self, latents: PointSet, points: PointSet) -> Tensor:
        return self.weight * torch.tanh(Linear()(latents, points)) * points.scalars * points.pos[:, :1]


@pytest.mark.parametrize("made", ["outside", "inside", "scalars inside"])
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("make", [meta, lambda: AutoDecoded(CHANNELS, steps=5).double()], ids=["meta", "auto"])
def test_without_gradients_the_answer_is_the_same(make, mode, made):
    """Not the initial contexts, which is what descent without derivatives would return."""
    encoder, decode = make(), Scaled()
    poses, observed = several((9, 15))
    expected = encoder(poses, observed, decode).scalars
    with mode():
        if made == "inside":
            poses, observed = several((9, 15))
        elif made == "scalars inside":  # as where targets are scaled just before
            observed = Observed(observed.surface, observed.samples.with_features(scalars=observed.samples.scalars * 1.0))
        found = encoder(poses, observed, decode).scalars
        assert not found.requires_grad
    assert torch.equal(found, expected)
    assert expected.requires_grad == isinstance(encoder, MetaLearned)


@pytest.mark.parametrize(("rate", "used"), [(-5.0, 1e-6), (1e-9, 1e-6), (99.0, 10.0), (0.5, 0.5)])
def test_rates_are_clipped(rate, used):
    poses, observed = shape(0, 20)
    one, other = (MetaLearned(CHANNELS, steps=1).double() for _ in range(2))
    with torch.no_grad():
        one.rate.fill_(rate)
        other.rate.fill_(used)
        assert torch.equal(one(poses, observed, Linear()).scalars, other(poses, observed, Linear()).scalars)


# ---- full optimisation -------------------------------------------------------------------------------------------------------------------------


def test_auto_decoded_reaches_the_least_squares_optimum():
    poses, observed = several((40, 60))
    encoder = AutoDecoded(CHANNELS, steps=2000, rate=5e-2, penalty=0.0)
    found = encoder(poses, observed, Linear()).split()
    assert not any(item.scalars.requires_grad for item in found)
    for item, samples in zip(found, observed.samples.split(), strict=True):
        matrix = Linear().matrix(item.pos, samples.pos).reshape(len(samples), -1)
        best = torch.linalg.lstsq(matrix, samples.scalars).solution
        error = (matrix @ item.scalars.reshape(-1, 1) - samples.scalars).square().mean()
        assert error < (matrix @ best - samples.scalars).square().mean() * (1 + 1e-6)
        assert torch.allclose(item.scalars.reshape(-1, 1), best, atol=1e-2)


def test_the_penalty_keeps_contexts_small():
    sizes = [float(AutoDecoded(CHANNELS, steps=100, penalty=p)(*shape(0, 40), Linear()).scalars.norm()) for p in (0.0, 1.0, 100.0)]
    assert sizes[0] > sizes[1] > sizes[2]


# ---- one pass over the surface -----------------------------------------------------------------------------------------------------------------


def ellipse(n: int, crowded: float = 0.0) -> PointSet:
    """(n) points of an ellipse with outward normals and lengths; crowded on one side as meshes are where they were refined."""
    s = (np.arange(n) + 0.5) / n
    t = 2 * np.pi * s + crowded * np.sin(2 * np.pi * s)
    density = 2 * np.pi * (1 + crowded * np.cos(2 * np.pi * s)) / n
    x, normal = np.stack([np.cos(t), 0.4 * np.sin(t)], axis=1), np.stack([0.4 * np.cos(t), np.sin(t)], axis=1)
    length = density * np.hypot(np.sin(t), 0.4 * np.cos(t))
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    return PointSet(*(torch.from_numpy(a) for a in (x, np.zeros((n, 0)), normal[:, None], length)))


def kernel(nearest: int | None = None) -> FeedForward:
    torch.manual_seed(0)
    return FeedForward(4, SurfaceKernel(0, 2, 16, width=8, heads=2, nearest=nearest), 16).double().requires_grad_(False)


def grid(dimension: int = 2) -> PointSet:
    g = torch.Generator().manual_seed(3)
    axes = torch.eye(dimension, dtype=torch.float64).expand(6, -1, -1)
    return PointSet(
        1.5 * torch.rand(6, dimension, generator=g, dtype=torch.float64) - 0.2, vectors=axes, weight=torch.full((6,), 0.3, dtype=torch.float64)
    )


def contexts(surface: PointSet) -> Tensor:
    return kernel()(grid(), Observed(surface), lambda a, b: a.scalars).scalars


def test_contexts_converge_when_the_surface_is_refined():
    best = contexts(ellipse(4000))
    errors = [float((contexts(ellipse(n, 0.7)) - best).abs().max()) for n in (50, 200, 800)]
    assert errors[1] < 0.3 * errors[0] or errors[1] < 1e-9
    assert errors[2] < 1e-9


def test_without_weights_they_drift_to_where_the_points_crowd():
    best = contexts(replace(ellipse(4000), weight=torch.ones(4000, dtype=torch.float64)))
    even, crowded = (replace(ellipse(800, c), weight=torch.ones(800, dtype=torch.float64)) for c in (0.0, 0.7))
    assert float((contexts(even) - best).abs().max()) < 1e-3
    assert float((contexts(crowded) - best).abs().max()) > 1e-3  # a million times what weights leave


def test_order_and_number_of_equal_parts_do_not_matter():
    surface = ellipse(60)
    expected = contexts(surface)
    assert torch.allclose(contexts(surface.take(torch.randperm(60))), expected, atol=1e-12)
    twice = PointSet.concatenate([replace(surface, weight=surface.weight / 2)] * 2)
    assert torch.allclose(contexts(replace(twice, ptr=torch.tensor([0, 120]))), expected, atol=1e-12)  # every point as two halves
    weightless = PointSet.concatenate([surface, replace(ellipse(7, 0.5), weight=torch.zeros(7, dtype=torch.float64))])
    assert torch.allclose(contexts(replace(weightless, ptr=torch.tensor([0, 67]))), expected, atol=1e-12)  # parts of no length


@pytest.mark.parametrize("dimension", [2, 3])
def test_contexts_do_not_change_when_surface_and_poses_move_together(dimension):
    torch.manual_seed(0)
    encoder = FeedForward(4, SurfaceKernel(0, dimension, 16, width=8, heads=2), 16).double().requires_grad_(False)
    normals = torch.nn.functional.normalize(torch.randn(30, dimension, dtype=torch.float64), dim=1)
    surface, poses = PointSet(normals * 0.7, vectors=normals[:, None], weight=torch.rand(30, dtype=torch.float64)), grid(dimension)
    turn = torch.linalg.qr(torch.randn(dimension, dimension, dtype=torch.float64)).Q  # half of them are reflections
    for matrix in (turn, turn * torch.tensor([-1.0] + [1.0] * (dimension - 1), dtype=torch.float64)):
        moved = [replace(p, pos=p.pos @ matrix.T - 1.7, vectors=p.vectors @ matrix.T) for p in (poses, surface)]
        expected = encoder(poses, Observed(surface), lambda a, b: a.scalars).scalars
        assert torch.allclose(encoder(moved[0], Observed(moved[1]), lambda a, b: a.scalars).scalars, expected, atol=1e-10)


def test_a_latent_may_see_the_nearest_part_of_the_surface_only():
    few, all_of_it = kernel(nearest=5), kernel(nearest=60)
    surface = ellipse(60)
    assert few.kernel.connect(surface, grid()).n_edges == 5 * 6
    a, b = (encoder(grid(), Observed(surface), lambda p, q: p.scalars).scalars for encoder in (all_of_it, kernel()))
    assert torch.equal(a, b)


# ---- draws and bad settings --------------------------------------------------------------------------------------------------------------------


def test_draws_are_subsets_per_shape():
    observed = several((7, 40, 3))[1]
    drawn = observed.drawn(5, torch.Generator().manual_seed(0)).samples
    assert drawn.ptr.diff().tolist() == [5, 5, 3]
    for some, every in zip(drawn.split(), observed.samples.split(), strict=True):
        rows = {tuple(row) for row in torch.cat([every.pos, every.scalars], dim=1).tolist()}
        assert {tuple(row) for row in torch.cat([some.pos, some.scalars], dim=1).tolist()} <= rows
        assert len(some) == len({tuple(row) for row in some.pos.tolist()})
    again = observed.drawn(5, torch.Generator().manual_seed(0)).samples
    assert torch.equal(again.pos, drawn.pos)


@pytest.mark.parametrize("kind", [MetaLearned, AutoDecoded])
@pytest.mark.parametrize("bad", [{"steps": 0}, {"rate": 0.0}, {"rate": -1.0}])
def test_bad_settings_say_what_to_do(kind, bad):
    with pytest.raises(ConfigurationError) as caught:
        kind(CHANNELS, **bad)
    assert caught.value.remedy


@pytest.mark.parametrize("kind", [MetaLearned, AutoDecoded])
def test_without_samples_there_is_nothing_to_fit(kind):
    poses, observed = shape(0, 5)
    with pytest.raises(ConfigurationError, match="samples") as caught:
        kind(CHANNELS)(poses, Observed(observed.surface), Linear())
    assert "samples=" in caught.value.remedy
