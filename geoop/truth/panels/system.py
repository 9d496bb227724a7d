"""Potential flow around one section by a linear-strength vortex panel method with the Kutta condition.

The stream function is constant on the body (as in M. Drela, XFOIL, in: Low Reynolds Number Aerodynamics, Lecture Notes in
Engineering 54, 1989): at every node, sum_j gamma_j psi_ij - psi_0 = -psi_freestream, with gamma_first + gamma_last = 0 at the
trailing edge. At a sharp edge the two end nodes coincide; the second equation there is replaced by a linear extrapolation of
the speed to the edge. A blunt base is a panel through which the fluid leaves with the speed of the two edges.
Against the exact Karman-Trefftz flow the order is 2 in lift, in the field up to the wall, and in the mean surface speed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import lu_factor, lu_solve

from ...axes import check
from ...errors import InvalidMeshError
from ...mesh.body import body_cells
from ...mesh.case import Case
from ...mesh.mesh import Mesh
from ...mesh.operating_point import OperatingPoint
from ..flow_case import check_plane_incompressible, flow_case
from .influence import PanelDensity, base_stream, stream_matrix, velocity_outside
from .repanel import cosine_parameters
from .section_curve import SMALLEST_EDGE_ANGLE, SectionCurve, refuse_thin_edge, section_curve

#: Points that lie less than this many chords inside the body count as wall points: coordinates of files are rounded.
WALL_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class SurfaceFlow:
    """The flow at the panel nodes, counter-clockwise from the (upper) trailing edge.

    Attributes:
        points: (n, 2) [m].
        velocity: (n, 2) [m/s], tangential; zero at a sharp trailing edge, where an inviscid flow stagnates.
        pressure_coefficient: (n,) 1 - |u|^2/U^2.
    """

    points: np.ndarray
    velocity: np.ndarray
    pressure_coefficient: np.ndarray


class PanelSystem:
    """The panels of one section with the factorised equations: every angle of attack costs one combination of two solutions.

    Args:
        outline: one closed loop of line cells, or a mesh whose wall patches form one, see :func:`section_curve`.
        n_panels: number of panels, cosine-clustered on a spline through the points; None takes the outline's own points as nodes.
        smallest_edge_angle: thinner trailing edges are refused [deg]. On exact coordinates even a cusp is right (CL to 1e-4 with
            200 panels); on rounded ones it is not.

    Attributes:
        curve: the section.
        nodes: (n+1,) complex [m], from the upper to the lower trailing edge.
        arc_length: (n,) length of every curved panel [m].
        tangents: (n, 2) complex unit tangents of the curved wall at both ends of every panel.
        unit_speed: (n+1, 2) speed at the nodes, counter-clockwise, for a unit free stream at 0 and at 90 degrees.

    Raises:
        InvalidMeshError: the outline is open, crosses itself, has several loops, or its trailing edge is too thin.
        ConfigurationError: too few panels.
    """

    def __init__(self, outline: Mesh, n_panels: int | None = 200, *, smallest_edge_angle: float = SMALLEST_EDGE_ANGLE) -> None:
        curve = section_curve(outline)
        refuse_thin_edge(curve, smallest_edge_angle)
        s = curve.length if n_panels is None else cosine_parameters(curve, n_panels)
        self.curve: SectionCurve = curve
        self.nodes = curve.points(s)
        self.nodes[0], self.nodes[-1] = curve.ring[0], curve.ring[-1]
        self.tangents = np.stack([curve.tangents(s[:-1], side=1), curve.tangents(s[1:], side=-1)], axis=1)
        self.arc_length = _arc_lengths(curve, s)
        self.unit_speed = self._solve(s)

    def _solve(self, s: np.ndarray) -> np.ndarray:
        count = len(self.nodes)
        matrix = np.zeros((count + 1, count + 1))
        matrix[:count, :count] = stream_matrix(self.nodes)
        matrix[:count, count] = -1.0
        matrix[count, [0, count - 1]] = 1.0
        right = np.zeros((count + 1, 2))
        right[:count] = np.stack([-self.nodes.imag, self.nodes.real], axis=1)
        if self.curve.gap > 0.0:
            leaving = base_stream(self.nodes, self._downstream)
            matrix[:count, count - 1] += 0.5 * leaving
            matrix[:count, 0] -= 0.5 * leaving
        else:
            first = (s[1] - s[0]) / (s[2] - s[1])
            last = (s[-1] - s[-2]) / (s[-2] - s[-3])
            matrix[count - 1] = 0.0
            matrix[count - 1, :3] = 1.0, -1.0 - first, first
            matrix[count - 1, count - 3 : count] = -last, 1.0 + last, -1.0
            right[count - 1] = 0.0
        return lu_solve(lu_factor(matrix), right)[:count]

    @property
    def _downstream(self) -> complex:
        """Unit direction of the bisector of the trailing edge."""
        direction = self.tangents[-1, 1] - self.tangents[0, 0]
        return complex(direction / abs(direction))

    @property
    def chord(self) -> float:
        """Distance from the trailing edge to the farthest point [m]."""
        return self.curve.chord

    def speed(self, operating_points: Sequence[OperatingPoint]) -> np.ndarray:
        """(n+1, k) speed along the wall, counter-clockwise [m/s], at the nodes."""
        for operating_point in operating_points:
            check_plane_incompressible(operating_point)
        alpha = np.radians([p.alpha for p in operating_points])
        return self.unit_speed @ np.stack([np.cos(alpha), np.sin(alpha)]) * np.array([p.velocity for p in operating_points])

    def circulation(self, operating_points: Sequence[OperatingPoint]) -> np.ndarray:
        """(k,) [m^2/s], clockwise: positive for lift upwards."""
        gamma = self.speed(operating_points)
        return -(self.arc_length[:, None] * 0.5 * (gamma[:-1] + gamma[1:])).sum(axis=0)

    def lift_coefficient(self, operating_points: Sequence[OperatingPoint]) -> np.ndarray:
        """(k,) CL = 2 Gamma/(U c) by Kutta-Joukowski; c is the stated reference length, or the chord."""
        scale = np.array([p.velocity * (p.reference_length or self.chord) for p in operating_points])
        return 2.0 * self.circulation(operating_points) / scale

    def density(self, operating_points: Sequence[OperatingPoint]) -> PanelDensity:
        """The complex velocity density on all panels, the base among them."""
        gamma = self.speed(operating_points)
        span = np.diff(self.nodes)
        first, last = gamma[:-1] * np.conj(self.tangents[:, :1]), gamma[1:] * np.conj(self.tangents[:, 1:])
        ratio = (self.arc_length / span)[:, None]
        bubble = 3.0 * (ratio * (gamma[:-1] + gamma[1:]) - (first + last))
        bulge = np.stack([(self.tangents[:, k] / span).imag / (self.tangents[:, k] / span).real for k in range(2)], axis=1)
        start = self.nodes[:-1]
        if self.curve.gap > 0.0:
            leaving = 0.5 * (gamma[-1:] - gamma[:1]) * np.conj(self._downstream)
            start, span = self.nodes, np.append(span, self.nodes[0] - self.nodes[-1])
            first, last = np.concatenate([first, leaving]), np.concatenate([last, leaving])
            bubble, bulge = np.concatenate([bubble, 0.0 * leaving]), np.concatenate([bulge, np.zeros((1, 2))])
        return PanelDensity(start, span, first, last, bubble, bulge)

    def velocity(self, points: np.ndarray, operating_points: Sequence[OperatingPoint]) -> np.ndarray:
        """(k, n, 2) velocity [m/s] at (n, 2) points [m] for k operating points at once, in chunks of bounded memory.

        Exact integrals, second-order accurate up to the wall; a point on the wall gets the outer value, NaN inside the body.
        """
        points = np.asarray(points, dtype=np.float64)
        check(points=(points, "n 2"))
        z = points[:, 0] + 1j * points[:, 1]
        density = self.density(operating_points)
        stream = np.array([p.velocity * np.exp(-1j * math.radians(p.alpha)) for p in operating_points])
        w = velocity_outside(density, stream, z, WALL_TOLERANCE * self.chord)
        w[self._at_sharp_edge(z)] = 0.0
        return np.stack([w.real, -w.imag], axis=-1).transpose(1, 0, 2)

    def surface_velocity(self, points: np.ndarray, operating_points: Sequence[OperatingPoint]) -> np.ndarray:
        """(k, n, 2) velocity [m/s] of the wall at the panel points nearest to (n, 2) points [m].

        Raises:
            InvalidMeshError: a point is farther than 1 % of the chord from the panels.
        """
        points = np.asarray(points, dtype=np.float64)
        check(points=(points, "n 2"))
        w = self._wall_velocity(points[:, 0] + 1j * points[:, 1], self.density(operating_points))
        return np.stack([w.real, -w.imag], axis=-1).transpose(1, 0, 2)

    def _wall_velocity(self, z: np.ndarray, density: PanelDensity) -> np.ndarray:
        t = (z[:, None] - density.start) / density.span
        clamped = np.clip(t.real, 0.0, 1.0)
        distance = np.abs(t - clamped) * np.abs(density.span)
        panel = np.argmin(distance, axis=1)
        row = np.arange(len(z))
        away = float(distance[row, panel].max(initial=0.0))
        if away > 0.01 * self.chord:
            raise InvalidMeshError(
                f"a wall point is {away:.3g} m away from the section of the panels",
                where=self.curve.name,
                remedy="solve on the same section that the case's wall patches describe",
            )
        w = density.value(panel, clamped[row, panel] + 1j * t[row, panel].imag)
        w[self._at_sharp_edge(z)] = 0.0
        return w

    def _at_sharp_edge(self, z: np.ndarray) -> np.ndarray:
        """Points at a sharp edge, where an inviscid flow stagnates; the nodal speed there is that of its vicinity."""
        return (np.abs(z - self.nodes[0]) < 1e-9 * self.chord) & (self.curve.gap == 0.0)

    def flow(self, operating_point: OperatingPoint) -> PanelFlow:
        """The flow at one operating point."""
        return PanelFlow(self, operating_point)


@dataclass(frozen=True, eq=False)
class PanelFlow:
    """The flow around one section at one operating point.

    Attributes:
        system: the panels and their factorised equations.
        operating_point: free stream; a stated reference length is the one of CL.
    """

    system: PanelSystem
    operating_point: OperatingPoint

    @property
    def surface(self) -> SurfaceFlow:
        """Velocity and Cp at the panel nodes; a sharp trailing edge appears once."""
        nodes = self.system.nodes if self.system.curve.gap > 0.0 else self.system.nodes[:-1]
        points = np.stack([nodes.real, nodes.imag], axis=1)
        velocity = self.system.surface_velocity(points, [self.operating_point])[0]
        return SurfaceFlow(points, velocity, 1.0 - (velocity**2).sum(axis=1) / self.operating_point.velocity**2)

    @property
    def circulation(self) -> float:
        """[m^2/s], clockwise: positive for lift upwards."""
        return float(self.system.circulation([self.operating_point])[0])

    @property
    def lift_coefficient(self) -> float:
        """CL by Kutta-Joukowski."""
        return float(self.system.lift_coefficient([self.operating_point])[0])

    @property
    def pressure_force_coefficients(self) -> tuple[float, float]:
        """(CL, CD) from the pressure on the panels; CD is 0 in an inviscid flow, so that its value is the error of the integration."""
        gamma = self.system.speed([self.operating_point])[:, 0] / self.operating_point.velocity
        span, tangents = np.diff(self.system.nodes), self.system.tangents
        middle = 0.25 * (gamma[:-1] + gamma[1:]) ** 2 * span / np.abs(span)
        ends = gamma[:-1] ** 2 * tangents[:, 0] + gamma[1:] ** 2 * tangents[:, 1]
        integral = (self.system.arc_length / 6.0 * (ends + 4.0 * middle)).sum()  # of |u|^2 dz; that of 1 dz around a closed body is 0
        integral += 0.25 * (gamma[-1] - gamma[0]) ** 2 * (self.system.nodes[0] - self.system.nodes[-1])
        force = -1j * integral / (self.operating_point.reference_length or self.system.chord)
        force *= np.exp(-1j * math.radians(self.operating_point.alpha))
        return float(force.imag), float(force.real)

    def velocity(self, points: np.ndarray) -> np.ndarray:
        """(n, 2) velocity [m/s] at (n, 2) points [m]; NaN inside the body, where there is no flow."""
        return self.system.velocity(points, [self.operating_point])[0]

    def pressure_coefficient(self, points: np.ndarray) -> np.ndarray:
        """(n,) Cp = 1 - |u|^2/U^2 at (n, 2) points [m]; NaN inside the body."""
        return 1.0 - (self.velocity(points) ** 2).sum(axis=1) / self.operating_point.velocity**2

    def solve_case(self, case: Case) -> Case:
        """The case with velocity and pressure_coefficient at all its points; wall points take surface values.

        Raises:
            InvalidMeshError: points lie inside the section, or the case's wall is another section.
        """
        points = case.mesh.points
        wall = np.unique(body_cells(case.mesh, case.wall).connectivity)
        velocity = self.velocity(points)
        velocity[wall] = self.system.surface_velocity(points[wall], [self.operating_point])[0]
        return flow_case(case, self.operating_point, velocity)


def panel_flow(
    outline: Mesh, operating_point: OperatingPoint, n_panels: int | None = 200, *, smallest_edge_angle: float = SMALLEST_EDGE_ANGLE
) -> PanelFlow:
    """Potential flow around one section.

    Args:
        outline: one closed loop of line cells, or a mesh whose wall patches form one.
        operating_point: free stream; no sideslip, no Mach number.
        n_panels: number of panels; None takes the outline's own points as nodes.
        smallest_edge_angle: thinner trailing edges are refused [deg].

    Raises:
        InvalidMeshError: open, crossing itself, several loops, or a trailing edge that is too thin.
        ConditionError: sideslip or a Mach number.
    """
    check_plane_incompressible(operating_point)
    return PanelSystem(outline, n_panels, smallest_edge_angle=smallest_edge_angle).flow(operating_point)


def _arc_lengths(curve: SectionCurve, s: np.ndarray) -> np.ndarray:
    """(n,) length of the curve between successive parameters, by Gauss points between all knots and parameters."""
    knots = np.unique(np.concatenate([s, curve.length]))
    nodes, weights = np.polynomial.legendre.leggauss(4)
    where = knots[:-1, None] + np.diff(knots)[:, None] * 0.5 * (nodes + 1.0)
    speed = np.abs(curve.derivatives(where, side=1))
    cumulative = np.concatenate([[0.0], np.cumsum(np.diff(knots) * 0.5 * (speed @ weights))])
    return np.diff(cumulative[np.searchsorted(knots, s)])
