"""Tetrahedra in closed triangle surfaces: the surface as it is, or its flat facets with finer triangles."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import coo_array, csgraph

from ...errors import ConfigurationError, ConvergenceError, InvalidMeshError
from ..cells import Cells
from ..measure import signed_measures
from ..mesh import Mesh
from .gmsh_session import gmsh_session

_FLATTEST = 1e-9  # volume of a tetrahedron relative to its longest edge cubed, below which it is no cell


def mesh_solid(surface: Mesh, *, size: float | None = None) -> Mesh:
    """Tetrahedra that fill a closed triangle surface; every patch of the surface becomes a patch of the solid.

    Without ``size`` the triangles of the surface are kept one by one, and the tetrahedra inside grow from their edges. With ``size`` the
    triangles are taken for the flat facets of a polyhedron: facets and inside get edges of about that length.

    Args:
        surface: a closed surface of triangles in 3-D; more that do not touch bound cavities inside it. Fill several solids one by one.
        size: wanted edge length [m].

    Returns:
        mesh of tetrahedra of positive volume, patches of triangles with normals out of the solid (``wall`` for facets without a
        patch). The points of the surface come first and in order.

    Raises:
        InvalidMeshError: no surface of triangles, or not closed.
        ConfigurationError: a size that is not positive.
        ConvergenceError: gmsh gave up: several solids, facets that cross, cells without volume.
        MissingDependencyError: gmsh is not installed (``pip install geoop[cad]``).
    """
    triangles, patch_of, names = _closed(surface)
    if size is not None and not 0 < size < np.inf:
        raise ConfigurationError(f"size is {size}", where="mesh_solid", remedy="give an edge length in metres, or leave it out")
    low, high = surface.points.min(axis=0), surface.points.max(axis=0)
    scale, middle = float((high - low).max()), 0.5 * (low + high)
    local = np.round((surface.points - middle) / scale, 10)  # noise of a rotation changes nothing
    remedy = "look for facets that cross or nearly touch: `geoop inspect FILE`; or change the size"
    with gmsh_session(ConvergenceError, where=surface.name, remedy=remedy) as gmsh:
        gmsh.option.setNumber("Mesh.Algorithm3D", 1)  # Delaunay; the only one that keeps a given boundary edge by edge
        gmsh.option.setNumber("Mesh.Optimize", 1)
        gmsh.option.setNumber("Geometry.Tolerance", 1e-12)
        if size is None:
            entities, corner = _as_it_is(gmsh, local, triangles, patch_of)
        else:
            gmsh.option.setNumber("Mesh.MeshSizeExtendFromBoundary", 0)
            for key in ("Min", "Max"):
                gmsh.option.setNumber(f"Mesh.MeshSize{key}", size / scale)
            entities, corner = _faceted(gmsh, local, triangles, patch_of, size / scale)
        gmsh.model.mesh.generate(3)
        nodes, coordinates, _ = gmsh.model.mesh.getNodes()
        skin = {k: [_elements(gmsh, 2, tag) for tag in tags] for k, tags in entities.items()}
        inside = _elements(gmsh, 3, -1)
        first = np.array([int(tag) if size is None else int(gmsh.model.mesh.getNodes(0, tag)[0][0]) for tag in corner])
    if not len(inside):
        raise ConvergenceError("gmsh made no tetrahedra: is this more than one solid?", where=surface.name, remedy=remedy)
    rest = np.setdiff1d(np.unique(np.concatenate([inside.reshape(-1), *(part.reshape(-1) for parts in skin.values() for part in parts)])), first)
    new, row = (np.full(int(nodes.max()) + 1, -1, dtype=np.int64) for _ in range(2))
    new[first], new[rest] = np.arange(len(first)), len(first) + np.arange(len(rest))
    row[np.asarray(nodes, dtype=np.int64)] = np.arange(len(nodes))
    used = np.unique(triangles)
    points = np.concatenate([surface.points[used], middle + scale * np.asarray(coordinates).reshape(-1, 3)[row[rest]]])
    patches = {names[k]: Cells.of(triangle=new[np.concatenate(parts)]) for k, parts in skin.items()}
    return _assembled(points, new[inside], patches, f"{surface.name}-solid")


def _closed(surface: Mesh) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Triangles turned outward, (m,) patch number of each, names of the patches.

    Raises:
        InvalidMeshError: another mesh, or open.
    """
    remedy = "close and repair it first: `geoop inspect FILE --repair OUT`"
    if surface.dimension != 3 or surface.cells.names != ["triangle"]:
        raise InvalidMeshError(
            f"a solid is filled from a surface of triangles, not from {', '.join(surface.cells.names) or 'points'} in {surface.dimension}-D",
            where=surface.name,
            remedy="triangulate it first: geoop.mesh.triangulation.triangulated(surface)",
        )
    triangles = surface.cells.block("triangle")
    edges = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    _, count = np.unique(edges, axis=0, return_counts=True)
    if (count != 2).any():
        raise InvalidMeshError(
            f"{int((count == 1).sum())} edges of the surface are open, {int((count > 2).sum())} have more than two triangles",
            where=surface.name,
            remedy=remedy,
        )
    patch_of = np.full(len(triangles), -1)
    key = {tuple(row): k for k, row in enumerate(np.sort(triangles, axis=1).tolist())}
    names = list(surface.patches)
    for k, part in enumerate(surface.patches.values()):
        if part.names not in ([], ["triangle"]):
            raise InvalidMeshError(f"patch '{names[k]}' holds other cells than triangles", where=surface.name, remedy=remedy)
        rows = np.sort(part.block("triangle"), axis=1).tolist()
        patch_of[[key[tuple(row)] for row in rows if tuple(row) in key]] = k
    if (patch_of < 0).any():
        patch_of[patch_of < 0] = len(names)
        names.append("wall" if "wall" not in names else "unnamed")
    return triangles, patch_of, names


def _as_it_is(gmsh: Any, points: np.ndarray, triangles: np.ndarray, patch_of: np.ndarray) -> tuple[dict[int, list[int]], np.ndarray]:
    """The triangles as discrete entities, one per patch and connected part: (patch -> entities, node of every used point).

    Parts of one entity would have no inside between them: gmsh would fill a cavity.
    """
    used, local = np.unique(triangles, return_inverse=True)
    node = np.arange(1, len(used) + 1)
    local = local.reshape(triangles.shape)
    pairs = coo_array((np.ones(2 * len(local)), (local[:, [0, 1]].ravel(), local[:, [1, 2]].ravel())), shape=(len(used), len(used)))
    part = csgraph.connected_components(pairs, directed=False)[1][local[:, 0]]
    local = node[local]
    entities: dict[int, list[int]] = {}
    for k, loop in np.unique(np.stack([patch_of, part], axis=1), axis=0).tolist():
        tag = gmsh.model.addDiscreteEntity(2)
        if not entities:
            gmsh.model.mesh.addNodes(2, tag, node, points[used].reshape(-1))
        gmsh.model.mesh.addElementsByType(tag, 2, [], local[(patch_of == k) & (part == loop)].reshape(-1))
        entities.setdefault(k, []).append(tag)
    loop = gmsh.model.geo.addSurfaceLoop([tag for tags in entities.values() for tag in tags])
    gmsh.model.geo.addVolume([loop])
    gmsh.model.geo.synchronize()
    return entities, node


def _faceted(gmsh: Any, points: np.ndarray, triangles: np.ndarray, patch_of: np.ndarray, size: float) -> tuple[dict[int, list[int]], np.ndarray]:
    """The triangles as plane faces with straight edges in equal steps: (patch -> entities, geometrical point of every used point)."""
    build = gmsh.model.geo
    used, local = np.unique(triangles, return_inverse=True)
    local = local.reshape(triangles.shape)
    tags = [build.addPoint(*xyz, size) for xyz in points[used].tolist()]
    lines: dict[tuple[int, int], int] = {}
    for a, b in np.unique(np.sort(local[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1), axis=0).tolist():
        lines[a, b] = build.addLine(tags[a], tags[b])
        steps = max(1, round(float(np.linalg.norm(points[used[a]] - points[used[b]])) / size))
        build.mesh.setTransfiniteCurve(lines[a, b], steps + 1)
    entities: dict[int, list[int]] = {}
    for (a, b, c), k in zip(local, patch_of.tolist(), strict=True):
        pairs = ((a, b), (b, c), (c, a))
        loop = build.addCurveLoop([lines[a, b] if a < b else -lines[b, a] for a, b in pairs])
        entities.setdefault(k, []).append(build.addPlaneSurface([loop]))
    build.addVolume([build.addSurfaceLoop([tag for group in entities.values() for tag in group])])
    build.synchronize()
    return entities, np.array(tags)


def _elements(gmsh: Any, dimension: int, tag: int) -> np.ndarray:
    """(m, dimension + 1) node tags of the simplices of an entity."""
    _, _, corners = gmsh.model.mesh.getElements(dimension, tag)
    width = dimension + 1
    return np.concatenate(corners).astype(np.int64).reshape(-1, width) if corners else np.zeros((0, width), dtype=np.int64)


def _assembled(points: np.ndarray, tetrahedra: np.ndarray, patches: dict[str, Cells], name: str) -> Mesh:
    """Tetrahedra of positive volume, patches with normals out of the solid."""
    edges = points[tetrahedra[:, 1:]] - points[tetrahedra[:, :1]]
    turned = np.linalg.det(edges) < 0
    tetrahedra = np.where(turned[:, None], tetrahedra[:, [0, 2, 1, 3]], tetrahedra)
    mesh = Mesh(points, Cells.of(tetra=tetrahedra), patches, name=name)
    flat = signed_measures(mesh) <= _FLATTEST * np.abs(edges).max(axis=(1, 2)) ** 3
    if flat.any():
        raise ConvergenceError(f"{int(flat.sum())} of {len(flat)} tetrahedra are flat", where=name, remedy="change the size, or smooth the surface")
    return Mesh(points, mesh.cells, {key: _outward(tetrahedra, part) for key, part in patches.items()}, name=name)


def _outward(tetrahedra: np.ndarray, part: Cells) -> Cells:
    """The triangles of a patch turned as the faces of their tetrahedra are."""
    faces = tetrahedra[:, [[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]]].reshape(-1, 3)
    count = int(tetrahedra.max()) + 1
    there, rows = (_key(block, count) for block in (faces, part.block("triangle")))
    order = np.argsort(there, kind="stable")
    return Cells.of(triangle=faces[order[np.searchsorted(there, rows, sorter=order)]])


def _key(rows: np.ndarray, count: int) -> np.ndarray:
    a, b, c = np.sort(rows, axis=1).T
    return (a * count + b) * count + c
