"""Radius and k-nearest search between two clouds, in ragged batches: a k-d tree on the CPU, a hash grid on the GPU."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from ...axes import check
from ...errors import ConfigurationError, InvalidMeshError, ShapeError
from ...mesh.choices import choice
from ..graph import Graph

Search = Literal["auto", "tree", "grid"]


def knn(
    source_pos: Tensor,
    target_pos: Tensor,
    k: int,
    source_ptr: Tensor | None = None,
    target_ptr: Tensor | None = None,
    *,
    search: Search = "auto",
) -> Graph:
    """Edges from the k nearest source points of the same sample to every target point.

    A sample with fewer than k source points gives all of them. Points at equal distance (to 1e-12) are taken by
    lowest index, so the answer does not depend on the search. A point is its own neighbour where both clouds contain it.

    Args:
        source_pos: (n, d) any length unit, d <= 3 for ``grid``.
        target_pos: (m, d) same unit.
        k: number of neighbours, >= 1.
        source_ptr: (b+1,) start of every sample; None for one sample.
        target_ptr: (b+1,).
        search: ``tree`` (SciPy), ``grid`` (warp, on the device of the positions), ``auto`` by device.

    Raises:
        InvalidMeshError: a position is NaN or infinite.
        ShapeError: shapes or ``ptr`` disagree.
        ConfigurationError: k < 1.
    """
    if k < 1:
        raise ConfigurationError(f"k is {k}", where="knn", remedy="ask for at least one neighbour")
    source, target, source_ptr, target_ptr = _checked(source_pos, target_pos, source_ptr, target_ptr)
    return choice(lambda: _nearest(source, target, k, source_ptr, target_ptr, search), neighbours=True)


def _nearest(source: Tensor, target: Tensor, k: int, source_ptr: Tensor, target_ptr: Tensor, search: Search) -> Graph:
    if _method(search, source) == "grid":
        from . import grid

        edges = grid.nearest(source, target, k, source_ptr, target_ptr)
    else:
        from . import tree

        # the tree's answer comes in order
        return Graph(*tree.nearest(source, target, k, source_ptr, target_ptr), len(source), len(target))
    return Graph.sorted(*edges, len(source), len(target))


def radius(
    source_pos: Tensor,
    target_pos: Tensor,
    r: float | Tensor,
    source_ptr: Tensor | None = None,
    target_ptr: Tensor | None = None,
    *,
    at_least_one: bool = True,
    search: Search = "auto",
) -> Graph:
    """Edges from all source points of the same sample with distance <= r to every target point.

    No neighbour is ever left out: there is no cap. A point is its own neighbour where both clouds contain it.

    Args:
        source_pos: (n, d) any length unit, d <= 3 for ``grid``.
        target_pos: (m, d) same unit.
        r: radius > 0 in the same unit, one number or (m,) one per target.
        source_ptr: (b+1,) start of every sample; None for one sample.
        target_ptr: (b+1,).
        at_least_one: give a target with an empty ball its nearest source point, so that it is never without input.
        search: ``tree`` (SciPy), ``grid`` (warp, on the device of the positions), ``auto`` by device.

    Raises:
        InvalidMeshError: a position is NaN or infinite.
        ShapeError: shapes or ``ptr`` disagree.
        ConfigurationError: a radius is not positive and finite.
    """
    same = source_pos is target_pos
    source, target, source_ptr, target_ptr = _checked(source_pos, target_pos, source_ptr, target_ptr)
    radii = _checked_radius(r, target)
    return choice(lambda: _within(source, target, radii, source_ptr, target_ptr, at_least_one, search, same), neighbours=True)


def _within(
    source: Tensor,
    target: Tensor,
    radii: float | Tensor,
    source_ptr: Tensor,
    target_ptr: Tensor,
    at_least_one: bool,
    search: Search,
    same: bool,
) -> Graph:
    if _method(search, source) == "grid":
        from . import grid as method
    else:
        from . import tree as method

    found = method.within_pairs(source, radii, source_ptr) if same and isinstance(radii, float) else None
    edges = found or method.within(source, target, radii, source_ptr, target_ptr)
    if at_least_one:
        empty = torch.bincount(edges[1], minlength=len(target)) == 0
        if bool(empty.any()):
            edges = _with_nearest(method, edges, empty, (source, target, source_ptr, target_ptr))
    return Graph.sorted(*edges, len(source), len(target))


def _with_nearest(method, edges: tuple[Tensor, Tensor], empty: Tensor, clouds: tuple) -> tuple[Tensor, Tensor]:
    """Edges plus one from the nearest source to each target marked in ``empty``."""
    source, target, source_ptr, target_ptr = clouds
    rows = empty.nonzero().squeeze(1)
    counts = torch.cat([empty.new_zeros(1, dtype=torch.int64), empty.long().cumsum(0)])
    near_source, near_target = method.nearest(source, target[rows], 1, source_ptr, counts[target_ptr])
    return torch.cat([edges[0], near_source]), torch.cat([edges[1], rows[near_target]])


def _method(search: Search, positions: Tensor) -> Literal["tree", "grid"]:
    if search == "auto":
        return "grid" if positions.is_cuda else "tree"
    if search not in ("tree", "grid"):
        raise ConfigurationError(f"unknown search '{search}'", where="search", remedy="use 'auto', 'tree' or 'grid'")
    return search


def _checked_radius(r: float | Tensor, target: Tensor) -> float | Tensor:
    """The radius as a float or as (m,) float64 on the device of the targets."""
    if isinstance(r, Tensor) and r.ndim:
        check(r=(r, "m"), target_pos=(target, "m d"))
        radii = r.detach().to(target)
        good = bool((torch.isfinite(radii) & (radii > 0)).all())
    else:
        radii = float(r)
        good = math.isfinite(radii) and radii > 0
    if not good:
        raise ConfigurationError("the radius is not positive and finite", where="r", remedy="give a length in the unit of the positions")
    return radii


def _checked(source_pos: Tensor, target_pos: Tensor, source_ptr: Tensor | None, target_ptr: Tensor | None) -> tuple[Tensor, ...]:
    """Positions in double precision without gradient, and the ptr of both clouds; all problems in one error."""
    check(source_pos=(source_pos, "n d"), target_pos=(target_pos, "m d"))
    clouds = [cloud.detach().to(torch.float64) for cloud in (source_pos, target_pos)]
    ends = [torch.tensor([0, len(c)], device=c.device) if p is None else p for c, p in zip(clouds, (source_ptr, target_ptr), strict=True)]
    check(source_ptr=(ends[0], "b+1"), target_ptr=(ends[1], "b+1"))
    for name, cloud, ptr in zip(("source", "target"), clouds, ends, strict=True):
        if int(ptr[0]) != 0 or int(ptr[-1]) != len(cloud) or bool((ptr.diff() < 0).any()):
            raise ShapeError(f"{name}_ptr does not run from 0 to {len(cloud)} in ascending order", remedy="take ptr from the PointSet")
    bad = [
        f"{int((~torch.isfinite(c).all(1)).sum())} of {len(c)} {name} positions"
        for name, c in zip(("source", "target"), clouds, strict=True)
        if not bool(torch.isfinite(c).all())
    ]
    if bad:
        raise InvalidMeshError(f"{' and '.join(bad)} are NaN or infinite", where="positions", remedy="look at the mesh with `geoop inspect FILE`")
    return clouds[0], clouds[1], ends[0], ends[1]
