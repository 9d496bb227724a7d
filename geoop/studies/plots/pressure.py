"""Pressure on the wall of a section over its chord, several angles in one picture, the section itself beneath."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ConfigurationError, GeoopError
from ...mesh.body import body, body_cells
from ...mesh.case import Case
from ...mesh.chord import chord_line
from ...mesh.loops import loops, signed_area
from ..report.study_folder import StudyFolder, failed, number
from ..sweep.table import Row
from .pictures import figure_of
from .polars import curves_of
from .style import FAINT, INK, dress, graded, level_of, safe, save, value_label

PRESSURE, BAND = "pressure_coefficient", "pressure_coefficient_band"
#: Angles in one picture.
SHOWN = 5
#: Trusted rows that make a picture by themselves.
_ENOUGH = 3
#: Inches: margin with the labels, width and height of the plot of Cp, room for the legend, gap above the section.
_LEFT, _WIDE, _TALL, _LEGEND, _GAP = 0.75, 6.5, 3.7, 0.88, 0.12
#: Share of the chord at the trailing edge where an inviscid flow stagnates as well.
_REAR = 0.95


@dataclass(frozen=True, eq=False)
class WallPressure:
    """Pressure around a section, in chords: n points of the longest loop, counter-clockwise, the first one repeated at the end.

    Attributes:
        outline: (n, 2) chordwise and normal position, the leading edge at (0, 0), the trailing edge at (1, 0).
        values: (n,) Cp.
        band: (n,) half-width of the band of Cp; None where the file has none.
        others: outlines of further loops (slat, flap), (k, 2) each.
    """

    outline: np.ndarray
    values: np.ndarray
    band: np.ndarray | None
    others: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, case: Case) -> WallPressure | None:
        """From the wall of a plane case; None where it is no section with pressure at its points."""
        item = case.fields.get(PRESSURE)
        if case.mesh.dimension != 2 or item is None or item.location != "point" or item.quantity.rank:
            return None
        try:
            section = body(case.mesh, case.wall)
            chord, rings = chord_line(section), loops(section)
        except GeoopError:
            return None
        used = np.unique(body_cells(case.mesh, case.wall).connectivity)
        along = (chord.trailing_edge - chord.leading_edge) / chord.length
        axes = np.stack([along, [-along[1], along[0]]], axis=1)
        placed = (section.points - chord.leading_edge) @ axes / chord.length
        longest = max(rings, key=lambda loop: float(np.linalg.norm(np.diff(section.points[loop.points], axis=0), axis=1).sum()))
        ring = longest.points if signed_area(placed[longest.points]) >= 0 else longest.points[::-1]
        ring = np.append(ring, ring[0])
        band = case.fields.get(BAND)
        width = band.values[used][ring] if band is not None and band.location == "point" else None
        return cls(placed[ring], item.values[used][ring], width, tuple(placed[loop.points] for loop in rings if loop is not longest))

    @property
    def suction_peak(self) -> int:
        """Row of the lowest pressure."""
        return int(np.nanargmin(self.values))

    @property
    def stagnation(self) -> int:
        """Row of the highest pressure ahead of the trailing edge."""
        ahead = np.where(self.outline[:, 0] < _REAR, self.values, -np.inf)
        return int(np.nanargmax(ahead))


def pressure_picture(study: StudyFolder, geometry: str, path: str | Path) -> Path:
    """Cp over x/c at up to five angles of one section, its axis reversed; beneath, the section with its stagnation points.

    Shaded is the band of Cp where the files have one. A triangle marks the suction peak, a dot the stagnation point; curves of a
    verdict outside are dashed.

    Args:
        study: an open study.
        geometry: one of its names.
        path: .png, .svg or .pdf.

    Raises:
        ConfigurationError: no case of the geometry has a section's wall with a pressure coefficient at its points.
    """
    over, rows = chosen_rows(study, geometry, SHOWN)
    found = [(row, wall) for row in rows if (case := study.wall(row)) is not None and (wall := WallPressure.of(case)) is not None]
    if not found:
        raise ConfigurationError(
            f"no wall of '{geometry}' has {PRESSURE}", where="pressure_picture", remedy="draw surface pictures of bodies in space"
        )
    made, above, beneath = _panels(found[0][1])
    for colour, (row, wall) in zip(graded(len(found)), found, strict=True):
        _pressure(above, row, wall, colour, value_label(over, number(row, over)))
        place = wall.outline[wall.stagnation]
        beneath.plot(*place, "o", color=colour, markersize=6, markeredgecolor="white", markeredgewidth=0.8, zorder=3)
    above.invert_yaxis()
    above.set_ylabel("$C_p$")
    above.axhline(0.0, color=FAINT, linewidth=0.8, zorder=1)
    above.legend(frameon=False, fontsize=9, loc="upper right")
    above.set_title(safe(geometry), fontsize=11, fontweight="bold", loc="left")
    _section(beneath, found[0][1])
    _explained(made, any(wall.band is not None for _, wall in found))
    return save(made, path)


def chosen_rows(study: StudyFolder, geometry: str, most: int) -> tuple[str, list[Row]]:
    """The input that varies and at most ``most`` solved rows of the middle curve, spread evenly over it, both ends among them.

    Rows with the verdict outside are left out where three others are there: their peaks would squeeze what can be trusted.
    """
    over, curves = curves_of(study, study.of(geometry))
    rows = [row for row in curves[len(curves) // 2].rows if not failed(row)] if curves else []
    trusted = [row for row in rows if level_of(row) != "outside"]
    rows = trusted if len(trusted) >= _ENOUGH else rows
    index = np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(int)) if rows else []
    return over, [rows[k] for k in index]


def _pressure(ax: Any, row: Row, wall: WallPressure, colour: Any, label: str) -> None:
    outside = level_of(row) == "outside"
    x, cp = wall.outline[:, 0], wall.values
    ax.plot(x, cp, "--" if outside else "-", color=colour, linewidth=1.5, label=label + (" (outside)" if outside else ""))
    if wall.band is not None:
        for side in _sides(wall):
            ax.fill_between(x[side], (cp - wall.band)[side], (cp + wall.band)[side], color=colour, alpha=0.2, linewidth=0)
    for place, marker in ((wall.suction_peak, "v"), (wall.stagnation, "o")):
        ax.plot(x[place], cp[place], marker, color=colour, markersize=6, markeredgecolor="white", markeredgewidth=0.8, zorder=3)


def _sides(wall: WallPressure) -> Sequence[np.ndarray]:
    """Upper and lower side, cut at the leading edge: a band must not be filled across the section."""
    nose = int(np.argmin(wall.outline[:, 0]))
    start = int(np.argmax(wall.outline[:-1, 0]))
    order = (start + np.arange(len(wall.outline))) % (len(wall.outline) - 1)
    cut = int(np.flatnonzero(order == nose % (len(wall.outline) - 1))[0])
    return order[: cut + 1], order[cut:]


def _panels(wall: WallPressure) -> tuple[Any, Any, Any]:
    """Figure, axes of the pressure, and axes beneath that share the chord and are as high as the section at its true proportions is."""
    rings = np.concatenate([wall.outline, *wall.others])
    low, high = rings.min(axis=0), rings.max(axis=0)
    low, high = low - [0.03, max(0.02, 0.5 * (0.12 - high[1] + low[1]))], high + [0.03, max(0.02, 0.5 * (0.12 - high[1] + low[1]))]
    strip = _WIDE * float((high - low)[1] / (high - low)[0])
    height = _LEGEND + strip + _GAP + _TALL + 0.35
    made = figure_of((_LEFT + _WIDE + 0.15, height))
    made.set_layout_engine("none")
    across, wide = _LEFT / (_LEFT + _WIDE + 0.15), _WIDE / (_LEFT + _WIDE + 0.15)
    beneath = made.add_axes((across, _LEGEND / height, wide, strip / height))
    above = made.add_axes((across, (_LEGEND + strip + _GAP) / height, wide, _TALL / height), sharex=beneath)
    for item in (above, beneath):
        dress(item)
    above.tick_params(labelbottom=False)
    beneath.set(xlabel="$x/c$", ylabel="$y/c$", xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    beneath.locator_params(axis="y", nbins=3)
    return made, above, beneath


def _section(ax: Any, wall: WallPressure) -> None:
    for ring in (wall.outline, *wall.others):
        ax.fill(*ring.T, facecolor="#d9dde2", edgecolor=INK, linewidth=1.0, zorder=2)


def _explained(made: Any, band: bool) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Line2D([], [], linestyle="", marker="v", color=INK, label="suction peak"),
        Line2D([], [], linestyle="", marker="o", color=INK, label="stagnation point"),
    ]
    handles += [Patch(facecolor=FAINT, alpha=0.4, label="expected error")] if band else []
    made.legend(handles=handles, loc="lower center", ncols=3, frameon=False, fontsize=9)
