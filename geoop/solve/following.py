"""A mesh that goes where a solution wants it while the solution is computed: looked at now and then, on its way in between.

Any solver that asks a mesh of the time, ``mesh_at(time)``, follows its own solution with it::

    mesh_at = FollowingMesh.settled(mesh, MongeAmpere(), lambda mesh: hessian_monitor(mesh, initial(mesh.points)))
    solver = MovingTransport(mesh_at, velocity, diffusivity, initial, step=step, dirichlet=walls)
    while solver.time < end:
        if solver.steps % 4 == 0:
            mesh_at.aim(hessian_monitor(solver.mesh, solver.values), now=solver.time, arrive=solver.time + 4 * step)
        solver.advance()

Every goal is found from the mesh at rest, so that nothing drifts, and a solution that comes back brings back its mesh. The mesh comes
where it was wanted when the solution was looked at. Goals led on to the time of arrival were tried on a front of Burgers' equation
(nu = 0.0125): a third less error with eight steps between two looks, up to fifty times as much with one, because points swing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..errors import ConfigurationError
from ..interfaces.moving import Monitor, Moved, Mover
from ..interfaces.outcome import Outcome
from ..mesh.mesh import Mesh
from .movers.boundary import Boundary
from .movers.tangling import SHARES, Folding

_LOOKS = 4  # places on the way where cells are looked at


class FollowingMesh:
    """time [s] -> the mesh then: points go straight from where they were when the last goal was set to that goal, and stay there.

    Points of the boundary stay on their part of it, also where it is curved.

    Args:
        mesh: at rest, where it is at time 0.
        mover: finds where a monitor wants its points.

    Attributes:
        last: the mover's last answer, with its outcome: of :meth:`aim` or of the settling; None before.
    """

    def __init__(self, mesh: Mesh, mover: Mover) -> None:
        self.rest, self.mover = mesh, mover
        self._folding, self._boundary = Folding(mesh), Boundary.of(mesh)
        self._start, self._goal, self._span = mesh, mesh.points, (0.0, 0.0)
        self.last: Moved | None = None

    @classmethod
    def settled(cls, mesh: Mesh, mover: Mover, monitor_of: Callable[[Mesh], Monitor], *, rounds: int = 3) -> FollowingMesh:
        """One that is at time 0 where an initial state wants it: monitor and move in turn, since a moved mesh sees the state more sharply.

        How it went is in ``last``; a mover that tangles leaves the mesh at rest.

        Args:
            mesh: at rest.
            mover: as above.
            monitor_of: a mesh -> the monitor of the initial state on it.
            rounds: at least 1.

        Raises:
            ConfigurationError: fewer rounds.
            The errors of the mover.
        """
        if rounds < 1:
            raise ConfigurationError(f"{rounds} rounds", where="FollowingMesh.settled", remedy="give 1 or more")
        found = cls(mesh, mover)
        for _ in range(rounds):
            found.last = mover.move(mesh, monitor_of(found._start))
            found._start, found._goal = found.last.mesh, found.last.mesh.points
        return found

    def __call__(self, time: float) -> Mesh:
        """The mesh at a time [s] from when the last goal was set."""
        begin, end = self._span
        share = 1.0 if time >= end else (time - begin) / (end - begin)
        if share <= 0.0 or self._goal is self._start.points:
            return self._start
        return self.rest.moved(self._between(self._start.points, self._goal, share))

    def aim(self, monitor: Monitor, *, now: float, arrive: float) -> Moved:
        """Set the next goal.

        Args:
            monitor: of the solution, now.
            now: time [s].
            arrive: when the points are to be there [s].

        Returns:
            The mover's answer; the mesh is the goal. Where some cell would fold on the way, the goal is a place before that, and the
            outcome says so; a mover that tangles leaves the mesh where it is.

        Raises:
            ConfigurationError: an arrival that is not later than now, or never.
            The errors of the mover.
        """
        if not -np.inf < now < arrive < np.inf:
            raise ConfigurationError(f"arrival at {arrive} s, not after {now} s", where="FollowingMesh", remedy="give a later, finite time")
        start = self(now)
        moved = self.mover.move(self.rest, monitor)
        share, target = (0.0, start.points) if moved.outcome.status == "tangled" else self._reached(start.points, moved.mesh.points)
        self._start, self._goal, self._span = start, target, (now, arrive)
        outcome = moved.outcome
        if share < 1.0 and outcome.status != "tangled":
            detail = f"cells would fold on the way: {share:.0%} of it is gone" + ("" if outcome.ok else f"; {outcome.status}: {outcome.detail}")
            outcome = Outcome("stagnated", detail, "set goals more often, or smooth the monitor")
        self.last = replace(moved, mesh=self.rest.moved(target), outcome=outcome)
        return self.last

    def _reached(self, start: np.ndarray, goal: np.ndarray) -> tuple[float, np.ndarray]:
        """As much of the way as leaves every cell upright at every place of it that is looked at."""
        for share in SHARES:
            target = self._between(start, goal, share)
            if not self._folds(start, target):
                return share, target
        return 0.0, start

    def _folds(self, start: np.ndarray, goal: np.ndarray) -> bool:
        return any(self._folding.inverted(self._between(start, goal, s)).any() for s in np.linspace(0.0, 1.0, _LOOKS + 1)[1:])

    def _between(self, start: np.ndarray, goal: np.ndarray, share: float) -> np.ndarray:
        return goal if share == 1.0 else self._boundary.onto((1.0 - share) * start + share * goal)
