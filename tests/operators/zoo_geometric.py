"""Zoo entries of operators that know about geometry: finite-element spaces, kernels in local frames, patches of a surface."""

from __future__ import annotations

from dataclasses import replace

import torch

from geoop.decoders.finite_element import FiniteElement
from geoop.graph.pointset import PointSet
from geoop.layers.neighborhood import Ball, Nearest
from geoop.operators.geometric_kernel import GeometricKernel
from geoop.operators.geometric_patch import GeometricPatch

from .zoo import QUERIES, Cloud, Entry


def normals(points: PointSet) -> PointSet:
    """The first vector is a unit normal."""
    unit = torch.nn.functional.normalize(points.vectors[:, :1], dim=2)
    return points.with_features(vectors=torch.cat([unit, points.vectors[:, 1:]], 1))


def surface(points: PointSet) -> PointSet:
    """On a paraboloid, with normals where there are vectors."""
    flat = points.pos[:, :2]
    pos = torch.cat([flat, 0.3 * flat[:, :1] ** 2 - 0.2 * flat[:, 1:] ** 2 + 0.1 * flat[:, :1] ** 3], dim=1)
    return replace(normals(points) if points.vectors.shape[1] else points, pos=pos)


def beyond(points: PointSet) -> PointSet:
    """Stretched, so that a lattice within the unit cube has all of the cube in its cells: outside of them the order is lost."""
    return replace(points, pos=1.6 * (points.pos - 0.5) + 0.5)


def bubbles():
    space = FiniteElement(2, degree=2, hidden=3)
    torch.nn.init.normal_(space.bubble_head.weight)
    return space


FRAMES = Cloud(scalars=3, vectors=1, adapt=normals)
FRAMED = Cloud(scalars=2, vectors=1, sizes=(5, 1, 8), adapt=normals)

ENTRIES: dict[str, Entry] = {
    "finite elements, P1": Entry(lambda: FiniteElement(3), source=Cloud(adapt=beyond), target=QUERIES, weighted=False),
    "finite elements, P2": Entry(bubbles, source=Cloud(scalars=6), target=QUERIES, weighted=False),
    "finite elements, P1, 3-D": Entry(
        lambda: FiniteElement(3),
        source=Cloud(dimension=3),
        target=Cloud(scalars=0, dimension=3, sizes=(5, 1, 8)),
        weighted=False,
        sizes=(),  # Delaunay cells of fine clouds in 3-D cost more than a claim may: decoders/test_finite_element.py
    ),
    "geometric kernel in a ball": Entry(lambda: GeometricKernel(3, 5, Ball(0.7), gains=8, target_channels=2), source=FRAMES, target=FRAMED),
    "geometric kernel within a cloud, 3-D": Entry(
        lambda: GeometricKernel(3, 3, Nearest(5, smooth=True), gains=8), source=Cloud(dimension=3, vectors=1, adapt=normals)
    ),
    "patches, learned weights": Entry(
        lambda: GeometricPatch(32, channels=8),
        source=Cloud(dimension=3, vectors=1, sizes=(40, 48, 35), adapt=surface),
        weighted=False,
        fixed_geometry=True,
        any_size=False,
    ),
    "patches, learned coefficients": Entry(
        lambda: GeometricPatch(32, channels=8, head="coefficients"),
        source=Cloud(dimension=3, sizes=(40, 48, 35), adapt=surface),
        weighted=False,
        fixed_geometry=True,
    ),
}
