"""Zoo entries of GAOT and Transolver."""

from __future__ import annotations

from geoop.models.gaot import GAOT
from geoop.models.transolver import Transolver

from .zoo import Entry

# Thinned tokens follow the density of the cloud, and move when it is refined unevenly: test_gaot.py holds them and refines the cloud under them.
ENTRIES: dict[str, Entry] = {
    "GAOT": Entry(lambda ports: GAOT(ports, 32, tokens=32, depth=2, kernel=16)),
    "GAOT, lattice, rotary": Entry(lambda ports: GAOT(ports, 32, tokens=36, placement="lattice", depth=2, kernel=16, positions="rotary")),
    "Transolver": Entry(lambda ports: Transolver(ports, 32, slices=8, depth=2)),
    "Transolver, graded measure": Entry(
        lambda ports: Transolver(ports, 32, slices=8, depth=2, graded=True),
        transfer=0.1,
        why="near the wall the measure varies over 0.01, finer than these even clouds: it is meant for clouds that are graded as it is",
    ),
}
