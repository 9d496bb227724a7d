"""The Newton potential of a known source: the solution of Poisson's equation in free space, on points of any mesh or cloud."""

from __future__ import annotations

import numpy as np
from scipy import fft, ndimage, special

from ..errors import ConfigurationError, InvalidMeshError

#: Nodes of the lattice at most, with the empty ones around it that keep images apart.
MOST_NODES = 2**24
#: Nodes of the lattice beyond the outermost points: the spread of one point ends there.
_MARGIN = 3


def newton_potential(points: np.ndarray, weight: np.ndarray, density: np.ndarray) -> np.ndarray:
    """N(x) = int G(x - y) f(y) dy, so that -laplace(N) = f in all of space; G = -log(r/L)/(2 pi) in the plane, 1/(4 pi r) in space.

    What is left of a problem -laplace(u) = f once N is known is harmonic: smooth away from the boundary however rough f is. L^d is the measure of the
    region, so that N carries no unit but those of f and of a length squared, and turns with the region.

    Points are spread on a lattice by cubic B-splines, the convolution is a product of Fourier series (the truncated kernels of F. Vico, L. Greengard,
    M. Ferrando, "Fast convolution with free-space Green's functions", J. Comput. Phys. 323, 2016, equations 2 and 3, exact for band-limited f), in
    which the spread is divided out again, and values come back by cubic splines. The lattice has one node per spacing of the points, taken where f is
    (a finer one would see single points in place of a density), and at most :data:`MOST_NODES`: what a mesh resolves in much finer parts
    is smoothed there. Time N log N.

    Args:
        points: (n, d) [m], d 2 or 3.
        weight: (n,) quadrature weights [m^d], not negative on the whole.
        density: (n, c) real values of f at the points.

    Returns:
        (n, c) in the unit of f times m^2.

    Raises:
        ConfigurationError: neither in the plane nor in space, or arrays that do not fit.
        InvalidMeshError: points without extent, or without measure.
    """
    points, weight, density = (np.asarray(array, dtype=np.float64) for array in (points, weight, density))
    n, d = points.shape
    if d not in (2, 3) or weight.shape != (n,) or density.ndim != 2 or len(density) != n:
        raise ConfigurationError(
            f"a Newton potential in {d}-D of {n} points with weights {weight.shape} and densities {density.shape}",
            where="newton_potential",
            remedy="give (n, 2) or (n, 3) points, (n,) weights and (n, c) densities",
        )
    low, extent = points.min(axis=0, initial=np.inf), np.ptp(points, axis=0) if n else np.zeros(d)
    diagonal, measure = float(np.linalg.norm(extent)), float(weight.sum())
    if not (np.isfinite(diagonal) and diagonal > 0 and np.isfinite(measure) and measure > 0):
        raise InvalidMeshError(
            f"{n} points over {diagonal} m with a measure of {measure} m^{d}",
            where="newton_potential",
            remedy="give a mesh with cells of positive size",
        )
    # in units of the diagonal
    local, extent, weight, length = (points - low) / diagonal, extent / diagonal, weight / diagonal**d, measure ** (1 / d) / diagonal
    spacing, inside, reach, shape = _lattice(extent, _spacing(weight, density, d))
    place = local / spacing + _MARGIN
    spectrum = _kernel(shape, spacing, reach)
    found = np.empty((n, density.shape[1]))
    for column, values in enumerate(density.T):
        lattice = _spread(place, weight * values, inside) / spacing**d
        whole = fft.irfftn(fft.rfftn(lattice, shape) * spectrum, shape)[tuple(slice(k) for k in inside)]
        found[:, column] = ndimage.map_coordinates(whole, place.T, order=3, mode="nearest")
    if d == 2:  # the kernel's logarithm was taken relative to the reach
        found -= np.log(reach / length) / (2 * np.pi) * (weight @ density)
    return found * diagonal**2


def _spacing(weight: np.ndarray, density: np.ndarray, d: int) -> float:
    """Mean spacing of the points, or of those which carry the density where that is smaller."""
    weight = np.abs(weight)
    mean, carried = float((weight.sum() / len(weight)) ** (1 / d)), weight * np.abs(density).sum(axis=1)
    return min(mean, float(carried @ weight ** (1 / d)) / float(carried.sum())) if carried.sum() > 0 else mean


def _lattice(extent: np.ndarray, spacing: float) -> tuple[float, tuple[int, ...], float, tuple[int, ...]]:
    """Spacing, nodes along every axis, reach of the kernel, and nodes with the empty ones: images of the points begin beyond the reach."""
    while True:
        inside = tuple(int(np.ceil(length / spacing)) + 1 + 2 * _MARGIN for length in extent)
        reach = float(np.linalg.norm([spacing * (k - 1) for k in inside]))
        whole = [k + int(np.ceil(reach / spacing)) + 1 for k in inside]
        if np.prod(np.array(whole, dtype=np.float64)) <= MOST_NODES:
            return spacing, inside, reach, tuple(fft.next_fast_len(k, real=True) for k in whole)
        spacing *= 1.1


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
