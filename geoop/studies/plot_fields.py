"""Fields of a study as pictures: speed and streamlines around a section, pressure on a body in space. None needs a display."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ConfigurationError, GeoopError, MissingDependencyError
from ..io.atomic import replacing
from ..mesh.body import body
from ..mesh.case import Case
from ..mesh.loops import loops
from ..mesh.mesh import Mesh
from .plot_style import INK, dress, safe, save, value_label
from .plots import figure_of, triangles_of
from .study_folder import ALPHA

PRESSURE, VELOCITY = "pressure_coefficient", "velocity"
#: Blue is suction, red is pressure, white the free stream: for Cp in all pictures and in ParaView.
DIVERGING = "coolwarm"
#: Window around a section in body lengths, and nodes of the lattice on which streamlines are drawn.
_MARGIN, _LATTICE = (0.45, 0.55), 160


def field_view(case: Case, path: str | Path, *, title: str = "") -> Path:
    """Cp in colours and streamlines around a section; the speed where a file has no Cp.

    Args:
        case: a plane case with cells, or with points alone, whose fields are at points.
        path: .png, .svg or .pdf.
        title: above the picture.

    Raises:
        ConfigurationError: neither a pressure coefficient nor a velocity at the points.
        InvalidMeshError: no body in it.
    """
    fields = {name: item for name in (PRESSURE, VELOCITY) if (item := case.fields.get(name)) is not None and item.location == "point"}
    if case.mesh.dimension != 2 or not fields:
        raise ConfigurationError(
            "no plane case with fields at points", where=case.name, remedy="give the .vtu of a section, or draw a body: body_view"
        )
    section = body(case.mesh, case.wall)
    low, high = section.bounds
    size = float((high - low).max())
    window = np.stack([low - size * np.array(_MARGIN), high + size * np.array(_MARGIN)])
    mesh = _triangulation(case, section)
    made = figure_of((6.4, 4.1))
    ax = made.subplots()
    dress(ax)
    ax.grid(False)
    shown = ((case.mesh.points > window[0]) & (case.mesh.points < window[1])).all(axis=1)
    filled, label = _filled(ax, mesh, fields, shown)
    if VELOCITY in fields:
        _streamlines(ax, mesh, fields[VELOCITY].values, window)
    for loop in loops(section):
        ax.fill(*section.points[loop.points].T, facecolor="white", edgecolor=INK, linewidth=1.2, zorder=5)
    made.colorbar(filled, ax=ax, label=label, format="%.3g", shrink=0.9, ticks=_ticks(filled))
    ax.set(aspect="equal", xlim=window[:, 0], ylim=window[:, 1], xlabel="x [m]", ylabel="y [m]")
    ax.set_title(title or _titled(case), fontsize=11, fontweight="bold", loc="left")
    return save(made, path)


def body_view(case: Case, path: str | Path, *, size: tuple[int, int] = (1200, 780), limits: tuple[float, float] | None = None) -> Path:
    """The wall of a body in space, coloured by Cp, seen from ahead and above: drawn by VTK without a display.

    Args:
        case: a surface in space with a pressure coefficient at points or cells.
        path: .png.
        size: pixels.
        limits: range of the colours; None takes the 1st to the 99th percentile.

    Raises:
        ConfigurationError: no such field, or no surface in space.
        MissingDependencyError: VTK finds nothing to draw with.
    """
    item = case.fields.get(PRESSURE)
    if case.mesh.dimension != 3 or item is None or item.location not in ("point", "cell"):
        raise ConfigurationError(f"no surface in space with {PRESSURE}", where=case.name, remedy="give the .vtp of a body; sections: field_view")
    surface = _surface(case)
    limits = limits or tuple(np.percentile(item.values, [1, 99]))  # type: ignore[assignment]
    with off_screen(size) as plotter:
        surface[PRESSURE] = item.values
        bar = {"title": "Cp [1]", "vertical": True, "height": 0.6, "position_x": 0.86, "position_y": 0.2, "color": INK, "fmt": "%.2f"}
        plotter.add_mesh(
            surface, scalars=PRESSURE, cmap=pressure_colours(limits), clim=limits, smooth_shading=True, ambient=0.35, diffuse=0.7, scalar_bar_args=bar
        )
        plotter.add_text(_titled(case, plain=True), font_size=11, color=INK, position=(0.02, 0.94), viewport=True)
        plotter.add_axes(color=INK)
        plotter.camera_position = [(-1.6, -1.9, 1.1), (0, 0, 0), (0, 0, 1)]
        plotter.reset_camera()
        plotter.camera.zoom(1.15)
        with replacing(path) as beside:
            plotter.screenshot(str(beside))
    return Path(path)


@contextmanager
def off_screen(size: tuple[int, int]) -> Iterator[Any]:
    """A pyvista plotter that draws into memory, on a white ground, closed at the end.

    VTK takes EGL or OSMesa by itself where there is no display; what it says about the display that is not there is kept back.

    Raises:
        MissingDependencyError: neither is there.
    """
    import pyvista as pv
    from vtkmodules.vtkCommonCore import vtkLogger

    before = vtkLogger.GetCurrentVerbosityCutoff()
    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)
    try:
        plotter: Any = pv.Plotter(off_screen=True, window_size=list(size))
        plotter.set_background("white")
        try:
            yield plotter
        finally:
            plotter.close()
    except GeoopError:
        raise
    except (RuntimeError, OSError) as error:
        raise MissingDependencyError(
            f"VTK cannot draw here: {error}", where="picture", remedy="install Mesa's off-screen drawing: apt-get install libegl1 libosmesa6"
        ) from error
    finally:
        vtkLogger.SetStderrVerbosity(before)


def pressure_colours(limits: tuple[float, float]) -> Any:
    """The diverging colours of Cp over a range, white at Cp = 0 wherever that lies in it."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    low, high = limits
    values = np.linspace(low, high, 256)
    span = (max(-low, 1e-9), max(high, 1e-9))
    return ListedColormap(colormaps[DIVERGING](np.where(values < 0, 0.5 + 0.5 * values / span[0], 0.5 + 0.5 * values / span[1])))


def _surface(case: Case) -> Any:
    """The mesh as pyvista's polygons; quadratic facets by their corners."""
    import pyvista as pv

    from ..mesh.triangulation import triangulated

    triangles, cells = triangulated(case.mesh)
    faces = np.column_stack([np.full(len(triangles), 3), triangles])
    made = pv.PolyData(np.asarray(case.mesh.points), faces.ravel())
    if case.fields[PRESSURE].location == "cell":
        made.cell_data[PRESSURE] = case.fields[PRESSURE].values[cells]
    return made


def _titled(case: Case, *, plain: bool = False) -> str:
    point = case.operating_point
    if point is None:
        return case.name if plain else safe(case.name)
    if plain:
        return f"{case.name}: alpha {point.alpha:g} deg, {point.velocity:g} m/s"
    return f"{safe(case.name)}: {value_label(ALPHA, point.alpha)}, {point.velocity:g} m/s"


def _triangulation(case: Case, section: Mesh) -> Any:
    """Of the cells; of points without cells by Delaunay, with the triangles inside the body left out."""
    from matplotlib.path import Path as Outline
    from matplotlib.tri import Triangulation

    x, y = case.mesh.points.T
    if (case.mesh.cells.dimensions == 2).any():
        return Triangulation(x, y, triangles_of(case))
    mesh = Triangulation(x, y)
    centres = case.mesh.points[mesh.triangles].mean(axis=1)
    mesh.set_mask(np.any([Outline(section.points[loop.points]).contains_points(centres) for loop in loops(section)], axis=0))
    return mesh


def _filled(ax: Any, mesh: Any, fields: dict, shown: np.ndarray) -> tuple[Any, str]:
    from matplotlib.colors import TwoSlopeNorm

    if PRESSURE in fields:
        values = fields[PRESSURE].values
        low, high = np.percentile(values[shown], [1.0, 99.5])
        low, high = min(low, -0.1), max(min(high, 1.0), 0.1)
        levels = np.concatenate([np.linspace(low, 0.0, 33), np.linspace(0.0, high, 17)[1:]])
        return ax.tricontourf(mesh, values, levels=levels, cmap=DIVERGING, norm=TwoSlopeNorm(0.0, low, high), extend="both"), "$C_p$"
    speed = np.linalg.norm(fields[VELOCITY].values, axis=1)
    low, high = np.percentile(speed[shown], [1.0, 99.5])
    levels = np.linspace(low, high if high > low else low + 1.0, 49)
    return ax.tricontourf(mesh, speed, levels=levels, cmap="viridis", extend="both"), "speed [m/s]"


def _ticks(filled: Any) -> np.ndarray:
    """Round values; on a scale with two slopes some on both sides of zero."""
    from matplotlib.ticker import MaxNLocator

    low, high = filled.levels[0], filled.levels[-1]
    pair = [(low, high, 8)] if low >= 0 or filled.get_cmap().name != DIVERGING else [(low, 0.0, 5), (0.0, high, 5)]
    ticks = np.unique(np.concatenate([MaxNLocator(count).tick_values(*ends) for *ends, count in pair]))
    return ticks[(ticks >= low) & (ticks <= high)]


def _streamlines(ax: Any, mesh: Any, velocity: np.ndarray, window: np.ndarray) -> None:
    from matplotlib.tri import LinearTriInterpolator

    x, y = (np.linspace(*window[:, k], _LATTICE) for k in range(2))
    u, v = (LinearTriInterpolator(mesh, velocity[:, k])(*np.meshgrid(x, y)) for k in range(2))
    ax.streamplot(x, y, u, v, color=(0.1, 0.1, 0.1, 0.55), linewidth=0.6, density=1.1, arrowsize=0.7)
