"""Pictures as aerodynamicists draw them; none of them needs a display."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ...errors import FieldError
from ...io.atomic import replacing
from ...mesh.body import body, body_cells
from ...mesh.case import Case
from ...mesh.chord import chord_line
from ...mesh.loops import loops
from ...mesh.mesh import Mesh
from ...mesh.triangulation import triangulated


def pressure_plot(cases: Mapping[str, Case], path: str | Path, *, title: str = "") -> Path:
    """Pressure coefficient over the chord, its axis reversed, one line per case.

    Args:
        cases: label -> case with ``pressure_coefficient`` at points; labels that start with a dash are drawn as dots, for the
            reference.
        path: .png, .svg or .pdf.
        title: of the plot.

    Raises:
        FieldError: a case without the field.
    """
    figure, axes = _figure((7.0, 4.6))
    for label, case in cases.items():
        position, cp = wall_values(case, "pressure_coefficient")
        reference = label.startswith("-")
        axes.plot(position, cp, "k." if reference else "-", markersize=3, linewidth=1.4, label=label.lstrip("- "))
    axes.invert_yaxis()
    axes.set(xlabel="x/c", ylabel="$C_p$", title=title)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    return save_figure(figure, path)


def wall_values(case: Case, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Position along the chord (0..1) and values of a point field around the body, in ring order, closed.

    Raises:
        FieldError: the field is not there, not a scalar, or not at points.
    """
    item = case.field(name)
    if item.location != "point" or item.quantity.rank:
        raise FieldError(f"'{name}' is no scalar at points", where=case.name, remedy="plot a scalar point field")
    outline = body(case.mesh, case.wall)
    used = np.unique(body_cells(case.mesh, case.wall).connectivity)
    chord = chord_line(outline)
    edge = np.asarray(chord.trailing_edge) - np.asarray(chord.leading_edge)
    ring = max((loop.points for loop in loops(outline)), key=len)
    ring = np.append(ring, ring[0])
    position = (outline.points[ring] - np.asarray(chord.leading_edge)) @ edge / chord.length**2
    return position, item.values[used][ring]


def field_picture(case: Case, name: str, path: str | Path, *, window: float = 0.7, limits: tuple[float, float] | None = None) -> Path:
    """Filled contours of a point field around a 2-D body; of a vector its length.

    Args:
        case: a 2-D case with cells.
        name: of the field.
        path: .png, .svg or .pdf.
        window: margin around the body, in body lengths.
        limits: range of the colours; None takes the 1st to the 99th percentile inside the window.
    """
    from matplotlib.tri import Triangulation

    item = case.field(name)
    values = np.linalg.norm(item.values, axis=1) if item.quantity.rank else item.values
    points = case.mesh.points
    section = body(case.mesh, case.wall)
    low, high = section.bounds
    margin = window * float((high - low).max())
    shown = ((points > low - margin) & (points < high + margin)).all(axis=1)
    limits = limits or tuple(np.percentile(values[shown], [1, 99]))  # type: ignore[assignment]
    figure, axes = _figure((8.0, 4.6))
    mesh = Triangulation(points[:, 0], points[:, 1], triangles_of(case))
    levels = np.linspace(*limits, 41)
    filled = axes.tricontourf(mesh, values, levels=levels, cmap="RdBu_r", extend="both")
    for loop in loops(section):
        axes.fill(*section.points[loop.points].T, color="0.25")
    unit = "" if item.quantity.unit == "1" else f" [{item.quantity.unit}]"
    figure.colorbar(filled, ax=axes, label=f"{item.name.replace('_', ' ')}{unit}", format="%.2g")
    axes.set(aspect="equal", xlim=(low[0] - margin, high[0] + margin), ylim=(low[1] - margin, high[1] + margin), xlabel="x [m]", ylabel="y [m]")
    point = case.operating_point
    axes.set_title(case.name if point is None else f"{case.name}, {point.velocity:g} m/s, alpha {point.alpha:g} deg")
    return save_figure(figure, path)


def triangles_of(case: Case) -> np.ndarray:
    """(k, 3) triangles of a planar mesh, other cells cut into them, quadratic ones at their mid-sides: for drawing only."""
    cells = case.mesh.cells
    flat = cells.take(np.flatnonzero(cells.dimensions == 2))
    if not len(flat) or case.mesh.dimension != 2:
        raise FieldError("no plane cells to draw on", where=case.name, remedy="predict on a mesh, or draw the section's surface values")
    return triangulated(Mesh(np.pad(case.mesh.points, ((0, 0), (0, 1))), flat))[0]


def figure_of(size: tuple[float, float]):
    """An empty figure of a size in inches that is drawn into memory: no display, no global state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _figure(size: tuple[float, float]):
    figure = figure_of(size)
    return figure, figure.add_subplot()


def save_figure(figure, path: str | Path) -> Path:
    """Write a figure; an interruption leaves the old file."""
    path = Path(path)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=160)
    return path
