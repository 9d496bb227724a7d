"""Zoo entries of models that make steps in time; the source of the zoo's problems stands for the past state of both scalars."""

from __future__ import annotations

from geoop.models.ports import Ports
from geoop.models.time_deeponet import TimeDeepONet
from geoop.models.time_increment import TimeIncrement

from .zoo import Entry


def past(ports: Ports) -> dict | None:
    """The source as the last state of the first two outputs, where there is one."""
    return {"frames": [[["source", 0]]], "stream": []} if ports.functions else None


ENTRIES: dict[str, Entry] = {
    "time DeepONet": Entry(lambda ports: TimeDeepONet(ports, 32, past=past(ports), modes=24, tokens=4), order=2),
    "time DeepONet, as published": Entry(lambda ports: TimeDeepONet(ports, 32, past=past(ports), gates=None, modes=24, tokens=4), order=2),
    "increments in time of a DeepONet": Entry(
        lambda ports: TimeIncrement(ports, 32, past=past(ports), inner="DeepONet", sizes={"modes": 24, "tokens": 4}), order=2
    ),
}
