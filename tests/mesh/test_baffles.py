import numpy as np
import pytest

from geoop.mesh.baffles import two_sided
from geoop.mesh.cells import Cells
from geoop.mesh.distance import signed_distance
from geoop.mesh.measure import area_vectors
from geoop.mesh.mesh import Mesh
from geoop.mesh.orientation import oriented, reversed_cells
from geoop.mesh.primitives import box, icosphere
from geoop.mesh.quality import mesh_report
from geoop.mesh.repair import repair
from geoop.mesh.topology import welded


def both(cells: Cells) -> Cells:
    """The facets and their backs."""
    return Cells.concatenate([cells, reversed_cells(cells, np.ones(len(cells), dtype=bool))])


def plate(n: int = 4, start: int = 0) -> tuple[np.ndarray, Cells]:
    """A square fin of n x n quads in the plane y = 0.5, from z = 1 up."""
    x, z = np.meshgrid(np.linspace(0, 1, n + 1), 1 + np.linspace(0, 1, n + 1), indexing="ij")
    number = start + np.arange((n + 1) ** 2).reshape(n + 1, n + 1)
    quads = np.stack([a.ravel() for a in (number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:])], axis=1)
    return np.stack([x.ravel(), np.full(x.size, 0.5), z.ravel()], axis=1), Cells.of(quad=quads)


def finned_box() -> Mesh:
    """A box with a two-sided fin on its lid: edges of the fin's root are edges of the lid."""
    body = box(divisions=4)
    points, cells = plate(start=len(body.points))
    return Mesh(np.concatenate([body.points, points]), Cells.concatenate([body.cells, both(cells)]), name="finned")


def test_a_fin_is_a_baffle_and_no_fault():
    mesh = finned_box()
    marked = two_sided(mesh.cells, welded(mesh.points))
    assert marked.sum() == 32 and not marked[: len(mesh.cells) - 32].any()
    report = mesh_report(mesh)
    assert report.baffle_facets == 32 and report.repeated_cells == 0 and report.non_manifold_edges == 0
    assert report.closed and report.oriented and report.enclosed == pytest.approx(1.0)


def test_a_repair_keeps_both_sides():
    mesh = repair(finned_box()).mesh
    assert len(mesh.cells) == len(finned_box().cells)
    np.testing.assert_allclose(mesh_report(mesh).measure, 6 + 2)


def test_a_free_sheet_is_a_baffle_and_its_sides_cancel():
    points, cells = plate()
    sheet = Mesh(points, both(cells))
    assert two_sided(sheet.cells, welded(points)).all()
    assert mesh_report(sheet).closed and mesh_report(sheet).repeated_cells == 0


@pytest.mark.parametrize("share", [0.02, 0.3])
def test_turned_repetitions_on_a_closed_body_are_faults(share):
    ball = icosphere(3)
    chosen = np.flatnonzero(np.random.default_rng(0).random(len(ball.cells)) < share)
    again = reversed_cells(ball.cells.take(chosen), np.ones(len(chosen), dtype=bool))
    mesh = Mesh(ball.points, Cells.concatenate([ball.cells, again]))
    assert not two_sided(mesh.cells, welded(mesh.points)).any()
    assert mesh_report(mesh).repeated_cells == len(chosen)
    assert len(repair(mesh).mesh.cells) == len(ball.cells)


def test_a_body_repeated_inside_out_is_a_fault():
    ball = icosphere(2)
    mesh = Mesh(ball.points, both(ball.cells))
    assert not two_sided(mesh.cells, welded(mesh.points)).any()
    assert mesh_report(repair(mesh).mesh).enclosed == pytest.approx(mesh_report(ball).enclosed)


def test_numbering_and_first_corners_do_not_matter():
    mesh = finned_box()
    rng = np.random.default_rng(3)
    order = rng.permutation(len(mesh.cells))
    turned = np.array([np.roll(row, rng.integers(4)) for row in mesh.cells.block("quad")])
    shuffled = Cells.of(quad=turned).take(order)
    assert np.array_equal(two_sided(shuffled, welded(mesh.points)), two_sided(mesh.cells, welded(mesh.points))[order])


def test_the_sign_of_distances_ignores_baffles():
    mesh = finned_box()
    points = np.random.default_rng(0).uniform(-0.5, 2.0, (2000, 3))
    inside = ((points > 0) & (points < 1)).all(axis=1)
    assert np.array_equal(signed_distance(mesh, points).distance < 0, inside)


def test_orienting_keeps_the_sides_of_a_baffle_in_their_patches():
    """Front and back have the same points: each patch keeps its own side, and forces on both cancel."""
    mesh = finned_box()
    n = len(mesh.cells)
    front, back = (mesh.cells.take(np.arange(start, start + 16)) for start in (n - 32, n - 16))
    turned = reversed_cells(mesh.cells, np.arange(n) < n - 32)  # the box inside out, so that something is turned
    found = oriented(Mesh(mesh.points, turned, {"front": front, "back": back}))
    areas = {name: area_vectors(found.patch(name)).sum(axis=0) for name in found.patches}
    np.testing.assert_allclose(areas["front"], -areas["back"])
    assert abs(areas["front"][1]) == pytest.approx(1.0)


def test_nothing_to_mark():
    assert not two_sided(Cells.empty(), np.arange(0)).size
    assert not two_sided(Cells.of(line=np.array([[0, 1], [1, 0]])), np.arange(2)).any()
