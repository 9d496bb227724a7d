"""Stiffness of cells: small ones, or those near the wall that moves, give way least."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from ...errors import ConfigurationError
from ...mesh.wall_distance import wall_distance
from .cell_forms import CellForms

#: ``volume``: 1 / V; ``distance``: 1 / wall distance; ``uniform``: the same everywhere.
Stiffening = Literal["volume", "distance", "uniform"]


def require_stiffening(kind: str, exponent: float, where: str) -> None:
    """Refuse another kind of stiffening, or an exponent that is not a positive number.

    Raises:
        ConfigurationError: both in one error.
    """
    problems = [] if kind in get_args(Stiffening) else [f"stiffening is {kind!r}, choose one of {list(get_args(Stiffening))}"]
    problems += [] if 0 <= exponent < np.inf else [f"exponent is {exponent}, must be 0 or more"]
    if problems:
        raise ConfigurationError("; ".join(problems), where=where, remedy="the defaults suit meshes with thin layers at walls")


def cell_stiffness(forms: CellForms, kind: str, exponent: float, moving: Sequence[str]) -> np.ndarray:
    """(nc,) stiffness of the cells of ``forms``, 1 for the softest.

    By volume: V^-chi of Stein, Tezduyar and Benney (J. Appl. Mech. 70 (2003) 58), who scale by Jacobians; by distance: y^-chi with
    the distance y of the middle of the cell to the moving patches (Jasak and Tukovic, Trans. FAMENA 30 (2006) 1).

    Args:
        forms: of the mesh as it is now.
        kind: see :data:`Stiffening`.
        exponent: chi.
        moving: patches that move.
    """
    if kind == "uniform" or exponent == 0:
        return np.ones(len(forms.connectivity))
    if kind == "volume":
        size = forms.measures
    else:
        size = wall_distance(forms.mesh, tuple(moving), forms.middles)
        size = np.maximum(size, 1e-12 * float(np.ptp(forms.mesh.points, axis=0).max()))
    return (size.max() / size) ** exponent
