"""Values with gradients, and the choice of norm in supervised training."""

from dataclasses import dataclass

import pytest
import torch
from torch import nn

from geoop.errors import ConfigurationError, ShapeError
from geoop.graph.geometry import Queries
from geoop.graph.pointset import Inputs, PointSet
from geoop.train.batches import TrainingBatch
from geoop.train.objectives import Supervised
from geoop.train.sobolev import Sobolev, SobolevCase

SQUARE = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]], dtype=torch.float64)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(2, 24), nn.Tanh(), nn.Linear(24, 24), nn.Tanh(), nn.Linear(24, 1)).double()

    def encode(self, prepared, inputs):
        return inputs

    def field(self, latent, queries):
        return queries.points.with_features(scalars=self.net(queries.points.pos), vectors=queries.points.vectors[:, :0])

    def forward(self, prepared, inputs, queries):
        return self.field(self.encode(prepared, inputs), queries)


def wave(p):
    return torch.sin(3 * p[:, :1]) * torch.cos(2 * p[:, 1:])


def slopes(p):
    x, y = 3 * p[:, :1], 2 * p[:, 1:]
    return torch.cat([3 * x.cos() * y.cos(), -2 * x.sin() * y.sin()], dim=1)[:, None]


def queries(count, seed):
    pos = 2 * torch.rand(count, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) - 1
    points = PointSet(pos, pos[:, :1] - 1, torch.tensor([[[1.0, 0.0]]], dtype=torch.float64).expand(count, 1, 2))
    share = torch.stack([(1 - pos[:, 1]) / 2, (1 + pos[:, 1]) / 2], dim=1)  # of the right side, at any height
    return Queries(points, torch.tensor([[1, 2]]).expand(count, 2), share)


def case(count=16, seed=1):
    q = queries(count, seed)
    target = PointSet(q.points.pos, wave(q.points.pos))
    return SobolevCase(q, SQUARE, target, slopes(q.points.pos), torch.ones(count, dtype=torch.float64))


@dataclass
class Step:
    cases: torch.Tensor
    inputs: Inputs


def step(*cases):
    return Step(torch.tensor(cases), Inputs(torch.zeros(len(cases), 0, dtype=torch.float64), torch.zeros(len(cases), 0, 2, dtype=torch.float64)))


def unseen_error(length, steps=150):
    """Relative error at other points after training on sixteen."""
    model, objective = Network(), Sobolev([case()], length=length)
    search = torch.optim.LBFGS(model.parameters(), max_iter=steps, line_search_fn="strong_wolfe")

    def loss():
        search.zero_grad()
        value = objective.loss(model, None, step(0))
        value.backward()
        return value

    search.step(loss)
    q = queries(400, 2)
    exact = wave(q.points.pos)
    return float((model.field(None, q).scalars - exact).detach().norm() / exact.norm())


def test_gradients_make_few_points_say_more():
    """The control sees the same sixteen points with values alone (a length of nearly nothing)."""
    with_gradients, values_only = unseen_error(0.3), unseen_error(1e-9)
    assert with_gradients < 0.15 and with_gradients < 0.5 * values_only


def test_a_batch_is_the_mean_of_its_cases():
    model, objective = Network(), Sobolev([case(), case(9, seed=5)])
    one, two, both = (float(objective.loss(model, None, step(*numbers)).detach()) for numbers in ((0,), (1,), (1, 0)))
    assert both == pytest.approx(0.5 * (one + two), rel=1e-9)


def test_shapes_and_lengths_are_checked():
    item = case()
    with pytest.raises(ShapeError):
        SobolevCase(item.queries, SQUARE, item.target, item.gradient[:3], item.weight)
    with pytest.raises(ConfigurationError, match="positive length"):
        Sobolev([item], length=0.0)


def supervised_batch():
    q = queries(10, 3)
    target = q.points.with_features(scalars=wave(q.points.pos), vectors=q.points.vectors[:, :0])
    return TrainingBatch(
        cases=torch.tensor([0]),
        inputs=step(0).inputs,
        queries=q,
        target=target,
        weight=torch.ones(10, dtype=torch.float64),
        region_ptr=torch.tensor([0, 6, 10]),
        reference=torch.tensor([[2.0], [4.0]], dtype=torch.float64),
    )


def test_l1_is_minimised_over_the_same_denominators_and_l2_is_reported():
    batch, model = supervised_batch(), Network()
    prediction = model(None, batch.inputs, batch.queries)
    error = (prediction.scalars - batch.target.scalars).abs()
    found = Supervised(wall=0.5, kind="l1").loss(model, None, batch)
    assert float(found.detach()) == pytest.approx(float((error[:6].mean() / 2 + 0.5 * error[6:].mean() / 4).detach()), rel=1e-9)
    plain = Supervised(wall=0.5)
    assert torch.equal(Supervised(wall=0.5, kind="l1").errors(prediction, batch), plain.errors(prediction, batch))
    assert float(plain.loss(model, None, batch).detach()) > float(found.detach())
    with pytest.raises(ConfigurationError, match="one of l2, l1, square"):
        Supervised(kind="h1")


def test_the_plain_square_knows_no_denominators():
    batch, model = supervised_batch(), Network()
    prediction = model(None, batch.inputs, batch.queries)
    square = (prediction.scalars - batch.target.scalars).square()
    objective = Supervised(wall=0.5, kind="square")
    loss = objective.loss(model, None, batch)
    assert float(loss.detach()) == pytest.approx(float((square[:6].mean() + 0.5 * square[6:].mean()).detach()), rel=1e-9)
    errors = objective.errors(prediction, batch)
    assert float((errors[:, 0] + 0.5 * errors[:, 1]).mean().detach()) == pytest.approx(float(loss.detach()), rel=1e-9)
