"""Sizes of every model that were tried: ``PRESETS["GraphNeuralOperator"]["small"]`` are keyword arguments of the class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: class -> size -> keyword arguments. ``small`` trains in minutes on two cores, ``medium`` in about an hour, ``large`` wants a GPU.
PRESETS: dict[str, dict[str, Mapping[str, Any]]] = {
    "BodyField": {
        "small": {"width": 64, "depth": 4, "densities": 16},
        "medium": {"width": 96, "depth": 6, "densities": 24},
        "large": {"width": 192, "depth": 8, "densities": 48},
    },
}
