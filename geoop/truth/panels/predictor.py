"""The panel method as a predictor: what solves with panels can be asked as a trained surrogate is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ...errors import ConditionError
from ...graph.cache import ContentCache
from ...interfaces.outcome import Outcome
from ...interfaces.result import Result
from ...interfaces.verdict import Verdict
from ...mesh.body import body, body_cells
from ...mesh.case import Case
from ...mesh.cells import Cells
from ...mesh.generate.ogrid import ogrid
from ...mesh.mesh import Mesh
from ...mesh.operating_point import OperatingPoint
from ...mesh.quantity import QUANTITIES, Field
from ..flow_case import flow_case
from .section_curve import SMALLEST_EDGE_ANGLE
from .system import PanelSystem

_VERDICT = Verdict("inside", "solved by panels, not predicted: plane potential flow, without boundary layer or stall")
#: What is said where the Kutta condition may stand at the wrong end.
REVERSED = "the tail of {} points to smaller x, so that its nose was taken for the trailing edge: turn the section if that is wrong"


class PanelPredictor:
    """Plane incompressible potential flow by linear-vorticity panels (:class:`PanelSystem`), for one section or several.

    Args:
        n_panels: of every body.
        smallest_edge_angle: thinner trailing edges are refused [deg].
    """

    def __init__(self, n_panels: int = 200, *, smallest_edge_angle: float = SMALLEST_EDGE_ANGLE) -> None:
        self.n_panels, self.smallest_edge_angle = n_panels, smallest_edge_angle
        self._systems = ContentCache(64 * 2**20)

    def system(self, outline: Mesh) -> PanelSystem:
        """The panels of an outline with their equations solved; kept, so that another angle costs next to nothing."""
        return self._systems.fetch(lambda: PanelSystem(outline, self.n_panels, smallest_edge_angle=self.smallest_edge_angle), outline.content_hash)

    def judge(self, case: Case) -> Verdict:
        """What is said beside the fields of a section at any operating point; raises what :meth:`predict` would raise because of its shape."""
        return _verdict(self.system(body(case.mesh, case.wall)))

    def predict(self, case: Case, *, surface_only: bool = False) -> Result:
        """Velocity and pressure coefficient of one case.

        Args:
            case: a section, or a mesh around one, with an operating point.
            surface_only: at the panel nodes of a bare section only; else such a section gets an O-grid.

        Raises:
            ConditionError: no operating point, sideslip, a Mach number.
            InvalidMeshError: not a section that panels can be trusted on.
        """
        if case.operating_point is None:
            raise ConditionError("no operating point", where=case.name, remedy="Case(mesh, OperatingPoint(velocity=..., alpha=...))")
        return self.predict_many(case, [case.operating_point], surface_only=surface_only)[0]

    def predict_many(self, mesh: Mesh | Case, points: Sequence[OperatingPoint], *, surface_only: bool = False) -> list[Result]:
        """One section at several operating points: its equations are solved once. Arguments and errors as for :meth:`predict`."""
        if not points:
            return []
        case = Case(mesh) if isinstance(mesh, Mesh) else mesh
        outline = body(case.mesh, case.wall)
        system = self.system(outline)
        placed = self._placed(case, outline, system, surface_only)
        wall = np.unique(body_cells(placed.mesh, placed.wall).connectivity)
        velocity = np.empty((len(points), len(placed.mesh.points), 2))
        rest = np.setdiff1d(np.arange(len(placed.mesh.points)), wall)
        velocity[:, wall] = system.surface_velocity(placed.mesh.points[wall], points)
        if len(rest):
            velocity[:, rest] = system.velocity(placed.mesh.points[rest], points)
        return [self._result(replace(placed, operating_point=point), system, v) for point, v in zip(points, velocity, strict=True)]

    def _placed(self, case: Case, outline: Mesh, system: PanelSystem, surface_only: bool) -> Case:
        """The case on the mesh that is answered at, without fields that came with it."""
        if not case.mesh.is_surface:
            return replace(case, fields={})
        if surface_only or len(system.bodies) > 1:
            return replace(case, mesh=_on_panels(outline, system), fields={}, wall=None)
        grid = self._systems.fetch(lambda: ogrid(outline, smooth=True), "O-grid", outline.content_hash)
        return Case(grid, case.operating_point, wall=("wall",), name=case.name)

    def _result(self, case: Case, system: PanelSystem, velocity: np.ndarray) -> Result:
        point = case.operating_point
        assert point is not None  # every case here has the one that it was asked for

        def evaluate(points: np.ndarray) -> dict[str, Field]:
            found = system.velocity(points, [point])[0]
            return {
                "velocity": Field(QUANTITIES["velocity"], found),
                "pressure_coefficient": Field(QUANTITIES["pressure_coefficient"], 1.0 - (found**2).sum(axis=1) / point.velocity**2),
            }

        return Result(flow_case(case, point, velocity), Outcome("converged"), _verdict(system), evaluate)


def _verdict(system: PanelSystem) -> Verdict:
    return Verdict("edge", f"panels: {found}") if (found := reversed_sections(system)) else _VERDICT


def reversed_sections(system: PanelSystem) -> str:
    """A sentence about bodies whose tail points to smaller x; empty where there are none."""
    names = [item.curve.name or "the section" for item in system.bodies if item.curve.reversed]
    return REVERSED.format(", ".join(names)) if names else ""


def _on_panels(outline: Mesh, system: PanelSystem) -> Mesh:
    """The panel nodes as an outline; the loops keep the outline's patches where it has one each."""
    names = list(outline.patches) if len(outline.patches) == len(system.bodies) else ["wall"]
    points, parts, before = [], [], 0
    for item in system.bodies:
        z = item.ring
        index = before + np.arange(len(z))
        parts.append(Cells.of(line=np.stack([index, np.roll(index, -1)], axis=1)))
        points.append(np.stack([z.real, z.imag], axis=1))
        before += len(z)
    lines = Cells.concatenate(parts)
    patches = dict(zip(names, parts, strict=True)) if len(names) == len(parts) else {names[0]: lines}
    return Mesh(np.concatenate(points), lines, patches, name=outline.name)
