"""Potential flow around one section or several by a linear-strength vortex panel method with a Kutta condition per body.

The stream function is constant on every body (as in M. Drela, XFOIL, in: Low Reynolds Number Aerodynamics, Lecture Notes in
Engineering 54, 1989, and, for several elements, his MSES): at every node, sum_j gamma_j psi_ij - psi_body = -psi_freestream, with
gamma_first + gamma_last = 0 at every trailing edge. At a sharp edge the two end nodes coincide; the second equation there is
replaced by a linear extrapolation of the speed to the edge. A blunt base is a panel through which the fluid leaves with the speed
of the two edges. Against the exact flow around a Karman-Trefftz section, alone or beside a second body, the order is 2 in lift, in
the field up to the wall, and in the mean surface speed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...axes import check
from ...errors import InvalidMeshError
from ...mesh.body import body_cells
from ...mesh.case import Case
from ...mesh.mesh import Mesh
from ...mesh.operating_point import OperatingPoint
from ..flow_case import check_plane_incompressible, flow_case
from .bodies import BodyPanels, bodies_of
from .forces import BodyForces, pressure_forces
from .influence import PanelDensity, base_stream, stream_matrix, velocity_outside
from .section_curve import SMALLEST_EDGE_ANGLE, SectionCurve
from .wall_density import body_density

#: Points that lie less than this many chords inside the body count as wall points: coordinates of files are rounded.
WALL_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class SurfaceFlow:
    """The flow at the panel nodes, counter-clockwise from the (upper) trailing edge of every body.

    Attributes:
        points: (n, 2) [m].
        velocity: (n, 2) [m/s], tangential; zero at a sharp trailing edge, where an inviscid flow stagnates.
        pressure_coefficient: (n,) 1 - |u|^2/U^2.
    """

    points: np.ndarray
    velocity: np.ndarray
    pressure_coefficient: np.ndarray


class PanelSystem:
    """The panels of one section, or of several (slat, main, flap), with their equations solved: every angle of attack costs one
    combination of two solutions.

    Args:
        outline: closed loops of line cells, or a mesh whose wall patches form them; every loop is a body with its own Kutta condition.
        n_panels: number of panels of every body, cosine-clustered on a spline through the points; None takes the outline's own points
            as nodes.
        smallest_edge_angle: thinner trailing edges are refused [deg]. On exact coordinates even a cusp is right (CL to 1e-4 with
            200 panels); on rounded ones it is not.

    Attributes:
        bodies: in the order of the outline's cells.
        first: (b+1,) index of every body's first node among all nodes.
        unit_speed: (n, 2) speed at the nodes of all bodies, counter-clockwise, for a unit free stream at 0 and at 90 degrees.

    Raises:
        InvalidMeshError: a loop is open, crosses itself, or its trailing edge is too thin; bodies overlap or touch.
        ConfigurationError: too few panels.
    """

    def __init__(self, outline: Mesh, n_panels: int | None = 200, *, smallest_edge_angle: float = SMALLEST_EDGE_ANGLE) -> None:
        self._solve_for(bodies_of(outline, n_panels, smallest_edge_angle))

    @classmethod
    def of_bodies(cls, bodies: Sequence[BodyPanels]) -> PanelSystem:
        """The equations of panels that are known to be sound, solved."""
        system = cls.__new__(cls)
        system._solve_for(tuple(bodies))
        return system

    def _solve_for(self, bodies: tuple[BodyPanels, ...]) -> None:
        self.bodies: tuple[BodyPanels, ...] = bodies
        self.first: np.ndarray = np.concatenate([[0], np.cumsum([len(item.nodes) for item in self.bodies])])
        self.unit_speed = self._solve()

    def _solve(self) -> np.ndarray:
        """Unknown are the speed at every node and the stream function on every body; equations: that stream function at the nodes, and
        one Kutta condition per body.
        """
        n, n_bodies = int(self.first[-1]), len(self.bodies)
        matrix, right = np.zeros((n + n_bodies, n + n_bodies)), np.zeros((n + n_bodies, 2))
        right[:n] = np.stack([-self.nodes.imag, self.nodes.real], axis=1)
        for k, item in enumerate(self.bodies):
            columns, last = self.nodes_of(k), int(self.first[k + 1]) - 1
            for j, other in enumerate(self.bodies):
                rows = self.nodes_of(j)
                matrix[rows, columns] = stream_matrix(other.nodes, item.nodes)
                if item.blunt:
                    leaving = 0.5 * base_stream(other.nodes, item.nodes, item.downstream)
                    matrix[rows, last] += leaving
                    matrix[rows, columns.start] -= leaving
            matrix[columns, n + k] = -1.0
            matrix[n + k, [columns.start, last]] = 1.0
        for k, item in enumerate(self.bodies):
            if not item.blunt:  # the two end nodes coincide: one of their equations becomes linear extrapolation to the edge
                row, s = self.nodes_of(k), item.parameters
                last = row.stop - 1
                before, behind = (s[1] - s[0]) / (s[2] - s[1]), (s[-1] - s[-2]) / (s[-2] - s[-3])
                matrix[last], right[last] = 0.0, 0.0
                matrix[last, row.start : row.start + 3] = 1.0, -1.0 - before, before
                matrix[last, last - 2 : last + 1] = -behind, 1.0 + behind, -1.0
        return np.linalg.solve(matrix, right)[:n]

    def nodes_of(self, body: int) -> slice:
        """Where the nodes of one body lie among those of all."""
        return slice(int(self.first[body]), int(self.first[body + 1]))

    @property
    def nodes(self) -> np.ndarray:
        """(n,) complex nodes of all bodies, each from the upper to the lower trailing edge [m]."""
        return np.concatenate([item.nodes for item in self.bodies])

    @property
    def curve(self) -> SectionCurve:
        """The section; of several bodies the one with the longest chord."""
        return max((item.curve for item in self.bodies), key=lambda curve: curve.chord)

    @cached_property
    def chord(self) -> float:
        """Distance from the trailing edge to the farthest point [m], of the longest body."""
        return self.curve.chord

    def speed(self, operating_points: Sequence[OperatingPoint]) -> np.ndarray:
        """(n, k) speed along the wall, counter-clockwise [m/s], at the nodes of all bodies."""
        for operating_point in operating_points:
            check_plane_incompressible(operating_point)
        alpha = np.radians([p.alpha for p in operating_points])
        return self.unit_speed @ np.stack([np.cos(alpha), np.sin(alpha)]) * np.array([p.velocity for p in operating_points])

    def circulations(self, operating_points: Sequence[OperatingPoint]) -> np.ndarray:
        """(b, k) circulation of every body [m^2/s], clockwise: positive for lift upwards."""
        gamma = self.speed(operating_points)
        parts = [gamma[self.nodes_of(k)] for k in range(len(self.bodies))]
        return np.stack([-(item.arc_length[:, None] * 0.5 * (g[:-1] + g[1:])).sum(axis=0) for item, g in zip(self.bodies, parts, strict=True)])

    def circulation(self, operating_points: Sequence[OperatingPoint]) -> np.ndarray:
        """(k,) of all bodies together [m^2/s], clockwise: positive for lift upwards."""
        return self.circulations(operating_points).sum(axis=0)

    def lift_coefficient(self, operating_points: Sequence[OperatingPoint]) -> np.ndarray:
        """(k,) CL = 2 Gamma/(U c) of all bodies together, by Kutta-Joukowski; c is the stated reference length, or the longest chord."""
        scale = np.array([p.velocity * (p.reference_length or self.chord) for p in operating_points])
        return 2.0 * self.circulation(operating_points) / scale

    def densities(self, operating_points: Sequence[OperatingPoint]) -> list[PanelDensity]:
        """The complex velocity density on the panels of every body, its base among them."""
        gamma = self.speed(operating_points)
        return [body_density(item, gamma[self.nodes_of(k)]) for k, item in enumerate(self.bodies)]

    def velocity(self, points: np.ndarray, operating_points: Sequence[OperatingPoint]) -> np.ndarray:
        """(k, n, 2) velocity [m/s] at (n, 2) points [m] for k operating points at once, in chunks of bounded memory.

        Exact integrals, second-order accurate up to the wall; a point on the wall gets the outer value, NaN inside a body.
        """
        points = np.asarray(points, dtype=np.float64)
        check(points=(points, "n 2"))
        z = points[:, 0] + 1j * points[:, 1]
        densities = self.densities(operating_points)
        stream = np.array([p.velocity * np.exp(-1j * math.radians(p.alpha)) for p in operating_points])
        w = velocity_outside(densities, stream, z, WALL_TOLERANCE * self.chord)
        w[self._at_sharp_edge(z)] = 0.0
        return np.stack([w.real, -w.imag], axis=-1).transpose(1, 0, 2)

    def surface_velocity(self, points: np.ndarray, operating_points: Sequence[OperatingPoint]) -> np.ndarray:
        """(k, n, 2) velocity [m/s] of the wall at the panel points nearest to (n, 2) points [m].

        Raises:
            InvalidMeshError: a point is farther than 1 % of the chord from the panels.
        """
        points = np.asarray(points, dtype=np.float64)
        check(points=(points, "n 2"))
        w = self._wall_velocity(points[:, 0] + 1j * points[:, 1], self.densities(operating_points))
        return np.stack([w.real, -w.imag], axis=-1).transpose(1, 0, 2)

    def _wall_velocity(self, z: np.ndarray, densities: Sequence[PanelDensity]) -> np.ndarray:
        """(n, k) complex velocity at the panel points nearest to z."""
        away = np.full(len(z), np.inf)
        w = np.zeros((len(z), densities[0].at_start.shape[1]), dtype=np.complex128)
        for density in densities:
            t = (z[:, None] - density.start) / density.span
            clamped = np.clip(t.real, 0.0, 1.0)
            distance = np.abs(t - clamped) * np.abs(density.span)
            panel = np.argmin(distance, axis=1)
            row = np.arange(len(z))
            value = density.value(panel, clamped[row, panel] + 1j * t[row, panel].imag)
            nearer = distance[row, panel] < away
            w[nearer], away[nearer] = value[nearer], distance[row, panel][nearer]
        if away.max(initial=0.0) > 0.01 * self.chord:
            raise InvalidMeshError(
                f"a wall point is {away.max():.3g} m away from the section of the panels",
                where=self.curve.name,
                remedy="solve on the same section that the case's wall patches describe",
            )
        w[self._at_sharp_edge(z)] = 0.0
        return w

    def _at_sharp_edge(self, z: np.ndarray) -> np.ndarray:
        """Points at a sharp edge, where an inviscid flow stagnates; the nodal speed there is that of its vicinity."""
        edges = np.array([item.nodes[0] for item in self.bodies if not item.blunt], dtype=np.complex128)
        return np.any(np.abs(z[:, None] - edges) < 1e-9 * self.chord, axis=1)

    def flow(self, operating_point: OperatingPoint) -> PanelFlow:
        """The flow at one operating point."""
        return PanelFlow(self, operating_point)


@dataclass(frozen=True, eq=False)
class PanelFlow:
    """The flow around the bodies of a panel system at one operating point.

    Attributes:
        system: the panels and their solved equations.
        operating_point: free stream; a stated reference length is the one of the coefficients.
    """

    system: PanelSystem
    operating_point: OperatingPoint

    @property
    def surfaces(self) -> tuple[SurfaceFlow, ...]:
        """Velocity and Cp at the panel nodes of every body; a sharp trailing edge appears once."""
        found = []
        for item in self.system.bodies:
            points = np.stack([item.ring.real, item.ring.imag], axis=1)
            velocity = self.system.surface_velocity(points, [self.operating_point])[0]
            found.append(SurfaceFlow(points, velocity, 1.0 - (velocity**2).sum(axis=1) / self.operating_point.velocity**2))
        return tuple(found)

    @property
    def surface(self) -> SurfaceFlow:
        """Velocity and Cp at the panel nodes, body after body."""
        parts = self.surfaces
        arrays = [[getattr(part, name) for part in parts] for name in ("points", "velocity", "pressure_coefficient")]
        return SurfaceFlow(*(np.concatenate(values) for values in arrays))

    @property
    def circulation(self) -> float:
        """[m^2/s] of all bodies together, clockwise: positive for lift upwards."""
        return float(self.system.circulation([self.operating_point])[0])

    @property
    def lift_coefficient(self) -> float:
        """CL of all bodies together by Kutta-Joukowski."""
        return float(self.system.lift_coefficient([self.operating_point])[0])

    def forces(self, about: tuple[float, float] | None = None) -> tuple[BodyForces, ...]:
        """Lift, drag and moment of every body by its pressure, and its circulation; they add up to those of the whole.

        The Kutta-Joukowski theorem holds for all bodies together, not for one of them in the field of the others.

        Args:
            about: reference point of the moments [m]; a quarter of the longest chord behind its leading edge if None.
        """
        gamma = self.system.speed([self.operating_point])[:, 0]
        centre = self.quarter_chord if about is None else complex(*about)
        length = self.operating_point.reference_length or self.system.chord
        return tuple(
            pressure_forces(item, gamma[self.system.nodes_of(k)], self.operating_point, length, centre) for k, item in enumerate(self.system.bodies)
        )

    @property
    def quarter_chord(self) -> complex:
        """x + i y of the point a quarter of the longest chord behind its leading edge [m]."""
        curve = self.system.curve
        nose = complex(curve.points(np.array([curve.nose]))[0])
        return nose + 0.25 * (curve.edge - nose)

    @property
    def pressure_force_coefficients(self) -> tuple[float, float]:
        """(CL, CD) of all bodies from the pressure on the panels; CD is 0 in an inviscid flow: its value is the error of the integration."""
        parts = self.forces()
        return sum(part.lift_coefficient for part in parts), sum(part.drag_coefficient for part in parts)

    @property
    def moment_coefficient(self) -> float:
        """CM of all bodies about the quarter chord of the longest, nose up positive; reference area times length is c^2."""
        return sum(part.moment_coefficient for part in self.forces())

    def velocity(self, points: np.ndarray) -> np.ndarray:
        """(n, 2) velocity [m/s] at (n, 2) points [m]; NaN inside the body, where there is no flow."""
        return self.system.velocity(points, [self.operating_point])[0]

    def pressure_coefficient(self, points: np.ndarray) -> np.ndarray:
        """(n,) Cp = 1 - |u|^2/U^2 at (n, 2) points [m]; NaN inside the body."""
        return 1.0 - (self.velocity(points) ** 2).sum(axis=1) / self.operating_point.velocity**2

    def solve_case(self, case: Case) -> Case:
        """The case with velocity and pressure_coefficient at all its points; wall points take surface values.

        Raises:
            InvalidMeshError: points lie inside a body, or the case's wall is another section.
        """
        points = case.mesh.points
        wall = np.unique(body_cells(case.mesh, case.wall).connectivity)
        velocity = self.velocity(points)
        velocity[wall] = self.system.surface_velocity(points[wall], [self.operating_point])[0]
        return flow_case(case, self.operating_point, velocity)


def panel_flow(
    outline: Mesh, operating_point: OperatingPoint, n_panels: int | None = 200, *, smallest_edge_angle: float = SMALLEST_EDGE_ANGLE
) -> PanelFlow:
    """Potential flow around one section, or several.

    Args:
        outline: closed loops of line cells, or a mesh whose wall patches form them: one body each.
        operating_point: free stream; no sideslip, no Mach number.
        n_panels: number of panels of every body; None takes the outline's own points as nodes.
        smallest_edge_angle: thinner trailing edges are refused [deg].

    Raises:
        InvalidMeshError: open, crossing itself, bodies that overlap or touch, or a trailing edge that is too thin.
        ConditionError: sideslip or a Mach number.
    """
    check_plane_incompressible(operating_point)
    return PanelSystem(outline, n_panels, smallest_edge_angle=smallest_edge_angle).flow(operating_point)
