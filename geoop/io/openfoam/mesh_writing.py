"""A mesh as the folder polyMesh: faces with the cells on both sides in the order that OpenFOAM's solvers ask for, patches, zones."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from ...errors import ConfigurationError, InvalidMeshError
from ...mesh.cells import CELL_TYPES, Cells
from ...mesh.measure import signed_measures
from ...mesh.mesh import Mesh
from ...mesh.topology import N_CORNERS, faces, row_groups
from ..atomic import replacing
from .lists import Layout, encode
from .poly_mesh import Patch, PolyMesh

#: The patch of the two planes of an extruded mesh, and the one of the faces that no patch names.
FRONT_AND_BACK, REST = "frontAndBack", "defaultFaces"
#: Patch types that can be asked for; the others couple patches in pairs, which a mesh of geoop does not know.
KINDS = ("patch", "wall", "empty", "symmetry", "symmetryPlane", "wedge")
_WORD = re.compile(r"[^\s\"'/;{}()]+")
_STRAIGHT = "curved cells become straight ones by geoop.mesh.straight.straightened(case)"
_UP = {"triangle": "wedge", "quad": "hexahedron"}


def write_poly_mesh(
    mesh: Mesh,
    folder: str | os.PathLike[str],
    *,
    kinds: Mapping[str, str] | None = None,
    thickness: float = 1.0,
    binary: bool = False,
) -> PolyMesh:
    """Write ``points``, ``faces``, ``owner``, ``neighbour``, ``boundary`` and, if there are zones, ``cellZones``.

    Args:
        mesh: see :func:`poly_mesh_of`.
        folder: ``constant/polyMesh`` of a case; made where it is missing, its files are replaced.
        kinds: see :func:`poly_mesh_of`.
        thickness: see :func:`poly_mesh_of`.
        binary: raw bytes instead of text; either keeps every bit of the points.

    Returns:
        what was written.

    Raises:
        InvalidMeshError, ConfigurationError: see :func:`poly_mesh_of`.
        UnwritableFileError: no permission, or the disk is full.
    """
    made = poly_mesh_of(mesh, kinds=kinds, thickness=thickness)
    target, layout = Path(folder).expanduser(), Layout(binary)
    note = f"nPoints:{len(made.points)}  nCells:{made.n_cells}  nFaces:{made.n_faces}  nInternalFaces:{len(made.neighbour)}"
    _write(target / "points", "vectorField", encode(made.points, "vector", layout), layout)
    _write(target / "faces", "faceCompactList" if binary else "faceList", _face_text(made, layout), layout)
    _write(target / "owner", "labelList", encode(made.owner, "label", layout), layout, note)
    _write(target / "neighbour", "labelList", encode(made.neighbour, "label", layout), layout, note)
    _write(target / "boundary", "polyBoundaryMesh", _boundary_text(made.patches), Layout())
    zones = target / "cellZones"
    if made.zones:
        _write(zones, "regIOobject", _zone_text(made.zones), Layout())
    else:
        zones.unlink(missing_ok=True)  # of the mesh that was here before
    return made


def poly_mesh_of(mesh: Mesh, *, kinds: Mapping[str, str] | None = None, thickness: float = 1.0) -> PolyMesh:
    """A mesh by its faces. Points, cells and the facets of patches keep their order and their numbers.

    A face runs as its owner, the cell of lower number, runs round it: orientation comes from the numbering of the cell alone,
    never from centroids, which thin cells put on the wrong side. Inner faces are sorted by owner and then by neighbour.

    Args:
        mesh: tetrahedra, pyramids, wedges, hexahedra and polyhedra in 3-D; or triangles, quadrilaterals and polygons in 2-D, which
            are extruded by one cell along z: the points of the lower plane first, then those of the upper one in the same
            order. Clockwise plane cells are turned.
        kinds: patch -> type, one of :data:`KINDS`; ``patch`` unless given.
        thickness: of the extruded layer [m].

    Returns:
        the mesh; its last patches are :data:`REST` for outer faces that no patch has, and :data:`FRONT_AND_BACK` (type empty).

    Raises:
        InvalidMeshError: not such cells, inverted ones, points that no cell uses, three cells at a face, or patch facets that are
            no outer faces or belong to two patches; all problems in one error.
        ConfigurationError: an unknown patch or type, a patch name that OpenFOAM cannot read, or a thickness that is not positive.
    """
    kinds = dict(kinds or {})
    _check_options(mesh, kinds, thickness)
    solid = mesh if mesh.dimension == 3 and mesh.cell_dimension == 3 else extruded(mesh, thickness)
    _check_cells(solid)
    if mesh.dimension == 2:
        kinds[FRONT_AND_BACK] = "empty"
    listed = faces(solid.cells, np.arange(len(solid.points)))
    first, second = listed.pairs()
    owner, neighbour = listed.owner[first], listed.owner[second]
    swap = owner > neighbour
    rows, owner, neighbour = np.where(swap, second, first), np.minimum(owner, neighbour), np.maximum(owner, neighbour)
    order = np.lexsort((neighbour, owner))
    patches, outer = _outer_rows(solid, listed, kinds, len(order))
    rows = np.concatenate([rows[order], outer])
    corners = listed.corners[rows]
    sizes = (corners >= 0).sum(axis=1)
    zones = {name: index for name, index in solid.zones.items() if len(index)}
    return PolyMesh(
        solid.points, np.concatenate([[0], np.cumsum(sizes)]), corners[corners >= 0], listed.owner[rows], neighbour[order], patches, zones
    )


def extruded(mesh: Mesh, thickness: float = 1.0) -> Mesh:
    """A plane mesh as one layer of wedges, hexahedra and prisms between z = 0 and z = thickness [m]; cells keep their numbers.

    Patches of lines become patches of quadrilaterals, the planes the patch :data:`FRONT_AND_BACK`. Clockwise cells are turned.

    Raises:
        InvalidMeshError: no plane mesh of triangles, quadrilaterals and polygons.
    """
    _check_plane(mesh)
    n = len(mesh.points)
    cells = _turned(mesh)
    above = cells.renumbered(np.arange(n) + n)
    solid = [(_prisms(cells, name, n), cells.where(name)) for name in cells.names]
    place = np.argsort(np.concatenate([index for _, index in solid]), kind="stable")
    patches = {name: _upright(lines, n) for name, lines in mesh.patches.items() if len(lines)}
    patches[FRONT_AND_BACK] = Cells.concatenate([_reversed(cells), above])
    points = np.concatenate([np.pad(mesh.points, ((0, 0), (0, 1)), constant_values=z) for z in (0.0, thickness)])
    return Mesh(points, Cells.concatenate([part for part, _ in solid]).take(place), patches, mesh.zones, mesh.name, mesh.notes)


def _prisms(cells: Cells, name: str, n: int) -> Cells:
    """Volume cells over all plane cells of one type; the points above are numbered n higher."""
    if name in _UP:
        block = cells.block(name)
        return Cells.of({_UP[name]: np.concatenate([block, block + n], axis=1)})
    bottoms = list(cells.take(cells.where(name)))
    rings: list[np.ndarray] = []
    for ring in bottoms:
        after = np.roll(ring, -1)
        rings += [ring[::-1], ring + n, *np.stack([ring, after, after + n, ring + n], axis=1)]
    counts = np.array([len(ring) + 2 for ring in bottoms])
    offsets = np.cumsum([0, *(len(ring) for ring in rings)])
    return Cells.polyhedra(np.concatenate([[0], np.cumsum(counts)]), offsets, np.concatenate(rings))


def _turned(mesh: Mesh) -> Cells:
    """The cells, all counter-clockwise."""
    clockwise = signed_measures(mesh) < 0
    if not clockwise.any():
        return mesh.cells
    rows = _reversed(mesh.cells).connectivity
    return Cells(mesh.cells.types, mesh.cells.offsets, np.where(np.repeat(clockwise, np.diff(mesh.cells.offsets)), rows, mesh.cells.connectivity))


def _reversed(cells: Cells) -> Cells:
    """Plane cells that run the other way round, from the same first point."""
    starts, sizes = np.repeat(cells.offsets[:-1], np.diff(cells.offsets)), np.repeat(np.diff(cells.offsets), np.diff(cells.offsets))
    step = np.arange(len(cells.connectivity)) - starts
    return Cells(cells.types, cells.offsets, cells.connectivity[starts + (-step) % sizes])


def _upright(lines: Cells, n: int) -> Cells:
    ends = lines.block("line")
    return Cells.of(quad=np.stack([ends[:, 0], ends[:, 1], ends[:, 1] + n, ends[:, 0] + n], axis=1))


def _outer_rows(mesh: Mesh, listed, kinds: Mapping[str, str], start: int) -> tuple[tuple[Patch, ...], np.ndarray]:
    """Patches and, in their order, the rows of the sides that are outer faces."""
    width = listed.corners.shape[1]
    names = [name for name, part in mesh.patches.items() if len(part)]
    facets = [_padded(mesh.patches[name], width) for name in names]
    stacked = np.concatenate([np.sort(listed.corners, axis=1), *(np.sort(rows, axis=1) for rows in facets)])
    group = row_groups(stacked)
    row_of = np.full(int(group.max(initial=-1)) + 1, -1)
    alone = listed.counts[listed.group] == 1
    row_of[group[: len(alone)][alone]] = np.flatnonzero(alone)
    wanted = np.split(row_of[group[len(alone) :]], np.cumsum([len(rows) for rows in facets])[:-1])
    _check_facets(mesh, names, wanted)
    rest = np.setdiff1d(np.flatnonzero(alone), np.concatenate([*wanted, np.zeros(0, int)]))
    if len(rest):
        names, wanted = [*names, REST], [*wanted, rest]
    if FRONT_AND_BACK in names:  # comes last: what a user looks at stands first
        wanted.append(wanted.pop(names.index(FRONT_AND_BACK)))
        names.append(names.pop(names.index(FRONT_AND_BACK)))
    patches = []
    for name, rows in zip(names, wanted, strict=True):
        patches.append(Patch(name, kinds.get(name, "patch"), start, len(rows)))
        start += len(rows)
    return tuple(patches), np.concatenate([*wanted, np.zeros(0, int)]).astype(np.int64)


def _padded(cells: Cells, width: int) -> np.ndarray:
    """(m, width) points of facets, -1 where they have fewer; facets with more points than any face are cut and match nothing."""
    sizes = np.diff(cells.offsets)
    rows = np.full((len(cells), max(width, int(sizes.max(initial=0)))), -1, dtype=np.int64)
    rows[np.arange(rows.shape[1]) < sizes[:, None]] = cells.connectivity
    rows[sizes > width] = -1
    return rows[:, :width]


def _check_facets(mesh: Mesh, names: list[str], wanted: list[np.ndarray]) -> None:
    problems = [
        f"{int((rows < 0).sum())} facets of patch '{name}' are no outer faces" for name, rows in zip(names, wanted, strict=True) if (rows < 0).any()
    ]
    taken = np.concatenate([np.zeros(0, int), *wanted])
    again = int((np.bincount(taken[taken >= 0]) > 1).sum()) if len(taken) else 0
    if again:
        problems.append(f"{again} outer faces belong to several patches")
    if problems:
        raise InvalidMeshError(
            "; ".join(problems),
            where=mesh.name,
            remedy="give every patch outer faces of its own; baffles inside are made with OpenFOAM's createBaffles",
        )


def _check_options(mesh: Mesh, kinds: Mapping[str, str], thickness: float) -> None:
    problems = [f"kinds names the patch '{name}', which the mesh does not have" for name in kinds if name not in mesh.patches]
    problems += [f"patch '{name}' is to be of type '{kind}'" for name, kind in kinds.items() if kind not in KINDS]
    problems += [f"the patch name {name!r} is no word of OpenFOAM" for name in mesh.patches if not _WORD.fullmatch(name)]
    problems += [f"the patch name '{name}' is taken by geoop" for name in (FRONT_AND_BACK, REST) if name in mesh.patches and mesh.dimension == 2]
    if not 0 < thickness < np.inf:
        problems.append(f"thickness is {thickness}")
    if problems:
        raise ConfigurationError(
            "; ".join(problems),
            where=mesh.name,
            remedy=f"patches {sorted(mesh.patches)}, types {', '.join(KINDS)}, names without spaces, quotes, brackets and slashes, a positive thickness in m",
        )


def _check_plane(mesh: Mesh) -> None:
    known = {"triangle", "quad", "polygon"}
    if mesh.dimension != 2 or mesh.cell_dimension != 2 or not set(mesh.cells.names) <= known:
        found = f"{', '.join(mesh.cells.names) or 'no'} cells in {mesh.dimension}-D"
        raise InvalidMeshError(
            f"OpenFOAM takes volume cells in 3-D, or triangles, quadrilaterals and polygons in 2-D; found {found}",
            where=mesh.name,
            remedy=f"mesh the volume with volume cells; {_STRAIGHT}",
        )


def _check_cells(mesh: Mesh) -> None:
    problems = list(_cell_problems(mesh))
    if problems:
        raise InvalidMeshError(
            "; ".join(problems),
            where=mesh.name,
            remedy=f"look at it with `geoop inspect FILE`; mesh.submesh(mesh.cells, patches=mesh.patches) drops unused points; {_STRAIGHT}",
        )


def _cell_problems(mesh: Mesh) -> Iterator[str]:
    curved = [name for name in mesh.cells.names if name in N_CORNERS]
    if curved:
        yield f"cells with mid-side nodes ({', '.join(curved)}), which a mesh of plane faces does not have"
    flat = [name for name in mesh.cells.names if CELL_TYPES[name][1] < 3]
    if flat:
        yield f"cells that are no volumes ({', '.join(flat)})"
        return
    bad = int((signed_measures(mesh) <= 0).sum())
    if bad:
        yield f"{bad} of {len(mesh.cells)} cells are inverted or have no volume"
    unused = len(mesh.points) - int((np.bincount(mesh.cells.connectivity, minlength=len(mesh.points)) > 0).sum())
    if unused:
        yield f"{unused} points belong to no cell"
    shared = faces(mesh.cells, np.arange(len(mesh.points))).counts
    if (shared > 2).any():
        yield f"{int((shared > 2).sum())} faces belong to more than two cells"


def _face_text(mesh: PolyMesh, layout: Layout) -> bytes:
    if layout.binary:
        return encode(mesh.offsets, "label", layout) + b"\n" + encode(mesh.connectivity, "label", layout)
    words = list(map(str, mesh.connectivity.tolist()))
    ends = mesh.offsets.tolist()
    rows = [f"{b - a}({' '.join(words[a:b])})" for a, b in zip(ends[:-1], ends[1:], strict=True)]
    return f"{len(rows)}\n(\n{chr(10).join(rows)}\n)".encode()


def _boundary_text(patches: tuple[Patch, ...]) -> bytes:
    blocks = []
    for patch in patches:
        group = f"        inGroups        1({patch.kind});\n" if patch.kind in ("wall", "empty") else ""
        blocks.append(
            f"    {patch.name}\n    {{\n        type            {patch.kind};\n{group}"
            f"        nFaces          {patch.count};\n        startFace       {patch.start};\n    }}\n"
        )
    return f"{len(patches)}\n(\n{''.join(blocks)})".encode()


def _zone_text(zones: Mapping[str, np.ndarray]) -> bytes:
    blocks = [
        f"{name}\n{{\n    type cellZone;\n    cellLabels List<label> {encode(index, 'label', Layout()).decode()};\n}}\n"
        for name, index in zones.items()
    ]
    return f"{len(zones)}\n(\n{''.join(blocks)})".encode()


def _write(path: Path, kind: str, body: bytes, layout: Layout, note: str = "") -> None:
    said = f'    note        "{note}";\n' if note else ""
    arch = f'    arch        "LSB;label={layout.label * 8};scalar={layout.scalar * 8}";\n' if layout.binary else ""
    head = (
        f"FoamFile\n{{\n    version     2.0;\n    format      {'binary' if layout.binary else 'ascii'};\n{arch}    class       {kind};\n"
        f'{said}    location    "constant/polyMesh";\n    object      {path.name};\n}}\n\n'
    )
    with replacing(path) as beside:
        beside.write_bytes(head.encode() + body + b"\n")
    path.with_name(f"{path.name}.gz").unlink(missing_ok=True)  # an older mesh that a reader might take instead
