"""Random outlines: simple polygons, polygons with a slit, smooth star shapes, all counter-clockwise and of limited sharpness."""

from __future__ import annotations

import math

import numpy as np

from ...errors import ConfigurationError
from ..crossings import crossing_segments

_ATTEMPTS = 2000


def random_polygon(
    random: np.random.Generator, vertices: int, *, clearance: float = 0.06, sharpest: float = 20.0, smallest: float = 0.1
) -> np.ndarray:
    """A simple polygon through points drawn in the unit square round the origin.

    Points are uniform in [-0.5, 0.5]^2, in random order; crossing sides are uncrossed by turning the way between them round, which
    shortens the way and so ends. Polygons that are too thin, too sharp or too small are drawn again.

    Args:
        random: generator; the polygon is a function of its state.
        vertices: 3 or more.
        clearance: smallest distance of a vertex from sides that it does not belong to [m].
        sharpest: smallest angle inside or outside a corner [deg].
        smallest: area [m^2].

    Returns:
        (vertices, 2), counter-clockwise [m].

    Raises:
        ConfigurationError: fewer than 3 vertices, or limits that 2000 draws do not meet.
    """
    if vertices < 3:
        raise ConfigurationError(f"a polygon of {vertices} vertices", where="random_polygon", remedy="give 3 or more")
    for _ in range(_ATTEMPTS):
        points = _uncrossed(random.random((vertices, 2)) - 0.5)
        if points is not None and area_of(points) >= smallest and sharpest_angle(points) >= sharpest and clearance_of(points) >= clearance:
            return points
    raise ConfigurationError(
        f"{_ATTEMPTS} draws of {vertices} vertices gave no polygon with clearance {clearance}, angles of {sharpest} degrees and area {smallest}",
        where="random_polygon",
        remedy="lower the limits or the number of vertices",
    )


def random_slit_polygon(random: np.random.Generator, vertices: int, *, width: tuple[float, float] = (0.02, 0.05)) -> np.ndarray:
    """A random polygon with a slit that runs from the middle of its longest side straight in, over 40 to 70 % of the way across.

    Args:
        random: generator.
        vertices: of the polygon without its slit, 3 or more; the slit adds four.
        width: smallest and largest width of the slit [m].

    Returns:
        (vertices + 4, 2), counter-clockwise [m].

    Raises:
        ConfigurationError: as :func:`random_polygon`, or widths that are not positive and in order.
    """
    if not 0.0 < width[0] <= width[1] < math.inf:
        raise ConfigurationError(
            f"slits {width[0]} to {width[1]} m wide", where="random_slit_polygon", remedy="give two positive widths, the smaller first"
        )
    for _ in range(_ATTEMPTS):
        points = random_polygon(random, vertices)
        opening, depth = width[0] + (width[1] - width[0]) * random.random(), 0.4 + 0.3 * random.random()
        start, end = points, np.roll(points, -1, axis=0)
        side = int(np.argmax(np.linalg.norm(end - start, axis=1)))
        along = (end[side] - start[side]) / np.linalg.norm(end[side] - start[side])
        inward = np.array([-along[1], along[0]])
        mouth = 0.5 * (start[side] + end[side])
        tip = depth * _way_across(mouth, inward, start, end, side) * inward
        half = 0.5 * opening * along
        found = np.concatenate([points[: side + 1], [mouth - half, mouth - half + tip, mouth + half + tip, mouth + half], points[side + 1 :]])
        if clearance_of(found) >= 0.95 * opening and not len(crossing_segments(found, np.roll(found, -1, axis=0))):
            return found
    raise ConfigurationError(f"{_ATTEMPTS} draws left no room for a slit", where="random_slit_polygon", remedy="give a smaller width")


def random_strip(random: np.random.Generator, *, thin: tuple[float, float] = (0.12, 0.5), clearance: float = 0.06) -> np.ndarray:
    """A bent, tapered strip in the unit box round the origin, like a part that was cut out of an arm, a fin or a ring.

    A centre line of two to four points with steps of 0.4 to 1 turns by up to 60 degrees at each; the width changes from point to point. The first k corners
    run along one side, the last k back along the other: corners k - 1 and k bound one end, the last and the first the other.

    Args:
        random: generator.
        thin: smallest and largest width over the length of the centre line.
        clearance: smallest distance of a vertex from sides that it does not belong to [m].

    Returns:
        (2 k, 2), counter-clockwise [m]; the longer side of its box is 1.

    Raises:
        ConfigurationError: widths that are not positive and in order, or limits that 2000 draws do not meet.
    """
    if not 0.0 < thin[0] <= thin[1] < math.inf:
        raise ConfigurationError(f"strips {thin[0]} to {thin[1]} wide", where="random_strip", remedy="give two positive widths, the smaller first")
    for _ in range(_ATTEMPTS):
        count = int(random.integers(2, 5))
        turns = np.cumsum([2.0 * np.pi * random.random(), *(np.radians(120.0) * (random.random(count - 2) - 0.5))])
        step = (0.4 + 0.6 * random.random(count - 1))[:, None] * np.stack([np.cos(turns), np.sin(turns)], axis=1)
        line = np.concatenate([np.zeros((1, 2)), np.cumsum(step, axis=0)])
        length = float(np.linalg.norm(step, axis=1).sum())
        half = 0.5 * length * (thin[0] + (thin[1] - thin[0]) * random.random()) * (0.6 + 0.8 * random.random(count))
        along = np.concatenate([step[:1], step[:-1] + step[1:], step[-1:]]) if count > 2 else np.concatenate([step, step])
        across = np.stack([along[:, 1], -along[:, 0]], axis=1) / np.linalg.norm(along, axis=1)[:, None] * half[:, None]
        found = np.concatenate([line + across, (line - across)[::-1]])
        low, high = found.min(axis=0), found.max(axis=0)
        found = (found - 0.5 * (low + high)) / float((high - low).max())
        crossed = len(crossing_segments(found, np.roll(found, -1, axis=0)))
        if not crossed and area_of(found) > 0.0 and clearance_of(found) >= clearance and sharpest_angle(found) >= 30.0:
            return found
    raise ConfigurationError(f"{_ATTEMPTS} draws gave no strip with clearance {clearance}", where="random_strip", remedy="give larger widths")


def random_star(random: np.random.Generator, points: int = 128, *, modes: int = 5, roughness: float = 0.25, radius: float = 0.5) -> np.ndarray:
    """A smooth outline whose radius is a random Fourier series of the angle: every ray from its middle meets it once.

    r = R exp(g), g = sum_k (a_k cos k t + b_k sin k t), with standard deviations proportional to k^-1.5 and roughness that of g.

    Args:
        random: generator.
        points: on the outline, equal steps in angle, 8 or more.
        modes: highest k, 2 or more: k = 1 only shifts.
        roughness: standard deviation of log r over the outline, before the largest radius is set.
        radius: largest distance from the middle [m].

    Returns:
        (points, 2), counter-clockwise [m].

    Raises:
        ConfigurationError: an argument out of range.
    """
    if points < 8 or modes < 2 or not 0.0 <= roughness < math.inf or not 0.0 < radius < math.inf:
        raise ConfigurationError(
            f"{points} points, {modes} modes, roughness {roughness}, radius {radius}",
            where="random_star",
            remedy="give at least 8 points and 2 modes",
        )
    k = np.arange(2, modes + 1)
    scale = k**-1.5 / math.sqrt(float((k**-3.0).sum()))
    a, b = random.standard_normal((2, len(k))) * scale * roughness
    angle = 2.0 * np.pi * np.arange(points) / points
    log = np.cos(np.outer(angle, k)) @ a + np.sin(np.outer(angle, k)) @ b
    r = radius * np.exp(log - log.max())
    return r[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def area_of(points: np.ndarray) -> float:
    """Signed area of a ring (n, 2), positive where it runs counter-clockwise [m^2]."""
    after = np.roll(points, -1, axis=0)
    return 0.5 * float((points[:, 0] * after[:, 1] - points[:, 1] * after[:, 0]).sum())


def sharpest_angle(points: np.ndarray) -> float:
    """The smallest angle between neighbouring sides of a ring (n, 2) [deg]."""
    back, ahead = np.roll(points, 1, axis=0) - points, np.roll(points, -1, axis=0) - points
    cosine = (back * ahead).sum(axis=1) / (np.linalg.norm(back, axis=1) * np.linalg.norm(ahead, axis=1))
    return math.degrees(math.acos(min(1.0, float(cosine.max()))))


def clearance_of(points: np.ndarray) -> float:
    """The smallest distance of a vertex of a ring (n, 2) from another vertex or from a side that it does not belong to [m]."""
    n = len(points)
    a, along = points, np.roll(points, -1, axis=0) - points
    away = points[:, None] - a[None]
    t = np.clip((away * along).sum(axis=2) / (along**2).sum(axis=1), 0.0, 1.0)
    distance = np.linalg.norm(away - t[..., None] * along, axis=2)
    own = np.arange(n)
    distance[own, own] = distance[own, own - 1] = np.inf
    return min(float(distance.min()), float(np.linalg.norm(along, axis=1).min()))


def _uncrossed(points: np.ndarray) -> np.ndarray | None:
    """The points in an order without crossings, counter-clockwise; None where some lie on one line."""
    for _ in range(50 * len(points)):
        pairs = crossing_segments(points, np.roll(points, -1, axis=0))
        if not len(pairs):
            return points if area_of(points) > 0.0 else points[::-1].copy()
        first, second = pairs[0]
        points = np.concatenate([points[: first + 1], points[first + 1 : second + 1][::-1], points[second + 1 :]])
    return None


def _way_across(mouth: np.ndarray, inward: np.ndarray, start: np.ndarray, end: np.ndarray, side: int) -> float:
    """Distance from the mouth to the first side that a ray meets."""
    along, away = end - start, start - mouth
    determinant = inward[0] * along[:, 1] - inward[1] * along[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = (away[:, 0] * along[:, 1] - away[:, 1] * along[:, 0]) / determinant
        place = (away[:, 0] * inward[1] - away[:, 1] * inward[0]) / determinant
    hit = (reach > 0.0) & (place >= 0.0) & (place <= 1.0)
    hit[side] = False
    return float(reach[hit].min())
