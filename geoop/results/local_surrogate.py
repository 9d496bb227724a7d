"""A trained surrogate as the solver of local problems: all parts in one forward pass, or, for a linear kernel, one matrix per part."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..errors import ConfigurationError
from ..graph.geometry import Queries
from ..graph.pointset import BOUNDARY, Inputs
from ..interfaces.local import DIRICHLET, NEUMANN, Condition, LocalData, LocalProblem, LocalSolve
from ..mesh.case import Case
from ..mesh.quantity import Field, Quantity
from ..models.boundary_kernel import BoundaryKernel
from ..scaling.framed import Framed
from ..scaling.functions import PREVIOUS
from ..scaling.known_functions import KnownFunctions
from .decoder import SKIN
from .matrix_store import MatrixStore
from .surrogate import Surrogate

#: Pairs of points that one forward pass may hold at once: bounds its memory.
PAIRS = 2_000_000


@dataclass(frozen=True, eq=False)
class LocalSurrogate:
    """Local problems solved by a surrogate that was trained on such cases.

    The boundary values of the quantity are the surrogate's input ``boundary QUANTITY``; a flux is its other boundary function, and what drives the problem
    inside is the one function that is not a field of the problem's case. Parts are moved into the middle of the box that the surrogate was trained in, and
    not scaled: which powers of a length go with sources and fluxes is known to the equation, and the caller has done it.

    A :class:`~geoop.models.boundary_kernel.BoundaryKernel` that is linear in the data becomes one matrix per part when the problems are prepared, in double
    precision; its answers then cost a product each. A nonlinear one has a matrix per part for every data, which an iteration may hold for a few sweeps
    (:class:`~geoop.interfaces.local.HeldSolve`). Any other model answers all parts in one forward pass, in as many pieces as bounded memory asks for. One
    that makes a step in time (it is given ``previous_QUANTITY``) marches where the rim has a column per step. At the rim the answer is what was imposed.

    Attributes:
        surrogate: predicts the quantity of the problems from its boundary values.
        conditions: kinds that it was trained on; None takes a flux among its inputs for Neumann conditions.
        pairs: pairs of points that a forward pass may hold at once.
        store: folder for the matrices of a linear kernel, each read again when it is needed: memory holds one of them. None keeps them all in memory.
    """

    surrogate: Surrogate
    conditions: frozenset[Condition] | None = None
    pairs: int = PAIRS
    store: Path | None = None

    def __post_init__(self) -> None:
        surrogate, problems = self.surrogate, []
        if not surrogate.framing.region or surrogate.flow:
            problems.append("it was trained on flows or bodies, not on regions")
        if len(surrogate.normaliser.quantities) != 1:
            problems.append(f"it predicts {[q.name for q in surrogate.normaliser.quantities]}, a local problem has one quantity")
        names = [item.name for item in surrogate.framing.functions]
        if self._imposed not in names:
            problems.append(f"it is given {names}, and not '{self._imposed}'")
        if problems:
            raise ConfigurationError("; ".join(problems), where="LocalSurrogate", remedy=f"train with inputs=['{self._imposed}'] on local problems")

    @property
    def exact(self) -> bool:
        """Whether its answers solve the discrete equations to rounding."""
        return False

    @property
    def accepts(self) -> frozenset[Condition]:
        """Kinds of conditions that it honours."""
        known: set[Condition] = {"dirichlet", "neumann"} if self._flux is not None else {"dirichlet"}
        return frozenset(known) if self.conditions is None else self.conditions

    @property
    def quantity(self) -> Quantity:
        """What it predicts."""
        return self.surrogate.normaliser.quantities[0]

    @property
    def _imposed(self) -> str:
        return BOUNDARY + self.quantity.name

    @property
    def _flux(self) -> str | None:
        """Name of the function that holds fluxes."""
        names = [item.name for item in self.surrogate.framing.functions if item.name.startswith(BOUNDARY) and item.name != self._imposed]
        return names[0] if names else None

    def prepare(self, problems: Sequence[LocalProblem]) -> LocalSolve:
        """Frame all parts once.

        Raises:
            ConfigurationError: another quantity or dimension, a Neumann boundary that the surrogate never saw, a coefficient that is missing: all in one error.
        """
        found = [finding for problem in problems for finding in self._problems(problem)]
        if found:
            raise ConfigurationError(
                "; ".join(dict.fromkeys(found)), where="LocalSurrogate", remedy="train a surrogate on local problems of this kind"
            )
        parts = [_Part.of(self, problem) for problem in problems]
        model = self.surrogate.model
        if isinstance(model, BoundaryKernel) and not model.nonlinear:
            double = copy.deepcopy(model).double()
            kept = MatrixStore(self.store)
            for part in parts:
                kept.put(_matrices(double, part))

            def once(data: Sequence[LocalData]) -> list[np.ndarray]:
                return [part.linear(kept.take(k), item) for k, (part, item) in enumerate(zip(parts, data, strict=True))]
        elif isinstance(model, BoundaryKernel):
            return _HeldKernel(self, parts)
        else:
            groups = self._groups(parts)

            def once(data: Sequence[LocalData]) -> list[np.ndarray]:
                return self._forward(groups, data)

        def solve(data: Sequence[LocalData]) -> list[np.ndarray]:
            _check(data, parts)
            return _march(once, data) if self._marches and any(item.rim.ndim == 2 for item in data) else once(data)

        return solve

    @property
    def _marches(self) -> bool:
        """Whether it makes one step in time, from the state before it."""
        return self.quantity.rank == 0 and any(item.name == PREVIOUS + self.quantity.name for item in self.surrogate.framing.functions)

    def _problems(self, problem: LocalProblem) -> list[str]:
        mesh, found = problem.case.mesh, []
        if problem.quantity != self.quantity.name:
            found.append(f"the problem is for '{problem.quantity}', the surrogate predicts '{self.quantity.name}'")
        if mesh.dimension != int(self.surrogate.model.arguments["ports"]["dimension"]):
            found.append(f"a part in {mesh.dimension}-D, the surrogate was trained in another dimension")
        if NEUMANN in mesh.patches and "neumann" not in self.accepts:
            found.append("a part has a patch 'neumann', and the surrogate was trained on imposed values alone")
        heard = {item.name for item in self.surrogate.framing.functions}
        deaf = sorted(name for name, item in problem.case.fields.items() if name not in heard and not np.all(item.values == 1.0))
        if deaf:
            found.append(f"the problem has {deaf}, of which the surrogate was never told")
        model = self.surrogate.model
        if isinstance(model, BoundaryKernel) and problem.linear is not None and model.nonlinear == problem.linear:
            kinds = ("a linear", "a nonlinear")
            found.append(f"the problem is {kinds[not problem.linear][2:]}, the surrogate solves {kinds[model.nonlinear]} one")
        unknown = self._inside(problem)
        if len(unknown) > 1:
            found.append(f"the surrogate is given {unknown}, and none of them is a field of the part")
        return found

    def _inside(self, problem: LocalProblem) -> list[str]:
        """Functions that are neither on the boundary nor a field of the case: at most one, which drives the problem."""
        names = [item.name for item in self.surrogate.framing.functions if not item.name.startswith(BOUNDARY)]
        return [name for name in names if name not in problem.case.fields]

    def _groups(self, parts: Sequence[_Part]) -> list[list[_Part]]:
        """Parts that go through the network together."""
        groups: list[list[_Part]] = []
        room = 0
        for part in parts:
            size = len(part.queries) * (len(part.framed.geometry.surface) + len(part.queries))
            if not groups or size > room:
                groups.append([])
                room = self.pairs
            groups[-1].append(part)
            room -= size
        return groups

    @torch.no_grad()
    def _forward(self, groups: Sequence[Sequence[_Part]], data: Sequence[LocalData]) -> list[np.ndarray]:
        answers: list[np.ndarray] = []
        model, left = self.surrogate.model, iter(data)
        device = next(model.parameters()).device
        for group in groups:
            cases = [part.case_with(next(left)) for part in group]
            # a sweep that has diverged is answered in kind, and judged by who iterates
            sound = [part for part, case in zip(group, cases, strict=True) if case is not None]
            told = [part.told(case) for part, case in zip(group, cases, strict=True) if case is not None]
            rows = iter(())
            if sound:
                prepared = model.concatenate([part.prepared for part in sound]).to(device)
                queries = Queries.concatenate([q for _, q in told], [len(part.framed.geometry.surface) for part in sound]).to(device)
                out = model.field(model.encode(prepared, Inputs.concatenate([i for i, _ in told]).to(device)), queries)
                values = self.surrogate.normaliser.restore(out.scalars, out.vectors, np.zeros(queries.points.dimension))[self.quantity]
                rows = iter(np.split(values, queries.points.ptr[1:-1].tolist()))
            answers += [part.imposed_on(next(rows), case) if case is not None else part.nothing() for part, case in zip(group, cases, strict=True)]
        return answers


class _HeldKernel:
    """Answers of a nonlinear kernel: the matrices of all parts in one forward pass, then products."""

    def __init__(self, owner: LocalSurrogate, parts: Sequence[_Part]) -> None:
        self.owner, self.parts, self.groups = owner, parts, owner._groups(parts)
        self._matrices: list[dict[str, np.ndarray] | None] | None = None

    def __call__(self, data: Sequence[LocalData]) -> list[np.ndarray]:
        _check(data, self.parts)
        left = iter(data)
        self._matrices = [matrix for group in self.groups for matrix in self._of(group, [next(left) for _ in group])]
        return self._answers(self._matrices, data)

    def held(self, data: Sequence[LocalData]) -> list[np.ndarray]:
        if self._matrices is None:
            return self(data)
        _check(data, self.parts)
        return self._answers(self._matrices, data)

    def _answers(self, matrices: Sequence[dict[str, np.ndarray] | None], data: Sequence[LocalData]) -> list[np.ndarray]:
        return [part.nothing() if m is None else part.linear(m, d) for part, m, d in zip(self.parts, matrices, data, strict=True)]

    @torch.no_grad()
    def _of(self, group: Sequence[_Part], data: Sequence[LocalData]) -> list[dict[str, np.ndarray] | None]:
        """Per part its matrix (n, m); None where its data are not finite."""
        model = self.owner.surrogate.model
        assert isinstance(model, BoundaryKernel)
        device = next(model.parameters()).device
        cases = [part.case_with(item) for part, item in zip(group, data, strict=True)]
        sound = [part for part, case in zip(group, cases, strict=True) if case is not None]
        if not sound:
            return [None] * len(group)
        told = [part.told(case) for part, case in zip(group, cases, strict=True) if case is not None]
        prepared = model.concatenate([part.prepared for part in sound]).to(device)
        queries = Queries.concatenate([q for _, q in told], [len(part.framed.geometry.surface) for part in sound]).to(device)
        term = model.kernels(model.encode(prepared, Inputs.concatenate([i for i, _ in told]).to(device)), queries)["values"]
        shapes = [(len(part.queries), len(part.problem.rim)) for part in sound]
        pieces = np.split(term.weight.double().cpu().numpy(), np.cumsum([n * m for n, m in shapes])[:-1])
        # constants to the rounding of double precision, too
        matrices = [(w := piece.reshape(shape)) / w.sum(axis=1, keepdims=True) for piece, shape in zip(pieces, shapes, strict=True)]
        found = iter([{self.owner._imposed: matrix} for matrix in matrices])
        return [None if case is None else next(found) for case in cases]


@dataclass(frozen=True, eq=False)
class _Part:
    """A local problem in the surrogate's frame; ``source`` names the function that drives it inside, if there is one."""

    owner: LocalSurrogate
    problem: LocalProblem
    case: Case
    framed: Framed
    prepared: Any
    queries: Queries
    source: str | None

    @classmethod
    def of(cls, owner: LocalSurrogate, problem: LocalProblem) -> _Part:
        surrogate, inside = owner.surrogate, owner._inside(problem)
        mesh, box = problem.case.mesh, surrogate.framing.box
        if box is not None:
            mesh = mesh.moved(mesh.points - mesh.bounds.mean(axis=0) + box.mean(axis=0))
        names = {item.name for item in surrogate.framing.functions}
        fields = {name: item for name, item in problem.case.fields.items() if name in names}
        case = Case(mesh, None, fields, {}, name=problem.case.name)
        framed = surrogate.framing.of(case)
        queries = framed.queries(mesh.points, surrogate.framing.on_wall(case), skin=SKIN)
        return cls(owner, problem, case, framed, surrogate.model.prepare(framed.geometry), queries, inside[0] if inside else None)

    def case_with(self, data: LocalData) -> Case | None:
        """The case with its data as fields and boundary values; None where they are not finite."""
        if not all(np.isfinite(item).all() for item in (data.rim, data.source, data.flux) if item is not None):
            return None
        quantity, mesh = self.owner.quantity, self.case.mesh
        boundary = {DIRICHLET: {quantity.name: Field(quantity, data.rim)}}
        if self.owner._flux is not None and NEUMANN in mesh.patches:
            flux = Quantity(self.owner._flux.removeprefix(BOUNDARY), "q", "1", quantity.rank)
            boundary[NEUMANN] = {flux.name: Field(flux, self._or_zero(data.flux, len(self.problem.free_rim)))}
        case = replace(self.case, boundary=boundary)
        if self.source is None:
            return case
        driving = Quantity(self.source, "f", "1", quantity.rank)
        return case.with_fields(Field(driving, self._or_zero(data.source, len(mesh.points))))

    def _or_zero(self, values: np.ndarray | None, count: int) -> np.ndarray:
        shape = (count,) if self.owner.quantity.rank == 0 else (count, self.case.mesh.dimension)
        return np.zeros(shape) if values is None else np.asarray(values, dtype=np.float64)

    def told(self, case: Case) -> tuple[Inputs, Queries]:
        """What the model is given of the data, at its points and at the queries."""
        framing = self.owner.surrogate.framing
        known = KnownFunctions.of(framing.functions, case, self.framed.frame)
        return framing.inputs(case, self.framed), known.seen_by(self.queries, np.arange(len(self.queries)))

    def imposed_on(self, values: np.ndarray, case: Case) -> np.ndarray:
        """The answer, at the rim what was imposed."""
        answer = np.array(values)
        answer[self.problem.rim] = case.boundary[DIRICHLET][self.owner.quantity.name].values
        return answer

    def nothing(self) -> np.ndarray:
        """(n,) or (n, d) NaN."""
        return np.full(self._or_zero(None, len(self.queries)).shape, np.nan)

    def linear(self, matrices: dict[str, np.ndarray], data: LocalData) -> np.ndarray:
        """The sum of all terms; ``matrices`` by name of the input function."""
        surrogate = self.owner.surrogate
        given = {self.owner._imposed: data.rim, self.owner._flux: data.flux, self.source: data.source}
        total = np.zeros((len(self.queries), 1))
        for item in surrogate.framing.functions:
            if item.name in matrices:
                matrix, values = matrices[item.name], given[item.name]
                rows = np.zeros((matrix.shape[1], item.channels)) if values is None else np.asarray(values, dtype=np.float64)
                total = total + _product(matrix, item.standardised(rows.reshape(matrix.shape[1], item.channels)))
        mean, deviation = surrogate.normaliser.mean[0], surrogate.normaliser.deviation[0]
        answer = (deviation * total + mean).reshape(self.nothing().shape)
        answer[self.problem.rim] = data.rim
        return answer


def _check(data: Sequence[LocalData], parts: Sequence[_Part]) -> None:
    """Refuse data that do not fit the parts, or that the surrogate would not listen to."""
    found = [] if len(data) == len(parts) else [f"data of {len(data)} parts for {len(parts)}"]
    for k, (item, part) in enumerate(zip(data, parts, strict=False)):
        sizes = (
            ("rim", item.rim, len(part.problem.rim)),
            ("source", item.source, len(part.queries)),
            ("flux", item.flux, len(part.problem.free_rim)),
        )
        found += [
            f"part {k} has {len(values)} values of the {name} for {n} points" for name, values, n in sizes if values is not None and len(values) != n
        ]
        deaf = (("source", item.source, part.source), ("flux", item.flux, part.owner._flux), ("load", item.load, None))
        found += [
            f"part {k} has a {name}, and the surrogate is given none"
            for name, values, heard in deaf
            if heard is None and values is not None and np.any(values)
        ]
    if found:
        raise ConfigurationError(
            "; ".join(found[:4]),
            where="LocalSurrogate",
            remedy="give one LocalData per prepared problem, in their order, with what the surrogate was trained to be given",
        )


def _march(once: LocalSolve, data: Sequence[LocalData]) -> list[np.ndarray]:
    """(n, steps) states of every part: boundary values (m, steps) at the ends of the steps, from the state ``source`` at the start."""
    states = [item.source for item in data]
    steps = []
    for k in range(max(item.rim.shape[1] for item in data)):
        states = once([replace(item, rim=item.rim[:, k], source=state) for item, state in zip(data, states, strict=True)])
        steps.append(states)
    return [np.stack(found, axis=1) for found in zip(*steps, strict=True)]


def _product(matrix: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(n, m) or (n, m, d, d) times (m, c)."""
    return matrix @ rows if matrix.ndim == 2 else np.einsum("nmij,mj->ni", matrix, rows)


@torch.no_grad()
def _matrices(model: BoundaryKernel, part: _Part) -> dict[str, np.ndarray]:
    """Weights of every term by name of its input function: (n, m), for vectors (n, m, d, d)."""
    device, rim = next(model.parameters()).device, part._or_zero(None, len(part.problem.rim))
    case = part.case_with(LocalData(rim))
    assert case is not None
    inputs, queries = part.told(case)
    prepared = part.prepared
    wide = replace(prepared, **{name: getattr(prepared, name).to(device, torch.float64) for name in ("surface", "domain", "size")})
    state = model.encode(wide, inputs.to(device, torch.float64))
    found = {}
    # in pieces: the pairs of all points of a large part may not fit into memory at once
    rows = max(1, part.owner.pairs // max(len(part.framed.geometry.surface) + len(prepared.domain), 1))
    for start in range(0, len(queries), rows):
        piece = queries.take(torch.arange(start, min(start + rows, len(queries)))).to(device, torch.float64)
        for name, term in model.kernels(state, piece).items():
            found.setdefault(model.roles[name], []).append(term.weight.view(len(piece), -1, *term.weight.shape[1:]).cpu().numpy())
    return {name: np.concatenate(pieces) for name, pieces in found.items()}
