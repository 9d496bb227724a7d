"""Zoo entries of the kernel-integral family: graph neural operator, multipole, low rank."""

from __future__ import annotations

from geoop.models.gno import GraphNeuralOperator
from geoop.models.low_rank import LowRankOperator
from geoop.models.multipole_gno import MultipoleGNO
from geoop.models.potential_field import PotentialField

from .zoo import Entry

SHARES = "neighbourhoods that are shares of the cloud change shape with every cloud, and the nearest of few points are no quadrature"

ENTRIES: dict[str, Entry] = {
    "graph neural operator": Entry(
        lambda ports: GraphNeuralOperator(ports, 16, layers=3, gains=8, hidden=8, of=100, scales=(16,), scale_neighbours=5),
        converges=False,
        why=SHARES,
    ),
    "graph neural operator, ball": Entry(
        lambda ports: GraphNeuralOperator(ports, 16, layers=3, gains=8, hidden=8, scales=(), radius=0.35), order=2, lattices=(8, 16, 32)
    ),
    "graph neural operator, boxes": Entry(
        lambda ports: GraphNeuralOperator(ports, 16, layers=3, gains=8, hidden=8, scales=(8,), scale_neighbours=5, points=40),
        converges=False,
        why=SHARES,
    ),
    "low rank": Entry(lambda ports: LowRankOperator(ports, 16, layers=3, rank=4, heads=2), order=2),
    "low rank with layer potentials": Entry(
        lambda ports: PotentialField(ports, 16, inner="LowRankOperator", sizes={"layers": 3, "rank": 4, "heads": 2}, densities=4), order=2
    ),
    "multipole": Entry(
        lambda ports: MultipoleGNO(ports, 16, layers=2, levels=(24, 6), channels=16, gains=8, hidden=8, of=100, level_neighbours=4),
        converges=False,
        why=SHARES,
    ),
}
