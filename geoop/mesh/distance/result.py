"""What a distance query returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class Distance:
    """Distances of n points to a surface: numpy arrays for numpy points, tensors on the same device for tensors.

    Attributes:
        distance: (n,) [m], negative inside the body where a sign was asked for.
        gradient: (n, d) of the distance, a unit vector; on the wall the normal there.
        closest: (n, d) nearest point of the surface [m].
        facet: (n,) int64, the cell of the surface mesh that holds it.
        parameter: in 2-D (n,) in [0, 1], place along the facet from its first point to its second; in 3-D (n, 3) barycentric
            weights of ``corners``.
        corners: (n, d) int64, points of the surface mesh between which ``closest`` lies: a point field there is
            (1 - t) f[corners[:, 0]] + t f[corners[:, 1]] in 2-D, sum_k parameter[:, k] f[corners[:, k]] in 3-D.
        winding: (n,) generalised winding number w (Jacobson et al. 2013) of the facets as they are, holes left open: an
            integer about a closed surface, unless rounding leaves it in doubt; within 1e-3 about an open one. None where no sign was asked for.
        confidence: (n,) of the sign, 1 - 2 |w - nearest integer|: 1 far from every hole, 0 in the middle of one. It measures
            openness, and what rounding leaves in doubt: a sound closed surface has 1 everywhere. None where no sign was asked for.
    """

    distance: Any
    gradient: Any
    closest: Any
    facet: Any
    parameter: Any
    corners: Any
    winding: Any = None
    confidence: Any = None


def confidence(winding: Any) -> Any:
    """(n,) how far winding numbers are from the half that no integer is nearer to: 1 - 2 |w - round(w)|."""
    return 1.0 - 2.0 * abs(winding - winding.round())
