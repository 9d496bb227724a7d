"""Transolver: queries run the published network, and the measure around a body."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from geoop.graph.pointset import PointSet
from geoop.models.transolver import Transolver

from .test_claims import difference, run, sample
from .zoo import PORTS


def model(**options) -> Transolver:
    torch.manual_seed(0)
    return Transolver(PORTS, 16, **{"slices": 4, "depth": 3, "heads": 2, **options}).double().eval()


def test_a_query_at_a_point_of_the_cloud_gets_what_the_published_network_says_there():
    made, (given, conditions, _) = model(), sample(80, 1)
    made.ask.load_state_dict(made.lift.state_dict())
    with torch.no_grad():
        prepared = made.prepare(given)
        state = made.encode(prepared, conditions)
        found = made.field(state, given.domain)
        points = prepared.domain.with_features(scalars=made.lift(made._known(prepared.domain, conditions)))
        points = replace(points, weight=prepared.points("measure").weight)
        for block in made.blocks:  # all points through all blocks, as published
            normed = points.with_features(scalars=block.norm(points.scalars))
            heard = block.slices(normed, normed, block.slices.connect(normed, normed)).scalars
            x = points.scalars + heard
            points = points.with_features(scalars=x + block.hidden(block.norm_hidden(x)))
        out = made.head(made.norm_out(points.scalars))
    assert (found.scalars - out[:, : PORTS.scalars_out]).abs().max() < 1e-12


def test_the_graded_measure_gives_every_decade_of_the_wall_distance_a_share():
    """On a line away from a wall, with dx / (d + 0.01) each decade above 0.01 gets about the same; with dx the last decade gets nearly all."""
    distance = torch.cat([10 ** torch.linspace(-3, 0, 4000, dtype=torch.float64)])
    pos = torch.stack([distance, torch.zeros_like(distance)], dim=1)
    weight = torch.gradient(distance)[0] * distance  # of an area whose width grows with the distance
    scalars = torch.zeros(len(pos), 8, dtype=torch.float64)  # closest point at the origin
    cloud = PointSet(pos, scalars, weight=weight)
    shares = {}
    for graded in (True, False):
        measure = model(graded=graded).connect(cloud, cloud)["measure"].weight
        shares[graded] = [float(measure[(distance >= low) & (distance < 10 * low)].sum() / measure.sum()) for low in (0.01, 0.1)]
    assert shares[True][0] > 0.2 and 0.25 < shares[True][0] / shares[True][1] < 1
    assert shares[False][0] < 0.02


def test_the_measure_matters_and_is_graded_around_bodies_only_by_default():
    assert not Transolver(PORTS, 16).graded and Transolver(replace(PORTS, body=True), 16).graded
    case = sample(80, 1)
    assert difference(run(model(graded=True), *case), run(model(graded=False), *case)) > 1e-4


@pytest.mark.parametrize("depth", [1, 3])
def test_the_latent_state_does_not_grow_with_the_cloud(depth):
    made = model(depth=depth)
    sizes = []
    for n in (60, 240):
        given, conditions, _ = sample(n, 1)
        with torch.no_grad():
            latents = made.encode(made.prepare(given), conditions).latents
        sizes.append({name: tuple(points.scalars.shape) for name, points in latents.items()})
    assert sizes[0] == sizes[1] and len(sizes[0]) == depth
