"""What follows from velocity and pressure, on fields that the elements hold exactly."""

import numpy as np
import pytest
from test_taylor_hood import square

from geoop.fem import flow_fields
from geoop.fem.domain import Domain
from geoop.fem.taylor_hood import TaylorHood
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh


@pytest.fixture(scope="module")
def space():
    mesh = square(4)
    side = {"right": mesh.points[:, 0] > 1 - 1e-9, "top": mesh.points[:, 1] > 1 - 1e-9}
    lines = {name: np.flatnonzero(on)[np.argsort(mesh.points[on] @ [1, 2])] for name, on in side.items()}
    patches = {name: Cells.of(line3=np.stack([row[:-2:2], row[2::2], row[1::2]], axis=1)) for name, row in lines.items()}
    return TaylorHood(Domain.of(Mesh(mesh.points, mesh.cells, patches)))


def unknowns(space):
    """u = (x^2 + y, -2 x y), free of divergence; p = 1 + x - 3 y."""
    x, y = space.places.T
    return np.concatenate([x**2 + y, -2 * x * y, (1 + x - 3 * y)[: space.m]])


def test_values_between_the_nodes(space):
    points = np.random.default_rng(0).random((50, 2))
    velocity, pressure = flow_fields.evaluated(space, unknowns(space), points)
    x, y = points.T
    assert np.allclose(velocity, np.stack([x**2 + y, -2 * x * y], axis=1)) and np.allclose(pressure, 1 + x - 3 * y)
    assert np.allclose(flow_fields.at_nodes(space, unknowns(space)[2 * space.n :]), 1 + space.places @ [1, -3])
    assert np.isnan(flow_fields.evaluated(space, unknowns(space), np.array([[2.0, 2.0]]))[1]).all()


def test_vorticity_and_stream_function(space):
    """omega = -2 y - 1; psi = x^2 y + y^2/2, of which the elements hold the projection."""
    velocity = space.split(unknowns(space))[0]
    x, y = space.places.T
    assert np.allclose(flow_fields.vorticity(space, velocity), -2 * y - 1)
    psi = flow_fields.stream_function(space, np.stack([y, -x], axis=1))  # rigid rotation: quadratic
    exact = 0.5 * (x**2 + y**2)
    assert np.allclose(psi - psi[0], exact - exact[0], atol=1e-12)


def test_force_of_a_known_stress(space):
    """On x = 1 and y = 1 with the body outside: the integrals of p n and of -nu (grad u + grad u^T) n by hand."""
    nu = 0.7
    pressure, friction = flow_fields.surface_force(space, unknowns(space), nu, ("right",))
    assert np.allclose(pressure, [1 + 1 - 1.5, 0.0])  # mean of p on x = 1
    assert np.allclose(friction, [-nu * 2 * 2.0, -nu * (1 - 2 * 0.5)])  # 2 du/dx = 4 x; du/dy + dv/dx = 1 - 2 y
    pressure, friction = flow_fields.surface_force(space, unknowns(space), nu, ("top",))
    assert np.allclose(pressure, [0.0, 1 + 0.5 - 3])
    assert np.allclose(friction, [-nu * (1 - 2.0), -nu * 2 * (-2 * 0.5)])
