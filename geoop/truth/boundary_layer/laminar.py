"""The laminar boundary layer by Thwaites' integral, and where it becomes turbulent by Michel's criterion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: theta^2/nu due/ds at which the wall shear vanishes (Thwaites, Aeronautical Quarterly 1, 245, 1949, as used by Cebeci and Bradshaw).
SEPARATION = -0.09
_GAUSS = np.polynomial.legendre.leggauss(3)  # exact for the fifth power of a linear edge velocity


@dataclass(frozen=True, eq=False)
class LaminarLayer:
    """A laminar layer along one surface.

    Attributes:
        momentum_thickness: (n,) theta [m].
        shape_factor: (n,) H = delta*/theta.
        friction: (n,) skin-friction coefficient 2 tau_w/(rho ue^2); infinite where ue vanishes.
        parameter: (n,) lambda = theta^2/nu due/ds.
    """

    momentum_thickness: np.ndarray
    shape_factor: np.ndarray
    friction: np.ndarray
    parameter: np.ndarray


def thwaites(s: np.ndarray, edge_velocity: np.ndarray, kinematic_viscosity: float) -> LaminarLayer:
    """theta^2 = 0.45 nu/ue^6 int ue^5 ds, with ue linear between the stations.

    Args:
        s: (n,) arc length from the stagnation point, where ue = 0, or from a sharp leading edge [m]; increasing.
        edge_velocity: (n,) ue >= 0 [m/s].
        kinematic_viscosity: nu [m^2/s].
    """
    slope = np.gradient(edge_velocity, s)
    middle, half = 0.5 * (edge_velocity[:-1] + edge_velocity[1:]), 0.5 * np.diff(edge_velocity)
    fifth = ((middle[:, None] + half[:, None] * _GAUSS[0]) ** 5 * (0.5 * _GAUSS[1])).sum(axis=1) * np.diff(s)
    integral = np.concatenate([[0.0], np.cumsum(fifth)])
    with np.errstate(divide="ignore", invalid="ignore"):
        square = 0.45 * kinematic_viscosity * integral / edge_velocity**6
        if edge_velocity[0] <= 0.0:  # the limit at a stagnation point
            square[0] = 0.075 * kinematic_viscosity / slope[0]
        parameter = square * slope / kinematic_viscosity
        shear, shape = correlations(np.clip(parameter, SEPARATION, 0.25))
        theta = np.sqrt(square)
        friction = 2.0 * kinematic_viscosity * shear / (edge_velocity * theta)
    return LaminarLayer(theta, shape, friction, parameter)


def correlations(parameter: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(l, H) of lambda: wall shear l = theta/ue du/dy and shape factor (Cebeci and Bradshaw, Momentum Transfer in Boundary Layers, 1977)."""
    x = np.asarray(parameter, dtype=np.float64)
    up, down = np.clip(x, 0.0, None), np.clip(x, SEPARATION, 0.0)
    shear = np.where(x >= 0.0, 0.22 + 1.57 * up - 1.8 * up**2, 0.22 + 1.402 * down + 0.018 * down / (0.107 + down))
    shape = np.where(x >= 0.0, 2.61 - 3.75 * up + 5.24 * up**2, 2.088 + 0.0731 / (0.14 + down))
    return shear, shape


def first_crossing(s: np.ndarray, excess: np.ndarray) -> float | None:
    """Where a function of s first becomes positive, by linear interpolation; None if nowhere.

    Args:
        s: (n,) stations.
        excess: (n,) values; NaN counts as not positive.
    """
    above = np.flatnonzero(excess > 0.0)
    if not len(above):
        return None
    k = int(above[0])
    if k == 0 or not np.isfinite(excess[k - 1]):
        return float(s[k])
    share = excess[k - 1] / (excess[k - 1] - excess[k])
    return float(s[k - 1] + share * (s[k] - s[k - 1]))


def separation(s: np.ndarray, layer: LaminarLayer) -> float | None:
    """Arc length at which the laminar layer separates, None if it does not [m]."""
    return first_crossing(s, SEPARATION - layer.parameter)


def michel(s: np.ndarray, edge_velocity: np.ndarray, layer: LaminarLayer, kinematic_viscosity: float) -> float | None:
    """Arc length of natural transition, None if there is none [m].

    Re_theta = 1.174 (1 + 22400/Re_s) Re_s^0.46: R. Michel (ONERA report 1/1578A, 1951) in the form of Cebeci and Smith (1974).
    """
    local = np.maximum(edge_velocity * s / kinematic_viscosity, 1.0)
    reached = edge_velocity * layer.momentum_thickness / kinematic_viscosity
    return first_crossing(s, reached - 1.174 * (1.0 + 22400.0 / local) * local**0.46)
