"""Small meshes that tests of finite elements share."""

import numpy as np

from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh


def square(n, name="triangle", seed=None):
    """The unit square with patches left, right, bottom, top; ``mixed`` has quads on the left half; inner points moved by a seed."""
    grid = np.stack(np.meshgrid(*[np.linspace(0, 1, n + 1)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    if seed is not None:
        inner = ((grid > 1e-9) & (grid < 1 - 1e-9)).all(axis=1)
        grid[inner] += 0.2 / n * np.random.default_rng(seed).uniform(-1, 1, (int(inner.sum()), 2))
    i = np.arange((n + 1) ** 2).reshape(n + 1, n + 1)
    quads = np.stack([i[:-1, :-1], i[1:, :-1], i[1:, 1:], i[:-1, 1:]], axis=-1).reshape(-1, 4)
    half = {"triangle": 0, "quad": len(quads), "mixed": len(quads) // 2}[name]
    blocks = {"quad": quads[:half], "triangle": np.concatenate([quads[half:, [0, 1, 2]], quads[half:, [0, 2, 3]]])}
    sides = {"left": i[0, ::-1], "right": i[-1], "bottom": i[:, 0], "top": i[::-1, -1]}
    patches = {key: Cells.of(line=np.stack([row[:-1], row[1:]], axis=1)) for key, row in sides.items()}
    return Mesh(grid, Cells.of({key: block for key, block in blocks.items() if len(block)}), patches, name="square")


def cube(n, name="hexahedron"):
    """The unit cube with patches x_min, x_max; hexahedra, wedges, pyramids (six per cube, round a middle point) or all of them in layers."""
    axis = np.linspace(0, 1, n + 1)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    i = np.arange((n + 1) ** 3).reshape(n + 1, n + 1, n + 1)
    corner = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)]
    cut = lambda a: slice(a, n + a)  # noqa: E731
    hexahedra = np.stack([i[cut(a), cut(b), cut(c)] for a, b, c in corner], axis=-1).reshape(-1, 8)
    layer = np.repeat(np.arange(n), n * n)
    kind = {"hexahedron": np.zeros(len(layer)), "wedge": np.ones(len(layer)), "pyramid": np.full(len(layer), 2), "mixed": layer % 3}[name]
    blocks = {"hexahedron": hexahedra[kind == 0]}
    halves = hexahedra[kind == 1]
    blocks["wedge"] = np.concatenate([halves[:, [0, 1, 2, 4, 5, 6]], halves[:, [0, 2, 3, 4, 6, 7]]])
    split = hexahedra[kind == 2]
    middle = len(points) + np.arange(len(split))
    faces = [(0, 1, 2, 3), (4, 7, 6, 5), (0, 4, 5, 1), (1, 5, 6, 2), (2, 6, 7, 3), (3, 7, 4, 0)]
    blocks["pyramid"] = np.concatenate([np.column_stack([split[:, face], middle]) for face in faces])
    points = np.concatenate([points, points[split].mean(axis=1)]) if len(split) else points
    ends = {key: np.stack([j[:-1, :-1], j[1:, :-1], j[1:, 1:], j[:-1, 1:]], axis=-1).reshape(-1, 4) for key, j in (("x_min", i[0]), ("x_max", i[-1]))}
    cells = Cells.of({key: block for key, block in blocks.items() if len(block)})
    return Mesh(points, cells, {key: Cells.of(quad=rows) for key, rows in ends.items()}, name="cube")


def orders(errors):
    """Observed orders between meshes whose cells are halved."""
    errors = np.array(errors)
    return np.log2(errors[:-1] / errors[1:])
