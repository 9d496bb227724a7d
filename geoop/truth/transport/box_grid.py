"""A box of equal cells in one or two dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import ConfigurationError


@dataclass(frozen=True)
class BoxGrid:
    """Equal cells between two corners.

    Attributes:
        shape: cells per axis, one or two numbers of 3 or more.
        lower, upper: corners [m].

    Raises:
        ConfigurationError: lengths that differ, fewer than 3 cells, corners that enclose nothing.
    """

    shape: tuple[int, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]

    def __post_init__(self) -> None:
        for key, kind in (("shape", int), ("lower", float), ("upper", float)):
            object.__setattr__(self, key, tuple(kind(item) for item in np.atleast_1d(getattr(self, key))))
        fits = len(self.shape) in (1, 2) and len(self.shape) == len(self.lower) == len(self.upper) and min(self.shape) >= 3
        if not fits or not all(0.0 < b - a < np.inf for a, b in zip(self.lower, self.upper, strict=True)):
            raise ConfigurationError(
                f"{self.shape} cells between {self.lower} and {self.upper} are no grid",
                where="BoxGrid",
                remedy="give one or two numbers of 3 cells or more, and a lower corner below the upper one",
            )

    @property
    def dimension(self) -> int:
        """1 or 2."""
        return len(self.shape)

    @property
    def spacing(self) -> np.ndarray:
        """(d,) sides of a cell [m]."""
        return (np.array(self.upper) - self.lower) / self.shape

    @property
    def centers(self) -> np.ndarray:
        """(*shape, d) centres of the cells [m]."""
        return self._places([0.5] * self.dimension, self.shape)

    @property
    def nodes(self) -> np.ndarray:
        """(*(shape + 1), d) corners of the cells [m]."""
        return self._places([0.0] * self.dimension, [n + 1 for n in self.shape])

    def faces(self, axis: int) -> np.ndarray:
        """(..., d) centres of the faces normal to an axis, one more than cells along it [m]."""
        offset = [0.0 if k == axis else 0.5 for k in range(self.dimension)]
        return self._places(offset, [n + (k == axis) for k, n in enumerate(self.shape)])

    def _places(self, offset: Sequence[float], count: Sequence[int]) -> np.ndarray:
        axes = [low + h * (np.arange(n) + o) for low, h, o, n in zip(self.lower, self.spacing, offset, count, strict=True)]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
