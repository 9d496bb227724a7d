"""Input functions at any place of one case, from all points where they are known, and not only from those that an operator works on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from ..graph.geometry import Queries
from ..graph.interpolation import interpolate
from ..graph.pointset import PointSet
from ..mesh.case import Case
from .body_frame import BodyFrame
from .framed import single
from .functions import BOUNDARY, InputFunction
from .region_frame import RegionFrame


@dataclass(frozen=True, eq=False)
class KnownFunctions:
    """Standardised values on their points, in the frame.

    Attributes:
        clouds: name -> points with values; empty where boundary values are not imposed.
    """

    clouds: dict[str, PointSet]

    @classmethod
    def of(cls, functions: Sequence[InputFunction], case: Case, frame: BodyFrame | RegionFrame) -> KnownFunctions:
        """Look all of them up.

        Raises:
            ConfigurationError: the case does not have one.
        """
        clouds, places = {}, single(frame.points_in(case.mesh.points))
        for item in functions:
            number, values = item.of(case, frame)
            clouds[item.name] = PointSet(places if len(number) == len(places) else places[torch.from_numpy(number)], single(values))
        return cls(clouds)

    def seen_by(self, queries: Queries) -> Queries:
        """Queries that carry the functions behind their distance, in order of name: values and nearness.

        A function that is known in the whole field is as good as known between its points; the nearness of boundary values falls with the
        distance from them, see :func:`~geoop.graph.interpolation.interpolate`.
        """
        points, columns = queries.points, [queries.points.scalars]
        for name in sorted(self.clouds):
            values = interpolate(self.clouds[name], points.pos, points.ptr)
            if not name.startswith(BOUNDARY):
                values[:, -1] = 1.0
            columns.append(values)
        return replace(queries, points=replace(points, scalars=torch.cat(columns, dim=1))) if self.clouds else queries
