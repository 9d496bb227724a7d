"""Zoo entries of models that pass messages on edges and nodes."""

from __future__ import annotations

from geoop.models.mesh_graph_net import MeshGraphNet
from geoop.models.rigno import RIGNO

from .zoo import Entry

COUNTED = (
    "neighbours are counted, not measured, and regional nodes are a share of the cloud: each mean converges (operators/zoo_messages.py), no whole"
)

ENTRIES: dict[str, Entry] = {
    "RIGNO": Entry(lambda ports: RIGNO(ports, 32, edge_width=24, depth=4, mask=0.0), converges=False, why=COUNTED),
    "RIGNO with edge masking": Entry(lambda ports: RIGNO(ports, 32, edge_width=24, depth=2, mask=0.5), converges=False, steps=3000, why=COUNTED),
    "RIGNO, random nodes, lead time": Entry(
        lambda ports: RIGNO(
            ports, 32, edge_width=24, depth=4, mask=0.0, choice="random", lead_time=0 if ports.scalars_in else None, aggregation="mean"
        ),
        converges=False,
        permutable=False,
        why=COUNTED + "; random nodes are drawn by their number",
    ),
    "MeshGraphNet": Entry(lambda ports: MeshGraphNet(ports, 32, fine=4, coarse=0), converges=False, transfer=0.2, why=COUNTED),
    "MeshGraphNet with a coarse level": Entry(lambda ports: MeshGraphNet(ports, 32, fine=1, coarse=3), converges=False, why=COUNTED),
}
