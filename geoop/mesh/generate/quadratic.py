"""Quadratic cells from linear ones: mid-side points, those of named patches on an exact curve or surface."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ...errors import InvalidMeshError, PatchError
from ..cells import CELL_TYPES, Cells
from ..mesh import Mesh

#: (k, d) points near a curve or surface -> (k, d) points on it.
Projection = Callable[[np.ndarray], np.ndarray]

#: linear type -> quadratic type, edges in the order of VTK's mid-side points.
_RAISED: dict[str, tuple[str, tuple[tuple[int, int], ...]]] = {
    "vertex": ("vertex", ()),
    "line": ("line3", ((0, 1),)),
    "triangle": ("triangle6", ((0, 1), (1, 2), (2, 0))),
    "quad": ("quad9", ((0, 1), (1, 2), (2, 3), (3, 0))),
    "tetra": ("tetra10", ((0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3))),
}
_SAMPLES = 8  # curved cells: the Jacobian is looked at on a lattice of that many steps per edge


def quadratic(mesh: Mesh, onto: Mapping[str, Projection] | None = None) -> Mesh:
    """The mesh with a point on every edge: line3, triangle6, quad9 and tetra10 in place of line, triangle, quad and tetra.

    Points, order of the cells, zones and patches are kept; new points follow the old ones, one per edge in the order of the
    numbers of its ends, then one per quad. A quad's middle is that of the Coons surface of its four curved sides.

    Args:
        mesh: any mesh of those linear cells, in 2-D or 3-D; a surface or an outline too.
        onto: patch -> function that moves (k, d) points [m] onto the exact curve or surface. It is given the mid-side points of
            the patch's edges; an edge of several such patches goes through their functions in the order given. Corners stay.

    Returns:
        mesh of quadratic cells; a region of the plane has line3 patches, a solid triangle6 patches.

    Raises:
        InvalidMeshError: cells without a quadratic kin, points that are not finite or have another shape after their function,
            or cells turned inside out by it: refine there, or put the corners on the curve first.
        PatchError: ``onto`` names a patch that the mesh does not have.
    """
    onto = {} if onto is None else onto
    _require(mesh, onto)
    pairs = _edges([mesh.cells, *mesh.patches.values()])
    n = len(mesh.points)
    key = pairs[:, 0] * n + pairs[:, 1]
    straight = mesh.points[pairs].mean(axis=1)
    middle = straight.copy()
    for name, function in onto.items():
        own = np.searchsorted(key, _keys(_edges([mesh.patches[name]]), n))
        middle[own] = _projected(function, middle[own], mesh.name, name)
    quads = mesh.cells.block("quad")
    points = np.concatenate([mesh.points, middle, _quad_middles(mesh.points, middle, quads, key)])
    cells = _raised(mesh.cells, key, n, n + len(pairs))
    patches = {name: _raised(part, key, n, _quads_of(part, quads, n + len(pairs), mesh.name, name)) for name, part in mesh.patches.items()}
    out = Mesh(points, cells, patches, mesh.zones, mesh.name, mesh.notes)
    bent = np.concatenate([np.zeros(n, dtype=bool), (middle != straight).any(axis=1), np.zeros(len(quads), dtype=bool)])
    _require_upright(out, bent)
    return out


def _require(mesh: Mesh, onto: Mapping[str, Projection]) -> None:
    names = {name for part in (mesh.cells, *mesh.patches.values()) for name in part.names}
    unknown = sorted(names - set(_RAISED))
    if unknown:
        raise InvalidMeshError(
            f"{', '.join(unknown)} cells cannot be raised to quadratic ones",
            where=mesh.name,
            remedy=f"use a mesh of {', '.join(name for name in _RAISED if name != 'vertex')} cells",
        )
    missing = [name for name in onto if name not in mesh.patches]
    if missing:
        raise PatchError(
            f"no patch {', '.join(map(repr, missing))} to put on a curve", where=mesh.name, remedy=f"choose from {sorted(mesh.patches) or 'none'}"
        )


def _edges(parts: list[Cells]) -> np.ndarray:
    """(e, 2) the different edges of all cells, lower point number first, sorted."""
    rows = [np.zeros((0, 2), dtype=np.int64)]
    for part in parts:
        for name in part.names:
            edges = np.array(_RAISED[name][1], dtype=np.int64).reshape(-1, 2)
            rows.append(part.block(name)[:, edges].reshape(-1, 2))
    both = np.sort(np.concatenate(rows), axis=1)
    return np.unique(both, axis=0)


def _keys(pairs: np.ndarray, n: int) -> np.ndarray:
    return pairs.min(axis=-1) * n + pairs.max(axis=-1)


def _projected(function: Projection, points: np.ndarray, where: str, patch: str) -> np.ndarray:
    found = np.asarray(function(points.copy()), dtype=np.float64)
    if found.shape != points.shape or not np.isfinite(found).all():
        raise InvalidMeshError(
            f"the curve of patch '{patch}' returned {'points that are not finite' if found.shape == points.shape else f'shape {found.shape}'} "
            f"for {points.shape} points",
            where=where,
            remedy="give a function that returns one finite point per point",
        )
    return found


def _quad_middles(points: np.ndarray, middle: np.ndarray, quads: np.ndarray, key: np.ndarray) -> np.ndarray:
    sides = np.searchsorted(key, _keys(quads[:, np.array(_RAISED["quad"][1])], len(points)))
    return middle[sides].sum(axis=1) / 2 - points[quads].sum(axis=1) / 4


def _quads_of(part: Cells, quads: np.ndarray, first: int, where: str, patch: str) -> np.ndarray | int:
    """First middle, or (k,) the middle of each quad of a patch, which are cells of the mesh (a surface has such patches)."""
    block = part.block("quad")
    if not len(block):
        return first
    there, sought = (np.sort(rows, axis=1) for rows in (quads, block))
    _, number = np.unique(np.concatenate([there, sought]), axis=0, return_inverse=True)
    place = np.full(number.max() + 1, -1)
    place[number[: len(there)]] = np.arange(len(there))
    found = place[number[len(there) :]]
    if (found < 0).any():
        raise InvalidMeshError(
            f"{int((found < 0).sum())} quads of patch '{patch}' are no cells of the mesh", where=where, remedy="leave the patch out or name cells"
        )
    return first + found


def _raised(cells: Cells, key: np.ndarray, n: int, middles: np.ndarray | int) -> Cells:
    """The quadratic cells in the order of the linear ones; ``middles``: first point of the quads' middles, or each of them."""
    blocks, index = [], []
    for name in cells.names:
        block = cells.block(name)
        kin, edges = _RAISED[name]
        columns = [block]
        if edges:
            columns.append(n + np.searchsorted(key, _keys(block[:, np.array(edges)], n)))
        if name == "quad":
            columns.append((middles + np.arange(len(block)) if isinstance(middles, int) else middles)[:, None])
        blocks.append(Cells.of(**{kin: np.concatenate(columns, axis=1)}))
        index.append(cells.where(name))
    if not blocks:
        return cells
    return Cells.concatenate(blocks).take(np.argsort(np.concatenate(index)))


def _require_upright(mesh: Mesh, bent: np.ndarray) -> None:
    """Raise unless the Jacobian is positive (has one sign on each cell of a mesh that is turned over) wherever it is looked at."""
    bad: list[np.ndarray] = []
    for name in mesh.cells.names:
        if CELL_TYPES[name][1] != mesh.dimension:
            continue
        block = mesh.cells.block(name)
        curved = bent[block].any(axis=1)
        for rows, steps in ((block[curved], _SAMPLES), (block[~curved], 1)):
            if len(rows):
                gradient = _gradients(name, steps)
                jacobian = np.einsum("qkr,mkd->mqdr", gradient, mesh.points[rows] - mesh.points[rows[:, :1]], optimize=True)
                lowest = np.linalg.det(jacobian).min(axis=1)
                bad.append(rows[lowest <= 0])
    wrong = [rows for rows in bad if len(rows)]
    if wrong:
        at = ", ".join(f"{x:.4g}" for x in mesh.points[wrong[0][0]].mean(axis=0))
        raise InvalidMeshError(
            f"{sum(map(len, wrong))} quadratic cells are turned inside out, first near ({at})",
            where=mesh.name,
            remedy="refine the mesh near the curve, put the corners of the patch on it, or turn cells of negative area round",
        )


def _gradients(name: str, steps: int) -> np.ndarray:
    """(q, k, r) derivatives of the shape functions on a lattice of the reference cell, unit simplex or [-1, 1]^2."""
    dimension = CELL_TYPES[name][1]
    axis = np.arange(steps + 1) / steps
    lattice = np.stack(np.meshgrid(*[axis] * dimension, indexing="ij"), axis=-1).reshape(-1, dimension)
    if name == "quad9":
        return _quad9_gradients(2 * lattice - 1)
    x = lattice[lattice.sum(axis=1) <= 1 + 1e-12]
    l = np.concatenate([1 - x.sum(axis=1, keepdims=True), x], axis=1)
    dl = np.concatenate([-np.ones((1, dimension)), np.eye(dimension)])
    corner = (4 * l - 1)[:, :, None] * dl
    edges = next(pairs for kin, pairs in _RAISED.values() if kin == name)
    side = [4 * (l[:, a, None] * dl[b] + l[:, b, None] * dl[a]) for a, b in edges]
    return np.concatenate([corner, np.stack(side, axis=1)], axis=1)


def _quad9_gradients(x: np.ndarray) -> np.ndarray:
    def along(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:  # nodes -1, 1, 0
        return np.stack([t * (t - 1) / 2, t * (t + 1) / 2, 1 - t**2]), np.stack([t - 0.5, t + 0.5, -2 * t])

    (r, dr), (s, ds) = along(x[:, 0]), along(x[:, 1])
    nodes = ((0, 0), (1, 0), (1, 1), (0, 1), (2, 0), (1, 2), (2, 1), (0, 2), (2, 2))
    return np.stack([np.stack([dr[a] * s[b], r[a] * ds[b]], axis=1) for a, b in nodes], axis=1)
