"""The data set ``polygons-mixed``: -laplace(u) = 0, u given on an arc of at least half of the boundary and its flux on the rest."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ....fem.diffusion import Diffusion
from ....io.dataset_writing import DatasetPlan
from ....mesh.case import Case
from ...diffusion.cases import diffusion_case
from ..draws import random_of
from ..named import NamedDataset
from . import traces
from .family import BOUNDARY, PARAMETERS, Family, geometry_of

DEFAULT_SIZE = 2000
#: Largest flux times the extent.
FLUX = 2.0
_NEUMANN = 5  # number of the draws of the flux
FAMILY = Family(
    "polygons-mixed",
    "mixed",
    "-laplace(u) = 0, u given on the patch 'dirichlet' and the flux du/dn, positive into the region, on 'neumann'",
    {
        "arc": "four of five polygons have a Neumann arc, in one piece, of 10 to 50 % of the boundary; all targets have one, on the outer loop. "
        "Points that belong to both patches are Dirichlet points",
        "flux_law": f"q (2 p - 1) / extent, q uniform in [0, {FLUX}], p a pattern that fills [0, 1] on the arc; linear between the points",
        "label_error": "1.7 % median, 3.5 % worst of 10 polygons with smooth data: RMS over all points, relative to the range of the solution, "
        "against P2 on triangles an eighth as long with the same data; it comes from the ends of the arc, where the solution goes like sqrt(r)",
        "flux_sign": "the right-hand side gets + int g v ds",
    },
    mixed=True,
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


DATASET = NamedDataset("local Laplace problems with a Neumann arc, and target shapes", plan, case, DEFAULT_SIZE, cases_per_worker=200)
