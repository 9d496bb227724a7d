"""Models by the name of their class, for files and command lines."""

from __future__ import annotations

import importlib
import pkgutil
from difflib import get_close_matches

from ..errors import ConfigurationError
from .model import AbstractModel


def model_classes() -> dict[str, type[AbstractModel]]:
    """Every concrete model of this package by the name of its class."""
    package = importlib.import_module(__package__ or "geoop.models")
    found = {}
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        for name, value in vars(importlib.import_module(module.name)).items():
            own = isinstance(value, type) and issubclass(value, AbstractModel) and value.__module__ == module.name
            if own and not value.__abstractmethods__:
                found[name] = value
    return found


def model_class(name: str, where: str) -> type[AbstractModel]:
    """The class of that name.

    Raises:
        ConfigurationError: there is none; names the nearest.
    """
    known = model_classes()
    if name not in known:
        near = get_close_matches(name, known, n=1)
        raise ConfigurationError(
            f"no model '{name}'", where=where, remedy=f"did you mean '{near[0]}'?" if near else f"choose one of {', '.join(sorted(known))}"
        )
    return known[name]
