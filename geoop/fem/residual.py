"""What finite elements leave of an equation, as tensors: residuals that a network can be trained on.

Linear problems leave r(u) = A u - b. With conductivity a(u), -div(a(u) grad u) = f leaves

    r_i(u) = sum_q w_q a(u_q) grad u_q . grad phi_i - b_i,      u_q = (N u)_q,  grad u_q = (G u)_q

so that r = G^T (w a(N u) G u) - b: sparse products throughout, differentiable as often as one likes. b holds sources and Neumann data;
Robin terms are in A. Rows of unknowns with Dirichlet data are zero: there u is imposed (:meth:`WeakResidual.hold`) or penalised.

Which norm: |r|_2 weighs unknowns by their mesh and is as badly conditioned as A^T A. In the dual norm r^T K^-1 r with K = A the square
is that of the energy norm of the error, |u - u_h|_A^2, and the Ritz energy u^T A u/2 - b^T u is the same up to a constant and one half.
Both have A as their Hessian. The diagonal norm r^T D^-1 r needs no factors. (D. Braess, Finite Elements, 3rd ed., 2007, II.2 and III.8;
as losses: variational PINNs, S. Rojas et al., "Robust variational physics-informed neural networks", arXiv 2308.16910.)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from scipy.sparse import csr_matrix, spmatrix
from torch import Tensor

from ..axes import check
from ..errors import ConfigurationError, FieldError
from .diffusion import Diffusion
from .nonlinear_diffusion import NonlinearDiffusion
from .solving import LinearSystem
from .space import Coefficient
from .sparse_tensor import SparseTensor, gradient_matrices, value_matrix

Norm = Literal["dual", "diagonal", "plain"]


class WeakResidual(ABC):
    """Equations of n unknowns, some of which are given. Double precision; predictions in single precision are cast.

    Args:
        stiffness: (n, n) symmetric matrix, positive definite on the free unknowns: it defines the norms. Of linear problems A itself.
        load: (n,) b.
        fixed: (m,) unknowns with Dirichlet data.
        values: (m,) the data.
        where: what the equations belong to, for errors.
    """

    def __init__(self, stiffness: spmatrix, load: np.ndarray, *, fixed: np.ndarray, values: np.ndarray, where: str = "residual") -> None:
        check(load=(load, "n"), stiffness=(stiffness, "n n"), fixed=(fixed, "m"), values=(values, "m"))
        if not len(fixed) and not _definite(stiffness):
            raise ConfigurationError(
                "nothing fixes the level of the solution, so the norms of its residual are not defined",
                where=where,
                remedy="give a Dirichlet or Robin condition",
            )
        self.where, self._stiffness = where, csr_matrix(stiffness)
        self.load, self.values = (torch.as_tensor(np.array(item, dtype=np.float64)) for item in (load, values))
        self.fixed = torch.as_tensor(np.array(fixed, dtype=np.int64))
        mask = np.ones(len(load), dtype=bool)
        mask[fixed] = False
        self.free = torch.from_numpy(np.flatnonzero(mask))
        self._mask = torch.from_numpy(mask)

    @property
    def n(self) -> int:
        """Number of unknowns."""
        return len(self.load)

    @abstractmethod
    def equations(self, u: Tensor) -> Tensor:
        """(n,) residuals of all equations, those of fixed unknowns too: what flows in there to hold u."""

    def __call__(self, u: Tensor) -> Tensor:
        """(n,) residuals of the free unknowns, zero in the rows of the fixed ones."""
        check({"n": self.n}, u=(u, "n"))
        return torch.where(self._mask, self.equations(u.double()), 0.0)

    def hold(self, u: Tensor) -> Tensor:
        """(n,) u with its fixed unknowns replaced by the data: Dirichlet values are met exactly."""
        return u.double().index_copy(0, self.fixed, self.values)

    def norm(self, residual: Tensor, kind: Norm = "dual") -> Tensor:
        """The size of a residual.

        Args:
            residual: (n,).
            kind: ``dual`` (r^T K^-1 r)^(1/2), for linear problems the energy norm of the error; ``diagonal`` (r^T D^-1 r)^(1/2) with the
                diagonal of K; ``plain`` the Euclidean norm.
        """
        r = residual.index_select(0, self.free)
        if kind == "dual":
            square = (r * _Solve.apply(r, self._system)).sum()
        elif kind == "diagonal":
            square = (r.square() / self._diagonal).sum()
        elif kind == "plain":
            square = r.square().sum()
        else:
            raise ConfigurationError(f"norm {kind!r}", where=self.where, remedy="choose 'dual', 'diagonal' or 'plain'")
        return (square + 1e-30).sqrt()  # the root has no derivative at zero

    def relative(self, u: Tensor, kind: Norm = "dual") -> Tensor:
        """|r(u)| over |r| of zero with the data held: 1 for a prediction of nothing, 0 for the finite-element solution.

        ``u`` is taken as it is: hold it first where the data are to be met exactly.
        """
        return self.norm(self(u), kind) / max(float(self._scale(kind)), 1e-15)

    def boundary_error(self, u: Tensor) -> Tensor:
        """Root mean square of u - data over the fixed unknowns, over that of the data: the penalty of a Dirichlet condition.

        Absolute where all data are zero.
        """
        if not len(self.fixed):
            return u.new_zeros((), dtype=torch.float64)
        error = u.double().index_select(0, self.fixed) - self.values
        size = float(self.values.square().mean().sqrt())
        return (error.square().mean() + 1e-30).sqrt() / (size or 1.0)

    @torch.no_grad()
    def _scale(self, kind: Norm) -> Tensor:
        if kind not in self._scales:
            self._scales[kind] = self.norm(self(self.hold(torch.zeros(self.n, dtype=torch.float64))), kind)
        return self._scales[kind]

    @cached_property
    def _scales(self) -> dict[Norm, Tensor]:
        return {}

    @cached_property
    def _system(self) -> LinearSystem:
        free = self.free.numpy()
        return LinearSystem(self._stiffness[free][:, free], self.where)

    @cached_property
    def _diagonal(self) -> Tensor:
        return torch.as_tensor(self._stiffness.diagonal())[self.free]


class LinearResidual(WeakResidual):
    """r(u) = A u - b.

    Args:
        matrix: (n, n) A, symmetric; of elasticity in the order of its unknowns, component by component of every node.
        load, fixed, values, where: see :class:`WeakResidual`.
    """

    def __init__(self, matrix: spmatrix, load: np.ndarray, *, fixed: np.ndarray, values: np.ndarray, where: str = "residual") -> None:
        super().__init__(matrix, load, fixed=fixed, values=values, where=where)
        self.matrix = SparseTensor.of(matrix)

    @classmethod
    def of(
        cls,
        problem: Diffusion,
        source: Coefficient = 0.0,
        *,
        dirichlet: Mapping[str, Coefficient] | None = None,
        neumann: Mapping[str, Coefficient] | None = None,
        ambient: Mapping[str, Coefficient] | None = None,
    ) -> LinearResidual:
        """The residual whose zero :meth:`Diffusion.solve` finds for the same data."""
        problem.require_conditions(dirichlet or {}, neumann or {}, ambient or {})
        load, values = problem.load(source, neumann=neumann, ambient=ambient), problem.boundary_values(dirichlet or {})
        _require_one(problem, load, values)
        return cls(problem.matrix, load, fixed=problem.fixed, values=values, where=problem.space.mesh.name)

    def equations(self, u: Tensor) -> Tensor:
        return self.matrix @ u - self.load

    def energy(self, u: Tensor) -> Tensor:
        """u^T A u/2 - b^T u: least at the solution among all u that hold the data; its gradient is the residual."""
        u = u.double()
        return 0.5 * (u * (self.matrix @ u)).sum() - (self.load * u).sum()


class NonlinearResidual(WeakResidual):
    """r(u) = G^T (w a(N u) G u) - b of -div(a(u) grad u) = f; norms by the stiffness with a = 1.

    Args:
        problem: the prepared problem.
        conductivity: a(u) of a tensor; None takes the problem's own, which then must be made of operations that tensors have.
        source, dirichlet, neumann: data as for :meth:`NonlinearDiffusion.solve`.
    """

    def __init__(
        self,
        problem: NonlinearDiffusion,
        source: Coefficient = 0.0,
        *,
        conductivity: Callable[[Any], Any] | None = None,
        dirichlet: Mapping[str, Coefficient] | None = None,
        neumann: Mapping[str, Coefficient] | None = None,
    ) -> None:
        linear = problem.linear
        linear.require_conditions(dirichlet or {}, neumann or {}, {})
        load, values = linear.load(source, neumann=neumann), linear.boundary_values(dirichlet or {})
        _require_one(linear, load, values)
        super().__init__(linear.matrix, load, fixed=linear.fixed, values=values, where=problem.space.mesh.name)
        self.conductivity = conductivity or problem.conductivity
        self._value, self._gradient = value_matrix(problem.space), gradient_matrices(problem.space)
        self._weight = torch.from_numpy(np.array(problem.space.quadrature_weights))

    def equations(self, u: Tensor) -> Tensor:
        conducted = self._weight * self.conductivity(self._value @ u)
        return _summed([part.transposed @ (conducted * (part @ u)) for part in self._gradient]) - self.load


class _Solve(torch.autograd.Function):
    """K^-1 r for a symmetric K that is prepared once."""

    @staticmethod
    def forward(r: Tensor, system: LinearSystem) -> Tensor:
        return torch.from_numpy(np.asarray(system.solve(r.detach().cpu().numpy()))).to(r.device)

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        ctx.system = inputs[1]

    @staticmethod
    def backward(ctx, grad: Tensor):  # type: ignore[override]
        return _Solve.apply(grad, ctx.system), None


def _summed(parts: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(parts)).sum(dim=0)


def _definite(matrix: spmatrix) -> bool:
    """Whether constants are no null vectors: a reaction or a Robin term is there."""
    row = np.asarray(matrix @ np.ones(matrix.shape[0]))
    return bool(np.abs(row).sum() > 1e-10 * np.abs(matrix.diagonal()).sum())


def _require_one(problem: Diffusion, *arrays: np.ndarray) -> None:
    if any(array.ndim != 1 for array in arrays):
        raise FieldError("data have columns", where=problem.space.mesh.name, remedy="give one column: one residual per problem")
