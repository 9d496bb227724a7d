"""A case from a panel system: wall points first, then field points with quadrature weights, as in kt-airfoils."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...mesh.case import Case
from ...mesh.cells import Cells
from ...mesh.mesh import Mesh
from ...mesh.operating_point import OperatingPoint
from ...mesh.quantity import QUANTITIES, Field
from ..panels.system import PanelSystem
from .circle_plane import FARTHEST, NEAREST, CirclePlane, field_points
from .kt_airfoils import WEIGHT


@dataclass(frozen=True, eq=False)
class PanelGeometry:
    """Sections with their solved panel equations: what all cases of one geometry share.

    Attributes:
        system: the panels.
        planes: of the sections, where field points are drawn.
        patches: name of every body's wall.
    """

    system: PanelSystem
    planes: tuple[CirclePlane, ...]
    patches: tuple[str, ...]

    @classmethod
    def of(cls, outline: Mesh, n_panels: int, patches: Sequence[str] = ("wall",)) -> PanelGeometry:
        """Solve the panel equations of an outline.

        Raises:
            InvalidMeshError: see :class:`PanelSystem` and :meth:`CirclePlane.of`.
        """
        system = PanelSystem(outline, n_panels)
        return cls(system, tuple(CirclePlane.of(item.curve) for item in system.bodies), tuple(patches))

    def case(self, condition: OperatingPoint, n_field: int, random: np.random.Generator, name: str) -> Case:
        """Velocity, pressure coefficient and quadrature weight at the panel nodes and at field points; CL and CM.

        Args:
            condition: free stream.
            n_field: number of field points.
            random: of the field points.
            name: of the case.
        """
        rings = [item.ring for item in self.system.bodies]
        z, weight = field_points(self.planes, n_field, random)
        wall, field = (np.stack([part.real, part.imag], axis=1) for part in (np.concatenate(rings), z))
        lines, before = [], 0
        for part in rings:
            index = before + np.arange(len(part))
            lines.append(Cells.of(line=np.stack([index, np.roll(index, -1)], axis=1)))
            before += len(part)
        vertices = Cells.of(vertex=np.arange(before, before + n_field)[:, None])
        mesh = Mesh(np.concatenate([wall, field]), Cells.concatenate([*lines, vertices]), dict(zip(self.patches, lines, strict=True)), name=name)
        velocity = np.concatenate([self.system.surface_velocity(wall, [condition])[0], self.system.velocity(field, [condition])[0]])
        flow = self.system.flow(condition)
        fields = (
            Field(QUANTITIES["velocity"], velocity),
            Field(QUANTITIES["pressure_coefficient"], 1.0 - (velocity**2).sum(axis=1) / condition.velocity**2),
            Field(WEIGHT, np.concatenate([*(self._shares(k) for k in range(len(rings))), weight])),
            Field(QUANTITIES["lift_coefficient"], np.array(flow.lift_coefficient), "global"),
            Field(QUANTITIES["moment_coefficient"], np.array(flow.moment_coefficient), "global"),
        )
        return Case(mesh, condition, {item.name: item for item in fields}, wall=self.patches, name=name)

    def _shares(self, body: int) -> np.ndarray:
        """(n,) arc length that belongs to every wall point: half of the way to each neighbour [m]."""
        item = self.system.bodies[body]
        length = np.append(item.arc_length, item.curve.gap) if item.blunt else item.arc_length
        return 0.5 * (length + np.roll(length, 1))


def point_laws(surface_points: int, field_points: int) -> dict[str, Any]:
    """Where the points of a single section lie and what they weigh, for the manifest."""
    return {
        "surface_points": surface_points,
        "surface_law": "panel nodes: cosine of the arc length on both sides of the leading edge",
        "field_points": field_points,
        "field_law": "inverse Joukowski plane of the section: angle uniform, log of the distance from the near-circle uniform; Latin hypercube",
        "nearest": NEAREST,
        "farthest": FARTHEST,
        "weight_law": "field: 1/(n density) [m^2]; wall: arc length to half-way to both neighbours [m]",
    }


def trimmed(splits: dict[str, tuple[str, ...]], n: int) -> dict[str, tuple[str, ...]]:
    """The splits with n cases in train, validation and test together: what the last geometry has too much leaves the training split."""
    surplus = sum(len(splits[key]) for key in ("train", "val", "test")) - n
    return {**splits, "train": splits["train"][: len(splits["train"]) - surplus]}
