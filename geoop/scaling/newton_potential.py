"""The Newton potential of a known source: the solution of Poisson's equation in free space, on points of any mesh or cloud."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import fft, ndimage, special

from ..errors import ConfigurationError, InvalidMeshError

#: Nodes of the lattice per spacing of the points, and at most along all axes together. A finer lattice sees single points in place of a density.
FINENESS, MOST_NODES = 1.0, {2: 1024**2, 3: 128**3}
#: Nodes of the lattice beyond the outermost points: the spread of one point ends there.
_MARGIN = 3


def newton_potential(points: np.ndarray, weight: np.ndarray, density: np.ndarray) -> np.ndarray:
    """N(x) = int G(x - y) f(y) dy, so that -laplace(N) = f in all of space; G = -log(r/L)/(2 pi) in the plane, 1/(4 pi r) in space.

    What is left of a problem -laplace(u) = f once N is known is harmonic: smooth away from the boundary however rough f is. L is the diagonal of the
    box around the points, so that N carries no unit but those of f and of a length squared.

    Points are spread on a lattice by cubic B-splines, the convolution is a product of Fourier series (the truncated kernels of F. Vico, L. Greengard,
    M. Ferrando, "Fast convolution with free-space Green's functions", J. Comput. Phys. 323, 2016, equations 2 and 3, exact for band-limited f), in
    which the spread is divided out again, and values come back by cubic splines. The lattice has one node per mean spacing of the points: what a
    mesh resolves in finer parts is smoothed there. Time N log N.

    Args:
        points: (n, d) [m], d 2 or 3.
        weight: (n,) quadrature weights [m^d].
        density: (n, c) of f at the points.

    Returns:
        (n, c) in the unit of f times m^2.

    Raises:
        ConfigurationError: neither in the plane nor in space.
        InvalidMeshError: points without extent or weight.
    """
    n, d = points.shape
    if d not in MOST_NODES:
        raise ConfigurationError(f"a Newton potential in {d}-D", where="newton_potential", remedy="give points in the plane or in space")
    low, extent = points.min(axis=0, initial=np.inf), np.ptp(points, axis=0) if n else np.zeros(d)
    diagonal = float(np.linalg.norm(extent))
    if not (np.isfinite(diagonal) and diagonal > 0 and (weight > 0).any()):
        raise InvalidMeshError(
            f"{n} points with an extent of {diagonal} m", where="newton_potential", remedy="give a mesh with cells of positive size"
        )
    # in units of the diagonal
    local, extent, weight = (points - low) / diagonal, extent / diagonal, weight / diagonal**d
    spacing = max((float(weight.sum()) / n) ** (1 / d) / FINENESS, float((np.prod(extent + 1e-3) / MOST_NODES[d]) ** (1 / d)))
    inside = tuple(int(np.ceil(length / spacing)) + 1 + 2 * _MARGIN for length in extent)
    reach = float(np.linalg.norm([spacing * (k - 1) for k in inside]))
    # images of the points begin beyond the reach of the kernel
    shape = tuple(fft.next_fast_len(k + int(np.ceil(reach / spacing)) + 1, real=True) for k in inside)
    place = local / spacing + _MARGIN
    spectrum = _kernel(shape, spacing, reach)
    found = np.empty((n, density.shape[1]))
    for column, values in enumerate(density.T):
        lattice = _spread(place, weight * values, inside) / spacing**d
        whole = fft.irfftn(fft.rfftn(lattice, shape) * spectrum, shape)[tuple(slice(k) for k in inside)]
        found[:, column] = ndimage.map_coordinates(whole, place.T, order=3, mode="nearest")
    if d == 2:  # the kernel's logarithm was taken relative to the reach
        found -= np.log(reach) / (2 * np.pi) * (weight @ density)
    return found * diagonal**2


def _spread(place: np.ndarray, amounts: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Amounts at places (n, d), in nodes, on a lattice: each on the 4^d nodes around it, in the proportions of a cubic B-spline."""
    first = np.floor(place).astype(np.int64) - 1
    rest = place - np.floor(place)
    shares = np.stack([(1 - rest) ** 3, 3 * rest**3 - 6 * rest**2 + 4, -3 * rest**3 + 3 * rest**2 + 3 * rest + 1, rest**3]) / 6
    lattice = np.zeros(int(np.prod(shape)))
    for offsets in np.ndindex(*(4,) * place.shape[1]):
        index = np.ravel_multi_index(tuple((first + offsets).T), shape)
        share = np.prod([shares[k, :, axis] for axis, k in enumerate(offsets)], axis=0)
        lattice += np.bincount(index, share * amounts, minlength=len(lattice))
    return lattice.reshape(shape)


@lru_cache(maxsize=4)
def _kernel(shape: tuple[int, ...], spacing: float, reach: float) -> np.ndarray:
    """Fourier coefficients of the kernel cut off at ``reach``, over those of the cubic B-spline."""
    axes = [2 * np.pi * fft.fftfreq(k, spacing) for k in shape[:-1]] + [2 * np.pi * fft.rfftfreq(shape[-1], spacing)]
    grid = np.meshgrid(*axes, indexing="ij", sparse=True)
    squared = np.asarray(sum(k**2 for k in grid))
    size = np.sqrt(squared) * reach
    squared[(0,) * len(shape)] = 1.0
    if len(shape) == 2:
        found = (1 - special.j0(size)) / squared
        found[0, 0] = reach**2 / 4
    else:
        found = 2 * np.sin(size / 2) ** 2 / squared
        found[0, 0, 0] = reach**2 / 2
    for k in grid:
        found = found / np.sinc(k * spacing / (2 * np.pi)) ** 4
    return found
