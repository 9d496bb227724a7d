"""Optimal transport of the points of a mesh: the Monge-Ampere equation by linear finite elements, on convex regions.

Among all maps that share a density evenly the one that moves the points least is x = xi + grad phi with phi convex; it cannot fold. It
solves m(x) det(I + H(phi)) = const, and takes the boundary onto itself: J. F. Williams and C. J. Budd, "Moving mesh generation using
the parabolic Monge-Ampere equation", SIAM J. Sci. Comput. 31, 2009; A. T. T. McRae, C. J. Cotter and C. J. Budd, "Optimal-transport-based
mesh adaptivity on the plane and sphere using finite elements", SIAM J. Sci. Comput. 40, 2018. Here phi is linear on the cells of the
mesh, its gradient is recovered at the points (as O. Lakkis and T. Pryer do with Hessians, SIAM J. Sci. Comput. 35, 2013), and the
equation is asked of the moved cells themselves. Steps are Newton's, each a linear elliptic problem; the boundary condition of
J.-D. Benamou, B. D. Froese and A. M. Oberman (J. Comput. Phys. 260, 2014) is kept by putting the points of the boundary back on it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial import ConvexHull

from ...errors import InvalidMeshError
from ...fem.gradient_recovery import GradientRecovery
from ...fem.monge_ampere_system import MongeAmpereSystem
from ...fem.simplices import corner_simplices
from ...fem.solving import LARGE_SCALAR, LinearSystem
from ...interfaces.moving import Monitor, Moved
from ...interfaces.outcome import Outcome
from ...mesh.mesh import Mesh
from ..monitors import sound_densities
from .boundary import CORNER_ANGLE, Boundary, require_settings
from .tangling import Folding

_HOLLOW = 1e-2  # how far inside its convex hull, over its extent, the boundary of a region may lie that counts as convex: rough walls do
_PAIRS = 1 << 24  # points and planes of the hull looked at at once
_HALVINGS = 6  # of a step
_FRESH, _RENEWAL = 4, 8  # steps that have their own linear problem; of those after them every so many-th: the map hardly changes then
_SMALL_STEPS, _GAIN = 20, 0.98  # of the parabolic method where Newton's fails, and what they must make of the imbalance
_LINEAR = 1e-3  # residual of a linear problem of a solid, relative: its step is corrected by the next one
#: Imbalance of a run that got stuck, from which on it is made again by powers of the density; steps of each, and their tolerance.
_UNEVEN, _POWERS, _STAGE_STEPS, _STAGE = 0.02, (0.2, 0.4, 0.6, 0.8, 1.0), 12, 5e-2
_MEMORY = 5  # updates that are mixed
_SLACK = 1.05  # growth of the imbalance that a step may bring: rough modes that the map does not see come and go


@dataclass(frozen=True)
class MongeAmpere:
    """The mover by optimal transport, for meshes of linear cells that fill a convex region of the plane or of space.

    Quads, hexahedra, wedges and pyramids are cut into simplices for the equation; folding is judged on their own corners.

    Densities of a contrast of 100 are shared evenly on regular meshes. On irregular ones, and where a front is thinner than a cell or a
    density jumps, the masses of single points may stay uneven: presumably no step of the potential evens them, whose recovered gradient hardly
    sees differences between neighbours. Cells next to a front come close to flat. The outcome is then ``stagnated``; the mesh is valid.

    Attributes:
        tolerance: largest movement in a step, in edge lengths of the moved cells, at which the iteration ends.
        max_steps: of the iteration.
        corner_angle: turn of the boundary from which on a point is a corner and stays [degrees].
    """

    reference: ClassVar[str] = "mcrae-2018-monge-ampere"
    tolerance: float = 2e-3
    max_steps: int = 80
    corner_angle: float = CORNER_ANGLE

    def __post_init__(self) -> None:
        require_settings("MongeAmpere", self.tolerance, self.max_steps, self.corner_angle)

    def move(self, mesh: Mesh, monitor: Monitor) -> Moved:
        """The mesh whose cells share the monitor evenly.

        Args:
            mesh: linear cells that fill a convex region, none of them folded.
            monitor: densities of points.

        Returns:
            the mesh with the same cells and patches; corners stay, other points of the boundary stay on their part of it. Outcome
            ``converged``; ``max_sweeps_reached`` and ``stagnated``: a valid mesh, not as even as asked; ``tangled``: every step would
            fold cells, the mesh that was given.

        Raises:
            InvalidMeshError: cells that are not linear, folded cells, or a region that is not convex.
            PatchError: patches inside the region.
            FieldError: densities that are not finite and positive.
        """
        started = time.perf_counter()
        cells, _ = corner_simplices(mesh)
        folding = Folding(mesh)
        folding.require_sound(cells)
        boundary = Boundary.of(mesh, self.corner_angle)
        require_convex(mesh, boundary.facets)
        run = _Run(mesh, MongeAmpereSystem(mesh.points, cells), GradientRecovery(mesh.points, cells), boundary, folding, monitor)
        run.iterate(self.tolerance, self.max_steps)
        if run.stuck and run.imbalance > _UNEVEN:
            run = run.in_stages(self.tolerance, self.max_steps)
        outcome = _outcome(run, self.tolerance)
        tangled = outcome.status == "tangled"
        moved = mesh if tangled else mesh.moved(run.positions)
        return Moved(moved, outcome, run.inverted if tangled else 0, run.steps, time.perf_counter() - started)


def _outcome(run: _Run, tolerance: float) -> Outcome:
    found = f"masses of the points differ by {run.imbalance:.1%} (standard deviation) after {run.steps} steps"
    if run.stuck and run.inverted and np.array_equal(run.positions, run.mesh.points):
        return Outcome("tangled", f"every step inverts cells, the shortest {run.inverted}")
    if run.stuck:
        return Outcome("stagnated", f"no step makes it more even; {found}", "smooth the monitor or refine the mesh; the mesh is valid")
    if run.change > tolerance:
        detail = f"last step moved a point by {run.change:.1e} of an edge, tolerance {tolerance:.1e}; {found}"
        return Outcome("max_sweeps_reached", detail, "allow more steps, MongeAmpere(max_steps=...), or smooth the monitor; the mesh is valid")
    return Outcome("converged", found)


@dataclass(frozen=True)
class _Power:
    """A monitor with the densities of another one to a power."""

    of: Monitor
    power: float

    def at(self, points: np.ndarray) -> np.ndarray:
        return sound_densities(self.of, points) ** self.power


class _Run:
    """One move: the potential, the points that it gives, and how evenly they share the monitor."""

    def __init__(
        self, mesh: Mesh, system: MongeAmpereSystem, recovery: GradientRecovery, boundary: Boundary, folding: Folding, monitor: Monitor
    ) -> None:
        self.mesh, self.system, self.recovery, self.boundary, self.folding, self.monitor = mesh, system, recovery, boundary, folding, monitor
        self.potential = np.zeros(len(mesh.points))
        self.steps, self.change, self.stuck, self.inverted = 0, 0.0, False, 0
        self._linear: LinearSystem | None = None
        self._laplacian: LinearSystem | None = None
        self._past: list[tuple[np.ndarray, np.ndarray]] = []
        used = np.unique(system.cells)
        self._used, self._free = used, used[1:]  # a potential is free up to a constant
        self._look(np.array(mesh.points))

    def _look(self, positions: np.ndarray) -> None:
        self.positions = positions
        self.density = sound_densities(self.monitor, positions)
        mass, even = self.system.masses(positions, self.density), self.system.lumped
        self.residual = mass - even * (mass.sum() / even.sum())
        used = self._used
        relative = self.residual[used] / (even[used] * (mass.sum() / even.sum()))
        self.imbalance = float(np.sqrt((relative**2 * even[used]).sum() / even[used].sum()))

    def iterate(self, tolerance: float, max_steps: int) -> None:
        """Steps of Newton until they move no point by more than the tolerance."""
        for _ in range(max_steps):
            if np.abs(self.residual).max() <= 1e-13 * self.system.lumped.max() * self.density.max():
                self.change = 0.0
                return
            self.steps += 1
            if not self._step() and not self._relaxed():
                self.stuck = True
                return
            if self.change <= tolerance:
                return

    def in_stages(self, tolerance: float, max_steps: int) -> _Run:
        """The move once more, by powers of the density that rise to the density itself: a long first step leaves cells all but flat, from which none leads on.

        Returns:
            that run, or this one where it shares the monitor more evenly.
        """
        again = _Run(self.mesh, self.system, self.recovery, self.boundary, self.folding, self.monitor)
        for power in _POWERS:
            again.monitor = self.monitor if power == 1.0 else _Power(self.monitor, power)
            again.stuck, again._linear, again._past = False, None, []
            again._look(again.positions)
            again.iterate(tolerance if power == 1.0 else max(tolerance, _STAGE), max_steps if power == 1.0 else _STAGE_STEPS)
        again.steps += self.steps
        return again if again.imbalance < self.imbalance else self

    def _mixed(self, linear: LinearSystem, update: np.ndarray) -> np.ndarray:
        """(n - 1,) an update of the free potential, with what the last ones taught about rough modes (Anderson's mixing).

        The linear problem sees differences between neighbours that a recovered gradient hardly sees, so that Newton's step falls short
        of them, by the same factor each time.
        """
        here = self.potential[self._free], update
        if self._past:
            place = np.stack([here[0] - p for p, _ in self._past], axis=1)
            change = np.stack([here[1] - u for _, u in self._past], axis=1)
            weighed = linear.matrix @ change
            share = np.linalg.lstsq(change.T @ weighed, weighed.T @ update, rcond=1e-8)[0]
            update = update - (place + change) @ share
        self._past = [*self._past[1 - _MEMORY :], here]
        return update

    def _step(self) -> bool:
        """One step; False where none leaves all cells upright and the masses as even as they are."""
        if self._linear is None or self.steps <= _FRESH or self.steps % _RENEWAL == 0:
            matrix = self.system.matrix(self.positions, self.density)[self._free][:, self._free]
            self._linear = self._prepared(matrix)
            self._past = []  # updates of different linear problems do not compare
        update = self._linear.solve(self.residual[self._free])
        mixed = self._mixed(self._linear, update)
        if mixed is not update:
            if self._tried(mixed, halvings=2):
                return True
            self._past = self._past[-1:]
        return self._tried(update, halvings=_HALVINGS)

    def _relaxed(self) -> bool:
        """Some steps of the parabolic method, which hold where Newton's fail: small, and not asked to make the masses more even at once.

        False where even they do not in the end.
        """
        before = self.potential, self.positions, self.density, self.residual, self.imbalance
        if self._laplacian is None:
            still = self.system.matrix(self.mesh.points, np.ones(len(self.potential)))[self._free][:, self._free]
            self._laplacian = self._prepared(still)
        for _ in range(_SMALL_STEPS):
            update = self._laplacian.solve(self.residual[self._free]) / self.density[self._used].max()
            if not self._tried(update, halvings=_HALVINGS, most=np.inf):
                break
        self._past, self._linear, self.change = [], None, np.inf
        if self.imbalance < _GAIN * before[4]:
            return True
        self.potential, self.positions, self.density, self.residual, self.imbalance = before
        return False

    def _prepared(self, matrix: csr_matrix) -> LinearSystem:
        return LinearSystem(matrix, self.mesh.name, dimension=self.mesh.dimension, large=LARGE_SCALAR, tolerance=_LINEAR)

    def _tried(self, update: np.ndarray, halvings: int, most: float = _SLACK) -> bool:
        """Adds an update (n - 1,) to the potential, shortened until no cell folds and the imbalance grows by no more than ``most``."""
        before = self.positions, self.density, self.residual, self.imbalance
        for halving in range(halvings):
            potential = np.array(self.potential)
            potential[self._free] += 0.5**halving * update
            positions = self.boundary.onto(self.mesh.points + self.recovery.gradient(potential))
            self.inverted = int(self.folding.inverted(positions).sum())
            if self.inverted:
                continue
            self._look(positions)
            if self.imbalance <= most * before[3]:
                self.potential = potential
                size = np.abs(self.system.moved_measures(positions)) ** (1.0 / self.mesh.dimension)
                edge = np.full(len(positions), np.inf)
                np.minimum.at(edge, self.system.cells, size[:, None])
                # of the whole step: a short one is no sign of the end
                self.change = float((np.linalg.norm(positions - before[0], axis=1) / edge).max()) / 0.5**halving
                return True
        self.positions, self.density, self.residual, self.imbalance = before
        return False


def require_convex(mesh: Mesh, facets: np.ndarray) -> None:
    """Refuse regions with holes, re-entrant corners or several parts, on which optimal transport may tear a mesh or leave the region.

    Args:
        mesh: the mesh.
        facets: (f, d) its boundary.

    Raises:
        InvalidMeshError: a point of the boundary lies inside the convex hull by more than a hundredth of its extent.
    """
    points = mesh.points[np.unique(facets)]
    planes = ConvexHull(points).equations
    rows = max(1, _PAIRS // len(planes))
    parts = (points[first : first + rows] for first in range(0, len(points), rows))
    depth = np.concatenate([-(part @ planes[:, :-1].T + planes[:, -1]).max(axis=1) for part in parts])
    extent = float(np.linalg.norm(np.ptp(points, axis=0)))
    if depth.max() > _HOLLOW * extent:
        place = ", ".join(f"{x:.4g}" for x in points[np.argmax(depth)])
        raise InvalidMeshError(
            f"the region is not convex: its boundary at ({place}) lies {depth.max():.3g} m inside its convex hull (a hole, a re-entrant corner, "
            "several parts), and optimal transport would take points out of it",
            where=mesh.name,
            remedy="take the variational mover: geoop adapt --mover variational, geoop.adapt(case, monitor, 'variational')",
        )
