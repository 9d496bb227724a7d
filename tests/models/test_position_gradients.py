"""Gradients of decoded fields by position, by autograd through every model of the zoo, against differences of new searches and true functions."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from geoop.graph.geometry import Queries
from geoop.graph.pointset import Inputs, PointSet
from geoop.models.cloud_model import CloudState
from geoop.models.ports import Ports
from geoop.models.transolver import Transolver
from geoop.train.losses import position_gradient

from .zoo import BARE, PORTS, Entry, ask, geometry, inputs, queries_at

ZOO: dict[str, Entry] = {}
for _path in sorted(Path(__file__).parent.glob("zoo_*.py")):
    ZOO |= importlib.import_module(f"{__package__}.{_path.stem}").ENTRIES


def linear(conditions: Inputs) -> Inputs:
    """The same conditions with a source that is linear in space and a constant on the boundary: functions whose truth is known everywhere."""
    functions = {}
    for name, known in conditions.functions.items():
        functions[name] = known.with_features(scalars=truth(name, known.pos))
    return replace(conditions, functions=functions)


def truth(name: str, pos: Tensor) -> Tensor:
    return torch.full_like(pos[:, :1], 0.7) if name == "boundary" else pos @ pos.new_tensor([[2.0, -1.0], [1.0, 3.0]])


def known(ports: Ports, queries: Queries) -> Queries:
    """Queries that carry the true functions: behind the distance values and nearness of each, in order of name."""
    pos, columns = queries.points.pos, [queries.points.scalars]
    for name, _ in ports.functions:
        columns += [truth(name, pos), torch.ones(len(pos), 1)]
    return replace(queries, points=replace(queries.points, scalars=torch.cat(columns, dim=1)))


@pytest.mark.parametrize("ports", [BARE, PORTS], ids=["bare", "with conditions and functions"])
@pytest.mark.parametrize("name", ZOO)
def test_the_position_gradient_is_that_of_the_field(name, ports):
    """Against differences of new searches and of the true functions, which queries carry.

    At all but the few places where a neighbour or the closest facet changes within the step of the differences.
    """
    torch.manual_seed(0)
    model, given = ZOO[name].make(ports).double().eval(), geometry(200, 0, vertices=24)
    with torch.no_grad():
        latent = model.encode(model.prepare(given), linear(inputs(given, ports, 0)))
    queries = known(ports, ask(given, 20, 1).take(torch.arange(19)))  # the last one lies on the boundary
    field, found = position_gradient(lambda q: model.field(latent, q), queries, given.surface.pos)
    step = 1e-6 * torch.eye(2, dtype=torch.float64)

    def beside(shift: Tensor) -> Tensor:
        return model.field(latent, known(ports, queries_at(queries.points.pos + shift, given.surface))).scalars

    with torch.no_grad():
        assert torch.equal(field.scalars, model.field(latent, queries).scalars)  # the field itself is the ordinary answer
        sides = [[beside(sign * e) for sign in (1, -1)] for e in step]
    expected = torch.stack([(ahead - behind) / 2e-6 for ahead, behind in sides], dim=2)
    error = (found.detach()[:, : expected.shape[1]] - expected).abs().amax(dim=(1, 2)) / expected.abs().amax(dim=(1, 2)).median()
    assert float((error < 1e-4).double().mean()) > 0.9


class _Echo(Transolver):
    """Answers the source at the place that is asked for."""

    def __init__(self) -> None:
        super().__init__(Ports(scalars_out=1, surface_scalars=BARE.surface_scalars, functions=(("source", 1),)), 16, slices=4, depth=1)
        self.ask, self.head = torch.nn.Identity(), torch.nn.Identity()

    def read(self, state: CloudState, queries: PointSet) -> Tensor:
        return queries.scalars[:, -2:-1]


@pytest.mark.parametrize("carried", [False, True])
def test_the_gradient_of_a_model_that_answers_its_input_function_is_that_of_the_function(carried):
    """Exact for a linear source; for a smooth one the error falls with the points at which it is known."""
    model = _Echo().double().eval()
    functions = {
        "linear": (lambda p: p[:, :1], lambda p: torch.tensor([1.0, 0.0]).to(p).expand_as(p)),
        "smooth": (lambda p: torch.sin(5 * p[:, :1] + 3 * p[:, 1:]), lambda p: torch.cos(5 * p[:, :1] + 3 * p[:, 1:]) * p.new_tensor([5.0, 3.0])),
    }
    errors = {name: [] for name in functions}
    for n in (300, 1200, 4800):
        given = geometry(n, 1)
        prepared, points = model.prepare(given), given.domain.points
        queries = ask(given, 200, 3).take(torch.arange(199))
        for name, (value, slope) in functions.items():
            source = PointSet(points.pos, value(points.pos))
            latent = model.encode(prepared, Inputs(torch.zeros(1, 0).double(), torch.zeros(1, 0, 2).double(), {"source": source}))
            asked = queries
            if carried:
                told = [queries.points.scalars, value(queries.points.pos), torch.ones(len(queries), 1)]
                asked = replace(queries, points=replace(queries.points, scalars=torch.cat(told, dim=1)))
            with torch.no_grad():
                _, found = position_gradient(lambda q, latent=latent: model.field(latent, q), asked, given.surface.pos)
            exact = slope(queries.points.pos)
            errors[name].append(float(((found[:, 0] - exact).square().sum() / exact.square().sum()).sqrt()))
    assert max(errors["linear"]) < 1e-6, errors
    assert errors["smooth"][1] < 0.7 * errors["smooth"][0] and errors["smooth"][2] < 0.7 * errors["smooth"][1] < 0.05, errors
