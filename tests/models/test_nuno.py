"""NUNO: boxes that tell each other what they know."""

from __future__ import annotations

import torch

from geoop.graph.boxes import Boxes
from geoop.graph.lattice import Chart
from geoop.graph.segment import weighted_sum
from geoop.models.nuno import NUNO

from .test_gino import along, encoded
from .zoo import PORTS, geometry


def prepared(overlap: float):
    model = NUNO(PORTS, 8, levels=3, resolution=5, modes=2, rank=4, depth=1, overlap=overlap).double()
    return model, model.prepare(geometry(300, 2))


def node_places(given) -> torch.Tensor:
    """(k m, d) coordinates of all nodes of all boxes in the cube."""
    boxes = Boxes.read(given.points("cuts"), given.points("leaves"))
    nodes = given.points("lattice").pos.reshape(8, -1, 2)
    return boxes.spread(nodes[0]).flatten(0, 1)


def test_the_exchange_keeps_linear_functions_and_is_the_identity_where_a_node_lies_in_one_box_alone():
    for overlap in (0.0, 0.3):
        _, given = prepared(overlap)
        graph, share = given.graph("blend"), given.points("share").weight
        boxes = Boxes.read(given.points("cuts"), given.points("leaves"))
        pos = node_places(given)
        linear = torch.cat([pos, torch.ones(len(pos), 1, dtype=torch.float64)], dim=1)
        assert float((weighted_sum(linear, graph, share) - linear).abs().max()) < 1e-9
        own = torch.arange(8).repeat_interleave(len(pos) // 8)
        weight = boxes.weights(pos, torch.zeros(len(pos), dtype=torch.int64))
        alone = weight.gather(1, own[:, None])[:, 0] == 1
        assert 0.1 < float(alone.double().mean()) < 1
        noise = torch.randn(len(pos), 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        change = (weighted_sum(noise, graph, share) - noise).abs()[:, 0]
        assert float(change[alone].max()) < 1e-9 and float(change[~alone].max()) > 0.1


def test_the_exchange_makes_boxes_agree_where_they_overlap():
    """Two boxes that say different things end up closer: their blends differ by less than they did."""
    _, given = prepared(0.3)
    graph, share = given.graph("blend"), given.points("share").weight
    boxes = Boxes.read(given.points("cuts"), given.points("leaves"))
    pos = node_places(given)
    values = torch.arange(8, dtype=torch.float64).repeat_interleave(len(pos) // 8)[:, None]
    blended = weighted_sum(values, graph, share)
    weight = boxes.weights(pos, torch.zeros(len(pos), dtype=torch.int64))
    expected = weight @ torch.arange(8, dtype=torch.float64)
    assert float((blended[:, 0] - expected).abs().max()) < 1e-9  # one function of the place, whichever box asks


def test_the_field_jumps_at_no_border_and_does_without_overlap():
    """Jump across every cut, against a step of the same length elsewhere."""
    ratios = {}
    for name in ("NUNO", "NUNO, seams"):
        model, state = encoded(name)
        boxes = Boxes.read(state.prepared.points("cuts"), state.prepared.points("leaves"))
        chart, step, jumps, elsewhere = Chart.read(state.prepared.points("chart")), 1e-7, [], []
        for number in range(7):
            axis = ((number + 1).bit_length() - 1) % 2
            across = torch.linspace(-0.4, 0.4, 41, dtype=torch.float64)
            for shift, found in ((0.0, jumps), (0.013, elsewhere)):
                sides = []
                for sign in (-1, 1):
                    place = torch.empty(len(across), 2, dtype=torch.float64)
                    place[:, axis], place[:, 1 - axis] = boxes.cut[0, number] + shift + sign * step, across
                    pos = chart.outside(place, torch.zeros(len(across), dtype=torch.int64))
                    with torch.no_grad():
                        sides.append(along(model, state, pos))
                found.append(float((sides[0] - sides[1]).abs().max()))
        ratios[name] = max(jumps) / max(elsewhere)
    assert ratios["NUNO"] < 3, ratios
    assert ratios["NUNO, seams"] > 1e3, ratios
