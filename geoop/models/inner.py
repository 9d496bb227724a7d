"""What models with another inside share: :class:`ExactDirichlet` and :class:`PotentialField` take any on clouds, and look at the facets."""

from __future__ import annotations

import inspect

import torch

from ..errors import ConfigurationError
from ..graph.geometry import Geometry
from ..graph.graph import Graph
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


def facet_graph(geometry: Geometry) -> Graph:
    """The facets as a graph, which batches: edges from the d vertices of a facet, in order, to the facet."""
    facets = geometry.facets
    target = torch.arange(facets.numel(), device=facets.device) // facets.shape[1]
    return Graph(facets.reshape(-1), target, len(geometry.surface), len(facets))


def _simple(kind: type) -> bool:
    return issubclass(kind, CloudModel) and "inner" not in inspect.signature(kind).parameters
