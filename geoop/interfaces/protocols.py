"""What the solving rooms know of a predictor: nothing but this."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from ..mesh.case import Case
from ..mesh.operating_point import OperatingPoint
from .result import Result


@runtime_checkable
class Predictor(Protocol):
    """Anything that turns a case into fields: a trained surrogate, a baseline, a panel method, a finite-element solver."""

    def predict(self, case: Case) -> Result:
        """Fields on the case's mesh, with outcome and verdict."""
        ...


@runtime_checkable
class ManyPredictor(Protocol):
    """A predictor that prepares a geometry once for many operating points."""

    def predict_many(self, mesh: Case, points: Sequence[OperatingPoint], *, surface_only: bool = False) -> list[Result]:
        """Results of a case at every point; on the surface of the body only where that is asked for."""
        ...
