"""Moving meshes on known fields."""

import numpy as np
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh

CENTRE = np.array([0.5, 0.5])


def _r(x):
    return np.linalg.norm(x - CENTRE, axis=1)


FIELDS = {
    "ring .05": lambda x: np.tanh((_r(x) - 0.25) / 0.05),
    "ring .02": lambda x: np.tanh((_r(x) - 0.25) / 0.02),
    "front": lambda x: np.tanh((x[:, 0] + x[:, 1] - 1) / 0.05),
    "Gaussian": lambda x: np.exp(-(_r(x) ** 2) / (2 * 0.05**2)),
    "smooth": lambda x: np.sin(2 * np.pi * x[:, 0]) * np.sin(2 * np.pi * x[:, 1]),
}


def square(n):
    t = np.linspace(0, 1, n)
    p = np.stack(np.meshgrid(t, t, indexing="ij"), -1).reshape(-1, 2)
    i = (np.arange(n - 1)[:, None] * n + np.arange(n - 1)).ravel()
    tri = np.concatenate([np.c_[i, i + n, i + n + 1], np.c_[i, i + n + 1, i + 1]])
    line = lambda k: np.c_[k[:-1], k[1:]]
    k = np.arange(n)
    pat = {"bottom": line(k * n), "right": line((n - 1) * n + k), "top": line((k * n + n - 1)), "left": line(k)}
    return Mesh(p, Cells.of(triangle=tri), {a: Cells.of(line=b) for a, b in pat.items()}, name="square")
