"""Potential flow around closed bodies in space by panels of sources and doublets, with a wake behind lifting ones.

Morino's formulation (L. Morino and C.-C. Kuo, AIAA Journal 12, 1974): the potential of the disturbance vanishes inside the body. Its
sources -U.n are known; the doublets, constant on every panel, are the potential on the outside, and the equations hold at
the centres of the panels. Behind a trailing edge the wake takes the jump of the total potential there (Kutta condition). Then the
potential and its known normal derivative are turned into a harmonic Taylor polynomial at every vertex (:mod:`.recovery`), which
gives the velocity on the wall; away from it the velocity is that of the sources and of linear doublets, and between the two,
within one panel of the wall, one fades into the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import lu_factor, lu_solve

from ...axes import check
from ...errors import ConditionError, ConfigurationError, InvalidMeshError
from ...mesh.body import body_cells
from ...mesh.case import Case
from ...mesh.mesh import Mesh
from ...mesh.operating_point import OperatingPoint
from ..flow_case import flow_case
from .curved import CurvedSurface
from .influence import Kernel
from .near_wall import near_wall
from .recovery import Recovery
from .surface import PanelSurface, panel_surface
from .trailing_edge import TrailingEdge, named_trailing_edge
from .wake import Wake, refuse_wake_through_body

#: Points that lie less than this many sizes inside the body count as wall points: coordinates of files are rounded.
WALL_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class SurfaceFlow:
    """The flow on the wall.

    Attributes:
        points: (n, 3) points of the mesh [m].
        velocity: (n, 3) [m/s]; at a trailing edge the mean of both sides.
        pressure_coefficient: (n,) 1 - |u|^2/U^2.
    """

    points: np.ndarray
    velocity: np.ndarray
    pressure_coefficient: np.ndarray


class PanelSystem:
    """The panels of a body with the solved equations: any operating point costs one combination of three solutions.

    Args:
        mesh: a closed surface of triangles and quads, outward, or a mesh whose wall patches form one.
        trailing_edge: patch of line cells, or (w, 2) point pairs such as ``sharp_trailing_edge(mesh)``; None for no lift.
        wake_direction: of the straight wake; the default is flat, along x, for all operating points. For a wake along one free stream
            pass ``operating_point.direction(3)``.
        reference_area: of the coefficients [m^2]; None takes the area of the shadow along z (the planform of a wing).

    Attributes:
        surface: the panels.
        edge: the trailing edge and the nodes, which are the vertices, twice along the edge.
        wake: body and wake as one sheet.
        potential: (m, 3) disturbance potential at the panel centres per unit of free stream along x, y, z [m].
        circulation_of: (w, 3) jump of the potential across the strips of the wake, likewise [m].
        recovery: from panels to nodes.
        taylor: (k, 16, 3) harmonic polynomials of the disturbance potential around the nodes, likewise; see :class:`Recovery`.

    Raises:
        InvalidMeshError: open, inside out, panels without area or through each other, pairs that are no edges, or a wake through a body.
        PatchError: no patch of that name.
        ConfigurationError: a wake without direction, or an area that is not positive.
    """

    def __init__(
        self,
        mesh: Mesh,
        *,
        trailing_edge: str | np.ndarray | None = None,
        wake_direction: Sequence[float] = (1.0, 0.0, 0.0),
        reference_area: float | None = None,
    ) -> None:
        direction = _checked(wake_direction, reference_area)
        named = named_trailing_edge(mesh, trailing_edge)
        shape, number = _body_of(mesh)
        self.surface: PanelSurface = panel_surface(shape)
        if (number[named] < 0).any():
            raise InvalidMeshError("the trailing edge has points that the body has not", where=mesh.name, remedy="name edges of the body's surface")
        self.edge = TrailingEdge.of(self.surface, number[named])
        skin = self.surface.skin
        refuse_wake_through_body(skin, self.edge.edges, direction, mesh.name)
        self.wake = Wake.of(skin.points, skin.triangles, self.edge.edges, direction)
        shadow = 0.5 * float(np.abs(skin.area_vectors[:, 2]).sum())
        self.reference_area = shadow if reference_area is None else float(reference_area)
        self.potential, self.circulation_of = self._solve()
        curved = CurvedSurface.of(self.surface, self.edge)
        self.recovery = Recovery.of(self.surface, self.edge, curved)
        self.taylor = self.recovery.polynomials(self.potential, np.eye(3), -self.surface.normals)
        self._field = self._sheet(curved)

    def _sheet(self, curved: CurvedSurface) -> tuple[Kernel, tuple[np.ndarray, np.ndarray]]:
        """The curved surface and its wake as sources and linear doublets: kernel and coefficients per unit of free stream."""
        wake = Wake.of(curved.points, curved.triangles, curved.wake_edges[:, :, 0], self.wake.direction)
        kernel = Kernel.of(wake.sheet)
        gradient = self.taylor[:, 1:4] / self.recovery.size[:, None, None]
        potential = curved.potential(self.taylor[:, 0], gradient)
        jump = potential[curved.wake_edges[:, :, 0]] - potential[curved.wake_edges[:, :, 1]]
        doublets = np.concatenate([potential[curved.triangles], wake.doublets(jump)])
        return kernel, kernel.velocity_coefficients(_sources(kernel, len(curved.triangles)), doublets)

    def _solve(self) -> tuple[np.ndarray, np.ndarray]:
        centers, owner = self.surface.centers, self.surface.owner
        count, skin = len(centers), len(owner)
        first = np.flatnonzero(np.append(True, np.diff(owner) > 0))
        strips = np.arange(0, 2 * len(self.edge.edges), 2)
        kernel = Kernel.of(self.wake.sheet)
        upper, lower = owner[self.edge.upper], owner[self.edge.lower]
        matrix, right = np.empty((count, count)), np.empty((count, 3))
        coefficients = kernel.source_coefficients(_sources(kernel, skin))
        step = centers[upper] - centers[lower]
        for rows in kernel.chunks(count):
            logarithm, angle = kernel.logarithms_and_angles(centers[rows])
            right[rows] = -kernel.source_potential(centers[rows], logarithm, angle, coefficients)
            block = np.add.reduceat(angle[:, :skin], first, axis=1) / (4.0 * np.pi)
            own = np.arange(rows.start, rows.stop)
            block[own - rows.start, own] = 0.0
            block[own - rows.start, own] = -1.0 - block.sum(axis=1)  # a unit doublet on the whole body is -1 inside it
            if len(strips):
                behind = np.add.reduceat(angle[:, skin:], strips, axis=1) / (4.0 * np.pi)
                right[rows] -= behind @ step
                np.add.at(block, (slice(None), upper), behind)
                np.subtract.at(block, (slice(None), lower), behind)
            matrix[rows] = block
        potential = lu_solve(lu_factor(matrix, overwrite_a=True, check_finite=False), right, check_finite=False)
        return potential, potential[upper] - potential[lower] + step

    def circulation(self, operating_points: Sequence[OperatingPoint]) -> np.ndarray:
        """(k, w) jump of the potential across the strips of the wake, in the order of ``edge.edges`` [m^2/s]."""
        return (self.circulation_of @ _streams(operating_points)).T

    def velocity(self, points: np.ndarray, operating_points: Sequence[OperatingPoint]) -> np.ndarray:
        """(k, n, 3) velocity [m/s] at (n, 3) points [m] for k operating points at once, in chunks of bounded memory.

        A point on the wall gets the outer value, NaN inside the body.
        """
        points = np.asarray(points, dtype=np.float64)
        check(points=(points, "n 3"))
        streams = _streams(operating_points)
        near = near_wall(self.surface, self.edge, self.recovery.size, points)
        outside = near.distance >= -WALL_TOLERANCE * self.surface.size
        out = np.where(outside[:, None, None], streams, np.nan)
        far = np.flatnonzero(outside & (near.share < 1.0))
        kernel, coefficients = self._field
        combined = tuple((part.reshape(len(part), 3, 3) @ streams).reshape(len(part), -1) for part in coefficients)
        out[far] += (1.0 - near.share[far])[:, None, None] * kernel.velocity(points[far], combined)
        close = np.flatnonzero(outside & (near.share > 0.0))
        out[close] += near.share[close][:, None, None] * (near.gradient(self.recovery, self.taylor, self._places, close) @ streams)
        return out.transpose(2, 0, 1)

    def surface_velocity(self, points: np.ndarray, operating_points: Sequence[OperatingPoint]) -> np.ndarray:
        """(k, n, 3) velocity [m/s] of the wall at the places nearest to (n, 3) points [m]; at a trailing edge the mean of both sides.

        Raises:
            InvalidMeshError: a point is farther than 1 % of the size from the panels.
        """
        points = np.asarray(points, dtype=np.float64)
        check(points=(points, "n 3"))
        streams = _streams(operating_points)
        near = near_wall(self.surface, self.edge, self.recovery.size, points)
        away = float(np.abs(near.distance).max(initial=0.0))
        if away > 0.01 * self.surface.size:
            raise InvalidMeshError(
                f"a wall point is {away:.3g} m away from the body of the panels",
                where=self.surface.mesh.name,
                remedy="solve on the same body that the case's wall patches describe",
            )
        return (near.gradient(self.recovery, self.taylor, self._places, np.arange(len(points))) @ streams + streams).transpose(2, 0, 1)

    @property
    def _places(self) -> np.ndarray:
        return self.surface.skin.points[self.edge.place]

    def node_velocity(self, operating_points: Sequence[OperatingPoint]) -> np.ndarray:
        """(k, nodes, 3) velocity [m/s] at the nodes: every vertex once, those of a trailing edge once on each side."""
        streams = _streams(operating_points)
        gradient = self.taylor[:, 1:4] / self.recovery.size[:, None, None]
        return (gradient @ streams + streams).transpose(2, 0, 1)

    def flow(self, operating_point: OperatingPoint) -> PanelFlow:
        """The flow at one operating point."""
        return PanelFlow(self, operating_point)


@dataclass(frozen=True, eq=False)
class PanelFlow:
    """The flow around a body at one operating point.

    Attributes:
        system: the panels and their solved equations.
        operating_point: free stream.
    """

    system: PanelSystem
    operating_point: OperatingPoint

    @property
    def surface(self) -> SurfaceFlow:
        """Velocity and Cp at the vertices of the body."""
        points = self.system.surface.mesh.points[np.unique(self.system.surface.mesh.cells.connectivity)]
        velocity = self.system.surface_velocity(points, [self.operating_point])[0]
        return SurfaceFlow(points, velocity, 1.0 - (velocity**2).sum(axis=1) / self.operating_point.velocity**2)

    @property
    def circulation(self) -> np.ndarray:
        """(w,) jump of the potential across the strips of the wake, in the order of ``system.edge.edges`` [m^2/s]."""
        return self.system.circulation([self.operating_point])[0]

    @property
    def lift_coefficient(self) -> float:
        """CL by Kutta-Joukowski in the plane far behind the body; 0 without a wake."""
        return float(self._far_plane[0] @ self.operating_point.lift_direction(3)) / self._pressure_area

    @property
    def induced_drag_coefficient(self) -> float:
        """CDi from the energy of the wake in the plane far behind the body; 0 without a wake.

        First order in the strips along the span: CL^2/(pi AR CDi), at most 1 for a plane wing, comes out as 1.06 with 20 strips,
        1.03 with 40 and 1.015 with 76 on an elliptic wing.
        """
        return self._far_plane[1] / self._pressure_area

    @property
    def _far_plane(self) -> tuple[np.ndarray, float]:
        return self.system.wake.far_plane_force(self.circulation, _streams([self.operating_point])[:, 0])

    @property
    def _pressure_area(self) -> float:
        """U^2 S/2: dynamic pressure over density, times area [m^4/s^2]."""
        return 0.5 * self.operating_point.velocity**2 * self.system.reference_area

    @property
    def pressure_force(self) -> np.ndarray:
        """(3,) -int Cp n dS [m^2], the force over the dynamic pressure: |u|^2 of linear velocities on the triangles.

        A closed body without wake feels none (d'Alembert), so that there its value is the error of the discretisation.
        """
        velocity = self.system.node_velocity([self.operating_point])[0][self.system.edge.node]
        square = ((velocity.sum(axis=1) ** 2).sum(axis=1) + (velocity**2).sum(axis=(1, 2))) / 12.0
        return (self.system.surface.skin.area_vectors * square[:, None]).sum(axis=0) / self.operating_point.velocity**2

    @property
    def pressure_force_coefficients(self) -> tuple[float, float]:
        """(CL, CD) from the pressure on the panels."""
        force = self.pressure_force / self.system.reference_area
        return float(force @ self.operating_point.lift_direction(3)), float(force @ self.operating_point.direction(3))

    def velocity(self, points: np.ndarray) -> np.ndarray:
        """(n, 3) velocity [m/s] at (n, 3) points [m]; NaN inside the body, where there is no flow."""
        return self.system.velocity(points, [self.operating_point])[0]

    def pressure_coefficient(self, points: np.ndarray) -> np.ndarray:
        """(n,) Cp = 1 - |u|^2/U^2 at (n, 3) points [m]; NaN inside the body."""
        return 1.0 - (self.velocity(points) ** 2).sum(axis=1) / self.operating_point.velocity**2

    def pressure(self, points: np.ndarray) -> np.ndarray:
        """(n,) pressure above that of the free stream [Pa] at (n, 3) points [m]; NaN inside the body."""
        return self.operating_point.dynamic_pressure * self.pressure_coefficient(points)

    def solve_case(self, case: Case) -> Case:
        """The case with velocity and pressure_coefficient at all its points; wall points take surface values.

        Raises:
            InvalidMeshError: points lie inside the body, or the case's wall is another body.
        """
        points = case.mesh.points
        wall = np.unique(body_cells(case.mesh, case.wall).connectivity)
        field = np.setdiff1d(np.arange(len(points)), wall)
        velocity = np.empty((len(points), 3))
        velocity[field] = self.velocity(points[field])
        velocity[wall] = self.system.surface_velocity(points[wall], [self.operating_point])[0]
        return flow_case(case, self.operating_point, velocity)


def panel_flow(
    mesh: Mesh,
    operating_point: OperatingPoint,
    *,
    trailing_edge: str | np.ndarray | None = None,
    wake_direction: Sequence[float] = (1.0, 0.0, 0.0),
    reference_area: float | None = None,
) -> PanelFlow:
    """Potential flow around a closed body; see :class:`PanelSystem` for the arguments.

    Raises:
        InvalidMeshError, PatchError, ConfigurationError: see :class:`PanelSystem`.
        ConditionError: a Mach number.
    """
    _streams([operating_point])
    return PanelSystem(mesh, trailing_edge=trailing_edge, wake_direction=wake_direction, reference_area=reference_area).flow(operating_point)


def _streams(operating_points: Sequence[OperatingPoint]) -> np.ndarray:
    """(3, k) free streams [m/s].

    Raises:
        ConditionError: a Mach number is stated.
    """
    fast = [p.mach for p in operating_points if p.mach]
    if fast:
        raise ConditionError(f"mach is {fast[0]}, but the flow is incompressible", where="OperatingPoint", remedy="leave mach out")
    return np.stack([p.velocity * p.direction(3) for p in operating_points], axis=1)


def _checked(wake_direction: Sequence[float], reference_area: float | None) -> np.ndarray:
    direction = np.asarray(wake_direction, dtype=np.float64)
    problems = []
    if direction.shape != (3,) or not np.isfinite(direction).all() or not direction.any():
        problems.append(f"wake_direction is {wake_direction}, must be three finite numbers, not all zero")
    if reference_area is not None and not 0.0 < reference_area < np.inf:
        problems.append(f"reference_area is {reference_area}, must be positive")
    if problems:
        raise ConfigurationError("; ".join(problems), where="PanelSystem", remedy="leave them out, or give a direction and an area in m^2")
    return direction


def _sources(kernel: Kernel, count: int) -> np.ndarray:
    """(t, 3) source densities -n per unit of free stream on the first ``count`` triangles, none in the wake behind them."""
    density = np.zeros((len(kernel.normals), 3))
    density[:count] = -kernel.normals[:count]
    return density


def _body_of(mesh: Mesh) -> tuple[Mesh, np.ndarray]:
    """The body, and (n,) its number of every point of the mesh, -1 where the body does not have it."""
    if mesh.dimension != 3:
        raise InvalidMeshError("a body of panels is a surface in 3-D", where=mesh.name, remedy="use geoop.truth.panels for plane sections")
    cells = mesh.cells.take(mesh.cells.dimensions == 2) if mesh.is_surface else body_cells(mesh)
    number = np.full(len(mesh.points), -1)
    used = np.unique(cells.connectivity)
    number[used] = np.arange(len(used))
    return mesh.submesh(cells), number
