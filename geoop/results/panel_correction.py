"""A surrogate that learned what source panels leave: the flow of :class:`~geoop.truth.panels3d.source_panels.SourcePanels`, corrected by a network."""

from __future__ import annotations

import numpy as np

from ..mesh.body import body_cells
from ..mesh.case import Case
from ..mesh.operating_point import OperatingPoint
from ..mesh.quantity import Field, Quantity
from ..truth.panels3d.source_panels import SourcePanels

#: The known fields, by the quantity that they stand for.
BEYOND = {"velocity": "panel_velocity", "pressure_coefficient": "panel_pressure_coefficient"}
#: Those of them that the network is also given at every point: one that no turn of the body changes.
INPUTS = ("panel_pressure_coefficient",)
PANEL_VELOCITY = Quantity("panel_velocity", "u_p", "m/s", 1)
PANEL_PRESSURE = Quantity("panel_pressure_coefficient", "Cp_p", "1")


class PanelFields:
    """The flow of source panels at all points of a case's mesh, for any operating point.

    Args:
        case: a surface in space as its wall, and points around it.

    Raises:
        InvalidMeshError: see :meth:`SourcePanels.of`.
    """

    def __init__(self, case: Case) -> None:
        mesh = case.mesh
        cells = body_cells(mesh, case.wall)
        self.on_wall = np.unique(cells.connectivity)
        self.panels = SourcePanels.of(mesh.submesh(cells))
        self.field = np.setdiff1d(np.arange(len(mesh.points)), self.on_wall)
        self.flows = np.empty((len(mesh.points), 3, 3))
        self.flows[self.on_wall] = self.panels.vertex_velocity()
        self.flows[self.field] = self.panels.velocity(mesh.points[self.field])

    def velocity(self, point: OperatingPoint) -> np.ndarray:
        """(n, 3) [m/s]."""
        found = self.flows @ (point.velocity * point.direction(3))
        found[self.on_wall] = self.panels.limited(found[self.on_wall])
        return found

    def into(self, case: Case) -> Case:
        """The case with the fields of :data:`BEYOND` at its operating point."""
        point = case.operating_point
        assert point is not None
        velocity = self.velocity(point)
        pressure = 1.0 - (velocity**2).sum(axis=1) / point.velocity**2
        return case.with_fields(Field(PANEL_VELOCITY, velocity), Field(PANEL_PRESSURE, pressure))
