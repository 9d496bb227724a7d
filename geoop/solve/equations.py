"""Equations that Schwarz iterations solve: how a case becomes discrete equations, and which symmetries its solutions have."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_matrix, kron

from ..errors import ConditionError, ConfigurationError
from ..fem.diffusion import Diffusion as DiffusionProblem
from ..fem.elastic_laws import LinearElastic
from ..fem.elasticity import Displacements
from ..fem.nonlinear_diffusion import NonlinearDiffusion as NonlinearProblem
from ..fem.scalar_forms import mass, patch_load, stiffness
from ..fem.space import Space
from ..mesh.case import Case
from ..mesh.quantity import QUANTITIES, Field, Quantity
from .discrete import Discrete, LinearDiscrete, NonlinearDiscrete

SOLUTION = Quantity("solution", "u", "1")
#: Names of what drives a case, as the data sets of local problems call them.
SOURCE, CONDUCTIVITY, FLUX, BODY_FORCE, TRACTION, INITIAL = "source", "conductivity", "boundary_flux", "body_force", "traction", "initial"

#: Of a whole case: c of a :class:`Diffusion`, where a part says its own.
REACTION = "reaction"
_DATA = {
    q.name: q
    for q in (
        Quantity(SOURCE, "f", "1/m^2"),
        Quantity(FLUX, "g", "1/m"),
        Quantity(BODY_FORCE, "b", "N/m^3", 1),
        Quantity(TRACTION, "t", "Pa", 1),
        Quantity(INITIAL, "u0", "1"),
    )
}


class Equation(ABC):
    """An equation on any region: data in a case, elements of degree 1 at the points of its mesh.

    The symmetries are those of the equation, not of a network that solves it: with u(x) on a region, u(L x) solves it on the region shrunk by L with
    every datum times L^p, p its ``power``; where ``scales``, c u solves it with all data times c; where ``shifts``, u + c with the same source and flux.

    Attributes:
        quantity: what is solved for.
        powers: name of a datum -> p.
        source, flux: names of what drives it inside and through free boundaries.
        source_is_value: whether the source is a state, in the unit of the solution.
        coefficients: names of the point fields that belong to the problem and not to its data.
        linear, scales, shifts: see above.
    """

    quantity: Quantity
    powers: ClassVar[Mapping[str, int]] = {SOURCE: 2, FLUX: 1}
    source: ClassVar[str] = SOURCE
    flux: ClassVar[str] = FLUX
    source_is_value: ClassVar[bool] = False
    coefficients: ClassVar[tuple[str, ...]] = ()
    linear: ClassVar[bool] = True
    scales: ClassVar[bool] = True
    shifts: ClassVar[bool] = True

    @abstractmethod
    def discrete(self, case: Case) -> Discrete:
        """The discrete equations of a case.

        Raises:
            InvalidMeshError, PatchError, FieldError, ConfigurationError: the mesh or the data cannot be used.
        """

    @property
    def components(self) -> int | None:
        """Per node; None for one per dimension of space."""
        return 1

    @property
    def takes_sources(self) -> bool:
        """Whether a residual can stand for a source."""
        return self.linear and not self.source_is_value

    def kernel(self, points: np.ndarray) -> np.ndarray:
        """(n, c, m) functions without energy, of which coarse spaces are made: constants, or rigid motions."""
        return np.ones((len(points), 1, 1))

    def values(self, problem: Discrete, u: np.ndarray) -> Field:
        """The field that a solution stands for."""
        return problem.field(u)

    def parameters(self, length: float) -> dict[str, Field]:
        """Numbers of the equation as fields of a whole local case that was shrunk by a length, for operators that were trained on several."""
        return {}

    def energy(self, case: Case) -> csr_matrix:
        """(n c, n c) matrix of a case without any condition on its boundary; of a nonlinear equation its derivative at zero."""
        alone = Case(case.mesh, None, {name: item for name, item in case.fields.items() if name in self.coefficients})
        problem = self.discrete(alone)
        return problem.tangent(np.zeros(problem.n))

    def datum(self, name: str) -> Quantity:
        """The quantity of a datum."""
        return _DATA[name]


@dataclass(frozen=True)
class Diffusion(Equation):
    """-div(a grad u) + c u = f: Laplace, Poisson, Darcy, one implicit step of heat conduction.

    Data of a case: ``boundary[PATCH]["solution"]`` and ``["boundary_flux"]`` (a du/dn into the region, zero where nothing is said), the point or cell
    field ``conductivity`` (1 without), ``source`` (0 without).

    Attributes:
        reaction: c >= 0 [1/m^2].
        quantity: what is solved for.
    """

    reaction: float = 0.0
    quantity: Quantity = SOLUTION
    coefficients: ClassVar[tuple[str, ...]] = (CONDUCTIVITY,)

    @property
    def shifts(self) -> bool:  # type: ignore[override]
        return self.reaction == 0.0

    def parameters(self, length: float) -> dict[str, Field]:
        if self.reaction == 0.0:
            return {}
        return {REACTION: Field(Quantity(REACTION, "c", "1/m^2"), np.array(self.reaction * length**2), "global")}

    def discrete(self, case: Case) -> LinearDiscrete:
        fixed, _ = imposed(case, self.quantity.name, FLUX)
        conductivity, said = case.fields.get(CONDUCTIVITY, 1.0), case.fields.get(REACTION)
        reaction = self.reaction if said is None else float(said.values)
        problem = DiffusionProblem(case.mesh, conductivity=conductivity, reaction=reaction, degree=1, dirichlet=tuple(fixed))

        def assemble(data: Case) -> tuple[np.ndarray, np.ndarray]:
            dirichlet, neumann = imposed(data, self.quantity.name, FLUX)
            _same_patches(data, fixed, dirichlet)
            load = problem.load(_given(data, SOURCE), neumann=neumann)
            if problem.floating:
                load = problem.balanced(load[:, None])[:, 0]
            return load, problem.boundary_values(dirichlet)

        level = np.ones(problem.space.n) if problem.floating else None
        load, values = assemble(case)
        nodes = problem.space.domain.vertices
        return LinearDiscrete(case, self.quantity, nodes, 1, problem.fixed, values, load, assemble, problem.matrix, True, level)


@dataclass(frozen=True)
class NonlinearDiffusion(Equation):
    """-div(a(u) grad u) = f with a(u) = 1 + u^2 unless told otherwise; values on at least one patch.

    Attributes:
        conductivity, slope: a and its derivative, element by element.
        quantity: what is solved for.
    """

    conductivity: Callable[[np.ndarray], np.ndarray] = lambda u: 1.0 + u**2
    slope: Callable[[np.ndarray], np.ndarray] = lambda u: 2.0 * u
    quantity: Quantity = SOLUTION
    linear: ClassVar[bool] = False
    scales: ClassVar[bool] = False
    shifts: ClassVar[bool] = False

    def energy(self, case: Case) -> csr_matrix:
        return stiffness(Space.of(case.mesh, 1), float(self.conductivity(np.zeros(1))[0]))

    def discrete(self, case: Case) -> NonlinearDiscrete:
        fixed, _ = imposed(case, self.quantity.name, FLUX)
        problem = NonlinearProblem(case.mesh, self.conductivity, self.slope, degree=1, dirichlet=tuple(fixed))

        def assemble(data: Case) -> tuple[np.ndarray, np.ndarray]:
            dirichlet, neumann = imposed(data, self.quantity.name, FLUX)
            _same_patches(data, fixed, dirichlet)
            return problem.linear.load(_given(data, SOURCE), neumann=neumann), problem.linear.boundary_values(dirichlet)

        def newton(load: np.ndarray, values: np.ndarray, start: np.ndarray | None) -> np.ndarray:
            if start is None:
                start = np.zeros(problem.space.n)
                start[problem.linear.fixed] = values
                system, coupling = problem.linear.system
                start[problem.linear.free] = system.solve(-(coupling @ values))
            return problem.solve_load(load, values, start)[0]

        load, values = assemble(case)
        nodes = problem.space.domain.vertices
        return NonlinearDiscrete(
            case,
            self.quantity,
            nodes,
            1,
            problem.linear.fixed,
            values,
            load,
            assemble,
            problem.applied,
            problem.tangent,
            newton,
        )


@dataclass(frozen=True)
class Elasticity(Equation):
    """div(sigma(u)) + b = 0, small strains. Data of a case: ``boundary[PATCH]["displacement"]`` and ``["traction"]``, the point field ``body_force``.

    Attributes:
        law: Hooke's law; its Young's modulus only scales the loads.
    """

    law: LinearElastic = field(default_factory=lambda: LinearElastic(1.0, 0.3, "plane strain"))
    quantity: Quantity = QUANTITIES["displacement"]
    powers: ClassVar[Mapping[str, int]] = {BODY_FORCE: 2, TRACTION: 1}
    source: ClassVar[str] = BODY_FORCE
    flux: ClassVar[str] = TRACTION

    @property
    def components(self) -> None:
        return None

    def kernel(self, points: np.ndarray) -> np.ndarray:
        n, d = points.shape
        at = points - points.mean(axis=0)
        turns = [(0, 1)] if d == 2 else [(0, 1), (1, 2), (2, 0)]
        modes = np.zeros((n, d, d + len(turns)))
        for i in range(d):
            modes[:, i, i] = 1.0
        for k, (i, j) in enumerate(turns):
            modes[:, i, d + k], modes[:, j, d + k] = -at[:, j], at[:, i]
        return modes

    def energy(self, case: Case) -> csr_matrix:
        return csr_matrix(Displacements.of(case.mesh, 1).stiffness(self.law.tangent()))

    def discrete(self, case: Case) -> LinearDiscrete:
        if self.law.dimension != case.mesh.dimension:
            raise ConditionError(
                f"a law for {self.law.state} on a mesh in {case.mesh.dimension}-D",
                where=case.name,
                remedy="give state 'solid' in 3-D, a plane one in 2-D",
            )
        name, d = self.quantity.name, case.mesh.dimension
        patches, _ = imposed(case, name, TRACTION)
        if not patches:
            raise ConfigurationError("nothing holds the body", where=case.name, remedy="impose displacement on a patch")
        spaces = Displacements.of(case.mesh, 1)
        space = spaces.space
        held = space.on(*patches)
        fixed = (d * held[:, None] + np.arange(d)).ravel()

        def assemble(data: Case) -> tuple[np.ndarray, np.ndarray]:
            displaced, pulled = imposed(data, name, TRACTION)
            _same_patches(data, patches, displaced)
            values = np.zeros((space.n, d))
            for patch, given in displaced.items():
                values[space.on(patch)] = _vectors(space, patch, given, d)
            load = np.zeros((space.n, d))
            for patch, given in pulled.items():
                load += _traction(spaces, patch, given)
            force = data.fields.get(BODY_FORCE)
            if force is not None:
                load += spaces.mass() @ np.asarray(force.values)[space.domain.vertices]
            return load.ravel(), values[held].ravel()

        load, values = assemble(case)
        matrix = csr_matrix(spaces.stiffness(self.law.tangent()))
        return LinearDiscrete(case, self.quantity, space.domain.vertices, d, fixed, values, load, assemble, matrix)


@dataclass(frozen=True)
class HeatWindow(Equation):
    """u_t = alpha laplace(u) over a window of implicit Euler steps, all of them unknowns: Schwarz iterations exchange boundary values in time
    (waveform relaxation; M. J. Gander, A. M. Stuart, SIAM J. Sci. Comput. 19, 1998).

    Data of a case: the point field ``initial``, and on patches ``solution`` as (m,) values that are constant in time, or as a quantity of rank 1 with
    (m, steps) values at the ends of the steps.

    Attributes:
        step: [s].
        steps: in the window.
        diffusivity: alpha [m^2/s].
    """

    step: float = 0.01
    steps: int = 10
    diffusivity: float = 1.0
    quantity: Quantity = SOLUTION
    powers: ClassVar[Mapping[str, int]] = {}
    source: ClassVar[str] = INITIAL
    source_is_value: ClassVar[bool] = True

    @property
    def components(self) -> int:
        return self.steps

    def parameters(self, length: float) -> dict[str, Field]:
        return {"diffusivity": Field(Quantity("diffusivity", "alpha", "m^2/s"), np.array(self.diffusivity / length**2), "global")}

    def kernel(self, points: np.ndarray) -> np.ndarray:
        return np.broadcast_to(np.eye(self.steps), (len(points), self.steps, self.steps)).copy()

    def values(self, problem: Discrete, u: np.ndarray) -> Field:
        """The state at the end of the window."""
        values = np.full(len(problem.mesh.points), np.nan)
        values[problem.nodes] = u.reshape(-1, self.steps)[:, -1]
        return Field(self.quantity, values)

    def energy(self, case: Case) -> csr_matrix:
        started = Field(self.datum(INITIAL), np.zeros(len(case.mesh.points)))
        return self.discrete(Case(case.mesh, None, {INITIAL: started})).matrix

    def discrete(self, case: Case) -> LinearDiscrete:
        patches, free = imposed(case, self.quantity.name, FLUX)
        unheard = sorted(
            {*(patch for patch, flux in free.items() if np.any(flux)), *(name for name in (SOURCE, CONDUCTIVITY) if name in case.fields)}
        )
        if unheard:
            raise ConfigurationError(
                f"a window of heat does not take {unheard}", where=case.name, remedy="give 'initial' and values on patches; alpha is the equation's"
            )
        problem = DiffusionProblem(case.mesh, conductivity=self.diffusivity, degree=1, dirichlet=tuple(patches))
        space, s = problem.space, self.steps
        inertia = mass(space, 1.0 / self.step)
        matrix = kron(inertia + problem.matrix, np.eye(s)) - kron(inertia, np.eye(s, k=-1))
        held = problem.fixed
        fixed = (s * held[:, None] + np.arange(s)).ravel()

        def assemble(data: Case) -> tuple[np.ndarray, np.ndarray]:
            given, _ = imposed(data, self.quantity.name, FLUX)
            _same_patches(data, patches, given)
            values = np.zeros((space.n, s))
            for patch, item in given.items():
                array = np.asarray(item, dtype=np.float64)
                values[space.on(patch)] = array if array.ndim == 2 else np.broadcast_to(array, (s, len(space.on(patch)))).T if array.ndim else array
            load = np.zeros((space.n, s))
            if INITIAL not in data.fields:
                raise ConfigurationError("no state to start from", where=data.name, remedy="give the point field 'initial'")
            load[:, 0] = inertia @ np.asarray(data.fields[INITIAL].values)[space.domain.vertices]
            return load.ravel(), values[held].ravel()

        load, values = assemble(case)
        return LinearDiscrete(case, self.quantity, space.domain.vertices, s, fixed, values, load, assemble, csr_matrix(matrix), False)


def imposed(case: Case, quantity: str, flux: str) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """(patch -> values of the quantity, patch -> flux) of a case.

    Raises:
        ConfigurationError: a patch with both, or one that imposes something else.
    """
    fixed, free, odd = {}, {}, []
    for patch, data in case.boundary.items():
        strange = sorted(set(data) - {quantity, flux})
        if strange or len(data) != 1:
            odd.append(f"'{patch}' imposes {sorted(data)}")
        elif quantity in data:
            fixed[patch] = np.asarray(data[quantity].values, dtype=np.float64)
        else:
            free[patch] = np.asarray(data[flux].values, dtype=np.float64)
    if odd:
        raise ConfigurationError("; ".join(odd), where=case.name, remedy=f"impose either '{quantity}' or '{flux}' on a patch")
    return fixed, free


def _given(case: Case, name: str) -> Field | float:
    return case.fields.get(name, 0.0)


def _same_patches(case: Case, before: Mapping[str, object], now: Mapping[str, object]) -> None:
    if set(before) != set(now):
        raise ConfigurationError(
            f"values are given on {sorted(now)}, the problem was prepared with {sorted(before)}", where=case.name, remedy="prepare it again"
        )


def _vectors(space, patch: str, given: np.ndarray, d: int) -> np.ndarray:
    """(m, d) values at the unknowns of a patch."""
    if given.ndim == 1:
        return np.broadcast_to(given, (len(space.on(patch)), d))
    return np.stack([space.patch_values(patch, given[:, i]) for i in range(d)], axis=1)


def _traction(spaces: Displacements, patch: str, given: np.ndarray) -> np.ndarray:
    """(n, d) loads of a traction: one vector, or one per point of the patch."""
    if given.ndim == 1:
        return spaces.surface_load(patch, given)
    return np.stack([patch_load(spaces.space, patch, given[:, i]) for i in range(given.shape[1])], axis=1)
