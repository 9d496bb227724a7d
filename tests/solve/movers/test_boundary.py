"""What points of a boundary slide on: corners, patches, curves, faces and their edges."""

import numpy as np
import pytest
from fem_shapes import cube, square
from moving_shapes import l_shape, plate

from geoop.errors import PatchError
from geoop.mesh.cells import Cells
from geoop.mesh.generate.disk import disk
from geoop.mesh.mesh import Mesh
from geoop.solve.movers.boundary import Boundary


@pytest.mark.parametrize(
    ("mesh", "fixed", "curves", "closed"), [(square(4), 4, 4, 0), (l_shape(4), 6, 6, 0), (plate(8), 4, 5, 1), (disk(5), 0, 1, 1)], ids=str
)
def test_parts_of_plane_boundaries(mesh, fixed, curves, closed):
    boundary = Boundary.of(mesh)
    assert (len(boundary.fixed), len(boundary.curves), sum(c.closed for c in boundary.curves)) == (fixed, curves, closed)


def test_the_end_of_a_patch_on_a_straight_side_and_points_without_a_cell_stay():
    mesh = square(4)
    half = mesh.patches["bottom"].take(np.arange(2))
    patched = Mesh(np.concatenate([mesh.points, [[5.0, 5.0]]]), mesh.cells, {"inlet": half})
    fixed = Boundary.of(patched).fixed
    assert {tuple(p) for p in patched.points[fixed]} == {(0, 0), (1, 0), (1, 1), (0, 1), (0.5, 0), (5, 5)}


@pytest.mark.parametrize("kind", ["hexahedron", "wedge", "pyramid"])
def test_a_cube_has_eight_corners_twelve_edges_and_six_faces(kind):
    boundary = Boundary.of(cube(3, kind))
    assert (len(boundary.fixed), len(boundary.curves), len(boundary.sheets)) == (8, 12, 6)
    assert all(sheet.plane for sheet in boundary.sheets)
    assert all(curve.straight for curve in boundary.curves)


def test_points_put_back_lie_on_their_parts_and_points_there_stay():
    rng = np.random.default_rng(0)
    for mesh in (square(5, seed=0), cube(3)):
        boundary = Boundary.of(mesh)
        np.testing.assert_allclose(boundary.onto(mesh.points), mesh.points, atol=1e-15)
        shaken = boundary.onto(mesh.points + 0.05 * rng.normal(size=mesh.points.shape))
        for level in (0.0, 1.0):
            on = np.abs(mesh.points - level) < 1e-12
            assert np.abs(shaken[on] - level).max() < 1e-14
        np.testing.assert_array_equal(shaken[boundary.fixed], mesh.points[boundary.fixed])
        free = np.abs(shaken - mesh.points).max(axis=1) > 0
        assert free.sum() == len(mesh.points) - len(boundary.fixed)


@pytest.mark.parametrize("mesh", [square(4), plate(8), cube(3)], ids=["square", "plate", "cube"])
def test_directions_are_the_derivative_of_places(mesh):
    boundary, rng = Boundary.of(mesh), np.random.default_rng(1)
    free = 1e-3 * np.abs(rng.normal(size=boundary.n_free))
    step = rng.normal(size=boundary.n_free)
    difference = (boundary.place(free + 1e-7 * step) - boundary.place(free - 1e-7 * step)) / 2e-7
    np.testing.assert_allclose(difference.ravel(), boundary.directions(free) @ step, atol=1e-6)
    np.testing.assert_allclose(boundary.place(np.zeros(boundary.n_free)), mesh.points, atol=1e-15)


def test_points_on_a_ball_slide_on_its_triangles():
    """Tetrahedra from the middle of a ball to its surface: one curved face without corners."""
    from geoop.mesh.primitives import icosphere

    surface = icosphere(2)
    rows = surface.cells.block("triangle")
    centre = len(surface.points)
    cells = Cells.of(tetra=np.column_stack([rows, np.full(len(rows), centre)]))
    mesh = Mesh(np.concatenate([surface.points, [[0.0, 0, 0]]]), cells, {"skin": Cells.of(triangle=rows)})
    boundary = Boundary.of(mesh)
    assert (len(boundary.fixed), len(boundary.curves), len(boundary.sheets)) == (0, 0, 1)
    moved = boundary.place(0.05 * np.random.default_rng(2).normal(size=boundary.n_free))
    radius = np.linalg.norm(moved[:centre], axis=1)
    inner = np.linalg.norm(surface.points[rows].mean(axis=1), axis=1).min()
    assert (radius <= 1.0 + 1e-12).all()
    assert (radius >= inner - 1e-12).all()
    assert np.abs(moved[:centre] - surface.points).max() > 0.02


def test_patches_inside_are_all_named():
    mesh = square(4)
    patches = {"slit": Cells.of(line=np.array([[6, 7]])), "gap": Cells.of(line=np.array([[7, 12], [0, 5]])), "left": mesh.patches["left"]}
    with pytest.raises(PatchError, match=r"'slit' \(1 of 1 facets\), 'gap' \(1 of 2 facets\)"):
        Boundary.of(Mesh(mesh.points, mesh.cells, patches))
