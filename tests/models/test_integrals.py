"""Graph neural, multipole and low-rank operators as models: order of convergence, and what a query reads."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from geoop.graph.pointset import Inputs, PointSet
from geoop.layers.gated_update import GatedUpdate
from geoop.models.cloud_model import CloudState, PreparedCloud
from geoop.models.gno import GraphNeuralOperator
from geoop.models.low_rank import LowRankOperator
from geoop.models.multipole_gno import MultipoleGNO

from .zoo import BARE, PORTS, boundary, geometry, inputs

CONVERGENT = {
    "ball": lambda: GraphNeuralOperator(BARE, 16, layers=2, gains=4, hidden=8, scales=(), radius=0.2),
    "low rank": lambda: LowRankOperator(BARE, 16, layers=3, rank=4, heads=2),
}
ALL = {
    "graph": lambda: GraphNeuralOperator(PORTS, 16, layers=2, gains=8, hidden=8, of=100, scales=(16,), scale_neighbours=5),
    "multipole": lambda: MultipoleGNO(PORTS, 16, layers=2, levels=(24, 6), channels=16, gains=8, hidden=8, of=100),
    "low rank": lambda: LowRankOperator(PORTS, 16, layers=2, rank=4, heads=2),
}


PLACES = torch.rand(60, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def disc(rings: int, channels: int) -> PointSet:
    """Points of a disc on rings graded to its rim, where spacing falls to nothing, with midpoint weights and smooth features."""
    around = 4 * rings
    angle = 2 * torch.pi * (torch.arange(around, dtype=torch.float64) + 0.5) / around
    s = (torch.arange(rings, dtype=torch.float64) + 0.5) / rings
    level, slope = torch.sin(s * torch.pi / 2), torch.cos(s * torch.pi / 2) * torch.pi / 2
    pos = 0.3 * (level[:, None, None] * torch.stack([angle.cos(), angle.sin()], 1)[None]).reshape(-1, 2)
    weight = (0.09 * level * slope / rings * (2 * torch.pi / around)).repeat_interleave(around)
    return smooth(pos, channels, weight)


def smooth(pos: torch.Tensor, channels: int, weight: torch.Tensor | None = None) -> PointSet:
    phase = torch.linspace(0, 3, channels, dtype=torch.float64)
    return PointSet(pos, torch.sin(3 * pos[:, :1] + phase) + torch.cos(2 * pos[:, 1:] * (1 + phase)), weight=weight)


def decoded(model, points: PointSet, queries: PointSet) -> torch.Tensor:
    """Hidden features at the queries, from features that are given: what a place knows of a wall is not smooth (closest points jump)."""
    none = Inputs(torch.zeros(1, 0), torch.zeros(1, 0, 2))
    with torch.no_grad():
        prepared = PreparedCloud(boundary(48, 1), points, model.connect(points, boundary(48, 1)))
        return model.read(CloudState(prepared, none, model.process(points, prepared, none)), queries)


@pytest.mark.parametrize("name", CONVERGENT)
def test_second_order_on_graded_clouds(name):
    torch.manual_seed(0)
    model = CONVERGENT[name]().double().eval()
    queries = smooth(0.4 * torch.rand(6, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) - 0.2, 16)
    results = [decoded(model, disc(rings, 16), queries) for rings in (6, 12, 24)]
    coarse, fine = (float((r - results[2]).abs().max()) for r in results[:2])
    order = math.log2(coarse / fine - 1)  # against the finest of h, h/2, h/4: (4^p - 1) : (2^p - 1)
    assert order > 1.8, f"order {order:.2f} from {coarse:.1e}, {fine:.1e}"
    finest = disc(24, 16)
    equal = replace(finest, weight=torch.full_like(finest.weight, float(finest.weight.mean())))
    assert (decoded(model, equal, queries) - results[2]).abs().max() > 10 * fine


@pytest.mark.parametrize("name", ALL)
def test_a_query_goes_through_the_layers_of_the_domain(name):
    """Where features of queries are lifted as those of the domain are, a query at a point of the domain is that point."""
    torch.manual_seed(0)
    model = ALL[name]().double().eval()
    model.ask.load_state_dict(model.lift.state_dict())
    given = geometry(90, 1)
    conditions = inputs(given, PORTS, 1)
    with torch.no_grad():
        prepared = model.prepare(given)
        state = model.encode(prepared, conditions)
        deeper = type(model)(**{**model.arguments, "layers": 3}).double().eval()
        deeper.load_state_dict({**deeper.state_dict(), **model.state_dict()})
        known = model.lift(model._known(prepared.domain, conditions))
        points = prepared.domain.with_features(scalars=known)
        kept = deeper.process(points, prepared, conditions)  # what a third layer would read of the second one's result
        seen = points.with_features(scalars=model.read(state, points))
    block = deeper.blocks[2]
    with torch.no_grad():
        if name == "graph":
            torch.testing.assert_close(kept["layer2-0"].scalars, block.sources(block.norm(seen.scalars))[0], rtol=0, atol=1e-11)
        elif name == "multipole":
            torch.testing.assert_close(kept["source2"].scalars, block.normed(seen).scalars, rtol=0, atol=1e-11)
        else:
            torch.testing.assert_close(kept["moments2"].scalars, block.integral.moments(block.normed(seen)).flatten(0, 1), rtol=0, atol=1e-11)


@pytest.mark.parametrize("name", ALL)
def test_features_a_million_times_too_large_add_no_more_than_usual_ones(name):
    """Without the norm of :class:`GatedUpdate` a block multiplies what it is given with itself."""
    torch.manual_seed(0)
    model = ALL[name]().double().eval()
    updates = [part for part in model.modules() if isinstance(part, GatedUpdate)]
    assert len(updates) == 2
    added: list[float] = []
    for update in updates:
        update.register_forward_hook(lambda part, given, found: added.append(float((found - part.outer.bias).norm(dim=1).max())))
    most = max(
        4.0 * float(torch.linalg.matrix_norm(update.outer.weight.detach(), 2)) for update in updates
    )  # sqrt(16) of a vector that LayerNorm made
    for size in (1.0, 1e6):
        decoded(model, smooth(PLACES, 16).with_features(scalars=size * smooth(PLACES, 16).scalars ** 3), smooth(PLACES[:7] + 0.01, 16))
    assert len(added) >= 6 and max(added) <= most


@pytest.mark.parametrize("name", ["graph", "multipole"])
def test_samples_of_different_sizes_have_neighbours_of_their_own(name):
    torch.manual_seed(0)
    model = ALL[name]().double()
    small, large = model.prepare(geometry(60, 1)), model.prepare(geometry(400, 2))

    def near(prepared):
        return prepared.graph("graph0") if name == "graph" else prepared.hierarchy("levels").graphs["near"]

    assert near(large).degree.max() > 3 * near(small).degree.max()
