"""The points that operators on clouds work on: around a body, or thinned out of a mesh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import ConfigurationError, FieldError
from ..graph.thinning import boxes
from ..mesh.case import Case
from ..mesh.distance import signed_distance
from ..mesh.generate.ogrid import ogrid
from ..mesh.measure import cell_measures, point_weights
from ..mesh.mesh import Mesh
from ..mesh.sampling import sample_surface

#: Height of the first layer of a cloud around a body, in body lengths.
FIRST_HEIGHT = 4e-3
#: Distance from a wall, in body lengths, below which boxes of a cloud around any bodies become no smaller.
NEAR = 0.03


@dataclass(frozen=True, eq=False)
class Cloud:
    """Points of a domain.

    Attributes:
        points: (n, d), in the unit of what they were made from.
        weight: (n,) quadrature weights.
        on_wall: (n,) whether they lie on the boundary.
        number: (n,) point numbers in the mesh they were taken from; None where they were generated.
        member: (m,) int64 for every point of that mesh the point of the cloud that stands for it; None where they were generated.
        share: (m,) of the measure that a point of the cloud carries, the part of every point that it stands for: these sum to 1 for each.
    """

    points: np.ndarray
    weight: np.ndarray
    on_wall: np.ndarray
    number: np.ndarray | None = None
    member: np.ndarray | None = None
    share: np.ndarray | None = None

    def means(self, values: np.ndarray) -> np.ndarray:
        """(n, c) averages of (m, c) values at the points of the mesh over those that each point of the cloud stands for.

        Sums of the cloud with its weights are then those of the mesh with its own. Values of the kept points alone alias: of a source of many waves
        the sums would keep hardly anything (Shannon 1949), however well the cloud stands for the measure.

        Raises:
            ConfigurationError: the points were generated.
        """
        if self.member is None or self.share is None:
            raise ConfigurationError("generated points stand for none of a mesh", where="means", remedy="thin the mesh")
        return np.stack(
            [np.bincount(self.member, self.share * column, len(self.points)) for column in np.asarray(values, dtype=np.float64).T], axis=1
        )

    def variances(self, values: np.ndarray) -> tuple[float, float]:
        """Of (m, c) values at the points of the mesh, integrated over it: what :meth:`means` leave out, and the whole; 0 for constants.

        Raises:
            ConfigurationError: the points were generated.
        """
        means = self.means(values)
        within = float((self.weight[self.member] * self.share) @ ((values - means[self.member]) ** 2).sum(axis=1))
        middle = self.weight @ means / max(self.weight.sum(), 1e-300)
        whole = within + float(self.weight @ ((means - middle) ** 2).sum(axis=1))
        rounding = 1e-24 * float(self.weight.sum() * (middle**2).sum())
        return (within, whole) if whole > rounding else (0.0, 0.0)


def around(outline: Mesh, count: int, reach: float) -> Cloud:
    """About ``count`` points between a section in its own frame and a circle of radius ``reach``, graded to the wall.

    They depend on the shape alone and not on the mesh that a file happened to have: a prediction on a coarse and on a fine mesh of one
    section is the same. Field lines of the section's Green's function carry them, see :func:`geoop.mesh.generate.ogrid.ogrid`.
    """
    n_normal = max(4, round(np.sqrt(count / 9.0)))
    n_wall = max(16, round(count / n_normal))
    grid = ogrid(outline, n_wall=n_wall, n_normal=n_normal, outer_radius=max(reach, 1.3), first_height=FIRST_HEIGHT)
    return Cloud(grid.points, point_weights(grid), np.arange(len(grid.points)) < n_wall)


def outside(surface: Mesh, count: int, reach: float) -> Cloud:
    """About ``count`` points between any closed surfaces (in their frame) and a sphere of radius ``reach``, graded to the wall.

    A third lies on the walls, one in each of equal shares of their measure. The rest are middles of boxes: the cube around the sphere is cut
    into halves of its sides, always the boxes that are largest beside their distance from a wall, until there are enough. They depend on the
    shape alone, work in the plane and in space, and their volumes are quadrature weights.
    """
    n_wall, d = max(count // 3, 8), surface.dimension
    wall = sample_surface(surface, n_wall)
    half = max(reach, 1.3)
    corners = np.stack(np.meshgrid(*[[-0.5, 0.5]] * d, indexing="ij"), axis=-1).reshape(-1, d)
    middles, size = corners * half, np.full(2**d, half)
    distance = signed_distance(surface, middles).distance
    while True:
        kept = (distance > -0.5 * np.sqrt(d) * size) & (np.linalg.norm(middles, axis=1) < half + 0.5 * np.sqrt(d) * size)
        middles, size, distance = middles[kept], size[kept], distance[kept]
        within = (distance > 0.0) & (np.linalg.norm(middles, axis=1) <= half)
        missing = count - n_wall - int(within.sum())
        if missing <= 0:
            break
        ratio = size / (np.abs(distance) + NEAR)
        cut = np.zeros(len(ratio), dtype=bool)
        cut[np.argsort(-ratio, kind="stable")[: max(1, missing // (2**d - 1))]] = True
        cut &= ratio >= 0.5 * ratio.max()
        parts = (middles[cut][:, None] + 0.5 * corners * size[cut][:, None, None]).reshape(-1, d)
        middles = np.concatenate([middles[~cut], parts])
        size = np.concatenate([size[~cut], np.repeat(size[cut] / 2, 2**d)])
        distance = np.concatenate([distance[~cut], signed_distance(surface, parts).distance])
    volume = size[within] ** d
    thin_layer = np.full(n_wall, float(cell_measures(surface).sum()) / n_wall * 0.25 * float(size.min()))
    points = np.concatenate([wall.points, middles[within]])
    return Cloud(points, np.concatenate([thin_layer, volume]), np.arange(len(points)) < n_wall)


def quadrature_weights(case: Case) -> np.ndarray:
    """(n,) weights of the mesh's points [m^d]: of its cells, or of the field ``quadrature_weight`` where points have none; 1 without either.

    Raises:
        FieldError: that field has negative values, or some that are not finite.
    """
    mesh, given = case.mesh, case.fields.get("quadrature_weight")
    if mesh.cell_dimension == mesh.dimension or not (mesh.is_cloud or len(mesh.cells.where("vertex"))):  # a stray vertex cell has no measure
        return point_weights(mesh)
    if given is None:
        return np.ones(len(mesh.points))
    weight = np.asarray(given.values, dtype=np.float64)
    if not (np.isfinite(weight) & (weight >= 0.0)).all():
        raise FieldError(
            f"{int((~(np.isfinite(weight) & (weight >= 0.0))).sum())} of {len(weight)} values of 'quadrature_weight' are negative or not numbers",
            where=case.name,
            remedy="give every point the measure that it stands for, or leave the field out",
        )
    return weight


def thinned(case: Case, on_wall: np.ndarray, count: int) -> Cloud:
    """At most ``count`` points of a mesh, boundary and interior each in proportion to what a uniform mesh would have.

    Args:
        case: the mesh [m].
        on_wall: (n,) its boundary points.
        count: points to keep.
    """
    mesh, weight = case.mesh, quadrature_weights(case)
    if len(mesh.points) <= count:
        every = np.arange(len(mesh.points))
        return Cloud(mesh.points, weight, on_wall, every, every, np.ones(len(every)))
    wall, field = np.flatnonzero(on_wall), np.flatnonzero(~on_wall)
    # thinning by a factor f keeps f^(1/d) of a boundary's points in proportion
    d = mesh.cell_dimension or mesh.dimension
    share = (count / len(mesh.points)) ** ((d - 1) / d) if len(field) else count / len(mesh.points)
    n_wall = min(len(wall), max(round(share * len(wall)), min(len(wall), 8)), max(count // 2, 1) if len(field) else count)
    # on digits that do not depend on the unit or the place, so that rounding breaks no ties of regular meshes
    places = np.round((mesh.points - mesh.points.min(axis=0)) / np.ptp(mesh.points, axis=0).max(), 7)
    parts = [(part, boxes(places[part], weight[part], n)) for part, n in ((wall, n_wall), (field, count - n_wall)) if len(part)]
    number = np.concatenate([part[found.kept] for part, found in parts])
    carried = np.concatenate([found.weight for _, found in parts])
    order = np.argsort(number)
    number = number[order]
    stands_for, share = np.empty(len(weight), dtype=np.int64), np.empty(len(weight))
    for part, found in parts:
        stands_for[part], share[part] = part[found.kept[found.member]], found.shares(weight[part])
    return Cloud(mesh.points[number], carried[order], on_wall[number], number, np.searchsorted(number, stands_for), share)
