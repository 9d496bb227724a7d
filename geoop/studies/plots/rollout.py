"""Rollouts as pictures: a movie beside the truth, and what they are worth over time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ConfigurationError, MissingDependencyError
from ...io.atomic import replacing
from ...mesh.case import Case, Series
from ...mesh.mesh import Mesh
from ...mesh.triangulation import triangulated
from ...results.rollout_diagnostics import Diagnosis
from .pictures import figure_of, save_figure

#: Suffixes of what a movie can be.
MOVIES = (".gif", ".mp4", ".png")


def rollout_movie(series: Mapping[str, Series], path: str | Path, quantity: str = "velocity", *, component: int = -1, rate: float = 10.0) -> Path:
    """Frames of one or several series, one below the other, in common colours.

    Args:
        series: title -> series in time on plane meshes; a frame shows the same number of each, and there are as many as the shortest has.
        path: ``.gif``, an animation; ``.mp4``, the same where the program ffmpeg is there; ``.png``, numbered pictures beside each other, of
            which the first is returned.
        quantity: name of a point field.
        component: of a vector: the last is across the stream.
        rate: frames per second.

    Raises:
        ConfigurationError: no series, a solid, or another suffix.
        MissingDependencyError: an ``.mp4`` without ffmpeg.
    """
    target, problems = Path(path), []
    if target.suffix.lower() not in MOVIES:
        problems.append(f"a movie '{target.suffix}'")
    if not series or any(case.mesh.dimension != 2 for item in series.values() for case in item.cases[:1]):
        problems.append("no series on a plane mesh")
    if problems:
        raise ConfigurationError(
            "; ".join(problems),
            where="rollout_movie",
            remedy="write .gif, .mp4 or .png (numbered pictures); look at solids in ParaView (.pvd)",
        )
    require_movie_writer(target)
    values = {name: [_values(case, quantity, component) for case in item.cases] for name, item in series.items()}
    count = min(len(rows) for rows in values.values())
    low = min(float(np.quantile(row, 0.002)) for rows in values.values() for row in rows[:count])
    high = max(float(np.quantile(row, 0.998)) for rows in values.values() for row in rows[:count])

    # one size for all frames, also where the mesh moves
    wide, tall = np.ptp(next(iter(series.values())).cases[0].mesh.points, axis=0)

    def drawn(number: int) -> Any:
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

    if target.suffix.lower() != ".png":
        return _animation(drawn, count, target, rate)
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


def require_movie_writer(path: Path) -> None:
    """Refuse an ``.mp4`` where nothing can write it, before anything is computed.

    Raises:
        MissingDependencyError: there is no program ffmpeg.
    """
    if path.suffix.lower() != ".mp4":
        return
    from matplotlib.animation import FFMpegWriter

    if not FFMpegWriter.isAvailable():
        raise MissingDependencyError(
            "an .mp4 is written by the program ffmpeg, which is not there",
            where=str(path),
            remedy="write .gif, or install ffmpeg, e.g. apt install ffmpeg, conda install ffmpeg",
        )


def _animation(drawn: Callable[[int], Any], count: int, target: Path, rate: float) -> Path:
    """All frames in one file: .gif by Pillow, which comes with matplotlib, .mp4 by ffmpeg; a frame is drawn when it is its turn."""
    from matplotlib.animation import FFMpegWriter, PillowWriter

    suffix, fps = target.suffix.lower(), max(1, round(rate))
    even = ["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2"]  # the colours of a video come in blocks of two by two
    writer = PillowWriter(fps=fps) if suffix == ".gif" else FFMpegWriter(fps=fps, codec="h264", extra_args=[*even, "-pix_fmt", "yuv420p"])
    with replacing(target) as beside:
        scratch, first = beside.with_name(beside.name + suffix), drawn(0)
        with writer.saving(first, str(scratch), 100):
            for number in range(count):
                writer.fig = drawn(number) if number else first
                writer.grab_frame()
        scratch.replace(beside)
    return target


def _values(case: Case, quantity: str, component: int) -> np.ndarray:
    values = np.asarray(case.field(quantity).values, dtype=np.float64)
    return values if values.ndim == 1 else values[:, component]


def _in_space(mesh: Mesh) -> Mesh:
    return Mesh(np.pad(mesh.points, ((0, 0), (0, 1))), mesh.cells.take(np.flatnonzero(mesh.cells.dimensions == 2)))
