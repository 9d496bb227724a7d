"""Labels by walk on spheres: cases whose solution is an unbiased, noisy estimate with a known standard error.

Regression on noisy labels u^ with E u^ = u finds what regression on u finds: E |N - u^|^2 = |N - u|^2 + Var(u^), and the last term does
not depend on N. A few walks per point and many cases are therefore a sound choice; the standard errors tell the part of a validation
error that is the labels' own (:func:`geoop.train.losses.debiased_mean_square`).
"""

from __future__ import annotations

import numpy as np

from ...mesh.body import body
from ...mesh.case import Case
from ...mesh.mesh import Mesh
from ...mesh.quantity import Field, Quantity
from ..walk_on_spheres import Function, walk_on_spheres
from .cases import diffusion_case

#: Of the field ``solution``, one value per point.
STANDARD_ERROR = Quantity("solution_standard_error", "s_u", "1")


def walked_case(
    mesh: Mesh,
    boundary: Function,
    *,
    source: Function | None = None,
    outline: Mesh | None = None,
    walks: int = 100,
    shell: float | None = None,
    seed: int = 0,
    name: str = "",
) -> Case:
    """A case of -laplace(u) = source, u = boundary, solved at the points of a mesh or of a cloud by walks.

    Args:
        mesh: its points are where u is estimated; cells are kept, and not needed.
        boundary, source: (m, d) points -> (m,) values.
        outline: the closed boundary of the region; None takes all patches of ``mesh`` together.
        walks, shell, seed: see :func:`geoop.truth.walk_on_spheres.walk_on_spheres`.
        name: of the case.

    Returns:
        case with fields ``solution``, ``solution_standard_error`` (zero on the boundary) and, where there is one, ``source``; its patches
        hold the exact boundary values.

    Raises:
        ConfigurationError, ConvergenceError, FieldError: see there.
        InvalidMeshError: neither patches nor an outline.
    """
    surface = body(mesh, wall=tuple(mesh.patches) or None) if outline is None else outline
    found = walk_on_spheres(surface, mesh.points, boundary, source=source, walks=walks, shell=shell, seed=seed)
    values = None if source is None else np.broadcast_to(np.asarray(source(mesh.points), dtype=np.float64), len(mesh.points))
    data = {patch: np.asarray(boundary(mesh.points[mesh.patch_points(patch)])) for patch in mesh.patches}
    case = diffusion_case(mesh, found.mean, source=values, dirichlet=data, name=name)
    return case.with_fields(Field(STANDARD_ERROR, found.error))
