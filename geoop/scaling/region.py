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
from ..mesh.measure import point_normals, point_weights
from ..mesh.mesh import Mesh
from ..mesh.outline import oriented
from ..mesh.topology import sides
from .framed import Framed, single
from .region_frame import RegionFrame

#: Per-vertex scalars of the boundary of a region before the kinds: logarithm of the share of length or area, curvature.
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


def framed_region(case: Case, frame: RegionFrame, kinds: Sequence[str]) -> Framed:
    """The boundary of a region in a frame.

    ``surface.scalars`` say of every vertex: the logarithm of its share of length or area, the curvature (in 2-D; 0 in 3-D), and which of
    the ``kinds`` of boundary (names of patches) it belongs to, so that a clamped side is not mistaken for a free one.
    """
    surface = boundary(case.mesh)
    # files do not agree which way boundary facets look
    local = oriented(surface.moved(frame.points_in(surface.points)))
    framed = Framed(frame, local, _empty(local), side=-1)
    weight = point_weights(local)
    member = np.zeros((len(local.points), len(kinds)))
    for k, name in enumerate(kinds):
        if name in surface.patches:
            member[np.unique(surface.patches[name].connectivity), k] = 1.0
    scalars = np.concatenate([np.log(np.maximum(weight, 1e-12))[:, None] / 2 + 2, _curvature(local)[:, None], member], axis=1)
    points = PointSet(single(local.points), single(scalars), single(framed.normals[:, None, :]), single(weight))
    facets = torch.from_numpy(_facets(local))
    return replace(framed, geometry=Geometry(points, facets, torch.tensor([0, len(facets)])))


def _empty(local: Mesh) -> Geometry:
    d = local.dimension
    return Geometry(PointSet(torch.zeros(0, d)), torch.zeros(0, d, dtype=torch.int64), torch.tensor([0, 0]))


def _facets(surface: Mesh) -> np.ndarray:
    """(m, d) straight facets: segments of line cells, fans of polygons."""
    rows = []
    for kind in surface.cells.names:
        block = surface.cells.block(kind)
        if kind == "line3":  # corner, corner, middle
            rows += [block[:, [0, 2]], block[:, [2, 1]]]
        elif surface.dimension == 2:
            rows.append(block[:, :2])
        else:
            rows += [block[:, [0, k, k + 1]] for k in range(1, {"triangle": 3, "triangle6": 3, "quad": 4}.get(kind, block.shape[1]) - 1)]
    return np.concatenate(rows).astype(np.int64)


def _curvature(surface: Mesh) -> np.ndarray:
    """(v,) compressed signed curvature from the turn of the normals along each segment; 0 in 3-D."""
    if surface.dimension != 2:
        return np.zeros(len(surface.points))
    normals, facets = point_normals(surface), _facets(surface)
    a, b = facets.T
    along = surface.points[b] - surface.points[a]
    length = np.maximum(np.linalg.norm(along, axis=1), 1e-12)
    turn = ((normals[b] - normals[a]) * along).sum(axis=1) / length
    total, size = np.zeros(len(surface.points)), np.zeros(len(surface.points))
    for end in (a, b):
        np.add.at(total, end, turn)
        np.add.at(size, end, length)
    return np.arcsinh(total / np.maximum(size, 1e-12)) / 4
