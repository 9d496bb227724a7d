"""From the boundary of a region to dimensionless tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from ..errors import InvalidMeshError
from ..graph.geometry import Geometry
from ..graph.pointset import PointSet
from ..mesh.case import Case
from ..mesh.cells import Cells
from ..mesh.measure import point_weights
from ..mesh.mesh import Mesh
from ..mesh.outline import oriented
from ..mesh.topology import sides
from .bends import bends, straight_facets
from .body_frame import BodyFrame
from .framed import Framed, single
from .region_frame import RegionFrame

#: Per-vertex scalars of the boundary of a region before the kinds: curvature, and the angle of a corner.
REGION_SCALARS = 2


def boundary(mesh: Mesh) -> Mesh:
    """What encloses a region: all patches, or the sides that belong to one cell only where no patch is named.

    Raises:
        InvalidMeshError: the mesh is a surface or a cloud: it encloses nothing.
    """
    if mesh.is_surface or mesh.is_cloud:
        raise InvalidMeshError("a region needs cells that fill it", where=mesh.name, remedy="pass the volume (in 2-D the plane) mesh")
    if mesh.patches:
        return mesh.submesh(Cells.concatenate(list(mesh.patches.values())), name=mesh.name, patches=dict(mesh.patches))
    found = sides(mesh, np.arange(len(mesh.points)))
    single_sided = np.bincount(found.group, minlength=len(found.counts))
    rows = found.corners[single_sided[found.group] == 1]
    kinds = {2: "line", 3: "triangle", 4: "quad"}
    parts = []
    for size, kind in kinds.items():
        chosen = rows[(rows >= 0).sum(axis=1) == size][:, :size]
        if len(chosen):
            parts.append(Cells.of({kind: chosen}))
    return mesh.submesh(Cells.concatenate(parts), name=mesh.name)


def on_boundary(mesh: Mesh) -> np.ndarray:
    """(n,) which points of a mesh lie on what encloses it."""
    found = np.zeros(len(mesh.points), dtype=bool)
    if mesh.patches:
        found[np.concatenate([cells.connectivity for cells in mesh.patches.values()])] = True
    else:
        edge = {row.tobytes() for row in np.ascontiguousarray(boundary(mesh).points)}
        found[[k for k, row in enumerate(np.ascontiguousarray(mesh.points)) if row.tobytes() in edge]] = True
    return found


def framed_region(case: Case, frame: BodyFrame | RegionFrame, kinds: Sequence[str]) -> Framed:
    """The boundary of a region in a frame.

    ``surface.scalars`` say of every vertex: its curvature (in 3-D the mean one), or its angle where it is a corner or on a sharp edge, and which of the
    ``kinds`` of boundary (names of patches) it belongs to, so that a clamped side is not mistaken for a free one. None of them tells how fine
    the mesh is, but for a nose or tip in 3-D that it does not resolve.
    """
    return framed_surface(boundary(case.mesh), frame, kinds, side=-1)


def framed_surface(surface: Mesh, frame: BodyFrame | RegionFrame, kinds: Sequence[str], side: int) -> Framed:
    """Any surface in a frame, with the scalars of :func:`framed_region`; ``side`` 1 where fields live outside of it, -1 where inside."""
    # files do not agree which way boundary facets look
    local = oriented(surface.moved(frame.points_in(surface.points)))
    framed = Framed(frame, local, _empty(local), side=side)
    weight = point_weights(local)
    member = np.zeros((len(local.points), len(kinds)))
    for k, name in enumerate(kinds):
        if name in surface.patches:
            member[np.unique(surface.patches[name].connectivity), k] = 1.0
    scalars = np.concatenate([bends(local), member], axis=1)
    points = PointSet(single(local.points), single(scalars), single(framed.normals[:, None, :]), single(weight))
    facets = torch.from_numpy(straight_facets(local))
    return replace(framed, geometry=Geometry(points, facets, torch.tensor([0, len(facets)])))


def _empty(local: Mesh) -> Geometry:
    d = local.dimension
    return Geometry(PointSet(torch.zeros(0, d)), torch.zeros(0, d, dtype=torch.int64), torch.tensor([0, 0]))
