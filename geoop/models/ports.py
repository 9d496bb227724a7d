"""What goes into a model and what comes out, in numbers of channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from ..errors import ConfigurationError
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
