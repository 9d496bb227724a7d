"""Meshes of the flow tests."""

import numpy as np

from geoop.fem.domain import Domain
from geoop.fem.taylor_hood import TaylorHood
from geoop.mesh.cells import Cells
from geoop.mesh.generate.channel import ChannelSize, channel
from geoop.mesh.generate.quadratic import quadratic
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import circle


def rectangle(x, y):
    """Triangles on a tensor grid of coordinates, with patches left, right, bottom, top; diagonals alternate."""
    nx, ny = len(x), len(y)
    points = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    at = np.arange(nx * ny).reshape(nx, ny)
    quads = np.stack([at[:-1, :-1], at[1:, :-1], at[1:, 1:], at[:-1, 1:]], axis=-1)
    odd = (np.add.outer(np.arange(nx - 1), np.arange(ny - 1)) % 2 == 1)[..., None]
    first = np.where(odd, quads[..., [0, 1, 3]], quads[..., [0, 1, 2]])
    second = np.where(odd, quads[..., [1, 2, 3]], quads[..., [0, 2, 3]])
    sides = {"bottom": at[:, 0], "right": at[-1], "top": at[::-1, -1], "left": at[0, ::-1]}
    patches = {name: Cells.of(line=np.stack([row[:-1], row[1:]], axis=1)) for name, row in sides.items()}
    return Mesh(points, Cells.of(triangle=np.concatenate([first.reshape(-1, 3), second.reshape(-1, 3)])), patches, name="rectangle")


def space(mesh):
    """Taylor-Hood elements on a mesh."""
    return TaylorHood(Domain.of(mesh))


def cylinder_channel(segments=48, wall=0.04, *, curved=True, wake=None, wake_length=0.0):
    """The channel of Schaefer and Turek with its cylinder, as quadratic triangles."""
    ring = circle(segments, 0.05, (0.2, 0.2))
    body = Mesh(ring.points, ring.cells, {"body": ring.cells}, name="cylinder")

    def onto(points):
        away = points - [0.2, 0.2]
        return [0.2, 0.2] + 0.05 * away / np.linalg.norm(away, axis=1)[:, None]

    mesh = channel(2.2, 0.41, body, ChannelSize(wall, wake=wake, wake_length=wake_length))
    return quadratic(mesh, onto={"body": onto} if curved else None)
