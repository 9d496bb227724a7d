"""Signed distance to a body: exact segments in 2-D; in 3-D an exact search on top of warp's, and its winding number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...axes import check
from ...errors import ConfigurationError, InvalidMeshError, NonFiniteError
from ..mesh import Mesh
from .polygon import CHUNK
from .polygon import segment_distance as segment_distance
from .result import Distance as Distance

_LARGEST = 1e60  # a coordinate beyond is no length [m]

if TYPE_CHECKING:
    from torch import Tensor


def signed_distance(
    surface: Mesh, points: np.ndarray | Tensor, *, signed: bool = True, vertices: Tensor | None = None, chunk: int = CHUNK
) -> Distance:
    """Distance from points to a body, negative inside, with nearest points and a measure of how sure the sign is.

    2-D: exact in the precision of the points, sign by winding number, for several elements and holes in any order and
    orientation of the file. Numpy points, and tensors on the CPU, take a search by nested boxes; tensors on a GPU take all
    pairs. 3-D: see :func:`geoop.mesh.distance.triangles.triangle_distance`; it runs where the points are.

    Dirty surfaces: facets are turned outward first, repeated ones count once (whole bodies
    listed twice, too, if they are cut alike and differ by less than 1e-7 of the size), inner walls do not bound. An open surface is
    answered as if its holes were closed (straight in 2-D, by triangles of least area in 3-D); ``confidence`` tells where that
    matters. What is prepared for a body is kept by its content, so an equal mesh is not prepared again.

    Tensors that require a gradient carry it on: distance, gradient, closest point and parameter are differentiable in the
    points and in ``vertices`` (see :func:`geoop.mesh.distance.graph.differentiable`). Integer points count as double.

    Args:
        surface: line cells in 2-D, polygons of any kind in 3-D; curved cells count as straight pieces between their nodes.
        points: (n, d) [m].
        signed: False for the plain distance, which needs no inside.
        vertices: (v, d) tensor to use in place of ``surface.points`` [m]; for tensor points only.
        chunk: largest number of point-facet pairs held at once: bounds the memory, never changes the answer.

    Raises:
        InvalidMeshError: coordinates beyond 1e60 or a body below 1e-60; not a surface, nothing but degenerate facets, or so far open
            where a sign is asked for that it has no inside: more than 90 % of it are left when its area vectors (in 2-D its
            chains) cancel.
        NonFiniteError: a point has NaN or infinite coordinates.
        ShapeError: points of another dimension, or vertices that are not one per point of the surface.
        ConfigurationError: a chunk that is not positive, or vertices with numpy points.
    """
    if not isinstance(surface, Mesh):
        raise InvalidMeshError(
            f"distance needs a surface mesh, not {type(surface).__name__}",
            where="signed_distance",
            remedy="of a case pass its body: geoop.mesh.body.body(case.mesh, case.wall)",
        )
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
        return _of_tensors(surface, points, signed, vertices, chunk)
    if vertices is not None:
        raise ConfigurationError("vertices are a tensor, the points are not", where="signed_distance", remedy="pass torch.from_numpy(points)")
    if not np.isfinite(points).all():
        raise _not_finite(surface)
    _require_range(surface, float(np.abs(points).max(initial=0.0)))
    return _of_arrays(surface, np.ascontiguousarray(points, dtype=np.float64), signed, chunk)


def batched_distance(
    surfaces: Sequence[Mesh], points: np.ndarray | Tensor, ptr: Sequence[int] | np.ndarray | Tensor, *, signed: bool = True, chunk: int = CHUNK
) -> Distance:
    """Distances of several sets of points, each to its own body: the arrays of :func:`signed_distance` end to end.

    Args:
        surfaces: b bodies of one dimension; the same mesh may stand for several.
        points: (n, d) [m], the sets one after the other.
        ptr: (b + 1,) set i is ``points[ptr[i]:ptr[i + 1]]``.
        signed, chunk: as there.

    Returns:
        ``facet`` and ``corners`` count in each body's own mesh.

    Raises:
        ConfigurationError: ptr does not divide the points among the bodies.
        InvalidMeshError, NonFiniteError, ShapeError: as there.
    """
    bounds = [int(value) for value in ptr]
    ordered = bool(bounds) and bounds[0] == 0 and bounds[-1] == len(points) and bounds == sorted(bounds)
    if len(bounds) != len(surfaces) + 1 or not ordered or not surfaces:
        raise ConfigurationError(
            f"ptr {bounds[:6]}{'...' if len(bounds) > 6 else ''} does not divide {len(points)} points among {len(surfaces)} bodies",
            where="batched_distance",
            remedy="give b + 1 ascending numbers from 0 to the number of points",
        )
    parts = [signed_distance(body, points[a:b], signed=signed, chunk=chunk) for body, a, b in zip(surfaces, bounds[:-1], bounds[1:], strict=True)]
    return _joined(parts)


def _joined(parts: list[Distance]) -> Distance:
    columns = {name: [getattr(part, name) for part in parts] for name in vars(parts[0])}
    if isinstance(parts[0].distance, np.ndarray):
        return Distance(**{name: None if values[0] is None else np.concatenate(values) for name, values in columns.items()})
    import torch

    return Distance(**{name: None if values[0] is None else torch.cat(values) for name, values in columns.items()})


def _not_finite(surface: Mesh) -> NonFiniteError:
    return NonFiniteError("query points have NaN or infinite coordinates", where=surface.name, remedy="drop those rows before asking for distances")


def _require_range(surface: Mesh, farthest: float) -> None:
    """Raise where fourth powers of lengths leave the range of double precision."""
    size = float(np.ptp(surface.points, axis=0).max(initial=0.0))
    if max(float(np.abs(surface.points).max(initial=0.0)), farthest) > _LARGEST or 0 < size < 1 / _LARGEST:
        raise InvalidMeshError(
            f"a body of size {size:.3g} and points up to {farthest:.3g} are out of the range of distances, {1 / _LARGEST:g} to {_LARGEST:g}",
            where=surface.name,
            remedy="check the unit of the file and of the points; they are metres",
        )


def _of_arrays(surface: Mesh, points: np.ndarray, signed: bool, chunk: int) -> Distance:
    if surface.dimension == 3:
        from .triangles import triangle_distance

        return triangle_distance(surface, points, signed=signed, chunk=chunk)
    from .outlines import outline_distance

    return outline_distance(surface, points, signed=signed, chunk=chunk)


def _of_tensors(surface: Mesh, points: Tensor, signed: bool, vertices: Tensor | None, chunk: int) -> Distance:
    import torch

    if not points.is_floating_point():
        points = points.double()  # integers could not hold the answer
    if not bool(torch.isfinite(points).all()):
        raise _not_finite(surface)
    _require_range(surface, float(points.detach().abs().max()) if len(points) else 0.0)
    if vertices is not None:
        check(vertices=(vertices, f"{len(surface.points)} {surface.dimension}"))
        surface = surface.moved(vertices.detach().cpu().double().numpy())
    where = points.detach().double().contiguous()
    if surface.dimension == 3:
        from .triangles import triangle_distance

        found = triangle_distance(surface, where, signed=signed, chunk=chunk)
    elif points.device.type == "cpu":
        found = Distance(**{name: _tensor(value) for name, value in vars(_of_arrays(surface, where.numpy(), signed, chunk)).items()})
    else:
        from .outlines import outline_distance_tensor

        found = outline_distance_tensor(surface, where, signed=signed, chunk=chunk)
    if torch.is_grad_enabled() and (points.requires_grad or (vertices is not None and vertices.requires_grad)):
        from .graph import differentiable

        found = differentiable(found, points, _tensor(surface.points).to(points.device) if vertices is None else vertices, signed=signed)
    whole = ("facet", "corners")
    return Distance(**{name: value if name in whole or value is None else value.to(points.dtype) for name, value in vars(found).items()})


def _tensor(value: Any) -> Any:
    import torch

    return None if value is None else torch.from_numpy(np.array(value))
