"""A structured O-grid of quads round any simple closed section."""

from __future__ import annotations

import numpy as np

from ...errors import ConfigurationError, InvalidMeshError
from ..cells import Cells
from ..chord import chord_line
from ..crossings import crossing_segments
from ..mesh import Mesh
from ..resample import closed_ring, resample
from .field_lines import disk, field_lines
from .layers import layered
from .wall_spacing import wall_points


def ogrid(
    section: Mesh, *, n_wall: int = 200, n_normal: int = 80, outer_radius: float = 3.0, first_height: float = 1e-3, smooth: bool = False
) -> Mesh:
    """Quads between a section and a circle, in rings of ``n_wall`` points, the wall first.

    Each grid line is a line of steepest ascent of the section's exterior Green's function (see :func:`field_lines`), so lines
    never cross, whatever the shape: sharp or blunt trailing edges, thin, cambered, rotated or concave sections. Points along a
    line are spaced geometrically from ``first_height`` to the circle round the middle of the chord. Where that folds cells (in a
    cavity lines differ much in length), the layers follow the levels of the Green's function more and more, and the first
    height varies along the wall.

    The wall points lie on the polygon of the section, its corners of more than 30 degrees (trailing edge, corners of a blunt
    base) among them, the trailing edge (the upper corner of a base) first, counter-clockwise; between them the spacing follows
    the shape and not the points of the file.

    Args:
        section: one closed loop of line cells in 2-D.
        n_wall: points around the wall, >= 16.
        n_normal: points along each line, wall and circle included, >= 3.
        outer_radius: radius of the circle [chords].
        first_height: length of the first cell off the wall [chords].
        smooth: True puts the wall on a chord-length cubic spline through the vertices, broken at corners (:func:`resample`):
            for coarse coordinates of a smooth section. False keeps the wall on the user's polygon.

    Returns:
        mesh of counter-clockwise quads; point k * n_wall + i is point k of line i. Patches ``wall`` (counter-clockwise line
        cells, normals (t_y, -t_x) into the fluid) and ``farfield`` (normals out of the fluid).

    Raises:
        InvalidMeshError: several loops, open, crossing itself, or no grid without inverted cells was found; the message says where.
        ConfigurationError: counts, radius or height out of range.
    """
    _require(n_wall, n_normal, outer_radius, first_height)
    ring = closed_ring(resample(section, max(2000, 4 * n_wall)) if smooth else section)
    require_simple(ring, section.name, "the outline of the section")
    chord = chord_line(section)
    center, radius = complex(*(0.5 * (chord.leading_edge + chord.trailing_edge))), outer_radius * chord.length
    reach = float(np.abs(ring[:, 0] + 1j * ring[:, 1] - center).max())
    if radius < 1.2 * reach:
        raise ConfigurationError(
            f"a circle of {outer_radius} chords does not clear the section",
            where="ogrid",
            remedy=f"give outer_radius >= {1.2 * reach / chord.length:.2f}",
        )
    wall, _ = wall_points(_from_trailing_edge(ring, chord.trailing_edge), n_wall)
    require_simple(wall, section.name, f"the wall on {n_wall} points")
    circle = disk(center, radius)
    lines = field_lines(wall, circle)
    ends = lines.ends(circle)
    rim = lines.at(ends[None])[0] - center
    rim = center + radius * rim / np.abs(rim)
    rings = layered(lines, ends, rim, n_normal, first_height * chord.length, wall=wall, closed=True, where=section.name)
    points = np.stack([rings.real, rings.imag], axis=2)
    points[0] = wall
    return _mesh(points, section.name)


def _mesh(points: np.ndarray, name: str) -> Mesh:
    """Rings of points (k, n, 2) as quads with their two patches."""
    k, n = points.shape[:2]
    index = np.arange(k * n).reshape(k, n)
    after = np.roll(index, -1, axis=1)
    quads = np.stack([index[:-1], index[1:], after[1:], after[:-1]], axis=2).reshape(-1, 4)
    patches = {"wall": Cells.of(line=np.stack([index[0], after[0]], axis=1)), "farfield": Cells.of(line=np.stack([index[-1], after[-1]], axis=1))}
    return Mesh(points.reshape(-1, 2), Cells.of(quad=quads), patches, name=f"{name}-ogrid")


def _from_trailing_edge(ring: np.ndarray, trailing_edge: np.ndarray) -> np.ndarray:
    """The ring rolled to begin at the trailing edge, at the upper corner of a base (counter-clockwise, the side that leaves)."""
    distance = np.linalg.norm(ring - trailing_edge, axis=1)
    near = np.flatnonzero(distance <= distance.min() * (1 + 1e-6) + 1e-12 * np.ptp(ring))
    if len(near) > 1:  # the two corners of a base: the one whose successor leads away from it
        ahead = np.linalg.norm(ring[(near + 1) % len(ring)] - trailing_edge, axis=1)
        near = near[[int(np.argmax(ahead))]]
    return np.roll(ring, -int(near[0]), axis=0)


def require_simple(ring: np.ndarray, name: str, what: str) -> None:
    """Raise :class:`InvalidMeshError` unless no two segments of a closed ring cross; ``name`` and ``what`` say whose it is."""
    pairs = crossing_segments(ring, np.roll(ring, -1, axis=0))
    if len(pairs):
        at = ring[pairs[0, 0]]
        raise InvalidMeshError(
            f"{what} crosses itself {len(pairs)} times, first near ({at[0]:.6g}, {at[1]:.6g})",
            where=name,
            remedy="check the order of the points there, often at the trailing edge" + ("; or raise n_wall" if "wall" in what else ""),
        )


def _require(n_wall: int, n_normal: int, outer_radius: float, first_height: float) -> None:
    problems = []
    if n_wall < 16:
        problems.append(f"n_wall is {n_wall}, give at least 16")
    if n_normal < 3:
        problems.append(f"n_normal is {n_normal}, give at least 3")
    if not 0.6 <= outer_radius < np.inf:
        problems.append(f"outer_radius is {outer_radius}, give 0.6 chords or more")
    if not 0 < first_height < outer_radius:
        problems.append(f"first_height is {first_height}, give a positive number of chords below outer_radius")
    if problems:
        raise ConfigurationError("; ".join(problems), where="ogrid", remedy="the defaults (200, 80, 3.0, 1e-3) suit a section in inviscid flow")
