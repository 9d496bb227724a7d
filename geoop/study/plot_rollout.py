"""Rollouts as pictures: a movie beside the truth, and what they are worth over time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ConfigurationError
from ..io.atomic import replacing
from ..mesh.case import Case, Series
from ..mesh.mesh import Mesh
from ..mesh.triangulation import triangulated
from ..results.rollout_diagnostics import Diagnosis
from .plots import figure_of, save_figure


def rollout_movie(series: Mapping[str, Series], path: str | Path, quantity: str = "velocity", *, component: int = -1, rate: float = 10.0) -> Path:
    """Frames of one or several series, one below the other, in common colours.

    Args:
        series: title -> series in time on plane meshes; a frame shows the same number of each, and there are as many as the shortest has.
        path: ``.gif``, an animation; ``.png``, numbered pictures beside each other, of which the first is returned.
        quantity: name of a point field.
        component: of a vector: the last is across the stream.
        rate: frames per second.

    Raises:
        ConfigurationError: no series, a solid, or another suffix.
    """
    target, problems = Path(path), []
    if target.suffix.lower() not in (".gif", ".png"):
        problems.append(f"a movie '{target.suffix}'")
    if not series or any(case.mesh.dimension != 2 for item in series.values() for case in item.cases[:1]):
        problems.append("no series on a plane mesh")
    if problems:
        raise ConfigurationError(
            "; ".join(problems),
            where="rollout_movie",
            remedy="write .gif, or .png for numbered pictures that ffmpeg makes an .mp4 of; look at solids in ParaView (.pvd)",
        )
    values = {name: [_values(case, quantity, component) for case in item.cases] for name, item in series.items()}
    count = min(len(rows) for rows in values.values())
    low = min(float(np.quantile(row, 0.002)) for rows in values.values() for row in rows[:count])
    high = max(float(np.quantile(row, 0.998)) for rows in values.values() for row in rows[:count])

    def drawn(number: int) -> Any:
        first = next(iter(series.values())).cases[number].mesh
        wide, tall = np.ptp(first.points, axis=0)
        figure = figure_of((8.0, len(series) * (8.0 * float(np.clip(tall / wide, 0.2, 2.0)) + 0.3)))
        for row, (name, item) in enumerate(series.items(), start=1):
            axes = figure.add_subplot(len(series), 1, row)
            case = item.cases[number]
            triangles, _ = triangulated(_in_space(case.mesh))
            axes.tripcolor(
                case.mesh.points[:, 0],
                case.mesh.points[:, 1],
                values[name][number],
                triangles=triangles,
                shading="gouraud",
                vmin=low,
                vmax=high,
                cmap="RdBu_r",
            )
            axes.set_aspect("equal")
            axes.set_axis_off()
            axes.set_title(f"{name}, {item.values[number]:.3g} s", fontsize=9)
        return figure

    if target.suffix.lower() == ".gif":
        return _gif([drawn(number) for number in range(count)], target, rate)
    frames = [save_figure(drawn(number), target.with_name(f"{target.stem}_{number:04d}.png")) for number in range(count)]
    return frames[0]


def diagnosis_plot(found: Mapping[str, Diagnosis], path: str | Path, *, title: str = "") -> Path:
    """Error over time beside standing still, and divergence beside the truth's own, one colour per rollout.

    Args:
        found: name -> diagnosis, all beside the same truth.
        path: .png, .svg or .pdf.
        title: of the picture.

    Raises:
        ConfigurationError: nothing to draw.
    """
    if not found:
        raise ConfigurationError("there is no diagnosis to draw", where="diagnosis_plot", remedy="give at least one")
    first = next(iter(found.values()))
    figure = figure_of((10.0, 4.0) if len(first.divergence) else (6.0, 4.0))
    axes = figure.add_subplot(1, 2 if len(first.divergence) else 1, 1)
    axes.plot(first.times, first.persistence, "k:", label="standing still")
    axes.plot(first.times, first.identity, "k--", linewidth=0.8, label="the true frame before")
    for name, item in found.items():
        axes.plot(item.times, item.error, label=name)
    axes.set(xlabel="time [s]", ylabel=f"relative L2 error of {first.quantity}", ylim=(0.0, None))
    axes.legend(frameon=False, fontsize=8)
    if len(first.divergence):
        beside = figure.add_subplot(1, 2, 2)
        beside.plot(first.times, first.reference_divergence, "k-", label="truth")
        for name, item in found.items():
            beside.plot(item.times, item.divergence, label=name)
        beside.set(xlabel="time [s]", ylabel="L2 norm of the divergence", ylim=(0.0, None))
        beside.legend(frameon=False, fontsize=8)
    figure.suptitle(title, fontsize=10)
    return save_figure(figure, path)


def _gif(figures: list[Any], target: Path, rate: float) -> Path:
    """An animation by Pillow, which comes with matplotlib, through the writer of matplotlib."""
    from matplotlib.animation import PillowWriter

    writer = PillowWriter(fps=max(1, round(rate)))
    with replacing(target) as beside:
        scratch = beside.with_name(beside.name + ".gif")
        with writer.saving(figures[0], str(scratch), 100):
            for figure in figures:
                writer.fig = figure
                writer.grab_frame()
        scratch.replace(beside)
    return target


def _values(case: Case, quantity: str, component: int) -> np.ndarray:
    values = np.asarray(case.field(quantity).values, dtype=np.float64)
    return values if values.ndim == 1 else values[:, component]


def _in_space(mesh: Mesh) -> Mesh:
    return Mesh(np.pad(mesh.points, ((0, 0), (0, 1))), mesh.cells.take(np.flatnonzero(mesh.cells.dimensions == 2)))
