"""GAOT: tokens, their balls, and what the paper's implementation got wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from geoop.errors import ConfigurationError
from geoop.models.gaot import GAOT
from geoop.models.transolver import Transolver

from .test_claims import difference, run, sample
from .zoo import BARE, PORTS, ask, geometry, inputs


def model(ports=PORTS, **options) -> GAOT:
    torch.manual_seed(0)
    return GAOT(ports, 16, **{"tokens": 24, "depth": 2, "kernel": 8, "heads": 2, **options}).double().eval()


@pytest.mark.parametrize("placement", ["points", "lattice"])
def test_every_token_has_points_in_its_ball_and_every_point_is_in_some_ball(placement):
    made, given = model(placement=placement, scales=(0.7, 1.4)), geometry(400, 1)
    prepared = made.prepare(given)
    graph, tokens = prepared.graph("encoder"), prepared.points("tokens")
    assert graph.degree.min() >= 1 and 16 <= len(tokens) <= 36
    assert len(graph.source.unique()) == len(prepared.domain) or placement == "points"
    assert len(graph.source.unique()) > 0.95 * len(prepared.domain)
    assert tokens.weight.sum() == pytest.approx(float(prepared.domain.weight.sum()), rel=0.7)


def test_two_clouds_of_equal_size_do_not_share_neighbours():
    """The published code keeps neighbours by the shape of the arrays (METHODS.md D.5)."""
    made, (given, conditions, queries) = model(), sample(80, 1)
    first = run(made, given, conditions, queries)
    other, other_conditions, _ = sample(80, 2)
    assert len(other.domain) == len(given.domain)
    second = run(made, other, other_conditions, queries)
    assert difference(second, first) > 1e-4
    assert difference(run(made, given, conditions, queries), first) == 0


def test_under_tokens_that_are_held_a_refined_cloud_converges_and_drifts_without_weights():
    made = model(BARE)
    clouds = [geometry(n, 1, vertices=48) for n in (400, 1600, 6400)]
    tokens = made.prepare(clouds[0]).points("tokens")
    tokens = replace(tokens, scalars=tokens.scalars[:, -1:])

    def answer(given, *, weighted: bool = True):
        if not weighted:
            points = given.domain.points
            even = torch.full_like(points.weight, float(points.weight.mean()))
            given = replace(given, domain=replace(given.domain, points=replace(points, weight=even)))
        prepared = made.prepare(given)
        prepared = replace(prepared, connections=made.connect_tokens(prepared.domain, tokens))
        with torch.no_grad():
            return made(prepared, inputs(given, BARE, 1), ask(given, 7, 1))

    results = [answer(given) for given in clouds]
    coarse, fine = difference(results[0], results[2]), difference(results[1], results[2])
    assert fine < 0.5 * coarse
    assert difference(answer(clouds[2], weighted=False), results[2]) > 3 * fine


def choosing(made: GAOT, scale: int) -> GAOT:
    """The same model with all the weight on one scale, in the encoder and in the decoder."""
    with torch.no_grad():
        for part in (made.encoder, made.decoder):
            part.choose.weight.zero_()
            part.choice.copy_(torch.tensor([0.0 if k == scale else -1e9 for k in range(len(part.choice))]))
    return made


def test_one_scale_is_several_with_all_the_weight_on_the_largest():
    """The ablation has the parameters of the whole but the choice of scales, and answers as the whole does that has chosen the largest."""
    several, one, case = model(scales=(0.5, 1.0), neighbours=(4, 12)), model(scales=(1.0,), neighbours=(12,)), sample(80, 1)
    state = {name: value for name, value in several.state_dict().items() if ".choice" not in name and ".choose" not in name}
    one.load_state_dict(state)  # strict: nothing else is left out or made up
    expected = run(one, *case)
    assert difference(run(several, *case), expected) > 1e-4
    assert difference(run(choosing(several, 1), *case), expected) < 1e-12
    assert difference(run(choosing(several, 0), *case), expected) > 1e-4


def test_what_lies_between_the_small_and_the_large_balls_is_felt_through_the_large_ones_alone():
    small, (given, conditions, _) = 0.3, sample(400, 1)
    several, alone = model(scales=(small, 1.0), placement="lattice"), model(scales=(small,), placement="lattice")
    alone.load_state_dict(several.state_dict(), strict=False)
    source = conditions.functions["source"]
    tokens = several.prepare(given).points("tokens")
    distance = (tokens.pos[:, None] - source.pos).norm(dim=2) / tokens.scalars[:, -1:]
    assert torch.equal(several.prepare(given).graph("encoder").degree, (distance <= 1.0).sum(dim=1))
    nearest = torch.zeros(len(source), dtype=torch.bool).index_fill(0, distance.argmin(dim=1), True)  # stands in where a small ball is empty
    between = (distance > small).all(dim=0) & (distance < 0.9).any(dim=0) & ~nearest
    within = (distance < 0.9 * small).any(dim=0)
    assert between.sum() > 5 and within.sum() > 5
    queries = ask(given, 7, 1)  # which know the functions themselves: what changes comes by way of the tokens
    told = [queries.points.scalars, torch.ones(len(queries), PORTS.given)]
    queries = replace(queries, points=replace(queries.points, scalars=torch.cat(told, dim=1)))

    def change(made: GAOT, where: torch.Tensor) -> float:
        other = replace(source, scalars=source.scalars + where[:, None])
        changed = replace(conditions, functions={**conditions.functions, "source": other})
        return difference(run(made, given, changed, queries), run(made, given, conditions, queries))

    assert change(several, between) > 1e-5 and change(several, within) > 1e-5
    assert change(alone, between) == 0 and change(alone, within) > 1e-5
    assert change(choosing(several, 0), between) == 0 and change(several, within) > 1e-5


def test_statistics_of_the_training_geometries_are_saved_with_the_model():
    made, case = model(), sample(80, 1)
    before = run(made, *case)
    made.fit_geometries([made.prepare(geometry(100, seed)) for seed in range(4)])
    after = run(made, *case)
    assert difference(after, before) > 1e-4
    other = model()
    other.load_state_dict(made.state_dict())
    assert difference(run(other, *case), after) == 0


def test_bad_placement():
    with pytest.raises(ConfigurationError, match="placed by"):
        model(placement="grid")


@pytest.mark.parametrize("make", [model, lambda: Transolver(PORTS, 16, slices=4, depth=2, heads=2).double().eval()])
def test_a_cloud_that_is_the_wall_alone(make):
    """Surface data sets: the points of the domain are those of the boundary, their weights its length."""
    given, conditions, _ = sample(80, 1)
    count = len(given.surface)
    index = torch.arange(count)
    points = replace(given.domain.take(index).points, weight=given.surface.weight)
    wall = replace(given, domain=replace(given.domain.take(index), points=points))
    functions = {name: f if name == "boundary" else f.take(index) for name, f in conditions.functions.items()}
    result = run(make(), wall, replace(conditions, functions=functions), wall.domain)
    assert torch.isfinite(result.scalars).all() and result.scalars.std() > 1e-4
