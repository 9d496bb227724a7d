"""Overlapping parts: every cell owned once, balanced, in one piece, extended as a slow search by hand extends them, coloured."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError, InvalidMeshError, MissingDependencyError
from geoop.graph.part_shapes import Region, part_shapes
from geoop.graph.partition import _in_one_piece, partition
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import circle, icosphere

from .test_partition_shapes import facets_by_hand, grid, keep, pieces_by_hand, pinched_by_hand, split


def centroids(mesh: Mesh) -> np.ndarray:
    return np.array([mesh.points[cell].mean(axis=0) for cell in mesh.cells])


def masked(mesh: Mesh, where) -> Mesh:
    """Only the cells whose centroids are chosen."""
    return keep(mesh, where(*centroids(mesh).T))


def jiggled(mesh: Mesh, share: float = 0.2) -> Mesh:
    """Points moved at random, so that no two distances are equal."""
    return mesh.moved(mesh.points + share * np.random.default_rng(7).uniform(-0.5, 0.5, mesh.points.shape))


def annulus(n: int = 14) -> Mesh:
    return masked(grid(n, n), lambda x, y: np.maximum(abs(x - n / 2), abs(y - n / 2)) > n / 5)


def slit(n: int = 12) -> Mesh:
    """A square with a slit of no width from the left to three quarters: the points on it are there twice."""
    mesh = grid(n, n)
    quads = mesh.cells.block("quad").copy()
    on = np.flatnonzero((mesh.points[:, 1] == n / 2) & (mesh.points[:, 0] < 0.75 * n))
    twin = np.arange(len(mesh.points))
    twin[on] = len(mesh.points) + np.arange(len(on))
    above = mesh.points[quads].mean(axis=1)[:, 1] > n / 2
    quads[above] = twin[quads[above]]
    return Mesh(np.concatenate([mesh.points, mesh.points[on]]), Cells.of(quad=quads))


def thin_l(n: int = 30) -> Mesh:
    return masked(grid(n, n), lambda x, y: (x < 3) | (y < 3))


def two_squares() -> Mesh:
    return masked(grid(13, 6), lambda x, y: (x < 6) | (x > 7))


def at_a_corner() -> Mesh:
    """Two squares that touch at one point."""
    return masked(grid(12, 12), lambda x, y: (x < 6) == (y < 6))


MESHES = {
    "squares": grid(12, 10),
    "triangles": jiggled(split(grid(11, 11))),
    "mixed": split(grid(10, 10), only=np.arange(100) % 3 == 0),
    "annulus": annulus(),
    "triangles in an annulus": jiggled(split(annulus())),
    "slit": slit(),
    "thin L": thin_l(),
    "two squares": two_squares(),
    "two squares at a corner": at_a_corner(),
    "comb": masked(grid(21, 12), lambda x, y: (y < 2) | (x.astype(int) % 2 == 0)),
    "cubes": grid(6, 5, 5),
    "tetrahedra": jiggled(split(grid(4, 4, 4))),
    "hollow": masked(grid(6, 6, 6), lambda x, y, z: np.maximum(np.maximum(abs(x - 3), abs(y - 3)), abs(z - 3)) > 1),
}
mesh_named = pytest.mark.parametrize("mesh", MESHES.values(), ids=MESHES)


def near_by_hand(mesh: Mesh, cells: set[int], layers: int, distance: float | None) -> set[int]:
    """A set of cells with layers of cells that share a point, or with the cells that have a point within a distance of its own."""
    listed = [set(cell.tolist()) for cell in mesh.cells]
    if distance is not None:
        own = mesh.points[sorted({p for c in cells for p in listed[c]})]
        near = {p for p, x in enumerate(mesh.points) if np.linalg.norm(own - x, axis=1).min() <= distance}
        return {c for c, points in enumerate(listed) if points & near}
    for _ in range(layers):
        points = {p for c in cells for p in listed[c]}
        cells = {c for c, own in enumerate(listed) if own & points}
    return cells


def reached_by_hand(mesh: Mesh, start: set[int], cells: set[int]) -> set[int]:
    """The cells among some that a walk through facets reaches."""
    listed, at = facets_by_hand(mesh), {}
    for c in cells:
        for f in listed[c]:
            at.setdefault(tuple(sorted(f)), []).append(c)
    seen, front = set(), list(start)
    while front:
        c = front.pop()
        if c not in seen:
            seen.add(c)
            front += [other for f in listed[c] for other in at[tuple(sorted(f))]]
    return seen


@mesh_named
@pytest.mark.parametrize("parts", [1, 5, 12])
def test_every_cell_is_owned_once_and_every_part_is_sound(mesh, parts):
    made = partition(mesh, parts)
    assert made.owner.shape == (len(mesh.cells),) and set(made.owner.tolist()) == set(range(len(made)))
    assert made.asked == parts and (made.note == "") == (len(made) == parts)
    allowed = pinched_by_hand(mesh, range(len(mesh.cells)))
    for k, (cells, points) in enumerate(zip(made.cells, made.points, strict=True)):
        assert set(np.flatnonzero(made.owner == k)) <= set(cells) and (np.diff(cells) > 0).all()
        np.testing.assert_array_equal(points, np.unique(mesh.cells.take(cells).connectivity))
        assert pieces_by_hand(mesh, np.flatnonzero(made.owner == k).tolist()) == 1
        assert pieces_by_hand(mesh, cells.tolist()) == 1 and pinched_by_hand(mesh, cells.tolist()) <= allowed
    assert set(np.concatenate(made.cells)) == set(range(len(mesh.cells)))


@mesh_named
@pytest.mark.parametrize("extent", [{"overlap": 0}, {"overlap": 1}, {"overlap": 3}, {"distance": 1.3}, {"distance": 0.0}])
def test_overlap_is_what_a_slow_search_finds(mesh, extent):
    """What is beyond it are cells that mend a pinch, and there the search by hand has one."""
    made = partition(mesh, 6, **extent)
    allowed = pinched_by_hand(mesh, range(len(mesh.cells)))
    for k, cells in enumerate(made.cells):
        own = set(np.flatnonzero(made.owner == k).tolist())
        wanted = reached_by_hand(mesh, own, near_by_hand(mesh, own, extent.get("overlap", 0), extent.get("distance")))
        if pinched_by_hand(mesh, wanted) <= allowed:
            assert set(cells.tolist()) == wanted
        else:
            assert set(cells.tolist()) > wanted


@pytest.mark.parametrize("count", [1, 2, 3, 5, 7, 12])
@pytest.mark.parametrize("name", ["squares", "triangles", "mixed", "cubes", "tetrahedra"])
def test_convex_regions_get_as_many_parts_as_asked_for_and_balanced(name, count):
    """Any number, not only powers of two; what crumbs change is a few cells."""
    made = partition(MESHES[name], count, overlap=0)
    mean = len(MESHES[name].cells) / count
    assert len(made) == count and 0.8 * mean <= made.sizes.min() and made.sizes.max() <= 1.2 * mean


@pytest.mark.parametrize("count", [1, 3, 7, 11, 30, 60])
def test_a_row_of_cells_is_balanced_to_one_cell(count):
    made = partition(grid(60, 1), count, overlap=0)
    assert len(made) == count and np.ptp(made.sizes) <= 1 and made.sizes.sum() == 60


def test_cuts_go_across_the_longest_side():
    made = partition(grid(12, 3), 4)
    x = centroids(grid(12, 3))[:, 0]
    np.testing.assert_array_equal(made.owner, np.floor(x / 3))


def test_as_many_parts_as_cells():
    made = partition(grid(4, 3), 12, overlap=1)
    np.testing.assert_array_equal(made.sizes, np.ones(12))
    assert max(map(len, made.cells)) == 9


@pytest.mark.parametrize("kind", ["squares", "triangles", "cubes"])
def test_random_regions_are_pinched_before_and_not_after(kind):
    """Regions with random cells missing: extended sets touch themselves, and are mended unless the region does so."""
    random, mended = np.random.default_rng(11), 0
    whole = {"squares": grid(14, 14), "triangles": split(grid(10, 10)), "cubes": grid(5, 5, 5)}[kind]
    for _ in range(8):
        mesh = keep(whole, random.random(len(whole.cells)) >= 0.15)
        made = partition(mesh, 5, overlap=1)
        allowed = pinched_by_hand(mesh, range(len(mesh.cells)))
        for k, cells in enumerate(made.cells):
            own = set(np.flatnonzero(made.owner == k).tolist())
            wanted = reached_by_hand(mesh, own, near_by_hand(mesh, own, 1, None))
            assert pinched_by_hand(mesh, cells.tolist()) <= allowed
            mended += not pinched_by_hand(mesh, wanted) <= allowed
    assert mended > 0


@mesh_named
@pytest.mark.parametrize("method", ["bisection", "metis"])
def test_colours(mesh, method):
    """Parts of a colour share no point; the number of colours is at most that of neighbours and one."""
    if method == "metis":
        pytest.importorskip("pymetis")
    made = partition(mesh, 9, method=method)
    np.testing.assert_array_equal(np.sort(np.concatenate(made.colours)), np.arange(len(made)))
    for parts in made.colours:
        points = np.concatenate([made.points[k] for k in parts])
        assert len(np.unique(points)) == len(points)
    degree = [sum(bool(len(np.intersect1d(a, b))) for b in made.points) - 1 for a in made.points]
    np.testing.assert_array_equal(np.diff(made.meets.indptr), degree)
    assert len(made.colours) <= max(degree) + 1


def test_strips_need_two_colours_and_disjoint_parts_one():
    strip = partition(grid(40, 2), 8, overlap=1)
    assert sorted(part.tolist() for part in strip.colours) == [[0, 2, 4, 6], [1, 3, 5, 7]]
    assert len(partition(two_squares(), 2).colours) == 1


def test_disconnected_regions_have_a_part_for_every_piece():
    made = partition(two_squares(), 1)
    assert len(made) == 2 and made.note.startswith("2 parts instead of 1")
    left = centroids(two_squares())[:, 0] < 6
    np.testing.assert_array_equal(made.cells[0], np.flatnonzero(left))
    np.testing.assert_array_equal(made.cells[1], np.flatnonzero(~left))
    assert len(partition(at_a_corner(), 1)) == 2  # a contact at a corner is none


def test_parts_do_not_leap_over_a_slit():
    """Below the slit far from its tip: neither layers nor a distance reach the other side, although the points coincide."""
    mesh = slit()
    y = centroids(mesh)[:, 1]
    for extent in ({"overlap": 2}, {"distance": 2.0}):
        made = partition(mesh, 16, **extent)
        x = np.array([centroids(mesh)[made.owner == k][:, 0].max() for k in range(len(made))])
        far = np.flatnonzero(x < 5)
        assert len(far) >= 4
        for k in far:
            side = y[made.owner == k] > 6
            assert side.all() or not side.any()
            assert ((y[made.cells[k]] > 6) == side[0]).all()


def test_an_annulus_in_few_parts_has_parts_with_one_loop_and_as_a_whole_two():
    mesh = annulus()
    assert {shape.loops for shape in part_shapes(mesh, partition(mesh, 12, overlap=1).cells)} == {1}
    (whole,) = part_shapes(mesh, partition(mesh, 1).cells)
    assert whole.loops == 2 and whole.outer


def test_there_are_no_crumbs():
    """Teeth as wide as one cell: a cut through them leaves crumbs, which nobody wants as parts."""
    mesh = MESHES["comb"]
    for count in (2, 4, 7, 20):
        made = partition(mesh, count, overlap=0)
        assert made.sizes.min() >= 0.5 * len(mesh.cells) / count


@pytest.mark.parametrize("count", [2, 5, 12, 16])
@pytest.mark.parametrize("name", ["thin L", "annulus", "two squares"])
def test_bent_and_disconnected_regions_are_balanced(name, count):
    """Slivers along an arm that a cut leaves go back before the next cut, and pieces of the region get parts by their size."""
    made = partition(MESHES[name], count, overlap=0)
    mean = len(MESHES[name].cells) / count
    assert len(made) == count and 0.6 * mean <= made.sizes.min() and made.sizes.max() <= 1.4 * mean


@pytest.mark.parametrize(
    ("crumb", "wanted"),
    [
        (lambda x, y: (x > 2) & (x < 4) & (y > 2) & (y < 3), 2),  # two cells: one facet with 0, two with 1, three with 2
        (lambda x, y: (x > 2) & (x < 4) & (y > 1) & (y < 2), 1),  # one with 0, three with 1, two with 2
        (lambda x, y: (x > 0) & (x < 2) & (y > 3), 0),  # two with 0, one with 2
        (lambda x, y: (x < 1) & (y < 1), 0),
    ],
)
def test_a_crumb_goes_where_it_shares_most_facets(crumb, wanted):
    mesh = grid(6, 4)
    x, y = centroids(mesh).T
    crumb, others = crumb(x, y), np.where(x < 2, 0, np.where(y < 2, 1, 2))
    owner = _in_one_piece(Region.of(mesh), np.where(crumb, 3, others), 9.0)
    np.testing.assert_array_equal(owner, np.where(crumb, wanted, others))
    backwards = _in_one_piece(Region.of(mesh), np.where(crumb, 9, 7 - others), 9.0)
    np.testing.assert_array_equal(backwards, 2 - owner)  # numbers go up as they were dealt


def test_an_island_that_is_a_crumb_stays_a_part():
    mesh = masked(grid(20, 10), lambda x, y: (x < 10) | ((x > 18) & (y < 1)))
    made = partition(mesh, 2)
    np.testing.assert_array_equal(np.sort(made.sizes), [2, 100])
    np.testing.assert_array_equal(np.sort(partition(mesh, 5).sizes), [2, 25, 25, 25, 25])


def test_the_same_parts_after_the_points_are_renumbered():
    """Points may come in any order; cells keep theirs."""
    mesh = MESHES["triangles in an annulus"]
    new = np.random.default_rng(0).permutation(len(mesh.points))
    points = np.empty_like(mesh.points)
    points[new] = mesh.points
    first, other = partition(mesh, 9), partition(Mesh(points, mesh.cells.renumbered(new)), 9)
    np.testing.assert_array_equal(first.owner, other.owner)
    for a, b in zip(first.cells, other.cells, strict=True):
        np.testing.assert_array_equal(a, b)
    again = partition(mesh, 9)
    np.testing.assert_array_equal(first.owner, again.owner)


def test_parts_of_a_scaled_and_shifted_region_are_the_same():
    mesh = MESHES["triangles in an annulus"]
    first = partition(mesh, 9, distance=1.2)
    other = partition(mesh.moved(3e-3 * mesh.points + 5.0), 9, distance=1.2 * 3e-3)
    np.testing.assert_array_equal(first.owner, other.owner)
    assert [len(c) for c in first.cells] == [len(c) for c in other.cells] and first.overlap == other.overlap


def test_cells_of_lower_dimension_are_owned_by_nobody():
    mesh = grid(4, 4)
    lines = np.array([[0, 1], [1, 2]])
    both = Mesh(mesh.points, Cells.concatenate([Cells.of(line=lines), mesh.cells]))
    made, plain = partition(both, 3), partition(mesh, 3)
    assert (made.owner[:2] == -1).all()
    np.testing.assert_array_equal(made.owner[2:], plain.owner)
    np.testing.assert_array_equal(made.cells[0], plain.cells[0] + 2)


def test_overlap_is_known_in_layers():
    mesh = grid(12, 12)
    assert partition(mesh, 4, overlap=3).overlap == 3 and partition(mesh, 4, overlap=3).distance is None
    assert partition(mesh, 4, distance=2.2).overlap == 2 and partition(mesh, 4, distance=2.2).distance == 2.2


def test_quadratic_cells_and_polygons():
    from geoop.mesh.generate.quadratic import quadratic

    mesh = split(grid(6, 6))
    raised = quadratic(mesh)
    assert raised.cells.names == ["triangle6"]
    np.testing.assert_array_equal(partition(raised, 5).owner, partition(mesh, 5).owner)
    cells = list(grid(6, 6).cells)
    polygons = Mesh(grid(6, 6).points, Cells.ragged("polygon", cells))
    np.testing.assert_array_equal(partition(polygons, 5).cells[2], partition(grid(6, 6), 5).cells[2])


@mesh_named
def test_metis_gives_sound_parts(mesh):
    pytest.importorskip("pymetis")
    made = partition(mesh, 8, method="metis")
    for k, cells in enumerate(made.cells):
        assert pieces_by_hand(mesh, cells.tolist()) == 1
        assert pieces_by_hand(mesh, np.flatnonzero(made.owner == k).tolist()) == 1
    np.testing.assert_array_equal(made.owner, partition(mesh, 8, method="metis").owner)
    assert made.sizes.max() <= 2 * len(mesh.cells) / 8


def test_metis_that_is_not_installed(monkeypatch):
    monkeypatch.setattr("geoop.graph.partition.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match="needs pymetis") as found:
        partition(grid(3, 3), 2, method="metis")
    assert "pip install pymetis" in found.value.remedy
    assert len(partition(grid(3, 3), 2)) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"parts": 0}, "cannot be cut into 0 parts"),
        ({"parts": 10}, "9 cells cannot be cut into 10 parts"),
        ({"parts": 2.5}, "2.5 parts"),
        ({"parts": float("nan")}, "nan parts"),
        ({"parts": True}, "True parts"),
        ({"overlap": -1}, "-1 layers"),
        ({"overlap": 1.5}, "1.5 layers"),
        ({"distance": -0.1}, "extended by -0.1 m"),
        ({"distance": float("nan")}, "extended by nan m"),
        ({"overlap": 1, "distance": 1.0}, "both"),
        ({"method": "morton"}, "no method 'morton'"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ConfigurationError, match=message):
        partition(grid(3, 3), **{"parts": 2, **options})


@pytest.mark.parametrize("mesh", [circle(12), icosphere(1), Mesh(np.zeros((3, 2)) + np.arange(3)[:, None])])
def test_meshes_that_fill_nothing(mesh):
    with pytest.raises(InvalidMeshError, match="fill no region"):
        partition(mesh, 2)


def test_cells_that_overlap():
    mesh = grid(3, 3)
    with pytest.raises(InvalidMeshError, match="more than two cells"):
        partition(Mesh(mesh.points, Cells.concatenate([mesh.cells, mesh.cells])), 2)
