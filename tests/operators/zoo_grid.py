"""Zoo entries of operators on lattices, and of the kernel that leads to them and back."""

from __future__ import annotations

from geoop.layers.neighborhood import Ball, Nearest
from geoop.operators.polynomial_kernel import PolynomialKernel
from geoop.operators.spectral import Spectral

from .zoo import QUERIES, Cloud, Entry


def lattice(*shape: int, dimension: int = 2) -> Cloud:
    """Clouds that stand for a lattice: a Fourier layer reads no positions."""
    count = 1
    for n in shape:
        count *= n
    return Cloud(dimension=dimension, sizes=(count, count, count))


ENTRIES: dict[str, Entry] = {
    "Fourier layer": Entry(lambda: Spectral(3, 5, (6, 5), modes=2), source=lattice(6, 5), ordered=True, any_size=False, weighted=False),
    "Fourier layer, factored, padded": Entry(
        lambda: Spectral(3, 4, (4, 6), modes=2, rank=2, padding=0.5), source=lattice(4, 6), ordered=True, any_size=False, weighted=False
    ),
    "Fourier layer, 3-D": Entry(
        lambda: Spectral(3, 2, (3, 4, 3), modes=1, padding=0.25), source=lattice(3, 4, 3, dimension=3), ordered=True, any_size=False, weighted=False
    ),
    "polynomial kernel in a ball": Entry(lambda: PolynomialKernel(3, 5, Ball(0.7), 2, rank=4), target=QUERIES),
    "polynomial kernel, local term, hard rim": Entry(
        lambda: PolynomialKernel(3, 5, Ball(0.7, smooth=False), 2, rank=4, degree=1, target_channels=2), target=QUERIES
    ),
    "polynomial kernel, nearest, 3-D": Entry(
        lambda: PolynomialKernel(3, 5, Nearest(5, smooth=True), 3, rank=4, degree=3),
        source=Cloud(dimension=3),
        target=Cloud(scalars=0, dimension=3, sizes=(5, 1, 8)),
    ),
}
