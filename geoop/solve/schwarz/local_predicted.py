"""Predicted local solves: parts are brought into the range that a local operator was trained in, solved in one batch, and brought back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ...errors import ConfigurationError
from ...interfaces.local import Condition, HeldSolve, LocalData, LocalProblem, LocalSolve, LocalSolver
from ...interfaces.protocols import Predictor
from ...mesh.measure import point_weights
from ..discrete import Discrete
from ..equations import Equation
from .decomposition import Decomposition
from .local_exact import driven
from .part_case import Cutter, LocalPart

#: Sources and fluxes of this size change a solution on the unit box by about as much as boundary values of size 1 do: -laplace(u) = 16 has a
#: maximum of about 1 there.
_SOURCE, _FLUX = 16.0, 2.0


@dataclass(frozen=True, eq=False)
class _Drive:
    """(points, ...) source and flux of the whole at the points of its mesh, or (nodes, c) load; None for zero."""

    source: np.ndarray | None = None
    flux: np.ndarray | None = None
    load: np.ndarray | None = None


class PredictedParts:
    """The parts of a problem, solved by anything that solves local problems.

    Every part is moved to the origin, scaled up or down to ``size``, and, as far as the equation allows it, its values are shifted and scaled to [0, 1];
    the answer is taken back the same way. Values that are constant where constants are solutions are returned as they are. An exact solver gets its parts
    as they are, and their discrete loads.

    Args:
        problem: the whole.
        decomposition: of it.
        cutter: of its case.
        solver: what solves the parts.
        size: side of the box [m] that the solver was trained on.
        keep: parts prepared at once; None keeps all. Otherwise they are prepared again in every sweep: memory is bounded by so many parts.

    Raises:
        ConfigurationError: the parts ask for conditions that the solver does not accept.
    """

    def __init__(
        self,
        problem: Discrete,
        decomposition: Decomposition,
        cutter: Cutter,
        solver: LocalSolver,
        *,
        size: float | None = 1.0,
        keep: int | None = None,
    ) -> None:
        self.problem, self.decomposition, self.cutter, self.solver = problem, decomposition, cutter, solver
        self.keep, self.exact = keep, bool(solver.exact)
        self.hold = False  # answers with the maps of the last ones, where the solver has such
        self.size = None if self.exact else size
        self.equation: Equation = cutter.equation
        self._locals: dict[int, tuple[LocalPart, np.ndarray, np.ndarray]] = {}
        self._batches: dict[tuple[int, ...], LocalSolve] = {}
        self._number = np.full(len(problem.mesh.points), -1, dtype=np.int64)
        self._number[problem.nodes] = np.arange(len(problem.nodes))
        self._drive = _drive_of(problem, self.equation, self.exact)

    def driven_by(self, problem: Discrete) -> None:
        """Solve the same equations for other data from now on."""
        self.problem, self._drive = problem, _drive_of(problem, self.equation, self.exact)

    def answers(self, u: np.ndarray, which: Sequence[int]) -> list[np.ndarray]:
        """(q,) solutions of the parts ``which`` at their unknowns, given u around them; all parts in one batch."""
        which, count, found = list(which), self.keep or max(len(which), 1), []
        for start in range(0, len(which), count):
            if self.keep is not None and count < len(self.decomposition):
                self._locals.clear()
                self._batches.clear()
            found += self._answers(u, which[start : start + count], self._drive)
        return found

    @property
    def holds(self) -> bool:
        """Whether the solver answers by maps that may be held; one whose parts are prepared anew in every sweep has forgotten them."""
        return self.keep is None and any(isinstance(batch, HeldSolve) for batch in self._batches.values())

    def corrections(self, residual: np.ndarray, which: Sequence[int]) -> list[np.ndarray]:
        """(q,) per part its answer to A e = r with e = 0 around it: the residual r (n c,), divided by the mass of its nodes, is the source."""
        n, c = len(self.problem.mesh.points), self.problem.components
        if self.exact:
            drive = _Drive(load=residual.reshape(-1, c))
        else:
            source = np.zeros((n, c))
            source[self.problem.nodes] = residual.reshape(-1, c) / self._mass[self.problem.nodes, None]
            drive = _Drive(source if c > 1 else source[:, 0])
        return self._answers(np.zeros_like(residual), list(which), drive)

    def require_sources(self) -> None:
        """Refuse a solver that does not listen to its source.

        Raises:
            ConfigurationError: its answers to a source and to none are the same.
        """
        tried = np.where(self.problem.free, self.problem.scale, 0.0)
        if not any(np.abs(answer).max(initial=0.0) > 0.0 for answer in self.corrections(tried, [0])):
            raise ConfigurationError(
                "the local operator ignores sources: it cannot precondition",
                where=self.problem.mesh.name,
                remedy="certify with preconditioner='exact'",
            )

    def require_dependence(self) -> None:
        """Refuse a solver that does not listen to its boundary values.

        Raises:
            ConfigurationError: its answers to a ramp on the rim of the first part and to its mirror image are the same.
        """
        if self.exact:
            return
        # a ramp and its mirror image: the same range of values, so that bringing them into it does not tell them apart
        ramp = np.repeat(self.problem.mesh.points[self.problem.nodes][:, [0]], self.problem.components, axis=1).ravel()
        rim = ramp.reshape(-1, self.problem.components)[self._local(0)[1][self._local(0)[0].problem.rim]]
        one, other = (self._answers(values, [0], _Drive())[0] for values in (ramp, rim.min() + rim.max() - ramp))
        if np.isfinite(one).all() and np.isfinite(other).all() and len(one) and np.abs(one - other).max() <= 1e-9 * float(np.ptp(rim)):
            raise ConfigurationError(
                "the local operator ignores boundary values: its answers to two different rims are the same",
                where=self.problem.mesh.name,
                remedy="train it with boundary values as input: inputs = ['boundary solution']",
            )

    def _answers(self, u: np.ndarray, which: list[int], drive: _Drive) -> list[np.ndarray]:
        parts = [self._local(k) for k in which]
        batch = self._batch(tuple(which))
        given = u.reshape(-1, self.problem.components)
        data = [self._data(part, nodes, given, drive) for part, nodes, _ in parts]
        ranges = [self._range(item) for item in data]
        solve = batch.held if self.hold and isinstance(batch, HeldSolve) else batch
        solved = solve([_brought(item, *span, self.equation.source_is_value) for item, span in zip(data, ranges, strict=True)])
        found = []
        for (part, _, place), item, (shift, scale), local in zip(parts, data, ranges, solved, strict=True):
            back = np.asarray(local, dtype=np.float64).reshape(len(part.points), -1) * scale + shift
            if scale == 0.0:
                back = np.broadcast_to(shift, (len(part.points), self.problem.components)).copy()
            back[part.problem.rim] = item.rim.reshape(len(item.rim), -1)
            found.append(back.ravel()[place])
        return found

    def residuals(self, answers: Sequence[np.ndarray], u: np.ndarray, which: Sequence[int]) -> np.ndarray:
        """Per part the size of what its answer leaves of its own equations, over that of the mean of its rim: 1 for an answer worth nothing."""
        sizes = []
        for k, answer in zip(which, answers, strict=True):
            dofs = self.decomposition.dofs[k]
            tried, nothing = u.copy(), u.copy()
            tried[dofs], nothing[dofs] = answer, self._guess(k, u)
            root = np.sqrt(self.problem.scale[dofs])
            left, all_of_it = (np.linalg.norm(self.problem.residual(item)[dofs] / root) for item in (tried, nothing))
            sizes.append(float(left / max(all_of_it, 1e-300)) if np.isfinite(left) else np.inf)
        return np.array(sizes)

    @cached_property
    def _mass(self) -> np.ndarray:
        """(points,) volume that belongs to a point of the mesh."""
        return np.maximum(point_weights(self.problem.mesh), np.finfo(np.float64).tiny)

    def _guess(self, k: int, u: np.ndarray) -> np.ndarray | float:
        """(q,) what is known of a part before its equations: the mean of its rim where constants are solutions, else zero."""
        if not self.equation.shifts:
            return 0.0
        part, nodes, _ = self._local(k)
        mean = u.reshape(-1, self.problem.components)[nodes[part.problem.rim]].mean(axis=0)
        return mean[self.decomposition.dofs[k] % self.problem.components]

    def _local(self, k: int) -> tuple[LocalPart, np.ndarray, np.ndarray]:
        """The part; its nodes; where its unknowns stand in an array (points c,) of it."""
        if k not in self._locals:
            part = self.cutter.local_problem(self.decomposition.parts[k].cells, self.size)
            _require(self.solver, part.problem)
            nodes, c = self._number[part.points], self.problem.components
            numbers = (c * nodes[:, None] + np.arange(c)).ravel()
            order = np.argsort(numbers)
            self._locals[k] = part, nodes, order[np.searchsorted(numbers, self.decomposition.dofs[k], sorter=order)]
        return self._locals[k]

    def _batch(self, which: tuple[int, ...]) -> LocalSolve:
        if which not in self._batches:
            self._batches[which] = self.solver.prepare([self._local(k)[0].problem for k in which])
        return self._batches[which]

    def _data(self, part: LocalPart, nodes: np.ndarray, given: np.ndarray, drive: _Drive) -> LocalData:
        c, e = self.problem.components, self.equation
        rim = given[nodes[part.problem.rim]]
        rim = rim[:, 0] if c == 1 else rim
        if drive.load is not None:
            return LocalData(rim, load=drive.load[nodes])
        unit = part.conductivity
        source = None if drive.source is None else drive.source[part.points] * (part.length ** e.powers.get(e.source, 0) / unit)
        free = part.problem.free_rim
        through = None if drive.flux is None or not len(free) else drive.flux[part.points[free]] * (part.length ** e.powers.get(e.flux, 0) / unit)
        return LocalData(rim, source, through)

    def _range(self, data: LocalData) -> tuple[np.ndarray | float, float]:
        """(shift, scale) that bring the values into [0, 1]; scale 0 where the solution is known to be the constant ``shift``."""
        equation, sizes = self.equation, []
        if self.exact or not (equation.linear and equation.scales) or not len(data.rim):
            return 0.0, 1.0
        values = [data.rim]
        if equation.source_is_value and data.source is not None:
            values = [data.rim.ravel(), data.source.ravel()]
        elif data.source is not None:
            sizes.append(float(np.abs(data.source).max(initial=0.0)) / _SOURCE)
        if data.flux is not None:
            sizes.append(float(np.abs(data.flux).max(initial=0.0)) / _FLUX)
        together = np.concatenate(values)
        low = together.min(axis=0) if equation.shifts else np.zeros(together.shape[1:])
        span = float((together - low).max()) if equation.shifts else float(np.abs(together).max())
        scale = max([span, *sizes])
        return low, 0.0 if scale <= 1e-13 * max(float(np.abs(together).max()), 1e-300) else scale


class PredictorSolver:
    """A predictor of cases as a local solver: a surrogate, a baseline, a solver of the user's own; one case after the other.

    Args:
        predictor: answers a case with boundary values by a result that has the equation's quantity at the points of its mesh.
        equation: that it solves.
        accepts: conditions that it honours.
    """

    exact = False

    def __init__(self, predictor: Predictor, equation: Equation, accepts: Sequence[Condition] = ("dirichlet", "neumann")) -> None:
        self.predictor, self.equation, self.accepts = predictor, equation, frozenset(accepts)

    def prepare(self, problems: Sequence[LocalProblem]) -> LocalSolve:
        """Nothing is kept: every answer is a prediction of its own."""

        def solve(data: Sequence[LocalData]) -> list[np.ndarray]:
            cases = [driven(self.equation, problem, item) for problem, item in zip(problems, data, strict=True)]
            return [self.predictor.predict(case)[self.equation.quantity.name] for case in cases]

        return solve


def _drive_of(problem: Discrete, equation: Equation, exact: bool) -> _Drive:
    """What drives the whole, besides its Dirichlet values."""
    case, n = problem.case, len(problem.mesh.points)
    if exact:
        return _Drive(load=problem.load.reshape(-1, problem.components))
    source = case.fields.get(equation.source)
    inside = None if source is None else _at_points(np.asarray(source.values, dtype=np.float64), n, source.location, case.name)
    flux: np.ndarray | None = None
    for patch, given in case.boundary.items():
        if equation.flux in given:
            item = given[equation.flux]
            on, values = problem.mesh.patch_points(patch), np.asarray(item.values, dtype=np.float64)
            rows = np.broadcast_to(values, (len(on), *values.shape)) if item.location == "global" else values
            flux = np.zeros((n, *rows.shape[1:])) if flux is None else flux
            flux[on] = rows
    return _Drive(inside, flux)


def _brought(data: LocalData, shift: np.ndarray | float, scale: float, source_is_value: bool) -> LocalData:
    def by(item: np.ndarray | None, less: np.ndarray | float = 0.0) -> np.ndarray | None:
        return None if item is None else (item - less) / (scale or 1.0)

    return replace(data, rim=(data.rim - shift) / (scale or 1.0), source=by(data.source, shift if source_is_value else 0.0), flux=by(data.flux))


def _at_points(values: np.ndarray, n: int, location: str, where: str) -> np.ndarray:
    if location == "global" or values.ndim == 0:
        return np.broadcast_to(values, (n, *values.shape)).copy()
    if location != "point":
        raise ConfigurationError("a source at cells", where=where, remedy="give local operators sources at the points of the mesh")
    return values


def _require(solver: LocalSolver, problem: LocalProblem) -> None:
    asked: set[str] = {"dirichlet"} if len(problem.rim) else set()
    asked |= {"neumann"} if len(problem.free_rim) else set()
    if asked - set(solver.accepts):
        raise ConfigurationError(
            f"parts ask for {sorted(asked)} conditions, the local solver accepts {sorted(solver.accepts)}",
            where=problem.case.name,
            remedy="take an operator that was trained with these conditions, or exact local solves",
        )
    if not len(problem.rim):
        raise ConfigurationError(
            "a part has no value on its rim: its solution is fixed up to a constant only",
            where=problem.case.name,
            remedy="impose values on a patch, or cut into more than one part",
        )
