"""The command that predicts: flows around bodies at one or several angles, and problems in regions with what their file says."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConditionError, ConfigurationError
from .options import Chord, Meanings, Unit
from .printing import Json, show_result

if TYPE_CHECKING:
    from ..interfaces.result import Result
    from ..mesh.case import Case
    from ..mesh.operating_point import OperatingPoint


def predict(
    model: Annotated[Path, typer.Argument(help="checkpoint, .safetensors; or a name of `geoop models`")],
    mesh: Annotated[Path, typer.Argument(help="mesh or section file; with the known fields and boundary values that the model is given")],
    output: Annotated[Path, typer.Option("--output", "-o", help=".vtu, .vtp; .pvd for several angles")],
    velocity: Annotated[float | None, typer.Option(help="free-stream speed \\[m/s], for models of flows; that of the file unless given")] = None,
    alpha: Annotated[list[float] | None, typer.Option(help="angle of attack \\[deg]; repeat for a series")] = None,
    beta: Annotated[float, typer.Option(help="sideslip \\[deg], in space")] = 0.0,
    density: Annotated[float, typer.Option(help="\\[kg/m^3]")] = 1.225,
    viscosity: Annotated[float | None, typer.Option(help="dynamic viscosity [Pa s], for models of viscous flows")] = None,
    mach: Annotated[float | None, typer.Option(help="Mach number, for models of compressible flows")] = None,
    reference_length: Annotated[float | None, typer.Option(help="length of the coefficients \\[m]; the chord unless given")] = None,
    reference_area: Annotated[float | None, typer.Option(help="area of the coefficients in space \\[m^2]")] = None,
    friction: Annotated[str, typer.Option(help="field, or velocity: of a laminar flow, from the predicted velocity at the wall")] = "field",
    unit: Unit = None,
    chord: Chord = None,
    names: Meanings = None,
    wall: Annotated[list[str] | None, typer.Option(help="patch that is the body; repeat for several. Found by name unless given")] = None,
    as_json: Json = False,
) -> None:
    """Fields, forces and a verdict for one geometry, free or in a channel, or for a region; the fields go into a ParaView file."""
    from dataclasses import replace

    from ..io.collecting.choices import parse_names
    from ..io.collecting.known_arrays import mapped
    from ..io.paraview import write_series
    from ..io.reading import read_case
    from ..io.writing import is_input
    from ..mesh.case import Series
    from ..mesh.operating_point import OperatingPoint
    from ..results.surrogate import load_predictor

    if is_input(mesh, output):
        raise ConfigurationError("the output is the input, and nothing is written over an input", where="--output", remedy="give it another name")
    if friction not in ("field", "velocity"):
        raise ConfigurationError(f"no friction '{friction}'", where="--friction", remedy="--friction field, or --friction velocity")
    angles = sorted(set(alpha or [0.0]))
    if (output.suffix == ".pvd") != (len(angles) > 1):
        raise ConfigurationError(
            f"{len(angles)} angles and the output '{output.name}'", where="--output", remedy="a .pvd for several angles, a .vtu or .vtp for one"
        )
    surrogate, case = load_predictor(model), read_case(mesh, unit=unit, chord=chord)
    case = mapped(case, parse_names(names)) if names else case
    case = replace(case, wall=tuple(wall)) if wall else case
    stated = {"--velocity": velocity, "--alpha": alpha, "--viscosity": viscosity, "--mach": mach}
    points: list[OperatingPoint] | None = None
    if velocity is not None:
        points = [OperatingPoint(velocity, a, beta, density, viscosity, mach, reference_length) for a in angles]
    elif reference_length is not None and case.operating_point is not None:  # expected errors are those of coefficients with this length
        case = replace(case, operating_point=replace(case.operating_point, reference_length=reference_length))
    results = _results(surrogate, case, points, [name for name, value in stated.items() if value is not None])
    if len(angles) > 1:
        write_series(Series([float(a) for a in angles], tuple(r.case for r in results), "alpha [deg]"), output)
    else:
        results[0].write(output)
    rows = [_row(result, reference_length, reference_area, friction) for result in results]
    text = "\n\n".join(own for _, own in rows)
    show_result({"output": str(output), "results": [row for row, _ in rows]}, f"{text}\n\nwritten: {output} (paraview {quote(str(output))})", as_json)


def _results(surrogate, case: Case, points: list[OperatingPoint] | None, stated: list[str]) -> list[Result]:
    """A result per condition; one for a model that knows no free stream."""
    from dataclasses import replace

    if not surrogate.flow:
        if stated:
            raise ConfigurationError(
                f"{', '.join(stated)} for a model that was trained without a free stream", where="geoop predict", remedy="leave them out"
            )
        return [surrogate.predict(replace(case, operating_point=None))]
    if points is None:
        if case.operating_point is None or stated:
            raise ConditionError("no speed of the free stream", where="geoop predict", remedy="--velocity 50 [m/s]")
        points = [case.operating_point]
    return surrogate.predict_many(case, points)


def _row(result: Result, reference_length: float | None, reference_area: float | None, friction: str) -> tuple[dict[str, object], str]:
    """A result as data and as text."""
    from ..results.forces import forces

    point, verdict = result.case.operating_point, result.verdict
    units = {name: item.quantity.unit for name, item in result.fields.items()}
    valid = "" if verdict.level != "outside" else " (of cases inside: it does not hold for this one)"
    errors = "".join(f"\nexpected error of {name}: {value:.3g} {units.get(name, '1')}{valid}" for name, value in verdict.expected_errors.items())
    said = f"verdict {verdict}{errors}"
    if point is None:
        return {"verdict": verdict.to_dict()}, said
    pressure = {"pressure", "pressure_coefficient"} & set(result.fields)
    if not pressure or (result.mesh.dimension == 3 and reference_area is None):
        found, lines = None, "no forces: the model predicts no pressure" if not pressure else "no forces: coefficients need --reference-area [m^2]"
    else:
        found = forces(result, reference_length=reference_length, reference_area=reference_area, friction=friction)  # type: ignore[arg-type]
        lines = str(found)
    row = {"alpha": point.alpha, "forces": None if found is None else found.to_dict(), "verdict": verdict.to_dict()}
    return row, f"alpha {point.alpha:g} deg\n{lines}\n{said}"
