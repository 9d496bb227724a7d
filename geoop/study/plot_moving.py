"""Meshes that move, as pictures: before and after, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import ConfigurationError
from ..mesh.mesh import Mesh
from ..mesh.topology import edges
from .plots import figure_of, save_figure


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
    if before.dimension != 2 or after.dimension != 2:
        raise ConfigurationError("a picture of solids", where="before_and_after", remedy="write .vtu and look at them in ParaView")
    if window is not None and not (len(window) == 4 and window[0] < window[1] and window[2] < window[3]):
        raise ConfigurationError(f"window is {tuple(window)}", where="before_and_after", remedy="give x0, x1, y0, y1 with x0 < x1 and y0 < y1")
    from matplotlib.collections import LineCollection

    window = _around_what_moved(before, after) if window is None else window
    figure = figure_of((11.0, 5.0))
    for number, (mesh, what) in enumerate(((before, "before"), (after, "after"))):
        listed = edges(mesh.cells, np.arange(len(mesh.points))).corners
        axes = figure.add_subplot(1, 2, number + 1)
        low, high = mesh.bounds if window is None else np.array(window).reshape(2, 2).T
        ends = mesh.points[np.unique(np.sort(listed, axis=1), axis=0)]
        shown = ((ends.max(axis=1) >= low) & (ends.min(axis=1) <= high)).all(axis=1)
        axes.add_collection(LineCollection(list(ends[shown]), colors="0.35", linewidths=0.3))
        for colour, (name, cells) in enumerate(mesh.patches.items()):
            lines = [mesh.points[cells.block(kind)[:, :2]] for kind in cells.names]
            if lines:
                axes.add_collection(LineCollection(list(np.concatenate(lines)), colors=f"C{colour % 10}", linewidths=1.2, label=name))
        axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal", title=what, xlabel="x [m]", ylabel="y [m]")
    axes.legend(frameon=False, fontsize=8, loc="upper right")
    figure.suptitle(title or after.name, fontsize=10)
    return save_figure(figure, path)


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
