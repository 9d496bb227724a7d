"""Shapes that are formulas: sections, spheres, boxes, tori, capsules, wings."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from ..errors import ConfigurationError
from .cells import Cells
from .loops import signed_area
from .mesh import Mesh


def ring(points: np.ndarray, name: str) -> Mesh:
    """A closed outline through (n, 2) points in their order, one patch ``wall``."""
    index = np.arange(len(points))
    lines = Cells.of(line=np.stack([index, np.roll(index, -1)], axis=1))
    return Mesh(points, lines, {"wall": lines}, name=name)


def circle(n: int = 200, radius: float = 1.0, center: tuple[float, float] = (0.0, 0.0)) -> Mesh:
    """A regular n-gon, counter-clockwise, first point at angle zero [m].

    Raises:
        ConfigurationError: fewer than 3 points, or a radius that is not positive.
    """
    _require(n >= 3, f"n is {n}", "n >= 3")
    _require(radius > 0, f"radius is {radius}", "a positive radius in metres")
    angle = 2 * np.pi * np.arange(n) / n
    return ring(np.asarray(center) + radius * np.stack([np.cos(angle), np.sin(angle)], axis=1), "circle")


def naca4(code: str = "0012", n_points: int = 200, *, closed_trailing_edge: bool = True, chord: float = 1.0) -> Mesh:
    """A NACA four-digit section, counter-clockwise from the trailing edge over the upper side, cosine spacing.

    Thickness is laid off normal to the camber line (Jacobs, Ward and Pinkerton, NACA Report 460, 1933). The closed trailing
    edge takes 0.1036 instead of 0.1015 as the last coefficient.

    Args:
        code: four digits: camber in % of chord, its position in tenths, thickness in %.
        n_points: number of distinct points.
        closed_trailing_edge: sharp if True; else the published blunt base, closed by one segment.
        chord: [m].

    Raises:
        ConfigurationError: not four digits, zero thickness, too few points, or a chord that is not positive.
    """
    _require(len(code) == 4 and code.isdigit() and int(code[2:]) > 0, f"code is {code!r}", "four digits with a thickness, such as '2412'")
    _require(n_points >= 8, f"n_points is {n_points}", "n_points >= 8")
    _require(chord > 0, f"chord is {chord}", "a positive chord in metres")
    camber = partial(camber_line, height=int(code[0]) / 100, position=int(code[1]) / 10)
    return on_camber(camber, int(code[2:]) / 100, n_points, closed_trailing_edge=closed_trailing_edge, chord=chord, name=f"naca{code}")


def on_camber(
    camber: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    thickness: float,
    n_points: int = 200,
    *,
    closed_trailing_edge: bool = True,
    chord: float = 1.0,
    name: str = "section",
) -> Mesh:
    """The thickness of the NACA four- and five-digit sections laid off normal to a camber line; see :func:`naca4`.

    Args:
        camber: (n,) x/c -> (n,) height and (n,) slope of the camber line [chords].
        thickness: largest, in chords.
        n_points, closed_trailing_edge, chord: as for :func:`naca4`.
        name: of the mesh.

    Raises:
        ConfigurationError: zero thickness, too few points, or a chord that is not positive.
    """
    _require(0 < thickness < 1, f"thickness is {thickness} chords", "a thickness between 0 and 1 chord")
    _require(n_points >= 8, f"n_points is {n_points}", "n_points >= 8")
    _require(chord > 0, f"chord is {chord}", "a positive chord in metres")
    angle = 2 * np.pi * np.arange(n_points) / (n_points if closed_trailing_edge else n_points - 1)
    x = 0.5 * (1 + np.cos(angle))
    side = np.where(angle < np.pi, 1.0, -1.0)
    last = 0.1036 if closed_trailing_edge else 0.1015
    half = 5 * thickness * (0.2969 * np.sqrt(x) - 0.1260 * x - 0.3516 * x**2 + 0.2843 * x**3 - last * x**4)
    if closed_trailing_edge:
        half[0] = 0.0
    height, slope = camber(x)
    tilt = np.arctan(slope)
    points = np.stack([x - side * half * np.sin(tilt), height + side * half * np.cos(tilt)], axis=1)
    return ring(chord * points, name)


def camber_line(x: np.ndarray, height: float, position: float) -> tuple[np.ndarray, np.ndarray]:
    """(n,) height and slope of the two parabolas of a four-digit camber line at (n,) x/c; height and position of its crest in chords."""
    m, p = height, position
    if m == 0:
        return np.zeros_like(x), np.zeros_like(x)
    p = max(p, 0.05)  # a position digit of zero puts all camber at the nose; keep the parabola finite
    front, aft = m / p**2, m / (1 - p) ** 2
    camber = np.where(x < p, front * (2 * p * x - x**2), aft * (1 - 2 * p + 2 * p * x - x**2))
    return camber, np.where(x < p, 2 * front * (p - x), 2 * aft * (p - x))


def icosphere(level: int = 2, radius: float = 1.0, center: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Mesh:
    """A sphere of 20 * 4**level triangles, each edge halved and pushed to the sphere per level, outward [m].

    Raises:
        ConfigurationError: level outside 0..9, or a radius that is not positive.
    """
    _require(0 <= level <= 9, f"level is {level}", "level 0..9: every level has four times the triangles")
    _require(radius > 0, f"radius is {radius}", "a positive radius in metres")
    golden = (1 + np.sqrt(5)) / 2
    corners = [(s, t * golden, 0.0) for t in (1, -1) for s in (-1, 1)]
    points = np.array(corners + [(0.0, a, b) for a, b, _ in corners] + [(b, 0.0, a) for a, b, _ in corners])
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    near = np.isclose(distance, 2.0)
    faces = np.array([(a, b, c) for a in range(12) for b in range(a) for c in range(b) if near[a, b] and near[b, c] and near[a, c]])
    inward = (np.cross(points[faces[:, 1]] - points[faces[:, 0]], points[faces[:, 2]] - points[faces[:, 0]]) * points[faces[:, 0]]).sum(axis=1) < 0
    faces[inward] = faces[inward][:, ::-1]
    points /= np.linalg.norm(points[0])
    for _ in range(level):
        points, faces = _halved(points, faces)
    triangles = Cells.of(triangle=faces)
    return Mesh(np.asarray(center) + radius * points, triangles, {"wall": triangles}, name="sphere")


def _halved(points: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    edges = np.stack([faces, np.roll(faces, -1, axis=1)], axis=2).reshape(-1, 2)
    unique, number = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True)
    middle = points[unique].sum(axis=1)
    middle /= np.linalg.norm(middle, axis=1, keepdims=True)
    a, b, c = (number.reshape(-1, 3) + len(points)).T
    parts = [(faces[:, 0], a, c), (faces[:, 1], b, a), (faces[:, 2], c, b), (a, b, c)]
    return np.concatenate([points, middle]), np.concatenate([np.stack(p, axis=1) for p in parts])


def box(lower: tuple[float, ...] = (0.0, 0.0, 0.0), upper: tuple[float, ...] = (1.0, 1.0, 1.0), divisions: int = 1) -> Mesh:
    """A box of quads pointing outward, ``divisions`` per edge, patches ``x_min`` .. ``z_max``; a rectangle of lines in 2-D [m].

    Raises:
        ConfigurationError: corners of different or wrong length, not ordered, or no divisions.
    """
    low, high = np.asarray(lower, dtype=float), np.asarray(upper, dtype=float)
    _require(
        low.shape == high.shape and low.shape in ((2,), (3,)) and bool((high > low).all()),
        f"box from {lower} to {upper}",
        "upper > lower, 2 or 3 numbers",
    )
    _require(divisions >= 1, f"divisions is {divisions}", "divisions >= 1")
    return _rectangle(low, high, divisions) if len(low) == 2 else _cuboid(low, high, divisions)


def _rectangle(low: np.ndarray, high: np.ndarray, divisions: int) -> Mesh:
    t = np.arange(divisions) / divisions
    sides = ((t, 0 * t), (0 * t + 1, t), (1 - t, 0 * t + 1), (0 * t, 1 - t))
    points = low + (high - low) * np.concatenate([np.stack(side, axis=1) for side in sides])
    lines = ring(points, "rectangle").cells
    names = ("y_min", "x_max", "y_max", "x_min")
    parts = {name: lines.take(np.arange(i * divisions, (i + 1) * divisions)) for i, name in enumerate(names)}
    return Mesh(points, lines, parts, name="rectangle")


def _cuboid(low: np.ndarray, high: np.ndarray, divisions: int) -> Mesh:
    t = np.linspace(0.0, 1.0, divisions + 1)
    u, v = (g.ravel() for g in np.meshgrid(t, t, indexing="ij"))
    index = np.arange(len(u)).reshape(divisions + 1, -1)
    patch = np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], axis=-1).reshape(-1, 4)
    points, quads = [], []
    for axis in range(3):
        for end in (0.0, 1.0):
            side = np.zeros((len(u), 3))
            side[:, axis], side[:, (axis + 1) % 3], side[:, (axis + 2) % 3] = end, u, v
            quads.append((patch if end else patch[:, ::-1]) + len(points) * len(u))
            points.append(low + (high - low) * side)
    merged, number = np.unique(np.concatenate(points), axis=0, return_inverse=True)
    sides = [Cells.of(quad=number.reshape(-1)[q]) for q in quads]
    names = ("x_min", "x_max", "y_min", "y_max", "z_min", "z_max")
    return Mesh(merged, Cells.concatenate(sides), dict(zip(names, sides, strict=True)), name="box")


def torus(n_major: int = 64, n_minor: int = 24, *, major: float = 1.0, minor: float = 0.25) -> Mesh:
    """A torus round the z axis of 2 * n_major * n_minor triangles, outward, first ring in the x-z plane [m].

    Args:
        n_major, n_minor: points round the axis and round the tube.
        major, minor: radius of the circle and of the tube.

    Raises:
        ConfigurationError: fewer than 3 points a turn, or radii other than 0 < minor < major.
    """
    _require(n_major >= 3 and n_minor >= 3, f"{n_major} by {n_minor} points", "at least 3 points a turn")
    _require(0 < minor < major, f"a torus of radii {major} and {minor}", "0 < minor < major")
    i, j = (g.ravel() for g in np.meshgrid(np.arange(n_major), np.arange(n_minor), indexing="ij"))
    u, v = 2 * np.pi * i / n_major, 2 * np.pi * j / n_minor
    reach = major + minor * np.cos(v)
    points = np.stack([reach * np.cos(u), reach * np.sin(u), minor * np.sin(v)], axis=1)
    ahead, up = (i + 1) % n_major, (j + 1) % n_minor
    a, b, c, d = i * n_minor + j, ahead * n_minor + j, ahead * n_minor + up, i * n_minor + up
    triangles = Cells.of(triangle=np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)]))
    return Mesh(points, triangles, {"wall": triangles}, name="torus")


def capsule(n: int = 32, *, length: float = 2.0, radius: float = 0.5) -> Mesh:
    """A cylinder along x, centred, with half a sphere on each end, of triangles of about equal size, outward [m].

    Args:
        n: points round the cylinder; each half sphere has n / 4 rings, rounded up.
        length: of the cylinder alone.
        radius: of cylinder and half spheres.

    Raises:
        ConfigurationError: n < 3, or a length or radius that is not positive.
    """
    _require(n >= 3, f"n is {n}", "n >= 3")
    _require(length > 0 and radius > 0, f"a capsule of length {length} and radius {radius}", "a positive length and radius")
    rings = -(-n // 4)
    strips = max(1, round(length / (2 * np.pi * radius / n)))
    angle = np.pi / 2 * np.arange(1, rings + 1) / rings
    nose = np.stack([-length / 2 - radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    middle = np.stack([-length / 2 + length * np.arange(1, strips) / strips, np.full(strips - 1, radius)], axis=1)
    profile = np.concatenate([nose, middle, nose[::-1] * [-1.0, 1.0]])
    turn = 2 * np.pi * np.arange(n) / n
    skin = np.stack([np.broadcast_to(profile[:, :1], (len(profile), n)), profile[:, 1:] * np.cos(turn), profile[:, 1:] * np.sin(turn)], axis=2)
    ends = np.array([[-length / 2 - radius, 0.0, 0.0], [length / 2 + radius, 0.0, 0.0]])
    i, j = (g.ravel() for g in np.meshgrid(np.arange(len(profile) - 1), np.arange(n), indexing="ij"))
    a, b, c, d = i * n + j, i * n + (j + 1) % n, (i + 1) * n + (j + 1) % n, (i + 1) * n + j
    last, at, after = (len(profile) - 1) * n, np.arange(n), (np.arange(n) + 1) % n
    first_end = np.full(n, skin.shape[0] * n)
    caps = [np.stack([first_end, after, at], axis=1), np.stack([first_end + 1, last + at, last + after], axis=1)]
    triangles = Cells.of(triangle=np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1), *caps]))
    return Mesh(np.concatenate([skin.reshape(-1, 3), ends]), triangles, {"wall": triangles}, name="capsule")


def wing(section: Mesh, span: float = 4.0, *, taper: float = 1.0, sweep: float = 0.0, n_span: int = 20) -> Mesh:
    """A closed wing of triangles: a section in the x-z plane swept along y, both tips flat; patches ``wing`` and ``tips``.

    Args:
        section: a ring of line cells as made here, either way round, star-shaped seen from the mid-chord as sections are.
        span: tip to tip [m].
        taper: tip chord over root chord; the root is at mid-span.
        sweep: angle of the quarter-chord line [deg], positive backward.
        n_span: strips from tip to tip.

    Raises:
        ConfigurationError: a span, taper or number of strips that is not positive.
    """
    _require(
        span > 0 and taper > 0 and n_span >= 1 and abs(sweep) < 89,
        f"span {span}, taper {taper}, sweep {sweep}, n_span {n_span}",
        "positive values, |sweep| < 89",
    )
    profile = section.points[section.cells.block("line")[:, 0]]
    if signed_area(profile) < 0:  # clockwise: the same ring the other way round, from the same first point
        profile = np.roll(profile[::-1], 1, axis=0)
    quarter = profile[:, 0].min() + 0.25 * np.ptp(profile[:, 0])
    y = np.linspace(-span / 2, span / 2, n_span + 1)
    share = 2 * np.abs(y) / span
    scale = (1 + (taper - 1) * share)[:, None]
    x = quarter + scale * (profile[None, :, 0] - quarter) + (np.abs(y) * np.tan(np.radians(sweep)))[:, None]
    skin = np.stack([x, np.broadcast_to(y[:, None], x.shape), scale * profile[None, :, 1]], axis=2).reshape(-1, 3)
    n = len(profile)
    i, j = (g.ravel() for g in np.meshgrid(np.arange(n_span), np.arange(n), indexing="ij"))
    a, b, c, d = i * n + j, i * n + (j + 1) % n, (i + 1) * n + (j + 1) % n, (i + 1) * n + j
    faces = np.concatenate([np.stack([a, c, b], axis=1), np.stack([a, d, c], axis=1)])
    tips = np.concatenate([_cap(n), _cap(n)[:, ::-1] + n_span * n])
    parts = {"wing": Cells.of(triangle=faces), "tips": Cells.of(triangle=tips)}
    return Mesh(skin, Cells.concatenate(list(parts.values())), parts, name="wing")


def _cap(n: int) -> np.ndarray:
    """(n - 2, 3) triangles of a ring, zipped from the first point (trailing edge) to the opposite one."""
    upper, lower = np.arange(1, n // 2 + 1), np.arange(n - 1, n // 2, -1)
    rows, u, l = [], 0, 0
    rows.append((0, upper[0], lower[0]))
    while u + 1 < len(upper) or l + 1 < len(lower):
        if u + 1 < len(upper) and (l + 1 == len(lower) or u <= l):
            rows.append((upper[u], upper[u + 1], lower[l]))
            u += 1
        else:
            rows.append((upper[u], lower[l + 1], lower[l]))
            l += 1
    return np.array(rows)


def _require(sound: bool, found: str, remedy: str) -> None:
    if not sound:
        raise ConfigurationError(f"{found} does not describe a shape", where="geoop.mesh.primitives", remedy=f"give {remedy}")
