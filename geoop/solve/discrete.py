"""Discrete equations at the points of a mesh: what is left of them, their matrix, the data that drive them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np
from scipy.sparse import csr_matrix

from ..errors import FieldError
from ..fem.solving import LinearSystem
from ..mesh.case import Case
from ..mesh.mesh import Mesh
from ..mesh.quantity import Field, Quantity

#: A case with data -> its load (n c,) and the values (k,) of the fixed unknowns.
Assemble = Callable[[Case], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Discrete(ABC):
    """Equations r(u) = 0 of n nodes with c components each, some of which are given.

    Node a is point ``nodes[a]`` of the mesh, its component i is unknown ``c a + i``.

    Attributes:
        case: the geometry with coefficients and the data that drive the problem.
        quantity: what is solved for.
        nodes: (n,) points of the mesh.
        components: c.
        fixed: (k,) unknowns that are given, ascending.
        values: (k,) their values.
        load: (n c,) right-hand side.
        assemble: load and values of other data on the same geometry.
    """

    case: Case
    quantity: Quantity
    nodes: np.ndarray
    components: int
    fixed: np.ndarray
    values: np.ndarray
    load: np.ndarray
    assemble: Assemble

    @property
    def mesh(self) -> Mesh:
        return self.case.mesh

    @property
    def n(self) -> int:
        """Number of unknowns of all components."""
        return len(self.nodes) * self.components

    @cached_property
    def free(self) -> np.ndarray:
        """(n c,) bool: which unknowns are solved for."""
        mask = np.ones(self.n, dtype=bool)
        mask[self.fixed] = False
        return mask

    @abstractmethod
    def tangent(self, u: np.ndarray) -> csr_matrix:
        """(n c, n c) derivative of A(u) in A(u) = b."""

    @abstractmethod
    def applied(self, u: np.ndarray) -> np.ndarray:
        """(n c,) A(u), rows of fixed unknowns too."""

    @property
    def floating(self) -> bool:
        """Whether nothing fixes the level of the solution: it is unique up to a constant."""
        return False

    def residual(self, u: np.ndarray) -> np.ndarray:
        """(n c,) b - A(u), zero in the rows of fixed unknowns."""
        return np.where(self.free, self.load - self.applied(u), 0.0)

    def start(self, u: np.ndarray | None = None) -> np.ndarray:
        """(n c,) a first guess with the given values in: zero, or ``u``.

        Raises:
            FieldError: a guess of another size, or not finite.
        """
        guess = np.zeros(self.n) if u is None else np.array(u, dtype=np.float64).reshape(-1)
        if guess.shape != (self.n,) or not np.isfinite(guess).all():
            raise FieldError(
                f"a first guess of {guess.size} values ({int((~np.isfinite(guess)).sum())} not finite)",
                where=self.mesh.name,
                remedy=f"give {self.n} finite values, {self.components} per node",
            )
        guess[self.fixed] = self.values
        return guess

    def driven_by(self, case: Case) -> Self:
        """The same equations with other data: boundary values, fluxes, sources; the geometry and its coefficients are those of before."""
        load, values = self.assemble(case)
        return replace(self, case=case, load=load, values=values)

    @cached_property
    def scale(self) -> np.ndarray:
        """(n c,) diagonal of the matrix at the first guess: makes residuals of unknowns of different size comparable."""
        return np.maximum(self.tangent(self.start()).diagonal(), np.finfo(np.float64).tiny)

    def size(self, residual: np.ndarray) -> float:
        """(r^T D^-1 r)^(1/2) over the free unknowns, D the diagonal of the matrix."""
        return float(np.sqrt((residual[self.free] ** 2 / self.scale[self.free]).sum()))

    @cached_property
    def zero_size(self) -> float:
        """Size of the residual of knowing nothing: of zero, or of the mean of the given values if that is smaller, with these values in; never 0."""
        guesses = [self.start()]
        if len(self.values) and len(self.fixed) % self.components == 0:
            guesses.append(self.start(np.tile(self.values.reshape(-1, self.components).mean(axis=0), self.n // self.components)))
        sizes = [self.size(self.residual(guess)) for guess in guesses]
        large = max(sizes) or 1.0
        return min(size for size in [*sizes, large] if size > 1e-12 * large)

    def relative_residual(self, u: np.ndarray) -> float:
        """:meth:`size` of what u leaves, over :attr:`zero_size`: 1 for a prediction of nothing."""
        return self.size(self.residual(u)) / self.zero_size

    def field(self, u: np.ndarray) -> Field:
        """The solution as a point field; NaN at points of the mesh that belong to no cell."""
        values = np.full((len(self.mesh.points), self.components), np.nan)
        values[self.nodes] = u.reshape(-1, self.components)
        return Field(self.quantity, values if self.quantity.rank else values[:, 0])

    @abstractmethod
    def solve(self, start: np.ndarray | None = None) -> np.ndarray:
        """(n c,) the solution by one sparse direct solve of the whole; by Newton's method, from ``start`` if given, where it is nonlinear."""


@dataclass(frozen=True, eq=False)
class LinearDiscrete(Discrete):
    """A u = b.

    Attributes:
        matrix: (n c, n c) A.
        symmetric: whether it is symmetric positive semidefinite.
        level: (n c,) function that A does not see where nothing fixes the level; None where the matrix of the free unknowns is regular.
        systems: factors that problems with other data share.
    """

    matrix: csr_matrix
    symmetric: bool = True
    level: np.ndarray | None = None
    systems: dict[bytes, LinearSystem] = field(default_factory=dict, repr=False)

    def tangent(self, u: np.ndarray) -> csr_matrix:
        return self.matrix

    def applied(self, u: np.ndarray) -> np.ndarray:
        return self.matrix @ u

    @property
    def floating(self) -> bool:
        return self.level is not None

    def solve(self, start: np.ndarray | None = None) -> np.ndarray:
        u, free = self.start(), self.free.copy()
        if self.floating:
            free[np.flatnonzero(free)[0]] = False
        right = self.residual(u)[free]
        u[free] += self._system(free).solve(right)
        return self.levelled(u)

    def levelled(self, u: np.ndarray) -> np.ndarray:
        """Without its component along ``level``; u itself where the level is fixed."""
        if self.level is None:
            return u
        return u - self.level * (self.level @ u) / (self.level @ self.level)

    def _system(self, free: np.ndarray) -> LinearSystem:
        key = free.tobytes()
        if key not in self.systems:
            rows = self.matrix[free]
            system = LinearSystem(rows[:, free], self.mesh.name, symmetric=self.symmetric, dimension=self.mesh.dimension)
            self.systems[key] = system
        return self.systems[key]


@dataclass(frozen=True, eq=False)
class NonlinearDiscrete(Discrete):
    """A(u) = b.

    Attributes:
        apply: u -> A(u).
        derivative: u -> its derivative.
        newton: load, values of the fixed unknowns, first guess or None -> solution of the whole.
    """

    apply: Callable[[np.ndarray], np.ndarray]
    derivative: Callable[[np.ndarray], csr_matrix]
    newton: Callable[[np.ndarray, np.ndarray, np.ndarray | None], np.ndarray]

    def tangent(self, u: np.ndarray) -> csr_matrix:
        return self.derivative(u)

    def applied(self, u: np.ndarray) -> np.ndarray:
        return self.apply(u)

    def solve(self, start: np.ndarray | None = None) -> np.ndarray:
        return self.newton(self.load, self.values, start)
