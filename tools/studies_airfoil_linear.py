"""The control that knows what the shipped model of sections knows: kernel ridge of the two unit-stream wall speeds, superposed, Cp by Bernoulli.

Of the same training sections, at the panels' own 200 nodes, where it is judged, too; it answers the surface only. Modes, scale and penalty are chosen on the
validation sections.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from geoop.errors import GeoopError
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.truth.datasets import sections_potential
from geoop.truth.panels.system import PanelSystem

NODES = 200
#: Unit streams along and across the axes of the coordinates.
STREAMS = (OperatingPoint(1.0, alpha=0.0), OperatingPoint(1.0, alpha=90.0))
#: Angles at which candidates are compared on validation sections [deg].
ANGLES = np.arange(-6.0, 17.0, 2.0)
#: Candidates: modes of the coordinates, power of the modes' deviations that divides them, width in median distances, penalty.
MODES, POWERS, WIDTHS, PENALTIES = (100, 250, 400), (0.65, 0.8), (30.0, 100.0, 300.0), (1e-6, 1e-5, 1e-4)


@dataclass(frozen=True, eq=False)
class Sections:
    """Rings of nodes (n, 400), x then y, and speeds along them in the two unit streams (n, 2, 200)."""

    rings: np.ndarray
    speeds: np.ndarray


def solved(outlines: Sequence[Callable[[], Mesh]]) -> Sections:
    """Those of the outlines that panels take at exactly 200 nodes."""
    rings, speeds = [], []
    for make in outlines:
        try:
            system = PanelSystem(make(), NODES)
            ring = system.bodies[0].ring
            points = np.stack([ring.real, ring.imag], axis=1)
            if len(points) == NODES:
                speeds.append([along(points, velocity) for velocity in system.surface_velocity(points, list(STREAMS))])
                rings.append(points.T.reshape(-1))
        except GeoopError:
            continue
    return Sections(np.array(rings), np.array(speeds))


def along(points: np.ndarray, velocity: np.ndarray) -> np.ndarray:
    """(n,) component along the ring."""
    tangent = np.roll(points, -1, axis=0) - np.roll(points, 1, axis=0)
    return (velocity * tangent).sum(axis=1) / np.linalg.norm(tangent, axis=1)


def pressure(speeds: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """(n, k, 200) Cp at k angles [deg] of speeds (n, 2, 200)."""
    angle = np.radians(alpha)
    mixed = np.einsum("ks,nsp->nkp", np.stack([np.cos(angle), np.sin(angle)], axis=1), speeds)
    return 1.0 - mixed**2


class UnitStreamRidge:
    """Kernel ridge with a Gaussian kernel; see the module."""

    def __init__(self, train: Sections, validation: Sections) -> None:
        self.mean, self.level = train.rings.mean(axis=0), train.speeds.mean(axis=0)
        _, self.deviations, self.axes = np.linalg.svd(train.rings - self.mean, full_matrices=False)
        self.deviations = self.deviations / np.sqrt(len(train.rings))
        self.train, self.best = train, np.inf
        truth = pressure(validation.speeds, ANGLES)
        size = np.linalg.norm(truth, axis=2)
        for modes, power in itertools.product(MODES, POWERS):
            known, asked = (self._features(rings, modes, power) for rings in (train.rings, validation.rings))
            near, far = cdist(known, known, "sqeuclidean"), cdist(asked, known, "sqeuclidean")
            median = np.median(near)
            for width, penalty in itertools.product(WIDTHS, PENALTIES):
                scale = width * median
                weights = np.linalg.solve(np.exp(-near / scale) + penalty * np.eye(len(near)), (train.speeds - self.level).reshape(len(near), -1))
                found = pressure((np.exp(-far / scale) @ weights).reshape(-1, 2, NODES) + self.level, ANGLES)
                error = float((np.linalg.norm(found - truth, axis=2) / size).mean())
                if error < self.best:
                    self.best, self.chosen = error, (modes, power, width, penalty)
                    self.known, self.scale, self.weights = known, scale, weights

    def predict(self, mesh: Mesh, conditions: Sequence[OperatingPoint]) -> list[dict[str, np.ndarray]]:
        """Cp at the 200 nodes of a ring from the panels, per condition."""
        asked = self._features(mesh.points.T.reshape(1, -1), *self.chosen[:2])
        speeds = (np.exp(-cdist(asked, self.known, "sqeuclidean") / self.scale) @ self.weights).reshape(-1, 2, NODES) + self.level
        found = pressure(speeds, np.array([point.alpha for point in conditions]))[0]
        return [{"pressure_coefficient": values} for values in found]

    def _features(self, rings: np.ndarray, modes: int, power: float) -> np.ndarray:
        return (rings - self.mean) @ self.axes[:modes].T / self.deviations[:modes] ** power


def fitted(cases: int, seed: int = 0) -> tuple[UnitStreamRidge, int]:
    """On the sections of the data set's training split, chosen on those of its validation split."""
    splits = sections_potential.plan(cases, seed).splits
    train, validation = (
        solved([lambda name=name: sections_potential.outline(seed, name) for name in dict.fromkeys(case.rsplit("_", 1)[0] for case in splits[part])])
        for part in ("train", "val")
    )
    return UnitStreamRidge(train, validation), len(train.rings)
