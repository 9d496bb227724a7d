"""The exact potential flow around Karman-Trefftz sections: no discretisation error, at any point outside the body.

A circle through zeta = 1 is mapped by (z - n)/(z + n) = ((zeta - 1)/(zeta + 1))^n, n = 2 - tau/180 deg, on a section with
the trailing-edge angle tau (L. M. Milne-Thomson, Theoretical Aerodynamics, 4th ed., 1966, section 7.5).
With g = (zeta - 1)/(zeta + 1) and r = g^n = exp(-2 n artanh(1/zeta)) the map and its derivative are

    z = n (1 + r)/(1 - r),    dz/dzeta = 4 n^2 r / ((zeta^2 - 1)(1 - r)^2),

and the velocity with the Kutta condition is written without the 0/0 at the trailing edge and without cancellation far away:

    dF/dzeta = U e^{-i alpha} (zeta - 1)(zeta - mu + e^{2 i alpha} conj(1 - mu)) / (zeta - mu)^2,    u - i v = dF/dzeta / (dz/dzeta).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...errors import ConfigurationError
from ...mesh.case import Case
from ...mesh.cells import Cells
from ...mesh.mesh import Mesh
from ...mesh.operating_point import OperatingPoint
from ..flow_case import check_plane_incompressible, flow_case

#: Points less than this many chords from the trailing edge are the trailing edge: its stagnation is that sharp.
EDGE_TOLERANCE = 1e-9
#: Points that lie less than this many chords inside the body are rounded to its wall: coordinates of files are rounded.
WALL_TOLERANCE = 1e-6


@dataclass(frozen=True)
class KarmanTrefftz:
    """A Karman-Trefftz section: leading edge (smallest x) at x = 0, trailing edge at (chord, 0).

    Attributes:
        mu_x: real part of the circle's centre, negative; sets the thickness.
        mu_y: imaginary part of the centre; sets the camber.
        tau: trailing-edge angle [deg], 0 (cusp) <= tau < 180.
        chord: extent in x [m].

    Raises:
        ConfigurationError: the parameters describe no section.
    """

    mu_x: float
    mu_y: float
    tau: float
    chord: float = 1.0

    def __post_init__(self) -> None:
        problems = [f"{name} is {value}" for name, value in vars(self).items() if not math.isfinite(value)]
        if math.isfinite(self.mu_x) and not -1.0 < self.mu_x < 0.0:
            problems.append(f"mu_x is {self.mu_x}, must lie in (-1, 0): it gives the section its thickness")
        if math.isfinite(self.tau) and not 0.0 <= self.tau < 180.0:
            problems.append(f"tau is {self.tau} degrees, must lie in [0, 180)")
        if math.isfinite(self.chord) and not self.chord > 0.0:
            problems.append(f"chord is {self.chord} m, must be positive")
        if problems:
            raise ConfigurationError("; ".join(problems), where="KarmanTrefftz", remedy="for example KarmanTrefftz(-0.1, 0.05, 15.0)")

    @property
    def center(self) -> complex:
        """Centre mu of the circle."""
        return complex(self.mu_x, self.mu_y)

    @property
    def radius(self) -> float:
        """R = |1 - mu|."""
        return abs(1.0 - self.center)

    @property
    def exponent(self) -> float:
        """n = 2 - tau / 180 deg."""
        return 2.0 - self.tau / 180.0

    @cached_property
    def _leading_edge(self) -> float:
        """Smallest real part of the image of the circle."""
        angle = np.linspace(0.0, 2.0 * np.pi, 361)[1:-1]
        for _ in range(6):  # every pass narrows the bracket 16-fold; the minimum is flat: x is exact long before the angle
            best = int(np.argmin(self._map(self.circle(angle)).real))
            angle = np.linspace(angle[max(best - 1, 0)], angle[min(best + 1, len(angle) - 1)], 33)
        return float(self._map(self.circle(angle)).real.min())

    @property
    def scale(self) -> float:
        """Metres per unit of the map's z plane."""
        return self.chord / (self.exponent - self._leading_edge)

    # ---- geometry ----------------------------------------------------------------------------------------------

    def circle(self, angle: np.ndarray, offset: np.ndarray | float = 0.0) -> np.ndarray:
        """zeta = mu + (1 - mu)(1 + offset) e^{i angle}: angle [rad] counter-clockwise from the trailing edge, offset in radii."""
        turn = np.expm1(1j * np.asarray(angle))  # written around zeta = 1, so that angle 0 is the trailing edge without rounding
        return 1.0 + (1.0 - self.center) * (turn + np.asarray(offset) * (1.0 + turn))

    def points(self, zeta: np.ndarray) -> np.ndarray:
        """(n, 2) points [m] of the physical plane for (n,) points zeta on or outside the circle."""
        z = (self._map(np.asarray(zeta)) - self._leading_edge) * self.scale
        return np.stack([z.real, z.imag], axis=-1)

    def preimage(self, points: np.ndarray) -> np.ndarray:
        """(n,) zeta for (n, 2) points [m]; rounded to the circle at the wall, NaN inside the body."""
        points = np.asarray(points, dtype=np.float64)
        z = (points[..., 0] + 1j * points[..., 1]) / self.scale + self._leading_edge
        n = self.exponent
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = (z - n) / (z + n)
            sheets = 2.0 * np.pi * np.array([-1.0, 0.0, 1.0])
            argument = (np.angle(ratio)[..., None] + sheets) / n
            # At most one sheet lies outside the circle, because the map is one-to-one there.
            g = np.abs(ratio)[..., None] ** (1.0 / n) * np.exp(1j * argument)
            candidates = np.where(np.abs(argument) <= np.pi * (1 + 1e-12), (1.0 + g) / (1.0 - g), self.center)
            distance = np.abs(candidates - self.center) / self.radius
        best = np.nanargmax(distance, axis=-1)[..., None]
        zeta = np.take_along_axis(candidates, best, -1)[..., 0]
        distance = np.take_along_axis(distance, best, -1)[..., 0]
        zeta = np.where(distance < 1.0, self.center + (zeta - self.center) / np.maximum(distance, 1e-300), zeta)
        zeta = np.where(np.abs(z - n) * self.scale < EDGE_TOLERANCE * self.chord, 1.0, zeta)
        with np.errstate(divide="ignore", invalid="ignore"):
            inside = (distance < 1.0) & (np.abs(self._map(zeta) - z) * self.scale > WALL_TOLERANCE * self.chord)
        return np.where(inside, np.nan, zeta)

    def area_element(self, zeta: np.ndarray) -> np.ndarray:
        """|dz/dzeta|^2 [m^2]: physical area per unit area of the zeta plane."""
        return np.abs(self._derivative(np.asarray(zeta)) * self.scale) ** 2

    def arc_element(self, angle: np.ndarray) -> np.ndarray:
        """ds/d(angle) [m] along the wall."""
        return np.abs(self._derivative(self.circle(angle))) * self.radius * self.scale

    def outline(self, angle: np.ndarray | int = 200, *, name: str = "karman-trefftz") -> Mesh:
        """The section as a closed ring of line cells, counter-clockwise, patch ``wall``.

        Args:
            angle: number of points, or increasing circle angles [rad] in [0, 2 pi) counter-clockwise from the trailing edge.
        """
        angle = 2.0 * np.pi * np.arange(angle) / angle if isinstance(angle, (int, np.integer)) else np.asarray(angle)
        index = np.arange(len(angle))
        lines = Cells.of(line=np.stack([index, np.roll(index, -1)], axis=1))
        return Mesh(self.points(self.circle(angle)), lines, {"wall": lines}, name=name)

    # ---- flow --------------------------------------------------------------------------------------------------

    def velocity(self, zeta: np.ndarray, operating_point: OperatingPoint) -> np.ndarray:
        """(n, 2) velocity [m/s] at (n,) points zeta; exactly zero at a trailing edge of finite angle.

        Raises:
            ConditionError: sideslip or a Mach number, which this plane incompressible flow does not have.
        """
        check_plane_incompressible(operating_point)
        w = operating_point.velocity * self._unit_velocity(np.asarray(zeta), math.radians(operating_point.alpha))
        return np.stack([w.real, -w.imag], axis=-1)

    def pressure_coefficient(self, zeta: np.ndarray, operating_point: OperatingPoint) -> np.ndarray:
        """(n,) Cp = 1 - |u|^2/U^2."""
        check_plane_incompressible(operating_point)
        return 1.0 - np.abs(self._unit_velocity(np.asarray(zeta), math.radians(operating_point.alpha))) ** 2

    def circulation(self, operating_point: OperatingPoint) -> float:
        """Gamma = 4 pi R U sin(alpha + beta) [m^2/s], clockwise: positive for lift upwards."""
        beta = math.asin(self.mu_y / self.radius)
        return 4.0 * math.pi * self.radius * self.scale * operating_point.velocity * math.sin(math.radians(operating_point.alpha) + beta)

    def lift_coefficient(self, operating_point: OperatingPoint) -> float:
        """CL = 2 Gamma/(U c) by Kutta-Joukowski; c is the stated reference length, or the chord."""
        return 2.0 * self.circulation(operating_point) / (operating_point.velocity * (operating_point.reference_length or self.chord))

    def flow(self, operating_point: OperatingPoint) -> KarmanTrefftzFlow:
        """The flow at one operating point, evaluated at points of the physical plane."""
        return KarmanTrefftzFlow(self, operating_point)

    # ---- the map and the unit flow in the plane of the map ------------------------------------------------------

    def _one_minus_power(self, zeta: np.ndarray) -> np.ndarray:
        """1 - r with r = ((zeta - 1)/(zeta + 1))^n, without cancellation where zeta is large.

        Principal branches; their cuts lie inside the circle.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            value = -np.expm1(-2.0 * self.exponent * np.arctanh(1.0 / zeta))
        return np.where(zeta == 1.0, 1.0, value)

    def _map(self, zeta: np.ndarray) -> np.ndarray:
        rest = self._one_minus_power(zeta)
        return self.exponent * (2.0 - rest) / rest

    def _derivative(self, zeta: np.ndarray) -> np.ndarray:
        """dz/dzeta; with (1 - 1/zeta)^(n-1) split off it is finite everywhere on the circle."""
        n = self.exponent
        edge = (1.0 - 1.0 / zeta) ** (n - 1.0)
        return 4.0 * n**2 * edge / (zeta * (zeta + 1.0) * (1.0 + 1.0 / zeta) ** n * self._one_minus_power(zeta) ** 2)

    def _unit_velocity(self, zeta: np.ndarray, alpha: float) -> np.ndarray:
        """(u - i v)/U; the power (1 - 1/zeta)^(2-n) is what makes the trailing edge a stagnation point."""
        n, mu = self.exponent, self.center
        front = zeta - mu + np.exp(2j * alpha) * np.conj(1.0 - mu)
        with np.errstate(invalid="ignore"):  # NaN is a point inside the body
            edge = (1.0 - 1.0 / zeta) ** (2.0 - n)
            stretch = zeta**2 * (zeta + 1.0) * (1.0 + 1.0 / zeta) ** n * self._one_minus_power(zeta) ** 2 / (4.0 * n**2)
            return np.exp(-1j * alpha) * front / (zeta - mu) ** 2 * edge * stretch


@dataclass(frozen=True)
class KarmanTrefftzFlow:
    """The exact flow around a section at one operating point, as a field over the physical plane.

    Attributes:
        section: the body.
        operating_point: free stream; a stated reference length is the one of CL.
    """

    section: KarmanTrefftz
    operating_point: OperatingPoint

    @property
    def circulation(self) -> float:
        """[m^2/s], clockwise: positive for lift upwards."""
        return self.section.circulation(self.operating_point)

    @property
    def lift_coefficient(self) -> float:
        return self.section.lift_coefficient(self.operating_point)

    def velocity(self, points: np.ndarray) -> np.ndarray:
        """(n, 2) velocity [m/s] at (n, 2) points [m]; NaN inside the body, where there is no flow."""
        return self.section.velocity(self.section.preimage(points), self.operating_point)

    def pressure_coefficient(self, points: np.ndarray) -> np.ndarray:
        """(n,) Cp at (n, 2) points [m]; NaN inside the body."""
        return self.section.pressure_coefficient(self.section.preimage(points), self.operating_point)

    def solve_case(self, case: Case) -> Case:
        """The case with velocity and pressure_coefficient at all its points.

        Raises:
            InvalidMeshError: points lie inside the section.
        """
        return flow_case(case, self.operating_point, self.velocity(case.mesh.points))
