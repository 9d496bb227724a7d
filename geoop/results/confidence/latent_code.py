"""A model's latent state as one row of numbers, whatever the model and the number of its points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...graph.pointset import PointSet

#: Longer codes are shortened by a fixed random matrix, which keeps distances (Johnson & Lindenstrauss 1984).
LONGEST = 512
#: Geometry as it was before any condition: it has as many numbers as the mesh has edges, and says little of what the model makes of it.
_NOT_LEARNED = ("prepared",)


def latent_code(latent: Any) -> np.ndarray:
    """(k,) of what ``model.encode`` returned for one case: means and deviations over points of every feature, root mean squares of vectors.

    k depends on the model alone, not on the mesh, and at most :data:`LONGEST`. Graphs and whatever a state calls ``prepared`` are left out.
    """
    parts = [part for part in _rows(latent) if part.numel()]
    code = torch.cat(parts).cpu().numpy() if parts else np.zeros(0)
    if len(code) <= LONGEST:
        return code
    return code @ np.random.default_rng(len(code)).standard_normal((len(code), LONGEST)) / np.sqrt(LONGEST)


def _rows(item: Any) -> Iterator[Tensor]:
    if isinstance(item, PointSet):
        yield _pooled(item.scalars)
        yield item.vectors.detach().double().square().sum(dim=2).mean(dim=0).sqrt() if len(item) else item.pos.new_zeros(0)
    elif isinstance(item, Tensor):
        if item.is_floating_point() and item.dim() and item.numel():
            yield _pooled(item.reshape(-1, item.shape[-1]) if item.dim() > 1 else item[:, None])
    elif isinstance(item, Mapping):
        for name in sorted(item):
            yield from _rows(item[name])
    elif isinstance(item, tuple | list):
        for part in item:
            yield from _rows(part)
    elif is_dataclass(item):
        for field in fields(item):
            if field.name not in _NOT_LEARNED:
                yield from _rows(getattr(item, field.name))


def _pooled(values: Tensor) -> Tensor:
    """(c,) means of (n, c), and as many deviations where a sample has more than one row."""
    values = values.detach().double()
    if len(values) < 2:
        return values.reshape(-1)
    return torch.cat([values.mean(dim=0), values.std(dim=0, correction=0)])
