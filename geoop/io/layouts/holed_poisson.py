"""Poisson's equation in a square with a square hole that moves, in one npz (from mathLab/PINA, MIT): -0.1 Laplace u = 1, u = 0 on all boundaries.

Arrays: ``x``, ``y``, ``u`` (points, n), ``mu`` (n, 2) place of the hole, ``triangles`` (m, 3) of all cases; part of them run clockwise and are turned.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...errors import DatasetError, InvalidMeshError
from ...mesh.case import Case
from ...mesh.cells import Cells
from ...mesh.mesh import Mesh
from ...mesh.quantity import Field, Quantity
from ..collecting.choices import Choices
from ..collecting.collection import Collection
from ..collecting.splitting import random_splits
from .layout import Layout, Published, collection_of
from .npz import archives, read_arrays

SOLUTION = Quantity("solution", "u")
_ARRAYS = ("x", "y", "u", "mu", "triangles")


def recognise(root: Path) -> bool:
    """Whether the folder holds such an archive."""
    return bool(archives(root, _ARRAYS))


def survey(root: Path, choices: Choices) -> Collection:
    """All geometries of the first archive, split 70 : 10 : 20 at random: the publication has no division.

    Raises:
        UnreadableFileError: the file is damaged. DatasetError: arrays of shapes that do not fit.
    """
    path = archives(root, _ARRAYS)[0]
    arrays = read_arrays(path, _ARRAYS)
    x, triangles = arrays["x"], arrays["triangles"]
    fits = x.ndim == 2 and arrays["y"].shape == arrays["u"].shape == x.shape and arrays["mu"].shape == (x.shape[1], 2)
    if not fits or triangles.ndim != 2 or triangles.shape[1] != 3 or triangles.min(initial=0) < 0 or triangles.max(initial=0) >= len(x):
        raise DatasetError(
            "shapes do not fit: " + ", ".join(f"{name} {arrays[name].shape}" for name in _ARRAYS), where=str(path), remedy="download the file again"
        )
    names = [f"hole_{k:04d}" for k in range(x.shape[1])]
    number = {name: k for k, name in enumerate(names)}
    turned = int((_areas(arrays, 0) < 0).sum())
    found = Published(
        "holed_poisson",
        random_splits({name: name for name in names}, choices.seed, "hole"),
        lambda name: load(arrays, number[name], name),
        {},
        {name: {"mu_1": float(arrays["mu"][k, 0]), "mu_2": float(arrays["mu"][k, 1])} for name, k in number.items()},
        licence="MIT",
        about="-0.1 Laplace u = 1 in the unit square without a square hole of side 0.3 whose place varies, u = 0 on all boundaries.",
        facts={"equation": "-0.1 laplace(u) = 1", "source": "mathLab/PINA"},
        notes=(f"{turned} of {len(triangles)} triangles run clockwise in the file and are turned",),
        files=[path],
    )
    return collection_of(found, root, choices)


def load(arrays: dict[str, np.ndarray], k: int, name: str) -> Case:
    """One geometry: the triangles counter-clockwise, the patches ``outer`` and ``hole``, u at the points.

    Raises:
        InvalidMeshError: a triangle without an area.
    """
    points = np.stack([arrays["x"][:, k], arrays["y"][:, k]], axis=1).astype(np.float64)
    area = _areas(arrays, k)
    if (area == 0).any():
        raise InvalidMeshError(f"{int((area == 0).sum())} triangles have no area", where=name, remedy="leave the case out")
    triangles = np.where((area < 0)[:, None], arrays["triangles"][:, ::-1], arrays["triangles"])
    zero = Field(SOLUTION, np.zeros(()), "global")
    patches = _patches(points, triangles)
    mesh = Mesh(points, Cells.of(triangle=triangles), patches, name=name)
    fields = {SOLUTION.name: Field(SOLUTION, arrays["u"][:, k].astype(np.float64))}
    return Case(mesh, fields=fields, boundary={patch: {SOLUTION.name: zero} for patch in patches}, name=name)


def _areas(arrays: dict[str, np.ndarray], k: int) -> np.ndarray:
    """(m,) signed areas of the triangles as they are in the file."""
    corners = np.stack([arrays["x"][:, k], arrays["y"][:, k]], axis=1).astype(np.float64)[arrays["triangles"]]
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return 0.5 * (one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0])


def _patches(points: np.ndarray, triangles: np.ndarray) -> dict[str, Cells]:
    """Edges of one triangle only, counter-clockwise around the region: those on the sides of the box, and the rest."""
    edges = np.concatenate([triangles[:, [k, (k + 1) % 3]] for k in range(3)])
    _, index, counts = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True, return_counts=True)
    border = edges[counts[index.reshape(-1)] == 1]
    low, high = points.min(axis=0), points.max(axis=0)
    near = 1e-6 * float((high - low).max())
    on_side = np.stack([np.abs(points - low) < near, np.abs(points - high) < near], axis=1).reshape(len(points), 4)
    outer = on_side[border].all(axis=1).any(axis=1)
    parts = {"outer": border[outer], "hole": border[~outer]}
    return {name: Cells.of(line=rows) for name, rows in parts.items() if len(rows)}


LAYOUT = Layout(
    "holed_poisson",
    "Poisson's equation in a square with a moving hole in one npz (PINA)",
    "NAME.npz with arrays x, y, u, mu, triangles",
    recognise,
    survey,
)
