"""A structured C-grid of quads round a section and its wake."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import ConfigurationError, InvalidMeshError
from ..cells import Cells
from ..chord import ChordLine, chord_line
from ..crossings import crossing_segments
from ..mesh import Mesh
from ..resample import closed_ring, resample
from .charge import channel_charge
from .field_lines import bisectors, traced
from .layers import geometric_spacing, inverted_quads, layered
from .ogrid import require_simple
from .wall_spacing import CORNER_TURN, vertex_turning, wall_points

_TURNING_LENGTH = 1.0  # chords over which the wake turns from the trailing edge into its final direction
_STEEPEST = 1.0  # slope at which the wake may leave the edge against its final direction
_OUTER_CONDUCTOR = 1.3  # of the far-field radius: far enough that the lines end before they feel its segments
_OUTER_POINTS = 120
_BASE = 0.02  # chords: shorter bases with a rounded corner are rounded edges
_LONGER = 4.0  # than the segments beside it: what tells a base from a segment of a coarse round edge
_FACING = np.cos(np.radians(30.0))  # of its normal against the chord line


def cgrid(
    section: Mesh,
    *,
    n_wall: int = 200,
    n_wake: int = 60,
    n_normal: int = 80,
    outer_radius: float = 10.0,
    wake_length: float = 10.0,
    wake_angle: float = 0.0,
    first_height: float = 1e-3,
    smooth: bool = False,
    split_wake: bool = False,
) -> Mesh:
    """Quads between a section with its wake and a far field of a half circle in front and two straight lines behind.

    The section and its wake are charged as one conductor within another one outside the far field, mirrored at the outlet.
    The field lines of this channel are the grid lines (as in :func:`geoop.mesh.generate.ogrid.ogrid`): they never cross,
    the outlet is one of them and straight, and they meet the far field at nearly right angles. Spacing is geometric, along
    every line from ``first_height``, along the wake from the spacing of the wall at the trailing edge.

    The wake leaves the trailing edge along its bisector and turns into the direction of the outlet within one chord. Behind a
    sharp edge it is a line whose points both sides share. Behind a blunt one it is a strip as wide as the base, filled with
    cells that go on from those on the base.

    Args:
        section: one closed loop of line cells in 2-D.
        n_wall: points around the wall, base included, >= 16.
        n_wake: cells along the wake, >= 4.
        n_normal: points along each line, wall and far field included, >= 3.
        outer_radius: of the half circle round the middle of the chord [chords].
        wake_length: from the trailing edge to the outlet [chords].
        wake_angle: of the final direction of the wake against the chord line, counter-clockwise [deg], within +-45.
        first_height: length of the first cell off the wall and off the wake [chords].
        smooth: as for the O-grid.
        split_wake: True gives the two sides of a sharp edge's wake points of their own, with the patches ``wake_upper`` and
            ``wake_lower``, for solvers that couple or leave open the cut themselves.

    Returns:
        mesh of counter-clockwise quads with the patches ``wall`` (counter-clockwise, normals into the fluid), ``farfield``
        and ``outlet`` (normals out of the fluid).

    Raises:
        InvalidMeshError: several loops, open, crossing itself, or no grid without inverted cells was found; the message says where.
        ConfigurationError: an argument out of range, or a cut asked for behind a blunt edge, which has none.
    """
    _require(n_wall, n_wake, n_normal, outer_radius, wake_length, wake_angle, first_height)
    chord = chord_line(section)
    surface, base = _surface_and_base(resample(section, max(2000, 4 * n_wall)) if smooth else section, chord, n_wall)
    if split_wake and len(base) > 1:
        raise ConfigurationError(
            "the section has a blunt trailing edge: its wake is a strip of cells and has no cut",
            where="cgrid",
            remedy="leave split_wake out, or close the trailing edge",
        )
    frame = _Frame.at(chord, wake_angle, wake_length)
    strip = _wake(frame.local(surface), frame.local(base), n_wake, wake_length, section.name)
    rings = _rings(frame, surface, strip, (outer_radius, first_height, n_normal), section.name)
    points, inner = frame.world(rings), frame.world(strip)
    points[0, n_wake : n_wake + len(surface)], inner[0] = surface, base
    return _mesh(points, inner, split_wake, section.name)


def _rings(frame: _Frame, surface: np.ndarray, strip: np.ndarray, reach: tuple[float, float, int], name: str) -> np.ndarray:
    """(n_normal, n) complex layers of points along the field lines of section and wake, from the upper outlet round to the lower one."""
    outer_radius, first_height, n_normal = reach
    channel, n_wake = _Channel(frame.middle, outer_radius), len(strip) - 1
    chain = np.concatenate([strip[:0:-1, -1], frame.local(surface), strip[1:, 0]])
    _require_room(chain, channel)
    conductor = [chain] if strip.shape[1] > 1 else [chain[n_wake : len(chain) - n_wake], strip[:, 0]]
    lines = traced(chain, *_starts(chain), channel_charge(conductor, channel.conductor()), channel.inside)
    ends = lines.ends(channel.inside)
    rings = layered(lines, ends, lines.at(ends[None])[0], n_normal, first_height, wall=frame.world(chain), closed=False, where=name)
    for end in (0, -1):
        rings[:, end] = 1j * np.imag(rings[:, end])  # the outlet is straight
    return rings


def _surface_and_base(section: Mesh, chord: ChordLine, n_wall: int) -> tuple[np.ndarray, np.ndarray]:
    """(m, 2) grid points from the upper trailing edge round the nose to the lower one, and (k, 2) on from there over the base.

    A sharp edge has a base of one point.
    """
    ring = closed_ring(section)
    require_simple(ring, section.name, "the outline of the section")
    upper, lower = _edge_corners(ring, chord)
    ring, lower = np.roll(ring, -upper, axis=0), (lower - upper) % len(ring)
    wall, kept = wall_points(ring, n_wall, keep=(lower,), narrow=False)
    require_simple(wall, section.name, f"the wall on {n_wall} points")
    closed = np.concatenate([wall, wall[:1]])
    if lower == 0:
        return closed, wall[:1]
    end = int(np.flatnonzero(kept & (np.linalg.norm(wall - ring[lower], axis=1) < 1e-9 * chord.length))[0])
    return wall[: end + 1], closed[end:]


def _edge_corners(ring: np.ndarray, chord: ChordLine) -> tuple[int, int]:
    """Vertices at which the upper side begins and the lower one ends: the same at a sharp edge, else those with the edge midway.

    Where one corner of a base is rounded, the edge is the other corner: the base is then the long segment across the chord that it ends.
    """
    offset = ring - chord.trailing_edge
    near = np.flatnonzero(np.linalg.norm(offset, axis=1) <= 0.2 * chord.length)
    apart = np.linalg.norm(offset[near, None] + offset[None, near], axis=2)  # a vertex at the edge itself is its own partner
    i, j = (int(near[k]) for k in np.unravel_index(np.argmin(apart), apart.shape))
    if i == j or apart.min() > 1e-9 * chord.length:
        nearest = int(np.argmin(np.linalg.norm(offset, axis=1)))
        return _long_base(ring, nearest, chord) or (nearest, nearest)
    place = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.roll(ring, -1, axis=0) - ring, axis=1))])
    forward = (place[j] - place[i]) % place[-1]  # counter-clockwise from i to j
    return (j, i) if 2 * forward < place[-1] else (i, j)


def _long_base(ring: np.ndarray, edge: int, chord: ChordLine) -> tuple[int, int] | None:
    """Ends (upper, lower) of the segment beside a corner that faces downstream and is far longer than its neighbours; None without one."""
    n = len(ring)
    if abs(vertex_turning(ring)[edge]) <= CORNER_TURN:
        return None
    along = (chord.trailing_edge - chord.leading_edge) / chord.length
    step = np.roll(ring, -1, axis=0) - ring
    length = np.linalg.norm(step, axis=1)
    for lower in (edge, (edge - 1) % n):  # the ring runs up the base
        facing = (step[lower, 1] * along[0] - step[lower, 0] * along[1]) / length[lower]
        others = max(length[lower - 1], length[(lower + 1) % n])
        if facing > _FACING and length[lower] > max(_BASE * chord.length, _LONGER * others):
            return (lower + 1) % n, lower
    return None


@dataclass(frozen=True)
class _Frame:
    """Lengths in chords, the wake to the right, the middle of the chord on the real axis, the outlet on the imaginary one."""

    center: complex
    turn: complex
    length: float
    middle: float

    @classmethod
    def at(cls, chord: ChordLine, wake_angle: float, wake_length: float) -> _Frame:
        nose, tail = (complex(*p) for p in (chord.leading_edge, chord.trailing_edge))
        turn = (tail - nose) / abs(tail - nose) * np.exp(1j * np.radians(wake_angle))
        reach = (0.5 * (tail - nose) * np.conj(turn)).real / chord.length
        return cls(0.5 * (nose + tail), turn, chord.length, -wake_length - reach)

    def local(self, points: np.ndarray) -> np.ndarray:
        """(...,) complex of points (..., 2)."""
        return (points[..., 0] + 1j * points[..., 1] - self.center) * np.conj(self.turn) / self.length + self.middle

    def world(self, z: np.ndarray) -> np.ndarray:
        """(..., 2) points of complex (...,)."""
        moved = (z - self.middle) * self.turn * self.length + self.center
        return np.stack([moved.real, moved.imag], axis=-1)


@dataclass(frozen=True)
class _Channel:
    """The far field: a half circle round ``middle`` and straight lines from its ends to the outlet on the imaginary axis."""

    middle: float
    radius: float

    def inside(self, z: np.ndarray) -> np.ndarray:
        return np.where(z.real < self.middle, np.abs(z - self.middle), np.abs(z.imag)) < self.radius

    def conductor(self) -> np.ndarray:
        """(k,) points of a channel of the same shape outside this one, from the top of the outlet round the front."""
        radius, straight = _OUTER_CONDUCTOR * self.radius, -self.middle
        total = 2 * straight + np.pi * radius
        s = np.linspace(0.0, total, max(_OUTER_POINTS, int(np.ceil(10 * total / self.radius))) + 1)
        bow = self.middle + radius * 1j * np.exp(1j * np.clip((s - straight) / radius, 0.0, np.pi))
        return bow + np.maximum(straight - s, 0.0) + np.maximum(s - straight - np.pi * radius, 0.0)


def _wake(surface: np.ndarray, base: np.ndarray, n_wake: int, length: float, name: str) -> np.ndarray:
    """(n_wake + 1, k) points of the wake from the base (k points, the lower corner first) to the outlet, all complex and local.

    Raises:
        InvalidMeshError: it runs into the section.
    """
    step = 0.5 * (abs(surface[1] - surface[0]) + abs(surface[-1] - surface[-2]))
    s = geometric_spacing(np.array([length]), n_wake + 1, step)[:, 0]
    turning = min(_TURNING_LENGTH, 0.5 * length)
    t = np.clip(s / turning, 0.0, 1.0)
    middle, width = 0.5 * (base[0] + base[-1]), abs(base[-1] - base[0])
    way = np.linspace(-0.5, 0.5, len(base)) if width == 0 else np.cumsum(np.abs(np.diff(base, prepend=base[:1])))
    upright = 1j * (way - 0.5 * way[-1]) * (width / max(way[-1], 1e-300)) if len(base) > 1 else np.zeros(1)
    bend = (t * t * (3 - 2 * t))[:, None]
    spread = (1 - bend) * (base - middle) + bend * upright
    for slope in (_edge_slope(surface), 0.0):
        center = middle + s + 1j * slope * turning / 3 * (1 - (1 - t) ** 3)
        strip = center[:, None] + spread
        strip[0], strip[-1] = base, 1j * strip[-1].imag
        if _is_free(surface, base, strip):
            return strip
    raise InvalidMeshError(
        "the wake behind the trailing edge runs into the section",
        where=name,
        remedy="turn it with wake_angle, or make an O-grid: geoop.mesh.generate.ogrid.ogrid(section)",
    )


def _edge_slope(surface: np.ndarray) -> float:
    """Slope of the bisector of the trailing edge, its sides measured over half a percent of the chord."""
    sides = [line[int(np.argmax(np.abs(line - line[0]) >= 0.005))] - line[0] for line in (surface, surface[::-1])]
    ahead = -sum(side / max(abs(side), 1e-300) for side in sides)
    if ahead.real < 0.5:  # round, or turned away: no edge that would guide a wake
        return 0.0
    return float(np.clip(ahead.imag / ahead.real, -_STEEPEST, _STEEPEST))


def _is_free(surface: np.ndarray, base: np.ndarray, strip: np.ndarray) -> bool:
    """Whether the strip has cells of positive area (where it has any) and touches the section at its base only."""
    if strip.shape[1] > 1 and inverted_quads(strip, closed=False).any():
        return False
    lines = [surface, base, strip[:, 0], strip[:, -1]] if strip.shape[1] > 1 else [surface, strip[:, 0]]
    start, end = (np.concatenate([line[part] for line in lines]) for part in (slice(None, -1), slice(1, None)))
    pairs = np.stack([start.real, start.imag], axis=1), np.stack([end.real, end.imag], axis=1)
    return not len(crossing_segments(*pairs))


def _starts(chain: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Directions in which lines leave the chain, upright at its ends, and the length of the shorter segment at every point."""
    step = np.diff(chain)
    unit = step / np.abs(step)
    way = bisectors(np.concatenate([unit[:1], unit]), np.concatenate([unit, unit[-1:]]))
    way[0], way[-1] = 1j, -1j
    length = np.abs(step)
    return way, np.minimum(np.append(length, length[-1]), np.append(length[:1], length))


def _mesh(points: np.ndarray, strip: np.ndarray, split: bool, name: str) -> Mesh:
    """Layers of points (k, n, 2) round a strip of points (w + 1, b, 2) as quads with their patches."""
    k, n = points.shape[:2]
    w, b = strip.shape[0] - 1, strip.shape[1]
    index = np.arange(k * n).reshape(k, n)
    inner = k * n + np.arange((w + 1) * b).reshape(w + 1, b)
    inner[:, -1] = index[0, w::-1]
    if b > 1:
        inner[:, 0] = index[0, n - 1 - w :]
    elif split:
        index[0, n - 1 - w] = index[0, w]
    else:
        index[0, n - 1 - w :] = index[0, w::-1]
    behind = np.stack([inner[:-1, :-1], inner[1:, :-1], inner[1:, 1:], inner[:-1, 1:]], axis=2).reshape(-1, 4)
    around = np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], axis=2).reshape(-1, 4)
    lines = {
        "wall": [index[0, w : n - w], inner[0]],
        "farfield": [index[-1]],
        "outlet": [index[::-1, -1], inner[-1], index[:, 0]],
    }
    if split:
        lines |= {"wake_upper": [index[0, : w + 1]], "wake_lower": [index[0, n - 1 - w :]]}
    all_points = np.concatenate([points.reshape(-1, 2), strip.reshape(-1, 2)])
    patches = {key: Cells.of(line=np.concatenate([np.stack([run[:-1], run[1:]], axis=1) for run in runs])) for key, runs in lines.items()}
    whole = Mesh(all_points, Cells.of(quad=np.concatenate([around, behind])))
    return whole.submesh(whole.cells, name=f"{name}-cgrid", patches=patches)


def _require_room(chain: np.ndarray, channel: _Channel) -> None:
    reach = float(np.where(np.real(chain) < channel.middle, np.abs(chain - channel.middle), np.abs(np.imag(chain))).max())
    problems = []
    if channel.radius < 1.2 * reach:
        problems.append(f"outer_radius is {channel.radius:g} chords, give {1.2 * reach:.2f} or more to clear the section and its wake")
    if np.real(chain[1:-1]).max() >= 0:
        problems.append("wake_length does not clear the section")
    if problems:
        raise ConfigurationError("; ".join(problems), where="cgrid", remedy="the defaults (10 and 10 chords) clear any section")


def _require(n_wall: int, n_wake: int, n_normal: int, outer_radius: float, wake_length: float, wake_angle: float, first_height: float) -> None:
    problems = []
    for key, value, least in (("n_wall", n_wall, 16), ("n_wake", n_wake, 4), ("n_normal", n_normal, 3)):
        if value < least:
            problems.append(f"{key} is {value}, give at least {least}")
    if not 0.6 <= outer_radius < np.inf:
        problems.append(f"outer_radius is {outer_radius}, give 0.6 chords or more")
    if not 0.1 <= wake_length < np.inf:
        problems.append(f"wake_length is {wake_length}, give 0.1 chords or more")
    if not -45 <= wake_angle <= 45:
        problems.append(f"wake_angle is {wake_angle}, give -45 to 45 degrees")
    if not 0 < first_height < outer_radius:
        problems.append(f"first_height is {first_height}, give a positive number of chords below outer_radius")
    if problems:
        raise ConfigurationError("; ".join(problems), where="cgrid", remedy="the defaults suit a section in viscous flow at first_height 1e-5")
