"""The command that sweeps: geometries by conditions into a table, ParaView files and a report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import ConfigurationError
from .datasets import progress_bar
from .options import Unit
from .printing import FAILED, Json, show_result


def study(
    source: Annotated[Path | None, typer.Argument(metavar="STUDY", help="study.toml; --template prints a commented one")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="folder of the study; that of the file unless given")] = None,
    model: Annotated[str | None, typer.Option(help="without a file: a shipped model, a checkpoint, or panels")] = None,
    geometry: Annotated[list[str] | None, typer.Option(help="naca2412, uiuc:e387, a file or a pattern in quotes; repeat for several")] = None,
    alpha: Annotated[str | None, typer.Option(help="angle of attack \\[deg]: a number, start:stop:step (--alpha=-4:12:1), or 0,2,4")] = None,
    velocity: Annotated[str | None, typer.Option(help="\\[m/s], likewise")] = None,
    reynolds: Annotated[str | None, typer.Option(help="Reynolds number, likewise; with --velocity or --viscosity")] = None,
    viscosity: Annotated[str | None, typer.Option(help="dynamic viscosity [Pa s]")] = None,
    mach: Annotated[str | None, typer.Option(help="Mach number, for models that have it")] = None,
    flap: Annotated[str | None, typer.Option(help="flap deflections of every section \\[deg], trailing edge down: -10,0,10")] = None,
    hinge: Annotated[float, typer.Option(help="hinge of --flap, x/c")] = 0.75,
    unit: Unit = None,
    chord: Annotated[float | None, typer.Option(help="chord of NACA, UIUC and .dat sections \\[m]; 1 m unless given")] = None,
    reference_area: Annotated[float | None, typer.Option(help="area of the coefficients in space \\[m^2]")] = None,
    reference_length: Annotated[float | None, typer.Option(help="length of coefficients and Re \\[m]; the chord unless given")] = None,
    compare: Annotated[bool, typer.Option("--compare", help="columns of the panel method beside the model's")] = False,
    drag: Annotated[bool, typer.Option("--drag", help="drag of inviscid sections from a boundary layer; needs a Reynolds number")] = False,
    smallest_edge_angle: Annotated[
        float | None, typer.Option(help="thinner trailing edges are refused by the panels \\[deg]; 5 unless given, less for exact coordinates")
    ] = None,
    surface_only: Annotated[bool, typer.Option("--surface-only", help="the wall only, no field around it")] = False,
    table_only: Annotated[bool, typer.Option("--table-only", help="no files of single cases")] = False,
    no_report: Annotated[bool, typer.Option("--no-report", help="no pictures, no report.html")] = False,
    accept: Annotated[list[str] | None, typer.Option(help="what is asked about and meant: unit, angles, open")] = None,
    workers: Annotated[int, typer.Option("--workers", "-j", help="processes")] = 1,
    dask: Annotated[str | None, typer.Option(help="address of a Dask scheduler, tcp://host:8786, whose workers compute")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="a study must be there; its failed cases are tried again")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace another study in the folder")] = False,
    check: Annotated[bool, typer.Option("--check", help="only say what is wrong and how many cases there are")] = False,
    template: Annotated[bool, typer.Option("--template", help="print a commented study file")] = False,
    as_json: Json = False,
) -> None:
    """Sweep geometries and conditions: one table, ParaView files, polars and a report. Interrupted, it continues where it stopped."""
    if template:
        from ..studies.sweep.template import TEMPLATE

        typer.echo(TEMPLATE, nl=False)
        return
    ways = {"alpha": alpha, "velocity": velocity, "reynolds": reynolds, "viscosity": viscosity, "mach": mach}
    conditions = {key: _values(text) for key, text in ways.items() if text is not None}
    more = {"unit": unit, "chord": chord, "flap": None if flap is None else {"hinge": hinge, "deflection": _values(flap)}}
    shapes = [_shape(word, {key: value for key, value in more.items() if value is not None}) for word in geometry or []]
    settings: dict[str, Any] = {
        "compare": "panels" if compare else None,
        "drag": "boundary layer" if drag else None,
        "surface_only": surface_only or None,
        "files": "none" if table_only else None,
        "report": False if no_report else None,
        "smallest_edge_angle": smallest_edge_angle,
        "reference_area": reference_area,
        "reference_length": reference_length,
        "accept": accept or None,
    }
    settings = {key: value for key, value in settings.items() if value is not None}
    idle = [f"--{key}" for key, value in more.items() if value is not None] if not shapes else []
    if idle:
        raise ConfigurationError(f"{', '.join(idle)} without --geometry", where="geoop study", remedy="write it into the study file")
    given = {"model": model, "geometry": shapes, **settings}
    _run(_tables(source, given, conditions), output, check, as_json, workers=workers, dask=dask, resume=resume, overwrite=overwrite)


def _tables(source: Path | None, given: dict[str, Any], conditions: dict[str, Any]) -> Any:
    """The study file, the file with what options change, or a study made of options alone."""
    if source is None:
        return {**given, "conditions": conditions}
    if not conditions and not any(value not in (None, []) for value in given.values()):
        return source
    from ..studies.sweep.study_file import with_overrides

    return with_overrides(source, given, conditions)


def _run(tables: Any, output: Path | None, check: bool, as_json: bool, *, workers: int, dask: str | None, resume: bool, overwrite: bool) -> None:
    """Check, or compute with a bar, and print."""
    from ..studies.sweep.study import plan, read_study
    from ..studies.sweep.study import study as run

    if check:
        job, checked = plan(read_study(tables))
        lines = [
            f"{job.size} cases: {len(job.geometries)} geometries at {len(job.conditions)} conditions",
            *(f"  note: {w}" for w in checked.warnings),
        ]
        show_result({"cases": job.size, "warnings": list(checked.warnings)}, "\n".join(lines), as_json)
        return
    with progress_bar("study") as progress:
        done = run(
            tables,
            output,
            workers=workers,
            dask=dask,
            resume=resume,
            overwrite=overwrite,
            progress=progress,
            said=None if as_json else lambda text: typer.echo(f"note: {text}", err=True),
        )
    show_result(done.to_dict(), str(done), as_json)
    if len(done.failed) == len(done.rows):
        raise typer.Exit(FAILED)


def _values(text: str) -> Any:
    """``0,2,4`` as a list; ranges and numbers as they are, for the study to read."""
    if "," not in text:
        return text
    try:
        return [float(word) for word in text.split(",") if word.strip()]
    except ValueError as error:
        raise ConfigurationError(f"'{text}' is no list of numbers", where="geoop study", remedy="0,2,4 or start:stop:step") from error


def _shape(word: str, more: dict[str, Any]) -> Any:
    """A geometry of the command line as a table."""
    from ..studies.sweep.study_file import geometry_table

    return {**geometry_table(word), **more}
