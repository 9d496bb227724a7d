"""Gradients of decoded fields by position, by autograd through every model of the zoo, against differences of new searches."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import torch

from geoop.train.losses import position_gradient

from .zoo import BARE, PORTS, Entry, ask, geometry, inputs, queries_at

ZOO: dict[str, Entry] = {}
for _path in sorted(Path(__file__).parent.glob("zoo_*.py")):
    ZOO |= importlib.import_module(f"{__package__}.{_path.stem}").ENTRIES


@pytest.mark.parametrize("ports", [BARE, PORTS], ids=["bare", "with conditions and functions"])
@pytest.mark.parametrize("name", ZOO)
def test_the_position_gradient_is_that_of_the_field(name, ports):
    """At all but the few places where a neighbour or the closest facet changes within the step of the differences."""
    torch.manual_seed(0)
    model, given = ZOO[name].make(ports).double().eval(), geometry(200, 0, vertices=24)
    with torch.no_grad():
        latent = model.encode(model.prepare(given), inputs(given, ports, 0))
    queries = ask(given, 20, 1).take(torch.arange(19))  # the last one lies on the boundary
    _, found = position_gradient(lambda q: model.field(latent, q), queries, given.surface.pos)
    step = 1e-6 * torch.eye(2, dtype=torch.float64)
    with torch.no_grad():
        sides = [[model.field(latent, queries_at(queries.points.pos + sign * e, given.surface)).scalars for sign in (1, -1)] for e in step]
    expected = torch.stack([(ahead - behind) / 2e-6 for ahead, behind in sides], dim=2)
    error = (found.detach()[:, : expected.shape[1]] - expected).abs().amax(dim=(1, 2)) / expected.abs().amax(dim=(1, 2)).median()
    assert float((error < 1e-4).double().mean()) > 0.9
