"""A C-grid for viscous flow round a sharp-tailed section: bounded aspect ratios from the wall to a far field of hundreds of chords."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq

from ...errors import ConfigurationError, InvalidMeshError
from ...mesh.cells import Cells
from ...mesh.chord import chord_line
from ...mesh.measure import signed_measures
from ...mesh.mesh import Mesh
from ...mesh.resample import closed_ring

_NOSE = 0.02  # chords from the leading edge: the points whose circle is the nose
_SHARPEST = 1e-6  # chords: trailing edges that are open by more are blunt


def parabolic_cgrid(
    section: Mesh,
    *,
    n_side: int = 96,
    n_wake: int = 48,
    n_normal: int = 72,
    reach: float = 500.0,
    first_height: float = 1e-5,
    nose_spacing: float = 1e-3,
    tail_spacing: float = 1e-3,
    aspect: float = 800.0,
) -> Mesh:
    """Quads between a section with its straight wake and a parabola round both.

    The square root of the distance to the focus of the nose (half of its radius behind the leading edge) unfolds section and
    wake into a nearly straight line, grid lines are the normals of the line to which it was unfolded. Distances grow with the root of the
    distance from the nose by themselves; heights of the first cells behind the trailing edge grow so that no cell is more than
    ``aspect`` times as long as high (OpenFOAM's ``checkMesh`` fails at 1000).

    Args:
        section: one closed loop of line cells in 2-D with a sharp trailing edge; a cubic spline goes through its points.
        n_side: cells on either side of the section.
        n_wake: cells along the wake.
        n_normal: cells from the wall to the far field.
        reach: distance of the far field before the nose, and length of the wake [chords].
        first_height: of the cells on the wall [chords].
        nose_spacing: length of the wall cells at the leading edge [chords].
        tail_spacing: at the trailing edge [chords].
        aspect: largest length of a cell on wall or wake over its height; raises the first height on the wake only.

    Returns:
        mesh of counter-clockwise quads; row k of points lies k steps off the wall, from the upper outlet round the section to the lower
        one. Patches ``wall``, ``farfield`` and ``outlet``.

    Raises:
        InvalidMeshError: a blunt or open section, or inverted cells.
        ConfigurationError: an argument out of range, or too few cells for the spacings and the aspect ratio.
    """
    _require(n_side, n_wake, n_normal, reach, first_height, nose_spacing, tail_spacing, aspect)
    chord = chord_line(section)
    axis = complex(*(chord.trailing_edge - chord.leading_edge))
    local = (closed_ring(section) @ [1, 1j] - complex(*chord.leading_edge)) / axis
    upper, lower = _sides(local, section.name)
    surface = [_spaced(side, n_side, nose_spacing, tail_spacing) for side in (upper, lower)]
    longest = max(float(np.abs(np.diff(side)).max()) for side in surface)
    if longest > aspect * first_height:
        raise ConfigurationError(
            f"wall cells are up to {longest:.3g} chords long, {longest / first_height:.0f} times the first height",
            where=section.name,
            remedy=f"give n_side >= {int(np.ceil(n_side * longest / (aspect * first_height) * 1.1))}, or a larger first_height or aspect",
        )
    wake = 1 + _stretched(reach, n_wake, tail_spacing)
    step = np.append(np.diff(wake), 2 * (wake[-1] - wake[-2]) - (wake[-2] - wake[-3]))
    needed = np.concatenate([step[:0:-1], np.zeros(2 * n_side + 1), step[1:]]) / aspect
    chain = np.concatenate([wake[:0:-1] + 0j, surface[0][::-1], surface[1][1:], wake[1:] + 0j])
    rows = _rows(chain, first_height, needed, n_wake, n_normal, reach, _nose_radius(upper, lower))
    points = rows * axis + complex(*chord.leading_edge)
    return _mesh(np.stack([points.real, points.imag], axis=2), n_wake, section.name)


def _rows(chain: np.ndarray, height: float, needed: np.ndarray, n_wake: int, n_normal: int, reach: float, radius: float) -> np.ndarray:
    """(n_normal + 1, n) complex points, the chain first."""
    offset = chain - 0.5 * radius
    angle = np.angle(offset) % (2 * np.pi)
    angle[len(chain) - n_wake - 1 :] = 2 * np.pi  # the lower side of the cut
    angle[: n_wake + 1] = 0.0
    unfolded = np.sqrt(np.abs(offset)) * np.exp(0.5j * angle)
    top = np.sqrt(reach)
    step = np.diff(_stretched(top, n_normal, 0.5 * height))[:, None]  # of all lines, so that layers off the wall stay smooth
    step = np.hypot(step, needed / (2 * np.abs(unfolded)))
    up = np.concatenate([np.zeros((1, len(chain))), np.cumsum(step, axis=0)])
    up *= (top - unfolded.imag) / up[-1]
    rows = (unfolded + 1j * up) ** 2 + 0.5 * radius
    rows[0] = chain
    return rows


def _stretched(length: float, n: int, first: float) -> np.ndarray:
    """(n + 1,) places from 0 to a length, the first step as given, each next one longer by one factor."""
    ratio = _root(lambda q: first * np.expm1(n * np.log(q)) / (q - 1) - length, 1 + 1e-9, 50)
    return length * np.expm1(np.arange(n + 1) * np.log(ratio)) / np.expm1(n * np.log(ratio))


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    return float(brentq(function, low, high))  # pyright: ignore[reportArgumentType]


def _sides(local: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Dense points of the upper and the lower side from the leading to the trailing edge, chord from 0 to 1, on a spline by arc length."""
    start = int(np.argmin(np.abs(local - 1)))
    ring = np.append(np.roll(local, -start), local[start])
    if abs(ring[0] - 1) > _SHARPEST:
        raise InvalidMeshError(
            f"the trailing edge is blunt: the nearest point lies {abs(ring[0] - 1):.2g} chords off its middle",
            where=name,
            remedy="close it, for example naca4(code, closed_trailing_edge=True)",
        )
    ring[[0, -1]] = 1
    place = np.concatenate([[0], np.cumsum(np.abs(np.diff(ring)))])
    dense = CubicSpline(place, ring)(np.linspace(0, place[-1], 20_001))
    nose = int(np.argmin(np.abs(dense)))
    return dense[: nose + 1][::-1], dense[nose:]


def _spaced(side: np.ndarray, n: int, first: float, last: float) -> np.ndarray:
    """n + 1 points along a side with the given spacings at its ends (Vinokur, J. Comput. Phys. 50, 1983)."""
    place = np.concatenate([[0], np.cumsum(np.abs(np.diff(side)))])
    first, last = first / place[-1], last / place[-1]
    a, b = np.sqrt(last / first), 1 / (n * np.sqrt(first * last))
    if b <= 1:
        raise ConfigurationError(
            f"{n} cells of at least {min(first, last):.2g} do not fit on a side",
            where="parabolic_cgrid",
            remedy="use smaller spacings or fewer cells",
        )
    delta = _root(lambda d: np.sinh(d) / d - b, 1e-6, 60)
    u = 0.5 * (1 + np.tanh(delta * (np.arange(n + 1) / n - 0.5)) / np.tanh(delta / 2))
    at = u / (a + (1 - a) * u) * place[-1]
    points = np.interp(at, place, side.real) + 1j * np.interp(at, place, side.imag)
    points[[0, -1]] = side[[0, -1]]
    return points


def _nose_radius(upper: np.ndarray, lower: np.ndarray) -> float:
    """Radius of the circle through the leading edge that fits the points near it best [chords]."""
    near = np.concatenate([side[(np.abs(side) < _NOSE) & (np.abs(side) > 1e-4)] for side in (upper, lower)])
    return float(np.median(np.abs(near) ** 2 / (2 * np.maximum(near.real, 1e-9))))


def _mesh(points: np.ndarray, n_wake: int, name: str) -> Mesh:
    rows, n = points.shape[:2]
    first = np.arange(n)
    first[n - n_wake - 1 :] = np.arange(n_wake + 1)[::-1]  # both sides of the wake and the trailing edge share their points
    own = n - n_wake - 1
    index = np.concatenate([first[None], own + np.arange((rows - 1) * n).reshape(rows - 1, n)])
    quads = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], axis=2).reshape(-1, 4)
    outlet = np.concatenate([np.stack([index[:-1, -1], index[1:, -1]], axis=1), np.stack([index[1:, 0], index[:-1, 0]], axis=1)[::-1]])
    wall = index[0, n_wake : n - n_wake]
    patches = {
        "wall": Cells.of(line=np.stack([wall[:-1], wall[1:]], axis=1)),
        "farfield": Cells.of(line=np.stack([index[-1, 1:], index[-1, :-1]], axis=1)),
        "outlet": Cells.of(line=outlet),
    }
    flat = np.concatenate([points[0, :own], points[1:].reshape(-1, 2)])
    mesh = Mesh(flat, Cells.of(quad=quads[:, ::-1]), patches, name=f"{name}-cgrid")
    bad = int((signed_measures(mesh) <= 0).sum())
    if bad:
        raise InvalidMeshError(
            f"{bad} of {len(mesh.cells)} cells are inverted", where=name, remedy="the section is too cambered or rough for this map: use cgrid"
        )
    return mesh


def _require(*values: float) -> None:
    names = ("n_side", "n_wake", "n_normal", "reach", "first_height", "nose_spacing", "tail_spacing", "aspect")
    least = (8, 4, 8, 2.0, 0.0, 0.0, 0.0, 1.0)
    problems = [f"{name} is {value}" for name, value, low in zip(names, values, least, strict=True) if not low <= value < np.inf or value == 0]
    if problems:
        raise ConfigurationError(
            "; ".join(problems), where="parabolic_cgrid", remedy="counts of 8 and more, positive lengths, a far field beyond 2 chords"
        )
