"""What goes into a model and what comes out, in numbers of channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import torch

from ..errors import ConfigurationError, NonFiniteError, ShapeError
from ..graph.geometry import Queries
from ..graph.pointset import Inputs
from ..layers.condition import condition_width
from ..layers.sites import Sites


@dataclass(frozen=True)
class Ports:
    """Channels in and out; everything that a model must know about its data before it sees any.

    Attributes:
        dimension: of space.
        scalars_out, vectors_out: fields to predict.
        scalars_in, vectors_in: global scalars (log Reynolds number, ...) and vectors (the free stream first).
        surface_scalars: what every boundary vertex says about itself (curvature, kind of boundary, ...).
        functions: (name, channels) of every named input function, in order of name.
        body: the frame is that of one body with ends at (-1/2, 0) and (1/2, 0); False for a region.
        surface_odd: which of the surface scalars change their sign in a mirror, such as a phase along the outline.
    """

    dimension: int = 2
    scalars_out: int = 1
    vectors_out: int = 0
    scalars_in: int = 0
    vectors_in: int = 0
    surface_scalars: int = 0
    functions: tuple[tuple[str, int], ...] = ()
    body: bool = False
    surface_odd: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "surface_odd", tuple(int(k) for k in self.surface_odd))
        object.__setattr__(self, "functions", tuple(sorted((str(name), int(count)) for name, count in self.functions)))
        counts = (self.scalars_out, self.vectors_out, self.scalars_in, self.vectors_in, self.surface_scalars, *(c for _, c in self.functions))
        if self.dimension not in (2, 3) or min(counts) < 0 or self.scalars_out + self.vectors_out == 0:
            raise ConfigurationError(f"{self} make no model", where="Ports", remedy="two or three dimensions, and at least one field to predict")

    @classmethod
    def of(cls, given: Ports | Mapping[str, Any]) -> Self | Ports:
        """From a checkpoint's header, or as it is."""
        return given if isinstance(given, Ports) else cls(**{**given, "functions": tuple((n, c) for n, c in given.get("functions", ()))})

    def to_dict(self) -> dict[str, Any]:
        """JSON data for the checkpoint header."""
        return {**asdict(self), "surface_odd": list(self.surface_odd), "functions": [list(item) for item in self.functions]}

    def check_inputs(self, inputs: Inputs, samples: int, where: str) -> None:
        """Whether conditions and functions are what a model with these ports takes, before any of them is used.

        Args:
            inputs: of a batch; functions beside those of the ports are nobody's business.
            samples: geometries in the batch.
            where: the model.

        Raises:
            ShapeError: a function is missing, or anything has other channels, another dimension or another number of samples. Names all of it.
            NonFiniteError: NaN or infinity among them. Not looked for while a model is compiled, which knows shapes alone.
        """
        wanted = {"scalars": (samples, self.scalars_in), "vectors": (samples, self.vectors_in, self.dimension)}
        shapes = {name: tuple(getattr(inputs, name).shape) for name in wanted}
        wrong = [f"global {name} of shape {shapes[name]} instead of {shape}" for name, shape in wanted.items() if shapes[name] != shape]
        for name, count in self.functions:
            points = inputs.functions.get(name)
            if points is None:
                wrong.append(f"no function '{name}', but {sorted(inputs.functions) or 'none at all'}")
                continue
            known = (points.batch_size, points.scalars.shape[1], points.dimension)
            if known != (samples, count, self.dimension):
                wrong.append(f"function '{name}' has {known} samples, channels and dimensions instead of {(samples, count, self.dimension)}")
        if wrong:
            raise ShapeError(
                "; ".join(wrong), where=where, remedy="frame the case as the training cases were, and concatenate as many inputs as geometries"
            )
        if torch.compiler.is_compiling():
            return
        values = {"global scalars": inputs.scalars, "global vectors": inputs.vectors}
        values |= {f"function '{name}'": inputs.functions[name].scalars for name, _ in self.functions}
        if not bool(torch.stack([value.isfinite().all() for value in values.values()]).all()):
            lost = ", ".join(name for name, value in values.items() if not bool(value.isfinite().all()))
            raise NonFiniteError(f"NaN or infinity in {lost}", where=where, remedy="give finite values at all points of a function")

    def check_queries(self, queries: Queries, samples: int, where: str) -> None:
        """Whether a model with these ports, encoded for so many samples, can answer the queries.

        Raises:
            ShapeError: they are of another number of samples or dimension, or carry other functions. Names all of it.
        """
        points, wrong = queries.points, []
        if points.batch_size != samples or points.dimension != self.dimension:
            wrong.append(f"queries with (samples, dimension) {(points.batch_size, points.dimension)} where {(samples, self.dimension)} were encoded")
        if points.scalars.shape[1] not in (1, 1 + self.given) or not points.vectors.shape[1]:
            wrong.append(
                f"queries with {points.scalars.shape[1]} scalars and {points.vectors.shape[1]} vectors instead of a distance and its gradient"
                + (f", or these and {self.given} numbers of the functions" if self.given else "")
            )
        if wrong:
            raise ShapeError("; ".join(wrong), where=where, remedy="ask about the geometries that were encoded, one set of queries for each")

    @property
    def site(self) -> int:
        """Features of a place, see :meth:`geoop.layers.sites.Sites.features`."""
        return Sites.width(self.dimension, self.surface_scalars, ends=self.body)

    @property
    def condition(self) -> int:
        """Features of the global conditions at a place, see :func:`geoop.layers.condition.condition_features`."""
        return condition_width(self.scalars_in, self.vectors_in, self.dimension)

    @property
    def given(self) -> int:
        """Features of all input functions at a place: values and nearness of each."""
        return sum(count + 1 for _, count in self.functions)

    @property
    def features(self) -> int:
        """Everything that is known at a place before any learning."""
        return self.site + self.condition + self.given

    @property
    def out(self) -> int:
        """Numbers predicted per point."""
        return self.scalars_out + self.dimension * self.vectors_out
