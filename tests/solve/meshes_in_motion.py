"""Meshes that the tests of motions and transfer share: boxes of every kind of cell, a section in thin layers."""

import functools

import numpy as np

from geoop.fem.simplices import simplices
from geoop.mesh.cells import Cells
from geoop.mesh.generate.cgrid import cgrid
from geoop.mesh.generate.ogrid import ogrid
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import naca4


def square(n=8, kind="triangle", jitter=0.0, seed=0):
    """The unit square of quads or triangles (or both), inner points moved at random by a share of the spacing; patches by side."""
    t = np.linspace(0, 1, n + 1)
    x = np.stack(np.meshgrid(t, t, indexing="ij"), axis=-1)
    x[1:-1, 1:-1] += jitter / n * np.random.default_rng(seed).uniform(-1, 1, (n - 1, n - 1, 2))
    i = np.arange((n + 1) ** 2).reshape(n + 1, n + 1)
    quads = np.stack([i[:-1, :-1], i[1:, :-1], i[1:, 1:], i[:-1, 1:]], axis=2).reshape(-1, 4)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    cells = {"triangle": Cells.of(triangle=triangles), "quad": Cells.of(quad=quads)}
    half = len(quads) // 2
    mixed = np.concatenate([quads[half:, [0, 1, 2]], quads[half:, [0, 2, 3]]])
    cells["mixed"] = Cells.of(quad=quads[:half], triangle=mixed)
    line = {"left": i[0], "right": i[-1], "bottom": i[:, 0], "top": i[:, -1]}
    patches = {name: Cells.of(line=np.stack([row[:-1], row[1:]], axis=1)) for name, row in line.items()}
    return Mesh(x.reshape(-1, 2), cells[kind], patches, name=f"square-{kind}")


def cube(n=4, kind="hexahedron", jitter=0.0, seed=0):
    """The unit cube of hexahedra, wedges or tetrahedra; patches by side."""
    t = np.linspace(0, 1, n + 1)
    x = np.stack(np.meshgrid(t, t, t, indexing="ij"), axis=-1)
    if n > 1:
        x[1:-1, 1:-1, 1:-1] += jitter / n * np.random.default_rng(seed).uniform(-1, 1, (n - 1, n - 1, n - 1, 3))
    i = np.arange((n + 1) ** 3).reshape(n + 1, n + 1, n + 1)
    lower = [i[:-1, :-1, :-1], i[1:, :-1, :-1], i[1:, 1:, :-1], i[:-1, 1:, :-1]]
    upper = [i[:-1, :-1, 1:], i[1:, :-1, 1:], i[1:, 1:, 1:], i[:-1, 1:, 1:]]
    hexahedra = np.stack([a.ravel() for a in lower + upper], axis=1)
    whole = Cells.of(hexahedron=hexahedra)
    wedges = np.concatenate([hexahedra[:, [0, 1, 2, 4, 5, 6]], hexahedra[:, [0, 2, 3, 4, 6, 7]]])
    cells = {"hexahedron": whole, "wedge": Cells.of(wedge=wedges), "tetra": Cells.of(tetra=_positive(x.reshape(-1, 3), simplices(whole, 3)[0]))}

    def side(a, cut):
        quads = np.stack([a[:-1, :-1], a[:-1, 1:], a[1:, 1:], a[1:, :-1]], axis=2).reshape(-1, 4)
        if kind == "tetra" or (kind == "wedge" and cut):
            low = np.argmin(quads, axis=1)
            quads = np.take_along_axis(quads, (low[:, None] + np.arange(4)) % 4, axis=1)
            return Cells.of(triangle=np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]))
        return Cells.of(quad=quads)

    faces = {
        "x_min": (i[0], 0),
        "x_max": (i[-1], 0),
        "y_min": (i[:, 0], 0),
        "y_max": (i[:, -1], 0),
        "z_min": (i[:, :, 0], 1),
        "z_max": (i[:, :, -1], 1),
    }
    return Mesh(x.reshape(-1, 3), cells[kind], {name: side(*face) for name, face in faces.items()}, name=f"cube-{kind}")


def _positive(points, rows):
    turned = np.linalg.det(points[rows[:, 1:]] - points[rows[:, :1]]) < 0
    rows[turned] = rows[turned][:, [0, 2, 1, 3]]
    return rows


@functools.cache
def layers(kind="o"):
    """A NACA 0012 in an O- or C-grid with a first cell of 1e-5 chords: y+ = 1 at a Reynolds number of some millions."""
    if kind == "o":
        return ogrid(naca4(), n_wall=96, n_normal=40, outer_radius=8.0, first_height=1e-5)
    return cgrid(naca4(), n_wall=96, n_wake=24, n_normal=40, first_height=1e-5)


MESHES = {
    **{f"square-{kind}": (lambda kind=kind: square(6, kind, 0.2)) for kind in ("triangle", "quad", "mixed")},
    **{f"cube-{kind}": (lambda kind=kind: cube(3, kind, 0.15)) for kind in ("hexahedron", "wedge", "tetra")},
}
