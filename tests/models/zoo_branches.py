"""Zoo entries of models that read input functions on clouds of their own: GNOT, DeepONets."""

from __future__ import annotations

from geoop.models.deeponet import DeepONet
from geoop.models.gnot import GNOT
from geoop.models.multi_task_deeponet import MultiTaskDeepONet

from .zoo import Entry

# Convergence is measured in test_branches.py, to second order on clouds with smooth features. The regions of the zoo are polygons: sums over the whole
# cloud of normals that jump from facet to facet (24 or 48) alias with the 20 or 40 points around, and only settle at 80 and more.
ENTRIES: dict[str, Entry] = {
    "GNOT": Entry(lambda ports: GNOT(ports, 32, depth=2, heads=4, experts=2), converges=False),
    "GNOT on boxes": Entry(lambda ports: GNOT(ports, 32, depth=2, heads=4, experts=2, points=40), converges=False),
    "GNOT, galerkin, one expert": Entry(lambda ports: GNOT(ports, 32, depth=2, heads=2, experts=1, kind="galerkin"), converges=False),
    "DeepONet": Entry(lambda ports: DeepONet(ports, 32, modes=24, tokens=4), converges=False),
    "DeepONet, GELU trunk": Entry(lambda ports: DeepONet(ports, 32, modes=24, tokens=4, activation="gelu"), converges=False),
    "multi-task DeepONet": Entry(lambda ports: MultiTaskDeepONet(ports, 32, modes=24, tokens=4), converges=False),
}
