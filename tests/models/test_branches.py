"""GNOT and DeepONets: clouds of any size as inputs, and what a linear decoder can and cannot do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from geoop.errors import ConfigurationError
from geoop.graph.pointset import Inputs, PointSet
from geoop.models.deeponet import DeepONet
from geoop.models.gnot import GNOT
from geoop.models.multi_task_deeponet import MultiTaskDeepONet
from geoop.scaling.rank_bound import rank_bound

from .zoo import BARE, PORTS, Ports, ask, geometry, inputs, lattice

MODES = 4
MAKE = {
    "GNOT": lambda ports: GNOT(ports, 16, depth=2, heads=2, experts=2),
    "DeepONet": lambda ports: DeepONet(ports, 16, modes=MODES, tokens=3),
    "MultiTaskDeepONet": lambda ports: MultiTaskDeepONet(ports, 16, modes=MODES, tokens=3),
}
every = pytest.mark.parametrize("make", [pytest.param(make, id=name) for name, make in MAKE.items()])


def build(make, ports: Ports = PORTS):
    torch.manual_seed(0)
    return make(ports).double().eval()


@every
def test_refinement_of_the_domain_converges_with_second_order_and_drifts_without_weights(make):
    model, results = build(make, BARE), []
    queries, conditions = ask(geometry(30, 1), 9, 1), Inputs(torch.zeros(1, 0).double(), torch.zeros(1, 0, 2).double())
    for n in (8, 16, 32, 96):
        region = lattice(n)
        with torch.no_grad():
            results.append(model(model.prepare(region), conditions, queries).scalars)
    errors = [float((r - results[-1]).abs().max()) for r in results[:-1]]
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert (orders > 1.7).all(), f"orders {orders}, errors {errors}"
    even = replace(region.domain.points, weight=torch.ones_like(region.domain.points.weight))
    with torch.no_grad():
        drift = model(model.prepare(replace(region, domain=replace(region.domain, points=even))), conditions, queries).scalars
    assert float((drift - results[-1]).abs().max()) > 10 * errors[-1]


@every
def test_a_function_may_be_split_or_missing(make):
    """One point source as one point or as three of a third of its weight; and samples without any in the same batch."""
    model, given = build(make), geometry(60, 1)
    queries, conditions = ask(given, 9, 1), inputs(given, PORTS, 1)
    one = conditions.functions["source"].take(torch.tensor([5]))
    three = replace(one.take(torch.tensor([0, 0, 0])), weight=one.weight.repeat(3) / 3)
    none = one.take(torch.tensor([], dtype=torch.int64))

    def field(source: PointSet):
        return model(model.prepare(given), replace(conditions, functions={**conditions.functions, "source": source}), queries).scalars

    assert torch.allclose(field(one), field(three), rtol=0, atol=1e-12)
    model.zero_grad()
    field(none).square().sum().backward()
    assert torch.isfinite(field(none)).all() and all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
    assert (field(none) - field(one)).abs().max() > 1e-6


def test_a_query_runs_the_network_of_the_domain():
    """What GNOT keeps of the clouds is enough: a point of the domain, asked for as a query, gets what the domain's own pass would give it."""
    model, given = build(MAKE["GNOT"]), geometry(60, 1)
    model.ask.load_state_dict(model.lift.state_dict())
    conditions = inputs(given, PORTS, 1)
    prepared = model.prepare(given)
    with torch.no_grad():
        state = model.encode(prepared, conditions)
        points = prepared.domain.with_features(scalars=model.lift(model._known(prepared.domain, conditions)))
        others = model.clouds(prepared.surface, conditions)
        for level, attention in enumerate(model.attention):
            points = points.with_features(scalars=model._block(level, points, attention.summarise([points, *others])))
        found = model.field(state, given.domain)
        expected = model.head(model.norm_out(points.scalars))
    assert torch.allclose(torch.cat([found.scalars, found.vectors.flatten(1)], 1), expected, rtol=0, atol=1e-12)


def test_boxes_of_single_points_are_the_points():
    given, conditions = geometry(60, 1), inputs(geometry(60, 1), PORTS, 1)
    queries, whole = ask(given, 9, 1), build(MAKE["GNOT"])
    boxes = GNOT(PORTS, 16, depth=2, heads=2, experts=2, points=len(given.domain)).double()
    boxes.load_state_dict(whole.state_dict())
    with torch.no_grad():
        found, expected = (m(m.prepare(given), conditions, queries).scalars for m in (boxes, whole))
    assert torch.allclose(found, expected, rtol=0, atol=1e-12)


def answers(model, count: int) -> torch.Tensor:
    """(count, queries, channels) on one geometry under random conditions and functions."""
    given = geometry(60, 1)
    prepared, queries, rows = model.prepare(given), ask(given, 40, 1), []
    for seed in range(count):
        with torch.no_grad():
            out = model(prepared, inputs(given, PORTS, seed), queries)
        rows.append(torch.cat([out.scalars, out.vectors.flatten(1)], 1))
    return torch.stack(rows)


@pytest.mark.parametrize("name", ["DeepONet", "MultiTaskDeepONet"])
def test_all_answers_on_one_geometry_lie_in_the_space_of_the_modes(name):
    """Deviations from the bias have rank ``modes`` over all channels; no network around it can do better than the bound says. GNOT is no such decoder."""
    model = build(MAKE[name])
    fields = answers(model, 12).numpy()
    deviation = fields - model.head.bias.detach().numpy()
    assert rank_bound(deviation, MODES) < 1e-12 < 1e-6 < rank_bound(deviation, MODES - 1)
    assert rank_bound(answers(build(MAKE["GNOT"]), 12).numpy(), MODES + 1) > 1e-4
    truth = np.random.default_rng(0).normal(size=fields.shape)
    modes = np.linalg.svd(deviation.reshape(12, -1), full_matrices=False)[2][:MODES]
    flat = truth.reshape(12, -1)
    best = flat @ modes.T @ modes
    assert np.linalg.norm(best - flat) / np.linalg.norm(flat) >= rank_bound(truth, MODES)


def test_the_answer_is_affine_in_the_coefficients():
    model, given = build(MAKE["DeepONet"]), geometry(60, 1)
    queries = ask(given, 9, 1)
    with torch.no_grad():
        first, second = (model.encode(model.prepare(given), inputs(given, PORTS, seed)) for seed in (1, 2))
        a, b = (s.latents["branch"] for s in (first, second))
        between = replace(first, latents={"branch": a.with_features(scalars=0.3 * a.scalars + 0.7 * b.scalars)})
        expected = 0.3 * model.field(first, queries).scalars + 0.7 * model.field(second, queries).scalars
        assert torch.allclose(model.field(between, queries).scalars, expected, rtol=0, atol=1e-13)


def masked_case():
    """A region whose points on the right are not part of the problem."""
    ports = replace(PORTS, functions=(("mask", 1),))
    given = geometry(80, 1)
    conditions = inputs(given, ports, 1)
    x = given.domain.points.pos[:, :1]
    mask = replace(given.domain.points, scalars=(x < 0.1).double(), vectors=given.domain.points.vectors[:, :0])
    queries = given.domain
    torch.manual_seed(0)
    model = MultiTaskDeepONet(ports, 16, modes=MODES, tokens=3, mask="mask").double()
    return model, given, replace(conditions, functions={"mask": mask}), queries


def test_masked_queries_answer_zero_and_teach_nothing():
    model, given, conditions, queries = masked_case()
    hidden = queries.points.pos[:, 0] >= 0.1
    out = model(model.prepare(given), conditions, queries)
    assert (out.scalars[hidden] == 0).all() and (out.vectors[hidden] == 0).all() and (out.scalars[~hidden] != 0).all()
    out.scalars[hidden].add(1).square().sum().backward()
    assert all(p.grad is None or (p.grad == 0).all() for p in model.parameters())


def test_masked_points_of_the_domain_are_left_out():
    model, given, conditions, queries = masked_case()
    points = given.domain.points
    hidden = points.pos[:, :1] >= 0.1
    other = replace(given, domain=replace(given.domain, points=replace(points, scalars=points.scalars + 5.0 * hidden)))
    seen = replace(given, domain=replace(given.domain, points=replace(points, scalars=points.scalars + 5.0 * ~hidden)))
    with torch.no_grad():
        found, same, changed = (model(model.prepare(g), conditions, queries).scalars for g in (given, other, seen))
    assert torch.allclose(found, same, rtol=0, atol=1e-9) and (changed - found).abs().max() > 1e-6


def test_a_mask_that_is_not_given_is_named():
    with pytest.raises(ConfigurationError, match="none of the input functions"):
        MultiTaskDeepONet(PORTS, 16, mask="holes")
