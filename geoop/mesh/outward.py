"""The triangles of a body, all facing out of it, whatever way the facets of its file do."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .cells import Cells
from .distance.inside import sided
from .measure import area_vectors
from .mesh import Mesh
from .orientation import sealed_facets
from .topology import edges, welded
from .triangulation import triangulated


@dataclass(frozen=True, eq=False)
class OutwardTriangles:
    """What :func:`outward_triangles` made of a surface.

    Attributes:
        mesh: triangles on the points of the surface; the very surface where nothing was wrong.
        changes: what was done, a sentence each with its count; empty if nothing was.
        sealed: (n,) points of the surface that only sealed parts use, which are left out.
        unsided: pairs of neighbouring triangles that look to opposite sides however they are turned: such a surface has one side only.
    """

    mesh: Mesh
    changes: tuple[str, ...]
    sealed: np.ndarray
    unsided: int = 0


def outward_triangles(surface: Mesh) -> OutwardTriangles:
    """Facets without area, repeated ones and those of sealed cavities left out, the others turned as the sign of the distance takes them.

    The side is that of :func:`geoop.mesh.distance.signed_distance`: neighbours agree, closed parts face out by the sign of their volume, and open
    parts as they do with their holes closed. No point is moved and no hole filled.

    Args:
        surface: faces in space.

    Raises:
        InvalidMeshError: not a surface in space.
    """
    corners, owner = triangulated(surface)
    at = welded(surface.points)[corners]
    whole = np.flatnonzero((at != np.roll(at, 1, axis=1)).all(axis=1))
    if not len(whole):
        return OutwardTriangles(surface, (), np.zeros(len(surface.points), dtype=bool))
    known = Mesh(surface.points, Cells.of(triangle=corners[whole]), name=surface.name)
    found = sided(known)
    every = Mesh(surface.points, Cells.of(triangle=found.corners), name=surface.name, notes=surface.notes)
    inner = sealed_facets(every)
    turned = ~inner & ((area_vectors(every) * area_vectors(known)[found.facet]).sum(axis=1) < 0.0)
    mesh = replace(every, cells=every.cells.take(~inner))
    left_out = np.setdiff1d(owner, owner[whole]), owner[np.setdiff1d(whole, whole[found.facet])]
    counts = [len(np.unique(own)) for own in (owner[whole[found.facet[turned]]], *left_out, owner[whole[found.facet[inner]]])]
    changes = tuple(sentence.format(count, len(surface.cells)) for count, sentence in zip(counts, _SENTENCES, strict=True) if count)
    sealed = np.zeros(len(surface.points), dtype=bool)
    sealed[found.corners[inner]] = True
    sealed[mesh.cells.connectivity] = False
    return OutwardTriangles(mesh if changes else surface, changes, sealed, _one_sided(mesh, found.merged))


def _one_sided(mesh: Mesh, merged: np.ndarray) -> int:
    """Pairs of neighbours that disagree."""
    listed = edges(mesh.cells, merged)
    one, two = listed.pairs()
    return int((listed.corners[one, 0] != listed.corners[two, 1]).sum())


#: What is said of facets that were turned, have no area, are repeated, are sealed.
_SENTENCES = (
    "facets that faced the wrong way, into the body, were turned: {} of {}",
    "facets without area were left out: {} of {}",
    "facets that repeat others were left out: {} of {}",
    "facets of closed cavities, which no stream gets into, were left out: {} of {}",
)
