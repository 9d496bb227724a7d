"""The surface of a geometry as a mesh again: what geometric queries take."""

from __future__ import annotations

from ..mesh.cells import Cells
from ..mesh.measure import point_normals
from ..mesh.mesh import Mesh
from .geometry import Geometry


def surface_mesh(geometry: Geometry) -> tuple[Mesh, int]:
    """The surface of one geometry, and on which side fields live: 1 outside of it (a body), -1 inside (a region)."""
    points = geometry.surface.pos.detach().cpu().double().numpy()
    kind = "line" if points.shape[1] == 2 else "triangle"
    mesh = Mesh(points, Cells.of(**{kind: geometry.facets.cpu().numpy()}))
    facing = float((point_normals(mesh) * geometry.surface.vectors[:, 0].detach().cpu().double().numpy()).sum())
    return mesh, 1 if facing >= 0 else -1
