"""Layers of quads on the walls of one or several bodies, thinner where there is no room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from ...errors import ConfigurationError, InvalidMeshError
from ..crossings import crossing_segments
from .charge import isolated_charge
from .field_lines import FieldLines, bisectors, traced
from .layers import inverted_quads

_GAP_SHARE = 0.3  # of the gap to the next body: what one side's layers may take
_SHRINK = 0.7
_STEEPEST = 0.8  # thickness over that of the neighbouring line
_ROUNDS = 40


@dataclass(frozen=True)
class Layers:
    """Layers of quads on a wall.

    Attributes:
        first_height: of the layer on the wall [m].
        count: number of layers.
        growth: height of each over that of the one before.
    """

    first_height: float
    count: int = 12
    growth: float = 1.2

    def __post_init__(self) -> None:
        problems = []
        if not 0 < self.first_height < np.inf:
            problems.append(f"first_height is {self.first_height}, give a positive length in metres")
        if self.count < 1:
            problems.append(f"count is {self.count}, give at least 1")
        if not 1.0 <= self.growth <= 2.0:
            problems.append(f"growth is {self.growth}, give 1 to 2")
        if problems:
            raise ConfigurationError("; ".join(problems), where="Layers", remedy="for example Layers(1e-4, count=12, growth=1.2)")

    def scaled(self, factor: float) -> Layers:
        """The same layers in another unit of length."""
        return Layers(self.first_height * factor, self.count, self.growth)

    @property
    def places(self) -> np.ndarray:
        """(count + 1,) distances from the wall, 0 first."""
        return np.concatenate([[0.0], np.cumsum(self.first_height * self.growth ** np.arange(self.count))])


@dataclass(frozen=True, eq=False)
class GrownLayers:
    """Layers round bodies.

    Attributes:
        points: (k * n, 2): the points of all walls end to end, then those of the first layer, and so on.
        quads: (m, 4) counter-clockwise.
        outer: the outermost ring of each body, (n_i, 2).
    """

    points: np.ndarray
    quads: np.ndarray
    outer: list[np.ndarray]


def wall_layers(walls: list[np.ndarray], layers: Layers, name: str, world: Callable[[np.ndarray], np.ndarray]) -> GrownLayers:
    """Quads along field lines of the bodies, charged to one potential, so that no line crosses another one.

    Each line has the layers' thickness, but at most 0.3 of the gap to the next body, and less where cells would fold or layers
    meet; the thickness changes by a fifth at most from line to line.

    Args:
        walls: (n_i, 2) rings, counter-clockwise, none inside another.
        layers: what is wanted, in the unit of the walls.
        name, world: of messages: how the body is called, and where a point of the walls lies for the user.

    Raises:
        InvalidMeshError: there is no room even for thin layers.
    """
    rings = [wall[:, 0] + 1j * wall[:, 1] for wall in walls]
    starts = np.cumsum([0] + [len(ring) for ring in rings])
    parts = [slice(a, b) for a, b in zip(starts[:-1], starts[1:], strict=True)]
    places = layers.places
    lines = _lines(rings, places[-1])
    factor = _room(walls, places[-1])
    for _ in range(_ROUNDS):
        factor = np.concatenate([_eased(factor[part]) for part in parts])
        grown = lines.at(places[:, None] * factor)
        grown[0] = np.concatenate(rings)
        bad = _bad(grown, parts)
        if not bad.any():
            points = np.stack([grown.real, grown.imag], axis=2)
            return GrownLayers(points.reshape(-1, 2), _quads(len(places), parts), [points[-1, part] for part in parts])
        factor = np.where(bad, _SHRINK * factor, factor)
    at = world(np.concatenate(walls)[int(bad.argmax())])
    raise InvalidMeshError(
        f"no room for {layers.count} layers on the wall near ({at[0]:.6g}, {at[1]:.6g})",
        where=name,
        remedy="give a smaller first_height or fewer layers, or a finer wall there",
    )


def _lines(rings: list[np.ndarray], thickness: float) -> FieldLines:
    start, spacing = [], []
    for z in rings:
        before, after = z - np.roll(z, 1), np.roll(z, -1) - z
        start.append(bisectors(before / np.abs(before), after / np.abs(after)))
        spacing.append(np.minimum(np.abs(before), np.abs(after)))
    wall = np.concatenate(rings)
    return traced(wall, np.concatenate(start), np.concatenate(spacing), isolated_charge(*rings), lambda z: np.abs(z - wall) < 1.5 * thickness)


def _room(walls: list[np.ndarray], thickness: float) -> np.ndarray:
    """(n,) share of the thickness that the gap to the next body leaves."""
    out = []
    for i, wall in enumerate(walls):
        others = [other for j, other in enumerate(walls) if j != i]
        gap = KDTree(np.concatenate(others)).query(wall)[0] if others else np.full(len(wall), np.inf)
        out.append(np.minimum(1.0, _GAP_SHARE * gap / thickness))
    return np.concatenate(out)


def _eased(factor: np.ndarray) -> np.ndarray:
    """Factors lowered so that none is more than its neighbour's over 0.8, round the ring."""
    n = len(factor)
    steps = np.arange(3 * n) * np.log(_STEEPEST)
    logs = np.tile(np.log(factor), 3)
    forward = np.minimum.accumulate(logs + steps) - steps
    backward = np.minimum.accumulate((logs - steps)[::-1])[::-1] + steps
    return np.exp(np.minimum(forward, backward)[n : 2 * n])


def _bad(grown: np.ndarray, parts: list[slice]) -> np.ndarray:
    """(n,) lines beside an inverted cell, or beside an outermost segment that crosses another one or a wall."""
    bad = np.zeros(grown.shape[1], dtype=bool)
    outer, after, wall_after = grown[-1], grown[-1].copy(), grown[0].copy()
    for part in parts:
        folded = inverted_quads(grown[:, part]).any(axis=0)
        bad[part] |= folded | np.roll(folded, 1)
        after[part], wall_after[part] = np.roll(outer[part], -1), np.roll(grown[0, part], -1)
    start, end = np.concatenate([outer, grown[0]]), np.concatenate([after, wall_after])
    pairs = crossing_segments(np.stack([start.real, start.imag], axis=1), np.stack([end.real, end.imag], axis=1))
    hit = np.unique(pairs % len(outer))
    next_line = np.concatenate([np.roll(np.arange(part.start, part.stop), -1) for part in parts])
    bad[hit] = True
    bad[next_line[hit]] = True
    return bad


def _quads(count: int, parts: list[slice]) -> np.ndarray:
    n = parts[-1].stop
    index = np.arange(count * n).reshape(count, n)
    rows = []
    for part in parts:
        near, far = index[:-1, part], index[1:, part]
        rows.append(np.stack([near, far, np.roll(far, -1, axis=1), np.roll(near, -1, axis=1)], axis=2).reshape(-1, 4))
    return np.concatenate(rows)
