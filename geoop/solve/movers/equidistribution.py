"""Equidistribution along lines: between two points that stay, the others share the integral of the monitor as they shared the length.

C. de Boor, "Good approximation by splines with variable knots", in Spline Functions and Approximation Theory, 1973. In one dimension
the map is known up to one integral, so nothing is iterated but the inverse of that integral.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...errors import ConfigurationError, InvalidMeshError
from ...interfaces.moving import Monitor, Moved
from ...interfaces.outcome import Outcome
from ...mesh.mesh import Mesh
from ..monitors import sound_densities
from .boundary import CORNER_ANGLE
from .curves import Curve, curves_of

_LEVELS = 16  # of halving the pieces of the integral
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(5)
_STEPS = 60  # of the search for a place; Newton needs few, halving at most these
_CLOSE = 1e-14  # of the integral


@dataclass(frozen=True)
class Equidistribution:
    """The mover for line meshes: open or closed polylines in the plane or in space, and outlines with corners.

    Points where the line turns sharply, ends, branches and where one patch meets another stay; of a closed line without any, its first
    point. The others slide along the polyline as it was.

    Attributes:
        corner_angle: turn from which on a point is a corner and stays [degrees].
    """

    corner_angle: float = CORNER_ANGLE

    def __post_init__(self) -> None:
        if not 0.0 < self.corner_angle <= 180.0:
            raise ConfigurationError(f"corner_angle {self.corner_angle}", where="Equidistribution", remedy="0 < corner_angle <= 180 degrees")

    def move(self, mesh: Mesh, monitor: Monitor) -> Moved:
        """The mesh whose lines hold the shares of the monitor's integral that they held of the length; equal lines then hold equal parts.

        Args:
            mesh: line cells.
            monitor: densities of points.

        Returns:
            the mesh with the same cells and patches, outcome ``converged``.

        Raises:
            InvalidMeshError: other cells than lines, or lines without length.
            FieldError: densities that are not finite and positive.
        """
        started = time.perf_counter()
        points, steps = np.array(mesh.points), 0
        for curve in self._curves(mesh):
            arc, count = _shared(curve, monitor)
            points[curve.nodes[1:-1]] = curve.at(arc)
            steps = max(steps, count)
        return Moved(mesh.moved(points), Outcome("converged"), 0, steps, time.perf_counter() - started)

    def _curves(self, mesh: Mesh) -> list[Curve]:
        if mesh.cell_dimension != 1 or mesh.cells.names != ["line"]:
            raise InvalidMeshError(
                f"equidistribution along lines needs a mesh of line cells, not {list(mesh.cells.names)}",
                where=mesh.name,
                remedy="take geoop.solve.movers.variational.Variational for plane regions and solids",
            )
        edges = mesh.cells.block("line")
        step = mesh.points[edges[:, 1]] - mesh.points[edges[:, 0]]
        length = np.linalg.norm(step, axis=1)
        if not (length > 0.0).all():
            raise InvalidMeshError(f"{int((length <= 0.0).sum())} lines have no length", where=mesh.name, remedy="merge their points")
        stops = np.bincount(edges.ravel(), minlength=len(mesh.points)) != 2
        turn = np.zeros_like(mesh.points)
        np.add.at(turn, edges[:, 0], step / length[:, None])
        np.add.at(turn, edges[:, 1], -step / length[:, None])
        # of two unit vectors that leave a point: |a + b|^2 / 2 - 1 = a . b, minus the cosine of the turn
        stops |= np.einsum("nd,nd->n", turn, turn) / 2.0 - 1.0 > -np.cos(np.radians(self.corner_angle))
        for part in mesh.patches.values():
            stops |= np.bincount(part.connectivity, minlength=len(mesh.points)) == 1
        return curves_of(mesh.points, edges, stops)


def _shared(curve: Curve, monitor: Monitor) -> tuple[np.ndarray, int]:
    """(k - 2,) lengths along the curve at which its inner points share the integral of the monitor, and steps of the search."""

    def integral(low: np.ndarray, high: np.ndarray) -> np.ndarray:
        middle, half = 0.5 * (low + high), 0.5 * (high - low)
        arc = middle[:, None] + half[:, None] * _NODES
        return half * (_density(curve, monitor, arc.ravel()).reshape(arc.shape) @ _WEIGHTS)

    fine = _divided(curve.arc, integral)
    total = np.concatenate([[0.0], np.cumsum(integral(fine[:-1], fine[1:]))])
    goal = curve.arc[1:-1] / curve.arc[-1] * total[-1]
    piece = np.clip(np.searchsorted(total, goal, side="right") - 1, 0, len(fine) - 2)
    start, rest = fine[piece], goal - total[piece]
    low, high = start.copy(), fine[piece + 1].copy()
    arc = low + (high - low) * rest / (total[piece + 1] - total[piece])
    for step in range(1, _STEPS + 1):
        excess = integral(start, arc) - rest
        low, high = np.where(excess < 0.0, arc, low), np.where(excess < 0.0, high, arc)
        if not len(arc) or np.abs(excess).max() <= _CLOSE * total[-1]:
            return arc, step
        newton = arc - excess / _density(curve, monitor, arc)
        arc = np.where((newton > low) & (newton < high), newton, 0.5 * (low + high))
    return arc, _STEPS


def _divided(ends: np.ndarray, integral: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
    """(k,) ends of pieces on which the integral is right: halved where it differs from that of their halves."""
    for _ in range(_LEVELS):
        low, high = ends[:-1], ends[1:]
        middle = 0.5 * (low + high)
        whole, halves = integral(low, high), integral(low, middle) + integral(middle, high)
        rough = np.abs(whole - halves) > _CLOSE * halves.sum()
        if not rough.any():
            break
        ends = np.sort(np.concatenate([ends, middle[rough]]))
    return ends


def _density(curve: Curve, monitor: Monitor, arc: np.ndarray) -> np.ndarray:
    return sound_densities(monitor, curve.at(arc)) if len(arc) else np.zeros(0)
