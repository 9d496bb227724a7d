"""How good cells are: the usual measures of shape per cell type, and of the angles at which cells meet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from .cells import CELL_TYPES
from .measure import cell_centers, cell_measures
from .mesh import Mesh
from .topology import N_CORNERS, Sides, sides, welded

#: Measures whose large values are the bad ones; of all others the small ones are.
LARGE_IS_BAD = frozenset({"max angle [deg]", "aspect ratio", "skewness", "warpage", "non-orthogonality [deg]", "face skewness"})
_NO_MEASURE = 1e-14  # of the cell's own size to the power of its dimension: thin boundary-layer cells are not degenerate
_PERCENTILES = (1.0, 50.0, 99.0)
_CHUNK = 50_000  # faces or cells measured at once: what fits in the cache

Corners = np.ndarray
Measures = dict[str, np.ndarray]


@dataclass(frozen=True)
class QualitySummary:
    """One measure over all cells of one type (or over all interior faces).

    Attributes:
        cells: cell type name, or ``interior faces``.
        measure: name, with its unit where it has one.
        count: number of values.
        minimum, p1, median, p99, maximum: of the finite values; None where there are none.
        undefined: values that are not finite, such as the aspect ratio of a cell without area.
    """

    cells: str
    measure: str
    count: int
    minimum: float | None
    p1: float | None
    median: float | None
    p99: float | None
    maximum: float | None
    undefined: int

    @property
    def worst(self) -> float | None:
        """The end of the range that is bad."""
        return self.maximum if self.measure in LARGE_IS_BAD else self.minimum


def cell_quality(mesh: Mesh) -> dict[str, Measures]:
    """Cell type -> measure -> (k,) values, in the order of :meth:`Cells.where`.

    All are unchanged by moving, turning and scaling. Of quadratic cells the corners count. Scaled Jacobian, mean ratio (1 ideal, <= 0
    inside out), aspect ratio (1 ideal) and skewness (0 ideal) are those of the Verdict library (Stimpson et al. 2007, Knupp 2000):

    - triangle, quad, polygon: smallest and largest corner angle; triangle, quad: aspect ratio (longest edge times perimeter over
      4 sqrt(3) or 4 areas), scaled Jacobian; quad, polygon in 3-D: warpage, the distance of the corners from their mean plane over the
      root of the area (0 flat).
    - tetra: mean ratio 12 (3 V)^(2/3) / sum of squared edges (Liu and Joe 1994), smallest dihedral angle, scaled Jacobian.
    - hexahedron: scaled Jacobian, aspect ratio (longest over shortest principal axis), skewness (largest cosine between principal axes).
    - wedge, pyramid: scaled Jacobian (1 with equilateral triangles; cut off at -1 and 1), aspect ratio (longest over shortest edge).

    Types without a measure (lines, polyhedra) are left out.
    """
    out: dict[str, Measures] = {}
    for name in mesh.cells.names:
        linear = _LINEAR.get(name, name)
        if linear in _MEASURES:
            block = mesh.cells.block(name)[:, : CELL_TYPES[linear][2]]
            step = len(block) if linear == "wedge" else _CHUNK  # the numbering of wedges is judged over all of them
            with np.errstate(divide="ignore", invalid="ignore"):
                parts = [_MEASURES[linear](mesh.points[block[k : k + step]]) for k in range(0, len(block), step)]
            out[name] = {measure: np.concatenate([part[measure] for part in parts]) for measure in parts[0]}
        elif name == "polygon":
            out[name] = _polygons(mesh)
    return out


def face_quality(mesh: Mesh, listed: Sides | None = None) -> Measures:
    """Measures of the interior faces of a volume mesh (edges of a plane mesh), as OpenFOAM's checkMesh defines them (Jasak 1996).

    Non-orthogonality: angle between the line of the two cell centres and the normal of the face [deg]. Face skewness: distance from
    the face centre to where that line meets the face, over its distance from the face's corners in that direction. Empty for
    surfaces, outlines and clouds, and for a mesh of one cell.

    Args:
        mesh: any mesh.
        listed: its sides over welded points (:func:`geoop.mesh.topology.sides`), where they are known.
    """
    if mesh.cell_dimension != mesh.dimension:
        return {}
    listed = sides(mesh, welded(mesh.points)) if listed is None else listed
    one, two = listed.pairs()
    if not len(one):
        return {}
    centers, ring = cell_centers(mesh), listed.corners[one]
    sizes = (ring >= 0).sum(axis=1)
    out = {name: np.empty(len(one)) for name in ("non-orthogonality [deg]", "face skewness")}
    for size in np.unique(sizes):
        rows = np.flatnonzero(sizes == size)
        for part in (rows[k : k + _CHUNK] for k in range(0, len(rows), _CHUNK)):
            owner, neighbour = (centers[listed.owner[side[part]]] for side in (one, two))
            found = _face_measures(mesh.points[ring[part, :size]], owner, neighbour)
            for name, values in zip(out, found, strict=True):
                out[name][part] = values
    return out


def _face_measures(corners: np.ndarray, owner: np.ndarray, neighbour: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    area, middle = _area_and_middle(corners)
    between, inside = neighbour - owner, middle - owner
    with np.errstate(divide="ignore", invalid="ignore"):
        through = (area * between).sum(axis=1)
        distance = np.linalg.norm(between, axis=1)
        cosine = through / (np.linalg.norm(area, axis=1) * distance)
        offset = inside - ((inside * area).sum(axis=1) / through)[:, None] * between
        size = np.linalg.norm(offset, axis=1)
        direction = offset / np.where(size > 0, size, 1.0)[:, None]
        reach = np.abs(np.einsum("mkd,md->mk", corners - middle[:, None], direction)).max(axis=1)
        skewness = size / np.maximum(reach, 0.2 * distance)
    return np.degrees(np.arccos(np.clip(np.abs(cosine), -1, 1))), skewness


def quality_summaries(mesh: Mesh, listed: Sides | None = None) -> tuple[QualitySummary, ...]:
    """Smallest value, percentiles and largest value of every measure, cell type by cell type; arguments as :func:`face_quality`."""
    groups: dict[str, Mapping[str, np.ndarray]] = {**cell_quality(mesh), "interior faces": face_quality(mesh, listed)}
    return tuple(_summary(cells, name, values) for cells, measures in groups.items() for name, values in measures.items() if len(values))


def degenerate_cells(mesh: Mesh, measures: np.ndarray | None = None) -> np.ndarray:
    """(m,) whether a cell of highest dimension has no length, area or volume beside a cube of its own size.

    Args:
        mesh: any mesh.
        measures: (m,) of :func:`geoop.mesh.measure.cell_measures`, where they are known.
    """
    if mesh.is_cloud:
        return np.zeros(len(mesh.cells), dtype=bool)
    measures = cell_measures(mesh) if measures is None else measures
    corners = mesh.points[mesh.cells.connectivity]
    first = mesh.cells.offsets[:-1]
    size = np.linalg.norm(np.maximum.reduceat(corners, first) - np.minimum.reduceat(corners, first), axis=1)
    return (measures <= _NO_MEASURE * size**mesh.cell_dimension) & (mesh.cells.dimensions == mesh.cell_dimension)


def _summary(cells: str, name: str, values: np.ndarray) -> QualitySummary:
    finite = values[np.isfinite(values)]
    if not len(finite):
        return QualitySummary(cells, name, len(values), None, None, None, None, None, len(values))
    low, middle, high = (float(value) for value in np.percentile(finite, _PERCENTILES))
    return QualitySummary(cells, name, len(values), float(finite.min()), low, middle, high, float(finite.max()), len(values) - len(finite))


def _edges(x: Corners, pairs: tuple[tuple[int, int], ...]) -> np.ndarray:
    """(m, e) lengths."""
    start, end = np.array(pairs).T
    return np.linalg.norm(x[:, end] - x[:, start], axis=2)


def _corner_angles(x: Corners) -> np.ndarray:
    """(m, k) angles of flat-ish faces [deg]; reflex corners are above 180."""
    before, after = np.roll(x, 1, axis=1) - x, np.roll(x, -1, axis=1) - x
    if x.shape[2] == 2:
        before, after = (np.concatenate([part, np.zeros_like(part[..., :1])], axis=2) for part in (before, after))
    turn = np.cross(after, before)
    normal = turn.sum(axis=1, keepdims=True)
    sine = np.linalg.norm(turn, axis=2) * np.where((turn * normal).sum(axis=2) < 0, -1.0, 1.0)
    return np.degrees(np.arctan2(sine, (before * after).sum(axis=2))) % 360.0


def _angles(x: Corners) -> Measures:
    angles = _corner_angles(x)
    return {"min angle [deg]": angles.min(axis=1), "max angle [deg]": angles.max(axis=1)}


def _area_vector(x: Corners) -> np.ndarray:
    """(m, 3) area vectors of rings of corners; (0, 0, a) in the plane."""
    if x.shape[2] == 2:
        x = np.concatenate([x, np.zeros_like(x[..., :1])], axis=2)
    r = x - x[:, :1]
    return 0.5 * np.cross(r, np.roll(r, -1, axis=1)).sum(axis=1)


def _triangles(x: Corners) -> Measures:
    length = _edges(x, ((0, 1), (1, 2), (2, 0)))
    vector = _area_vector(x)
    area = np.linalg.norm(vector, axis=1)
    signed = vector[:, 2] if x.shape[2] == 2 else area
    product = np.stack([length[:, k] * length[:, k - 1] for k in range(3)], axis=1).max(axis=1)
    return _angles(x) | {
        "aspect ratio": length.max(axis=1) * length.sum(axis=1) / (4 * np.sqrt(3) * area),
        "scaled Jacobian": 4 / np.sqrt(3) * signed / product,
    }


def _quads(x: Corners) -> Measures:
    length = _edges(x, ((0, 1), (1, 2), (2, 3), (3, 0)))
    vector = _area_vector(x)
    area = np.linalg.norm(vector, axis=1)
    unit = np.array([[0.0, 0.0, 1.0]]) if x.shape[2] == 2 else vector / area[:, None]
    corner = np.stack([2 * _area_vector(x[:, [k, (k + 1) % 4, k - 1]]) for k in range(4)], axis=1)
    scaled = (corner * unit[:, None]).sum(axis=2) / (length * np.roll(length, 1, axis=1))
    out = _angles(x) | {"aspect ratio": length.max(axis=1) * length.sum(axis=1) / (4 * area), "scaled Jacobian": scaled.min(axis=1)}
    return out | ({"warpage": _warpage(x)} if x.shape[2] == 3 else {})


def _warpage(x: Corners) -> np.ndarray:
    vector = _area_vector(x)
    area = np.linalg.norm(vector, axis=1)
    height = np.abs(((x - x.mean(axis=1, keepdims=True)) * (vector / area[:, None])[:, None]).sum(axis=2)).max(axis=1)
    return height / np.sqrt(area)


def _polygons(mesh: Mesh) -> Measures:
    index = mesh.cells.where("polygon")
    sizes = np.diff(mesh.cells.offsets)[index]
    out = {name: np.full(len(index), np.nan) for name in ("min angle [deg]", "max angle [deg]", *(("warpage",) if mesh.dimension == 3 else ()))}
    for size in np.unique(sizes):
        rows = np.flatnonzero(sizes == size)
        x = mesh.points[mesh.cells.connectivity[mesh.cells.offsets[:-1][index[rows]][:, None] + np.arange(size)]]
        with np.errstate(divide="ignore", invalid="ignore"):
            found = _angles(x) | ({"warpage": _warpage(x)} if mesh.dimension == 3 else {})
        for name, values in found.items():
            out[name][rows] = values
    return out


def _determinants(x: Corners, frames: tuple[tuple[int, int, int, int], ...]) -> np.ndarray:
    """(m, f) determinants of the three edges that leave a corner, over the product of their lengths."""
    rows = np.array(frames)
    edge = x[:, rows[:, 1:]] - x[:, rows[:, :1]]
    return _triple(edge) / np.prod(np.linalg.norm(edge, axis=3), axis=2)


def _triple(edge: np.ndarray) -> np.ndarray:
    return (np.cross(edge[..., 0, :], edge[..., 1, :]) * edge[..., 2, :]).sum(axis=-1)


def _tetras(x: Corners) -> Measures:
    length = _edges(x, ((0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3)))
    volume = _triple(x[:, 1:] - x[:, :1]) / 6
    at = ((0, 2, 3), (0, 1, 4), (1, 2, 5), (3, 4, 5))
    product = np.stack([length[:, list(three)].prod(axis=1) for three in at], axis=1).max(axis=1)
    normal = np.stack([np.cross(x[:, b] - x[:, a], x[:, c] - x[:, a]) for a, b, c in ((0, 2, 1), (0, 1, 3), (1, 2, 3), (0, 3, 2))], axis=1)
    unit = normal / np.linalg.norm(normal, axis=2)[..., None]
    cosine = np.stack([(unit[:, i] * unit[:, j]).sum(axis=1) for i in range(4) for j in range(i)], axis=1)
    return {
        "mean ratio": np.sign(volume) * 12 * np.cbrt(3 * np.abs(volume)) ** 2 / (length**2).sum(axis=1),
        "min dihedral [deg]": np.degrees(np.arccos(np.clip(-cosine, -1, 1))).min(axis=1),
        "scaled Jacobian": np.sqrt(2) * 6 * volume / product,
    }


_HEX_FRAMES = ((0, 1, 3, 4), (1, 2, 0, 5), (2, 3, 1, 6), (3, 0, 2, 7), (4, 7, 5, 0), (5, 4, 6, 1), (6, 5, 7, 2), (7, 6, 4, 3))


def _hexahedra(x: Corners) -> Measures:
    axes = np.stack([(x[:, list(high)] - x[:, list(low)]).sum(axis=1) for high, low in _HEX_AXES], axis=1)
    length = np.linalg.norm(axes, axis=2)
    unit = axes / length[..., None]
    jacobians = np.concatenate([_determinants(x, _HEX_FRAMES), _triple(unit)[:, None]], axis=1)
    cosine = np.abs(np.stack([(unit[:, i] * unit[:, j]).sum(axis=1) for i, j in ((0, 1), (0, 2), (1, 2))], axis=1))
    return {"scaled Jacobian": jacobians.min(axis=1), "aspect ratio": length.max(axis=1) / length.min(axis=1), "skewness": cosine.max(axis=1)}


_HEX_AXES = (((1, 2, 5, 6), (0, 3, 4, 7)), ((2, 3, 6, 7), (0, 1, 4, 5)), ((4, 5, 6, 7), (0, 1, 2, 3)))
_WEDGE_FRAMES = ((0, 1, 2, 3), (1, 2, 0, 4), (2, 0, 1, 5), (3, 5, 4, 0), (4, 3, 5, 1), (5, 4, 3, 2))
_WEDGE_EDGES = ((0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3), (0, 3), (1, 4), (2, 5))
_PYRAMID_FRAMES = ((0, 1, 3, 4), (1, 2, 0, 4), (2, 3, 1, 4), (3, 0, 2, 4))
_PYRAMID_EDGES = ((0, 1), (1, 2), (2, 3), (3, 0), (0, 4), (1, 4), (2, 4), (3, 4))


def _wedges(x: Corners) -> Measures:
    scaled = 2 / np.sqrt(3) * _determinants(x, _WEDGE_FRAMES)
    # formats disagree about which way round a wedge is numbered: what most wedges do is taken as right
    known = scaled[np.isfinite(scaled)]
    turn = -1.0 if len(known) and np.median(known) < 0 else 1.0
    length = _edges(x, _WEDGE_EDGES)
    return {"scaled Jacobian": np.clip((turn * scaled).min(axis=1), -1.0, 1.0), "aspect ratio": length.max(axis=1) / length.min(axis=1)}


def _pyramids(x: Corners) -> Measures:
    length = _edges(x, _PYRAMID_EDGES)
    scaled = np.sqrt(2) * _determinants(x, _PYRAMID_FRAMES)
    return {"scaled Jacobian": np.clip(scaled.min(axis=1), -1.0, 1.0), "aspect ratio": length.max(axis=1) / length.min(axis=1)}


_MEASURES: dict[str, Callable[[Corners], Measures]] = {
    "triangle": _triangles,
    "quad": _quads,
    "tetra": _tetras,
    "hexahedron": _hexahedra,
    "wedge": _wedges,
    "pyramid": _pyramids,
}
#: Quadratic type -> the type that its corners form.
_LINEAR = {name: other for name in N_CORNERS for other in _MEASURES if name.startswith(other)}


def _area_and_middle(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Area vectors and centroids of faces with (m, k, d) corners; of edges in the plane normals and middles."""
    mean = x.mean(axis=1)
    if x.shape[2] == 2:
        tangent = x[:, 1] - x[:, 0]
        return np.stack([tangent[:, 1], -tangent[:, 0]], axis=1), mean
    a = x - mean[:, None]
    b = np.roll(a, -1, axis=1)
    pieces = 0.5 * np.cross(a, b)
    area = pieces.sum(axis=1)
    if x.shape[1] == 3:
        return area, mean
    share = np.einsum("mkd,md->mk", pieces, area)
    total = share.sum(axis=1, keepdims=True)
    share = np.where(total > 0, share / np.where(total > 0, total, 1.0), 1 / share.shape[1])
    return area, mean + np.einsum("mkd,mk->md", a + b, share) / 3
