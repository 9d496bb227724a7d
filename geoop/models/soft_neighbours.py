"""A model with soft rims around its neighbourhoods: differentiable where neighbours change."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TypeVar

from ..errors import ConfigurationError
from ..layers.neighborhood import SoftNearest
from .model import AbstractModel

M = TypeVar("M", bound=AbstractModel)


def with_soft_neighbours(model: M, softness: float) -> M:
    """A copy of a model whose :class:`geoop.layers.neighborhood.SoftNearest` neighbourhoods have this softness.

    Args:
        model: its weights are copied and not changed.
        softness: half the thickness of the rim over its radius, in [0, 1); 0 is the hard rim that models are trained with.

    Raises:
        ConfigurationError: a softness for a model that has no such neighbourhood.
    """
    model = copy.deepcopy(model)
    found = [module for module in model.modules() if isinstance(getattr(module, "nearest", None), SoftNearest)]
    if not found and softness:
        raise ConfigurationError(
            f"{type(model).__name__} has no neighbourhoods with a soft rim", where="softness", remedy="softness=0: its neighbours are held instead"
        )
    for module in found:
        module.nearest = replace(module.nearest, softness=softness)  # type: ignore[union-attr]
    return model
