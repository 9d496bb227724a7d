"""Boundaries of parts: loops, surfaces, pinches and their mending, against what a slow count by hand finds."""

from collections import Counter, defaultdict

import numpy as np
import pytest

from geoop.errors import InvalidMeshError
from geoop.graph.part_shapes import Region, family, part_shapes
from geoop.graph.partition import unpinched
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import circle

FACETS = {
    3: [(0, 1), (1, 2), (2, 0)],
    4: [(0, 1), (1, 2), (2, 3), (3, 0)],
    (3, 4): [(1, 2, 3), (0, 2, 3), (0, 1, 3), (0, 1, 2)],
    (3, 8): [(0, 1, 2, 3), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)],
}


def grid(*shape: int) -> Mesh:
    """Squares or cubes of side 1; cell (i, j, k) has the number i * ny * nz + j * nz + k."""
    number = np.arange(np.prod([n + 1 for n in shape])).reshape([n + 1 for n in shape])
    points = np.stack(np.meshgrid(*[np.arange(n + 1.0) for n in shape], indexing="ij"), axis=-1).reshape(-1, len(shape))
    around = [(0, 0), (1, 0), (1, 1), (0, 1)]
    steps = around if len(shape) == 2 else [(*step, z) for z in (0, 1) for step in around]
    corners = [number[tuple(slice(s, s + n) for s, n in zip(step, shape, strict=True))].ravel() for step in steps]
    return Mesh(points, Cells.of({"quad" if len(shape) == 2 else "hexahedron": np.stack(corners, axis=1)}))


def split(mesh: Mesh, only=None) -> Mesh:
    """Squares cut into two triangles, cubes into six tetrahedra; with ``only`` (a mask) just these squares."""
    if mesh.dimension == 2:
        quads = mesh.cells.block("quad")
        cut = np.ones(len(quads), dtype=bool) if only is None else only
        triangles = np.concatenate([quads[cut][:, [0, 1, 2]], quads[cut][:, [0, 2, 3]]])
        return Mesh(mesh.points, Cells.of(triangle=triangles, quad=quads[~cut]))
    cubes = mesh.cells.block("hexahedron")
    paths = [(0, 1, 2, 6), (0, 2, 3, 6), (0, 3, 7, 6), (0, 7, 4, 6), (0, 4, 5, 6), (0, 5, 1, 6)]
    return Mesh(mesh.points, Cells.of(tetra=np.concatenate([cubes[:, path] for path in paths])))


def keep(mesh: Mesh, mask: np.ndarray) -> Mesh:
    """Only some of the cells."""
    return mesh.submesh(mesh.cells.take(np.flatnonzero(mask)))


def facets_by_hand(mesh: Mesh) -> list[list[tuple[int, ...]]]:
    """Facets of every cell, each as it runs round."""
    return [[tuple(int(cell[k]) for k in f) for f in FACETS[len(cell) if mesh.dimension == 2 else (3, len(cell))]] for cell in mesh.cells]


def boundary_by_hand(mesh: Mesh, cells) -> list[tuple[int, ...]]:
    """Facets that exactly one of the cells has."""
    listed = facets_by_hand(mesh)
    rings = {tuple(sorted(f)): f for c in cells for f in listed[c]}
    count = Counter(tuple(sorted(f)) for c in cells for f in listed[c])
    return [rings[key] for key, number in count.items() if number == 1]


def fans_by_hand(boundary: list[tuple[int, ...]]) -> Counter:
    """Number of closed fans of the boundary's facets round every point, in 3-D."""
    link = defaultdict(lambda: defaultdict(set))
    for ring in boundary:
        for before, point, after in zip(ring[-1:] + ring[:-1], ring, ring[1:] + ring[:1], strict=True):
            link[point][before].add(after)
            link[point][after].add(before)
    fans = Counter()
    for point, near in link.items():
        left = set(near)
        while left:
            fans[point] += 1
            front = [left.pop()]
            while front:
                new = near[front.pop()] & left
                left -= new
                front += new
    return fans


def pinched_by_hand(mesh: Mesh, cells) -> set[int]:
    """Points at which the boundary touches itself."""
    boundary = boundary_by_hand(mesh, cells)
    if mesh.dimension == 2:
        return {point for point, number in Counter(p for edge in boundary for p in edge).items() if number != 2}
    edges = Counter(tuple(sorted(edge)) for ring in boundary for edge in zip(ring, ring[1:] + ring[:1], strict=True))
    bad = {point for edge, number in edges.items() if number != 2 for point in edge}
    return bad | {point for point, number in fans_by_hand(boundary).items() if number > 1}


def pieces_by_hand(mesh: Mesh, cells) -> int:
    """Number of pieces connected through facets."""
    listed, at = facets_by_hand(mesh), defaultdict(list)
    for c in cells:
        for f in listed[c]:
            at[tuple(sorted(f))].append(c)
    left, found = set(cells), 0
    while left:
        found += 1
        front = [left.pop()]
        while front:
            for f in listed[front.pop()]:
                for c in at[tuple(sorted(f))]:
                    if c in left:
                        left.remove(c)
                        front.append(c)
    return found


def loops_by_hand(mesh: Mesh, cells) -> int:
    """Closed curves or surfaces of the boundary: from a facet over its ridge to the next one, round the cells of the set in between."""
    listed, at = {c: [frozenset(f) for f in facets] for c, facets in enumerate(facets_by_hand(mesh)) if c in set(cells)}, defaultdict(list)
    for c, facets in listed.items():
        for f in facets:
            at[f].append(c)
    near = {frozenset(f): set() for f in boundary_by_hand(mesh, cells)}
    for ring in boundary_by_hand(mesh, cells):
        for a, b in zip(ring, ring[1:] + ring[:1], strict=True):
            ridge, facet = frozenset([a] if mesh.dimension == 2 else [a, b]), frozenset(ring)
            (c,) = at[facet]
            while True:
                (facet,) = (f for f in listed[c] if ridge <= f and f != facet)
                if len(at[facet]) == 1:
                    break
                (c,) = set(at[facet]) - {c}
            near[frozenset(ring)].add(facet)
            near[facet].add(frozenset(ring))
    left, found = set(near), 0
    while left:
        found += 1
        front = [left.pop()]
        while front:
            new = near[front.pop()] & left
            left -= new
            front += new
    return found


def cubes(n: int, *places: tuple[int, ...]) -> list[int]:
    """Numbers of the cells of a grid with n cells per side."""
    return [int(np.ravel_multi_index(place, (n,) * len(place))) for place in places]


def all_but(n: int, dimension: int, *places: tuple[int, ...]) -> list[int]:
    return sorted(set(range(n**dimension)) - set(cubes(n, *places)))


@pytest.mark.parametrize(
    ("n", "dimension", "cells", "loops", "pieces", "pinched"),
    [
        (5, 2, cubes(5, (2, 2)), 1, 1, 0),
        (5, 2, all_but(5, 2, (2, 2)), 2, 1, 0),
        (5, 2, all_but(5, 2, (1, 1), (3, 3)), 3, 1, 0),
        (5, 2, all_but(5, 2, (1, 1), (2, 2)), 2, 1, 1),  # two holes that touch are one
        (5, 2, cubes(5, (1, 1), (2, 2)), 2, 2, 1),
        (5, 2, all_but(5, 2, (0, 0), (1, 1)), 1, 1, 1),  # the hole touches the outer boundary, at a notch
        (5, 2, cubes(5, (0, 0), (4, 4)), 2, 2, 0),
        (3, 3, cubes(3, (1, 1, 1)), 1, 1, 0),
        (3, 3, all_but(3, 3, (1, 1, 1)), 2, 1, 0),  # a cavity
        (3, 3, all_but(3, 3, (1, 1, 0), (1, 1, 1), (1, 1, 2)), 1, 1, 0),  # a ring
        (3, 3, cubes(3, (0, 0, 0), (1, 1, 0)), 2, 2, 2),  # along an edge
        (3, 3, cubes(3, (0, 0, 0), (1, 1, 1)), 2, 2, 1),  # at a point
        (4, 3, all_but(4, 3, (1, 1, 1), (1, 2, 2)), 2, 1, 2),  # two cavities that touch along an edge are one
        (4, 3, all_but(4, 3, (1, 1, 1), (2, 2, 2)), 3, 1, 1),  # two cavities that touch at a point
    ],
)
@pytest.mark.parametrize("simplices", [False, True])
def test_shapes_of_known_parts(n, dimension, cells, loops, pieces, pinched, simplices):
    mesh = grid(*(n,) * dimension)
    if simplices:
        count, mesh = len(mesh.cells), split(mesh)
        cells = [c + k * count for c in cells for k in range(2 if dimension == 2 else 6)]
    (shape,) = part_shapes(mesh, [np.array(cells)])
    assert (shape.loops, shape.pieces, len(shape.pinched)) == (loops, pieces, pinched)
    assert set(shape.pinched.tolist()) == pinched_by_hand(mesh, cells)
    assert shape.pieces == pieces_by_hand(mesh, cells) and shape.loops == loops_by_hand(mesh, cells)


def test_boundary_of_the_region_by_facets_and_by_points():
    mesh = grid(5, 5)
    inner, corner, edge = (part_shapes(mesh, [np.array(cubes(5, place))])[0] for place in ((2, 2), (1, 1), (0, 2)))
    assert not inner.outer and not inner.touches and edge.outer and edge.touches
    assert not corner.outer and not corner.touches
    gone = keep(mesh, np.arange(25) != cubes(5, (2, 2))[0])
    diagonal = int(np.flatnonzero((gone.points[gone.cells.block("quad")].mean(axis=1) == 1.5).all(axis=1))[0])
    (shape,) = part_shapes(gone, [np.array([diagonal])])
    assert shape.touches and not shape.outer  # the hole has only a corner in common with it


@pytest.mark.parametrize(("shape", "simplices"), [((9, 9), False), ((8, 8), True), ((5, 5, 5), False), ((4, 4, 4), True)])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_random_sets_are_mended_but_where_the_region_is_pinched(shape, simplices, share):
    """Regions with random cells missing, parts of random cells: what is pinched afterwards is so in the region, and no piece was joined in vain."""
    random = np.random.default_rng(3)
    whole = split(grid(*shape)) if simplices else grid(*shape)
    mended = 0
    for missing in (0.0, 0.0, 0.1, 0.4):
        mesh = keep(whole, random.random(len(whole.cells)) >= missing)
        region, count = Region.of(mesh), len(mesh.cells)
        chosen = [np.flatnonzero(random.random(count) < share) for _ in range(4)]
        part = np.repeat(np.arange(4), [len(c) for c in chosen])
        after = unpinched(region, family(part, np.concatenate(chosen), (4, count)))
        allowed = pinched_by_hand(mesh, range(count))
        sets = np.split(after.indices, after.indptr[1:-1])
        for before, found, report in zip(chosen, sets, part_shapes(mesh, sets), strict=True):
            left = pinched_by_hand(mesh, found.tolist())
            assert left <= allowed and set(before) <= set(found)
            assert set(report.pinched.tolist()) == left and report.pieces == pieces_by_hand(mesh, found.tolist())
            mended += len(pinched_by_hand(mesh, before.tolist())) - len(left)
            if not pinched_by_hand(mesh, before.tolist()):
                assert len(found) == len(before)
    assert mended > 0


@pytest.mark.parametrize(("shape", "simplices"), [((9, 9), False), ((8, 8), True), ((5, 5, 5), False), ((3, 3, 3), True)])
def test_shapes_of_random_sets(shape, simplices):
    random = np.random.default_rng(8)
    mesh = split(grid(*shape)) if simplices else grid(*shape)
    chosen = [np.flatnonzero(random.random(len(mesh.cells)) < share) for share in (0.2, 0.4, 0.6, 0.8, 0.9)]
    for cells, found in zip(chosen, part_shapes(mesh, chosen), strict=True):
        own = cells.tolist()
        assert (found.loops, found.pieces, set(found.pinched.tolist())) == (
            loops_by_hand(mesh, own),
            pieces_by_hand(mesh, own),
            pinched_by_hand(mesh, own),
        )


def test_where_the_region_is_pinched_a_part_is_left():
    """Two cavities of one tetrahedron each that touch at a point, and parts that lack a third one there: with two closed fans of facets at the point,
    like the region's own, a part is left as it is; with three it gets the tetrahedron back."""
    whole = split(grid(4, 4, 4))
    cells = [set(cell.tolist()) for cell in whole.cells]
    centre = int(np.flatnonzero((whole.points == 2).all(axis=1))[0])
    star = [c for c, cell in enumerate(cells) if centre in cell]
    first = star[0]
    second = next(c for c in star if cells[c] & cells[first] == {centre})
    mesh = keep(whole, ~np.isin(np.arange(len(cells)), [first, second]))
    count, region, seen = len(mesh.cells), Region.of(mesh), set()
    point = int(np.flatnonzero((mesh.points == 2).all(axis=1))[0])
    assert pinched_by_hand(mesh, range(count)) == {point}
    for c in [c for c, cell in enumerate(mesh.cells) if point in cell]:
        part = np.delete(np.arange(count), c)
        if pinched_by_hand(mesh, part.tolist()) != {point}:
            continue
        fans = fans_by_hand(boundary_by_hand(mesh, part.tolist()))[point]
        after = unpinched(region, family(np.zeros(count - 1, dtype=np.int64), part, (1, count)))
        assert after.nnz == (count if fans > 2 else count - 1)
        seen.add(fans)
    assert seen == {2, 3}


def test_only_the_fan_that_the_part_is_in_is_filled():
    """Two blocks that touch at a point: a part of one block does not leap to the other."""
    mesh = grid(4, 4)
    x, y = mesh.points[mesh.cells.block("quad")].mean(axis=1).T
    mesh = keep(mesh, ((x < 2) & (y < 2)) | ((x > 2) & (y > 2)))
    region = Region.of(mesh)
    low = np.flatnonzero((mesh.points[mesh.cells.block("quad")].mean(axis=1) < 2).all(axis=1))
    both = family(np.repeat([0, 1], [4, 8]), np.concatenate([low, np.arange(8)]), (2, 8))
    after = unpinched(region, both)
    assert (after != both).nnz == 0
    shapes = part_shapes(mesh, [low, np.arange(8)])
    assert [len(s.pinched) for s in shapes] == [0, 1] and [s.loops for s in shapes] == [1, 2]


def test_a_part_in_both_fans_of_a_pinched_region_is_left():
    """One of two triangles on either side of the point."""
    mesh = split(grid(4, 4))
    x, y = mesh.points[mesh.cells.block("triangle")].mean(axis=1).T
    mesh = keep(mesh, ((x < 2) & (y < 2)) | ((x > 2) & (y > 2)))
    point = int(np.flatnonzero((mesh.points == 2).all(axis=1))[0])
    star = [c for c, cell in enumerate(mesh.cells) if point in cell]
    below = (mesh.points[mesh.cells.block("triangle")[star]].mean(axis=1) < 2).all(axis=1)
    chosen = np.sort([np.array(star)[below][0], np.array(star)[~below][0]])
    members = family(np.zeros(2, dtype=np.int64), chosen, (1, len(mesh.cells)))
    assert len(star) == 4 and part_shapes(mesh, [chosen])[0].pinched.tolist() == [point]
    assert (unpinched(Region.of(mesh), members) != members).nnz == 0


def test_two_sides_of_a_crack_do_not_touch():
    """Points of their own at equal coordinates: a crack has an inner boundary, which is a hole of no area."""
    mesh = grid(4, 4)
    quads, points = mesh.cells.block("quad").copy(), mesh.points
    centre = int(np.flatnonzero((points == [2, 2]).all(axis=1))[0])
    above = (points[quads].mean(axis=1)[:, 1] > 2)[:, None]
    quads[(quads == centre) & above] = len(points)
    cracked = Mesh(np.concatenate([points, points[[centre]]]), Cells.of(quad=quads))
    (shape,) = part_shapes(cracked, [np.arange(16)])
    assert (shape.loops, shape.pieces, len(shape.pinched)) == (2, 1, 0)


@pytest.mark.parametrize(
    ("mesh", "parts", "message"),
    [
        (circle(8), [np.arange(3)], "fill no region"),
        (grid(2, 2), [np.arange(2), np.arange(0)], "part 1 has no cells"),
        (grid(2, 2), [np.array([0, 4])], "cells 0..4 of 4"),
        (grid(2, 2), [np.array([-1])], "cells -1..-1 of 4"),
    ],
)
def test_bad_parts(mesh, parts, message):
    with pytest.raises(InvalidMeshError, match=message):
        part_shapes(mesh, parts)


def test_cells_of_lower_dimension_and_overlapping_cells_are_refused():
    mesh = grid(2, 2)
    lines = Mesh(mesh.points, Cells.concatenate([mesh.cells, Cells.of(line=np.array([[0, 1]]))]))
    assert part_shapes(lines, [np.arange(4)])[0].loops == 1
    with pytest.raises(InvalidMeshError, match="1 cells of lower dimension"):
        part_shapes(lines, [np.arange(5)])
    with pytest.raises(InvalidMeshError, match="more than two cells"):
        part_shapes(Mesh(mesh.points, Cells.concatenate([mesh.cells, mesh.cells])), [np.arange(4)])
