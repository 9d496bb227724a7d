"""What the geometric neural operator knows of a boundary: curvature and the Laplace-Beltrami operator, on a ring of points and in 3-D."""

import pytest
import torch

from geoop.graph.geometry import Geometry, Queries
from geoop.graph.pointset import Inputs, PointSet
from geoop.graph.segment import weighted_sum
from geoop.models.gnp import GeometricNeuralOperator
from geoop.models.ports import Ports

SMALL = {"depth": 2, "tokens": 24, "gains": 8, "neighbours": 6, "near": 4, "heads": 2}


def circle(n: int, radius: float) -> PointSet:
    t = 2 * torch.pi * torch.arange(n, dtype=torch.float64) / n
    normal = torch.stack([t.cos(), t.sin()], 1)
    return PointSet(radius * normal, t[:, None][:, :0], normal[:, None], torch.full((n,), 2 * torch.pi * radius / n, dtype=torch.float64))


def sphere(n: int, radius: float) -> PointSet:
    i = torch.arange(n, dtype=torch.float64) + 0.5
    z, turn = 1 - 2 * i / n, i * torch.pi * (1 + 5**0.5)
    r = (1 - z * z).sqrt()
    normal = torch.stack([r * turn.cos(), r * turn.sin(), z], 1)
    return PointSet(radius * normal, z[:, None][:, :0], normal[:, None], torch.full((n,), 4 * torch.pi * radius**2 / n, dtype=torch.float64))


def on_itself(surface: PointSet) -> Geometry:
    """A cloud that is its own boundary; facets do not matter here."""
    n, d = len(surface), surface.dimension
    at = surface.with_features(scalars=torch.zeros(n, 1, dtype=torch.float64))
    own = torch.arange(n)[:, None].expand(n, d)
    share = torch.eye(d, dtype=torch.float64)[:1].expand(n, d)
    return Geometry(surface, own[:0].clone(), torch.tensor([0, 0]), Queries(at, own.clone(), share.clone()))


@pytest.mark.parametrize(("make", "radius", "power"), [(circle, 0.25, 1), (circle, 0.5, 1), (sphere, 0.5, 2)])
def test_it_knows_curvature_and_the_laplacian_of_its_boundary(make, radius, power):
    surface = make(150 if make is circle else 800, radius)
    model = GeometricNeuralOperator(Ports(dimension=surface.dimension, body=True), 8, **SMALL).double()
    prepared = model.prepare(on_itself(surface))
    wall = prepared.hierarchy("wall")
    known = wall.points["vertices"].scalars
    assert torch.allclose((3 * known[:, 0]).sinh(), torch.full((len(surface),), 1 / radius, dtype=torch.float64), rtol=0.05)
    laplacian = weighted_sum(surface.pos[:, 0], wall.graphs["laplacian"], wall.points["entries"].scalars[:, 0])
    size = surface.weight ** (1 / (surface.dimension - 1))
    exact = -power * surface.pos[:, 0] / radius**2  # first harmonics
    assert float((laplacian / size**2 - exact).norm() / exact.norm()) < 0.05


def test_a_boundary_alone_in_two_and_three_dimensions():
    for surface in (circle(60, 0.4), sphere(120, 0.4)):
        ports = Ports(dimension=surface.dimension, scalars_out=2, vectors_out=1, body=True)
        torch.manual_seed(0)
        model, given = GeometricNeuralOperator(ports, 8, **SMALL).double(), on_itself(surface)
        none = Inputs(torch.zeros(1, 0), torch.zeros(1, 0, surface.dimension))
        assert given.domain is not None
        with torch.no_grad():
            out = model(model.prepare(given), none, given.domain)
        assert torch.isfinite(out.scalars).all() and out.vectors.shape == (len(surface), 1, surface.dimension)


def test_curvature_of_the_boundary_matters():
    """The same vertices with normals turned round: another sign of the curvature, another answer."""
    surface = circle(60, 0.4)
    ports = Ports(body=True)
    torch.manual_seed(0)
    model = GeometricNeuralOperator(ports, 8, **SMALL).double()
    given = on_itself(surface)
    none = Inputs(torch.zeros(1, 0), torch.zeros(1, 0, 2))
    prepared = model.prepare(given)
    with torch.no_grad():
        expected = model(prepared, none, given.domain).scalars
        wall = prepared.hierarchy("wall").points["vertices"]
        wall.scalars[:, :4] *= -1
        assert (model(prepared, none, given.domain).scalars - expected).abs().max() > 1e-4
