"""Self-intersections against exact rational arithmetic, and against shapes where the answer is known."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

from geoop.mesh.intersections import intersecting_triangles
from geoop.mesh.primitives import box, icosphere


def _sub(a, b):
    return [p - q for p, q in zip(a, b, strict=True)]


def _dot(a, b):
    return sum(p * q for p, q in zip(a, b, strict=True))


def _cross(a, b):
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]


def _clipped(polygon, normal, start):
    """A convex polygon cut to where normal . (x - start) >= 0."""
    out = []
    for a, b in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        s, t = _dot(normal, _sub(a, start)), _dot(normal, _sub(b, start))
        if s >= 0:
            out.append(a)
        if s * t < 0:
            out.append([p + (q - p) * s / (s - t) for p, q in zip(a, b, strict=True)])
    return out


def _distinct(points):
    return [list(p) for p in dict.fromkeys(map(tuple, points))]


def meet(a, b) -> bool:
    """By definition: the common part of two triangles is more than a point, and is inside at least one of them or has area."""
    normals = [_cross(_sub(t[1], t[0]), _sub(t[2], t[0])) for t in (a, b)]
    part = [list(p) for p in a]
    plane = normals[1]
    part = _clipped(_clipped(part, plane, b[0]), [-p for p in plane], b[0])
    for k in range(3):
        part = _clipped(part, _cross(plane, _sub(b[(k + 1) % 3], b[k])), b[k]) if part else part
    part = _distinct(part)
    if len(part) < 2:
        return False
    u = _sub(part[1], part[0])
    if any(any(_cross(u, _sub(p, part[0]))) for p in part[2:]):
        return True  # a common area
    far = max(part, key=lambda p: _dot(u, _sub(p, part[0])))
    near = min(part, key=lambda p: _dot(u, _sub(p, part[0])))
    middle = [(p + q) / 2 for p, q in zip(near, far, strict=True)]
    return any(
        all(_dot(_cross(n, _sub(t[(k + 1) % 3], t[k])), _sub(middle, t[k])) > 0 for k in range(3)) for n, t in zip(normals, (a, b), strict=True)
    )


def expected(points, triangles):
    x = [[Fraction(float(c)) for c in p] for p in points]
    corners = [[x[i] for i in row] for row in triangles]
    solid = [any(_cross(_sub(t[1], t[0]), _sub(t[2], t[0]))) for t in corners]
    sets = [frozenset(map(tuple, t)) for t in corners]
    first = [solid[i] and sets[i] not in sets[:i] for i in range(len(sets))]
    return [(i, j) for i, j in combinations(range(len(corners)), 2) if first[i] and first[j] and meet(corners[i], corners[j])]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("size", [2, 4, 100])
def test_random_triangles_on_a_grid_agree_with_rational_arithmetic(seed, size):
    rng = np.random.default_rng(seed)
    points = rng.integers(0, size + 1, (24, 3)).astype(float)  # few places: shared corners, common planes, touching edges
    triangles = rng.integers(0, 24, (40, 3))
    assert list(map(tuple, intersecting_triangles(points, triangles).tolist())) == expected(points, triangles)


@pytest.mark.parametrize("seed", range(3))
def test_random_triangles_in_one_plane(seed):
    rng = np.random.default_rng(seed)
    flat = rng.integers(0, 5, (16, 2)) @ np.array([[1.0, 2, 0], [0, 1, -3]])
    triangles = rng.integers(0, 16, (24, 3))
    assert list(map(tuple, intersecting_triangles(flat, triangles).tolist())) == expected(flat, triangles)


BASE = [(0, 0, 0), (4, 0, 0), (0, 4, 0)]
CASES = {
    "through": ([(1, 1, -1), (1, 1, 1), (1, 2, 1)], 1),
    "above": ([(1, 1, 1), (2, 1, 1), (1, 2, 1)], 0),
    "corner on the face": ([(1, 1, 0), (2, 1, 1), (1, 2, 1)], 0),
    "edge on the face": ([(1, 1, 0), (2, 1, 0), (1, 1, 3)], 1),
    "hanging node on an edge": ([(0, 0, 0), (2, 0, 0), (1, -2, 0)], 0),
    "folded back over a common edge": ([(0, 0, 0), (4, 0, 0), (1, 1, 0)], 1),
    "neighbour over a common edge": ([(4, 0, 0), (0, 0, 0), (1, -1, 0)], 0),
    "steep neighbour over a common edge": ([(4, 0, 0), (0, 0, 0), (1, 1, 1e-9)], 0),
    "common corner, crossing beyond it": ([(0, 0, 0), (3, 3, 1), (3, 3, -1)], 1),
    "common corner only": ([(0, 0, 0), (-3, 3, 1), (-3, 3, -1)], 0),
    "overlap in the plane": ([(1, 1, 0), (5, 1, 0), (1, 5, 0)], 1),
    "apart in the plane": ([(5, 5, 0), (6, 5, 0), (5, 6, 0)], 0),
    "the same triangle": ([(0, 4, 0), (0, 0, 0), (4, 0, 0)], 0),
    "no area": ([(1, 1, -1), (1, 1, 0), (1, 1, 1)], 0),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e8])
def test_two_triangles(name, scale):
    other, count = CASES[name]
    points = np.array([*BASE, *other], dtype=float) * scale
    for order in ([0, 1, 2], [2, 0, 1], [1, 0, 2]):
        for far in (0.0, 100.0 * scale):
            assert len(intersecting_triangles(points + far, np.array([np.array([0, 1, 2])[order], [3, 4, 5]]))) == count


def test_closed_shapes_do_not_cut_themselves_however_they_are_turned():
    rng = np.random.default_rng(0)
    q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    for mesh in (icosphere(3), icosphere(2, 1e-3, (5, 5, 5))):
        for points in (mesh.points, mesh.points @ q, (mesh.points @ q).astype(np.float32).astype(float)):
            assert len(intersecting_triangles(points, mesh.cells.block("triangle"))) == 0


def test_two_boxes_meet_along_known_triangles():
    cube = box((0, 0, 0), (2, 2, 2), 1)
    quads = cube.cells.block("quad")
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    both = np.concatenate([cube.points, cube.points + 1])
    pairs = intersecting_triangles(both, np.concatenate([triangles, triangles + len(cube.points)]))
    assert (pairs[:, 0] < 12).all() and (pairs[:, 1] >= 12).all()
    assert list(map(tuple, pairs.tolist())) == expected(both, np.concatenate([triangles, triangles + len(cube.points)]).tolist())
    apart = np.concatenate([cube.points, cube.points + [3.0, 0, 0]])
    assert len(intersecting_triangles(apart, np.concatenate([triangles, triangles + len(cube.points)]))) == 0


def test_large_and_small_triangles_together():
    sphere = icosphere(3, 0.01)
    points = np.concatenate([sphere.points, [(-9.0, -9, 0), (9, -9, 0), (0, 9, 0)]])
    n = len(sphere.points)
    cut = intersecting_triangles(points, np.concatenate([sphere.cells.block("triangle"), [[n, n + 1, n + 2]]]))
    height = sphere.points[sphere.cells.block("triangle"), 2]
    rows = np.flatnonzero((height.min(axis=1) < 0) & (height.max(axis=1) > 0) | ((height == 0).sum(axis=1) == 2))
    np.testing.assert_array_equal(np.sort(cut[:, 0]), rows)


def test_no_triangles():
    assert intersecting_triangles(np.zeros((3, 3)), np.zeros((0, 3), dtype=int)).shape == (0, 2)
