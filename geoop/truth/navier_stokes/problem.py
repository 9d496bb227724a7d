"""A plane incompressible flow problem: fluid, conditions per patch, and how they become constraints of the unknowns."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from ...errors import ConditionError, ConfigurationError, PatchError
from ...fem.domain import Domain
from ...fem.taylor_hood import TaylorHood
from ...mesh.mesh import Mesh

#: Velocity on a patch [m/s]: two numbers, or a function of points (k, 2) [m] and the time [s] that gives (k, 2).
Velocity = Sequence[float] | Callable[[np.ndarray, float], np.ndarray]
NO_SLIP = (0.0, 0.0)
_POSITIVE = ("viscosity", "density", "reference_velocity", "reference_length")


@dataclass(frozen=True, eq=False)
class FlowProblem:
    """Incompressible flow of constant density and viscosity on a plane mesh.

    Every facet of the boundary belongs to a patch, and every patch has one condition.

    Attributes:
        space: the elements, which serve many problems on one mesh. A mesh of triangles or its domain may be given; what is kept are
            the elements on it.
        viscosity: kinematic [m^2/s].
        velocity: patch -> velocity [m/s]; where patches meet, the one named last counts. ``NO_SLIP`` for a wall at rest.
        outlet: patches where nothing is imposed: nu du/dn = p n.
        slip: straight patches without flow through them and without shear: symmetry planes, frictionless walls.
        force: per mass [m/s^2], of points (k, 2); None for none.
        density: [kg/m^3].
        reference_velocity: of the Reynolds number and of coefficients [m/s].
        reference_length: the same [m].

    Raises:
        ConditionError: an impossible number; a boundary without condition or with two; a curved slip patch; inflow without outlet.
        ConfigurationError: a function that does not take these arguments.
        InvalidMeshError: a mesh without Taylor-Hood elements.
    """

    space: TaylorHood
    viscosity: float
    velocity: Mapping[str, Velocity]
    outlet: tuple[str, ...] = ()
    slip: tuple[str, ...] = ()
    force: Callable[[np.ndarray], np.ndarray] | None = None
    density: float = 1.0
    reference_velocity: float = 1.0
    reference_length: float = 1.0
    constraints: Constraints = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if isinstance(self.space, Mesh | Domain):
            object.__setattr__(self, "space", TaylorHood(self.space))
        name = self.space.domain.mesh.name
        _require_arguments(self)
        numbers = [f"{key} is {vars(self)[key]}, must be positive and finite" for key in _POSITIVE if not 0 < vars(self)[key] < np.inf]
        patches = _uncovered(self)
        remedies = ["give positive SI numbers: viscosity is the kinematic one in m^2/s, density in kg/m^3"] if numbers else []
        remedies += ["name every patch once, in velocity, outlet or slip; `geoop inspect FILE` lists the patches"] if patches else []
        if remedies:
            raise ConditionError("; ".join([*numbers, *patches]), where=name, remedy="; ".join(remedies))
        object.__setattr__(self, "constraints", Constraints.of(self))

    @property
    def reynolds(self) -> float:
        """Re = U L / nu with the reference values [-]."""
        return self.reference_velocity * self.reference_length / self.viscosity

    @cached_property
    def load(self) -> np.ndarray:
        """(2 n,) the force tested with the velocity's functions."""
        space = self.space
        return np.zeros(2 * space.n) if self.force is None else space.load(self.force).T.ravel()


@dataclass(frozen=True, eq=False)
class Constraints:
    """All unknowns x = P z + g(t) by the free ones z.

    Attributes:
        free: (size, nz) sparse P; a node that slips has one column, its tangent.
        nodes: (k,) nodes of given velocity.
        enclosed: no outlet: the pressure is known up to a constant, one value is pinned and its mean made zero.
    """

    free: sp.csr_matrix
    nodes: np.ndarray
    enclosed: bool
    _parts: tuple[tuple[np.ndarray, Velocity, str], ...]
    _shape: tuple[int, int, np.ndarray]

    @classmethod
    def of(cls, problem: FlowProblem) -> Constraints:
        """The constraints of a problem; see its errors."""
        space = problem.space
        owner = np.full(space.n, -1)
        for k, patch in enumerate(problem.velocity):
            owner[space.facet_nodes(patch)] = k
        parts = tuple((np.flatnonzero(owner == k), value, patch) for k, (patch, value) in enumerate(problem.velocity.items()))
        normal = _slip_normals(problem, owner)
        fixed = np.flatnonzero((owner >= 0) | np.isnan(normal).any(axis=1))
        sliding = np.flatnonzero((np.abs(normal) > 0).any(axis=1) & (owner < 0) & ~np.isnan(normal).any(axis=1))
        both = np.setdiff1d(np.arange(space.n), np.union1d(fixed, sliding))
        enclosed = not problem.outlet
        pressure = np.arange(1 if enclosed else 0, space.m)
        rows = np.concatenate([both, both + space.n, sliding, sliding + space.n, 2 * space.n + pressure])
        nb, ns, npres = len(both), len(sliding), len(pressure)
        tangent = np.stack([-normal[sliding, 1], normal[sliding, 0]])
        at = 2 * nb + np.arange(ns)
        columns = np.concatenate([np.arange(2 * nb), at, at, 2 * nb + ns + np.arange(npres)])
        values = np.concatenate([np.ones(2 * nb), *tangent, np.ones(npres)])
        free = sp.csr_matrix((values, (rows, columns)), shape=(space.size, 2 * nb + ns + npres))
        made = cls(free, np.flatnonzero(owner >= 0), enclosed, parts, (space.n, space.size, space.places))
        if enclosed:
            _require_balance(problem, made)
        return made

    def centred(self, unknowns: np.ndarray, areas: np.ndarray) -> np.ndarray:
        """(size,) unknowns with zero mean pressure where only its differences are known; ``areas`` (m,) of the space's pressures."""
        if not self.enclosed:
            return unknowns
        m = len(areas)
        return np.concatenate([unknowns[:-m], unknowns[-m:] - float(areas @ unknowns[-m:]) / areas.sum()])

    def given(self, time: float = 0.0) -> np.ndarray:
        """(size,) the vector g: given velocities at their nodes, zero elsewhere.

        Raises:
            ConditionError: a velocity that is not finite or has another shape.
        """
        n, size, places = self._shape
        out = np.zeros(size)
        for nodes, value, patch in self._parts:
            raw = value(places[nodes], time) if callable(value) else value
            try:
                here = np.broadcast_to(np.asarray(raw, dtype=np.float64), (len(nodes), 2))
                sound = bool(np.isfinite(here).all())
            except (TypeError, ValueError):
                sound = False
            if not sound:
                raise ConditionError(
                    f"the velocity on '{patch}' has shape {np.shape(raw)} or is not finite",
                    where="velocity",
                    remedy="give two finite numbers, or a function of points (k, 2) and time that returns (k, 2)",
                )
            out[nodes], out[nodes + n] = here[:, 0], here[:, 1]
        return out


def _require_arguments(problem: FlowProblem) -> None:
    """Refuse functions that cannot be called as they will be.

    Raises:
        ConfigurationError: all of them in one error.
    """
    given = [(f"the velocity on '{patch}'", value, ("points", "time")) for patch, value in problem.velocity.items() if callable(value)]
    given += [("the force", problem.force, ("points",))] if problem.force is not None else []
    found = []
    for what, function, arguments in given:
        try:
            signature = inspect.signature(function)
        except (TypeError, ValueError):  # compiled functions need not have one
            continue
        try:
            signature.bind(*arguments)
        except TypeError:
            found.append(f"{what} is a function of {signature}, but is called as f({', '.join(arguments)})")
    if found:
        raise ConfigurationError(
            "; ".join(found),
            where=problem.space.domain.mesh.name,
            remedy="write velocities as f(points, time) and forces as f(points): points is (k, 2) in m, time in s, the result (k, 2)",
        )


def _uncovered(problem: FlowProblem) -> list[str]:
    """What is wrong with the division of the boundary among the conditions."""
    domain, found = problem.space.domain, []
    names = [*problem.velocity, *problem.outlet, *problem.slip]
    missing = sorted(set(names) - set(domain.mesh.patches))
    if missing:
        raise PatchError(f"no patch {missing}", where=domain.mesh.name, remedy=f"choose among {sorted(domain.mesh.patches)}")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        found.append(f"patches {twice} have two conditions")
    if not names:
        return [*found, "no patch has a condition"]
    covered = np.isin(domain.boundary_facets, domain.facets(*names))
    number = np.unique(np.concatenate([domain.facets(name) for name in dict.fromkeys(names)]), return_counts=True)[1]
    if (number > 1).any():
        found.append(f"{int((number > 1).sum())} facets belong to two patches with a condition each")
    if not covered.all():
        unnamed = sorted(set(domain.mesh.patches) - set(names))
        found.append(f"{int((~covered).sum())} of {len(covered)} facets of the boundary have no condition (patches without one: {unnamed or 'none'})")
    return found


def _slip_normals(problem: FlowProblem, owner: np.ndarray) -> np.ndarray:
    """(n, 2) normal of the slip patch at its nodes, zero elsewhere, NaN where two of different direction meet.

    Raises:
        ConditionError: a slip patch is not straight.
    """
    space = problem.space
    normal = np.zeros((space.n, 2))
    for patch in problem.slip:
        nodes = space.facet_nodes(patch)
        x = space.places[nodes]
        center = x - x.mean(axis=0)
        direction = np.linalg.svd(center, full_matrices=False)[2]
        span = np.ptp(center @ direction[0])
        if np.abs(center @ direction[1]).max() > 1e-8 * span:
            raise ConditionError(
                f"slip patch '{patch}' is not straight", where=space.domain.mesh.name, remedy="name each straight side as a patch of its own"
            )
        known = (np.abs(normal[nodes]) > 0).any(axis=1)
        across = known & (np.abs(normal[nodes] @ direction[0]) > 1e-6)
        normal[nodes[~known]] = direction[1]
        normal[nodes[across]] = np.nan
    normal[owner >= 0] = 0.0
    return normal


def _require_balance(problem: FlowProblem, constraints: Constraints) -> None:
    """Refuse a closed domain into which more flows than out of it.

    Raises:
        ConditionError: the flow through the boundary is more than a thousandth of the largest velocity times the size of the domain.
    """
    space, given = problem.space, constraints.given()
    net = float(np.sum(space.divergence @ given[: 2 * space.n]))
    scale = np.abs(given).max() * float(np.ptp(space.places, axis=0).max())
    if abs(net) > 1e-3 * scale:
        raise ConditionError(
            f"without an outlet {net:.3g} m^2/s flow out of the domain, which an incompressible fluid cannot do",
            where=space.domain.mesh.name,
            remedy="name the patch where the flow leaves in outlet=, or give velocities that balance",
        )
