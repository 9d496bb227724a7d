"""A model by its name, for run files and scripts."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ..errors import ConfigurationError
from ..io.settings import check_keys
from ..models.model import AbstractModel
from ..models.named import model_class
from ..models.ports import Ports
from ..models.presets import PRESETS


def maker_of(name: str, where: str, preset: str = "small", sizes: Mapping[str, Any] | None = None) -> Callable[[Ports], AbstractModel]:
    """What makes the model of that name from its ports: a preset, and sizes that are put over it.

    Raises:
        ConfigurationError: no such model, preset or size; ``where`` says who asked.
    """
    for key, value in (("class", name), ("preset", preset)):
        if not isinstance(value, str):
            raise ConfigurationError(f"{key} = {value!r} is no name", where=where, remedy='class = "GAOT", preset = "small"')
    kind, known, sizes = model_class(name, where), PRESETS.get(name, {}), dict(sizes or {})
    if preset not in known and (known or preset != "small"):
        remedy = f"choose one of {', '.join(known)}" if known else "give sizes"
        raise ConfigurationError(f"no preset '{preset}' of {name}", where=where, remedy=remedy)
    check_keys(sizes, set(inspect.signature(kind).parameters) - {"ports"}, where)
    return partial(kind, **{**known.get(preset, {}), **sizes})
