"""Signed distance to a body: own exact segments in 2-D, warp's winding number in 3-D."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...axes import check
from ...errors import ConfigurationError, InvalidMeshError, NonFiniteError
from ..mesh import Mesh
from .polygon import CHUNK
from .polygon import segment_distance as segment_distance
from .result import Distance as Distance

if TYPE_CHECKING:
    from torch import Tensor


def signed_distance(surface: Mesh, points: np.ndarray | Tensor, *, signed: bool = True, chunk: int = CHUNK) -> Distance:
    """Distance from points to a body, negative inside.

    2-D: exact in the precision of the points, sign by winding number, for several elements and holes in any order and
    orientation of the file. Numpy points, and tensors on the CPU without gradient, take a search by nested boxes that is as
    exact; tensors with gradients or on a GPU take :func:`segment_distance`. 3-D: see :func:`geoop.mesh.distance.triangles.triangle_distance`.

    Args:
        surface: line cells in 2-D, polygons of any kind in 3-D; curved cells count as straight pieces between their nodes.
        points: (n, d) [m].
        signed: False for the plain distance, which needs no closed surface.
        chunk: largest number of point-facet pairs held at once: bounds the memory, never changes the answer.

    Raises:
        InvalidMeshError: not a surface, nothing but degenerate facets, or open where a sign is asked for.
        NonFiniteError: a point has NaN or infinite coordinates.
        ShapeError: points of another dimension.
        ConfigurationError: a chunk that is not positive.
    """
    if isinstance(points, (list, tuple)):
        points = np.asarray(points, dtype=np.float64)
    check(points=(points, f"n {surface.dimension}"))
    if chunk < 1:
        raise ConfigurationError(f"chunk is {chunk}", where="signed_distance", remedy="leave it out, or give a number of pairs such as 2**20")
    if not surface.is_surface:
        raise InvalidMeshError(
            f"distance needs a surface: cells of dimension {surface.dimension - 1}, not {surface.cell_dimension}",
            where=surface.name,
            remedy="pass the body: geoop.mesh.body.body(mesh)",
        )
    if not isinstance(points, np.ndarray):
        return _of_tensors(surface, points, signed, chunk)
    if not np.isfinite(points).all():
        raise NonFiniteError(
            "query points have NaN or infinite coordinates", where=surface.name, remedy="drop those rows before asking for distances"
        )
    return _of_arrays(surface, np.asarray(points, dtype=np.float64), signed, chunk)


def _of_arrays(surface: Mesh, points: np.ndarray, signed: bool, chunk: int) -> Distance:
    if surface.dimension == 3:
        from .triangles import triangle_distance

        return triangle_distance(surface, points, signed=signed, chunk=chunk)
    from .outlines import outline_distance

    return outline_distance(surface, points, signed=signed, chunk=chunk)


def _of_tensors(surface: Mesh, points: Any, signed: bool, chunk: int) -> Distance:
    import torch

    if not bool(torch.isfinite(points).all()):
        raise NonFiniteError(
            "query points have NaN or infinite coordinates", where=surface.name, remedy="drop those rows before asking for distances"
        )
    if surface.dimension == 2 and (points.requires_grad or points.device.type != "cpu"):
        from .outlines import outline_distance_tensor

        return outline_distance_tensor(surface, points, signed=signed, chunk=chunk)
    if points.requires_grad:
        raise ConfigurationError(
            "3-D distances carry no autograd graph",
            where="signed_distance",
            remedy="pass points.detach(): the gradient of the distance is in the answer",
        )
    if surface.dimension == 3:
        from .triangles import triangle_distance

        found = triangle_distance(surface, points.detach().cpu().double().numpy(), signed=signed, chunk=chunk, device=str(points.device))
    else:
        found = _of_arrays(surface, points.double().numpy(), signed, chunk)
    parts = {name: torch.from_numpy(np.ascontiguousarray(value)).to(points.device) for name, value in vars(found).items()}
    return Distance(**{name: value if name in ("facet", "corners") else value.to(points.dtype) for name, value in parts.items()})
