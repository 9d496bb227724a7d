"""Past states among the input functions of a model that makes steps in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from ..errors import ConfigurationError
from ..graph.pointset import Inputs
from .ports import Ports


@dataclass(frozen=True)
class Past:
    """Which input functions are past states of which outputs, and how both are standardised.

    Attributes:
        frames: per past state, the last one first, pairs of an input function and the number of the first output that it is the past of.
        stream: pairs of the number of the first output of a velocity and 1/deviation: outputs are perturbations of the free stream, functions are not.
    """

    frames: tuple[tuple[tuple[str, int], ...], ...] = ()
    stream: tuple[tuple[int, float], ...] = ()

    @classmethod
    def of(cls, given: Past | Mapping[str, Any] | None) -> Self | Past:
        """From a checkpoint's header, or as it is; None is no past."""
        if given is None or isinstance(given, Past):
            return given or cls()
        frames = tuple(tuple((str(name), int(at)) for name, at in frame) for frame in given["frames"])
        return cls(frames, tuple((int(at), float(factor)) for at, factor in given["stream"]))

    def to_dict(self) -> dict[str, Any]:
        """JSON data for the checkpoint header."""
        return {"frames": [[list(item) for item in frame] for frame in self.frames], "stream": [list(item) for item in self.stream]}

    def check(self, ports: Ports) -> None:
        """Raise :class:`ConfigurationError` unless all functions exist and fit into the outputs."""
        sizes = dict(ports.functions)
        wrong = [name for frame in self.frames for name, at in frame if name not in sizes or not 0 <= at <= ports.out - sizes[name]]
        wrong += [f"stream at {at}" for at, _ in self.stream if not (ports.vectors_in and 0 <= at <= ports.out - ports.dimension)]
        if wrong:
            raise ConfigurationError(
                f"{wrong} are no past of {ports.out} outputs", where="Past", remedy=f"name input functions of {sorted(sizes)}, and fitting outputs"
            )

    def outputs(self, ports: Ports, known: Tensor, inputs: Inputs, batch: Tensor) -> Tensor:
        """(n, frames, out) the past states at places as the model's outputs; zero for outputs without a past.

        Args:
            ports: of the model.
            known: (n, ports.features) what is known at the places: site, condition, functions in order of name.
            inputs: whose first global vector is the free stream.
            batch: (n,) sample of every place.
        """
        start, places = ports.site + ports.condition, {}
        for name, count in ports.functions:
            places[name] = slice(start, start + count)
            start += count + 1
        shift = known.new_zeros(len(inputs.vectors), ports.out)
        for at, factor in self.stream:
            shift[:, at : at + ports.dimension] = factor * inputs.vectors[:, 0]
        shift = shift.index_select(0, batch)
        found = []
        for frame in self.frames:
            columns = known.new_zeros(len(known), ports.out)
            for name, at in frame:
                size = places[name].stop - places[name].start
                columns[:, at : at + size] = known[:, places[name]] - shift[:, at : at + size]
            found.append(columns)
        return torch.stack(found, dim=1) if found else known.new_zeros(len(known), 0, ports.out)


def history(quantities: Sequence[tuple[str, int]], names: Sequence[Sequence[str]]) -> tuple[tuple[tuple[str, int], ...], ...]:
    """``frames`` of a :class:`Past`: per past state its functions' ``names`` beside (quantity, first output) pairs in the same order."""
    return tuple(tuple((name, at) for name, (_, at) in zip(row, quantities, strict=True)) for row in names)
