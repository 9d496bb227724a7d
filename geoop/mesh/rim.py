"""The boundary of a mesh whose file names no patches, in connected parts: what goes round everything, and the bodies inside."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import coo_matrix, csgraph

from .case import Case
from .cells import Cells
from .mesh import Mesh
from .topology import sides, welded

#: Names of the parts of a rim.
OUTER, BODY = "outer", "body"


def rim_parts(mesh: Mesh) -> dict[str, Cells]:
    """The boundary of a plane or volume mesh in connected parts: ``outer`` round everything, the others ``body``, ``body_2``, ...

    Facets run as the cells run round them: the mesh on the left in 2-D, outward in 3-D.
    """
    listed = sides(mesh, welded(mesh.points))
    corners = listed.corners[listed.counts[listed.group] == 1]
    first = np.repeat(corners[:, :1], corners.shape[1], axis=1)
    links = corners >= 0
    n = len(mesh.points)
    graph = coo_matrix((np.ones(int(links.sum())), (first[links], corners[links])), shape=(n, n))
    component = csgraph.connected_components(graph, directed=False)[1][corners[:, 0]]
    parts = []
    for number in np.unique(component):
        own = corners[component == number]
        parts.append((float(np.prod(np.ptp(mesh.points[own[own >= 0]], axis=0))), own))
    parts.sort(key=lambda part: -part[0])
    found = {}
    for k, (_, own) in enumerate(parts):
        found[OUTER if k == 0 else BODY if k == 1 else f"{BODY}_{k}"] = _facets(own)
    return found


def _facets(corners: np.ndarray) -> Cells:
    sizes = (corners >= 0).sum(axis=1)
    kinds = {2: "line", 3: "triangle", 4: "quad"}
    parts = [Cells.of({kinds[k]: corners[sizes == k][:, :k]}) for k in np.unique(sizes) if k in kinds]
    rest = [row[row >= 0] for row in corners[sizes > 4]]
    return Cells.concatenate([*parts, *([Cells.ragged("polygon", rest)] if rest else [])])


def bodies_of(names: list[str]) -> tuple[str, ...]:
    """The parts that are bodies, of patches that are parts of a rim; empty for other patches, and where there is no body."""
    own = tuple(name for name in names if name != OUTER)
    return own if OUTER in names and set(own) == {BODY if k == 1 else f"{BODY}_{k}" for k in range(1, len(names))} else ()


def with_rim(case: Case) -> Case:
    """A case of a plane or volume mesh without patches with the parts of its rim as patches, a note, and the inner ones as its wall; any other as it is."""
    mesh = case.mesh
    if mesh.patches or mesh.is_surface or mesh.is_cloud:
        return case
    parts = rim_parts(mesh)
    note = f"the file has no patches: its rim is {', '.join(repr(name) for name in parts)}"
    named = replace(mesh, patches=parts, notes=(*mesh.notes, note))
    return replace(case, mesh=named, wall=bodies_of(list(parts)) if case.wall is None else case.wall)
