"""Moving meshes: what a monitor, a mover and a deformer are, and what a move returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from ..mesh.mesh import Mesh
from .outcome import Outcome


@runtime_checkable
class Monitor(Protocol):
    """How densely points are wanted: a positive function of position, known everywhere, so that it can be asked again where points have moved to."""

    def at(self, points: np.ndarray) -> np.ndarray:
        """(n,) densities at points (n, d) [m]; only their ratios count."""
        ...


@runtime_checkable
class DifferentiableMonitor(Monitor, Protocol):
    """A monitor that knows its slopes: movers that need them ask it once, and other monitors at neighbouring places."""

    def with_gradient(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n,) densities at points (n, d) [m], and (n, d) their slopes there [1/m]."""
        ...


@dataclass(frozen=True, eq=False)
class Moved:
    """A mesh after a move.

    Attributes:
        mesh: the same cells and patches at other points; the mesh that was given where the outcome is ``tangled``.
        outcome: how the move ended.
        inverted: cells with a measure that is not positive in what was tried last; 0 for a mesh that may be used.
        steps: of the iteration.
        seconds: that it took.
    """

    mesh: Mesh
    outcome: Outcome
    inverted: int = 0
    steps: int = 0
    seconds: float = 0.0


@runtime_checkable
class Mover(Protocol):
    """Puts the points of a mesh where a monitor wants them: same cells and patches; points of a patch stay on it, corners stay."""

    def move(self, mesh: Mesh, monitor: Monitor) -> Moved:
        """The mesh whose cells share the monitor evenly, as far as the mover can; the mesh that is given does not change."""
        ...


@runtime_checkable
class Deformer(Protocol):
    """Carries the inside of a mesh along with a motion that is given on patches."""

    def deform(self, mesh: Mesh, displacement: Mapping[str, np.ndarray]) -> Moved:
        """The mesh with patches displaced by (k, d) [m] at their points (:meth:`Mesh.patch_points`); other patches stay; the inside follows."""
        ...
