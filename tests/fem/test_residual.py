"""Residuals of finite elements as tensors: zero at the solution, right gradients, norms that are what they say."""

import numpy as np
import pytest
import torch
from fem_shapes import cube, square

from geoop.errors import ConfigurationError, FieldError, ShapeError
from geoop.fem.diffusion import Diffusion
from geoop.fem.elastic_laws import LinearElastic
from geoop.fem.integrals import h1_error
from geoop.fem.nonlinear_diffusion import NonlinearDiffusion
from geoop.fem.residual import LinearResidual, NonlinearResidual
from geoop.fem.space import Space
from geoop.fem.sparse_tensor import SparseTensor, gradient, gradient_matrices, value_matrix
from geoop.truth.elasticity.linear import LinearElasticity
from geoop.truth.elasticity.loads import Loads, held, load_vector

NAMES = ("diffusion", "mixed", "robin", "solid", "nonlinear", "nonlinear P2")


def law(u):
    return 1.0 + u**2


def slope(u):
    return 2.0 * u


def source(p):
    return 5.0 * np.sin(3 * p[:, 0]) + p[:, 1]


def saddle(p):
    return p[:, 0] ** 2 - p[:, 1] ** 2


def made(name):
    """A residual and the finite-element solution of the same data."""
    if name == "solid":
        problem = Diffusion(cube(3), degree=1, dirichlet=("x_min", "x_max"))
        data = {"dirichlet": {"x_max": 1.0}}
        return LinearResidual.of(problem, source, **data), problem.solve(source, **data)
    mesh = square(5, seed=1)
    if name.startswith("nonlinear"):
        problem = NonlinearDiffusion(mesh, law, slope, degree=2 if name.endswith("P2") else 1, dirichlet=("left", "right"))
        data = {"dirichlet": {"right": saddle}, "neumann": {"top": 0.7}}
        return NonlinearResidual(problem, source, **data), problem.solve(source, **data)[0]
    if name == "diffusion":
        problem = Diffusion(mesh, conductivity=lambda p: 1 + p[:, 0], degree=2, dirichlet=("boundary",))
        data = {"dirichlet": {"boundary": saddle}}
    elif name == "mixed":
        problem = Diffusion(mesh, reaction=2.0, degree=1, dirichlet=("left",))
        data = {"dirichlet": {"left": 1.0}, "neumann": {"right": saddle}}
    else:
        problem = Diffusion(mesh, degree=1, robin={"left": 2.0, "top": 1.0})
        data = {"neumann": {"right": 1.0}, "ambient": {"top": 3.0}}
    return LinearResidual.of(problem, source, **data), problem.solve(source, **data)


@pytest.mark.parametrize("name", NAMES)
def test_the_solution_leaves_nothing_and_anything_else_does(name):
    residual, u = made(name)
    u = torch.from_numpy(u)
    size = float(residual(residual.hold(torch.zeros(residual.n))).norm())
    assert float(residual(u).norm()) < 1e-9 * size
    assert float(residual.relative(u)) < 1e-8 and float(residual.boundary_error(u)) < 1e-12
    assert float(residual(u + 0.01 * torch.randn(residual.n, dtype=torch.float64)).norm()) > 1e-3 * size
    assert float(residual.relative(residual.hold(torch.zeros(residual.n)))) == pytest.approx(1.0)


@pytest.mark.parametrize("name", NAMES)
def test_derivatives_are_right(name):
    """Jacobians of the residual and of its norms by differences; symmetric rows of the free unknowns for linear problems."""
    residual, u = made(name)
    take = torch.arange(min(residual.n, 12))
    start = torch.from_numpy(u) + 0.1 * torch.randn(residual.n, dtype=torch.float64)

    def of(part):
        return residual(start.index_copy(0, take, part))

    part = start[take].clone().requires_grad_()
    assert torch.autograd.gradcheck(of, part)
    for kind in ("dual", "diagonal", "plain"):
        assert torch.autograd.gradcheck(lambda x, k=kind: residual.norm(of(x), k), part)
    assert torch.autograd.gradgradcheck(lambda x: residual.norm(of(x), "dual"), part, atol=1e-4)


@pytest.mark.parametrize("name", ["diffusion", "mixed", "robin", "solid"])
def test_the_gradient_of_half_the_square_is_the_transposed_matrix_times_the_residual(name):
    residual, _ = made(name)
    u = torch.randn(residual.n, dtype=torch.float64, requires_grad=True)
    r = residual(u)
    (found,) = torch.autograd.grad(0.5 * r.square().sum(), u)
    dense = residual.matrix @ torch.eye(residual.n, dtype=torch.float64)
    assert torch.allclose(found, dense.T @ r, atol=1e-10)
    (force,) = torch.autograd.grad(residual.energy(residual.hold(u)), u)
    assert torch.allclose(force, residual(residual.hold(u)), atol=1e-10)  # the residual is the gradient of the Ritz energy


@pytest.mark.parametrize("name", ["diffusion", "mixed", "robin", "solid"])
def test_the_dual_norm_of_the_residual_is_the_energy_norm_of_the_error(name):
    residual, exact = made(name)
    u = residual.hold(torch.from_numpy(exact) + 0.3 * torch.randn(residual.n, dtype=torch.float64))
    error = u - torch.from_numpy(exact)
    energy = (error * (residual.matrix @ error)).sum().sqrt()
    assert float(residual.norm(residual(u))) == pytest.approx(float(energy), rel=1e-9)
    excess = residual.energy(u) - residual.energy(torch.from_numpy(exact))
    assert float(excess) == pytest.approx(0.5 * float(energy) ** 2, rel=1e-7)
    assert float(residual.norm(residual(u), "plain")) != pytest.approx(float(energy), rel=1e-2)  # the control


@pytest.mark.parametrize("name", ["diffusion", "mixed", "solid"])
def test_descent_of_the_energy_alone_reaches_the_finite_element_solution(name):
    """Nodal values, plain gradient descent with the step 1/lambda_max: no label, no solve."""
    residual, exact = made(name)
    dense = (residual.matrix @ torch.eye(residual.n, dtype=torch.float64))[residual.free][:, residual.free]
    values = torch.linalg.eigvalsh(dense)
    u = residual.hold(torch.zeros(residual.n)).requires_grad_()
    errors = []
    for _ in range(int(12 * values[-1] / values[0])):
        (g,) = torch.autograd.grad(residual.energy(residual.hold(u)), u)
        u = (u - 2.0 / (values[0] + values[-1]) * g).detach().requires_grad_()
        errors.append(float((u.detach() - torch.from_numpy(exact)).norm()))
    assert errors[-1] < 1e-6 * errors[0]
    rate = (errors[-1] / errors[len(errors) // 2]) ** (1 / (len(errors) - 1 - len(errors) // 2))
    assert rate == pytest.approx(float((values[-1] - values[0]) / (values[-1] + values[0])), abs=0.02)  # that of Richardson's iteration


@pytest.mark.parametrize("kind", ["dual", "diagonal"])
def test_minimising_the_nonlinear_residual_reaches_newtons_solution(kind):
    residual, exact = made("nonlinear")
    u = residual.hold(torch.zeros(residual.n)).requires_grad_()
    search = torch.optim.LBFGS([u], max_iter=400, history_size=30, tolerance_grad=1e-14, tolerance_change=1e-16, line_search_fn="strong_wolfe")

    def loss():
        search.zero_grad()
        value = residual.relative(residual.hold(u), kind).square()
        value.backward()
        return value

    search.step(loss)
    assert float((residual.hold(u.detach()) - torch.from_numpy(exact)).norm()) < 1e-5 * np.linalg.norm(exact)


def test_a_linear_law_leaves_the_linear_residual():
    mesh = square(4, seed=2)
    linear = LinearResidual.of(Diffusion(mesh, conductivity=3.0, degree=2, dirichlet=("left",)), source)
    other = NonlinearResidual(NonlinearDiffusion(mesh, lambda u: 3.0 + 0 * u, lambda u: 0 * u, degree=2, dirichlet=("left",)), source)
    u = torch.randn(linear.n, dtype=torch.float64)
    assert torch.allclose(linear(u), other(u), atol=1e-11)


def test_elasticity_is_a_matrix_and_a_load():
    problem = LinearElasticity(square(3), LinearElastic(young=2.0, poisson=0.3, state="plane strain"), degree=1)
    loads = Loads(fixed={"left": (0.0, 0.0)}, traction={"right": (0.1, 0.2)})
    fixed, value = held(problem.displacements, loads)
    where = np.flatnonzero(fixed.ravel())
    residual = LinearResidual(problem.stiffness, load_vector(problem.displacements, loads).ravel(), fixed=where, values=value.ravel()[where])
    u = torch.from_numpy(problem.solve(loads).displacement).reshape(-1)
    assert float(residual.relative(u)) < 1e-9


def test_gradients_by_sparse_products_are_those_of_the_space():
    """Against scikit-fem, and exact for a function of the space: H1 errors fall with the degree."""
    for mesh, degree in ((square(4, seed=3), 1), (square(4, seed=3), 2), (square(3, "quad"), 2), (cube(2), 1)):
        space = Space.of(mesh, degree)
        u = np.random.default_rng(0).normal(size=space.n)
        found = gradient(gradient_matrices(space), torch.from_numpy(u))
        np.testing.assert_allclose(found.numpy(), space.gradient_at_quadrature(u), atol=1e-11)
        np.testing.assert_allclose((value_matrix(space) @ torch.from_numpy(u)).numpy(), space.at_quadrature(u), atol=1e-12)
        line = torch.from_numpy(space.points @ np.arange(1.0, 1 + space.points.shape[1]))
        np.testing.assert_allclose(gradient(gradient_matrices(space), line).numpy() - np.arange(1.0, 1 + space.points.shape[1]), 0, atol=1e-10)
    wave = lambda p: np.sin(2 * p[:, 0]) * p[:, 1]  # noqa: E731
    slopes = lambda p: np.stack([2 * np.cos(2 * p[:, 0]) * p[:, 1], np.sin(2 * p[:, 0])], axis=1)  # noqa: E731
    space = Space.of(square(8), 1)
    error = gradient(gradient_matrices(space), torch.from_numpy(wave(space.points))).numpy() - slopes(space.quadrature_points)
    assert np.sqrt(space.quadrature_weights @ (error**2).sum(axis=1)) == pytest.approx(h1_error(space, wave(space.points), slopes), rel=1e-12)


def test_sparse_tensors_transpose_and_stack():
    from scipy.sparse import random

    a, b = (random(5, 4, 0.5, random_state=k, format="csr") for k in (1, 2))
    one, two = SparseTensor.of(a), SparseTensor.of(b)
    x = torch.randn(8, 3, dtype=torch.float64)
    both = SparseTensor.concatenate([one, two])
    assert both.shape == (10, 8)
    np.testing.assert_allclose((both @ x).numpy(), np.concatenate([a @ x[:4].numpy(), b @ x[4:].numpy()]), atol=1e-14)
    np.testing.assert_allclose((one.transposed @ x[:5]).numpy(), a.T @ x[:5].numpy(), atol=1e-14)
    np.testing.assert_allclose(one.diagonal().numpy(), a.diagonal())


def test_what_has_no_norm_is_refused():
    problem = Diffusion(square(3), degree=1)
    with pytest.raises(ConfigurationError, match="nothing fixes the level"):
        LinearResidual.of(problem)
    held_problem = Diffusion(square(3), degree=1, dirichlet=("left",))
    with pytest.raises(FieldError, match="columns"):
        LinearResidual.of(held_problem, np.ones((held_problem.space.n, 2)))
    residual = LinearResidual.of(held_problem, 1.0)
    with pytest.raises(ShapeError):
        residual(torch.zeros(3))
    with pytest.raises(ConfigurationError, match="choose 'dual'"):
        residual.norm(torch.zeros(residual.n), "largest")
