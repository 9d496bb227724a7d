"""Measures of shape: one for the ideal cell, exact on known cells, blind to motion and scale, equal to VTK's own."""

import numpy as np
import pytest

from geoop.mesh.cell_quality import LARGE_IS_BAD, cell_quality, degenerate_cells, face_quality, quality_summaries
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import icosphere
from tests.mesh.cell_zoo import UNIT_CELLS, cell_mesh

H = np.sqrt(3) / 2
_TRIANGLE = [(0, 0), (1, 0), (0.5, H)]
_SQUARE = [(0, 0), (1, 0), (1, 1), (0, 1)]
IDEAL = {
    "triangle": [(*p, 0) for p in _TRIANGLE],
    "quad": [(*p, 0) for p in _SQUARE],
    "polygon": [(np.cos(t), np.sin(t), 0) for t in np.arange(6) * np.pi / 3],
    "tetra": [(0, 0, 0), (1, 0, 0), (0.5, H, 0), (0.5, H / 3, np.sqrt(2 / 3))],
    "hexahedron": [(*p, z) for z in (0, 1) for p in _SQUARE],
    "wedge": [(*p, z) for z in (0, 1) for p in _TRIANGLE],
    "pyramid": [(*p, 0) for p in _SQUARE] + [(0.5, 0.5, np.sqrt(0.5))],
}
BEST = {"aspect ratio": 1.0, "scaled Jacobian": 1.0, "mean ratio": 1.0, "skewness": 0.0, "warpage": 0.0}


def measures(name: str, nodes) -> dict[str, float]:
    return {key: float(values[0]) for key, values in cell_quality(cell_mesh(name, np.asarray(nodes, dtype=float)))[name].items()}


def distorted(name: str, seed: int, amount: float = 0.12) -> np.ndarray:
    x = np.array(IDEAL[name], dtype=float)
    return x + amount * np.random.default_rng(seed).normal(size=x.shape)


@pytest.mark.parametrize("name", IDEAL)
def test_the_ideal_cell_has_the_best_value_of_every_measure(name):
    found = measures(name, IDEAL[name])
    for key, value in found.items():
        if key in BEST:
            np.testing.assert_allclose(value, BEST[key], atol=1e-12, err_msg=key)
    corner = {"triangle": 60, "quad": 90, "polygon": 120}.get(name)
    if corner:
        np.testing.assert_allclose([found["min angle [deg]"], found["max angle [deg]"]], corner)
    if name == "tetra":
        np.testing.assert_allclose(found["min dihedral [deg]"], np.degrees(np.arccos(1 / 3)))


@pytest.mark.parametrize("name", IDEAL)
@pytest.mark.parametrize("seed", range(3))
def test_a_distorted_cell_is_worse_and_motion_and_scale_change_nothing(name, seed):
    x = distorted(name, seed)
    rng = np.random.default_rng(seed)
    q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    q *= np.linalg.det(q)
    before, after = measures(name, x), measures(name, 1e-3 * (x @ q.T + 5))
    for key, value in before.items():
        np.testing.assert_allclose(value, after[key], rtol=1e-8, atol=1e-9, err_msg=key)
        if key in BEST:
            assert value > BEST[key] if key in LARGE_IS_BAD else value < BEST[key]


def test_known_cells():
    right = measures("triangle", [(0, 0, 0), (3, 0, 0), (0, 4, 0)])
    np.testing.assert_allclose(right["min angle [deg]"], np.degrees(np.arctan2(3, 4)))
    np.testing.assert_allclose(right["max angle [deg]"], 90)
    np.testing.assert_allclose(right["aspect ratio"], 5 * 12 / (4 * np.sqrt(3) * 6))
    np.testing.assert_allclose(right["scaled Jacobian"], 2 / np.sqrt(3) * 12 / 20)
    slab = measures("quad", [(0, 0, 0), (5, 0, 0), (5, 1, 0), (0, 1, 0)])
    np.testing.assert_allclose([slab["aspect ratio"], slab["scaled Jacobian"]], [5 * 12 / 20, 1])
    dart = measures("quad", [(0, 0, 0), (2, 0, 0), (0.5, 0.5, 0), (0, 2, 0)])
    assert dart["max angle [deg]"] > 180 and dart["scaled Jacobian"] < 0
    angles = [dart[key] for key in ("min angle [deg]", "max angle [deg]")]
    np.testing.assert_allclose(angles, [np.degrees(np.arctan2(1, 3)), 270 - 2 * np.degrees(np.arctan2(1, 3))])
    brick = measures("hexahedron", np.array(IDEAL["hexahedron"]) * [1, 2, 10])
    np.testing.assert_allclose([brick["aspect ratio"], brick["scaled Jacobian"], brick["skewness"]], [10, 1, 0], atol=1e-12)
    sheared = measures("hexahedron", np.array(IDEAL["hexahedron"]) @ np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1]]))
    np.testing.assert_allclose([sheared["skewness"], sheared["scaled Jacobian"]], np.sqrt(0.5))
    corner = measures("tetra", [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)])
    np.testing.assert_allclose(corner["mean ratio"], 12 * 0.5 ** (2 / 3) / 9)
    np.testing.assert_allclose(corner["min dihedral [deg]"], np.degrees(np.arccos(1 / np.sqrt(3))))
    np.testing.assert_allclose(corner["scaled Jacobian"], np.sqrt(2) / 2)


def test_warpage_is_the_height_over_the_mean_plane():
    for name, n in (("quad", 4), ("polygon", 8)):
        angle = 2 * np.pi * np.arange(n) / n
        nodes = np.stack([np.cos(angle), np.sin(angle), 0.1 * (-1.0) ** np.arange(n)], axis=1)
        area = 0.5 * n * np.sin(2 * np.pi / n)
        np.testing.assert_allclose(measures(name, nodes)["warpage"], 0.1 / np.sqrt(area))


@pytest.mark.parametrize("name", ["triangle", "quad", "tetra", "hexahedron"])
def test_mirrored_cells_are_negative_in_their_own_dimension(name):
    x = np.array(IDEAL[name], dtype=float)[:, : 3 if name in ("tetra", "hexahedron") else 2]
    found = cell_quality(cell_mesh(name, x * ([-1, 1, 1] if x.shape[1] == 3 else [-1, 1])))[name]
    np.testing.assert_allclose(found["scaled Jacobian"], -1)


@pytest.mark.parametrize("seed", range(3))
def test_a_tetra_is_the_same_in_any_even_numbering(seed):
    x = distorted("tetra", seed, 0.3)
    expected = measures("tetra", x)
    for order in ([1, 2, 0, 3], [0, 2, 3, 1], [3, 2, 1, 0], [1, 0, 3, 2]):
        for key, value in measures("tetra", x[order]).items():
            np.testing.assert_allclose(value, expected[key], err_msg=key)


def test_dihedrals_of_a_tetra_against_the_angle_between_planes_through_an_edge():
    x = distorted("tetra", 7, 0.3)
    angles = []
    for i, j in ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)):
        k, m = (n for n in range(4) if n not in (i, j))
        along = (x[j] - x[i]) / np.linalg.norm(x[j] - x[i])
        u, v = (x[n] - x[i] - ((x[n] - x[i]) @ along) * along for n in (k, m))
        angles.append(np.degrees(np.arccos(u @ v / np.linalg.norm(u) / np.linalg.norm(v))))
    np.testing.assert_allclose(measures("tetra", x)["min dihedral [deg]"], min(angles))


VTK = {
    "triangle": {
        "scaled_jacobian": "scaled Jacobian",
        "aspect_ratio": "aspect ratio",
        "min_angle": "min angle [deg]",
        "max_angle": "max angle [deg]",
    },
    "quad": {"scaled_jacobian": "scaled Jacobian", "aspect_ratio": "aspect ratio", "min_angle": "min angle [deg]", "max_angle": "max angle [deg]"},
    "tetra": {"scaled_jacobian": "scaled Jacobian"},
    "hexahedron": {"scaled_jacobian": "scaled Jacobian", "skew": "skewness", "max_edge_ratio": "aspect ratio"},
}


@pytest.mark.parametrize("name", VTK)
def test_equal_to_the_measures_of_vtk(name):
    import pyvista as pv

    x = np.stack([distorted(name, seed) for seed in range(8)])
    index = np.arange(x.shape[0] * x.shape[1]).reshape(x.shape[:2])
    code = {"triangle": 5, "quad": 9, "tetra": 10, "hexahedron": 12}[name]
    grid = pv.UnstructuredGrid({code: index}, x.reshape(-1, 3))
    own = cell_quality(Mesh(x.reshape(-1, 3), Cells.of({name: index})))[name]
    for theirs, ours in VTK[name].items():
        np.testing.assert_allclose(own[ours], grid.cell_quality([theirs])[theirs], rtol=1e-9, err_msg=ours)


@pytest.mark.parametrize("name", ["triangle6", "quad8", "quad9", "tetra10", "hexahedron20"])
def test_quadratic_cells_count_with_their_corners(name):
    nodes, _ = UNIT_CELLS[name]
    linear = "hexahedron" if name.startswith("hexa") else name.rstrip("0123456789")
    n = {"triangle": 3, "quad": 4, "tetra": 4, "hexahedron": 8}[linear]
    one, two = cell_quality(cell_mesh(name, nodes))[name], cell_quality(cell_mesh(linear, nodes[:n]))[linear]
    assert one == two and one


def test_wedges_of_either_numbering_are_good():
    x = np.array(IDEAL["wedge"], dtype=float)
    np.testing.assert_allclose(measures("wedge", x)["scaled Jacobian"], measures("wedge", x[[3, 4, 5, 0, 1, 2]])["scaled Jacobian"])


def test_cells_without_area_are_undefined_not_good():
    mesh = Mesh(np.array([(0.0, 0, 0), (1, 0, 0), (2, 0, 0), (0, 1, 0)]), Cells.of(triangle=np.array([[0, 1, 2], [0, 1, 3]])))
    np.testing.assert_array_equal(degenerate_cells(mesh), [True, False])
    aspect = next(item for item in quality_summaries(mesh) if item.measure == "aspect ratio")
    assert (aspect.count, aspect.undefined) == (2, 1) and np.isfinite(aspect.worst)
    none = quality_summaries(Mesh(np.zeros((3, 3)), Cells.of(triangle=np.array([[0, 1, 2]]))))
    assert any(item.minimum is None and item.undefined == 1 for item in none)


def grid(n: int, dimension: int) -> tuple[np.ndarray, Cells]:
    """A box of n^d bricks."""
    axis = np.arange(n + 1.0)
    points = np.stack(np.meshgrid(*[axis] * dimension, indexing="ij"), axis=-1).reshape(-1, dimension)
    number = np.arange((n + 1) ** dimension).reshape([n + 1] * dimension)
    if dimension == 2:
        corners = [number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]]
        return points, Cells.of(quad=np.stack(corners, axis=-1).reshape(-1, 4))
    rings = [[number[a:b, c:d, e:f] for a, b, c, d in _RING] for e, f in ((None, -1), (1, None))]
    return points, Cells.of(hexahedron=np.stack(rings[0] + rings[1], axis=-1).reshape(-1, 8))


_RING = ((None, -1, None, -1), (1, None, None, -1), (1, None, 1, None), (None, -1, 1, None))


@pytest.mark.parametrize("dimension", [2, 3])
def test_faces_of_bricks_are_orthogonal_and_those_of_sheared_bricks_lean(dimension):
    points, cells = grid(3, dimension)
    for shear in (0.0, 0.5, 1.0):
        moved = points.copy()
        moved[:, 0] += shear * points[:, 1]
        found = face_quality(Mesh(moved, cells))
        angle = np.degrees(np.arctan(shear))
        per_direction = 2 * 3 ** (dimension - 1)
        lean = np.concatenate([np.full(2 * per_direction, angle), np.zeros((dimension - 2) * per_direction)])
        np.testing.assert_allclose(np.sort(found["non-orthogonality [deg]"]), np.sort(lean), atol=1e-5)
        np.testing.assert_allclose(found["face skewness"], 0, atol=1e-12)


def test_skewness_of_two_shifted_trapezia():
    points = np.array([(0.0, 0), (1, 0), (2, 0), (2, 2), (1, 1), (0, 2)])
    mesh = Mesh(points, Cells.of(quad=np.array([[0, 1, 4, 5], [1, 2, 3, 4]])))
    found = face_quality(mesh)
    centre = 7 / 9  # height of the centroid of a trapezium with sides 2 and 1: (4 + 2 + 1) / (3 * 3)
    np.testing.assert_allclose(found["face skewness"], [(centre - 0.5) / 0.5], rtol=1e-12)
    np.testing.assert_allclose(found["non-orthogonality [deg]"], 0, atol=1e-5)


def test_surfaces_and_single_cells_have_no_interior_faces():
    assert face_quality(icosphere(1)) == {}
    assert face_quality(cell_mesh("tetra", UNIT_CELLS["tetra"][0])) == {}


def test_lines_and_clouds_have_no_measure():
    assert cell_quality(Mesh(np.random.default_rng(0).random((4, 3)))) == {}
    assert quality_summaries(Mesh([[0.0, 0], [1, 0]], Cells.of(line=np.array([[0, 1]])))) == ()


def test_wedges_stay_within_one_and_minus_one():
    rng = np.random.default_rng(0)
    x = np.array(IDEAL["wedge"], dtype=float) + rng.normal(scale=0.6, size=(400, 6, 3))
    mesh = Mesh(x.reshape(-1, 3), Cells.of(wedge=np.arange(2400).reshape(-1, 6)))
    values = cell_quality(mesh)["wedge"]["scaled Jacobian"]
    assert values.min() == -1.0 and values.max() <= 1.0


@pytest.mark.filterwarnings("error")
def test_a_wedge_without_volume_is_undefined_and_warns_of_nothing():
    flat = Mesh(np.zeros((6, 3)), Cells.of(wedge=np.arange(6)[None]))
    assert np.isnan(cell_quality(flat)["wedge"]["scaled Jacobian"]).all()
