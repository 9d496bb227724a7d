"""Zoo entries of models that pass messages on edges and nodes."""

from __future__ import annotations

from geoop.models.mesh_graph_net import MeshGraphNet
from geoop.models.rigno import RIGNO

from .zoo import Entry

# neighbours are counted, not measured, and regional nodes are a share of the cloud: what converges is each mean, see tests/operators/zoo_messages.py
ENTRIES: dict[str, Entry] = {
    "RIGNO": Entry(lambda ports: RIGNO(ports, 32, edge_width=24, depth=4, mask=0.0), converges=False),
    "RIGNO with edge masking": Entry(lambda ports: RIGNO(ports, 32, edge_width=24, depth=2, mask=0.5), converges=False, steps=3000),
    "RIGNO, random nodes, lead time": Entry(
        lambda ports: RIGNO(
            ports, 32, edge_width=24, depth=4, mask=0.0, choice="random", lead_time=0 if ports.scalars_in else None, aggregation="mean"
        ),
        converges=False,
        permutable=False,
    ),
    "MeshGraphNet": Entry(lambda ports: MeshGraphNet(ports, 32, fine=4, coarse=0), converges=False),
    "MeshGraphNet with a coarse level": Entry(lambda ports: MeshGraphNet(ports, 32, fine=1, coarse=3), converges=False),
}
