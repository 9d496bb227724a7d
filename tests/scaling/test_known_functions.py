"""What queries carry of the input functions: all that the mesh knows, and not only what the operator's points do."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from geoop.mesh.case import Case
from geoop.mesh.generate.disk import star
from geoop.mesh.generate.ogrid import ogrid
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import naca4
from geoop.mesh.quantity import Field, Quantity
from geoop.models.ports import Ports
from geoop.models.potential_field import PotentialField
from geoop.models.transolver import Transolver
from geoop.scaling.framing import Framing
from geoop.scaling.known_functions import KnownFunctions
from geoop.scaling.normaliser import Normaliser
from geoop.train.samples import FramedCase

SOURCE = Quantity("source", "f")


def case(k=0):
    mesh = star(10, lambda angle: 1.0 + 0.1 * np.cos((k + 2) * angle))
    rough = np.random.default_rng(k).standard_normal(len(mesh.points))
    edge = Field(Quantity("solution", "u"), np.array(0.5), "global")
    return Case(mesh, fields={"source": Field(SOURCE, rough)}, boundary={"boundary": {"solution": edge}}, name=f"case {k}")


def framed(inputs=("source",), points=64):
    one = case()
    framing = replace(Framing.fit([one, case(1)], inputs=inputs, domain_points=points), domain="mesh")
    return one, framing, framing.of(one)


def test_queries_at_points_of_the_mesh_know_exact_values():
    one, framing, seen = framed()
    assert len(seen.geometry.domain) < len(one.mesh.points) / 4
    queries = KnownFunctions.of(framing.functions, one, seen.frame).seen_by(seen.queries(one.mesh.points, framing.on_wall(one)))
    exact = framing.functions[0].standardised(one.field("source").values)
    np.testing.assert_allclose(queries.points.scalars[:, 1].numpy(), exact, atol=1e-4)
    assert (queries.points.scalars[:, 2] == 1).all()
    assert torch.equal(queries.points.scalars[:, :1], seen.queries(one.mesh.points, framing.on_wall(one)).points.scalars)


def test_points_of_the_mesh_are_looked_up_and_not_searched():
    """Wall points move to the resampled outline, and nodes may coincide: their own values still are theirs."""
    section = ogrid(naca4("2412"), n_wall=60, n_normal=8, outer_radius=3.0, first_height=1e-5)
    rough = Field(SOURCE, np.random.default_rng(3).standard_normal(len(section.points)))
    flow = Case(section, OperatingPoint(10.0), fields={"source": rough}, wall=("wall",))
    framing = Framing.fit([flow, flow], inputs=("source",), domain_points=64)
    seen = framing.of(flow)
    queries = seen.queries(section.points, framing.on_wall(flow))
    carried = KnownFunctions.of(framing.functions, flow, seen.frame).seen_by(queries, np.arange(len(section.points)))
    np.testing.assert_allclose(carried.points.scalars[:, 1].numpy(), framing.functions[0].standardised(rough.values), rtol=1e-6)


def test_nearness_falls_where_the_mesh_ends():
    one, framing, seen = framed()
    known = KnownFunctions.of(framing.functions, one, seen.frame)
    middles = 0.5 * (one.mesh.points[:50] + one.mesh.points[1:51])
    near, far = (known.seen_by(seen.queries(points)).points.scalars[:, 2] for points in (middles, one.mesh.points[:50] + 30.0))
    assert (near > 0.9).all() and (far < 0.01).all()


def test_boundary_values_lose_their_nearness_inside():
    one, framing, seen = framed(("boundary solution", "source"))
    known = KnownFunctions.of(framing.functions, one, seen.frame)
    carried = known.seen_by(seen.queries(np.array([[0.0, 0.0], [0.5, 0.0], [1.0999, 0.0]]))).points.scalars
    assert carried.shape == (3, 5), "distance, then value and nearness of 'boundary solution' and of 'source', in order of name"
    assert carried[0, 2] < carried[1, 2] < carried[2, 2] and (carried[:, 4] == 1).all()


def test_without_functions_queries_stay_as_they_are():
    one, framing, seen = framed(())
    queries = seen.queries(one.mesh.points)
    assert KnownFunctions.of(framing.functions, one, seen.frame).seen_by(queries) is queries


def test_following_keeps_what_queries_carry_and_says_where_it_is_known():
    one, framing, seen = framed()
    queries = KnownFunctions.of(framing.functions, one, seen.frame).seen_by(seen.queries(0.5 * one.mesh.points))
    moved = queries.following(queries.points.pos + 0.1, seen.geometry.surface.pos)
    assert queries.origin is None and torch.equal(moved.origin, queries.points.pos)
    assert moved.points.scalars.shape[1] == 3 and torch.equal(moved.points.scalars[:, 1:], queries.points.scalars[:, 1:])


@pytest.mark.parametrize("kind", [Transolver, PotentialField])
def test_a_model_sees_what_its_own_points_miss(kind):
    """Two sources that agree on the points of the operator and in the mean around them: the answers differ where the queries know better."""
    one, framing, seen = framed()
    torch.manual_seed(0)
    ports = Ports(scalars_out=1, surface_scalars=framing.surface_scalars, functions=(("source", 1),))
    model = kind(ports, 16, **({"slices": 4, "depth": 1} if kind is Transolver else {"sizes": {"slices": 4, "depth": 1}})).eval()
    values = np.array(one.field("source").values)
    cloud = framing.thinned(one)
    kept = cloud.number
    change = np.random.default_rng(9).standard_normal(len(values))
    change[kept] = 0
    others = np.where(np.isin(np.arange(len(values)), kept), 0.0, cloud.share)
    count = len(kept)
    excess = np.bincount(cloud.member, others * change, count) / np.maximum(np.bincount(cloud.member, others, count), 1e-30)
    other = values + np.where(others > 0, change - excess[cloud.member], 0.0)
    np.testing.assert_allclose(cloud.means(other[:, None]), cloud.means(values[:, None]), atol=1e-9)
    answers = []
    for source in (values, other):
        this = one.with_fields(Field(SOURCE, source))
        queries = KnownFunctions.of(framing.functions, this, seen.frame).seen_by(seen.queries(one.mesh.points, framing.on_wall(one)))
        latent = model.encode(model.prepare(seen.geometry), framing.inputs(this, seen))
        answers.append(model.field(latent, queries).scalars.detach()[:, 0].numpy())
    np.testing.assert_allclose(answers[0][kept], answers[1][kept], atol=1e-4)
    rest = np.setdiff1d(np.arange(len(values)), kept)
    assert np.abs(answers[0] - answers[1])[rest].max() > 1e-2


def test_samples_for_training_carry_them():
    one, framing, _ = framed(("boundary solution", "source"))
    solution = Quantity("solution", "u")
    one = one.with_fields(Field(solution, np.tanh(one.field("source").values)))
    frame = FramedCase.of(one, [solution], framing)
    sample = frame.sample(Normaliser.fit((solution,), [(frame.fields, frame.direction)]))
    exact = framing.functions[1].standardised(one.field("source").values)[frame.order]
    np.testing.assert_allclose(sample.queries.points.scalars[:, 3].numpy(), exact, atol=1e-4)
