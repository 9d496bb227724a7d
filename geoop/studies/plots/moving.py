"""Meshes that move, as pictures: before and after, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ConfigurationError
from ...mesh.mesh import Mesh
from ...mesh.topology import edges
from .pictures import figure_of, save_figure


def before_and_after(before: Mesh, after: Mesh, path: str | Path, *, window: Sequence[float] | None = None, title: str = "") -> Path:
    """The edges of a plane mesh before and after a move.

    Args:
        before, after: in the plane.
        path: .png, .svg or .pdf.
        window: (x0, x1, y0, y1) [m] of what is shown; None: the patches that have moved and half their size around them, or all where none has.
        title: of the picture.

    Raises:
        ConfigurationError: meshes of solids, or a window that is no rectangle.
    """
    if window is None and before.dimension == after.dimension == 2:
        window = _around_what_moved(before, after)
    return meshes_side_by_side({"before": before, "after": after}, path, window=window, title=title or after.name)


def meshes_side_by_side(meshes: Mapping[str, Mesh], path: str | Path, *, window: Sequence[float] | None = None, title: str = "") -> Path:
    """The edges of plane meshes, one beside the other, their patches in colour.

    Args:
        meshes: title -> mesh in the plane.
        path: .png, .svg or .pdf.
        window: (x0, x1, y0, y1) [m] of what is shown of each; None: all.
        title: of the whole picture.

    Raises:
        ConfigurationError: no meshes, meshes of solids, or a window that is no rectangle.
    """
    if not meshes or any(mesh.dimension != 2 for mesh in meshes.values()):
        raise ConfigurationError(
            "a picture of solids" if meshes else "a picture of nothing", where="meshes_side_by_side", remedy="write .vtu and look at them in ParaView"
        )
    if window is not None and not (len(window) == 4 and window[0] < window[1] and window[2] < window[3]):
        raise ConfigurationError(f"window is {tuple(window)}", where="meshes_side_by_side", remedy="give x0, x1, y0, y1 with x0 < x1 and y0 < y1")
    figure = figure_of((11.0, 5.0) if len(meshes) <= 2 else (3.6 * len(meshes), 4.0))
    for number, (what, mesh) in enumerate(meshes.items()):
        axes = figure.add_subplot(1, len(meshes), number + 1)
        low, high = mesh.bounds if window is None else np.array(window).reshape(2, 2).T
        edge = 0.02 * (high - low) if window is None else 0.0
        low, high = low - edge, high + edge
        _draw(axes, mesh, low, high)
        axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal", title=what, xlabel="x [m]")
        axes.set_ylabel("y [m]" if number == 0 or len(meshes) <= 2 else "")
    if axes.get_legend_handles_labels()[1]:
        axes.legend(fontsize=8, loc="upper right", framealpha=0.9, edgecolor="none")
    if title:
        figure.suptitle(title, fontsize=10)
    return save_figure(figure, path)


def _draw(axes: Any, mesh: Mesh, low: np.ndarray, high: np.ndarray) -> None:
    """Edges and patches that are seen in a window."""
    from matplotlib.collections import LineCollection

    listed = edges(mesh.cells, np.arange(len(mesh.points))).corners
    ends = mesh.points[np.unique(np.sort(listed, axis=1), axis=0)]
    axes.add_collection(LineCollection(list(ends[_seen(ends, low, high)]), colors="0.35", linewidths=0.3))
    for colour, (name, cells) in enumerate(mesh.patches.items()):
        lines = np.concatenate([np.zeros((0, 2, 2)), *(mesh.points[cells.block(kind)[:, :2]] for kind in cells.names)])
        lines = lines[_seen(lines, low, high)]
        if len(lines):
            axes.add_collection(LineCollection(list(lines), colors=f"C{colour % 10}", linewidths=1.2, label=name))


def _seen(ends: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """(k,) whether the box of a line (k, 2, 2) meets the window."""
    return ((ends.max(axis=1) >= low) & (ends.min(axis=1) <= high)).all(axis=1)


def _around_what_moved(before: Mesh, after: Mesh) -> Sequence[float] | None:
    """Round the patches of which a point has moved: of a section in a large domain nothing else is seen."""
    gone = np.abs(after.points - before.points).max(axis=1) > 1e-12 * float(np.ptp(before.bounds, axis=0).max())
    moved = [before.patch_points(name) for name in before.patches if gone[before.patch_points(name)].any()]
    if not moved:
        return None
    index = np.concatenate(moved)
    both = np.concatenate([before.points[index], after.points[index]])
    low, high = both.min(axis=0), both.max(axis=0)
    margin = 0.5 * float((high - low).max())
    low, high = np.maximum(low - margin, before.bounds[0]), np.minimum(high + margin, before.bounds[1])
    return low[0], high[0], low[1], high[1]
