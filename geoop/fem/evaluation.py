"""Functions of a space at any place: which cell holds a point, where in it, and what the function is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import FieldError
from ..mesh.box_tree import BoxTree
from .domain import Domain
from .space import Space

_STEPS = 12  # of Newton's method for the inverse of a curved map; straight simplices need one
_INSIDE = 1e-9  # reference coordinate that counts as not outside
_SMALL = 1e-6  # share of the way by which a point is moved to see on which side it lies


@dataclass(frozen=True, eq=False)
class Places:
    """Where points lie in the cells of a domain.

    Attributes:
        cells: (m,) cell of the grid, -1 outside.
        reference: (m, d) coordinates in the reference cell.
    """

    cells: np.ndarray
    reference: np.ndarray


def locate(domain: Domain, points: np.ndarray, *, tolerance: float = 1e-6, toward: np.ndarray | None = None) -> Places:
    """The cell that holds each point.

    Args:
        domain: of any cells, straight or curved.
        points: (m, d) [m].
        tolerance: how far outside every cell, in sizes of the nearest one, a point may lie and still belong to it. Cells follow a
            curved wall only up to the order of the geometry: 0.05 takes in points of the wall itself.
        toward: (m, d) a place beside each point [m]. Of several cells that hold a point the one on that side is taken: on the two
            sides of a slit a function has two values.

    Returns:
        the places; cell -1 for points farther outside.

    Raises:
        FieldError: points of another shape.
    """
    points = np.asarray(points, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != domain.dimension:
        raise FieldError(
            f"points of shape {points.shape} in {domain.dimension}-D", where=domain.mesh.name, remedy=f"give (m, {domain.dimension}) points in metres"
        )
    cells, reference = _walked(domain, points)
    rest = np.flatnonzero(cells < 0)
    if len(rest):
        cells[rest], reference[rest] = _in_boxes(domain, points[rest], tolerance)
    if toward is not None:
        _turn(domain, points, np.asarray(toward, dtype=np.float64), cells, reference, tolerance)
    return Places(cells, reference)


def _turn(domain: Domain, points: np.ndarray, toward: np.ndarray, cells: np.ndarray, reference: np.ndarray, tolerance: float) -> None:
    """Give points on sides of cells to the cell in which a small step towards a place ends, where it holds the point as well."""
    kind = domain.grid.elem.refdom.__name__
    near = np.flatnonzero((cells >= 0) & (_depth(reference, kind) < tolerance))
    there = locate(domain, points[near] + _SMALL * (toward[near] - points[near]), tolerance=tolerance).cells
    near, there = near[there >= 0], there[there >= 0]
    xi = _inverse(domain.grid.elem(), _nodes(domain)[there], points[near])
    holds = _depth(xi, kind) >= -tolerance
    cells[near[holds]], reference[near[holds]] = there[holds], xi[holds]


def _walked(domain: Domain, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cells (m,) and places in them (m, d) of the points that a walk over the straight cells finds, cell -1 for others."""
    grid = domain.grid
    cells, reference = np.full(len(points), -1, dtype=np.int64), np.zeros((len(points), domain.dimension))
    finite = np.flatnonzero(np.isfinite(points).all(axis=1))
    search, parts = domain.search
    if search is None or not len(finite):
        return cells, reference
    found, weight, there = search.walk(points[finite])
    index, found = finite[there], found[there] // parts
    if parts == 1 and len(grid.dofs.element_dofs) == domain.dimension + 1:
        cells[index], reference[index] = found, weight[there, 1:]
        return cells, reference
    # bent cells and bilinear ones have places of their own: a point near their sides may belong to a neighbour
    xi = _inverse(grid.elem(), _nodes(domain)[found], points[index])
    own = _outside(xi, grid.elem.refdom.__name__) <= _INSIDE
    cells[index[own]], reference[index[own]] = found[own], xi[own]
    return cells, reference


def _nodes(domain: Domain) -> np.ndarray:
    """(nc, k, d) places of the nodes of the geometry, cell by cell [m]."""
    return domain.grid.doflocs.T[domain.grid.dofs.element_dofs.T]


def _in_boxes(domain: Domain, points: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """Cells (m,) and places in them (m, d) by trying all cells whose boxes hold a point; cell -1 for points outside."""
    grid, nodes = domain.grid, _nodes(domain)
    low, high = nodes.min(axis=1), nodes.max(axis=1)
    size = (high - low).max(axis=1)
    if nodes.shape[1] > grid.t.shape[0]:  # a parabola through its nodes may leave their box by an eighth of it
        low, high = low - 0.125 * size[:, None], high + 0.125 * size[:, None]
    margin = tolerance * size[:, None]
    tree = BoxTree.of(low - margin, high + margin)
    cells, reference = np.full(len(points), -1, dtype=np.int64), np.zeros((len(points), domain.dimension))
    least = np.full(len(points), tolerance)
    for index, candidate in tree.near(points, np.zeros(len(points))):
        xi = _inverse(grid.elem(), nodes[candidate], points[index])
        outside = _outside(xi, grid.elem.refdom.__name__)
        order = np.lexsort((candidate, outside))[::-1]  # the last of equal indices that is written is the best, then the lowest cell
        better = order[(outside <= least[index])[order]]
        best = np.full(len(points), -1, dtype=np.int64)
        best[index[better]] = better
        hit = np.flatnonzero(best >= 0)
        chosen = best[hit]
        fresh = (cells[hit] < 0) | (outside[chosen] < least[hit])
        hit, chosen = hit[fresh], chosen[fresh]
        cells[hit], reference[hit], least[hit] = candidate[chosen], xi[chosen], outside[chosen]
    return cells, reference


def evaluate(space: Space, values: np.ndarray, points: np.ndarray | Places, *, tolerance: float = 1e-6) -> np.ndarray:
    """(m,) or (m, k) values at points of the function(s) with values (n,) or (n, k) at the unknowns; NaN outside the cells.

    Args:
        space: the space.
        values: at its unknowns.
        points: (m, d) [m], or where they are, from :func:`locate`.
        tolerance: as in :func:`locate`.

    Raises:
        FieldError: values or points of another shape.
    """
    _require_values(space, values)
    places = points if isinstance(points, Places) else locate(space.domain, points, tolerance=tolerance)
    inside = np.flatnonzero(places.cells >= 0)
    shape, _ = _shapes(space.basis.elem, places.reference[inside])
    at = values[space.basis.element_dofs[:, places.cells[inside]]]
    answer = np.full((len(places.cells), *values.shape[1:]), np.nan)
    answer[inside] = np.einsum("km,km...->m...", shape, at)
    return answer


def evaluate_gradient(space: Space, values: np.ndarray, points: np.ndarray | Places, *, tolerance: float = 1e-6) -> np.ndarray:
    """(m, d) gradients at points [1/m] of the function with values (n,) at the unknowns; NaN outside the cells.

    Raises:
        FieldError: values or points of another shape.
    """
    _require_values(space, values)
    places = points if isinstance(points, Places) else locate(space.domain, points, tolerance=tolerance)
    inside = np.flatnonzero(places.cells >= 0)
    grid, cells = space.domain.grid, places.cells[inside]
    nodes = grid.doflocs.T[grid.dofs.element_dofs.T[cells]]
    _, bend = _shapes(grid.elem(), places.reference[inside])
    jacobian = np.einsum("mkd,kjm->mdj", nodes, bend)
    _, slopes = _shapes(space.basis.elem, places.reference[inside])
    local = np.einsum("km,kjm->mj", values[space.basis.element_dofs[:, cells]], slopes)
    answer = np.full((len(places.cells), space.domain.dimension), np.nan)
    answer[inside] = np.linalg.solve(np.swapaxes(jacobian, 1, 2), local[:, :, None])[:, :, 0]
    return answer


def _require_values(space: Space, values: np.ndarray) -> None:
    if len(values) != space.n:
        raise FieldError(f"{len(values)} values for {space.n} unknowns", where=space.mesh.name, remedy="give values at space.points")


def _shapes(element: Any, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(k, m) shape functions and (k, d, m) derivatives at (m, d) reference points."""
    x = reference.T
    found = [element.lbasis(x, k) for k in range(len(element.doflocs))]
    shape = np.stack([np.broadcast_to(np.asarray(value, dtype=np.float64), x.shape[1:]) for value, _ in found])
    slopes = np.stack([np.stack([np.broadcast_to(np.asarray(part, dtype=np.float64), x.shape[1:]) for part in slope]) for _, slope in found])
    return shape, slopes


def _inverse(element: Any, nodes: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(m, d) reference coordinates of points (m, d) in cells with nodes (m, k, d), by Newton's method from the middle of the cell.

    Infinite where it does not get to the point: beyond the places where a map folds there may be no coordinates.
    """
    middle = element.doflocs[: element.refdom.nnodes].mean(axis=0)
    xi = np.tile(middle, (len(points), 1))
    for _ in range(_STEPS):
        shape, slopes = _shapes(element, xi)
        gap = np.einsum("km,mkd->md", shape, nodes) - points
        jacobian = np.einsum("mkd,kjm->mdj", nodes, slopes)
        flat = np.abs(np.linalg.det(jacobian)) < 1e-300
        jacobian[flat] = np.eye(points.shape[1])
        step = np.linalg.solve(jacobian, gap[:, :, None])[:, :, 0]
        xi = np.clip(xi - step, -1.0, 2.0)  # far outside the map may fold; such points belong to another cell
        if np.abs(step).max(initial=0.0) < 1e-13:
            break
    gap = np.abs(np.einsum("km,mkd->md", _shapes(element, xi)[0], nodes) - points).max(axis=1)
    missed = gap > 1e-7 * np.ptp(nodes, axis=1).max(axis=1) + 1e-15 * np.abs(nodes).max(axis=(1, 2))
    return np.where(missed[:, None], np.inf, xi)


def _outside(xi: np.ndarray, kind: str) -> np.ndarray:
    """(m,) how far reference points lie outside the reference cell, 0 inside."""
    return np.maximum(0.0, -_depth(xi, kind))


def _depth(xi: np.ndarray, kind: str) -> np.ndarray:
    """(m,) how far reference points lie inside the reference cell, negative outside."""
    beyond = xi.sum(axis=1) if kind in ("RefTri", "RefTet") else xi.max(axis=1)
    return np.minimum(xi.min(axis=1), 1.0 - beyond)
