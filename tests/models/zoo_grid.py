"""Zoo entries of the models on lattices."""

from __future__ import annotations

from geoop.models.gino import GINO
from geoop.models.nuno import NUNO

from .zoo import Entry

SEAMS = "a hard seam lies at a median of the points: when it moves, a query beside it changes its box"

ENTRIES: dict[str, Entry] = {
    "GINO": Entry(lambda ports: GINO(ports, 16, resolution=10, modes=3, rank=6, depth=2)),
    "GINO, all channels, hard rim": Entry(lambda ports: GINO(ports, 12, resolution=8, modes=3, rank=None, depth=1, smooth=False)),
    "NUNO": Entry(lambda ports: NUNO(ports, 16, levels=2, resolution=5, modes=2, rank=6, depth=2)),
    "NUNO, seams": Entry(
        lambda ports: NUNO(ports, 12, levels=2, resolution=6, modes=2, rank=None, depth=1, overlap=0.0), converges=False, transfer=0.25, why=SEAMS
    ),
}
