"""What the solving rooms know of a predictor: nothing but this."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from ..mesh.case import Case
from .result import Result


@runtime_checkable
class Predictor(Protocol):
    """Anything that turns a case into fields: a trained surrogate, a baseline, a panel method, a finite-element solver."""

    def predict(self, case: Case) -> Result:
        """Fields on the case's mesh, with outcome and verdict."""
        ...
