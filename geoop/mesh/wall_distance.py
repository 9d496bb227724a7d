"""Distance to the walls of a mesh, told by the names of its patches."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ..errors import ConfigurationError
from .body import body
from .case import Case
from .distance import signed_distance
from .distance.polygon import CHUNK
from .measure import cell_centers
from .mesh import Mesh


def wall_distance(
    mesh: Mesh | Case,
    patches: tuple[str, ...] | None = None,
    points: np.ndarray | None = None,
    *,
    at: Literal["points", "cells"] = "points",
    chunk: int = CHUNK,
) -> np.ndarray:
    """(n,) distance to the nearest point of the named patches [m], never negative: what turbulence models call d or y.

    Far fields, inlets and symmetry planes have no part in it. Exact to
    rounding errors. Walls need not be closed. Several walls count together.

    Args:
        mesh: with named boundary patches; a bare outline or surface is all wall. A case brings its ``wall`` along: what its file
            said about the kinds of its patches.
        patches: names of the walls; None takes those of the case, otherwise judges them by their names as
            :func:`geoop.mesh.body.wall_patches` does.
        points: (n, d) where to measure [m]; None takes those that ``at`` names.
        at: the mesh's own points, or the centroids of its cells.
        chunk: as in :func:`geoop.mesh.distance.signed_distance`.

    Raises:
        PatchError: the mesh has no patch of that name.
        InvalidMeshError: the walls cannot be told from the other patches, or have no extent.
        ConfigurationError: ``at`` is neither of the two.
        NonFiniteError, ShapeError: points that are not finite, or of another dimension.
    """
    if at not in ("points", "cells"):
        raise ConfigurationError(f"at is {at!r}", where="wall_distance", remedy="give 'points' or 'cells'")
    if isinstance(mesh, Case):
        patches, mesh = patches or mesh.wall, mesh.mesh
    where = points if points is not None else mesh.points if at == "points" else cell_centers(mesh)
    names = (patches,) if isinstance(patches, str) else patches
    return signed_distance(body(mesh, names), where, signed=False, chunk=chunk).distance
