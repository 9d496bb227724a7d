"""Steady linear diffusion, prepared once and solved for many data: Laplace, Poisson, Darcy, mixed and Robin conditions.

Stable interface::

    problem = Diffusion(mesh, conductivity=a, degree=2, dirichlet=("inlet", "outlet"))
    u = problem.solve(source=f, dirichlet={"inlet": 1.0}, neumann={"heater": g})   # (n,) values at the unknowns
    problem.space.at_mesh_points(u)                                               # (n_points,) for a Field
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from ..errors import ConfigurationError, FieldError
from ..mesh.mesh import Mesh
from .scalar_forms import load, mass, patch_loads, patch_mass, stiffness
from .solving import LinearSystem
from .space import Coefficient, Space

#: Largest imbalance of sources and fluxes without any Dirichlet condition, relative to the sum of their magnitudes.
IMBALANCE = 1e-3


class Diffusion:
    """-div(a grad u) + c u = f, with u given on some patches, a du/dn = g on others, a du/dn + h (u - u_ambient) = 0 on others.

    Assembled and factorised once, on first use; every :meth:`solve` after that costs one pair of triangular solves per column.
    Patches without a condition are insulated (a du/dn = 0). Without a Dirichlet or Robin condition and without c, the solution is
    fixed by its mean.

    Args:
        mesh: cells that fill a region, or a :class:`Space` on them.
        conductivity: a > 0: a number, a (d, d) tensor, a function of position, an array or field over points or cells.
        reaction: c >= 0, of the same kinds.
        degree: of the elements, 1 or 2 (of a mesh; a space has its own).
        dirichlet: patches where u is given; ``("boundary",)`` is the whole boundary of a mesh without patches.
        robin: patch -> h >= 0.

    Raises:
        InvalidMeshError, PatchError, FieldError: the mesh, a patch or a coefficient cannot be used (a <= 0, c < 0 or h < 0 somewhere).
        ConfigurationError: a part of the region that touches no other has no condition.
    """

    def __init__(
        self,
        mesh: Mesh | Space,
        *,
        conductivity: Coefficient = 1.0,
        reaction: Coefficient = 0.0,
        degree: int = 2,
        dirichlet: Sequence[str] = (),
        robin: Mapping[str, Coefficient] | None = None,
    ) -> None:
        self.space = mesh if isinstance(mesh, Space) else Space.of(mesh, degree)
        self.dirichlet, self.robin = (dirichlet,) if isinstance(dirichlet, str) else tuple(dirichlet), dict(robin or {})
        both = sorted(set(self.dirichlet) & set(self.robin))
        if both:
            raise ConfigurationError(f"patches {both} have two conditions", where=self.space.mesh.name, remedy="give each patch one")
        self.matrix, self._anchored = _operator(self.space, conductivity, reaction, self.robin)
        self.fixed = self.space.on(*self.dirichlet) if self.dirichlet else np.zeros(0, dtype=np.int64)
        self.floating = self._is_floating()
        #: Unknowns that are solved for; without any condition one is pinned, and the mean restored afterwards.
        self.free = _others(self.space.n, self.fixed if not self.floating else np.zeros(1, dtype=np.int64))
        self._parts: tuple[LinearSystem, csr_matrix] | None = None
        self._cached: dict[str, csr_matrix] = {}

    def _is_floating(self) -> bool:
        """Whether nothing fixes the level of u; refuses regions of which only some parts are fixed."""
        count, label = connected_components(self.matrix, directed=False)
        held = np.zeros(count, dtype=bool)
        held[label[self.fixed]] = held[label[self._anchored]] = True
        if count == 1:
            return not held[0]
        if not held.all():
            raise ConfigurationError(
                f"{int((~held).sum())} of {count} parts of the region that do not touch have no Dirichlet or Robin condition and do not react",
                where=self.space.mesh.name,
                remedy="name a patch of every part in dirichlet=(...), or solve the parts one by one",
            )
        return False

    @property
    def system(self) -> tuple[LinearSystem, csr_matrix]:
        """The equations of the free unknowns, prepared, and (free, fixed) what couples them to the given values."""
        if self._parts is None:
            rows = self.matrix[self.free]
            dimension = self.space.domain.dimension
            self._parts = LinearSystem(rows[:, self.free], self.space.mesh.name, dimension=dimension), rows[:, self.fixed].tocsr()
        return self._parts

    def solve(
        self,
        source: Coefficient = 0.0,
        *,
        dirichlet: Mapping[str, Coefficient] | None = None,
        neumann: Mapping[str, Coefficient] | None = None,
        ambient: Mapping[str, Coefficient] | None = None,
        mean: float = 0.0,
    ) -> np.ndarray:
        """The solution at the unknowns.

        Arrays may have k columns, which gives k solutions at once: all data with columns must have the same k.

        Args:
            source: f: a number, a function, an array over unknowns, mesh points, cells or quadrature points, a field.
            dirichlet: patch -> u, see :meth:`Space.patch_values`; zero on patches that are not named. Where two patches meet, the
                one named last in the constructor rules.
            neumann: patch -> g = a du/dn, the flux into the region, see :func:`geoop.fem.scalar_forms.patch_load`.
            ambient: patch with a Robin condition -> u_ambient; zero where not named.
            mean: of u, where only that fixes it.

        Returns:
            (n,) or (n, k) in the order of ``space.points``.

        Raises:
            FieldError: data of the wrong size, or not finite.
            ConfigurationError: data on a patch that has another condition, or sources and fluxes that do not balance where
                nothing fixes u.
            ConvergenceError: the system is singular.
        """
        self.require_conditions(dirichlet or {}, neumann or {}, ambient or {})
        right = self.load(source, neumann=neumann, ambient=ambient)
        values = self.boundary_values(dirichlet or {})
        columns = max(right.ndim, values.ndim) == 2
        k = _columns(self.space, [right, values])
        right = np.broadcast_to(right.reshape(len(right), -1), (self.space.n, k))
        answer = np.zeros((self.space.n, k))
        answer[self.fixed] = values if values.ndim == 2 else values[:, None]
        if self.floating:
            right = self.balanced(right)
        system, coupling = self.system
        answer[self.free] = system.solve(right[self.free] - coupling @ answer[self.fixed])
        if self.floating:
            weight = self.load(1.0)
            answer += mean - (weight @ answer) / weight.sum()
        return answer if columns else answer[:, 0]

    def load(
        self, source: Coefficient, *, neumann: Mapping[str, Coefficient] | None = None, ambient: Mapping[str, Coefficient] | None = None
    ) -> np.ndarray:
        """(n,) or (n, k) right-hand side of all equations, those of fixed unknowns too."""
        parts = [load(self.space, source, self._cached), *patch_loads(self.space, neumann or {}, self._cached)]
        for patch, value in (ambient or {}).items():
            given = self.space.patch_values(patch, value)
            values = np.zeros((self.space.n, *given.shape[1:]))
            values[self.space.on(patch)] = given
            parts.append(patch_mass(self.space, patch, self.robin[patch]) @ values)
        _columns(self.space, parts)
        if any(part.ndim == 2 for part in parts):
            parts = [part.reshape(self.space.n, -1) for part in parts]
        return sum(parts[1:], start=parts[0])

    def reactions(self, values: np.ndarray, right: np.ndarray) -> np.ndarray:
        """(n,) what flows in through the fixed unknowns to hold them: the residual of their equations, zero at all others.

        Its sum over the unknowns of a Dirichlet patch is the flux of a du/dn through that patch, with twice the order of
        :func:`geoop.fem.integrals.patch_flux`, and all sums balance the sources to rounding. Unknowns that two patches share count to both.

        Args:
            values: (n,) solution.
            right: its :meth:`load`.
        """
        return self.matrix @ values - right

    def boundary_values(self, data: Mapping[str, Coefficient]) -> np.ndarray:
        """(m,) or (m, k) values of the fixed unknowns, in the order of ``self.fixed``."""
        parts = [(self.space.on(patch), self.space.patch_values(patch, data.get(patch, 0.0))) for patch in self.dirichlet]
        columns = any(part.ndim == 2 for _, part in parts)
        whole = np.zeros((self.space.n, _columns(self.space, [part for _, part in parts])) if columns else self.space.n)
        for unknowns, part in parts:
            whole[unknowns] = part[:, None] if columns and part.ndim == 1 else part
        return whole[self.fixed]

    def balanced(self, right: np.ndarray) -> np.ndarray:
        """(n, k) loads that sum to zero: what quadrature leaves is spread evenly over the region.

        Raises:
            ConfigurationError: they do not, by more than :data:`IMBALANCE` of their magnitudes: there is no steady solution.
        """
        total, magnitude = right.sum(axis=0), np.abs(right).sum(axis=0)
        worst = int(np.argmax(np.abs(total) - IMBALANCE * magnitude))
        if abs(total[worst]) > IMBALANCE * magnitude[worst]:
            raise ConfigurationError(
                f"without a Dirichlet or Robin condition sources and fluxes must sum to zero, but they sum to {total[worst]:.6g} "
                f"({abs(total[worst]) / magnitude[worst]:.1%} of their magnitudes), so there is no steady solution",
                where=self.space.mesh.name,
                remedy="balance source and neumann, or fix u on a patch: dirichlet=('PATCH',)",
            )
        weight = self.load(1.0)
        return right - weight[:, None] * (total / weight.sum())

    def require_conditions(self, dirichlet: Mapping, neumann: Mapping, ambient: Mapping) -> None:
        """Refuse data on patches that have another condition.

        Raises:
            ConfigurationError: all of them in one error.
        """
        problems = [f"'{patch}' is no Dirichlet patch" for patch in dirichlet if patch not in self.dirichlet]
        problems += [f"'{patch}' has its u fixed and takes no flux" for patch in neumann if patch in self.dirichlet]
        problems += [f"'{patch}' has no Robin condition" for patch in ambient if patch not in self.robin]
        if problems:
            raise ConfigurationError(
                "; ".join(problems),
                where=self.space.mesh.name,
                remedy=f"the problem was prepared with dirichlet={self.dirichlet} and robin={tuple(self.robin)}",
            )


def _operator(space: Space, conductivity: Coefficient, reaction: Coefficient, robin: Mapping[str, Coefficient]) -> tuple[csr_matrix, np.ndarray]:
    """The matrix, and (n,) whether a reaction or a Robin condition acts on an unknown."""
    matrix, anchored = stiffness(space, conductivity), np.zeros(space.n, dtype=bool)
    parts = [] if isinstance(reaction, int | float) and reaction == 0.0 else [mass(space, reaction)]
    parts += [patch_mass(space, patch, transfer) for patch, transfer in robin.items()]
    for part in parts:
        matrix, anchored = matrix + part, anchored | (part.diagonal() > 0.0)
    return matrix.tocsr(), anchored


def _columns(space: Space, arrays: Sequence[np.ndarray]) -> int:
    """Number of columns of those arrays that have columns, 1 if none has.

    Raises:
        FieldError: it is not the same.
    """
    found = sorted({array.shape[1] for array in arrays if array.ndim == 2})
    if len(found) > 1:
        raise FieldError(f"data have {found} columns", where=space.mesh.name, remedy="give all data as many columns, or none")
    return found[0] if found else 1


def _others(n: int, taken: np.ndarray) -> np.ndarray:
    left = np.ones(n, dtype=bool)
    left[taken] = False
    return np.flatnonzero(left)
