"""How stress follows from deformation: linear isotropic elasticity, and the compressible neo-Hookean solid.

Arguments are displacement gradients H = du/dX, (..., d, d), and not F = I + H, so that small strains keep their digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..errors import ConfigurationError

State = Literal["plane stress", "plane strain", "solid"]
_STATES: dict[str, int] = {"plane stress": 2, "plane strain": 2, "solid": 3}


@dataclass(frozen=True)
class LinearElastic:
    """Hooke's law for small strains: W = lambda/2 tr(e)^2 + mu e:e.

    Attributes:
        young: Young's modulus [Pa], positive.
        poisson: Poisson's ratio, -1 to 0.5 without its ends. Above 0.49 linear triangles and tetrahedra lock: take degree 2.
        state: ``plane stress``, ``plane strain`` or ``solid`` (3-D).

    Raises:
        ConfigurationError: a constant out of range, all of them in one error.
    """

    young: float
    poisson: float
    state: State

    def __post_init__(self) -> None:
        _require(self.young, self.poisson, self.state, tuple(_STATES))

    @property
    def dimension(self) -> int:
        """Of space."""
        return _STATES[self.state]

    @property
    def lame(self) -> tuple[float, float]:
        """(lambda, mu) [Pa]; lambda is that of the plane in plane stress, 2 lambda mu/(lambda + 2 mu)."""
        l, mu = _lame(self.young, self.poisson)
        return (2 * l * mu / (l + 2 * mu) if self.state == "plane stress" else l), mu

    def energy(self, gradient: np.ndarray) -> np.ndarray:
        """(...) strain energy per volume [J/m^3] of displacement gradients (..., d, d)."""
        return 0.5 * (self.stress(gradient) * gradient).sum(axis=(-1, -2))

    def stress(self, gradient: np.ndarray) -> np.ndarray:
        """(..., d, d) stress [Pa]."""
        l, mu = self.lame
        trace = np.trace(gradient, axis1=-2, axis2=-1)[..., None, None]
        return l * trace * np.eye(self.dimension) + mu * (gradient + np.swapaxes(gradient, -1, -2))

    def tangent(self, gradient: np.ndarray | None = None) -> np.ndarray:
        """(d, d, d, d) derivative of the stress, the same for every gradient [Pa]."""
        l, mu = self.lame
        one = np.eye(self.dimension)
        shear = np.einsum("ij,kl->ikjl", one, one) + np.einsum("il,jk->ikjl", one, one)
        return l * np.einsum("ik,jl->ikjl", one, one) + mu * shear

    def cauchy(self, gradient: np.ndarray) -> np.ndarray:
        """(..., 3, 3) true stress [Pa] with the components out of the plane; displacement changes no area here."""
        out = _in_space(self.stress(gradient))
        if self.state == "plane strain":
            out[..., 2, 2] = self.poisson * (out[..., 0, 0] + out[..., 1, 1])
        return out


@dataclass(frozen=True)
class NeoHookean:
    """W = mu/2 (tr(F^T F) - 3 - 2 ln J) + lambda/2 (ln J)^2, in 3-D or in plane strain (Bonet and Wood 2008, equation 6.27).

    Attributes:
        young, poisson: [Pa] and ratio at small strains, where the law is :class:`LinearElastic`; 0 <= poisson < 0.5.
        state: ``plane strain`` or ``solid``.

    Raises:
        ConfigurationError: a constant out of range, all of them in one error.
    """

    young: float
    poisson: float
    state: State

    def __post_init__(self) -> None:
        _require(self.young, self.poisson, self.state, ("plane strain", "solid"), smallest=0.0)

    @property
    def dimension(self) -> int:
        """Of space."""
        return _STATES[self.state]

    @property
    def lame(self) -> tuple[float, float]:
        """(lambda, mu) [Pa]."""
        return _lame(self.young, self.poisson)

    def energy(self, gradient: np.ndarray) -> np.ndarray:
        """(...) strain energy per undeformed volume [J/m^3] of displacement gradients (..., d, d); infinite where J <= 0."""
        l, mu = self.lame
        swell = _swell(gradient)
        with np.errstate(invalid="ignore", divide="ignore"):
            log = np.log1p(swell)
            # tr(F^T F) - d = 2 tr H + H:H, and for small H the traces cancel against ln J: second order is left
            growth = 2 * (np.trace(gradient, axis1=-2, axis2=-1) - log) + (gradient**2).sum(axis=(-1, -2))
            return np.where(swell > -1, 0.5 * mu * growth + 0.5 * l * log**2, np.inf)

    def stress(self, gradient: np.ndarray) -> np.ndarray:
        """(..., d, d) first Piola-Kirchhoff stress: force per undeformed area [Pa]; NaN where J <= 0."""
        l, mu = self.lame
        inverse, log = _inverse_and_log(gradient)
        turned = np.swapaxes(inverse, -1, -2)
        # F - F^-T = H + H^T F^-T
        return mu * (gradient + np.matmul(np.swapaxes(gradient, -1, -2), turned)) + l * log[..., None, None] * turned

    def tangent(self, gradient: np.ndarray) -> np.ndarray:
        """(..., d, d, d, d) A_ikjl = dP_ik/dF_jl [Pa]."""
        l, mu = self.lame
        inverse, log = _inverse_and_log(gradient)
        one = np.eye(self.dimension)
        first = np.einsum("...ki,...lj->...ikjl", inverse, inverse)
        second = np.einsum("...kj,...li->...ikjl", inverse, inverse)
        return l * first + mu * np.einsum("ij,kl->ikjl", one, one) + (mu - l * log)[..., None, None, None, None] * second

    def cauchy(self, gradient: np.ndarray) -> np.ndarray:
        """(..., 3, 3) true stress, force per deformed area [Pa], with the component out of the plane."""
        deformation = gradient + np.eye(self.dimension)
        volume = 1 + _swell(gradient)
        out = _in_space(np.matmul(self.stress(gradient), np.swapaxes(deformation, -1, -2)) / volume[..., None, None])
        if self.dimension == 2:
            out[..., 2, 2] = self.lame[0] * np.log1p(_swell(gradient)) / volume
        return out


#: What the solvers accept.
Law = LinearElastic | NeoHookean


def von_mises(stress: np.ndarray) -> np.ndarray:
    """(...) sqrt(3/2 s:s) [Pa] of true stresses (..., 3, 3), s their deviator."""
    mean = np.trace(stress, axis1=-2, axis2=-1)[..., None, None] / 3
    return np.sqrt(1.5 * ((stress - mean * np.eye(3)) ** 2).sum(axis=(-1, -2)))


def _lame(young: float, poisson: float) -> tuple[float, float]:
    return young * poisson / ((1 + poisson) * (1 - 2 * poisson)), young / (2 * (1 + poisson))


def _require(young: float, poisson: float, state: str, states: tuple[str, ...], smallest: float = -1.0) -> None:
    problems = []
    if not 0 < young < np.inf:
        problems.append(f"Young's modulus is {young}, must be positive")
    if not (smallest < poisson < 0.5 or poisson == smallest == 0):
        problems.append(f"Poisson's ratio is {poisson}, must lie between {smallest:g} and 0.5")
    if state not in states:
        problems.append(f"state is {state!r}, must be one of {', '.join(states)}")
    if problems:
        raise ConfigurationError("; ".join(problems), where="elastic law", remedy="e.g. LinearElastic(210e9, 0.3, 'plane stress')")


def _in_space(stress: np.ndarray) -> np.ndarray:
    out = np.zeros((*stress.shape[:-2], 3, 3))
    d = stress.shape[-1]
    out[..., :d, :d] = stress
    return out


def _swell(gradient: np.ndarray) -> np.ndarray:
    """(...) J - 1 = det(I + H) - 1 without cancellation: the sum of the invariants of H."""
    trace = np.trace(gradient, axis1=-2, axis2=-1)
    if gradient.shape[-1] == 2:
        return trace + _det2(gradient)
    minors = sum(_det2(gradient[..., np.ix_(pair, pair)[0], np.ix_(pair, pair)[1]]) for pair in ((0, 1), (0, 2), (1, 2)))
    a, b, c = (gradient[..., k, :] for k in range(3))
    return trace + minors + (a * np.cross(b, c)).sum(axis=-1)


def _det2(matrix: np.ndarray) -> np.ndarray:
    return matrix[..., 0, 0] * matrix[..., 1, 1] - matrix[..., 0, 1] * matrix[..., 1, 0]


def _inverse_and_log(gradient: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """F^-1 and ln J; NaN where J <= 0."""
    swell = _swell(gradient)
    valid = swell > -1
    safe = np.where(valid[..., None, None], gradient, 0.0) + np.eye(gradient.shape[-1])
    inverse = np.where(valid[..., None, None], np.linalg.inv(safe), np.nan)
    return inverse, np.where(valid, np.log1p(np.where(valid, swell, 0.0)), np.nan)
