"""What lies across a slit has no share; facets beside a region have values of their own; a target outside of the source is told."""

import numpy as np
import pytest
from meshes_in_motion import cube, layers, square

from geoop.errors import FieldError
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.measure import cell_centers, cell_measures
from geoop.mesh.mesh import Mesh
from geoop.mesh.quantity import Field, Quantity
from geoop.solve.transfer.carry import transfer
from geoop.solve.transfer.cell_functions import CellFunctions
from geoop.solve.transfer.conservative import Supermesh

HEIGHT, LOAD, ZONE = Quantity("height", "h", "m"), Quantity("load", "q", "Pa"), Quantity("zone", "z")


def halves(n, seed, gap=0.0, kind="triangle"):
    """Two sheets above each other that share no point: a slit, or a wall thinner than a cell."""
    low, high = square(n, kind, 0.3, seed), square(n, kind, 0.3, seed + 7)
    scale = np.array([1.0, 0.5])
    points = np.concatenate([low.points * scale, high.points * scale + [0.0, 0.5 + gap]])
    name = low.cells.names[0]
    rows = np.concatenate([low.cells.block(name), high.cells.block(name) + len(low.points)])
    return Mesh(points, Cells.of({name: rows})), np.arange(len(points)) >= len(low.points)


@pytest.mark.parametrize("kind", ["triangle", "quad"])
@pytest.mark.parametrize("gap", [0.0, 1e-3])
@pytest.mark.parametrize("method", ["p1", "conservative"])
def test_a_jump_across_a_slit_is_kept(method, gap, kind):
    old, upper = halves(7, 0, gap, kind)
    new, above = halves(10, 1, gap, kind)
    slope = np.array([0.3, -0.2])
    value = lambda mesh, at, side: at @ slope + 5.0 * side  # noqa: E731
    side = lambda mesh, high: high[mesh.cells.block(kind)[:, 0]]  # noqa: E731
    case = Case(old).with_fields(
        Field(HEIGHT, value(old, old.points, upper)),
        Field(LOAD, value(old, cell_centers(old), side(old, upper)), "cell"),
        Field(ZONE, side(old, upper).astype(int), "cell"),
        Field(Quantity("mark", "m"), upper.astype(int)),
    )
    there = transfer(case, new, method=method)
    assert np.abs(there.field("height").values - value(new, new.points, above)).max() < 1e-11
    assert np.array_equal(there.field("mark").values, above)
    assert np.array_equal(there.field("zone").values, side(new, above))
    if kind == "triangle" or method == "p1":  # the pieces of quads have other middles
        assert np.abs(there.field("load").values - value(new, cell_centers(new), side(new, above))).max() < 1e-11


def test_fits_through_the_nearest_points_leak():
    """The control: by distance alone the other side is the nearest neighbour."""
    (old, upper), (new, above) = halves(7, 0), halves(10, 1)
    high = lambda mesh, up: up[mesh.cells.block("triangle")[:, 0]].astype(float)  # noqa: E731
    there = transfer(Case(old).with_fields(Field(LOAD, high(old, upper), "cell")), new, method="moving-least-squares")
    assert np.abs(there.field("load").values - high(new, above)).max() > 0.2


@pytest.mark.parametrize("mesh", [square(12, "triangle", 0.3), square(12, "quad", 0.3), cube(5, "tetra", 0.3)], ids=str)
def test_functions_in_cells_are_linear_and_do_not_overshoot_at_jumps(mesh):
    rows, centres = np.arange(len(mesh.cells)), cell_centers(mesh)
    made, d = CellFunctions.of(mesh, rows, centres), mesh.dimension
    wanted = np.array([2.0, -1.0, 0.5])[:d]
    assert np.abs(made.slopes((centres @ wanted)[:, None])[:, :, 0] - wanted).max() < 1e-10
    rng = np.random.default_rng(0)
    owner = np.repeat(rows, np.diff(mesh.cells.offsets))
    for _ in range(20):
        jump = ((centres - 0.5) @ rng.normal(size=d) > rng.uniform(-0.3, 0.3)).astype(float)
        slope = made.slopes(jump[:, None])[:, :, 0]
        reached = jump[owner] + np.einsum("cd,cd->c", mesh.points[mesh.cells.connectivity] - centres[owner], slope[owner])
        assert reached.min() > -1e-12 and reached.max() < 1 + 1e-12


def test_functions_in_thin_layers_are_linear():
    mesh = layers()
    centres = cell_centers(mesh)
    slope = CellFunctions.of(mesh, np.arange(len(mesh.cells)), centres).slopes((centres @ [2.0, -1.0])[:, None])
    assert np.abs(slope[:, :, 0] - [2.0, -1.0]).max() < 1e-9


def with_facets(mesh):
    """A mesh whose boundary facets, and a wire through it in space, are cells as well, as of a file that stores patches so."""
    wire = Cells.of(line=np.arange(3)[:, None] + np.array([0, 1])) if mesh.dimension == 3 else Cells.empty()
    return Mesh(mesh.points, Cells.concatenate([*mesh.patches.values(), mesh.cells, wire]), mesh.patches)


@pytest.mark.parametrize("method", ["p1", "conservative", "moving-least-squares"])
@pytest.mark.parametrize(
    "pair", [(square(6, "triangle", 0.3), square(9, "quad", 0.2, seed=1)), (cube(3, "tetra", 0.2), cube(4))], ids=["plane", "space"]
)
def test_facets_and_wires_beside_a_region_keep_values_of_their_own(method, pair):
    old, new = (with_facets(mesh) for mesh in pair)
    d = old.dimension

    def values(mesh, source):
        number = np.concatenate([np.full(len(cells), k) for k, cells in enumerate(source.patches.values())])
        kind = mesh.cells.dimensions
        out = np.where(kind == d, cell_centers(mesh)[:, 0], -7.0)
        out[: len(number)] = 100.0 + number
        return out

    case = Case(old).with_fields(Field(LOAD, values(old, pair[0]), "cell"), Field(ZONE, values(old, pair[0]).astype(int) // 50, "cell"))
    there, expected = transfer(case, new, method=method), values(new, pair[1])
    inner = new.cells.dimensions == d
    assert np.array_equal(there.field("load").values[~inner], expected[~inner])
    assert np.abs(there.field("load").values - expected)[inner].max() < 0.02
    assert np.array_equal(there.field("zone").values[~inner], expected[~inner].astype(int) // 50)
    assert (there.field("zone").values[inner] == 0).all()


@pytest.mark.parametrize("kind", ["triangle", "quad"])
def test_facets_on_the_two_sides_of_a_slit_keep_apart(kind):
    """Boundary lines at one place: which is which is told by the cells that have them."""

    def with_lines(n, seed):
        sheets, upper = halves(n, seed, kind=kind)
        low = np.flatnonzero(~upper & (np.abs(sheets.points[:, 1] - 0.5) < 1e-12))
        high = np.flatnonzero(upper & (np.abs(sheets.points[:, 1] - 0.5) < 1e-12))
        rows = [row[np.argsort(sheets.points[row, 0])] for row in (low, high)]
        lines = np.concatenate([np.stack([row[:-1], row[1:]], axis=1) for row in rows])
        return Mesh(sheets.points, Cells.concatenate([sheets.cells, Cells.of(line=lines)])), np.repeat([0.0, 1.0], n)

    (old, own), (new, wanted) = with_lines(7, 0), with_lines(7, 1)
    case = Case(old).with_fields(Field(LOAD, np.concatenate([np.full(len(old.cells) - len(own), 9.0), own]), "cell"))
    found = transfer(case, new).field("load").values
    assert np.array_equal(found[new.cells.dimensions == 1], wanted) and np.abs(found[new.cells.dimensions == 2] - 9).max() < 1e-12


def test_facets_of_a_mesh_without_any_take_the_region_beside_them():
    old, new = square(6, "triangle", 0.3), with_facets(square(9, "triangle", 0.2, seed=1))
    there = transfer(Case(old).with_fields(Field(LOAD, cell_centers(old)[:, 1], "cell")), new).field("load").values
    lines = new.cells.dimensions == 1
    assert np.abs(there[lines] - cell_centers(new)[lines, 1]).max() < 1 / 6


@pytest.mark.parametrize("shift", [0.005, 0.05, 0.09])
def test_a_target_that_the_source_covers_in_part_is_projected_over_that_part(shift):
    """Points whose cells are hardly covered get the nearest value of the boundary, the others the best over the overlap."""
    old, new = square(10, "triangle", 0.3), square(14, "triangle", 0.3, seed=1)
    new = new.moved(new.points + shift)
    made, rng = Supermesh.of(old, new), np.random.default_rng(0)
    assert made.missing == pytest.approx(1 - (1 - shift) ** 2, rel=1e-9)
    share = made.own.sum(axis=1) / made.whole
    hardly = share < 0.05
    assert hardly.any() == (shift > 0.01)
    rough = rng.uniform(-1, 1, (len(old.points), 1))
    found = made.points(rough)
    assert np.abs((made.own @ found - made.mixed @ rough)[~hardly]).max() < 1e-14  # no function on these points is nearer
    assert np.abs(found).max() < 2.0  # slivers of cells do not run away
    reached = np.minimum(new.points, 1.0)
    assert np.abs(made.points(old.points) - reached)[hardly].max(initial=0.0) < 1e-12
    assert np.abs(made.points(old.points) - new.points).max() < (1e-10 if not hardly.any() else 1.01 * shift)
    load = rng.uniform(size=(len(old.cells), 1))
    covered = np.asarray(made.shared.sum(axis=1)).ravel()
    assert np.abs(made.cells(np.ones((len(old.cells), 1))) - 1).max() < 1e-13
    # over the overlap, cell by cell of the source: means of linear functions of which only a part is met
    assert abs(float(covered @ made.cells(load)[:, 0]) - float((made.shared @ load).sum())) < 0.05 * shift


@pytest.mark.parametrize("method", ["p1", "conservative", "moving-least-squares"])
def test_places_outside_are_an_error_where_that_is_wanted(method):
    old, new = square(10, "triangle", 0.3), square(14, "triangle", 0.3, seed=1)
    new = new.moved(new.points + 0.05)
    for field, what in ((Field(HEIGHT, old.points[:, 0]), "29 of 225 points"), (Field(LOAD, cell_centers(old)[:, 0], "cell"), "points lie outside")):
        with pytest.raises(FieldError, match=what):
            transfer(Case(old).with_fields(field), new, method=method, outside="error")
        assert np.isfinite(transfer(Case(old).with_fields(field), new, method=method).field(field.name).values).all()
    assert cell_measures(new).sum() == pytest.approx(1.0)


def test_points_without_cells_are_not_zero():
    old, new = square(6), square(4)
    loose = Mesh(np.concatenate([new.points, [[0.3, 0.7]]]), new.cells)
    case = Case(old).with_fields(Field(HEIGHT, 3.0 + old.points[:, 0]))
    assert transfer(case, loose, method="conservative").field("height").values[-1] == pytest.approx(3.3)
