"""The unit square with a hole of random outline: its outline, its grid, its stress under tension.

The set "Elasticity" of Li, Huang, Liu and Anandkumar (Geo-FNO, 2023): r(t) = 0.2 + 0.2 / (1 + exp(g(t))), where g is a Gaussian process
on the circle with covariance 16 (9 - d^2/dt^2)^-1. Its modes are the orthonormal ones, 1/sqrt(2 pi), cos(k t)/sqrt(pi) and
sin(k t)/sqrt(pi), with standard deviations 4 (k^2 + 9)^(-1/2). Their material is a rubber; here it is linear.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...fem.elastic_laws import LinearElastic
from ...mesh.cells import Cells
from ...mesh.mesh import Mesh
from .linear import LinearElasticity
from .loads import Loads
from .solution import ElasticSolution

MODES = 8
AROUND, ACROSS = 64, 16  # intervals of the grid that is handed out
LAW = LinearElastic(1.0, 0.3, "plane stress")
LOADS = Loads({"bottom": (0.0, 0.0)}, {"top": (0.0, 1.0)})
_SHARE_OF_EQUAL_ANGLES = 1 / 3
_GRADING = 1.0
_FINE = 1024  # samples per quarter, to lay out the angles


@dataclass(frozen=True, eq=False)
class VoidOutline:
    """A hole round the middle of the unit square.

    Attributes:
        cosines: (m + 1,) coefficients of 1, cos t, ..., cos m t in g.
        sines: (m + 1,) of sin; the first counts for nothing.
    """

    cosines: np.ndarray
    sines: np.ndarray

    @classmethod
    def drawn(cls, normal: np.ndarray, amplitude: float = 4.0) -> VoidOutline:
        """The outline of (2, m + 1) independent standard normal numbers."""
        k = np.arange(normal.shape[1])
        deviation = amplitude / np.sqrt(k**2 + 9.0) / np.where(k == 0, np.sqrt(2 * np.pi), np.sqrt(np.pi))
        cosines, sines = normal * deviation
        return cls(cosines, np.where(k == 0, 0.0, sines))

    @property
    def waviness(self) -> float:
        """Root mean square of g less its mean: 0 for a circle."""
        return float(np.sqrt(0.5 * (self.cosines[1:] ** 2 + self.sines[1:] ** 2).sum()))

    def radius(self, angle: np.ndarray) -> np.ndarray:
        """(n,) distance of the outline from (0.5, 0.5) at angles [rad], 0.2 to 0.4."""
        turn = np.multiply.outer(angle, np.arange(len(self.cosines)))
        return 0.2 + 0.2 / (1 + np.exp(np.cos(turn) @ self.cosines + np.sin(turn) @ self.sines))

    def angles(self, count: int) -> np.ndarray:
        """(count,) angles [rad] from the lower right corner on, those of all corners among them; ``count`` a multiple of 4.

        Between two corners they share out the length of the hole (two thirds) and the angle (one third), so that steep parts of the
        outline have points too. Those of half the count are every other one of them.
        """
        fine = np.linspace(0, 2 * np.pi, 4 * _FINE + 1) - np.pi / 4
        radius = self.radius(fine)
        length = np.hypot(0.5 * (radius[1:] + radius[:-1]) * np.diff(fine), np.diff(radius)).reshape(4, _FINE)
        density = (1 - _SHARE_OF_EQUAL_ANGLES) * length / length.sum(axis=1, keepdims=True) + _SHARE_OF_EQUAL_ANGLES / _FINE
        reached = np.concatenate([np.zeros((4, 1)), np.cumsum(density, axis=1)], axis=1)
        steps = 4 * np.arange(count // 4) / count
        return np.concatenate([np.interp(steps, reached[k] / reached[k, -1], fine[k * _FINE : (k + 1) * _FINE + 1]) for k in range(4)])

    def points(self, around: int, across: int) -> np.ndarray:
        """(across + 1, around, 2) points on rays from the middle, from the hole to the square, denser at the hole [m].

        Cells between two rays and two rings are never turned over, whatever the outline is.
        """
        angle = self.angles(around)
        direction = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        far = 0.5 / np.abs(direction).max(axis=1)
        near = self.radius(angle)
        share = np.expm1(_GRADING * np.arange(across + 1) / across) / np.expm1(_GRADING)
        points = 0.5 + (near + (far - near) * share[:, None])[..., None] * direction
        rim = points[-1]
        rim[np.abs(rim) < 1e-12] = 0.0
        rim[np.abs(rim - 1) < 1e-12] = 1.0
        return points


def void_mesh(outline: VoidOutline, name: str = "void") -> Mesh:
    """Triangles of the grid that is handed out: point ``64 j + i`` is on ray i, ring j; patches hole, bottom, right, top, left."""
    return Mesh(outline.points(AROUND, ACROSS).reshape(-1, 2), *_triangles(), name=name)


def solved(outline: VoidOutline, finer: tuple[int, int], name: str = "void") -> tuple[ElasticSolution, np.ndarray]:
    """The body under :data:`LOADS` on biquadratic cells, and the point of its mesh that each point of :func:`void_mesh` is.

    Args:
        outline: of the hole.
        finer: intervals of the nodes' grid per interval of the grid that is handed out, round the hole and across; even products.
        name: for messages.

    Raises:
        InvalidMeshError: cells fold over themselves.
    """
    around, across = finer[0] * AROUND, finer[1] * ACROSS
    cells, patches = _biquadratic(around, across)
    mesh = Mesh(outline.points(around, across).reshape(-1, 2), cells, patches, name=name)
    solution = LinearElasticity(mesh, LAW).solve(LOADS)
    shared = np.arange(len(mesh.points)).reshape(across + 1, around)[:: finer[1], :: finer[0]]
    return solution, shared.ravel()


@lru_cache(maxsize=2)
def _triangles() -> tuple[Cells, dict[str, Cells]]:
    ring, ray = (grid.ravel() for grid in np.meshgrid(np.arange(ACROSS), np.arange(AROUND), indexing="ij"))
    after = (ray + 1) % AROUND
    a, b, c, d = AROUND * ring + ray, AROUND * (ring + 1) + ray, AROUND * (ring + 1) + after, AROUND * ring + after
    odd = (ring + ray) % 2 == 0  # diagonals alternate: no direction is preferred
    one = np.where(odd[:, None], np.stack([a, b, c], axis=1), np.stack([a, b, d], axis=1))
    two = np.where(odd[:, None], np.stack([a, c, d], axis=1), np.stack([b, c, d], axis=1))
    i = np.arange(AROUND)
    j = (i + 1) % AROUND
    rim = AROUND * ACROSS + np.stack([i, j], axis=1)
    return Cells.of(triangle=np.concatenate([one, two])), {"hole": Cells.of(line=np.stack([j, i], axis=1)), **_sides("line", rim)}


@lru_cache(maxsize=4)
def _biquadratic(around: int, across: int) -> tuple[Cells, dict[str, Cells]]:
    """The nine-node cells of a grid of nodes, each two intervals wide."""
    ring, ray = (grid.ravel() for grid in np.meshgrid(np.arange(0, across, 2), np.arange(0, around, 2), indexing="ij"))
    places = ((0, 0), (2, 0), (2, 2), (0, 2), (1, 0), (2, 1), (1, 2), (0, 1), (1, 1))
    cells = np.stack([around * (ring + j) + (ray + i) % around for j, i in places], axis=1)
    i = np.arange(0, around, 2)
    rim = around * across + np.stack([i, (i + 2) % around, i + 1], axis=1)
    return Cells.of(quad9=cells), _sides("line3", rim)


def _sides(kind: str, rim: np.ndarray) -> dict[str, Cells]:
    """The four sides of the square: a quarter of the rim each, the right one first."""
    quarter = len(rim) // 4
    return {side: Cells.of(**{kind: rim[k * quarter : (k + 1) * quarter]}) for k, side in enumerate(("right", "top", "left", "bottom"))}
