"""Zoo entries of models that read input functions on clouds of their own: GNOT, DeepONets."""

from __future__ import annotations

from geoop.models.deeponet import DeepONet
from geoop.models.gnot import GNOT
from geoop.models.multi_task_deeponet import MultiTaskDeepONet

from .zoo import Entry

ENTRIES: dict[str, Entry] = {
    "GNOT": Entry(lambda ports: GNOT(ports, 32, depth=2, heads=4, experts=2), order=2),
    "GNOT on boxes": Entry(lambda ports: GNOT(ports, 32, depth=2, heads=4, experts=2, points=40)),
    "GNOT, galerkin, one expert": Entry(lambda ports: GNOT(ports, 32, depth=2, heads=2, experts=1, kind="galerkin"), order=2),
    "DeepONet": Entry(lambda ports: DeepONet(ports, 32, modes=24, tokens=4), order=2),
    "DeepONet, trunk of sines": Entry(lambda ports: DeepONet(ports, 32, modes=24, tokens=4, activation="sine"), order=2),
    "multi-task DeepONet": Entry(lambda ports: MultiTaskDeepONet(ports, 32, modes=24, tokens=4), order=2),
}
