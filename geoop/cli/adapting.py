"""The command that adapts a mesh to a field that it carries."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import ConfigurationError
from .printing import NOT_CONVERGED, Json, show_result


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
    unit: Annotated[str | None, typer.Option(help="length unit of files that know none: m, mm, cm, in, ft")] = None,
    as_json: Json = False,
) -> None:
    """Move the points of a mesh to where a field asks for them; cells and patches stay, fields are brought along, no cell folds. Exits with 3 where it did not converge."""
    from ..io.reading import read_case
    from ..mesh.planar import flattened, is_one_layer
    from ..results.adapting import adapt as run

    if output.resolve() == field.resolve():
        raise ConfigurationError("--output is the input", where="geoop adapt", remedy="-o adapted.vtu")
    case = read_case(field, unit=unit)
    case = flattened(case) if is_one_layer(case.mesh) else case
    found = run(case, monitor, mover, strength=strength, cap=cap, smoothing=smoothing)
    written = found.write(output)
    before, after = found.imbalance
    lines = [
        f"{found.moved.outcome}",
        f"{found.moved.steps} steps, {found.moved.seconds:.2f} s; cells share the monitor to {before:.1%} before, {after:.1%} after (standard deviation)",
        *found.notes,
        *written.notes,
        f"written: {written.path}",
    ]
    show_result({"output": str(written.path), **found.to_dict()}, "\n".join(lines), as_json)
    if not found.moved.outcome.ok:
        raise typer.Exit(NOT_CONVERGED)
