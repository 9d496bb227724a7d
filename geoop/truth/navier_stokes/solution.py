"""A flow on its elements: values at any point, fields for a case, vorticity and stream function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...fem import flow_fields
from ...mesh.quantity import QUANTITIES, Field, Quantity
from .problem import FlowProblem

STREAM_FUNCTION = Quantity("stream_function", "psi", "m^2/s")
#: The only component that a plane flow has.
PLANE_VORTICITY = Quantity("vorticity_z", "omega_z", "1/s")


@dataclass(frozen=True, eq=False)
class FlowSolution:
    """Velocity and pressure of a flow problem.

    Attributes:
        problem: what was solved.
        unknowns: (2 n + m,) u_x, u_y at the nodes [m/s], then the kinematic pressure at the vertices [m^2/s^2].
        steps: of Newton's method.
        factorisations: of the linear system.
        time: [s], None for a steady flow.
        acceleration: (2 n,) du/dt at the nodes [m/s^2], None for a steady flow.
    """

    problem: FlowProblem
    unknowns: np.ndarray
    steps: int = 0
    factorisations: int = 0
    time: float | None = None
    acceleration: np.ndarray | None = None

    @property
    def velocity(self) -> np.ndarray:
        """(n, 2) at the nodes of the space [m/s]."""
        return self.problem.space.split(self.unknowns)[0]

    @property
    def pressure(self) -> np.ndarray:
        """(m,) at the vertices of the space [Pa]."""
        return self.problem.density * self.problem.space.split(self.unknowns)[1]

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Velocity (k, 2) [m/s] and pressure (k,) [Pa] of the finite elements at (k, 2) points; NaN outside the domain."""
        velocity, pressure = flow_fields.evaluated(self.problem.space, self.unknowns, points)
        return velocity, self.problem.density * pressure

    @cached_property
    def vorticity(self) -> np.ndarray:
        """(n,) dv/dx - du/dy at the nodes [1/s], the mean of the elements that meet there."""
        return flow_fields.vorticity(self.problem.space, self.velocity)

    @cached_property
    def stream_function(self) -> np.ndarray:
        """(n,) psi at the nodes [m^2/s] with u = dpsi/dy, v = -dpsi/dx, zero at the first vertex."""
        return flow_fields.stream_function(self.problem.space, self.velocity)

    def fields(self, *, vorticity: bool = False, stream_function: bool = False) -> Mapping[str, Field]:
        """Fields at the points of the mesh: velocity and pressure, and more where asked; the pressure at mid-sides is interpolated."""
        space = self.problem.space
        node = space.domain.unknown_of_point(space.velocity_basis)
        items = [Field(QUANTITIES["velocity"], self.velocity[node]), Field(QUANTITIES["pressure"], self._pressure_at_nodes[node])]
        if vorticity:
            items.append(Field(PLANE_VORTICITY, self.vorticity[node]))
        if stream_function:
            items.append(Field(STREAM_FUNCTION, self.stream_function[node]))
        return {item.name: item for item in items}

    @property
    def _pressure_at_nodes(self) -> np.ndarray:
        return flow_fields.at_nodes(self.problem.space, self.pressure)
