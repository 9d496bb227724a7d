"""The mesh of a channel: areas, patches, sizes, curved walls, and bodies that do not fit."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError, InvalidMeshError
from geoop.mesh.cells import Cells
from geoop.mesh.generate.channel import ChannelSize, channel
from geoop.mesh.generate.quadratic import quadratic
from geoop.mesh.measure import signed_measures
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import circle

pytest.importorskip("gmsh")


def named(mesh, name="body"):
    return Mesh(mesh.points, mesh.cells, {name: mesh.cells}, name=name)


@pytest.fixture(scope="module")
def made():
    return channel(2.2, 0.41, named(circle(40, 0.05, (0.2, 0.2))), ChannelSize(0.04))


def test_area_and_patches(made):
    polygon = 40 * 0.5 * 0.05**2 * np.sin(2 * np.pi / 40)
    assert signed_measures(made).sum() == pytest.approx(2.2 * 0.41 - polygon, rel=1e-12)
    assert set(made.patches) == {"inlet", "outlet", "walls", "body"}
    lengths = {}
    for name, cells in made.patches.items():
        a, b = made.points[cells.block("line")].transpose(1, 0, 2)
        lengths[name] = np.linalg.norm(b - a, axis=1).sum()
        normal = np.stack([(b - a)[:, 1], -(b - a)[:, 0]], axis=1)  # out of the fluid
        middle = 0.5 * (a + b)
        if name == "body":
            assert ((normal * (middle - [0.2, 0.2])).sum(axis=1) < 0).all()
        else:
            assert ((normal * (middle - [1.1, 0.205])).sum(axis=1) > 0).all()
    assert lengths["inlet"] == pytest.approx(0.41) and lengths["outlet"] == pytest.approx(0.41) and lengths["walls"] == pytest.approx(4.4)
    assert np.allclose(made.points[made.patch_points("outlet"), 0], 2.2)
    assert len(made.patches["body"]) == 40


def test_edges_grow_from_the_body_to_the_walls(made):
    triangles = made.cells.block("triangle")
    x = made.points[triangles]
    longest = np.linalg.norm(x - np.roll(x, 1, axis=1), axis=2).max(axis=1)
    away = np.linalg.norm(x.mean(axis=1) - [0.2, 0.2], axis=1) - 0.05
    assert longest[away < 0.01].max() < 0.02 and longest.max() < 0.06 and longest[away > 0.6].min() > 0.02


def test_wake_is_finer():
    body = named(circle(40, 0.05, (0.2, 0.2)))
    plain = channel(2.2, 0.41, body, ChannelSize(0.06))
    finer = channel(2.2, 0.41, body, ChannelSize(0.06, wake=0.012, wake_length=0.5))

    def behind(mesh):
        middle = mesh.points[mesh.cells.block("triangle")].mean(axis=1)
        return int(((middle[:, 0] > 0.3) & (middle[:, 0] < 0.7) & (np.abs(middle[:, 1] - 0.2) < 0.03)).sum())

    assert behind(finer) > 5 * behind(plain)


def test_empty_channel_and_two_bodies():
    assert signed_measures(channel(3.0, 1.0, None, ChannelSize(0.2))).sum() == pytest.approx(3.0)
    parts = [circle(24, 0.1, (0.5, 0.3)), circle(24, 0.1, (1.2, 0.7))]
    points = np.concatenate([part.points for part in parts])
    first, second = parts[0].cells, Cells.of(line=parts[1].cells.block("line") + 24)
    both = Mesh(points, Cells.concatenate([first, second]), {"front": first, "rear": second})
    mesh = channel(3.0, 1.0, both, ChannelSize(0.1))
    assert set(mesh.patches) == {"inlet", "outlet", "walls", "front", "rear"}
    assert np.allclose(mesh.points[mesh.patch_points("rear")].mean(axis=0), [1.2, 0.7])


def test_curved_body_has_the_area_of_the_circle(made):
    def onto(points):
        away = points - [0.2, 0.2]
        return [0.2, 0.2] + 0.05 * away / np.linalg.norm(away, axis=1)[:, None]

    curved = quadratic(made, onto={"body": onto})
    wall = curved.points[curved.patch_points("body")]
    assert np.allclose(np.linalg.norm(wall - [0.2, 0.2], axis=1), 0.05)
    assert signed_measures(curved).sum() == pytest.approx(2.2 * 0.41 - np.pi * 0.05**2, rel=1e-6)


def test_same_mesh_again(made):
    again = channel(2.2, 0.41, named(circle(40, 0.05, (0.2, 0.2))), ChannelSize(0.04))
    assert again.content_hash == made.content_hash


@pytest.mark.parametrize(
    ("ring", "message"),
    [
        (circle(24, 0.05, (0.2, 0.5)), "not inside the channel"),
        (circle(24, 0.05, (0.2, 0.05)), "not inside the channel"),
        (circle(24, 0.05, (0.2, 0.0505)), "no room for triangles"),
    ],
    ids=["outside", "touching", "close"],
)
def test_bodies_that_do_not_fit(ring, message):
    with pytest.raises(InvalidMeshError, match=message):
        channel(2.2, 0.41, named(ring), ChannelSize(0.04))


def test_a_body_that_crosses_itself():
    eight = np.array([[0.1, 0.1], [0.3, 0.36], [0.3, 0.1], [0.1, 0.3]])
    lines = Cells.of(line=np.array([[0, 1], [1, 2], [2, 3], [3, 0]]))
    with pytest.raises(InvalidMeshError, match="cross or overlap"):
        channel(2.2, 0.41, Mesh(eight, lines, {"body": lines}), ChannelSize(0.04))


def test_impossible_settings():
    body = named(circle(24, 0.05, (0.2, 0.2)), "walls")
    with pytest.raises(ConfigurationError, match="height is -1.*growth is 5.*have names of the channel's own"):
        channel(2.2, -1.0, body, ChannelSize(0.04, growth=5.0))
