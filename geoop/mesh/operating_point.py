"""The operating condition of a case, in SI units and degrees."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields

import numpy as np

from ..errors import ConditionError


@dataclass(frozen=True)
class OperatingPoint:
    """Free stream and reference values.

    Axes: x backward along the body, y up in 2-D; in 3-D z is up and y to starboard, as in most CFD meshes of cars and wings.

    Attributes:
        velocity: free-stream speed [m/s].
        alpha: angle of attack [deg], nose up positive.
        beta: sideslip angle [deg], 3-D only.
        density: [kg/m^3].
        viscosity: dynamic viscosity [Pa s]; None for an inviscid flow.
        mach: Mach number [-]; None for an incompressible flow.
        reference_length: length of Reynolds number and moments [m]; None until somebody states it.

    Raises:
        ConditionError: a value is not finite, or has an impossible sign. All problems in one error.
    """

    velocity: float
    alpha: float = 0.0
    beta: float = 0.0
    density: float = 1.225
    viscosity: float | None = None
    mach: float | None = None
    reference_length: float | None = None

    def __post_init__(self) -> None:
        problems = []
        for item in fields(self):
            value = getattr(self, item.name)
            if value is None and item.default is None:
                continue
            if not isinstance(value, (int, float, np.integer, np.floating)) or isinstance(value, bool):
                problems.append(f"{item.name} is {value!r}, not a number")
                continue
            object.__setattr__(self, item.name, float(value))
            if not math.isfinite(value):
                problems.append(f"{item.name} is {value}")
            elif item.name in ("velocity", "density", "viscosity", "reference_length") and value <= 0:
                problems.append(f"{item.name} is {value}, must be positive")
            elif item.name == "mach" and value < 0:
                problems.append(f"mach is {value}, must not be negative")
            elif item.name in ("alpha", "beta") and abs(value) > 180:
                problems.append(f"{item.name} is {value} degrees, expected -180..180")
        if problems:
            raise ConditionError("; ".join(problems), where="OperatingPoint", remedy="give finite SI values: velocity in m/s, angles in degrees")

    @property
    def dynamic_pressure(self) -> float:
        """q = rho V^2 / 2 [Pa]."""
        return 0.5 * self.density * self.velocity**2

    @property
    def reynolds(self) -> float | None:
        """Re = rho V L / mu [-]; None when the viscosity or the reference length is not stated."""
        if self.viscosity is None or self.reference_length is None:
            return None
        return self.density * self.velocity * self.reference_length / self.viscosity

    def direction(self, dimension: int) -> np.ndarray:
        """(d,) unit vector of the free stream. In 3-D alpha lifts towards +z and beta comes from -y, as in AeroSandbox."""
        a, b = math.radians(self.alpha), math.radians(self.beta)
        if dimension == 2:
            if self.beta:
                raise ConditionError(f"beta is {self.beta} in a 2-D case", where="OperatingPoint", remedy="leave beta at 0 for a section")
            return np.array([math.cos(a), math.sin(a)])
        return np.array([math.cos(a) * math.cos(b), -math.sin(b), math.sin(a) * math.cos(b)])

    def lift_direction(self, dimension: int) -> np.ndarray:
        """(d,) unit vector normal to the free stream, upward: d(direction)/d(alpha) at zero sideslip."""
        a = math.radians(self.alpha)
        return np.array([-math.sin(a), math.cos(a)]) if dimension == 2 else np.array([-math.sin(a), 0.0, math.cos(a)])

    def to_dict(self) -> dict[str, float]:
        """Stated values only, for manifests and headers."""
        return {key: value for key, value in asdict(self).items() if value is not None}
