"""A layer one cell thick becomes the plane case that was extruded, whatever the axis and the numbering."""

from pathlib import Path

import numpy as np
import pytest

import geoop
from geoop.errors import InvalidMeshError
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.measure import area_vectors, cell_measures, signed_measures
from geoop.mesh.mesh import Mesh
from geoop.mesh.planar import flattened, is_one_layer
from geoop.mesh.primitives import box, icosphere
from geoop.mesh.quantity import QUANTITIES, Field, Quantity

CAVITY = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "fields" / "openfoam_cavity.zip"


def plane():
    """Two triangles and two quads, with a wall below and an outlet on the right; lines have the flow on their left."""
    points = np.array([[0, 0], [1, 0], [2.5, 0], [0, 1], [1, 1], [2.5, 1], [0.2, 2], [1.1, 2.2]], float)
    cells = Cells.of(triangle=np.array([[0, 1, 4], [0, 4, 3]]), quad=np.array([[1, 2, 5, 4], [3, 4, 7, 6]]))
    patches = {"wall": Cells.of(line=np.array([[0, 1], [1, 2]])), "outlet": Cells.of(line=np.array([[2, 5]]))}
    return Mesh(points, cells, patches, {"quads": np.array([2, 3])}, name="plane")


def extruded(mesh, axis, thickness=0.3, seed=0):
    """The plane mesh as one layer across an axis, its points shuffled, with facets whose normals point out of the flow."""
    n = len(mesh.points)
    kept = [k for k in range(3) if k != axis]
    points = np.zeros((2 * n, 3))
    points[:, kept] = np.tile(mesh.points, (2, 1))
    points[n:, axis] = thickness
    shuffle = np.random.default_rng(seed).permutation(2 * n)
    place = np.argsort(shuffle)
    right_handed = axis != 1
    tri, quad = mesh.cells.block("triangle"), mesh.cells.block("quad")
    flip = slice(None) if right_handed else slice(None, None, -1)
    cells = {
        "wedge": place[np.concatenate([tri[:, flip][:, [0, 2, 1]], tri[:, flip][:, [0, 2, 1]] + n], axis=1)],
        "hexahedron": place[np.concatenate([quad[:, flip], quad[:, flip] + n], axis=1)],
    }
    patches = {}
    for name, part in mesh.patches.items():
        a, b = part.block("line").T if right_handed else part.block("line")[:, ::-1].T
        patches[name] = Cells.of(quad=place[np.stack([a, b, b + n, a + n], axis=1)])
    patches["frontAndBack"] = Cells.of(triangle=place[np.concatenate([tri, tri + n])])
    return Mesh(points[shuffle], Cells.of(cells), patches, {"quads": np.array([2, 3])}, name="layer")


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_round_trip(axis):
    flat = plane()
    layer = extruded(flat, axis)
    assert is_one_layer(layer)
    kept = [k for k in range(3) if k != axis]
    velocity = np.arange(12.0).reshape(4, 3)
    pressure = layer.points @ np.array([1.0, 2.0, 3.0])
    case = Case(
        layer,
        fields={
            "velocity": Field(QUANTITIES["velocity"], velocity, "cell"),
            "pressure": Field(QUANTITIES["pressure"], pressure),
            "T": Field(Quantity("T", "T", "Pa", 2), np.arange(36.0).reshape(4, 3, 3), "cell"),
        },
        boundary={
            "wall": {
                "f": Field(Quantity("f", "f"), np.array([5.0, 6.0]), "facet"),
                "p": Field(Quantity("p", "p"), layer.points[layer.patch_points("wall")] @ np.array([1.0, 2.0, 3.0]), "point"),
            },
            "frontAndBack": {"f": Field(Quantity("f", "f"), np.zeros(4), "facet")},
        },
        wall=("wall",),
    )
    found = flattened(case)
    mesh = found.mesh
    assert mesh.dimension == 2 and len(mesh.points) == len(flat.points)
    assert (signed_measures(mesh) > 0).all()
    assert np.allclose(cell_measures(mesh), cell_measures(flat))
    assert mesh.cells.names == flat.cells.names and set(mesh.patches) == {"wall", "outlet"}
    for name in flat.patches:
        normals, exact = (area_vectors(m.submesh(m.patches[name])) for m in (mesh, flat))
        assert np.allclose(normals, exact)
    assert np.array_equal(found.field("velocity").values, velocity[:, kept])
    assert np.array_equal(found.field("T").values, np.arange(36.0).reshape(4, 3, 3)[:, kept][:, :, kept])
    weights = np.array([1.0, 2.0, 3.0])
    assert np.allclose(found.field("pressure").values, mesh.points @ weights[kept] + 0.15 * weights[axis])
    assert np.array_equal(found.boundary["wall"]["f"].values, [5.0, 6.0]) and "frontAndBack" not in found.boundary
    on_wall = mesh.points[mesh.patch_points("wall")]
    assert np.allclose(found.boundary["wall"]["p"].values, on_wall @ weights[kept] + 0.15 * weights[axis])
    assert np.array_equal(mesh.zones["quads"], [2, 3]) and found.wall == ("wall",)
    assert "taken as plane" in mesh.notes[-1] and "frontAndBack" in mesh.notes[-1]


def test_what_is_no_layer():
    two = box((0, 0, 0), (1, 1, 1), 2)
    row = box((0, 0, 0), (3, 1, 1), 1)  # one hexahedron thick across every axis: nobody can tell which is meant
    for mesh in (icosphere(1), two, row):
        assert not is_one_layer(mesh)
    slanted = extruded(plane(), 2)
    moved = slanted.moved(slanted.points + 0.01 * slanted.points[:, [1, 0, 0]] * (slanted.points[:, 2:] > 0))
    assert not is_one_layer(moved)
    with pytest.raises(InvalidMeshError, match="not one layer"):
        flattened(Case(moved))


@pytest.mark.skipif(not CAVITY.is_file(), reason="../shared/data/fields is not there")
def test_a_cavity_of_openfoam():
    found = flattened(geoop.read_case(CAVITY / "OpenFOAM" / "cavity"))
    assert found.mesh.cells.names == ["quad"] and found.mesh.cells.block("quad").shape == (400, 4)
    assert cell_measures(found.mesh).sum() == pytest.approx(0.01, rel=1e-9)
    assert found.field("velocity").values.shape[1] == 2
