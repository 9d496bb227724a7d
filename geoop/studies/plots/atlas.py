"""The map of an atlas as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ...errors import ConfigurationError
from ...mesh.facet_points import spread_out
from ..atlas import Atlas
from .pictures import figure_of, save_figure


def atlas_picture(
    atlas: Atlas, path: str | Path, *, values: Mapping[str, float] | None = None, label: str = "", outlines: int = 16, title: str = ""
) -> Path:
    """Shapes as points of a plane in which similar ones lie close, and the outlines that the latents of some of them stand for.

    Args:
        atlas: of sections; bodies in space are drawn as points only.
        path: .png, .svg or .pdf.
        values: name -> number by which points are coloured, such as a thickness or a lift coefficient; None gives them one colour.
        label: what the numbers are, with their unit.
        outlines: drawn at so many points, far apart on the map.
        title: of the picture.

    Raises:
        ConfigurationError: shapes of the atlas without a number.
    """
    missing = [name for name in atlas.names if values is not None and name not in values]
    if missing:
        raise ConfigurationError(f"no number for {missing[:4]}", where="atlas_picture", remedy="give one for every name of the atlas")
    found = atlas.map()
    x = found.positions
    figure = figure_of((9.0, 6.6))
    axes = figure.add_subplot()
    colours = None if values is None else np.array([values[name] for name in atlas.names])
    points = axes.scatter(*x.T, c=colours, s=22, cmap=None if colours is None else "viridis", zorder=3)
    if colours is not None:
        figure.colorbar(points, ax=axes, label=label)
    width = np.maximum(np.ptp(x, axis=0), 1e-9)
    axes.set_xlim(x[:, 0].min() - 0.12 * width[0], x[:, 0].max() + 0.12 * width[0])
    axes.set_ylim(x[:, 1].min() - 0.10 * width[1], x[:, 1].max() + 0.12 * width[1])
    if atlas.field.dimension == 2 and outlines:
        _outlines(axes, atlas, x, outlines)
    for axis, share, name in zip((axes.set_xlabel, axes.set_ylabel), found.explained, ("first", "second"), strict=True):
        axis(f"{name} principal component of the codes, {100 * share:.0f} % of the variance")
    axes.set_title(title or f"{len(atlas)} shapes")
    axes.grid(alpha=0.25)
    return save_figure(figure, path)


def _outlines(axes, atlas: Atlas, x: np.ndarray, count: int) -> None:
    """Small outlines above points that are far apart, on a common scale."""
    from matplotlib.collections import LineCollection

    box = np.array([axes.get_xlim(), axes.get_ylim()]).T
    wide = 0.12 * (box[1] - box[0])[0]
    ratio = (box[1] - box[0])[1] / (box[1] - box[0])[0] * 9.0 / 6.6  # so that lengths are alike on paper
    for k in spread_out(x / np.maximum(np.ptp(x, axis=0), 1e-9), count):
        name, place = atlas.names[k], atlas.placements[k]
        axes.scatter(*x[k], s=60, facecolors="none", edgecolors="0.2", linewidths=1.0, zorder=4)
        shape = atlas.surface(name, 128)
        local = place.into(shape.points) * wide * np.array([1.0, ratio])
        at = x[k] + [0.0, 0.035 * (box[1] - box[0])[1]]
        lines = (local + at)[shape.cells.block("line")]
        axes.add_collection(LineCollection(list(lines), colors="0.2", linewidths=1.0, zorder=4))
        axes.annotate(name, at + [0.0, 0.022 * (box[1] - box[0])[1]], ha="center", fontsize=6, color="0.3", zorder=5)
