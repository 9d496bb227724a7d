"""Distances to named walls only."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError, InvalidMeshError, PatchError
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.distance import signed_distance
from geoop.mesh.measure import cell_centers
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import circle, icosphere
from geoop.mesh.wall_distance import wall_distance


def channel(n: int = 9, names: tuple[str, ...] = ("wall_low", "outlet", "wall_high", "inlet")) -> Mesh:
    """A rectangle 2 x 1 of quads with four patches."""
    x, y = np.meshgrid(np.linspace(0, 2, n), np.linspace(0, 1, n), indexing="ij")
    number = np.arange(n * n).reshape(n, n)
    quads = np.stack([number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]], axis=-1).reshape(-1, 4)
    sides = (number[:, 0], number[-1], number[:, -1], number[0])
    patches = {name: Cells.of(line=np.stack([side[:-1], side[1:]], axis=1)) for name, side in zip(names, sides, strict=True)}
    return Mesh(np.stack([x.ravel(), y.ravel()], axis=1), Cells.of(quad=quads), patches, name="channel")


def brick(n: int = 5) -> Mesh:
    """A cube of hexahedra with the floor as a wall."""
    t = np.linspace(0, 1, n)
    points = np.stack(np.meshgrid(t, t, t, indexing="ij"), axis=-1).reshape(-1, 3)
    k = np.arange(n**3).reshape(n, n, n)
    c = [k[:-1, :-1, :-1], k[1:, :-1, :-1], k[1:, 1:, :-1], k[:-1, 1:, :-1], k[:-1, :-1, 1:], k[1:, :-1, 1:], k[1:, 1:, 1:], k[:-1, 1:, 1:]]
    floor = np.stack([k[:-1, :-1, 0], k[:-1, 1:, 0], k[1:, 1:, 0], k[1:, :-1, 0]], axis=-1).reshape(-1, 4)
    roof = floor + n - 1
    patches = {"floor": Cells.of(quad=floor), "farfield": Cells.of(quad=roof)}
    return Mesh(points, Cells.of(hexahedron=np.stack([part.ravel() for part in c], axis=1)), patches, name="brick")


def test_only_the_walls_count_in_the_plane():
    mesh = channel()
    y = mesh.points[:, 1]
    np.testing.assert_allclose(wall_distance(mesh), np.minimum(y, 1 - y), atol=1e-15)
    np.testing.assert_allclose(wall_distance(mesh, ("wall_low",)), y, atol=1e-15)
    np.testing.assert_allclose(wall_distance(mesh, ("inlet", "wall_low")), np.minimum(mesh.points[:, 0], y), atol=1e-15)
    np.testing.assert_allclose(wall_distance(mesh, at="cells"), np.minimum(*(lambda v: (v, 1 - v))(cell_centers(mesh)[:, 1])), atol=1e-15)
    np.testing.assert_allclose(wall_distance(mesh, ("wall_high",), np.array([[1.0, 4.0], [3.0, 1.0]])), [3.0, 1.0])


def test_only_the_walls_count_in_space():
    mesh = brick()
    np.testing.assert_allclose(wall_distance(mesh), mesh.points[:, 2], atol=1e-14)
    np.testing.assert_allclose(wall_distance(mesh, at="cells"), cell_centers(mesh)[:, 2], atol=1e-14)
    near = np.stack([np.full(40, 0.3), np.full(40, 0.6), 10.0 ** np.linspace(-9, 0, 40)], axis=1)
    np.testing.assert_allclose(wall_distance(mesh, points=near), near[:, 2], rtol=1e-6)


def test_a_bare_surface_is_all_wall_and_inside_is_positive():
    np.testing.assert_allclose(wall_distance(icosphere(1), points=np.zeros((1, 3))), [0.88], atol=0.06)
    assert (wall_distance(circle(30), points=np.array([[0.0, 0.0], [2.0, 0.0]])) > 0.9).all()
    np.testing.assert_allclose(wall_distance(circle(30)), 0.0, atol=1e-15)


def test_bad_input_is_named():
    with pytest.raises(PatchError, match="no patch 'wing'"):
        wall_distance(channel(), ("wing",))
    with pytest.raises(InvalidMeshError, match="cannot tell"):
        wall_distance(channel(names=("inlet", "outlet", "farfield", "symmetry")))


@pytest.mark.parametrize("at", ["point", "cell", ""])
def test_places_that_do_not_exist_are_named(at):
    with pytest.raises(ConfigurationError, match="at is"):
        wall_distance(channel(), at=at)


def test_a_case_knows_its_walls():
    """A lid called roof, which its file says is no wall: by its name alone it would be one."""
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]])
    sides = {"floor": Cells.of(line=np.array([[0, 1]])), "roof": Cells.of(line=np.array([[2, 3]]))}
    mesh = Mesh(square, Cells.of(quad=np.array([[0, 1, 2, 3]])), sides)
    assert wall_distance(mesh).tolist() == [0, 0, 0, 0]
    assert wall_distance(Case(mesh, wall=("floor",))).tolist() == [0, 0, 1, 1]
    assert wall_distance(Case(mesh, wall=("floor",)), ("roof",)).tolist() == [1, 1, 0, 0]
    with pytest.raises(InvalidMeshError, match="not Case"):
        signed_distance(Case(mesh), square)
