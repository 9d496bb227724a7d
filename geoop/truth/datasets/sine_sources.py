"""Sine-series sources on regions of rings of triangles: prepared once per region, one linear solve per source."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...fem.diffusion import Diffusion
from ...mesh.generate.disk import corners
from ...mesh.mesh import Mesh
from ..exact.poisson import SineSeries
from .draws import random_of


@dataclass(frozen=True, eq=False)
class SineProblem:
    """-laplace(w) = f with w = 0 on the boundary, f a sine series, on quadratic triangles.

    Attributes:
        mesh: straight triangles on the corners of the quadratic ones: where values are stored.
        problem: the factorised equations.
    """

    mesh: Mesh
    problem: Diffusion
    _waves: dict[int, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict, repr=False)

    @classmethod
    def on(cls, mesh: Mesh) -> SineProblem:
        """The problem on a mesh of quadratic triangles with one patch ``boundary``."""
        return cls(corners(mesh), Diffusion(mesh, degree=2, dirichlet=("boundary",)))

    def solve(self, series: SineSeries) -> np.ndarray:
        """(n,) solution at the points of :attr:`mesh`."""
        k = len(series.coefficients)
        if k not in self._waves:
            self._waves.clear()  # one set of waves is tens of megabytes
            self._waves[k] = SineSeries.waves(self.problem.space.quadrature_points, k)
        values = self.problem.solve(series.on(self._waves[k]))
        return (self.problem.space.to_mesh_points[: len(self.mesh.points)]) @ values


def random_series(seed: int, name: str, k: int, scale: float = 1.0) -> SineSeries:
    """The source of a case: Poisson-C-Sines with k waves each way, amplitudes independent and uniform in [-1, 1]."""
    return SineSeries.poisson_c_sines(random_of(seed, name, part=1).uniform(-1.0, 1.0, (k, k)), scale)
