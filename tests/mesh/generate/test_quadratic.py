"""Quadratic cells: exact on straight shapes, order 4 on round ones, patches and zones kept, inverted cells refused."""

import numpy as np
import pytest

from geoop.errors import InvalidMeshError, PatchError
from geoop.mesh.cells import Cells
from geoop.mesh.generate.quadratic import quadratic
from geoop.mesh.measure import cell_measures, signed_measures
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import box, circle, icosphere


def to_circle(points):
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def disk(n, quads=False):
    """Rings of triangles (or of quads outside the first ring) round a point; patch ``rim``, zone ``core``."""
    angle = 2 * np.pi * np.arange(n) / n
    rings = n // 6
    points = [np.zeros((1, 2))] + [k / rings * np.stack([np.cos(angle), np.sin(angle)], axis=1) for k in range(1, rings + 1)]
    i, j = np.arange(n), np.roll(np.arange(n), -1)
    core = np.stack([0 * i, 1 + i, 1 + j], axis=1)
    sides = np.concatenate([np.stack([a + i, a + n + i, a + n + j, a + j], axis=1) for a in 1 + n * np.arange(rings - 1)])
    triangles = np.concatenate([sides[:, [0, 1, 2]], sides[:, [0, 2, 3]]])
    parts = [Cells.of(triangle=core), Cells.of(quad=sides) if quads else Cells.of(triangle=triangles)]
    rim = 1 + n * (rings - 1) + np.stack([i, j], axis=1)
    return Mesh(
        np.concatenate(points), Cells.concatenate(parts[::-1]), {"rim": Cells.of(line=rim)}, {"core": np.arange(len(parts[1]), len(parts[1]) + n)}
    )


def cube(n):
    """Six tetrahedra per small cube, all patches of the surface in one called ``wall``."""
    from itertools import permutations

    grid = np.stack(np.meshgrid(*[np.arange(n + 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    number = {tuple(p): k for k, p in enumerate(grid)}
    tetras = []
    for corner in np.ndindex(n, n, n):
        for order in permutations(range(3)):
            path = [np.array(corner)]
            for axis in order:
                path.append(path[-1] + np.eye(3, dtype=int)[axis])
            turn = np.linalg.det(np.eye(3)[list(order)]) > 0
            a, b, c, d = (number[tuple(p)] for p in path)
            tetras.append((a, b, c, d) if turn else (a, c, b, d))
    tetras = np.array(tetras)
    faces = tetras[:, [(0, 2, 1), (0, 1, 3), (1, 2, 3), (2, 0, 3)]].reshape(-1, 3)
    _, index, count = np.unique(np.sort(faces, axis=1), axis=0, return_index=True, return_counts=True)
    return Mesh(2 * grid / n - 1, Cells.of(tetra=tetras), {"wall": Cells.of(triangle=faces[index[count == 1]])})


def ball(level):
    """One tetrahedron from the middle to each triangle of an icosphere, patch ``wall``."""
    shell = icosphere(level)
    triangles = shell.cells.block("triangle") + 1
    tetras = np.concatenate([np.zeros((len(triangles), 1), int), triangles], axis=1)
    return Mesh(np.concatenate([np.zeros((1, 3)), shell.points]), Cells.of(tetra=tetras), {"wall": Cells.of(triangle=triangles)})


@pytest.mark.parametrize("quads", [False, True])
def test_area_of_a_disk_has_order_four(quads):
    error = [abs(cell_measures(quadratic(disk(n, quads), {"rim": to_circle})).sum() - np.pi) for n in (12, 24, 48, 96)]
    order = np.log2(np.array(error[:-1]) / error[1:])
    assert (order > 3.8).all()
    straight = abs(cell_measures(quadratic(disk(96, quads))).sum() - np.pi)
    assert straight > 1e3 * error[-1]


def test_volume_of_a_ball_has_order_four():
    error = [abs(cell_measures(quadratic(ball(n), {"wall": to_circle})).sum() / (4 / 3 * np.pi) - 1) for n in (1, 2, 3)]
    assert np.log2(error[0] / error[1]) > 3.8 and np.log2(error[1] / error[2]) > 3.8 and error[2] < 1e-5
    wall = quadratic(ball(2), {"wall": to_circle}).patch("wall")
    assert wall.cells.names == ["triangle6"]
    assert np.allclose(np.linalg.norm(wall.points, axis=1), 1, atol=1e-14)
    assert cell_measures(wall).sum() == pytest.approx(4 * np.pi, rel=1e-4)


@pytest.mark.parametrize("quads", [False, True])
def test_points_patches_zones_and_order_are_kept(quads):
    mesh = disk(24, quads)
    out = quadratic(mesh, {"rim": to_circle})
    assert np.array_equal(out.points[: len(mesh.points)], mesh.points)
    assert np.array_equal(out.zones["core"], mesh.zones["core"])
    kin = {5: 22, 9: 28}
    assert [kin[int(code)] for code in mesh.cells.types] == list(out.cells.types)
    for before, after in zip(mesh.cells, out.cells, strict=True):
        assert np.array_equal(after[: len(before)], before)
        middle = (mesh.points[before] + mesh.points[np.roll(before, -1)]) / 2
        assert np.abs(out.points[after[len(before) : 2 * len(before)]] - middle).max() < (np.pi / 24) ** 2
    assert out.patches["rim"].names == ["line3"]
    assert np.array_equal(out.patches["rim"].block("line3")[:, :2], mesh.patches["rim"].block("line"))
    assert np.allclose(np.linalg.norm(out.points[out.patches["rim"].connectivity], axis=1), 1, atol=1e-15)
    used = np.unique(out.cells.connectivity)
    assert np.array_equal(used, np.arange(len(out.points)))  # no point is left over, none is doubled
    assert len(np.unique(out.points.round(12), axis=0)) == len(out.points)


def test_straight_cells_keep_their_measure():
    for mesh in (disk(24), disk(24, quads=True), cube(2)):
        assert np.allclose(signed_measures(quadratic(mesh)), signed_measures(mesh), rtol=1e-13)


def test_an_outline_and_a_surface():
    out = quadratic(circle(16), {"wall": to_circle})
    assert out.cells.names == ["line3"] and cell_measures(out).sum() == pytest.approx(2 * np.pi, rel=1e-4)
    assert np.array_equal(out.patches["wall"].connectivity, out.cells.connectivity)
    quads = quadratic(box(divisions=2))
    assert quads.cells.names == ["quad9"] and cell_measures(quads).sum() == pytest.approx(6)
    assert np.unique(quads.patches["z_max"].connectivity).size == 25
    assert np.allclose(quads.points[np.unique(quads.patches["z_max"].connectivity), 2], 1)


def test_cells_turned_inside_out_are_refused():
    with pytest.raises(InvalidMeshError, match="12 quadratic cells are turned inside out"):
        quadratic(disk(12), {"rim": lambda p: -to_circle(p)})
    for mesh in (disk(48), disk(48, quads=True), ball(1)):
        with pytest.raises(InvalidMeshError, match="turned inside out, first near"):
            quadratic(mesh, {name: lambda p: 0.4 * p for name in mesh.patches})
    clockwise = Mesh(np.array([[0.0, 0], [1, 0], [0, 1]]), Cells.of(triangle=np.array([[0, 2, 1]])))
    with pytest.raises(InvalidMeshError, match="1 quadratic cells"):
        quadratic(clockwise)


def test_bad_input():
    mesh = disk(12)
    with pytest.raises(PatchError, match="no patch 'wall', 'inlet'"):
        quadratic(mesh, {"wall": to_circle, "inlet": to_circle})
    with pytest.raises(InvalidMeshError, match="not finite"):
        quadratic(mesh, {"rim": lambda p: p * np.nan})
    with pytest.raises(InvalidMeshError, match=r"shape \(3,\)"):
        quadratic(mesh, {"rim": lambda p: np.zeros(3)})
    with pytest.raises(InvalidMeshError, match="triangle6 cells cannot be raised"):
        quadratic(quadratic(mesh))
