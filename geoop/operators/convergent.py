"""Convergent graph solvers: the features of a cloud as the fixed point of a linear contraction on its graph, with implicit derivatives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.autograd import Function

from ..axes import check
from ..errors import ConfigurationError
from ..graph.edges import shares
from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..graph.segment import segment_softmax, segment_sum, take_source, take_target, weighted_sum
from ..layers.message_step import LeadTimeNorm, NodeUpdate
from ..layers.neighborhood import Ball, Nearest
from ..layers.operator import AbstractOperator, Symmetry
from ..layers.pair_kernel import PairKernel

#: Directions of one cycle of GMRES; so many more states are held while a fixed point is sought.
CYCLE = 16
#: What rounding may add to rows of ones.
_SLACK = 1e-4


class ConvergentGraphSolver(AbstractOperator):
    """Features that are the unique fixed point of a linear contraction (Park, Choo & Park 2022, arXiv 2106.01680):

        H_h = gamma_h A_h H_h + (1 - gamma_h) B_h,       x_i <- x_i + MLP([LN(x_i), H_1i .. H_headsi])

    B_h is linear in LN(x), and A_h has the rows

        a_ij = w_j g_ij exp(k_h(y_j - x_i, LN(x_j), LN(x_i))) / sum_j (the same)

    with quadrature weights w and a window g: positive, of sum 1. So A_h has the norm 1 in the maximum norm, and with gamma_h < 1 there is one fixed point
    for any weights: a mean of B over the whole cloud, seen along the graph, never larger than B. A signal goes as far as the graph goes in one
    application, damped over about (gamma / (1 - gamma))^(1/2) edges; 1 - gamma_h = (1 - gamma)^(h / heads) gives every head a reach of its own, where the
    paper's have one gamma. The factor 1 - gamma_h before B is the paper's B in another unit.

    Derivatives are implicit: the adjoint fixed point, :func:`fixed_point`. Memory does not depend on how many iterations it took.

    Source and target: the same points, ``scalars`` (n, width). Returns them with new ``scalars`` (n, width).

    Args:
        width: features of a point.
        neighborhood: who hears whom: :class:`Ball` or :class:`Nearest`.
        heads: maps with parameters of their own; divides ``width``.
        gamma: contraction factor of the last head, between 0 and 1.
        dimension: of space.
        hidden: width of the kernel's perceptron.
        radial: the kernel sees distances only.
        tolerance: of the fixed point, as a share of the largest B; what rounding allows where that is more.

    Raises:
        ConfigurationError: heads that do not divide the width, a factor or a tolerance out of range.
    """

    reference: ClassVar[str] = "park-2022-cgs"
    symmetry: ClassVar[Symmetry] = Symmetry.TRANSLATION

    def __init__(
        self,
        width: int,
        neighborhood: Ball | Nearest | None = None,
        *,
        heads: int = 4,
        gamma: float = 0.99,
        dimension: int = 2,
        hidden: int = 32,
        radial: bool = False,
        tolerance: float = 1e-6,
    ) -> None:
        super().__init__()
        problems = []
        if heads < 1 or width % heads:
            problems.append(f"{heads} heads do not divide {width} features")
        if not 0 < gamma < 1:
            problems.append(f"gamma is {gamma}: with 1 or more there need not be a fixed point")
        if not 0 < tolerance < 1:
            problems.append(f"the tolerance is {tolerance}")
        if problems:
            remedy = "heads that divide the width, gamma and tolerance between 0 and 1"
            raise ConfigurationError("; ".join(problems), where="ConvergentGraphSolver", remedy=remedy)
        self.neighborhood = Nearest(6, smooth=True) if neighborhood is None else neighborhood
        self.heads, self.tolerance = heads, tolerance
        self.gammas = tuple(1.0 - (1.0 - gamma) ** ((h + 1) / heads) for h in range(heads))
        self.norm = LeadTimeNorm(width)
        self.kernel = PairKernel(dimension, heads, hidden=hidden, radial=radial, source_channels=width, target_channels=width)
        self.value = nn.Linear(width, width)
        self.node = NodeUpdate(width, width)
        self.symmetry = self.kernel.symmetry

    def connect(self, source: PointSet, target: PointSet, seed: int | None = None) -> Graph:
        return self.neighborhood.connect(source, target)

    def contraction(self, points: PointSet, graph: Graph) -> tuple[Tensor, Tensor, Tensor]:
        """Edge values of the matrices A (e, heads), right-hand side (n, heads, width / heads), and factors gamma (heads,).

        Args:
            points: with features that are normalised already.
            graph: their edges.
        """
        pairs = self.neighborhood.pairs(points, points, graph)
        soft = segment_softmax(self.kernel(pairs, points, points, graph), graph)
        share = shares_of(_wide(pairs.weight[:, None] * soft), graph)
        gamma = share.new_tensor(self.gammas)
        values = self.value(points.scalars).view(len(points), self.heads, -1)
        return share, (1 - gamma)[:, None] * values, gamma

    def forward(self, source: PointSet, target: PointSet, graph: Graph) -> PointSet:
        x = source.scalars
        y = self.norm(x)
        share, given, gamma = self.contraction(source.with_features(scalars=y), graph)
        state = fixed_point(graph, share, given, gamma, tolerance=self.tolerance)
        return target.with_features(scalars=self.node(x, y, [state.flatten(1).to(y.dtype)]))


def shares_of(weight: Tensor, graph: Graph) -> Tensor:
    """(e, heads) weights that add up to 1 over the edges of every target, head by head."""
    return torch.stack([shares(column, graph) for column in weight.unbind(1)], dim=1)


def fixed_point(graph: Graph, share: Tensor, given: Tensor, gamma: Tensor, *, tolerance: float = 1e-6, start: Tensor | None = None) -> Tensor:
    """The solution H of H_h = gamma_h A_h H_h + G_h, (n, heads, c), differentiable by A and G without a trace of how it was found.

    Restarted GMRES, column by column. Where a cycle of it leaves more than as many plain iterations are known to leave, these are done instead: it ends
    whatever the matrix. Its derivatives are those of the implicit function: lambda = gamma A^T lambda + dH, by the same method in the 1-norm, in which
    A^T has the norm 1. They can be differentiated again.

    Args:
        graph: edges within one cloud.
        share: (e, heads) values of the matrices A at the edges: >= 0, their sum over the edges of a target at most 1.
        given: (n, heads, c) right-hand side G.
        gamma: (heads,) factors between 0 and 1.
        tolerance: largest error of the solution, as a share of max |G_h| / (1 - gamma_h), which bounds it. Where rounding is more, 4 eps / (1 - gamma_h)
            of the solution's own largest value.
        start: (n, heads, c) first guess; None for zero. It changes the time, not the result.

    Raises:
        ConfigurationError: two clouds, a matrix that is no contraction, a factor that is not between 0 and 1.
        ShapeError: shapes that do not fit.
    """
    check({"e": graph.n_edges, "n": graph.n_target}, share=(share, "e h"), given=(given, "n h c"), gamma=(gamma, "h"))
    share, given, problems = _wide(share), _wide(given), []
    if graph.n_source != graph.n_target:
        problems.append(f"edges from {graph.n_source} to {graph.n_target} points: a fixed point is one of a single cloud")
    if not bool(((gamma > 0) & (gamma < 1)).all()):
        problems.append(f"gamma is {gamma.tolist()}")
    low = float(share.detach().min()) if share.numel() else 0.0
    most = float(segment_sum(share.detach(), graph).max()) if share.numel() else 0.0
    if low < 0 or most > 1 + _SLACK:
        problems.append(f"rows of A have entries down to {low:.2g} and sums up to {most:.6g}")
    if problems:
        raise ConfigurationError(
            "; ".join(problems), where="fixed_point", remedy="positive rows of sum 1 at most within one cloud, gamma between 0 and 1"
        )
    return _FixedPoint.apply(share, given, start, _System(graph, gamma.detach().to(given.dtype), tolerance))


def _wide(x: Tensor) -> Tensor:
    """Half precision as float32: rows of sum 1 would miss it by more than 1 - gamma."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


@dataclass(frozen=True, eq=False)
class _System:
    """What a fixed point depends on besides what is differentiated; ``adjoint``: columns of A, not rows, have the sum 1 at most."""

    graph: Graph
    gamma: Tensor
    tolerance: float
    adjoint: bool = False

    def step(self, share: Tensor, x: Tensor) -> Tensor:
        """gamma A x, (n, heads, c)."""
        heads = [weighted_sum(x[:, h], self.graph, share[:, h].contiguous()) for h in range(len(self.gamma))]
        return self.gamma[:, None] * torch.stack(heads, dim=1)

    def size(self, x: Tensor) -> Tensor:
        """(heads, c) norm in which the step contracts."""
        return x.abs().sum(dim=0) if self.adjoint else x.abs().amax(dim=0)

    def transposed(self) -> tuple[_System, Tensor]:
        """The system of A^T, and the number that each of its edges has here."""
        starts, target, order = self.graph.by_source
        source = torch.repeat_interleave(torch.arange(self.graph.n_source, device=starts.device), starts.diff(), output_size=len(target))
        return replace(self, graph=Graph(target, source, self.graph.n_target, self.graph.n_source), adjoint=not self.adjoint), order


class _FixedPoint(Function):
    """x = gamma A x + g. Its derivative is another one."""

    @staticmethod
    def forward(ctx, share: Tensor, given: Tensor, start: Tensor | None, system: _System) -> Tensor:
        ctx.system = system
        begun = torch.zeros_like(given) if start is None else start.to(given.dtype)
        with torch.autocast(given.device.type, enabled=False):  # also where the derivative is taken inside of one
            x = _solved(lambda x: system.step(share, x), given, begun, system)
        ctx.save_for_backward(share, x)
        return x

    @staticmethod
    def backward(ctx, grad: Tensor):  # type: ignore[override]
        share, x = ctx.saved_tensors
        system = ctx.system
        back, order = system.transposed()
        adjoint = _FixedPoint.apply(share.index_select(0, order), grad.contiguous(), None, back)
        by_share = None
        if ctx.needs_input_grad[0]:
            by_share = system.gamma * (take_target(adjoint, system.graph) * take_source(x, system.graph)).sum(dim=2)
        return by_share, adjoint, None, None


def _solved(step: Callable[[Tensor], Tensor], given: Tensor, x: Tensor, system: _System) -> Tensor:
    """x = step(x) + given. ``size`` of the error is at most that of the residual over 1 - gamma."""
    if not given.numel():
        return torch.zeros_like(given)
    wanted, known = system.tolerance * system.size(given), (system.gamma**CYCLE)[:, None]
    rounding = 4 * torch.finfo(given.dtype).eps
    residual = given + step(x) - x
    size = system.size(residual)
    while bool((going := ~(size <= torch.maximum(wanted, rounding * system.size(x)))).any()):
        tried = x + _cycle(step, residual)
        left = given + step(tried) - tried
        poor = going & ~(system.size(left) <= known * size)
        if bool(poor.any()):
            swept = x
            for _ in range(CYCLE):
                swept = step(swept) + given
            tried = torch.where(poor, swept, tried)
            left = given + step(tried) - tried
        x, residual = torch.where(going, tried, x), torch.where(going, left, residual)
        before, size = size, system.size(residual)
        # a cycle that does much less than it must has met rounding, or values that are not finite
        if not bool((going & (size < (0.5 + 0.5 * known) * before)).any()):
            break
    return x


def _cycle(step: Callable[[Tensor], Tensor], residual: Tensor) -> Tensor:
    """What one cycle of GMRES adds (Y. Saad, M. H. Schultz, SIAM J. Sci. Stat. Comput. 7, 1986): every column minimises its own residual."""
    n, shape = len(residual), residual.shape
    start = residual.reshape(n, -1).t().contiguous()
    columns, size = len(start), start.norm(dim=1)
    tiny = torch.finfo(start.dtype).tiny
    basis = start.new_zeros(columns, CYCLE + 1, n)
    hessenberg = start.new_zeros(columns, CYCLE + 1, CYCLE)
    basis[:, 0] = start / size.clamp(min=tiny)[:, None]
    for k in range(CYCLE):
        direction = basis[:, k].t().reshape(shape)
        image = (direction - step(direction)).reshape(n, -1).t().contiguous()
        before, known = image.norm(dim=1), basis[:, : k + 1]
        along = torch.bmm(known, image[:, :, None])
        image = image - torch.bmm(known.transpose(1, 2), along)[:, :, 0]
        length = image.norm(dim=1)
        # nothing new in it: the space is complete, and rounding must not be made a direction
        length = torch.where(length > 10 * torch.finfo(length.dtype).eps * before, length, torch.zeros_like(length))
        hessenberg[:, : k + 1, k], hessenberg[:, k + 1, k] = along[:, :, 0], length
        basis[:, k + 1] = torch.where(length[:, None] > 0, image / length.clamp(min=tiny)[:, None], torch.zeros_like(image))
    if not bool(torch.isfinite(hessenberg).all()):
        return torch.full_like(residual, torch.nan)
    mixed = torch.linalg.pinv(hessenberg.double())[:, :, 0].to(start.dtype) * size[:, None]
    return torch.bmm(mixed[:, None], basis[:, :CYCLE])[:, 0].t().reshape(shape)
