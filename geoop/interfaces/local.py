"""Local problems, and what solves them: all that a Schwarz iteration knows of a neural operator, a finite-element solver or an exact solution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np

from ..mesh.case import Case

#: What a local problem may ask for on its boundary.
Condition = Literal["dirichlet", "neumann", "robin"]

#: Patches of a local mesh. A point of both is a Dirichlet point.
DIRICHLET, NEUMANN = "dirichlet", "neumann"


@dataclass(frozen=True, eq=False)
class LocalProblem:
    """One part of a region as a problem of its own: everything that does not change from sweep to sweep.

    Attributes:
        case: the part. Its patch ``dirichlet`` holds the facets where the solution is imposed, on the region's own Dirichlet boundary and on the
            interface to other parts; ``neumann`` (left out where empty) those where a flux is. Point fields are coefficients, such as
            ``conductivity``. It has no boundary values.
        quantity: name of what is solved for, ``solution`` or ``displacement``.
        rim: (m,) points of the patch ``dirichlet``, ascending.
        linear: whether its solution is linear in its data; None where nobody says so.
    """

    case: Case
    quantity: str
    rim: np.ndarray
    linear: bool | None = None

    @property
    def free_rim(self) -> np.ndarray:
        """(p,) points of the patch ``neumann``, ascending; empty without that patch."""
        return self.case.mesh.patch_points(NEUMANN) if NEUMANN in self.case.mesh.patches else np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class LocalData:
    """What a local problem is driven by in one sweep; vectors have one more axis, of components.

    Attributes:
        rim: (m,) or (m, d) values at ``LocalProblem.rim``.
        source: (n,) or (n, d) at the points of the part; None for zero.
        flux: (p,) or (p, d) into the part at ``LocalProblem.free_rim``; None for zero. Where free patches with different fluxes meet, values at points
            say it to the width of a facet only.
        load: (n,) or (n, d) right-hand side of the discrete equations in place of source and flux, for exact solvers; right at points off the rim.
    """

    rim: np.ndarray
    source: np.ndarray | None = None
    flux: np.ndarray | None = None
    load: np.ndarray | None = None


#: Data of every part -> (n,) or (n, d) solutions at the points of every part, rim included; all parts in one batch.
LocalSolve = Callable[[Sequence[LocalData]], list[np.ndarray]]


@runtime_checkable
class HeldSolve(Protocol):
    """A :data:`LocalSolve` of a nonlinear operator that answers by linear maps, which depend on the data and are dear, while products with them are cheap."""

    def __call__(self, data: Sequence[LocalData]) -> list[np.ndarray]:
        """Answers with the maps that belong to the data."""
        ...

    def held(self, data: Sequence[LocalData]) -> list[np.ndarray]:
        """Answers with the maps of the last call, a product each; without a call before, as a call."""
        ...


@runtime_checkable
class LocalSolver(Protocol):
    """Solves many small boundary-value problems at once."""

    @property
    def accepts(self) -> frozenset[Condition]:
        """Kinds of conditions that it honours; anything else is refused before the first sweep."""
        ...

    @property
    def exact(self) -> bool:
        """Whether its answers solve the discrete equations to rounding."""
        ...

    def prepare(self, problems: Sequence[LocalProblem]) -> LocalSolve:
        """Whatever depends on shapes and coefficients alone, once; the solver for data that change."""
        ...
