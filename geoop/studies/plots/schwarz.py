"""Schwarz iterations as pictures: how they converge, and how a region was cut."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from ...errors import ConfigurationError
from ...mesh.case import Case
from ...mesh.mesh import Mesh
from ...mesh.triangulation import triangulated
from ...solve.schwarz.result import PART, PART_RESIDUAL, SchwarzResult
from .pictures import figure_of, save_figure


def convergence_plot(
    results: SchwarzResult | Mapping[str, SchwarzResult], path: str | Path, *, tolerance: float | None = None, title: str = ""
) -> Path:
    """Residual of the equations and change per sweep, on a logarithmic axis, one colour per result.

    With GMRES it is its own residual, and that of the equations at its end: one dot.

    Args:
        results: one, or several by name.
        path: .png, .svg or .pdf.
        tolerance: drawn as a line.
        title: of the picture.

    Raises:
        ConfigurationError: no result, or none with a sweep.
    """
    named = {results.case.name: results} if isinstance(results, SchwarzResult) else dict(results)
    if not any(item.sweeps for item in named.values()):
        raise ConfigurationError("there is no sweep to draw", where="convergence_plot", remedy="give results of at least one sweep")
    from matplotlib.ticker import MaxNLocator

    figure = figure_of((7.0, 4.4))
    axes = figure.add_subplot()
    for number, (name, item) in enumerate(named.items()):
        sweeps, colour = np.array([note.sweep for note in item.history]), f"C{number % 10}"
        krylov = item.sweeps > 1 and not np.isfinite(item.history[0].residual)
        change = "residual of GMRES" if krylov else "change, share of the range"
        for values, style, what in (
            (np.array([note.residual for note in item.history]), "-", "residual of the equations"),
            (np.array([note.update for note in item.history]), "--", change),
        ):
            shown = np.isfinite(values) & (values > 0.0)
            few = "o" if shown.sum() < 4 else None
            axes.semilogy(
                sweeps[shown], values[shown], style, color=colour, marker=few, markersize=4, label=what if len(named) == 1 else f"{name}: {what}"
            )
    if tolerance is not None:
        axes.axhline(tolerance, color="0.4", linewidth=1.0, linestyle=":")
        axes.annotate(
            f"tolerance {tolerance:.0e}",
            (0.0, tolerance),
            xycoords=("axes fraction", "data"),
            xytext=(4, 3),
            textcoords="offset points",
            fontsize=8,
            color="0.4",
        )
    axes.set(xlabel="sweep", ylabel="relative size", title=title or (next(iter(named)) if len(named) == 1 else ""))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize=8)
    return save_figure(figure, path)


def partition_picture(result: SchwarzResult | Case, path: str | Path, *, title: str = "") -> Path:
    """Left the parts that own the cells, neighbours in different colours, with their numbers; right what is left of the equations in every part.

    Args:
        result: of a plane region, or its case.
        path: .png, .svg or .pdf.
        title: of the picture.

    Raises:
        ConfigurationError: a solid, or a case without parts.
    """
    case = result.case if isinstance(result, SchwarzResult) else result
    if case.mesh.dimension != 2 or PART.name not in case.fields:
        raise ConfigurationError(
            f"a region in {case.mesh.dimension}-D with the fields {sorted(case.fields)}",
            where="partition_picture",
            remedy="give the result of a Schwarz iteration in the plane; look at solids in ParaView",
        )
    points, flat = case.mesh.points, case.mesh.cells.dimensions == 2
    triangles, owner = triangulated(_in_space(case))
    part = case.field(PART.name).values[flat].astype(np.int64)[owner]
    left = case.field(PART_RESIDUAL.name).values[flat][owner]
    wide, high = np.ptp(points, axis=0)
    beside = high > 0.3 * wide
    figure = figure_of((10.0, float(np.clip(4.4 * high / wide, 2.0, 7.0)) + 0.5) if beside else (8.0, float(14.5 * high / wide) + 1.7))
    grid = (1, 2) if beside else (2, 1)
    _draw_parts(figure.add_subplot(*grid, 1), points, triangles, part)
    axes = figure.add_subplot(*grid, 2)
    drawn = _draw_residuals(axes, points, triangles, part, left)
    side, share, thin = ("vertical", 0.9, 20) if beside else ("horizontal", 0.6, 40)
    figure.colorbar(drawn, ax=axes, label="log10 of the residual in the part", orientation=side, shrink=share, aspect=thin)
    figure.suptitle(title or f"{case.name}: {len(np.unique(part))} parts", fontsize=10)
    return save_figure(figure, path)


def _in_space(case: Case) -> Mesh:
    cells = case.mesh.cells
    return Mesh(np.pad(case.mesh.points, ((0, 0), (0, 1))), cells.take(np.flatnonzero(cells.dimensions == 2)))


def _draw_parts(axes, points: np.ndarray, triangles: np.ndarray, part: np.ndarray) -> None:
    from matplotlib import colormaps

    colours = np.asarray(colormaps["Set3"](np.linspace(0, 1, 12)))[:, :3]
    chosen = _neighbours_apart(triangles, part, len(colours))
    axes.tripcolor(
        *points.T, triangles, facecolors=chosen[part].astype(np.float64), cmap=_listed(colours), vmin=-0.5, vmax=len(colours) - 0.5, rasterized=True
    )
    _outline(axes, points, triangles, part)
    middle = points[triangles].mean(axis=1)
    ends = points[_borders(triangles, part)]
    room = cKDTree(np.concatenate([ends[:, 0], ends.mean(axis=1), ends[:, 1]])).query(middle)[0]
    for k in np.unique(part):
        mine = np.flatnonzero(part == k)
        axes.text(*middle[mine[np.argmax(room[mine])]], str(k), ha="center", va="center", fontsize=8)
    axes.set_aspect("equal")
    axes.set_axis_off()


def _draw_residuals(axes, points: np.ndarray, triangles: np.ndarray, part: np.ndarray, left: np.ndarray):
    shown = np.log10(np.maximum(left, 1e-16))  # rounding; parts in which everything is imposed have no residual at all
    drawn = axes.tripcolor(*points.T, triangles, facecolors=shown, cmap="viridis", rasterized=True)
    _outline(axes, points, triangles, part)
    axes.set_aspect("equal")
    axes.set_axis_off()
    return drawn


def _listed(colours: np.ndarray):
    from matplotlib.colors import ListedColormap

    return ListedColormap(colours)


def _neighbours_apart(triangles: np.ndarray, part: np.ndarray, count: int) -> np.ndarray:
    """(p,) a colour per part, another one than those of the parts before it that it touches; by number where all are taken."""
    corner_parts = np.unique(np.stack([triangles.ravel(), np.repeat(part, 3)], axis=1), axis=0)
    touching: dict[int, set[int]] = {k: set() for k in range(int(part.max()) + 1)}
    for run in np.split(corner_parts[:, 1], np.flatnonzero(np.diff(corner_parts[:, 0])) + 1):
        for k in run:
            touching[int(k)] |= set(run.tolist())
    colour = np.full(len(touching), -1)
    for k in touching:
        taken = {int(colour[j]) for j in touching[k]}
        order = [(k + step) % count for step in range(count)]  # turned, so that all colours are used
        colour[k] = next((c for c in order if c not in taken), k % count)
    return colour


def _borders(triangles: np.ndarray, part: np.ndarray) -> np.ndarray:
    """(k, 2) edges between two parts, and of the region."""
    edges = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    owners = np.unique(np.column_stack([edges, np.repeat(part, 3)]), axis=0)
    _, first, count = np.unique(owners[:, :2], axis=0, return_index=True, return_counts=True)
    _, alone = np.unique(edges, axis=0, return_counts=True)
    return owners[first][(count > 1) | (alone == 1), :2]


def _outline(axes, points: np.ndarray, triangles: np.ndarray, part: np.ndarray) -> None:
    from matplotlib.collections import LineCollection

    axes.add_collection(LineCollection(list(points[_borders(triangles, part)]), colors="0.15", linewidths=0.6))
