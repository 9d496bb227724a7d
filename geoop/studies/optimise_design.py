"""The numbers that a solver moves, between -1 and 1, and what they make: a section and an angle of attack; coefficients with their derivatives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch

from ..errors import ConfigurationError
from ..mesh.case import Case
from ..mesh.mesh import Mesh
from ..mesh.operating_point import OperatingPoint
from ..mesh.section_shapes import NacaDigits, SectionShape
from ..results.forces import forces
from ..results.layer_drag import LayerDrag
from ..results.section_drag import boundary_layer_drag
from ..results.surface_function import SurfaceFunction, as_told
from ..results.surrogate import Surrogate
from ..truth.panels.derivatives import panel_coefficients
from .optimise_problem import OptimiseProblem

#: Steps of central differences, in the solver's units: of coefficients that are no tensors, and of measures of the section.
STEP, FINE = 1e-2, 1e-3
#: Of a model's neighbourhoods while it is searched: neighbours then change without a jump.
SOFTNESS = 0.1


@dataclass(frozen=True, eq=False)
class Design:
    """From the solver's numbers to a section and an angle.

    Attributes:
        problem: what was asked.
        shape: the family; None where the angle alone moves.
        size: (m,) change of the family's numbers per unit.
    """

    problem: OptimiseProblem
    shape: SectionShape | None
    size: np.ndarray

    @classmethod
    def of(cls, problem: OptimiseProblem) -> Design:
        """The design space of a problem."""
        shape, limit = problem.shape(), problem.variables.limit
        if shape is None:
            return cls(problem, None, np.zeros(0))
        if isinstance(shape, NacaDigits):
            return cls(problem, shape, np.array([min(limit, shape.start[0] - 5e-4), 0.15, min(limit, 0.8 * shape.start[2])]))
        return cls(problem, shape, np.full(len(shape.start), limit * (10.0 if problem.variables.shape == "class shape" else 1.0)))

    @property
    def names(self) -> tuple[str, ...]:
        """Of the numbers, with units."""
        return (*(self.shape.names if self.shape else ()), *(("alpha [deg]",) if self.free_angle else ()))

    @property
    def free_angle(self) -> bool:
        """Whether the angle of attack moves."""
        return len(self.problem.variables.alpha) == 2

    @property
    def begin(self) -> np.ndarray:
        """(m,) the solver's numbers of the given section."""
        low, high = self.problem.variables.alpha if self.free_angle else (0.0, 0.0)
        angle = [2.0 * (self.problem.point.alpha - low) / (high - low) - 1.0] if self.free_angle else []
        return np.concatenate([np.zeros(len(self.size)), angle])

    def values(self, x: np.ndarray) -> np.ndarray:
        """(m,) the numbers in their own units, the angle last."""
        own = self.shape.start + self.size * x[: len(self.size)] if self.shape else np.zeros(0)
        return np.concatenate([own, [self.angle(x)] if self.free_angle else []])

    def section(self, x: np.ndarray) -> Mesh:
        """The section, its points always in one order."""
        made = self.shape.outline(self.shape.start + self.size * x[: len(self.size)]) if self.shape else self.problem.section
        return replace(made, name=self.problem.name)

    def angle(self, x: np.ndarray) -> float:
        """Angle of attack [deg]."""
        if not self.free_angle:
            return self.problem.point.alpha
        low, high = self.problem.variables.alpha
        return float(low + 0.5 * (x[-1] + 1.0) * (high - low))

    def point(self, x: np.ndarray) -> OperatingPoint:
        """The condition."""
        return replace(self.problem.point, alpha=self.angle(x))

    def by_x(self, by_points: np.ndarray, by_alpha: float, x: np.ndarray) -> np.ndarray:
        """(m,) derivatives by the solver's numbers from those by the points (n, 2) and by the angle [1/deg]."""
        parts = []
        if self.shape:
            parts.append(np.einsum("nd,ndm->m", by_points, self.shape.jacobian(self.shape.start + self.size * x[: len(self.size)])) * self.size)
        if self.free_angle:
            low, high = self.problem.variables.alpha
            parts.append(np.array([by_alpha * 0.5 * (high - low)]))
        return np.concatenate(parts)


class Coefficients(Protocol):
    """What a solver knows of the flow."""

    def values(self, x: np.ndarray) -> dict[str, float]:
        """CL, CM and, where it is asked for, CD."""
        ...

    def slopes(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """Their (m,) derivatives."""
        ...

    def renew(self, x: np.ndarray) -> bool:
        """Make what is held while it is searched anew at a section; False where nothing is held."""
        ...

    def anew(self, x: np.ndarray) -> tuple[dict[str, float], str, str]:
        """The numbers as a prediction of that section gives them; level and reason of the verdict."""
        ...


class PredictedCoefficients:
    """CL and CM of a surrogate with their exact derivatives; CD of the boundary layer on its wall velocity, with central differences through both.

    Args:
        surrogate: see :class:`geoop.results.surface_function.SurfaceFunction`.
        design: the design space.
    """

    def __init__(self, surrogate: Surrogate, design: Design) -> None:
        self.surrogate, self.design = surrogate, design
        self.drag = design.problem.drag
        self.soft = SOFTNESS if _can_be_soft(surrogate) else 0.0
        self.renew(design.begin)

    def renew(self, x: np.ndarray) -> bool:
        """Hold the choices of this section."""
        case = Case(self.design.section(x), self.design.point(x))
        self.function = SurfaceFunction(self.surrogate, case, softness=self.soft, hold="places" if self.soft else "all")
        self.layer = LayerDrag(self.function, _trip(self.design.problem)) if self.drag else None
        return True

    def values(self, x: np.ndarray) -> dict[str, float]:
        """CL, CM and CD with what is held."""
        points = torch.from_numpy(np.array(self.design.section(x).points))
        with torch.no_grad():
            at = self.function.at(points, self.design.angle(x))
        found = {name: float(at.coefficients[name]) for name in ("CL", "CM")}
        if self.layer is not None:
            found["CD"] = self.layer.of(at, points)
        return found

    def slopes(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """(m,) derivatives, those of CL and CM exact."""
        points = torch.from_numpy(np.array(self.design.section(x).points)).requires_grad_()
        alpha = torch.tensor(self.design.angle(x), dtype=torch.float64, requires_grad=True)
        found = self.function.at(points, alpha).coefficients
        slopes = {}
        for name in ("CL", "CM"):
            by_points, by_alpha = torch.autograd.grad(found[name], (points, alpha), retain_graph=True)
            slopes[name] = self.design.by_x(by_points.numpy(), float(by_alpha), x)
        if self.layer is not None and self.design.problem.needs_drag:
            slopes["CD"] = differences(self._drag, x, STEP)
        return slopes

    def _drag(self, x: np.ndarray) -> float:
        assert self.layer is not None
        return self.layer.coefficient(torch.from_numpy(np.array(self.design.section(x).points)), self.design.angle(x))

    def anew(self, x: np.ndarray) -> tuple[dict[str, float], str, str]:
        """A prediction with its forces and its verdict."""
        point = self.design.point(x)
        case = Case(self.design.section(x), as_told(self.surrogate, point))
        result = self.surrogate.predict(case, surface_only=True)
        found = forces(result)
        values = {"CL": float(found.CL or 0.0), "CM": float(found.CM or 0.0)}
        if self.drag:
            values["CD"] = boundary_layer_drag(result, reynolds=point.reynolds, transition=_trip(self.design.problem)).CD
        return values, result.verdict.level, result.verdict.reason


class PanelCoefficients:
    """The panel method with its boundary layer in place of a model: central differences; the control, and an optimiser in its own right."""

    def __init__(self, design: Design) -> None:
        self.design = design

    def values(self, x: np.ndarray) -> dict[str, float]:
        """CL, CM and, with a viscosity, CD."""
        found = checked(self.design, x)
        return {name: found[name] for name in ("CL", "CM", "CD") if name in found}

    def slopes(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """(m,) central differences."""
        names = ("CL", "CM", "CD") if self.design.problem.needs_drag else ("CL", "CM")

        def row(at: np.ndarray) -> np.ndarray:
            found = checked(self.design, at, drag=self.design.problem.needs_drag)
            return np.array([found[name] for name in names])

        by = differences(row, x, STEP)
        return {name: by[:, k] for k, name in enumerate(names)}

    def renew(self, x: np.ndarray) -> bool:
        del x
        return False

    def anew(self, x: np.ndarray) -> tuple[dict[str, float], str, str]:
        return self.values(x), "inside", "solved by panels, not predicted"


def checked(design: Design, x: np.ndarray, alpha: float | None = None, *, drag: bool = True) -> dict[str, float]:
    """CL, CM, CD and whether it separates by the panel method, at the design's angle or another [deg]."""
    point = design.point(x) if alpha is None else replace(design.problem.point, alpha=alpha)
    point = point if drag else replace(point, viscosity=None)
    return panel_coefficients(design.section(x), point, transition=_trip(design.problem), smallest_edge_angle=3.0)


def differences(function, x: np.ndarray, step: float) -> np.ndarray:
    """(m,) or (m, k) central differences of a function of the solver's numbers."""
    rows = []
    for row in step * np.eye(len(x)):
        rows.append((np.asarray(function(x + row)) - np.asarray(function(x - row))) / (2 * step))
    return np.array(rows)


def _trip(problem: OptimiseProblem) -> float | None:
    return None if problem.solver.transition == "free" else 0.0


def _can_be_soft(surrogate: Surrogate) -> bool:
    from ..models.soft_neighbours import with_soft_neighbours

    try:
        with_soft_neighbours(surrogate.model, SOFTNESS)
    except ConfigurationError:
        return False
    return True
