"""Integrals of vortex panels, in the complex plane: stream function at the nodes, velocity anywhere.

For the flow around a closed body the velocity w = u - i v outside is the Cauchy integral of its own wall values,

    w(z) = U e^{-i alpha} + 1/(2 pi i) sum_j int_panel mu(z') dz'/(z - z'),    mu = gamma e^{-i theta},

with gamma the speed along the wall in counter-clockwise direction and theta the wall's angle. On every panel mu is a quadratic
polynomial of the complex coordinate: the end values, with the end tangents of the curved wall, and a bubble that makes the
circulation of the panel right. Such a density is integrated exactly along the curved panel, because the path between the end
points does not matter; it is continuous from panel to panel, so that the field has no logarithmic spikes at the nodes and is
second-order accurate up to the wall. (Straight panels with the same nodal gamma are first-order near the wall.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

#: Beyond this many body lengths the multipole series is exact to rounding, and the panel sum is not.
_FAR = 20.0
_MULTIPOLES = 14
#: Beyond this many lengths of a panel its stream function is a series in the inverse of the distance.
_FAR_FROM_PANEL = 300.0
#: (point, panel) pairs evaluated at once: 2^18 pairs need about 30 MB.
_PAIRS = 1 << 18


@dataclass(frozen=True, eq=False)
class PanelDensity:
    """Complex velocity density on the closed ring of panels of one body, for k flows.

    Attributes:
        start: (m,) complex first nodes, counter-clockwise; the last panel ends at the first node.
        span: (m,) end minus start.
        at_start: (m, k) density at the start of every panel.
        at_end: (m, k) density at its end.
        bubble: (m, k) factor of t (1 - t).
        bulge: (m, 2) slopes of the curved wall at both ends relative to the straight panel, positive to its left (into the body).
    """

    start: np.ndarray
    span: np.ndarray
    at_start: np.ndarray
    at_end: np.ndarray
    bubble: np.ndarray
    bulge: np.ndarray

    def value(self, panel: np.ndarray, t: np.ndarray) -> np.ndarray:
        """(n, k) density on given panels at complex panel coordinates t = (z - start)/span."""
        t = t[:, None]
        return self.at_start[panel] * (1.0 - t) + self.at_end[panel] * t + self.bubble[panel] * (t * (1.0 - t))


def stream_matrix(points: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    """(p, n+1) stream function at points per nodal vortex density, gamma linear on straight panels between the nodes of one body.

    The integral of ln|z - z'| is exact, and finite at the nodes themselves.

    Args:
        points: (p,) complex [m].
        nodes: (n+1,) complex [m].
    """
    start, span = nodes[:-1], np.diff(nodes)
    size = np.abs(span)
    t, t_end = (points[:, None] - start) / span, (points[:, None] - nodes[1:]) / span
    first, second = np.log(np.where(t == 0.0, 1.0, t)), np.log(np.where(t_end == 0.0, 1.0, t_end))
    whole = (t * first - t_end * second).real - 1.0
    upper = (0.5 * t**2 * first - 0.5 * (t + 1.0) * t_end * second - 0.5 * t).real - 0.25
    far = np.abs(t) > _FAR_FROM_PANEL  # where the difference of the logarithms loses digits, their series
    v = 1.0 / t[far]
    whole[far] = (first[far] - v * (1 / 2 + v * (1 / 6 + v * (1 / 12 + v / 20)))).real
    upper[far] = (0.5 * first[far] - v * (1 / 3 + v * (1 / 8 + v * (1 / 15 + v / 24)))).real
    whole, upper = whole + np.log(size), upper + 0.5 * np.log(size)
    matrix = np.zeros((len(points), len(nodes)))
    matrix[:, :-1] -= size * (whole - upper) / (2.0 * np.pi)
    matrix[:, 1:] -= size * upper / (2.0 * np.pi)
    return matrix


def base_stream(points: np.ndarray, nodes: np.ndarray, downstream: complex) -> np.ndarray:
    """(p,) stream function along a body's outline if fluid leaves with unit velocity through a blunt base.

    The stream function of a source jumps across a cut. At the body's own nodes the cut lies downstream, away from it. Along the
    outline of another body, which encloses no source, the function is continued without a jump; a constant remains free, as the
    stream function of that body is.

    Args:
        points: (p,) complex points along one outline, in order: ``nodes`` itself, or those of another body [m].
        nodes: of the body with the base, which runs from the last node to the first [m].
        downstream: unit direction of the outflow.
    """
    behind = -np.conj(downstream)
    u = points - nodes[-1], points - nodes[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        if points is nodes:
            angle = np.angle(behind * u[0]), np.angle(behind * u[1])
        else:
            turned = np.unwrap(np.angle(behind * u[0]))
            angle = turned, turned + np.angle(u[1] / u[0])
        primitive = [np.where(x == 0.0, 0.0, x * (np.log(np.abs(x)) + 1j * a) - x) for x, a in zip(u, angle, strict=True)]
    return (np.conj(downstream) / (2j * np.pi) * (primitive[0] - primitive[1])).imag


def velocity_outside(densities: Sequence[PanelDensity], stream: np.ndarray, z: np.ndarray, tolerance: float) -> np.ndarray:
    """(n, k) complex velocity u - i v at (n,) points outside; NaN inside a body.

    Args:
        densities: of all bodies. Every body is summed about its own centre: digits do not get lost between distant ones.
        stream: (k,) velocity of the free stream.
        tolerance: points less than this inside the curved wall [m] count as wall points and get the outer value.
    """
    out = np.zeros((len(z), len(stream)), dtype=np.complex128) + stream
    at_nodes = []
    for density in densities:
        center = density.start.mean()
        size = float(np.abs(density.start - center).max())
        away = np.abs(z - center)
        far, near = away > _FAR * size, np.flatnonzero(away <= _FAR * size)
        out[far] += _multipoles(density, z[far], center, size)
        step = max(1, _PAIRS // len(density.start))
        coefficients = _polynomials(density, center)
        for first in range(0, len(near), step):
            rows = near[first : first + step]
            u = z[rows, None] - density.start
            point, node = np.nonzero(u.real**2 + u.imag**2 < (1e-10 * size) ** 2)
            at_nodes.append((rows[point], density.at_start[node]))
            out[rows] += _panel_sum(density, coefficients, z[rows], u, center, tolerance)
    for rows, velocity in at_nodes:  # angles are undefined there, the density is not
        out[rows] = velocity
    return out


def _panel_sum(
    density: PanelDensity, coefficients: tuple[np.ndarray, np.ndarray], z: np.ndarray, u: np.ndarray, center: complex, tolerance: float
) -> np.ndarray:
    logarithm = _logarithms(density, z, u, tolerance)
    inside = logarithm.imag.sum(axis=1) < -np.pi
    by_power = (logarithm @ coefficients[0]).reshape(len(z), 3, -1)
    x = (z - center)[:, None]
    total = by_power[:, 0] + x * (by_power[:, 1] + x * by_power[:, 2]) + coefficients[1][0] + x * coefficients[1][1]
    total[inside] = np.nan
    return total / (2j * np.pi)


def _polynomials(density: PanelDensity, center: complex) -> tuple[np.ndarray, np.ndarray]:
    """Per panel p(t) Log + q(t) with p = a(1-t) + bt + ct(1-t), q = a - b + c(t - 1/2), as polynomials of z - center."""
    a, b, c = density.at_start, density.at_end, density.bubble
    slope = (1.0 / density.span)[:, None]
    shift = ((center - density.start) / density.span)[:, None]  # t = shift + slope (z - center)
    p0 = a * (1.0 - shift) + b * shift + c * shift * (1.0 - shift)
    p1 = slope * (b - a + c * (1.0 - 2.0 * shift))
    p2 = -c * slope**2
    q0 = (a - b + c * (shift - 0.5)).sum(axis=0)
    q1 = (c * slope).sum(axis=0)
    return np.concatenate([p0, p1, p2], axis=1), np.stack([q0, q1])


def _logarithms(density: PanelDensity, z: np.ndarray, u: np.ndarray, tolerance: float) -> np.ndarray:
    """(n, m) log((z - start)/(z - end)), continued from outside for points on the wall; their imaginary parts add up to -2 pi inside a body.

    ``u`` is z - start.
    """
    v = np.roll(u, -1, axis=1)
    square = u.real**2 + u.imag**2
    half_log = 0.5 * np.log(np.maximum(square, 1e-300))
    out = np.empty(u.shape, dtype=np.complex128)
    out.real = half_log - np.roll(half_log, -1, axis=1)
    out.imag = np.arctan2(u.imag * v.real - u.real * v.imag, u.real * v.real + u.imag * v.imag)
    suspects = np.flatnonzero(out.imag.sum(axis=1) < -np.pi)
    if len(suspects):
        row, panel = _on_wall(density, z[suspects], tolerance)
        out.imag[suspects[row], panel] += 2.0 * np.pi
    return out


def _on_wall(density: PanelDensity, z: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (point, nearest panel) of points inside the polygon that are not inside the curved wall by more than the tolerance."""
    t = (z[:, None] - density.start) / density.span
    size = np.abs(density.span)
    clamped = np.clip(t.real, 0.0, 1.0)
    panel = np.argmin(np.abs(t - clamped) * size, axis=1)
    row = np.arange(len(z))
    t, x = t[row, panel], clamped[row, panel]
    first, last = density.bulge[panel].T
    wall = x * (1.0 - x) * ((1.0 - x) * first - x * last)
    hit = np.abs(t - (x + 1j * np.clip(t.imag, 0.0, np.maximum(wall, 0.0)))) * size[panel] <= tolerance
    return row[hit], panel[hit]


def _multipoles(density: PanelDensity, z: np.ndarray, center: complex, size: float) -> np.ndarray:
    """Moments of the density over the body about its centre, summed as a series of 1/(z - center)."""
    nodes, weights = np.polynomial.legendre.leggauss((_MULTIPOLES + 4) // 2)
    total = np.zeros((len(z), density.at_start.shape[1]), dtype=np.complex128)
    t = 0.5 * (nodes + 1.0)
    where = ((density.start - center)[:, None] + density.span[:, None] * t) / size
    panel = np.repeat(np.arange(len(density.start)), len(t))
    mu = density.value(panel, np.tile(t, len(density.start))) * (density.span[:, None] * (0.5 * weights)).reshape(-1, 1)
    ratio = size / (z - center)[:, None]
    power = ratio / size
    for k in range(_MULTIPOLES):
        total += power * (where.reshape(-1, 1) ** k * mu).sum(axis=0)
        power = power * ratio
    return total / (2j * np.pi)
