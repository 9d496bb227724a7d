"""The data set ``polygons-mixed``: -laplace(u) = 0, u given on a part of the boundary and its flux on the rest, on polygons and on strips.

A part of a thin arm has free walls on both sides and is held where it was cut from its neighbours; one at a tip is held at one end only. Neither is a polygon
with one free arc of at most half of its boundary: an operator that is trained on those alone answers them by several per cent, and stitching adds that up
along the arm. So two of five shapes are strips.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ....fem.diffusion import Diffusion
from ....io.dataset_writing import DatasetPlan
from ....mesh.case import Case
from ....mesh.generate.polygons import random_strip
from ....mesh.mesh import Mesh
from ....mesh.primitives import ring
from ...diffusion.cases import diffusion_case
from ..draws import random_of, split_of
from ..named import NamedDataset
from . import traces
from .family import ARC, BOUNDARY, PARAMETERS, SHAPE, SIZE, Family, geometry_of

DEFAULT_SIZE = 2000
#: Largest flux times the extent.
FLUX = 2.0
_NEUMANN, _STRIP = 5, 6  # numbers of the draws of the flux, and of whether the shape is a strip
#: Share of strips among the shapes of training.
STRIPS = 0.4


@dataclass(frozen=True)
class MixedFamily(Family):
    """Polygons and strips with free walls."""

    def is_strip(self, seed: int, geometry: str) -> bool:
        """Whether the shape is a strip; those of the splits ``ood``, ``ood-slit`` and the targets never are."""
        return not split_of(geometry, self.prefix) and random_of(seed, geometry, _STRIP).random() < STRIPS

    def outline(self, seed: int, geometry: str) -> tuple[Mesh, float]:
        """(closed outline, mesh size [m]) of a geometry."""
        if not self.is_strip(seed, geometry):
            return super().outline(seed, geometry)
        return ring(random_strip(random_of(seed, geometry, SHAPE)), geometry), SIZE

    def free(self, seed: int, geometry: str, lines: np.ndarray, points: np.ndarray) -> np.ndarray:
        """(k,) which lines of the boundary are free.

        Of a strip: everything but its ends; one of three strips is held at one end only. Of a polygon: a run of the outer loop, in four of five shapes, up to
        three quarters of the whole boundary. Of a target: a run of up to half.
        """
        random = random_of(seed, geometry, ARC)
        if self.is_strip(seed, geometry):
            return _sides_of_strip(random, self.outline(seed, geometry)[0].points, lines, points)
        target = self.is_target(geometry)
        mixed, share, start = random.random() < 0.8, 0.1 + (0.4 if target else 0.65) * random.random(), random.random()
        return _run(share, start, lines, points) if mixed or target else np.zeros(len(lines), dtype=bool)


FAMILY = MixedFamily(
    "polygons-mixed",
    "mixed",
    "-laplace(u) = 0, u given on the patch 'dirichlet' and the flux du/dn, positive into the region, on 'neumann'",
    {
        "strips": f"{STRIPS:.0%} of the shapes of train, val and test are bent strips of 2 to 4 cross-sections, held at both ends or, one of three, at one",
        "arc": "four of five polygons have a Neumann arc, in one piece, of 10 to 75 % of the boundary; all targets have one of 10 to 50 %, on the outer "
        "loop. Points that belong to both patches are Dirichlet points",
        "flux_law": f"q (2 p - 1) / extent, q uniform in [0, {FLUX}], p a pattern that fills [0, 1] on the arc; linear between the points",
        "label_error": "1.7 % median, 3.5 % worst of 10 polygons with smooth data: RMS over all points, relative to the range of the solution, "
        "against P2 on triangles an eighth as long with the same data; it comes from the ends of the arc, where the solution goes like sqrt(r)",
        "flux_sign": "the right-hand side gets + int g v ds",
    },
    revision=3,
)


def plan(n: int, seed: int) -> DatasetPlan:
    """Names, splits and the kinds of data of every case; see :meth:`Family.plan`."""
    return FAMILY.plan(n, seed, parameters)


def parameters(seed: int, name: str) -> dict[str, Any]:
    """Kinds of the values and fluxes, strength of the flux (nothing where the shape has no Neumann arc)."""
    random, mixture = random_of(seed, name, PARAMETERS), FAMILY.mixture(name)
    return {"boundary": traces.kind_of(random, mixture), "flux": traces.kind_of(random, mixture), "strength": FLUX * random.random()}


def case(seed: int, name: str) -> Case:
    """One case with ``solution``, its values on ``dirichlet``, and ``boundary_flux`` on ``neumann`` where there is that patch.

    Raises:
        ConvergenceError, InvalidMeshError: the mesher gave up on its shape.
    """
    problem, drawn = problem_of(seed, geometry_of(name)), parameters(seed, name)
    mesh = problem.space.mesh
    extent = traces.Extent.of(mesh.points)
    dirichlet = _on(mesh, "dirichlet")
    g = {"dirichlet": traces.boundary_trace(random_of(seed, name, BOUNDARY), drawn["boundary"], dirichlet, extent).values}
    flux = {}
    if "neumann" in mesh.patches:
        pattern = traces.unit_trace(random_of(seed, name, _NEUMANN), drawn["flux"], _on(mesh, "neumann"), extent).values
        flux["neumann"] = drawn["strength"] / extent.size * (2.0 * pattern - 1.0)
    u = problem.space.at_mesh_points(problem.solve(dirichlet=g, neumann=flux))
    return diffusion_case(mesh, u, dirichlet=g, neumann=flux, name=name)


def _on(mesh: Any, patch: str) -> np.ndarray:
    return mesh.points[mesh.patch_points(patch)]


@lru_cache(maxsize=2)
def problem_of(seed: int, geometry: str) -> Diffusion:
    """Mesh and factors of a geometry."""
    return Diffusion(FAMILY.mesh(seed, geometry), degree=1, dirichlet=("dirichlet",))


def _run(share: float, start: float, lines: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(k,) a run of the outer loop from a relative start on, so long a share of the whole boundary, never the whole loop."""
    free = np.zeros(len(lines), dtype=bool)
    closing = np.flatnonzero(lines[1:, 0] != lines[:-1, 1]) + 1
    loops = np.split(np.arange(len(lines)), closing)
    outer = max(loops, key=lambda rows: float(np.ptp(points[lines[rows, 0]], axis=0).max()))
    length = np.linalg.norm(points[lines[:, 1]] - points[lines[:, 0]], axis=1)
    around = np.roll(outer, -int(start * len(outer)))
    run = around[np.cumsum(length[around]) <= share * length.sum()]
    free[run[: len(around) - 1]] = True
    return free


def _sides_of_strip(random: np.random.Generator, corners: np.ndarray, lines: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(k,) the lines that lie on no held end of a strip, whose first and last corner, and the two in the middle, are its ends."""
    n = len(corners)
    ends = [(corners[n // 2 - 1], corners[n // 2]), (corners[-1], corners[0])]
    if random.random() < 1.0 / 3.0:
        ends.pop(int(random.integers(2)))
    middle = points[lines].mean(axis=1)
    return ~np.any([_distance(middle, *end) < 1e-6 for end in ends], axis=0)


def _distance(points: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(n,) distances [m] from a straight end."""
    t = np.clip((points - a) @ (b - a) / ((b - a) @ (b - a)), 0.0, 1.0)
    return np.linalg.norm(points - a - t[:, None] * (b - a), axis=1)


DATASET = NamedDataset("local Laplace problems with free walls, and target shapes", plan, case, DEFAULT_SIZE, cases_per_worker=200)
