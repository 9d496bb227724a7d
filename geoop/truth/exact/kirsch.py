"""An infinite plate with a round hole under tension: exact stress and displacement.

Kirsch (1898); Timoshenko and Goodier, Theory of Elasticity, 3rd ed., 1970, section 35. With a the radius, S the tension far away
along x, polar coordinates r, t round the hole, q = a/r:

    s_rr = S/2 (1 - q^2) + S/2 (1 - 4 q^2 + 3 q^4) cos 2t
    s_tt = S/2 (1 + q^2) - S/2 (1 + 3 q^4) cos 2t,      s_rt = -S/2 (1 + 2 q^2 - 3 q^4) sin 2t

so that s_tt = 3 S at the hole where the tension passes it, and -S where it meets it. A strip of finite width: Howland (1930).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import ConfigurationError


@dataclass(frozen=True)
class Kirsch:
    """A hole round the origin in a plate that is pulled along x.

    Attributes:
        radius: of the hole [m].
        tension: far away [Pa].
        young, poisson: of the plate [Pa] and ratio.
        plane: ``stress`` (thin plate) or ``strain``.

    Raises:
        ConfigurationError: a value out of range.
    """

    radius: float = 1.0
    tension: float = 1.0
    young: float = 1.0
    poisson: float = 0.3
    plane: str = "stress"

    def __post_init__(self) -> None:
        sound = 0 < self.radius < np.inf and 0 < self.young < np.inf and -1 < self.poisson < 0.5 and self.plane in ("stress", "strain")
        if not sound or not np.isfinite(self.tension):
            raise ConfigurationError(
                f"no plate with a hole: {self}", where="Kirsch", remedy="give positive radius and modulus, and plane 'stress' or 'strain'"
            )

    def stress(self, points: np.ndarray) -> np.ndarray:
        """(n, 2, 2) stress [Pa] at points (n, 2) outside the hole."""
        _, t, q = self._polar(points)
        half, c, s = 0.5 * self.tension, np.cos(2 * t), np.sin(2 * t)
        radial = half * (1 - q**2) + half * (1 - 4 * q**2 + 3 * q**4) * c
        hoop = half * (1 + q**2) - half * (1 + 3 * q**4) * c
        shear = -half * (1 + 2 * q**2 - 3 * q**4) * s
        polar = np.stack([np.stack([radial, shear], axis=-1), np.stack([shear, hoop], axis=-1)], axis=-2)
        turn = np.stack([np.stack([np.cos(t), -np.sin(t)], axis=-1), np.stack([np.sin(t), np.cos(t)], axis=-1)], axis=-2)
        return turn @ polar @ np.swapaxes(turn, -1, -2)

    def displacement(self, points: np.ndarray) -> np.ndarray:
        """(n, 2) displacement [m] at points (n, 2) outside the hole, symmetric to both axes."""
        _, t, q = self._polar(points)
        shear = self.young / (2 * (1 + self.poisson))
        kappa = 3 - 4 * self.poisson if self.plane == "strain" else (3 - self.poisson) / (1 + self.poisson)
        c1, c3, s1, s3 = np.cos(t), np.cos(3 * t), np.sin(t), np.sin(3 * t)
        scale = self.tension * self.radius / (8 * shear)
        x = (kappa + 1) / q * c1 + 2 * q * ((1 + kappa) * c1 + c3) - 2 * q**3 * c3
        y = (kappa - 3) / q * s1 + 2 * q * ((1 - kappa) * s1 + s3) - 2 * q**3 * s3
        return scale * np.stack([x, y], axis=-1)

    def traction(self, points: np.ndarray, normals: np.ndarray) -> np.ndarray:
        """(n, 2) stress times normal [Pa]: the load on any cut."""
        return np.einsum("nij,nj->ni", self.stress(points), normals)

    def _polar(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        points = np.asarray(points, dtype=np.float64)
        r = np.hypot(points[..., 0], points[..., 1])
        return r, np.arctan2(points[..., 1], points[..., 0]), self.radius / r


def finite_width_factor(ratio: float) -> float:
    """Largest stress at a round hole in a long strip over the tension far away, for hole diameter / width = ratio, 0 to 0.9.

    Howland (Phil. Trans. R. Soc. A 229, 1930), in the fit of Pilkey, Peterson's Stress Concentration Factors, 2nd ed., 1997,
    chart 4.1: K_tg = 0.284 + 2/(1 - a) - 0.600 (1 - a) + 1.32 (1 - a)^2, within 0.5 %.

    Raises:
        ConfigurationError: a ratio outside the fit.
    """
    if not 0 <= ratio <= 0.9:
        raise ConfigurationError(f"hole diameter over width is {ratio}", where="finite_width_factor", remedy="give a ratio from 0 to 0.9")
    return 0.284 + 2 / (1 - ratio) - 0.600 * (1 - ratio) + 1.32 * (1 - ratio) ** 2
