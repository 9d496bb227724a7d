"""RIGNO: masks on edges as regulariser and as ensemble, lead time, and clouds without a mesh."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from geoop.errors import ConfigurationError
from geoop.graph.geometry import Geometry, Queries
from geoop.graph.pointset import Inputs, PointSet
from geoop.models.mesh_graph_net import MeshGraphNet
from geoop.models.ports import Ports
from geoop.models.rigno import RIGNO

from .zoo import PORTS, ask, geometry, inputs

SMALL = {"width": 24, "edge_width": 16, "depth": 2}


def case(n: int = 120, seed: int = 1) -> tuple[Geometry, Inputs, Queries]:
    given = geometry(n, seed)
    return given, inputs(given, PORTS, seed), ask(given, 30, seed)


def model(**options) -> RIGNO:
    torch.manual_seed(0)
    return RIGNO(PORTS, **{**SMALL, **options}).double().eval()


def values(points: PointSet) -> torch.Tensor:
    return torch.cat([points.scalars, points.vectors.flatten(1)], dim=1)


def test_masks_act_in_training_only_and_repeat_with_the_seed():
    net, (given, conditions, queries) = model(), case()
    prepared = net.prepare(given)

    def run(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        with torch.no_grad():
            return values(net(prepared, conditions, queries))

    assert torch.equal(run(1), run(2))
    net.train()
    assert torch.equal(run(1), run(1)) and not torch.equal(run(1), run(2))
    net.mask = 0.0
    trained_without = run(1)
    net.eval()
    assert torch.equal(trained_without, run(1))


def test_half_of_the_edges_are_left_out():
    net, (given, _, _) = model(), case(400)
    prepared = net.prepare(given)
    thinned = net.masked(prepared, 7)
    for name in ("encode", "mesh"):
        assert abs(thinned.graph(name).n_edges / prepared.graph(name).n_edges - 0.5) < 0.1
        assert len(thinned.points(f"{name}_edges")) == thinned.graph(name).n_edges
        assert int(thinned.graph(name).degree.min()) >= 1


def test_an_ensemble_is_repeatable_near_the_unmasked_answer_and_the_same_in_parts():
    net, (given, conditions, queries) = model(), case()
    prepared = net.prepare(given)
    mean, spread = net.ensemble(prepared, conditions, queries, members=24, seed=5)
    again, _ = net.ensemble(prepared, conditions, queries, members=24, seed=5)
    other, _ = net.ensemble(prepared, conditions, queries, members=24, seed=6)
    assert torch.equal(values(mean), values(again)) and not torch.equal(values(mean), values(other))
    with torch.no_grad():
        unmasked = values(net(prepared, conditions, queries))
    off, size = (values(mean) - unmasked).square().mean().sqrt(), values(spread).square().mean().sqrt()
    assert 0 < size and off < 0.7 * size, f"the mean is off by {float(off):.2e}, the spread is {float(size):.2e}"
    part = torch.arange(0, len(queries), 3)
    few, _ = net.ensemble(prepared, conditions, queries.take(part), members=24, seed=5)
    assert torch.allclose(values(few), values(mean)[part], rtol=0, atol=1e-12)


def test_less_masking_spreads_less():
    given, conditions, queries = case()
    sizes = []
    for mask in (0.1, 0.5, 0.8):
        net = model(mask=mask)
        sizes.append(float(values(net.ensemble(net.prepare(given), conditions, queries, members=12)[1]).mean()))
    assert sizes[0] < sizes[1] < sizes[2]


def test_an_ensemble_of_one_or_without_masks_is_refused():
    net, (given, conditions, queries) = model(mask=0.0), case()
    with pytest.raises(ConfigurationError, match="mask=0.0"):
        net.ensemble(net.prepare(given), conditions, queries)
    with pytest.raises(ConfigurationError, match="lead_time=1 of 1"):
        model(lead_time=1)


def test_the_lead_time_reaches_every_norm():
    net, (given, _, _) = model(lead_time=0, mask=0.0), case()
    assert sum(parameter.numel() for name, parameter in net.named_parameters() if ".time." in name) > 0
    prepared = net.prepare(given)
    for name, parameter in net.named_parameters():
        if ".time." in name:
            torch.nn.init.normal_(parameter, std=0.5)
    nodes = prepared.points("regional").with_features(scalars=torch.randn(len(prepared.points("regional")), 24, dtype=torch.float64))
    graph, edges = prepared.graph("mesh"), prepared.points("mesh_edges")
    with torch.no_grad():
        early, late = (net.processor(nodes, nodes, graph, edges, torch.full((1, 1), t, dtype=torch.float64)).scalars for t in (0.0, 1.0))
    assert ((early - late).abs().amax(dim=1) > 1e-6).all()


def test_every_point_is_heard_by_a_regional_node_and_every_region_hears():
    net, (given, _, _) = model(), case(500)
    prepared = net.prepare(given)
    heard = prepared.graph("encode")
    assert len(torch.unique(heard.source)) == len(prepared.domain) and int(heard.degree.min()) >= 1
    assert abs(len(prepared.points("regional")) / len(prepared.domain) - 0.25) < 0.01
    assert torch.isclose(prepared.points("regional").weight.sum(), prepared.domain.weight.sum())


def test_the_field_is_continuous_where_regions_end():
    net, (given, conditions, _) = model(), case()
    state = net.encode(net.prepare(given), conditions)
    assert given.domain is not None
    line = given.domain.take(torch.full((2001,), 60))
    ends = given.domain.points.pos[[60, 95]]
    pos = ends[0] + torch.linspace(0, 1, 2001, dtype=torch.float64)[:, None] * (ends[1] - ends[0])
    places = net._placed(line, given.surface)
    with torch.no_grad():  # the same features everywhere: what is left is how the nodes are read
        asked = replace(places, pos=pos, scalars=net.ask(net._known(places, conditions)))
        step = net.read(state, asked).diff(dim=0).norm(dim=1)
    assert step.max() < 12 * step.mean()


@pytest.mark.parametrize("kind", [RIGNO, MeshGraphNet])
@pytest.mark.parametrize("what", ["ring", "line", "space"])
def test_clouds_without_triangles(kind, what):
    torch.manual_seed(0)
    d = 3 if what == "space" else 2
    ports = Ports(dimension=d, scalars_out=1, body=True)
    g = torch.Generator().manual_seed(0)
    if what == "line":
        pos = torch.stack([torch.linspace(-0.5, 0.5, 30, dtype=torch.float64), torch.zeros(30, dtype=torch.float64)], 1)
        normal = torch.tensor([[0.0, 1.0]], dtype=torch.float64).expand(30, 2)
    else:
        normal = torch.nn.functional.normalize(torch.randn(200, d, generator=g, dtype=torch.float64), dim=1)
        normal = normal[normal[:, 1].argsort()]
        pos = 0.5 * normal
    n = len(pos)
    surface = PointSet(pos, None, normal[:, None], torch.full((n,), 3 / n, dtype=torch.float64))
    anchor = torch.stack([(torch.arange(n) + i) % n for i in range(d)], 1)
    share = torch.nn.functional.one_hot(torch.zeros(n, dtype=torch.int64), d).double()
    domain = Queries(PointSet(pos, torch.zeros(n, 1, dtype=torch.float64), normal[:, None], surface.weight), anchor, share)
    given = Geometry(surface, anchor, torch.tensor([0, n]), domain)
    net = kind(ports, width=16, edge_width=8).double().eval()
    prepared = net.prepare(given)
    with torch.no_grad():
        out = net(prepared, Inputs(torch.zeros(1, 0).double(), torch.zeros(1, 0, d).double()), domain)
    assert torch.isfinite(out.scalars).all() and len(out) == n
    mesh = prepared.graph("mesh")
    assert int(mesh.degree.min()) >= 1
