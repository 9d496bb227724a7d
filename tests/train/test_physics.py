"""Training on residuals: no labels, and the finite-element solution comes out."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import nn

from geoop.errors import ConfigurationError, ShapeError
from geoop.fem.diffusion import Diffusion
from geoop.fem.nonlinear_diffusion import NonlinearDiffusion
from geoop.fem.residual import LinearResidual, NonlinearResidual
from geoop.graph.geometry import Queries
from geoop.graph.pointset import Inputs, PointSet
from geoop.mesh.generate.triangles import mesh_inside
from geoop.mesh.primitives import box, ring
from geoop.train.objectives import Supervised
from geoop.train.physics import Combined, PhysicsCase, PhysicsResidual

L_SHAPE = ring(np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.0], [0.0, 0.0], [0.0, 0.5], [-0.5, 0.5]]), "L")


def saddle(p):
    return p[:, 0] ** 2 - p[:, 1] ** 2


@dataclass
class Step:
    """What of a batch the objective reads."""

    cases: torch.Tensor
    inputs: Inputs


class Network(nn.Module):
    """A network of coordinates: knows nothing of any geometry."""

    def __init__(self, scalars=1, vectors=0, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.scalars, self.vectors = scalars, vectors
        self.net = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, scalars + 2 * vectors)).double()

    def forward(self, prepared, inputs, queries):
        out = self.net(queries.points.pos)
        vectors = out[:, self.scalars :].reshape(len(out), self.vectors, 2)
        return queries.points.with_features(out[:, : self.scalars], vectors)


def queries_at(points):
    """The network does not look at the wall, so what queries know of it may be anything."""
    pos = torch.tensor(points)
    points = PointSet(pos, pos[:, :1] * 0, pos[:, None] * 0)
    return Queries(points, torch.zeros(len(pos), 2, dtype=torch.int64), torch.full((len(pos), 2), 0.5, dtype=torch.float64))


def step(*cases):
    return Step(torch.tensor(cases), Inputs(torch.zeros(len(cases), 0, dtype=torch.float64), torch.zeros(len(cases), 0, 2, dtype=torch.float64)))


@pytest.fixture(scope="module")
def problem():
    return Diffusion(mesh_inside(L_SHAPE, size=0.12), degree=1, dirichlet=("boundary",))


def case(problem, **data):
    residual = LinearResidual.of(problem, 0.0, dirichlet={"boundary": saddle}, **data)
    return PhysicsCase(queries_at(problem.space.points), 3, residual)


def trained(objective, steps=120, seed=0, cases=(0,)):
    """By L-BFGS: few steps of a small network in double precision."""
    model = Network(seed=seed)
    search = torch.optim.LBFGS(model.parameters(), max_iter=steps, history_size=30, line_search_fn="strong_wolfe", tolerance_change=1e-12)

    def loss():
        search.zero_grad()
        value = objective.loss(model, None, step(*cases))
        value.backward()
        return value

    search.step(loss)
    return model


@dataclass(frozen=True)
class BoundaryOnly:
    """The control: the same network, steps and boundary data, and no equation."""

    item: PhysicsCase

    def loss(self, model, prepared, batch):
        return self.item.residual.boundary_error(model(prepared, batch.inputs, self.item.queries).scalars[:, 0])


def inner_error(model, item, exact):
    u = model(None, None, item.queries).scalars[:, 0].detach().double().numpy()
    free = item.residual.free.numpy()
    return np.linalg.norm((u - exact)[free]) / np.linalg.norm(exact[free])


@pytest.fixture(scope="module")
def control(problem):
    """Mean error inside of two networks that are trained on the boundary values alone."""
    return _mean_error(BoundaryOnly(case(problem)), problem)


def _mean_error(objective, problem):
    return np.mean([inner_error(trained(objective, seed=seed), case(problem), saddle(problem.space.points)) for seed in (0, 1)])


@pytest.mark.parametrize(("norm", "share"), [("dual", 0.5), ("diagonal", 0.75)])
def test_without_any_label_it_finds_the_harmonic_function(problem, control, norm, share):
    """Boundary values of x^2 - y^2 on an L: the residual makes the inside right.

    The control fits the boundary as long, and is not bad inside, for x^2 - y^2 is smooth and so are small networks: mean errors are
    0.013 (dual), 0.021 (diagonal) and 0.036 (control); the finite-element solution itself has 0.004.
    """
    found = _mean_error(PhysicsResidual([case(problem)], norm=norm), problem)
    assert found < 0.03 and found < share * control


def test_the_loss_is_the_relative_energy_error_against_the_solution(problem):
    """Known without the solution: half of the solution leaves half the residual."""
    item = case(problem)
    solution = torch.from_numpy(problem.solve(0.0, dirichlet={"boundary": saddle}))
    lift = item.residual.hold(torch.zeros(item.residual.n))

    class Halfway(nn.Module):
        def forward(self, prepared, inputs, queries):
            return queries.points.with_features(scalars=(0.5 * (solution + lift))[:, None])

    objective = PhysicsResidual([item], boundary=0.0)
    assert float(objective.loss(Halfway(), None, step(0))) == pytest.approx(0.5, rel=1e-6)
    assert float(PhysicsResidual([item], boundary=2.0).loss(Halfway(), None, step(0))) == pytest.approx(0.5, rel=1e-6)  # data are met


def test_a_batch_is_the_mean_of_its_cases(problem):
    other = Diffusion(mesh_inside(L_SHAPE, size=0.25), degree=2, dirichlet=("boundary",))
    items = [case(problem), case(other)]
    model, objective = Network(), PhysicsResidual(items)
    one, two, both = (objective.loss(model, None, step(*numbers)).detach() for numbers in ((0,), (1,), (1, 0)))
    assert float(both) == pytest.approx(0.5 * float(one + two), rel=1e-9)


def test_standardised_outputs_are_scaled_back(problem):
    item, model = case(problem), Network()
    scaled = replace(item, scale=2.0, shift=0.3)

    class Outer(nn.Module):
        def forward(self, prepared, inputs, queries):
            found = model(prepared, inputs, queries)
            return found.with_features(scalars=0.3 + 2.0 * found.scalars)

    a, b = (PhysicsResidual([given]).loss(net, None, step(0)).detach() for given, net in ((scaled, model), (item, Outer())))
    assert float(a) == pytest.approx(float(b), rel=1e-5)


def test_neumann_data_are_learned_from_the_load():
    """No flux above and below, u = 0 on the left, du/dn = 1 on the right: u = x + 1/2, and only the load knows it."""
    problem = Diffusion(mesh_inside(box((-0.5, -0.5), (0.5, 0.5)), size=0.15), degree=1, dirichlet=("x_min",))
    exact = problem.space.points[:, 0] + 0.5
    items = [PhysicsCase(queries_at(problem.space.points), 3, LinearResidual.of(problem, neumann={"x_max": flux})) for flux in (1.0, 0.0)]
    with_flux, without = (inner_error(trained(PhysicsResidual([item])), item, exact) for item in items)
    assert with_flux < 0.03 and without > 0.5  # the control: the same problem without the flux


def test_a_nonlinear_equation_is_learned_too():
    """-div((1 + u^2) grad u) = 1 with u = 2 x on the boundary, against Newton's solution."""
    problem = NonlinearDiffusion(mesh_inside(L_SHAPE, size=0.15), lambda u: 1 + u**2, lambda u: 2 * u, degree=1)
    data = {"dirichlet": {"boundary": lambda p: 2 * p[:, 0]}}
    exact, _ = problem.solve(1.0, **data)
    item = PhysicsCase(queries_at(problem.space.points), 3, NonlinearResidual(problem, 1.0, **data))
    assert inner_error(trained(PhysicsResidual([item])), item, exact) < 0.05


def test_elastic_unknowns_are_components_of_a_vector(problem):
    """The order of unknowns is component by component of every node."""
    from scipy.sparse import identity, kron

    n = problem.space.n
    matrix = kron(problem.matrix, identity(2)).tocsr() + 1e-3 * identity(2 * n)
    residual = LinearResidual(matrix, np.arange(2.0 * n), fixed=np.zeros(0, dtype=int), values=np.zeros(0))
    item = PhysicsCase(queries_at(problem.space.points), 3, residual)
    model = Network(scalars=0, vectors=1)
    u = model(None, None, item.queries).vectors.reshape(-1).double()
    found = PhysicsResidual([item], boundary=0.0).loss(model, None, step(0)).detach()
    assert float(found) == pytest.approx(float(residual.relative(u.detach())), rel=1e-6)


def test_a_sum_of_objectives_is_the_weighted_sum_and_validates_by_labels(problem):
    item, model = case(problem), Network()
    physics, edge = PhysicsResidual([item]), BoundaryOnly(item)
    both = Combined([(1.0, physics), (0.5, edge), (0.0, None)], validation=Supervised(wall=0.25))
    parts = [float(term.loss(model, None, step(0)).detach()) for term in (physics, edge)]
    assert float(both.loss(model, None, step(0)).detach()) == pytest.approx(parts[0] + 0.5 * parts[1], rel=1e-9)
    assert both.wall == 0.25


def test_what_cannot_be_trained_on_is_refused(problem):
    item = case(problem)
    with pytest.raises(ConfigurationError, match="neither held nor penalised"):
        PhysicsResidual([item], hold=False, boundary=0.0)
    with pytest.raises(ShapeError, match="queries for"):
        PhysicsCase(queries_at(problem.space.points[:5]), 3, item.residual)
    with pytest.raises(ConfigurationError, match="weights"):
        Combined([])
