"""Zoo entries of interpolation between clouds."""

from __future__ import annotations

from geoop.operators.moment_interpolation import MomentInterpolation

from .zoo import QUERIES, Cloud, Entry

ENTRIES: dict[str, Entry] = {
    "moment interpolation": Entry(lambda: MomentInterpolation(2), target=QUERIES, weighted=False),
    "moment interpolation, 3-D": Entry(
        lambda: MomentInterpolation(3), source=Cloud(dimension=3), target=Cloud(scalars=2, dimension=3, sizes=(5, 1, 8)), weighted=False
    ),
}
