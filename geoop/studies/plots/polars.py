"""Polars of a study: lift, moment, drag over the angle of attack (or what else varies), errors, verdicts and controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ConfigurationError
from ..report.study_folder import ALPHA, StudyFolder, failed, number, numbers
from ..sweep.table import Row
from .style import COLOURS, CONTROL, WARNING, axis_label, figure, graded, legend_of_marks, marked, safe, save, value_label

#: Curves that are told apart by colours of their own and named one by one.
MOST_NAMED = len(COLOURS)
#: Curves from which on single ones are not followed any more.
CROWD = 24
#: Values of each of two inputs from which on a map is worth drawing.
_MAP_SIDE = 3
_HEIGHT = 3.5
#: Values per place that make a median.
_SHARED = 5


@dataclass(frozen=True)
class Curve:
    """A line of a polar: the rows that differ in one input only.

    Attributes:
        label: in the legend; empty for a single curve.
        rows: sorted along the input.
        colour: of the line.
    """

    label: str
    rows: tuple[Row, ...]
    colour: Any


def polar_plot(study: StudyFolder, geometry: str, path: str | Path) -> Path:
    """The polars of one geometry: CL and CM over the angle of attack, and CL over CD and L/D where there is drag, else Cp min.

    Shaded is the expected error, where the verdict has one; marks tell inside, edge and outside; a control is dashed. A further
    input that varies makes a curve per value.

    Args:
        study: an open study.
        geometry: one of its names.
        path: .png, .svg or .pdf.

    Raises:
        ConfigurationError: no such geometry, or no case of it has a coefficient.
    """
    rows = _solved(study.of(geometry), f"geometry '{geometry}'")
    over, curves = curves_of(study, study.of(geometry))
    made, title = _polars(rows, study.of(geometry), over, curves), safe(geometry)
    made.suptitle(title, fontsize=11, fontweight="bold", x=0.01, ha="left")
    return save(made, path)


def comparison_plot(study: StudyFolder, path: str | Path) -> Path:
    """The polars of all geometries of a study in one picture; more than seven are unnamed, more than 24 are a crowd with its median.

    Raises:
        ConfigurationError: no case has a coefficient.
    """
    rows = _solved(study.rows, "the study")
    over = _sweep(study, rows)
    known = {id(row) for row in rows}
    found = {name: own for name in study.geometries if (own := [row for row in study.of(name) if id(row) in known])}
    named = len(found) <= MOST_NAMED
    curves = []
    for (name, own), colour in zip(found.items(), COLOURS if named else graded(len(found)), strict=False):
        groups = _groups(own, over, study)
        curves += [Curve(name if named and not k else "", tuple(group), colour) for k, group in enumerate(groups.values())]
    made = _polars(rows, study.rows, over, curves)
    said = f"{len(found)} geometries"
    made.suptitle(said, fontsize=11, fontweight="bold", x=0.01, ha="left")
    return save(made, path)


def map_inputs(study: StudyFolder, rows: Sequence[Row]) -> tuple[str, str] | None:
    """The two inputs of a map: exactly two vary and both take at least three values; else None."""
    varying = study.varying(rows)
    if len(varying) != 2:
        return None
    sides = [len({number(row, name) for row in rows} - {None}) for name in varying]
    return (varying[0], varying[1]) if min(sides) >= _MAP_SIDE else None


def map_plot(study: StudyFolder, geometry: str | None, path: str | Path, quantity: str = "CL") -> Path:
    """A quantity over the two inputs that vary, filled contours through the cases, which are marked by their verdict.

    Args:
        study: an open study.
        geometry: one of its names; None for all of them, where a parameter of the geometry is the second input.
        path: .png, .svg or .pdf.
        quantity: column of the table.

    Raises:
        ConfigurationError: not exactly two inputs vary, or too few cases have the quantity.
    """
    from matplotlib.ticker import MaxNLocator
    from matplotlib.tri import Triangulation

    rows = list(study.rows) if geometry is None else study.of(geometry)
    inputs = map_inputs(study, rows)
    solved = [row for row in rows if not failed(row) and number(row, quantity) is not None]
    points = np.array([[number(row, name) or 0.0 for name in inputs or ()] for row in solved])
    if inputs is None or len(np.unique(points, axis=0)) < _MAP_SIDE**2:
        raise ConfigurationError("no map: it takes two inputs with three values each", where="map_plot", remedy="draw polars: polar_plot")
    made, axes = figure((6.4, 4.4))
    ax, values = axes[0, 0], np.array(numbers(solved, quantity))
    size = np.ptp(points, axis=0)
    mesh = Triangulation(points[:, 0], points[:, 1], Triangulation(*(points / size).T).triangles)  # triangles of the scaled plane, for their shape
    low, high = float(values.min()), float(values.max())
    levels = MaxNLocator(12).tick_values(low, high if high > low else low + 1.0)
    filled = ax.tricontourf(mesh, values, levels=levels, cmap="viridis")
    lines = ax.tricontour(mesh, values, levels=levels[::2], colors="white", linewidths=0.7)
    ax.clabel(lines, fmt="%.3g", fontsize=8)
    marked(ax, solved, points[:, 0], points[:, 1], "#1a1a1a")
    for row in filter(failed, rows):
        ax.plot([number(row, inputs[0])], [number(row, inputs[1])], "|", color=WARNING, markersize=10, markeredgewidth=2, clip_on=False)
    made.colorbar(filled, ax=ax, label=axis_label(quantity), format="%.3g")
    ax.set(xlabel=axis_label(inputs[0]), ylabel=axis_label(inputs[1]))
    ax.set_title(safe(geometry or study.name), fontsize=11, fontweight="bold", loc="left")
    ax.grid(False)
    made.legend(handles=legend_of_marks(rows, band=False, control=""), loc="outside lower center", ncols=5, frameon=False, fontsize=9)
    return save(made, path)


def curves_of(study: StudyFolder, rows: Sequence[Row]) -> tuple[str, list[Curve]]:
    """The input that a polar runs over, and a curve per value of the others."""
    solved = [row for row in rows if not failed(row)]
    over = _sweep(study, solved)
    groups = _groups(solved, over, study)
    others = [name for name in study.varying(solved) if name != over]
    colours = list(COLOURS[:1]) if len(groups) == 1 else graded(len(groups))[: len(groups)]
    named = len(groups) <= 2 * MOST_NAMED
    return over, [
        Curve(", ".join(value_label(*pair) for pair in zip(others, key, strict=True)) if named else "", tuple(group), colour)
        for (key, group), colour in zip(groups.items(), colours, strict=True)
    ]


def _sweep(study: StudyFolder, rows: Sequence[Row]) -> str:
    """The angle of attack where it varies, else the first input that does."""
    varying = study.varying(rows)
    return varying[0] if varying else ALPHA


def _groups(rows: Sequence[Row], over: str, study: StudyFolder) -> dict[tuple, list[Row]]:
    """Rows that agree in all inputs but one, each group sorted along it."""
    others = [name for name in study.varying(rows) if name != over]
    groups: dict[tuple, list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(number(row, name) for name in others), []).append(row)
    ordered = sorted(groups, key=lambda key: [(value is None, value or 0.0) for value in key])
    return {key: sorted((row for row in groups[key] if number(row, over) is not None), key=lambda row: row[over]) for key in ordered}


def _solved(rows: Sequence[Row], what: str) -> list[Row]:
    found = [row for row in rows if not failed(row) and any(number(row, name) is not None for name in ("CL", "CM", "Cp min"))]
    if not found:
        raise ConfigurationError(
            f"{what} has no case with a coefficient", where="polars", remedy="see the reasons in the column 'message' of table.csv"
        )
    return found


def _polars(solved: Sequence[Row], rows: Sequence[Row], over: str, curves: Sequence[Curve]) -> Any:
    """The panels of a polar that these rows have values for."""
    drag = any(number(row, "CD") is not None for row in solved)
    panels = [(over, "CL"), (over, "CM"), *([("CD", "CL"), (over, "L/D")] if drag else [(over, "Cp min")])]
    panels = [pair for pair in panels if any(number(row, pair[1]) is not None for row in solved)]
    made, axes = figure((3.7 * len(panels) if len(panels) < 4 else 8.4, _HEIGHT if len(panels) < 4 else 2 * _HEIGHT - 0.6), *_shape(len(panels)))
    band = control = False
    crowd = len(curves) > CROWD
    for (x, y), ax in zip(panels, axes.flat, strict=True):
        if crowd:
            _crowd(ax, curves, x, y)
        for curve in () if crowd else curves:
            drawn = _curve(ax, curve, x, y)
            band, control = band or drawn[0], control or drawn[1]
        ax.set(xlabel=axis_label(x), ylabel=axis_label(y))
        if x == over:
            lost = [value for row in rows if failed(row) and (value := number(row, over)) is not None]
            for value in lost:
                ax.plot([value], [0.0], "|", color=WARNING, markersize=10, markeredgewidth=2, transform=ax.get_xaxis_transform(), clip_on=False)
        if y == "Cp min":
            ax.invert_yaxis()
    handles = [] if crowd else legend_of_marks(rows, band=band, control="panel method" if control else "")
    entries, _ = axes.flat[0].get_legend_handles_labels()
    made.legend(
        handles=[*entries, *handles], loc="outside lower center", ncols=min(5, max(1, len(entries) + len(handles))), frameon=False, fontsize=9
    )
    return made


def _crowd(ax: Any, curves: Sequence[Curve], x: str, y: str) -> None:
    """Many curves: thin ones, and the median of all where they share their places."""
    from matplotlib.collections import LineCollection

    lines = [np.column_stack([numbers(curve.rows, x), numbers(curve.rows, y)]) for curve in curves]
    ax.add_collection(LineCollection(lines, colors=COLOURS[0], linewidths=0.7, alpha=max(0.06, min(0.5, 20 / len(lines)))))
    every = np.concatenate(lines)
    every = every[np.isfinite(every).all(axis=1)]
    places = np.unique(every[:, 0])
    if x != "CD" and 1 < len(places) <= len(every) / _SHARED:
        ax.plot(places, [np.median(every[every[:, 0] == place, 1]) for place in places], color=COLOURS[1], linewidth=1.8, label="median")
    ax.autoscale_view()


def _shape(count: int) -> tuple[int, int]:
    return (2, 2) if count == 4 else (1, count)


def _curve(ax: Any, curve: Curve, x: str, y: str) -> tuple[bool, bool]:
    """One curve with its band and control; says whether it had them."""
    rows = curve.rows
    across, up = np.array(numbers(rows, x)), np.array(numbers(rows, y))
    error, truth = np.array(numbers(rows, f"{y} error")), np.array(numbers(rows, f"{y} panels"))
    ax.plot(across, up, "-" if len(rows) > 1 else "", color=curve.colour, linewidth=1.5, label=safe(curve.label) or None)
    marked(ax, rows, across, up, curve.colour)
    known, compared = np.isfinite(error) & np.isfinite(across), np.isfinite(truth) & np.isfinite(across)
    if known.sum() > 1 and x != "CD":
        ax.fill_between(across[known], (up - error)[known], (up + error)[known], color=curve.colour, alpha=0.18, linewidth=0)
    elif known.any():
        sideways = np.nan_to_num(np.array(numbers(rows, "CD error")))[known] if x == "CD" else None
        ax.errorbar(across[known], up[known], error[known], sideways, color=curve.colour, fmt="none", elinewidth=0.9, alpha=0.6)
    if compared.any():
        ax.plot(
            across[compared],
            truth[compared],
            color=CONTROL,
            linestyle=(0, (4, 2)),
            linewidth=1.0,
            marker="s" if compared.sum() == 1 else "",
            zorder=2.5,
        )
    return bool(known.any()), bool(compared.any())
