"""Layers of grid points along field lines, geometric from the wall, evened out where that would fold cells."""

from __future__ import annotations

import numpy as np

from ...errors import InvalidMeshError
from .field_lines import FieldLines

_WIDTHS = (0, 2, 4, 8, 16, 32, 64)  # lines over which the layers are evened out, the first that leaves no inverted cell is taken


def layered(
    lines: FieldLines, ends: np.ndarray, rim: np.ndarray, count: int, height: float, *, wall: np.ndarray, closed: bool, where: str
) -> np.ndarray:
    """(count, n) points along the lines, the plainest spacing first that leaves no cell inverted.

    Args:
        lines: n field lines.
        ends: (n,) arc length at which each ends.
        rim: (n,) complex points where they end.
        count: points per line.
        height: first step along every line [m].
        wall: (n, 2) where the lines begin, for messages.
        closed: whether the last line is the neighbour of the first one; else the lines go on as in a mirror at either end.
        where: of messages.

    Raises:
        InvalidMeshError: cells stay inverted.
    """
    by_length = geometric_spacing(ends, count, height)
    level = lines.level(by_length[1:])
    n_cells = (count - 1) * (len(ends) - (not closed))
    fewest, worst = n_cells + 1, 0
    for width in _WIDTHS:
        places = by_length if width == 0 else np.concatenate([by_length[:1], lines.at_level(_averaged(level, width, closed))])
        rings = lines.at(places)
        rings[-1] = rim
        bad = inverted_quads(rings, closed=closed)
        if not bad.any():
            return rings
        if bad.sum() < fewest:
            fewest, worst = int(bad.sum()), int(bad.any(axis=0).argmax())
    at = wall[worst]
    raise InvalidMeshError(
        f"{fewest} of {n_cells} cells of the grid are inverted, among them one over the wall point ({at[0]:.6g}, {at[1]:.6g}): "
        "the wall is too coarse there, or a cavity too deep for one grid line per wall point",
        where=where,
        remedy="raise n_wall or first_height; smooth=True if the coordinates there are coarse or noisy; fill deep narrow cavities",
    )


def _averaged(level: np.ndarray, width: float, closed: bool) -> np.ndarray:
    """Rows averaged over neighbouring lines by a Gaussian of the given width, periodic or mirrored at the ends."""
    n = level.shape[1]
    level = level if closed else np.concatenate([level, level[:, ::-1]], axis=1)
    frequency = 2 * np.pi * np.fft.rfftfreq(level.shape[1])
    return np.fft.irfft(np.fft.rfft(level, axis=1) * np.exp(-0.5 * (width * frequency) ** 2), level.shape[1], axis=1)[:, :n]


def geometric_spacing(lengths: np.ndarray, count: int, height: float) -> np.ndarray:
    """(count, n) places from 0 to each length, the first step ``height``, each next one longer by one factor per line.

    A height that is too large for growing steps gives equal ones.
    """
    steps = count - 1
    low, high = np.ones(len(lengths)), np.full(len(lengths), 10.0)
    for _ in range(60):
        ratio = 0.5 * (low + high)
        total = height * np.expm1(steps * np.log(ratio)) / (ratio - 1 + 1e-300)
        low, high = np.where(total < lengths, ratio, low), np.where(total < lengths, high, ratio)
    k = np.arange(count)[:, None]
    growth = np.maximum(np.log(0.5 * (low + high)), 1e-12)
    return lengths * np.expm1(k * growth) / np.expm1(steps * growth)


def inverted_quads(rings: np.ndarray, *, closed: bool = True) -> np.ndarray:
    """(k - 1, n or n - 1) bool: cells between successive rings of points (k, n) that are not convex and counter-clockwise.

    At a sharp trailing edge the wall corner of a cell is straight up to rounding; a turn of a thousandth back is let through there.
    """
    a, b = rings[:-1], rings[1:]
    c, d = np.roll(b, -1, axis=1), np.roll(a, -1, axis=1)
    corners = [a, b, c, d]
    bad = np.zeros(a.shape, dtype=bool)
    for i in range(4):
        before, after = corners[i] - corners[i - 1], corners[(i + 1) % 4] - corners[i]
        sine = (np.conj(before) * after).imag / np.maximum(np.abs(before) * np.abs(after), 1e-300)
        limit = np.where((np.arange(len(a)) == 0)[:, None], -1e-3, 0.0) if i in (0, 3) else 0.0
        bad |= sine <= limit
    return bad if closed else bad[:, :-1]
