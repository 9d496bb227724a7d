"""Exact local solves: every part solves its own discrete equations, with the values of its neighbours on its interface or with a Robin condition there."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from scipy.sparse import csr_matrix, diags

from ...errors import ConfigurationError, ConvergenceError
from ...fem.scalar_forms import patch_mass
from ...fem.solving import LinearSystem
from ...fem.space import Space
from ...interfaces.local import Condition, LocalData, LocalProblem, LocalSolve
from ...mesh.case import Case
from ...mesh.quantity import Field
from ..discrete import Discrete, LinearDiscrete
from ..equations import Equation
from .decomposition import Decomposition
from .part_case import INTERFACE, Cutter

#: What parts tell each other: values, or values and fluxes.
Transmission = Literal["dirichlet", "robin"]


class ExactParts:
    """The parts of a linear problem, solved by sparse factors of their own rows:

        S_i(u) = R_i u + A_i^-1 R_i (b - A u)

    With values on the interface A_i = R_i A R_i^T. With a Robin condition (optimised Schwarz) A_i is what the cells of the part alone give, plus p times
    the mass on its interface, and R_i takes the interface in (A. St-Cyr, M. J. Gander, S. J. Thomas, SIAM J. Sci. Comput. 29, 2007).

    Args:
        problem: linear.
        decomposition: of it.
        cutter: of its case; only Robin conditions need it.
        transmission: see above.
        robin: p [1/m] times the conductivity; None for the optimised one-sided value (k^2/(2 delta))^(1/3), k = pi over the part's size and delta the
            width of the overlap (M. J. Gander, SIAM J. Numer. Anal. 44, 2006, theorem 4.5).
        keep: factors kept in memory; None keeps all. The others are made again in every sweep: memory is bounded by the part.

    Raises:
        ConfigurationError: a nonlinear problem, or Robin conditions for an equation that is not scalar.
    """

    exact = True

    def __init__(
        self,
        problem: Discrete,
        decomposition: Decomposition,
        cutter: Cutter,
        *,
        transmission: Transmission = "dirichlet",
        robin: float | None = None,
        keep: int | None = None,
    ) -> None:
        if not isinstance(problem, LinearDiscrete) or (transmission == "robin" and problem.components > 1):
            raise ConfigurationError(
                f"{transmission} conditions for this equation",
                where=problem.mesh.name,
                remedy="matrices need a linear equation, Robin conditions a scalar one",
            )
        self.problem, self.decomposition, self.cutter = problem, decomposition, cutter
        self.transmission, self.robin, self.keep = transmission, robin, keep
        self._systems: OrderedDict[int, LinearSystem | None] = OrderedDict()
        self._wide = [self._with_interface(k) for k in range(len(decomposition))] if transmission == "robin" else list(decomposition.dofs)
        places = zip(self._wide, decomposition.dofs, strict=True)
        self._inside = [np.searchsorted(wide, dofs) for wide, dofs in places]

    def driven_by(self, problem: Discrete) -> None:
        """Solve the same equations for other data from now on."""
        assert isinstance(problem, LinearDiscrete)
        self.problem = problem

    def answers(self, u: np.ndarray, which: Sequence[int]) -> list[np.ndarray]:
        """(q,) solutions of the parts ``which`` at their unknowns, given u around them."""
        residual = self.problem.residual(u)
        found = []
        for k in which:
            step = self.correction(residual, k)
            found.append(u[self.decomposition.dofs[k]] + step)
        return found

    def correction(self, residual: np.ndarray, k: int) -> np.ndarray:
        """(q,) A_k^-1 R_k r of a residual (n c,) at the unknowns of a part."""
        if not len(self._wide[k]):
            return np.zeros(0)
        return self._system(k).solve(residual[self._wide[k]])[self._inside[k]]

    def _system(self, k: int) -> LinearSystem:
        if k in self._systems:
            self._systems.move_to_end(k)
            return self._systems[k]  # type: ignore[return-value]
        matrix = self._robin_matrix(k) if self.transmission == "robin" else self._rows(k)
        system = LinearSystem(matrix, f"{self.problem.mesh.name}, part {k}", symmetric=self.problem.symmetric, dimension=self.problem.mesh.dimension)
        if self.keep != 0:
            self._systems[k] = system
            while self.keep is not None and len(self._systems) > self.keep:
                self._systems.popitem(last=False)
        return system

    def _rows(self, k: int) -> csr_matrix:
        dofs = self._wide[k]
        rows = self.problem.matrix[dofs][:, dofs]
        if self.problem.floating and len(dofs) == self.problem.n:  # one part, nothing held: pinned, the level is taken out afterwards
            rows = rows + diags(np.concatenate([[rows.diagonal().mean()], np.zeros(len(dofs) - 1)]))
        return csr_matrix(rows)

    def _with_interface(self, k: int) -> np.ndarray:
        dofs = self.decomposition.unknowns(self.decomposition.parts[k].nodes)
        return dofs[self.problem.free[dofs]]

    def _robin_matrix(self, k: int) -> csr_matrix:
        part = self.decomposition.parts[k]
        case, _ = self.cutter.natural(part.cells)
        matrix = self.cutter.equation.energy(case)
        if INTERFACE in case.mesh.patches:
            space = Space.of(case.mesh, 1)
            matrix = matrix + self._parameter(case) * patch_mass(space, INTERFACE)
        free = self.problem.free[part.nodes]
        return csr_matrix(matrix)[free][:, free]

    def _parameter(self, case: Case) -> float:
        """p times the mean conductivity."""
        if self.robin is not None:
            return self.robin
        size = float(np.ptp(case.mesh.bounds, axis=0).max())
        cell = size / max(len(case.mesh.points) ** (1.0 / case.mesh.dimension) - 1.0, 1.0)
        layers = max(self.decomposition.partition.overlap, 1)
        given = case.fields.get("conductivity")
        return (1.0 if given is None else float(np.mean(given.values))) * ((np.pi / size) ** 2 / (4.0 * layers * cell)) ** (1.0 / 3.0)


class FiniteElementSolver:
    """Finite elements as a local solver: what a network is compared with, and what stands in for it where it fails. Nonlinear equations, too.

    Args:
        equation: that the parts solve.
    """

    exact = True
    accepts: frozenset[Condition] = frozenset(("dirichlet", "neumann"))

    def __init__(self, equation: Equation) -> None:
        self.equation = equation

    def prepare(self, problems: Sequence[LocalProblem]) -> LocalSolve:
        solvers = [_Elements(self.equation, problem) for problem in problems]
        return lambda data: [solver(item) for solver, item in zip(solvers, data, strict=True)]


class _Elements:
    """One part: its matrix is factorised once."""

    def __init__(self, equation: Equation, problem: LocalProblem) -> None:
        self.equation, self.problem = equation, problem
        self.discrete: Discrete | None = None
        self.last: np.ndarray | None = None

    def __call__(self, data: LocalData) -> np.ndarray:
        case = driven(self.equation, self.problem, data)
        self.discrete = self.equation.discrete(case) if self.discrete is None else self.discrete.driven_by(case)
        if data.load is not None:
            self.discrete = replace(self.discrete, load=data.load.ravel())
        self.last = self.discrete.solve(self.last)
        u = self.last.reshape(-1, self.discrete.components)
        if len(u) != len(case.mesh.points):
            raise ConvergenceError("points without a cell", where=case.name, remedy="cut parts with the points of their cells only")
        return u if np.ndim(data.rim) == 2 else u[:, 0]


def driven(equation: Equation, problem: LocalProblem, data: LocalData) -> Case:
    """A local problem with its data as a case, as data sets of local problems hold them."""
    case, q = problem.case, equation.quantity
    boundary = {"dirichlet": {q.name: Field(replace(q, rank=data.rim.ndim - 1), data.rim)}} if len(problem.rim) else {}
    if data.flux is not None and len(problem.free_rim):
        boundary["neumann"] = {equation.flux: Field(equation.datum(equation.flux), data.flux)}
    fields = dict(case.fields)
    source = data.source
    if source is None and equation.source_is_value:
        source = np.zeros(len(case.mesh.points))
    if source is not None:
        fields[equation.source] = Field(equation.datum(equation.source), source)
    return Case(case.mesh, None, fields, boundary, name=case.name)
