"""The command that differentiates: a coefficient of a section by its points, as a vector field for ParaView."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from ..errors import ConditionError
from .options import Chord, Unit
from .printing import Json, show_result, waiting


def gradient(
    model: Annotated[Path, typer.Argument(help="checkpoint, .safetensors, or the name of a shipped model")],
    mesh: Annotated[Path, typer.Argument(help="section file, or a mesh around a section")],
    output: Annotated[Path, typer.Option("--output", "-o", help=".vtp or .vtu: arrows along the wall's normal")],
    of: Annotated[str, typer.Option(help="CL, CD or CM")] = "CL",
    velocity: Annotated[float | None, typer.Option(help="free-stream speed \\[m/s]; that of the file unless given")] = None,
    alpha: Annotated[float, typer.Option(help="angle of attack \\[deg]")] = 0.0,
    density: Annotated[float, typer.Option(help="\\[kg/m^3]")] = 1.225,
    viscosity: Annotated[float | None, typer.Option(help="dynamic viscosity [Pa s]; CD of an inviscid model needs it")] = None,
    reference_length: Annotated[
        float | None, typer.Option(help="length of the coefficients \\[m]; the chord, which follows the shape, unless given")
    ] = None,
    smoothing: Annotated[float, typer.Option(help="write the gradient smoothed over this length \\[m], too, for steps along it")] = 0.0,
    unit: Unit = None,
    chord: Chord = None,
    wall: Annotated[list[str] | None, typer.Option(help="patch that is the body; repeat for several. Found by name unless given")] = None,
    as_json: Json = False,
) -> None:
    """How a coefficient changes when the wall moves: its derivative at every point of a section, with the verdict of the model."""
    from dataclasses import replace

    from ..io.reading import read_case
    from ..mesh.operating_point import OperatingPoint
    from ..mesh.planar import flattened, is_one_layer
    from ..results.shape_gradient import shape_gradient
    from ..results.surrogate import load_predictor

    predictor, case = load_predictor(model), read_case(mesh, unit=unit, chord=chord)
    case = flattened(case) if is_one_layer(case.mesh) else case
    case = replace(case, wall=tuple(wall)) if wall else case
    if velocity is not None:
        case = replace(case, operating_point=OperatingPoint(velocity, alpha, 0.0, density, viscosity, None, reference_length))
    if case.operating_point is None:
        raise ConditionError("no speed of the free stream", where="geoop gradient", remedy="--velocity 50 [m/s]")
    with waiting("differentiating"):
        found = shape_gradient(predictor, case, of)  # type: ignore[arg-type]
    found.write(output, smoothing=smoothing)
    show_result({"output": str(output), **found.to_dict()}, f"{found}\nwritten: {output} (paraview {quote(str(output))})", as_json)
