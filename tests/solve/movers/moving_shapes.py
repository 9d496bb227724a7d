"""Regions that tests of movers share, and fields on them."""

import numpy as np
from fem_shapes import square

from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh


def ring(points, *, radius=0.25, width=0.05, middle=0.5):
    """tanh((|x - c| - radius) / width)."""
    return np.tanh((np.linalg.norm(points - middle, axis=1) - radius) / width)


def kept(mesh, cells):
    """The part of a mesh of triangles in the marked cells; its whole boundary is the patch ``wall``."""
    rows = mesh.cells.block("triangle")[cells]
    used, local = np.unique(rows, return_inverse=True)
    local = local.reshape(-1, 3)
    lines = np.concatenate([local[:, [0, 1]], local[:, [1, 2]], local[:, [2, 0]]])
    _, first, count = np.unique(np.sort(lines, axis=1), axis=0, return_index=True, return_counts=True)
    return Mesh(mesh.points[used], Cells.of(triangle=local), {"wall": Cells.of(line=lines[first[count == 1]])}, name="part")


def l_shape(n):
    """The unit square without its upper right quarter; n even."""
    mesh = square(n)
    middle = mesh.points[mesh.cells.block("triangle")].mean(axis=1)
    return kept(mesh, ~(middle > 0.5).all(axis=1))


def plate(n, radius=0.2):
    """The unit square with a round hole: rings of triangles from the circle to the square; n points per side, n / 2 rings."""
    t = np.linspace(-0.5, 0.5, n, endpoint=False)
    half = np.full(n, 0.5)
    outer = np.concatenate([np.stack(p, axis=1) for p in ((t, -half), (half, t), (-t, half), (-half, -t))])
    angle = np.arctan2(outer[:, 1], outer[:, 0])
    inner = radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    count, rings = len(outer), n // 2
    share = np.linspace(0.0, 1.0, rings + 1)[:, None, None]
    points = 0.5 + ((1.0 - share) * inner + share * outer).reshape(-1, 2)
    i = np.arange(count)
    j = np.roll(i, -1)
    layer = np.concatenate([np.stack([i, i + count, j + count], axis=1), np.stack([i, j + count, j], axis=1)])
    cells = np.concatenate([layer + k * count for k in range(rings)])
    ends = {"hole": np.stack([j, i], axis=1), "outside": np.stack([i, j], axis=1) + rings * count}
    return Mesh(points, Cells.of(triangle=cells), {name: Cells.of(line=rows) for name, rows in ends.items()}, name="plate")


def interpolation_error(mesh, function):
    """L2 norm of a function minus its linear interpolant on triangles, by a rule of degree 4."""
    a, b = 0.445948490915965, 0.091576213509771
    corner = np.array([[1 - 2 * a, a, a], [a, 1 - 2 * a, a], [a, a, 1 - 2 * a], [1 - 2 * b, b, b], [b, 1 - 2 * b, b], [b, b, 1 - 2 * b]])
    weight = np.repeat([0.223381589678011, 0.109951743655322], 3)
    rows = mesh.cells.block("triangle")
    x = mesh.points[rows]
    edge = x[:, 1:] - x[:, :1]
    area = 0.5 * np.abs(edge[:, 0, 0] * edge[:, 1, 1] - edge[:, 0, 1] * edge[:, 1, 0])
    places = np.einsum("qk,mkd->mqd", corner, x)
    exact = function(places.reshape(-1, 2)).reshape(places.shape[:2])
    linear = np.einsum("qk,mk->mq", corner, function(mesh.points)[rows])
    return float(np.sqrt((area[:, None] * weight * (exact - linear) ** 2).sum()))
