"""Training cases and their images under the symmetries of the equation, which cost no solver."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import ConfigurationError
from .case import Case
from .transform import image, mirrored, symmetries

#: Sides of a box differ by no more of the longer one where quarter turns are taken.
_SQUARE = 0.05


def seen_cases(cases: Sequence[Case], reflect: bool, images: int) -> list[Case]:
    """What training sees: the cases, then their first images, then their second ones.

    Args:
        cases: the training split.
        reflect: of flows around a body in a uniform stream the mirror image, an exact symmetry; of other problems nothing.
        images: of problems without a free stream, about the middle of the box of all cases: 1, the cases themselves; in the plane up to 4 by
            mirrors and half turns, and up to 8 with quarter turns, where the box is a square; in space up to 8 by mirrors in the coordinate planes.
            Exact where the equation has no preferred direction (diffusion, isotropic elasticity), wrong where it has one (gravity, advection).

    Raises:
        ConfigurationError: images of flows, or more than there are.
    """
    if all(case.operating_point is not None for case in cases):
        if images > 1:
            raise ConfigurationError(
                "images are those of problems without a free stream",
                where="images",
                remedy="take images = 1: reflect adds the mirror images of flows",
            )
        return [*cases, *(mirrored(case) for case in cases if reflect)]
    if images == 1:
        return list(cases)
    corners = np.stack([case.mesh.bounds for case in cases])
    low, high = corners[:, 0].min(axis=0), corners[:, 1].max(axis=0)
    maps = symmetries(len(low))
    quarters = len(low) > 2 or np.ptp(high - low) <= _SQUARE * (high - low).max()
    able = len(maps) if quarters else len(maps) // 2
    if images > able:
        sides = " x ".join(f"{side:.3g}" for side in high - low)
        raise ConfigurationError(f"{images} images of cases in a box of {sides} m", where="images", remedy=f"take at most {able}")
    return [*cases, *(image(case, matrix, (low + high) / 2) for matrix in maps[1:images] for case in cases)]
