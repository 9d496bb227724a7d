"""Zoo entries of message passing on edges and nodes: the parts of RIGNO, and MeshGraphNet."""

from __future__ import annotations

from geoop.layers.neighborhood import Ball, Nearest
from geoop.operators.convergent import ConvergentGraphSolver
from geoop.operators.mesh_graph_net import MeshGraphNetProcessor
from geoop.operators.message_passing import MessagePassing

from .zoo import Cloud, Entry

WIDE = Cloud(scalars=4, sizes=(5, 1, 8))

ENTRIES: dict[str, Entry] = {
    "message passing in a ball": Entry(lambda: MessagePassing(4, Ball(0.7), source_channels=3, edge_width=8), target=WIDE),
    "message passing, nearest": Entry(lambda: MessagePassing(4, Nearest(4, smooth=True), source_channels=3, edge_width=8), target=WIDE),
    "message passing, plain mean": Entry(
        lambda: MessagePassing(4, Nearest(4), source_channels=3, edge_width=8, aggregation="mean"), target=WIDE, weighted=False
    ),
    "message passing within one cloud, 3-D": Entry(
        lambda: MessagePassing(4, Nearest(5), edge_width=8, depth=3, known=4), source=Cloud(scalars=4, dimension=3)
    ),
    "mesh graph net": Entry(lambda: MeshGraphNetProcessor(4, edge_width=8, depth=3), source=Cloud(scalars=4)),
    "mesh graph net, sum, 3-D": Entry(
        lambda: MeshGraphNetProcessor(4, edge_width=8, depth=2, dimension=3, aggregation="sum"), source=Cloud(scalars=4, dimension=3), weighted=False
    ),
    "convergent graph solver": Entry(lambda: ConvergentGraphSolver(4, heads=2, hidden=8, tolerance=1e-13), source=Cloud(scalars=4)),
    "convergent graph solver, radial, 3-D": Entry(
        lambda: ConvergentGraphSolver(4, Ball(0.7), heads=1, dimension=3, hidden=8, radial=True, tolerance=1e-13),
        source=Cloud(scalars=4, dimension=3),
    ),
}
