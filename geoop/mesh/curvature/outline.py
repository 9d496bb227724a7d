"""Curvature along outlines in the plane."""

from __future__ import annotations

import numpy as np

from ...errors import InvalidMeshError
from ..loops import Loop, loops, signed_area
from ..mesh import Mesh
from ..topology import welded


def outline_curvature(outline: Mesh) -> np.ndarray:
    """(n,) curvature at the points of an outline [1/m]: 1/R on a circle, negative where the body is hollow.

    At every point the parabola of fourth degree through the five nearest points along its loop, over the line through the
    outer two, gives slope and curvature: third order in the spacing, on unevenly spaced points too. The side of the body is
    told by the loop: to its left when counter-clockwise; holes in a body as :func:`geoop.mesh.outline.oriented` turns them.
    Closed loops that run clockwise in the file are taken as bodies. At corners the value grows like one over the spacing.

    Points without lines, and loops of fewer than five points, get NaN; a point where loops cross has the value of the last.

    Raises:
        InvalidMeshError: not an outline in 2-D.
    """
    if outline.dimension != 2 or not outline.is_surface:
        raise InvalidMeshError("curvature along an outline needs lines in 2-D", where=outline.name, remedy="pass geoop.mesh.body.body(mesh)")
    out = np.full(len(outline.points), np.nan)
    for loop in loops(outline):
        if len(loop.points) >= 5:
            out[loop.points] = _along(outline.points[loop.points], loop)
    return out[welded(outline.points)]


def _along(x: np.ndarray, loop: Loop) -> np.ndarray:
    n = len(x)
    offsets = np.arange(-2, 3)
    index = np.arange(n)[:, None] + offsets
    if loop.closed:
        window, place = index % n, np.full(n, 2)
    else:
        start = np.clip(np.arange(n) - 2, 0, n - 5)
        window, place = start[:, None] + np.arange(5), np.arange(n) - start
    near = x[window]
    middle = near[np.arange(n), place]
    along = near[:, 4] - near[:, 0]
    size = np.linalg.norm(along, axis=1, keepdims=True)
    along = along / np.where(size > 0, size, 1.0)
    u = np.einsum("nkd,nd->nk", near - middle[:, None], along)
    w = np.einsum("nkd,nd->nk", near - middle[:, None], np.stack([-along[:, 1], along[:, 0]], axis=1))
    scale = np.where(size > 0, size, 1.0)
    powers = (u / scale)[:, :, None] ** np.arange(5)
    bad = ~(np.diff(u, axis=1) > 1e-9 * scale).all(axis=1)  # turns back within the window: a corner sharper than a right angle
    powers[bad] = np.eye(5)
    c = np.linalg.solve(powers, (w / scale)[:, :, None])[:, :, 0]
    kappa = 2 * c[:, 2] / scale[:, 0] / (1 + c[:, 1] ** 2) ** 1.5
    kappa[bad] = _of_circles(near[bad], place[bad])
    return np.where(_clockwise(x, loop), -kappa, kappa)


def _of_circles(near: np.ndarray, place: np.ndarray) -> np.ndarray:
    """(k,) curvature of the circles through a point and its two neighbours."""
    row, middle = np.arange(len(near)), np.clip(place, 1, 3)
    a, b, c = near[row, middle - 1], near[row, middle], near[row, middle + 1]
    u, v, w = b - a, c - b, c - a
    product = np.linalg.norm(u, axis=1) * np.linalg.norm(v, axis=1) * np.linalg.norm(w, axis=1)
    return 2 * (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]) / np.where(product > 0, product, 1.0)


def _clockwise(x: np.ndarray, loop: Loop) -> bool:
    return loop.closed and signed_area(x) < 0
