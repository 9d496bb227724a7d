"""The command that rolls a trained stepper out in time."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ConfigurationError
from .printing import NOT_CONVERGED, Json, counting, outcome_data, outcome_line, show_result

if TYPE_CHECKING:
    import numpy as np

    from ..mesh.case import Series
    from ..results.rollout_diagnostics import Diagnosis, Probe
    from ..solve.rollout import Rollout


def rollout(
    model: Annotated[str, typer.Argument(help="checkpoint of a stepper, .safetensors")],
    case: Annotated[Path, typer.Argument(help="first states: a series (.pvd, OpenFOAM, ...), one case of a file, or DATASET/SERIES of a data set")],
    output: Annotated[Path, typer.Option("--output", "-o", help=".pvd; the frames go into a folder of the same name beside it")],
    steps: Annotated[int | None, typer.Option(help="to predict, of the model's interval; as many as the series has unless given")] = None,
    restart: Annotated[int, typer.Option(help="frames after which it goes on from its own answers; 0: never, every frame is one jump")] = 1,
    compare: Annotated[bool, typer.Option("--compare", help="beside the later frames of the series: errors, divergence, phases")] = False,
    probe: Annotated[list[str] | None, typer.Option(metavar="X,Y", help="with --compare: phase and Strouhal number there \\[m]; repeat")] = None,
    movie: Annotated[Path | None, typer.Option(help=".gif, .mp4 where ffmpeg is installed, or .png for numbered pictures; of plane meshes")] = None,
    plot: Annotated[Path | None, typer.Option(help="with --compare: picture of errors over time, .png, .svg or .pdf")] = None,
    as_json: Json = False,
) -> None:
    """Predict a series in time from its first states; later frames of the file are never shown to the model. Exits with 3 where it diverged."""
    from ..io.paraview import write_series
    from ..results.rollout_diagnostics import diagnose
    from ..results.stepping import rollout as roll
    from ..results.stepping import stepper_of

    _require_names(case, output, movie, plot, compare, probe)
    stepper, series = stepper_of(model), _read(case)
    with counting("frames") as progress:
        found = roll(stepper, series, steps=steps, restart=restart or None, progress=progress)
    files = [write_series(found.series, output)]
    quantity, diagnosis = stepper.quantities[0], None
    if compare:
        points = [_point(text) for text in probe or ()]
        diagnosis = diagnose(found.series, series, quantity, given=found.given, probes=points)
    files += _pictures(found, series if compare else None, diagnosis, movie, plot, quantity)
    data: dict[str, Any] = {
        "outcome": outcome_data(found.outcome),
        "frames": len(found.series),
        "given": found.given,
        "diverged_at": found.diverged_at,
    }
    data |= {} if found.verdict is None else {"verdict": found.verdict.to_dict()}
    data |= {"seconds": found.seconds, "excess": list(found.excess), "files": [str(path) for path in files]}
    data |= {} if diagnosis is None else {"frames_compared": diagnosis.rows(), "probes": _probe_rows(diagnosis)}
    show_result(data, "\n".join([*_lines(found, diagnosis), f"written: {', '.join(map(str, files))}"]), as_json)
    if not found.outcome.ok:
        raise typer.Exit(NOT_CONVERGED)


def _read(path: Path) -> Series:
    """A series: of a data set, of a file with steps, or a single case as a series of one."""
    from ..io.dataset import Dataset
    from ..io.manifest import FILE_NAME
    from ..io.reading import read_case, read_steps
    from ..mesh.case import Series

    if (path.parent / FILE_NAME).exists() and not path.exists():
        return Dataset.open(path.parent).series(path.name)
    found = read_case(path) if path.suffix.lower() in (".vtu", ".vtp") else read_steps(path)
    return found if isinstance(found, Series) else Series([found.time or 0.0], (found,))


def _require_names(case: Path, output: Path, movie: Path | None, plot: Path | None, compare: bool, probe: list[str] | None) -> None:
    """Refuse names of files before anything is computed."""
    problems = []
    if output.suffix.lower() != ".pvd" or output.resolve() == case.resolve():
        problems.append(f"--output is '{output}', must end in .pvd and not be the input")
    if movie is not None and movie.suffix.lower() not in (".gif", ".mp4", ".png"):
        problems.append(f"--movie is '{movie}', must end in .gif, .mp4 or .png")
    if plot is not None and plot.suffix.lower() not in (".png", ".svg", ".pdf"):
        problems.append(f"--plot is '{plot}', must end in .png, .svg or .pdf")
    if not compare and (plot is not None or probe):
        problems.append("--plot and --probe without --compare")
    problems += [f"there is no folder '{path.parent}'" for path in (output, movie, plot) if path is not None and not path.parent.is_dir()]
    for text in probe or ():
        try:
            _point(text)
        except ValueError:
            problems.append(f"--probe is '{text}'")
    if problems:
        raise ConfigurationError("; ".join(problems), where="geoop rollout", remedy="for example -o out.pvd --compare --probe 9.5,8 --movie out.gif")
    if movie is not None and movie.suffix.lower() == ".mp4":
        from ..studies.plots.rollout import require_movie_writer

        require_movie_writer(movie)


def _point(text: str) -> list[float]:
    return [float(part) for part in text.split(",")]


def _pictures(found: Rollout, truth: Series | None, diagnosis: Diagnosis | None, movie: Path | None, plot: Path | None, quantity: str) -> list[Path]:
    from ..studies.plots.rollout import diagnosis_plot, rollout_movie

    drawn = []
    if movie is not None:
        shown = {"prediction": found.series} | ({} if truth is None else {"truth": truth})
        drawn.append(rollout_movie(shown, movie, quantity))
    if plot is not None and diagnosis is not None:
        drawn.append(diagnosis_plot({"prediction": diagnosis}, plot))
    return drawn


def _probe_rows(diagnosis: Diagnosis) -> list[dict[str, Any]]:
    return [
        {"point": item.point, "strouhal": item.strouhal, "reference_strouhal": item.reference_strouhal, "phase_error": item.phase_error}
        for item in diagnosis.probes
    ]


def _lines(found: Rollout, diagnosis: Diagnosis | None) -> list[str]:
    """How it went, line by line."""
    lines = [f"{len(found.series)} frames, {found.given} of them given, in {found.seconds:.2f} s", outcome_line(found.outcome)]
    lines += [] if found.verdict is None else [f"verdict {found.verdict}"]
    if diagnosis is not None:
        d, last = diagnosis, len(diagnosis.times) - 1
        lines.append(f"error of {d.quantity} (relative L2): mean {d.error.mean():.3g}, at the last common frame {d.error[last]:.3g}")
        lines.append(
            f"standing still: mean {d.persistence.mean():.3g}, {d.persistence[last]:.3g}; the true frame before: mean {d.identity.mean():.3g}"
        )
        if len(d.divergence):
            lines.append(f"divergence (L2): mean {d.divergence.mean():.3g}, of the truth {d.reference_divergence.mean():.3g}")
        for item in d.probes:
            place = ", ".join(f"{x:g}" for x in item.point)
            lines.append(f"probe ({place}): Strouhal {item.strouhal:.4g}, truth {item.reference_strouhal:.4g}; {_ahead(item, d.times)}")
    return lines


def _ahead(probe: Probe, times: np.ndarray) -> str:
    """By how much a signal is ahead of the truth at the last time at which both have swung through a period."""
    known = [(time, error) for time in times.tolist() if math.isfinite(error := probe.phase_error_at(time))]
    if not known:
        return "no phase: the series are shorter than a period there, or do not swing"
    return f"ahead by {known[-1][1]:.3g} periods at {known[-1][0]:.4g} s, the last time at which that can be told"
