"""NACA sections by name and by numbers between the names: four digits, five digits, and camber, position and thickness as real numbers."""

from __future__ import annotations

from functools import partial

import numpy as np

from ..errors import ConfigurationError
from .mesh import Mesh
from .primitives import camber_line, naca4, on_camber

#: Second digit and the third -> where the mean line ceases to bend m, its factor k1 for a design lift of 0.3, and k2/k1 of reflexed ones
#: (E. N. Jacobs and R. M. Pinkerton, NACA Report 537, 1935, table I).
_FIVE_DIGITS = {
    "10": (0.0580, 361.400, 0.0),
    "20": (0.1260, 51.640, 0.0),
    "30": (0.2025, 15.957, 0.0),
    "40": (0.2900, 6.643, 0.0),
    "50": (0.3910, 3.230, 0.0),
    "21": (0.1300, 51.990, 0.000764),
    "31": (0.2170, 15.793, 0.00677),
    "41": (0.3180, 6.520, 0.0303),
    "51": (0.4410, 3.191, 0.1355),
}


def naca(code: str, n_points: int = 200, *, closed_trailing_edge: bool = True, chord: float = 1.0) -> Mesh:
    """A NACA section of four or five digits, as :func:`geoop.mesh.primitives.naca4` makes them.

    Raises:
        ConfigurationError: neither four nor five digits, or five digits whose mean line was never defined.
    """
    if len(code) != 5:
        return naca4(code, n_points, closed_trailing_edge=closed_trailing_edge, chord=chord)
    return naca5(code, n_points, closed_trailing_edge=closed_trailing_edge, chord=chord)


def naca5(code: str = "23012", n_points: int = 200, *, closed_trailing_edge: bool = True, chord: float = 1.0) -> Mesh:
    """A NACA five-digit section (E. N. Jacobs and R. M. Pinkerton, NACA Report 537, 1935), plain or with a reflexed mean line.

    Args:
        code: five digits: design lift in 0.15, position of the largest camber in 0.05 chords, 1 for a reflexed mean line, thickness in %.
        n_points, closed_trailing_edge, chord: as for :func:`geoop.mesh.primitives.naca4`.

    Raises:
        ConfigurationError: not five digits, a mean line that is not in the report, zero thickness, too few points, a chord <= 0.
    """
    if not (len(code) == 5 and code.isdigit() and code[1:3] in _FIVE_DIGITS and int(code[3:]) > 0):
        raise ConfigurationError(
            f"code is {code!r}",
            where="naca5",
            remedy=f"give five digits with a thickness, the second and third out of {', '.join(sorted(_FIVE_DIGITS))}, such as '23012'",
        )
    camber = partial(_mean_line, digits=code[1:3], lift=int(code[0]))
    return on_camber(camber, int(code[3:]) / 100, n_points, closed_trailing_edge=closed_trailing_edge, chord=chord, name=f"naca{code}")


def naca_between(camber: float, position: float, thickness: float, n_points: int = 200, *, chord: float = 1.0) -> Mesh:
    """A four-digit section whose "digits" are real numbers, with a sharp trailing edge.

    Args:
        camber: largest height of the camber line [% of the chord], may be negative.
        position: where it is [% of the chord].
        thickness: [% of the chord].
        n_points, chord: as for :func:`geoop.mesh.primitives.naca4`.

    Raises:
        ConfigurationError: camber beyond 15 %, a position outside 5..95 %, thickness outside 0..60 %.
    """
    if not (abs(camber) <= 15 and 5 <= position <= 95 and 0 < thickness <= 60):
        raise ConfigurationError(
            f"camber {camber:g} % at {position:g} %, thickness {thickness:g} %",
            where="naca_between",
            remedy="give per cent of the chord: camber within 15, position 5..95, thickness above 0 and up to 60",
        )
    line = partial(camber_line, height=camber / 100, position=position / 100)
    return on_camber(line, thickness / 100, n_points, chord=chord, name=f"naca_{camber:g}_{position:g}_{thickness:g}")


def _mean_line(x: np.ndarray, digits: str, lift: int) -> tuple[np.ndarray, np.ndarray]:
    """(n,) height and slope of a five-digit mean line, proportional to the first digit (2: a design lift of 0.3)."""
    m, k, ratio = _FIVE_DIGITS[digits]
    k = k * lift / 2
    ahead = np.minimum(x - m, 0.0) if ratio == 0.0 else x - m
    bend = np.where(x < m, 1.0, ratio)
    height = k / 6 * (bend * ahead**3 - ratio * (1 - m) ** 3 * x - m**3 * x + m**3)
    return height, k / 6 * (3 * bend * ahead**2 - ratio * (1 - m) ** 3 - m**3)
