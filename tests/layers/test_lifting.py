"""Lifting of boundary data: exact on facets, bounded, unit slope, finite gradients, in 2-D and 3-D."""

import pytest
import torch

from geoop.errors import ConfigurationError
from geoop.graph.graph import Graph
from geoop.graph.pointset import Inputs, PointSet
from geoop.layers.lifting import DirichletData, extend, facet_integrals


def ring(n: int, radius: float = 0.5) -> tuple[PointSet, Graph]:
    """Uneven vertices of a circle and its segments."""
    t = 2 * torch.pi * torch.arange(n, dtype=torch.float64) / n
    t = t + 0.5 * torch.sin(t)
    pos = radius * torch.stack([t.cos(), t.sin()], 1)
    return PointSet(pos, torch.stack([(3 * pos[:, 0]).sin(), pos[:, 1]], 1)), edges(torch.stack([torch.arange(n), (torch.arange(n) + 1) % n], 1), n)


def cube() -> tuple[PointSet, Graph]:
    """The 12 triangles of a cube with edge 1."""
    pos = torch.cartesian_prod(*[torch.tensor([-0.5, 0.5], dtype=torch.float64)] * 3)
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    facets = torch.tensor([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))])
    return PointSet(pos, pos @ torch.tensor([[1.0], [2.0], [-3.0]], dtype=torch.float64) + 0.3), edges(facets, 8)


def edges(facets: torch.Tensor, vertices: int) -> Graph:
    return Graph(facets.reshape(-1), torch.arange(facets.numel()) // facets.shape[1], vertices, len(facets))


def ptr(n: int) -> torch.Tensor:
    return torch.tensor([0, n])


@pytest.mark.parametrize("make", [lambda: ring(60), cube])
def test_on_the_boundary_the_extension_is_the_data_and_the_distance_is_zero(make):
    boundary, facets = make()
    d = boundary.dimension
    corners = facets.source.view(-1, d)
    share = torch.distributions.Dirichlet(torch.ones(d, dtype=torch.float64)).sample((len(corners),))
    for weight in (share, torch.eye(d, dtype=torch.float64)[torch.zeros(len(corners), dtype=torch.long)]):  # anywhere on the facets, and at vertices
        pos = (boundary.pos[corners] * weight[:, :, None]).sum(1)
        exact = (boundary.scalars[corners] * weight[:, :, None]).sum(1)
        values, distance = extend(pos, ptr(len(pos)), boundary, facets)
        assert (values - exact).abs().max() < 1e-13
        assert distance.abs().max() < 1e-14


@pytest.mark.parametrize("make", [lambda: ring(60), cube])
def test_values_stay_within_the_data_inside_outside_and_far_away(make):
    boundary, facets = make()
    pos = 3 * torch.randn(500, boundary.dimension, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    values, distance = extend(pos, ptr(500), boundary, facets)
    assert (values <= boundary.scalars.amax(0) + 1e-12).all() and (values >= boundary.scalars.amin(0) - 1e-12).all()
    assert (distance > 0).all() and torch.isfinite(distance).all()


@pytest.mark.parametrize(("make", "normal"), [(lambda: ring(400), [1.0, 0.0]), (cube, [0.0, 0.0, 1.0])])
def test_the_distance_has_unit_slope_whatever_the_size_of_facets(make, normal):
    """phi(h) / h -> 1; the segment at the right end of the ring is 6 times as long as at the left."""
    boundary, facets = make()
    d = boundary.dimension
    out = torch.tensor(normal, dtype=torch.float64)
    for side in (1, -1):
        foot = side * 0.5 * out + 0.05 * torch.tensor([0.0, 0.0] if len(normal) == 2 else [1.0, 0.3, 0.0], dtype=torch.float64)
        for step in (1e-2, 1e-3, 1e-4):
            _, distance = extend((foot - side * step * out)[None], ptr(1), boundary, facets)
            # the polygon cuts the circle: its distance differs from the step where the step is not larger than the cut
            if d == 3 or step > 1e-3:
                assert abs(float(distance) / step - 1) < 0.05


def test_integrals_over_facets_against_quadrature():
    g = torch.Generator().manual_seed(3)
    for d in (2, 3):
        corners = torch.randn(4, d, d, generator=g, dtype=torch.float64)
        x = torch.randn(5, d, generator=g, dtype=torch.float64) * 2
        n = 400
        s = (torch.arange(n, dtype=torch.float64) + 0.5) / n
        if d == 2:
            share = torch.stack([1 - s, s], 1)
            measure = (corners[:, 1] - corners[:, 0]).norm(dim=1)
            weight = torch.full((n,), 1 / n, dtype=torch.float64)
        else:
            a, b = torch.meshgrid(s, s, indexing="ij")
            share = torch.stack([1 - a, a * (1 - b), a * b], 2).reshape(-1, 3)  # square to triangle, jacobian 2 a
            weight = (2 * a / n**2).reshape(-1)
            measure = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]).norm(dim=1) / 2
        places = torch.einsum("qk,mkd->mqd", share, corners)
        kernel = (x[:, None, None] - places[None]).norm(dim=3) ** -3
        exact = (kernel * weight).sum(2) * measure
        found, nearest = facet_integrals(x, corners)
        assert torch.allclose(found, exact, rtol=1e-3)
        foot = torch.einsum("nmk,mkd->nmd", nearest, corners)
        shortest = (x[:, None, None] - places[None]).norm(dim=3).amin(2)
        assert torch.allclose((foot - x[:, None]).norm(dim=2), shortest, rtol=1e-2)


@pytest.mark.parametrize("make", [lambda: ring(20), cube])
def test_gradients_are_right_inside_and_finite_on_the_boundary(make):
    boundary, facets = make()
    pos = 0.2 * torch.randn(6, boundary.dimension, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    pos.requires_grad_()
    data = boundary.scalars.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda x, u: extend(x, ptr(len(x)), boundary.with_features(scalars=u), facets), (pos, data), fast_mode=True)
    edge = (0.5 * (boundary.pos[facets.source[0]] + boundary.pos[facets.source[1]]))[None].clone().requires_grad_()
    at = torch.cat([edge, boundary.pos[:3], pos.detach()])
    values, distance = extend(at, ptr(len(at)), boundary, facets)
    (values.sum() + distance.sum()).backward()
    assert torch.isfinite(edge.grad).all()


def test_samples_do_not_mix_and_one_without_facets_is_free():
    one, facets = ring(30)
    two, more = ring(17, 0.3)
    pos = 0.2 * torch.randn(9, 2, dtype=torch.float64)
    both = extend(pos, torch.tensor([0, 4, 9]), PointSet.concatenate([one, two]), Graph.concatenate([facets, more]))
    for k in (0, 1):
        parts = torch.cat([extend(pos[:4], ptr(4), one, facets)[k], extend(pos[4:], ptr(5), two, more)[k]])
        assert torch.allclose(both[k], parts, atol=1e-14)
    none = Graph.unconnected(30, 0)
    values, distance = extend(pos, ptr(9), one, none)
    assert (values == 0).all() and torch.isinf(distance).all()


def test_units_of_the_data_and_the_choice_of_fields():
    surface, _ = ring(12)
    given = Inputs(torch.zeros(1, 0), torch.zeros(1, 0, 2), {"wall": surface})
    data = DirichletData("wall", 2, 2).double()
    assert torch.equal(data(given, surface).scalars, surface.scalars)
    data.fit_units([(3.0, 2.0, None), (-1.0, 0.5, None)], (4.0, 5.0))
    real = 5 * surface.scalars + 4
    assert torch.allclose(data(given, surface).scalars * torch.tensor([2.0, 0.5]) + torch.tensor([3.0, -1.0]), real)
    zero = DirichletData(None, 1, 2).double()
    zero.fit_units([(0.5, 2.0, None)], (4.0, 5.0))
    assert (zero(given, surface).scalars == -0.25).all()


def test_velocities_have_lost_the_free_stream():
    """No slip at a wall in a stream: the perturbation is minus the stream, sample by sample."""
    surface, _ = ring(12)
    both = PointSet.concatenate([surface, surface])
    stream = torch.tensor([[[0.8, 0.6]], [[1.0, 0.0]]], dtype=torch.float64)
    data = DirichletData(None, 2, 2).double()
    data.fit_units([(0.0, 0.5, 0), (0.0, 0.5, 1)], (0.0, 1.0))
    real = 0.5 * data(Inputs(torch.zeros(2, 0), stream), both).scalars + stream[both.batch, 0]
    assert real.abs().max() < 1e-15


def test_the_choice_of_fields():
    assert DirichletData.chosen(None, None, 3, ()) == [0, 1, 2] and DirichletData.chosen([2, 0], "wall", 3, (("wall", 2),)) == [0, 2]
    with pytest.raises(ConfigurationError, match="fields"):
        DirichletData.chosen([3], None, 3, ())
    with pytest.raises(ConfigurationError, match="boundary values of 3 fields"):
        DirichletData.chosen(None, "wall", 3, (("wall", 2),))
