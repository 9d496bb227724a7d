"""One cell of every type, straight, with its exact measure: what tests of measures run over."""

import numpy as np

from geoop.mesh.cells import CELL_TYPES, Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.topology import FACES

_QUAD = [(0, 0), (1, 0), (1, 1), (0, 1)]
_HEX = [(x, y, z) for z in (0, 1) for x, y in _QUAD]
_TRIANGLE = [(0, 0), (1, 0), (0, 1)]
_TETRA = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
_WEDGE = [(*p, z) for z in (0, 1) for p in _TRIANGLE]
_WEDGE_EDGES = [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3), (0, 3), (1, 4), (2, 5)]
_PYRAMID = [*((*p, 0) for p in _QUAD), (0.3, 0.4, 1)]
_HEX_FACES = [(0.0, 0.5, 0.5), (1.0, 0.5, 0.5), (0.5, 0.0, 0.5), (0.5, 1.0, 0.5), (0.5, 0.5, 0.0), (0.5, 0.5, 1.0), (0.5, 0.5, 0.5)]
_HEX_EDGES = [(0, 1), (1, 2), (2, 3), (3, 0), (4, 5), (5, 6), (6, 7), (7, 4), (0, 4), (1, 5), (2, 6), (3, 7)]


def _with_middles(corners, edges):
    x = np.array(corners, dtype=float)
    return np.concatenate([x, [(x[a] + x[b]) / 2 for a, b in edges]])


#: name -> (nodes, exact measure).
UNIT_CELLS: dict[str, tuple[np.ndarray, float]] = {
    "line": (np.array([(0.0,), (1.0,)]), 1.0),
    "line3": (np.array([(0.0,), (1.0,), (0.5,)]), 1.0),
    "triangle": (np.array(_TRIANGLE, dtype=float), 1 / 2),
    "triangle6": (_with_middles(_TRIANGLE, [(0, 1), (1, 2), (2, 0)]), 1 / 2),
    "quad": (np.array(_QUAD, dtype=float), 1.0),
    "quad8": (_with_middles(_QUAD, [(0, 1), (1, 2), (2, 3), (3, 0)]), 1.0),
    "quad9": (np.concatenate([_with_middles(_QUAD, [(0, 1), (1, 2), (2, 3), (3, 0)]), [(0.5, 0.5)]]), 1.0),
    "polygon": (np.array([(0, 0), (2, 0), (2, 1), (1, 0.25), (0, 1)], dtype=float), 1.25),
    "tetra": (np.array(_TETRA, dtype=float), 1 / 6),
    "tetra10": (_with_middles(_TETRA, [(0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3)]), 1 / 6),
    "hexahedron": (np.array(_HEX, dtype=float), 1.0),
    "hexahedron20": (_with_middles(_HEX, _HEX_EDGES), 1.0),
    "hexahedron27": (np.concatenate([_with_middles(_HEX, _HEX_EDGES), _HEX_FACES]), 1.0),
    "wedge": (np.array(_WEDGE, dtype=float), 1 / 2),
    "wedge15": (_with_middles(_WEDGE, _WEDGE_EDGES), 1 / 2),
    "wedge18": (np.concatenate([_with_middles(_WEDGE, _WEDGE_EDGES), [(0.5, 0, 0.5), (0.5, 0.5, 0.5), (0, 0.5, 0.5)]]), 1 / 2),
    "pyramid": (np.array(_PYRAMID, dtype=float), 1 / 3),
    "pyramid13": (_with_middles(_PYRAMID, [(0, 1), (1, 2), (2, 3), (3, 0), (0, 4), (1, 4), (2, 4), (3, 4)]), 1 / 3),
    "polyhedron": (np.array([*_HEX, (0.5, 0.5, 1.5)], dtype=float), 1 + 1 / 6),
}
#: A cube with a pyramid on it: faces of the polyhedron above, outward.
_HOUSE = [(0, 3, 2, 1), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7), (4, 5, 8), (5, 6, 8), (6, 7, 8), (7, 4, 8)]
assert set(UNIT_CELLS) == set(CELL_TYPES) - {"vertex"}


def cell_mesh(name: str, nodes: np.ndarray, dimension: int | None = None) -> Mesh:
    """A mesh of one cell; nodes of fewer coordinates are laid into a space of the given dimension, 2 or 3."""
    d = dimension or max(2, nodes.shape[1])
    points = np.zeros((len(nodes), d))
    points[:, : nodes.shape[1]] = nodes
    return Mesh(points, house() if name == "polyhedron" else Cells.ragged(name, [np.arange(len(nodes))]))


def house() -> Cells:
    """The one polyhedron of the zoo."""
    sizes = [len(face) for face in _HOUSE]
    return Cells.polyhedra(np.array([0, len(_HOUSE)]), np.concatenate([[0], np.cumsum(sizes)]), np.concatenate(_HOUSE))


def affine(points: np.ndarray, seed: int = 0) -> tuple[np.ndarray, float]:
    """Points under a random affine map of positive determinant, and that determinant."""
    rng = np.random.default_rng(seed)
    matrix = np.eye(points.shape[1]) + 0.3 * rng.normal(size=(points.shape[1],) * 2)
    matrix[0] *= np.sign(np.linalg.det(matrix))
    return points @ matrix.T + rng.normal(size=points.shape[1]), float(np.linalg.det(matrix))


def as_polyhedra(mesh: Mesh) -> Mesh:
    """The same volume cells, every one as a polyhedron."""
    rows, counts = [], []
    for i in range(len(mesh.cells)):
        cell = mesh.cells.take(np.array([i]))
        rows += [cell.connectivity[list(face)] for face in FACES[cell.names[0]]]
        counts.append(len(FACES[cell.names[0]]))
    sizes = [len(row) for row in rows]
    cells = Cells.polyhedra(np.concatenate([[0], np.cumsum(counts)]), np.concatenate([[0], np.cumsum(sizes)]), np.concatenate(rows))
    return Mesh(mesh.points, cells)


def grid(n: int = 3, seed: int = 0) -> Mesh:
    """n^3 hexahedra on an affinely deformed lattice."""
    x, y, z = np.meshgrid(*[np.arange(n + 1.0)] * 3, indexing="ij")
    points, _ = affine(np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1), seed)
    number = np.arange((n + 1) ** 3).reshape(n + 1, n + 1, n + 1)
    corner = [number[i : n + i, j : n + j, k : n + k].ravel() for k in (0, 1) for i, j in ((0, 0), (1, 0), (1, 1), (0, 1))]
    return Mesh(points, Cells.of(hexahedron=np.stack(corner, axis=1)))
