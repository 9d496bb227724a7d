"""The command that adapts a mesh to a field that it carries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConfigurationError
from .options import Unit
from .printing import FAILED, NOT_CONVERGED, Json, outcome_data, outcome_line, show_result, waiting

if TYPE_CHECKING:
    from ..mesh.case import Case


def adapt(
    field: Annotated[Path, typer.Argument(help="mesh with fields: any file that geoop reads")],
    output: Annotated[Path, typer.Option("--output", "-o", help=".vtu, .vtm, .vtkhdf, .msh, .su2 with the same cells and patches on moved points")],
    monitor: Annotated[
        str, typer.Option(metavar="KIND:QUANTITY", help="hessian, gradient, arc-length or error of a point field; or wall, wall:PATCH,PATCH")
    ] = "hessian",
    mover: Annotated[
        str, typer.Option(help="monge-ampere (convex regions), variational (any region), or a trained mover for boxes, MODEL.safetensors")
    ] = "monge-ampere",
    strength: Annotated[float, typer.Option(help="density of points where most are wanted, over where none are, minus one")] = 5.0,
    cap: Annotated[float, typer.Option(help="largest ratio of two densities")] = 100.0,
    smoothing: Annotated[float, typer.Option(help="of the monitor, in mean edge lengths")] = 1.0,
    steps: Annotated[int | None, typer.Option(help="most that the mover takes; its own number unless given")] = None,
    updates: Annotated[
        int, typer.Option(help="times that the monitor is found again on the moved mesh; helps where the mesh does not resolve the field, else harms")
    ] = 0,
    unit: Unit = None,
    picture: Annotated[Path | None, typer.Option(help="picture of a plane mesh before and after: .png, .svg, .pdf")] = None,
    as_json: Json = False,
) -> None:
    """Move the points of a mesh to where a field asks for them; cells and patches stay, fields are brought along, no cell folds. Exits with 3 where it did not converge."""
    from ..io.reading import read_case
    from ..results.adapting import adapt as run

    _require(field, output, picture)
    case, notes = _linear(read_case(field, unit=unit))
    if picture is not None and case.mesh.dimension != 2:
        raise ConfigurationError("a picture of a solid", where="--picture", remedy="leave it out and look at the output in ParaView")
    with waiting("moving the points"):
        found = run(case, monitor, mover, strength=strength, cap=cap, smoothing=smoothing, steps=steps, updates=updates)
    files, written = [], None
    if found.moved.outcome.status != "tangled":
        written = found.write(output)
        files.append(str(written.path))
        if picture is not None:
            from ..studies.plots.moving import before_and_after

            files.append(str(before_and_after(case.mesh, found.case.mesh, picture)))
    before, after = found.imbalance
    lines = [
        outcome_line(found.moved.outcome),
        f"{found.moved.steps} steps, {found.moved.seconds:.2f} s; what cells hold of the monitor differs by {before:.1%} before, {after:.1%} after (standard deviation)",
        *notes,
        *found.notes,
        *(() if written is None else written.notes),
        f"written: {', '.join(files)}" if files else "nothing is written",
    ]
    show_result({**found.to_dict(), "outcome": outcome_data(found.moved.outcome), "files": files}, "\n".join(lines), as_json)
    if not files:
        raise typer.Exit(FAILED)
    if not found.moved.outcome.ok:
        raise typer.Exit(NOT_CONVERGED)


def _linear(case: Case) -> tuple[Case, tuple[str, ...]]:
    """The case on cells that movers know, and what was changed."""
    from ..mesh.planar import flattened, is_one_layer
    from ..mesh.straight import straightened

    notes: tuple[str, ...] = ()
    if is_one_layer(case.mesh):
        case = flattened(case)
        notes = case.mesh.notes[-1:]
    straight = straightened(case)
    if straight is not case:
        notes = (*notes, "cells with points in the middle of their sides are taken as straight ones between their corners")
    return straight, notes


def _require(field: Path, output: Path, picture: Path | None) -> None:
    """Refuse names of files before anything is read."""
    from ..io.writing import is_input

    problems = ["--output is the input"] if is_input(field, output) else []
    problems += [f"there is no folder '{path.parent}'" for path in (output, picture) if path is not None and not path.parent.is_dir()]
    if picture is not None and picture.suffix.lower() not in (".png", ".svg", ".pdf"):
        problems.append(f"--picture is '{picture}', must end in .png, .svg or .pdf")
    if problems:
        raise ConfigurationError(
            "; ".join(problems), where="geoop adapt", remedy="for example: geoop adapt flow.vtu --monitor hessian:pressure -o adapted.vtu"
        )
