"""Source panels with a lifting sheet: exact flow around a sphere, circulation of a wing, symmetry, what the leak tells."""

import numpy as np
import pytest

from geoop.errors import InvalidMeshError
from geoop.mesh.bodies import WingShape, superellipsoid, wing_body
from geoop.mesh.cells import Cells
from geoop.mesh.coarsen import with_faces
from geoop.mesh.mesh import Mesh
from geoop.mesh.orientation import reversed_cells
from geoop.mesh.triangulation import triangulated
from geoop.truth.panels3d.source_panels import SourcePanels
from geoop.truth.panels3d.system import PanelSystem

X, Z = np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])


def sphere(n):
    return superellipsoid((0.5, 0.5, 0.5), 1.0, 1.0, n)


def pressure_error(mesh):
    found = 1.0 - ((SourcePanels.of(mesh).vertex_velocity() @ X) ** 2).sum(axis=1)
    cosine = mesh.points[:, 0] / np.linalg.norm(mesh.points, axis=1)
    exact = 1.0 - 2.25 * (1.0 - cosine**2)
    return np.linalg.norm(found - exact) / np.linalg.norm(exact)


def test_pressure_on_a_sphere_converges():
    coarse, fine = pressure_error(sphere(6)), pressure_error(sphere(12))
    assert fine < 0.02 and coarse / fine > 2.5


def test_flow_away_from_a_sphere_is_that_of_a_doublet():
    points = np.array([[1.2, 0.3, 0.1], [0.0, 0.9, 0.2], [-2.0, 0.0, 0.5]])
    found = SourcePanels.of(sphere(12)).velocity(points) @ X
    r = np.linalg.norm(points, axis=1)[:, None]
    exact = X + 0.5**3 / 2.0 * (X / r**3 - 3.0 * points[:, :1] * points / r**5)
    assert np.abs(found - exact).max() < 2e-3


@pytest.fixture(scope="module")
def wing():
    return wing_body(WingShape(6.0, 1.0, section="2412"), 40, 16)


def test_circulation_of_a_wing_is_that_of_the_doublet_panels(wing):
    mesh, edge = wing
    stream = np.cos(np.radians(5.0)) * X + np.sin(np.radians(5.0)) * Z
    panels = SourcePanels.of(mesh)
    assert len(panels.edge) == len(edge)
    found, middle = panels.circulation @ stream, np.abs(PanelSystem(mesh, trailing_edge=edge).circulation_of @ stream)
    assert np.abs(found).max() == pytest.approx(middle.max(), rel=0.05)
    # every quad is cut along the same diagonal, which tells one side from the other: first order, 11 % with so few strips
    half = len(found) // 2
    assert found[1:half].sum() == pytest.approx(found[-half:-1].sum(), rel=0.15)


def test_without_a_trailing_edge_there_is_no_circulation(wing):
    panels = SourcePanels.of(wing[0], lifting=False)
    assert panels.sheet is None and not len(panels.circulation)
    assert not len(SourcePanels.of(sphere(6)).edge)


def test_the_leak_tells_triangles_that_do_not_resolve_the_flow(wing):
    def leak(mesh):
        return np.sqrt(X @ SourcePanels.of(mesh).leak() @ X)

    assert leak(sphere(12)) < 0.02
    assert leak(wing[0]) < 0.02
    # on fewer vertices, the two sides of the thin edge are cut into triangles that do not match
    assert leak(with_faces(wing_body(WingShape(6.0, 1.0, section="2412"), 80, 40)[0], 1000)) > 0.03


def test_limited_cuts_single_peaks_and_leaves_the_rest():
    panels = SourcePanels.of(sphere(6))
    velocity = np.tile(X, (len(panels.kernel.panels.points), 1))
    velocity[7] *= 10.0
    found = panels.limited(velocity)
    assert np.linalg.norm(found[7]) == pytest.approx(1.5) and np.array_equal(np.delete(found, 7, axis=0), np.delete(velocity, 7, axis=0))


def test_an_open_surface_has_a_flow_and_one_without_area_is_refused():
    mesh = sphere(6)
    kept = mesh.cells.take(np.arange(len(mesh.cells) - 5))
    assert np.isfinite(SourcePanels.of(mesh.submesh(kept)).velocity(np.array([[2.0, 0.0, 0.0]]))).all()
    with pytest.raises(InvalidMeshError, match="area"):
        SourcePanels.of(Mesh(np.zeros((3, 3)), Cells.of(triangle=np.array([[0, 1, 2]]))))


def test_facets_that_look_inwards_are_turned():
    mesh = sphere(6)
    which = np.random.default_rng(0).random(len(mesh.cells)) < 0.3
    turned = Mesh(mesh.points, reversed_cells(mesh.cells, which))
    assert SourcePanels.of(turned).vertex_velocity() == pytest.approx(SourcePanels.of(mesh).vertex_velocity(), abs=1e-9)


def test_a_trailing_edge_of_single_edges_carries_no_lift():
    mesh = sphere(6)
    cells = Cells.of(triangle=triangulated(mesh)[0])
    one = Mesh(mesh.points, reversed_cells(cells, np.arange(len(cells)) == 3))  # one of its edges looks like a trailing edge then
    solved = SourcePanels.of(one, outward=True)
    assert solved.sheet is None and np.isfinite(solved.vertex_velocity()).all()
