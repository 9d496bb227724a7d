"""What every transfer between the fields of a case and a vector states, and what it knows of the place of a case's points."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Protocol

import numpy as np

from ..mesh.case import Case
from ..scaling.body_frame import BodyFrame


class Located(Protocol):
    """Where the points of a case lie in the coordinates of a transfer."""

    @property
    def frame(self) -> BodyFrame | None:
        """In which vectors and units are taken; None leaves the fields as they are."""
        ...

    @property
    def inside(self) -> np.ndarray:
        """(n,) points where there is no field."""
        ...

    def shape(self) -> np.ndarray:
        """(k,) coordinates that describe the geometry, on parameters common to all cases."""
        ...


class AbstractTransfer(ABC):
    """Fields of a case <-> one vector whose numbers mean the same in every case.

    Attributes:
        kind: its word in checkpoints.
        most_shapes: modes of the geometry that are kept at most.
    """

    kind: ClassVar[str]
    most_shapes: ClassVar[int]

    @property
    @abstractmethod
    def size(self) -> int:
        """Numbers per scalar field."""

    @property
    @abstractmethod
    def n_field(self) -> int:
        """How many of them, the first ones, are learned apart from the rest."""

    @abstractmethod
    def place(self, case: Case) -> Any:
        """Where the points of a case lie: a :class:`Located` that :meth:`encode` and :meth:`decode` of this transfer understand.

        Raises:
            InvalidMeshError: the case is not of the kind that this transfer takes.
        """

    @abstractmethod
    def encode(self, place: Any, values: np.ndarray) -> np.ndarray:
        """(n, c) values at the points of a case -> (size, c)."""

    @abstractmethod
    def decode(self, place: Any, vector: np.ndarray) -> np.ndarray:
        """(size, c) -> (n, c) values at the points of a case."""

    @abstractmethod
    def there_and_back(self, place: Any, values: np.ndarray) -> np.ndarray:
        """(n, c) values that went to the vector and back, none of them taking part in its own answer where points are fitted."""
