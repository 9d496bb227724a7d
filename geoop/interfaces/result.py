"""What a prediction returns: the case with its fields, how it went, and how far to trust it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import InvalidMeshError
from ..io.paraview import write_case
from ..mesh.case import Case
from ..mesh.mesh import Mesh
from ..mesh.quantity import Field
from .outcome import Outcome
from .verdict import Verdict

#: Points (n, d) [m] -> fields at those points; ``None`` where a predictor knows nothing between its nodes.
FieldFunction = Callable[[np.ndarray], Mapping[str, Field]]


@dataclass(frozen=True, eq=False)
class Result:
    """A prediction.

    Attributes:
        case: the case with the predicted fields on its mesh. For a bare section this mesh is the O-grid around it.
        outcome: how the computation ended, with a remedy where it did not end well.
        verdict: inside, edge or outside of what the predictor has seen, with the reason and expected errors.
        evaluate: the continuous field behind :meth:`at`.
        viscous: whether the predicted flow has friction; an inviscid one has no drag to speak of.
    """

    case: Case
    outcome: Outcome
    verdict: Verdict
    evaluate: FieldFunction
    viscous: bool = False

    def __repr__(self) -> str:
        return f"Result({self.case!r}, {self.outcome.status}, {self.verdict.level})"

    def __str__(self) -> str:
        """What was predicted of what, how it went, and how far to trust it."""
        point, errors = self.case.operating_point, self.verdict.expected_errors
        units = {item.name: item.quantity.unit for item in self.fields.values()}
        lines = [f"prediction of {self.mesh!r}"]
        lines += [f"  at {point!r}"] if point is not None else []
        lines += [f"  {item!r}" for item in self.fields.values() if item.location != "global"]
        lines += [f"  outcome {self.outcome}", f"  verdict {self.verdict}"]
        lines += [f"  expected error of {name}: {value:.3g} {units.get(name, '1')}" for name, value in errors.items()]
        return "\n".join(lines)

    @property
    def mesh(self) -> Mesh:
        return self.case.mesh

    @property
    def fields(self) -> Mapping[str, Field]:
        """Predicted (and given) fields on :attr:`mesh`, by quantity name."""
        return self.case.fields

    def __getitem__(self, name: str) -> np.ndarray:
        """Values of one field on the mesh: (n,) or (n, d)."""
        return self.case.field(name).values

    def at(self, points: np.ndarray) -> dict[str, np.ndarray]:
        """The continuous field at any points, in chunks of bounded memory.

        Args:
            points: (n, d) [m] or one point (d,).

        Returns:
            quantity name -> (n,) or (n, d) in SI units. Inside the body the values are NaN: there is no flow. A calibrated predictor adds
            ``QUANTITY_band`` (n,), the half-width of the band that holds around bodies (NaN if only walls were seen in training), an
            ensemble ``QUANTITY_spread`` (n,).

        Raises:
            InvalidMeshError: points of another dimension, or not finite.
        """
        points = np.atleast_2d(np.asarray(points, dtype=np.float64))
        if points.ndim != 2 or points.shape[1] != self.mesh.dimension or not np.isfinite(points).all():
            raise InvalidMeshError(
                f"points have shape {points.shape} or are not finite",
                where="Result.at",
                remedy=f"pass finite points of shape (n, {self.mesh.dimension})",
            )
        found = self.evaluate(points if len(points) else self.mesh.points[:1])
        return {name: item.values[: len(points)] for name, item in found.items()}

    def write(self, path: str | Path, *, patches: bool = False) -> Path:
        """Write for ParaView: .vtu, or .vtp for a surface; with ``patches`` one more .vtp per patch beside it."""
        return write_case(self.case, path, patches=patches)
