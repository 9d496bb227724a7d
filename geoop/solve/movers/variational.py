"""The variational mover: points descend Huang's functional of equidistribution and alignment, on regions of any shape.

The unknowns are the coordinates themselves: of points inside all, of points of the boundary those along it. The descent is a
limited-memory BFGS method whose first guess of the second derivatives is a Laplacian on the moved cells, weighted by the energy that
each holds (a Sobolev gradient: the number of steps hardly grows with the mesh). No step folds a cell: there the functional is infinite.
W. Huang and L. Kamenski, J. Comput. Phys. 301, 2015; J. Nocedal and S. J. Wright, Numerical Optimization, 2006, algorithm 7.4.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_matrix, kron
from scipy.sparse import identity as eye

from ...fem.mesh_functional import Look, MeshFunctional
from ...fem.simplices import corner_simplices
from ...fem.small_matrices import determinants
from ...fem.solving import LARGE_SCALAR, LinearSystem
from ...interfaces.moving import DifferentiableMonitor, Monitor, Moved
from ...interfaces.outcome import Outcome
from ...mesh.mesh import Mesh
from ..monitors import sound_densities
from .boundary import CORNER_ANGLE, Boundary, require_settings
from .tangling import Folding

_LINEAR = 1e-3  # residual of a direction in a solid, relative
_MEMORY = 12  # pairs of steps and changes of the gradient
_RENEWAL = 8  # steps after which the Laplacian is taken on the cells as they are then
_DECREASE = 1e-4  # share of the slope that a step must bring
_HALVINGS = 12  # of a step
_DIFFERENCE = 1e-2  # step of a difference quotient, in edge lengths
_QUIET = 3  # steps in a row within the tolerance that end the descent


@dataclass(frozen=True)
class Variational:
    """The mover by descent of a functional, for meshes of linear cells that fill any region: holes, re-entrant corners, several parts.

    Quads, hexahedra, wedges and pyramids are cut into simplices for the functional; folding is judged on their own corners. On convex
    regions :class:`~geoop.solve.movers.monge_ampere.MongeAmpere` shares a monitor more evenly; this mover also keeps cells in shape.

    Attributes:
        tolerance: movement of the points in a step (root mean square, in edge lengths of the moved cells) at which the descent ends.
        max_steps: of the descent.
        corner_angle: turn of the boundary from which on a point is a corner and stays [degrees].
    """

    reference: ClassVar[str] = "huang-2015-variational"
    tolerance: float = 1e-2
    max_steps: int = 100
    corner_angle: float = CORNER_ANGLE

    def __post_init__(self) -> None:
        require_settings("Variational", self.tolerance, self.max_steps, self.corner_angle)

    def move(self, mesh: Mesh, monitor: Monitor) -> Moved:
        """The mesh whose cells share the monitor as evenly as their shapes allow.

        Args:
            mesh: linear cells that fill a plane region or a solid, none of them folded; they are the ideal where the monitor is even.
            monitor: densities of points.

        Returns:
            the mesh with the same cells and patches; corners stay, other points of the boundary stay on their part of it. Outcomes as
            those of :meth:`geoop.solve.movers.monge_ampere.MongeAmpere.move`.

        Raises:
            InvalidMeshError: cells that are not linear, or folded.
            PatchError: patches inside the region.
            FieldError: densities that are not finite and positive.
        """
        started = time.perf_counter()
        cells, _ = corner_simplices(mesh)
        folding = Folding(mesh)
        folding.require_sound(cells)
        boundary = Boundary.of(mesh, self.corner_angle)
        descent = _Descent(mesh, MeshFunctional(mesh.points, cells), boundary, folding, monitor)
        done = descent.run(self.tolerance, self.max_steps)
        found = f"functional {descent.first:.5g} -> {descent.energy:.5g} in {descent.steps} steps"
        tangled = done and descent.inverted > 0 and np.array_equal(descent.positions, mesh.points)
        if tangled:
            outcome = Outcome("tangled", f"every step inverts cells, the shortest {descent.inverted}")
        elif not done:
            detail = f"last step moved the points by {descent.change:.1e} of an edge, tolerance {self.tolerance:.1e}; {found}"
            outcome = Outcome("max_sweeps_reached", detail, "allow more steps, Variational(max_steps=...); the mesh is valid")
        else:
            outcome = Outcome("converged", found)
        moved = mesh if tangled else mesh.moved(descent.positions)
        return Moved(moved, outcome, descent.inverted if tangled else 0, descent.steps, time.perf_counter() - started)


class _Descent:
    """One move: free coordinates, the functional there, and what is known of its second derivatives."""

    def __init__(self, mesh: Mesh, functional: MeshFunctional, boundary: Boundary, folding: Folding, monitor: Monitor) -> None:
        self.mesh, self.boundary, self.folding, self.monitor = mesh, boundary, folding, monitor
        self.free = np.zeros(boundary.n_free)
        self.positions = np.array(mesh.points)
        self.steps, self.change, self.inverted = 0, 0.0, 0
        self._pairs: list[tuple[np.ndarray, np.ndarray]] = []
        self.functional = functional
        density, slope = self._densities(self.positions)
        self.functional = functional.held(self.positions, density)
        self._seen = self.functional.look(self.positions, density)
        self.first = self.energy
        self.gradient, self._directions = self._derivative(self.free, self._seen, slope)

    @property
    def energy(self) -> float:
        """The functional where the points are."""
        return self._seen.energy

    def _derivative(self, free: np.ndarray, seen: Look, slope: np.ndarray) -> tuple[np.ndarray, csr_matrix]:
        directions = self.boundary.directions(free)
        return directions.T @ self.functional.gradient(seen, slope).ravel(), directions

    def _densities(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n,) densities at the points, and (n, d) their slopes."""
        if isinstance(self.monitor, DifferentiableMonitor):
            density, slope = self.monitor.with_gradient(positions)
            return sound_densities(self.monitor, positions, density), slope
        step = _DIFFERENCE * self._edge(positions)
        step = np.where(np.isfinite(step), step, 1.0)
        slope = np.empty_like(positions)
        for k, unit in enumerate(np.eye(positions.shape[1])):
            ends = [sound_densities(self.monitor, positions + sign * step[:, None] * unit) for sign in (1.0, -1.0)]
            slope[:, k] = (ends[0] - ends[1]) / (2.0 * step)
        return sound_densities(self.monitor, positions), slope

    def _edge(self, positions: np.ndarray) -> np.ndarray:
        """(n,) size of the smallest cell at every point [m]."""
        corner = positions[self.functional.cells]
        size = np.abs(determinants(corner[:, 1:] - corner[:, :1])) ** (1.0 / positions.shape[1])
        edge = np.full(len(positions), np.inf)
        np.minimum.at(edge, self.functional.cells, size[:, None])
        return edge

    def run(self, tolerance: float, max_steps: int) -> bool:
        """Steps until several in a row move the points by no more than the tolerance, or no step lowers the functional; whether one of these came."""
        quiet = 0
        if not self.boundary.n_free:
            return True
        while self.steps < max_steps:
            if np.abs(self.gradient).max() * np.ptp(self.mesh.points) <= 1e-12 * self.energy:
                return True
            if self.steps % _RENEWAL == 0:
                self._renew()
            self.steps += 1
            if not self._step():
                if not self._pairs:
                    return True
                self._pairs = []  # what was known of the second derivatives misleads: once more by the Laplacian alone
                self._renew()
                continue
            quiet = quiet + 1 if self.change <= tolerance else 0
            if quiet == _QUIET:
                return True
        return False

    def _renew(self) -> None:
        matrix = self.functional.stiffness(self._seen)
        d = self.mesh.dimension
        full = kron(matrix, eye(d), format="csr")
        laplacian = self._directions.T @ full @ self._directions
        self._laplacian = LinearSystem(laplacian, self.mesh.name, dimension=d, large=d * LARGE_SCALAR, tolerance=_LINEAR)

    def _direction(self) -> np.ndarray:
        """Minus the gradient through the inverse of the second derivatives as far as they are known (two loops)."""
        direction, shares = -self.gradient, []
        for step, change in reversed(self._pairs):
            share = (step @ direction) / (step @ change)
            direction = direction - share * change
            shares.append(share)
        direction = self._laplacian.solve(direction)
        if self._pairs:
            step, change = self._pairs[-1]
            direction = direction * ((step @ change) / (change @ self._laplacian.solve(change)))
        for (step, change), share in zip(self._pairs, reversed(shares), strict=True):
            direction = direction + (share - (change @ direction) / (step @ change)) * step
        return direction

    def _step(self) -> bool:
        """One step down along the direction, halved until no cell folds and the functional falls enough; False where none does."""
        direction = self._direction()
        slope = float(self.gradient @ direction)
        if slope >= 0.0:
            return False
        before = self.free, self.positions, self.gradient
        for halving in range(_HALVINGS):
            free = self.free + 0.5**halving * direction
            positions = self.boundary.place(free)
            self.inverted = int(self.folding.inverted(positions).sum())
            if self.inverted:
                continue
            density, rise = self._densities(positions)
            seen = self.functional.look(positions, density)
            if seen.energy <= self.energy + _DECREASE * 0.5**halving * slope:
                break
        else:
            return False
        self.free, self.positions, self._seen = free, positions, seen
        self.gradient, self._directions = self._derivative(free, seen, rise)
        moved = np.linalg.norm(positions - before[1], axis=1) / self._edge(positions)
        self.change = float(np.sqrt(np.mean(moved**2)))
        step, change = free - before[0], self.gradient - before[2]
        if step @ change > 1e-10 * np.linalg.norm(step) * np.linalg.norm(change):
            self._pairs = [*self._pairs[1 - _MEMORY :], (step, change)]
        return True
