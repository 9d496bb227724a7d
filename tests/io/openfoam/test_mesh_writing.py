"""Meshes as polyMesh: every bit of the points, cells that close, faces in the order of the solvers, and OpenFOAM's own word for it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import Delaunay

import geoop
from geoop.errors import ConfigurationError, InvalidMeshError
from geoop.io.openfoam.mesh_writing import FRONT_AND_BACK, REST, extruded, poly_mesh_of, write_poly_mesh
from geoop.io.openfoam.poly_mesh import PolyMesh
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.generate.ogrid import ogrid
from geoop.mesh.measure import cell_measures
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import circle, icosphere
from geoop.mesh.straight import straightened


def prism_and_friends() -> Mesh:
    """A hexahedron with a pyramid on top, a wedge beside it and a tetrahedron on the pyramid: every fixed shape, sharing faces."""
    points = np.array(
        [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1], [0.5, 0.5, 2], [2, 0, 0.5], [2, 1, 0.5]]
    )
    points = np.concatenate([points, [[1.5, 0.5, 2.5]]]) * np.pi  # numbers with all their bits in use
    cells = Cells.of(
        hexahedron=np.array([[0, 1, 2, 3, 4, 5, 6, 7]]),
        pyramid=np.array([[4, 5, 6, 7, 8]]),
        wedge=np.array([[1, 9, 5, 2, 10, 6]])[:, [0, 2, 1, 3, 5, 4]],
        tetra=np.array([[5, 6, 8, 11]]),
    )
    patches = {"floor": Cells.of(quad=np.array([[0, 3, 2, 1]])), "tip": Cells.of(triangle=np.array([[5, 11, 6], [6, 11, 8]]))}
    return Mesh(points, cells, patches, {"high": np.array([1, 3])}, name="friends")


def hexagons() -> Mesh:
    """Polygons of five and six corners beside triangles and a quad: a plane mesh that extrudes to polyhedra."""
    angle = np.arange(6) * np.pi / 3
    points = np.concatenate([np.stack([np.cos(angle), np.sin(angle)], 1), [[2.0, 0.1], [1.6, 1.2], [0.1, 1.8]]])
    rows = [[0, 1, 2, 3, 4, 5], [0, 6, 7, 1], [1, 7, 8, 2]]
    polygons = Cells.ragged("polygon", rows[:1])
    return Mesh(
        points, Cells.concatenate([polygons, Cells.of(quad=np.array(rows[1:]))]), {"rim": Cells.of(line=np.array([[3, 4], [4, 5]]))}, name="hexagons"
    )


def squares(n: int = 4) -> Mesh:
    """A rectangle of quadrilaterals with its four sides as patches."""
    x, y = np.meshgrid(np.linspace(0, 1, n + 1), np.linspace(0, 2, n + 1) ** 1.3, indexing="ij")
    index = np.arange((n + 1) ** 2).reshape(n + 1, n + 1)
    quads = np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], axis=2).reshape(-1, 4)
    sides = {"left": index[0], "right": index[-1], "bottom": index[:, 0], "top": index[:, -1]}
    patches = {name: Cells.of(line=np.stack([row[:-1], row[1:]], axis=1)) for name, row in sides.items()}
    return Mesh(np.stack([x.ravel(), y.ravel()], 1), Cells.of(quad=quads), patches, {"first": np.arange(n)}, name="squares")


def cuboid(n: int = 3) -> Mesh:
    """A cuboid of hexahedra with two of its sides as patches."""
    axes = np.meshgrid(np.linspace(0, 1, n + 1), np.linspace(0, 2, n + 1), np.linspace(0, 3, n + 1), indexing="ij")
    i = np.arange((n + 1) ** 3).reshape(n + 1, n + 1, n + 1)
    low, high = slice(None, -1), slice(1, None)
    corners = [
        (low, low, low),
        (high, low, low),
        (high, high, low),
        (low, high, low),
        (low, low, high),
        (high, low, high),
        (high, high, high),
        (low, high, high),
    ]
    hexes = np.stack([i[corner] for corner in corners], axis=3).reshape(-1, 8)
    faces = {
        name: np.stack([side[:-1, :-1], side[:-1, 1:], side[1:, 1:], side[1:, :-1]], axis=2).reshape(-1, 4)
        for name, side in (("in", i[0]), ("out", i[-1]))
    }
    return Mesh(np.stack([axis.ravel() for axis in axes], 1), Cells.of(hexahedron=hexes), {name: Cells.of(quad=rows) for name, rows in faces.items()})


MESHES = {
    "shapes": prism_and_friends,
    "cuboid": cuboid,
    "squares": squares,
    "o-grid": lambda: ogrid(circle(100, 0.5), n_wall=40, n_normal=15, first_height=0.01),
    "polygons": hexagons,
}


def case_folder(root: Path, mesh: Mesh, **options) -> PolyMesh:
    made = write_poly_mesh(mesh, root / "constant" / "polyMesh", **options)
    (root / "system").mkdir(exist_ok=True)
    (root / "system" / "controlDict").write_text(
        "FoamFile { version 2.0; format ascii; class dictionary; object controlDict; }\napplication simpleFoam;\n"
    )
    return made


def face_vectors(made: PolyMesh) -> tuple[np.ndarray, np.ndarray]:
    """(f, 3) area vectors and (f, 3) centres, by fans of triangles from the mean of the corners."""
    vectors, centres = [], []
    for a, b in zip(made.offsets[:-1], made.offsets[1:], strict=True):
        ring = made.points[made.connectivity[a:b]]
        fan = ring - ring.mean(0)
        vectors.append(0.5 * np.cross(fan, np.roll(fan, -1, axis=0)).sum(0))
        centres.append(ring.mean(0))
    return np.array(vectors), np.array(centres)


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
@pytest.mark.parametrize("name", MESHES)
def test_what_is_written_is_read_again(tmp_path, name, binary):
    mesh = MESHES[name]()
    solid = mesh if mesh.dimension == 3 else extruded(mesh, 0.37)
    case_folder(tmp_path, mesh, binary=binary, thickness=0.37)
    again = geoop.read(tmp_path)
    assert np.array_equal(again.points, solid.points)
    assert np.array_equal(again.cells.types, solid.cells.types)
    assert [sorted(cell) for cell in again.cells] == [sorted(cell) for cell in solid.cells]
    assert np.allclose(cell_measures(again), cell_measures(solid), rtol=1e-12)
    for patch, facets in solid.patches.items():
        assert [sorted(facet) for facet in again.patches[patch]] == [sorted(facet) for facet in facets]
    assert {key: list(index) for key, index in again.zones.items()} == {key: list(index) for key, index in solid.zones.items()}


@pytest.mark.parametrize("name", MESHES)
def test_faces_are_in_upper_triangular_order_and_close_every_cell(name):
    made = poly_mesh_of(MESHES[name]())
    inner = len(made.neighbour)
    assert (made.owner[:inner] < made.neighbour).all()
    pairs = made.owner[:inner] * made.n_cells + made.neighbour
    assert (np.diff(pairs) > 0).all()  # owners ascend, neighbours ascend within an owner, no pair of cells shares two faces here
    vectors, centres = face_vectors(made)
    total, volume = np.zeros((made.n_cells, 3)), np.zeros(made.n_cells)
    np.add.at(total, made.owner, vectors)
    np.subtract.at(total, made.neighbour, vectors[:inner])
    moment = np.einsum("fk,fk->f", vectors, centres) / 3
    np.add.at(volume, made.owner, moment)
    np.subtract.at(volume, made.neighbour, moment[:inner])
    assert np.abs(total).max() < 1e-12 * np.abs(vectors).max() + 1e-14
    mesh = MESHES[name]()
    assert np.allclose(volume, cell_measures(mesh if mesh.dimension == 3 else extruded(mesh)), rtol=1e-3)  # warped quadrilaterals: fans differ
    assert (volume > 0).all()


def test_orientation_comes_from_the_numbering_where_centroids_mislead():
    """Cells a millionth as thick as long on a strongly curved wall: the line between centres points the wrong way through their faces."""
    angle, radius = np.linspace(0, np.pi / 2, 4), 1 + np.array([0.0, 1e-6, 3e-6])
    points = np.concatenate([np.stack([r * np.cos(angle), r * np.sin(angle)], 1) for r in radius])
    index = np.arange(12).reshape(3, 4)
    quads = np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], axis=2).reshape(-1, 4)
    made = poly_mesh_of(Mesh(points, Cells.of(quad=quads)))
    vectors, centres = face_vectors(made)
    middle = np.array([made.points[np.unique(cell)].mean(0) for cell in extruded(Mesh(points, Cells.of(quad=quads))).cells])
    along = np.einsum("fk,fk->f", vectors, centres - middle[made.owner])
    assert (along > 0).all()


@settings(deadline=None, max_examples=25, derandomize=True)
@given(st.integers(5, 40), st.integers(0, 10_000))
def test_any_triangulation_closes_and_clockwise_cells_are_turned(n, seed):
    rng = np.random.default_rng(seed)
    points = rng.random((n, 2))
    triangles = Delaunay(points).simplices
    keep = np.abs(cell_measures(Mesh(points, Cells.of(triangle=triangles)))) > 1e-9
    triangles = triangles[keep]
    used = np.unique(triangles)
    turned = np.where(rng.random(len(triangles))[:, None] < 0.5, triangles[:, ::-1], triangles)
    mesh = Mesh(points[used], Cells.of(triangle=np.searchsorted(used, turned)))
    made = poly_mesh_of(mesh, thickness=0.5)
    vectors, _ = face_vectors(made)
    total = np.zeros((made.n_cells, 3))
    np.add.at(total, made.owner, vectors)
    np.subtract.at(total, made.neighbour, vectors[: len(made.neighbour)])
    assert np.abs(total).max() < 1e-13
    assert 3 * made.n_cells == 2 * len(made.neighbour) + next(patch.count for patch in made.patches if patch.name == REST)
    assert next(patch.count for patch in made.patches if patch.name == FRONT_AND_BACK) == 2 * made.n_cells


def test_patches_come_in_their_order_with_their_types_and_the_rest_is_named():
    mesh = squares()
    half = Mesh(mesh.points, mesh.cells, dict(list(mesh.patches.items())[:2]))
    first, second = half.patches
    made = poly_mesh_of(half, kinds={first: "wall", second: "symmetry"})
    assert [(patch.name, patch.kind) for patch in made.patches] == [(first, "wall"), (second, "symmetry"), (REST, "patch"), (FRONT_AND_BACK, "empty")]
    assert made.patches[0].start == len(made.neighbour)
    assert made.patches[-1].start + made.patches[-1].count == made.n_faces


def test_a_second_mesh_leaves_nothing_of_the_first(tmp_path):
    case_folder(tmp_path, prism_and_friends())
    case_folder(tmp_path, squares())
    again = geoop.read(tmp_path)
    assert set(again.zones) == {"first"}
    case_folder(tmp_path, hexagons())
    assert not geoop.read(tmp_path).zones


def test_wrong_options_are_all_in_one_error():
    mesh = squares()
    name = next(iter(mesh.patches))
    renamed = Mesh(mesh.points, mesh.cells, {**mesh.patches, "a b": Cells.empty()})
    with pytest.raises(ConfigurationError, match=r"'nowhere'.*'cyclic'.*'a b'.*thickness is -1"):
        poly_mesh_of(renamed, kinds={"nowhere": "wall", name: "cyclic"}, thickness=-1)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda m: Mesh(m.points, Cells.of(hexahedron=m.cells.block("hexahedron")[:, [1, 0, 3, 2, 5, 4, 7, 6]])), "inverted"),
        (lambda m: Mesh(np.concatenate([m.points, [[9, 9, 9]]]), m.cells), "1 points belong to no cell"),
        (lambda m: Mesh(m.points, m.cells, {"inside": Cells.of(quad=m.cells.block("hexahedron")[:1, [4, 5, 6, 7]])}), "no outer faces"),
        (lambda m: Mesh(m.points, m.cells, {**m.patches, "twice": next(iter(m.patches.values()))}), "several patches"),
        (lambda m: Mesh(m.points, Cells.concatenate([m.cells, m.cells, m.cells])), "more than two cells"),
    ],
    ids=["inverted", "unused", "baffle", "twice", "threefold"],
)
def test_meshes_that_no_solver_takes_are_refused(change, says):
    with pytest.raises(InvalidMeshError, match=says):
        poly_mesh_of(change(cuboid(2)))


def test_surfaces_and_curved_cells_are_refused():
    with pytest.raises(InvalidMeshError, match="volume cells"):
        poly_mesh_of(icosphere(1))
    triangle6 = Mesh(np.array([[0, 0], [1, 0], [0, 1], [0.5, 0], [0.5, 0.5], [0, 0.5]]), Cells.of(triangle6=np.array([[0, 1, 2, 3, 4, 5]])))
    with pytest.raises(InvalidMeshError, match="triangle6") as caught:
        poly_mesh_of(triangle6)
    assert "straightened(case)" in caught.value.remedy
    assert poly_mesh_of(straightened(Case(triangle6)).mesh).n_cells == 1


@pytest.mark.openfoam
@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
@pytest.mark.parametrize("name", ["shapes", "cuboid", "o-grid", "polygons"])
def test_checkmesh_finds_nothing(tmp_path, name, binary):
    geoop.write(MESHES[name](), tmp_path / "case.foam", text=not binary)
    environment = {"WM_PROJECT_DIR": "/usr/share/openfoam", **os.environ}
    said = subprocess.run(
        [shutil.which("checkMesh"), "-constant", "-case", tmp_path], env=environment, capture_output=True, text=True, check=False
    ).stdout
    assert "Upper triangular ordering OK" in said
    assert "Mesh OK" in said, said[-3000:]
