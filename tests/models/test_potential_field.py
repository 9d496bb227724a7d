"""Layer potentials around models on clouds: what they add, and what is refused."""

from dataclasses import replace

import pytest
import torch

from geoop.errors import ConfigurationError
from geoop.graph.geometry import Geometry
from geoop.models.ports import Ports
from geoop.models.potential_field import PotentialField

from .zoo import PORTS, ask, geometry, inputs


def model(densities: int = 4) -> PotentialField:
    torch.manual_seed(0)
    sizes = {"layers": 2, "rank": 4, "heads": 2}
    return PotentialField(PORTS, 16, inner="LowRankOperator", sizes=sizes, densities=densities).double().eval()


def test_far_away_nothing_but_the_potential_is_left_of_a_learned_remainder():
    """With the perceptrons' part taken away, a vector field is that of sources and vortices: it decays like one over the distance."""
    field, given = model(), geometry(60, 1)
    torch.nn.init.zeros_(field.vector_head.weight)
    torch.nn.init.zeros_(field.vector_head.bias)
    conditions, queries = inputs(given, PORTS, 1), ask(given, 24, 2)
    sizes = []
    for scale in (1e3, 1e4):
        far = replace(queries, points=replace(queries.points, pos=scale * torch.nn.functional.normalize(queries.points.pos, dim=1)))
        sizes.append(float(field(field.prepare(given), conditions, far).vectors.detach().norm(dim=2).mean()))
    assert sizes[0] / sizes[1] == pytest.approx(10, rel=0.02)


def test_the_order_of_the_facets_does_not_matter():
    field, given = model(), geometry(60, 1)
    conditions, queries = inputs(given, PORTS, 1), ask(given, 24, 2)
    order = torch.randperm(len(given.facets), generator=torch.Generator().manual_seed(0))
    other = Geometry(given.surface, given.facets[order], given.facet_ptr, given.domain)
    found, expected = (field(field.prepare(item), conditions, queries) for item in (other, given))
    torch.testing.assert_close(found.scalars, expected.scalars)
    torch.testing.assert_close(found.vectors, expected.vectors)


def test_bad_arguments_are_named():
    with pytest.raises(ConfigurationError, match="densities=0"):
        model(densities=0)
    with pytest.raises(ConfigurationError, match="in 3-D"):
        PotentialField(Ports(dimension=3), 16)
    with pytest.raises(ConfigurationError, match="reads no hidden features"):
        PotentialField(PORTS, 16, inner="DeepONet", sizes={"modes": 8})
