"""How pictures of studies look: colours that the colour-blind tell apart, marks of the verdict, names and units on the axes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...io.atomic import replacing
from ..report.study_folder import failed, parted
from ..sweep.table import Row
from .pictures import figure_of

#: Okabe and Ito's colours, without the yellow that white paper swallows.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
#: Verdict -> marker, face (None: the line's own colour), what the legend says.
MARKS: dict[str, tuple[str, str | None, str]] = {
    "inside": ("o", None, "inside"),
    "edge": ("D", "white", "edge"),
    "outside": ("x", None, "outside: do not trust"),
}
INK, FAINT, CONTROL, WARNING = "#1a1a1a", "#9a9a9a", "#444444", "#B22222"
#: Colours that stand for a number, light and dark ends cut off so that lines stay visible.
_SEQUENTIAL = "viridis"
DPI = 144


def figure(size: tuple[float, float], rows: int = 1, columns: int = 1, *, share_x: bool = False) -> tuple[Any, np.ndarray]:
    """A figure drawn in memory and its axes, (rows, columns), with a light grid and without the upper and right spines.

    Args:
        size: in inches.
        rows, columns: of axes.
        share_x: one horizontal axis per column.
    """
    made = figure_of(size)
    axes = made.subplots(rows, columns, squeeze=False, sharex="col" if share_x else False)
    for item in axes.flat:
        dress(item)
    return made, axes


def dress(axes: Any) -> None:
    """Grid, spines and type sizes of one pair of axes."""
    axes.grid(True, color="#e3e3e3", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    axes.tick_params(labelsize=9, color=FAINT, labelcolor=INK)
    axes.locator_params(nbins=7)
    axes.xaxis.label.set_size(10)
    axes.yaxis.label.set_size(10)


def save(made: Any, path: str | Path) -> Path:
    """Write a figure at report size; an interruption leaves the old file."""
    path = Path(path)
    with replacing(path) as temporary:
        made.savefig(temporary, dpi=DPI, facecolor="white")
    return path


def graded(count: int) -> list[Any]:
    """Colours for ``count`` ordered values, dark to light."""
    from matplotlib import colormaps

    return [colormaps[_SEQUENTIAL](x) for x in (np.linspace(0.05, 0.85, count) if count > 1 else [0.3])]


def safe(text: object) -> str:
    """Text of a user for a label: matplotlib would read $...$ as a formula."""
    return str(text).replace("$", r"\$")


_SYMBOLS = {
    "CL": "$C_L$",
    "CD": "$C_D$",
    "CM": "$C_M$",
    "L/D": "$L/D$",
    "Cp min": "$C_{p,min}$",
    "alpha": r"$\alpha$",
    "beta": r"$\beta$",
    "x_cp/c": "$x_{cp}/c$",
}


def axis_label(column: str) -> str:
    """A column as an axis says it: ``alpha [deg]`` -> alpha in degrees; coefficients without a unit."""
    name, unit = parted(column)
    symbol = _SYMBOLS.get(name, safe(name.replace("_", " ")))
    return symbol if unit in ("", "1") else f"{symbol} [{'°' if unit == 'deg' else safe(unit)}]"


def value_label(column: str, value: float | None) -> str:
    """One value of a column: ``Re = 1e6``."""
    name, unit = parted(column)
    symbol = _SYMBOLS.get(name, safe(name.replace("_", " ")))
    said = "?" if value is None else f"{value:.4g}".replace("-", "−")
    return f"{symbol} = {said}{'' if unit in ('', '1') else '°' if unit == 'deg' else ' ' + safe(unit)}"


def level_of(row: Row) -> str:
    """The verdict of a row that has a mark of its own; unjudged rows are drawn as if inside."""
    return str(row.get("level")) if row.get("level") in MARKS else "inside"


def marked(axes: Any, rows: Sequence[Row], x: np.ndarray, y: np.ndarray, colour: Any) -> None:
    """Points of a curve, marked by their verdict."""
    for level, (marker, face, _) in MARKS.items():
        shown = np.array([level_of(row) == level and not failed(row) for row in rows], dtype=bool) & np.isfinite(x) & np.isfinite(y)
        if shown.any():
            size, edge = (7.0, 1.8) if marker == "x" else (4.5, 1.2 if face else 0.0)
            (points,) = axes.plot(x[shown], y[shown], marker, color=colour, markerfacecolor=face or colour, markersize=size, markeredgewidth=edge)
            points.set(zorder=3, clip_on=False)


def legend_of_marks(rows: Sequence[Row], *, band: bool, control: str) -> list[Any]:
    """Handles for the marks that these rows have, the band and the control."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    present = {level_of(row) for row in rows if not failed(row) and row.get("level") in MARKS}
    handles: list[Any] = []
    for level, (marker, face, label) in MARKS.items():
        if level in present:
            handles.append(
                Line2D([], [], linestyle="", marker=marker, color=INK, markerfacecolor=face or INK, markersize=6, markeredgewidth=1.5, label=label)
            )
    handles += [Patch(facecolor=FAINT, alpha=0.35, label="expected error")] if band else []
    handles += [Line2D([], [], linestyle=(0, (4, 2)), color=CONTROL, label=safe(control))] if control else []
    handles += [Line2D([], [], linestyle="", marker="|", color=WARNING, markersize=9, label="failed")] if any(map(failed, rows)) else []
    return handles
