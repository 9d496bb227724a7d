"""Input functions at any place of one case, from all points where they are known, and not only from those that an operator works on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from ..graph.geometry import Queries
from ..graph.interpolation import HALF
from ..graph.pointset import BOUNDARY
from ..mesh.case import Case
from .body_frame import BodyFrame
from .framed import single
from .functions import InputFunction
from .region_frame import RegionFrame
from .scattered import Scattered


@dataclass(frozen=True, eq=False)
class KnownFunctions:
    """Standardised values on their points, in the frame.

    Attributes:
        values: name -> (k, c) values.
        places: name -> their points; functions that are known at all points of the mesh share them.
    """

    values: dict[str, np.ndarray]
    places: dict[str, Scattered]

    @classmethod
    def of(cls, functions: Sequence[InputFunction], case: Case, frame: BodyFrame | RegionFrame) -> KnownFunctions:
        """Look all of them up.

        Raises:
            ConfigurationError: the case does not have one.
        """
        values, places, whole = {}, {}, Scattered(frame.points_in(case.mesh.points))
        for item in sorted(functions, key=lambda item: item.name):
            number, values[item.name] = item.of(case, frame)
            places[item.name] = Scattered(whole.points[number]) if item.name.startswith(BOUNDARY) else whole
        return cls(values, places)

    def seen_by(self, queries: Queries, number: np.ndarray | None = None) -> Queries:
        """Queries that carry the functions behind their distance, in order of name: values and nearness.

        As :func:`~geoop.graph.interpolation.interpolate` does in a model, but for one case whose points do not change, so that their search tree is built once.
        A function that is known in the whole field is as good as known between its points: its nearness falls only where a query is farther from the
        points than they are from each other. That of boundary values falls with the distance from the boundary.

        Args:
            queries: n of them, any.
            number: (n,) of the mesh's points, where the queries are some of them: their values are taken as they are.
        """
        if not self.values:
            return queries
        local, columns = queries.points.pos.numpy(force=True).astype(np.float64), [queries.points.scalars]
        around: dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
        for name, values in self.values.items():
            everywhere, place = not name.startswith(BOUNDARY), self.places[name]
            if everywhere and number is not None:
                columns.append(single(np.column_stack([values[number], np.ones(len(number))])))
            elif not len(values):
                columns.append(torch.zeros(len(local), values.shape[1] + 1))
            else:
                if id(place) not in around:
                    around[id(place)] = place.around(local)
                near, share, distance = around[id(place)]
                beyond = np.maximum(distance - place.spread(near), 0.0) if everywhere else distance
                columns.append(single(np.column_stack([(share[:, :, None] * values[near]).sum(axis=1), HALF / (HALF + beyond)])))
        return replace(queries, points=replace(queries.points, scalars=torch.cat(columns, dim=1)))
