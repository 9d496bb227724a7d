"""The Monge-Ampere mover: identity, exact maps, what stays where, and what is refused."""

import numpy as np
import pytest
from fem_shapes import cube, square
from moving_shapes import interpolation_error, l_shape, plate, ring

from geoop.errors import ConfigurationError, FieldError, InvalidMeshError, PatchError
from geoop.interfaces.moving import Mover
from geoop.mesh.cells import Cells
from geoop.mesh.generate.disk import disk
from geoop.mesh.measure import cell_measures
from geoop.mesh.mesh import Mesh
from geoop.solve.monitors import FunctionMonitor, gradient_monitor, hessian_monitor
from geoop.solve.movers import monge_ampere
from geoop.solve.movers.monge_ampere import MongeAmpere
from geoop.solve.movers.tangling import Folding, inverted_cells
from geoop.solve.movers.variational import Variational


def tilted(points):
    """A density that depends on x alone: m = 1 + 4 x."""
    return 1.0 + 4.0 * points[:, 0]


@pytest.mark.parametrize("mesh", [square(9, seed=1), square(8, "quad"), disk(6), cube(4), cube(3, "pyramid")], ids=lambda m: m.name)
def test_a_constant_monitor_is_the_identity(mesh):
    moved = MongeAmpere().move(mesh, FunctionMonitor(lambda p: np.full(len(p), 1e-3)))
    assert moved.outcome.status == "converged"
    assert np.abs(moved.mesh.points - mesh.points).max() <= 1e-10


def test_a_density_of_one_coordinate_gives_the_map_in_one_dimension_with_order_above_three_halves():
    """On the square optimal transport of m(x) moves x alone, by the inverse of the integral of m."""
    errors = []
    for n in (8, 16, 32):
        mesh = square(n)
        points = MongeAmpere().move(mesh, FunctionMonitor(tilted)).mesh.points
        x = mesh.points[:, 0]
        exact = (np.sqrt(1.0 + 4.0 * 2.0 * x * 3.0) - 1.0) / 4.0
        errors.append(np.sqrt(np.mean((points - np.stack([exact, mesh.points[:, 1]], axis=1)) ** 2)))
    assert np.log2(np.array(errors[:-1]) / errors[1:]).min() > 1.5


def test_on_a_disk_the_nodes_tend_to_the_exact_radial_map():
    """m(r) = 1 / (0.2 + r^2): its integral over a disk is a logarithm."""
    errors = []
    for rings in (6, 12, 24):
        mesh = disk(rings)
        moved = MongeAmpere().move(mesh, FunctionMonitor(lambda p: 1.0 / (0.2 + (p**2).sum(axis=1))))
        r = np.linalg.norm(mesh.points, axis=1, keepdims=True)
        exact = np.sqrt(0.2 * (6.0 ** (r**2) - 1.0))
        target = mesh.points * np.divide(exact, r, out=np.ones_like(r), where=r > 0)
        errors.append(np.sqrt(((moved.mesh.points - target) ** 2).sum(axis=1).mean()))
        assert not inverted_cells(mesh, moved.mesh.points).any()
    assert np.log2(np.array(errors[:-1]) / errors[1:]).min() > 1.0


def test_points_of_patches_stay_on_them_and_corners_stay():
    mesh = square(16, seed=3)
    moved = MongeAmpere().move(mesh, FunctionMonitor(lambda p: 1.0 + 10.0 * np.exp(-30.0 * ((p - [0.2, 0.0]) ** 2).sum(axis=1)))).mesh
    for name, axis, level in (("left", 0, 0.0), ("right", 0, 1.0), ("bottom", 1, 0.0), ("top", 1, 1.0)):
        assert np.abs(moved.points[mesh.patch_points(name), axis] - level).max() < 1e-14
    corners = np.flatnonzero(((mesh.points == 0.0) | (mesh.points == 1.0)).all(axis=1))
    np.testing.assert_array_equal(moved.points[corners], mesh.points[corners])
    assert np.abs(moved.points - mesh.points)[mesh.patch_points("bottom"), 0].max() > 0.02
    assert moved.patches == mesh.patches
    assert moved.cells is mesh.cells


def test_points_on_a_curved_wall_stay_on_its_polyline_whatever_the_density():
    mesh = disk(10)
    moved = MongeAmpere().move(mesh, FunctionMonitor(lambda p: 1.0 + 5.0 * np.exp(-8.0 * ((p - [1.0, 0.0]) ** 2).sum(axis=1))))
    assert moved.outcome.ok
    wall = mesh.patch_points("boundary")
    ends = mesh.points[mesh.patches["boundary"].block("line")]
    step = ends[:, 1] - ends[:, 0]
    offset = moved.mesh.points[wall][:, None] - ends[None, :, 0]
    t = np.clip((offset * step).sum(axis=2) / (step**2).sum(axis=1), 0.0, 1.0)
    assert np.linalg.norm(offset - t[..., None] * step, axis=2).min(axis=1).max() < 1e-12
    assert np.abs(moved.mesh.points[wall] - mesh.points[wall]).max() > 0.05


@pytest.mark.parametrize(("width", "least"), [(0.05, 1.9), (0.02, 3.2)])
def test_the_hessian_monitor_lowers_the_interpolation_error_of_rings(width, least):
    mesh = square(40)
    field = lambda p: ring(p, width=width)  # noqa: E731
    moved = MongeAmpere().move(mesh, hessian_monitor(mesh, field(mesh.points)))
    assert moved.outcome.status == "converged"
    assert interpolation_error(mesh, field) / interpolation_error(moved.mesh, field) > least


@pytest.mark.parametrize("kind", ["hexahedron", "wedge", "pyramid", "mixed"])
def test_solids_move_without_folding_on_their_own_corners(kind):
    mesh = cube(7, kind)
    moved = MongeAmpere().move(mesh, FunctionMonitor(tilted))
    assert moved.outcome.ok
    assert not inverted_cells(mesh, moved.mesh.points).any()
    x = mesh.points[:, 0]
    exact = (np.sqrt(1.0 + 24.0 * x) - 1.0) / 4.0
    assert np.abs(moved.mesh.points[:, 0] - exact).max() < 0.2 * np.abs(x - exact).max()


def test_clockwise_cells_move_as_the_others():
    mesh = square(8)
    rows = np.array(mesh.cells.block("triangle"))
    rows[::3] = rows[::3, ::-1]
    turned = Mesh(mesh.points, Cells.of(triangle=rows))
    a, b = (MongeAmpere().move(m, FunctionMonitor(tilted)).mesh.points for m in (mesh, turned))
    np.testing.assert_allclose(a, b, atol=1e-12)


def test_few_steps_end_as_such_with_a_valid_mesh():
    mesh = square(20)
    moved = MongeAmpere(max_steps=1).move(mesh, FunctionMonitor(lambda p: 1.1 + np.sin(9.0 * p[:, 0]) * np.sin(7.0 * p[:, 1])))
    assert moved.outcome.status == "max_sweeps_reached"
    assert "max_steps" in moved.outcome.remedy
    assert not inverted_cells(mesh, moved.mesh.points).any()


def test_where_one_go_gets_stuck_powers_of_the_density_lead_on(monkeypatch):
    """Contrast 100 on an irregular mesh: masses are uneven by less than half of what they are without the stages."""
    mesh = square(60, seed=3)
    monitor = hessian_monitor(mesh, ring(mesh.points, width=0.02), strength=100.0)

    def unevenness():
        moved = MongeAmpere().move(mesh, monitor)
        assert not inverted_cells(mesh, moved.mesh.points).any()
        mass = monitor.at(moved.mesh.points[mesh.cells.block("triangle")].mean(axis=1)) * cell_measures(moved.mesh) / cell_measures(mesh)
        return mass.std() / mass.mean()

    staged = unevenness()
    monkeypatch.setattr(monge_ampere, "_UNEVEN", np.inf)
    assert staged < 0.6 * unevenness()


def test_harsh_monitors_fold_nothing_and_are_shared_where_the_mesh_can():
    """Strength 100 by the parabolic steps; a density that jumps tenfold ends short of even, and says so."""
    mesh = square(30, seed=3)
    front = np.tanh((mesh.points.sum(axis=1) - 1.0) / 0.05)
    moved = MongeAmpere().move(mesh, gradient_monitor(mesh, front, strength=100.0))
    assert moved.outcome.status == "converged"
    jump = MongeAmpere().move(mesh, FunctionMonitor(lambda p: np.where(p[:, 0] > 0.5, 10.0, 1.0)))
    assert jump.outcome.status == "stagnated"
    assert "the mesh is valid" in jump.outcome.remedy
    right = jump.mesh.points[:, 0] > 0.5
    assert right.mean() > 0.85  # 10 / 11 of the mass lies there
    for each in (moved, jump):
        assert not inverted_cells(mesh, each.mesh.points).any()


def test_where_every_step_folds_the_given_mesh_comes_back_as_tangled(monkeypatch):
    """A gate that lets nothing through stands for a mesh whose cells fold at the least movement."""
    mesh = square(6)
    own = Folding.inverted
    monkeypatch.setattr(Folding, "inverted", lambda self, p: own(self, p) if np.array_equal(p, mesh.points) else np.arange(72) < 3)
    for mover in (MongeAmpere(), Variational()):
        moved = mover.move(mesh, FunctionMonitor(tilted))
        assert moved.outcome.status == "tangled"
        assert moved.inverted == 3
        assert moved.mesh is mesh


@pytest.mark.parametrize("mesh", [l_shape(8), plate(8), plate(16, radius=0.01)], ids=["L", "hole", "pinhole"])
def test_regions_that_are_not_convex_are_refused_with_the_remedy(mesh):
    with pytest.raises(InvalidMeshError, match=r"(?s)not convex.*inside its convex hull.*remedy: take the variational mover"):
        MongeAmpere().move(mesh, FunctionMonitor(tilted))


def test_bad_input_is_named():
    mesh = square(4)
    before = mesh.content_hash
    with pytest.raises(FieldError, match=r"(?s)3 of 25 values are NaN or infinite; 2 of 25 values are zero or negative.*remedy"):
        MongeAmpere().move(mesh, FunctionMonitor(lambda p: np.array([np.nan, np.inf, -np.inf, 0.0, -1.0, *np.ones(20)])))
    with pytest.raises(FieldError, match=r"shape \(1,\) for 25 points"):
        MongeAmpere().move(mesh, FunctionMonitor(lambda p: np.ones(1)))
    folded = np.array(mesh.points)
    folded[12] = [2.0, 0.5]
    with pytest.raises(InvalidMeshError, match="4 facets have cells that overlap"):
        MongeAmpere().move(mesh.moved(folded), FunctionMonitor(tilted))
    folded[12] = folded[11]
    with pytest.raises(InvalidMeshError, match="2 of 32 cells are folded or flat before the move"):
        MongeAmpere().move(mesh.moved(folded), FunctionMonitor(tilted))
    baffle = Mesh(mesh.points, mesh.cells, {"baffle": Cells.of(line=np.array([[6, 12]]))})
    with pytest.raises(PatchError, match=r"'baffle' \(1 of 1 facets\)"):
        MongeAmpere().move(baffle, FunctionMonitor(tilted))
    with pytest.raises(InvalidMeshError, match="no cell of dimension 2"):
        MongeAmpere().move(Mesh(mesh.points), FunctionMonitor(tilted))
    with pytest.raises(ConfigurationError, match="max_steps 0"):
        MongeAmpere(max_steps=0)
    assert mesh.content_hash == before
    assert isinstance(MongeAmpere(), Mover)
