"""The fixed point of a contraction on a graph: unique, bounded, as far as the graph goes, and with the derivatives of its own iteration."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from geoop.errors import ConfigurationError, ShapeError
from geoop.graph.graph import Graph
from geoop.graph.neighbors import knn
from geoop.graph.pointset import PointSet
from geoop.layers.neighborhood import Ball, Nearest
from geoop.operators import convergent
from geoop.operators.convergent import ConvergentGraphSolver, fixed_point, shares_of

HEADS, CHANNELS = 2, 3


def cloud(n: int, channels: int = 4, seed: int = 0) -> PointSet:
    g = torch.Generator().manual_seed(seed)
    return PointSet(
        torch.rand(n, 2, generator=g, dtype=torch.float64),
        torch.randn(n, channels, generator=g, dtype=torch.float64),
        None,
        torch.rand(n, generator=g, dtype=torch.float64) + 0.1,
    )


def problem(n: int = 30, seed: int = 0, heads: int = HEADS, k: int = 5):
    """Graph, rows of sum 1, right-hand side, factors."""
    points, g = cloud(n, seed=seed), torch.Generator().manual_seed(seed)
    graph = knn(points.pos, points.pos, k)
    share = shares_of(torch.rand(graph.n_edges, heads, generator=g, dtype=torch.float64) ** 3, graph)
    given = torch.randn(n, heads, CHANNELS, generator=g, dtype=torch.float64)
    return graph, share, given, torch.linspace(0.8, 0.95, heads, dtype=torch.float64)


def dense(graph: Graph, share: torch.Tensor) -> torch.Tensor:
    """(heads, n, n) matrices A."""
    place = (graph.target, graph.source)
    none = share.new_zeros(graph.n_target, graph.n_source)
    return torch.stack([none.index_put(place, column) for column in share.unbind(1)])


def test_it_is_the_solution_of_the_linear_system():
    graph, share, given, gamma = problem()
    matrices = torch.eye(30, dtype=torch.float64) - gamma[:, None, None] * dense(graph, share)
    expected = torch.linalg.solve(matrices, given.transpose(0, 1)).transpose(0, 1)
    for tolerance in (1e-2, 1e-5, 1e-13):
        error = (fixed_point(graph, share, given, gamma, tolerance=tolerance) - expected).abs().amax(dim=0)
        assert (error <= tolerance * given.abs().amax(dim=0) / (1 - gamma)[:, None] + 1e-13).all()  # the bound that is promised


def test_it_does_not_depend_on_the_start():
    graph, share, given, gamma = problem()
    from_zero = fixed_point(graph, share, given, gamma, tolerance=1e-14)
    from_far = fixed_point(graph, share, given, gamma, tolerance=1e-14, start=100 * torch.randn(given.shape))
    torch.testing.assert_close(from_zero, from_far, atol=1e-11, rtol=0)


def test_a_step_contracts_by_gamma_in_the_maximum_norm_and_its_adjoint_in_the_sum():
    graph, share, given, gamma = problem()
    for system, values in ((convergent._System(graph, gamma, 1e-6), share),):
        back, order = system.transposed()
        for one, edges in ((system, values), (back, values[order])):
            factor = one.size(one.step(edges, given)) / one.size(given)
            assert (factor <= gamma[:, None] + 1e-14).all() and (factor > 0.05).all()
    sharp = one_way(30, 0.95)  # reached by constants
    assert fixed_point(*sharp[:2], torch.full((30, 1, 1), 0.05, dtype=torch.float64), sharp[2], tolerance=1e-13).sub(1).abs().max() < 1e-11


def test_the_matrices_of_the_operator_contract_whatever_its_weights():
    points = cloud(40)
    for scale in (1.0, 30.0):
        operator = ConvergentGraphSolver(4, heads=2, gamma=0.9).double()
        with torch.no_grad():
            for parameter in operator.parameters():
                parameter.mul_(scale)
            graph = operator.connect(points, points)
            share, given, gamma = operator.contraction(points, graph)
        rows = dense(graph, share).sum(dim=2)
        assert share.min() >= 0 and (rows - 1).abs().max() < 1e-12 and gamma.tolist() == pytest.approx([1 - 0.1**0.5, 0.9])
        state = fixed_point(graph, share, given, gamma)
        bound = operator.value(points.scalars).view(40, 2, -1).abs().amax(dim=0)
        assert (state.abs().amax(dim=0) <= bound * (1 + 1e-5)).all()  # a mean of B


def unrolled(graph: Graph, share: torch.Tensor, given: torch.Tensor, gamma: torch.Tensor, sweeps: int) -> torch.Tensor:
    matrices, x = gamma[:, None, None] * dense(graph, share), torch.zeros_like(given)
    for _ in range(sweeps):
        x = torch.einsum("hij,jhc->ihc", matrices, x) + given
    return x


def test_implicit_derivatives_are_those_of_the_iteration():
    graph, share, given, gamma = problem()
    share.requires_grad_(), given.requires_grad_()
    weight = torch.randn_like(given)
    implicit = torch.autograd.grad((fixed_point(graph, share, given, gamma, tolerance=1e-13) * weight).sum(), (share, given))
    explicit = torch.autograd.grad((unrolled(graph, share, given, gamma, 700) * weight).sum(), (share, given))
    for one, other in zip(implicit, explicit, strict=True):
        torch.testing.assert_close(one, other, atol=1e-8 * float(other.abs().max()), rtol=0)


def test_first_and_second_derivatives():
    graph, share, given, gamma = problem(7, k=3)
    raw = torch.rand_like(share, requires_grad=True)
    given.requires_grad_()

    def solve(raw, given):
        return fixed_point(graph, shares_of(raw, graph), given, gamma, tolerance=1e-14)

    assert torch.autograd.gradcheck(solve, (raw, given))
    assert torch.autograd.gradgradcheck(solve, (raw, given), fast_mode=True)


def test_the_derivative_keeps_no_trace_of_the_iterations():
    """Saved for the backward pass: the matrix and the solution, whether it took 16 steps or 1000."""

    def kept(gamma: float, tolerance: float) -> tuple[int, int]:
        graph, share, given, _ = problem(200, heads=1)
        sizes, steps = [], []
        step = convergent._System.step
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(convergent._System, "step", lambda *a: steps.append(1) or step(*a))
            with torch.autograd.graph.saved_tensors_hooks(lambda t: sizes.append(t.numel()) or t, lambda t: t):
                fixed_point(graph, share.requires_grad_(), given, torch.tensor([gamma]), tolerance=tolerance)
        return sum(sizes), len(steps)

    (few, short), (many, long) = kept(0.5, 1e-2), kept(0.999, 1e-12)
    assert few == many and long > 4 * short


def one_way(n: int, gamma: float) -> tuple[Graph, torch.Tensor, torch.Tensor]:
    """A chain in which everybody hears its left neighbour alone, the first one itself."""
    target = torch.arange(n)
    graph = Graph((target - 1).clamp(min=0), target, n, n)
    return graph, torch.ones(n, 1, dtype=torch.float64), torch.tensor([gamma], dtype=torch.float64)


def test_a_one_way_chain_against_its_closed_form():
    """H_n = gamma^n / (1 - gamma) where only the first is given 1. A non-normal matrix: GMRES by itself would stagnate, sweeps go on."""
    n, gamma = 60, 0.97
    given = torch.zeros(n, 1, 1, dtype=torch.float64)
    given[0] = 1.0
    graph, share, factor = one_way(n, gamma)
    expected = gamma ** torch.arange(n, dtype=torch.float64) / (1 - gamma)
    torch.testing.assert_close(fixed_point(graph, share, given, factor, tolerance=1e-13)[:, 0, 0], expected, rtol=1e-10, atol=0)


def test_information_crosses_a_chain_of_60_points_in_one_application():
    """Control: as many layers of one hop each would be needed by message passing; the graph joins neighbours only."""
    torch.manual_seed(0)
    operator = ConvergentGraphSolver(4, Ball(1.2, smooth=False), heads=2, gamma=0.99, tolerance=1e-13).double()
    pos = torch.stack([torch.arange(60), torch.zeros(60)], dim=1).double()
    points = PointSet(pos, torch.randn(60, 4, dtype=torch.float64))
    graph = operator.connect(points, points)
    assert int((graph.source - graph.target).abs().max()) == 1
    scalars = points.scalars.clone()
    scalars[0] += torch.randn(4)
    with torch.no_grad():
        one, other = (operator(p, p, graph).scalars for p in (points, points.with_features(scalars=scalars)))
    change = (one - other).abs().amax(dim=1)
    assert change[-1] > 1e-8 and change[-1] < change[30] < change[0]
    near = replace(operator.neighborhood)  # the same graph, but gamma so small that five hops are nothing
    with torch.no_grad():
        short = ConvergentGraphSolver(4, near, heads=2, gamma=1e-3, tolerance=1e-13).double()
        one, other = (short(p, p, graph).scalars for p in (points, points.with_features(scalars=scalars)))
    assert (one - other).abs().amax(dim=1)[30:].max() < 1e-12


def test_points_in_a_ball_converge_when_the_cloud_is_refined():
    """With quadrature weights and a window the matrix is an integral's; without the weights the limit would follow the density."""
    torch.manual_seed(1)
    operator = ConvergentGraphSolver(4, Ball(0.3), heads=2, gamma=0.9, hidden=8, tolerance=1e-12).double()

    def field(n: int, weighted: bool = True) -> torch.Tensor:
        s = (torch.arange(n, dtype=torch.float64) + 0.5) / n
        axis, slope = torch.expm1(s) / torch.expm1(torch.ones(1)), torch.exp(s) / torch.expm1(torch.ones(1))
        pos, weight = torch.cartesian_prod(axis, axis), torch.cartesian_prod(slope / n, slope / n).prod(dim=1)
        fixed = torch.tensor([[0.2, 0.3], [0.7, 0.6], [0.5, 0.9]], dtype=torch.float64)  # without weight: they listen only
        pos, weight = torch.cat([fixed, pos]), torch.cat([torch.zeros(3, dtype=torch.float64), weight if weighted else torch.ones(n * n)])
        points = PointSet(pos, torch.stack([torch.sin(3 * pos[:, 0]), pos[:, 1], pos.prod(dim=1), torch.cos(pos[:, 1])], dim=1), None, weight)
        with torch.no_grad():
            return operator(points, points, operator.connect(points, points)).scalars[:3]

    results = [field(n) for n in (9, 18, 36)]
    errors = [float((r - results[-1]).abs().max()) for r in results[:-1]]
    assert errors[1] < errors[0] / 3
    assert float((field(18, weighted=False) - results[-1]).abs().max()) > 10 * errors[1]


def test_single_precision_ends_where_rounding_does():
    graph, share, given, _ = problem(300)
    gamma = torch.tensor([0.9, 0.999])
    exact = fixed_point(graph, share, given, gamma.double(), tolerance=1e-13)
    single = fixed_point(graph, share.float(), given.float(), gamma, tolerance=1e-12)
    size = given.abs().amax(dim=0) / (1 - gamma)[:, None]
    assert (
        single.dtype == torch.float32
        and ((single - exact).abs().amax(dim=0) / size * (1 - gamma)[:, None]).max() < 8 * torch.finfo(torch.float32).eps
    )
    points = cloud(50).to(torch.bfloat16)
    half = ConvergentGraphSolver(4, gamma=0.999).to(torch.bfloat16)
    assert half(points, points, half.connect(points, points)).scalars.isfinite().all()  # rows of sum 1, in single precision


def test_mixed_precision_asks_for_nothing_less():
    graph, share, given, gamma = problem(100)
    share, given, gamma = share.float(), given.float().requires_grad_(), gamma.float()
    results = []
    for mixed in (False, True):
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            state = fixed_point(graph, share, given, gamma)
            results.append((state, *torch.autograd.grad(state.square().sum(), given)))
    for one, other in zip(*results, strict=True):
        assert torch.equal(one, other)


def test_values_that_are_not_finite_come_back_and_end():
    graph, share, given, gamma = problem()
    given[3, 0, 0] = torch.nan
    assert torch.isnan(fixed_point(graph, share, given, gamma)).any()


def test_bad_input():
    for arguments, said in (
        ({"heads": 3}, "3 heads do not divide 4"),
        ({"gamma": 1.0}, "gamma is 1.0"),
        ({"gamma": 0.0}, "gamma is 0.0"),
        ({"tolerance": 0.0}, "tolerance is 0.0"),
    ):
        with pytest.raises(ConfigurationError, match=said):
            ConvergentGraphSolver(4, Nearest(3), **arguments)
    graph, share, given, gamma = problem()
    with pytest.raises(ConfigurationError, match="sums up to 2"):
        fixed_point(graph, 2 * share, given, gamma)
    with pytest.raises(ConfigurationError, match="entries down to -9"):
        fixed_point(graph, -1e6 * share, given, gamma)
    with pytest.raises(ConfigurationError, match="gamma is"):
        fixed_point(graph, share, given, gamma + 0.2)
    with pytest.raises(ShapeError):
        fixed_point(graph, share[:, :1], given, gamma)
    with pytest.raises((ConfigurationError, ShapeError)):
        fixed_point(Graph(graph.source, graph.target, 31, 30), share, given, gamma)
