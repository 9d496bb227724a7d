"""Which transfer suits the training cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from ..errors import CheckpointError, ConfigurationError, DatasetError
from ..mesh.case import Case
from ..scaling.conditions import scalar_conditions
from .abstract_transfer import AbstractTransfer
from .node_wise import NodeWise, connectivity
from .region_grid import RegionGrid
from .surface_line import SurfaceLine
from .transfer import Place, Transfer

#: What a user may ask for: body-fitted coordinates, places along the outline, numbers of the points, a square for every region.
KINDS = ("body", "surface", "nodes", "region")
#: Other boundaries nearer than this to a body, to its sides and in its lengths, make a channel of what is round it.
NEAR = 5.0
_CLASSES: dict[str, type[AbstractTransfer]] = {"body": Transfer, "surface": SurfaceLine, "nodes": NodeWise, "region": RegionGrid}


def chosen(cases: Sequence[Case], kind: str | None = None) -> tuple[AbstractTransfer, list[Any]]:
    """The transfer for training cases, and where the points of each of them lie.

    Cases with an operating point are bodies, unless other walls are near; so are bare outlines, of which the outline alone is learned. Others
    are regions: their points correspond by number where all meshes have the same cells, and by place in a square otherwise.

    Args:
        cases: of the training split.
        kind: one of :data:`KINDS`; None chooses.

    Raises:
        ConfigurationError: no such kind. DatasetError: points by number, and the meshes differ; or some cases have points off the wall.
        InvalidMeshError: see :meth:`AbstractTransfer.place`.
    """
    if kind is not None and kind not in KINDS:
        raise ConfigurationError(f"transfer is {kind!r}", where="baselines", remedy=f"choose one of {', '.join(KINDS)}, or None")
    bodies = all(_is_body(case) for case in cases)
    bare = all((case.mesh.cells.dimensions == 1).all() for case in cases)
    if kind == "surface" or (kind is None and bodies and bare):
        return SurfaceLine(), [SurfaceLine().place(case) for case in cases]
    if kind == "body" or (kind is None and bodies):
        around = [Place.of(case) for case in cases]
        return around_bodies(around), around
    first = connectivity(cases[0].mesh)
    same = [len(case.mesh.points) == len(cases[0].mesh.points) and connectivity(case.mesh) == first for case in cases]
    if kind == "nodes" and not all(same):
        raise DatasetError(
            f"{len(same) - sum(same)} of {len(same)} training cases have other cells than the first",
            where="baselines",
            remedy="use transfer='region'",
        )
    by_number = kind == "nodes" or (kind is None and all(same))
    found = NodeWise.of(cases[0].mesh) if by_number else RegionGrid.of(cases)
    return found, [found.place(case) for case in cases]


def _is_body(case: Case) -> bool:
    """A section in a stream or an outline; in a channel the place in the channel says more than the place around the body."""
    if case.operating_point is None:
        return case.mesh.is_surface and case.mesh.dimension == 2
    known = scalar_conditions(case)
    return min((known[name] for name in ("room_above [1]", "room_below [1]") if name in known), default=np.inf) > NEAR


def around_bodies(places: Sequence[Place]) -> Transfer:
    """The transfer that fits what the training cases have: points off the wall, on it, or both."""
    away = [place.d[~place.on_wall & ~place.inside] for place in places]
    has_field, has_wall = [len(d) > 0 for d in away], [bool(place.on_wall.any()) for place in places]
    for name, has in (("off the wall", has_field), ("on the wall", has_wall)):
        if any(has) and not all(has):
            raise DatasetError(
                f"{sum(has)} of {len(has)} training cases have points {name}", where="baselines", remedy="train on cases that are sampled alike"
            )
    return Transfer(max((float(d.max()) for d in away if len(d)), default=1.0), has_field=all(has_field), has_wall=all(has_wall))


def header_of(transfer: AbstractTransfer) -> dict[str, Any]:
    """JSON data of a transfer."""
    return {"kind": transfer.kind, **asdict(transfer)}  # type: ignore[call-overload]


def from_header(data: Mapping[str, Any]) -> AbstractTransfer:
    """Inverse of :func:`header_of`.

    Raises:
        CheckpointError: a kind that is not known.
    """
    rest = {key: _tuples(value) for key, value in data.items() if key != "kind"}
    if data["kind"] not in _CLASSES:
        raise CheckpointError(f"a transfer of the kind {data['kind']!r}", where="baselines", remedy="update geoop")
    return _CLASSES[data["kind"]](**rest)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
