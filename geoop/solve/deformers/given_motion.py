"""What is known of a motion before the inside follows: displaced patches, patches that stay, points that slide along a patch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from ...errors import ConfigurationError, InvalidMeshError, PatchError
from ...mesh.measure import area_vectors
from ...mesh.mesh import Mesh
from ...mesh.topology import N_CORNERS, row_groups, sides

#: Two displacements of one point are the same up to this share of the size of the mesh.
_SAME = 1e-9
#: Normals round a sliding point that differ by a larger sine than the root of this make an edge or a corner, which is kept.
_RIDGE = 0.03

_found: WeakKeyDictionary[Mesh, np.ndarray] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class GivenMotion:
    """The displacement of the boundary.

    Attributes:
        mesh: that moves.
        points: (b,) points of known displacement, ascending: those of named patches, and all of the boundary that stays.
        values: (b, d) their displacement [m].
        sliding: (s,) points that slide, ascending.
        tangents: (s, d, d) projections onto the directions in which each of them may go.
        moving: names of the patches whose displacement was given.
    """

    mesh: Mesh
    points: np.ndarray
    values: np.ndarray
    sliding: np.ndarray
    tangents: np.ndarray
    moving: tuple[str, ...]

    @classmethod
    def of(cls, mesh: Mesh, displacement: Mapping[str, np.ndarray], slide: Sequence[str] = ()) -> GivenMotion:
        """The motion of patches displaced by (k, d) [m] at their points, all else of the boundary at rest or sliding.

        Args:
            mesh: cells with named patches.
            displacement: patch -> (k, d) at ``mesh.patch_points(patch)``, or (d,) for all of it.
            slide: patches whose points stay on the patch and go along it.

        Raises:
            PatchError, InvalidMeshError: unknown patches, displacements of another shape or with NaN, patches that are displaced and
                slide at once, points shared by patches that contradict each other: all of them in one error, a PatchError where
                names are all that is wrong.
        """
        problems, names = list(_problems(mesh, displacement, slide)), _unknown(mesh, displacement, slide)
        if not problems and not names:
            given, values, clashes = _collected(mesh, displacement, slide)
            problems = clashes
        if names or problems:
            error = PatchError if not problems else InvalidMeshError
            remedy = f"patches are {sorted(mesh.patches)}; give (k, {mesh.dimension}) metres at mesh.patch_points(patch) for each one that moves"
            clashing = "; let a patch that shares points with a moving one slide along itself (slide=), or give it a displacement that agrees"
            raise error("; ".join([*names, *problems]), where=mesh.name, remedy=remedy + (clashing if problems else ""))
        sliding, tangents = sliding_directions(mesh, slide, given)
        return cls(mesh, given, values, sliding, tangents, tuple(displacement))

    @property
    def largest(self) -> float:
        """Length of the largest displacement given [m]."""
        return float(np.linalg.norm(self.values, axis=1).max(initial=0.0))


def _unknown(mesh: Mesh, displacement: Mapping[str, np.ndarray], slide: Sequence[str]) -> list[str]:
    unknown = sorted({*displacement, *slide} - set(mesh.patches))
    empty = sorted(name for name in {*displacement, *slide} & set(mesh.patches) if not len(mesh.patches[name]))
    return ([f"no patch {unknown}"] if unknown else []) + ([f"patches {empty} have no facets"] if empty else [])


def _problems(mesh: Mesh, displacement: Mapping[str, np.ndarray], slide: Sequence[str]) -> Iterator[str]:
    if not displacement:
        yield "no patch is displaced"
    both = sorted(set(displacement) & set(slide))
    if both:
        yield f"patches {both} are displaced and slide at once"
    for name, values in displacement.items():
        if name not in mesh.patches:
            continue
        try:
            array = np.asarray(values, dtype=np.float64)
        except (TypeError, ValueError):
            yield f"the displacement of '{name}' is no array of numbers"
            continue
        count = len(mesh.patch_points(name))
        if array.shape not in ((count, mesh.dimension), (mesh.dimension,)):
            yield f"the displacement of '{name}' has shape {array.shape}, the patch has {count} points in {mesh.dimension}-D"
        elif not np.isfinite(array).all():
            bad = int((~np.isfinite(np.atleast_2d(array)).all(axis=1)).sum())
            yield f"the displacement of '{name}' has {bad} points with NaN or infinite values"


def _collected(mesh: Mesh, displacement: Mapping[str, np.ndarray], slide: Sequence[str]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Points of known displacement, their displacement, and the contradictions between patches."""
    n, d = mesh.points.shape
    value, owner = np.zeros((n, d)), np.full(n, -1)
    size = float(np.ptp(mesh.points[np.unique(mesh.cells.connectivity)], axis=0).max())
    parts = [(name, mesh.patch_points(name), np.asarray(values, dtype=np.float64)) for name, values in displacement.items()]
    stay = [name for name in mesh.patches if name not in displacement and name not in slide]
    parts += [(name, mesh.patch_points(name), np.zeros(d)) for name in stay if len(mesh.patches[name])]
    bare = _unnamed(mesh)
    if len(bare):
        parts.append(("the boundary without a patch", bare, np.zeros(d)))
    labels, clashes = [name for name, _, _ in parts], []
    for number, (name, index, values) in enumerate(parts):
        values = np.broadcast_to(values, (len(index), d))
        taken = owner[index] >= 0
        gap = np.linalg.norm(values - value[index], axis=1)
        for other in np.unique(owner[index[taken & (gap > _SAME * size)]]):
            rows = np.flatnonzero(taken & (gap > _SAME * size) & (owner[index] == other))
            at = ", ".join(f"{x:.4g}" for x in mesh.points[index[rows[0]]])
            clashes.append(f"'{labels[other]}' and '{name}' share {len(rows)} points that they move {gap[rows].max():.3g} m apart, first ({at})")
        value[index[~taken]], owner[index[~taken]] = values[~taken], number
    given = np.flatnonzero(owner >= 0)
    return given, value[given], clashes


def _unnamed(mesh: Mesh) -> np.ndarray:
    """(k,) points of sides that belong to one cell and to no patch."""
    covered = np.zeros(len(mesh.points), dtype=bool)
    for name in mesh.patches:
        covered[mesh.patches[name].connectivity] = True
    points = np.unique(_unnamed_sides(mesh))
    points = points[points >= 0]
    return points[~covered[points]]


def _unnamed_sides(mesh: Mesh) -> np.ndarray:
    """(k, w) corners of sides that belong to one cell and are no facet of a patch; -1 fills rows. Looked for once per mesh: frames share it."""
    if mesh not in _found:
        listed = sides(mesh, np.arange(len(mesh.points)))
        rows = listed.corners[listed.counts[listed.group] == 1]
        width, facets = rows.shape[1], [np.zeros((0, rows.shape[1]), dtype=np.int64)]
        for cells in mesh.patches.values():
            size = np.diff(cells.offsets)
            for name in cells.names:
                block = cells.block(name) if name != "polygon" else None
                if block is None:
                    continue
                corners = np.full((len(block), width), -1, dtype=np.int64)
                block = block[:, : min(width, N_CORNERS.get(name, block.shape[1]))]
                corners[:, : block.shape[1]] = block
                facets.append(corners)
            for index in cells.where("polygon") if "polygon" in cells.names else ():
                corners = np.full((1, width), -1, dtype=np.int64)
                corners[0, : size[index]] = cells.connectivity[cells.offsets[index] : cells.offsets[index + 1]][:width]
                facets.append(corners)
        known = np.concatenate(facets)
        group = row_groups(np.sort(np.concatenate([rows, known]), axis=1))
        named = np.zeros(int(group.max(initial=-1)) + 1, dtype=bool)
        named[group[len(rows) :]] = True
        _found[mesh] = rows[~named[group[: len(rows)]]]
    return _found[mesh]


def sliding_directions(mesh: Mesh, slide: Sequence[str], given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sliding points that are not given, and the projections onto the directions that their facets leave open."""
    n, d = mesh.points.shape
    spread, weight = np.zeros((n, d, d)), np.zeros(n)
    for name in slide:
        cells = mesh.patches[name]
        vectors = area_vectors(_facets(mesh, name))
        sizes = np.diff(cells.offsets)
        share = np.repeat(vectors, sizes, axis=0)
        length = np.linalg.norm(share, axis=1).clip(min=1e-300)
        np.add.at(spread, cells.connectivity, share[:, :, None] * share[:, None, :] / length[:, None, None])
        np.add.at(weight, cells.connectivity, length)
    weight[given] = 0.0
    index = np.flatnonzero(weight > 0)
    values, axes = np.linalg.eigh(spread[index] / weight[index, None, None])
    free = np.where(values[:, None, :] < _RIDGE, axes, 0.0)
    return index, np.einsum("sik,sjk->sij", free, free)


def _facets(mesh: Mesh, name: str) -> Mesh:
    """A patch on the points of the whole mesh."""
    return Mesh(mesh.points, mesh.patches[name], name=f"{mesh.name}:{name}")


def _crossing(mesh: Mesh, points: np.ndarray, moving: Sequence[str], slide: Sequence[str]) -> list[str]:
    """Sentences about patches that cross each other, or the boundary without a patch, with the points at (n, d) [m], one of them among those that move.

    A patch that slides and shares points with a moving one is about to follow it: the two do not count.
    """
    from ...mesh.crossings import crossing_segments
    from ...mesh.intersections import intersecting_triangles
    from ...mesh.triangulation import triangulated

    rows, owner = [], []
    for number, name in enumerate(mesh.patches):
        if not len(mesh.patches[name]):
            continue
        if mesh.dimension == 2:
            part = np.concatenate([mesh.patches[name].block(kind)[:, :2] for kind in mesh.patches[name].names])
        else:
            part = triangulated(Mesh(points, mesh.patches[name]))[0]
        rows.append(part)
        owner.append(np.full(len(part), number))
    bare = _unnamed_sides(mesh)
    if len(bare):
        part = bare if mesh.dimension == 2 else np.concatenate([bare[:, [0, k, k + 1]] for k in range(1, bare.shape[1] - 1)])
        rows.append(part[(part >= 0).all(axis=1)])
        owner.append(np.full(len(rows[-1]), len(mesh.patches)))
    if not rows:
        return []
    facets, of = np.concatenate(rows), np.concatenate(owner)
    if mesh.dimension == 2:
        pairs = crossing_segments(points[facets[:, 0]], points[facets[:, 1]])
    else:
        pairs = intersecting_triangles(points, facets)
    names = [*mesh.patches, ""]
    hits = {tuple(sorted((names[of[i]], names[of[j]]))) for i, j in pairs if names[of[i]] in moving or names[of[j]] in moving}
    hits = sorted((a, b) for a, b in hits if not ((a in slide or b in slide) and _touching(mesh, a, b)))
    return [_crossed(a, b) for a, b in hits]


def _touching(mesh: Mesh, a: str, b: str) -> bool:
    return bool(a and b) and len(np.intersect1d(mesh.patch_points(a), mesh.patch_points(b))) > 0


def _crossed(a: str, b: str) -> str:
    if not a:
        return f"patch '{b}' and the boundary without a patch, which stays, are moved through each other"
    return f"patch '{a}' is moved through itself" if a == b else f"patches '{a}' and '{b}' are moved through each other"


def require_free_way(mesh: Mesh, places: Sequence[np.ndarray], moving: Sequence[str], slide: Sequence[str] = ()) -> None:
    """Refuse a motion in which patches cross at one of the given stages of it.

    Args:
        mesh: before the motion.
        places: stages of the motion, each (n, d) [m] of which only the points of patches count.
        moving: names of the patches that move.
        slide: names of the patches along which points slide.

    Raises:
        ConfigurationError: patches that are moved through another, by name; those that crossed before the motion do not count.
    """
    found = sorted({text for stage in places for text in _crossing(mesh, stage, moving, slide)})
    if found:  # patches that cross each other from the start are nobody's motion
        before = set(_crossing(mesh, mesh.points, moving, slide))
        found = [text for text in found if text not in before]
    if found:
        raise ConfigurationError(
            "; ".join(found),
            where=mesh.name,
            remedy="move less, or let the other patch move or slide out of the way; no mesh can follow such a motion",
        )
