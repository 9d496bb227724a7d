"""A surface with about as many faces as a method can bear: fine ones on fewer of their own vertices, coarse ones cut up."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array, csgraph, csr_array

from ..errors import ConfigurationError, InvalidMeshError
from .cells import Cells
from .facet_points import spread_out
from .mesh import Mesh
from .topology import welded
from .triangulation import triangulated

#: Edges whose faces meet at a larger angle than this between their normals are kept sharp [deg].
SHARP = 50.0
#: Vertices on sharp edges stand so many times closer, and places of strong curvature up to so many times.
CLOSER = 3.0
#: Candidates among which vertices are chosen, as a multiple of those wanted: what is finer is thinned by a lattice first.
_CANDIDATES = 12
#: Distances are measured in coordinates over this power of the extents: a wing changes faster along its chord than along its span.
_SLENDER = 0.8
#: Cosine between a face and the surface at its corners below which one is turned, and how often all are looked at.
_FOLDED, _SWEEPS = 0.3, 10


def with_faces(surface: Mesh, count: int, *, bearable: int | None = None, longest: float = 0.06) -> Mesh:
    """The surface on triangles, about ``count`` where it has more, and cut up while its edges are long and there are fewer.

    More: vertices are chosen far apart, on sharp edges and where the surface bends closer, every other vertex goes to the chosen one that is nearest
    along the edges, and the faces whose corners went to three different ones are kept (the dual of a Voronoi diagram on the surface; S. Valette and
    J.-M. Chassery, "Approximated centroidal Voronoi diagrams for uniform polygonal mesh coarsening", Comput. Graph. Forum 23, 2004). Both sides of a
    thin body stay apart. Fewer: every triangle is cut into four at the middles of its edges, while one is longer than ``longest`` of the extent and the
    result has at most ``count`` faces; vertices keep their numbers.

    Args:
        surface: polygons in space.
        count: triangles, at most when cutting and about when choosing.
        bearable: surfaces of at most so many triangles are not coarsened; None for ``count``.
        longest: of an edge, in largest extents.

    Returns:
        triangles with the patch ``wall``, without vertices that no face uses unless vertices were kept.

    Raises:
        InvalidMeshError: not a surface in space with an area.
        ConfigurationError: a count below 100.
    """
    if count < 100:
        raise ConfigurationError(f"{count} faces", where="with_faces", remedy="ask for at least 100")
    if surface.dimension != 3 or not len(surface.cells):
        raise InvalidMeshError("not a surface in space", where=surface.name, remedy="pass the boundary of the body: geoop.mesh.body.body(mesh)")
    points, triangles = surface.points, welded(surface.points)[triangulated(surface)[0]]
    triangles = triangles[(triangles != np.roll(triangles, 1, axis=1)).all(axis=1)]
    if not len(triangles):
        raise InvalidMeshError("the surface has zero area", where=surface.name, remedy="check the coordinates and the unit of the file")
    if len(triangles) > (bearable or count):
        points, triangles = _chosen(points, triangles, count)
    else:
        size = longest * float(np.ptp(points[np.unique(triangles)], axis=0).max())
        while 4 * len(triangles) <= count and _longest(points, triangles) > size:
            points, triangles = _quartered(points, triangles)
    cells = Cells.of(triangle=triangles)
    return Mesh(points, cells, {"wall": cells}, name=surface.name)


def _longest(points: np.ndarray, triangles: np.ndarray) -> float:
    x = points[triangles]
    return float(np.linalg.norm(np.roll(x, -1, axis=1) - x, axis=2).max())


def _quartered(points: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every triangle as four."""
    sides = np.sort(np.stack([triangles, np.roll(triangles, -1, axis=1)], axis=2).reshape(-1, 2), axis=1)
    edges, number = np.unique(sides, axis=0, return_inverse=True)
    ab, bc, ca = (len(points) + number.reshape(-1, 3)[:, k] for k in range(3))
    a, b, c = triangles.T
    parts = [np.stack(corners, axis=1) for corners in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
    return np.concatenate([points, points[edges].mean(axis=1)]), np.concatenate(parts)


def _chosen(points: np.ndarray, triangles: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The surface on about count / 2 of its vertices."""
    used, number = np.unique(triangles, return_inverse=True)
    points, triangles = points[used], number.reshape(-1, 3)
    wanted = count // 2
    size = _local_size(points, triangles)
    extent = np.ptp(points, axis=0)
    measured = points / np.maximum(extent / extent.max(), 0.1) ** _SLENDER
    candidates = _thinned(measured, size, _CANDIDATES * wanted)
    kept = candidates[spread_out(measured[candidates], wanted, size[candidates])]
    ends = np.stack([triangles.ravel(), np.roll(triangles, -1, axis=1).ravel()], axis=1)
    length = np.linalg.norm(measured[ends[:, 0]] - measured[ends[:, 1]], axis=1) + 1e-300
    keys, first = np.unique(np.sort(ends, axis=1), axis=0, return_index=True)
    graph = csr_array(coo_array((length[first], (keys[:, 0], keys[:, 1])), shape=(len(points), len(points))))
    _, _, source = csgraph.dijkstra(graph, directed=False, indices=kept, min_only=True, return_predecessors=True)
    place = np.full(len(points), -1)
    place[kept] = np.arange(len(kept))
    found = np.where(source >= 0, place[source], -1)[triangles]
    whole = (found >= 0).all(axis=1) & (found != np.roll(found, 1, axis=1)).all(axis=1)
    found = found[whole]
    _, once = np.unique(np.sort(found, axis=1), axis=0, return_index=True)
    return points[kept], _flipped(points[kept], found[np.sort(once)], _normals(points, triangles)[kept])


def _normals(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(n, 3) unit normals at the vertices, by the areas around them."""
    x = points[triangles]
    out = np.zeros(points.shape)
    np.add.at(out, triangles.ravel(), np.repeat(np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0]), 3, axis=0))
    return out / np.maximum(np.linalg.norm(out, axis=1), 1e-300)[:, None]


def _facing(points: np.ndarray, triangles: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """(t,) cosine between a face and the surface at its corners: below 0 for folds, 0 for needles."""
    x = points[triangles]
    own, there = np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0]), normals[triangles].sum(axis=1)
    longest = np.linalg.norm(np.roll(x, -1, axis=1) - x, axis=2).max(axis=1)
    size = np.maximum(np.linalg.norm(own, axis=1), 1e-3 * longest**2)
    return (own * there).sum(axis=1) / np.maximum(size * np.linalg.norm(there, axis=1), 1e-300)


def _flipped(points: np.ndarray, triangles: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Folded faces, and needles, turned along the surface by flips of their longest edge, as far as that makes the worse of two faces better."""
    triangles = triangles.copy()
    for _ in range(_SWEEPS):
        bad = np.flatnonzero(_facing(points, triangles, normals) < _FOLDED)
        faces: dict[tuple[int, int], list[int]] = {}
        for face, corners in enumerate(triangles.tolist()):
            for k in range(3):
                faces.setdefault((min(corners[k], corners[k - 2]), max(corners[k], corners[k - 2])), []).append(face)
        touched: set[int] = set()
        for face in bad.tolist():
            if face in touched:
                continue
            corners = triangles[face]
            k = int(np.linalg.norm(points[np.roll(corners, -1)] - points[corners], axis=1).argmax())
            a, b, c = (int(corners[(k + step) % 3]) for step in range(3))
            pair = faces[min(a, b), max(a, b)]
            if len(pair) != 2 or touched & set(pair):
                continue
            other = pair[0] if pair[1] == face else pair[1]
            d = int(triangles[other].sum()) - a - b
            if (min(c, d), max(c, d)) in faces:
                continue
            new = np.array([[a, d, c], [d, b, c]])
            if _facing(points, new, normals).min() > _facing(points, triangles[[face, other]], normals).min():
                triangles[[face, other]] = new
                touched |= {face, other}
        if not touched:
            break
    return triangles


def _local_size(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(n,) 1 on flat places, down to 1 / CLOSER on sharp edges and where the radius of curvature is small beside the body."""
    x = points[triangles]
    normal = np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0])
    area = np.linalg.norm(normal, axis=1)
    normal /= np.maximum(area, 1e-300)[:, None]
    ends = np.sort(np.stack([triangles, np.roll(triangles, -1, axis=1)], axis=2).reshape(-1, 2), axis=1)
    keys, number, uses = np.unique(ends, axis=0, return_inverse=True, return_counts=True)
    order = np.argsort(number, kind="stable")
    first = (np.cumsum(uses) - uses)[uses == 2]
    one, two = order[first] // 3, order[first + 1] // 3
    turn = np.arccos(np.clip((normal[one] * normal[two]).sum(axis=1), -1.0, 1.0))
    edges = keys[uses == 2]
    extent = float(np.ptp(points, axis=0).max())
    length = np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)
    height = (area[one] + area[two]) / np.maximum(2.0 * length, 1e-300)  # of the two triangles over their edge, in the mean
    bend = np.where(turn > np.radians(SHARP), np.inf, turn / np.maximum(height, 1e-300)) * extent / 20.0
    most = np.zeros(len(points))
    np.maximum.at(most, edges.ravel(), np.repeat(bend, 2))
    return 1.0 / np.clip(most, 1.0, CLOSER)


def _thinned(points: np.ndarray, size: np.ndarray, count: int) -> np.ndarray:
    """At most about ``count`` points, those of small size first, one in each cell of a lattice."""
    if len(points) <= count:
        return np.arange(len(points))
    low, extent = points.min(axis=0), float(np.ptp(points, axis=0).max())
    cells, order = 16, np.argsort(size, kind="stable")
    kept = order
    while True:
        _, first = np.unique(np.floor((points[order] - low) / extent * cells).astype(np.int64), axis=0, return_index=True)
        if len(first) > count:
            return kept if len(kept) <= count else order[np.sort(first)]
        kept, cells = order[np.sort(first)], cells * 2
        if len(first) == len(points):
            return kept
