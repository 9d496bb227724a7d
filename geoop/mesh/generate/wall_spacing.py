"""Where to put a given number of grid points on a closed polygon: fine at corners and noses, smooth in between."""

from __future__ import annotations

import numpy as np

from ...errors import InvalidMeshError

CORNER_TURN = np.radians(30.0)  # vertices that turn more are kept as grid points
_GROWTH = 0.15  # of the spacing per unit of arc length
_FINEST = 2e-4  # of the length: what a round nose may ask for with 200 points
_TURN_PER_CELL = np.radians(3.0)  # of a cell on a rounded part, for 200 points


def wall_points(ring: np.ndarray, n: int, keep: tuple[int, ...] = (), *, narrow: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Points on a closed polygon, its corners among them; the first point of the ring stays first.

    The wanted spacing h is a turning angle over the curvature on rounded parts, a small share of the length at corners (a
    quarter of the stretch to the next corner at most, so that a blunt base gets cells), grows by at most 15 % of the way from
    there, and is scaled so that n points fit.

    Args:
        ring: (k, 2) vertices, counter-clockwise, no repeated neighbours.
        n: number of points.
        keep: vertices that count as corners although they turn less.
        narrow: False lets the spacing beside a short stretch between corners be longer than a quarter of the stretch, where that
            is shorter than what a round nose may ask for.

    Returns:
        (n, 2) points on the polygon and (n,) bool, which of them are corners.

    Raises:
        InvalidMeshError: more corners than a third of the points.
    """
    turn = vertex_turning(ring)
    corner = np.abs(turn) > CORNER_TURN
    corner[[0, *keep]] = True
    if corner.sum() > n // 3:
        raise InvalidMeshError(
            f"the section has {int(corner.sum())} corners of more than 30 degrees, {n} points cannot resolve them",
            where="ogrid",
            remedy=f"give n_wall >= {3 * int(corner.sum())}, or smooth=True where the corners are noise of the coordinates",
        )
    length = np.linalg.norm(np.roll(ring, -1, axis=0) - ring, axis=1)
    place = np.concatenate([[0.0], np.cumsum(length)])
    s = _fine(place)
    density = 1.0 / _spacing(s, place, turn, corner, n, narrow)
    number = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]) * np.diff(s))])
    knots = np.append(place[:-1][corner], place[-1])
    at = np.interp(knots, s, number)
    counts = _share(np.diff(at), n)
    where = np.concatenate([np.interp(np.linspace(a, b, c + 1)[:-1], number, s) for a, b, c in zip(at[:-1], at[1:], counts, strict=True)])
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    where[first] = knots[:-1]
    closed = np.concatenate([ring, ring[:1]])
    points = np.stack([np.interp(where, place, closed[:, k]) for k in range(2)], axis=1)
    kept = np.zeros(n, dtype=bool)
    kept[first] = True
    return points, kept


def vertex_turning(ring: np.ndarray) -> np.ndarray:
    """(k,) exterior angle at every vertex of a closed ring [rad], positive where it turns left."""
    before, after = ring - np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0) - ring
    return np.arctan2(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0], (before * after).sum(axis=1))


def _fine(place: np.ndarray) -> np.ndarray:
    """Arc lengths at which the spacing is worked out: all vertices and enough in between."""
    pieces = np.maximum(4, np.ceil(np.diff(place) / place[-1] * 2000)).astype(int)
    return np.append(np.concatenate([np.linspace(a, b, m, endpoint=False) for a, b, m in zip(place[:-1], place[1:], pieces, strict=True)]), place[-1])


def _spacing(s: np.ndarray, place: np.ndarray, turn: np.ndarray, corner: np.ndarray, n: int, narrow: bool) -> np.ndarray:
    total = place[-1]
    scale = 200.0 / n
    finest = _FINEST * total * scale
    h = np.full(len(s), 0.02 * total * scale)
    # curvature: turning of the vertices that are no corners, averaged over 1 % of the length or two segments
    smooth = np.where(corner, 0.0, np.abs(turn))
    amount = np.concatenate([[0.0], np.cumsum(smooth)])  # jumps at place[i]
    segment = np.diff(place)
    width = np.maximum(0.01 * total, np.interp(s, place[:-1], np.maximum(segment, np.roll(segment, 1)), period=total))
    high = _turned(s + 0.5 * width, place, amount) - _turned(s - 0.5 * width, place, amount)
    h = np.minimum(h, np.maximum(_TURN_PER_CELL * scale * width / np.maximum(high, 1e-12), finest))
    knots = np.append(place[:-1][corner], place[-1])
    for a, b in zip(knots[:-1], knots[1:], strict=True):
        inside = (s >= a) & (s <= b)
        h[inside] = np.minimum(h[inside], (b - a) / 4 if narrow else max((b - a) / 4, finest))  # also on a blunt base
    tips = place[:-1][turn > CORNER_TURN]  # lines bundle in reflex corners by themselves
    h[np.isin(s, np.append(tips, place[-1] if turn[0] > CORNER_TURN else tips[:0]))] = 1e-3 * total * scale
    return _graded(s, h, total)


def _turned(s: np.ndarray, place: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """Turning accumulated up to arc length s, each vertex spread over its two half segments."""
    middle = 0.5 * (place[1:] + place[:-1])
    before = np.concatenate([[middle[-1] - place[-1]], middle])
    laps = np.floor((s - before[0]) / place[-1])
    return np.interp(s - laps * place[-1], before, amount) + laps * amount[-1]


def _graded(s: np.ndarray, h: np.ndarray, total: float) -> np.ndarray:
    """The largest spacing below h that changes by at most the growth per unit length, periodic."""
    s3 = np.concatenate([s - total, s, s + total])
    h3 = np.tile(h, 3)
    forward = np.minimum.accumulate(h3 - _GROWTH * s3) + _GROWTH * s3
    backward = np.minimum.accumulate((h3 + _GROWTH * s3)[::-1])[::-1] - _GROWTH * s3
    return np.minimum(forward, backward)[len(s) : 2 * len(s)]


def _share(demand: np.ndarray, n: int) -> np.ndarray:
    """Whole numbers in proportion to the demands with sum n, at least 2 each where that is possible."""
    least = 2 if 2 * len(demand) <= n else 1
    counts = np.maximum(np.floor(demand / demand.sum() * n).astype(int), least)
    while counts.sum() != n:
        step = 1 if counts.sum() < n else -1
        need = demand / counts if step > 0 else np.where(counts > least, counts / demand, -np.inf)
        counts[int(np.argmax(need))] += step
    return counts
