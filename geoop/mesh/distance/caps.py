"""Patches over the holes of a surface, for the sole purpose of telling inside from outside: no distance is measured to them."""

from __future__ import annotations

import numpy as np

_SMALL = 16  # corners of a hole up to which the cheapest of all its triangulations is searched
_NEVER = 1e3  # squares of a ring's width: dearer than any triangulation of it


def rings(edges: np.ndarray) -> list[np.ndarray]:
    """Closed rings of points along edges (e, 2), each edge used at most once; what does not close is left out.

    At a point where several holes touch, the walk closes as soon as it meets itself, so that a ring passes a point once, and
    goes on along an edge that starts there, if there is one: facets that agree in orientation get caps that agree with them.
    """
    at: dict[int, list[int]] = {}
    for number, (a, b) in enumerate(edges.tolist()):
        at.setdefault(a, []).append(number)
        at.setdefault(b, []).append(number)
    used = np.zeros(len(edges), dtype=bool)
    found = []
    for first in range(len(edges)):
        if used[first]:
            continue
        used[first] = True
        walk = [int(edges[first, 0]), int(edges[first, 1])]
        place = {walk[0]: 0, walk[1]: 1}
        while len(walk) > 1:
            here = walk[-1]
            free = [number for number in at[here] if not used[number]]
            if not free:
                break
            step = next((number for number in free if edges[number, 0] == here), free[0])
            used[step] = True
            there = int(edges[step].sum()) - here
            if there in place:
                start = place[there]
                found.append(np.array(walk[start:]))
                for point in walk[start + 1 :]:
                    del place[point]
                walk = walk[: start + 1]
                if not start:
                    break
            else:
                place[there] = len(walk)
                walk.append(there)
    return [ring for ring in found if len(ring) >= 3]


def cap(points: np.ndarray, ring: np.ndarray, tips: np.ndarray) -> np.ndarray:
    """Triangles over one ring (k,) of point indices; -1 stands for the mean of the ring, which long rings are joined to.

    Up to 16 corners it is the triangulation of least area (Barequet and Sharir 1995), so a missing triangle is put back as it was.
    ``tips`` (k,) are the corners at which both edges belong to one face: none is cut off, or a cap would lie on that face.
    """
    k = len(ring)
    if k == 3:
        return ring[None]
    if k > _SMALL:
        return np.stack([ring, np.roll(ring, -1), np.full(k, -1)], axis=1)
    x = points[ring]
    span = float(np.ptp(x, axis=0).max()) ** 2
    cost, cut = np.zeros((k, k)), np.zeros((k, k), dtype=np.int64)
    for length in range(2, k):
        for i in range(k - length):
            j = i + length
            m = np.arange(i + 1, j)
            area = 0.5 * np.linalg.norm(np.cross(x[m] - x[i], x[j] - x[i]), axis=1)
            cut_off = np.where((m == i + 1) & (j == i + 2), m, np.where(length < k - 1, -1, np.where(m == 1, 0, np.where(m == k - 2, j, -1))))
            total = cost[i, m] + cost[m, j] + area + np.where((cut_off >= 0) & tips[cut_off], _NEVER * span, 0.0)
            cost[i, j], cut[i, j] = total.min(), m[total.argmin()]
    rows, open_ = [], [(0, k - 1)]
    while open_:
        i, j = open_.pop()
        if j - i >= 2:
            m = int(cut[i, j])
            rows.append((ring[i], ring[m], ring[j]))
            open_ += [(i, m), (m, j)]
    return np.array(rows)


def capped(points: np.ndarray, edges: np.ndarray, owner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All points (the given ones first, then middles of long rings) and the triangles (t, 3) over every ring of edges (e, 2).

    ``owner`` (e,) is the face of each edge.
    """
    face = {frozenset(edge): number for edge, number in zip(edges.tolist(), owner.tolist(), strict=True)}
    rows, middles = [np.zeros((0, 3), dtype=np.int64)], []
    for ring in rings(edges):
        corners = ring.tolist()
        along = np.array([face[frozenset(edge)] for edge in zip(corners, corners[1:] + corners[:1], strict=True)])
        triangles = cap(points, ring, along == np.roll(along, 1))
        if (triangles < 0).any():
            triangles = np.where(triangles < 0, len(points) + len(middles), triangles)
            middles.append(points[ring].mean(axis=0))
        rows.append(triangles)
    return np.concatenate([points, np.array(middles).reshape(-1, points.shape[1])]), np.concatenate(rows)
