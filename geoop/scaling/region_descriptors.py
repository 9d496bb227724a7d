"""A region in named numbers, for the verdict: its size and shape."""

from __future__ import annotations

import numpy as np

from ..mesh.case import Case
from ..mesh.measure import cell_measures, point_weights
from .body_frame import BodyFrame
from .conditions import scalar_conditions
from .region import boundary
from .region_frame import RegionFrame


def describe_region(case: Case, frame: BodyFrame | RegionFrame) -> dict[str, float]:
    """Descriptors of a region in its frame.

    ``measure`` and ``boundary`` are area and length (in space volume and area) in powers of the frame's length; ``centre_x`` .. where the
    centroid lies, ``spread_x`` .. the standard deviations of the region along the axes, ``skewness`` of the distance from the centroid.
    """
    mesh = case.mesh
    points, weight = frame.points_in(mesh.points), point_weights(mesh)
    total = weight.sum()
    share = weight / total if total > 0 else np.full(len(points), 1 / len(points))
    centre = share @ points
    offset = points - centre
    radius = np.linalg.norm(offset, axis=1)
    spread = np.sqrt(share @ offset**2)
    d = mesh.cell_dimension
    surface = boundary(mesh)
    row = {
        "measure [1]": float(total / frame.length**d),
        "boundary [1]": float(cell_measures(surface).sum() / frame.length ** (d - 1)),
        "skewness [1]": float(share @ (radius - share @ radius) ** 3 / max(float(share @ radius), 1e-12) ** 3),
        **{f"centre_{axis} [1]": float(value) for axis, value in zip("xyz", centre, strict=False)},
        **{f"spread_{axis} [1]": float(value) for axis, value in zip("xyz", spread, strict=False)},
    }
    if case.operating_point is not None:
        row |= {"alpha [deg]": case.operating_point.alpha, **scalar_conditions(case, frame)}
    return row
