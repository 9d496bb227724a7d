"""Small pictures of many cases, whatever they are: plane meshes, clouds round a section, surfaces and solids in space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ConfigurationError
from ...mesh.body import body_cells
from ...mesh.case import Case
from ...mesh.cells import Cells
from ...mesh.mesh import Mesh
from ...mesh.quantity import Field, Quantity
from ...mesh.triangulation import triangulated
from .pictures import figure_of, save_figure

#: Fields that tell most about a case, the first that is there is shown.
TELLING = (
    "pressure_coefficient", "von_mises_stress", "solution", "velocity", "pressure", "kinematic_pressure", "temperature", "displacement",
)  # fmt: skip
_PER_ROW = 4


def telling_field(case: Case) -> str:
    """Name of the field that is shown unless another one is asked for.

    Raises:
        ConfigurationError: the case has no field with a value per point or cell.
    """
    drawn = [item.name for item in case.fields.values() if item.location in ("point", "cell")]
    if not drawn:
        raise ConfigurationError("there is no field at points or cells to draw", where=case.name, remedy="look at the case with `geoop inspect FILE`")
    rest = [name for name in drawn if "weight" not in name] or drawn
    return next((name for name in TELLING if name in drawn), rest[0])


def case_pictures(cases: Sequence[Case], path: str | Path, *, field: str | None = None) -> Path:
    """One picture with a panel per case, four in a row; of vectors and tensors the magnitude.

    Args:
        cases: to draw.
        path: .png, .svg or .pdf.
        field: name; the most telling one that all have if None. A case without it, and cases without any at points or cells, show
            their geometry.

    Raises:
        PatchError: a case does not have the field that was asked for.
    """
    name = field or _shared_field(cases)
    rows = -(-len(cases) // _PER_ROW)
    figure = figure_of((3.6 * min(len(cases), _PER_ROW), max(_height_over_width(case) for case in cases) * 2.4 * rows + 0.6 * rows))
    for index, case in enumerate(cases):
        shown = case.field(name) if field or name in case.fields else None
        item = shown or Field(Quantity("geometry", ""), np.zeros(len(case.mesh.points)))
        if case.mesh.dimension == 3:
            drawn, axes = _solid(figure, (rows, min(len(cases), _PER_ROW), index + 1), case, item)
        else:
            axes = figure.add_subplot(rows, min(len(cases), _PER_ROW), index + 1)
            drawn = _plane(axes, case, item)
        axes.set_title(case.name, fontsize=9)
        axes.tick_params(labelsize=6)
        if shown is None:
            continue
        unit = "" if item.quantity.unit == "1" else f" [{item.quantity.unit}]"
        bar = figure.colorbar(drawn, ax=axes, shrink=0.8, format="%.2g")
        bar.ax.tick_params(labelsize=6)
        bar.set_label(name.replace("_", " ") + unit, fontsize=7)
    return save_figure(figure, path)


def _shared_field(cases: Sequence[Case]) -> str:
    """The most telling field that all cases have, else that of the first that has one; empty if there is none."""
    drawn = [{key: item for key, item in case.fields.items() if item.location in ("point", "cell")} for case in cases]
    shared = {key: item for key, item in drawn[0].items() if all(key in other for other in drawn)}
    candidates = [shared, *drawn]
    return next((telling_field(replace(cases[0], fields=found)) for found in candidates if found), "")


def _height_over_width(case: Case) -> float:
    """Of the panel that a case needs, between a quarter and one: a channel is long."""
    if case.mesh.dimension == 3 or not (case.mesh.cells.dimensions == 2).any():
        return 1.0
    width, height = np.ptp(case.mesh.points, axis=0)
    return float(np.clip(height / width if width > 0 else 1.0, 0.25, 1.0))


def magnitude(item: Field) -> np.ndarray:
    """(n,) the values of a scalar, the length of a vector, the Frobenius norm of a tensor."""
    return item.values if item.quantity.rank == 0 else np.linalg.norm(item.values.reshape(len(item.values), -1), axis=1)


def _colours(values: np.ndarray) -> dict[str, Any]:
    """Colour map and scale from the 1st to the 99th percentile: a stagnation point must not take the colours of all the rest.

    Values of both signs get blue below and red above zero, however far they reach on either side.
    """
    from matplotlib.colors import Normalize, TwoSlopeNorm

    finite = values[np.isfinite(values)]
    low, high = (float(v) for v in np.percentile(finite, [1, 99])) if finite.size else (0.0, 0.0)
    if not high > low:
        low, high = low - 0.5, low + 0.5
    if low < 0.0 < high:
        return {"norm": TwoSlopeNorm(0.0, low, high), "cmap": "RdBu_r"}
    return {"norm": Normalize(low, high), "cmap": "viridis"}


def _plane(axes, case: Case, item: Field):
    points, values = case.mesh.points, magnitude(item)
    axes.set_aspect("equal")
    lines = case.mesh.cells.take(np.flatnonzero(case.mesh.cells.dimensions == 1))
    flat = case.mesh.cells.take(np.flatnonzero(case.mesh.cells.dimensions == 2))
    if len(flat):
        triangles, owner = triangulated(Mesh(np.pad(points, ((0, 0), (0, 1))), flat))
        of_cells = values[np.flatnonzero(case.mesh.cells.dimensions == 2)][owner] if item.location == "cell" else values
        shading = {"shading": "flat"} if item.location == "cell" else {"shading": "gouraud"}
        drawn = axes.tripcolor(points[:, 0], points[:, 1], triangles, of_cells, rasterized=True, **_colours(values), **shading)
        for patch in case.mesh.patches.values():
            _draw_lines(axes, points, patch)
        return drawn
    if len(lines):
        wall = points[np.unique(lines.connectivity)]
        reach = 0.6 * float(np.ptp(wall, axis=0).max())
        low_corner, high_corner = wall.min(axis=0) - reach, wall.max(axis=0) + reach
        axes.set(xlim=(low_corner[0], high_corner[0]), ylim=(low_corner[1], high_corner[1]))
        _draw_lines(axes, points, lines)
    if item.location == "cell":
        points = np.stack([points[row].mean(axis=0) for row in case.mesh.cells])
    return axes.scatter(points[:, 0], points[:, 1], c=values, s=2, linewidths=0, rasterized=True, **_colours(values))


def _draw_lines(axes, points: np.ndarray, lines: Cells) -> None:
    from matplotlib.collections import LineCollection

    axes.add_collection(LineCollection([points[row[:2]] for row in lines], colors="black", linewidths=0.8))


def _solid(figure, place: tuple[int, int, int], case: Case, item: Field):
    """The surface of a case in space, each triangle in one colour, seen from the front left and above."""
    from matplotlib.cm import ScalarMappable
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    axes = figure.add_subplot(*place, projection="3d")
    surface = Mesh(case.mesh.points, body_cells(case.mesh, case.wall))
    triangles, _ = triangulated(surface)
    values = magnitude(item)
    if item.location == "cell":
        whole = replace(case.mesh, patches={}, zones={})
        weight = np.zeros(len(whole.points))
        total = np.zeros(len(whole.points))
        for row, value in zip(whole.cells, values, strict=True):
            weight[row] += 1.0
            total[row] += value
        values = total / np.maximum(weight, 1.0)
    of_triangles = values[triangles].mean(axis=1)
    colours = ScalarMappable(**_colours(of_triangles))
    corners = case.mesh.points[triangles]
    polygons = Poly3DCollection(corners, facecolors=colours.to_rgba(of_triangles), edgecolors="none", rasterized=True)
    axes.add_collection3d(polygons)
    low, high = corners.min(axis=(0, 1)), corners.max(axis=(0, 1))
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), zlim=(low[2], high[2]))
    axes.set_box_aspect(np.maximum(high - low, 1e-3 * float((high - low).max())), zoom=1.15)
    axes.view_init(elev=25, azim=-125)
    axes.set_axis_off()
    return colours, axes
