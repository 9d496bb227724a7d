"""The inside follows as a net of springs along the edges, with further ones that keep cells from collapsing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import scipy.sparse as sp

from ...errors import ConfigurationError, InvalidMeshError
from ...fem.simplices import CUT, simplices
from ...interfaces.moving import Moved
from ...mesh.mesh import Mesh
from ...mesh.topology import N_CORNERS, edges, faces
from .conditions import in_equilibrium
from .given_motion import GivenMotion
from .stepping import carried

#: ``edge``: every component by itself; ``torsional``: edges and the angles of triangles; ``ball-vertex``: edges and heights of simplices.
Springs = Literal["edge", "torsional", "ball-vertex"]


@dataclass(frozen=True)
class Spring:
    """Springs of stiffness length^-p along the edges.

    - ``edge``: spring analogy, each component of the displacement by itself (Batina, AIAA J. 28 (1990) 1381). Needs edges only.
    - ``torsional``: bars along the edges and springs of stiffness 1 / sin^2 at the angles of triangles (Farhat, Degand, Koobus and
      Lesoinne, Comput. Methods Appl. Mech. Eng. 163 (1998) 231), plane meshes only.
    - ``ball-vertex``: bars along the edges and from every point to the opposite side of its simplices, of stiffness 1 / height^p
      (Bottasso, Detomi and Serra, Comput. Methods Appl. Mech. Eng. 194 (2005) 4244).

    Quads, hexahedra and other linear cells are cut into simplices for the angles and heights.

    Attributes:
        kind: see above.
        exponent: p.
        slide: patches along which points slide.
        steps: in which the motion is made, at first: bars know small turns only, and 20 degrees in one step leave thin layers all but folded.
    """

    kind: Springs = "ball-vertex"
    exponent: float = 2.0
    slide: tuple[str, ...] = ()
    steps: int = 4

    def __post_init__(self) -> None:
        problems = [] if self.kind in get_args(Springs) else [f"kind is {self.kind!r}, choose one of {list(get_args(Springs))}"]
        problems += [] if 0 <= self.exponent < np.inf else [f"exponent is {self.exponent}, must be 0 or more"]
        if problems:
            raise ConfigurationError("; ".join(problems), where="Spring", remedy="the defaults suit most meshes")

    def deform(self, mesh: Mesh, displacement: Mapping[str, np.ndarray]) -> Moved:
        """See :class:`geoop.interfaces.moving.Deformer`; errors as :func:`geoop.solve.deformers.stepping.carried`.

        Raises:
            ConfigurationError: torsional springs of a solid, too.
            InvalidMeshError: quadratic cells, whose mid-side points no edge holds, too.
        """
        if self.kind == "torsional" and mesh.dimension == 3:
            raise ConfigurationError("torsional springs of a solid", where="Spring", remedy="choose kind='ball-vertex', which does the same in space")
        bent = sorted(set(mesh.cells.names) & set(N_CORNERS))
        if bent:
            raise InvalidMeshError(f"springs hold no mid-side points of {bent}", where=mesh.name, remedy="choose elastic or rbf")
        return carried(mesh, displacement, self._follow, slide=self.slide, steps=self.steps)

    def _follow(self, mesh: Mesh, motion: GivenMotion) -> np.ndarray:
        pairs = edge_pairs(mesh)
        along = mesh.points[pairs[:, 1]] - mesh.points[pairs[:, 0]]
        length = np.linalg.norm(along, axis=1)
        stiffness = (length.max() / length) ** self.exponent
        if self.kind == "edge":
            ends = np.array([[-1.0, 1.0]])
            return in_equilibrium(_energy(pairs, np.broadcast_to(ends, pairs.shape)[..., None], stiffness, len(mesh.points)), motion)
        unit = along / length[:, None]
        matrix = _energy(pairs, np.stack([-unit, unit], axis=1), stiffness, len(mesh.points))
        rows = _simplices(mesh)
        more = _angles(mesh.points, rows) if self.kind == "torsional" else _heights(mesh.points, rows)
        for nodes, slopes, size in more:
            # angles have no length: theirs is that of the edges, so that both kinds of springs weigh alike in small and large cells
            matrix = matrix + _energy(nodes, slopes, (length.max() / size) ** self.exponent, len(mesh.points))
        return in_equilibrium(matrix, motion)


def edge_pairs(mesh: Mesh) -> np.ndarray:
    """(e, 2) points of every edge of the cells, once."""
    number = np.arange(len(mesh.points))
    if mesh.cell_dimension == 2:
        listed = edges(mesh.cells, number).corners
    else:
        ring = faces(mesh.cells, number).corners
        after = np.where(np.roll(ring, -1, axis=1) >= 0, np.roll(ring, -1, axis=1), ring[:, :1])
        after[:, -1] = ring[:, 0]
        there = ring >= 0
        listed = np.stack([ring[there], after[there]], axis=1)
    key = np.unique(listed.min(axis=1) * np.int64(len(number)) + listed.max(axis=1))
    return np.stack([key // len(number), key % len(number)], axis=1)


def _simplices(mesh: Mesh) -> np.ndarray:
    """(m, d + 1) simplices of the cells; of a quad those of both diagonals, so that no corner is left without an angle."""
    rows = [simplices(mesh.cells, mesh.dimension)[0]]
    if mesh.dimension == 2 and "quad" in CUT[2] and len(mesh.cells.where("quad")):
        quads = mesh.cells.block("quad")
        rows = [mesh.cells.block("triangle"), *(quads[:, list(corner)] for corner in ((0, 1, 2), (0, 2, 3), (0, 1, 3), (1, 2, 3)))]
    return np.concatenate(rows)


def _heights(points: np.ndarray, rows: np.ndarray):
    """Of every corner of simplices: nodes (m, d + 1), slope of its height in their places (m, d + 1, d), height (m,) [m]."""
    x = points[rows]
    frame = x[:, 1:] - x[:, :1]
    inverse = np.linalg.inv(frame)  # columns are gradients of the barycentric coordinates 1..d
    gradients = np.concatenate([-inverse.sum(axis=2, keepdims=True), inverse], axis=2).transpose(0, 2, 1)
    for corner in range(rows.shape[1]):
        size = np.linalg.norm(gradients[:, corner], axis=1)
        normal, height = gradients[:, corner] / size[:, None], 1.0 / size
        foot = x[:, corner] - height[:, None] * normal
        share = np.einsum("mad,md->ma", gradients, foot - x[:, 0])
        share[:, 0] += 1.0  # barycentric coordinates of the foot of the height: zero at the corner itself
        share[:, corner] = -1.0
        yield rows, -share[:, :, None] * normal[:, None, :], height


def _angles(points: np.ndarray, rows: np.ndarray):
    """Of every angle of triangles: nodes (m, 3), slope of the angle over its sine in their places, times a length, and that length (m,)."""
    for corner in range(3):
        nodes = np.roll(rows, -corner, axis=1)
        a, b, c = points[nodes].transpose(1, 0, 2)
        u, v = b - a, c - a
        uu, vv = (u**2).sum(axis=1), (v**2).sum(axis=1)
        sine = np.abs(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]) / np.sqrt(uu * vv)
        du = np.stack([-u[:, 1], u[:, 0]], axis=1) / uu[:, None]
        dv = np.stack([-v[:, 1], v[:, 0]], axis=1) / vv[:, None]
        size = np.sqrt(np.sqrt(uu * vv))
        yield nodes, np.stack([du - dv, -du, dv], axis=1) * (size / sine)[:, None, None], size


def _energy(nodes: np.ndarray, slopes: np.ndarray, stiffness: np.ndarray, n: int) -> sp.csr_array:
    """Matrix of sum k (sum_a b_a . u_a)^2: nodes (m, a), slopes b (m, a, c), k (m,); (n c, n c)."""
    m, a, c = slopes.shape
    rows = np.repeat(np.arange(m), a * c)
    columns = (nodes[:, :, None] * c + np.arange(c)).ravel()
    change = sp.csr_array((np.ascontiguousarray(slopes).ravel(), (rows, columns)), shape=(m, n * c))
    return (change.T @ sp.diags_array(stiffness) @ change).tocsr()
