"""Advection and diffusion of a scalar on a mesh that moves: the arbitrary Lagrangian-Eulerian form on linear elements.

Followed at the moving points, c changes by what the flow carries past them [1]:

    dc/dt|point + (a(x, t, c) - w) . grad c - D laplace c = f,    w = dx/dt|point

Time derivatives of c and of the places x are the same second-order backward difference, all integrals are over the mesh at the new
time, and all is tested along the streamlines of a - w (:class:`geoop.fem.advection.StreamlineForms`): constants stay on any moving
mesh, and linear functions are carried exactly. A velocity that depends on c takes c from the two steps before, so that every step is
one linear solve. The first step is an Euler step. Points that go with a front see little change, which is what a moving mesh gains in
time beside what it gains in space.

[1] J. Donea, A. Huerta, J.-Ph. Ponthot, A. Rodriguez-Ferran, Arbitrary Lagrangian-Eulerian methods, Encyclopedia of Computational
    Mechanics, 2004, chapter 14.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from ...errors import ConfigurationError, ConvergenceError, FieldError
from ...fem.advection import StreamlineForms
from ...fem.solving import LinearSystem
from ...fem.space import Function, Space
from ...mesh.mesh import Mesh
from ..mesh_in_motion import remade

#: (m, d) points [m], time [s] and (m,) values of c there -> (m, d) velocities [m/s].
Carrier = Callable[[np.ndarray, float, np.ndarray], np.ndarray]
#: (m, d) points [m] and time [s] -> (m,) values.
InTime = Callable[[np.ndarray, float], np.ndarray]


class MovingTransport:
    """A scalar that is advanced step by step on a mesh that moves.

    Args:
        mesh_at: time [s] -> the same linear cells at other points: a deformer's answer to a motion, or a
            :class:`geoop.solve.following.FollowingMesh`; a mesh, where nothing moves. The stabilisation is that of triangles and
            tetrahedra; quads and hexahedra have it as if they were parallelograms.
        velocity: a(x, t, c); free of divergence unless it depends on c.
        diffusivity: D, positive [m^2/s].
        initial: (m, d) points -> (m,) c at time 0.
        step: time step [s].
        dirichlet: patch -> c there, as a function of points and time. D dc/dn = 0 on the others, where the flow should leave.
        source: f [1/s] times the unit of c; none if None.

    Raises:
        ConfigurationError: an impossible step or diffusivity.
        PatchError: no such patch.
        InvalidMeshError: cells without an element.
        FieldError: initial values of another number, or not finite.
    """

    def __init__(
        self,
        mesh_at: Mesh | Callable[[float], Mesh],
        velocity: Carrier,
        diffusivity: float,
        initial: Function,
        *,
        step: float,
        dirichlet: Mapping[str, InTime],
        source: InTime | None = None,
    ) -> None:
        if not 0 < step < np.inf:
            raise ConfigurationError(f"step is {step}, must be positive", where="MovingTransport", remedy="give seconds")
        if not 0 < diffusivity < np.inf:
            raise ConfigurationError(f"diffusivity is {diffusivity}, must be positive", where="MovingTransport", remedy="give m^2/s")
        self._mesh_at = (lambda time, still=mesh_at: still) if isinstance(mesh_at, Mesh) else mesh_at
        self.velocity, self.diffusivity, self.step, self.source = velocity, diffusivity, step, source
        self.dirichlet, self.time, self.steps = dict(dirichlet), 0.0, 0
        self.space = Space.of(self._mesh_at(0.0), 1)
        self._on = {patch: self.space.on(patch) for patch in self.dirichlet}
        self._fixed = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *self._on.values()]))
        self._free = np.setdiff1d(np.arange(self.space.n), self._fixed)
        values = np.array(initial(self.space.points), dtype=np.float64)
        if values.shape != (self.space.n,) or not np.isfinite(values).all():
            raise FieldError(
                f"initial values of shape {values.shape}, or not finite", where="MovingTransport", remedy=f"answer {self.space.n} finite values"
            )
        self._past: deque[tuple[np.ndarray, np.ndarray]] = deque([(values, self.space.points)], maxlen=2)  # newest first

    @property
    def mesh(self) -> Mesh:
        """The mesh, now."""
        return self.space.mesh

    @property
    def values(self) -> np.ndarray:
        """(n,) c at the points of the mesh, now."""
        return self.space.at_mesh_points(self._past[0][0])

    def advance(self) -> np.ndarray:
        """(n,) c at the points of the mesh, one step further.

        Raises:
            InvalidMeshError: the mesh of the new time has other cells, or cells that are inside out.
            ConvergenceError: the values are not finite.
        """
        time = (self.steps + 1) * self.step
        mesh, first = self._mesh_at(time), len(self._past) == 1
        space = self.space if mesh is self.mesh else remade(partial(Space.of, degree=1), mesh, self.space, time=time, where="MovingTransport")
        (c1, x1), (c2, x2) = self._past[0], self._past[-1]
        factor = (1.0 if first else 1.5) / self.step
        before_c, before_x = [one / self.step if first else (4 * one - two) / (2 * self.step) for one, two in ((c1, c2), (x1, x2))]
        drift, expected = factor * space.points - before_x, c1 if first else 2 * c1 - c2
        inside = [np.asarray(space.basis.interpolate(np.ascontiguousarray(part))).ravel() for part in (expected, *drift.T)]

        def carrier(points: np.ndarray) -> np.ndarray:
            return self.velocity(points, time, inside[0]) - np.stack(inside[1:], axis=1)

        forms = StreamlineForms(space, carrier, self.diffusivity)
        mass = forms.mass
        rows = (factor * mass + forms.stiffness)[self._free]
        right = (mass @ before_c)[self._free]
        if (source := self.source) is not None:
            right = right + forms.load(lambda points: source(points, time))[self._free]
        c = np.empty(space.n)
        for patch, nodes in self._on.items():
            c[nodes] = self.dirichlet[patch](space.points[nodes], time)
        system = LinearSystem(rows[:, self._free], space.mesh.name, symmetric=False)
        c[self._free] = system.solve(right - rows[:, self._fixed] @ c[self._fixed])
        if not np.isfinite(c).all():
            raise ConvergenceError(
                f"values are not finite at time {time:.5g} s", where=space.mesh.name, remedy="look at velocity, source and boundary values"
            )
        self.space, self.time, self.steps = space, time, self.steps + 1
        self._past.appendleft((c, space.points))
        return self.values
