"""Conservative transfer: integrals over the overlaps of the cells of two meshes, exact, so that the integral of a field is kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu
from scipy.spatial import KDTree

from ...errors import InvalidMeshError
from ...fem.simplices import CUT, simplices
from ...mesh.measure import cell_centers
from ...mesh.mesh import Mesh
from .cell_functions import CellFunctions
from .interpolation import Outside, interpolated, refuse_outside
from .overlaps import overlaps

#: A point whose own cells are covered by the source to a smaller share counts as outside.
_COVERED = 0.05


@dataclass(frozen=True, eq=False)
class Supermesh:
    """The overlaps of two meshes, as the integrals that a transfer needs.

    Cells other than triangles and tetrahedra are cut as :mod:`geoop.fem.simplices` does, and point fields are P1 on the pieces.

    Attributes:
        source, target: the meshes.
        mixed: (nt, ns) int phi_t phi_s over the overlap, of points.
        own: (nt, nt) int phi_t phi_t over the overlap, of points; the mass matrix of the target where the source covers it.
        whole: (nt,) int phi_t over the target.
        shared: (mt, ms) measure of the overlap of cells [m^d].
        reach: d matrices (mt, ms) of int (x - c_s) over the overlap, with the centroids c_s of the cells of the source [m^(d+1)].
        middles: (ms, d) those centroids [m].
        measures: (ms,) and (mt,) of the cells.
    """

    source: Mesh
    target: Mesh
    mixed: sp.csr_array
    own: sp.csr_array
    whole: np.ndarray
    shared: sp.csr_array
    reach: tuple[sp.csr_array, ...]
    middles: np.ndarray
    measures: tuple[np.ndarray, np.ndarray]

    @classmethod
    def of(cls, source: Mesh, target: Mesh) -> Supermesh:
        """Cut two meshes by each other.

        Raises:
            InvalidMeshError: meshes of different dimensions, or with cells that cannot be cut into simplices.
        """
        _require(source, target)
        (rows_s, cell_s), (rows_t, cell_t) = (simplices(mesh.cells, mesh.dimension) for mesh in (source, target))
        x, y = target.points[rows_t], source.points[rows_s]
        d = source.dimension
        size_t, size_s = (np.abs(np.linalg.det(z[:, 1:] - z[:, :1])) / (2.0 if d == 2 else 6.0) for z in (x, y))
        measure_s = np.bincount(cell_s, weights=size_s, minlength=len(source.cells))
        measure_t = np.bincount(cell_t, weights=size_t, minlength=len(target.cells))
        middle = np.stack([np.bincount(cell_s, weights=size_s * y[:, :, k].mean(axis=1), minlength=len(source.cells)) for k in range(d)], axis=1)
        middle /= np.where(measure_s > 0, measure_s, 1.0)[:, None]
        mixed, own = _Sum(len(target.points), len(source.points)), _Sum(len(target.points), len(target.points))
        shared, reach = _Sum(len(target.cells), len(source.cells)), [_Sum(len(target.cells), len(source.cells)) for _ in range(d)]
        for piece in overlaps(x, y):
            t, s = rows_t[piece.first], rows_s[piece.second]
            mixed.add(t, s, _products(piece.in_first, piece.in_second, piece.measure))
            own.add(t, t, _products(piece.in_first, piece.in_first, piece.measure))
            at, of = cell_t[piece.first][:, None], cell_s[piece.second][:, None]
            shared.add(at, of, piece.measure[:, None, None])
            away = np.einsum("ma,mad->md", piece.in_second.mean(axis=1), y[piece.second] - middle[of[:, 0], None])
            for k in range(d):
                reach[k].add(at, of, (piece.measure * away[:, k])[:, None, None])
        whole = np.bincount(rows_t.ravel(), weights=np.repeat(size_t / (d + 1), d + 1), minlength=len(target.points))
        parts = (mixed.total, own.total, whole, shared.total, tuple(item.total for item in reach))
        return cls(source, target, *parts, middle, (measure_s, measure_t))

    @property
    def missing(self) -> float:
        """Share of the larger region that the other does not cover; rounding for meshes of one region. What lies there is not carried."""
        both = float(self.shared.sum())
        return 1.0 - both / max(float(part.sum()) for part in self.measures)

    @cached_property
    def _covered(self) -> np.ndarray:
        return self.own.sum(axis=1) > _COVERED * self.whole

    @cached_property
    def _factors(self):
        free = np.flatnonzero(self._covered)
        return splu(sp.csc_matrix(self.own[free][:, free]), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})

    def points(self, values: np.ndarray, *, outside: Outside = "nearest") -> np.ndarray:
        """(nt, k) point values on the target whose integrals against every shape function are those of (ns, k) values on the source.

        The L2 projection with the consistent mass matrix, int phi_t (u_t - u_s) = 0 over the overlap: constants and linear functions
        are exact, and so is the integral where both meshes cover one region. It may overshoot where the field jumps. Cells that the
        source covers in part count with that part; points whose cells it covers to less than a twentieth, and those without cells, are
        interpolated as :func:`geoop.solve.transfer.interpolation.interpolated` does.

        Raises:
            FieldError: points outside of the source where ``outside`` is ``error``.
        """
        values = np.asarray(values, dtype=np.float64)
        if outside == "error":
            refuse_outside(self.source, self.target.points)
        lost, free = np.flatnonzero(~self._covered), np.flatnonzero(self._covered)
        out = np.zeros((len(self.whole), values.shape[1]))
        if len(lost):
            out[lost] = interpolated(self.source, values, self.target.points[lost])
        right = (self.mixed @ values - self.own @ out)[free]
        found = self._factors.solve(right)
        out[free] = found + self._factors.solve(right - self.own[free][:, free] @ found)
        return out

    def cells(self, values: np.ndarray, *, outside: Outside = "nearest") -> np.ndarray:
        """(mt, k) cell means on the target of (ms, k) cell means on the source, each taken as a linear function of its cell.

        The slopes are those of :class:`~geoop.solve.transfer.cell_functions.CellFunctions` and do not change the mean: constants, linear
        functions and the integral are kept. Cells that the source covers in part get the mean over that part, those that it does not
        touch the value of the nearest cell, and those of lower dimension zero.

        Raises:
            FieldError: cells with their centre outside of the source where ``outside`` is ``error``.
        """
        values = np.asarray(values, dtype=np.float64)
        top = np.flatnonzero(self.measures[0] > 0)
        slopes = CellFunctions.of(self.source, top, self.middles[top]).slopes(values[top])
        total = self.shared @ values
        for k, moment in enumerate(self.reach):
            total += moment[:, top] @ slopes[:, k]
        covered = np.asarray(self.shared.sum(axis=1)).ravel()
        there = self.measures[1] > 0
        if outside == "error":
            refuse_outside(self.source, cell_centers(self.target)[there])
        lost = np.flatnonzero(there & (covered <= 1e-12 * self.measures[1]))
        out = total / np.where(covered > 0, covered, 1.0)[:, None]
        if len(lost):
            out[lost] = values[top[KDTree(self.middles[top]).query(cell_centers(self.target)[lost])[1]]]
        return out


class _Sum:
    """A sparse matrix as the sum of small dense blocks."""

    def __init__(self, rows: int, columns: int) -> None:
        self.shape, self.total = (rows, columns), sp.csr_array((rows, columns))

    def add(self, rows: np.ndarray, columns: np.ndarray, values: np.ndarray) -> None:
        """Add blocks (m, a, b) at rows (m, a) and columns (m, b)."""
        at = np.broadcast_to(rows[:, :, None], values.shape), np.broadcast_to(columns[:, None, :], values.shape)
        self.total = self.total + sp.csr_array((values.ravel(), (at[0].ravel(), at[1].ravel())), shape=self.shape)


def _products(one: np.ndarray, two: np.ndarray, measure: np.ndarray) -> np.ndarray:
    """(m, a, b) integrals of products of linear functions with corner values (m, c, a) and (m, c, b) over simplices."""
    corners = one.shape[1]
    factor = measure / (corners * (corners + 1))
    return factor[:, None, None] * (one.sum(axis=1)[:, :, None] * two.sum(axis=1)[:, None, :] + np.matmul(one.transpose(0, 2, 1), two))


def _require(source: Mesh, target: Mesh) -> None:
    problems = []
    if source.dimension != target.dimension:
        problems.append(f"the source is {source.dimension}-D, the target {target.dimension}-D")
    for mesh, what in ((source, "source"), (target, "target")):
        top = mesh.cells.take(mesh.cells.dimensions == mesh.dimension).names
        if not top or not set(top) <= set(CUT[mesh.dimension]):
            problems.append(f"the {what} '{mesh.name}' has cells {mesh.cells.names}")
    if problems:
        raise InvalidMeshError(
            "; ".join(problems),
            where="conservative transfer",
            remedy="it needs linear cells that fill the space; method='moving-least-squares' needs none",
        )
