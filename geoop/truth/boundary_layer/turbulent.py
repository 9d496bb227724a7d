"""The turbulent boundary layer by Head's entrainment equation with Green's lag and flat-plate skin friction.

Head's method closes the momentum integral by the rate at which the layer entrains fluid, d(ue theta H1)/ds = ue Ce (M. R. Head,
ARC R&M 3152, 1958). With his entrainment as a function of H1 and the friction of Ludwieg and Tillmann the drag of a smooth plate
is 4 to 10 % below Schoenherr's line between Re 1e6 and 1e8 (and that of NACA 0012 low with it). Here Ce follows from the lag
equation of J. E. Green, D. J. Weeks and J. W. F. Brooman (ARC R&M 3791, 1977; incompressible form), calibrated on the plate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

#: Shape factor at which the layer counts as separated; authors put it between 1.8 and 2.8.
SEPARATED = 2.4
#: Below this Re_theta no layer is turbulent (J. H. Preston, J. Fluid Mech. 3, 373, 1958, gives 320); the relations are kept at this value.
_LEAST_REYNOLDS = 100.0
#: Steps are at most this many momentum thicknesses long: the entrainment relaxes over some tens of them.
_STEP = 10.0
_MOST_STEPS = 2000
#: theta, H, Ce
_State = tuple[float, float, float]
#: Coefficients of a cubic.
_Cubic = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class TurbulentLayer:
    """A turbulent layer along one surface.

    Attributes:
        momentum_thickness: (n,) theta [m].
        shape_factor: (n,) H = delta*/theta; it stays at its limit behind separation.
        friction: (n,) 2 tau_w/(rho ue^2), 0 behind separation.
        separation: arc length at which the shape factor reaches its limit, None if it does not [m].
    """

    momentum_thickness: np.ndarray
    shape_factor: np.ndarray
    friction: np.ndarray
    separation: float | None


def plate_friction(reynolds_theta: float) -> float:
    """cf of a smooth plate without pressure gradient: 0.01013/(log10 Re_theta - 1.02) - 0.00075 (Green et al., equation for C_f0)."""
    return 0.01013 / (math.log10(max(reynolds_theta, _LEAST_REYNOLDS)) - 1.02) - 0.00075


def plate_shape(reynolds_theta: float) -> float:
    """H0 of a smooth plate, 1 - 1/H0 = 6.55 sqrt(cf0/2) (Green et al.)."""
    return 1.0 / (1.0 - 6.55 * math.sqrt(0.5 * plate_friction(reynolds_theta)))


def skin_friction(shape_factor: float, reynolds_theta: float) -> float:
    """cf = cf0 (0.9/(H/H0 - 0.4) - 0.5) (Green et al.)."""
    return plate_friction(reynolds_theta) * (0.9 / max(shape_factor / plate_shape(reynolds_theta) - 0.4, 0.1) - 0.5)


def entrainment_shape(shape_factor: float) -> float:
    """H1 = (delta - delta*)/theta = 3.15 + 1.72/(H - 1) - 0.01 (H - 1)^2 (Green et al.)."""
    x = shape_factor - 1.0
    return 3.15 + 1.72 / x - 0.01 * x**2


def plate_start(distance: float, edge_velocity: float, kinematic_viscosity: float) -> float:
    """theta [m] a short distance behind a sharp leading edge: half the friction of a plate at that place, by fixed-point iteration."""
    theta = 1e-3 * distance
    for _ in range(30):
        theta = 0.6 * plate_friction(edge_velocity * theta / kinematic_viscosity) * distance
    return theta


def head(s: np.ndarray, edge_velocity: np.ndarray, kinematic_viscosity: float, theta: float) -> TurbulentLayer:
    """March momentum integral, entrainment and its lag by the fourth-order Runge-Kutta scheme.

    Behind separation the shape factor is kept and the friction is zero: a continuation, no solution.

    Args:
        s: (n,) stations [m], the first where the turbulent layer begins.
        edge_velocity: (n,) ue > 0 [m/s]; a monotone cubic between the stations.
        kinematic_viscosity: nu [m^2/s].
        theta: momentum thickness at the first station [m]; the shape there is that of a plate, in equilibrium.
    """
    slopes = PchipInterpolator(s, edge_velocity).derivative()(s) if len(s) > 2 else np.gradient(edge_velocity, s)
    reynolds = float(edge_velocity[0]) * theta / kinematic_viscosity
    shape = plate_shape(reynolds)
    state = (theta, shape, equilibrium(shape, reynolds)[0])
    separated_at = None
    values = [state]
    for k in range(len(s) - 1):
        width = float(s[k + 1] - s[k])
        piece = _hermite(float(edge_velocity[k]), float(edge_velocity[k + 1]), float(slopes[k]), float(slopes[k + 1]), width)
        at = 0.0
        while at < width:
            step = min(width - at, max(_STEP * state[0], width / _MOST_STEPS))
            step = width - at if width - at - step < 1e-9 * width else step
            state = _step(piece, at, step, state, kinematic_viscosity)
            at += step
            if separated_at is None and state[1] >= SEPARATED:
                separated_at = float(s[k] + at)
        values.append(state)
    thickness, shape, _ = np.array(values).T
    local = edge_velocity * thickness / kinematic_viscosity
    attached = np.full(len(s), True) if separated_at is None else s < separated_at
    friction = np.zeros(len(s))
    friction[attached] = [skin_friction(h, r) for h, r in zip(shape[attached], local[attached], strict=True)]
    return TurbulentLayer(thickness, shape, friction, separated_at)


def equilibrium(shape_factor: float, reynolds_theta: float) -> tuple[float, float, float]:
    """Entrainment coefficient Ce, theta/ue due/ds, and square root of the largest shear stress of an equilibrium layer of that shape."""
    cf = skin_friction(shape_factor, reynolds_theta)
    gradient = 1.25 / shape_factor * (0.5 * cf - ((shape_factor - 1.0) / (6.432 * shape_factor)) ** 2)
    entrained = entrainment_shape(shape_factor) * (0.5 * cf - (shape_factor + 1.0) * gradient)
    stress = 0.024 * entrained + 1.2 * entrained**2 + 0.32 * plate_friction(reynolds_theta)
    return entrained, gradient, math.sqrt(max(stress, 0.0))


def _hermite(first: float, last: float, slope: float, slope_last: float, width: float) -> _Cubic:
    """Coefficients of the cubic in the distance from the first station."""
    secant = (last - first) / width
    return first, slope, (3.0 * secant - 2.0 * slope - slope_last) / width, (slope + slope_last - 2.0 * secant) / width**2


def _step(piece: _Cubic, at: float, step: float, state: _State, nu: float) -> _State:
    a = _rates(piece, at, state, nu)
    b = _rates(piece, at + 0.5 * step, _moved(state, a, 0.5 * step), nu)
    c = _rates(piece, at + 0.5 * step, _moved(state, b, 0.5 * step), nu)
    d = _rates(piece, at + step, _moved(state, c, step), nu)
    mean = tuple((p + 2.0 * q + 2.0 * r + s) / 6.0 for p, q, r, s in zip(a, b, c, d, strict=True))
    return _moved(state, mean, step)  # type: ignore[arg-type]


def _moved(state: _State, rates: _State, step: float) -> _State:
    """A step along the rates, kept where the relations hold; a separated layer stays at the limit of its shape factor."""
    theta, shape, entrained = (value + step * rate for value, rate in zip(state, rates, strict=True))
    shape = SEPARATED if state[1] >= SEPARATED else min(max(shape, 1.05), SEPARATED)
    return max(theta, 1e-3 * state[0]), shape, min(max(entrained, -0.009), 0.2)


def _rates(piece: _Cubic, at: float, state: _State, nu: float) -> _State:
    """Derivatives of theta, H and Ce along the wall."""
    theta, shape, entrained = state
    u = max(piece[0] + at * (piece[1] + at * (piece[2] + at * piece[3])), 1e-12)
    gradient = (piece[1] + at * (2.0 * piece[2] + at * 3.0 * piece[3])) / u * theta
    if shape >= SEPARATED:
        return -(shape + 2.0) * gradient, 0.0, 0.0
    reynolds = u * theta / nu
    cf, flat, h1 = skin_friction(shape, reynolds), plate_friction(reynolds), entrainment_shape(shape)
    growth = 0.5 * cf - (shape + 2.0) * gradient
    by_h1 = -((shape - 1.0) ** 2) / (1.72 + 0.02 * (shape - 1.0) ** 3)
    turning = by_h1 * (entrained - h1 * (0.5 * cf - (shape + 1.0) * gradient)) / theta
    _, at_rest, stress = equilibrium(shape, reynolds)
    own = math.sqrt(max(0.024 * entrained + 1.2 * entrained**2 + 0.32 * flat, 0.0))
    response = (0.02 * entrained + entrained**2 + 0.8 * flat / 3.0) / (0.01 + entrained)
    lag = response * (2.8 / (shape + h1) * (stress - own) + at_rest - gradient) / theta
    return growth, turning, lag
