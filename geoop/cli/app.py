"""The ``geoop`` command: one thin function per public function."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import ConfigurationError, GeoopError
from .adapting import adapt
from .collecting import collect
from .datasets import describe, generate
from .encoding import encode
from .force_reading import forces
from .gradients import gradient
from .judging import calibrate, judge
from .models import models
from .moving import deform
from .optimising import optimise
from .options import Chord, Meanings, Unit
from .predicting import predict
from .printing import Json, show_result
from .rolling import rollout
from .stitching import schwarz
from .studying import study
from .viewing import report, view
from .wording import on_the_command_line

app = typer.Typer(
    name="geoop",
    help="A mesh and an operating condition become fields, forces and ParaView files, with an honest confidence.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

#: ``ClickException``: of click, or of the copy that newer typers carry.
_USAGE_ERROR = typer.BadParameter.__mro__[2]

#: Exit status after Ctrl-C, as shells have it.
_INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: without the program's name; None takes those of the process.

    Returns:
        0, or 2 on bad input, after one readable block on stderr. With ``--debug`` anywhere errors keep their traceback.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in arguments
    arguments = [word for word in arguments if word != "--debug"]
    try:
        status = app(arguments, prog_name="geoop", standalone_mode=False)
    except GeoopError as error:
        if debug:
            raise
        _show(error, as_json="--json" in arguments)
        status = 2
    except typer.Exit as stop:
        status = stop.exit_code
    except (typer.Abort, KeyboardInterrupt):
        status = _INTERRUPTED
    except _USAGE_ERROR as error:
        error.show()
        status = error.exit_code
    if status == _INTERRUPTED:  # newer typers turn the interruption into the status themselves
        sys.stderr.write("interrupted; what was finished is kept\n")
    return int(status or 0)


def _show(error: GeoopError, *, as_json: bool) -> None:
    if as_json:
        sys.stderr.write(json.dumps({**error.to_dict(), "remedy": on_the_command_line(error.remedy)}) + "\n")
        return
    from rich.console import Console
    from rich.panel import Panel
    from rich.text import Text

    body = Text()
    if error.where:
        body.append(f"{error.where}\n", style="bold")
    body.append(on_the_command_line(error.message) + "\n")
    body.append("try: ", style="bold green")
    body.append(on_the_command_line(error.remedy))
    Console(stderr=True).print(Panel(body, title=type(error).__name__, title_align="left", border_style="red"))


@app.command()
def inspect(
    path: Path,
    unit: Unit = None,
    thorough: Annotated[bool | None, typer.Option(help="count self-intersections; up to a million facets unless said")] = None,
    repair: Annotated[Path | None, typer.Option(metavar="OUT", help="write a repaired copy here; never over the input")] = None,
    tolerance: Annotated[float | None, typer.Option(help="with --repair: merge points closer than this \\[m, or file unit without --unit]")] = None,
    max_hole: Annotated[float | None, typer.Option(help="with --repair: close holes up to this share of the size; 0.1 unless given")] = None,
    orient: Annotated[bool | None, typer.Option(help="with --repair: turn normals out of the body; done unless refused")] = None,
    split: Annotated[bool, typer.Option(help="with --repair: write connected parts to OUT_1, OUT_2, ...")] = False,
    as_json: Json = False,
) -> None:
    """What is in a mesh file: cells, patches, closed or not, quality, bounding box, fields, what to repair; --repair does it."""
    given = {"--tolerance": tolerance, "--max-hole": max_hole, "--orient": orient, "--split": split or None}
    idle = [name for name, value in given.items() if value is not None]
    if repair is None and idle:
        raise ConfigurationError(
            f"{', '.join(idle)} without --repair", where="geoop inspect", remedy="say where the repaired copy goes: --repair OUT"
        )
    if repair is None:
        from ..io.inspection import inspect as run

        found = run(path, unit=unit, thorough=thorough)
    else:
        from ..io.repair import repair_file
        from ..mesh.holes import MAX_HOLE

        share, turn = MAX_HOLE if max_hole is None else max_hole, orient is not False
        found = repair_file(path, repair, unit=unit, tolerance=tolerance or 0.0, max_hole=share, orient=turn, parts=split, thorough=thorough)
    show_result(found.to_dict(), str(found), as_json)


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="any file that geoop reads, or the folder of an OpenFOAM case")],
    target: Annotated[
        Path, typer.Argument(metavar="OUT", help=".vtu, .vtp, .vtm, .vtkhdf, .pvd, .msh, .su2, .stl, .ply, .obj, .csv; never over an input")
    ],
    unit: Unit = None,
    output_unit: Annotated[str | None, typer.Option(help="length unit of OUT where it is .stl, .ply, .obj or .csv; m unless given")] = None,
    chord: Chord = None,
    time: Annotated[float | None, typer.Option(help="step to take \\[s]; the last one unless given, all of them into .pvd")] = None,
    solution: Annotated[list[Path] | None, typer.Option(help="fields on the mesh, such as restart_flow.dat; one per zone")] = None,
    patch: Annotated[list[str] | None, typer.Option(help="write this patch only; repeat for several")] = None,
    names: Meanings = None,
    text: Annotated[bool, typer.Option(help="text instead of binary: STL (one solid per patch), PLY, Gmsh")] = False,
    compress: Annotated[bool, typer.Option(help="smaller files: .vtu, .vtp, .vtm, .vtkhdf, .pvd")] = False,
    as_json: Json = False,
) -> None:
    """One mesh file into another: patches, zones and fields as far as the new format holds them; what it cannot hold is said."""
    from ..io.collecting.choices import parse_names
    from ..io.converting import convert as run

    fields = None if not solution else solution[0] if len(solution) == 1 else list(solution)
    options: dict[str, Any] = {"unit": unit, "output_unit": output_unit, "chord": chord, "time": time, "patches": patch}
    done = run(source, target, **options, solution=fields, text=text, compress=compress, names=parse_names(names or []))
    show_result(
        {"output": str(done.path), "notes": list(done.notes)}, "\n".join([f"written: {done.path}", *(f"  {note}" for note in done.notes)]), as_json
    )


app.command()(generate)
app.command()(describe)
app.command()(collect)


@app.command()
def fit(
    run: Annotated[Path, typer.Argument(help="run.toml: data, directory, quantities, \\[settings], \\[model]")],
    resume: Annotated[bool, typer.Option(help="go on with the run in its directory")] = False,
    as_json: Json = False,
) -> None:
    """Train a surrogate: progress bar, resume, best checkpoint, curves."""
    from ..train.run_file import fit_file

    surrogate, path = fit_file(run, resume=resume, progress=not as_json)
    show_result({"checkpoint": str(path), "about": dict(surrogate.about)}, f"best surrogate: {path}", as_json)


app.command()(models)
app.command()(predict)
app.command()(forces)
app.command()(gradient)
app.command()(optimise)
app.command()(calibrate)
app.command()(judge)
app.command()(schwarz)
app.command()(deform)
app.command()(rollout)
app.command()(adapt)
app.command()(encode)
app.command()(study)
app.command()(report)
app.command()(view)


@app.command()
def evaluate(
    model: Annotated[Path, typer.Argument(help="checkpoint, .safetensors; or a name of `geoop models`")],
    data: Annotated[Path, typer.Argument(help="data-set folder")],
    split: Annotated[str, typer.Option(help="train, val, test, ood, ...")] = "test",
    as_json: Json = False,
) -> None:
    """Errors of a surrogate on a split of a data set, case by case and on average."""
    from ..results.evaluation import evaluate as run

    scores = run(model, data, split)
    show_result(scores.to_dict(), str(scores), as_json)


@app.command()
def cite(model: Annotated[Path, typer.Argument(help="checkpoint, .safetensors; or a name of `geoop models`")], as_json: Json = False) -> None:
    """BibTeX of exactly the methods inside a model."""
    from ..references import bibtex
    from ..results.surrogate import load

    keys = list(load(model).model.reference)
    show_result({"keys": keys}, bibtex(keys), as_json)


@app.command()
def version() -> None:
    """Versions of geoop and of what it computes with."""
    import platform

    import torch

    from ..version import __version__

    device = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "CPU"
    typer.echo(f"geoop {__version__}, torch {torch.__version__}, Python {platform.python_version()}, {device}")
