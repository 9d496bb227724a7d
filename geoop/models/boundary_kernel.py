"""A learned kernel from boundary values, fluxes and sources to the solution: maximum principle, constants and superposition by construction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..errors import ConfigurationError, ShapeError
from ..graph.geometry import Geometry, Queries
from ..graph.graph import Graph
from ..graph.interpolation import known_at
from ..graph.neighbors import knn
from ..graph.pointset import Inputs, PointSet
from ..graph.segment import segment_max, segment_softmax, segment_sum, take_source, take_target
from ..layers.boundary_pairs import Pairs, complete, pairs
from ..layers.kernel_bases import green, poisson_logarithm, screened_boundary_logarithm, screened_inside_logarithm, softened
from ..layers.matrix_weights import MatrixWeights
from ..layers.mlp import MLP
from ..layers.moments import moment_matched, tilted
from ..layers.pair_attention import PairScore
from ..layers.region_places import Located, RegionPlaces, reach
from ..layers.sizes import check_sizes
from .model import AbstractModel
from .ports import Ports

#: What input functions may be to the problem, and how they are called where nothing else is said.
ROLES: Mapping[str, str] = {
    "values": "boundary solution",
    "flux": "boundary boundary_flux",
    "source": "source",
    "start": "previous_solution",
    "diffusivity": "diffusivity",
}
#: Surface scalars that are used: curvature, and the angle of a corner. Kinds of boundary are known from where values are given.
_BENDS = 2
#: Distance from the wall, in its spacing, that a source on the wall is taken to have: its cell reaches into the region.
_WALL = 0.25
#: First guess of the square of the screening length, in squares of the frame's unit.
_SCREENING = -5.0
#: Steps of the iteration for the weights of a nonlinear problem.
_STEPS = 4


@dataclass(frozen=True, eq=False)
class PreparedRegion:
    """A batch of regions.

    Attributes:
        surface: vertices of the boundaries.
        domain: points inside, where sources and coefficients are known.
        size: (b,) (measure of the boundary)^(1/(d-1)): the unit of all lengths.
    """

    surface: PointSet
    domain: Queries
    size: Tensor

    def to(self, device: torch.device | str) -> PreparedRegion:
        return PreparedRegion(self.surface.to(device), self.domain.to(device), self.size.to(device))


@dataclass(frozen=True, eq=False)
class KernelState:
    """An encoded batch.

    Attributes:
        prepared: the regions.
        inputs: conditions and functions.
        boundary: all vertices.
        sources: who is summed over, by name of the term: ``values``, ``flux``, ``source``, ``start``.
        data: (k, c) what is summed, by name of the term.
        cloud: the points inside; None where nothing is known there.
    """

    prepared: PreparedRegion
    inputs: Inputs
    boundary: Located
    sources: Mapping[str, Located] = field(default_factory=dict)
    data: Mapping[str, Tensor] = field(default_factory=dict)
    cloud: Located | None = None


@dataclass(frozen=True, eq=False)
class Term:
    """One sum of the solution.

    Attributes:
        graph: from its data to the queries.
        weight: (e,), or (e, d, d) for vectors.
    """

    graph: Graph
    weight: Tensor

    def of(self, data: Tensor) -> Tensor:
        """(n, c) sums of data (k, c)."""
        seen = take_source(data, self.graph)
        weighted = self.weight[:, None] * seen if self.weight.dim() == 1 else (self.weight @ seen[:, :, None])[:, :, 0]
        return segment_sum(weighted, self.graph)


class BoundaryKernel(AbstractModel):
    """The solution of a boundary-value problem as sums over its data with learned weights:

        u(x) = sum_j w_j(x) g_j + sum_k n_k(x) q_k + sum_i G_i(x) f_i,        w_j >= 0, sum_j w_j = 1, n_k >= 0, G_i >= 0

    w is the harmonic measure of the boundary points (Garnett & Marshall 2005), a softmax over those where the solution is imposed; n and G are Neumann's
    and Green's functions times quadrature weights. Their logarithms are those of a half-space (:mod:`geoop.layers.kernel_bases`) plus what a network says of
    the pair: relative pose, features of the boundary point after attention among all of them, features of the query after attention to them.

    So whatever the network's own weights are: constants are reproduced, without fluxes and sources the maximum principle holds, and the map from boundary
    values to the solution does not expand in the maximum norm, so that plain Schwarz sweeps with it do not expand either. The map is linear in the data unless
    ``nonlinear``. Lengths are measured in the size of the boundary.

    Where linear functions are solutions the weights are tilted (:mod:`geoop.layers.moments`), sum_j w_j y_j = x, so that these are reproduced exactly, too.

    With ``start`` the equation is u - l^2 laplace(u) = u0, an implicit step in time: w is one softmax over boundary points and points inside, u0 among the
    values; l^2 is a learned multiple of the ``diffusivity``. Other input functions are positive coefficients. Vectors (a displacement) have matrices for weights,
    with sum I; the maximum principle is not theirs.

    Functions must be standardised such that zero stays zero, and values as outputs are: training does that where boundary values of what is learned are among
    the inputs.

    Args:
        ports: channels in and out.
        width: features of a point, divisible by ``heads``.
        hidden: features of a pair.
        depth: rounds of attention among boundary points.
        rounds: of attention from queries to them.
        heads: of the attention.
        roles: role -> name of the input function, where it differs from :data:`ROLES`.
        nonlinear: the conductivity depends on the solution: weights depend on the data, too. The maximum principle is kept.
        moments: where linear functions are solutions (no fluxes, no coefficient that varies), weights are tilted until they reproduce them exactly.
    """

    reference: ClassVar[tuple[str, ...]] = ("garnett-2005-harmonic-measure", "csiszar-1975-i-divergence", "vaswani-2017", "kovachki-2021-no")
    on_clouds: ClassVar[bool] = True

    def __init__(
        self,
        ports: Ports | Mapping[str, Any],
        width: int = 32,
        *,
        hidden: int = 32,
        depth: int = 2,
        rounds: int = 1,
        heads: int = 4,
        roles: Mapping[str, str] | None = None,
        nonlinear: bool = False,
        moments: bool = True,
    ) -> None:
        super().__init__()
        self.ports = known = Ports.of(ports)
        self.roles = {**ROLES, **(roles or {})}
        counts = {"width": width, "hidden": hidden, "heads": heads, "depth": depth, "rounds": rounds}
        check_sizes("BoundaryKernel", counts, zero=("depth", "rounds"))
        if set(self.roles) != set(ROLES):
            raise ConfigurationError(f"roles {sorted(self.roles)}", where="BoundaryKernel", remedy=f"roles among {sorted(ROLES)}")
        sizes = {
            "hidden": hidden,
            "depth": depth,
            "rounds": rounds,
            "heads": heads,
            "roles": dict(roles or {}),
            "nonlinear": nonlinear,
            "moments": moments,
        }
        self.arguments = {"ports": known.to_dict(), "width": width, **sizes}
        self.nonlinear, self.functions = nonlinear, dict(known.functions)
        self.terms = tuple(role for role in ("values", "flux", "source", "start") if self.roles[role] in self.functions)
        if nonlinear and set(self.terms) - {"values"}:
            raise ConfigurationError(
                f"a nonlinear problem with {sorted(set(self.terms) - {'values'})}",
                where="BoundaryKernel",
                remedy="leave them out of the inputs: sums over sources are of linear problems",
            )
        data = {self.roles[role] for role in ("values", "flux", "source", "start")}
        self.coefficients = tuple(name for name in self.functions if name not in data)
        inside = sum(self.functions[name] for name in self.coefficients)
        told = min(_BENDS, known.surface_scalars) + known.scalars_in + (known.out if nonlinear else 0)
        varies = any(name != self.roles["diffusivity"] for name in self.coefficients)
        self.moments = moments and not varies and "flux" not in self.terms
        self.region = RegionPlaces(width, hidden=hidden, depth=depth, rounds=rounds, heads=heads, told=(told, inside), varies=varies)
        self.scores = nn.ModuleDict({_score(term): PairScore(width, hidden) for term in self.terms})
        self.matrices = MatrixWeights(width, hidden) if known.vectors_out else None
        self.exchange = MLP([2 * known.out, hidden, hidden, 1], zero=True) if nonlinear else None
        self.log_screening = nn.Parameter(torch.tensor(_SCREENING)) if "start" in self.terms else None

    @torch.no_grad()
    def prepare(self, geometry: Geometry) -> PreparedRegion:
        """Sizes of a batch of regions.

        Raises:
            ShapeError: no points of the domain, or another dimension.
        """
        surface, d = geometry.surface, self.ports.dimension
        if geometry.domain is None or surface.dimension != d:
            raise ShapeError(
                f"a boundary in {surface.dimension}-D, {'without' if geometry.domain is None else 'with'} points of the domain",
                where="BoundaryKernel",
                remedy=f"frame a case in {d}-D with domain points",
            )
        measure = torch.zeros_like(surface.weight[:1]).expand(surface.batch_size).index_add(0, surface.batch, surface.weight)
        return PreparedRegion(surface, geometry.domain, measure.clamp_min(1e-30) ** (1.0 / (d - 1)))

    def concatenate(self, prepared: list[PreparedRegion]) -> PreparedRegion:
        surface = PointSet.concatenate([p.surface for p in prepared])
        domain = Queries.concatenate([p.domain for p in prepared], [len(p.surface) for p in prepared])
        return PreparedRegion(surface, domain, torch.cat([p.size for p in prepared]))

    def encode(self, prepared: PreparedRegion, inputs: Inputs) -> KernelState:
        """Features of the boundary points, and of the points inside where data live there.

        Raises:
            ConfigurationError: the model was made without boundary values, for a free stream, or for scalars and vectors at once.
        """
        if "values" not in self.terms or self.ports.vectors_in or self.functions[self.roles["values"]] != self.ports.out:
            raise ConfigurationError(
                f"inputs {sorted(self.functions)}, {self.ports.vectors_in} global vectors, {self.ports.out} numbers out",
                where="BoundaryKernel",
                remedy=f"give '{self.roles['values']}', the imposed values of what is learned, among the inputs, and no operating point",
            )
        surface = prepared.surface
        self.ports.check_inputs(inputs, surface.batch_size, "BoundaryKernel")
        function = inputs.functions[self.roles["values"]]
        imposed = _vertices(function, surface)
        told = [surface.scalars[:, : min(_BENDS, self.ports.surface_scalars)], inputs.scalars[surface.batch]]
        if self.nonlinear:
            told.append(torch.zeros_like(surface.pos[:, :1]).expand(-1, self.ports.out).index_copy(0, imposed, function.scalars))
        boundary = self.region.boundary(surface, prepared.size, imposed, torch.cat(told, dim=1))
        cloud = None
        if self.coefficients or {"source", "start"} & set(self.terms):
            domain = prepared.domain
            cloud = self.region.at(
                domain, prepared.size, boundary, _coefficients(self.ports, self.coefficients, domain, inputs), domain.points.weight
            )
            boundary = self.region.informed(boundary, cloud)
            cloud = self.region.aware(cloud, cloud)
        sources, data = {"values": boundary.take(imposed, function.ptr)}, {"values": function.scalars}
        if "flux" in self.terms:
            flux = inputs.functions[self.roles["flux"]]
            sources["flux"], data["flux"] = boundary.take(_vertices(flux, surface), flux.ptr), flux.scalars
        for term in ("source", "start"):
            if term in self.terms and cloud is not None:
                sources[term], data[term] = cloud, inputs.functions[self.roles[term]].scalars
        return KernelState(prepared, inputs, boundary, sources, data, cloud)

    def field(self, latent: KernelState, queries: Queries) -> PointSet:
        self.ports.check_queries(queries, latent.prepared.surface.batch_size, "BoundaryKernel")
        out = torch.stack([term.of(latent.data[name]) for name, term in self.kernels(latent, queries).items()]).sum(dim=0)
        split = (len(out), self.ports.vectors_out, self.ports.dimension)
        scalars = out[:, : self.ports.scalars_out]
        return queries.points.with_features(scalars, out[:, self.ports.scalars_out :].reshape(split))

    def kernels(self, latent: KernelState, queries: Queries) -> dict[str, Term]:
        """The weights of every term; where the map is linear in the data they do not depend on them."""
        prepared = latent.prepared
        located = self.region.at(queries, prepared.size, latent.boundary, _coefficients(self.ports, self.coefficients, queries, latent.inputs))
        if latent.cloud is not None:
            located = self.region.aware(located, latent.cloud)
        found, logits = {}, {}
        for name, source in latent.sources.items():
            seen = pairs(source.places, located.places, complete(source.ptr, located.ptr))
            score = self.scores[_score(name)](source.features, located.features, seen)[:, 0]
            if name in ("values", "start"):
                logits[name] = (seen.graph, score + self._logarithm(name, latent, source, located, seen))
            else:
                found[name] = Term(seen.graph, score.exp() * _kernel(name, latent, source, located, seen))
        shares = _shares(logits)
        if self.moments and self.matrices is None:
            groups = [(graph, share, _offsets(latent.sources[name], located, graph)) for name, (graph, share) in shares.items()]
            shares = {name: (shares[name][0], share) for name, share in zip(shares, tilted(groups), strict=True)}
        if self.exchange is not None:
            graph, share = shares["values"]
            shares["values"] = graph, _exchanged(self.exchange, latent.data["values"], graph, share)
        if self.matrices is not None:
            graph, share = shares["values"]
            source = latent.sources["values"]
            seen = pairs(source.places, located.places, graph)
            ends = (source.places, source.features), (located.places, located.features)
            matrices = self.matrices(*ends, seen, share)
            shares["values"] = graph, moment_matched(matrices, share, _offsets(source, located, graph), graph) if self.moments else matrices
        return found | {name: Term(*share) for name, share in shares.items()}

    def _logarithm(self, name: str, latent: KernelState, source: Located, target: Located, seen: Pairs) -> Tensor:
        """(e,) logarithms of the weights of values in a half-space, up to a constant per target."""
        d, graph = self.ports.dimension, seen.graph
        spacing = take_source(source.places.spacing, graph)
        if self.log_screening is None:
            return poisson_logarithm(seen.squared, spacing ** (d - 1), d)
        diffusivity = self.roles["diffusivity"] if self.roles["diffusivity"] in self.coefficients else None
        length = take_target(_screening(self.log_screening, latent, diffusivity)[target.batch], graph)
        if name == "values":
            return screened_boundary_logarithm(seen.squared, spacing ** (d - 1), length, d)
        squared, inside = softened(seen.squared, spacing, d), take_source(_off_wall(source), graph)
        return screened_inside_logarithm(squared, take_target(target.places.distance, graph), inside, spacing**d, length, d)


def _screening(log_square: Tensor, latent: KernelState, diffusivity: str | None) -> Tensor:
    """(b,) screening lengths in the samples' sizes; a diffusivity that varies counts by its mean."""
    size = latent.prepared.size
    square = log_square.exp() / size.square()
    if diffusivity is not None:
        function = latent.inputs.functions[diffusivity]
        total = torch.zeros_like(size).index_add(0, function.batch, function.scalars[:, 0])
        square = square * (total / function.ptr.diff().clamp_min(1)).clamp_min(1e-12)
    return square.sqrt()


def _coefficients(ports: Ports, names: Sequence[str], queries: Queries, inputs: Inputs) -> Tensor:
    """(n, c) logarithms of the coefficients at places: as the queries carry them, if they do."""
    if not names:
        return queries.points.pos.new_zeros(len(queries), 0)
    known = known_at(inputs, ports.functions, queries.points, queries)
    columns = [values[:, :-1].clamp_min(1e-6).log() for (name, _), values in zip(ports.functions, known, strict=True) if name in names]
    return torch.cat(columns, dim=1) if columns else queries.points.pos.new_zeros(len(queries), 0)


def _offsets(source: Located, target: Located, graph: Graph) -> Tensor:
    """(e, d) places of the sources seen from their targets."""
    return take_source(source.places.pos, graph) - take_target(target.places.pos, graph)


def _vertices(function: PointSet, surface: PointSet) -> Tensor:
    """(k,) vertices of the boundary where a function is imposed."""
    if function.pos.shape == surface.pos.shape and torch.equal(function.pos, surface.pos):
        return torch.arange(len(surface), device=surface.pos.device)
    return knn(surface.pos, function.pos, 1, surface.ptr, function.ptr).source


def _score(term: str) -> str:
    """Name of a term's network: a ``ModuleDict`` has methods of its own, such as ``values``."""
    return f"{term}_score"


def _off_wall(source: Located) -> Tensor:
    """(m,) distances from the wall, at least a share of the spacing."""
    return torch.maximum(source.places.distance, _WALL * source.places.spacing)


def _kernel(name: str, latent: KernelState, source: Located, target: Located, seen: Pairs) -> Tensor:
    """(e,) weights of fluxes and sources in a half-space, not negative."""
    d, graph, size = seen.offset.shape[1], seen.graph, latent.prepared.size
    spacing = take_source(source.places.spacing, graph)
    squared = softened(seen.squared, spacing, d)
    if name == "source":
        wall = take_source(_off_wall(source), graph) * take_target(target.places.distance, graph)
        unit, measure = take_target(size[target.batch] ** 2, graph), spacing**d
    else:  # fluxes come in where the wall reflects: twice the kernel that vanishes where values are imposed
        imposed = latent.sources["values"]
        near = torch.maximum(reach(imposed, source), _WALL * source.places.spacing)
        wall = take_source(near, graph) * take_target(reach(imposed, target), graph)
        unit, measure = take_target(2.0 * size[target.batch], graph), spacing ** (d - 1)
    return green(squared, wall, d) * measure * unit


def _shares(logits: Mapping[str, tuple[Graph, Tensor]]) -> dict[str, tuple[Graph, Tensor]]:
    """One softmax over the sources of all terms."""
    if len(logits) == 1:
        return {name: (graph, segment_softmax(logit, graph)) for name, (graph, logit) in logits.items()}
    top = torch.stack([segment_max(logit, graph) for graph, logit in logits.values()]).amax(dim=0).detach()
    grown = {name: (graph, (logit - take_target(top, graph)).exp()) for name, (graph, logit) in logits.items()}
    total = torch.stack([segment_sum(value, graph) for graph, value in grown.values()]).sum(dim=0)
    return {name: (graph, value / take_target(total, graph)) for name, (graph, value) in grown.items()}


def _exchanged(network: MLP, values: Tensor, graph: Graph, share: Tensor) -> Tensor:
    """Weights of a nonlinear problem, still positive and of sum 1.

    With Kirchhoff's transform phi' = a the function phi(u) is harmonic: sum_j w_j (phi(g_j) - phi(u)) = 0, so that u is the mean of the g_j with the weights
    w_j a_j(u), a_j the mean conductivity between u and g_j. The iteration for u is run a few times with a learned log a.
    """
    given, logarithm = take_source(values, graph), share.clamp_min(1e-30).log()
    for _ in range(_STEPS):
        solution = segment_sum(share[:, None] * given, graph)
        both = torch.cat([given, take_target(solution, graph)], dim=1)
        share = segment_softmax(logarithm + network(both)[:, 0], graph)
    return share
