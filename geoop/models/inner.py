"""The model inside of a model: :class:`ExactDirichlet` and :class:`PotentialField` take any other on clouds."""

from __future__ import annotations

import inspect

from ..errors import ConfigurationError
from .cloud_model import CloudModel
from .named import model_class, model_classes


def inner_class(name: str) -> type[CloudModel]:
    """The model on clouds of that name, itself without another inside.

    Raises:
        ConfigurationError: there is none.
    """
    found = model_class(name, "inner")
    if not _simple(found):
        names = sorted(key for key, value in model_classes().items() if _simple(value))
        raise ConfigurationError(f"'{name}' cannot stand inside of another model", where="inner", remedy=f"one of {', '.join(names)}")
    return found  # type: ignore[return-value]


def _simple(kind: type) -> bool:
    return issubclass(kind, CloudModel) and "inner" not in inspect.signature(kind).parameters
