"""The finite-element function of one mesh at the points of another: barycentric in triangles and tetrahedra."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ...errors import ConfigurationError, FieldError
from ...fem.domain import Domain
from ...fem.evaluation import evaluate, locate
from ...fem.space import Space
from ...mesh.cells import Cells
from ...mesh.distance import signed_distance
from ...mesh.mesh import Mesh
from ...mesh.topology import sides

#: What becomes of target points outside of the source mesh: the value at the nearest point of its boundary, or an error.
Outside = Literal["nearest", "error"]
_POINT, _FACET = {2: "line", 3: "triangle"}, {2: 2, 3: 3}


def interpolated(mesh: Mesh, values: np.ndarray, points: np.ndarray, *, outside: Outside = "nearest", toward: np.ndarray | None = None) -> np.ndarray:
    """(m, k) at points (m, d) [m] of the continuous function with values (n, k) at the points of a mesh.

    P1 on triangles and tetrahedra, Q1 on quads and hexahedra, quadratic on quadratic cells; other cells as
    :mod:`geoop.fem.simplices` cuts them. Linear functions are exact. Points that belong to no cell (in sizes of the nearest one,
    beyond 1e-6) get the value at the nearest point of the boundary, so that curved walls meshed differently lose nothing but what
    lies between their polygons; linear functions are not exact there. On a slit, whose two sides share no points, the function has two
    values: ``toward`` (m, d), a place beside each point, tells which side it is on.

    Raises:
        FieldError: points outside where ``outside`` is ``error``; values that are not one per point.
        ConfigurationError: another word for ``outside``.
        InvalidMeshError: cells that have no element.
    """
    if outside not in ("nearest", "error"):
        raise ConfigurationError(f"outside is {outside!r}", where="transfer", remedy="choose 'nearest' or 'error'")
    if len(values) != len(mesh.points):
        raise FieldError(f"{len(values)} values for {len(mesh.points)} points", where=mesh.name, remedy="give one value per point of the mesh")
    domain = Domain.of(mesh)
    space = Space.of(domain, 2 if len(domain.nodes) > len(domain.vertices) else 1)
    places = locate(domain, points, toward=toward)
    answer = evaluate(space, np.asarray(values, dtype=np.float64)[domain.nodes], places)
    lost = np.flatnonzero(places.cells < 0)
    if len(lost) and outside == "error":
        _refuse(mesh, points, lost)
    if len(lost):
        corners, share, _ = _at_boundary(mesh, points[lost])
        answer[lost] = np.einsum("mc,mck->mk", share, np.asarray(values, dtype=np.float64)[corners])
    return answer


def nearest_corners(mesh: Mesh, points: np.ndarray, *, outside: Outside = "nearest", toward: np.ndarray | None = None) -> np.ndarray:
    """(m,) the point of the mesh that is nearest to each of (m, d) [m], among those of the cell that holds it; see :func:`interpolated`.

    Raises:
        FieldError: points outside where ``outside`` is ``error``.
    """
    domain = Domain.of(mesh)
    cells = locate(domain, points, toward=toward).cells
    lost, held = np.flatnonzero(cells < 0), np.flatnonzero(cells >= 0)
    if len(lost) and outside == "error":
        _refuse(mesh, points, lost)
    answer = np.empty(len(points), dtype=np.int64)
    nodes = domain.nodes[domain.grid.dofs.element_dofs.T[cells[held]]]
    gap = np.linalg.norm(mesh.points[nodes] - points[held, None], axis=2)
    answer[held] = nodes[np.arange(len(held)), gap.argmin(axis=1)]
    if len(lost):
        corners = _at_boundary(mesh, points[lost])[0]
        gap = np.linalg.norm(mesh.points[corners] - points[lost, None], axis=2)
        answer[lost] = corners[np.arange(len(lost)), gap.argmin(axis=1)]
    return answer


def owners(mesh: Mesh, points: np.ndarray, outside: Outside) -> tuple[np.ndarray, np.ndarray]:
    """(m,) the cell that holds each of (m, d) points [m], and (m, d) the points, those beyond the cells at the nearest place of the boundary.

    Raises:
        FieldError: points outside where ``outside`` is ``error``.
    """
    domain = Domain.of(mesh)
    cells = locate(domain, points).cells
    lost = np.flatnonzero(cells < 0)
    if len(lost) and outside == "error":
        _refuse(mesh, points, lost)
    found, inside = domain.cell_of[cells], points
    if len(lost):
        corners, share, owner = _at_boundary(mesh, points[lost])
        inside = np.array(points, dtype=np.float64)
        inside[lost], found[lost] = np.einsum("mc,mcd->md", share, mesh.points[corners]), owner
    return found, inside


def brought_in(mesh: Mesh, points: np.ndarray, outside: Outside) -> np.ndarray:
    """(m, d) the points, those beyond the cells of a mesh at the nearest places of its boundary; a cloud has no beyond.

    Raises:
        FieldError: points outside where ``outside`` is ``error``.
    """
    return points if mesh.is_cloud else owners(mesh, points, outside)[1]


def refuse_outside(mesh: Mesh, points: np.ndarray) -> None:
    """Raise where points (m, d) [m] lie outside of the cells of a mesh.

    Raises:
        FieldError: they do.
    """
    lost = np.flatnonzero(locate(Domain.of(mesh), points).cells < 0)
    if len(lost):
        _refuse(mesh, points, lost)


def _refuse(mesh: Mesh, points: np.ndarray, lost: np.ndarray) -> None:
    at = ", ".join(f"{x:.4g}" for x in points[lost[0]])
    raise FieldError(
        f"{len(lost)} of {len(points)} points lie outside of the cells, first ({at})",
        where=mesh.name,
        remedy="choose outside='nearest', or give a mesh of the same region",
    )


def _at_boundary(mesh: Mesh, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The nearest places of the boundary: points (m, c) of the mesh and their shares (m, c), and the cell (m,) behind them."""
    facets, owner = boundary(mesh)
    found = signed_distance(facets, points, signed=False)
    share = np.stack([1 - found.parameter, found.parameter], axis=1) if mesh.dimension == 2 else np.asarray(found.parameter)
    return np.asarray(found.corners), share, owner[np.asarray(found.facet)]


def boundary(mesh: Mesh) -> tuple[Mesh, np.ndarray]:
    """The sides that belong to one cell only, on all points of the mesh: lines in 2-D, triangles (quads halved) in 3-D; and the cell of each."""
    listed = sides(mesh, np.arange(len(mesh.points)))
    outer = listed.counts[listed.group] == 1
    rows, owner = listed.corners[outer], listed.owner[outer]
    if mesh.dimension == 3:
        sizes = (rows >= 0).sum(axis=1)
        fans = [(rows[sizes > k + 1][:, [0, k, k + 1]], owner[sizes > k + 1]) for k in range(1, rows.shape[1] - 1)]
        rows, owner = (np.concatenate(parts) for parts in zip(*fans, strict=True))
    return Mesh(mesh.points, Cells.of({_POINT[mesh.dimension]: rows[:, : _FACET[mesh.dimension]]}), name=f"{mesh.name}:boundary"), owner
