"""What the eight sets of local problems have in common: shapes, meshes, names, splits, the data card."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ....io.dataset_writing import DatasetPlan
from ....mesh.cells import Cells
from ....mesh.generate.polygons import random_polygon, random_slit_polygon
from ....mesh.generate.triangles import mesh_inside
from ....mesh.mesh import Mesh
from ....mesh.primitives import ring
from ..draws import cases_of, random_of, split_geometries, split_of
from ..targets import TARGETS, target
from . import traces

SIZE = 0.1
#: Vertices in train, val and test; Darcy goes to 16.
FEWEST, MOST = 3, 12
OUTSIDE_VERTICES = (17, 22)
SLIT_WIDTH = (0.02, 0.05)
PER_GEOMETRY = 10
#: The shape of a case by the number that :func:`random_of` draws with; its parameters, arc and data have numbers of their own.
SHAPE, PARAMETERS, ARC, BOUNDARY, INSIDE = range(5)


@dataclass(frozen=True)
class Family:
    """One set of local problems.

    Attributes:
        name: of the data set.
        prefix: of the names of its cases.
        equation: as the card says it.
        laws: of its data, for the card.
        most: vertices.
        revision: of the generator; 2 has the targets gear, plate, thin-l and annulus, too.
    """

    name: str
    prefix: str
    equation: str
    laws: Mapping[str, Any] = field(default_factory=dict)
    most: int = MOST
    revision: int = 2

    # ---- names

    def is_target(self, name: str) -> bool:
        """Whether a case or geometry is one of the target shapes."""
        return split_of(name, self.prefix).startswith("target-")

    def mixture(self, name: str) -> Mapping[str, float]:
        """Shares of the kinds of boundary data of a case."""
        return traces.SMOOTH if self.is_target(name) else traces.MIXTURE

    def splits(self, n: int, per_geometry: int) -> tuple[dict[str, tuple[str, ...]], int]:
        """(split -> geometries, cases per geometry) for about n cases in train, val and test together."""
        per = max(1, min(per_geometry, n // 4))
        splits = split_geometries(self.prefix, max(4 if n >= 4 else n, round(n / per)), where=self.name, outside={"ood": 0.1, "ood-slit": 0.1})
        for key in TARGETS:
            splits[f"target-{key}"] = (f"{self.prefix}_target-{key}_0001",)
        return splits, per

    def plan(self, n: int, seed: int, parameters: Callable[[int, str], dict[str, Any]]) -> DatasetPlan:
        """Names, splits, parameters and the card; nothing is meshed.

        Args:
            n: cases in train, validation and test, 7 : 1 : 2 by geometry, rounded to whole geometries.
            seed: of all draws.
            parameters: (seed, case name) -> what is drawn for it.

        Raises:
            ConfigurationError: fewer than 4 cases.
        """
        geometries, per = self.splits(n, PER_GEOMETRY)
        splits, geometry = cases_of(geometries, per)
        drawn = {name: parameters(seed, name) for names in splits.values() for name in names}
        return DatasetPlan(self.name, self.description, splits, self.card(per), drawn, geometry, seed=seed, licence="CC0-1.0")

    # ---- shapes

    def vertices(self, random: np.random.Generator, split: str) -> int:
        """How many vertices a polygon of a split has."""
        low, high = OUTSIDE_VERTICES if split == "ood" else (FEWEST, self.most)
        return int(random.integers(low, high + 1))

    def outline(self, seed: int, geometry: str) -> tuple[Mesh, float]:
        """(closed outline, mesh size [m]) of a geometry."""
        split = split_of(geometry, self.prefix)
        if split.startswith("target-"):
            shape = target(split.removeprefix("target-"))
            return shape.outline(geometry), shape.size
        random = random_of(seed, geometry, SHAPE)
        count = self.vertices(random, split)
        if split == "ood-slit":
            return ring(random_slit_polygon(random, count, width=SLIT_WIDTH), geometry), SIZE
        limits = {"clearance": 0.03, "sharpest": 12.0} if split == "ood" else {}
        return ring(random_polygon(random, count, **limits), geometry), SIZE

    def mesh(self, seed: int, geometry: str) -> Mesh:
        """Triangles with the patches ``dirichlet`` and, where the problem is mixed, ``neumann``.

        Raises:
            ConvergenceError, InvalidMeshError: the mesher gave up on this shape: only its cases are lost.
        """
        outline, size = self.outline(seed, geometry)
        mesh = mesh_inside(outline, size=size)
        lines = np.asarray(mesh.patches["wall"].connectivity).reshape(-1, 2)
        free = self.free(seed, geometry, lines, mesh.points)
        patches = {"dirichlet": Cells.of(line=lines[~free])}
        if free.any():
            patches["neumann"] = Cells.of(line=lines[free])
        return Mesh(mesh.points, mesh.cells, patches, name=geometry)

    def free(self, seed: int, geometry: str, lines: np.ndarray, points: np.ndarray) -> np.ndarray:
        """(k,) which lines (k, 2) of the boundary are the patch ``neumann``; none, unless a family says otherwise."""
        return np.zeros(len(lines), dtype=bool)

    # ---- the card

    @property
    def description(self) -> str:
        """For people."""
        return (
            f"Local problems for Schwarz methods: {self.equation}. Random simple polygons of {FEWEST} to {self.most} vertices in the unit box "
            f"round the origin, triangles of about {SIZE} m; boundary data are a mixture of white, Gaussian-process and harmonic traces. "
            "Splits 'ood' (17 to 22 vertices) and 'ood-slit' (a narrow slit) lie outside; 'target-*' are the large shapes that a method "
            "trained on the polygons has to solve, with smooth boundary data. The labels are the linear finite elements' solutions on the "
            "mesh of the case. Every case has its boundary values on its patch 'dirichlet' (and 'neumann'), one per point, ascending."
        )

    def card(self, per_geometry: int) -> dict[str, Any]:
        """Laws and constants for the manifest; small data sets have fewer than :data:`PER_GEOMETRY` solutions of a geometry."""
        return {
            "source": "P1 finite elements (geoop.fem) on triangles by gmsh, one factorisation per geometry where the matrix allows it",
            "revision": self.revision,
            "equation": self.equation,
            "vertices": [FEWEST, self.most],
            "vertices_ood": list(OUTSIDE_VERTICES),
            "slit_width": [*SLIT_WIDTH],
            "shape_law": "points uniform in [-0.5, 0.5]^2, uncrossed; angles >= 20 deg, clearance >= 0.06 m, area >= 0.1 m^2 (ood: 12 deg, 0.03 m)",
            "bad_draws": "polygons outside these limits are drawn again; a shape that the mesher refuses loses its cases only",
            "mesh_size": SIZE,
            "targets": {key: target(key).summary for key in TARGETS},
            "mesh_size_targets": {key: target(key).size for key in TARGETS},
            "solutions_per_geometry": per_geometry,
            "boundary_mixture": dict(traces.MIXTURE),
            "boundary_mixture_targets": dict(traces.SMOOTH),
            "gaussian_process": f"squared-exponential, length log-uniform in {list(traces.LENGTHS)} extents of the region",
            "harmonic": f"real part of a random polynomial of degree 6 and three logarithms with poles {list(traces.POLE_DISTANCE)} extents away",
            "boundary_range": "a random range inside [0, 1], 0.05 to 1 wide, unless a law below says otherwise",
            **self.laws,
        }


def geometry_of(name: str) -> str:
    """The geometry of a case ``GEOMETRY_01``."""
    return name.rsplit("_", 1)[0]
